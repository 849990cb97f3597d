package choose

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/choose/heads"
	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/internal/testenv"
)

// TestFineTune fine-tunes both networks on all folds but one: the rows say what they are, what is there is not computed again, an
// interrupted run continues, and the best checkpoint is saved with its classes.
func TestFineTune(t *testing.T) {
	data := images(t, 20)
	if err := os.WriteFile(filepath.Join(data, "red", "broken.png"), []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := options(t, data)
	o.FineTune, o.Splits = 2*time.Second, 1
	var said []string
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Say = func(line string) {
		if said = append(said, line); strings.Contains(line, ": epoch 2 of ") {
			cancel()
		}
	}
	if _, err := Run(ctx, o); err == nil {
		t.Fatal("want an end by the context")
	}
	states, err := filepath.Glob(filepath.Join(o.Cache.Dir, "choose", "*.tuned.safetensors.state"))
	if err != nil || len(states) != 1 {
		t.Fatalf("states %v, %v: want one of the network under way", states, err)
	}
	said = nil
	o.Say = func(line string) { said = append(said, line) }
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tuned) != 2 {
		t.Fatalf("%d rows, %q", len(r.Tuned), said)
	}
	for _, row := range r.Tuned {
		if row.Err != "" || row.Learned+row.Tested != 60 || row.Tested < 11 || row.Tested > 13 || row.Epochs < 3 ||
			row.Accuracy.Value < 0.5 || row.Probe.Value < 0.5 || row.P <= 0 || row.P > 1 {
			t.Errorf("%+v", row)
		}
	}
	if r.Tuned[0].Accuracy.Value < r.Tuned[1].Accuracy.Value {
		t.Error("the best row is not the first")
	}
	saved, err := r.SaveTuned(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	network, _, _ := strings.Cut(r.Tuned[0].Name, ".")
	ready, err := runner.Describe(o.List, runner.Task{Job: experiment.Job{Model: network}, Weights: saved})
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	if ready.Trained == nil || strings.Join(ready.Trained.Classes, " ") != "blue green red" {
		t.Errorf("the saved checkpoint: %+v, want the classes' names", ready.Trained)
	}
	dir := t.TempDir()
	if _, err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil || !strings.Contains(string(page), "## Fine-tuned networks") || !strings.Contains(string(page), "of the same images") {
		t.Errorf("the report says nothing of fine-tuning: %v", err)
	}

	said = nil
	again, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(said, "\n"), ": epoch ") || *again.Tuned[0] != *r.Tuned[0] {
		t.Errorf("%+v after %+v, %q: want what was there", again.Tuned[0], r.Tuned[0], said)
	}
}

// TestFineTuneErrors says why a network is not fine-tuned, and chooses all the same.
func TestFineTuneErrors(t *testing.T) {
	o := options(t, images(t, 6))
	o.FineTune, o.Splits = time.Microsecond, 1
	r, err := Run(t.Context(), o)
	if err != nil || r.Pick == nil || len(r.Tuned) != 2 || !strings.Contains(r.Tuned[0].Err, "an epoch takes about") {
		t.Fatalf("%v, %+v", err, r)
	}
	if lines := r.TunedLines(); len(lines) != 2 || !strings.Contains(lines[0], " was not fine-tuned: time ") {
		t.Errorf("lines %q", lines)
	}
	if saved, err := r.SaveTuned(t.TempDir()); saved != "" || err != nil {
		t.Errorf("saved %q, %v, want nothing", saved, err)
	}
	o.FineTune = -time.Second
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "time for fine-tuning -1s") {
		t.Errorf("error %v", err)
	}
}

// TestTunedSection has the section of the report and the lines for the terminal, of a network that gained, one that did not and one
// that had too little time.
func TestTunedSection(t *testing.T) {
	share := heads.Share
	r := &Result{FineTune: 30 * time.Minute, Tuned: []*TunedRow{
		{Name: "a.x", Learned: 400, Tested: 100, Epochs: 12, Took: 540 * time.Second, Accuracy: share(95, 100), Probe: share(80, 100), P: 0.001},
		{Name: "b.x", Learned: 400, Tested: 100, Epochs: 3, Took: 600 * time.Second, Accuracy: share(90, 100), Probe: share(91, 100), P: 1},
		{Name: "c.x", Learned: 400, Tested: 100, Err: "time 10m0s: an epoch takes about 20m0s"},
	}}
	var b strings.Builder
	p := &page{title: "t"}
	r.tunedSection(p)
	if err := p.markdown(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n" + strings.Join(r.TunedLines(), "\n") + "\n")
	testenv.Golden(t, filepath.Join("testdata", "fine_tuned.golden"), []byte(b.String()))
}

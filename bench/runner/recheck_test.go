package runner

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
)

const both = `
experiments:
  - name: both
    question: Are speed and accuracy of one system?
    models: [tiny]
    batch: [1, 3]
    latency: {min_duration: 20ms}
    accuracy: {}
`

// lastTimed are the timed rows that count: of a job and checkpoint, the one written last.
func lastTimed(records []record.Record) (rows []record.Record) {
	at := map[string]int{}
	for _, r := range records {
		if r.Kind != record.KindLatency {
			continue
		}
		k := key(r.JobID, r.Checkpoint, r.WeightsFile)
		if i, ok := at[k]; ok {
			rows[i] = r
			continue
		}
		at[k] = len(rows)
		rows = append(rows, r)
	}
	return rows
}

// ofTwoSystems is the reason of that kind in a row's verdict; a busy machine gives others.
func ofTwoSystems(r *record.Record) string {
	for _, reason := range r.Verdict.Reasons {
		if strings.HasPrefix(reason, recheckReason) {
			return reason
		}
	}
	return ""
}

// TestRecheck measures speed and accuracy of two checkpoints: each timed row is of one of them, and its predictions are
// those of the accuracy, whichever of the two was measured first.
func TestRecheck(t *testing.T) {
	o := options(t, both)
	if err := os.MkdirAll(o.Cache.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	writeWeights(t, filepath.Join(o.Cache.Weights(), "tiny.one.safetensors"), 2)
	writeWeights(t, filepath.Join(o.Cache.Weights(), "tiny.two.safetensors"), 3)

	s, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range lastTimed(s.Records) {
		why := r.NotMeasured[recheckColumn]
		if r.Checkpoint == "" || ofTwoSystems(&r) != "" || !strings.Contains(why, "no images in the cache folder") {
			t.Errorf("without images: %s: valid %t, not rechecked because %q", r.Name(), r.Verdict.Valid, why)
		}
	}

	o.Dir, o.Data = filepath.Join(t.TempDir(), "again"), images(t)
	s, err = Run(t.Context(), o)
	if err != nil || s.Measured != 6 {
		t.Fatalf("%d measured, error %v; want 4 timed and 2 accuracies", s.Measured, err)
	}
	timed := lastTimed(s.Records)
	if len(timed) != 4 {
		t.Fatalf("%d timed rows, want 4", len(timed))
	}
	for _, r := range timed {
		if r.Recheck.Text() != "checked 2 of 2 same" || r.NotMeasured[recheckColumn] != "" || ofTwoSystems(&r) != "" ||
			len(r.RecipeSHA256) != 64 {
			t.Errorf("%s: %q, not measured %v, verdict %+v", r.Name(), r.Recheck.Text(), r.NotMeasured, r.Verdict)
		}
	}

	// Timed once more, after the accuracy.
	var evals []record.Record
	for _, r := range s.Records {
		if r.Kind == record.KindEval {
			evals = append(evals, r)
		}
	}
	log := filepath.Join(o.Dir, record.FileName)
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	l, err := record.OpenLog(log)
	if err != nil {
		t.Fatal(err)
	}
	for i := range evals {
		if err := l.Append(&evals[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	s, err = Run(t.Context(), o)
	if err != nil || s.Kept != 2 || s.Measured != 4 || len(rows(s.Records)) != 6 {
		t.Fatalf("timed again: %d kept, %d measured, %d rows, error %v", s.Kept, s.Measured, len(rows(s.Records)), err)
	}
	for _, r := range lastTimed(s.Records) {
		if r.Recheck.Text() != "checked 2 of 2 same" {
			t.Errorf("timed again: %s: %q, %v", r.Name(), r.Recheck.Text(), r.NotMeasured)
		}
	}

	// Killed between an accuracy's row and those of the timed ones.
	at := slices.IndexFunc(s.Records, func(r record.Record) bool { return r.Kind == record.KindLatency })
	left := s.Records[at]
	waiting := *left.Recheck
	waiting.Checked, waiting.Same = 0, 0
	left.Recheck, left.NotMeasured = &waiting, map[string]string{recheckColumn: awaiting}
	if l, err = record.OpenLog(log); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Append(&left), l.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if s, err = Run(t.Context(), o); err != nil || s.Measured != 0 {
			t.Fatalf("resumed: %d measured, error %v", s.Measured, err)
		}
	}
	for _, r := range lastTimed(s.Records) {
		if r.Recheck.Text() != "checked 2 of 2 same" || r.NotMeasured[recheckColumn] != "" {
			t.Errorf("resumed: %s: %q, %v", r.Name(), r.Recheck.Text(), r.NotMeasured)
		}
	}

	// An accuracy that another system computed.
	samples := filepath.Join(o.Dir, evals[0].SamplesFile)
	lines, err := record.ReadSamples(samples)
	if err != nil {
		t.Fatal(err)
	}
	w, err := record.NewSampleWriter(samples)
	if err != nil {
		t.Fatal(err)
	}
	for i := range lines {
		for j := range lines[i].Scores {
			lines[i].Scores[j] *= 1.5
			lines[i].Scores[j] += 1
		}
		if err := w.Write(lines[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(nil); err != nil {
		t.Fatal(err)
	}
	r := run{Options: o, s: &s}
	if r.log, err = record.OpenLog(log); err != nil {
		t.Fatal(err)
	}
	defer r.log.Close()
	if err := r.recheckTimed(&evals[0], nil); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for _, r := range lastTimed(s.Records) {
		if why := ofTwoSystems(&r); why != "" {
			wrong++
			if r.Verdict.Valid || r.Checkpoint != evals[0].Checkpoint || !strings.Contains(why, "2 of 2 predictions differ: ") {
				t.Errorf("%s: valid %t, %q", r.Name(), r.Verdict.Valid, why)
			}
		}
	}
	if wrong != 2 {
		t.Errorf("%d timed rows are not valid, want the two of the other system's checkpoint", wrong)
	}
}

// TestOtherClassesAreToldFirst holds a checkpoint of three classes against images of two: the error names both, and the
// network is never built.
func TestOtherClassesAreToldFirst(t *testing.T) {
	dir := t.TempDir()
	for _, class := range []string{"cat", "dog"} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, class, "a.png"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "tiny.mine.safetensors")
	writeWeights(t, file, 3)
	task := Task{Job: experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: dir}}, Weights: file}
	ready := false
	_, err := Accuracy(t.Context(), misbehaving(), task, Watch{Ready: func(*Network, *datasets.Files) { ready = true }})
	if err == nil || ready {
		t.Fatalf("error %v, network ready %t; want an error before that", err, ready)
	}
	for _, part := range []string{"tiny.mine.safetensors has 3 classes", dir, "2 class folders"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want %q in it", err, part)
		}
	}
}

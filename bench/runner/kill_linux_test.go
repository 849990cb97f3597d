package runner

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
)

// long is a run whose second job takes longer than any test waits.
const long = `
experiments:
  - name: long
    question: What does a kill cost?
    models: [tiny, small]
    latency: {min_duration: 20ms, max_duration: 10m, min_samples: 11}
`

// victim is a runner that is killed from outside, in a process of its own. It takes its folder from the environment.
func victim() {
	text := strings.Replace(long, "20ms", os.Getenv("VICTIM_DURATION"), 1)
	f, err := experiment.Parse("experiments.yaml", strings.NewReader(text), Known(misbehaving()))
	if err == nil {
		_, err = Run(context.Background(), Options{
			List: misbehaving(), File: f, Dir: os.Getenv("VICTIM_DIR"), RunID: "killed", Worker: testWorker(), Host: quiet,
			Events: Events{Done: func(r *record.Record) { fmt.Println(r.Model) }},
		})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// TestKillCostsTheJobUnderWay kills a run with SIGKILL while its second job is under way. The first one's record is
// there, the worker ends too, and the run can be gone on with.
func TestKillCostsTheJobUnderWay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=runner", "VICTIM_DIR="+dir, "VICTIM_DURATION=1s")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	marker := []byte("VICTIM_DIR=" + dir)
	path := filepath.Join(dir, record.FileName)
	waitFor(t, "the first record", func() bool {
		records, _, err := record.ReadFile(path)
		return err == nil && len(rows(records)) > 0
	})
	waitFor(t, "the second worker", func() bool { return len(having(t, marker)) > 1 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	waitFor(t, "the worker's end", func() bool { return len(having(t, marker)) == 0 })

	records, problems, err := record.ReadFile(path)
	if err != nil || len(problems) != 0 || len(rows(records)) != 1 {
		t.Fatalf("%d rows, problems %v, error %v; want 1 and none", len(rows(records)), problems, err)
	}
	o := options(t, strings.Replace(long, "20ms", "1s", 1))
	o.Dir, o.Resume = dir, true
	s, err := Run(t.Context(), o)
	if err != nil || s.Tasks != 2 || s.Measured+s.Kept != 2 {
		t.Errorf("resumed: %d tasks, %d kept, %d measured, error %v", s.Tasks, s.Kept, s.Measured, err)
	}
	for _, r := range s.Records {
		if r.RunID != "killed" {
			t.Errorf("%s: run %q, want the killed one's", r.Model, r.RunID)
		}
	}
}

// waitFor waits until something is so, for half a minute at most.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 3000 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}

// having are the processes whose environment holds the marker.
func having(t *testing.T, marker []byte) (pids []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, marker) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

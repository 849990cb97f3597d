package choose

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/kernels"
	"zoobench/zoo/weights"
)

// TestFindTiming takes an earlier timing only where a new one would be made with the same settings, as long at most.
func TestFindTiming(t *testing.T) {
	const duration = 20 * time.Millisecond
	c := cache(t)
	task := runner.Task{
		Job: experiment.Job{Model: "narrow", Axes: record.Axes{ISA: "generic", Threads: 1, Batch: 1, NoTune: true}},
		Tag: "made", Weights: filepath.Join(c.Weights(), "narrow.made.safetensors"),
	}
	times := &timings{path: filepath.Join(t.TempDir(), "timings.jsonl"), runID: "test"}
	r, err := times.measure(context.Background(), worker("small"), task, 0.5, duration)
	if err != nil {
		t.Fatal(err)
	}
	times.kept = []record.Record{*r}
	for _, test := range []struct {
		name   string
		change func(task *runner.Task, sum *string, percentile *float64, duration *time.Duration)
		want   bool
	}{
		{"the same", func(*runner.Task, *string, *float64, *time.Duration) {}, true},
		{"shorter", func(_ *runner.Task, _ *string, _ *float64, d *time.Duration) { *d /= 2 }, true},
		{"longer", func(_ *runner.Task, _ *string, _ *float64, d *time.Duration) { *d *= 2 }, false},
		{"another instruction set", func(task *runner.Task, _ *string, _ *float64, _ *time.Duration) { task.ISA = "avx2" }, false},
		{"more threads", func(task *runner.Task, _ *string, _ *float64, _ *time.Duration) { task.Threads = 2 }, false},
		{"a larger batch", func(task *runner.Task, _ *string, _ *float64, _ *time.Duration) { task.Batch = 2 }, false},
		{"with trials", func(task *runner.Task, _ *string, _ *float64, _ *time.Duration) { task.NoTune = false }, false},
		{"another network", func(task *runner.Task, _ *string, _ *float64, _ *time.Duration) { task.Model = "wide" }, false},
		{"another tag", func(task *runner.Task, _ *string, _ *float64, _ *time.Duration) { task.Tag = "other" }, false},
		{"other weights", func(_ *runner.Task, sum *string, _ *float64, _ *time.Duration) { *sum = "" }, false},
		{"more samples", func(_ *runner.Task, _ *string, p *float64, _ *time.Duration) { *p = 1 - 1e-9 }, false},
	} {
		task, sum, percentile, duration := task, r.WeightsSHA256, 0.5, duration
		test.change(&task, &sum, &percentile, &duration)
		if got := times.find(task, sum, percentile, duration); (got != nil) != test.want {
			t.Errorf("%s: found %v, want %v", test.name, got != nil, test.want)
		}
	}
}

// TestKeepTiming keeps timings that nothing disturbed.
func TestKeepTiming(t *testing.T) {
	c := cache(t)
	task := runner.Task{
		Job: experiment.Job{Model: "narrow", Axes: record.Axes{ISA: "generic", Threads: 1, Batch: 1, NoTune: true}},
		Tag: "made", Weights: filepath.Join(c.Weights(), "narrow.made.safetensors"),
	}
	dir := t.TempDir()
	times, err := openTimings(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	r, err := times.measure(context.Background(), worker("small"), task, 0.5, 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(times.path); err != nil {
		t.Fatal(err)
	}
	for i, v := range []record.Verdict{
		{Valid: true}, {Valid: true, Warnings: []string{"noise"}}, {Reasons: []string{"drift"}}, {Valid: true},
	} {
		made := *r
		made.Verdict = v
		footprint := *r.Footprint
		footprint.Load = int64(i + 1)
		made.Footprint = &footprint
		if err := times.keep(&made); err != nil {
			t.Fatal(err)
		}
	}
	if times, err = openTimings(dir, "test"); err != nil {
		t.Fatal(err)
	}
	if len(times.kept) != 2 || times.kept[0].Load != 1 || times.kept[1].Load != 4 {
		t.Errorf("%d timings kept, want the first and the last", len(times.kept))
	}
}

// TestTimingIsOfNow makes a new timing where the one that is kept is by another instruction set, or of as many threads as
// there were processors then.
func TestTimingIsOfNow(t *testing.T) {
	o := options(t, "")
	o.Threads = 0
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.Cache.Weights(), "narrow.made.safetensors")
	c := &chooser{o: o, Result: &Result{Threads: o.Threads, Batch: o.Batch, Limits: o.Limits}}
	cand := &contender{
		Candidate: &Candidate{Name: "narrow.made"},
		task:      runner.Task{Job: experiment.Job{Model: "narrow"}, Tag: "made", Weights: file},
	}
	times := &timings{path: filepath.Join(t.TempDir(), "timings.jsonl"), runID: "test"}
	var err error
	if cand.SHA256, err = weights.HashFile(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	timing := func() *record.Record {
		r, err := c.timing(context.Background(), times, cand)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := timing()
	if first.Machine.ISA != kernels.ISA() || first.Threads != runtime.GOMAXPROCS(0) {
		t.Errorf("timed by %s on %d threads, want %s on %d", first.Machine.ISA, first.Threads, kernels.ISA(), runtime.GOMAXPROCS(0))
	}
	for _, test := range []struct {
		name   string
		change func(*record.Record)
		found  bool
	}{
		{"the same", func(*record.Record) {}, true},
		{"another instruction set", func(r *record.Record) { r.Machine.ISA = "other" }, false},
		{"other processors", func(r *record.Record) { r.Threads++ }, false},
	} {
		kept := *first
		test.change(&kept)
		times.kept = []record.Record{kept}
		if got := timing(); (got == &times.kept[0]) != test.found {
			t.Errorf("%s: found %v, want %v", test.name, got == &times.kept[0], test.found)
		}
	}

	// The worker takes the instruction set of this process, which need not be the machine's best.
	before := kernels.ISA()
	if err := kernels.Use("generic"); err != nil {
		t.Fatal(err)
	}
	defer kernels.Use(before)
	if times.kept = nil; timing().Machine.ISA != "generic" {
		t.Error("timed by another instruction set than generic")
	}
}

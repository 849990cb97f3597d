package choose

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/kernels"
)

// timedTask is a quick timing of the narrow network in the processes that choose asks for.
func timedTask(c runner.Cache) runner.Task {
	axes := record.Axes{ISA: "generic", Threads: 1, Batch: 1, NoTune: true, Scenario: string(load.SingleStream)}
	t := runner.Task{
		Job: experiment.Job{Model: "narrow", Axes: axes, Processes: experiment.DefaultProcesses},
		Tag: "made", Weights: filepath.Join(c.Weights(), "narrow.made.safetensors"),
	}
	t.Job.Latency = &experiment.Latency{MinDuration: 20 * time.Millisecond, MinSamples: stat.MinSamples(0.5)}
	return t
}

// timedNow is a task's timing of this moment.
func timedNow(t *testing.T, times *timings, task runner.Task) *record.Record {
	t.Helper()
	rows, failed, err := times.measure(t.Context(), worker("small").Rounds, []runner.Task{task}, func(int, int) {})
	if err := errors.Join(err, failed[0]); err != nil {
		t.Fatal(err)
	}
	return rows[0]
}

// TestFindTiming takes an earlier timing only where a new one would be made with the same settings, as long at most.
func TestFindTiming(t *testing.T) {
	task := timedTask(cache(t))
	times := &timings{path: filepath.Join(t.TempDir(), "timings.jsonl"), runID: "test"}
	r := timedNow(t, times, task)
	times.kept = []record.Record{*r}
	for _, test := range []struct {
		name   string
		change func(task *runner.Task, l *experiment.Latency, sum *string)
		want   bool
	}{
		{"the same", func(*runner.Task, *experiment.Latency, *string) {}, true},
		{"shorter", func(_ *runner.Task, l *experiment.Latency, _ *string) { l.MinDuration /= 2 }, true},
		{"longer", func(_ *runner.Task, l *experiment.Latency, _ *string) { l.MinDuration *= 2 }, false},
		{"fewer processes", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.Processes-- }, true},
		{"more processes", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.Processes++ }, false},
		{"another instruction set", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.ISA = "avx2" }, false},
		{"more threads", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.Threads = 2 }, false},
		{"a larger batch", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.Batch = 2 }, false},
		{"with trials", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.NoTune = false }, false},
		{"another network", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.Model = "wide" }, false},
		{"another tag", func(task *runner.Task, _ *experiment.Latency, _ *string) { task.Tag = "other" }, false},
		{"other weights", func(_ *runner.Task, _ *experiment.Latency, sum *string) { *sum = "" }, false},
		{"more samples", func(_ *runner.Task, l *experiment.Latency, _ *string) { l.MinSamples = 1e9 }, false},
	} {
		task, l, sum := task, *task.Job.Latency, r.WeightsSHA256
		task.Job.Latency = &l
		test.change(&task, &l, &sum)
		if got := times.find(task, sum); (got != nil) != test.want {
			t.Errorf("%s: found %v, want %v", test.name, got != nil, test.want)
		}
	}
}

// TestKeepTiming keeps timings that nothing disturbed.
func TestKeepTiming(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	times, err := openTimings(dir, "test", now)
	if err != nil {
		t.Fatal(err)
	}
	r := timedNow(t, times, timedTask(cache(t)))
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
	if again, err := openTimings(dir, "test", now.Add(time.Second)); err != nil || again.runID == times.runID {
		t.Errorf("error %v; two invocations call their runs %s and %s", err, times.runID, again.runID)
	}
	if other, err := openTimings(dir, "tes", now); err != nil || len(other.kept) > 0 {
		t.Errorf("error %v; another program has %d timings, want none", err, len(other.kept))
	}
	if times, err = openTimings(dir, "test", now); err != nil {
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
	c := &chooser{o: o, Result: &Result{Threads: o.Threads, Batch: o.Batch, Limits: o.Limits}}
	cand := &contender{Candidate: &Candidate{Name: "narrow.made"}, task: timedTask(o.Cache)}
	times := &timings{path: filepath.Join(t.TempDir(), "timings.jsonl"), runID: "test"}
	first := timedNow(t, times, c.timed(cand))
	if first.Machine.ISA != kernels.ISA() || first.Threads != runtime.GOMAXPROCS(0) || len(first.Processes) != experiment.DefaultProcesses {
		t.Errorf("timed by %s on %d threads in %d processes, want %s on %d in %d", first.Machine.ISA, first.Threads, len(first.Processes),
			kernels.ISA(), runtime.GOMAXPROCS(0), experiment.DefaultProcesses)
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
		if got := times.find(c.timed(cand), first.WeightsSHA256); (got != nil) != test.found {
			t.Errorf("%s: found %v, want %v", test.name, got != nil, test.found)
		}
	}

	// The worker takes the instruction set of this process, which need not be the machine's best.
	before := kernels.ISA()
	if err := kernels.Use("generic"); err != nil {
		t.Fatal(err)
	}
	defer kernels.Use(before)
	if timedNow(t, times, c.timed(cand)).Machine.ISA != "generic" {
		t.Error("timed by another instruction set than generic")
	}
}

// TestMeasureInRounds times two networks, a process of each in turn, beside one that fails.
func TestMeasureInRounds(t *testing.T) {
	c := cache(t)
	narrow, wide, gone := timedTask(c), timedTask(c), timedTask(c)
	wide.Model, wide.Weights = "wide", filepath.Join(c.Weights(), "wide.made.safetensors")
	gone.Weights = filepath.Join(c.Weights(), "gone.safetensors")
	times := &timings{path: filepath.Join(t.TempDir(), "timings.jsonl"), runID: "test"}
	last := 0
	rows, failed, err := times.measure(t.Context(), worker("small").Rounds, []runner.Task{narrow, gone, wide}, func(done, total int) {
		if done < last || total != 15 {
			t.Errorf("%d of %d processes after %d", done, total, last)
		}
		last = done
	})
	if err != nil || failed[0] != nil || failed[1] == nil || failed[2] != nil || rows[1] != nil {
		t.Fatalf("error %v; of the networks %v", err, failed)
	}
	for i := range rows[0].Processes {
		if a, b := rows[0].Processes[i].Round, rows[2].Processes[i].Round; a != i || b != i {
			t.Errorf("process %d: rounds %d and %d", i, a, b)
		}
	}
	// An attempt that was not valid has rounds of its own, and so another run.
	if !strings.HasPrefix(rows[0].RunID, "test.") || !strings.HasPrefix(rows[2].RunID, "test.") {
		t.Errorf("runs %s and %s", rows[0].RunID, rows[2].RunID)
	}
	if ratio, ok := record.LatencyRatio(rows[2], rows[0]); !ok || ratio.Times < 2 {
		t.Errorf("the wide network takes %v times as long, %t", ratio, ok)
	}
}

// TestMeasureAgain times what is not valid again, at most twice, in a run of its own, and keeps what is.
func TestMeasureAgain(t *testing.T) {
	good := timedTask(cache(t))
	good.Processes = 1
	task := func(name string) runner.Task {
		t := good
		t.Tag = name
		return t
	}
	tasks := []runner.Task{task("steady"), task("spoiled once"), task("spoiled")}
	tried := map[string]int{}
	in := func(_ context.Context, now []runner.Task, step func(int), done func(int, *record.Record, error) error) error {
		for i, task := range now {
			step(i)
			tried[task.Tag]++
			r := &record.Record{Footprint: &record.Footprint{}, Cost: &record.Cost{}, Model: task.Model, Checkpoint: task.Tag}
			r.Schema, r.Kind, r.Time, r.Machine = record.Schema, record.KindLatency, time.Now(), record.ThisMachine()
			if r.Verdict.Valid = task.Tag == "steady" || task.Tag == "spoiled once" && tried[task.Tag] > 1; !r.Verdict.Valid {
				r.Verdict.Reasons = []string{"drift"}
			}
			r.ImgSize, r.Batch, r.Threads, r.Timing = 16, 1, 1, record.NewTiming(make([]int64, 20), time.Second)
			if err := done(i, r, nil); err != nil {
				return err
			}
		}
		return nil
	}
	times := &timings{path: filepath.Join(t.TempDir(), "timings.jsonl"), runID: "test"}
	rows, failed, err := times.measure(t.Context(), in, tasks, func(int, int) {})
	if err := errors.Join(append(failed, err)...); err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		run   string
		tried int
		valid bool
	}{{"test.1", 1, true}, {"test.2", 2, true}, {"test.3", attempts, false}} {
		if r := rows[i]; r.RunID != want.run || tried[tasks[i].Tag] != want.tried || r.Verdict.Valid != want.valid {
			t.Errorf("%s: run %s, tried %d times, %+v; want %+v", tasks[i].Tag, r.RunID, tried[tasks[i].Tag], r.Verdict, want)
		}
	}
	kept, _, err := record.ReadFile(times.path)
	if err != nil || len(kept) != 2 {
		t.Errorf("%d timings are kept, want the two that are valid; error %v", len(kept), err)
	}
}

package runner

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
)

// timedTask is a quick one in so many processes.
func timedTask(model string, processes int) Task {
	axes := record.Axes{Threads: 1, Batch: 1, NoTune: true, Scenario: string(load.SingleStream)}
	job := experiment.Job{Model: model, Axes: axes, Processes: processes}
	job.Latency = &experiment.Latency{MinDuration: 30 * time.Millisecond}
	return Task{Job: job}
}

// TestRounds measures two networks, a process of each in turn, beside one that fails.
func TestRounds(t *testing.T) {
	tasks := []Task{timedTask("tiny", 3), timedTask("misfits", 3), timedTask("small", 2)}
	got := map[string]*record.Record{}
	var order []string
	steps := make([]int, len(tasks))
	err := testWorker().Rounds(t.Context(), tasks, func(i int) { steps[i]++ }, func(i int, r *record.Record, err error) error {
		name := tasks[i].Model
		order = append(order, name)
		if (err != nil) != (name == "misfits") {
			t.Errorf("%s: error %v", name, err)
		}
		got[name] = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{3, 1, 2}; !slices.Equal(steps, want) {
		t.Errorf("%v processes ended, want %v", steps, want)
	}
	if want := []string{"misfits", "small", "tiny"}; !slices.Equal(order, want) {
		t.Errorf("whole in the order %q, want %q", order, want)
	}
	for name, processes := range map[string]int{"tiny": 3, "small": 2} {
		r := got[name]
		r.RunID, r.Schema = "r", record.Schema
		if err := r.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		// Medians of calls this short can be the same nanosecond in all processes.
		differ := slices.ContainsFunc(r.Processes, func(p record.Process) bool { return p.P50 != r.Processes[0].P50 })
		if len(r.Processes) != processes || r.P50Lo <= 0 || r.P50Hi < r.P50 || differ && r.BetweenPercent <= 0 || len(r.Layers) == 0 {
			t.Errorf("%s: %d processes, %d [%d, %d], %v %% between, %v %% within, %d layers", name, len(r.Processes), r.P50, r.P50Lo, r.P50Hi,
				r.BetweenPercent, r.WithinPercent, len(r.Layers))
		}
		for i, p := range r.Processes {
			if p.Round != i || p.N < 11 || p.P50 <= 0 || p.Load <= 0 {
				t.Errorf("%s: process %d: %+v", name, i, p)
			}
		}
		if r.Effective.MinDuration != 30*time.Millisecond || r.Effective.MinSamples != 11 || r.Asked.Processes != processes ||
			r.Effective.Processes != processes {
			t.Errorf("%s: asked %+v, effective %+v", name, *r.Asked, *r.Effective)
		}
	}
	if _, ok := record.LatencyRatio(got["tiny"], got["small"]); !ok {
		t.Error("two rows of one run have no ratio")
	}
}

const inRounds = `
experiments:
  - name: rounds
    question: Does a resumed row keep its processes?
    models: [tiny, small]
    processes: 3
    latency: {min_duration: 30ms}
`

// TestResumeKeepsProcesses interrupts a run in its second round: what was measured stays, and the rest follows.
func TestResumeKeepsProcesses(t *testing.T) {
	o := options(t, inRounds)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	begun := 0
	o.Events.Start = func(int, int, Task) {
		if begun++; begun == 4 { // the second network's second process
			stop()
		}
	}
	first, err := Run(ctx, o)
	if err != nil || !first.Interrupted || first.Measured != 0 {
		t.Fatalf("interrupted %t, %d measured, error %v", first.Interrupted, first.Measured, err)
	}
	before := map[string]record.Record{}
	for _, r := range rows(first.Records) {
		before[r.Model] = r
	}
	if len(before["tiny"].Processes) != 2 || len(before["small"].Processes) != 1 {
		t.Fatalf("%d and %d processes before, want 2 and 1", len(before["tiny"].Processes), len(before["small"].Processes))
	}
	if w := before["tiny"].Verdict.Warnings; !slices.Contains(w, "2 of 3 processes are measured") {
		t.Errorf("warnings %q, want one of the processes that are missing", w)
	}

	o.Resume, o.Events.Start = true, nil
	plan, err := Plan(o)
	if err != nil || plan.Kept != 0 || plan.Tasks[0].Steps != 1 || plan.Tasks[1].Steps != 2 {
		t.Errorf("plan %+v, error %v; want one process and two", plan, err)
	}
	second, err := Run(t.Context(), o)
	if err != nil || second.Measured != 2 {
		t.Fatalf("resumed: %d measured, error %v", second.Measured, err)
	}
	for _, r := range rows(second.Records) {
		was := before[r.Model]
		if len(r.Processes) != 3 || r.N <= was.N || !slices.Equal(r.Samples[:was.N], was.Samples) || r.RunID != "test-run" {
			t.Errorf("%s: %d processes, %d samples, were %d", r.Model, len(r.Processes), r.N, was.N)
		}
		if slices.ContainsFunc(r.Verdict.Warnings, func(w string) bool { return strings.Contains(w, "of 3 processes are measured") }) {
			t.Errorf("%s is whole: %q", r.Model, r.Verdict.Warnings)
		}
		// The rounds of the two sittings differ.
		if last := r.Processes[2].Round; last != 3 && last != 2 || r.Processes[0].Round != 0 {
			t.Errorf("%s: rounds %+v", r.Model, r.Processes)
		}
	}
	third, err := Run(t.Context(), o)
	if err != nil || third.Measured != 0 || third.Kept != 2 {
		t.Errorf("resumed once more: %d measured, %d kept, error %v", third.Measured, third.Kept, err)
	}
}

// TestLaterProcessFails keeps what a row has when a later process fails, and lets a resumed run try again.
func TestLaterProcessFails(t *testing.T) {
	o := options(t, strings.Replace(inRounds, "models: [tiny, small]", "models: [tiny]", 1))
	good := o.Worker
	first := true
	o.Events.Start = func(_, _ int, task Task) { first = task.Process == 0 }
	s := Summary{}
	r := run{Options: o, s: &s}
	jobs, err := o.File.Jobs()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.plan(jobs); err != nil {
		t.Fatal(err)
	}
	o.Dir = t.TempDir()
	r.Dir = o.Dir
	if r.log, err = record.OpenLog(filepath.Join(o.Dir, record.FileName)); err != nil {
		t.Fatal(err)
	}
	defer r.log.Close()
	p := &r.tasks[0]
	if err := r.process(t.Context(), 0, p, 0); err != nil || !first || p.done {
		t.Fatalf("first process: error %v, done %t", err, p.done)
	}
	r.Worker = Worker{Path: good.Path, Env: []string{roleVariable + "=worker", "ZOOBENCH_ISA=none"}, Args: []string{"-test.nonesuch"}}
	p.Task.Weights = filepath.Join(t.TempDir(), "gone.safetensors")
	if err := r.process(t.Context(), 0, p, 1); err != nil {
		t.Fatal(err)
	}
	row := p.row
	if !p.done || row.Verdict.Valid || len(row.Processes) != 1 || !strings.HasPrefix(row.Verdict.Reasons[0], "process 2 of 3: ") {
		t.Errorf("second process: done %t, %d processes, %+v", p.done, len(row.Processes), row.Verdict)
	}
	again, err := r.Worker.Next(t.Context(), timedTask("tiny", 3), 2, row)
	if err != nil || len(again.Processes) != 2 {
		t.Fatalf("tried again: %+v, error %v", again, err)
	}
	// A busy machine may be a reason of its own; the failure is none any more.
	if strings.Contains(strings.Join(again.Verdict.Reasons, "; "), "process 2 of 3: ") {
		t.Errorf("tried again: %+v", again.Verdict)
	}
}

// TestServerRowIsJudgedWhole holds a bound to the queries of all processes: those of one would be too few.
func TestServerRowIsJudgedWhole(t *testing.T) {
	task := timedTask("tiny", 2)
	task.Scenario = string(load.Server)
	task.Job.Latency = &experiment.Latency{Rate: 50, LatencyBound: time.Second}
	for _, test := range []struct {
		queries, late int
		reason        string
	}{
		{600, 0, ""}, {300, 0, "too few queries"}, {600, 30, "too many"},
	} {
		timing := recordtest.Timing(make([]int64, test.queries), time.Second, 2)
		r := &record.Record{Scenario: task.Scenario, Timing: timing, Verdict: record.Verdict{Valid: true}}
		r.Late = test.late
		judgeRow(r, &task)
		if why := strings.Join(r.Verdict.Reasons, "; "); r.Verdict.Valid != (test.reason == "") || !strings.Contains(why, test.reason) {
			t.Errorf("%d of %d late: valid %t, %q, want %q", test.late, test.queries, r.Verdict.Valid, why, test.reason)
		}
	}
}

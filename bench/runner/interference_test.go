package runner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/host"
	"zoobench/bench/record"
)

// TestCrowdedWorkers holds a row of more workers than processors to a verdict that says so, where the system does.
func TestCrowdedWorkers(t *testing.T) {
	facts := host.ReadFacts(host.Root)
	r, err := Latency(t.Context(), misbehaving(), Task{Job: experiment.Job{
		Model: "tiny", Axes: record.Axes{Threads: facts.Processors + 1, NoTune: true},
		Latency: &experiment.Latency{MinDuration: time.Millisecond},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !facts.Known {
		if why := r.NotMeasured["interference"]; r.Interference != nil || why == "" {
			t.Errorf("%+v, %q: want none and why", r.Interference, why)
		}
		return
	}
	if r.Verdict.Valid || !strings.Contains(r.Verdict.Reasons[0], " workers on ") || r.Interference.Processors != facts.Processors {
		t.Errorf("%+v, %+v: want the workers named first", r.Verdict, r.Interference)
	}
	r.Schema, r.RunID = record.Schema, "run"
	if line, err := record.Marshal(r); err != nil || !strings.Contains(string(line), `"interference":{"wall_ns":`) {
		t.Errorf("%s, error %v", line, err)
	}
}

// TestDisturbed puts a cause before its symptoms and leaves a valid row valid for a warning.
func TestDisturbed(t *testing.T) {
	r := &record.Record{Threads: 1, Verdict: record.Verdict{Reasons: []string{"noise"}}}
	interfered(r, &record.Interference{Wall: time.Second, CPU: time.Second, Stops: 5, Periods: 10, Quota: 1})
	disturbed(r, true)
	if r.Verdict.Valid || len(r.Verdict.Reasons) != 2 || r.Verdict.Reasons[1] != "noise" {
		t.Errorf("%+v", r.Verdict)
	}
	r = &record.Record{Threads: 1, Verdict: record.Verdict{Valid: true}}
	interfered(r, &record.Interference{Wall: time.Second, CPU: time.Second, Waited: time.Second / 20})
	disturbed(r, true)
	if !r.Verdict.Valid || len(r.Verdict.Warnings) != 1 {
		t.Errorf("%+v", r.Verdict)
	}
	r = &record.Record{Threads: 1, Verdict: record.Verdict{Valid: true}}
	interfered(r, nil)
	disturbed(r, true)
	if !r.Verdict.Valid || !slices.Equal(values(r.NotMeasured), []string{"this system does not say what interferes"}) {
		t.Errorf("%+v, %v", r.Verdict, r.NotMeasured)
	}
}

// TestProcessesDisturbed judges what interfered with all of a row's processes together: one that was stopped now and then
// among four that were not is a warning.
func TestProcessesDisturbed(t *testing.T) {
	task := Task{Job: experiment.Job{Processes: 2, Latency: &experiment.Latency{}}}
	share := func(periods, stops int64) *record.Record {
		return &record.Record{
			Threads: 1, Timing: record.NewTiming([]int64{1e6, 1e6}, time.Second), Verdict: record.Verdict{Valid: true},
			Interference: &record.Interference{Wall: time.Second, CPU: time.Second, Quota: 1, Periods: periods, Stops: stops},
		}
	}
	row := record.Join(record.Join(nil, share(50, 4)), share(50, 0))
	judgeRow(row, &task)
	if !row.Verdict.Valid || !strings.Contains(row.Verdict.Warnings[0], "in 4 of 100 periods") {
		t.Errorf("%+v", row.Verdict)
	}
	row = record.Join(record.Join(nil, share(50, 4)), share(50, 40))
	judgeRow(row, &task)
	if row.Verdict.Valid || !strings.Contains(row.Verdict.Reasons[0], "in 44 of 100 periods") {
		t.Errorf("%+v", row.Verdict)
	}
}

package runner

import (
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/zoo"
)

// TestLayerTimes holds the layers' times to adding up to about the whole call's.
func TestLayerTimes(t *testing.T) {
	r, err := Latency(t.Context(), zoo.Default(), Task{Job: experiment.Job{
		Model: "squeezenet1_1", Axes: record.Axes{Threads: 1, Batch: 1, Scenario: string(load.SingleStream), NoTune: true},
		Latency: &experiment.Latency{MinDuration: 50 * time.Millisecond},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var sum, timed int64
	for _, l := range r.Layers {
		sum += l.P50
		if l.P50 > 0 {
			timed++
		}
		if l.MACs > 0 && l.P50 <= 0 {
			t.Errorf("%s: no time", l.Name)
		}
	}
	t.Logf("%d of %d layers timed, %v in all, the call %v", timed, len(r.Layers), time.Duration(sum), time.Duration(r.P50))
	// A busy machine may hold either up; a unit gone wrong would be off by far more.
	if float64(sum) < 0.2*float64(r.Min) || float64(sum) > 5*float64(r.Max) {
		t.Errorf("the layers take %v, the call from %v to %v", time.Duration(sum), time.Duration(r.Min), time.Duration(r.Max))
	}
}

package runner

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

func TestJudge(t *testing.T) {
	eval := func(top1 int, change func(*record.Record)) *record.Record {
		r := &record.Record{Kind: record.KindEval, Model: "net", WeightsSHA256: "w", DatasetSHA256: "d",
			Accuracy: record.NewAccuracy(5000, top1, 4500, nil)}
		if change != nil {
			change(r)
		}
		return r
	}
	latency := func(p50 int64, change func(*record.Record)) *record.Record {
		samples := make([]int64, 55)
		for i := range samples {
			samples[i] = p50 + int64(i%11-5)*1000 + int64(i/11-2)*500
		}
		timing := recordtest.Timing(samples, time.Second, 5)
		r := &record.Record{Kind: record.KindLatency, Model: "net", Timing: timing, Verdict: record.Verdict{Valid: true}}
		if change != nil {
			change(r)
		}
		return r
	}
	seen := func(score float32) *record.Recheck {
		return &record.Recheck{Predictions: []record.Prediction{{File: "a", Top5: []int{0}, Scores: []float32{score}}}}
	}
	for _, test := range []struct {
		name        string
		before, now *record.Record
		verdict     string
		why         string
	}{
		{"the same", eval(4000, nil), eval(4000, nil), Holds, ""},
		{"an image less", eval(4000, nil), eval(3999, nil), HoldsNot, "1 images differ"},
		{"another build, five images less", eval(4000, nil), eval(3995, func(r *record.Record) { r.Machine.KernelBuild = "v2" }), Holds,
			"5 images may differ"},
		{"another build, six images less", eval(4000, nil), eval(3994, func(r *record.Record) { r.Machine.KernelBuild = "v2" }), HoldsNot,
			"6 images differ"},
		{"other weights", eval(4000, nil), eval(4000, func(r *record.Record) { r.WeightsSHA256 = "x" }), Undecided, "other weights: x, were w"},
		{"other images", eval(4000, nil), eval(4000, func(r *record.Record) { r.DatasetSHA256 = "x" }), Undecided,
			"other images or labels"},
		{"as fast", latency(1e7, nil), latency(1.05e7, nil), Holds, "+5.0 % ["},
		{"slower", latency(1e7, nil), latency(1.2e7, nil), HoldsNot, "+20.0 % ["},
		{"one process", latency(1e7, nil), latency(1.2e7, func(r *record.Record) {
			r.Timing = record.NewTiming(r.Samples, time.Second)
		}), Undecided, "one process"},
		{"another machine", latency(1e7, nil), latency(1e7, func(r *record.Record) { r.Machine.CPU = "Z80" }), Undecided, "another machine: Z80"},
		{"other predictions", latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }),
			latency(1e7, func(r *record.Record) { r.Recheck = seen(2) }), HoldsNot,
			"predictions: checked 0 of 1 same; a: class 0 (2) when timed, class 0 (1) when evaluated"},
		{"the same predictions", latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }),
			latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }), Holds, "predictions: checked 1 of 1 same; +0.0 % ["},
		{"predictions not repeated", latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }), latency(1e7, nil), Holds,
			"predictions not repeated: not asked for"},
		{"another plan", eval(4000, func(r *record.Record) { r.Plan = &record.Plan{Hash: "a"} }),
			eval(3998, func(r *record.Record) { r.Plan = &record.Plan{Hash: "b"} }), Holds,
			"another plan: b, was a; another build or setting"},
		{"not valid", latency(1e7, nil), latency(1e7, func(r *record.Record) { r.Verdict = record.Verdict{Reasons: []string{"noise"}} }),
			Undecided, "noise"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Judge(test.before, test.now)
			if got.Verdict != test.verdict || !strings.Contains(strings.Join(got.Why, "; "), test.why) {
				t.Errorf("got %q, %q; want %q, %q", got.Verdict, got.Why, test.verdict, test.why)
			}
		})
	}
}

// TestVerifyRepeatsThePlan holds that a row is repeated by its own plan, and one without any by the table.
func TestVerifyRepeatsThePlan(t *testing.T) {
	list := zoo.Default()
	r := &record.Record{Kind: record.KindLatency, Model: "squeezenet1_1", Scenario: "single_stream"}
	task, err := Again(list, r, Places{})
	if err != nil || !task.NoTune || task.Choices != nil {
		t.Errorf("a row without a plan: no-tune %v, choices %v, error %v", task.NoTune, task.Choices, err)
	}
	r.Plan = &record.Plan{Source: engine.FromTrials, Choices: []record.Choice{{Layer: "features.3.expand3x3", Algorithm: "gemm"}}}
	task, err = Again(list, r, Places{})
	if want := []engine.Choice{{Layer: "features.3.expand3x3", Algorithm: "gemm"}}; err != nil || task.NoTune ||
		!slices.Equal(task.Choices, want) {
		t.Errorf("no-tune %v, choices %v, want %v; error %v", task.NoTune, task.Choices, want, err)
	}
}

// TestVerifyRepeatsTheScenario holds that a row is repeated with all that its scenario ran with, and refused where an
// older program left that out.
func TestVerifyRepeatsTheScenario(t *testing.T) {
	list := zoo.Default()
	for _, test := range []struct {
		name             string
		asked, effective record.Settings
		want             experiment.Latency
		refused          string
	}{
		{name: "offline", asked: record.Settings{Axes: record.Axes{Scenario: "offline"}, MinDuration: 1e9, MaxDuration: 2e9, MinSamples: 12},
			effective: record.Settings{Axes: record.Axes{Scenario: "offline"}, MaxDuration: 2e9},
			want:      experiment.Latency{MinDuration: time.Second, MaxDuration: 2 * time.Second, MinSamples: 12}},
		{name: "multi-stream by default", asked: record.Settings{Axes: record.Axes{Scenario: "multi_stream"}},
			effective: record.Settings{Axes: record.Axes{Scenario: "multi_stream"}, Streams: 8, MaxDuration: 60e9},
			want:      experiment.Latency{Streams: 8}},
		{name: "server", asked: record.Settings{Axes: record.Axes{Scenario: "server"}, Rate: 5, LatencyBound: 1e9, Seed: 3},
			effective: record.Settings{Axes: record.Axes{Scenario: "server"}, Rate: 5, LatencyBound: 1e9, Seed: 3},
			want:      experiment.Latency{Rate: 5, LatencyBound: time.Second, Seed: 3}},
		{name: "an older multi-stream", asked: record.Settings{Axes: record.Axes{Scenario: "multi_stream"}},
			effective: record.Settings{Axes: record.Axes{Scenario: "multi_stream"}},
			refused:   "verify: squeezenet1_1: scenario multi_stream: this row was written by an older version, which did not record streams"},
		{name: "an older server", asked: record.Settings{Axes: record.Axes{Scenario: "server"}},
			effective: record.Settings{Axes: record.Axes{Scenario: "server"}},
			refused:   "did not record rate_images_per_s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &record.Record{Kind: record.KindLatency, Model: "squeezenet1_1", Scenario: test.asked.Scenario, Asked: &test.asked,
				Effective: &test.effective}
			task, err := Again(list, r, Places{})
			switch {
			case test.refused != "":
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("got error %v, want %q", err, test.refused)
				}
			case err != nil:
				t.Error(err)
			case *task.Job.Latency != test.want || string(task.Scenario) != test.asked.Scenario:
				t.Errorf("%s: %+v, want %+v", task.Scenario, *task.Job.Latency, test.want)
			}
		})
	}
}

package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo/engine"
)

func TestJudge(t *testing.T) {
	eval := func(top1 int, change func(*record.Record)) *record.Record {
		r := &record.Record{Kind: record.KindEval, Model: "net", WeightsSHA256: "w", DatasetSHA256: "d", Accuracy: record.NewAccuracy(5000, top1, 4500, nil)}
		if change != nil {
			change(r)
		}
		return r
	}
	latency := func(p50 int64, change func(*record.Record)) *record.Record {
		r := &record.Record{Kind: record.KindLatency, Model: "net", Timing: &record.Timing{P50: p50, P50Lo: p50 - 1000, P50Hi: p50 + 1000}, Verdict: record.Verdict{Valid: true}}
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
		{"the same", eval(4000, nil), eval(4000, nil), holds, ""},
		{"an image less", eval(4000, nil), eval(3999, nil), holdsNot, "1 images differ"},
		{"another build, five images less", eval(4000, nil), eval(3995, func(r *record.Record) { r.Machine.KernelBuild = "v2" }), holds, "5 images may differ"},
		{"another build, six images less", eval(4000, nil), eval(3994, func(r *record.Record) { r.Machine.KernelBuild = "v2" }), holdsNot, "6 images differ"},
		{"other weights", eval(4000, nil), eval(4000, func(r *record.Record) { r.WeightsSHA256 = "x" }), undecided, "other weights: x, were w"},
		{"other images", eval(4000, nil), eval(4000, func(r *record.Record) { r.DatasetSHA256 = "x" }), undecided, "other images"},
		{"as fast", latency(1e7, nil), latency(1.05e7, nil), holds, "median +5.0 %"},
		{"slower", latency(1e7, nil), latency(1.2e7, nil), holdsNot, "median +20.0 %"},
		{"another machine", latency(1e7, nil), latency(1e7, func(r *record.Record) { r.Machine.CPU = "Z80" }), undecided, "another machine: Z80"},
		{"other predictions", latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }), latency(1e7, func(r *record.Record) { r.Recheck = seen(2) }), holdsNot, "predictions: checked 0 of 1 same; a: class 0 (2) when timed, class 0 (1) when evaluated"},
		{"the same predictions", latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }), latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }), holds, "predictions: checked 1 of 1 same; median +0.0 %"},
		{"predictions not repeated", latency(1e7, func(r *record.Record) { r.Recheck = seen(1) }), latency(1e7, nil), holds, "predictions not repeated: not asked for"},
		{"another plan", eval(4000, func(r *record.Record) { r.Plan = &record.Plan{Hash: "a"} }), eval(3998, func(r *record.Record) { r.Plan = &record.Plan{Hash: "b"} }), holds, "another plan: b, was a; another build or setting"},
		{"not valid", latency(1e7, nil), latency(1e7, func(r *record.Record) { r.Verdict = record.Verdict{Reasons: []string{"noise"}} }), undecided, "noise"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := judge(test.before, test.now)
			if got.Verdict != test.verdict || !strings.Contains(joinSemicolon(got.Why), test.why) {
				t.Errorf("got %q, %q; want %q, %q", got.Verdict, got.Why, test.verdict, test.why)
			}
		})
	}
}

// TestVerifyRepeatsThePlan holds that a row is repeated by its own plan, and one without any by the table.
func TestVerifyRepeatsThePlan(t *testing.T) {
	a := &app{list: few()}
	r := &record.Record{Kind: record.KindLatency, Model: "squeezenet1_1", Scenario: "single_stream"}
	task, err := a.again(r, "", "", "")
	if err != nil || !task.NoTune || task.Choices != nil {
		t.Errorf("a row without a plan: no-tune %v, choices %v, error %v", task.NoTune, task.Choices, err)
	}
	r.Plan = &record.Plan{Source: engine.FromTrials, Choices: []record.Choice{{Layer: "features.3.expand3x3", Algorithm: "gemm"}}}
	task, err = a.again(r, "", "", "")
	if want := []engine.Choice{{Layer: "features.3.expand3x3", Algorithm: "gemm"}}; err != nil || task.NoTune || !slices.Equal(task.Choices, want) {
		t.Errorf("no-tune %v, choices %v, want %v; error %v", task.NoTune, task.Choices, want, err)
	}
}

// TestVerifyRepeatsTheScenario holds that a row is repeated with all that its scenario ran with, and refused where an
// older program left that out.
func TestVerifyRepeatsTheScenario(t *testing.T) {
	a := &app{list: few()}
	for _, test := range []struct {
		name             string
		asked, effective record.Settings
		want             experiment.Latency
		refused          string
	}{
		{name: "offline", asked: record.Settings{Scenario: "offline", MinDuration: 1e9, MaxDuration: 2e9, MinSamples: 12},
			effective: record.Settings{Scenario: "offline", MaxDuration: 2e9},
			want:      experiment.Latency{MinDuration: time.Second, MaxDuration: 2 * time.Second, MinSamples: 12}},
		{name: "multi-stream by default", asked: record.Settings{Scenario: "multi_stream"},
			effective: record.Settings{Scenario: "multi_stream", Streams: 8, MaxDuration: 60e9},
			want:      experiment.Latency{Streams: 8}},
		{name: "server", asked: record.Settings{Scenario: "server", Rate: 5, LatencyBound: 1e9, Seed: 3},
			effective: record.Settings{Scenario: "server", Rate: 5, LatencyBound: 1e9, Seed: 3},
			want:      experiment.Latency{Rate: 5, LatencyBound: time.Second, Seed: 3}},
		{name: "an older multi-stream", asked: record.Settings{Scenario: "multi_stream"}, effective: record.Settings{Scenario: "multi_stream"},
			refused: "verify: squeezenet1_1: scenario multi_stream: the row is of an older program and does not tell its streams"},
		{name: "an older server", asked: record.Settings{Scenario: "server"}, effective: record.Settings{Scenario: "server"},
			refused: "does not tell its rate_images_per_s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &record.Record{Kind: record.KindLatency, Model: "squeezenet1_1", Scenario: test.asked.Scenario, Asked: &test.asked, Effective: &test.effective}
			task, err := a.again(r, "", "", "")
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

// TestVerifyCrash repeats a row with a worker that ends at once: it cannot be told whether the row holds.
func TestVerifyCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	l, err := record.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	r := record.Record{
		Kind: record.KindLatency, RunID: "r", Time: time.Unix(1, 0).UTC(), Model: "squeezenet1_1", ImgSize: 64, Batch: 1, Threads: 1,
		Timing: record.NewTiming([]int64{1, 2, 3}, time.Second), Footprint: &record.Footprint{}, Verdict: record.Verdict{Valid: true},
	}
	r.Machine.CPU = "test"
	if err := errors.Join(l.Append(&r), l.Close()); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	a := &app{list: few(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	a.worker = runner.Worker{Path: os.Args[0], Args: []string{"no-such-command"}, Env: []string{programVariable + "=1"}}
	if code := main(t.Context(), a, []string{"verify", path}); code != exitUndecided || !strings.Contains(stderr.String(), "verify: squeezenet1_1: ") || !strings.Contains(stderr.String(), "no-such-command") {
		t.Errorf("exit code %d, %q; want %d and what the worker left", code, stderr.String(), exitUndecided)
	}
}

// TestVerifyFiles names rows that are there and rows that are not.
func TestVerifyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	l, err := record.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	r := record.Record{
		Kind: record.KindEval, RunID: "r", Time: time.Unix(1, 0).UTC(), Model: "alexnet", Checkpoint: "tag", WeightsFile: "none.pth",
		Accuracy: record.NewAccuracy(10, 5, 7, nil), Verdict: record.Verdict{Valid: true},
	}
	r.Machine.CPU = "test"
	for _, kind := range []record.Kind{record.KindEval, record.KindEval} {
		r.Kind = kind
		if err := l.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	if err := os.WriteFile(empty, []byte("x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ arg, want string }{
		{path, "2 measurements; name the line of one as " + path + ":LINE: 1 eval of alexnet.tag, 2 eval of alexnet.tag"},
		{path + ":3", "no measured latency or accuracy on this line"},
		{path + ":1", "alexnet.tag: no such file and not in the cache"},
		{empty, "no measured latency or accuracy"},
		{empty + ":1", "invalid character"},
		{path + "x", "no such file"},
	} {
		if code, _, stderr := invoke(t, "verify", test.arg); code != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: exit code %d, %q; want 1 and %q", test.arg, code, stderr, test.want)
		}
	}
}

// TestVerifyLatency repeats a row that was just measured.
func TestVerifyLatency(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, stderr := invoke(t, "run", "testdata/experiments.yaml", "--out", dir); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, stdout, stderr := invoke(t, "verify", filepath.Join(dir, "results.jsonl")+":2")
	// A shared machine may be slower now, or too noisy to tell.
	if code != 0 && code != 3 && code != 4 || !strings.Contains(stdout, "latency") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

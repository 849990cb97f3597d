package choose

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// TestCandidateCost counts what a checkpoint's own graph costs: that of its file's classes, at its recipe's size.
func TestCandidateCost(t *testing.T) {
	o := Options{List: zoo.Default(), Cache: runner.Cache{Dir: t.TempDir()}, Networks: []string{"resnet18", "resnet50"}}
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(o.Cache.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	o.Limits.Params = 24_000_000
	c := &chooser{o: o, Result: &Result{Limits: o.Limits}}
	tests := []struct {
		name            string
		classes, inputs int
		params, macs    int64
		exceeds         bool
	}{
		{"resnet18.a3_in1k", 1000, 512, 11_689_512, 925_798_400, false}, // at 160 pixels: 25/49 of the convolutions at 224
		{"resnet50.of10", 10, 2048, 23_528_522, 4_087_156_736, false},
		{"resnet50.of1000", 1000, 2048, 25_557_032, 4_089_184_256, true},
	}
	for _, test := range tests {
		// Only what the number of classes is read from: nothing else is looked at.
		w := weights.Named{Name: "fc.weight", Shape: []int{test.classes, test.inputs}, Data: make([]float32, test.classes*test.inputs)}
		if err := weights.WriteFile(filepath.Join(o.Cache.Weights(), test.name+".safetensors"), []weights.Named{w}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.candidates(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(c.Candidates) != len(tests) {
		t.Fatalf("%d candidates, want %d", len(c.Candidates), len(tests))
	}
	for i, test := range tests {
		cand := c.Candidates[i]
		exceeds := len(cand.Exceeds) > 0
		if cand.Name != test.name || cand.Err != "" || cand.Params != test.params || cand.MACs != test.macs || exceeds != test.exceeds {
			t.Errorf("%+v, want %+v", *cand, test)
		}
	}
}

// TestCandidatesEnd ends between two checkpoints, each of which is read whole for its hash.
func TestCandidatesEnd(t *testing.T) {
	o := options(t, "")
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	c := &chooser{o: o, Result: &Result{Limits: o.Limits}}
	ctx, cancel := context.WithCancel(t.Context())
	c.o.Step = func(string, int, int) { cancel() }
	if err := c.candidates(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if first, second := c.Candidates[0], c.Candidates[1]; first.SHA256 == "" || second.SHA256 != "" {
		t.Errorf("hashes %q and %q, want that of the first alone", first.SHA256, second.SHA256)
	}
}

// TestDisturbedTiming has timings of 13 ms whose interval goes from 11 to 14: one with warnings decides a limit of 12 ms
// neither way and is marked wherever it is shown, one without decides it, and one of 9 ms decides a limit of 8 either way.
func TestDisturbedTiming(t *testing.T) {
	timed := func(ms int64, warnings ...string) *record.Record {
		return &record.Record{
			Timing:    &record.Timing{P50: ms * 1e6, P50Lo: (ms - 2) * 1e6, P50Hi: (ms + 1) * 1e6, Mean: float64(ms) * 1e6, N: 50},
			Footprint: &record.Footprint{PeakRSSBytes: 1}, Verdict: record.Verdict{Valid: true, Warnings: warnings},
		}
	}
	const warning = "warm-up did not settle in 67 runs"
	for _, test := range []struct {
		name               string
		r                  *record.Record
		limit              time.Duration
		exceeds, undecided bool
	}{
		{"warnings", timed(13, warning), 12 * time.Millisecond, false, true},
		{"warnings, below the limit", timed(13, warning), 13500 * time.Microsecond, false, true},
		{"warnings, all above the limit", timed(13, warning), 10 * time.Millisecond, true, false},
		{"warnings, all below the limit", timed(13, warning), 20 * time.Millisecond, false, false},
		{"no limit", timed(13, warning), 0, false, false},
		{"no warning", timed(13), 12 * time.Millisecond, true, false},
	} {
		c := decided(3)
		c.Limits.Latency = test.limit
		cand := &contender{Candidate: c.Candidates[0]}
		c.note(cand, test.r)
		c.warnOfTimings()
		for i, r := range c.Rows {
			if i == 0 {
				c.Rows[0] = c.newRow(cand, headProbe, said{r.probabilities.Data, r.outcome.Predicted})
			}
			c.Rows[i].Fits = c.Rows[i].Fits && i == 0
		}
		if err := c.decide(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(cand.Exceeds) > 0 != test.exceeds || len(cand.Undecided) > 0 != test.undecided {
			t.Errorf("%s: exceeds %q, undecided %q", test.name, cand.Exceeds, cand.Undecided)
		}
		if fits := !test.exceeds && !test.undecided; (c.Pick != nil) != fits || strings.Contains(c.Reason, "certain to fit") != test.undecided {
			t.Errorf("%s: pick %v: %s", test.name, c.Pick, c.Reason)
		}
		var md, html bytes.Buffer
		if err := errors.Join(c.page("out").markdown(&md), c.page("out").html(&html)); err != nil {
			t.Fatal(err)
		}
		warned := len(test.r.Verdict.Warnings) > 0
		for form, text := range map[string]string{"Markdown": md.String(), "HTML": html.String()} {
			if strings.Contains(text, "13.0 ms (?)") != warned || strings.Contains(text, warning) != warned {
				t.Errorf("%s: %s: the mark or the warning is missing, or there without one:\n%s", test.name, form, text)
			}
		}
	}
}

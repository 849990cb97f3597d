package choose

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

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

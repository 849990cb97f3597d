package runner

import (
	"path/filepath"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/quantize"
	"zoobench/zoo/weights"
)

// TestInt8File quantises a checkpoint, and runs the file: as int8 whatever the task says, but not as another network or precision.
func TestInt8File(t *testing.T) {
	const network = "pocket_resnet20"
	spec, err := zoo.Find(network)
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{Seed: 1, Gain: 1}.Source(g.Params)
	var tensors []weights.Named
	for _, p := range g.Params {
		x, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, weights.Named{Name: p.Name, Shape: p.Shape, Data: x})
	}
	file := filepath.Join(t.TempDir(), "w.safetensors")
	if err := weights.WriteFile(file, tensors, nil); err != nil {
		t.Fatal(err)
	}
	task := func(model, file, precision string) Task {
		return Task{Job: experiment.Job{Model: model, Axes: record.Axes{NoTune: true, Threads: 1, Precision: precision}}, Weights: file}
	}
	r, err := Describe(zoo.Default(), task(network, file, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	images := weights.Generator{Seed: 2, Gain: 1}.Images(g.Input().H)[:g.Input().Elems()]
	int8 := filepath.Join(t.TempDir(), "w.int8.safetensors")
	if err := r.MakeInt8(images, quantize.Options{Fast: true}); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteInt8(int8, quantize.Calibration{}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ model, file, precision, want string }{
		{network, int8, "", ""},
		{network, int8, engine.Int8, ""},
		{network, int8, engine.BF16, "int8 weights cannot be run in bf16"},
		{"pocket_resnet56", int8, "", "int8 weights of pocket_resnet20, want those of pocket_resnet56"},
		{network, file, engine.Int8, "int8 needs images to find the ranges of values: name them with --calibration"},
	} {
		n, err := Open(zoo.Default(), task(test.model, test.file, test.precision))
		if err != nil || test.want != "" {
			if err == nil || test.want == "" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v: error %v", test, err)
			}
			continue
		}
		got := n.record(record.KindLatency, task(test.model, test.file, test.precision))
		if got.RanWith().Precision != engine.Int8 || n.Engine.WeightBytes() > g.ParamCount()*2 {
			t.Errorf("%v: ran in %q, %d bytes of weights for %d parameters", test, got.RanWith().Precision, n.Engine.WeightBytes(), g.ParamCount())
		}
		n.Close()
	}
}

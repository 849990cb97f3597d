package export

import (
	"fmt"
	"math"
	"os"

	"zoobench/bench/export/replay"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// check reads a part of a file back, with the data that belong to it, and runs it.
func check(f *onnx.File, g *nn.Graph, src weights.Source, q *engine.Quantized, part string, data *os.File) error {
	written, err := os.ReadFile(part)
	if err != nil {
		return err
	}
	if err := f.Check(written, data); err != nil {
		return err
	}
	m, err := message.Decode(written)
	if err != nil {
		return err
	}
	return answers(m, data, f.Input(), g, src, q)
}

// limits are what answers may differ by: a share of the largest, and so many times how far the engine's own go with an image that is a
// little off.
type limits struct {
	tolerance, slack float64
	nudge            float32
}

// In float32 sums have another order: the image is a few bits off. Some generated weights make networks that no two orders of sums
// agree on. In int8 a number in the middle between two steps is rounded to the other one: the image is a part of a step off.
var (
	floatLimits = limits{tolerance: 1e-4, slack: 50, nudge: 1e-6}
	int8Limits  = limits{tolerance: 2e-3, slack: 2, nudge: 3e-3}
)

// answers compares the answers of a file's operators with the engine's.
func answers(m *message.Model, data *os.File, input string, g *nn.Graph, src weights.Source, q *engine.Quantized) error {
	e, err := engine.New(g, src, engine.Options{Exact: true, Quantized: q})
	if err != nil {
		return err
	}
	defer e.Close()
	in := g.Input()
	image := weights.Generator{}.Planes(in.C, in.H, in.W)
	l := floatLimits
	if q != nil {
		l = int8Limits
	}
	want, moved := answer(e, g, image), answer(e, g, nudged(image, l.nudge))
	given := map[string]*replay.Value{input: {Dims: []int{1, in.C, in.H, in.W}, Floats: image}}
	if first := m.Graph.Inputs[0].Name; first != input {
		given[first] = &replay.Value{Dims: []int{1, in.H, in.W, in.C}}
	}
	y, err := replay.Run(m, data, given)
	if err != nil {
		return err
	}
	if len(y.Floats) != len(want) {
		return fmt.Errorf("the file's operators give %d answers, want %d", len(y.Floats), len(want))
	}
	var worst, largest, unsteady float64
	for i, v := range want {
		if !finite(v) && !finite(y.Floats[i]) {
			continue
		}
		worst = max(worst, math.Abs(float64(y.Floats[i]-v)))
		largest, unsteady = max(largest, math.Abs(float64(v))), max(unsteady, math.Abs(float64(moved[i]-v)))
	}
	if allowed := l.tolerance*largest + l.slack*unsteady; !(worst <= allowed) {
		return fmt.Errorf("the file's operators give other answers than the engine: %g apart, want at most %g", worst, allowed)
	}
	return nil
}

// answer is the engine's for an image of (C,H,W).
func answer(e *engine.Engine, g *nn.Graph, image []float32) []float32 {
	in := g.Input()
	x := make([]float32, len(image))
	for i := range x {
		x[i] = image[i%in.C*in.H*in.W+i/in.C]
	}
	y := make([]float32, g.Output().Elems())
	e.Run(y, x, 1)
	return y
}

// finite reports whether a number is one.
func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// nudged is an image whose numbers are a little larger and smaller in turn.
func nudged(image []float32, nudge float32) []float32 {
	x := make([]float32, len(image))
	for i, v := range image {
		x[i] = v * (1 + nudge - 2*nudge*float32(i%2))
	}
	return x
}

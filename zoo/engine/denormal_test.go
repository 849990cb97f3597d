package engine_test

import (
	"math"
	"strings"
	"testing"

	"zoobench/kernels"
	"zoobench/kernels/par"
	"zoobench/zoo/engine"
	"zoobench/zoo/interp"
	"zoobench/zoo/weights"
)

// changed is generated weights with every tensor of a name changed, element by element.
type changed struct {
	*weights.Generated
	change func(name string, k int, v float32) float32
}

func (c changed) Float32(name string) ([]float32, error) {
	v, err := c.Generated.Float32(name)
	out := make([]float32, len(v))
	for k, x := range v {
		out[k] = c.change(name, k, x)
	}
	return out, err
}

func (c changed) Read(name string, first int, dst []float32) error {
	err := c.Generated.Read(name, first, dst)
	for k, x := range dst {
		dst[k] = c.change(name, first+k, x)
	}
	return err
}

// TestDenormals holds a network with numbers below the normal range, among its weights or among the products with them,
// to the same network with zeros there where they are flushed; elsewhere they are counted and the oracle's result is the
// right one.
func TestDenormals(t *testing.T) {
	const tiny = 0x1p-140
	for _, test := range []struct {
		name   string
		change func(to float32) func(name string, k int, v float32) float32
		counts bool // denormal weights, rather than products
	}{
		{"every third weight", func(to float32) func(string, int, float32) float32 {
			return func(name string, k int, v float32) float32 {
				if k%3 == 1 && strings.HasSuffix(name, ".weight") && !strings.Contains(name, "bn") {
					return to
				}
				return v
			}
		}, true},
		{"products", func(to float32) func(string, int, float32) float32 {
			// The last layer's weights are normal numbers; of what it sums up, nothing is.
			return func(name string, _ int, v float32) float32 {
				switch {
				case name == "classifier.weight":
					return v * to
				case name == "classifier.bias":
					return 0
				case strings.HasPrefix(name, "conv_head"):
					return v * 0x1p-60
				}
				return v
			}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			g, w := build(t, "mobilenetv3_small_050", 64)
			to := float32(tiny)
			if !test.counts {
				to = 0x1p-80
			}
			with, without := changed{w, test.change(to)}, changed{w, test.change(0)}
			images := generator.Images(64)
			defer use(t, kernels.ISA())
			for threads, isa := range kernels.ISAs() {
				use(t, isa)
				for _, exact := range []bool{false, true} {
					o := engine.Options{Threads: 1 + threads%2, Batch: 2, Exact: exact}
					got, want := make([]float32, 2*g.Classes), make([]float32, 2*g.Classes)
					e := newEngine(t, g, with, o)
					e.Run(got, images, 2)
					if !par.Flushes {
						if counts := e.Denormals() > 0; counts != test.counts {
							t.Errorf("%s: %d denormal weights", isa, e.Denormals())
						}
						oracle, err := interp.Run(g, with, images, 2)
						if err != nil {
							t.Fatal(err)
						}
						for i, v := range oracle {
							want[i] = float32(v)
							if math.Abs(float64(got[i])-v) > 5e-5*math.Abs(v)+1e-5 {
								t.Fatalf("%s: logit %d: %v, want %v", isa, i, got[i], v)
							}
						}
						continue
					}
					newEngine(t, g, without, o).Run(want, images, 2)
					if n := e.Denormals(); n != 0 {
						t.Errorf("%s: %d denormal weights are said to cost time", isa, n)
					}
					for i, v := range got {
						if v != want[i] { // a flushed number keeps its sign
							t.Fatalf("%s, exact %v: logit %d: %v, with zeros %v", isa, exact, i, v, want[i])
						}
					}
				}
			}
		})
	}
}

package train

import (
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/train/internal/small"
	"zoobench/zoo/weights"
)

// TestPlace finds values that share memory while something wants both, and holds that a chain takes less than all of its values
// and gradients.
func TestPlace(t *testing.T) {
	chain := small.Case{Name: "chain", Size: 8, Arch: func(g *nn.Builder, x nn.Value) nn.Value {
		for range 8 {
			x = g.ReLU(g.BatchNorm("norm", g.Conv("conv", x, 4, nn.K(3)), 1e-5))
			g = g.In("deeper")
		}
		return x
	}}
	for _, test := range append([]small.Case{chain}, small.Cases...) {
		g := small.Build(t, test.Size, test.Arch)
		net, err := New(g, weights.Generator{}.Source(g.Params), Options{Batch: 2, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer net.Close()
		blocks := net.lives()
		total, sum := place(blocks), 0
		for i, b := range blocks {
			sum += b.size
			if b.at < 0 || b.at+b.size > total {
				t.Errorf("%s: %+v ends beyond %d", test.Name, b, total)
			}
			for _, o := range blocks[:i] {
				if o.first <= b.last && b.first <= o.last && o.at < b.at+b.size && b.at < o.at+o.size {
					t.Errorf("%s: %+v and %+v share memory", test.Name, o, b)
				}
			}
		}
		if test.Name == chain.Name && total > sum*3/5 {
			t.Errorf("a chain takes %d of %d elements, want at most three fifths", total, sum)
		}
	}
}

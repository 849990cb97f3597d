package train

import (
	"slices"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/train/internal/small"
	"zoobench/zoo/weights"
)

// chain is a case of many layers one after the other.
var chain = small.Case{Name: "chain", Size: 8, Arch: func(g *nn.Builder, x nn.Value) nn.Value {
	for range 16 {
		x = g.ReLU(g.BatchNorm("norm", g.Conv("conv", x, 4, nn.K(3)), 1e-5))
		g = g.In("deeper")
	}
	return x
}}

// residual has shortcuts, and what is dropped by elements and by images, in the middle of a segment and at its ends.
var residual = small.Case{Name: "residual", Size: 6, Arch: func(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Conv("stem", x, 4, nn.K(3))
	for i := range 6 {
		y := g.ReLU(g.BatchNorm("norm1", g.Conv("conv1", x, 4, nn.K(3)), 1e-5))
		y = g.Dropout(g.BatchNorm("norm2", g.Conv("conv2", y, 4, nn.K(3)), 1e-5), 0.25)
		x = g.ReLU(g.Add(g.StochasticDepth(y, 0.5), x))
		if i == 3 {
			g.Head(g.Linear("aux", g.GlobalAvgPool(x), g.Classes), 0.3)
		}
		g = g.In("deeper")
	}
	return x
}}

// everyCut are ways to cut a network into segments: not at all, as checkpointing chooses, and after every few nodes.
func (net *Network) everyCut() [][]int {
	cuts := [][]int{{0}, net.cut()}
	for _, every := range []int{1, 2, 3, 5, 8} {
		segments := []int{0}
		for i := every; i < len(net.Graph.Nodes); i += every {
			at := i
			for at < len(net.Graph.Nodes) && net.joined[at] {
				at++
			}
			if at > segments[len(segments)-1] && at < len(net.Graph.Nodes) {
				segments = append(segments, at)
			}
		}
		cuts = append(cuts, segments)
	}
	return cuts
}

// TestPlace finds values that share memory while something wants both, however the network is cut. It holds that a chain takes less
// than all of its values and gradients, and far less with checkpointing.
func TestPlace(t *testing.T) {
	for _, test := range append([]small.Case{chain, residual}, small.Cases...) {
		g := small.Build(t, test.Size, test.Arch)
		net, err := New(g, weights.Generator{}.Source(g.Params), Options{Batch: 2, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer net.Close()
		var totals []int
		for _, segments := range net.everyCut() {
			blocks := net.blocks(net.order(segments))
			total, sum := place(blocks), 0
			totals = append(totals, total)
			for i, b := range blocks {
				sum += b.size
				if b.at < 0 || b.at+b.size > total || b.last < b.first {
					t.Errorf("%s, segments %v: %+v ends beyond %d", test.Name, segments, b, total)
				}
				for _, o := range blocks[:i] {
					if o.first <= b.last && b.first <= o.last && o.at < b.at+b.size && b.at < o.at+o.size {
						t.Errorf("%s, segments %v: %+v and %+v share memory", test.Name, segments, b, o)
					}
				}
			}
			if test.Name == chain.Name && len(segments) == 1 && total > sum*3/5 {
				t.Errorf("a chain takes %d of %d elements, want at most three fifths", total, sum)
			}
		}
		if test.Name == chain.Name && totals[1] > totals[0]/2 {
			t.Errorf("a chain takes %d elements with checkpointing and %d without, want at most half", totals[1], totals[0])
		}
	}
}

// TestCheckpointing wants the same loss, gradients, running statistics and evaluation to the bit however the network is cut, in two
// steps, the second of which would see what the first one drew or counted twice.
func TestCheckpointing(t *testing.T) {
	const n = 3
	for _, test := range append([]small.Case{chain, residual}, small.Cases...) {
		g := small.Build(t, test.Size, test.Arch)
		w := weights.Generator{Seed: 3}
		net, err := New(g, w.Source(g.Params), Options{Batch: n, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer net.Close()
		images, targets := w.Batch(n, test.Size), []float64{0.9, 0.1, 0.2, 0.8, 0.5, 0.5}
		before := make([][]float32, len(net.Params))
		for i, p := range net.Params {
			before[i] = slices.Clone(p)
		}
		var want [][]float32
		for _, segments := range net.everyCut() {
			for i, p := range before {
				copy(net.Params[i], p)
			}
			net.Settle()
			net.lay(segments)
			var have [][]float32
			for step := range 2 {
				loss, err := net.Train(images, targets, step)
				if err != nil {
					t.Fatal(err)
				}
				for i, p := range net.Params {
					for k, d := range net.Gradients[i] {
						p[k] -= 0.1 * d
					}
				}
				net.Keep()
				have = append(have, []float32{float32(loss)}, slices.Clone(net.Outputs()))
			}
			scores, err := net.Evaluate(images)
			if err != nil {
				t.Fatal(err)
			}
			have = append(have, slices.Clone(scores))
			for _, p := range net.Params {
				have = append(have, slices.Clone(p))
			}
			if want == nil {
				want = have
			}
			if !slices.EqualFunc(have, want, slices.Equal) {
				t.Errorf("%s: segments %v give other bits than one", test.Name, segments)
			}
		}
	}
}

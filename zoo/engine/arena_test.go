package engine

import (
	"math/rand/v2"
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// TestLayOut holds that buffers alive together share no memory, and that the arena is close to the largest set alive.
func TestLayOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		buffers := make([]buffer, 1+rng.IntN(40))
		for i := range buffers {
			first := rng.IntN(50)
			buffers[i] = buffer{elems: 1 + rng.IntN(5000), images: 1 + rng.IntN(3), first: first, last: first + rng.IntN(6)}
		}
		total := packArena(buffers)
		alive := make([]int, 60)
		for i, a := range buffers {
			if a.offset < 0 || a.offset+a.size() > total {
				t.Fatalf("buffer %d: [%d, %d) in an arena of %d", i, a.offset, a.offset+a.size(), total)
			}
			for s := a.first; s <= a.last; s++ {
				alive[s] += a.size()
			}
			for j, b := range buffers[:i] {
				together := a.first <= b.last && b.first <= a.last
				overlap := a.offset < b.offset+b.size() && b.offset < a.offset+a.size()
				if together && overlap {
					t.Fatalf("buffers %d and %d live together and overlap: %+v %+v", i, j, a, b)
				}
			}
		}
		bound := 0
		for _, n := range alive {
			bound = max(bound, n)
		}
		if total > bound*2 {
			t.Fatalf("arena of %d elements, the largest set alive has %d", total, bound)
		}
	}
}

// noWeights stands for weights where only the plan matters.
type noWeights map[string]int

func (w noWeights) Float32(name string) ([]float32, error)  { return make([]float32, w[name]), nil }
func (w noWeights) Read(_ string, _ int, _ []float32) error { return nil }
func (w noWeights) Release(string)                          {}

// TestArenaIsTight holds every network's arena to 1.1 times the largest set of tensors alive at once.
func TestArenaIsTight(t *testing.T) {
	for _, spec := range zoo.All() {
		if spec.Params > 30e6 {
			continue // the plan of a larger one differs in depth and width only
		}
		g, err := spec.Graph(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		w := noWeights{}
		for _, p := range g.Params {
			w[p.Name] = p.Elems()
		}
		p := &planner{Engine: &Engine{graph: g, batch: 1}, weights: w}
		if err := p.layOut(); err != nil {
			t.Fatal(err)
		}
		if got := float64(len(p.arena)) / float64(mostAlive(p.buffers)); got > 1.1 {
			t.Errorf("%s: arena is %.2f of the largest set of tensors alive at once", spec.Name, got)
		}
	}
}

// TestConstantsThatAreKept holds that an engine keeps the constants that its steps read and no other.
func TestConstantsThatAreKept(t *testing.T) {
	sum := 0
	g, err := nn.Build("attentive", func(g *nn.Builder, x nn.Value) nn.Value {
		bias := g.Linear("mlp", g.RelCoords(6, 6), 2)
		x = g.Attention(g.Linear("qkv", x, 24), nn.AttentionSpec{Heads: 2, Bias: bias})
		half := g.Const("half", x.Shape, x.H, x.W, x.C)
		return g.GlobalAvgPool(g.Add(x, g.Add(half, half)))
	}, nn.Config{Size: 6, Classes: 8})
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range g.Nodes {
		if n.Op == nn.Add && n.Const {
			sum = i
		}
	}
	e, err := New(g, weights.Generator{}.Source(g.Params), Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if len(e.constants) != 1 || len(e.constants[sum]) != 8*6*6 {
		t.Errorf("%d constants, node %d's with %d elements, want that one with %d", len(e.constants), sum, len(e.constants[sum]), 8*6*6)
	}
}

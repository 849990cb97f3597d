package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"zoobench/zoo/nn"
)

// Initial is a graph's parameters before it has learned anything: a parameter's values depend on the seed and its name alone.
// Convolutions are He and others' (2015) normal distribution by the fan of outputs, linear layers uniform by their inputs as
// PyTorch's, tables of tokens and positions normal with a deviation of 0.02. A convolution whose outputs are the classes' scores
// is normal with a deviation of 0.01, SqueezeNet's. Norms and scales begin as identities, biases at 0.
func Initial(g *nn.Graph, seed uint64) Weights {
	w := &initial{seed, map[string]start{}}
	for i, n := range g.Nodes {
		if n.Weight >= 0 {
			s := startOf(g, n)
			if n.Op == nn.Conv && i == Classifier(g) {
				s.deviation = 0.01
			}
			w.params[g.Params[n.Weight].Name] = s
		}
		for _, p := range []struct {
			param int
			value float32
		}{{n.Bias, 0}, {n.Mean, 0}, {n.Var, 1}} {
			if p.param >= 0 {
				w.params[g.Params[p.param].Name] = start{elems: g.Params[p.param].Elems(), value: p.value}
			}
		}
	}
	return w
}

// Classifier is the node whose outputs are the classes' scores, the last one that multiplies by weights; -1 for none.
func Classifier(g *nn.Graph) int {
	for i, n := range slices.Backward(g.Nodes) {
		if n.Weight >= 0 && (n.Op == nn.Conv || n.Op == nn.Linear) {
			return i
		}
	}
	return -1
}

// start is how a parameter begins: at one value, or drawn from a distribution with a deviation.
type start struct {
	elems     int
	value     float32
	deviation float64
	uniform   bool
}

func startOf(g *nn.Graph, n nn.Node) start {
	p := g.Params[n.Weight]
	s := start{elems: p.Elems()}
	switch n.Op {
	case nn.Conv:
		s.deviation = math.Sqrt(2 / float64(p.Shape[0]/n.Kernel.Groups*p.Shape[2]*p.Shape[3]))
	case nn.Linear, nn.ChannelConv:
		s.deviation, s.uniform = 1/math.Sqrt(3*float64(p.Elems()/p.Shape[0])), true
	case nn.Const:
		s.deviation = 0.02
	default:
		s.value = 1
	}
	return s
}

type initial struct {
	seed   uint64
	params map[string]start
}

func (w *initial) Float32(name string) ([]float32, error) {
	s, known := w.params[name]
	if !known {
		return nil, fmt.Errorf("%s: no parameter of this name", name)
	}
	x := make([]float32, s.elems)
	hash := uint64(14695981039346656037) // FNV-1a of the name
	for _, b := range []byte(name) {
		hash = (hash ^ uint64(b)) * 1099511628211
	}
	r := rand.New(rand.NewPCG(w.seed, hash))
	for i := range x {
		switch {
		case s.uniform:
			x[i] = float32(s.deviation * math.Sqrt(3) * (2*r.Float64() - 1))
		case s.deviation > 0:
			x[i] = float32(s.deviation * r.NormFloat64())
		default:
			x[i] = s.value
		}
	}
	return x, nil
}

func (w *initial) Release(string) {}

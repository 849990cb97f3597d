// Package interp runs a network's graph node by node on kernels/ref in float64: the oracle that the engine is compared
// with, and that itself is compared with the reference implementations' logits.
//
// The contract: every node is computed as the reference writes it, nothing is folded or fused; batch norm divides by
// the root of its running variance. Images come as the engine takes them, float32 in N,H,W,C order; results are
// float64, a row an image. A value is dropped after its last use, so that memory stays at the widest point of the
// graph, and a parameter is asked for when its node runs. Runs on different goroutines do not disturb one another.
//
// It leaves to others where the parameters come from (zoo/weights) and speed (zoo/engine): a ResNet-50 takes seconds an
// image.
package interp

import (
	"fmt"
	"math"

	"zoobench/zoo/nn"
)

// Weights hands out parameters by their state-dict name, flat in row-major order, as zoo/weights does. Release ends the
// use of one.
type Weights interface {
	Float32(name string) ([]float32, error)
	Release(name string)
}

// Line is what one node put out, over all images: what two implementations compare to find where they part.
type Line struct {
	Node    int    // index into the graph's nodes
	Name    string // the node's own, "" where it has no parameters
	Shape   nn.Shape
	Mean    float64
	MeanAbs float64 // mean of absolute values
}

// Run computes a graph for n images, src (n,H,W,3), and returns its outputs, (n, outputs). A missing parameter or one
// of the wrong length is an error.
func Run(g *nn.Graph, w Weights, src []float32, n int) ([]float64, error) {
	return run(g, w, src, n, func(Line) {})
}

// Trace is Run with a line for every node, in order.
func Trace(g *nn.Graph, w Weights, src []float32, n int) ([]float64, []Line, error) {
	var lines []Line
	out, err := run(g, w, src, n, func(l Line) { lines = append(lines, l) })
	return out, lines, err
}

func run(g *nn.Graph, w Weights, src []float32, n int, trace func(Line)) ([]float64, error) {
	if n < 1 || len(src) != n*g.Input().Elems() {
		return nil, fmt.Errorf("interp: %s: %d elements for %d images of %v", g.Name, len(src), n, g.Input())
	}
	r := newRunner(g, w, n, false)
	r.values[0] = planes(src, n, g.Input())
	for i := range g.Nodes {
		if i > 0 {
			if err := r.node(i); err != nil {
				return nil, fmt.Errorf("interp: %s: %w", g.Name, err)
			}
		}
		trace(line(g, i, r.values[i]))
		r.done(i)
	}
	return r.values[len(g.Nodes)-1], nil
}

// Constants are the values of the nodes that no image can change, as far as others read them, each as (H,W,C) in
// float32, by node.
func Constants(g *nn.Graph, w Weights) (map[int][]float32, error) {
	return newRunner(g, w, 1, true).constants()
}

func (r *runner) constants() (map[int][]float32, error) {
	read := make([]bool, len(r.g.Nodes))
	for _, n := range r.g.Nodes {
		for _, in := range n.In {
			read[in] = read[in] || !n.Const
		}
	}
	all := map[int][]float32{}
	for i := range r.g.Nodes {
		n := &r.g.Nodes[i]
		if !n.Const {
			continue
		}
		if err := r.node(i); err != nil {
			return nil, fmt.Errorf("interp: %s: %s: %w", r.g.Name, n.Name, err)
		}
		if read[i] {
			pixels := n.Out.H * n.Out.W
			all[i] = make([]float32, n.Out.Elems())
			for k, v := range r.values[i] {
				all[i][k%pixels*n.Out.C+k/pixels] = float32(v)
			}
		}
		r.done(i)
	}
	return all, nil
}

// planes turns (n,H,W,C) into (n,C,H,W).
func planes(src []float32, n int, s nn.Shape) []float64 {
	x := make([]float64, len(src))
	pixels := s.H * s.W
	for i := range n {
		for p := range pixels {
			for c := range s.C {
				x[(i*s.C+c)*pixels+p] = float64(src[(i*pixels+p)*s.C+c])
			}
		}
	}
	return x
}

func line(g *nn.Graph, i int, x []float64) Line {
	l := Line{Node: i, Name: g.Nodes[i].Name, Shape: g.Nodes[i].Out}
	for _, v := range x {
		l.Mean += v
		l.MeanAbs += math.Abs(v)
	}
	l.Mean /= float64(len(x))
	l.MeanAbs /= float64(len(x))
	return l
}

// runner is one run: the values of the nodes computed so far that are still wanted.
type runner struct {
	g      *nn.Graph
	w      Weights
	n      int
	values [][]float64
	reads  []int // by node: how often its value is yet to be read
}

// newRunner makes a run of all nodes, or of the constant ones only.
func newRunner(g *nn.Graph, w Weights, n int, constants bool) *runner {
	r := &runner{g: g, w: w, n: n, values: make([][]float64, len(g.Nodes)), reads: make([]int, len(g.Nodes))}
	for _, node := range g.Nodes {
		if constants && !node.Const {
			continue
		}
		for _, in := range node.In {
			r.reads[in]++
		}
	}
	r.reads[len(g.Nodes)-1]++ // the result
	return r
}

// done lets go of what nothing after node i wants: its parameters, its inputs that it was the last to read, and its
// value where nothing does.
func (r *runner) done(i int) {
	n := &r.g.Nodes[i]
	for _, p := range []int{n.Weight, n.Bias, n.Mean, n.Var} {
		if p >= 0 {
			r.w.Release(r.g.Params[p].Name)
		}
	}
	for _, in := range n.In {
		if r.reads[in]--; r.reads[in] == 0 {
			r.values[in] = nil
		}
	}
	if r.reads[i] == 0 {
		r.values[i] = nil
	}
}

// node computes values[i]: of all images, or the one that holds for all of them.
func (r *runner) node(i int) error {
	node := &r.g.Nodes[i]
	n := r.n
	if node.Const {
		n = 1
	}
	var p Params[float32]
	for _, role := range []struct {
		to   *[]float32
		from int
	}{{&p.Weight, node.Weight}, {&p.Bias, node.Bias}, {&p.Mean, node.Mean}, {&p.Var, node.Var}} {
		var err error
		if *role.to, err = r.param(role.from); err != nil {
			return err
		}
	}
	y, err := Node(r.g, i, Inputs(r.g, i, r.values, n), p, n)
	r.values[i] = y
	return err
}

// param is a parameter's elements, nil for none.
func (r *runner) param(i int) ([]float32, error) {
	if i < 0 {
		return nil, nil
	}
	p := r.g.Params[i]
	w, err := r.w.Float32(p.Name)
	if err != nil {
		return nil, err
	}
	if len(w) != p.Elems() {
		return nil, fmt.Errorf("%s: %d elements, want %d for shape %v", p.Name, len(w), p.Elems(), p.Shape)
	}
	return w, nil
}

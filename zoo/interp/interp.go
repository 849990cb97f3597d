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
	"slices"

	"zoobench/kernels/ref"
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
	var shape nn.Shape // of the first input
	var x []float64    // the first input
	var xs [][]float64
	for k, in := range node.In {
		v := r.values[in]
		if r.g.Nodes[in].Const && !node.Const && !(node.Op == nn.Attention && k > 0) {
			v = slices.Repeat(v, n)
		}
		xs = append(xs, v)
	}
	if len(xs) > 0 {
		shape, x = r.g.Nodes[node.In[0]].Out, xs[0]
	}
	weight, err := r.param(node.Weight)
	if err != nil {
		return err
	}
	bias, err := r.param(node.Bias)
	if err != nil {
		return err
	}
	y, c, pixels := make([]float64, n*node.Out.Elems()), shape.C, shape.H*shape.W
	switch node.Op {
	case nn.Conv:
		conv(y, x, weight, bias, node, shape, n)
	case nn.Linear:
		ref.Linear(y, x, weight, bias, n, c, node.Out.C, pixels)
	case nn.BatchNorm:
		mean, err := r.param(node.Mean)
		if err != nil {
			return err
		}
		variance, err := r.param(node.Var)
		if err != nil {
			return err
		}
		ref.BatchNorm(y, x, mean, variance, weight, bias, node.Eps, n, c, pixels)
	case nn.GroupNorm:
		ref.GroupNorm(y, x, weight, bias, node.Eps, node.Groups, n, c, pixels)
	case nn.LayerNorm:
		ref.LayerNorm(y, x, weight, bias, node.Eps, n, c, pixels)
	case nn.Activate:
		f, err := activation(node.Act)
		if err != nil {
			return err
		}
		ref.Apply(y, x, f)
	case nn.MaxPool:
		ref.MaxPool(y, x, poolSize(node, shape, n))
	case nn.AvgPool:
		ref.AvgPool(y, x, node.Kernel.ExcludePad, poolSize(node, shape, n))
	case nn.AdaptiveAvgPool:
		ref.AdaptiveAvgPool(y, x, n*c, shape.H, shape.W, node.Out.H, node.Out.W)
	case nn.Add:
		ref.Add(y, xs...)
	case nn.Mul:
		ref.Mul(y, x, xs[1], n*c, pixels)
	case nn.Scale:
		ref.Affine(y, x, weight, nil, n, c, pixels)
	case nn.Affine:
		ref.Affine(y, x, node.Scale, node.Shift, n, c, pixels)
	case nn.Concat:
		ref.Concat(y, n, xs...)
	case nn.Slice:
		ref.Slice(y, x, node.From, node.To, n, c, pixels)
	case nn.Shuffle:
		ref.Shuffle(y, x, node.Groups, n, c, pixels)
	case nn.SplitSoftmax:
		ref.SplitSoftmax(y, x, node.Groups, n, c, pixels)
	case nn.ChannelConv:
		ref.ChannelConv(y, x, weight, n, c)
	case nn.Pad:
		e := node.Kernel.Pad
		ref.Pad(y, x, e.Top, e.Left, e.Bottom, e.Right, n*c, shape.H, shape.W)
	case nn.Flatten, nn.Identity, nn.Tokens, nn.Grid:
		copy(y, x) // N,C,H,W order is what all of them ask for
	case nn.SliceTokens:
		ref.SliceTokens(y, x, node.From, node.To, n*c, shape.W)
	case nn.ConcatTokens:
		ref.Concat(y, n*node.Out.C, xs...) // tokens of a channel follow one another as channels of an image do
	case nn.Const:
		ref.Planes(y, weight, node.Out.C, node.Out.H*node.Out.W)
	case nn.RelCoords:
		ref.RelCoords(y, (node.Out.H+1)/2, (node.Out.W+1)/2)
	case nn.Resample:
		ref.Resample(y, x, node.FromGrid, node.ToGrid, node.Prefix, c)
	case nn.Attention:
		var table []float64
		if len(xs) > 1 {
			table = xs[1]
		}
		ref.Attention(y, x, table, attentionSize(node, n))
	default:
		return fmt.Errorf("node %d: no such operation: %v", i, node.Op)
	}
	r.values[i] = y
	return nil
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

func conv(y, x []float64, weight, bias []float32, node *nn.Node, in nn.Shape, n int) {
	s := ref.ConvSize{
		N: n, C: in.C, H: in.H, W: in.W, O: node.Out.C, OH: node.Out.H, OW: node.Out.W,
		Groups: node.Kernel.Groups, Window: window(node.Kernel),
	}
	if node.Kernel.StdEps == 0 {
		ref.Conv(y, x, weight, bias, s)
		return
	}
	standard := make([]float64, len(weight))
	ref.Standardize(standard, weight, node.Kernel.StdEps, node.Out.C)
	var bias64 []float64
	for _, v := range bias {
		bias64 = append(bias64, float64(v))
	}
	ref.Conv(y, x, standard, bias64, s)
}

func poolSize(node *nn.Node, in nn.Shape, n int) ref.PoolSize {
	return ref.PoolSize{
		NC: n * in.C, H: in.H, W: in.W, OH: node.Out.H, OW: node.Out.W, Window: window(node.Kernel),
	}
}

func attentionSize(node *nn.Node, n int) ref.AttentionSize {
	a := node.Attention
	return ref.AttentionSize{
		N: n, H: node.Out.H, W: node.Out.W, Heads: a.Heads, D: node.Out.C / a.Heads,
		Scale: a.Scale, HeadsFirst: a.HeadsFirst, Window: a.Window, Shift: a.Shift,
	}
}

func window(k nn.Kernel) ref.Window {
	return ref.Window{
		H: k.H, W: k.W, SH: k.SH, SW: k.SW, DH: k.DH, DW: k.DW,
		Top: k.Pad.Top, Left: k.Pad.Left, Bottom: k.Pad.Bottom, Right: k.Pad.Right,
	}
}

func activation(a nn.Act) (func(float64) float64, error) {
	switch a {
	case nn.ReLU:
		return ref.ReLU, nil
	case nn.ReLU6:
		return ref.ReLU6, nil
	case nn.Sigmoid:
		return ref.Sigmoid, nil
	case nn.SiLU:
		return ref.SiLU, nil
	case nn.HardSigmoid:
		return ref.HardSigmoid, nil
	case nn.HardSwish:
		return ref.HardSwish, nil
	case nn.GELU:
		return ref.GELU, nil
	case nn.GELUTanh:
		return ref.GELUTanh, nil
	}
	return nil, fmt.Errorf("no such activation: %v", a)
}

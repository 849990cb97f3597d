// Package twin computes a network's loss and its gradients in float64, layer by layer: the specification of zoo/train's
// fast pass, as zoo/interp is the engine's.
//
// The contract: forward is the oracle's own, but batch norm takes the batch's statistics and a dropout multiplies by the
// factors that the caller gives. Backward goes through the same nodes in reverse, each by the gradient that kernels/ref has
// of its operation, over values that are all kept. The loss is the mean cross-entropy over images, with each auxiliary
// head's behind it, times its weight. Parameters are float64 and a training pass changes none of them: who calls decides
// what to do with gradients and running statistics. The same arguments give the same bits.
//
// It leaves to others how parameters change (zoo/train) and speed: a step of ResNet-18 at 64 pixels takes seconds.
package twin

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"zoobench/kernels/ref"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
)

// Network is a graph with its parameters in float64, by their index in the graph; those of kind Aux are nil.
type Network struct {
	Graph  *nn.Graph
	Params [][]float64
}

// New reads a graph's parameters.
func New(g *nn.Graph, w interp.Weights) (*Network, error) {
	t := &Network{Graph: g, Params: make([][]float64, len(g.Params))}
	for i, p := range g.Params {
		if p.Kind == nn.Aux {
			continue
		}
		values, err := w.Float32(p.Name)
		if err != nil {
			return nil, fmt.Errorf("twin: %s: %w", g.Name, err)
		}
		if len(values) != p.Elems() {
			return nil, fmt.Errorf("twin: %s: %s: %d elements, want %d for shape %v", g.Name, p.Name, len(values), p.Elems(), p.Shape)
		}
		for _, v := range values {
			t.Params[i] = append(t.Params[i], float64(v))
		}
		w.Release(p.Name)
	}
	return t, nil
}

// Batch is what one step learns from.
type Batch struct {
	Images  []float32 // (N,H,W,3)
	Targets []float64 // (N, classes): how probable each class is
	N       int

	// Drop gives the factors of node i's elements, (N, elements of an image), 0 or 1/(1 − Drop). Nil drops nothing.
	Drop func(i int) []float64
}

// Result is what a training pass computes.
type Result struct {
	Loss      float64
	Logits    []float64   // (N, classes)
	Gradients [][]float64 // by parameter; nil for what is not learned
	Running   [][]float64 // by parameter: what running statistics become; nil for others
}

// Evaluate is the network's outputs in evaluation mode, (n, outputs), of images (n,H,W,3).
func (t *Network) Evaluate(images []float32, n int) ([]float64, error) {
	p, err := t.forward(Batch{Images: images, N: n}, false)
	if err != nil {
		return nil, err
	}
	return p.values[len(p.values)-1], nil
}

// Train is one pass forward and backward.
func (t *Network) Train(b Batch) (Result, error) {
	if want := b.N * t.Graph.Output().Elems(); len(b.Targets) != want {
		return Result{}, fmt.Errorf("twin: %s: %d targets for %d images, want %d", t.Graph.Name, len(b.Targets), b.N, want)
	}
	p, err := t.forward(b, true)
	if err != nil {
		return Result{}, err
	}
	r := Result{Logits: p.values[len(p.values)-1], Running: p.running}
	for _, head := range append([]nn.Head{{Node: len(t.Graph.Nodes) - 1, Weight: 1}}, t.Graph.Heads...) {
		loss, d := CrossEntropy(p.values[head.Node], b.Targets, b.N)
		r.Loss += head.Weight * loss
		for i := range d {
			d[i] *= head.Weight
		}
		p.add(head.Node, d)
	}
	for i := range slices.Backward(t.Graph.Nodes) {
		if p.dvalues[i] == nil {
			continue
		}
		if err := p.back(i); err != nil {
			return Result{}, fmt.Errorf("twin: %s: node %d: %w", t.Graph.Name, i, err)
		}
		p.dvalues[i] = nil
	}
	r.Gradients = p.dparams
	return r, nil
}

// CrossEntropy is the mean over n rows of −Σ target·log softmax(logits), and its gradient.
func CrossEntropy(logits, targets []float64, n int) (loss float64, d []float64) {
	classes := len(logits) / n
	d = make([]float64, len(logits))
	for i := range n {
		row, want := logits[i*classes:][:classes], targets[i*classes:][:classes]
		top, sum, mass := slices.Max(row), 0.0, 0.0
		for k, v := range row {
			sum += math.Exp(v - top)
			mass += want[k]
		}
		for k, v := range row {
			logP := v - top - math.Log(sum)
			loss -= want[k] * logP / float64(n)
			d[i*classes+k] = (mass*math.Exp(logP) - want[k]) / float64(n)
		}
	}
	return loss, d
}

// pass is one step's values and gradients, by node and by parameter.
type pass struct {
	*Network
	Batch
	values, dvalues  [][]float64
	dparams, running [][]float64
	norms            map[int]stats // by node
}

// stats are a batch's mean and variance, by channel.
type stats struct{ mean, variance []float64 }

func (t *Network) forward(b Batch, training bool) (*pass, error) {
	g := t.Graph
	if b.N < 1 || len(b.Images) != b.N*g.Input().Elems() {
		return nil, fmt.Errorf("twin: %s: %d elements for %d images of %v", g.Name, len(b.Images), b.N, g.Input())
	}
	p := &pass{
		Network: t, Batch: b, values: make([][]float64, len(g.Nodes)), dvalues: make([][]float64, len(g.Nodes)),
		dparams: make([][]float64, len(g.Params)), running: make([][]float64, len(g.Params)), norms: map[int]stats{},
	}
	in := g.Input()
	for i := range b.N {
		image := make([]float64, in.Elems())
		ref.Planes(image, b.Images[i*in.Elems():][:in.Elems()], in.C, in.H*in.W)
		p.values[0] = append(p.values[0], image...)
	}
	for i := 1; i < len(g.Nodes); i++ {
		if err := p.node(i, training); err != nil {
			return nil, fmt.Errorf("twin: %s: node %d %s: %w", g.Name, i, g.Nodes[i].Name, err)
		}
	}
	return p, nil
}

// images is how many copies of a node's value there are: one for all where it is constant.
func (p *pass) images(i int) int {
	if p.Graph.Nodes[i].Const {
		return 1
	}
	return p.N
}

func (p *pass) param(i int) []float64 {
	if i < 0 {
		return nil
	}
	return p.Params[i]
}

func (p *pass) node(i int, training bool) error {
	node := &p.Graph.Nodes[i]
	n := p.images(i)
	xs := interp.Inputs(p.Graph, i, p.values, n)
	params := interp.Params[float64]{
		Weight: p.param(node.Weight), Bias: p.param(node.Bias), Mean: p.param(node.Mean), Var: p.param(node.Var),
	}
	if training && node.Op == nn.BatchNorm && node.Momentum > 0 {
		s, err := p.statistics(node, xs[0], n)
		if err != nil {
			return err
		}
		p.norms[i], params.Mean, params.Var = s, s.mean, s.variance
	}
	y, err := interp.Node(p.Graph, i, xs, params, n)
	if factors := p.factors(i); training && factors != nil {
		ref.Mul(y, y, factors, 1, len(y))
	}
	p.values[i] = y
	return err
}

// factors is what training multiplies a node's elements by, nil for nothing.
func (p *pass) factors(i int) []float64 {
	if p.Graph.Nodes[i].Drop == 0 || p.Drop == nil {
		return nil
	}
	return p.Drop(i)
}

// statistics are a batch norm's, which also move its running ones: of the variance, the estimate with divisor elements − 1.
func (p *pass) statistics(node *nn.Node, x []float64, n int) (stats, error) {
	c, pixels := node.Out.C, node.Out.H*node.Out.W
	size := float64(n * pixels)
	if size < 2 {
		return stats{}, errors.New("a batch norm of one element a channel, want at least two: more images or larger ones")
	}
	s := stats{make([]float64, c), make([]float64, c)}
	ref.BatchStats(s.mean, s.variance, x, n, c, pixels)
	mean, variance := slices.Clone(p.Params[node.Mean]), slices.Clone(p.Params[node.Var])
	for ch := range c {
		mean[ch] += node.Momentum * (s.mean[ch] - mean[ch])
		variance[ch] += node.Momentum * (s.variance[ch]*size/(size-1) - variance[ch])
	}
	p.running[node.Mean], p.running[node.Var] = mean, variance
	return s, nil
}

// add adds to the gradient of a node's value. Where the value is one for all images, it takes the sum over them.
func (p *pass) add(i int, d []float64) {
	size := p.images(i) * p.Graph.Nodes[i].Out.Elems()
	if p.dvalues[i] == nil {
		p.dvalues[i] = make([]float64, size)
	}
	for k, v := range d {
		p.dvalues[i][k%size] += v
	}
}

// learn adds to the gradient of a parameter, if there is one.
func (p *pass) learn(i int, d []float64) {
	if i < 0 {
		return
	}
	if p.dparams[i] == nil {
		p.dparams[i] = make([]float64, len(d))
	}
	for k, v := range d {
		p.dparams[i][k] += v
	}
}

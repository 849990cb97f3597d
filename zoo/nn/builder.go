package nn

import (
	"cmp"
	"fmt"
)

// Value is a node's output as architecture code holds it.
type Value struct {
	Shape
	id int
}

// Node is the number of the node whose output it is.
func (x Value) Node() int { return x.id }

// Builder adds nodes to a graph. It keeps the first error and makes later calls no-ops, so that architecture code has
// no error checks; Build returns the error. In opens a name scope; builders of all scopes share one graph.
type Builder struct {
	*state
	scope string
}

type state struct {
	graph    Graph
	err      error
	names    map[string]bool
	Classes  int    // outputs of the classifier
	Size     int    // of the square input, in pixels
	Training bool   // whether dropout, stochastic depth and auxiliary heads are wanted
	Library  string // see Config
	expect   bool

	FromScratch bool // whether what only published weights need is left out
}

// Config is what a network is built for.
type Config struct {
	Size    int // square input in pixels
	Classes int // outputs of the classifier

	// Input is the image where it has another shape than three channels of Size×Size; zero for that.
	Input Shape

	Default int // the size at which the architecture's Expect calls hold

	// Training adds what evaluation leaves out: dropout, stochastic depth and auxiliary heads.
	Training bool

	// FromScratch leaves out what only published weights need: tables of positions are made for Size itself, not resampled to
	// it, and images are taken as they come.
	FromScratch bool

	// Library names the library whose network is wanted, where libraries compute one network differently: "" for the
	// architecture's own.
	Library string
}

// Limits on what a network is built for: far above any real use, and low enough that no count overflows.
const (
	maxSize    = 8192
	maxClasses = 1 << 20
)

// Build runs an architecture and returns its graph, or the first thing that did not fit.
func Build(name string, arch func(*Builder, Value) Value, c Config) (*Graph, error) {
	if c.Size < 1 || c.Size > maxSize {
		return nil, fmt.Errorf("nn: %s: input size %d, want 1 to %d", name, c.Size, maxSize)
	}
	if c.Classes < 1 || c.Classes > maxClasses {
		return nil, fmt.Errorf("nn: %s: %d classes, want 1 to %d", name, c.Classes, maxClasses)
	}
	g := &Builder{state: &state{
		graph:    Graph{Name: name, Classes: c.Classes},
		names:    map[string]bool{},
		Classes:  c.Classes,
		Size:     c.Size,
		Training: c.Training,
		Library:  c.Library,
		expect:   c.Size == c.Default,

		FromScratch: c.FromScratch,
	}}
	in := cmp.Or(c.Input, Shape{3, c.Size, c.Size})
	if min(in.C, in.H, in.W) < 1 || max(in.C, in.H, in.W) > maxSize {
		return nil, fmt.Errorf("nn: %s: images of %v, want sizes of 1 to %d", name, in, maxSize)
	}
	x := g.add(Node{Op: Input, Out: in})
	y := arch(g, x)
	if g.err != nil {
		return nil, fmt.Errorf("nn: %s at %d×%d: %w", name, in.H, in.W, g.err)
	}
	if y.id != len(g.graph.Nodes)-1 {
		return nil, fmt.Errorf("nn: %s: it returns node %d of %d, want the last one", name, y.id, len(g.graph.Nodes))
	}
	if g.graph.Nodes[y.id].Const {
		return nil, fmt.Errorf("nn: %s: its result does not depend on the image", name)
	}
	return &g.graph, nil
}

// In opens a name scope below this one, formatted as Sprintf does.
func (g *Builder) In(format string, args ...any) *Builder {
	return &Builder{g.state, g.full(fmt.Sprintf(format, args...))}
}

// Fail makes Build return this error: for a size or option that an architecture cannot have.
func (g *Builder) Fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf(format, args...)
	}
}

// Refused is the first thing that did not fit, nil if all did. The builder goes on without it.
func (g *Builder) Refused() error {
	err := g.err
	g.err = nil
	return err
}

// Conv is a convolution to out channels; its weight is (out, in/groups, H, W).
func (g *Builder) Conv(name string, x Value, out int, k Kernel) Value {
	if g.err != nil {
		return Value{}
	}
	name = g.full(name)
	if k.Groups == Depthwise {
		k.Groups = x.C
	}
	if out < 1 || k.Groups < 1 || x.C%k.Groups != 0 || out%k.Groups != 0 {
		g.Fail("%s: %d to %d channels in %d groups, which must divide both", name, x.C, out, k.Groups)
		return Value{}
	}
	k, oh, ow, err := k.resolve(x.H, x.W, false)
	if err != nil {
		g.Fail("%s: %w", name, err)
		return Value{}
	}
	n := node(Conv, x)
	n.Name, n.Out, n.Kernel = name, Shape{out, oh, ow}, k
	n.Weight = g.param(name+".weight", Learned, out, x.C/k.Groups, k.H, k.W)
	if k.Bias {
		n.Bias = g.param(name+".bias", Learned, out)
	}
	return g.add(n)
}

// Linear is a fully connected layer over channels, at every pixel, with a bias; its weight is (out, in).
func (g *Builder) Linear(name string, x Value, out int) Value { return g.linear(name, x, out, true) }

// LinearNoBias is Linear without a bias.
func (g *Builder) LinearNoBias(name string, x Value, out int) Value {
	return g.linear(name, x, out, false)
}

func (g *Builder) linear(name string, x Value, out int, bias bool) Value {
	if g.err != nil {
		return Value{}
	}
	name = g.full(name)
	n := node(Linear, x)
	n.Name, n.Out = name, Shape{out, x.H, x.W}
	n.Weight = g.param(name+".weight", Learned, out, x.C)
	if bias {
		n.Bias = g.param(name+".bias", Learned, out)
	}
	return g.add(n)
}

// BatchNorm normalises each channel by its running statistics. In training these take on a tenth of each batch's.
func (g *Builder) BatchNorm(name string, x Value, eps float64) Value {
	return g.BatchNormMomentum(name, x, eps, 0.1)
}

// BatchNormMomentum is BatchNorm whose running statistics take on another share of each batch's.
func (g *Builder) BatchNormMomentum(name string, x Value, eps, momentum float64) Value {
	return g.batchNorm(name, x, eps, momentum, true, true)
}

// BatchNormUnscaled is BatchNormMomentum without a weight: it shifts channels and does not scale them.
func (g *Builder) BatchNormUnscaled(name string, x Value, eps, momentum float64) Value {
	return g.batchNorm(name, x, eps, momentum, false, true)
}

// Standardize is (x − mean)/√variance by statistics that come with the weights, and that training neither moves nor
// replaces by a batch's.
func (g *Builder) Standardize(name string, x Value) Value {
	return g.batchNorm(name, x, 0, 0, false, false)
}

func (g *Builder) batchNorm(name string, x Value, eps, momentum float64, scales, shifts bool) Value {
	if g.err != nil {
		return Value{}
	}
	name = g.full(name)
	n := node(BatchNorm, x)
	n.Name, n.Out, n.Eps, n.Momentum = name, x.Shape, eps, momentum
	if scales {
		n.Weight = g.param(name+".weight", Learned, x.C)
	}
	if shifts {
		n.Bias = g.param(name+".bias", Learned, x.C)
	}
	n.Mean = g.param(name+".running_mean", Buffer, x.C)
	n.Var = g.param(name+".running_var", Buffer, x.C)
	return g.add(n)
}

// Activate applies a function to every element.
func (g *Builder) Activate(x Value, a Act) Value {
	if a == None {
		return x
	}
	n := node(Activate, x)
	n.Out, n.Act = x.Shape, a
	return g.add(n)
}

// ReLU is Activate with ReLU.
func (g *Builder) ReLU(x Value) Value { return g.Activate(x, ReLU) }

// MaxPool is the largest element of each window, which has no dilation and touches the image.
func (g *Builder) MaxPool(x Value, k Kernel) Value { return g.pool(MaxPool, x, k) }

// AvgPool is the mean of each window, which has no dilation and, where padding does not count, touches the image.
func (g *Builder) AvgPool(x Value, k Kernel) Value { return g.pool(AvgPool, x, k) }

func (g *Builder) pool(op Op, x Value, k Kernel) Value {
	if g.err != nil {
		return Value{}
	}
	k, oh, ow, err := k.resolve(x.H, x.W, true)
	if err != nil {
		g.Fail("%s in %s: %w", op, g.where(), err)
		return Value{}
	}
	if k.DH != 1 || k.DW != 1 {
		g.Fail("%s in %s: window %v with dilation %d×%d, want 1×1", op, g.where(), k, k.DH, k.DW)
		return Value{}
	}
	// A mean of padding alone is 0 where padding counts (NASNet's shifted samples); elsewhere there is none.
	if (op == MaxPool || k.ExcludePad) && !k.touches(x.H, x.W, oh, ow) {
		g.Fail("%s in %s: window %v with padding %v over %d×%d pixels: some windows contain padding only", op, g.where(), k, k.Pad, x.H, x.W)
		return Value{}
	}
	n := node(op, x)
	n.Out, n.Kernel = Shape{x.C, oh, ow}, k
	return g.add(n)
}

// AdaptiveAvgPool averages to h×w pixels, whatever the input's size.
func (g *Builder) AdaptiveAvgPool(x Value, h, w int) Value {
	if h < 1 || w < 1 {
		g.Fail("%s in %s: %v to %d×%d pixels, want at least 1×1", AdaptiveAvgPool, g.where(), x.Shape, h, w)
		return Value{}
	}
	n := node(AdaptiveAvgPool, x)
	n.Out = Shape{x.C, h, w}
	return g.add(n)
}

// GlobalAvgPool averages each channel to one number.
func (g *Builder) GlobalAvgPool(x Value) Value { return g.AdaptiveAvgPool(x, 1, 1) }

// Add sums values of one shape.
func (g *Builder) Add(xs ...Value) Value {
	if g.err != nil {
		return Value{}
	}
	for _, x := range xs[1:] {
		if x.Shape != xs[0].Shape {
			g.Fail("add in %s: %v and %v, want equal shapes", g.where(), xs[0].Shape, x.Shape)
			return Value{}
		}
	}
	n := node(Add, xs...)
	n.Out = xs[0].Shape
	return g.add(n)
}

// Mul multiplies x (C,H,W) by a gate of shape (C,1,1), or of x's own shape.
func (g *Builder) Mul(x, gate Value) Value {
	if g.err != nil {
		return Value{}
	}
	if gate.Shape != x.Shape && gate.Shape != (Shape{x.C, 1, 1}) {
		g.Fail("mul in %s: %v by %v, want the same shape or one pixel with as many channels", g.where(), x.Shape, gate.Shape)
		return Value{}
	}
	n := node(Mul, x, gate)
	n.Out = x.Shape
	return g.add(n)
}

// Concat lays values of equal rows and columns behind one another along channels.
func (g *Builder) Concat(xs ...Value) Value {
	if g.err != nil {
		return Value{}
	}
	out := Shape{0, xs[0].H, xs[0].W}
	for _, x := range xs {
		if x.H != out.H || x.W != out.W {
			g.Fail("concat in %s: %v and %v, want equal rows and columns", g.where(), xs[0].Shape, x.Shape)
			return Value{}
		}
		out.C += x.C
	}
	n := node(Concat, xs...)
	n.Out = out
	return g.add(n)
}

// Flatten lays an image's elements in one row, channel by channel.
func (g *Builder) Flatten(x Value) Value {
	n := node(Flatten, x)
	n.Out = Shape{x.Elems(), 1, 1}
	return g.add(n)
}

// Unflatten lays a vector's elements out as an image, in the order in which Flatten takes them. Behind a Flatten it gives the
// same elements another shape.
func (g *Builder) Unflatten(x Value, s Shape) Value {
	if g.err != nil {
		return Value{}
	}
	if x.H != 1 || x.W != 1 || min(s.C, s.H, s.W) < 1 || s.Elems() != x.C {
		g.Fail("unflatten in %s: %v to %v, want a vector of as many elements", g.where(), x.Shape, s)
		return Value{}
	}
	n := node(Unflatten, x)
	n.Out = s
	return g.add(n)
}

// Expect fails the build unless x has the shape that the paper prints; checked at the architecture's own input size
// only.
func (g *Builder) Expect(x Value, want Shape) Value {
	if g.err == nil && g.expect && x.Shape != want {
		g.Fail("%s: shape %v, want %v", g.where(), x.Shape, want)
	}
	return x
}

// Aux lists what published files have and the result does not need, a parameter of an auxiliary head or a fixed table:
// a loader accepts and ignores it.
func (g *Builder) Aux(name string, shape ...int) { g.param(g.full(name), Aux, shape...) }

func (g *Builder) full(name string) string {
	if g.scope == "" {
		return name
	}
	return g.scope + "." + name
}

func (g *Builder) where() string {
	if g.scope == "" {
		return g.graph.Name
	}
	return g.scope
}

func (g *Builder) param(name string, kind Kind, shape ...int) int {
	if g.names[name] {
		g.Fail("%s: two parameters of this name", name)
	}
	for _, d := range shape {
		if d < 1 {
			g.Fail("%s: shape %v, want at least 1 everywhere", name, shape)
		}
	}
	g.names[name] = true
	g.graph.Params = append(g.graph.Params, Param{name, shape, kind})
	return len(g.graph.Params) - 1
}

func node(op Op, in ...Value) Node {
	n := Node{Op: op, Weight: -1, Bias: -1, Mean: -1, Var: -1}
	for _, x := range in {
		n.In = append(n.In, x.id)
	}
	return n
}

func (g *Builder) add(n Node) Value {
	if g.err != nil {
		return Value{}
	}
	if n.Op == Input {
		n.Weight, n.Bias, n.Mean, n.Var = -1, -1, -1, -1
	}
	n.Const = n.Op == Const || n.Op == RelCoords || len(n.In) > 0
	for _, in := range n.In {
		n.Const = n.Const && g.graph.Nodes[in].Const
	}
	g.graph.Nodes = append(g.graph.Nodes, n)
	return Value{n.Out, len(g.graph.Nodes) - 1}
}

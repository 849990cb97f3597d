// Package nn is the network as a graph: what each layer computes, its output's shape, its parameters' names and shapes,
// and what it costs. Parameters, multiply-accumulates, activations and state-dict names all come from this one graph;
// the oracle (zoo/interp) and the engine (zoo/engine) both run it.
//
// The contract: a Graph is immutable once Build has returned it. Shapes are per image, (C,H,W); a batch is the runner's
// business. Nodes stand in an order in which each comes after its inputs, the last one is the output. A parameter's
// name is the state-dict name of the reference checkpoint. An architecture that does not fit (a size too small, a
// window too large) makes Build return an error that names the layer.
//
// It leaves to others what numbers are in the parameters (zoo/weights) and how anything is computed.
package nn

import "fmt"

// Shape is one image's activation: channels, rows, columns. A row of tokens is C×1×tokens; a vector is C×1×1.
type Shape struct{ C, H, W int }

// Elems is the number of elements.
func (s Shape) Elems() int { return s.C * s.H * s.W }

// String is "C×H×W".
func (s Shape) String() string { return fmt.Sprintf("%d×%d×%d", s.C, s.H, s.W) }

// Op says what a node computes.
type Op uint8

// The operations. Conv and Linear carry a Weight and maybe a Bias; the norms carry Weight and Bias, BatchNorm also
// Mean and Var, and maybe no Weight, or neither; Scale, ChannelConv and Const carry a Weight.
const (
	Input           Op = iota
	Conv               // Kernel
	Linear             // over channels, at every pixel
	BatchNorm          // y = (x − Mean)/√(Var + Eps) · Weight + Bias
	Activate           // Act
	MaxPool            // Kernel; padding never wins
	AvgPool            // Kernel
	AdaptiveAvgPool    // to Out's pixels, PyTorch's bins: rows ⌊i·H/OH⌋ to ⌈(i+1)·H/OH⌉
	Add                // of two or more values of one shape
	Mul                // x (C,H,W) by a gate (C,1,1) or by a value of its own shape
	Concat             // along channels
	Flatten            // (C,H,W) to (C·H·W,1,1), C slowest
	Unflatten          // and back, to Out
	Identity           // its input; in training with Drop, what a dropout leaves of it
	Slice              // channels From to To
	Shuffle            // channel j·Groups + g is channel g·C/Groups + j of the input
	Affine             // y = x · Scale + Shift, constants by channel
	Pad                // zeros around the image, as Kernel.Pad says
	GroupNorm          // over a group's channels and all pixels, y = (x − mean)/√(var + Eps) · Weight + Bias
	LayerNorm          // over a pixel's channels, the same formula
	Scale              // y = x · Weight, by channel
	SplitSoftmax       // over Groups equal ranges of channels, channel by channel
	ChannelConv        // along the channels of a vector, zeros beyond its ends
	Tokens             // (C,H,W) to (C,1,H·W)
	Grid               // (C,1,H·W) to (C,H,W)
	SliceTokens        // tokens From to To
	ConcatTokens       // along W
	Const              // Weight, its memory read as (H,W,C)
	RelCoords          // offsets between the pixels of a grid, on a log scale
	Resample           // FromGrid to ToGrid, Prefix tokens left alone
	Attention          // Attention
	numOps
)

var opNames = [numOps]string{
	Input: "input", Conv: "conv", Linear: "linear", BatchNorm: "batch_norm", Activate: "act", MaxPool: "max_pool",
	AvgPool: "avg_pool", AdaptiveAvgPool: "adaptive_avg_pool", Add: "add", Mul: "mul", Concat: "concat",
	Flatten: "flatten", Unflatten: "unflatten", Identity: "identity", Slice: "slice", Shuffle: "shuffle", Affine: "affine", Pad: "pad",
	GroupNorm: "group_norm", LayerNorm: "layer_norm", Scale: "scale", SplitSoftmax: "split_softmax",
	ChannelConv: "channel_conv", Tokens: "tokens", Grid: "grid", SliceTokens: "slice_tokens",
	ConcatTokens: "concat_tokens", Const: "const", RelCoords: "rel_coords", Resample: "resample", Attention: "attention",
}

// String is the operation's name in tables and records.
func (o Op) String() string { return opNames[o] }

// Ops is every operation, for tests that go over all of them.
func Ops() []Op { return upTo(numOps) }

// Acts is every activation function but None.
func Acts() []Act { return upTo(numActs)[1:] }

func upTo[T ~uint8](end T) []T {
	all := make([]T, end)
	for i := range all {
		all[i] = T(i)
	}
	return all
}

// Act is an activation function.
type Act uint8

// The activation functions, each a function of its own where libraries differ.
const (
	None        Act = iota
	ReLU            // max(x, 0)
	ReLU6           // min(max(x, 0), 6)
	Sigmoid         // 1/(1 + e^−x)
	SiLU            // x · sigmoid(x)
	HardSigmoid     // min(max(x + 3, 0), 6)/6
	HardSwish       // x · hardsigmoid(x)
	GELU            // x · Φ(x), by erf
	GELUTanh        // x/2 · (1 + tanh(√(2/π)·(x + 0.044715x³)))
	numActs
)

var actNames = [numActs]string{"none", "relu", "relu6", "sigmoid", "silu", "hard_sigmoid", "hard_swish", "gelu", "gelu_tanh"}

// String is the activation's name in tables and records.
func (a Act) String() string { return actNames[a] }

// Kind is what a parameter is to the counts and to a loader.
type Kind uint8

// The kinds of parameter.
const (
	Learned Kind = iota // counted
	Buffer              // running statistics: loaded, not counted
	Aux                 // an auxiliary head's or a fixed table: in published files, accepted and ignored, not counted
)

// Param is one tensor of the state dict, in PyTorch's row-major order.
type Param struct {
	Name  string
	Shape []int
	Kind  Kind
}

// Elems is the number of elements.
func (p Param) Elems() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// Node is one layer.
type Node struct {
	Op   Op
	Name string // scope and layer, as the checkpoint has it; "" where the layer has no parameters
	In   []int  // indices into Graph.Nodes, each below this node's own
	Out  Shape

	Kernel Kernel // Conv and pools, padding resolved; Pad's edges
	Act    Act
	Eps    float64
	Groups int // GroupNorm, Shuffle, SplitSoftmax

	From, To         int           // Slice and SliceTokens: from From up to, not including, To
	Scale, Shift     []float64     // Affine, one of each for every channel
	FromGrid, ToGrid [2]int        // Resample: rows and columns
	Prefix           int           // Resample: tokens before the grid's
	Attention        AttentionSpec // Scale filled in; its bias, if any, is In[1]

	// Momentum is the share of a batch's statistics that goes into the running ones of a BatchNorm; with 0 it takes the
	// running ones in training too.
	Momentum float64

	// Drop is the share of elements, or with DropImages of whole images, that an Identity makes zero in training; it
	// multiplies what is left by 1/(1 − Drop).
	Drop       float64
	DropImages bool

	// Const means that the value depends on parameters alone: it is the same for all images, and a runner keeps one
	// copy and lends it to each.
	Const bool

	// Parameters by their role, indices into Graph.Params; -1 where there is none.
	Weight, Bias, Mean, Var int
}

// Graph is one network at one input size and class count.
type Graph struct {
	Name    string
	Classes int
	Nodes   []Node
	Params  []Param
	Heads   []Head // auxiliary ones, of a graph built for training
}

// Head is an auxiliary classifier: training adds its own loss, times Weight, to the network's.
type Head struct {
	Node   int
	Weight float64
}

// Input is the shape of one image.
func (g *Graph) Input() Shape { return g.Nodes[0].Out }

// Output is the shape of one image's result.
func (g *Graph) Output() Shape { return g.Nodes[len(g.Nodes)-1].Out }

// Spread reports whether input k of node i is one value for all images while the node computes each image: a runner lends
// it to every one of them. An attention's bias is not, as it is one for all by its definition.
func (g *Graph) Spread(i, k int) bool {
	n := &g.Nodes[i]
	return g.Nodes[n.In[k]].Const && !n.Const && !(n.Op == Attention && k > 0)
}

// ParamCount is the number of learned elements: running statistics and auxiliary heads left out.
func (g *Graph) ParamCount() int64 {
	var n int64
	for _, p := range g.Params {
		if p.Kind == Learned {
			n += int64(p.Elems())
		}
	}
	return n
}

// ElementCount is the number of elements of all parameters that evaluation reads, and of what published files have beside
// them: running statistics too. Keras calls it the number of parameters.
func (g *Graph) ElementCount() int64 {
	var n int64
	for _, p := range g.Params {
		n += int64(p.Elems())
	}
	return n
}

// MACs is the number of multiply-accumulates of one image: convolutions, linear layers and matrix products, both
// attention products included; no bias, norm, activation, pool or softmax. FLOPs are twice this.
func (g *Graph) MACs() int64 {
	var n int64
	for i := range g.Nodes {
		n += g.NodeMACs(i)
	}
	return n
}

// NodeMACs is one node's share of MACs. A constant layer's count as if it were computed for each image, although a
// runner may do so once for all: those of CoAtNet's rmlp networks, which make biases of positions, are such.
func (g *Graph) NodeMACs(i int) int64 {
	n := &g.Nodes[i]
	switch n.Op {
	case Conv, Linear:
		w := g.Params[n.Weight]
		return int64(w.Elems()) * int64(n.Out.H) * int64(n.Out.W)
	case ChannelConv:
		return int64(g.Params[n.Weight].Elems()) * int64(n.Out.C)
	case Attention:
		return 2 * int64(n.Out.Elems()) * int64(n.keys())
	}
	return 0
}

// keys is how many tokens each token of an attention sees.
func (n *Node) keys() int {
	if w := n.Attention.Window; w > 0 {
		return w * w
	}
	return n.Out.H * n.Out.W
}

// Activations is the number of elements that convolutions, linear layers and matrix products put out for one image.
func (g *Graph) Activations() int64 {
	var n int64
	for i := range g.Nodes {
		n += g.nodeActivations(i)
	}
	return n
}

// nodeActivations is one node's share of Activations: an attention's are the products of all queries and keys of each
// head, and its result.
func (g *Graph) nodeActivations(i int) int64 {
	n := &g.Nodes[i]
	switch {
	case g.NodeMACs(i) == 0:
		return 0
	case n.Op == Attention:
		tokens := int64(n.Out.H) * int64(n.Out.W)
		return tokens*int64(n.keys())*int64(n.Attention.Heads) + int64(n.Out.Elems())
	}
	return int64(n.Out.Elems())
}

// NodeParams is the number of learned elements of one node.
func (g *Graph) NodeParams(i int) int64 {
	var sum int64
	n := &g.Nodes[i]
	for _, p := range []int{n.Weight, n.Bias} {
		if p >= 0 {
			sum += int64(g.Params[p].Elems())
		}
	}
	return sum
}

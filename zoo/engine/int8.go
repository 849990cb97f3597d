package engine

import (
	"fmt"
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// Quantized is the numbers by which an engine computes in bytes; zoo/quantize makes them. A layer is computed in int8 if Layers
// has it, and what lies between such layers follows where a kernel for bytes exists. Everything else is computed in float32,
// and so is all of a network without Layers: that is the plan by which values are watched.
type Quantized struct {
	Layers map[int]Filters       // by a layer's first node
	Values map[int]kernels.Quant // by node: how the value that a step writes becomes bytes
	Factor map[int][]float32     // by node: what each channel of its value is multiplied by, and its readers' weights divided by

	// Apart makes a step of its own of each activation that int8 computes by a table, so that RunWatched sees its input too.
	Apart bool
}

// Filters are a layer's weights in int8, batch norm and factors multiplied in.
type Filters struct {
	Weight []int8    // output channel by output channel, each (C/Groups, KH, KW), from −127 to 127
	Scale  []float32 // by output channel: what one unit of Weight stands for
	Bias   []float32 // by output channel
	Steps  []int32   // the biases in steps of the sums where these are known; nil means that Bias is rounded to them
}

// precisionOf is the precision of a step, by the form of what it writes or reads.
func precisionOf(bytes bool) string {
	if bytes {
		return Int8
	}
	return Float32
}

// A Product is a layer with weights, as int8 computes it.
type Product struct {
	Node  int   // its first one, the key of Quantized.Layers
	Nodes []int // all that are computed with it
	Name  string
	MACs  int64

	Input     int // node whose value it reads
	From      int // the first channel that it reads of it
	C, Groups int // channels that it reads, and into how many groups they are cut
	OC        int // channels that it writes
	Depth     int // elements of an output channel's filter

	Filter func(oc int, dst []float32) // writes an output channel's weights as they are after folding
	Failed func() error                // the first error of Filter
	Bias   []float32                   // after folding, nil for none
}

// A Sketch is what a quantiser needs to know of a plan in bytes.
type Sketch struct {
	Products []Product
	Values   []int         // nodes whose values steps write, and 0
	Same     [][2]int      // values whose bytes are the same bytes moved: the second has the scale of the first
	Concats  map[int][]int // by a concatenation's node: the values that it joins
	Movable  []Movable

	// With the layers that the plan's numbers have:
	Home  []int           // by node: the node in whose memory its value is, itself for most
	Bytes []bool          // by node: whether its value is rounded to bytes where a step makes it, or on the way to a table
	Reads map[[2]int]bool // by a node and one that it reads: whether it takes that value in bytes
}

// A Movable is a value whose channels may be multiplied by factors that its readers' weights take back.
type Movable struct {
	Value   int
	Readers []int // first nodes of the layers that read it
}

// NewSketch looks at a plan in bytes: q has its factors, and may be empty. w is read until the sketch is used no more; without
// it, layers have neither Filter nor Bias; nor have those that are in q.
func NewSketch(g *nn.Graph, w Weights, q *Quantized) (*Sketch, error) {
	p := &planner{Engine: &Engine{graph: g}, weights: w, options: Options{Quantized: q}}
	p.unify()
	s := &Sketch{Values: []int{0}, Concats: map[int][]int{}}
	for k := range p.groups {
		gr := &p.groups[k]
		n := &g.Nodes[gr.nodes[0]]
		s.Values = append(s.Values, gr.last())
		if before := p.before(gr); before != gr.last() {
			s.Values = append(s.Values, before)
		}
		switch n.Op {
		case nn.Conv, nn.Linear:
			made, err := p.product(gr)
			if err != nil {
				return nil, fmt.Errorf("engine: %s: %w", g.Name, err)
			}
			s.Products = append(s.Products, made)
		case nn.MaxPool, nn.Shuffle, nn.Pad, nn.SliceTokens:
			s.Same = append(s.Same, [2]int{p.alias[n.In[0]], gr.last()})
		case nn.Concat, nn.ConcatTokens:
			for _, in := range n.In {
				s.Concats[gr.last()] = append(s.Concats[gr.last()], p.alias[in])
			}
		}
		if m, ok := p.movable(gr); ok {
			s.Movable = append(s.Movable, m)
		}
	}
	p.formats()
	p.rounding(s)
	return s, nil
}

// rounding notes which values are bytes where.
func (p *planner) rounding(s *Sketch) {
	s.Home, s.Bytes, s.Reads = p.alias, slices.Clone(p.inBytes), map[[2]int]bool{}
	for k := range p.groups {
		g := &p.groups[k]
		if before := p.before(g); before != g.last() && p.int8[k] {
			s.Bytes[before] = true
		}
		p.reads(k, func(reader, node int, bytes bool) { s.Reads[[2]int{reader, node}] = bytes })
	}
}

// product describes a layer with weights.
func (p *planner) product(g *group) (Product, error) {
	n := &p.graph.Nodes[g.nodes[0]]
	shape := p.geometry(g)
	var filter func(oc int, dst []float32)
	var bias []float32
	if _, has := p.options.Quantized.Layers[g.nodes[0]]; p.weights != nil && !has {
		var err error
		if filter, bias, err = p.filters(g); err != nil {
			return Product{}, err
		}
	}
	source := n.In[0]
	if g.flatten >= 0 {
		source = g.flatten
	}
	return Product{
		Node: g.nodes[0], Nodes: g.nodes, Name: n.Name, MACs: p.graph.NodeMACs(g.nodes[0]),
		Input: p.alias[source], From: p.channel[source], C: shape.C, Groups: shape.Groups,
		Filter: filter, Bias: bias, OC: shape.OC, Depth: shape.C / shape.Groups * shape.KH * shape.KW,
		Failed: func() error {
			if err := p.failed.Load(); err != nil {
				return *err
			}
			return nil
		},
	}, nil
}

// before is the node whose value a group has computed when only an activation by table is left to do; its last node where
// there is none.
func (p *planner) before(g *group) int {
	if len(g.nodes) > 1 && p.graph.Nodes[g.last()].Op == nn.Activate && byTable(g.act) {
		return g.nodes[len(g.nodes)-2]
	}
	return g.last()
}

// byTable reports whether int8 computes an activation by a table rather than by a clamp.
func byTable(a nn.Act) bool { return a != nn.None && a != nn.ReLU && a != nn.ReLU6 }

// movable reports whether a group's value may be multiplied channel by channel: nothing but products, each over all of its
// channels, reads it, and what makes it commutes with a positive factor.
func (p *planner) movable(g *group) (Movable, bool) {
	nodes := p.graph.Nodes
	m := Movable{Value: g.last()}
	switch op := nodes[g.nodes[0]].Op; {
	case op == nn.LayerNorm && nodes[g.nodes[0]].Weight >= 0 && g.act == nn.None:
	case (op == nn.Conv || op == nn.Linear) && len(g.residual) == 0 && (g.act == nn.None || g.act == nn.ReLU):
	default:
		return m, false
	}
	same := map[int]bool{m.Value: true} // the value, whatever name it goes by
	for i := m.Value + 1; i < len(nodes); i++ {
		n := &nodes[i]
		at := slices.IndexFunc(n.In, func(in int) bool { return same[in] })
		switch {
		case at < 0:
		case p.owner[i] < 0 && !n.Const && n.Op != nn.Flatten && n.Op != nn.Slice:
			same[i] = true
		case at == 0 && p.owner[i] >= 0 && (n.Op == nn.Conv || n.Op == nn.Linear) && p.groups[p.owner[i]].flatten < 0 && n.Kernel.StdEps == 0:
			m.Readers = append(m.Readers, i)
		default:
			return m, false
		}
	}
	return m, len(m.Readers) > 0 && !same[len(nodes)-1]
}

// factors are what a value's channels are multiplied by, nil for nothing.
func (p *planner) factors(node int) []float32 {
	if p.options.Quantized == nil {
		return nil
	}
	return p.options.Quantized.Factor[node]
}

// RunWatched is Run that shows the value that each step writes, as soon as it is there; of bytes the numbers that they stand for.
// Of an engine made to be watched these are all values that a plan in bytes has. A value is given under the node that computes it.
func (e *Engine) RunWatched(dst, src []float32, n int, watch func(node int, value kernels.Tensor)) {
	e.begin(dst, src, n)
	next := 0
	run := func(from, to, first, n int) {
		for i := from; i < to; i++ {
			e.runStep(&e.steps[i], first, n)
			for ; next < len(e.written) && e.written[next].steps <= i+1; next++ {
				if w := e.written[next]; w.at.bytes {
					watch(w.node, numbersOf(e.tensor8(w.at, first, n)))
				} else {
					watch(w.node, e.tensor(w.at, first, n))
				}
			}
		}
	}
	for first := 0; first < n; first += e.few {
		next = 0
		run(0, e.byImage, first, min(e.few, n-first))
	}
	run(e.byImage, len(e.steps), 0, n)
	e.finish(dst, n)
}

// numbersOf are the numbers that bytes stand for.
func numbersOf(t kernels.Tensor8) kernels.Tensor {
	x := kernels.Tensor{Data: make([]float32, t.Pixels()*t.C), N: t.N, H: t.H, W: t.W, C: t.C, Stride: t.C}
	for p := range t.Pixels() {
		for c, b := range t.Data[p*t.Stride:][:t.C] {
			x.Data[p*t.C+c] = float32(int(b)-int(t.Zero)) * t.Scale
		}
	}
	return x
}

// A written is a value that is there when so many steps are done.
type written struct {
	steps, node int
	at          place
}

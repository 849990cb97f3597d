package engine

import (
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// formats decides which groups are computed in bytes and which values are kept as bytes. Layers of which there are int8 weights
// are; what only moves, joins or scales values is if what it reads comes from such a group and one of its readers is one
// too. A value is kept as bytes if all that read it want bytes; if they differ, the step that makes it writes float32, and a
// copy in bytes is made for the others.
func (p *planner) formats() {
	nodes := p.graph.Nodes
	p.int8, p.inBytes = make([]bool, len(p.groups)), make([]bool, len(nodes))
	p.copies, p.converted = map[int]place{}, map[int]bool{}
	if p.options.Quantized == nil {
		return
	}
	readers := p.readers()
	for k := range p.groups {
		p.int8[k] = p.capable(k)
	}
	for changed := true; changed; {
		changed = false
		for k := len(p.groups) - 1; k >= 0; k-- {
			if p.int8[k] && !p.isProduct(k) && !(anyOf(readers[k], p.int8) && p.fromBytes(k)) {
				p.int8[k], changed = false, true
			}
		}
	}
	for k := len(p.groups) - 1; k >= 0; k-- {
		last := p.groups[k].last()
		g := &p.groups[k]
		p.inBytes[last] = p.int8[k] && (!p.writesEither(k) || p.known(last) && p.knownSummands(g) && p.allBytes(last, readers[k]))
	}
}

// writesEither reports whether group k has a kernel in bytes that can write float32 too.
func (p *planner) writesEither(k int) bool {
	g := &p.groups[k]
	return p.isProduct(k) && p.before(g) == g.last() && !p.byChannel(g)
}

// knownSummands reports whether the scales of all values that a group adds are.
func (p *planner) knownSummands(g *group) bool {
	return !slices.ContainsFunc(g.residual, func(i int) bool { return !p.known(p.alias[i]) })
}

// readers are the groups that read each group's value, by group; whoever reads the output is not among them.
func (p *planner) readers() [][]int {
	all := make([][]int, len(p.groups))
	for k := range p.groups {
		p.reads(k, func(_, node int, _ bool) {
			if of := p.owner[p.alias[node]]; of >= 0 {
				all[of] = append(all[of], k)
			}
		})
	}
	return all
}

// reads calls f for each value from outside that group k reads, with the node that reads it, and in which form it does.
func (p *planner) reads(k int, f func(reader, node int, bytes bool)) {
	g := &p.groups[k]
	for at, i := range g.nodes {
		for _, in := range p.graph.Nodes[i].In {
			if p.owner[p.alias[in]] == k {
				continue
			}
			home := p.alias[in]
			switch op := p.graph.Nodes[i].Op; {
			case op == nn.Concat || p.graph.Nodes[home].Const:
				f(i, in, p.inBytes[home]) // it takes either form
			case at > 0 && p.isProduct(k):
				f(i, in, p.inBytes[g.last()]) // a sum takes the form of its result
			default:
				f(i, in, p.int8[k])
			}
		}
	}
}

// isProduct reports whether a group is a layer with weights.
func (p *planner) isProduct(k int) bool {
	op := p.graph.Nodes[p.groups[k].nodes[0]].Op
	return op == nn.Conv || op == nn.Linear
}

// capable reports whether there are a kernel and numbers to compute group k in bytes.
func (p *planner) capable(k int) bool {
	q, g := p.options.Quantized, &p.groups[k]
	n := &p.graph.Nodes[g.nodes[0]]
	if p.writesEither(k) {
		_, ok := q.Layers[g.nodes[0]]
		return ok && p.known(p.alias[n.In[0]])
	}
	for _, i := range g.nodes {
		for _, in := range p.graph.Nodes[i].In {
			// A concatenation takes parts in either form.
			if home := p.alias[in]; p.owner[home] != k && !p.known(home) && (n.Op != nn.Concat || p.owner[home] < 0) {
				return false
			}
		}
	}
	if !p.known(g.last()) {
		return false
	}
	switch n.Op {
	case nn.Conv, nn.Linear:
		_, ok := q.Layers[g.nodes[0]]
		return ok && p.known(p.before(g)) && p.knownSummands(g)
	case nn.AvgPool, nn.AdaptiveAvgPool, nn.Concat:
		return true
	case nn.MaxPool, nn.ConcatTokens, nn.Shuffle, nn.Pad, nn.SliceTokens:
		for _, in := range n.In {
			if p.quant(p.alias[in]) != p.quant(g.last()) {
				return false // bytes are moved as they are
			}
		}
		return true
	case nn.BatchNorm, nn.Scale, nn.Affine, nn.Activate, nn.Add, nn.Mul:
		return p.known(p.before(g))
	}
	return false
}

// known reports whether a value's scale is.
func (p *planner) known(node int) bool {
	_, ok := p.options.Quantized.Values[node]
	return ok
}

// fromBytes reports whether all values that a group reads come from groups in bytes, or are the images.
func (p *planner) fromBytes(k int) bool {
	all := true
	p.reads(k, func(_, node int, _ bool) {
		home := p.alias[node]
		all = all && (home == 0 || p.owner[home] >= 0 && p.int8[p.owner[home]])
	})
	return all
}

// allBytes reports whether a value is the output of none and all that read it want bytes.
func (p *planner) allBytes(value int, readers []int) bool {
	all := p.alias[len(p.graph.Nodes)-1] != value
	for _, k := range readers {
		p.reads(k, func(_, node int, bytes bool) {
			if p.alias[node] == value {
				all = all && (bytes || p.int8[k] && p.graph.Nodes[p.groups[k].nodes[0]].Op == nn.Concat)
			}
		})
	}
	return all
}

func anyOf(of []int, is []bool) bool {
	for _, k := range of {
		if is[k] {
			return true
		}
	}
	return false
}

// quant is the scale of a value, zero where it has none.
func (p *planner) quant(node int) kernels.Quant {
	if p.options.Quantized == nil {
		return kernels.Quant{}
	}
	return p.options.Quantized.Values[node]
}

// alike reports whether two values are kept in one form, so that one may be a part of the other.
func (p *planner) alike(a, b int) bool {
	return p.inBytes[a] == p.inBytes[b] && (!p.inBytes[a] || p.quant(a) == p.quant(b))
}

// in is the place of a node's value in the form that is asked for: its own, or a copy's.
func (p *planner) in(node int, bytes bool) place {
	home, at := p.alias[node], p.at(node)
	if at.bytes == bytes || at.buffer == constBuffer {
		return at
	}
	other, ok := p.copies[home]
	if !ok {
		other = p.room(p.graph.Nodes[home].Out, bytes, p.quant(home))
		p.copies[home] = other
	}
	other.channel, other.shape = p.channel[node], at.shape
	return other
}

// scaled multiplies a copy of x by factors, if there are any.
func scaled(x, factors []float32) []float32 {
	if x == nil || factors == nil {
		return x
	}
	out := make([]float32, len(x))
	for c, v := range x {
		out[c] = v * factors[c]
	}
	return out
}

// divideInputs divides a filter by the factors of the channels that it reads, group by group of them.
func divideInputs(filter, factors []float32, group, taps int) {
	first := group * (len(filter) / taps)
	for k := range filter {
		filter[k] /= factors[first+k/taps]
	}
}

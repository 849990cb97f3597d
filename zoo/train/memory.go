package train

import (
	"cmp"
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// A value is a node's own or its gradient.
type value struct {
	node     int
	gradient bool
}

// A block is a value's memory: from the first to the last moment at which something wants it, both included. Node i is computed
// at moment i; its gradient is taken on at moment 2·nodes − 1 − i; the loss stands between.
type block struct {
	value
	first, last int
	size        int // elements
	at          int // where it was placed
}

func (net *Network) tensorOf(v value) *kernels.Tensor {
	if v.gradient {
		return &net.dvalues[v.node]
	}
	return &net.values[v.node]
}

// lives says how long each value is wanted.
//
// It needs no layers and no parameters.
func (net *Network) lives() []block {
	g := net.Graph
	nodes := len(g.Nodes)
	back := func(i int) int { return 2*nodes - 1 - i }
	var blocks []block
	results := map[int]bool{nodes - 1: true}
	for _, h := range g.Heads {
		results[h.Node] = true
	}
	lastRead, firstGiven := make([]int, nodes), make([]int, nodes)
	for i := range nodes {
		lastRead[i], firstGiven[i] = i, back(i)
		if results[i] {
			lastRead[i], firstGiven[i] = nodes, nodes
		}
		n := &g.Nodes[i]
		reads := net.reads(i)
		if net.wanted[i] && reads.result {
			lastRead[i] = back(i)
		}
		for _, in := range n.In {
			lastRead[in] = max(lastRead[in], i)
			if net.wanted[i] && reads.inputs {
				lastRead[in] = max(lastRead[in], back(i))
			}
			firstGiven[in] = min(firstGiven[in], back(i))
		}
	}
	for i := range nodes {
		size := net.images(i) * g.Nodes[i].Out.Elems()
		first := i
		if net.joined[i] {
			first = g.Nodes[i].In[0]
		}
		if net.clamp[i] == 0 {
			blocks = append(blocks, block{value: value{i, false}, first: first, last: lastRead[i], size: size})
		}
		if net.wanted[i] {
			blocks = append(blocks, block{value: value{i, true}, first: firstGiven[i], last: back(i), size: size})
		}
	}
	return blocks
}

// reads is what a node's gradient is computed from, beside the gradient of its result.
type reads struct{ inputs, result bool }

func (net *Network) reads(i int) reads {
	n := &net.Graph.Nodes[i]
	if slow(net.Graph, i) {
		return reads{inputs: true, result: true}
	}
	switch n.Op {
	case nn.AvgPool, nn.AdaptiveAvgPool, nn.Add, nn.Concat, nn.Slice, nn.Flatten, nn.Unflatten, nn.Identity, nn.Tokens,
		nn.Grid, nn.Affine, nn.Shuffle:
		return reads{}
	case nn.MaxPool:
		return reads{inputs: true, result: true}
	case nn.Activate:
		return reads{inputs: !clamps(n.Act), result: clamps(n.Act)}
	}
	return reads{inputs: true}
}

// place gives blocks that are alive at one moment memory apart, the largest first, each the lowest that is free. It returns how
// much that takes in all.
func place(blocks []block) (total int) {
	order := make([]*block, len(blocks))
	for i := range blocks {
		order[i] = &blocks[i]
	}
	slices.SortStableFunc(order, func(a, b *block) int { return cmp.Compare(b.size, a.size) })
	for i, b := range order {
		var others []*block // by place
		for _, o := range order[:i] {
			if o.first <= b.last && b.first <= o.last {
				others = append(others, o)
			}
		}
		slices.SortFunc(others, func(a, b *block) int { return cmp.Compare(a.at, b.at) })
		for _, o := range others {
			if o.at-b.at >= b.size {
				break
			}
			b.at = max(b.at, o.at+o.size)
		}
		total = max(total, b.at+b.size)
	}
	return total
}

// Bytes is about how much memory a Network over batches of n images takes: values and gradients of a pass, parameters with
// their gradients, and the convolutions' weights packed for forward and backward, of which F(4×4, 3×3) has 36 for 9.
func Bytes(g *nn.Graph, o Options) int64 {
	net := &Network{Graph: g, n: o.Batch}
	net.want(o)
	net.join()
	elements := int64(place(net.lives()))
	largest := 0
	for i := range g.Nodes {
		largest = max(largest, o.Batch*g.Nodes[i].Out.Elems())
	}
	elements += int64(largest)
	for i, p := range g.Params {
		if p.Kind == nn.Aux {
			continue
		}
		elements += int64(p.Elems())
		if net.learned[i] {
			elements += int64(p.Elems())
		}
		if len(p.Shape) > 1 {
			elements += 2 * int64(p.Elems())
		}
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Op == nn.Conv && !slow(g, i) {
			if s := net.convShape(i); s.PrefersWinograd() {
				elements += 2 * int64(g.Params[n.Weight].Elems()) * (36 - 9) / 9
			}
		}
	}
	return 4 * elements
}

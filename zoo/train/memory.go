package train

import (
	"cmp"
	"runtime"
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// A value is a node's own, as it is computed first or again, or its gradient.
type value struct {
	node     int
	gradient bool
	again    bool
}

// A block is a value's memory: from the first to the last moment of the schedule at which something wants it, both included.
type block struct {
	value
	first, last int
	size        int // elements
	at          int // where it was placed
}

// blocks says how long each value is wanted.
//
// It needs no layers and no parameters.
func (net *Network) blocks(s *schedule) []block {
	g := net.Graph
	results, readers := net.results(), net.readers()
	var blocks []block
	for i := range g.Nodes {
		size := net.images(i) * g.Nodes[i].Out.Elems()
		whole := net.clamp[i] == 0 // else its memory is the clamp's
		first, again := s.forward[i], s.again[i]
		if net.joined[i] {
			in := g.Nodes[i].In[0]
			first = s.forward[in]
			if again > 0 {
				again = s.again[in]
			}
		}
		// Without a second computation all reads are of the first; with one, those after the loss are of the second.
		lastFirst, lastAgain, given := s.forward[i], again, s.backward[i]
		if results[i] {
			lastFirst, given = s.loss, s.loss
		}
		reads := func(moment int) {
			if again > 0 && moment > s.loss {
				lastAgain = max(lastAgain, moment)
			} else {
				lastFirst = max(lastFirst, moment)
			}
		}
		if again > 0 {
			reads(s.again[i])
		}
		if net.wanted[i] && net.reads(i).result {
			reads(s.backward[i])
		}
		for _, r := range readers[i] {
			reads(s.forward[r])
			if s.again[r] > 0 {
				reads(s.again[r])
			}
			if net.wanted[r] && net.reads(r).inputs {
				reads(s.backward[r])
			}
			given = min(given, s.backward[r])
		}
		if whole {
			blocks = append(blocks, block{value: value{node: i}, first: first, last: lastFirst, size: size})
		}
		if whole && again > 0 {
			blocks = append(blocks, block{value: value{node: i, again: true}, first: again, last: lastAgain, size: size})
		}
		if net.wanted[i] {
			blocks = append(blocks, block{value: value{node: i, gradient: true}, first: given, last: s.backward[i], size: size})
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
		nn.Grid, nn.Affine, nn.Shuffle, nn.ConcatTokens, nn.SliceTokens:
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
// their gradients, the convolutions' weights packed for forward and backward, of which F(4×4, 3×3) has 36 for 9, and the memory in
// which their gradients compute.
func Bytes(g *nn.Graph, o Options) int64 {
	net := &Network{Graph: g, n: o.Batch}
	net.want(o)
	net.join()
	net.schedule = net.order(net.segments(o))
	elements := int64(place(net.blocks(net.schedule)))
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
	var room kernels.GradRoom
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op != nn.Conv && n.Op != nn.Linear || slow(g, i) {
			continue
		}
		s := net.convShape(i)
		if n.Op == nn.Conv && s.PrefersWinograd() {
			elements += 2 * int64(g.Params[n.Weight].Elems()) * (36 - 9) / 9
		}
		if net.learned[n.Weight] {
			room.Add(s)
		}
		if net.wanted[n.In[0]] {
			elements += int64(o.Batch * s.SpreadElems())
		}
	}
	elements += int64(room.Elems(cmp.Or(o.Workers, runtime.GOMAXPROCS(0))))
	return 4 * elements
}

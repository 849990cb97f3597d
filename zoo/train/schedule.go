package train

import (
	"slices"

	"zoobench/zoo/nn"
)

// A schedule is the order of a pass. The nodes are cut into segments. All are computed forward, then the loss; then, from the last
// segment to the first, what its gradients read and is not kept is computed again, and its gradients are taken on. The last
// segment, which is all of the network without checkpointing, is not computed again. A moment is a place in that order.
type schedule struct {
	segments []int // the first node of each
	forward  []int // by node: the moment
	again    []int // by node: the moment at which it is computed again, 0 where it is not
	backward []int // by node: the moment
	loss     int
}

// isolated reports whether a node's value is read, if at all, in its own segment alone, so that it need not be kept.
func (s *schedule) isolated(g *nn.Graph, readers [][]int, results map[int]bool, i int) bool {
	own := s.segmentOf(i)
	if i == 0 || !s.recomputes(i) || g.Nodes[i].Const || results[i] {
		return false
	}
	return !slices.ContainsFunc(readers[i], func(r int) bool { return s.segmentOf(r) != own })
}

func (s *schedule) segmentOf(i int) int {
	at, found := slices.BinarySearch(s.segments, i)
	if !found {
		at--
	}
	return at
}

// recomputes reports whether values of a node's segment are computed again.
func (s *schedule) recomputes(i int) bool { return s.segmentOf(i) < len(s.segments)-1 }

// order makes the schedule of segments, the first node of each. What is computed again is what somebody reads: a gradient, or
// another node that is computed again.
func (net *Network) order(segments []int) *schedule {
	g := net.Graph
	nodes := len(g.Nodes)
	s := &schedule{segments: segments, forward: make([]int, nodes), again: make([]int, nodes), backward: make([]int, nodes), loss: nodes}
	readers, results := net.readers(), net.results()
	read := make([]bool, nodes)
	for i := range slices.Backward(g.Nodes) {
		s.forward[i] = i
		if r := net.reads(i); net.wanted[i] {
			read[i] = read[i] || r.result
			for _, in := range g.Nodes[i].In {
				read[in] = read[in] || r.inputs
			}
		}
	}
	for i := range slices.Backward(g.Nodes) {
		if read[i] = read[i] && s.isolated(g, readers, results, i); read[i] {
			for _, in := range g.Nodes[i].In {
				read[in] = true
			}
		}
	}
	moment, end := nodes, nodes
	for _, from := range slices.Backward(segments) {
		for i := from; i < end; i++ {
			if read[i] {
				moment++
				s.again[i] = moment
			}
		}
		for i := end - 1; i >= from; i-- {
			moment++
			s.backward[i] = moment
		}
		end = from
	}
	return s
}

// readers are, by node, the nodes that take its value.
func (net *Network) readers() [][]int {
	readers := make([][]int, len(net.Graph.Nodes))
	for i, n := range net.Graph.Nodes {
		for _, in := range n.In {
			readers[in] = append(readers[in], i)
		}
	}
	return readers
}

// results are the nodes whose values the loss takes.
func (net *Network) results() map[int]bool {
	results := map[int]bool{len(net.Graph.Nodes) - 1: true}
	for _, h := range net.Graph.Heads {
		results[h.Node] = true
	}
	return results
}

// cut chooses the segments of a network with checkpointing, those of several sizes at which a pass has the least memory alive at
// once. A segment ends where little crosses to the next.
func (net *Network) cut() []int {
	g := net.Graph
	own := func(i int) int { // elements that a node adds to what is alive
		if net.clamp[i] > 0 {
			return 0
		}
		return net.images(i) * g.Nodes[i].Out.Elems()
	}
	last := make([]int, len(g.Nodes)) // by node: its last reader
	total := 0
	for i, n := range g.Nodes {
		total += own(i)
		for _, in := range n.In {
			last[in] = i
		}
	}
	ends := make([]int, len(g.Nodes)+1) // by moment: elements that were read for the last time
	crossing := make([]int, len(g.Nodes))
	alive := 0
	for i := range g.Nodes {
		crossing[i] = alive // from nodes before i to i and those behind
		alive += own(i)
		ends[max(last[i], i)] += own(i)
		alive -= ends[i]
	}
	best, least := []int{0}, peak(net.blocks(net.order([]int{0})))
	for parts := 2; parts <= len(g.Nodes) && parts <= 64; parts++ {
		segments := []int{0}
		sum, at := 0, 0 // elements since the last cut, and the best cut since half of a part
		for i := range g.Nodes {
			if 2*sum*parts >= total && !net.joined[i] && i > 0 && (at == 0 || crossing[i] <= crossing[at]) {
				at = i
			}
			if sum += own(i); sum*parts >= total && at > 0 {
				segments = append(segments, at)
				sum, at = own(i), 0
			}
		}
		if p := peak(net.blocks(net.order(segments))); p < least {
			best, least = segments, p
		}
	}
	return best
}

// peak is how much of some blocks is alive at once at most.
func peak(blocks []block) (most int) {
	changes := map[int]int{}
	for _, b := range blocks {
		changes[b.first] += b.size
		changes[b.last+1] -= b.size
	}
	moments := make([]int, 0, len(changes))
	for m := range changes {
		moments = append(moments, m)
	}
	slices.Sort(moments)
	alive := 0
	for _, m := range moments {
		alive += changes[m]
		most = max(most, alive)
	}
	return most
}

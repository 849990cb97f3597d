package engine

import (
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// A group is the nodes of one step. Its value is its last node's.
type group struct {
	nodes    []int
	factors  []int // batch norms, layer scales and constants that multiply and shift channels
	gate     int   // node that multiplies, −1 for none
	residual []int // nodes that are added
	act      nn.Act
	flatten  int // a linear layer over a flattened image reads this node, −1 otherwise

	// Of convolutions that run together, the depthwise one and what is before and behind it, with a group each.
	before, middle, behind *group
}

func (g *group) last() int { return g.nodes[len(g.nodes)-1] }

// unify cuts the graph into groups.
func (p *planner) unify() {
	nodes := p.graph.Nodes
	p.uses, p.reader = make([]int, len(nodes)), make([]int, len(nodes))
	p.owner = make([]int, len(nodes))
	p.alias, p.channel = make([]int, len(nodes)), make([]int, len(nodes))
	for i, n := range nodes {
		p.owner[i], p.alias[i] = -1, i
		for _, in := range n.In {
			p.uses[in]++
			p.reader[in] = i
		}
	}
	for i := range nodes {
		n := &nodes[i]
		if p.owner[i] >= 0 || n.Op == nn.Input || n.Const {
			continue
		}
		if source, ok := p.sameMemory(i); ok {
			p.alias[i], p.channel[i] = p.alias[source], p.channel[source]+n.From
			continue
		}
		g := group{nodes: []int{i}, gate: -1, flatten: -1}
		p.take(&g)
		for _, k := range g.nodes {
			p.owner[k] = len(p.groups)
		}
		p.groups = append(p.groups, g)
	}
}

// join makes one group of a depthwise convolution and its neighbours where that is faster. They are all float32.
func (p *planner) join() {
	if p.precision == BF16 {
		return
	}
	var joined []group
	for k := 0; k < len(p.groups); k++ {
		g := &p.groups[k]
		if !p.depthwise(g.nodes[0]) {
			joined = append(joined, *g)
			continue
		}
		all := group{gate: -1, flatten: -1, middle: g}
		if k > 0 && len(joined) > 0 && joined[len(joined)-1].middle == nil && p.onlyReads(g, &p.groups[k-1]) &&
			len(p.groups[k-1].residual) == 0 {
			all.before = &p.groups[k-1]
		}
		if k+1 < len(p.groups) && p.onlyReads(&p.groups[k+1], g) {
			all.behind = &p.groups[k+1]
		}
		if !p.separable(&all) {
			joined = append(joined, *g)
			continue
		}
		if all.before != nil {
			joined = joined[:len(joined)-1]
			all.nodes = append(all.nodes, all.before.nodes...)
		}
		all.nodes = append(all.nodes, g.nodes...)
		if all.behind != nil {
			all.nodes = append(all.nodes, all.behind.nodes...)
			k++
		}
		joined = append(joined, all)
	}
	p.groups = joined
	for k := range p.groups {
		for _, i := range p.groups[k].nodes {
			p.owner[i] = k
		}
	}
}

// onlyReads reports whether a convolution reads another's whole result and nothing else does.
func (p *planner) onlyReads(g, from *group) bool {
	n := &p.graph.Nodes[g.nodes[0]]
	return n.Op == nn.Conv && p.graph.Nodes[from.nodes[0]].Op == nn.Conv && n.In[0] == from.last() && p.uses[from.last()] == 1
}

// separable reports whether a depthwise convolution's neighbours are to run with it, and drops those that cannot. They
// are if L2 does not hold its input: on a Zen 4 core (1 MiB of L2; the least of several runs in turn) this took 0.96 of
// the time of MobileNetV2, 0.97 of MobileNetV1's and 0.99 of EfficientNet-B0's. Joining all took 1.06 of the last: a
// band of few pixels reads the weights of the 1×1 layers again and again.
func (p *planner) separable(all *group) bool {
	middle := p.geometry(all.middle)
	if 4*middle.C*middle.H*middle.W < kernels.L2Bytes() {
		return false
	}
	can := func() bool {
		shape := func(g *group) *kernels.ConvShape {
			if g == nil {
				return nil
			}
			s := p.geometry(g)
			return &s
		}
		return kernels.CanSeparable(shape(all.before), middle, shape(all.behind))
	}
	if can() {
		return true
	}
	before := all.before
	if all.before = nil; can() {
		return true
	}
	all.before, all.behind = before, nil
	return can()
}

// sameMemory reports whether a node computes nothing: its value is its input's, or a range of its input's channels.
func (p *planner) sameMemory(i int) (source int, ok bool) {
	n := &p.graph.Nodes[i]
	switch n.Op {
	case nn.Identity, nn.Slice, nn.Tokens, nn.Grid:
		return n.In[0], true
	case nn.AdaptiveAvgPool:
		return n.In[0], p.graph.Nodes[n.In[0]].Out == n.Out
	case nn.Flatten:
		// A linear layer reads an image as a window of its whole size.
		in := p.graph.Nodes[n.In[0]].Out
		return n.In[0], in.H == 1 && in.W == 1 || p.onlyLinear(i)
	}
	return 0, false
}

// onlyLinear reports whether linear layers read node i, through identities or not, and nothing else does.
func (p *planner) onlyLinear(i int) bool {
	read := false
	for j, n := range p.graph.Nodes {
		if !slices.Contains(n.In, i) {
			continue
		}
		if n.Op != nn.Linear && (n.Op != nn.Identity || !p.onlyLinear(j)) {
			return false
		}
		read = true
	}
	return read
}

// take adds to a group the nodes behind its first one that its kernel does on the way out.
func (p *planner) take(g *group) {
	i := g.nodes[0]
	n := &p.graph.Nodes[i]
	switch n.Op {
	case nn.Conv, nn.Linear:
		p.takeFactors(g)
		if n.Op == nn.Linear {
			g.flatten = p.flattened(n.In[0])
		}
		if !p.depthwise(i) && (p.options.Quantized == nil || !p.byChannel(g)) {
			p.takeSum(g)
		}
	case nn.BatchNorm, nn.Scale, nn.Affine:
		g.factors = []int{i}
		p.takeFactors(g)
		p.takeSumOfFloats(g)
	case nn.Mul:
		g.gate = n.In[1]
		p.takeSumOfFloats(g)
	case nn.Add:
		g.residual = n.In[1:]
	case nn.Activate:
		g.act = n.Act
		return
	case nn.LayerNorm, nn.GroupNorm:
	default:
		return
	}
	if p.apart(g) {
		return
	}
	if p.takeNext(g, nn.Activate) {
		g.act = p.graph.Nodes[g.last()].Act
	}
}

// apart reports whether the activation behind a group is to be a step of its own, as its input is watched.
func (p *planner) apart(g *group) bool {
	if p.options.Quantized == nil || !p.options.Quantized.Apart {
		return false
	}
	k := p.only(g.last())
	return k >= 0 && byTable(p.graph.Nodes[k].Act)
}

// only is the one reader of a node, or −1.
func (p *planner) only(i int) int {
	if p.uses[i] != 1 {
		return -1
	}
	return p.reader[i]
}

// takeNext adds the one reader of a group's value if it is any of these operations, and reports whether it is.
func (p *planner) takeNext(g *group, ops ...nn.Op) bool {
	k := p.only(g.last())
	if k < 0 || p.graph.Nodes[k].Const || !slices.Contains(ops, p.graph.Nodes[k].Op) {
		return false
	}
	g.nodes = append(g.nodes, k)
	return true
}

// takeFactors takes along what multiplies and shifts channels.
func (p *planner) takeFactors(g *group) {
	for p.takeNext(g, nn.BatchNorm, nn.Scale, nn.Affine) {
		g.factors = append(g.factors, g.last())
	}
}

// takeSum takes a sum of two values along, the other of which exists by now.
func (p *planner) takeSum(g *group) {
	nodes := p.graph.Nodes
	k := p.only(g.last())
	if k < 0 || nodes[k].Op != nn.Add || len(nodes[k].In) != 2 {
		return
	}
	other := nodes[k].In[0]
	if other == g.last() {
		other = nodes[k].In[1]
	}
	if other != g.last() && !nodes[other].Const && p.ready(other) {
		g.residual = []int{other}
		g.nodes = append(g.nodes, k)
	}
}

// takeSumOfFloats is takeSum for operations that take none along in bytes.
func (p *planner) takeSumOfFloats(g *group) {
	if p.options.Quantized == nil {
		p.takeSum(g)
	}
}

// depthwise reports whether a convolution's groups are too narrow for a matrix product.
func (p *planner) depthwise(i int) bool {
	if p.graph.Nodes[i].Op != nn.Conv {
		return false
	}
	s := p.geometry(&group{nodes: []int{i}, flatten: -1})
	return s.Groups > 1 && s.CanDepthwise()
}

// flattened is the image behind a Flatten, through identities, or −1.
func (p *planner) flattened(i int) int {
	for {
		n := &p.graph.Nodes[i]
		switch {
		case n.Op == nn.Identity:
			i = n.In[0]
		case n.Op == nn.Flatten && p.alias[i] != i && p.graph.Nodes[n.In[0]].Out != n.Out:
			return n.In[0]
		default:
			return -1
		}
	}
}

// ready reports whether a node's value exists before the group being made: groups run in the order they are made.
func (p *planner) ready(i int) bool {
	i = p.alias[i]
	return p.graph.Nodes[i].Op == nn.Input || p.owner[i] >= 0 && p.owner[i] < len(p.groups) && p.groups[p.owner[i]].last() == i
}

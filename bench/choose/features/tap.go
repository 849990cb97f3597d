package features

import (
	"fmt"
	"slices"
	"strings"

	"zoobench/zoo/nn"
)

// Tap returns the graph with another output: what the classifier is given, averaged over the image where it is given an
// image, and behind it the logits. Features is the length of the first part. Where several classifiers are averaged, as
// in a distilled network, their inputs are one behind the other. The parameters are the same.
func Tap(g *nn.Graph) (tapped *nn.Graph, features int, err error) {
	t, join, features, err := widen(g)
	if err != nil {
		return nil, 0, err
	}
	out := len(g.Nodes) - 1
	t.Nodes = append(t.Nodes, bare(nn.Node{Op: nn.Concat, In: append(join, out), Out: nn.Shape{C: features + t.Nodes[out].Out.C, H: 1, W: 1}}))
	return t, features, nil
}

// The parameters of a graph with a classifier of one's own, (classes, inputs) and (classes).
const (
	HeadWeight = "task_head.weight"
	HeadBias   = "task_head.bias"
)

// Classify returns the graph with a linear classifier of one's own: in place of the network's, over what that is given, or behind
// it, over the logits. Layers that nothing reads any more are gone.
func Classify(g *nn.Graph, overLogits bool, classes int) (*nn.Graph, error) {
	t, join, inputs, err := widen(g)
	if err != nil {
		return nil, err
	}
	in := join[0]
	switch {
	case overLogits:
		in, inputs = len(g.Nodes)-1, g.Output().C
	case len(join) > 1:
		t.Nodes = append(t.Nodes, bare(nn.Node{Op: nn.Concat, In: join, Out: nn.Shape{C: inputs, H: 1, W: 1}}))
		in = len(t.Nodes) - 1
	}
	head := bare(nn.Node{Op: nn.Linear, Name: strings.TrimSuffix(HeadWeight, ".weight"), In: []int{in}, Out: nn.Shape{C: classes, H: 1, W: 1}})
	head.Weight, head.Bias = len(g.Params), len(g.Params)+1
	t.Params = append(slices.Clip(g.Params),
		nn.Param{Name: HeadWeight, Shape: []int{classes, inputs}}, nn.Param{Name: HeadBias, Shape: []int{classes}})
	t.Nodes, t.Classes = append(t.Nodes, head), classes
	prune(t)
	return t, nil
}

// prune leaves out the nodes that the output does not come from.
func prune(g *nn.Graph) {
	read := make([]bool, len(g.Nodes))
	read[0], read[len(read)-1] = true, true
	for i, n := range slices.Backward(g.Nodes) {
		for _, in := range n.In {
			read[in] = read[in] || read[i]
		}
	}
	var kept []nn.Node
	at := make([]int, len(g.Nodes))
	for i, n := range g.Nodes {
		if !read[i] {
			continue
		}
		n.In = slices.Clone(n.In)
		for k := range n.In {
			n.In[k] = at[n.In[k]]
		}
		at[i] = len(kept)
		kept = append(kept, n)
	}
	g.Nodes = kept
}

// widen returns a copy of the graph to add nodes to, with what its classifiers are given as vectors: their nodes, and their length
// together.
func widen(g *nn.Graph) (t *nn.Graph, vectors []int, features int, err error) {
	out := len(g.Nodes) - 1
	if s := g.Nodes[out].Out; s.H != 1 || s.W != 1 {
		return nil, nil, 0, fmt.Errorf("features: %s: logits of shape %v, want a vector", g.Name, s)
	}
	feeds, err := feeds(g, out)
	if err != nil {
		return nil, nil, 0, err
	}
	own := *g
	own.Nodes = slices.Clone(g.Nodes)
	for _, i := range feeds {
		s := own.Nodes[i].Out
		if s.H != 1 || s.W != 1 {
			own.Nodes = append(own.Nodes, bare(nn.Node{Op: nn.AdaptiveAvgPool, In: []int{i}, Out: nn.Shape{C: s.C, H: 1, W: 1}}))
			i = len(own.Nodes) - 1
		}
		vectors = append(vectors, i)
		features += s.C
	}
	return &own, vectors, features, nil
}

// bare is a node without parameters.
func bare(n nn.Node) nn.Node {
	n.Weight, n.Bias, n.Mean, n.Var = -1, -1, -1, -1
	return n
}

// feeds are the inputs of the classifiers that a node's value comes from, in the graph's order.
func feeds(g *nn.Graph, i int) ([]int, error) {
	n := &g.Nodes[i]
	switch n.Op {
	case nn.Conv, nn.Linear:
		return []int{n.In[0]}, nil
	case nn.Identity, nn.Activate, nn.AvgPool, nn.AdaptiveAvgPool, nn.Flatten, nn.Affine, nn.Add:
		var all []int
		for _, in := range n.In {
			found, err := feeds(g, in)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	}
	return nil, fmt.Errorf("features: %s: no classifier, its result comes from %s %s", g.Name, n.Op, n.Name)
}

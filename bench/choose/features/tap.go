package features

import (
	"fmt"
	"slices"

	"zoobench/zoo/nn"
)

// Tap returns the graph with another output: what the classifier is given, averaged over the image where it is given an
// image, and behind it the logits. Features is the length of the first part. Where several classifiers are averaged, as
// in a distilled network, their inputs are one behind the other. The parameters are the same.
func Tap(g *nn.Graph) (tapped *nn.Graph, features int, err error) {
	out := len(g.Nodes) - 1
	if s := g.Nodes[out].Out; s.H != 1 || s.W != 1 {
		return nil, 0, fmt.Errorf("features: %s: logits of shape %v, want a vector", g.Name, s)
	}
	feeds, err := feeds(g, out)
	if err != nil {
		return nil, 0, err
	}
	t := *g
	t.Nodes = slices.Clone(g.Nodes)
	add := func(n nn.Node) int {
		n.Weight, n.Bias, n.Mean, n.Var = -1, -1, -1, -1
		t.Nodes = append(t.Nodes, n)
		return len(t.Nodes) - 1
	}
	join := nn.Node{Op: nn.Concat, Out: nn.Shape{H: 1, W: 1}}
	for _, i := range feeds {
		s := t.Nodes[i].Out
		if s.H != 1 || s.W != 1 {
			i = add(nn.Node{Op: nn.AdaptiveAvgPool, In: []int{i}, Out: nn.Shape{C: s.C, H: 1, W: 1}})
		}
		join.In = append(join.In, i)
		features += s.C
	}
	join.In = append(join.In, out)
	join.Out.C = features + t.Nodes[out].Out.C
	add(join)
	return &t, features, nil
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

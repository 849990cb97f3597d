package nn

// Dropout makes a share of the elements zero in training and scales the others up (Srivastava and others 2014). A graph for
// evaluation does not have it.
func (g *Builder) Dropout(x Value, share float64) Value { return g.drop(x, share, false) }

// StochasticDepth makes a share of the images zero in training and scales the others up: in front of a sum it leaves a
// residual branch out (Huang and others 2016). A graph for evaluation does not have it.
func (g *Builder) StochasticDepth(x Value, share float64) Value { return g.drop(x, share, true) }

func (g *Builder) drop(x Value, share float64, images bool) Value {
	if !(share >= 0 && share < 1) {
		g.Fail("dropout in %s: share %v, want at least 0 and less than 1", g.where(), share)
	}
	if g.err != nil || !g.Training || share == 0 {
		return x
	}
	n := node(Identity, x)
	n.Out, n.Drop, n.DropImages = x.Shape, share, images
	return g.add(n)
}

// Head makes a value the logits of an auxiliary classifier, whose loss counts weight times as much as the network's own.
// Only a graph for training has one.
func (g *Builder) Head(x Value, weight float64) {
	if g.err != nil {
		return
	}
	if want := (Shape{g.Classes, 1, 1}); !g.Training || x.Shape != want || g.graph.Nodes[x.id].Const {
		g.Fail("head in %s: %v, want %v that depends on the image, in a graph for training", g.where(), x.Shape, want)
		return
	}
	g.graph.Heads = append(g.graph.Heads, Head{x.id, weight})
}

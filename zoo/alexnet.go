package zoo

import "zoobench/zoo/nn"

// Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014, arXiv:1404.5997: the one-column
// form of Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012.
//
// As torchvision released it:
//   - no local response normalisation;
//   - layers 2, 4 and 5 see all channels (one column, no groups);
//   - 256 channels in the fourth layer, of the paper's 384;
//   - the last pool averages to 6×6 pixels, whatever the input's size, and changes nothing at 224.
var alexNets = family{name: "alexnet", year: 2014, paper: "arXiv:1404.5997", rows: []row{
	{"alexnet", alexNet, 224, 61_100_840, 714_188_480, plain},
}}

func alexNet(g *nn.Builder, x nn.Value) nn.Value {
	return alexForm{first: nn.K(11).S(4).P(2), pool: nn.K(3).S(2).Valid(), width: 64, grid: 6, hidden: 4096, act: nn.ReLU}.build(g, x)
}

// alexForm is the network with what a small one has otherwise.
type alexForm struct {
	first  nn.Kernel
	pool   nn.Kernel
	width  int // channels of the first layer; the others have 3, 6, 4 and 4 times as many
	grid   int // pixels at an edge of what the linear layers see
	hidden int
	act    nn.Act
	drop   float64 // share that dropout takes from the input of a hidden linear layer
}

func (a alexForm) build(g *nn.Builder, x nn.Value) nn.Value {
	for _, l := range []struct {
		name string
		k    nn.Kernel
		wide int
		pool bool
	}{
		{"features.0", a.first, 1, true},
		{"features.3", nn.K(5), 3, true},
		{"features.6", nn.K(3), 6, false},
		{"features.8", nn.K(3), 4, false},
		{"features.10", nn.K(3), 4, true},
	} {
		x = g.Activate(g.Conv(l.name, x, l.wide*a.width, l.k.WithBias()), a.act)
		if l.pool {
			x = g.MaxPool(x, a.pool)
		}
	}
	x = g.Expect(x, nn.Shape{C: 4 * a.width, H: a.grid, W: a.grid})
	x = g.Flatten(g.AdaptiveAvgPool(x, a.grid, a.grid))
	x = g.Activate(g.Linear("classifier.1", g.Dropout(x, a.drop), a.hidden), a.act)
	x = g.Activate(g.Linear("classifier.4", g.Dropout(x, a.drop), a.hidden), a.act)
	return g.Linear("classifier.6", x, g.Classes)
}

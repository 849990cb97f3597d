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
	pool := nn.K(3).S(2).Valid()
	x = g.ReLU(g.Conv("features.0", x, 64, nn.K(11).S(4).P(2).WithBias()))
	x = g.MaxPool(x, pool)
	x = g.ReLU(g.Conv("features.3", x, 192, nn.K(5).WithBias()))
	x = g.MaxPool(x, pool)
	x = g.ReLU(g.Conv("features.6", x, 384, nn.K(3).WithBias()))
	x = g.ReLU(g.Conv("features.8", x, 256, nn.K(3).WithBias()))
	x = g.ReLU(g.Conv("features.10", x, 256, nn.K(3).WithBias()))
	x = g.Expect(g.MaxPool(x, pool), nn.Shape{C: 256, H: 6, W: 6})
	x = g.Flatten(g.AdaptiveAvgPool(x, 6, 6))
	x = g.ReLU(g.Linear("classifier.1", x, 4096))
	x = g.ReLU(g.Linear("classifier.4", x, 4096))
	return g.Linear("classifier.6", x, g.Classes)
}

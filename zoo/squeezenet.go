package zoo

import "zoobench/zoo/nn"

// Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet, 2016, arXiv:1602.07360, table 1 (1.0); 1.1 is the
// authors' later release: a smaller first convolution and earlier pools, the same modules.
//
// As torchvision released it: the pools round up (ceil mode); the classifier's last convolution is followed by a ReLU.
type squeezeNet struct {
	out, k int    // first convolution
	pools  [3]int // features before which a pool stands, in torchvision's flat list
}

// fire is one module: the squeezing 1×1 and the 1×1 and 3×3 that expand it, concatenated.
type fire struct{ squeeze, expand int }

// fires are fire2 to fire9 of table 1.
var fires = []fire{{16, 64}, {16, 64}, {32, 128}, {32, 128}, {48, 192}, {48, 192}, {64, 256}, {64, 256}}

var squeezeNets = family{name: "squeezenet", year: 2016, paper: "arXiv:1602.07360", rows: []row{
	{"squeezenet1_0", squeezeNet{96, 7, [3]int{2, 6, 11}}.build, 224, 1_248_424, 818_924_576, plain},
	{"squeezenet1_1", squeezeNet{64, 3, [3]int{2, 5, 8}}.build, 224, 1_235_496, 349_151_936, plain},
}}

func (s squeezeNet) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.ReLU(g.Conv("features.0", x, s.out, nn.K(s.k).S(2).Valid().WithBias()))
	layer, pooled := 2, 0
	for _, f := range fires {
		if pooled < len(s.pools) && layer == s.pools[pooled] {
			x = g.MaxPool(x, nn.K(3).S(2).Valid().WithCeil())
			layer++
			pooled++
		}
		x = f.build(g.In("features.%d", layer), x)
		layer++
	}
	x = g.Expect(x, nn.Shape{C: 512, H: 13, W: 13})
	x = g.ReLU(g.Conv("classifier.1", x, g.Classes, nn.K(1).WithBias()))
	return g.GlobalAvgPool(x)
}

func (f fire) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.ReLU(g.Conv("squeeze", x, f.squeeze, nn.K(1).WithBias()))
	return g.Concat(
		g.ReLU(g.Conv("expand1x1", x, f.expand, nn.K(1).WithBias())),
		g.ReLU(g.Conv("expand3x3", x, f.expand, nn.K(3).WithBias())),
	)
}

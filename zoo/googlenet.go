package zoo

import "zoobench/zoo/nn"

// Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: Going Deeper with Convolutions, 2014,
// arXiv:1409.4842, table 1.
//
// As torchvision released it:
//   - a batch norm of epsilon 1e-3 behind every convolution, and no local response normalisation;
//   - what table 1 calls 5×5 is a 3×3;
//   - pools round up (ceil mode), and the last one between modules is 2×2;
//   - images come normalised by ImageNet's statistics and are brought to −1 … 1 by the network itself;
//   - the auxiliary heads stand in the file and are not run.
var googLeNets = family{name: "googlenet", year: 2014, paper: "arXiv:1409.4842", rows: []row{
	{"googlenet", googLeNet, 224, 6_624_904, 1_498_376_192, plain},
}}

// googLeNetRows are table 1's modules and, with no name, the max pools between them.
var googLeNetRows = []struct {
	//                  #1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj
	name                                   string
	c1, reduce3, c3, reduce5, c5, poolProj int
	pool                                   int // window of a pool in place of a module
}{
	{"inception3a", 64, 96, 128, 16, 32, 32, 0},
	{"inception3b", 128, 128, 192, 32, 96, 64, 0},
	{pool: 3},
	{"inception4a", 192, 96, 208, 16, 48, 64, 0},
	{"inception4b", 160, 112, 224, 24, 64, 64, 0},
	{"inception4c", 128, 128, 256, 24, 64, 64, 0},
	{"inception4d", 112, 144, 288, 32, 64, 64, 0},
	{"inception4e", 256, 160, 320, 32, 128, 128, 0},
	{pool: 2},
	{"inception5a", 256, 160, 320, 32, 128, 128, 0},
	{"inception5b", 384, 192, 384, 48, 128, 128, 0},
}

func googLeNet(g *nn.Builder, x nn.Value) nn.Value {
	conv := scopedConv(g)
	x = conv("conv1", fromImageNet(g, x), 64, nn.K(7).S(2))
	x = g.MaxPool(x, k3s2.WithCeil())
	x = conv("conv3", conv("conv2", x, 64, k1), 192, k3)
	x = g.MaxPool(x, k3s2.WithCeil())
	for _, r := range googLeNetRows {
		if r.name == "" {
			x = g.MaxPool(x, nn.K(r.pool).S(2).Valid().WithCeil())
			continue
		}
		s := g.In("%s", r.name)
		x = branches{
			{{name: "branch1", out: r.c1, k: k1}},
			{{name: "branch2.0", out: r.reduce3, k: k1}, {name: "branch2.1", out: r.c3, k: k3}},
			{{name: "branch3.0", out: r.reduce5, k: k1}, {name: "branch3.1", out: r.c5, k: k3}},
			{{pool: nn.MaxPool, k: k3.WithCeil()}, {name: "branch4.1", out: r.poolProj, k: k1}},
		}.build(s, x, scopedConv(s))
	}
	x = g.Expect(x, nn.Shape{C: 1024, H: 7, W: 7})
	for i, in := range []int{512, 528} { // channels of 4a and 4d
		aux := g.In("aux%d", i+1)
		auxConv(aux.In("conv"), in, 128, 1)
		aux.Aux("fc1.weight", 1024, 128*4*4)
		aux.Aux("fc1.bias", 1024)
		aux.Aux("fc2.weight", g.Classes, 1024)
		aux.Aux("fc2.bias", g.Classes)
	}
	return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
}

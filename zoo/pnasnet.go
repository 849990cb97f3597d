package zoo

import "zoobench/zoo/nn"

// Liu, Zoph, Neumann, Shlens, Hua, Li, Fei-Fei, Yuille, Huang, Murphy: Progressive Neural Architecture Search, 2017,
// arXiv:1712.00559, figure 1 (PNASNet-5, N = 4, F = 216).
//
// As released (TensorFlow, timm):
//   - batch norms have epsilon 1e-3, strided windows are padded as TensorFlow does, and a separable convolution is
//     applied twice;
//   - a strided cell's identity is a 1×1 convolution;
//   - two strided cells make a stem, of a quarter and of half the channels.
var pnasNets = family{name: "pnasnet", year: 2017, paper: "arXiv:1712.00559", rows: []row{
	{"pnasnet5large", pnasNet, 331, 86_057_668, 24_937_395_792, nas331},
}}

// pnasCell is figure 1 with a stride.
func pnasCell(s int) nasCell {
	kept := nasOp{nasSame, 0, 1, nasInput}
	if s > 1 {
		kept = nasOp{nasProject, 1, s, nasInput}
	}
	return nasCell{[5]nasPair{
		{{nasSep, 5, s, nasPrevious}, {nasMax, 3, s, nasPrevious}},
		{{nasSep, 7, s, nasInput}, {nasMax, 3, s, nasInput}},
		{{nasSep, 5, s, nasInput}, {nasSep, 3, s, nasInput}},
		{{nasSep, 3, 1, 2}, {nasMax, 3, s, nasInput}},
		{{nasSep, 3, s, nasPrevious}, kept},
	}, []int{0, 1, 2, 3, 4}}
}

// pnasRows are the cells behind the stem's first, with the channels of their sums.
var pnasRows = []struct {
	name   string
	f      int
	stride int
}{
	{"cell_stem_1", 108, 2},
	{"cell_0", 216, 1},
	{"cell_1", 216, 1},
	{"cell_2", 216, 1},
	{"cell_3", 216, 1},
	{"cell_4", 432, 2},
	{"cell_5", 432, 1},
	{"cell_6", 432, 1},
	{"cell_7", 432, 1},
	{"cell_8", 864, 2},
	{"cell_9", 864, 1},
	{"cell_10", 864, 1},
	{"cell_11", 864, 1},
}

func pnasNet(g *nn.Builder, x nn.Value) nn.Value {
	x = g.BatchNorm("conv_0.bn", g.Conv("conv_0.conv", x, 96, nn.K(3).S(2).Valid()), nasEps)
	stem := g.In("cell_stem_0")
	prev, x := x, pnasCell(2).build(stem, actConvNorm(stem.In("conv_1x1"), x, 54, k1), x, 54, nasTF)
	halve := true // prev comes from before a strided cell
	for _, r := range pnasRows {
		s := g.In("%s", r.name)
		p := s.In("conv_prev_1x1")
		if halve {
			prev = factorized(p, prev, r.f)
		} else {
			prev = actConvNorm(p, prev, r.f, k1)
		}
		y := pnasCell(r.stride).build(s, actConvNorm(s.In("conv_1x1"), x, r.f, k1), prev, r.f, nasTF)
		prev, x, halve = x, y, r.stride > 1
	}
	x = g.Expect(g.ReLU(x), nn.Shape{C: 4320, H: 11, W: 11})
	return g.Linear("last_linear", g.GlobalAvgPool(x), g.Classes)
}

package zoo

import "zoobench/zoo/nn"

// Han, Wang, Tian, Guo, Xu, Xu: GhostNet: More Features from Cheap Operations, 2019, arXiv:1911.11907, table 1, figures
// 2 (module) and 3 (bottleneck).
//
// As released: cheap operations are depthwise 3×3 and half of a module's channels; channels are multiples of 4; a
// shortcut that changes shape is depthwise k×k and 1×1; gates are hard sigmoids; the head has 1280 channels at every
// width.
//
// ghostnet_100 has a golden: the others' MACs are this graph's count, their parameters timm's to the digits given.
type ghostNet struct{ width float64 }

// ghostNetStages are table 1's rows by stage, timm's blocks.0 to 8.
var ghostNetStages = [][]struct {
	k, exp, out int
	se          bool
	s           int
}{
	//  k  exp  out  SE     s
	{{3, 16, 16, false, 1}},
	{{3, 48, 24, false, 2}},
	{{3, 72, 24, false, 1}},
	{{5, 72, 40, true, 2}},
	{{5, 120, 40, true, 1}},
	{{3, 240, 80, false, 2}},
	{{3, 200, 80, false, 1}, {3, 184, 80, false, 1}, {3, 184, 80, false, 1}, {3, 480, 112, true, 1}, {3, 672, 112, true, 1}},
	{{5, 672, 160, true, 2}},
	{{5, 960, 160, false, 1}, {5, 960, 160, true, 1}, {5, 960, 160, false, 1}, {5, 960, 160, true, 1}},
}

var ghostNets = family{name: "ghostnet", year: 2019, paper: "arXiv:1911.11907", rows: []row{
	{"ghostnet_050", ghostNet{0.5}.build, 224, 2_587_292, 42_328_152, bicubic},
	{"ghostnet_100", ghostNet{1}.build, 224, 5_182_508, 141_150_512, bicubic},
	{"ghostnet_130", ghostNet{1.3}.build, 224, 7_358_820, 227_003_256, bicubic},
}}

func (n ghostNet) build(g *nn.Builder, x nn.Value) nn.Value {
	m := mobile{squeeze: nn.ReLU, gate: nn.HardSigmoid}
	channels := func(c int) int { return roundTo(4, float64(c)*n.width, 0.9) }
	x = g.ReLU(m.convNorm(g, "conv_stem", "bn1", x, channels(16), nn.K(3).S(2)))
	for i, stage := range ghostNetStages {
		for j, r := range stage {
			b := g.In("blocks.%d.%d", i, j)
			y := ghostModule(b.In("ghost1"), x, channels(r.exp), true)
			if r.s > 1 {
				y = m.convNorm(b, "conv_dw", "bn_dw", y, y.C, nn.K(r.k).S(r.s).G(nn.Depthwise))
			}
			if r.se {
				y = m.squeezeExcite(b.In("se"), y, roundTo(4, float64(y.C)/4, 0.9))
			}
			y = ghostModule(b.In("ghost2"), y, channels(r.out), false)
			if r.s > 1 || x.C != y.C {
				short := b.In("shortcut")
				x = numbered(short, 0, x, x.C, nn.K(r.k).S(r.s).G(nn.Depthwise))
				x = numbered(short, 2, x, y.C, nn.K(1))
			}
			x = g.Add(y, x)
		}
	}
	last := g.In("blocks.%d.0", len(ghostNetStages))
	x = g.ReLU(m.convNorm(last, "conv", "bn1", x, channels(960), nn.K(1)))
	x = g.ReLU(g.Conv("conv_head", g.GlobalAvgPool(x), 1280, nn.K(1).WithBias()))
	return g.Linear("classifier", x, g.Classes)
}

// ghostModule is figure 2b: half of the channels by 1×1, the other half from them by depthwise 3×3.
func ghostModule(g *nn.Builder, x nn.Value, out int, act bool) nn.Value {
	x = numbered(g.In("primary_conv"), 0, x, out/2, nn.K(1))
	if act {
		x = g.ReLU(x)
	}
	y := numbered(g.In("cheap_operation"), 0, x, x.C, nn.K(3).G(nn.Depthwise))
	if act {
		y = g.ReLU(y)
	}
	return g.Concat(x, y)
}

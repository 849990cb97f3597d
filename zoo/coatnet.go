package zoo

import "zoobench/zoo/nn"

// Dai, Liu, Le, Tan: CoAtNet: Marrying Convolution and Attention for All Data Sizes, 2021, arXiv:2106.04803, table 3, in
// timm's form (rw), which was trained before the authors' own code came out.
//
// Departures from the paper:
//   - the stem's first convolution has half its channels, and CoAtNet-0 has 7 blocks in its third stage;
//   - a convolution block expands its input's channels, not its output's, and its activation is SiLU, which most rows
//     also have behind its first norm;
//   - squeeze and excitation stands before the second norm in some rows, and squeezes with ReLU in some;
//   - attention has its input's channels, its last layer goes to the output's;
//   - residuals and attention halve the size by an average over 2×2 pixels, a convolution block by its depthwise layer
//     or by the same average ahead of it;
//   - rmlp: the bias of a relative position comes from a small network over its log-spaced offsets, not from a table.
//
// The input is a multiple of 32 pixels. At another size than the row's a table of relative positions has another size
// too, as in timm: published weights with tables fit at their own size only, those of rmlp at any.
//
// The rows with a golden are coatnet_0_rw, coatnet_1_rw and coatnet_rmlp_nano_rw; the MACs of the others are this
// graph's count, and their parameters agree with timm's table to its digits.
type coAtNet struct {
	depths [4]int // blocks of stages S1 to S4: two of convolution, two of attention
	stem   int    // channels of S0
	width  int    // channels of S1; each next stage has twice as many
	rmlp   int    // hidden units of the network of offsets, 0 for a table
	early  bool   // squeeze and excitation stands before the second norm
	relu   bool   // its activation is ReLU, not SiLU

	pooled    bool // a convolution block halves the size by an average, not by its depthwise layer
	maxPool   bool // residuals and attention halve the size by a 3×3 maximum
	plainNorm bool // no activation behind a convolution block's first norm
	convBias  bool // in a convolution block's residual and last layer
	noBias    bool // in an attention block's residual
	scales    bool // layer scales in attention blocks
	batchNorm bool // in attention blocks and behind the last, instead of layer norm
}

var coAtNets = family{name: "coatnet", year: 2021, paper: "arXiv:2106.04803", rows: []row{
	{"coatnet_pico_rw_224", coAtNet{depths: [4]int{2, 3, 5, 2}, stem: 64, width: 64, plainNorm: true, convBias: true}.build, 224, 10_851_364, 2_028_459_520, halfMean95},
	{"coatnet_nano_rw_224", coAtNet{depths: [4]int{3, 4, 6, 3}, stem: 64, width: 64, pooled: true, plainNorm: true, convBias: true}.build, 224, 15_141_244, 2_382_715_392, halfMean90},
	{"coatnet_0_rw_224", coAtNet{depths: [4]int{2, 3, 7, 2}, stem: 64, width: 96, early: true, relu: true, pooled: true, noBias: true}.build, 224, 27_435_562, 4_406_300_928, halfMean95},
	{"coatnet_1_rw_224", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 64, width: 96, early: true, relu: true, noBias: true}.build, 224, 41_721_502, 7_992_160_512, halfMean95},
	{"coatnet_2_rw_224", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 128, width: 128}.build, 224, 73_868_400, 15_019_256_832, halfMean95},
	{"coatnet_3_rw_224", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 192, width: 192, scales: true}.build, 224, 165_173_428, 33_320_993_280, halfMean95},
	{"coatnet_bn_0_rw_224", coAtNet{depths: [4]int{2, 3, 7, 2}, stem: 64, width: 96, early: true, relu: true, noBias: true, batchNorm: true}.build, 224, 27_435_562, 4_647_145_728, Recipe{CropPct: 0.95, Interpolation: "bicubic"}},
	{"coatnet_rmlp_nano_rw_224", coAtNet{depths: [4]int{3, 4, 6, 3}, stem: 64, width: 64, rmlp: 384, plainNorm: true, convBias: true}.build, 224, 15_145_116, 2_594_052_864, halfMean90},
	{"coatnet_rmlp_0_rw_224", coAtNet{depths: [4]int{2, 3, 7, 2}, stem: 64, width: 96, rmlp: 512, relu: true}.build, 224, 27_446_074, 4_684_945_664, halfMean95},
	{"coatnet_rmlp_1_rw_224", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 64, width: 96, rmlp: 384, early: true, relu: true, pooled: true, maxPool: true, noBias: true}.build, 224, 41_691_982, 7_807_099_392, halfMean95},
	{"coatnet_rmlp_1_rw2_224", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 64, width: 96, rmlp: 512, relu: true}.build, 224, 41_724_622, 8_066_538_752, halfMean95},
	{"coatnet_rmlp_2_rw_224", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 128, width: 128, rmlp: 512, scales: true}.build, 224, 73_881_264, 15_114_828_800, halfMean95},
	{"coatnet_rmlp_2_rw_384", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 128, width: 128, rmlp: 512, scales: true}.build, 384, 73_881_264, 47_488_266_240, Recipe{CropPct: 1, Interpolation: "bicubic", CropMode: "squash", Mean: half, Std: half}},
	{"coatnet_rmlp_3_rw_224", coAtNet{depths: [4]int{2, 6, 14, 2}, stem: 192, width: 192, rmlp: 512, scales: true}.build, 224, 165_152_788, 33_458_952_704, halfMean95},
}}

func (c coAtNet) build(g *nn.Builder, x nn.Value) nn.Value {
	if g.Size%32 != 0 {
		g.Fail("want a multiple of 32 pixels")
	}
	x = g.Conv("stem.conv1", x, c.stem/2, nn.K(3).S(2))
	x = g.Activate(g.BatchNorm("stem.norm1", x, 1e-5), nn.SiLU)
	x = g.Conv("stem.conv2", x, c.stem, nn.K(3))
	for i, n := range c.depths {
		for j := range n {
			block := g.In("stages.%d.blocks.%d", i, j)
			if i < 2 {
				x = c.convBlock(block, x, c.width<<i, j == 0)
			} else {
				x = c.attentionBlock(block, x, c.width<<i, j == 0)
			}
		}
	}
	return g.Linear("head.fc", g.GlobalAvgPool(c.norm(g, "norm", x)), g.Classes)
}

// convBlock is the inverted residual block of the first two stages; the first of a stage halves the size.
func (c coAtNet) convBlock(g *nn.Builder, x nn.Value, out int, first bool) nn.Value {
	mid, stride := 4*x.C, 1
	y := g.BatchNorm("pre_norm", x, 1e-5)
	if !c.plainNorm {
		y = g.Activate(y, nn.SiLU)
	}
	switch {
	case first && c.pooled:
		y = g.AvgPool(y, nn.K(2).S(2).Valid())
	case first:
		stride = 2
	}
	y = g.Activate(g.BatchNorm("norm1", g.Conv("conv1_1x1", y, mid, nn.K(1)), 1e-5), nn.SiLU)
	y = g.Conv("conv2_kxk", y, mid, nn.K(3).S(stride).G(nn.Depthwise))
	squeeze := nn.SiLU
	if c.relu {
		squeeze = nn.ReLU
	}
	if c.early {
		y = squeezeExciteBy(g.In("se_early"), y, mid/4, squeeze)
	}
	y = g.Activate(g.BatchNorm("norm2", y, 1e-5), nn.SiLU)
	if !c.early {
		y = squeezeExciteBy(g.In("se"), y, mid/4, squeeze)
	}
	last := nn.K(1)
	last.Bias = c.convBias
	y = g.Conv("conv3_1x1", y, out, last)
	return g.Add(y, c.shortcut(g, x, out, first, c.convBias))
}

// attentionBlock is the encoder of the last two stages; the first of a stage halves the size.
func (c coAtNet) attentionBlock(g *nn.Builder, x nn.Value, out int, first bool) nn.Value {
	y, one := x, nn.K(1).WithBias()
	if first {
		y = c.halve(g, c.norm(g, "norm1.norm", x))
	} else {
		y = c.norm(g, "norm1", x)
	}
	heads := x.C / 32
	y = g.Attention(g.Conv("attn.qkv", y, 3*x.C, one), nn.AttentionSpec{
		Heads: heads, HeadsFirst: true, Bias: c.positions(g.In("attn.rel_pos"), heads, y.H, y.W),
	})
	y = g.Conv("attn.proj", y, out, one)
	x = g.Add(c.scaled(g, "ls1.gamma", y), c.shortcut(g, x, out, first, !c.noBias))
	y = g.Activate(g.Conv("mlp.fc1", c.norm(g, "norm2", x), 4*out, one), nn.GELU)
	return g.Add(c.scaled(g, "ls2.gamma", g.Conv("mlp.fc2", y, out, one)), x)
}

// positions is the bias of relative positions on a grid of h×w.
func (c coAtNet) positions(g *nn.Builder, heads, h, w int) nn.Value {
	if c.rmlp == 0 {
		s := nn.Shape{C: heads, H: 2*h - 1, W: 2*w - 1}
		return g.Const("relative_position_bias_table", s, s.H*s.W, heads)
	}
	return g.Linear("mlp.fc2", g.ReLU(g.Linear("mlp.fc1", g.RelCoords(h, w), c.rmlp)), heads)
}

// shortcut is a block's residual.
func (c coAtNet) shortcut(g *nn.Builder, x nn.Value, out int, first, bias bool) nn.Value {
	in := x.C
	if first {
		x = c.halve(g, x)
	}
	if in == out {
		return x
	}
	k := nn.K(1)
	k.Bias = bias
	return g.Conv("shortcut.expand", x, out, k)
}

func (c coAtNet) halve(g *nn.Builder, x nn.Value) nn.Value {
	if c.maxPool {
		return g.MaxPool(x, nn.K(3).S(2))
	}
	return g.AvgPool(x, nn.K(2).S(2).Valid())
}

func (c coAtNet) norm(g *nn.Builder, name string, x nn.Value) nn.Value {
	if c.batchNorm {
		return g.BatchNorm(name, x, 1e-6)
	}
	return g.LayerNorm(name, x, 1e-6)
}

func (c coAtNet) scaled(g *nn.Builder, name string, x nn.Value) nn.Value {
	if c.scales {
		return g.Scale(name, x)
	}
	return x
}

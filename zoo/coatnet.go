package zoo

import "zoobench/zoo/nn"

// Dai, Liu, Le, Tan: CoAtNet: Marrying Convolution and Attention for All Data Sizes, 2021, arXiv:2106.04803, table 3,
// in timm's form (rw), which was trained before the authors' own code came out.
//
// Departures from the paper:
//   - the stem's first convolution has half its channels, and CoAtNet-0 has 7 blocks in its third stage;
//   - a convolution block expands its input's channels, not its output's, and its activation is SiLU;
//   - attention has its input's channels, its last layer goes to the output's;
//   - residuals and attention halve the size by an average over 2×2 pixels;
//   - rmlp: the bias of a relative position comes from a small network over its log-spaced offsets, not from a table.
//
// The input is a multiple of 32 pixels. At another size than the row's a table of relative positions has another size
// too, as in timm: published weights with tables fit at their own size only, those of rmlp at any. The rows but
// coatnet_0_rw, 1_rw and rmlp_nano_rw have no golden: their MACs are this graph's count, their parameters agree with
// timm's table to its digits (coatnet_3_rw's with the 11 821 classes that it was published for).
type coAtNet struct {
	coAtSize
	rmlp    int  // hidden units of the network of offsets, 0 for a table
	early   bool // squeeze and excitation stands before the second norm
	pooled  bool // a convolution block halves the size by an average, not by its depthwise layer
	maxPool bool // residuals and attention halve the size by a 3×3 maximum
	noBias  bool // in an attention block's residual
	scales  bool // layer scales in attention blocks
	keep    keep
}

// coAtSize is a column of table 3, S1 and S2 being stages of convolution, S3 and S4 of attention.
type coAtSize struct {
	stem, width int    // channels of S0 and of S1; each next stage has twice as many
	depths      [4]int // blocks of S1 to S4
	squeeze     nn.Act // in squeeze and excitation
	plain       bool   // no activation behind a convolution block's first norm, a bias in its last layer and residual
}

var (
	coAtNano = coAtSize{64, 64, [4]int{3, 4, 6, 3}, nn.SiLU, true}
	coAtNet0 = coAtSize{64, 96, [4]int{2, 3, 7, 2}, nn.ReLU, false}
	coAtNet1 = coAtSize{64, 96, [4]int{2, 6, 14, 2}, nn.ReLU, false}
	coAtNet2 = coAtSize{128, 128, [4]int{2, 6, 14, 2}, nn.SiLU, false}
	coAtNet3 = coAtSize{192, 192, [4]int{2, 6, 14, 2}, nn.SiLU, false}
)

var coAtNets = family{name: "coatnet", year: 2021, paper: "arXiv:2106.04803", rows: []row{
	{"coatnet_nano_rw_224", coAtNet{coAtSize: coAtNano, pooled: true}.build, 224, 15_141_244, 2_382_715_392, halfMean90},
	{"coatnet_0_rw_224", coAtNet{coAtSize: coAtNet0, early: true, pooled: true, noBias: true}.build,
		224, 27_435_562, 4_406_300_928, halfMean95},
	{"coatnet_1_rw_224", coAtNet{coAtSize: coAtNet1, early: true, noBias: true}.build, 224, 41_721_502, 7_992_160_512, halfMean95},
	{"coatnet_2_rw_224", coAtNet{coAtSize: coAtNet2}.build, 224, 73_868_400, 15_019_256_832, halfMean95},
	{"coatnet_3_rw_224", coAtNet{coAtSize: coAtNet3, scales: true}.build, 224, 165_173_428, 33_320_993_280, halfMean95},
	{"coatnet_rmlp_nano_rw_224", coAtNet{coAtSize: coAtNano, rmlp: 384}.build, 224, 15_145_116, 2_594_052_864, halfMean90},
	{"coatnet_rmlp_0_rw_224", coAtNet{coAtSize: coAtNet0, rmlp: 512}.build, 224, 27_446_074, 4_684_945_664, halfMean95},
	{"coatnet_rmlp_1_rw_224", coAtNet{coAtSize: coAtNet1, rmlp: 384, early: true, pooled: true, maxPool: true, noBias: true}.build,
		224, 41_691_982, 7_807_099_392, halfMean95},
	{"coatnet_rmlp_1_rw2_224", coAtNet{coAtSize: coAtNet1, rmlp: 512}.build, 224, 41_724_622, 8_066_538_752, halfMean95},
	{"coatnet_rmlp_2_rw_224", coAtNet{coAtSize: coAtNet2, rmlp: 512, scales: true}.build, 224, 73_881_264, 15_114_828_800, halfMean95},
	{"coatnet_rmlp_2_rw_384", coAtNet{coAtSize: coAtNet2, rmlp: 512, scales: true}.build, 384, 73_881_264, 47_488_266_240, halfSquash100},
	{"coatnet_rmlp_3_rw_224", coAtNet{coAtSize: coAtNet3, rmlp: 512, scales: true}.build, 224, 165_152_788, 33_458_952_704, halfMean95},
}}

func (c coAtNet) build(g *nn.Builder, x nn.Value) nn.Value {
	keep, least := c.keep, 32>>c.keep
	if g.Size%least != 0 {
		g.Fail("want a multiple of %d pixels", least)
	}
	x = g.Conv("stem.conv1", x, c.stem/2, nn.K(3).S(keep.stride(2)))
	x = g.Activate(g.BatchNorm("stem.norm1", x, 1e-5), nn.SiLU)
	x = g.Conv("stem.conv2", x, c.stem, nn.K(3))
	for i, n := range c.depths {
		block := c.convBlock
		if i > 1 {
			block = c.attentionBlock
		}
		for j := range n {
			x = block(g.In("stages.%d.blocks.%d", i, j), x, c.width<<i, j == 0 && keep.stride(2) == 2)
		}
		x = g.Expect(x, nn.Shape{C: c.width << i, H: g.Size << c.keep >> (i + 2), W: g.Size << c.keep >> (i + 2)})
	}
	return g.Linear("head.fc", g.GlobalAvgPool(g.LayerNorm("norm", x, 1e-6)), g.Classes)
}

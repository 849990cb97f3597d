package zoo

import (
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Dosovitskiy, Beyer, Kolesnikov and others: An Image is Worth 16x16 Words, 2020, arXiv:2010.11929, table 1; tiny and
// small are DeiT's widths (table 1 there).
//
// As released:
//   - layer norms have an epsilon of 1e-6, and the classifier is one linear layer on the class token;
//   - for another input size than the row's the table of positions is resampled, as timm does.
//
// torchvision's vit_b_16, b_32, l_16 and l_32 compute the same as timm's. Nobody released a tiny network at patch 32.
// Rows of 384 and 512 pixels are networks of their own, their weights have a longer table of positions. The rows
// without a golden (all but tiny, small and base at patch 16, base at patch 32, those at 224 pixels) have this graph's
// count as MACs; their parameters agree with timm's table to its digits, or torchvision's exactly.
type vit struct {
	width, depth, heads int
	patch               int
	distilled           bool
	size                int // for which the table of positions is made; 0 means 224
}

var (
	vitTiny  = vit{width: 192, depth: 12, heads: 3, patch: 16}
	vitSmall = vit{width: 384, depth: 12, heads: 6, patch: 16}
	vitBase  = vit{width: 768, depth: 12, heads: 12, patch: 16}
	vitLarge = vit{width: 1024, depth: 24, heads: 16, patch: 16}
)

var vits = family{name: "vit", year: 2020, paper: "arXiv:2010.11929", rows: []row{
	{"vit_tiny_patch16_224", vitTiny.build, 224, 5_717_416, 1_253_683_200, halfMean90},
	{"vit_tiny_patch16_384", vitTiny.at(384).build, 384, 5_790_376, 4_682_219_520, halfMean100},
	{"vit_small_patch32_224", vitSmall.by(32).build, 224, 22_878_952, 1_142_909_952, halfMean90},
	{"vit_small_patch32_384", vitSmall.by(32).at(384).build, 384, 22_915_432, 3_442_900_992, halfMean100},
	{"vit_small_patch16_224", vitSmall.build, 224, 22_050_664, 4_598_882_304, halfMean90},
	{"vit_small_patch16_384", vitSmall.at(384).build, 384, 22_196_584, 15_490_351_104, halfMean100},
	{"vit_base_patch32_224", vitBase.by(32).build, 224, 88_224_232, 4_409_186_304, halfMean90},
	{"vit_base_patch32_384", vitBase.by(32).at(384).build, 384, 88_297_192, 13_043_564_544, halfMean100},
	{"vit_base_patch16_224", vitBase.build, 224, 86_567_656, 17_563_828_224, halfMean90},
	{"vit_base_patch16_384", vitBase.at(384).build, 384, 86_859_496, 55_484_350_464, halfMean100},
	{"vit_large_patch32_224", vitLarge.by(32).build, 224, 306_535_400, 15_377_539_072, halfMean90},
	{"vit_large_patch32_384", vitLarge.by(32).at(384).build, 384, 306_632_680, 45_275_963_392, halfMean100},
	{"vit_large_patch16_224", vitLarge.build, 224, 304_326_632, 61_554_712_576, halfMean90},
	{"vit_large_patch16_384", vitLarge.at(384).build, 384, 304_715_752, 191_066_300_416, halfMean100},
	{"vit_l_16_512", vitLarge.at(512).build, 512, 305_174_504, 361_986_285_568, Recipe{CropPct: 1, Interpolation: "bicubic"}},
},
	aliases: []alias{
		{"vit_base_patch16_224", "vit_b_16"}, {"vit_base_patch32_224", "vit_b_32"}, {"vit_base_patch16_384", "vit_b_16_384"},
		{"vit_large_patch16_224", "vit_l_16"}, {"vit_large_patch32_224", "vit_l_32"},
	},
	renames: []renames{{
		of: []string{
			"vit_base_patch16_224", "vit_base_patch32_224", "vit_base_patch16_384", "vit_large_patch16_224",
			"vit_large_patch32_224", "vit_l_16_512",
		},
		table: vitTorchvision("torchvision", "0", "3"),
	}, {
		// torchvision's published files; the library takes their names to its own.
		of: []string{
			"vit_base_patch16_224", "vit_base_patch32_224", "vit_base_patch16_384", "vit_large_patch16_224",
			"vit_large_patch32_224", "vit_l_16_512",
		},
		table: vitTorchvision("torchvision, published", "linear_1", "linear_2"),
	}, {table: vitTransformers(false)}},
	variants: []variants{{variant: vitVariant}},
}

// norm is a layer norm of the encoder.
func (v vit) norm(g *nn.Builder, name string, x nn.Value) nn.Value {
	if g.Library == transformers {
		return g.LayerNorm(name, x, 1e-12)
	}
	return g.LayerNorm(name, x, 1e-6)
}

func (v vit) by(patch int) vit { v.patch = patch; return v }
func (v vit) at(size int) vit  { v.size = size; return v }
func (v vit) distil() vit      { v.distilled = true; return v }

func (v vit) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Conv("patch_embed.proj", x, v.width, nn.K(v.patch).S(v.patch).Valid().WithBias())
	to := [2]int{x.H, x.W}
	token := nn.Shape{C: v.width, H: 1, W: 1}
	tokens := []nn.Value{g.Const("cls_token", token, 1, 1, v.width)}
	if v.distilled {
		tokens = append(tokens, g.Const("dist_token", token, 1, 1, v.width))
	}
	prefix, size := len(tokens), v.size
	switch {
	case g.FromScratch:
		size = g.Size
	case size == 0:
		size = 224
	}
	from := [2]int{size / v.patch, size / v.patch}
	length := prefix + from[0]*from[1]
	positions := g.Const("pos_embed", nn.Shape{C: v.width, H: 1, W: length}, 1, length, v.width)
	x = g.ConcatTokens(append(tokens, g.Tokens(x))...)
	x = g.Add(x, g.Resample(positions, from, to, prefix))
	for i := range v.depth {
		x = v.block(g.In("blocks.%d", i), x)
	}
	x = v.norm(g, "norm", x)
	y := g.Linear("head", g.SliceTokens(x, 0, 1), g.Classes)
	if v.distilled {
		y = g.Add(y, g.Linear("head_dist", g.SliceTokens(x, 1, 2), g.Classes))
		y = g.Affine(y, []float64{0.5}, nil)
	}
	return y
}

// block is figure 1's encoder.
func (v vit) block(g *nn.Builder, x nn.Value) nn.Value {
	y := g.Linear("attn.qkv", v.norm(g, "norm1", x), 3*v.width)
	y = g.Attention(y, nn.AttentionSpec{Heads: v.heads})
	x = g.Add(g.Linear("attn.proj", y, v.width), x)
	return g.Add(mlp(g.In("mlp"), v.norm(g, "norm2", x), 4*v.width), x)
}

// vitTorchvision is the table from torchvision's names; fc1 and fc2 are the layers of a block's MLP.
func vitTorchvision(name, fc1, fc2 string) weights.Table {
	const old, block = "encoder.layers.encoder_layer_*.", "blocks.*."
	return weights.Table{Name: name, Rows: []weights.Rename{
		{Old: "class_token", New: "cls_token"},
		{Old: "conv_proj.*", New: "patch_embed.proj.*"},
		{Old: "encoder.pos_embedding", New: "pos_embed"},
		{Old: old + "ln_1.*", New: block + "norm1.*"},
		{Old: old + "self_attention.in_proj_weight", New: block + "attn.qkv.weight"},
		{Old: old + "self_attention.in_proj_bias", New: block + "attn.qkv.bias"},
		{Old: old + "self_attention.out_proj.*", New: block + "attn.proj.*"},
		{Old: old + "ln_2.*", New: block + "norm2.*"},
		{Old: old + "mlp." + fc1 + ".*", New: block + "mlp.fc1.*"},
		{Old: old + "mlp." + fc2 + ".*", New: block + "mlp.fc2.*"},
		{Old: "encoder.ln.*", New: "norm.*"},
		{Old: "heads.head.*", New: "head.*"},
	}}
}

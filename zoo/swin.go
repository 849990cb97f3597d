package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo: Swin Transformer, 2021, arXiv:2103.14030, table 7.
//
// As released:
//   - where a stage has no more pixels than a window, there is one window and no shift;
//   - patch merging reads the four pixels of a square down and then across, and normalises them before it reduces them.
//
// The input has to be a whole number of windows at every stage. torchvision computes the same. The rows but swin_tiny
// have no golden: their MACs are this graph's count, their parameters torchvision's, those of the row at 384 pixels
// timm's to the digits given.
type swin struct {
	depths [4]int
	width  int // of the first stage, C in the paper; a head has 32 channels
	window int
}

var swins = family{name: "swin", year: 2021, paper: "arXiv:2103.14030", rows: []row{
	{"swin_tiny_patch4_window7_224", swin{[4]int{2, 2, 6, 2}, 96, 7}.build, 224, 28_288_354, 4_490_566_656, bicubic90},
	{"swin_small_patch4_window7_224", swin{[4]int{2, 2, 18, 2}, 96, 7}.build, 224, 49_606_258, 8_740_875_264, bicubic90},
	{"swin_base_patch4_window7_224", swin{[4]int{2, 2, 18, 2}, 128, 7}.build, 224, 87_768_224, 15_430_946_816, bicubic90},
	{"swin_base_patch4_window12_384", swin{[4]int{2, 2, 18, 2}, 128, 12}.build, 384, 87_903_584, 47_083_134_976, bicubic100},
},
	aliases: []alias{
		{"swin_tiny_patch4_window7_224", "swin_t"}, {"swin_small_patch4_window7_224", "swin_s"},
		{"swin_base_patch4_window7_224", "swin_b"},
	},
	renames: []renames{{
		of:    []string{"swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224", "swin_base_patch4_window7_224"},
		table: renamed("torchvision", swinTorchvision),
	}, {table: swinTransformers()}},
	variants: []variants{{variant: swinVariant}},
}

func (s swin) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Conv("patch_embed.proj", x, s.width, nn.K(4).S(4).Valid().WithBias())
	x = g.LayerNorm("patch_embed.norm", x, 1e-5)
	for i, n := range s.depths {
		stage := g.In("layers.%d", i)
		if i > 0 {
			if x.H%2 != 0 {
				g.Fail("layers.%d.downsample: a grid of %d×%d cannot be cut into squares of 2×2", i, x.H, x.W)
			}
			x = mergePatches(stage.In("downsample"), x)
		}
		for j := range n {
			x = s.block(stage.In("blocks.%d", j), x, j%2 == 1)
		}
	}
	x = g.GlobalAvgPool(g.LayerNorm("norm", x, 1e-5))
	return g.Linear("head.fc", x, g.Classes)
}

// block is half of figure 3b: the first of a pair cuts the grid into windows, the second shifts them by half a window.
func (s swin) block(g *nn.Builder, x nn.Value, second bool) nn.Value {
	a := nn.AttentionSpec{Heads: x.C / 32, Window: min(s.window, x.H)}
	if second && x.H > s.window {
		a.Shift = s.window / 2
	}
	side, tokens := 2*a.Window-1, a.Window*a.Window
	a.Bias = g.Const("attn.relative_position_bias_table", nn.Shape{C: a.Heads, H: side, W: side}, side*side, a.Heads)
	// Files have these too, which the window's size determines.
	g.Aux("attn.relative_position_index", tokens, tokens)
	if a.Shift > 0 {
		g.Aux("attn_mask", x.H*x.W/tokens, tokens, tokens)
	}

	y := g.Linear("attn.qkv", g.LayerNorm("norm1", x, 1e-5), 3*x.C)
	x = g.Add(g.Linear("attn.proj", g.Attention(y, a), x.C), x)
	return g.Add(mlp(g.In("mlp"), g.LayerNorm("norm2", x, 1e-5), 4*x.C), x)
}

// mergePatches lays the four pixels of each square side by side and reduces them to twice the channels of one.
func mergePatches(g *nn.Builder, x nn.Value) nn.Value {
	every := func(top, left int) nn.Value { return g.AvgPool(x, nn.K(1).S(2).PadEdges(-top, -left, 0, 0)) }
	y := g.Concat(every(0, 0), every(1, 0), every(0, 1), every(1, 1))
	return g.LinearNoBias("reduction", g.LayerNorm("norm", y, 1e-5), 2*x.C)
}

// swinTorchvision is the table from torchvision's names: an odd number of features is a stage, an even one the merging
// before the next.
func swinTorchvision() []weights.Rename {
	rows := []weights.Rename{
		{Old: "features.0.0.*", New: "patch_embed.proj.*"}, {Old: "features.0.2.*", New: "patch_embed.norm.*"},
		{Old: "head.*", New: "head.fc.*"},
	}
	for i := range 4 {
		stage := fmt.Sprintf("features.%d.*.", 2*i+1)
		block := fmt.Sprintf("layers.%d.blocks.*.", i)
		rows = append(rows,
			weights.Rename{Old: stage + "mlp.0.*", New: block + "mlp.fc1.*"},
			weights.Rename{Old: stage + "mlp.3.*", New: block + "mlp.fc2.*"},
			weights.Rename{Old: stage + "attn.*", New: block + "attn.*"},
			weights.Rename{Old: stage + "attn.*.*", New: block + "attn.*.*"},
			weights.Rename{Old: stage + "*.*", New: block + "*.*"}, // norm1 and norm2
		)
		if i > 0 {
			rows = append(rows, weights.Rename{
				Old: fmt.Sprintf("features.%d.*.*", 2*i), New: fmt.Sprintf("layers.%d.downsample.*.*", i),
			})
		}
	}
	return rows
}

package zoo

import "zoobench/zoo/nn"

// The blocks of ResNet and its kin up to their sums, each with the names of its layers, and the gates in front of the
// sum. A variant of ResNet is one more of these.

// residual is a block up to its sum. planes is the paper's variable, 64 in the first stage and doubled in each next.
type residual interface {
	build(g *nn.Builder, x nn.Value, planes, stride int) nn.Value
	out(planes int) int // channels of the result
}

// gate weighs each channel of a block's result.
type gate func(g *nn.Builder, x nn.Value) nn.Value

// basic is two 3×3, the block of 18 and 34 layers.
type basic struct{}

func (basic) out(planes int) int { return planes }

func (b basic) build(g *nn.Builder, x nn.Value, planes, stride int) nn.Value {
	x = g.ReLU(convBN(g, "1", x, planes, nn.K(3).S(stride)))
	return convBN(g, "2", x, b.out(planes), nn.K(3))
}

// bottleneck is 1×1, 3×3 and 1×1, the block of 50 layers and more; bottleneck{32, 4} is ResNeXt's 32x4d.
type bottleneck struct {
	groups int // ResNeXt's cardinality, 0 means 1
	width  int // channels of a group where the paper's plain bottleneck has 64, 0 means 64
}

func (bottleneck) out(planes int) int { return 4 * planes }

// inner is the channels and the groups of the 3×3.
func (b bottleneck) inner(planes int) (channels, groups int) {
	groups, width := max(b.groups, 1), b.width
	if width == 0 {
		width = 64
	}
	return planes * width / 64 * groups, groups
}

func (b bottleneck) build(g *nn.Builder, x nn.Value, planes, stride int) nn.Value {
	mid, groups := b.inner(planes)
	x = g.ReLU(convBN(g, "1", x, mid, nn.K(1)))
	x = g.ReLU(convBN(g, "2", x, mid, nn.K(3).S(stride).G(groups)))
	return convBN(g, "3", x, b.out(planes), nn.K(1))
}

// padChannels is a shortcut without parameters: every stride-th pixel, with channels of zeros up to out, a multiple of x's.
func padChannels(g *nn.Builder, x nn.Value, out, stride int) nn.Value {
	x = g.AvgPool(x, nn.K(1).S(stride))
	parts := []nn.Value{x}
	for c := x.C; c < out; c += x.C {
		parts = append(parts, g.Affine(x, []float64{0}, nil))
	}
	return g.Concat(parts...)
}

// cbam is attention to channels, squeezed as se16 does, and then to pixels: Woo, Park, Lee, Kweon: CBAM, 2018,
// arXiv:1807.06521, figure 2 and equations 2 and 3. As released: a batch norm is behind the 7×7.
func cbam(g *nn.Builder, x nn.Value) nn.Value {
	mean, most := g.GlobalAvgPool(x), g.MaxPool(x, nn.KHW(x.H, x.W).Valid())
	y := g.ConcatTokens(mean, most) // one network for both
	y = g.ReLU(g.Conv("fc1", y, round8(float64(x.C)/16, 0), nn.K(1).WithBias()))
	y = g.Conv("fc2", y, x.C, nn.K(1).WithBias())
	y = g.Add(g.SliceTokens(y, 0, 1), g.SliceTokens(y, 1, 2))
	x = g.Mul(x, g.Activate(y, nn.Sigmoid))

	// Pools over channels: of an image of one channel that has a row for each.
	rows := g.Unflatten(g.Flatten(x), nn.Shape{C: 1, H: x.C, W: x.H * x.W})
	column := nn.KHW(x.C, 1).Valid()
	y = g.Grid(g.Concat(g.MaxPool(rows, column), g.AvgPool(rows, column)), x.H, x.W)
	y = g.Activate(g.BatchNorm("bn", g.Conv("conv", y, 1, nn.K(7)), 1e-5), nn.Sigmoid)
	y = g.AdaptiveAvgPool(g.Tokens(y), x.C, x.H*x.W) // the same row for each channel
	return g.Mul(x, g.Unflatten(g.Flatten(y), x.Shape))
}

// se16 is squeeze and excitation, by 16.
func se16(g *nn.Builder, x nn.Value) nn.Value {
	return squeezeExcite(g, x, round8(float64(x.C)/16, 0))
}

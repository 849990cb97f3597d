package zoo

import "zoobench/zoo/nn"

// Li, Wang, Hu, Yang: Selective Kernel Networks, 2019, arXiv:1903.06586, figure 1 and table 1.
//
// As released in timm: two paths, 3×3 and, for the paper's 5×5, 3×3 spaced by 2; in the plain networks each path sees
// half of the channels; blocks of 18 and 34 layers select in the first of their two convolutions.
//
// skresnet50 has a golden: the others' MACs are this graph's count, their parameters timm's to the digits given.
var skNets = family{name: "sknet", year: 2019, paper: "arXiv:1903.06586", rows: []row{
	{"skresnet18", resnet{depths: [4]int{2, 2, 2, 2}, block: skBasic{sk: sk8}}.build, 224, 11_958_056, 1_814_337_536, bicubic},
	{"skresnet34", resnet{depths: [4]int{3, 4, 6, 3}, block: skBasic{sk: sk8}}.build, 224, 22_282_376, 3_664_237_568, bicubic},
	{"skresnet50", resnet{depths: [4]int{3, 4, 6, 3}, block: skBottleneck{sk: sk16}}.build, 224, 25_803_160, 4_089_422_336, bicubic},
	{"skresnet50d", resnet{depths: [4]int{3, 4, 6, 3}, block: skBottleneck{sk: sk16}, stem: stemD, avgDown: true}.build,
		224, 25_822_392, 4_329_062_912, bicubic},
	{"skresnext50_32x4d", resnet{depths: [4]int{3, 4, 6, 3}, block: skBottleneck{bottleneck{32, 4}, sk16Whole}}.build,
		224, 27_479_784, 4_462_710_784, bicubic},
}}

var (
	sk8       = selectiveKernel{8, 16, false}
	sk16      = selectiveKernel{16, 8, false}
	sk16Whole = selectiveKernel{16, 32, true}
)

// selectiveKernel is what takes the place of a block's 3×3 with the stride.
type selectiveKernel struct {
	reduce  int  // channels over those of the squeezed vector
	divisor int  // of the squeezed vector's channels
	whole   bool // both paths see all channels
}

// skBasic is ResNet's basic block with a selective kernel in place of its first 3×3.
type skBasic struct {
	basic
	sk selectiveKernel
}

func (b skBasic) build(g *nn.Builder, x nn.Value, planes, stride int) nn.Value {
	x = b.sk.convolve(g.In("conv1"), x, planes, nn.K(3).S(stride))
	return convNorm(g.In("conv2"), x, b.out(planes), nn.K(3))
}

// skBottleneck is ResNet's bottleneck with a selective kernel in place of its 3×3.
type skBottleneck struct {
	bottleneck
	sk selectiveKernel
}

func (b skBottleneck) build(g *nn.Builder, x nn.Value, planes, stride int) nn.Value {
	mid, groups := b.inner(planes)
	x = g.ReLU(convNorm(g.In("conv1"), x, mid, nn.K(1)))
	x = b.sk.convolve(g.In("conv2"), x, mid, nn.K(3).S(stride).G(groups))
	return convNorm(g.In("conv3"), x, b.out(planes), nn.K(1))
}

// convolve is figure 1: split, fuse, select. The paths' shares of a channel are a softmax between them.
func (s selectiveKernel) convolve(g *nn.Builder, x nn.Value, out int, k nn.Kernel) nn.Value {
	var paths [2]nn.Value
	for i := range paths {
		seen := x
		if !s.whole {
			seen = g.Slice(x, i*x.C/2, (i+1)*x.C/2)
		}
		paths[i] = g.ReLU(convNorm(g.In("paths.%d", i), seen, out, k.D(i+1)))
	}
	attn := g.In("attn")
	y := attn.Conv("fc_reduce", g.GlobalAvgPool(g.Add(paths[0], paths[1])), roundTo(s.divisor, float64(out)/float64(s.reduce), 0.9), nn.K(1))
	y = attn.Conv("fc_select", g.ReLU(attn.BatchNorm("bn", y, 1e-5)), 2*out, nn.K(1))
	y = g.SplitSoftmax(y, 2)
	return g.Add(g.Mul(paths[0], g.Slice(y, 0, out)), g.Mul(paths[1], g.Slice(y, out, 2*out)))
}

package zoo

import "zoobench/zoo/nn"

// Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam: MobileNets, 2017, arXiv:1704.04861, table 1.
//
// As timm released it: the activation is ReLU6; _100h adds a 1×1 convolution before the classifier's pool.
// mobilenetv1_100h has no golden: its MACs are this graph's count.
type mobileNetV1 struct {
	width float64
	head  bool // 1×1 convolution to 1024 channels before the pool
	keep  keep
	dense bool // a 3×3 over all channels instead of a depthwise and a pointwise pair
	keras bool // see kerasmobilenet.go
}

// mobileNetV1Stages are table 1's depthwise and pointwise pairs, grouped by size: stride of the first, channels, pairs.
var mobileNetV1Stages = []struct{ stride, out, n int }{
	{1, 64, 1},
	{2, 128, 2},
	{2, 256, 2},
	{2, 512, 6},
	{2, 1024, 2},
}

var mobileNetV1s = family{name: "mobilenetv1", year: 2017, paper: "arXiv:1704.04861", rows: []row{
	{"mobilenetv1_100", mobileNetV1{width: 1}.build, 224, 4_231_976, 568_740_352,
		Recipe{Interpolation: "bicubic", Mean: half, Std: half, TestSize: 256, TestCropPct: 0.95}},
	{"mobilenetv1_100h", mobileNetV1{width: 1, head: true}.build, 224, 5_282_600, 620_120_576,
		Recipe{Interpolation: "bicubic", Mean: half, Std: half, TestSize: 256, TestCropPct: 0.95}},
	{"mobilenetv1_125", mobileNetV1{width: 1.25}.build, 224, 6_270_840, 879_516_800,
		Recipe{CropPct: 0.9, Interpolation: "bicubic", Mean: half, Std: half, TestSize: 256, TestCropPct: 1}},
}}

func (m mobileNetV1) build(g *nn.Builder, x nn.Value) nn.Value {
	keep := m.keep
	stem := nn.K(3).S(keep.stride(2))
	if m.keras {
		stem = stem.Same()
	}
	x = g.Conv("conv_stem", x, m.channels(32), stem)
	x = m.normReLU6(g, "bn1", x)
	for i, s := range mobileNetV1Stages {
		for j := range s.n {
			stride := 1
			if j == 0 {
				stride = keep.stride(s.stride)
			}
			b, out, over := g.In("blocks.%d.%d", i, j), m.channels(s.out), nn.K(3).S(stride)
			if m.dense {
				x = m.normReLU6(b, "bn1", b.Conv("conv", x, out, over))
				continue
			}
			if m.keras && stride == 2 {
				over = over.PadEdges(0, 0, 1, 1)
			}
			x = m.normReLU6(b, "bn1", b.Conv("conv_dw", x, x.C, over.G(nn.Depthwise)))
			x = m.normReLU6(b, "bn2", b.Conv("conv_pw", x, out, nn.K(1)))
		}
	}
	if m.head {
		x = m.normReLU6(g, "bn2", g.Conv("conv_head", x, round8(1024*max(1, m.width), 0.9), nn.K(1)))
	}
	return g.Linear("classifier", g.GlobalAvgPool(x), g.Classes)
}

func (m mobileNetV1) channels(c int) int {
	if m.keras {
		return int(float64(c) * m.width)
	}
	return round8(float64(c)*m.width, 0.9)
}

// normReLU6 is a batch norm and ReLU6.
func (m mobileNetV1) normReLU6(g *nn.Builder, name string, x nn.Value) nn.Value {
	eps, momentum := 1e-5, 0.1
	if m.keras {
		eps, momentum = 1e-3, 0.01
	}
	return g.Activate(g.BatchNormMomentum(name, x, eps, momentum), nn.ReLU6)
}

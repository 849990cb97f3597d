package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
)

// Ioffe, Szegedy: Batch Normalization: Accelerating Deep Network Training, 2015, arXiv:1502.03167, figure 5.
//
// As released in Cadene's pretrained-models.pytorch, which took it from Caffe:
//   - convolutions keep a bias before their batch norm, and the first one is a plain convolution;
//   - modules 4c and 4d put out 608 channels, where figure 5 prints 576;
//   - pools round up (ceil mode); 5b's is a maximum pool;
//   - every value behind a batch norm is rectified, for all that read it: the reference's ReLUs work in place;
//   - the last pool is 7×7 there and global here, so that other sizes work: the same at 224.
//
// The published weights want pixels of 0 … 255 in BGR order, which a Recipe cannot say: the row's is ImageNet's usual
// one.
var bnInceptions = family{name: "bninception", year: 2015, paper: "arXiv:1502.03167", rows: []row{
	{"bninception", bnInception, 224, 11_295_240, 2_032_600_064, plain},
}}

// bnInceptionRows are figure 5's modules: channels of the 1×1, the 3×3 and the double 3×3 with what reduces them, and
// of the 1×1 behind the pool. Without a 1×1 and a projection the module halves the pixels.
var bnInceptionRows = []struct {
	name                                             string
	c1, reduce3, c3, reduceDouble, cDouble, poolProj int
}{
	{"3a", 64, 64, 64, 64, 96, 32},
	{"3b", 64, 64, 96, 64, 96, 64},
	{"3c", 0, 128, 160, 64, 96, 0},
	{"4a", 224, 64, 96, 96, 128, 128},
	{"4b", 192, 96, 128, 96, 128, 128},
	{"4c", 160, 128, 160, 128, 160, 128},
	{"4d", 96, 128, 192, 160, 192, 128},
	{"4e", 0, 128, 192, 192, 256, 0},
	{"5a", 352, 192, 320, 160, 224, 128},
	{"5b", 352, 192, 320, 192, 224, 128},
}

func bnInception(g *nn.Builder, x nn.Value) nn.Value {
	conv := func(prefix string) convolution { // everything in one scope: inception_3a_1x1 and inception_3a_1x1_bn
		return func(name string, x nn.Value, out int, k nn.Kernel) nn.Value {
			name = prefix + name
			return g.ReLU(g.BatchNorm(name+"_bn", g.Conv(name, x, out, k.WithBias()), 1e-5))
		}
	}
	ceil := step{pool: nn.MaxPool, k: k3s2.WithCeil()}
	stem := branch{{name: "conv1_7x7_s2", out: 64, k: nn.K(7).S(2)}, ceil,
		{name: "conv2_3x3_reduce", out: 64, k: k1}, {name: "conv2_3x3", out: 192, k: k3}, ceil}
	x = stem.build(g, x, conv(""))
	for _, r := range bnInceptionRows {
		last := k3
		if r.c1 == 0 {
			last = k3.S(2)
		}
		m := branches{
			{{name: "3x3_reduce", out: r.reduce3, k: k1}, {name: "3x3", out: r.c3, k: last}},
			{{name: "double_3x3_reduce", out: r.reduceDouble, k: k1}, {name: "double_3x3_1", out: r.cDouble, k: k3},
				{name: "double_3x3_2", out: r.cDouble, k: last}},
		}
		pool := avg3
		if r.name == "5b" {
			pool = step{pool: nn.MaxPool, k: k3}
		}
		if r.c1 == 0 {
			m = append(m, branch{ceil})
		} else {
			m = append(branches{{{name: "1x1", out: r.c1, k: k1}}}, m...)
			m = append(m, branch{pool, {name: "pool_proj", out: r.poolProj, k: k1}})
		}
		x = m.build(g, x, conv(fmt.Sprintf("inception_%s_", r.name)))
	}
	x = g.Expect(x, nn.Shape{C: 1024, H: 7, W: 7})
	return g.Linear("last_linear", g.GlobalAvgPool(x), g.Classes)
}

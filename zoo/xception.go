package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
)

// Chollet: Xception: Deep Learning with Depthwise Separable Convolutions, 2016, arXiv:1610.02357, figure 5.
//
// As timm released it, under a name that parts it from DeepLab's aligned Xceptions:
//   - pools are padded by one pixel on every side, the two first convolutions not at all;
//   - the optional fully connected layers of figure 5 are left out.
var xceptions = family{name: "xception", year: 2016, paper: "arXiv:1610.02357", rows: []row{
	{"legacy_xception", xception{}.build, 299, 22_855_952, 8_357_403_496,
		Recipe{CropPct: 0.8975, Interpolation: "bicubic", Mean: half, Std: half}},
}, aliases: []alias{{"legacy_xception", "xception"}}}

// xceptionBlocks are figure 5's entry, middle and exit flows: channels of each separable convolution, and whether a
// pool follows.
var xceptionBlocks = []struct {
	out  []int
	pool bool
}{
	{[]int{128, 128}, true},
	{[]int{256, 256}, true},
	{[]int{728, 728}, true},
	{[]int{728, 728, 728}, false},
	{[]int{728, 728, 728}, false},
	{[]int{728, 728, 728}, false},
	{[]int{728, 728, 728}, false},
	{[]int{728, 728, 728}, false},
	{[]int{728, 728, 728}, false},
	{[]int{728, 728, 728}, false},
	{[]int{728, 728, 728}, false},
	{[]int{728, 1024}, true},
}

type xception struct {
	keras bool // see kerasinception.go
}

func (n xception) build(g *nn.Builder, x nn.Value) nn.Value {
	pool := nn.K(3).S(2)
	if n.keras {
		pool = pool.Same()
	}
	x = g.ReLU(n.norm(g, "bn1", g.Conv("conv1", x, 32, nn.K(3).S(2).Valid())))
	x = g.ReLU(n.norm(g, "bn2", g.Conv("conv2", x, 64, nn.K(3).Valid())))
	for i, b := range xceptionBlocks {
		s := g.In("block%d", i+1)
		skip, layer := x, 0 // of timm's flat list: activation, convolution and norm count one each
		if b.pool {
			skip = n.norm(s, "skipbn", s.Conv("skip", x, b.out[len(b.out)-1], nn.K(1).S(2)))
		}
		for j, out := range b.out {
			if i > 0 || j > 0 {
				x = s.ReLU(x)
				layer++
			}
			x = depthSeparable(s.In("rep.%d", layer), x, out)
			x = n.norm(s, fmt.Sprintf("rep.%d", layer+1), x)
			layer += 2
		}
		if b.pool {
			x = s.MaxPool(x, pool)
		}
		x = s.Add(x, skip)
	}
	x = g.Expect(x, nn.Shape{C: 1024, H: 10, W: 10})
	x = g.ReLU(n.norm(g, "bn3", depthSeparable(g.In("conv3"), x, 1536)))
	x = g.ReLU(n.norm(g, "bn4", depthSeparable(g.In("conv4"), x, 2048)))
	return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
}

func (n xception) norm(g *nn.Builder, name string, x nn.Value) nn.Value {
	if n.keras {
		return g.BatchNormMomentum(name, x, 1e-3, 0.01)
	}
	return g.BatchNorm(name, x, 1e-5)
}

// depthSeparable is a depthwise 3×3 and a 1×1 with nothing in between.
func depthSeparable(g *nn.Builder, x nn.Value, out int) nn.Value {
	x = g.Conv("conv1", x, x.C, nn.K(3).G(nn.Depthwise))
	return g.Conv("pointwise", x, out, nn.K(1))
}

package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
)

// Zoph, Vasudevan, Shlens, Le: Learning Transferable Architectures for Scalable Image Recognition, 2017,
// arXiv:1707.07012, figures 2 and 4 and appendix A.
//
// As released (TensorFlow; timm for large, Cadene's pretrained-models.pytorch for mobile):
//   - batch norms have epsilon 1e-3, and a separable convolution is applied twice;
//   - what comes from before a reduction is halved by two 1×1 convolutions, over even and over odd pixels;
//   - in the large network the cell behind a reduction takes what the reduction itself took, not its input;
//   - the large network pads as TensorFlow does, and counts the padding of its strided average pools;
//   - the mobile one gets there, at 224 pixels, by a row and a column of zeros in its reductions whose results it drops
//     (they are among its multiply-accumulates), and leaves padding out of averages;
//   - the last pool of the mobile network is 7×7 where it is global here, so that other sizes work: the same at 224.
type nasNet struct {
	stem     int // channels of the first convolution
	normal   int // normal cells in a row
	features int // channels at the end
	end      int // pixels of a side there
	tf       bool
	keras    bool // see kerasnasnet.go
}

var nasNets = family{name: "nasnet", year: 2017, paper: "arXiv:1707.07012", rows: []row{
	// N @ features: 4 @ 1056, 6 @ 4032
	{"nasnetamobile", nasNet{stem: 32, normal: 4, features: 1056, end: 7}.build, 224, 5_289_978, 568_234_858, Recipe{Mean: half, Std: half}},
	{"nasnetalarge", nasNet{stem: 96, normal: 6, features: 4032, end: 11, tf: true}.build, 331, 88_753_150, 23_783_414_658, nas331},
}}

var nas331 = Recipe{CropPct: 0.911, Interpolation: "bicubic", Mean: half, Std: half}

// nasNormal and nasReduction are figure 4.
var (
	nasNormal = nasCell{[5]nasPair{
		{{nasSep, 5, 1, nasInput}, {nasSep, 3, 1, nasPrevious}},
		{{nasSep, 5, 1, nasPrevious}, {nasSep, 3, 1, nasPrevious}},
		{{nasAvg, 3, 1, nasInput}, {nasSame, 0, 1, nasPrevious}},
		{{nasAvg, 3, 1, nasPrevious}, {nasAvg, 3, 1, nasPrevious}},
		{{nasSep, 3, 1, nasInput}, {nasSame, 0, 1, nasInput}},
	}, []int{nasPrevious, 0, 1, 2, 3, 4}}

	nasReduction = nasCell{[5]nasPair{
		{{nasSep, 5, 2, nasInput}, {nasSep, 7, 2, nasPrevious}},
		{{nasMax, 3, 2, nasInput}, {nasSep, 7, 2, nasPrevious}},
		{{nasAvg, 3, 2, nasInput}, {nasSep, 5, 2, nasPrevious}},
		{{nasSame, 0, 1, 1}, {nasAvg, 3, 1, 0}},
		{{nasSep, 3, 1, 0}, {nasMax, 3, 2, nasInput}},
	}, []int{1, 2, 3, 4}}
)

func (n nasNet) build(g *nn.Builder, x nn.Value) nn.Value {
	f := n.features / 24 // channels of a normal cell's sums in the first stage
	stemPad, normalPad, reductionPad := nasCentred, nasCentred, nasShifted
	switch {
	case n.keras:
		stemPad, normalPad, reductionPad = nasKeras, nasKeras, nasKeras
	case n.tf:
		stemPad, normalPad, reductionPad = nasTF, nasTF, nasTF
	}
	names := n.names()
	x = g.BatchNorm("conv0.bn", g.Conv("conv0.conv", x, n.stem, nn.K(3).S(2).Valid()), nasEps)
	s := g.In("%s", names.stem[0])
	prev, x := x, nasReduction.build(s, actConvNorm(s.In("conv_1x1"), x, f/4, k1), x, f/4, stemPad)
	cell := func(name string, c nasCell, out int, halve bool, pad nasPadding) {
		s := g.In("%s", name)
		p := prev
		if halve {
			p = factorized(s, p, out)
		} else {
			p = actConvNorm(s.In("conv_prev_1x1"), p, out, k1)
		}
		y := c.build(s, actConvNorm(s.In("conv_1x1"), x, out, k1), p, out, pad)
		prev, x = x, y
	}
	cell(names.stem[1], nasReduction, f/2, true, reductionPad)
	for stage := range 3 {
		if stage > 0 {
			before := prev
			cell(names.reduction[stage-1], nasReduction, f<<stage, false, reductionPad)
			if n.tf {
				prev = before
			}
		}
		for i := range n.normal {
			cell(fmt.Sprintf("cell_%d", names.first[stage]+i), nasNormal, f<<stage, i == 0, normalPad)
		}
	}
	x = g.Expect(g.ReLU(x), nn.Shape{C: n.features, H: n.end, W: n.end})
	return g.Linear("last_linear", g.GlobalAvgPool(x), g.Classes)
}

// nasNames are what cells are called; normal ones have numbers, from the first of a stage on.
type nasNames struct {
	stem, reduction [2]string
	first           [3]int
}

func (n nasNet) names() nasNames {
	if n.keras {
		return nasNames{
			stem:      [2]string{"cell_stem_1", "cell_stem_2"},
			reduction: [2]string{fmt.Sprintf("cell_reduce_%d", n.normal), fmt.Sprintf("cell_reduce_%d", 2*n.normal)},
			first:     [3]int{0, n.normal + 1, 2*n.normal + 1},
		}
	}
	return nasNames{
		stem: [2]string{"cell_stem_0", "cell_stem_1"}, reduction: [2]string{"reduction_cell_0", "reduction_cell_1"}, first: [3]int{0, 6, 12},
	}
}

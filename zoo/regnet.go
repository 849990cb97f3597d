package zoo

import (
	"math"

	"zoobench/zoo/nn"
)

// Radosavovic, Kosaraju, Girshick, He, Dollár: Designing Network Design Spaces, 2020, arXiv:2003.13678, equations 2 to
// 4 and the parameters in figures 17 (X) and 18 (Y); 640, 1280 and 2560 came with Goyal and others 2021,
// arXiv:2103.01988.
//
// As released: torchvision rounds a width down to a multiple of the group only if it keeps nine tenths of it, which
// makes other networks of regnetx_004, y_008 and y_080 (_tv in timm).
//
// regnetx_004 and y_004 have goldens: the others' MACs are this graph's count, their parameters torchvision's, or
// timm's to the digits given where torchvision has no such size.
type regNet struct {
	depth      int
	w0         int
	wa, wm     float64
	group      int  // channels of a group
	se         bool // squeeze and excitation, to a quarter of the block's input (Y)
	nineTenths bool // torchvision's rounding of widths
}

// bicubic965 is the recipe of torchvision's second weights as timm has them.
var bicubic965 = Recipe{CropPct: 0.965, Interpolation: "bicubic"}

var regNetXs = regNetFamily("regnetx", []regNetRow{
	// timm, torchvision, {d, w0, wa, wm, g, SE, nine tenths}, size, params, MACs, recipe
	{"regnetx_002", "", regNet{13, 24, 36.44, 2.49, 8, false, false}, 224, 2_684_792, 199_039_872, bicubic},
	{"regnetx_004", "", regNet{22, 24, 24.48, 2.54, 16, false, false}, 224, 5_157_512, 397_677_568, bicubic},
	{"regnetx_004_tv", "regnet_x_400mf", regNet{22, 24, 24.48, 2.54, 16, false, true}, 224, 5_495_976, 413_812_608, bicubic965},
	{"regnetx_006", "", regNet{16, 48, 36.97, 2.24, 24, false, false}, 224, 6_196_040, 600_890_112, bicubic},
	{"regnetx_008", "regnet_x_800mf", regNet{16, 56, 35.73, 2.28, 16, false, false}, 224, 7_259_656, 799_699_712, bicubic965},
	{"regnetx_016", "regnet_x_1_6gf", regNet{18, 80, 34.01, 2.25, 24, false, false}, 224, 9_190_136, 1_602_849_792, bicubic965},
	{"regnetx_032", "regnet_x_3_2gf", regNet{25, 88, 26.31, 2.25, 48, false, false}, 224, 15_296_552, 3_176_621_952, bicubic965},
	{"regnetx_040", "", regNet{23, 96, 38.65, 2.43, 40, false, false}, 224, 22_118_248, 3_964_498_816, bicubic},
	{"regnetx_064", "", regNet{17, 184, 60.83, 2.07, 56, false, false}, 224, 26_209_256, 6_460_291_264, bicubic},
	{"regnetx_080", "regnet_x_8gf", regNet{23, 80, 49.56, 2.88, 120, false, false}, 224, 39_572_648, 7_995_132_416, bicubic965},
	{"regnetx_120", "", regNet{19, 168, 73.36, 2.37, 112, false, false}, 224, 46_106_056, 12_086_678_016, bicubic},
	{"regnetx_160", "regnet_x_16gf", regNet{22, 216, 55.59, 2.1, 128, false, false}, 224, 54_278_536, 15_940_755_456, bicubic965},
	{"regnetx_320", "regnet_x_32gf", regNet{23, 320, 69.86, 2, 168, false, false}, 224, 107_811_560, 31_735_929_792, bicubic965},
})

var regNetYs = regNetFamily("regnety", []regNetRow{
	// timm, torchvision, {d, w0, wa, wm, g, SE, nine tenths}, size, params, MACs, recipe
	{"regnety_002", "", regNet{13, 24, 36.44, 2.49, 8, true, false}, 224, 3_162_996, 199_514_080, bicubic},
	{"regnety_004", "regnet_y_400mf", regNet{16, 48, 27.89, 2.09, 8, true, false}, 224, 4_344_144, 401_842_848, bicubic965},
	{"regnety_006", "", regNet{15, 48, 32.54, 2.32, 16, true, false}, 224, 6_055_160, 601_220_992, bicubic},
	{"regnety_008", "", regNet{14, 56, 38.84, 2.4, 16, true, false}, 224, 6_263_168, 797_176_832, bicubic},
	{"regnety_008_tv", "regnet_y_800mf", regNet{14, 56, 38.84, 2.4, 16, true, true}, 224, 6_432_512, 833_856_256, bicubic965},
	{"regnety_016", "regnet_y_1_6gf", regNet{27, 48, 20.71, 2.65, 24, true, false}, 224, 11_202_430, 1_612_076_160, bicubic965},
	{"regnety_032", "regnet_y_3_2gf", regNet{21, 80, 42.63, 2.66, 24, true, false}, 224, 19_436_338, 3_176_482_752, bicubic95},
	{"regnety_040", "", regNet{22, 96, 31.41, 2.24, 64, true, false}, 224, 20_646_656, 3_973_288_448, bicubic95},
	{"regnety_064", "", regNet{25, 112, 33.22, 2.27, 72, true, false}, 224, 30_583_252, 6_355_204_992, bicubic95},
	{"regnety_080", "", regNet{17, 192, 76.82, 2.19, 56, true, false}, 224, 39_180_068, 7_963_057_312, bicubic95},
	{"regnety_080_tv", "regnet_y_8gf", regNet{17, 192, 76.82, 2.19, 56, true, true}, 224, 39_381_472, 8_473_070_592, bicubic965},
	{"regnety_120", "", regNet{19, 168, 73.36, 2.37, 112, true, false}, 224, 51_822_544, 12_092_376_576, bicubic95},
	{"regnety_160", "regnet_y_16gf", regNet{18, 200, 106.23, 2.48, 112, true, false}, 224, 83_590_140, 15_911_510_272, bicubic95},
	{"regnety_320", "regnet_y_32gf", regNet{20, 232, 115.89, 2.53, 232, true, false}, 224, 145_046_770, 32_279_552_832, bicubic965},
	{"regnety_640", "", regNet{20, 352, 147.48, 2.4, 328, true, false}, 384, 281_378_786, 188_220_945_216, bicubic100},
	{"regnety_1280", "regnet_y_128gf", regNet{27, 456, 160.83, 2.52, 264, true, false}, 384, 644_812_894, 374_570_006_400, bicubic100},
	{"regnety_2560", "", regNet{27, 640, 230.83, 2.53, 373, true, false}, 384, 1_282_601_138, 747_236_374_174, bicubic100},
})

// regNetStage is a run of blocks of one width.
type regNetStage struct{ width, blocks int }

// regNetRow is a row that names torchvision's network too, "" where it has none.
type regNetRow struct {
	name, torchvision string
	regNet
	size         int
	params, macs int64
	recipe       Recipe
}

func regNetFamily(name string, rows []regNetRow) family {
	f := family{name: name, year: 2020, paper: "arXiv:2003.13678"}
	for _, r := range rows {
		f.rows = append(f.rows, row{r.name, r.build, r.size, r.params, r.macs, r.recipe})
		if r.torchvision != "" {
			f.aliases = append(f.aliases, alias{r.name, r.torchvision})
			f.renames = append(f.renames, renames{[]string{r.name}, renamed("torchvision", r.torchvisionNames)})
		}
	}
	return f
}

func (r regNet) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.ReLU(convNorm(g.In("stem"), x, 32, nn.K(3).S(2)))
	for i, s := range r.stages() {
		for j := range s.blocks {
			stride := 1
			if j == 0 {
				stride = 2
			}
			x = r.block(g.In("s%d.b%d", i+1, j+1), x, s.width, stride)
		}
	}
	return g.Linear("head.fc", g.GlobalAvgPool(x), g.Classes)
}

// stages are the blocks' channels and how many blocks have them, before the channels fit a whole number of groups: the
// line w0 + wa·i (equation 2), each point of it moved to the nearest w0 times a power of wm (3, 4) and that to a
// multiple of 8.
func (r regNet) stages() []regNetStage {
	var stages []regNetStage
	w0 := float64(r.w0)
	for i := range r.depth {
		power := math.RoundToEven(math.Log((w0+r.wa*float64(i))/w0) / math.Log(r.wm))
		width := 8 * int(math.RoundToEven(w0*math.Pow(r.wm, power)/8))
		if last := len(stages) - 1; last >= 0 && stages[last].width == width {
			stages[last].blocks++
		} else {
			stages = append(stages, regNetStage{width, 1})
		}
	}
	return stages
}

// block is figure 4's X block: 1×1, grouped 3×3 with the stride, 1×1, of one width; with squeeze and excitation behind
// the 3×3, Y.
func (r regNet) block(g *nn.Builder, x nn.Value, w, stride int) nn.Value {
	group := min(r.group, w)
	out := group * int(math.RoundToEven(float64(w)/float64(group)))
	if r.nineTenths {
		out = roundTo(group, float64(w), 0.9)
	}
	y := g.ReLU(convNorm(g.In("conv1"), x, out, nn.K(1)))
	y = g.ReLU(convNorm(g.In("conv2"), y, out, nn.K(3).S(stride).G(out/group)))
	if r.se {
		y = squeezeExcite(g.In("se"), y, int(math.RoundToEven(float64(x.C)/4)))
	}
	y = convNorm(g.In("conv3"), y, out, nn.K(1))
	if stride > 1 || x.C != out {
		x = convNorm(g.In("downsample"), x, out, nn.K(1).S(stride))
	}
	return g.ReLU(g.Add(y, x))
}

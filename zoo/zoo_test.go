package zoo

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zoobench/internal/testenv"
	"zoobench/zoo/nn"
)

// TestRows recomputes every row's counts and builds it for another class count.
func TestRows(t *testing.T) {
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			g, err := s.Graph(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.ParamCount(); got != s.Params {
				t.Errorf("%d parameters, want %d", got, s.Params)
			}
			if got := g.MACs(); got != s.MACs {
				t.Errorf("%d MACs, want %d", got, s.MACs)
			}
			if got, want := g.Output(), (nn.Shape{C: cmp.Or(s.Classes, 1000), H: 1, W: 1}); got != want {
				t.Errorf("output %v, want %v", got, want)
			}
			if s.Family == "" || s.Year == 0 || !strings.HasPrefix(s.Paper, "arXiv:") {
				t.Errorf("family %q, year %d, paper %q: want all three", s.Family, s.Year, s.Paper)
			}
			other := s.Size + 32
			if s.Family == "swin" {
				other = 2 * s.Size // a whole number of windows
			}
			g, err = s.Graph(other, 7)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := g.Output(), (nn.Shape{C: 7, H: 1, W: 1}); got != want {
				t.Errorf("output for 7 classes at %d pixels %v, want %v", other, got, want)
			}
		})
	}
}

// TestOrder holds the families to their years of publication, and the groups of networks for small images to theirs.
func TestOrder(t *testing.T) {
	for _, all := range [][]family{families, pockets} {
		last := 0
		for _, f := range all {
			if f.year < last {
				t.Errorf("%s (%s, %d) stands behind a family of %d", f.name, f.paper, f.year, last)
			}
			last = f.year
		}
	}
}

// TestSmallestSize compares with min_size in torchvision's weight metadata: one pixel less has to be an error that
// names the layer.
func TestSmallestSize(t *testing.T) {
	tests := []struct {
		name  string
		size  int
		layer string
	}{
		{"alexnet", 63, "max_pool in alexnet"},
		{"vgg11", 32, "max_pool in vgg11"},
		{"vgg19_bn", 32, "max_pool in vgg19_bn"},
		{"squeezenet1_0", 21, "max_pool in squeezenet1_0"},
		{"squeezenet1_1", 17, "max_pool in squeezenet1_1"},
		{"googlenet", 15, "max_pool in googlenet"},
		{"inception_v3", 75, "Mixed_7a.branch3x3_2.conv"},
		{"densenet121", 29, "avg_pool in features.transition3"},
		{"resnet50", 1, ""},
		{"mobilenetv2_100", 1, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Find(test.name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Graph(test.size, 0); err != nil {
				t.Error(err)
			}
			if test.size == 1 {
				return
			}
			_, err = s.Graph(test.size-1, 0)
			if err == nil || !strings.Contains(err.Error(), test.layer) {
				t.Errorf("at %d: error %v, want one that names %q", test.size-1, err, test.layer)
			}
		})
	}
}

// TestSizesThatDoNotFit holds errors to name the layer and what is wrong.
func TestSizesThatDoNotFit(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		want string
	}{
		{"swin_tiny_patch4_window7_224", 256,
			"attention in layers.0.blocks.0: a grid of 64×64 cannot be cut into windows of 7×7"},
		{"swin_tiny_patch4_window7_224", 252, "layers.1.downsample: a grid of 63×63 cannot be cut into squares of 2×2"},
		{"swin_tiny_patch4_window7_224", 3, "patch_embed.proj: window 4×4/4 does not fit into 3×3 pixels"},
		{"vit_tiny_patch16_224", 15, "patch_embed.proj: window 16×16/16 does not fit into 15×15 pixels"},
		{"coatnet_0_rw_224", 240, "want a multiple of 32 pixels"},
		{"convnext_tiny", 31, "stages.3.downsample.1: window 2×2/2 does not fit into 1×1 pixels"},
	} {
		s, err := Find(test.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Graph(test.size, 0); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s at %d: error %v, want %q", test.name, test.size, err, test.want)
		}
	}
}

func TestImpossibleGraph(t *testing.T) {
	s, err := Find("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		size, classes int
		want          string
	}{
		{-1, 0, "nn: resnet18: input size -1, want 1 to 8192"},
		{1 << 40, 0, "nn: resnet18: input size 1099511627776, want 1 to 8192"},
		{0, -1, "nn: resnet18: -1 classes, want 1 to 1048576"},
		{0, 1 << 40, "nn: resnet18: 1099511627776 classes, want 1 to 1048576"},
	} {
		if _, err := s.Graph(test.size, test.classes); err == nil || err.Error() != test.want {
			t.Errorf("size %d, %d classes: error %v, want %q", test.size, test.classes, err, test.want)
		}
	}
}

// TestTimmBenchmark compares parameters and activations with timm's own figures to the digits given. timm's MACs
// count more kinds of operation: they lie above, by at most what otherOperations gives.
func TestTimmBenchmark(t *testing.T) {
	file := testenv.Shared(t, "published", "benchmark-infer-fp32-cpu-i9_10940x.csv")
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	model, size := column("model"), column("infer_img_size")
	params, macs, activations := column("param_count"), column("infer_gmacs"), column("infer_macts")
	compared := 0
	for _, row := range rows[1:] {
		s, err := Find(row[model])
		if err != nil || s.Name == "vit_large_patch32_224" { // measured without its classifier
			continue
		}
		classes := 0
		if s.Name == "coatnet_3_rw_224" {
			classes = 11821 // as published, for ImageNet-12k
		}
		pixels, err := strconv.Atoi(row[size])
		if err != nil {
			t.Fatal(err)
		}
		g, err := s.Graph(pixels, classes)
		if err != nil {
			t.Errorf("%s at %d: %v", s.Name, pixels, err)
			continue
		}
		compared++
		number := func(i int) float64 {
			v, err := strconv.ParseFloat(strings.ReplaceAll(row[i], ",", ""), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		for _, c := range []struct {
			what            string
			got, want, more float64 // in units of the table; want may lie above got by more
		}{
			{"parameters", float64(g.ParamCount()) / 1e6, number(params), 0},
			{"activations", float64(g.Activations()) / 1e6, number(activations), 0},
			{"MACs", float64(g.MACs()) / 1e9, number(macs), float64(otherOperations(g)) / 1e9},
		} {
			if c.got > c.want+0.0051 || c.want > c.got+c.more+0.0051 {
				t.Errorf("%s at %d: %s %.3f, want %.2f", s.Name, pixels, c.what, c.got, c.want)
			}
		}
	}
	t.Logf("%d rows compared", compared)
}

// otherOperations is what fvcore, which timm measures with, counts besides convolutions, linear layers and matrix
// products: two for each element of a batch norm, five of another norm, one that an average over all pixels reads, and
// four for each standardised weight.
func otherOperations(g *nn.Graph) int64 {
	var n int
	for i := range g.Nodes {
		node := &g.Nodes[i]
		switch node.Op {
		case nn.BatchNorm:
			n += 2 * node.Out.Elems()
		case nn.GroupNorm, nn.LayerNorm:
			n += 5 * node.Out.Elems()
		case nn.AdaptiveAvgPool:
			n += g.Nodes[node.In[0]].Out.Elems()
		case nn.Conv:
			if node.Kernel.StdEps > 0 {
				n += 4 * g.Params[node.Weight].Elems()
			}
		}
	}
	return int64(n)
}

func TestFind(t *testing.T) {
	for _, test := range []struct{ name, ask, want string }{
		{"a name", "resnet50", "resnet50"},
		{"an alias", "mobilenet_v2", "mobilenetv2_100"},
		{"a checkpoint", "vgg16.tv_in1k", "vgg16"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Find(test.ask)
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != test.want {
				t.Errorf("Find(%q) is %s, want %s", test.ask, s.Name, test.want)
			}
		})
	}
	_, err := Find("resnet51")
	if want := `zoo: no network "resnet51"; nearest: resnet50, resnet101, resnet152`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	if _, err := Find(strings.Repeat("x", 1<<20)); err == nil {
		t.Error("a name of a megabyte is found")
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		want     string
	}{
		{"wildcard", []string{"resnet1*"}, "resnet18 resnet101 resnet152"},
		{"family", []string{"family:vgg"}, "vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn"},
		{"list's order, once each", []string{"vgg19", "alexnet", "vgg1[19]"}, "alexnet vgg11 vgg19"},
		{"alias", []string{"mobilenet_v?"}, "mobilenetv2_100"},
		{"none", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			specs, err := Match(test.patterns)
			if err != nil {
				t.Fatal(err)
			}
			if got := specNames(specs); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
	for pattern, want := range map[string]string{
		"lenet*":            `zoo: no network matches "lenet*"`,
		"family:perceptron": `zoo: no network matches "family:perceptron"`,
		"vgg12":             `zoo: no network "vgg12"; nearest: vgg11, vgg13, vgg16`,
		"vgg[":              `zoo: pattern "vgg[": syntax error in pattern`,
	} {
		if _, err := Match([]string{"alexnet", pattern}); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %q", pattern, err, want)
		}
	}
}

func TestNewListReportsAll(t *testing.T) {
	_, err := NewList([]Spec{
		{Name: "a", Build: alexNet, Size: 224},
		{Name: "a", Build: alexNet, Size: 224},
		{Name: "b.c", Build: alexNet, Size: 224},
		{Name: "d", Size: 224, Aliases: []string{"a"}},
		{Name: "e", Build: alexNet},
	})
	want := `zoo: two networks called "a"
zoo: network name "b.c": want letters, digits, _ and -
zoo: d: no Build function
zoo: two networks called "a"
zoo: e: input size 0, want at least 1`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestWith(t *testing.T) {
	l, err := Default().With([]Spec{{Name: "mine", Build: alexNet, Size: 128}})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := l.Find("mine"); err != nil || s.Size != 128 {
		t.Errorf("Find(mine) = %v, %v", s, err)
	}
	if _, err := Find("mine"); err == nil {
		t.Error("the default list has changed")
	}
	if _, err := Default().With([]Spec{{Name: "mobilenet_v2", Build: alexNet, Size: 128}}); err == nil {
		t.Error("a network under another's alias is taken")
	}
}

func TestRecipeFull(t *testing.T) {
	tests := []struct {
		name   string
		recipe Recipe
		want   Recipe
	}{
		{"zero", Recipe{}, Recipe{
			Size: 224, CropPct: 0.875, Interpolation: "bilinear", CropMode: "center", Resize: 256,
			Mean: imageNetMean, Std: imageNetStd,
		}},
		{"rounded down", Recipe{CropPct: 0.95, Interpolation: "bicubic", Mean: half, Std: half, TestSize: 288}, Recipe{
			Size: 224, CropPct: 0.95, Interpolation: "bicubic", CropMode: "center", Resize: 235,
			Mean: half, Std: half, TestSize: 288, TestCropPct: 0.95,
		}},
		{"bytes", kerasBytes, Recipe{
			Size: 224, CropPct: 0.875, Interpolation: "bilinear", CropMode: "center", Resize: 256, Std: kerasBytes.Std,
		}},
		{"published in pixels", Recipe{Size: 176, CropPct: 0.7586, Resize: 232}, Recipe{
			Size: 176, CropPct: 0.7586, Interpolation: "bilinear", CropMode: "center", Resize: 232,
			Mean: imageNetMean, Std: imageNetStd,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.recipe.Full(224); got != test.want {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
}

func specNames(specs []*Spec) string {
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

func ExampleFind() {
	spec, err := Find("resnet50")
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s (%d): %d parameters, %d MACs at %d pixels\n", spec.Name, spec.Year, g.ParamCount(), g.MACs(), spec.Size)
	_, err = Find("resnet5")
	fmt.Println(err)
	// Output:
	// resnet50 (2015): 25557032 parameters, 4089184256 MACs at 224 pixels
	// zoo: no network "resnet5"; nearest: resnet50, resnet152, resnet18
}

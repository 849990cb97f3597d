package zoo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zoobench/zoo/nn"
)

// TestPublished checks every row of the table: its columns, and where the zoo has the network, its parameters.
func TestPublished(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(publishedTSV), "\n")[1:]
	seen := map[string]bool{}
	built := 0
	for i, line := range rows {
		c, err := parseCheckpoint(line)
		if err != nil {
			t.Errorf("row %d: %v", i+2, err)
			continue
		}
		at := fmt.Sprintf("row %d, %s", i+2, c.Name())
		if seen[c.Name()] {
			t.Errorf("%s: is given twice", at)
		}
		seen[c.Name()] = true
		if c.Library != "timm" && c.Library != "torchvision" && c.Library != "keras" {
			t.Errorf("%s: library %q", at, c.Library)
		}
		if len(c.Results) == 0 {
			t.Errorf("%s: no results", at)
		}
		for _, r := range c.Results {
			if r.Size < 1 || r.CropPct <= 0 || r.CropPct > 1 || r.Interpolation == "" {
				t.Errorf("%s: result at %d pixels, crop %v, %q", at, r.Size, r.CropPct, r.Interpolation)
			}
			least := 50.0
			if r.Size < 224 && strings.HasPrefix(c.Network, "keras_mobilenet") {
				least = 40 // a quarter of the channels, on images of 128 pixels
			}
			if r.Top1 < least || r.Top5 <= r.Top1 && r.Top5 != 0 || r.Top5 > 100 {
				t.Errorf("%s: top-1 %v, top-5 %v", at, r.Top1, r.Top5)
			}
			if r.V2Top1 != 0 && (r.V2Top1 >= r.Top1 || r.V2Top5 <= r.V2Top1) {
				t.Errorf("%s: ImageNetV2 top-1 %v, top-5 %v", at, r.V2Top1, r.V2Top5)
			}
		}
		if len(c.SHA256) != 0 && len(c.SHA256) != 64 && !strings.HasSuffix(c.Where, "-"+c.SHA256+".pth") {
			t.Errorf("%s: hash %s is not in the file's name %s", at, c.SHA256, c.Where)
		}
		spec := Default().publishedSpec(c)
		if spec == nil {
			continue
		}
		built++
		g, err := spec.Graph(0, 0)
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		if c.Library == "keras" {
			if counted := g.ElementCount(); c.Params != strconv.FormatInt(counted, 10) {
				t.Errorf("%s: %s parameters, the graph has %d as Keras counts", at, c.Params, counted)
			}
			if len(c.SHA256) != 64 && len(c.MD5) != 32 && !strings.HasPrefix(spec.Name, "keras_mobilenet") {
				t.Errorf("%s: hash %s%s", at, c.SHA256, c.MD5)
			}
			if known, ok := spec.Checkpoint(c.Tag); !ok || known.Recipe.BGR != spec.Recipe.BGR || known.Recipe.Std != spec.Recipe.Full(0).Std {
				t.Errorf("%s: images prepared as %+v, want channels and deviation of %+v", at, known.Recipe, spec.Recipe)
			}
			continue
		}
		if !paramsAgree(c, g.ParamCount()) && !paramsAgree(c, g.ParamCount()+auxCount(g)) {
			t.Errorf("%s: %s parameters, the graph has %d", at, c.Params, g.ParamCount())
		}
	}
	t.Logf("%d checkpoints, %d of them for networks of this zoo", len(rows), built)
}

// paramsAgree reports whether a number of parameters is the published one, to the digits published.
func paramsAgree(c Checkpoint, params int64) bool {
	if _, digits, ok := strings.Cut(c.Params, "."); ok {
		return strconv.FormatFloat(float64(params)/1e6, 'f', len(digits), 64) == c.Params
	}
	return strconv.FormatInt(params, 10) == c.Params
}

// auxCount is the number of learned elements in auxiliary heads, which torchvision's figures sometimes contain.
func auxCount(g *nn.Graph) int64 {
	var n int64
	for _, p := range g.Params {
		if p.Kind == nn.Aux && !strings.Contains(p.Name, ".running_") {
			n += int64(p.Elems())
		}
	}
	return n
}

func TestFindCheckpoint(t *testing.T) {
	c, err := Default().FindCheckpoint("mobilenet_v2.IMAGENET1K_V2")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Name(), "mobilenetv2_100.IMAGENET1K_V2"; got != want {
		t.Errorf("name %s, want %s", got, want)
	}
	if got, want := c.Recipe.Full(224).Resize, 232; got != want {
		t.Errorf("resized to %d, want %d", got, want)
	}
	if got, want := c.SHA256, "7ebf99e0"; got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
	c, err = Default().FindCheckpoint("mobilenetv1_100h.ra4_e3600_r224_in1k")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.URL(), "https://huggingface.co/timm/mobilenetv1_100h.ra4_e3600_r224_in1k/resolve/main/model.safetensors"; got != want {
		t.Errorf("URL %s, want %s", got, want)
	}
	if got, want := len(c.Results), 2; got != want {
		t.Errorf("%d results, want %d", got, want)
	}
	for name, want := range map[string]string{
		"seresnet18.a": "zoo: seresnet18: no published weights",
		"vgg19.a1":     `zoo: vgg19: no published weights "a1"; there are: tv_in1k, IMAGENET1K_V1`,
		"vgg12.tv":     `zoo: no network "vgg12"; nearest: vgg11, vgg13, vgg16`,
	} {
		if _, err := Default().FindCheckpoint(name); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

func ExampleList_FindCheckpoint() {
	c, err := Default().FindCheckpoint("resnet50.a1_in1k")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Where, c.Licence)
	for _, r := range c.Results {
		fmt.Printf("%d pixels: top-1 %.2f %%, on ImageNetV2 %.2f %%\n", r.Size, r.Top1, r.V2Top1)
	}
	// Output:
	// timm/resnet50.a1_in1k apache-2.0
	// 288 pixels: top-1 81.24 %, on ImageNetV2 69.69 %
	// 224 pixels: top-1 80.38 %, on ImageNetV2 68.47 %
}

// TestResultAt finds the results of checkpoints at their own recipe and at their second size.
func TestResultAt(t *testing.T) {
	own, second := 0, 0
	for _, s := range Default().All() {
		for _, c := range s.Checkpoints {
			full := c.Recipe.Full(s.Size)
			has := func(size int) bool {
				return slices.ContainsFunc(c.Results, func(r Result) bool { return r.Size == size })
			}
			if _, ok := c.ResultAt(full); ok {
				own++
			} else if has(full.Size) {
				t.Errorf("%s: no result for %+v among %+v", c.Name(), full, c.Results)
			}
			if full.TestSize == 0 || !has(full.TestSize) {
				continue
			}
			full.Size, full.CropPct, full.Resize = full.TestSize, full.TestCropPct, 0
			if res, ok := c.ResultAt(full.Full(s.Size)); ok && res.Size == full.TestSize {
				second++
			} else {
				t.Errorf("%s: no result for %+v among %+v", c.Name(), full, c.Results)
			}
		}
	}
	if own < 200 || second < 30 {
		t.Errorf("%d checkpoints with a result at their own recipe, %d at a second size; want most of the table", own, second)
	}
	c := Checkpoint{Results: []Result{{Size: 224, CropPct: 0.95, Interpolation: "bicubic", Top1: 80}}}
	if _, ok := c.ResultAt(Recipe{Size: 224, CropPct: 0.875, Interpolation: "bicubic"}.Full(224)); ok {
		t.Error("a result at another crop stands for this one")
	}
}

// TestRowRecipes compares the preprocessing of each row with timm's published checkpoints: it is that of one of them. The
// test size counts where the list has it. Rows that timm has no checkpoint for follow its code.
func TestRowRecipes(t *testing.T) {
	compared := 0
	for _, s := range All() {
		row := s.Recipe.Full(s.Size)
		published, same := false, false
		for _, c := range s.Checkpoints {
			if c.Library != "timm" {
				continue
			}
			published = true
			r := c.Recipe.Full(s.Size)
			if r.TestSize == 0 {
				r.TestSize, r.TestCropPct = row.TestSize, row.TestCropPct
			}
			same = same || r == row
		}
		if published && !same {
			t.Errorf("%s: preprocessing %+v is that of no published checkpoint", s.Name, row)
		}
		if published {
			compared++
		}
	}
	if compared < 100 {
		t.Errorf("%d rows compared, want at least 100", compared)
	}
}

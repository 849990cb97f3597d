package runner

import (
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// images makes a folder of two classes with three pictures, of which one is none.
func images(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range []string{"0/a.png", "1/b.png"} {
		m := image.NewRGBA(image.Rect(0, 0, 24, 24))
		for x := range 24 {
			for y := range 24 {
				m.Set(x, y, color.RGBA{uint8(40 * i), uint8(10 * x), uint8(10 * y), 255})
			}
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, m); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "1", "broken.jpg"), []byte("\xff\xd8\xff"), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTop(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		name   string
		scores []float32
		want   []int
		finite bool
	}{
		{"ordered", []float32{1, 5, 3, 2, 4, 0}, []int{1, 4, 2, 3, 0}, true},
		{"ties by lower index", []float32{1, 2, 2, 1, 2, 1, 2}, []int{1, 2, 4, 6, 0}, true},
		{"all equal", make([]float32, 9), []int{0, 1, 2, 3, 4}, true},
		{"fewer classes", []float32{1, 2}, []int{1, 0}, true},
		{"NaN is no score", []float32{nan, 1, nan, 3}, []int{3, 1}, false},
		{"nothing but NaN", []float32{nan, nan}, nil, false},
		{"infinity", []float32{1, inf, 2}, []int{1, 2, 0}, false},
		{"none", nil, nil, true},
	} {
		got, finite := Top(test.scores, 5)
		if !slices.Equal(got, test.want) || finite != test.finite {
			t.Errorf("%s: got %v, %t; want %v, %t", test.name, got, finite, test.want, test.finite)
		}
	}
}

func TestSoftmax(t *testing.T) {
	got := Softmax([]float32{1000, 1000, 0})
	if math.Abs(got[0]-0.5) > 1e-12 || got[0] != got[1] || got[2] != 0 {
		t.Errorf("large scores: got %v, want a half each", got)
	}
	if got := Softmax([]float32{0, float32(math.Log(3))}); math.Abs(got[1]-0.75) > 1e-7 {
		t.Errorf("one to three: got %v, want 0.25 and 0.75", got)
	}
}

func TestCounts(t *testing.T) {
	var c counts
	for _, s := range []Sample{
		{File: "first", Labels: []int{7}, Top5: []int{7, 1, 2, 3, 4}},
		{File: "fifth", Labels: []int{4}, Top5: []int{7, 1, 2, 3, 4}},
		{File: "one of several", Labels: []int{9, 7}, Top5: []int{7, 1, 2, 3, 4}},
		{File: "wrong", Labels: []int{5}, Top5: []int{7, 1, 2, 3, 4}},
		{File: "unreadable", Labels: []int{7}, Err: os.ErrInvalid},
		{File: "no right answer", Top5: []int{7}},
	} {
		c.add(s, true)
	}
	if c.images != 5 || c.top1 != 2 || c.top5 != 3 || !slices.Equal(c.unreadable, []string{"unreadable: invalid argument"}) {
		t.Errorf("got %+v; want 5 images, 2 and 3 right, the unreadable one named", c)
	}
}

func TestLabelOutsideTheClasses(t *testing.T) {
	dir := images(t)
	labels := filepath.Join(dir, "labels.txt")
	if err := os.WriteFile(labels, []byte("0/a.png 0\n1/b.png 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tiny.safetensors")
	writeWeights(t, file, 2)
	job := experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: dir, Labels: labels}}
	_, err := Accuracy(t.Context(), misbehaving(), Task{Job: job, Weights: file}, Watch{})
	if err == nil || !strings.Contains(err.Error(), "labels.txt") || !strings.Contains(err.Error(), "2") {
		t.Errorf("got error %v, want one that names the file and the label", err)
	}
}

// TestSetByName evaluates on images that no folder has, and names what a network's classes do not fit.
func TestSetByName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tiny.safetensors")
	writeWeights(t, file, 100)
	job := experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: datasets.Shapes, Limit: 200}}
	r, err := Accuracy(t.Context(), misbehaving(), Task{Job: job, Weights: file}, Watch{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Images != 200 || r.Dataset != datasets.Shapes || r.DatasetSet != datasets.Shapes || r.Split != "test" {
		t.Errorf("%d images of %q, set %q, split %q", r.Images, r.Dataset, r.DatasetSet, r.Split)
	}
	writeWeights(t, file, 10)
	_, err = Accuracy(t.Context(), misbehaving(), Task{Job: job, Weights: file}, Watch{})
	if err == nil || !strings.Contains(err.Error(), "the set has 100 classes, the network has 10") {
		t.Errorf("error %v", err)
	}
}

// TestRecipeOfSecondSize takes the crop that a checkpoint's second size was published with, and its figures.
func TestRecipeOfSecondSize(t *testing.T) {
	spec, err := zoo.Default().Find("resnet50")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		tag          string
		size, resize int
		top1         float64
	}{
		{"tv2_in1k", 0, 201, 79.43}, {"tv2_in1k", 224, 232, 80.846}, {"a1_in1k", 288, 288, 81.24}, {"a1_in1k", 256, 269, 80.38},
	} {
		r := &Ready{Spec: spec, Tag: test.tag}
		r.task.ImgSize = test.size
		r.prepare()
		p := publishedFigures(spec, test.tag, &r.Recipe)
		if r.Recipe.Resize != test.resize || math.Abs(p.Top1-test.top1) > 0.01 {
			t.Errorf("%s at %d px: resized to %d, published %v at %d px; want %d and %v", test.tag, test.size, r.Recipe.Resize, p.Top1,
				p.ImgSize, test.resize, test.top1)
		}
	}
}

// TestOtherLibrarysSize opens a file with torchvision's names of a network that it trains at another size than timm: pictures
// and graph are of torchvision's.
func TestOtherLibrarysSize(t *testing.T) {
	tiny, err := misbehaving().Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	b2, err := zoo.Find("efficientnet_b2")
	if err != nil {
		t.Fatal(err)
	}
	spec := *tiny // as if both had published it: at 256 and 288 pixels
	spec.Size, spec.Checkpoints = 256, b2.Checkpoints
	spec.Renames = []weights.Table{{Name: "torchvision", Rows: []weights.Rename{{Old: "their.*.*", New: "*.*"}}}}
	list, err := zoo.NewList([]zoo.Spec{spec})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "theirs.safetensors")
	writeWeightsAs(t, path, 3, "their.")
	task := Task{Weights: path, Job: experiment.Job{Model: spec.Name, Axes: record.Axes{Threads: 1, Batch: 1, NoTune: true}}}
	r, err := Describe(list, task)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if in := r.Graph.Input(); r.Naming != "torchvision" || r.Recipe.Size != 288 || in.H != 288 || r.Graph.Classes != 3 {
		t.Errorf("%s's names: a recipe of %d pixels, a graph of %v, %d classes; want 288, 3", r.Naming, r.Recipe.Size, in, r.Graph.Classes)
	}
	if want := "torchvision's IMAGENET1K_V1"; r.Source != want {
		t.Errorf("preprocessing from %q, want %q", r.Source, want)
	}
	n, err := r.Load(r.Options())
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
}

// TestPublishedSize opens a file without a tag whose hash is that of a checkpoint published at another size than the network's.
func TestPublishedSize(t *testing.T) {
	tiny, err := misbehaving().Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	writeWeights(t, path, 3)
	hash, err := weights.HashFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	spec := *tiny
	spec.Checkpoints = []zoo.Checkpoint{{Tag: "large", Library: "timm", SHA256: hash[:12], Recipe: zoo.Recipe{Size: 24}}}
	list, err := zoo.NewList([]zoo.Spec{spec})
	if err != nil {
		t.Fatal(err)
	}
	for _, choose := range []bool{false, true} {
		task := Task{Weights: path, Job: experiment.Job{Model: spec.Name, Axes: record.Axes{Threads: 1, Batch: 1, NoTune: !choose}}}
		n, err := Open(list, task)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		f := newForward(n)
		if err := f.Run(1); err != nil {
			t.Fatal(err)
		}
		if in := n.Graph.Input(); n.SHA256 != hash || n.Tag != "large" || n.Recipe.Size != 24 || in.H != 24 || len(f.src) != in.Elems() {
			t.Errorf("%s with %s: a recipe of %d pixels, a graph of %v; want %s, large, 24", n.Tag, n.SHA256, n.Recipe.Size, in, hash)
		}
	}
}

// TestOtherLibrarysGraph opens a file with another library's names of a network that this library computes and prepares
// otherwise: graph and recipe are that library's, and the record says so.
func TestOtherLibrarysGraph(t *testing.T) {
	tiny, err := misbehaving().Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	spec := *tiny
	spec.Build = func(g *nn.Builder, x nn.Value) nn.Value {
		if g.Library == "theirs" {
			x = g.MaxPool(x, nn.K(2).S(2).Valid())
		}
		return tiny.Build(g, x)
	}
	spec.Renames = []weights.Table{{Name: "theirs", Rows: []weights.Rename{{Old: "their.*.*", New: "*.*"}}}}
	spec.Variants = []zoo.Variant{{Library: "theirs", Graph: "halves the image", Recipe: &zoo.Recipe{CropPct: 1, CropMode: "squash"}}}
	list, err := zoo.NewList([]zoo.Spec{spec})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		prefix, names, source, mode string
		nodes                       int
	}{{"", "", "the default of tiny", "center", 5}, {"their.", "theirs", "the default of theirs", "squash", 6}} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		writeWeightsAs(t, path, 3, test.prefix)
		task := Task{Weights: path, Job: experiment.Job{Model: spec.Name, Axes: record.Axes{Threads: 1, Batch: 1, NoTune: true}}}
		n, err := Open(list, task)
		if err != nil {
			t.Fatal(err)
		}
		r := n.record(record.KindLatency, task)
		n.Close()
		if r.WeightsNames != test.names || r.RecipeSource != test.source || r.Recipe.CropMode != test.mode || len(n.Graph.Nodes) != test.nodes {
			t.Errorf("names of %q, recipe from %q, %s, %d nodes; want %+v", r.WeightsNames, r.RecipeSource, r.Recipe.CropMode,
				len(n.Graph.Nodes), test)
		}
	}
}

// TestVariantOfFile opens files of one library, of which some are of a variant by what they hold.
func TestVariantOfFile(t *testing.T) {
	tiny, err := misbehaving().Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	halves := false
	spec := *tiny
	spec.Build = func(g *nn.Builder, x nn.Value) nn.Value {
		if g.Library == "theirs, halved" {
			x = g.MaxPool(x, nn.K(2).S(2).Valid())
		}
		return tiny.Build(g, x)
	}
	spec.Variants = []zoo.Variant{{Library: "theirs, halved", Graph: "halves the image", Of: func(weights.Source) bool { return halves }}}
	list, err := zoo.NewList([]zoo.Spec{spec})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	writeWeightsAs(t, path, 3, "")
	task := Task{Weights: path, Job: experiment.Job{Model: spec.Name}, Recipe: Recipe{Mean: new([3]float64)}}
	for _, halves = range []bool{false, true} {
		r, err := Describe(list, task)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.Graph.Nodes) == 6; got != halves || (r.Naming == "theirs, halved") != halves {
			t.Errorf("%d nodes, names of %q; want a halved image: %v", len(r.Graph.Nodes), r.Naming, halves)
		}
		if r.Recipe.Mean != [3]float64{} {
			t.Errorf("mean %v, want the zeros that were asked for", r.Recipe.Mean)
		}
		r.Close()
	}
}

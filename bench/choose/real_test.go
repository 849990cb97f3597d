package choose

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"zoobench/bench/choose/features"
	"zoobench/bench/choose/heads"
	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/internal/testenv"
	"zoobench/zoo"
)

// kinds are what ImageNet's classes are merged into, by ranges of their indices.
var kinds = []struct {
	name   string
	ranges [][2]int // from, up to and including
}{
	{"birds", [][2]int{{7, 24}, {80, 100}, {127, 146}}},
	{"cats", [][2]int{{281, 293}}},
	{"dogs", [][2]int{{151, 268}}},
	{"hoofed", [][2]int{{339, 355}}},
	{"insects", [][2]int{{69, 79}, {300, 326}}},
	{"primates", [][2]int{{365, 382}}},
	{"reptiles", [][2]int{{33, 68}}},
	{"vehicles", [][2]int{
		{407, 407}, {436, 436}, {444, 444}, {511, 511}, {555, 555}, {569, 569}, {609, 609}, {627, 627},
		{654, 654}, {656, 656}, {661, 661}, {665, 665}, {670, 670}, {675, 675}, {705, 705}, {717, 717},
		{734, 734}, {751, 751}, {779, 779}, {817, 817}, {829, 829}, {864, 864}, {866, 867}, {874, 874},
	}},
}

// realFolder is the folder of photographs and checkpoints.
func realFolder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds: not with -short")
	}
	return testenv.Real(t)
}

// cut makes a task of real photographs: links, a folder for each kind. It returns how many of ImageNet's classes they are.
func cut(t *testing.T, real string) (root string, classes int) {
	t.Helper()
	root = t.TempDir()
	kindOf := map[int]string{}
	for _, k := range kinds {
		if err := os.Mkdir(filepath.Join(root, k.name), 0o777); err != nil {
			t.Fatal(err)
		}
		for _, r := range k.ranges {
			for i := r[0]; i <= r[1]; i++ {
				kindOf[i] = k.name
			}
		}
	}
	used := map[int]bool{}
	link := func(path string, class int) {
		kind, ok := kindOf[class]
		if !ok {
			return
		}
		used[class] = true
		abs, err := filepath.Abs(path)
		if err == nil {
			err = os.Symlink(abs, filepath.Join(root, kind, filepath.Base(path)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(filepath.Join(real, "val_labels.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, label, _ := strings.Cut(lines.Text(), " ")
		class, err := strconv.Atoi(label)
		if err != nil {
			t.Fatal(err)
		}
		link(filepath.Join(real, "val", name), class)
	}
	for _, c := range datasets.ImageNet1k() {
		paths, err := filepath.Glob(filepath.Join(real, "train", c.WordNetID, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			link(path, c.Index)
		}
	}
	return root, len(used)
}

// realCache is a cache with the three real checkpoints.
func realCache(t *testing.T, real string) runner.Cache {
	t.Helper()
	c := runner.Cache{Dir: t.TempDir()}
	if err := os.MkdirAll(c.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"squeezenet1_1.real.pth": "squeezenet1_1.pth", "mobilenet_v2.real.safetensors": "mobilenet_v2.safetensors",
		"vit_tiny_patch16_224.real.safetensors": "vit_tiny_patch16_224.safetensors",
	} {
		abs, err := filepath.Abs(filepath.Join(real, "checkpoints", file))
		if err == nil {
			err = os.Symlink(abs, filepath.Join(c.Weights(), name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestReal chooses among three real networks for eight kinds of photographs: 420 of them with ZOO_LONG, else a sample. The
// order is that of the networks' accuracy on ImageNet, and the saved head names photographs rightly.
func TestReal(t *testing.T) {
	real := realFolder(t)
	data, classes := cut(t, real)
	if classes < 20 {
		t.Fatalf("%d of ImageNet's classes, want at least 20", classes)
	}
	o := Options{List: zoo.Default(), Cache: realCache(t, real), Worker: worker("zoo"), Data: data, Threads: 1,
		MinDuration: 20 * time.Millisecond, Images: 80, Networks: []string{"squeezenet1_1", "mobilenetv2_100", "vit_tiny_patch16_224"}}
	atLeast := map[string]float64{"squeezenet1_1.real": 0.50, "mobilenetv2_100.real": 0.70, "vit_tiny_patch16_224.real": 0.80}
	if os.Getenv("ZOO_LONG") != "" {
		o.Images = 0
		atLeast = map[string]float64{"squeezenet1_1.real": 0.83, "mobilenetv2_100.real": 0.91, "vit_tiny_patch16_224.real": 0.96}
	}
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d images of %d of ImageNet's classes merged into %d: %s", r.Images, classes, len(r.Classes), r.Reason)
	if len(r.Rows) != 6 || r.Pick == nil || r.ImageNet {
		t.Fatalf("%d rows, pick %v", len(r.Rows), r.Pick)
	}
	for _, row := range r.Rows {
		t.Logf("%-26s %-12s %s (%s), balanced %s, tie group %d, gradient %.1e, strengths %g, neighbours %v", row.Name, row.Head,
			percent(row.Score.Accuracy.Value), interval(row.Score.Accuracy), percent(row.Score.Balanced.Value), row.Group, row.Gradient,
			row.Strengths, row.Neighbours)
		if row.Head != headProbe {
			continue
		}
		if row.Score.Accuracy.Value < atLeast[row.Name] {
			t.Errorf("%s: accuracy %s, want at least %s", row.Name, percent(row.Score.Accuracy.Value), percent(atLeast[row.Name]))
		}
		if row.Gradient > 1e-4 {
			t.Errorf("%s: gradient at the optimum %g of that at zero, want at most 1e-4", row.Name, row.Gradient)
		}
	}
	if first, last := r.Rows[0].Name, r.Rows[len(r.Rows)-1].Name; first != "vit_tiny_patch16_224.real" || last != "squeezenet1_1.real" {
		t.Errorf("order from %s to %s", first, last)
	}
	for _, curve := range r.Curves {
		first, last := curve.Points[0].Accuracy.Value, curve.Points[len(curve.Points)-1].Accuracy.Value
		t.Logf("%s: %s with one image of a class, %s with %d, about %s with twice as many",
			curve.Name, percent(first), percent(last), curve.Points[len(curve.Points)-1].PerClass, percent(curve.Doubled))
		if last < first+0.2 {
			t.Errorf("%s: learning from more images brings it from %g to %g", curve.Name, first, last)
		}
	}
	if _, err := r.Write(t.TempDir()); err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(t.TempDir(), "head.safetensors")
	if err := r.Head.Save(path); err != nil {
		t.Fatal(err)
	}
	head, err := LoadHead(path)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := zoo.Find(r.Pick.Name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := o.Cache.Find(spec, "real")
	if err != nil {
		t.Fatal(err)
	}
	n, err := features.Open(o.List, runner.Task{Job: experiment.Job{Model: spec.Name}, Weights: file})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := head.Fits(n.Backbone); err != nil {
		t.Fatal(err)
	}
	task, err := openTask(data, "", 16, 99)
	if err != nil {
		t.Fatal(err)
	}
	loader, err := datasets.NewLoader(task.Source, n.Recipe, datasets.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	outputs, right, i := make([]float32, n.Outputs()), 0, 0
	for batch, err := range loader.Batches(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		n.Run(outputs, batch.Tensor, 1)
		if heads.Largest(head.Scores(n, outputs)) == task.Labels[i] {
			right++
		}
		i++
	}
	t.Logf("the saved head names %d of %d photographs rightly", right, i)
	if right < i*3/4 {
		t.Errorf("the saved head names %d of %d photographs rightly", right, i)
	}
}

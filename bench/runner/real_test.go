package runner

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/internal/testenv"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// realFolder is the folder of photographs, checkpoints and PyTorch's predictions. A quarter of a minute is too long for
// -short.
func realFolder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("evaluates 2,700 photographs: not with -short")
	}
	return testenv.Real(t)
}

// expected is what summary.json says of one checkpoint.
type expected struct {
	Recipe struct {
		Resize, Crop  int
		Interpolation string
		Mean, Std     [3]float64
	}
	Val, Train struct{ N, Top1, Top5 int }
}

// prediction is a row of PyTorch's predictions.
type prediction struct {
	label   int
	classes []int
	logits  []float64
}

func readPredictions(t *testing.T, path string) map[string]prediction {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]prediction{}
	for _, row := range rows[1:] { // file, label, five classes, five logits
		var p prediction
		if p.label, err = strconv.Atoi(row[1]); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			class, err := strconv.Atoi(row[2+i])
			if err != nil {
				t.Fatal(err)
			}
			logit, err := strconv.ParseFloat(row[7+i], 64)
			if err != nil {
				t.Fatal(err)
			}
			p.classes, p.logits = append(p.classes, class), append(p.logits, logit)
		}
		found[row[0]] = p
	}
	return found
}

// TestRealPredictions reproduces what PyTorch computed with published checkpoints on real photographs: right answers
// within one image, the first class of at least 99.5 % of the images, logits within 1e-2.
func TestRealPredictions(t *testing.T) {
	dir := realFolder(t)
	text, err := os.ReadFile(filepath.Join(dir, "predictions", "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]expected
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"squeezenet1_1": "squeezenet1_1.pth", "mobilenet_v2": "mobilenet_v2.safetensors",
		"vit_tiny_patch16_224": "vit_tiny_patch16_224.safetensors",
	}
	for network, want := range all {
		if _, err := zoo.Find(network); err != nil {
			t.Logf("not held against PyTorch: %v", err)
			continue
		}
		file := filepath.Join(dir, "checkpoints", files[network])
		t.Run(network+"/val", func(t *testing.T) {
			a := &experiment.Accuracy{Data: filepath.Join(dir, "val"), Labels: filepath.Join(dir, "val_labels.txt")}
			holdAgainst(t, network, file, a, filepath.Join(dir, "predictions", network+".val.csv"), want, want.Val.Top1, want.Val.Top5, want.Val.N)
		})
		t.Run(network+"/train", func(t *testing.T) {
			a := &experiment.Accuracy{Data: filepath.Join(dir, "train"), Answers: datasets.AllAnswers}
			holdAgainst(t, network, file, a, filepath.Join(dir, "predictions", network+".train.csv"), want, want.Train.Top1, want.Train.Top5,
				want.Train.N)
		})
		t.Run(network+"/logits", func(t *testing.T) { holdLogits(t, dir, network, file) })
	}
}

// holdAgainst evaluates a checkpoint and compares counts, first classes and the five best logits.
func holdAgainst(t *testing.T, network, file string, a *experiment.Accuracy, predictions string, want expected, top1, top5, n int) {
	t.Helper()
	pytorch := readPredictions(t, predictions)
	if kernels.ISA() == "generic" {
		a.Limit = 20 // plain Go takes up to a second for an image
	}
	same, worst, close := 0, 0.0, 0
	expect1, expect5 := 0, 0 // right answers of PyTorch on the images that are evaluated
	watch := Watch{
		Ready: func(n *Network, _ *datasets.Files) {
			r := n.Recipe
			if r.Size != want.Recipe.Crop || r.Resize != want.Recipe.Resize || r.Interpolation != want.Recipe.Interpolation ||
				r.Mean != want.Recipe.Mean || r.Std != want.Recipe.Std {
				t.Errorf("recipe: got %+v, want %+v", r, want.Recipe)
			}
		},
		Sample: func(s Sample) error {
			p, ok := pytorch[s.File]
			if !ok {
				p, ok = pytorch[filepath.Base(s.File)]
			}
			if !ok || s.Err != nil {
				t.Errorf("%s: predicted by PyTorch: %t; error %v", s.File, ok, s.Err)
				return nil
			}
			if rank := slices.Index(p.classes, p.label); rank >= 0 {
				expect5++
				if rank == 0 {
					expect1++
				}
			}
			if s.Top5[0] == p.classes[0] {
				same++
			}
			if !slices.Equal(s.Top5, p.classes) {
				return nil
			}
			far := 0.0
			for i, logit := range p.logits {
				far = max(far, math.Abs(logit-float64(s.Scores[i])))
			}
			worst = max(worst, far)
			if far <= 1e-2 {
				close++
			}
			return nil
		},
	}
	r, err := Accuracy(t.Context(), zoo.Default(), Task{Job: experiment.Job{Model: network, Axes: record.Axes{NoTune: true}, Accuracy: a},
		Weights: file}, watch)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("top-1 %d (PyTorch %d), top-5 %d (%d) of %d; first class the same for %d; same five classes with logits within 1e-2 for "+
		"%d, farthest %.4f",
		r.Top1Images, expect1, r.Top5Images, expect5, r.Images, same, close, worst)
	if a.Limit == 0 && (r.Images != n || expect1 != top1 || expect5 != top5) {
		t.Errorf("%d images, of which PyTorch got %d and %d right; summary.json has %d, %d and %d", r.Images, expect1, expect5, n, top1, top5)
	}
	if r.Unreadable != 0 {
		t.Errorf("unreadable: %v", r.UnreadableFiles)
	}
	if d := r.Top1Images - expect1; d < -1 || d > 1 {
		t.Errorf("top-1: got %d images, want %d within one", r.Top1Images, expect1)
	}
	if d := r.Top5Images - expect5; d < -1 || d > 1 {
		t.Errorf("top-5: got %d images, want %d within one", r.Top5Images, expect5)
	}
	if float64(same) < 0.995*float64(r.Images) {
		t.Errorf("first class: the same for %d of %d images, want 99.5 %%", same, r.Images)
	}
}

// holdLogits compares all logits of the first 32 validation images.
func holdLogits(t *testing.T, dir, network, file string) {
	t.Helper()
	n, err := Open(zoo.Default(), Task{Job: experiment.Job{Model: network, Axes: record.Axes{Batch: 4, NoTune: true}}, Weights: file})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	pictures, err := datasets.Open(filepath.Join(dir, "val"), datasets.Options{Labels: filepath.Join(dir, "val_labels.txt"), Classes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	count := 32
	if kernels.ISA() == "generic" {
		count = 8
	}
	loader, err := datasets.NewLoader(datasets.First(pictures, count), n.Preprocessing(), datasets.LoadOptions{Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	src, err := weights.Open(filepath.Join(dir, "predictions", network+".val.first32.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	want, err := src.Float32(src.Tensors()[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, 4*1000)
	worst := 0.0
	for batch, err := range loader.Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n.Engine.Run(logits, batch.Tensor, len(batch.Items))
		for i, got := range logits[:1000*len(batch.Items)] {
			worst = max(worst, math.Abs(float64(got)-float64(want[1000*batch.First+i])))
		}
	}
	t.Logf("farthest of %d logits: %.6f", 1000*count, worst)
	if worst > 1e-2 {
		t.Errorf("logits: %.4f off PyTorch's, want within 1e-2", worst)
	}
}

// TestRealForms evaluates one set of weights in PyTorch's older form and at half precision: the same answers.
func TestRealForms(t *testing.T) {
	dir := realFolder(t)
	measure := func(name string) *record.Record {
		t.Helper()
		a := &experiment.Accuracy{Data: filepath.Join(dir, "val"), Labels: filepath.Join(dir, "val_labels.txt"), Limit: 100}
		task := Task{Job: experiment.Job{Model: "squeezenet1_1", Axes: record.Axes{NoTune: true}, Accuracy: a},
			Weights: filepath.Join(dir, "checkpoints", name)}
		r, err := Accuracy(t.Context(), zoo.Default(), task, Watch{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if kernels.ISA() == "generic" {
		t.Skip("takes too long in plain Go, and says nothing of it")
	}
	want := measure("squeezenet1_1.pth")
	for _, test := range []struct {
		name   string
		within int
	}{
		{"squeezenet1_1.legacy.pth", 0},
		{"squeezenet1_1.half.pth.tar", 1},
	} {
		got := measure(test.name)
		if d := got.Top1Images - want.Top1Images; d < -test.within || d > test.within {
			t.Errorf("%s: top-1: got %d images, want %d within %d", test.name, got.Top1Images, want.Top1Images, test.within)
		}
		if got.DatasetSHA256 != want.DatasetSHA256 || got.DatasetSHA256 == "" {
			t.Errorf("%s: images: got %q, want the same as before, %q", test.name, got.DatasetSHA256, want.DatasetSHA256)
		}
	}
}

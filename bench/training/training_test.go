package training

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/internal/recipe"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// tiny is a network that learns colours, with all that is random or remembered in training: batch norm, dropout, stochastic depth.
func tiny(t testing.TB) *zoo.List {
	t.Helper()
	list, err := tinyList()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func tinyList() (*zoo.List, error) {
	build := func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.BatchNorm("norm", g.Conv("conv", x, 8, nn.K(3).S(2)), 1e-5))
		y := g.Conv("deeper", x, 8, nn.K(3).WithBias())
		if g.Training {
			y = g.StochasticDepth(y, 0.2)
		}
		x = g.GlobalAvgPool(g.ReLU(g.Add(x, y)))
		if g.Training {
			x = g.Dropout(x, 0.1)
		}
		return g.Linear("fc", x, g.Classes)
	}
	return zoo.NewList([]zoo.Spec{{Name: "tiny", Build: build, Size: 8, Family: "tiny"}})
}

// colours writes a folder of n noisy images of each of three colours.
func colours(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 1))
	for class, name := range []string{"blue", "green", "red"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			m := image.NewRGBA(image.Rect(0, 0, 12, 10))
			for p := range m.Pix {
				switch m.Pix[p] = byte(r.IntN(150)); p % 4 {
				case 2 - class:
					m.Pix[p] = byte(100 + r.IntN(150))
				case 3:
					m.Pix[p] = 255
				}
			}
			for x := range 12 {
				m.Set(x, i%10, color.White)
			}
			var b bytes.Buffer
			if err := png.Encode(&b, m); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, name, fmt.Sprintf("%02d.png", i)), b.Bytes())
		}
	}
	return dir
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string) *datasets.Files {
	t.Helper()
	files, err := datasets.Open(dir, datasets.Options{Ranks: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	return files
}

// job learns three colours in a few epochs.
func job(t testing.TB, dir, out string) Job {
	return Job{
		List: tiny(t), Task: runner.Task{Job: experiment.Job{Model: "tiny"}}, Images: open(t, dir), HeldOut: 0.25, Threads: 1, Out: out,
		Adapt: func(r recipe.Recipe) (recipe.Recipe, error) {
			r.Epochs, r.Batch, r.Average, r.Labels.Mixup, r.Schedule.Rate = 6, 8, 0.9, 0.2, 0.1
			return r, nil
		},
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTrain learns colours, and evaluates the result as any checkpoint.
func TestTrain(t *testing.T) {
	dir, out := colours(t, 24), filepath.Join(t.TempDir(), "a.safetensors")
	j := job(t, dir, out)
	var steps, epochs int
	j.Progress = func(p Progress) {
		if p.Done == nil {
			steps++
		}
		if p.Step != steps || p.Steps != 6*6 || p.ImagesPerSec <= 0 {
			t.Errorf("progress %+v after %d steps", p, steps)
		}
		if p.Done != nil {
			epochs++
		}
	}
	r, err := Train(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	last := r.Curve[len(r.Curve)-1]
	if epochs != 6 || len(r.Curve) != 6 || last.Held < 0.9 || last.Loss >= r.Curve[0].Loss || r.Images != 54 || r.HeldOut != 18 {
		t.Errorf("%d epochs, %d images, %d held out, curve %+v; want 6, 54, 18 and an accuracy of 0.9 at least",
			epochs, r.Images, r.HeldOut, r.Curve)
	}
	if _, err := os.Stat(stateFile(out)); err == nil {
		t.Error("the state is left behind")
	}
	task := runner.Task{Job: experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: dir}}, Weights: out}
	record, err := runner.Accuracy(t.Context(), tiny(t), task, runner.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	if record.Images != 72 || record.Top1 < 90 {
		t.Errorf("evaluation finds %v %% of %d images right, want 90 %% of 72 at least", record.Top1, record.Images)
	}
	ready, err := runner.Describe(tiny(t), task)
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	if tr := ready.Trained; tr == nil || !slices.Equal(tr.Classes, []string{"blue", "green", "red"}) || tr.Recipe.Size != 8 {
		t.Errorf("the checkpoint says %+v of itself", tr)
	}

	// From this checkpoint, the classifier first; a frozen parameter keeps its bits.
	j = job(t, dir, filepath.Join(t.TempDir(), "b.safetensors"))
	j.Task.Weights, j.Freeze = out, []string{"conv", "nor?.weight"}
	j.Adapt = func(r recipe.Recipe) (recipe.Recipe, error) {
		if r.HeadEpochs == 0 || r.LowerRate == 0 {
			t.Errorf("recipe of fine-tuning: %+v", r)
		}
		r.Epochs, r.HeadEpochs, r.Batch = 2, 1, 8
		return r, nil
	}
	if r, err = Train(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if len(r.Curve) != 3 || !r.Curve[0].HeadOnly || r.Curve[1].HeadOnly || r.Curve[0].Held < 0.6 {
		t.Errorf("curve of fine-tuning %+v", r.Curve)
	}
	for _, name := range []string{"conv.weight", "norm.weight"} {
		if !slices.Equal(tensor(t, out, name), tensor(t, j.Out, name)) {
			t.Errorf("%s is frozen and has changed", name)
		}
	}
	if slices.Equal(tensor(t, out, "deeper.weight"), tensor(t, j.Out, "deeper.weight")) {
		t.Error("deeper.weight has not learned")
	}
	fromFeatures(t, j, out)
}

// fromFeatures begins with a file that has all of another's parameters but the classifier's.
func fromFeatures(t *testing.T, j Job, whole string) {
	t.Helper()
	f, err := weights.Open(whole)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var named []weights.Named
	for _, p := range f.Tensors() {
		if !strings.HasPrefix(p.Name, "fc.") {
			named = append(named, weights.Named{Name: p.Name, Shape: p.Shape, Data: tensor(t, whole, p.Name)})
		}
	}
	j.Task.Weights = filepath.Join(t.TempDir(), "features.safetensors")
	if err := weights.WriteFile(j.Task.Weights, named, nil); err != nil {
		t.Fatal(err)
	}
	j.Out = filepath.Join(t.TempDir(), "c.safetensors")
	if _, err := Train(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tensor(t, whole, "conv.weight"), tensor(t, j.Out, "conv.weight")) || len(tensor(t, j.Out, "fc.bias")) != 3 {
		t.Error("the frozen parameter of the file has changed, or there is no classifier of 3 classes")
	}
}

// TestKilled kills a run at random moments until one comes to its end: the result has the bits of a run that nobody disturbed,
// on another number of threads.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("TRAINING_TEST_DIR"); dir != "" {
		j := job(t, dir, os.Getenv("TRAINING_TEST_OUT"))
		j.Adapt = tuned(j.Adapt)
		if _, err := Train(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir, folder := colours(t, 24), t.TempDir()
	undisturbed, out := filepath.Join(folder, "a.safetensors"), filepath.Join(folder, "b.safetensors")
	j := job(t, dir, undisturbed)
	j.Threads, j.Adapt = 2, tuned(j.Adapt)
	start := time.Now()
	if _, err := Train(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(start)
	r := rand.New(rand.NewPCG(uint64(start.UnixNano()), 0))
	kills, underWay := 0, 0
	for {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.count=1")
		cmd.Env = append(os.Environ(), "TRAINING_TEST_DIR="+dir, "TRAINING_TEST_OUT="+out)
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		var timer <-chan time.Time
		if kills < 6 {
			timer = time.After(20*time.Millisecond + time.Duration(r.Int64N(int64(whole/2))))
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v\n%s", err, output.String())
			}
		case <-timer:
			kills++
			cmd.Process.Kill()
			<-done
			if _, err := os.Stat(stateFile(out)); err == nil {
				underWay++
			}
			continue
		}
		break
	}
	t.Logf("%d kills, %d of them with steps done", kills, underWay)
	if !bytes.Equal(read(t, undisturbed), read(t, out)) {
		t.Errorf("after %d kills the result has other bits", kills)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) != 2 {
		t.Errorf("files %v (%v), want two results", left, err)
	}
}

// tuned adds epochs of the classifier alone, and AdamW.
func tuned(adapt func(recipe.Recipe) (recipe.Recipe, error)) func(recipe.Recipe) (recipe.Recipe, error) {
	return func(r recipe.Recipe) (recipe.Recipe, error) {
		r, err := adapt(r)
		r.HeadEpochs, r.LowerRate, r.Optimizer, r.Schedule.Rate = 2, 0.1, recipe.Usual(recipe.AdamW), 0.01
		return r, err
	}
}

// TestStopped ends a run by its context; the same job goes on, another one is refused.
func TestStopped(t *testing.T) {
	dir, out := colours(t, 8), filepath.Join(t.TempDir(), "a.safetensors")
	ctx, cancel := context.WithCancel(t.Context())
	j := job(t, dir, out)
	j.SaveEvery = time.Hour
	j.Progress = func(p Progress) {
		if p.Step == 5 {
			cancel()
		}
	}
	if _, err := Train(ctx, j); err == nil || !strings.Contains(err.Error(), "the same command goes on from there") {
		t.Fatalf("error %v, want one that says how to go on", err)
	}
	other := job(t, dir, out)
	other.HeldOut = 0.5
	if _, err := Train(t.Context(), other); err == nil || !strings.Contains(err.Error(), "the state of a training with other images") {
		t.Errorf("another job: error %v, want a refusal", err)
	}
	j.Progress = nil
	r, err := Train(t.Context(), j)
	if err != nil || r.Resumed < 5 {
		t.Errorf("resumed from %+v, error %v", r, err)
	}
	writeFile(t, stateFile(out), []byte("no state"))
	if _, err := Train(t.Context(), j); err == nil || !strings.Contains(err.Error(), "a.safetensors.state") {
		t.Errorf("a damaged state: error %v", err)
	}
}

// TestDivided learns from the items that are named and never from those that it tests: other images in their place leave the same
// weights, and other predictions.
func TestDivided(t *testing.T) {
	dir := colours(t, 12)
	j := job(t, dir, filepath.Join(t.TempDir(), "a.safetensors"))
	j.HeldOut = 0
	for i := range j.Images.Len() {
		if i%3 == 0 {
			j.Test = append(j.Test, i)
		} else {
			j.Items = append(j.Items, i)
		}
	}
	first, err := Train(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	weights := tensor(t, j.Out, "conv.weight")
	if first.Images != 24 || first.HeldOut != 12 || len(first.Predicted) != 12 {
		t.Fatalf("learned from %d images, tested %d, predicted %v", first.Images, first.HeldOut, first.Predicted)
	}
	rightOnes := 0
	for k, i := range j.Test {
		if first.Predicted[k] == j.Images.Item(i).Labels[0] {
			rightOnes++
		}
		name := filepath.Join(dir, filepath.FromSlash(j.Images.Item(i).Name))
		if k == 0 {
			writeFile(t, name, []byte("not an image"))
			continue
		}
		other := filepath.Join(dir, filepath.FromSlash(j.Images.Item(j.Items[(k+8)%len(j.Items)]).Name))
		writeFile(t, name, read(t, other))
	}
	if last := first.Curve[len(first.Curve)-1]; float64(rightOnes) != last.Held*12 {
		t.Errorf("%d of 12 predictions are right, the curve says %v", rightOnes, last.Held)
	}
	second, err := Train(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(weights, tensor(t, j.Out, "conv.weight")) {
		t.Error("the network has learned from images that it is tested on")
	}
	if second.Predicted[0] != -1 || slices.Equal(first.Predicted, second.Predicted) {
		t.Errorf("predicted %v of images, and %v of others", first.Predicted, second.Predicted)
	}
	j.HeldOut = 0.2
	if _, err := Train(t.Context(), j); err == nil || !strings.Contains(err.Error(), "no other way to hold some out") {
		t.Errorf("two ways to hold images out: error %v", err)
	}
}

// TestUnreadable leaves images out by name, and goes on.
func TestUnreadable(t *testing.T) {
	dir, out := colours(t, 12), filepath.Join(t.TempDir(), "a.safetensors")
	for i := range 4 {
		writeFile(t, filepath.Join(dir, "red", fmt.Sprintf("%02d.png", i)), []byte("not an image"))
	}
	r, err := Train(t.Context(), job(t, dir, out))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"red/00.png", "red/01.png", "red/02.png", "red/03.png"}
	if !slices.Equal(slices.Sorted(slices.Values(r.Unreadable)), want) {
		t.Errorf("left out: %v, want %v", r.Unreadable, want)
	}
}

func TestErrors(t *testing.T) {
	dir, folder := colours(t, 8), t.TempDir()
	one := colours(t, 1)
	bad, empty := colours(t, 4), colours(t, 4)
	if err := os.Mkdir(filepath.Join(empty, "yellow"), 0o777); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(bad, "*", "*.png"))
	for _, f := range files {
		writeFile(t, f, []byte("not an image"))
	}
	adapt := func(change func(*recipe.Recipe)) func(j *Job) {
		return func(j *Job) {
			before := j.Adapt
			j.Adapt = func(r recipe.Recipe) (recipe.Recipe, error) {
				r, err := before(r)
				change(&r)
				return r, err
			}
		}
	}
	for _, test := range []struct {
		name, dir string
		change    func(*Job)
		want      string
	}{
		{"all held out", dir, func(j *Job) { j.HeldOut = 1 }, "held-out share 1, want more than 0 and at most 0.9"},
		{"no folder", dir, func(j *Job) { j.Out = filepath.Join(folder, "none", "a") }, "no folder"},
		{"a folder", dir, func(j *Job) { j.Out = folder }, "a folder, want a file for the result"},
		{"a device", dir, func(j *Job) { j.Out = os.DevNull }, "a device or a pipe, which the result would replace: want a file"},
		{"an empty class", empty, func(*Job) {}, "class yellow has no image: add some, or remove its folder"},
		{"unknown network", dir, func(j *Job) { j.Task.Model = "huge" }, "huge"},
		{"a size too small", dir, func(j *Job) { j.Task.ImgSize = -1 }, "input size -1"},
		{"single images", one, func(*Job) {}, "every class has a single image"},
		{"no image can be read", bad, func(*Job) {}, "none of 9 images can be read"},
		{"a pattern of nothing", dir, func(j *Job) { j.Freeze = []string{"layer9"} },
			`no parameter of tiny matches "layer9"; its first is conv.weight`},
		{"everything frozen", dir, func(j *Job) { j.Freeze = []string{"*"} }, "want at least one that learns"},
		{"an epoch too many", dir, adapt(func(r *recipe.Recipe) { r.Epochs = 0 }), "0 epochs, want 1 to"},
		{"a wide pad", dir, adapt(func(r *recipe.Recipe) { r.Augment.Pad = 9 }), "pad 9, want 0 to the input size, 8"},
		{"two seeds", dir, adapt(func(r *recipe.Recipe) { r.Seeds = []uint64{1, 2} }), "2 seeds, want one"},
		{"a rate that diverges", dir, adapt(func(r *recipe.Recipe) { r.Schedule.Rate = 1e30; r.Schedule.Warmup = 0 }),
			"a lower learning rate than 1e+30, or a longer warm-up, often helps"},
		{"little memory", dir, func(j *Job) { j.Memory = 50 << 10 }, "KiB"},
		{"no memory", dir, func(j *Job) { j.Memory = 1 << 10 }, "even a batch of 2 with checkpointing takes"},
		{"little time", dir, func(j *Job) { j.Time = time.Nanosecond }, "an epoch takes about"},
	} {
		t.Run(test.name, func(t *testing.T) {
			j := job(t, test.dir, filepath.Join(t.TempDir(), "a.safetensors"))
			test.change(&j)
			_, err := Train(t.Context(), j)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if info, err := os.Stat(j.Out); err == nil && info.Mode().IsRegular() {
				t.Error("there is a result")
			}
		})
	}
}

// TestTime runs as many epochs as fit.
func TestTime(t *testing.T) {
	j := job(t, colours(t, 8), filepath.Join(t.TempDir(), "a.safetensors"))
	j.Time, j.SaveEvery = 100*time.Millisecond, time.Hour
	r, err := Train(t.Context(), j)
	if err != nil || r.Recipe.Epochs != len(r.Curve) || r.Recipe.Epochs < 1 {
		t.Errorf("result %+v, error %v", r, err)
	}

	// The classifier's own epochs take a part of the time alone.
	j.Time = 400 * time.Millisecond
	before := j.Adapt
	j.Adapt = func(r recipe.Recipe) (recipe.Recipe, error) {
		r, err := before(r)
		r.HeadEpochs = 100_000
		return r, err
	}
	r, err = Train(t.Context(), j)
	if err != nil || r.Recipe.HeadEpochs < 1 || r.Recipe.HeadEpochs == 100_000 || len(r.Curve) != r.Recipe.HeadEpochs+r.Recipe.Epochs {
		t.Errorf("error %v, %+v: want fewer epochs of the classifier alone", err, r)
	}
}

func tensor(t testing.TB, path, name string) []float32 {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err := f.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(x)
}

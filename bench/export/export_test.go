package export

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/choose"
	"zoobench/bench/choose/features"
	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/datasets/preprocess"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// ready is a small network of the zoo with generated weights.
func ready(t *testing.T, axes record.Axes) *runner.Ready {
	t.Helper()
	r, err := runner.Describe(zoo.Default(), runner.Task{Job: experiment.Job{Model: "mobilenetv3_small_050", Axes: axes}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func decode(t *testing.T, path string) *message.Model {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := message.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// names are the files of a folder.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestWrite reads what a file says of itself.
func TestWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	w, err := Write(t.Context(), ready(t, record.Axes{}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := decode(t, w.Path)
	have := map[string]string{}
	for _, p := range m.Properties {
		have[p.Key] = p.Value
	}
	var recipe zoo.Recipe
	var classes []string
	if err := json.Unmarshal([]byte(have["zoobench.recipe"]), &recipe); err != nil {
		t.Error(err)
	}
	if err := json.Unmarshal([]byte(have["zoobench.classes"]), &classes); err != nil {
		t.Error(err)
	}
	if recipe.Size != 224 || recipe.Interpolation != "bicubic" || len(classes) != 1000 || classes[0] != "tench" {
		t.Errorf("recipe %+v, %d classes", recipe, len(classes))
	}
	if have["zoobench.network"] != "mobilenetv3_small_050" || !strings.HasPrefix(have["zoobench.weights"], "generated") || len(have) != 4 {
		t.Errorf("%d properties, of %s with %s", len(have), have["zoobench.network"], have["zoobench.weights"])
	}
	if got := names(t, "."); !slices.Equal(got, []string{"mobilenetv3_small_050.onnx"}) {
		t.Errorf("files %v", got)
	}
}

// TestClasses makes a network of another size and other classes: nobody knows their names.
func TestClasses(t *testing.T) {
	t.Chdir(t.TempDir())
	w, err := Write(t.Context(), ready(t, record.Axes{ImgSize: 96, NumClasses: 7}), Options{Out: "own.onnx"})
	if err != nil {
		t.Fatal(err)
	}
	m := decode(t, w.Path)
	in, out := m.Graph.Inputs[0].Dims, m.Graph.Outputs[0].Dims
	if in[0].Known || in[2].Size != 96 || in[3].Size != 96 || out[1].Size != 7 {
		t.Errorf("input %+v, output %+v", in, out)
	}
	if slices.ContainsFunc(m.Properties, func(p message.Property) bool { return p.Key == "zoobench.classes" }) {
		t.Error("names of classes that nobody knows")
	}
}

// TestSplit writes two parts, and leaves nothing where the folder is not to be written to.
func TestSplit(t *testing.T) {
	r := ready(t, record.Axes{})
	dir := t.TempDir()
	err := r.Read(weights.Generator{}, func(src weights.Source) error {
		f, err := onnx.New(r.Graph, src, onnx.Options{})
		if err != nil {
			return err
		}
		return write(t.Context(), f, filepath.Join(dir, "m.onnx"), true, func(part string, data *os.File) error {
			return check(f, r.Graph, src, nil, part, data)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"m.onnx", "m.onnx.data"}) {
		t.Errorf("files %v", got)
	}
	for _, x := range decode(t, filepath.Join(dir, "m.onnx")).Graph.Tensors {
		if x.External != nil && x.External.Location != "m.onnx.data" {
			t.Fatalf("%s lies in %s", x.Name, x.External.Location)
		}
	}
}

// TestKeeps lets a file stay as it was where another cannot be made.
func TestKeeps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), ready(t, record.Axes{}), Options{Out: path, ONNX: onnx.Options{Opset: 3}}); err == nil {
		t.Error("opset 3: no error")
	}
	if b, err := os.ReadFile(path); string(b) != "old" || err != nil || len(names(t, dir)) != 1 {
		t.Errorf("%q, %v, files %v", b, err, names(t, dir))
	}
}

// TestInterrupted leaves nothing of a file that is not whole.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Write(ctx, ready(t, record.Axes{}), Options{Out: filepath.Join(dir, "m.onnx")})
	if !errors.Is(err, context.Canceled) || len(names(t, dir)) != 0 {
		t.Errorf("%v, files %v", err, names(t, dir))
	}
}

// save writes generated weights as a checkpoint.
func save(t *testing.T, path string, g *nn.Graph, metadata map[string]string) {
	t.Helper()
	var tensors []weights.Named
	src := weights.Generator{}.Source(g.Params)
	for _, p := range g.Params {
		v, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, weights.Named{Name: p.Name, Shape: p.Shape, Data: v})
	}
	if err := weights.WriteFile(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
}

// TestTrained writes a checkpoint that has names of classes.
func TestTrained(t *testing.T) {
	t.Chdir(t.TempDir())
	spec, err := zoo.Find("mobilenetv3_small_050")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(64, 2)
	if err != nil {
		t.Fatal(err)
	}
	recipe := spec.Recipe
	recipe.Size = 64
	metadata, err := (&runner.Trained{Network: spec.Name, Classes: []string{"moth", "fly"}, Recipe: recipe}).Metadata()
	if err != nil {
		t.Fatal(err)
	}
	save(t, "trained.safetensors", g, metadata)
	r, err := runner.Describe(zoo.Default(), runner.Task{Job: experiment.Job{Model: spec.Name}, Weights: "trained.safetensors"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := Write(t.Context(), r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p := decode(t, w.Path).Properties; !slices.Contains(p, message.Property{Key: "zoobench.classes", Value: `["moth","fly"]`}) {
		t.Errorf("properties %v", p)
	}
}

// TestHead gives a network a head of two classes: the file has them, the head's parameters, and no classifier besides.
func TestHead(t *testing.T) {
	t.Chdir(t.TempDir())
	spec, err := zoo.Find("mobilenetv3_small_050")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	save(t, "made.safetensors", g, nil)
	describe := func(file string) *runner.Ready {
		r, err := runner.Describe(zoo.Default(), runner.Task{Job: experiment.Job{Model: spec.Name}, Weights: file})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
	r := describe("made.safetensors")
	b, _, err := features.Describe(r)
	if err != nil {
		t.Fatal(err)
	}
	h := &choose.Head{Network: b.Network, SHA256: b.SHA256, File: b.File, Input: "features", Classes: []string{"cat", "dog"}, Recipe: b.Recipe,
		Weight: make([]float32, 2*b.Features), Bias: []float32{1, 2}}
	w, err := Write(t.Context(), r, Options{Head: h})
	if err != nil {
		t.Fatal(err)
	}
	m := decode(t, w.Path)
	if got := m.Graph.Outputs[0].Dims[1].Size; got != 2 {
		t.Errorf("%d answers, want 2", got)
	}
	last := m.Graph.Nodes[len(m.Graph.Nodes)-1]
	if last.Op != "Gemm" || !slices.Equal(last.In[1:], []string{features.HeadWeight, features.HeadBias}) {
		t.Errorf("the last operator is %s of %v", last.Op, last.In)
	}
	for _, p := range m.Properties {
		if p.Key == "zoobench.classes" && p.Value != `["cat","dog"]` {
			t.Errorf("classes %s", p.Value)
		}
	}
	for _, x := range m.Graph.Tensors {
		if strings.HasPrefix(x.Name, "classifier.") {
			t.Errorf("the network's own classifier is there: %s", x.Name)
		}
	}
	for name, r := range map[string]*runner.Ready{"name that file": describe(""), "SHA-256": r} {
		other := *h
		other.SHA256 = "00"
		if _, err := Write(t.Context(), r, Options{Head: &other}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
}

// TestPreprocessing makes files that take bytes, and names what no operator does.
func TestPreprocessing(t *testing.T) {
	t.Chdir(t.TempDir())
	w, err := Write(t.Context(), ready(t, record.Axes{}), Options{Preprocessing: true})
	if err != nil {
		t.Fatal(err)
	}
	m := decode(t, w.Path)
	if in := m.Graph.Inputs[0]; in.Name != "image" || in.Type != message.Uint8 || len(in.Dims) != 4 || in.Dims[2].Known || w.Opset != 18 {
		t.Errorf("opset %d, input %+v", w.Opset, in)
	}
	for _, test := range []struct {
		recipe preprocess.Recipe
		want   string
	}{
		{preprocess.Recipe{Size: 8, Interpolation: preprocess.Lanczos}, "interpolation lanczos"},
		{preprocess.Recipe{Size: 8, Interpolation: preprocess.Nearest}, "interpolation nearest"},
		{preprocess.Recipe{Size: 8, CropMode: preprocess.Border}, "border crop of 8 pixels from 9"},
		{preprocess.Recipe{Size: 8, CropPct: 1.2}, "center crop of 8 pixels from 6"},
	} {
		if _, err := pixels(test.recipe); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.recipe, err, test.want)
		}
	}
	if _, err := Write(t.Context(), ready(t, record.Axes{}), Options{Preprocessing: true, ONNX: onnx.Options{Opset: 17}}); err == nil {
		t.Error("opset 17 cannot resize, and there is no error")
	}
}

// TestReadBack finds in a file what was known of its network.
func TestReadBack(t *testing.T) {
	t.Chdir(t.TempDir())
	want := ready(t, record.Axes{})
	w, err := Write(t.Context(), want, Options{})
	if err != nil {
		t.Fatal(err)
	}
	describe := func(task runner.Task) *runner.Ready {
		task.Model = w.Path
		r, err := runner.Describe(zoo.Default(), task)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
	r := describe(runner.Task{})
	if r.Recipe != want.Recipe || !slices.Equal(r.ClassNames(), want.ClassNames()) || r.Source != "the file's metadata" {
		t.Errorf("recipe %+v of %s, want %+v", r.Recipe, r.Source, want.Recipe)
	}
	if r.Graph.ParamCount() != want.Graph.ParamCount() || r.Graph.MACs() != want.Graph.MACs() ||
		r.Name() != filepath.Base(w.Path) || r.SHA256 == "" {
		t.Errorf("%s has %d parameters and %d MACs", r.Name(), r.Graph.ParamCount(), r.Graph.MACs())
	}
	r = describe(runner.Task{Recipe: runner.Recipe{CropPct: 1}})
	if r.Recipe.Resize != r.Recipe.Size || !strings.Contains(r.Source, "with changes") {
		t.Errorf("recipe %+v of %s", r.Recipe, r.Source)
	}
}

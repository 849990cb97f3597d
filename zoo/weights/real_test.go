package weights

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/internal/testenv"
	"zoobench/zoo/nn"
)

// goldens is the folder of golden files of the zoo's tests.
var goldens = filepath.Join("..", "testdata", "goldens")

// stateDictOf is a network's parameters as its golden file lists them.
func stateDictOf(t *testing.T, network string) []nn.Param {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(goldens, network+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Rows [][2]json.RawMessage `json:"state_dict"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	var params []nn.Param
	for _, row := range file.Rows {
		var p nn.Param
		if err := errors.Join(json.Unmarshal(row[0], &p.Name), json.Unmarshal(row[1], &p.Shape)); err != nil {
			t.Fatal(err)
		}
		params = append(params, p)
	}
	return params
}

// The published files open, in every form, and fit the networks that they are of.
func TestPublished(t *testing.T) {
	dir := testenv.Real(t)
	for _, c := range []struct {
		file, format, section, prefix, network, classifier string
		dtype                                              Dtype
	}{
		{"squeezenet1_1.pth", "torch zip", "", "", "tv_squeezenet1_1", "classifier.1.weight", F32},
		{"squeezenet1_1.legacy.pth", "torch legacy", "", "", "tv_squeezenet1_1", "classifier.1.weight", F32},
		{"squeezenet1_1.half.pth.tar", "torch zip", "state_dict", "module.", "tv_squeezenet1_1", "classifier.1.weight", F16},
		{"mobilenet_v2.safetensors", "safetensors", "", "", "tv_mobilenet_v2", "classifier.1.weight", F32},
		{"vit_tiny_patch16_224.safetensors", "safetensors", "", "", "timm_vit_tiny_patch16_224", "head.weight", F32},
	} {
		t.Run(c.file, func(t *testing.T) {
			f, err := Open(filepath.Join(dir, "checkpoints", c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.layout.format != c.format || f.layout.section != c.section || f.layout.prefix != c.prefix {
				t.Errorf("format %q, section %q, prefix %q, want %q, %q, %q",
					f.layout.format, f.layout.section, f.layout.prefix, c.format, c.section, c.prefix)
			}
			if shape, ok := ShapeOf(f, c.classifier); !ok || shape[0] != 1000 {
				t.Errorf("%s: shape %v, want 1000 classes", c.classifier, shape)
			}
			params := stateDictOf(t, c.network)
			b, err := Bind(f, params, Options{})
			if err != nil {
				t.Fatal(err)
			}
			values := 0
			for _, p := range b.Tensors() {
				if p.Dtype != c.dtype {
					t.Errorf("%s: dtype %s, want %s", p.Name, p.Dtype, c.dtype)
				}
				values += len(mustFloat32(t, b, p.Name))
			}
			t.Logf("%d tensors, %d values, %d ignored", len(b.Tensors()), values, len(b.Ignored()))

			// Another network's parameters, and this network at another class count.
			_, err = Bind(f, stateDictOf(t, "timm_resnet18"), Options{})
			var report *BindError
			if !errors.As(err, &report) || !report.anotherNetwork() ||
				!strings.Contains(err.Error(), "a checkpoint of another network: 0 of ") {
				t.Errorf("as a ResNet-18: %v", err)
			}
			i := slices.IndexFunc(params, func(p nn.Param) bool { return p.Name == c.classifier })
			params[i].Shape = slices.Concat([]int{10}, params[i].Shape[1:])
			if _, err = Bind(f, params, Options{}); err == nil ||
				!strings.HasPrefix(err.Error(), "weights: "+c.file+": "+c.classifier+": shape [1000 ") {
				t.Errorf("for 10 classes: %v", err)
			}
		})
	}
}

// The three SqueezeNet files hold the same numbers: two to the bit, the third to half precision.
func TestPublishedAgree(t *testing.T) {
	dir := filepath.Join(testenv.Real(t), "checkpoints")
	var files [3]*File
	for i, name := range []string{"squeezenet1_1.pth", "squeezenet1_1.legacy.pth", "squeezenet1_1.half.pth.tar"} {
		f, err := Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	values, worst := 0, 0.0
	for _, tensor := range files[0].Tensors() {
		want := mustFloat32(t, files[0], tensor.Name)
		if got := mustFloat32(t, files[1], tensor.Name); !slices.Equal(got, want) {
			t.Errorf("%s: the older form differs", tensor.Name)
		}
		for i, got := range mustFloat32(t, files[2], tensor.Name) {
			// Half a unit of the 11-bit significand, or of the smallest subnormal.
			allowed := max(math.Abs(float64(want[i]))*0x1p-11, 0x1p-25)
			worst = max(worst, math.Abs(float64(got-want[i]))/allowed)
		}
		values += len(want)
	}
	if worst > 1 {
		t.Errorf("half precision is off by %.3f of what rounding allows", worst)
	}
	t.Logf("%d values, half precision off by at most %.3f of what rounding allows", values, worst)
}

// Every golden's logits can be read, and every golden's state dict generated.
func TestGoldens(t *testing.T) {
	dir := goldens
	paths, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no goldens in %s: %v", dir, err)
	}
	for _, path := range paths {
		f, err := Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		logits, ok := f.Lookup("logits")
		if !ok || len(logits.Shape) != 2 || logits.Shape[0] != 2 {
			t.Errorf("%s: logits %v", f.Name(), logits)
		}
		params := stateDictOf(t, strings.TrimSuffix(f.Name(), ".safetensors"))
		src := Generator{Seed: 1}.Source(params)
		var first [1]float32
		for _, p := range params {
			if err := src.Read(p.Name, p.Elems()-1, first[:]); err != nil || math.IsNaN(float64(first[0])) {
				t.Errorf("%s: %s: %v, %v", f.Name(), p.Name, first, err)
			}
		}
		f.Close()
	}
	t.Logf("%d goldens", len(paths))
}

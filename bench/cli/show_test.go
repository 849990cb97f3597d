package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/outline"
	"zoobench/zoo/weights"
)

// invokeOn runs a command line over all of the zoo, where few networks do not do.
func invokeOn(list *zoo.List, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = Main(list, args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

func TestDiff(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
	}{
		{"diff_squeeze_excite", []string{"resnet50", "seresnet50"}},
		{"diff_preactivation", []string{"resnet50", "resnetv2_50"}},
		{"diff_epsilon", []string{"mobilenetv3_large_100", "tv_mobilenet_v3_large"}},
		{"diff_padding", []string{"efficientnet_b0", "tf_efficientnet_b0"}},
		{"diff_input", []string{"inception_v3", "tv_inception_v3"}},
		{"diff_sizes", []string{"tf_efficientnetv2_s", "tv_efficientnet_v2_s"}},
		{"diff_depth", []string{"vgg16", "vgg19_bn"}},
		{"diff_transformers", []string{"swin_tiny_patch4_window7_224", "swin_base_patch4_window7_224"}},
		{"diff_json", []string{"mobilenetv3_small_100", "tv_mobilenet_v3_small", "--format", "json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invokeOn(zoo.Default(), append([]string{"show", "--diff"}, test.args...)...)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			golden(t, test.name, stdout, stderr)
		})
	}
}

// TestDiffOfVariants holds the table to a hundred columns and its texts to the two libraries' variants: each differs
// from its namesake in something that the table says.
func TestDiffOfVariants(t *testing.T) {
	list := zoo.Default()
	for _, s := range list.All() {
		code, stdout, stderr := invokeOn(list, "show", "--diff", "mobilenetv3_small_050", s.Name)
		if s.Name == "mobilenetv3_small_050" {
			continue
		}
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", s.Name, code, stderr)
		}
		if strings.Contains(stdout, "are the same\n") {
			t.Errorf("%s: the same as mobilenetv3_small_050:\n%s", s.Name, stdout)
		}
		for line := range strings.Lines(stdout) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 {
				t.Errorf("%s: a line of %d columns, want 100 at most: %s", s.Name, n, line)
			}
		}
	}
}

// TestDiffOfEqualLayers holds the table to a word where nothing differs, and to none where a detail does.
func TestDiffOfEqualLayers(t *testing.T) {
	const word = "their connections are the same\n"
	layer := outline.Row{Kind: outline.LayerRow, Name: "8×8", A: "relu", B: "relu", Same: true, Count: 1}
	detail := outline.Row{Kind: outline.DetailRow, Name: "connections", A: "its own", B: "its own", Count: 4}
	for _, test := range []struct {
		rows []outline.Row
		want bool
	}{{[]outline.Row{layer}, true}, {[]outline.Row{layer, detail}, false}} {
		var text strings.Builder
		if err := writeDiff(&text, [2]string{"one", "two"}, test.rows); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(text.String(), word); got != test.want {
			t.Errorf("%q in the text of %+v: %v, want %v:\n%s", word, test.rows, got, test.want, text.String())
		}
	}
}

func TestTimes(t *testing.T) {
	args := []string{"show", "resnet18", "--time", "--img-size", "64", "--batch", "2", "--threads", "2", "--no-tune"}
	code, stdout, stderr := invoke(t, append(args, "--format", "json", "--sort", "time")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	s, err := zoo.Find("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Graph(64, 0)
	if err != nil {
		t.Fatal(err)
	}
	var macs, before int64
	for line := range strings.Lines(stdout) {
		var row runner.LayerTime
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Time <= 0 || row.Roofline <= 0 || row.Bytes <= 0 || row.Algorithm == "" || (row.MACs > 0) != (row.GFLOPS > 0) {
			t.Errorf("a figure is missing: %+v", row)
		}
		if before != 0 && row.Time > before {
			t.Errorf("%s: %d ns after %d ns, want the longest first", row.Name, row.Time, before)
		}
		before, macs = row.Time, macs+row.MACs
		if row.Name == "fc" { // 512×1000 weights, 1000 biases, and of two images 512 channels in and 1000 out
			if want := int64(4 * (513*1000 + 2*(512+1000))); row.Bytes != want {
				t.Errorf("fc: %d bytes moved, want %d", row.Bytes, want)
			}
		}
	}
	if macs != g.MACs() {
		t.Errorf("rows add up to %d MACs, want %d", macs, g.MACs())
	}
	_, stdout, _ = invoke(t, args...)
	for _, want := range []string{"roofline", "resnet18 at 64×64, batch 2, 2 threads", "peak ", "memory read "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
}

// TestPrecisionOfLayers finds int8 layers among a network's rows, which move a quarter of float32's bytes.
func TestPrecisionOfLayers(t *testing.T) {
	classifier := func(precision string, args ...string) (row runner.LayerTime) {
		t.Helper()
		args = append([]string{"show", "resnet18", "--img-size", "64", "--format", "json", "--no-tune", "--precision", precision}, args...)
		code, stdout, stderr := invoke(t, args...)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &row); err != nil {
			t.Fatal(err)
		}
		return row
	}
	if row := classifier("int8"); row.Precision != "int8" || !strings.HasPrefix(row.Algorithm, "gemm8") {
		t.Errorf("int8: %+v, want a classifier in bytes", row)
	}
	if row := classifier("float32"); row.Precision != "" {
		t.Errorf("float32: %+v, want no precision", row)
	}
	full, bytes := classifier("float32", "--time"), classifier("int8", "--time")
	if bytes.Precision != "int8" || bytes.Bytes != full.Bytes/4 {
		t.Errorf("int8: %d bytes moved, want a quarter of %d", bytes.Bytes, full.Bytes)
	}
}

// TestWinogradIsStated holds show to a word about Winograd's error where a layer uses it, and to none where none does.
func TestWinogradIsStated(t *testing.T) {
	note := "Winograd's sums (1 layers) have rounding errors of at most 3e-05 of a layer's largest output, direct sums of 2e-06."
	layers := []engine.Layer{{Kind: engine.KindConv, Error: 2e-6}, {Kind: engine.KindWinograd, Error: 3e-5}}
	if got := winogradNote(layers); !strings.Contains(got, note) {
		t.Errorf("got %q, want %q in it", got, note)
	}
	if got := winogradNote([]engine.Layer{{Kind: engine.KindConv}}); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
	_, stdout, _ := invoke(t, "show", "resnet18", "--no-tune")
	if !strings.Contains(stdout, "Winograd's sums (") || !strings.Contains(stdout, "winograd4x3") {
		t.Errorf("no word about Winograd:\n%s", stdout)
	}
}

// TestPlanIsShown holds show to a word about how its algorithms were chosen.
func TestPlanIsShown(t *testing.T) {
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"table", []string{"--no-tune"}, ": 8 layers have a choice of algorithms; it was made by the table of measured preferences\n"},
		{"trials", nil, ": 8 layers have a choice of algorithms; it was made by trials of 4 shapes, 0 of them in earlier runs ("},
		{"remembered", nil, ": 8 layers have a choice of algorithms; it was made by trials of 4 shapes, 4 of them in earlier runs ("},
	} {
		code, stdout, stderr := invoke(t, append([]string{"show", "squeezenet1_1", "--img-size", "64"}, test.args...)...)
		if code != 0 || !strings.Contains(stdout, test.want) {
			t.Errorf("%s: exit code %d, %s, no %q in:\n%s", test.name, code, stderr, test.want, stdout)
		}
	}
}

// TestClassesOfCheckpointAndImages names both counts where a checkpoint's classes are not the images'.
func TestClassesOfCheckpointAndImages(t *testing.T) {
	s, err := zoo.Find("squeezenet1_1")
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Graph(0, 7)
	if err != nil {
		t.Fatal(err)
	}
	var named []weights.Named
	for _, p := range g.Params {
		named = append(named, weights.Named{Name: p.Name, Shape: p.Shape, Data: make([]float32, p.Elems())})
	}
	dir := t.TempDir()
	file, images := filepath.Join(dir, "seven.safetensors"), filepath.Join(dir, "images")
	if err := weights.WriteFile(file, named, nil); err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"cats", "dogs"} {
		if err := os.MkdirAll(filepath.Join(images, class), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"folders", []string{"eval", "squeezenet1_1", "--weights", file, "--data", images}, []string{"2 class folders", "each of the 7 classes"}},
		{"asked for", []string{"eval", "squeezenet1_1", "--weights", file, "--data", images, "--num-classes", "5"},
			[]string{"seven.safetensors: the file has 7 classes, want 5"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, _, stderr := invoke(t, test.args...)
			for _, want := range test.want {
				if code != 1 || !strings.Contains(stderr, want) {
					t.Errorf("exit code %d, %q; want 1 and %q", code, stderr, want)
				}
			}
		})
	}
}

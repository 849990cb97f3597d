package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/weights"
)

// hues makes a folder of images, each class of another colour, and returns it.
func hues(t *testing.T, classes map[string]color.RGBA, n int) string {
	t.Helper()
	root := t.TempDir()
	for name, base := range classes {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			m := image.NewRGBA(image.Rect(0, 0, 32, 32))
			for p := range 32 * 32 {
				x, y := p%32, p/32
				c := base
				if (x/(4+i)+y/(3+i))%2 == 0 {
					c = color.RGBA{base.R / 2, base.G / 2, base.B / 2, 255}
				}
				m.SetRGBA(x, y, c)
			}
			f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.png", i)))
			if err != nil {
				t.Fatal(err)
			}
			if err := png.Encode(f, m); err != nil {
				t.Fatal(err)
			}
			f.Close()
		}
	}
	return root
}

// generatedCheckpoint puts a checkpoint of squeezenet1_1 with generated weights into a cache folder.
func generatedCheckpoint(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("ZOOBENCH_CACHE", dir)
	spec, err := few().Find("squeezenet1_1")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(g.Params)
	var tensors []weights.Named
	for _, p := range g.Params {
		v, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, weights.Named{Name: p.Name, Shape: p.Shape, Data: v})
	}
	if err := os.Mkdir(filepath.Join(dir, "weights"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := weights.WriteFile(filepath.Join(dir, "weights", "squeezenet1_1.made.safetensors"), tensors, nil); err != nil {
		t.Fatal(err)
	}
}

// TestChoose chooses, uses the saved head and asks what if.
func TestChoose(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"blue": {20, 40, 230, 255}, "green": {30, 220, 40, 255}, "red": {230, 30, 20, 255}}, 5)
	dir := t.TempDir()
	out, save := filepath.Join(dir, "out"), filepath.Join(dir, "heads")
	args := []string{"choose", "--data", data, "--min-duration", "20ms", "--out", out, "--save", save, "--networks", "squeezenet1_1"}
	code, stdout, stderr := invoke(t, append(args, "--format", "json")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	contract := []string{"model", "head", "picked", "fits", "tie_group", "accuracy", "accuracy_lo", "accuracy_hi"}
	if names := keys(t, lines[0]); len(lines) != 2 || !slices.Equal(names[:len(contract)], contract) {
		t.Errorf("%d lines, want 2; names %v, want them to begin with %v", len(lines), names, contract)
	}
	for _, line := range lines {
		var row chooseRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		measured := row.Latency > 0 && row.Memory > 0 && row.Load > 0
		if row.Model != "squeezenet1_1.made" || row.Accuracy != 1 || !measured || row.Picked != (row.Head == "linear probe") {
			t.Errorf("row %+v", row)
		}
	}
	absent := "are not on this machine and were not tested. To add some, fetch them and repeat the command: zoobench pull "
	if !strings.Contains(stderr, absent) || !strings.Contains(stderr, "15 images of 3 classes") {
		t.Errorf("told: %s", stderr)
	}
	for _, name := range []string{"report.md", "report.html", "choice.json", "answers.safetensors"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}

	_, stdout, _ = invoke(t, append(args, "--price", "0.04/h", "--format", "json")...)
	var priced chooseRow
	first, _, _ := strings.Cut(stdout, "\n")
	if err := json.Unmarshal([]byte(first), &priced); err != nil || !(priced.Cost > 0 && priced.Cost < 100) {
		t.Errorf("with a price: %+v, error %v", priced, err)
	}
	code, stdout, stderr = invoke(t, args...)
	if code != 0 || !strings.Contains(stdout, "→ squeezenet1_1.made linear probe") ||
		!strings.Contains(stdout, "It is the only row that fits the limits and can be picked.") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}

	head := filepath.Join(save, "squeezenet1_1.made.head.safetensors")
	for _, want := range []string{
		"linear probe: a head that learned", "squeezenet1_1.made by class, the worst first:",
		"hint: Classes with fewer than 20 different images: 3 of 3.",
		"zoobench predict squeezenet1_1 --weights made --head " + head + " IMAGE...", "zoobench whatif " + out,
		"run " + strings.TrimSuffix(head, ".head.safetensors") + ".onnx with ONNX Runtime",
		"zoobench export squeezenet1_1 --weights made --head " + head + " --with-preprocessing",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
	predict := []string{"predict", "squeezenet1_1", "--weights", "made", "--head", head}
	for _, class := range []string{"blue", "green", "red"} {
		code, stdout, stderr := invoke(t, append(predict, filepath.Join(data, class, "2.png"), "--format", "json")...)
		var row predictRow
		err := json.Unmarshal([]byte(strings.SplitN(stdout, "\n", 2)[0]), &row)
		if err != nil || code != 0 || row.Name != class || row.Rank != 1 {
			t.Errorf("%s: exit code %d, %+v: %v %s", class, code, row, err, stderr)
		}
	}
	code, _, stderr = invoke(t, append(predict, filepath.Join(data, "red", "2.png"), "--crop-pct", "0.5")...)
	if code != 1 || !strings.Contains(stderr, "another preprocessing") {
		t.Errorf("another preprocessing: exit code %d, %q", code, stderr)
	}

	// The same head, found in its folder, as a file of its own.
	file := filepath.Join(dir, "own.onnx")
	code, stdout, stderr = invoke(t, "export", "squeezenet1_1", "--weights", "made", "--head", save, "--with-preprocessing", "--out", file)
	if code != 0 || !strings.Contains(stdout, "and a head of 3 classes, opset 18") {
		t.Errorf("export: exit code %d: %s%s", code, stdout, stderr)
	}
	for _, name := range []string{file, filepath.Join(save, "squeezenet1_1.made.onnx")} {
		if b, err := os.ReadFile(name); err != nil || !bytes.Contains(b, []byte(`["blue","green","red"]`)) {
			t.Errorf("%s: %d bytes without the names of the classes, %v", name, len(b), err)
		}
	}

	code, stdout, stderr = invoke(t, "whatif", out, "--merge", "warm=red,green", "--format", "json")
	if code != 0 || !strings.Contains(stdout, `"kind":"network"`) || !strings.Contains(stdout, `"accuracy":{"value":1,`) {
		t.Errorf("whatif: exit code %d:\n%s%s", code, stdout, stderr)
	}

	// A limit that nothing keeps, but nearly: figures and reasons, and an exit code.
	code, stdout, stderr = invoke(t, append(args, "--max-params", "1M")...)
	if code != 2 || !strings.Contains(stdout, "over") || !strings.Contains(stderr, "no network in the cache folder fits the limits") {
		t.Errorf("exit code %d, want 2:\n%s%s", code, stdout, stderr)
	}
}

// TestChooseUsage holds wrong usage and input to exit code 1 and a line that says what is wrong.
func TestChooseUsage(t *testing.T) {
	one := hues(t, map[string]color.RGBA{"red": {200, 0, 0, 255}}, 2)
	two := hues(t, map[string]color.RGBA{"red": {200, 0, 0, 255}, "blue": {0, 0, 200, 255}}, 1)
	fine := hues(t, map[string]color.RGBA{"red": {200, 0, 0, 255}, "blue": {0, 0, 200, 255}}, 3)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no data", []string{"choose"}, "no images: name their folder with --data"},
		{"single class", []string{"choose", "--data", one}, "only one class, red"},
		{"single image", []string{"choose", "--data", two}, "only one image of class blue, red"},
		{"no checkpoint", []string{"choose", "--data", fine}, "no checkpoint to choose from"},
		{"percentile", []string{"choose", "--data", fine, "--percentile", "p42"}, `--percentile: have "p42", want p50, p90, p95 or p99`},
		{"params", []string{"choose", "--data", fine, "--max-params", "some"}, `--max-params: have "some", want a number above 0, as 10M`},
		{"memory", []string{"choose", "--data", fine, "--max-memory", "200"}, "--max-memory: "},
		{"metric", []string{"choose", "--data", fine, "--metric", "luck"}, `metric "luck"`},
		{"whatif", []string{"whatif", fine}, "answers.safetensors"},
		{"merge", []string{"whatif", fine, "--merge", "x"}, "answers.safetensors"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, test.args...)
			if code != 1 || !strings.Contains(stderr, test.want) || stdout != "" {
				t.Errorf("exit code %d, %q, %q; want 1 and %q", code, stdout, stderr, test.want)
			}
		})
	}
}

func TestParseCount(t *testing.T) {
	for text, want := range map[string]int64{
		"10M": 10_000_000, "1.5G": 1_500_000_000, "300k": 300_000, "42": 42, "0": 0, "-1M": 0, "M": 0, "NaN": 0, "1e30G": 0,
	} {
		if got, err := parseCount(text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
	}
}

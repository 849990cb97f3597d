package cli

import (
	"encoding/json"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ortScript runs a file with ONNX Runtime on the bytes of an image: node script RUNTIME FILE BYTES HEIGHT WIDTH.
const ortScript = `const [runtime, file, bytes, h, w] = process.argv.slice(2), ort = require(runtime), fs = require('fs');
(async () => {
  const session = await ort.InferenceSession.create(file);
  const image = new ort.Tensor('uint8', new Uint8Array(fs.readFileSync(bytes)), [1, +h, +w, 3]);
  console.log(JSON.stringify(Array.from((await session.run({ image })).logits.data)));
})();`

// TestDeploy goes the README's way from a folder of images to another program: the file of the pick, its head and its
// preprocessing gives the class that predict gives, by zoobench and, where it is installed, by ONNX Runtime.
func TestDeploy(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"blue": {20, 40, 230, 255}, "green": {30, 220, 40, 255}, "red": {230, 30, 20, 255}}, 5)
	images, err := filepath.Glob(filepath.Join(data, "*", "1.png"))
	if err != nil || len(images) != 3 {
		t.Fatal(images, err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	must := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := invoke(t, args...)
		if code != exitOK {
			t.Fatalf("%v: exit %d: %s", args, code, stderr)
		}
		return stdout
	}
	must("choose", "--data", data, "--min-duration", "20ms", "--out", "out", "--save", "heads", "--networks", "squeezenet1_1")
	must("export", "squeezenet1_1.made", "--head", "heads", "--with-preprocessing", "--out", "hues.onnx")

	type answer struct {
		Rank  int
		Name  string  `json:"name"`
		Share float64 `json:"probability"`
	}
	best := func(network ...string) (all []answer) {
		t.Helper()
		args := append(append([]string{"predict"}, network...), append(slices.Clone(images), "--format", "json")...)
		for line := range strings.Lines(must(args...)) {
			var a answer
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				t.Fatal(err)
			}
			if a.Rank == 1 {
				all = append(all, a)
			}
		}
		return all
	}
	want := best("squeezenet1_1.made", "--head", "heads")
	compare := func(by string, i int, name string, share, off float64) {
		t.Helper()
		if name != want[i].Name || !(math.Abs(share-want[i].Share) <= off) {
			t.Errorf("%s: %s is %s with %v, want %s with %v", by, images[i], name, share, want[i].Name, want[i].Share)
		}
	}
	for _, file := range []string{filepath.Join("heads", "squeezenet1_1.made.onnx"), "hues.onnx"} {
		for i, a := range best(file) {
			compare(file, i, a.Name, a.Share, 1e-6)
		}
	}

	other := newOtherProgram(t)
	classes := []string{"blue", "green", "red"}
	for i, path := range images {
		class, share := other.answer(t, "hues.onnx", path, len(classes))
		compare("ONNX Runtime", i, classes[class], share, 1e-3)
	}
}

// TestDeployInt8 gives a network in int8 to another program: the class is predict's, and its probability nearly so.
func TestDeployInt8(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"blue": {20, 40, 230, 255}, "green": {30, 220, 40, 255}, "red": {230, 30, 20, 255}}, 3)
	images, err := filepath.Glob(filepath.Join(data, "*", "1.png"))
	if err != nil || len(images) != 3 {
		t.Fatal(images, err)
	}
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"export", "squeezenet1_1.made", "--precision", "int8", "--calibration", data, "--with-preprocessing", "--out", "int8.onnx"},
		{"export", "int8.onnx", "--precision", "int8", "--out", "again.onnx"},
	} {
		code, stdout, stderr := invoke(t, args...)
		if code != exitOK || !strings.Contains(stdout, "in int8 (") {
			t.Fatalf("%v: exit %d: %s%s", args, code, stdout, stderr)
		}
	}
	var want []predictRow
	for _, file := range []string{"int8.onnx", "again.onnx"} {
		code, stdout, stderr := invoke(t, append([]string{"predict", file, "--precision", "int8", "--format", "json"}, images...)...)
		if code != exitOK {
			t.Fatal(stderr)
		}
		var best []predictRow
		for line := range strings.Lines(stdout) {
			var row predictRow
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			if row.Model = ""; row.Rank == 1 {
				best = append(best, row)
			}
		}
		if want == nil {
			want = best
		}
		if !slices.Equal(best, want) || len(best) != len(images) {
			t.Errorf("%s: %v, want %v", file, best, want)
		}
	}
	other := newOtherProgram(t)
	for i, path := range images {
		class, share := other.answer(t, "int8.onnx", path, 1000)
		if class != want[i].Class || !(math.Abs(share-want[i].Probability) <= 0.02) {
			t.Errorf("%s: class %d with %v, want %d with %v", path, class, share, want[i].Class, want[i].Probability)
		}
	}
}

// An otherProgram runs files with ONNX Runtime.
type otherProgram struct{ script, runtime string }

func newOtherProgram(t *testing.T) otherProgram {
	t.Helper()
	o := otherProgram{filepath.Join(t.TempDir(), "run.js"), onnxRuntime(t)}
	if err := os.WriteFile(o.script, []byte(ortScript), 0o666); err != nil {
		t.Fatal(err)
	}
	return o
}

// answer is the best of so many classes for an image, and its probability.
func (o otherProgram) answer(t *testing.T, file, image string, classes int) (best int, share float64) {
	t.Helper()
	height, width := rawImage(t, image, "image.bin")
	out, err := exec.Command("node", o.script, o.runtime, file, "image.bin", strconv.Itoa(height), strconv.Itoa(width)).Output()
	var logits []float64
	if err == nil {
		err = json.Unmarshal(out, &logits)
	}
	if err != nil || len(logits) != classes {
		t.Fatalf("%s: %v", out, err)
	}
	sum := 0.0
	for k, v := range logits {
		if v > logits[best] {
			best = k
		}
		sum += math.Exp(v)
	}
	return best, math.Exp(logits[best]) / sum
}

// onnxRuntime is the folder of npm's onnxruntime-node. Where Node or the package is missing the test is skipped, or fails if
// REQUIRE_ONNXRUNTIME is 1.
func onnxRuntime(t *testing.T) string {
	t.Helper()
	peers, home := os.Getenv("PEERS"), ""
	_, err := exec.LookPath("node")
	if err == nil && peers == "" {
		home, err = os.UserHomeDir()
		peers = filepath.Join(home, ".cache", "zoobench-peers")
	}
	dir := filepath.Join(peers, "node_modules", "onnxruntime-node")
	if err == nil {
		_, err = os.Stat(dir)
	}
	switch {
	case err != nil && os.Getenv("REQUIRE_ONNXRUNTIME") == "1":
		t.Fatalf("no ONNX Runtime, and REQUIRE_ONNXRUNTIME=1: %v", err)
	case err != nil:
		t.Skipf("no ONNX Runtime: %v", err)
	}
	return dir
}

// rawImage writes the bytes of an image, red first.
func rawImage(t *testing.T, path, to string) (height, width int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	b := m.Bounds()
	var raw []byte
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.RGBAModel.Convert(m.At(x, y)).(color.RGBA)
			raw = append(raw, c.R, c.G, c.B)
		}
	}
	if err := os.WriteFile(to, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	return b.Dy(), b.Dx()
}

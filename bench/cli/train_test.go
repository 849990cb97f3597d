package cli

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// colourFolder is a folder of two classes of n images of one colour each.
func colourFolder(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for name, c := range map[string]color.RGBA{"red": {200, 0, 0, 255}, "blue": {0, 0, 200, 255}} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			m := image.NewRGBA(image.Rect(0, 0, 40, 40))
			for p := range 40 * 40 {
				m.SetRGBA(p%40, p/40, color.RGBA{c.R, byte(10 * i), c.B, 255})
			}
			f, err := os.Create(filepath.Join(dir, name, fmt.Sprintf("%d.png", i)))
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
	}
	return dir
}

// TestTrain trains from scratch; predict names the classes.
func TestTrain(t *testing.T) {
	dir, out := colourFolder(t, 8), filepath.Join(t.TempDir(), "colours.safetensors")
	recipe := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(recipe, []byte("train: {optimizer: adamw, learning_rate: 0.001}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"train", "squeezenet1_1", "--data", dir, "--img-size", "32",
		"--epochs", "2", "--batch", "4", "--recipe", recipe, "--out", out}
	code, stdout, stderr := invoke(t, append(args, "--format", "json")...)
	if code != 0 || !strings.Contains(stderr, "epoch 2 of 2: loss ") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var row trainRow
	if err := json.Unmarshal([]byte(stdout), &row); err != nil {
		t.Fatal(err)
	}
	if row.Model != "squeezenet1_1" || row.Classes != 2 || row.Images != 12 || row.HeldOut != 4 || len(row.Curve) != 2 || row.File != out {
		t.Errorf("row %+v", row)
	}
	code, stdout, stderr = invoke(t, "predict", "squeezenet1_1", "--weights", out, filepath.Join(dir, "red", "0.png"))
	if code != 0 || !strings.Contains(stdout, "red") || !strings.Contains(stdout, "blue") {
		t.Errorf("predict: exit code %d, %s%s", code, stdout, stderr)
	}
}

// TestTrainFetched finds a set that was fetched in the cache folder: of one that is damaged, it says how.
func TestTrainFetched(t *testing.T) {
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	dir := filepath.Join(os.Getenv("ZOOBENCH_CACHE"), "sets", "cifar-10-batches-bin")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"batches.meta.txt": "airplane\nautomobile\n", "test_batch.bin": ""} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	code, _, stderr := invoke(t, "train", "squeezenet1_1", "--data", "cifar10")
	if code != exitUsage || !strings.Contains(stderr, "2 names of classes, want 10") {
		t.Errorf("exit code %d and %q, want %d and the number of names", code, stderr, exitUsage)
	}
}

func TestTrainErrors(t *testing.T) {
	dir := colourFolder(t, 2)
	recipe := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(recipe, []byte("train: {momentun: 0.9}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want string
	}{
		{"", "no images: name their folder with --data"},
		{"--data none", "none"},
		{"--data DIR --epochs 0", "want at least 1"},
		{"--data DIR --epochs 2 --time 3m", "--epochs and --time: want one of them"},
		{"--data DIR --time -3m", "want more than 0"},
		{"--data DIR --weights none", "none"},
		{"--data DIR --held-out 0", "held-out share 0, want more than 0"},
		{"--data DIR --img-size 8", "squeezenet1_1"},
		{"--data DIR --recipe " + recipe, `unknown key "momentun", nearest is "momentum"`},
	} {
		args := strings.Fields("train squeezenet1_1 " + strings.ReplaceAll(test.args, "DIR", dir))
		if code, _, stderr := invoke(t, args...); code != exitUsage || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: exit code %d and %q, want %d and %q", test.args, code, stderr, exitUsage, test.want)
		}
	}
}

package cli

import (
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSampleViews(t *testing.T) {
	// Images of even classes are right, the first of each odd class too; the 99th cannot be read.
	file := sampleFile(t, "a.jsonl", func(i int) int { return rankIf(i%2 == 0 || i < 10, 1+i%2*4) })
	code, stdout, stderr := invoke(t, "samples", "classes", file, "--format", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	worst := `{"class":1,"name":"class 1","n_images":10,"top1":0,"top1_lo":0,`
	if strings.Count(stdout, "\n") != 10 || !strings.HasPrefix(stdout, worst) {
		t.Errorf("classes: got %s, want ten that begin with %s", stdout, worst)
	}

	_, stdout, _ = invoke(t, "samples", "confusions", file, "--limit", "2", "--format", "csv")
	if want := "label,label_name,taken_for,taken_for_name,n_images,share,example\n1,class 1,2,class 2,10,100,01.png\n" +
		"3,class 3,4,class 4,10,100,03.png\n"; stdout != want {
		t.Errorf("confusions: got %q, want %q", stdout, want)
	}

	plot := filepath.Join(t.TempDir(), "r.svg")
	code, stdout, stderr = invoke(t, "samples", "calibration", file, "--plot", plot, "--format", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	images, ece := 0, 0.0
	for line := range strings.Lines(stdout) {
		var row calibrationRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		images += row.Images
		if row.Images > 0 {
			ece += math.Abs(row.Accuracy-row.Confidence) * float64(row.Images) / 99
		}
		if line == "" || row.ECE <= 0 || row.ECELo <= 0 || row.ECEMean <= row.ECELo || row.ECEHi <= row.ECEMean || row.PerfectHi < row.PerfectLo {
			t.Errorf("bin: %+v", row)
		}
	}
	if images != 99 || ece < 0.05 {
		t.Errorf("calibration: %d images, error %v; want 99", images, ece)
	}
	if _, stdout, _ = invoke(t, "samples", "calibration", file); !strings.HasSuffix(stdout, "\nchance does not explain the error\n") {
		t.Errorf("half right where all is sure:\n%s", stdout)
	}
	text, err := os.ReadFile(plot)
	if err != nil || !strings.Contains(string(text), "expected calibration error") || !strings.HasPrefix(string(text), "<svg") {
		t.Errorf("plot: error %v: %.200s", err, text)
	}
}

func TestSampleGallery(t *testing.T) {
	one := sampleFile(t, "one.jsonl", func(i int) int { return rankIf(i < 50, 1) })
	two := sampleFile(t, "two.jsonl", func(i int) int { return rankIf(i >= 2 && i < 50, 1) })
	code, stdout, stderr := invoke(t, "samples", "gallery", one, two, "--format", "json")
	if code != 0 || strings.Count(stdout, "\n") != 2 || !strings.Contains(stdout, `"file":"00.png","labels":[0],"a":0,"b":1`) {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	dir := t.TempDir()
	var labels strings.Builder
	for _, name := range []string{"00.png", "01.png"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		labels.WriteString(name + " 0\n")
	}
	list := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(list, []byte(labels.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "gallery.html")
	if code, _, stderr := invoke(t, "samples", "gallery", one, two, "--data", dir, "--labels", list, "--out", page); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	text, err := os.ReadFile(page)
	if err != nil || strings.Count(string(text), `src="data:image/png;base64,`) != 2 ||
		!strings.Contains(string(text), "✓ one: class 0") || !strings.Contains(string(text), "✗ two: class 1") {
		t.Errorf("page: error %v:\n%s", err, text)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"samples"}, "have no command, want calibration, classes, confusions, gallery"},
		{[]string{"samples", "gallery", one, two, "--out", page}, "--data and --out: want both or none"},
		{[]string{"samples", "classes", page + "x"}, "no such file"},
	} {
		if code, _, stderr := invoke(t, test.args...); code != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %q; want 1 and %q", test.args, code, stderr, test.want)
		}
	}
}

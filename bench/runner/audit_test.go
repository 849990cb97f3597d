package runner

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/datasets/decode"
	"zoobench/datasets/preprocess"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// TestAudit holds the published way against Accuracy, and mistakes' counts against each other.
func TestAudit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "w.safetensors")
	writeWeights(t, file, 2)
	task := Task{Job: experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: images(t)}}, Weights: file}
	last := 0
	r, err := Audit(t.Context(), misbehaving(), task, func(done, total int) { last = done })
	if err != nil {
		t.Fatal(err)
	}
	want, err := Accuracy(t.Context(), misbehaving(), task, Watch{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Images != want.Images || r.Unreadable != want.Unreadable || r.Rows[0].Top1 != want.Top1Images ||
		r.Rows[0].Top5 != want.Top5Images || last != 3 {
		t.Errorf("got %+v after %d images, want %d images, %d unreadable, %d and %d right", r, last, want.Images, want.Unreadable,
			want.Top1Images, want.Top5Images)
	}
	for _, row := range r.Rows[1:] {
		if row.Top1-r.Rows[0].Top1 != row.OnlyHere-row.OnlyRef {
			t.Errorf("%s: %+v does not add up", row.Name, row)
		}
	}
}

// TestAuditTests holds p-values to Holm's correction by hand: the published way takes no part.
func TestAuditTests(t *testing.T) {
	r := AuditResult{Images: 1000, Rows: []AuditRow{
		{Name: "as published"}, {Name: "crop", OnlyHere: 10, OnlyRef: 24}, {Name: "chroma", OnlyHere: 3, OnlyRef: 3},
		{Name: "range", OnlyRef: 500},
	}}
	r.test()
	// McNemar's: 0.024, 1 and 0; Holm's: two tests are left for the second.
	want := [][2]float64{{1, 1}, {0.0243, 0.0486}, {1, 1}, {0, 0}}
	for i, row := range r.Rows {
		if math.Abs(row.P-want[i][0]) > 1e-4 || math.Abs(row.PHolm-want[i][1]) > 1e-4 {
			t.Errorf("%s: p %.4f, corrected %.4f, want %v", row.Name, row.P, row.PHolm, want[i])
		}
	}
}

func TestWays(t *testing.T) {
	r, err := preprocess.Recipe{Size: 224, Interpolation: preprocess.Bicubic, CropPct: 0.875}.Full()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, w := range ways(r) {
		names = append(names, w.name+" "+w.detail)
		if w.name == "crop" && w.recipe.Resize == r.Resize {
			t.Errorf("%s, %s: changes nothing", w.name, w.detail)
		}
	}
	for _, want := range []string{"interpolation bilinear instead of bicubic", "crop resize 224 instead of 256",
		"mean and deviation 0.5 and 0.5", "channel order blue, green, red", "range 0 to 255 instead of 0 to 1",
		"load_img resized to the input's size directly, by the nearest pixels, as Keras's load_img does"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %q in %q", want, names)
		}
	}
	bytes := r
	bytes.BGR, bytes.Std = true, [3]float64{1. / 255, 1. / 255, 1. / 255}
	for _, want := range []string{"channel order red, green, blue", "range 0 to 1 instead of 0 to 255"} {
		if !slices.ContainsFunc(ways(bytes), func(w way) bool { return w.name+" "+w.detail == want }) {
			t.Errorf("no %q for a network that takes blue first, from 0 to 255", want)
		}
	}
	for _, not := range []string{"interpolation bicubic instead of bicubic", "mean and deviation ImageNet's"} {
		if slices.Contains(names, not) {
			t.Errorf("%q, which is no mistake", not)
		}
	}
}

// TestNearestPixels enlarges, where antialiasing changes nothing for bilinear, and keeps a picture's size.
func TestNearestPixels(t *testing.T) {
	m := &decode.Image{Width: 9, Height: 7, Window: image.Rect(0, 0, 9, 7), Pix: make([]byte, 9*7*3)}
	for i := range m.Pix {
		m.Pix[i] = byte(i * 37)
	}
	for _, r := range []preprocess.Recipe{
		{Size: 14, Resize: 21, Interpolation: preprocess.Bilinear},
		{Size: 7, Resize: 7, Interpolation: preprocess.Bilinear},
		{Size: 7, Resize: 7, Interpolation: preprocess.Bicubic},
	} {
		p, err := preprocess.New(r, preprocess.HWC)
		if err != nil {
			t.Fatal(err)
		}
		got, want := make([]float32, p.Len()), make([]float32, p.Len())
		if err := p.Tensor(m, want); err != nil {
			t.Fatal(err)
		}
		nearestPixels(m, p.Recipe(), got)
		worst := 0.0
		for i := range got {
			worst = max(worst, math.Abs(float64(got[i]-want[i])))
		}
		if worst > 1.1/255/0.224 { // one level, as two passes round twice
			t.Errorf("%+v: off by %.4f, want one level", r, worst)
		}
	}
}

// TestAuditChannels says what red for blue costs a network that takes blue first, as Keras's first ones do: all images but
// the green ones.
func TestAuditChannels(t *testing.T) {
	const each = 12
	dir := t.TempDir()
	for class, name := range []string{"blue", "green", "red"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range each {
			m := image.NewNRGBA(image.Rect(0, 0, 20, 20))
			for p := range m.Pix {
				m.Pix[p] = byte(20 + i)
				if p%4 == 2-class || p%4 == 3 {
					m.Pix[p] = 255
				}
			}
			var b bytes.Buffer
			if err := png.Encode(&b, m); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name, fmt.Sprint(i, ".png")), b.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	recipe := zoo.KerasModes["caffe"]
	list, err := zoo.NewList([]zoo.Spec{{Name: "brightest", Size: 16, Recipe: recipe, Build: func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "w.safetensors")
	err = weights.WriteFile(file, []weights.Named{
		{Name: "fc.weight", Shape: []int{3, 3}, Data: []float32{1, 0, 0, 0, 1, 0, 0, 0, 1}}, // the channel with most light
		{Name: "fc.bias", Shape: []int{3}, Data: []float32{103.939, 116.779, 123.68}},       // as the recipe takes it away
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	task := Task{Weights: file, Job: experiment.Job{Model: "brightest", Accuracy: &experiment.Accuracy{Data: dir}}}
	r, err := Audit(t.Context(), list, task, nil)
	if err != nil {
		t.Fatal(err)
	}
	if top := r.Rows[0].Top1; top != 3*each {
		t.Errorf("%d of %d images right as published", top, 3*each)
	}
	i := slices.IndexFunc(r.Rows, func(r AuditRow) bool { return r.Name == "channel order" })
	row := r.Rows[i]
	if row.Detail != "red, green, blue" || row.Top1 != each || row.OnlyRef != 2*each || row.OnlyHere != 0 || row.PHolm > 1e-4 {
		t.Errorf("%+v, want %d right, and %d more as published", row, each, 2*each)
	}
}

package record

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestSamples(t *testing.T) {
	want := []Sample{
		{File: "a b.jpg", Labels: []int{3}, Top5: []int{3, 1}, Scores: []float32{2.5, -1}, LogSum: 2.625},
		{File: "b.jpg", Labels: []int{1, 7}, Top5: []int{0, 7}, Scores: []float32{1, 0.5}, LogSum: 1.5},
		{File: "c.jpg", Labels: nil, Top5: []int{0}, Scores: []float32{1}, LogSum: math.NaN()},
		{File: "d.jpg", Labels: []int{2}, LogSum: math.NaN(), Error: `jpeg: "cut", at byte 7`},
	}
	ranks := []int{1, 2, 0, 0}
	for _, name := range []string{"s.jsonl", "s.csv"} {
		path := filepath.Join(t.TempDir(), name)
		w, err := NewSampleWriter(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range want {
			if err := w.Write(s); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: has its name before it is whole", name)
		}
		if err := w.Close(nil); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSamples(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if rank := got[i].Rank(); rank != ranks[i] {
				t.Errorf("%s: %s: rank %d, want %d", name, got[i].File, rank, ranks[i])
			}
			if p := got[i].Probability(); i == 0 && math.Abs(p-math.Exp(-0.125)) > 1e-12 || i == 3 && !math.IsNaN(p) {
				t.Errorf("%s: %s: probability %v", name, got[i].File, p)
			}
			if math.IsNaN(got[i].LogSum) && math.IsNaN(want[i].LogSum) {
				got[i].LogSum = 0 // NaN is not equal to itself
			}
			w := want[i]
			if math.IsNaN(w.LogSum) {
				w.LogSum = 0
			}
			if len(got[i].Labels) == 0 && len(w.Labels) == 0 {
				got[i].Labels, w.Labels = nil, nil
			}
			if !reflect.DeepEqual(got[i], w) {
				t.Errorf("%s: got %+v, want %+v", name, got[i], w)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d samples, want %d", name, len(got), len(want))
		}
	}
}

func TestSamplesGivenUp(t *testing.T) {
	dir := t.TempDir()
	w, err := NewSampleWriter(filepath.Join(dir, "s.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(errors.New("interrupted")); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestReadSamplesErrors(t *testing.T) {
	for _, test := range []struct{ name, file, text, want string }{
		{"empty", "s.jsonl", "\n", "no samples"},
		{"records", "s.jsonl", `{"schema":1,"kind":"eval"}`, "line 1: not a line of a per-sample file"},
		{"not JSON", "s.jsonl", "{\"file\":\"a\",\"label\":1,\"top5\":[],\"scores\":[]}\nx", "line 2: "},
		{"label", "s.jsonl", `{"file":"a","label":"cat"}`, "line 1: "},
		{"lengths", "s.jsonl", `{"file":"a","label":1,"top5":[1,2],"scores":[0]}`, "1 scores of 2 classes"},
		{"columns", "s.csv", "file,label\na,1\n", "line 2: 2 columns"},
		{"number", "s.csv", "a,1,x,2\n", `line 1: strconv.Atoi: parsing "x"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), test.file)
			if err := os.WriteFile(path, []byte(test.text), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadSamples(path); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

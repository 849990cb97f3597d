package lessons

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"zoobench/bench/record"
)

func lesson() Lesson {
	return Lesson{
		Network: "n", Recipe: "base", Seed: 3, Data: "shapes", Images: 100, Epochs: 2, Classes: 10,
		Test: Answers{"hash", "1203125"}, Seen: 87.5, Curve: []Point{{2.5, 0.125}, {1.25, 0}},
	}
}

// TestFile reads back what was written.
func TestFile(t *testing.T) {
	bare := lesson()
	bare.Seed, bare.Curve = 4, nil
	all := []Lesson{lesson(), bare}
	var b bytes.Buffer
	if err := Write(&b, all); err != nil {
		t.Fatal(err)
	}
	if have, err := Read(&b); err != nil || !reflect.DeepEqual(have, all) {
		t.Errorf("have %+v, error %v, want %+v", have, err, all)
	}
	if a := all[0].Test; a.Top(1) != 2 || a.Top(5) != 6 {
		t.Errorf("top-1 %d, top-5 %d, want 2 and 6", a.Top(1), a.Top(5))
	}
}

// TestMalformed refuses lessons that are none, written or read.
func TestMalformed(t *testing.T) {
	for name, change := range map[string]func(*Lesson){
		"no network": func(l *Lesson) { l.Network = "" }, "no images": func(l *Lesson) { l.Images = 0 },
		"one class": func(l *Lesson) { l.Classes = 1 }, "no answers": func(l *Lesson) { l.Test.Ranks = "" },
		"rank 6": func(l *Lesson) { l.Test.Ranks = "16" }, "over 100 %": func(l *Lesson) { l.Seen = 100.5 },
		"no hash": func(l *Lesson) { l.Test.Images = "" },
		"NaN":     func(l *Lesson) { l.Curve[1].Loss = math.NaN() }, "negative": func(l *Lesson) { l.Curve[0].Gradient = -1 },
	} {
		l := lesson()
		change(&l)
		if err := Write(&bytes.Buffer{}, []Lesson{l}); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	packed := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(text))
		z.Close()
		return b.Bytes()
	}
	const good = `{"network":"n","recipe":"base","data":"shapes","images":1,"epochs":1,"classes":2,"test":{"images":"h","ranks":"1"}}`
	for name, text := range map[string]string{
		"no JSON": good + "\nx", "unknown key": good + `{"x":1}`, "cut": good[:20], "no network": strings.Replace(good, `"n"`, `""`, 1),
	} {
		if all, err := Read(bytes.NewReader(packed(text))); err == nil || all != nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v, error %v", name, all, err)
		}
	}
	whole := packed(good)
	for _, data := range [][]byte{nil, []byte(good), whole[:len(whole)-6]} {
		if _, err := Read(bytes.NewReader(data)); err == nil {
			t.Errorf("%d bytes are read", len(data))
		}
	}
}

// TestGather makes lessons of what a run trained and evaluated, and of nothing else.
func TestGather(t *testing.T) {
	const file = "checkpoints/n.base-s3.safetensors"
	trained := record.Record{
		Kind: record.KindTrain, RunID: "r", Experiment: "study-scales", Model: "n", WeightsFile: file, Dataset: "shapes",
		Verdict: record.Verdict{Valid: true}, Training: &record.Training{
			Name: "base", Seed: 3, Images: 100, Classes: 10, Epochs: 2, Top1: 87.5, Curve: []record.Epoch{{Loss: 2.5, First: 0.125}, {Loss: 1.25}},
		},
	}
	evaluated := record.Record{
		Kind: record.KindEval, RunID: "r", Experiment: "study-scales", Model: "n", WeightsFile: file, DatasetSHA256: "hash",
		Accuracy: record.NewAccuracy(3, 1, 2, nil), Verdict: record.Verdict{Valid: true},
	}
	samples := func(r *record.Record) ([]record.Sample, error) {
		if r.DatasetSHA256 == "" {
			return nil, errors.New("none")
		}
		return []record.Sample{
			{File: "c", Labels: []int{4}, Top5: []int{5, 4}}, {File: "a", Labels: []int{1}, Top5: []int{1}},
			{File: "b", Labels: []int{2}, Error: "cannot be read"},
		}, nil
	}
	want := lesson()
	want.Test.Ranks = "102"
	for _, test := range []struct {
		name   string
		change func(train, eval *record.Record)
		want   []Lesson
	}{
		{"a lesson", func(_, _ *record.Record) {}, []Lesson{want}},
		{"of no study", func(train, _ *record.Record) { train.Experiment = "mine" }, nil},
		{"of a recipe without a name", func(train, _ *record.Record) { train.Training.Name = "" }, nil},
		{"not evaluated", func(_, eval *record.Record) { eval.WeightsFile = "" }, nil},
		{"in another run", func(_, eval *record.Record) { eval.RunID = "s" }, nil},
		{"on fog", func(_, eval *record.Record) { eval.Asked = &record.Settings{Axes: record.Axes{Corruption: "fog:1"}} }, nil},
		{"without answers", func(_, eval *record.Record) { eval.DatasetSHA256 = "" }, nil},
		{"not to be trusted", func(train, _ *record.Record) { train.Verdict.Valid = false }, nil},
	} {
		a, b, of := trained, evaluated, *trained.Training
		a.Training = &of
		test.change(&a, &b)
		if have := Gather([]record.Record{a, a, b}, samples); !reflect.DeepEqual(have, test.want) {
			t.Errorf("%s: have %+v, want %+v", test.name, have, test.want)
		}
	}
	if have := Gather([]record.Record{trained, evaluated}, nil); have != nil {
		t.Errorf("without per-sample files: have %+v", have)
	}
}

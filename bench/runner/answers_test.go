package runner

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
)

func TestTopAmong(t *testing.T) {
	nan := float32(math.NaN())
	scores := []float32{9, 1, nan, 4, 7, 4}
	for _, test := range []struct {
		name   string
		among  []int
		want   []int
		finite bool
	}{
		{"all", nil, []int{0, 4, 3, 5, 1}, false},
		{"some, ties by lower index", []int{1, 3, 5}, []int{3, 5, 1}, true},
		{"one", []int{1}, []int{1}, true},
		{"a NaN among them", []int{2, 4}, []int{4}, false},
	} {
		got, finite := topAmong(scores, test.among, 5)
		if !slices.Equal(got, test.want) || finite != test.finite {
			t.Errorf("%s: got %v, %t; want %v, %t", test.name, got, finite, test.want, test.finite)
		}
	}
	if got, want := logSum([]float32{100, 1, 2, 100}, []int{1, 2}), math.Log(math.E+math.E*math.E); math.Abs(got-want) > 1e-12 {
		t.Errorf("sum of exponentials: %v, want %v", got, want)
	}
}

// TestAccuracyAmong measures a network of ten classes on images of two of them: what it answers is one of the two.
func TestAccuracyAmong(t *testing.T) {
	dir := images(t)
	file := filepath.Join(t.TempDir(), "tiny.safetensors")
	writeWeights(t, file, 10)
	one := filepath.Join(t.TempDir(), "three.txt")
	if err := os.WriteFile(one, []byte("0\n1\n9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		answers, want string
		classes       []int
		warning       string
	}{
		{"", "2 of 10 classes, SHA-256 568198db", []int{0, 1}, "top-5 says nothing: there are 2 answers"},
		{"all", "", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ""},
		{one, "three.txt, 3 of 10 classes, SHA-256 38f20025", []int{0, 1, 9}, "top-5 says nothing: there are 3 answers"},
	} {
		job := experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: dir, Answers: test.answers}}
		var seen []Sample
		r, err := Accuracy(t.Context(), misbehaving(), Task{Job: job, Weights: file}, Watch{Sample: func(s Sample) error {
			seen = append(seen, s)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if r.Answers != test.want || r.Asked.Answers != test.answers {
			t.Errorf("answers %q: recorded %q, asked %q, want %q", test.answers, r.Answers, r.Asked.Answers, test.want)
		}
		for _, s := range seen {
			for _, class := range s.Top5 {
				if !slices.Contains(test.classes, class) {
					t.Errorf("answers %q: %s is class %d, want one of %v", test.answers, s.File, class, test.classes)
				}
			}
		}
		if got := strings.Join(r.Verdict.Warnings, "; "); !strings.Contains(got, test.warning) {
			t.Errorf("answers %q: warnings %q, want %q", test.answers, got, test.warning)
		}
		again, err := Again(misbehaving(), r, Places{Weights: file})
		if err != nil || again.Job.Accuracy.Answers != map[bool]string{true: "all", false: test.answers}[r.Answers == ""] {
			t.Errorf("answers %q: repeated with %+v, error %v", test.answers, again.Job.Accuracy, err)
		}
	}
}

// Counts of right answers among different classes are not one measurement.
func TestJudgeOtherAnswers(t *testing.T) {
	before := &record.Record{Kind: record.KindEval, Accuracy: record.NewAccuracy(10, 5, 8, nil)}
	now := &record.Record{Kind: record.KindEval, Accuracy: record.NewAccuracy(10, 5, 8, nil), Answers: "imagenet-a, 200 of 1000 classes"}
	if got := Judge(before, now); got.Verdict != Undecided || !strings.Contains(strings.Join(got.Why, "; "), "were among all classes") {
		t.Errorf("got %+v, want no verdict, with the reason", got)
	}
}

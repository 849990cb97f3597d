package choose

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/choose/heads"
)

// four are answers of two networks about four images of three classes, by hand.
func four() *Answers {
	return &Answers{
		Classes: []string{"a", "b", "c"}, Files: []string{"0", "1", "2", "3"}, Labels: []int{0, 1, 2, 2}, Read: []bool{true, true, true, true},
		From: []Answerer{
			{Name: "quick", Head: headProbe, Latency: 10, Batch: 1, probabilities: heads.Matrix{Rows: 4, Cols: 3, Data: []float32{
				.9, .05, .05 /**/, .5, .4, .1 /**/, .1, .3, .6 /**/, .4, .25, .35}}}, // right, wrong, right, wrong
			{Name: "slow", Head: headProbe, Latency: 100, Batch: 1, probabilities: heads.Matrix{Rows: 4, Cols: 3, Data: []float32{
				.3, .4, .3 /**/, .1, .8, .1 /**/, .2, .2, .6 /**/, .1, .1, .8}}}, // wrong, right, right, right
		},
	}
}

func TestWhatIf(t *testing.T) {
	a := four()
	path := filepath.Join(t.TempDir(), AnswersName)
	if err := a.save(path); err != nil {
		t.Fatal(err)
	}
	a, err := LoadAnswers(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	ctx := context.Background()
	alone, err := a.Alone(ctx)
	if err != nil {
		t.Fatal(err)
	}
	check("slow alone", alone[0].Accuracy.Value, 0.75)
	check("quick alone", alone[1].Accuracy.Value, 0.5)

	// Of half the images, quick is least sure of 3 (0.4) and 1 (0.5): slow is asked about these, and all are right.
	curves, err := a.Cascades(ctx)
	if err != nil || len(curves) != 1 || len(curves[0]) != 5 {
		t.Fatalf("%v: %v, want a curve of as many points as images and one", curves, err)
	}
	half := curves[0][2]
	check("cascade's accuracy", half.Accuracy.Value, 1)
	check("cascade's latency", float64(half.Latency), 10+0.5*100)
	check("cascade's threshold", half.Threshold, float64(float32(0.6)))
	check("nobody asked", curves[0][0].Accuracy.Value, 0.5)
	check("all asked", curves[0][4].Accuracy.Value, 0.75)
	check("all asked, latency", float64(curves[0][4].Latency), 110)
	if best, err := a.BestCascades(ctx, 0); err != nil || len(best) != 1 || best[0].Accuracy.Value != 1 {
		t.Errorf("best cascades %+v", best)
	}
	if best, err := a.BestCascades(ctx, 40); err != nil || len(best) != 1 || best[0].Latency > 40 || best[0].Accuracy.Value != 0.75 {
		t.Errorf("best cascade within 40: %+v", best)
	}

	// The mean of both: image 0 is a (.6), 1 is b (.6), 2 is c (.6), 3 is c (.575).
	ensembles, err := a.Ensembles(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	check("ensemble", ensembles[0].Accuracy.Value, 1)
	check("ensemble's latency", float64(ensembles[0].Latency), 110)

	// Without a, quick says b of image 1 (0.4 against 0.1) and c of 2 and 3.
	s, err := a.Subset([]string{"c", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 3 || s.Labels[0] != 1 {
		t.Errorf("subset %+v", s)
	}
	if alone, err = s.Alone(ctx); err != nil {
		t.Fatal(err)
	}
	check("quick on b and c", alone[0].Accuracy.Value, 1)

	// With b and c as one, quick says a of images 0 and, 0.5 against 0.5, 1; bc of 2 and 3.
	m, err := a.Merge("bc", []string{"b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	check("quick's probability of bc", float64(m.From[0].probabilities.Row(3)[1]), float64(float32(.25)+float32(.35)))
	if alone, err = m.Alone(ctx); err != nil {
		t.Fatal(err)
	}
	check("quick on a and bc", alone[1].Accuracy.Value, 0.75)

	for _, test := range []struct {
		name string
		do   func() error
		want string
	}{
		{"unknown", func() error { _, err := a.Subset([]string{"a", "z"}); return err }, `no class "z"; there are a, b, c`},
		{"twice", func() error { _, err := a.Subset([]string{"a", "a"}); return err }, "twice"},
		{"one", func() error { _, err := a.Subset([]string{"a"}); return err }, "want at least 2"},
		{"merge one", func() error { _, err := a.Merge("x", []string{"a"}); return err }, "1 of 3 classes"},
		{"merge all", func() error { _, err := a.Merge("x", []string{"a", "b", "c"}); return err }, "3 of 3 classes"},
		{"merge into another", func() error { _, err := a.Merge("c", []string{"a", "b"}); return err }, `the class "c" exists`},
	} {
		if err := test.do(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// saying is an answerer that gives each image one class with a probability, and another one the rest.
func saying(name string, latency int64, classes int, said []int, sure []float32) Answerer {
	p := heads.NewMatrix(len(said), classes)
	for i, c := range said {
		p.Row(i)[c] = sure[i]
		p.Row(i)[(c+1)%classes] += 1 - sure[i]
	}
	return Answerer{Name: name, Head: headProbe, Latency: latency, Batch: 1, probabilities: p}
}

// TestSubsetOfImpossible asks of classes that a network gives no probability at all: it says none of them, whichever is
// named first.
func TestSubsetOfImpossible(t *testing.T) {
	a := &Answers{
		Classes: []string{"a", "b", "c"}, Files: []string{"0", "1", "2"}, Labels: []int{0, 1, 1},
		Read: []bool{true, true, true}, Group: []int{0, 1, 1},
		From: []Answerer{{Name: "n", Head: headProbe, probabilities: heads.Matrix{Rows: 3, Cols: 3, Data: []float32{
			0, 0, 1 /**/, 0, 1, 0 /**/, 0, 0, 1}}}},
	}
	for _, classes := range [][]string{{"a", "b"}, {"b", "a"}} {
		s, err := a.Subset(classes)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := s.Alone(context.Background())
		if err != nil || math.Abs(alone[0].Accuracy.Value-1.0/3) > 1e-12 {
			t.Errorf("%v: accuracy %+v, want a third: %v", classes, alone[0].Accuracy, err)
		}
		if !slices.Equal(s.Group, []int{0, 1, 1}) {
			t.Errorf("groups %v", s.Group)
		}
	}
}

// TestCascadeOfEquals has a first network that is as sure of six images of ten, wholly so, and an image that cannot be
// read. Every point is a rule on the probability that asks about just the images it counts.
func TestCascadeOfEquals(t *testing.T) {
	sure := []float32{1, 1, 0.6, 1, 0.7, 1, 1, 0.8, 1, 0.9, 0}
	n := len(sure)
	zeros := make([]int, n)
	a := &Answers{Classes: []string{"a", "b"}, Labels: zeros, From: []Answerer{
		saying("quick", 10, 2, []int{1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, sure),
		saying("slow", 100, 2, zeros, []float32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}),
	}}
	for i := range n {
		a.Files, a.Read = append(a.Files, fmt.Sprint(i)), append(a.Read, i < n-1)
	}
	curves, err := a.Cascades(context.Background())
	if err != nil || len(curves) != 1 {
		t.Fatalf("%v: %v", curves, err)
	}
	var seconds []float64
	for _, w := range curves[0] {
		asked, right := 0, 0
		for i, v := range sure[:n-1] {
			says := a.From[0].probabilities
			if float64(v) < w.Threshold {
				says = a.From[1].probabilities
				asked++
			}
			if heads.Largest(says.Row(i)) == 0 {
				right++
			}
		}
		share, accuracy := float64(asked)/10, float64(right)/float64(n)
		if w.Second != share || math.Abs(w.Accuracy.Value-accuracy) > 1e-12 || w.Latency != 10+int64(100*share) {
			t.Errorf("below %g: %+v, the rule asks about %d and has %d of %d right", w.Threshold, w, asked, right, n)
		}
		seconds = append(seconds, w.Second)
	}
	if want := []float64{0, 0.1, 0.2, 0.3, 0.4, 1}; !slices.Equal(seconds, want) {
		t.Errorf("shares asked %v, want %v", seconds, want)
	}
	last := curves[0][len(curves[0])-1]
	if got := curves[0][1].Below() + ", " + last.Below(); got != "0.7, all" {
		t.Errorf("below %s, want 0.7, all", got)
	}
}

// TestPairsAreBounded makes pairs of some of thirty networks: of the quickest, poor as it is, and of the best.
func TestPairsAreBounded(t *testing.T) {
	const n = 40
	a := &Answers{Classes: []string{"a", "b"}, Labels: make([]int, n), Files: make([]string, n), Read: slices.Repeat([]bool{true}, n)}
	for f := range mostPaired + 10 {
		said, sure := make([]int, n), slices.Repeat([]float32{0.9}, n)
		latency := int64(2000)
		switch f {
		case 0:
			latency = 1000
		case mostPaired + 9:
			latency = 1
		}
		for i := range f {
			said[i] = 1
		}
		a.From = append(a.From, saying(fmt.Sprintf("n%02d", f), latency, 2, said, sure))
	}
	vote := a.From[0]
	vote.Name, vote.Head = "vote", headNearest
	a.From = append(a.From, vote)
	ctx, cancel := context.WithCancel(context.Background())
	all, err := a.Ensembles(ctx, 0)
	if err != nil || len(all) != mostPaired*(mostPaired-1)/2 || a.leftOut() != 10 || !strings.Contains(a.Caveat(), "10 are left out") {
		t.Errorf("%d pairs, %d left out: %s: %v", len(all), a.leftOut(), a.Caveat(), err)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(all, func(w WhatIf) bool { return strings.Contains(w.Name, name) })
	}
	if !has("n29") || has("n25") {
		t.Error("want the quickest among the pairs, and not one that is slow and poor")
	}
	few, err := a.Ensembles(ctx, 3)
	if err != nil || !slices.Equal(few, all[:3]) {
		t.Errorf("the first three %+v, want %+v: %v", few, all[:3], err)
	}
	cancel()
	for name, do := range map[string]func() error{
		"ensembles": func() error { _, err := a.Ensembles(ctx, 3); return err },
		"cascades":  func() error { _, err := a.BestCascades(ctx, 0); return err },
		"alone":     func() error { _, err := a.Alone(ctx); return err },
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want that of the context", name, err)
		}
	}
}

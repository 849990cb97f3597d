package heads

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/kernels/par"
)

// clouds draws images' features: classes' centres at random, and noise around them.
func clouds(seed uint64, n, d, classes int, noise float64) (Matrix, []int) {
	rng := rand.New(rand.NewPCG(seed, 0))
	centres := NewMatrix(classes, d)
	for i := range centres.Data {
		centres.Data[i] = float32(rng.NormFloat64())
	}
	features, labels := NewMatrix(n, d), make([]int, n)
	for i := range n {
		labels[i] = i % classes
		for j, c := range centres.Row(labels[i]) {
			features.Row(i)[j] = c + float32(noise*rng.NormFloat64()) + 3 // features need not be centred
		}
	}
	return features, labels
}

func newStudy(t *testing.T, labels []int, classes, folds int) *Study {
	t.Helper()
	group, readable := make([]int, len(labels)), make([]bool, len(labels))
	for i := range group {
		group[i], readable[i] = i, true
	}
	fold := Deal(labels, group, readable, classes, folds, 1)
	pool := par.New(2)
	t.Cleanup(pool.Close)
	return &Study{Classes: classes, Labels: labels, Fold: fold, Folds: folds, Pool: pool}
}

// accuracy is the share of images whose likeliest class is their label, all of them read.
func accuracy(s *Study, probabilities Matrix) float64 {
	o := Decide(s.Classes, s.Labels, slices.Repeat([]bool{true}, len(s.Labels)), probabilities.Row)
	return o.Score().Accuracy.Value
}

// TestGradientAtOptimum computes the gradient of the fit in float64, plainly, from features as they come.
func TestGradientAtOptimum(t *testing.T) {
	const n, d, k = 150, 40, 4
	features, labels := clouds(1, n, d, k, 2)
	pool := par.New(1)
	defer pool.Close()
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	for _, strength := range []float64{1e-1, 1e-3, 1e-5} {
		p := newProblem(pool, features, rows, labels, k)
		f, err := p.solve(strength, nil, convergence)
		if err != nil {
			t.Fatal(err)
		}
		gradient := func(w []float64) float64 {
			g := make([]float64, len(w))
			for i := range n {
				x := make([]float64, d)
				for j, v := range features.Row(i) {
					x[j] = (float64(v) - p.mean[j]) * p.scale[j]
				}
				z, sum := make([]float64, k), 0.0
				for c := range z {
					z[c] = w[k*d+c]
					for j := range x {
						z[c] += w[c*d+j] * x[j]
					}
					sum += math.Exp(z[c])
				}
				for c := range z {
					r := math.Exp(z[c]) / sum
					if c == labels[i] {
						r--
					}
					g[k*d+c] += r / n
					for j := range x {
						g[c*d+j] += r * x[j] / n
					}
				}
			}
			largest := 0.0
			for i := range g {
				if i < k*d {
					g[i] += strength * w[i]
				}
				largest = max(largest, math.Abs(g[i]))
			}
			return largest
		}
		got, zero := gradient(f.solution), gradient(make([]float64, len(f.solution)))
		t.Logf("strength %g: gradient %.1e of that at zero", strength, got/zero)
		if got > 1e-4*zero {
			t.Errorf("strength %g: gradient %g, want at most 1e-4 of %g", strength, got, zero)
		}
	}
}

// TestStrongestPenalty holds a fit to what can be computed by hand: with two classes of equal number and a penalty that
// outweighs all, W is minus the gradient at zero over the strength.
func TestStrongestPenalty(t *testing.T) {
	features, labels := clouds(3, 60, 10, 2, 1)
	pool := par.New(1)
	defer pool.Close()
	rows := make([]int, 60)
	for i := range rows {
		rows[i] = i
	}
	p := newProblem(pool, features, rows, labels, 2)
	const strength = 1e4
	f, err := p.solve(strength, nil, 1e-6)
	if err != nil {
		t.Fatal(err)
	}
	for j := range 10 {
		want := 0.0
		for r, i := range rows {
			sign := 0.5
			if labels[i] != 0 {
				sign = -0.5
			}
			want += sign * float64(p.x[r*10+j]) / 60
		}
		want /= strength
		if got := f.solution[j]; math.Abs(got-want) > 1e-3*math.Abs(want)+1e-9 {
			t.Errorf("feature %d: weight %g, want %g", j, got, want)
		}
	}
}

func TestSeparableIsAllRight(t *testing.T) {
	features, labels := clouds(2, 120, 30, 4, 0.1)
	s := newStudy(t, labels, 4, 5)
	probabilities, chosen, err := s.Probe(context.Background(), features, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := accuracy(s, probabilities); got != 1 {
		t.Errorf("probe: accuracy %g, want 1 (strengths %g)", got, chosen.Strength)
	}
	probabilities, k, err := s.Nearest(context.Background(), features)
	if err != nil {
		t.Fatal(err)
	}
	if got := accuracy(s, probabilities); got != 1 {
		t.Errorf("nearest: accuracy %g, want 1 (k %d)", got, k)
	}
}

// TestNoiseIsGuessed holds that nothing leaks from the test fold: labels that have nothing to do with the features are
// guessed.
func TestNoiseIsGuessed(t *testing.T) {
	features, labels := clouds(4, 400, 30, 4, 1)
	rand.New(rand.NewPCG(5, 0)).Shuffle(len(labels), func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })
	s := newStudy(t, labels, 4, 5)
	for name, predict := range map[string]func() (Matrix, error){
		"probe":   func() (Matrix, error) { p, _, err := s.Probe(context.Background(), features, nil); return p, err },
		"nearest": func() (Matrix, error) { p, _, err := s.Nearest(context.Background(), features); return p, err },
	} {
		p, err := predict()
		if err != nil {
			t.Fatal(err)
		}
		if got := accuracy(s, p); got < 0.15 || got > 0.35 {
			t.Errorf("%s: accuracy %g on noise of 4 classes, want about 0.25", name, got)
		}
	}
}

// TestConstantFeatures takes features of which some, or all, say nothing.
func TestConstantFeatures(t *testing.T) {
	features, labels := clouds(6, 40, 5, 2, 0.1)
	for i := range features.Rows {
		features.Row(i)[2] = 7
	}
	s := newStudy(t, labels, 2, 4)
	p, _, err := s.Probe(context.Background(), features, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := accuracy(s, p); got != 1 {
		t.Errorf("accuracy %g, want 1", got)
	}
	clear(features.Data)
	if p, _, err = s.Probe(context.Background(), features, nil); err != nil {
		t.Fatal(err)
	}
	if got := accuracy(s, p); got > 0.6 {
		t.Errorf("accuracy %g on nothing at all", got)
	}
}

// TestFew learns from a part of the images, balanced over the classes and the same each time, and still predicts every one.
func TestFew(t *testing.T) {
	const n, d, classes = 600, 24, 3
	features, labels := clouds(7, n, d, classes, 0.1)
	s := newStudy(t, labels, classes, 5)
	s.most = 60
	rows := s.few(s.rows(0), d)
	perClass := make([]int, classes)
	for _, i := range rows {
		perClass[labels[i]]++
	}
	if len(rows) != 60 || !slices.Equal(perClass, []int{20, 20, 20}) || !slices.IsSorted(rows) || !slices.Equal(rows, s.few(s.rows(0), d)) {
		t.Errorf("%d rows, %v a class; want 60, 20 each, in order and the same again", len(rows), perClass)
	}
	if learned, all := s.LearnsFrom(d); learned != 60 || all != n {
		t.Errorf("learns from %d of %d, want 60 of %d", learned, all, n)
	}
	probe, _, err := s.Probe(t.Context(), features, nil)
	if err != nil {
		t.Fatal(err)
	}
	nearest, _, err := s.Nearest(t.Context(), features)
	if err != nil {
		t.Fatal(err)
	}
	for name, probabilities := range map[string]Matrix{"probe": probe, "nearest": nearest} {
		if acc := accuracy(s, probabilities); acc < 0.95 {
			t.Errorf("%s, learned from a tenth: accuracy %g", name, acc)
		}
	}
}

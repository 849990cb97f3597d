package heads

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestChanged predicts other features of the same images: the heads say of the same features what cross-validation said, and
// of features that are all like one class's that class. No head sees its own fold.
func TestChanged(t *testing.T) {
	const classes, perClass, width, folds = 3, 30, 5, 3
	rng := rand.New(rand.NewPCG(4, 0))
	const unread = 7
	labels := make([]int, classes*perClass)
	features, changed := NewMatrix(len(labels), width), NewMatrix(len(labels), width)
	for i := range labels {
		labels[i] = i % classes
		for j := range width {
			features.Row(i)[j] = float32(rng.NormFloat64())
			changed.Row(i)[j] = float32(0.1 * rng.NormFloat64())
		}
		features.Row(i)[labels[i]] += 3
		changed.Row(i)[1] += 3
	}
	s := newStudy(t, labels, classes, folds)
	s.Fold[unread] = NoFold
	ctx := context.Background()
	probe, chosen, err := s.Probe(ctx, features, nil)
	if err != nil {
		t.Fatal(err)
	}
	nearest, neighbours, err := s.Nearest(ctx, features)
	if err != nil {
		t.Fatal(err)
	}
	probes, err := s.Probes(ctx, features, chosen)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.NearestTo(ctx, features, features, neighbours)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(probes.Predict(features).Data, probe.Data) {
		t.Error("the probes say of the same features something else")
	}
	if !slices.Equal(again.Data, nearest.Data) {
		t.Error("the nearest say of the same features something else")
	}
	other, err := s.NearestTo(ctx, changed, features, neighbours)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Matrix{"probe": probes.Predict(changed), "nearest": other} {
		for i := range labels {
			if i == unread {
				if slices.Max(p.Row(i)) != 0 {
					t.Errorf("%s: image %d is in no fold and has %v", name, i, p.Row(i))
				}
			} else if Largest(p.Row(i)) != 1 {
				t.Errorf("%s: image %d has %v", name, i, p.Row(i))
			}
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Probes(stopped, features, chosen); err == nil {
		t.Error("probes go on after the end")
	}
	if _, err := s.NearestTo(stopped, features, features, neighbours); err == nil {
		t.Error("the nearest go on after the end")
	}
}

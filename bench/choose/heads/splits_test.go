package heads

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/bench/stat"
	"zoobench/kernels/par"
)

// TestSplits holds scores and tests of several splits to figures worked out by hand.
func TestSplits(t *testing.T) {
	// Six images in two splits: 4 right in the first, 5 in the second, one unreadable.
	o := Outcome{Classes: 2, Labels: []int{0, 0, 0, 0, 1, 1}, Predicted: []int{0, 0, 0, 1, 1, -1, 0, 0, 0, 0, 1, -1}}
	s := o.Score()
	lo, hi := stat.WilsonShare(0.75, 6)
	if o.Splits() != 2 || s.Accuracy != (Estimate{0.75, lo, hi}) {
		t.Errorf("%d splits, accuracy %+v, want 2 and %v", o.Splits(), s.Accuracy, Estimate{0.75, lo, hi})
	}
	if want := (7.0/8 + 1.0/2) / 2; math.Abs(s.Balanced.Value-want) > 1e-12 {
		t.Errorf("balanced accuracy %g, want %g", s.Balanced.Value, want)
	}
	if want := (2*7.0/(8+7) + 2*2.0/(4+3)) / 2; math.Abs(s.MacroF1.Value-want) > 1e-12 {
		t.Errorf("macro-F1 %g, want %g", s.MacroF1.Value, want)
	}
	if got, want := o.BySplit(), []float64{4.0 / 6, 5.0 / 6}; !slices.Equal(got, want) {
		t.Errorf("by split %v, want %v", got, want)
	}
	drawn := newCells(o).score([]int32{1, 1, 1, 1, 1, 1})
	if drawn.Accuracy.Value != s.Accuracy.Value || drawn.Balanced.Value != s.Balanced.Value || drawn.MacroF1.Value != s.MacroF1.Value {
		t.Errorf("drawn once each: %+v, want %+v", drawn, s)
	}

	// The other head is right on images 3 and 5 in both splits, and on image 0 in one: differences of 1, −1 and −2.
	other := Outcome{Classes: 2, Labels: o.Labels, Predicted: []int{1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1}}
	if ahead, p := Paired(o, other); ahead != -1 || p != stat.SignFlip([]int{1, -1, -2}) {
		t.Errorf("ahead by %g, p %g, want -1 and %g", ahead, p, stat.SignFlip([]int{1, -1, -2}))
	}
	o.Group = []int{0, 1, 2, 3, 4, 3} // images 3 and 5 look the same
	if ahead, p := Paired(o, other); ahead != -1 || p != stat.SignFlip([]int{1, -3}) {
		t.Errorf("with copies: ahead by %g, p %g, want -1 and %g", ahead, p, stat.SignFlip([]int{1, -3}))
	}
	if got := LeastP(o, other); got != 0.25 {
		t.Errorf("three images are predicted differently: least p %g, want 0.25", got)
	}
}

// TestPairedUnderNull has two heads that are equally good, in splits whose predictions of an image agree in most cases: the
// test finds a difference in 5 % of the cases or fewer, where one that took each split's prediction for an observation of
// its own would find it in many more.
func TestPairedUnderNull(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 0))
	const trials, images, splits = 1000, 200, 5
	found, foundNaively := 0, 0
	for range trials {
		a, b := Outcome{Classes: 2, Labels: make([]int, images)}, Outcome{Classes: 2, Labels: make([]int, images)}
		a.Predicted, b.Predicted = make([]int, images*splits), make([]int, images*splits)
		for i := range images {
			for _, o := range []*Outcome{&a, &b} {
				wrong := 0.05 // how often the head is wrong on this image: nearly never, or nearly always
				if rng.Float64() < 0.2 {
					wrong = 0.95
				}
				for s := range splits {
					if rng.Float64() < wrong {
						o.Predicted[s*images+i] = 1
					}
				}
			}
		}
		if _, p := Paired(a, b); p < 0.05 {
			found++
		}
		onlyA, onlyB := 0, 0
		for i := range a.Predicted {
			onlyA, onlyB = onlyA+b.Predicted[i]&^a.Predicted[i], onlyB+a.Predicted[i]&^b.Predicted[i]
		}
		if stat.McNemar(onlyA, onlyB) < 0.05 {
			foundNaively++
		}
	}
	t.Logf("%d of %d found, %d by counting each split", found, trials, foundNaively)
	if found > 72 || foundNaively < 150 { // 5 % and three standard deviations
		t.Errorf("%d of %d found, want at most 72; %d by counting each split", found, trials, foundNaively)
	}
}

// TestLearning draws a curve over several draws and splits: it rises, and its means lie between the least and the most.
func TestLearning(t *testing.T) {
	features, labels := clouds(9, 240, 12, 3, 1.5)
	group, readable := make([]int, len(labels)), make([]bool, len(labels))
	for i := range group {
		group[i], readable[i] = i, true
	}
	pool := par.New(1)
	defer pool.Close()
	var splits []*Study
	var strengths [][]float64
	whole := Outcome{Classes: 3, Labels: labels}
	for split := range 2 {
		s := &Study{Classes: 3, Labels: labels, Fold: Deal(labels, group, readable, 3, 4, SplitSeed(1, split)), Folds: 4, Pool: pool}
		p, chosen, err := s.Probe(t.Context(), features, nil)
		if err != nil {
			t.Fatal(err)
		}
		splits, strengths = append(splits, s), append(strengths, chosen.Strength)
		whole.Predicted = append(whole.Predicted, Decide(3, labels, readable, p.Row).Predicted...)
	}
	if slices.Equal(splits[0].Fold, splits[1].Fold) {
		t.Error("both splits have the same folds")
	}
	curve, err := Learning(t.Context(), splits, features, strengths, whole, 1)
	if err != nil {
		t.Fatal(err)
	}
	last := len(curve.Points) - 1
	for i, p := range curve.Points {
		draws := manyDraws
		if i == last {
			draws = 2
		}
		if p.Draws != draws || p.Lo > p.Accuracy.Value || p.Hi < p.Accuracy.Value || i < last && p.Lo == p.Hi {
			t.Errorf("%+v, want %d draws around the mean", p, draws)
		}
	}
	first, end := curve.Points[0].Accuracy.Value, curve.Points[last].Accuracy.Value
	if end < first+0.1 || end != whole.Score().Accuracy.Value {
		t.Errorf("from %g to %g", first, end)
	}
}

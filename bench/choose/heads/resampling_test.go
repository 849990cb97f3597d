package heads

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// drawOutcome is an outcome of a head that is right with probability p on images of each class, and else says any other class.
func drawOutcome(rng *rand.Rand, classes, perClass int, p float64) Outcome {
	o := Outcome{Classes: classes}
	for i := range classes * perClass {
		label := i % classes
		said := label
		if rng.Float64() >= p {
			said = (label + 1 + rng.IntN(classes-1)) % classes
		}
		o.Labels, o.Predicted = append(o.Labels, label), append(o.Predicted, said)
	}
	return o
}

// resampledScore is an outcome's score with intervals from draws.
func resampledScore(t *testing.T, o Outcome, group []int) Score {
	t.Helper()
	r, err := Resample(t.Context(), []Outcome{o}, Resampling{Draws: 400, Group: group})
	if err != nil {
		t.Fatal(err)
	}
	return r.Scores[0]
}

// TestIntervalsOfAllRight holds that ten right images of ten do not make balanced accuracy and macro-F1 certain: neither
// interval is narrower than the accuracy's by more than what two classes that stand for each other would save.
func TestIntervalsOfAllRight(t *testing.T) {
	o := drawOutcome(rand.New(rand.NewPCG(1, 1)), 2, 5, 1)
	s := resampledScore(t, o, nil)
	if s.Accuracy.Lo < 0.72 || s.Accuracy.Lo > 0.73 {
		t.Fatalf("accuracy %+v", s.Accuracy)
	}
	for _, test := range []struct {
		name string
		got  Estimate
	}{{"balanced", s.Balanced}, {"macro-F1", s.MacroF1}} {
		if test.got.Value != 1 || test.got.Hi != 1 || test.got.Lo > s.Accuracy.Lo+0.002 || test.got.Lo < 0.5 {
			t.Errorf("%s: %+v, want 1 with an interval from no more than %g", test.name, test.got, s.Accuracy.Lo)
		}
	}
}

// TestIntervalsCover counts how often the intervals hold the true value, where most draws have few mistakes or none.
func TestIntervalsCover(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for _, test := range []struct {
		classes, perClass int
		p                 float64
	}{{2, 6, 0.97}, {3, 10, 0.97}, {3, 10, 0.8}, {10, 5, 0.95}, {4, 25, 0.6}} {
		const times = 300
		balanced, f1 := 0, 0
		for range times {
			s := resampledScore(t, drawOutcome(rng, test.classes, test.perClass, test.p), nil)
			// Mistakes fall on all classes alike: a class's precision is p like its recall, and so is F1.
			if s.Balanced.Lo <= test.p && test.p <= s.Balanced.Hi {
				balanced++
			}
			if s.MacroF1.Lo <= test.p && test.p <= s.MacroF1.Hi {
				f1++
			}
		}
		if balanced < times*92/100 || f1 < times*92/100 {
			t.Errorf("%d classes of %d, %g right: of %d intervals %d and %d hold the true value, want 92 %% at least",
				test.classes, test.perClass, test.p, times, balanced, f1)
		}
	}
}

// estimates are what draws widen.
var estimates = map[string]func(Score) Estimate{
	"balanced": func(s Score) Estimate { return s.Balanced },
	"macro-F1": func(s Score) Estimate { return s.MacroF1 },
}

// TestLookAlikes takes every image four times. As four images they would halve the interval.
func TestLookAlikes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	once := drawOutcome(rng, 2, 100, 0.8)
	o := Outcome{Classes: 2}
	var group []int
	for i, label := range once.Labels {
		for range 4 {
			o.Labels, o.Predicted, group = append(o.Labels, label), append(o.Predicted, once.Predicted[i]), append(group, 1000+i)
		}
	}
	width := func(e Estimate) float64 { return e.Hi - e.Lo }
	single, grouped, loose := resampledScore(t, once, nil), resampledScore(t, o, group), resampledScore(t, o, nil)
	for name, of := range estimates {
		if w, want := width(of(grouped)), width(of(single)); w < 0.8*want || width(of(loose)) > 0.75*want {
			t.Errorf("%s: width %g as groups, %g as single images; %g of each once", name, w, width(of(loose)), want)
		}
	}
}

// expected is what is to be expected of the best by a metric of all outcomes, on enough draws.
func expected(t *testing.T, outcomes []Outcome, metric func(Score) float64) *float64 {
	t.Helper()
	o := Resampling{Draws: 1500, Metric: metric}
	for i := range outcomes {
		o.Among = append(o.Among, i)
	}
	r, err := Resample(t.Context(), outcomes, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Expected == nil {
		return nil
	}
	v := metric(*r.Expected)
	return &v
}

// TestExpectedOfChoice chooses among thirty heads that guess between two classes, many times: the best has far more than
// half right by luck, and what is to be expected of it is half.
func TestExpectedOfChoice(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	guess := func() (outcomes []Outcome) {
		for range 30 {
			outcomes = append(outcomes, drawOutcome(rng, 2, 30, 0.5))
		}
		return outcomes
	}
	accuracy := func(s Score) float64 { return s.Accuracy.Value }
	for _, test := range []struct {
		name   string
		metric func(Score) float64
	}{
		{"accuracy", accuracy},
		{"balanced", func(s Score) float64 { return s.Balanced.Value }},
		{"macro-F1", func(s Score) float64 { return s.MacroF1.Value }},
	} {
		const times = 12
		sum, sumBest := 0.0, 0.0
		for range times {
			outcomes := guess()
			best := 0.0
			for _, o := range outcomes {
				best = max(best, test.metric(o.Score()))
			}
			sum, sumBest = sum+*expected(t, outcomes, test.metric)/times, sumBest+best/times
		}
		if sumBest < 0.6 || math.Abs(sum-0.5) > 0.03 {
			t.Errorf("%s: %g expected in the mean, the best has %g; want a half and a tenth more", test.name, sum, sumBest)
		}
		t.Logf("%s: %g expected in the mean, the best has %g", test.name, sum, sumBest)
	}
	// One that is better than all guesses keeps its figure.
	clear := drawOutcome(rng, 2, 30, 0.95)
	outcomes := append(guess(), clear)
	if got, own := *expected(t, outcomes, accuracy), clear.Score().Accuracy.Value; math.Abs(got-own) > 0.01 {
		t.Errorf("%g expected of a choice that is clear, want %g", got, own)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Resample(ctx, outcomes, Resampling{Draws: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// TestExpectedOfRareClass counts what draws leave out of all of them: one that leaves out no image of a class has no mean
// over classes, and heads that never name the class reach half a balanced accuracy, not all of it.
func TestExpectedOfRareClass(t *testing.T) {
	o := Outcome{Classes: 2, Labels: make([]int, 40), Predicted: make([]int, 40)}
	o.Labels[38], o.Labels[39] = 1, 1
	for _, test := range []struct {
		name     string
		outcomes []Outcome
		want     bool
	}{{"two", []Outcome{o, o}, true}, {"one, which nobody chose", []Outcome{o}, false}, {"none", nil, false}} {
		got := expected(t, test.outcomes, func(s Score) float64 { return s.Balanced.Value })
		if (got != nil) != test.want || got != nil && math.Abs(*got-0.5) > 1e-9 {
			t.Errorf("%s: %v expected; want a half: %t", test.name, got, test.want)
		}
	}
}

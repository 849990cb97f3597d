package heads

import (
	"math"
	"slices"
	"testing"

	"zoobench/bench/stat"
)

// TestScore holds the figures to a confusion matrix worked out by hand.
func TestScore(t *testing.T) {
	// Class 0: 3 of 4 right, one said to be 1. Class 1: 1 of 2 right, one unreadable.
	o := Outcome{Classes: 2, Labels: []int{0, 0, 0, 0, 1, 1}, Predicted: []int{0, 0, 0, 1, 1, -1}}
	s := o.Score()
	for _, test := range []struct {
		name string
		got  Estimate
		want float64
	}{
		{"accuracy", s.Accuracy, 4.0 / 6},
		{"balanced", s.Balanced, (3.0/4 + 1.0/2) / 2},
		{"macro F1", s.MacroF1, (2*3.0/(4+3) + 2*1.0/(2+2)) / 2},
	} {
		if math.Abs(test.got.Value-test.want) > 1e-12 || test.got.Lo > test.want || test.got.Hi < test.want {
			t.Errorf("%s: got %+v, want %g within", test.name, test.got, test.want)
		}
	}
}

func TestDoubled(t *testing.T) {
	var points []CurvePoint
	for _, n := range []float64{10, 100, 1000} {
		points = append(points, CurvePoint{Images: n, Accuracy: Estimate{Value: 1 - math.Pow(n, -0.5)}})
	}
	if got, want := doubled(points), 1-math.Pow(2000, -0.5); math.Abs(got-want) > 1e-9 {
		t.Errorf("got %g, want %g", got, want)
	}
	points[2].Accuracy.Value = 0.5
	if got := doubled(points); got != 0.5 {
		t.Errorf("a curve that falls: got %g, want 0.5", got)
	}
}

// TestByClass has a class of three images of which two look the same, one of a single image, and one of none, in two splits.
func TestByClass(t *testing.T) {
	o := Outcome{Classes: 3, Labels: []int{0, 0, 0, 1}, Group: []int{0, 0, 2, 3}, Predicted: []int{0, 0, 1, 1, 0, 1, -1, 0}}
	lo, hi := stat.WilsonShare(0.5, 2)
	got := o.ByClass()
	want := []ClassScore{{Images: 3, Different: 2, Accuracy: Estimate{0.5, lo, hi}}, {Images: 1, Different: 1}, {}}
	want[1].Accuracy.Value = 0.5
	want[1].Accuracy.Lo, want[1].Accuracy.Hi = stat.WilsonShare(0.5, 1)
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if o.Group = nil; o.ByClass()[0].Different != 3 {
		t.Errorf("without groups: %+v", o.ByClass()[0])
	}
}

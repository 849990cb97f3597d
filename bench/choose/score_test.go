package choose

import (
	"math"
	"testing"
)

// TestScore holds the figures to a confusion matrix worked out by hand.
func TestScore(t *testing.T) {
	// Class 0: 3 of 4 right, one said to be 1. Class 1: 1 of 2 right, one unreadable.
	o := outcome{classes: 2, labels: []int{0, 0, 0, 0, 1, 1}, predicted: []int{0, 0, 0, 1, 1, -1}}
	s := score(o)
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
	if c := confusions(o, []string{"a", "b"}, 5); len(c) != 1 || c[0].Label != "a" || c[0].Said != "b" || c[0].N != 1 || c[0].Of != 4 {
		t.Errorf("confusions: %+v", c)
	}
}

// TestTies takes heads of which the second misses three of the first's pictures and the third fifty.
func TestTies(t *testing.T) {
	const n = 200
	make := func(wrong int) outcome {
		o := outcome{classes: 2, labels: make([]int, n), predicted: make([]int, n)}
		for i := range wrong {
			o.predicted[i] = 1
		}
		return o
	}
	var rows []*Row
	for _, wrong := range []int{0, 3, 50, 52} {
		rows = append(rows, &Row{Score: score(make(wrong)), outcome: make(wrong)})
	}
	order(rows, Accuracy)
	for i, want := range []int{1, 1, 2, 2} {
		if rows[i].Group != want {
			t.Errorf("row %d: group %d, want %d (p %g)", i, rows[i].Group, want, rows[i].P)
		}
	}
	// McNemar's exact p of 3 against 0 is 0.25; the others' are far below and do not raise it.
	if p := rows[1].P; math.Abs(p-0.25) > 1e-12 {
		t.Errorf("p of the second %g, want 0.25", p)
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

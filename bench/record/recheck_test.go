package record

import (
	"math"
	"strings"
	"testing"
)

func TestSamePrediction(t *testing.T) {
	p := func(classes []int, scores ...float32) Prediction {
		return Prediction{File: "a", Top5: classes, Scores: scores}
	}
	a := p([]int{7, 3, 9, 1, 4}, 20, 15, 10.005, 10, 5)
	for _, test := range []struct {
		name string
		b    Prediction
		same bool
	}{
		{"itself", a, true},
		{"rounding", p([]int{7, 3, 9, 1, 4}, 20.01, 14.99, 10, 10.003, 5.01), true},
		{"a score too far off", p([]int{7, 3, 9, 1, 4}, 20.03, 15, 10.005, 10, 5), false},
		{"a close call in the other order", p([]int{7, 3, 1, 9, 4}, 20, 15, 10.003, 10.001, 5), true},
		{"another class best", p([]int{3, 7, 9, 1, 4}, 20, 15, 10.005, 10, 5), false},
		{"a stranger among the first", p([]int{7, 8, 9, 1, 4}, 20, 15, 10.005, 10, 5), false},
		{"a stranger at the end", p([]int{7, 3, 9, 1, 8}, 20, 15, 10.005, 10, 5), true},
		{"fewer classes", p([]int{7, 3}, 20, 15), false},
		{"no number", p([]int{7, 3, 9, 1, 4}, 20, float32(math.NaN()), 10.005, 10, 5), false},
		{"none", Prediction{File: "a"}, false},
	} {
		if got := samePrediction(a, test.b); got != test.same {
			t.Errorf("%s: got %t, want %t", test.name, got, test.same)
		}
	}
}

func TestRecheckAgainst(t *testing.T) {
	r := Recheck{Predictions: []Prediction{
		{File: "a", Top5: []int{1, 0}, Scores: []float32{2, 1}},
		{File: "b", Top5: []int{0, 1}, Scores: []float32{2, 1}},
		{File: "broken", Top5: []int{0, 1}, Scores: []float32{2, 1}},
		{File: "elsewhere", Top5: []int{0, 1}, Scores: []float32{2, 1}},
	}}
	differ := r.Against([]Sample{
		{File: "a", Top5: []int{1, 0}, Scores: []float32{2, 1}},
		{File: "b", Top5: []int{1, 0}, Scores: []float32{2, 1}},
		{File: "broken", Error: "no JPEG"},
	})
	if r.Text() != "checked 1 of 2 same" || len(differ) != 1 ||
		!strings.Contains(differ[0], "b: class 0 (2) when timed, class 1 (2) when evaluated") {
		t.Errorf("got %q, differing %q", r.Text(), differ)
	}
	if differ := r.Against(nil); r.Text() != "" || differ != nil {
		t.Errorf("without samples: got %q, %q; want nothing", r.Text(), differ)
	}
}

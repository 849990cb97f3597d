package choose

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// drawOutcome is an outcome of a head that is right with probability p on pictures of each class, and else says any other class.
func drawOutcome(rng *rand.Rand, classes, perClass int, p float64) outcome {
	o := outcome{classes: classes}
	for i := range classes * perClass {
		label := i % classes
		said := label
		if rng.Float64() >= p {
			said = (label + 1 + rng.IntN(classes-1)) % classes
		}
		o.labels, o.predicted = append(o.labels, label), append(o.predicted, said)
	}
	return o
}

// resampledScore is an outcome's score with intervals from draws.
func resampledScore(t *testing.T, o outcome, group []int) Score {
	t.Helper()
	s := score(o)
	if _, _, err := resample(context.Background(), newSampler(len(o.labels), group), 400, []*cells{newCells(o)}, []*Score{&s}, nil, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestIntervalsOfAllRight holds that ten right pictures of ten do not make balanced accuracy and macro-F1 certain: neither
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
			t.Errorf("%d classes of %d, %g right: of %d intervals %d and %d hold the true value, want 92 %% at least", test.classes, test.perClass, test.p, times, balanced, f1)
		}
	}
}

// TestLookAlikes takes every picture four times. As four pictures they would halve the interval.
func TestLookAlikes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	once := drawOutcome(rng, 2, 100, 0.8)
	o := outcome{classes: 2}
	var group []int
	for i, label := range once.labels {
		for range 4 {
			o.labels, o.predicted, group = append(o.labels, label), append(o.predicted, once.predicted[i]), append(group, 1000+i)
		}
	}
	width := func(e Estimate) float64 { return e.Hi - e.Lo }
	single, grouped, loose := resampledScore(t, once, nil), resampledScore(t, o, group), resampledScore(t, o, nil)
	for _, m := range []Metric{Balanced, MacroF1} {
		if w, want := width(m.of(grouped)), width(m.of(single)); w < 0.8*want || width(m.of(loose)) > 0.75*want {
			t.Errorf("%s: width %g as groups, %g as single pictures; %g of each once", m, w, width(m.of(loose)), want)
		}
	}
	for _, test := range []struct {
		name  string
		group []int
		want  string
	}{
		{"all differ", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ""},
		{"one pair of ten", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 0}, ""},
		{"two pairs of ten", []int{0, 1, 2, 3, 4, 5, 6, 7, 1, 0}, "10 pictures are only 8 different ones"},
	} {
		read := slices.Repeat([]bool{true}, len(test.group))
		if got := alikeWarning(test.group, read, Accuracy); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	// What cannot be read looks like nothing: 8 of 10, and two that are the same.
	read := []bool{true, true, true, true, true, true, true, true, false, false}
	if got := alikeWarning([]int{0, 0, 2, 3, 4, 5, 6, 7, 8, 9}, read, MacroF1); !strings.HasPrefix(got, "8 pictures are only 7") || strings.Contains(got, "McNemar") {
		t.Errorf("with unreadable ones: %q", got)
	}
}

// TestExpectedOfChoice chooses among thirty heads that guess between two classes, many times: the best has far more than
// half right by luck, and what is to be expected of it is half.
func TestExpectedOfChoice(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	guess := func() (rows []*Row) {
		for range 30 {
			o := drawOutcome(rng, 2, 30, 0.5)
			rows = append(rows, &Row{Head: headProbe, Latency: 1, Fits: true, outcome: o, Score: score(o)})
		}
		return rows
	}
	for _, m := range []Metric{Accuracy, Balanced, MacroF1} {
		const times = 12
		sum, sumBest := 0.0, 0.0
		for range times {
			rows := guess()
			expected, err := resampleRows(context.Background(), rows, nil, m, func(r *Row) bool { return r.Fits }, nil)
			if err != nil {
				t.Fatal(err)
			}
			best := 0.0
			for _, r := range rows {
				best = max(best, m.of(r.Score).Value)
			}
			sum, sumBest = sum+*expected/times, sumBest+best/times
		}
		if sumBest < 0.6 || math.Abs(sum-0.5) > 0.03 {
			t.Errorf("%s: %g expected in the mean, the best has %g; want a half and a tenth more", m, sum, sumBest)
		}
		t.Logf("%s: %g expected in the mean, the best has %g", m, sum, sumBest)
	}
	rows := guess()
	// One that is better than all guesses keeps its figure.
	o := drawOutcome(rng, 2, 30, 0.95)
	rows = append(rows, &Row{Head: headProbe, Latency: 1, Fits: true, outcome: o, Score: score(o)})
	expected, err := resampleRows(context.Background(), rows, nil, Accuracy, func(r *Row) bool { return r.Fits }, nil)
	if own := rows[30].Score.Accuracy.Value; err != nil || math.Abs(*expected-own) > 0.01 {
		t.Errorf("%g expected of a choice that is clear, want %g: %v", *expected, own, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := resampleRows(ctx, rows, nil, Accuracy, func(r *Row) bool { return r.Fits }, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// TestExpectedOfRareClass counts what draws leave out of all of them: one that leaves out no picture of a class has no mean
// over classes, and heads that never name the class reach half a balanced accuracy, not all of it.
func TestExpectedOfRareClass(t *testing.T) {
	o := outcome{classes: 2, labels: make([]int, 40), predicted: make([]int, 40)}
	o.labels[38], o.labels[39] = 1, 1
	row := func() *Row { return &Row{Head: headProbe, Latency: 1, Fits: true, outcome: o, Score: score(o)} }
	for _, test := range []struct {
		name string
		rows []*Row
		want bool
	}{{"two", []*Row{row(), row()}, true}, {"one, which nobody chose", []*Row{row()}, false}, {"none", nil, false}} {
		expected, err := resampleRows(t.Context(), test.rows, nil, Balanced, func(*Row) bool { return true }, nil)
		if err != nil || (expected != nil) != test.want || expected != nil && math.Abs(*expected-0.5) > 1e-9 {
			t.Errorf("%s: %v expected, error %v; want a half: %t", test.name, expected, err, test.want)
		}
	}
}

// TestNearestAhead warns of a vote of the nearest that is better than the pick, and of no other.
func TestNearestAhead(t *testing.T) {
	vote, good, poor := of("vote", 890, 95, 1), of("good", 888, 94, 1), of("poor", 800, 50, 1)
	vote.Head = headNearest
	for _, test := range []struct {
		rows []*Row
		want bool
	}{{[]*Row{vote, poor}, true}, {[]*Row{vote, good}, false}, {[]*Row{good, poor}, false}} {
		f := order(test.rows, Accuracy)
		all := func(*Row) bool { return true }
		if w := f.nearestAhead(pick(f, all), all); (w != "") != test.want {
			t.Errorf("%s and %s: %q, want a warning: %t", test.rows[0].Name, test.rows[1].Name, w, test.want)
		}
	}
}

// of is a row that names so many of 900 pictures of one class and of 100 of another rightly, the first of each.
func of(name string, common, rare int, latency int64) *Row {
	o := outcome{classes: 2, labels: make([]int, 1000), predicted: make([]int, 1000)}
	for i := range 1000 {
		if i >= 900 {
			o.labels[i] = 1
		}
		right := i < common || i >= 900 && i < 900+rare
		if o.predicted[i] = o.labels[i]; !right {
			o.predicted[i] = 1 - o.labels[i]
		}
	}
	return &Row{Name: name, Head: headProbe, Latency: latency, Fits: true, outcome: o, Score: score(o)}
}

// TestTestOfMetric tells rows apart by the metric asked for, not by right answers.
func TestTestOfMetric(t *testing.T) {
	for _, test := range []struct {
		name   string
		metric Metric
		rows   []*Row
		pick   string
		groups []int // in the order of the rows given
	}{
		// 90 % are right by both; the one that never says the rare class has a macro-F1 of 47 %, the other of 72 %.
		{"macro-F1 differs", MacroF1, []*Row{of("blind", 900, 0, 1e6), of("even", 850, 50, 9e6)}, "even", []int{2, 1}},
		{"accuracy does not", Accuracy, []*Row{of("blind", 900, 0, 1e6), of("even", 850, 50, 9e6)}, "blind", []int{1, 1}},
		// 91 and 99 % are right, and the mean over the classes is 95 % of both.
		{"balanced accuracy does not", Balanced, []*Row{of("common", 900, 90, 9e6), of("rare", 810, 100, 1e6)}, "rare", []int{1, 1}},
		{"accuracy differs", Accuracy, []*Row{of("common", 900, 90, 9e6), of("rare", 810, 100, 1e6)}, "common", []int{1, 2}},
	} {
		rows := append([]*Row(nil), test.rows...)
		fits := func(r *Row) bool { return r.Fits }
		if _, err := resampleRows(context.Background(), rows, nil, test.metric, fits, nil); err != nil {
			t.Fatal(err)
		}
		d := pick(order(rows, test.metric), fits)
		if d.row.Name != test.pick {
			t.Errorf("%s: picked %s, want %s", test.name, d.row.Name, test.pick)
		}
		for i, r := range test.rows {
			if r.Group != test.groups[i] {
				t.Errorf("%s: %s in group %d, want %d (p %g)", test.name, r.Name, r.Group, test.groups[i], r.P)
			}
		}
		word := "bootstrap"
		if test.metric == Accuracy {
			word = "McNemar"
		}
		if text := d.reason(test.metric, Limits{Percentile: 0.5}, 1); !strings.Contains(text, word) {
			t.Errorf("%s: %q does not say %s", test.name, text, word)
		}
	}
}

// TestManyRowsCanDiffer has as many rows as a large zoo: after Holm's correction, one far behind is still told apart.
func TestManyRowsCanDiffer(t *testing.T) {
	var rows []*Row
	for range 60 {
		rows = append(rows, of("poor", 300, 30, 1e6))
	}
	rows = append(rows, of("good", 890, 95, 9e6))
	if _, err := resampleRows(context.Background(), rows, nil, MacroF1, func(*Row) bool { return true }, nil); err != nil {
		t.Fatal(err)
	}
	if d := pick(order(rows, MacroF1), func(*Row) bool { return true }); d.row.Name != "good" || d.tied != 1 || d.open != 0 {
		t.Errorf("picked %s of %d that tie, %d open", d.row.Name, d.tied, d.open)
	}
}

// TestFewPicturesTellLittle has heads of which one is right on ten pictures of ten and one on five: no exact test tells
// them apart, and a bootstrap of so few would.
func TestFewPicturesTellLittle(t *testing.T) {
	var rows []*Row
	for name, wrong := range map[string]int{"right": 0, "half": 5} {
		o := outcome{classes: 2, labels: []int{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, predicted: []int{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}}
		for i := range wrong {
			o.predicted[i] = 1 - o.predicted[i]
		}
		rows = append(rows, &Row{Name: name, Head: headProbe, Latency: 1, outcome: o, Score: score(o)})
	}
	for _, m := range []Metric{Balanced, MacroF1} {
		if _, err := resampleRows(context.Background(), rows, nil, m, func(*Row) bool { return true }, nil); err != nil {
			t.Fatal(err)
		}
		order(rows, m)
		if rows[0].Name != "right" || rows[1].Group != 1 || rows[1].P != math.Pow(2, -4) {
			t.Errorf("%s: group %d, p %g, want 1 and a sixteenth", m, rows[1].Group, rows[1].P)
		}
	}
}

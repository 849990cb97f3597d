package choose

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/choose/heads"
)

// TestAlikeWarning warns where many images look like others.
func TestAlikeWarning(t *testing.T) {
	for _, test := range []struct {
		name  string
		group []int
		want  string
	}{
		{"all differ", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ""},
		{"one pair of ten", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 0}, ""},
		{"two pairs of ten", []int{0, 1, 2, 3, 4, 5, 6, 7, 1, 0}, "only 8 of the 10 images are different"},
	} {
		read := slices.Repeat([]bool{true}, len(test.group))
		if got := alikeWarning(test.group, read); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	// What cannot be read looks like nothing: 8 of 10, and two that are the same.
	read := []bool{true, true, true, true, true, true, true, true, false, false}
	got := alikeWarning([]int{0, 0, 2, 3, 4, 5, 6, 7, 8, 9}, read)
	if !strings.HasPrefix(got, "only 7 of the 8 images") || strings.Contains(got, "McNemar") {
		t.Errorf("with unreadable ones: %q", got)
	}
}

// TestNearestAhead warns of a vote of the nearest that is better than the pick, and of no other.
func TestNearestAhead(t *testing.T) {
	vote, good, poor := rowBy("vote", 890, 95, 1), rowBy("good", 888, 94, 1), rowBy("poor", 800, 50, 1)
	vote.Head = headNearest
	for _, test := range []struct {
		rows []*Row
		want bool
	}{{[]*Row{vote, poor}, true}, {[]*Row{vote, good}, false}, {[]*Row{good, poor}, false}} {
		f := order(test.rows, byAccuracy)
		all := func(*Row) bool { return true }
		if w := f.nearestAhead(pick(f, all), all); (w != "") != test.want {
			t.Errorf("%s and %s: %q, want a warning: %t", test.rows[0].Name, test.rows[1].Name, w, test.want)
		}
	}
}

// rowBy is a row that names so many of 900 images of one class and of 100 of another rightly, the first of each.
func rowBy(name string, common, rare int, latency int64) *Row {
	o := heads.Outcome{Classes: 2, Labels: make([]int, 1000), Predicted: make([]int, 1000)}
	for i := range 1000 {
		if i >= 900 {
			o.Labels[i] = 1
		}
		right := i < common || i >= 900 && i < 900+rare
		if o.Predicted[i] = o.Labels[i]; !right {
			o.Predicted[i] = 1 - o.Labels[i]
		}
	}
	return &Row{Name: name, Head: headProbe, Latency: latency, Fits: true, outcome: o, Score: o.Score()}
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
		{"macro-F1 differs", byMacroF1, []*Row{rowBy("blind", 900, 0, 1e6), rowBy("even", 850, 50, 9e6)}, "even", []int{2, 1}},
		{"accuracy does not", byAccuracy, []*Row{rowBy("blind", 900, 0, 1e6), rowBy("even", 850, 50, 9e6)}, "blind", []int{1, 1}},
		// 91 and 99 % are right, and the mean over the classes is 95 % of both.
		{"balanced accuracy does not", byBalanced, []*Row{rowBy("common", 900, 90, 9e6), rowBy("rare", 810, 100, 1e6)}, "rare", []int{1, 1}},
		{"accuracy differs", byAccuracy, []*Row{rowBy("common", 900, 90, 9e6), rowBy("rare", 810, 100, 1e6)}, "common", []int{1, 2}},
	} {
		rows := append([]*Row(nil), test.rows...)
		fits := func(r *Row) bool { return r.Fits }
		if _, err := resampleRows(context.Background(), rows, nil, test.metric, fits, nil); err != nil {
			t.Fatal(err)
		}
		f := order(rows, test.metric)
		d := pick(f, fits)
		if d.row.Name != test.pick {
			t.Errorf("%s: picked %s, want %s", test.name, d.row.Name, test.pick)
		}
		for i, r := range test.rows {
			if r.Group != test.groups[i] {
				t.Errorf("%s: %s in group %d, want %d (p %g)", test.name, r.Name, r.Group, test.groups[i], r.P)
			}
		}
		word := "bootstrap"
		if test.metric == byAccuracy {
			word = "McNemar"
		}
		if text := d.reason(f, Limits{Percentile: 0.5}, 1); !strings.Contains(text, word) {
			t.Errorf("%s: %q does not say %s", test.name, text, word)
		}
	}
}

// TestManyRowsCanDiffer has as many rows as a large zoo: after Holm's correction, one far behind is still told apart.
func TestManyRowsCanDiffer(t *testing.T) {
	var rows []*Row
	for range 60 {
		rows = append(rows, rowBy("poor", 300, 30, 1e6))
	}
	rows = append(rows, rowBy("good", 890, 95, 9e6))
	if _, err := resampleRows(context.Background(), rows, nil, byMacroF1, func(*Row) bool { return true }, nil); err != nil {
		t.Fatal(err)
	}
	if d := pick(order(rows, byMacroF1), func(*Row) bool { return true }); d.row.Name != "good" || d.tied != 1 || d.open != 0 {
		t.Errorf("picked %s of %d that tie, %d open", d.row.Name, d.tied, d.open)
	}
}

// TestFewImagesTellLittle has heads of which one is right on ten images of ten and one on five: no exact test tells
// them apart, and a bootstrap of so few would.
func TestFewImagesTellLittle(t *testing.T) {
	var rows []*Row
	for name, wrong := range map[string]int{"right": 0, "half": 5} {
		o := heads.Outcome{Classes: 2, Labels: []int{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, Predicted: []int{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}}
		for i := range wrong {
			o.Predicted[i] = 1 - o.Predicted[i]
		}
		rows = append(rows, &Row{Name: name, Head: headProbe, Latency: 1, outcome: o, Score: o.Score()})
	}
	for _, m := range []Metric{byBalanced, byMacroF1} {
		if _, err := resampleRows(context.Background(), rows, nil, m, func(*Row) bool { return true }, nil); err != nil {
			t.Fatal(err)
		}
		order(rows, m)
		if rows[0].Name != "right" || rows[1].Group != 1 || rows[1].P != math.Pow(2, -4) {
			t.Errorf("%s: group %d, p %g, want 1 and a sixteenth", m, rows[1].Group, rows[1].P)
		}
	}
}

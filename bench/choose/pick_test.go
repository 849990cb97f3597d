package choose

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"zoobench/bench/choose/heads"
	"zoobench/bench/record"
)

// rowOf makes a row that is right on all but the first wrong of 200 images.
func rowOf(name string, wrong int, latency time.Duration, fits bool) *Row {
	o := heads.Outcome{Classes: 2, Labels: make([]int, 200), Predicted: make([]int, 200)}
	for i := range wrong {
		o.Predicted[i] = 1
	}
	r := &Row{Name: name, Head: headProbe, Fits: fits, outcome: o, Score: o.Score()}
	timeRow(r, latency)
	return r
}

// timeRow gives a row a latency that five processes measured, in rounds: each by so much, as a share, longer.
func timeRow(r *Row, latency time.Duration, longer ...float64) {
	var medians []record.Process
	for i := range 5 {
		p := record.Process{Round: i, P50: latency.Nanoseconds()}
		if len(longer) > 0 {
			p.P50 = int64(float64(p.P50) * (1 + longer[i]))
		}
		medians = append(medians, p)
	}
	r.Latency = latency.Nanoseconds()
	r.timing = &record.Record{RunID: "test", Timing: &record.Timing{Processes: medians}}
}

// TestPick takes the quickest of those that are not measurably worse than the best, as far as they fit.
func TestPick(t *testing.T) {
	best := rowOf("best", 2, 50*time.Millisecond, true)
	tied := rowOf("tied", 4, 20*time.Millisecond, true)
	slow := rowOf("slow", 3, 90*time.Millisecond, true)
	over := rowOf("over", 0, 200*time.Millisecond, false)
	poor := rowOf("poor", 40, 5*time.Millisecond, true)
	vote := rowOf("vote", 0, time.Millisecond, true)
	vote.Head = headNearest
	unknown := rowOf("unknown", 0, 0, true)
	rows := []*Row{poor, slow, tied, vote, over, best, unknown}
	f := order(rows, byAccuracy)
	d := pick(f, func(r *Row) bool { return r.Fits })
	if d.row != tied || d.best != best || d.tied != 3 || d.next != poor {
		t.Errorf("picked %s; best %s, %d tied, next %v", d.row.Name, d.best.Name, d.tied, d.next)
	}
	got := d.reason(f, Limits{Latency: 100 * time.Millisecond, Percentile: 0.5}, 1)
	for _, want := range []string{
		"tied with its linear probe reaches an accuracy of 98.0 %", "20.0 ms for one image (p50), within the limit of 100 ms. ",
		"best with its linear probe, reaches 99.0 % and is not measurably better", "3 rows tie within 2 points",
		"best takes 2.50 times as long as the pick (95 % interval 2.50 to 2.50), measurably longer.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("reason %q, want %q in it", got, want)
		}
	}
	if pick(f, func(*Row) bool { return false }) != nil {
		t.Error("picked from nothing")
	}
	// Of ten images 0 and 3 wrong are no measurable difference, but no tie either.
	few := func(name string, wrong int, latency time.Duration) *Row {
		r := rowOf(name, wrong, latency, true)
		r.outcome = heads.Outcome{Classes: 2, Labels: r.outcome.Labels[:10], Predicted: r.outcome.Predicted[:10]}
		r.Score = r.outcome.Score()
		return r
	}
	ten := order([]*Row{few("right", 0, 2), few("wrong", 3, 1)}, byAccuracy)
	d = pick(ten, func(*Row) bool { return true })
	if text := d.reason(ten, Limits{Percentile: 0.5}, 1); d.row.Name != "right" || d.open != 1 || !strings.Contains(text, "too few") {
		t.Errorf("of ten images: picked %s, %s", d.row.Name, text)
	}
	front := map[string]bool{}
	for _, r := range rows {
		front[r.Name] = r.Front
	}
	for name, want := range map[string]bool{
		"over": true, "best": true, "tied": true, "poor": true, "slow": false, "vote": false, "unknown": false,
	} {
		if front[name] != want {
			t.Errorf("%s: on the front %v, want %v", name, front[name], want)
		}
	}
	// Limits from which the pick changes: poor at 5 ms, tied at 20 ms; at any other the tie's quickest stays.
	all := changes(f, func(*Row) bool { return true })
	if len(all) != 2 || all[0].Name != "poor" || all[0].From != 5e6 || all[1].Name != "tied" || all[1].From != 20e6 {
		t.Errorf("changes %+v", all)
	}
}

// rowOver is a row of 1,000 images that is wrong on those from a to b of each span.
func rowOver(name string, latency time.Duration, spans ...[2]int) *Row {
	o := heads.Outcome{Classes: 2, Labels: make([]int, 1000), Predicted: make([]int, 1000)}
	for _, s := range spans {
		for i := s[0]; i < s[1]; i++ {
			o.Predicted[i] = 1
		}
	}
	r := &Row{Name: name, Head: headProbe, Fits: true, outcome: o, Score: o.Score()}
	timeRow(r, latency)
	return r
}

// TestPickPastOneThatIsWorse has the best, one that misses ten images more and no other, and one further behind that has
// 45 of those right that the best misses: the test tells the second from the best, and not the third.
func TestPickPastOneThatIsWorse(t *testing.T) {
	a := rowOver("a", 50*time.Millisecond, [2]int{0, 100})
	b := rowOver("b", 40*time.Millisecond, [2]int{0, 110})
	c := rowOver("c", 8*time.Millisecond, [2]int{45, 160})
	rows := []*Row{c, b, a}
	f := order(rows, byAccuracy)
	d := pick(f, func(r *Row) bool { return r.Fits })
	if d.row != c || d.best != a || d.next != b || d.tied != 2 {
		t.Errorf("picked %s, best %s, next %v, %d tied; want c, a, b, 2", d.row.Name, d.best.Name, d.next, d.tied)
	}
	if a.Group != 1 || b.Group != 2 || c.Group != 1 {
		t.Errorf("groups %d, %d, %d, want 1, 2, 1", a.Group, b.Group, c.Group)
	}
	// Where the third is slow, it still is no worse, and no sentence may say so.
	timeRow(c, 60*time.Millisecond)
	d = pick(f, func(r *Row) bool { return r.Fits })
	if text := d.reason(f, Limits{Percentile: 0.5}, 1); d.row != a || strings.Contains(text, "every other") {
		t.Errorf("picked %s: %s", d.row.Name, text)
	}
	// One further behind that no test tells from the best, beside one nearby that is worse: not every other is far.
	open := rowOver("open", 8*time.Millisecond, [2]int{0, 20}, [2]int{900, 1000}, [2]int{200, 203})
	f = order([]*Row{a, b, open}, byAccuracy)
	d = pick(f, func(r *Row) bool { return r.Fits })
	text := d.reason(f, Limits{Percentile: 0.5}, 1)
	if d.open != 1 || d.next != b || strings.Contains(text, "no other comes within") {
		t.Errorf("b is 1 point below, %d open: %s", d.open, text)
	}
}

// TestPickAgreesWithTable has rows over the limit and votes: a row that the table shows as a tie of the pick's best is one
// for the pick, too, however few rows fit.
func TestPickAgreesWithTable(t *testing.T) {
	a := rowOver("a", 50*time.Millisecond, [2]int{0, 100})
	b := rowOver("b", 8*time.Millisecond, [2]int{0, 107}) // p = 0.016 by itself
	rows := []*Row{a, b}
	for i, name := range []string{"over", "vote", "other", "another"} {
		r := rowOver(name, 90*time.Millisecond, [2]int{500, 608 + i}) // right and wrong on other images: p above 0.5
		r.Fits = false
		rows = append(rows, r)
	}
	rows[3].Head, rows[3].Fits = headNearest, true
	d := pick(order(rows, byAccuracy), func(r *Row) bool { return r.Fits })
	if b.Group != 1 || d.row != b || d.next != nil {
		t.Errorf("b: tie group %d (p %g, five times its own), picked %s, next %v", b.Group, b.P, d.row.Name, d.next)
	}
	alone := []*Row{a, b}
	if d := pick(order(alone, byAccuracy), func(r *Row) bool { return r.Fits }); d.next != b {
		t.Errorf("of two: next %v, want b", d.next)
	}
}

// TestPickOfEquallyQuick takes the better of rows that no test finds slower and that are close, however their latencies
// fall, and changes at no limit between these.
func TestPickOfEquallyQuick(t *testing.T) {
	uneven := []float64{-0.05, 0.04, 0, 0.06, -0.03} // between processes
	for _, test := range []struct {
		name         string
		better, poor time.Duration
		spread       []float64 // of the better one's processes
		want         string
	}{
		{"slower by noise", 10300 * time.Microsecond, 10 * time.Millisecond, uneven, "better"},
		{"quicker by noise", 10 * time.Millisecond, 10300 * time.Microsecond, uneven, "better"},
		{"slower by a little, measurably", 10300 * time.Microsecond, 10 * time.Millisecond, nil, "poor"},
		{"slower by noise, and far", 11500 * time.Microsecond, 10 * time.Millisecond, []float64{-0.4, 0.3, 0, 0.4, -0.3}, "poor"},
	} {
		better := rowOver("better", test.better, [2]int{0, 100})
		timeRow(better, test.better, test.spread...)
		rows := []*Row{better, rowOver("poor", test.poor, [2]int{0, 103}), rowOver("slow", 90*time.Millisecond, [2]int{0, 99})}
		f := order(rows, byAccuracy)
		all := func(*Row) bool { return true }
		if d := pick(f, all); d.row.Name != test.want {
			t.Errorf("%s: picked %s, want %s", test.name, d.row.Name, test.want)
		}
		got := changes(f, all)
		if len(got) != 1 || got[0].Name != test.want || test.want == "better" && got[0].From != max(test.better, test.poor).Nanoseconds() {
			t.Errorf("%s: changes %+v", test.name, got)
		}
	}
	// Equal figures: the name decides, not the clock.
	for _, latency := range []time.Duration{10 * time.Millisecond, 10050 * time.Microsecond} {
		rows := []*Row{rowOver("a", 10020*time.Microsecond, [2]int{0, 100}), rowOver("b", latency, [2]int{0, 100})}
		timeRow(rows[0], 10020*time.Microsecond, uneven...)
		if d := pick(order(rows, byAccuracy), func(*Row) bool { return true }); d.row.Name != "a" {
			t.Errorf("%v: picked %s", latency, d.row.Name)
		}
	}
}

// TestLatenciesAreCorrected compares latencies with Holm's correction over all networks, each once whatever its heads, and
// not at all where there is a single process.
func TestLatenciesAreCorrected(t *testing.T) {
	longer := []float64{0.02, 0.05, 0.03, 0.06, 0.04}
	rows := []*Row{rowOver("ref", 10*time.Millisecond, [2]int{0, 100})}
	for i := range 12 {
		r := rowOver(fmt.Sprintf("n%02d", i), 10*time.Millisecond, [2]int{0, 101 + i})
		timeRow(r, 10*time.Millisecond, longer...)
		vote := *r
		vote.Head = headNearest
		rows = append(rows, r, &vote)
	}
	one := rowOver("one", 20*time.Millisecond, [2]int{0, 120})
	one.timing.Processes = one.timing.Processes[:1]
	f := order(append(rows, one), byAccuracy)
	alone, _ := record.LatencyRatio(rows[1].timing, rows[0].timing)
	got := f.times(rows[0])
	if r := got["n00"]; len(got) != 12 || math.Abs(r.P-min(12*alone.P, 1)) > 1e-9 || r.Times < 1.03 || r.Times > 1.05 {
		t.Errorf("%d networks, %+v, want 12 and a p-value twelve times %g", len(got), r, alone.P)
	}
	if alone.P > significant || !f.asQuick(rows[1], rows[0]) {
		t.Errorf("p %g by itself and %g corrected: want a difference by itself and none of twelve", alone.P, got["n00"].P)
	}
	if f.asQuick(one, rows[0]) {
		t.Error("a network that takes twice as long counts as just as quick")
	}
}

// TestTies takes heads of which the second misses three of the first's images and the third fifty.
func TestTies(t *testing.T) {
	const n = 200
	make := func(wrong int) heads.Outcome {
		o := heads.Outcome{Classes: 2, Labels: make([]int, n), Predicted: make([]int, n)}
		for i := range wrong {
			o.Predicted[i] = 1
		}
		return o
	}
	var rows []*Row
	for _, wrong := range []int{0, 3, 50, 52} {
		o := make(wrong)
		rows = append(rows, &Row{Score: o.Score(), outcome: o})
	}
	order(rows, byAccuracy)
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

func TestConfusions(t *testing.T) {
	// Class a: 3 of 4 right, one said to be b. Class b: 1 of 2 right, one unreadable.
	o := heads.Outcome{Classes: 2, Labels: []int{0, 0, 0, 0, 1, 1}, Predicted: []int{0, 0, 0, 1, 1, -1}}
	if c := confusions(o, []string{"a", "b"}, 5); len(c) != 1 || c[0].Label != "a" || c[0].Said != "b" || c[0].N != 1 || c[0].Of != 4 {
		t.Errorf("confusions: %+v", c)
	}
}

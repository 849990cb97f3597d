package choose

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rowOf makes a row that is right on all but the first wrong of 200 pictures.
func rowOf(name string, wrong int, latency time.Duration, fits bool) *Row {
	o := outcome{classes: 2, labels: make([]int, 200), predicted: make([]int, 200)}
	for i := range wrong {
		o.predicted[i] = 1
	}
	return &Row{Name: name, Head: headProbe, Latency: latency.Nanoseconds(), Fits: fits, outcome: o, Score: score(o)}
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
	order(rows, Accuracy)
	d := pick(rows, Accuracy, func(r *Row) bool { return r.Fits })
	if d.row != tied || d.best != best || d.tied != 3 || d.next != poor {
		t.Errorf("picked %s; best %s, %d tied, next %v", d.row.Name, d.best.Name, d.tied, d.next)
	}
	for _, want := range []string{"tied with its linear probe reaches an accuracy of 98.0 %", "20.0 ms for one image (p50), within the limit of 100 ms. ", "best with its linear probe, reaches 99.0 % and is not measurably better", "of the 3 within 2 points that tie"} {
		if got := d.reason(Accuracy, Limits{Latency: 100 * time.Millisecond, Percentile: 0.5}, 1); !strings.Contains(got, want) || strings.Count(got, ". ") != 1 {
			t.Errorf("reason %q, want two sentences and %q", got, want)
		}
	}
	if pick(rows, Accuracy, func(*Row) bool { return false }) != nil {
		t.Error("picked from nothing")
	}
	// Of ten pictures 0 and 3 wrong are no measurable difference, but no tie either.
	few := func(name string, wrong int, latency time.Duration) *Row {
		r := rowOf(name, wrong, latency, true)
		r.outcome = outcome{2, r.outcome.labels[:10], r.outcome.predicted[:10]}
		r.Score = score(r.outcome)
		return r
	}
	d = pick([]*Row{few("right", 0, 2), few("wrong", 3, 1)}, Accuracy, func(*Row) bool { return true })
	if d.row.Name != "right" || d.open != 1 || !strings.Contains(d.reason(Accuracy, Limits{Percentile: 0.5}, 1), "too few") {
		t.Errorf("of ten pictures: picked %s, %s", d.row.Name, d.reason(Accuracy, Limits{Percentile: 0.5}, 1))
	}
	front := map[string]bool{}
	for _, r := range rows {
		front[r.Name] = r.Front
	}
	for name, want := range map[string]bool{"over": true, "best": true, "tied": true, "poor": true, "slow": false, "vote": false, "unknown": false} {
		if front[name] != want {
			t.Errorf("%s: on the front %v, want %v", name, front[name], want)
		}
	}
	// Limits from which the pick changes: poor at 5 ms, tied at 20 ms; at any other the tie's quickest stays.
	got := changes(rows, Accuracy, func(*Row) bool { return true })
	if len(got) != 2 || got[0].Name != "poor" || got[0].From != 5e6 || got[1].Name != "tied" || got[1].From != 20e6 {
		t.Errorf("changes %+v", got)
	}
}

// four are answers of two networks about four pictures of three classes, by hand.
func four() *Answers {
	return &Answers{
		Classes: []string{"a", "b", "c"}, Files: []string{"0", "1", "2", "3"}, Labels: []int{0, 1, 2, 2}, Read: []bool{true, true, true, true},
		From: []Answerer{
			{Name: "quick", Head: headProbe, Latency: 10, Batch: 1, probabilities: table{rows: 4, cols: 3, data: []float32{
				.9, .05, .05 /**/, .5, .4, .1 /**/, .1, .3, .6 /**/, .4, .25, .35}}}, // right, wrong, right, wrong
			{Name: "slow", Head: headProbe, Latency: 100, Batch: 1, probabilities: table{rows: 4, cols: 3, data: []float32{
				.3, .4, .3 /**/, .1, .8, .1 /**/, .2, .2, .6 /**/, .1, .1, .8}}}, // wrong, right, right, right
		},
	}
}

func TestWhatIf(t *testing.T) {
	a := four()
	path := filepath.Join(t.TempDir(), AnswersName)
	if err := a.Save(path); err != nil {
		t.Fatal(err)
	}
	a, err := LoadAnswers(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
	alone := a.Alone()
	check("slow alone", alone[0].Accuracy.Value, 0.75)
	check("quick alone", alone[1].Accuracy.Value, 0.5)

	// Of half the pictures, quick is least sure of 3 (0.4) and 1 (0.5): slow is asked about these, and all are right.
	curves := a.Cascades()
	if len(curves) != 1 || len(curves[0]) != cascadeSteps+1 {
		t.Fatalf("%d curves", len(curves))
	}
	half := curves[0][cascadeSteps/2]
	check("cascade's accuracy", half.Accuracy.Value, 1)
	check("cascade's latency", float64(half.Latency), 10+0.5*100)
	check("cascade's threshold", half.Threshold, float64(float32(0.6)))
	check("nobody asked", curves[0][0].Accuracy.Value, 0.5)
	check("all asked", curves[0][cascadeSteps].Accuracy.Value, 0.75)
	check("all asked, latency", float64(curves[0][cascadeSteps].Latency), 110)
	if best := a.BestCascades(0); len(best) != 1 || best[0].Accuracy.Value != 1 {
		t.Errorf("best cascades %+v", best)
	}
	if best := a.BestCascades(40); len(best) != 1 || best[0].Latency > 40 || best[0].Accuracy.Value != 0.75 {
		t.Errorf("best cascade within 40: %+v", best)
	}

	// The mean of both: picture 0 is a (.6), 1 is b (.6), 2 is c (.6), 3 is c (.575).
	ensembles := a.Ensembles()
	check("ensemble", ensembles[0].Accuracy.Value, 1)
	check("ensemble's latency", float64(ensembles[0].Latency), 110)

	// Without a, quick says b of picture 1 (0.4 against 0.1) and c of 2 and 3.
	s, err := a.Subset([]string{"c", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 3 || s.Labels[0] != 1 {
		t.Errorf("subset %+v", s)
	}
	check("quick on b and c", s.Alone()[0].Accuracy.Value, 1)

	// With b and c as one, quick says a of pictures 0 and, 0.5 against 0.5, 1; bc of 2 and 3.
	m, err := a.Merge("bc", []string{"b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	check("quick's probability of bc", float64(m.From[0].probabilities.row(3)[1]), float64(float32(.25)+float32(.35)))
	check("quick on a and bc", m.Alone()[1].Accuracy.Value, 0.75)

	for _, test := range []struct {
		name string
		do   func() error
		want string
	}{
		{"unknown", func() error { _, err := a.Subset([]string{"a", "z"}); return err }, `no class "z"; there are a, b, c`},
		{"twice", func() error { _, err := a.Subset([]string{"a", "a"}); return err }, "twice"},
		{"one", func() error { _, err := a.Subset([]string{"a"}); return err }, "want at least 2"},
		{"merge one", func() error { _, err := a.Merge("x", []string{"a"}); return err }, "1 of 3 classes"},
		{"merge all", func() error { _, err := a.Merge("x", []string{"a", "b", "c"}); return err }, "3 of 3 classes"},
		{"merge into another", func() error { _, err := a.Merge("c", []string{"a", "b"}); return err }, `there is a class "c"`},
	} {
		if err := test.do(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

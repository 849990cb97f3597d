package reports

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"zoobench/bench/record"
	"zoobench/reports/findings"
)

// A written is a text of a figure and the box it takes.
type written struct {
	text string
	size vg.Length
	box  vg.Rectangle
}

// texts draws the figure and returns every horizontal text in it; the label of the y
// axis, which is turned, is left out.
func texts(t *testing.T, f figure) []written {
	t.Helper()
	var c recorder.Canvas
	f.draw(draw.NewCanvas(&c, f.width, f.height))
	turned := 0
	var all []written
	for _, a := range c.Actions {
		switch a := a.(type) {
		case *recorder.Push:
			turned++
		case *recorder.Pop:
			turned--
		case *recorder.FillString:
			if turned > 0 || a.String == "" {
				continue
			}
			s := sans(a.Size, ink())
			s.Font = a.Font
			e := s.FontExtents()
			all = append(all, written{a.String, a.Size, vg.Rectangle{
				// The ink of a line: digits and small letters stay well within ascent.
				Min: vg.Point{X: a.Point.X, Y: a.Point.Y - 0.6*e.Descent},
				Max: vg.Point{X: a.Point.X + s.Width(a.String), Y: a.Point.Y + 0.7*e.Ascent},
			}})
		}
	}
	return all
}

// TestFigureTexts holds every figure to what a reader needs: no text over another, none
// off the page, every network named.
func TestFigureTexts(t *testing.T) {
	sets := []struct {
		name    string
		records []record.Record
	}{
		{"published", zoo(t)},
		{"measured", measured(zoo(t), 1)},
		{"mixed", troubled(measured(zoo(t), 2))},
		{"two sets of images", mixed(t)},
		{"one row", measured(zoo(t)[:2], 1)},
		{"sweep", sweep(t)},
		{"layers", layered(zoo(t))},
		{"sizes", resolutions(t)},
	}
	for _, tt := range sets {
		r, err := newRun(tt.records, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.figures(findings.Test(r.sound, findings.Given{Networks: graphs(r.sound)})) {
			t.Run(tt.name+"/"+f.name, func(t *testing.T) {
				all := texts(t, f)
				page := vg.Rectangle{Max: vg.Point{X: f.width, Y: f.height}}
				named := map[string]bool{}
				for i, a := range all {
					named[a.text] = true
					if !within(a.box, page) {
						t.Errorf("%q is off the page: %v", a.text, a.box)
					}
					for _, b := range all[:i] {
						if overlap(a.box, b.box) {
							t.Errorf("%q at %v overlaps %q at %v", a.text, a.box, b.text, b.box)
						}
					}
				}
				for _, want := range labels(r, f.name) {
					if !named[want] {
						t.Errorf("%s has no label", want)
					}
				}
			})
		}
	}
}

// graphs are networks of the records' costs, as findings count them.
func graphs(records []record.Record) (all []findings.Network) {
	for i := range records {
		if r := &records[i]; r.Cost != nil {
			l := findings.Layer{Op: "conv", In: [3]int{8, 8, 8}, Out: [3]int{8, 8, 8}, Groups: 1, MACs: r.MACs}
			if strings.Contains(r.Family, "mobile") {
				l.Groups = 8
			}
			all = append(all, findings.Network{Name: r.Model, Family: r.Family, Year: r.Year, Size: r.ImgSize, Params: r.Params, MACs: r.MACs, Layers: []findings.Layer{l}})
		}
	}
	return all
}

// resolutions returns two networks at several input sizes.
func resolutions(t testing.TB) []record.Record {
	var all []record.Record
	for i, r := range zoo(t)[1:3] {
		for j, px := range []int{96, 128, 192, 224, 288, 384} {
			s := r
			s.JobID, s.ImgSize = fmt.Sprint(i, px), px
			scale := float64(px*px) / (224 * 224)
			s.Cost = &record.Cost{Params: r.Params, MACs: int64(scale * float64(r.MACs))}
			ns := slices.Clone(r.Timing.Samples)
			for k := range ns {
				ns[k] = int64((scale + 0.1) * float64(ns[k]))
			}
			s.Timing = record.NewTiming(ns, time.Second)
			if j == 2 {
				s.Verdict = record.Verdict{Reasons: []string{"noise"}}
			}
			all = append(all, s)
		}
	}
	return all
}

// TestFigures names the figures that each kind of run has.
func TestFigures(t *testing.T) {
	for _, tt := range []struct {
		name    string
		records []record.Record
		want    string
	}{
		{"published", zoo(t), "latency published_accuracy_macs published_accuracy_latency published_accuracy_years published_accuracy_params latency_macs finding_depthwise-share-of-peak"},
		{"layers", layered(zoo(t)), "breakdown roofline"},
		{"batches", sweep(t), "batch_curve"},
		{"sizes", resolutions(t), "resolution_curve"},
		{"measured", measured(zoo(t), 1), "accuracy_macs accuracy_latency accuracy_years accuracy_params"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := newRun(tt.records, nil)
			if err != nil {
				t.Fatal(err)
			}
			known, have := plotNames(), map[string]bool{}
			for _, f := range r.figures(findings.Test(r.sound, findings.Given{Networks: graphs(r.sound)})) {
				have[f.name] = true
				if !slices.Contains(known, f.name) {
					t.Errorf("plotNames lacks %s: it would never be removed", f.name)
				}
			}
			for name := range strings.FieldsSeq(tt.want) {
				if !have[name] {
					t.Errorf("have %v, want %s", have, name)
				}
			}
		})
	}
}

// labels returns the names of the networks that the figure must show.
func labels(r *run, figure string) []string {
	accuracy, over := measuredTop1, measuredOver
	if strings.HasPrefix(figure, "published_") {
		accuracy, over = publishedTop1, publishedOver
	}
	rows, _, _ := oneSet(r.chosen(), over)
	macs, timed, _ := r.points(rows, accuracy)
	points := macs
	switch {
	case !strings.HasPrefix(figure, "accuracy_") && !strings.HasPrefix(figure, "published_"):
		return nil
	case strings.HasSuffix(figure, "_latency"):
		points = timed
	}
	var names []string
	for _, q := range points {
		names = append(names, q.name)
	}
	return names
}

// TestRooflineWithoutBytes draws a layer that moves no bytes, by a record that is wrong: it is left out, and costs nothing
// else.
func TestRooflineWithoutBytes(t *testing.T) {
	records := layered(zoo(t))
	for i := range records {
		if r := &records[i]; len(r.Layers) > 0 {
			r.Layers = append(r.Layers,
				record.Layer{Name: "none", Op: "conv", Out: []int{0, 7, 7}, MACs: 1e8, P50: 1e6},
				record.Layer{Name: "negative", Op: "conv", Out: []int{-8, 7, 7}, MACs: 1e8, P50: 1e6})
		}
	}
	r, err := newRun(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, ok := r.roofline(r.chosen(), "")
	if !ok || !strings.Contains(f.subtitle, "3 layers of 1 network") {
		t.Fatalf("have %q, want the three layers that move bytes", f.subtitle)
	}
	if err := f.svg(io.Discard); err != nil {
		t.Error(err)
	}
}

// TestPlace holds the placement to its contract on random markers, sparse and crowded.
func TestPlace(t *testing.T) {
	bounds := vg.Rectangle{Max: vg.Point{X: 600, Y: 400}}
	for _, n := range []int{0, 1, 2, 10, 45, 200} {
		for _, reach := range []int{1, labelSteps} {
			for seed := range uint64(3) {
				t.Run(fmt.Sprintf("n=%d/reach=%d/seed=%d", n, reach, seed), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(seed, uint64(n)))
					targets := make([]target, n)
					for i := range targets {
						targets[i] = target{
							at:   vg.Point{X: vg.Length(rng.Float64()) * 600, Y: vg.Length(rng.Float64()) * 400},
							half: 2 + vg.Length(rng.Float64())*15, width: 20 + vg.Length(rng.Float64())*80, height: 9,
						}
					}
					got := place(targets, nil, bounds, reach)
					placed := 0
					for i, p := range got {
						if !p.ok {
							continue
						}
						placed++
						if !within(p.box, bounds) {
							t.Errorf("label %d is out of bounds: %v", i, p.box)
						}
						if w, h := p.box.Size().X, p.box.Size().Y; abs(w-targets[i].width) > 1e-9 || abs(h-targets[i].height) > 1e-9 {
							t.Errorf("label %d is %v by %v, want %v by %v", i, w, h, targets[i].width, targets[i].height)
						}
						for j, q := range got[:i] {
							if q.ok && overlap(p.box, q.box) {
								t.Errorf("label %d overlaps label %d", i, j)
							}
						}
					}
					if n <= 45 && reach == labelSteps && placed < n {
						t.Errorf("%d of %d labels placed", placed, n)
					}
				})
			}
		}
	}
}

func abs(v vg.Length) vg.Length { return max(v, -v) }

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		got    []string
		labels string
	}{
		{"two decades", labelled(logTicks(0.05, 25)), "0.05 0.1 0.2 0.5 1 2 5 10 20"},
		{"half a decade", labelled(logTicks(18, 45)), "20 30 40"},
		{"many decades", labelled(logTicks(1e-3, 1e3)), "0.001 0.01 0.1 1 10 100 1000"},
		{"percent", labelled(linearTicks(55, 86)), "55 60 65 70 75 80 85"},
		{"narrow", labelled(linearTicks(69.2, 72.1)), "69.5 70 70.5 71 71.5 72"},
		{"whole", labelled(linearTicks(0, 100)), "0 20 40 60 80 100"},
		{"about nothing", labelled(linearTicks(-1.2, 2.1)), "-1 -0.5 0 0.5 1 1.5 2"},
	} {
		if got := strings.Join(tt.got, " "); got != tt.labels {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.labels)
		}
	}
}

func labelled(ticks []plot.Tick) (labels []string) {
	for _, t := range ticks {
		if t.Label != "" {
			labels = append(labels, t.Label)
		}
	}
	return labels
}

func TestStyles(t *testing.T) {
	var known []string
	for _, kin := range families() {
		known = append(known, kin...)
	}
	for _, kin := range families() {
		if len(kin) > len(shapes()) {
			t.Errorf("%v: %d families share a colour, and there are %d shapes", kin, len(kin), len(shapes()))
		}
	}
	names := append([]string{"zeta", "alpha", "", "beta"}, known...)
	styles := stylesOf(names)
	seen := map[style]string{}
	for _, name := range names {
		s, ok := styles[name]
		if !ok {
			t.Errorf("%q has no style", name)
		}
		if other, ok := seen[s]; ok {
			t.Errorf("%q looks like %q", name, other)
		}
		seen[s] = name
	}
	if alone := stylesOf([]string{"resnext"}); alone["resnext"] != styles["resnext"] {
		t.Error("a family looks different in another report")
	}
	if many := stylesOf(strings.Fields(strings.Repeat("a b c ", 3))); len(many) != 3 {
		t.Errorf("got %d styles, want 3", len(many))
	}
}

// TestFront checks the Pareto front on points whose front is plain to see.
func TestFront(t *testing.T) {
	s := scatter{points: []point{
		{name: "cheap", x: 1, y: 50}, {name: "worse", x: 2, y: 40}, {name: "better", x: 3, y: 60},
		{name: "equal", x: 4, y: 60}, {name: "suspect", x: 2, y: 99, suspect: true}, {name: "best", x: 9, y: 70},
		{name: "beside cheap", x: 1, y: 45},
	}}
	var got []string
	for _, p := range s.front() {
		got = append(got, p.name)
	}
	if want := "cheap better best"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
	"zoobench/reports/findings"
)

// A written is a text of a figure and the box it takes.
type written struct {
	text string
	size vg.Length
	box  vg.Rectangle
}

// texts draws the figure and returns every horizontal text in it; the label of the y axis, which is turned, is left
// out.
func texts(t *testing.T, f figure) []written {
	t.Helper()
	var c recorder.Canvas
	f.Draw(vgdraw.NewCanvas(&c, f.Width, f.Height))
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
			s := text.Style{Font: a.Font, Handler: plot.DefaultTextHandler}
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

func within(r, page vg.Rectangle) bool {
	return r.Min.X >= page.Min.X && r.Max.X <= page.Max.X && r.Min.Y >= page.Min.Y && r.Max.Y <= page.Max.Y
}

func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// TestFigureTexts holds every figure to what a reader needs: no text over another, none off the page, every network
// named.
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
				page := vg.Rectangle{Max: vg.Point{X: f.Width, Y: f.Height}}
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
			all = append(all, findings.Network{Name: r.Model, Family: r.Family, Year: r.Year, Size: r.ImgSize, Params: r.Params, MACs: r.MACs,
				Layers: []findings.Layer{l}})
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
			s.Timing = recordtest.Timing(ns, time.Second, 5)
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
		{"published", zoo(t), "latency published_accuracy_macs published_accuracy_latency published_accuracy_years published_accuracy_params " +
			"latency_macs finding_depthwise-share-of-peak"},
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
		names = append(names, q.Name)
	}
	return names
}

// TestRooflineWithoutBytes draws a layer that moves no bytes, by a record that is wrong: it is left out, and costs
// nothing else.
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
	if !ok || !strings.Contains(f.Subtitle, "3 layers of 1 network") {
		t.Fatalf("have %q, want the three layers that move bytes", f.Subtitle)
	}
	if err := f.SVG(io.Discard); err != nil {
		t.Error(err)
	}
}

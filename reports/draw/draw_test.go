package draw

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

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

// TestPrecisionStyles gives each precision a colour and a shape that no other one has, the same in every plot.
func TestPrecisionStyles(t *testing.T) {
	styles := Styles(precisions())
	for i, a := range precisions() {
		if alone := Styles([]string{a}); alone[a] != styles[a] {
			t.Errorf("%s looks different without the others", a)
		}
		for _, b := range precisions()[:i] {
			if styles[a].Shape == styles[b].Shape || styles[a].Color == styles[b].Color {
				t.Errorf("%s and %s share a colour or a shape: %v and %v", a, b, styles[a], styles[b])
			}
		}
	}
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
	styles := Styles(names)
	seen := map[Style]string{}
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
	if alone := Styles([]string{"resnext"}); alone["resnext"] != styles["resnext"] {
		t.Error("a family looks different in another report")
	}
	if many := Styles(strings.Fields(strings.Repeat("a b c ", 3))); len(many) != 3 {
		t.Errorf("got %d styles, want 3", len(many))
	}
}

// TestFront checks the Pareto front on points whose front is plain to see.
func TestFront(t *testing.T) {
	s := Scatter{Front: "front", Points: []Point{
		{Name: "cheap", X: 1, Y: 50}, {Name: "worse", X: 2, Y: 40}, {Name: "better", X: 3, Y: 60},
		{Name: "equal", X: 4, Y: 60}, {Name: "suspect", X: 2, Y: 99, Suspect: true}, {Name: "best", X: 9, Y: 70},
		{Name: "beside cheap", X: 1, Y: 45},
	}}
	var got []string
	for _, p := range s.front() {
		got = append(got, p.Name)
	}
	if want := "cheap better best"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestHollow draws hollow the markers of the points that ask for it, says what they are, and has hollow markers in the
// legend only where there are no others.
func TestHollow(t *testing.T) {
	s := Scatter{Points: []Point{{Name: "a", X: 1, Y: 50, Hollow: true}}, Hollow: "not measured"}
	if f := s.Figure(Caption{}); s.look() != hollow || len(f.keys) != 1 || f.keys[0].text != s.Hollow {
		t.Errorf("look %v and legend %v, want hollow markers alone", s.look(), f.keys)
	}
	s.Points = append(s.Points, Point{Name: "b", X: 1, Y: 50})
	if s.look() != solid || s.Points[0].look() != hollow || s.Points[1].look() != solid {
		t.Errorf("looks %v, %v and %v, want solid but for the first point's", s.look(), s.Points[0].look(), s.Points[1].look())
	}
}

// TestLimit draws a limit that is beyond all points as a line within the figure, says what it is, and takes the styles that
// it is given.
func TestLimit(t *testing.T) {
	own := Style{Color: color.NRGBA{0x12, 0x34, 0x56, 0xff}}
	s := Scatter{
		Points: []Point{{Name: "a", Family: "f", X: 1, XLo: 1, XHi: 1, Y: 50, YLo: 50, YHi: 50}}, Y: Percent,
		Limit: 100, LimitText: "limit 100 ms", Styles: map[string]Style{"f": own},
	}
	if _, right, _, _ := s.ranges(); right <= s.Limit {
		t.Errorf("the axis ends at %g, before the limit", right)
	}
	var svg strings.Builder
	f := s.Figure(Caption{Title: "t"})
	if err := f.SVG(&svg); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{s.LimitText, "#123456"} {
		if !strings.Contains(svg.String(), want) {
			t.Errorf("the plot lacks %q", want)
		}
	}
	if slices.Contains(f.families, "f") {
		t.Error("the legend has a family whose style is given")
	}
	l := Lines{Lines: []Line{{Name: "f"}, {Name: "g"}}, Styles: s.Styles}
	if l.style(0) != own || l.style(1) != SeriesStyle(1) {
		t.Errorf("styles of lines %v and %v", l.style(0), l.style(1))
	}
}

// TestLongLegend draws more lines of a legend than the figure has room for: it ends early, within the figure.
func TestLongLegend(t *testing.T) {
	var l Lines
	for i := range 100 {
		values := []Value{{X: 1, Y: 1, Lo: 1, Hi: 1}, {X: 2, Y: 3, Lo: 2, Hi: 4}}
		l.Lines = append(l.Lines, Line{Name: fmt.Sprint("line ", i), Values: values, Ring: -1})
	}
	f := l.Figure(Caption{Title: strings.Repeat("many lines ", 30), Note: strings.Repeat("some words ", 50)})
	var c recorder.Canvas
	f.Draw(vgdraw.NewCanvas(&c, f.Width, f.Height))
	lines, turned := 0, 0
	for _, a := range c.Actions {
		switch a := a.(type) {
		case *recorder.Push:
			turned++
		case *recorder.Pop:
			turned--
		case *recorder.FillString:
			if turned == 0 && (a.Point.X < 0 || a.Point.X > f.Width || a.Point.Y < 0 || a.Point.Y > f.Height) {
				t.Errorf("%q is at %v, outside the figure", a.String, a.Point)
			}
			if strings.HasPrefix(a.String, "line ") {
				lines++
			}
		}
	}
	if lines < 20 || lines > 60 {
		t.Errorf("%d lines of the legend are drawn, want those that fit", lines)
	}
}

// TestSeriesStyles gives every line of a plot a look of its own.
func TestSeriesStyles(t *testing.T) {
	seen := map[Style]int{}
	for i := range MaxLines {
		s := SeriesStyle(i)
		if before, twice := seen[s]; twice {
			t.Errorf("series %d looks like series %d", i, before)
		}
		seen[s] = i
	}
}

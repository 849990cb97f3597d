package draw

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// A target is something to be labelled: a marker's centre and half its extent, and the size of its label, in points.
type target struct {
	at            vg.Point
	half          vg.Length
	width, height vg.Length
}

// A placement is where a label went; ok is false where there was no room.
type placement struct {
	box vg.Rectangle
	ok  bool
}

// A segment is a line that is drawn.
type segment struct{ from, to vg.Point }

func (s segment) length() vg.Length {
	return vg.Length(math.Hypot(float64(s.to.X-s.from.X), float64(s.to.Y-s.from.Y)))
}

// Distances of labels, in points.
const (
	labelMargin = 1.5 // between a label and anything else
	labelSteps  = 14  // rings of candidates around a marker
	labelStep   = 5   // from one ring to the next
	labelTurns  = 16  // candidates a ring
)

// place finds boxes for the labels of targets, earlier targets first: no box overlaps another or leaves bounds. Of a
// label's candidates, on rings around its marker, it takes the one that hides the least of markers and of lines and
// lies closest, where a line back to its marker would cross the fewest other boxes and markers. Reach is the number
// of rings tried; with one ring, a label that would hide a marker is left out.
func place(targets []target, lines []segment, bounds vg.Rectangle, reach int) []placement {
	placed := make([]placement, len(targets))
	for i, t := range targets {
		best := math.Inf(1)
		if reach == 1 {
			best = coverCost
		}
		for ring := range reach {
			// A ring further out costs more than anything found so far may save.
			if float64(ring)*ringCost >= best {
				break
			}
			for turn := range labelTurns {
				box := candidate(t, ring, turn)
				if !within(box, bounds) {
					continue
				}
				cost, ok := price(i, box, targets, lines, placed[:i])
				cost += float64(ring)*ringCost + turnCost(turn)
				if ok && cost < best {
					best, placed[i] = cost, placement{box, true}
				}
			}
		}
	}
	return placed
}

// Costs of a candidate; hiding a marker's middle is worse than any distance.
const (
	ringCost  = 1.0
	coverCost = 4.0  // of overlapping another marker's edge
	hideCost  = 30.0 // of covering its middle
	crossCost = 6.0  // of a line through another label
	lineCost  = 1.5  // of covering an interval's bar or the front
)

// turnCost prefers the right side, then the left, then the others.
func turnCost(turn int) float64 {
	switch turn {
	case 0:
		return 0
	case labelTurns / 2:
		return 0.3
	}
	return 0.5
}

// candidate returns the box of t's label on a ring, turn 0 to the right of the marker.
func candidate(t target, ring, turn int) vg.Rectangle {
	a := 2 * math.Pi * float64(turn) / labelTurns
	cos, sin := vg.Length(math.Cos(a)), vg.Length(math.Sin(a))
	far := t.half + labelMargin + vg.Length(ring)*labelStep
	// The box's nearest edge or corner touches the ring.
	center := vg.Point{
		X: t.at.X + cos*far + cos*t.width/2,
		Y: t.at.Y + sin*far + sin*t.height/2,
	}
	return vg.Rectangle{
		Min: vg.Point{X: center.X - t.width/2, Y: center.Y - t.height/2},
		Max: vg.Point{X: center.X + t.width/2, Y: center.Y + t.height/2},
	}
}

// price returns what box costs target i beside its distance; ok is false where it overlaps a label.
func price(i int, box vg.Rectangle, targets []target, lines []segment, placed []placement) (cost float64, ok bool) {
	roomy := grow(box, labelMargin)
	anchor := targets[i].at
	for j, p := range placed {
		if !p.ok {
			continue
		}
		if overlap(roomy, p.box) {
			return 0, false
		}
		if crosses(anchor, nearest(box, anchor), p.box) {
			cost += crossCost
		}
		if crosses(targets[j].at, nearest(p.box, targets[j].at), box) {
			cost += crossCost
		}
	}
	// What lies further than its marker's size from both the box and its line costs nothing.
	whole := box
	whole.Min.X, whole.Min.Y = min(box.Min.X, anchor.X), min(box.Min.Y, anchor.Y)
	whole.Max.X, whole.Max.Y = max(box.Max.X, anchor.X), max(box.Max.Y, anchor.Y)
	for j, t := range targets {
		if t.at.X < whole.Min.X-t.half || t.at.X > whole.Max.X+t.half || t.at.Y < whole.Min.Y-t.half || t.at.Y > whole.Max.Y+t.half {
			continue
		}
		// Its own marker counts too: on a wide bubble the label would sit inside.
		if gap := distance(box, t.at); gap < t.half {
			cost += coverCost
			if gap < min(t.half, 4) {
				cost += hideCost
			}
		}
		if j != i && gapToLine(t.at, anchor, nearest(box, anchor)) < min(t.half, 3) {
			cost += coverCost / 2
		}
	}
	for _, l := range lines {
		if crosses(l.from, l.to, box) {
			cost += lineCost
		}
	}
	return cost, true
}

// within reports whether r lies inside bounds.
func within(r, bounds vg.Rectangle) bool {
	return r.Min.X >= bounds.Min.X && r.Max.X <= bounds.Max.X && r.Min.Y >= bounds.Min.Y && r.Max.Y <= bounds.Max.Y
}

// overlap reports whether a and b share more than an edge.
func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

func grow(r vg.Rectangle, by vg.Length) vg.Rectangle {
	r.Min.X, r.Min.Y, r.Max.X, r.Max.Y = r.Min.X-by, r.Min.Y-by, r.Max.X+by, r.Max.Y+by
	return r
}

// nearest returns the point of r that is closest to p.
func nearest(r vg.Rectangle, p vg.Point) vg.Point {
	return vg.Point{X: min(max(p.X, r.Min.X), r.Max.X), Y: min(max(p.Y, r.Min.Y), r.Max.Y)}
}

// distance returns how far p is from r, 0 inside.
func distance(r vg.Rectangle, p vg.Point) vg.Length {
	q := nearest(r, p)
	return vg.Length(math.Hypot(float64(p.X-q.X), float64(p.Y-q.Y)))
}

// gapToLine returns how far p is from the line from a to b.
func gapToLine(p, a, b vg.Point) vg.Length {
	dx, dy := b.X-a.X, b.Y-a.Y
	along := vg.Length(0)
	if length := dx*dx + dy*dy; length > 0 {
		along = min(max(((p.X-a.X)*dx+(p.Y-a.Y)*dy)/length, 0), 1)
	}
	return vg.Length(math.Hypot(float64(p.X-a.X-along*dx), float64(p.Y-a.Y-along*dy)))
}

// crosses reports whether the line from a to b passes through r (Liang and Barsky).
func crosses(a, b vg.Point, r vg.Rectangle) bool {
	from, to := vg.Length(0), vg.Length(1)
	dx, dy := b.X-a.X, b.Y-a.Y
	for _, side := range [4][2]vg.Length{
		{-dx, a.X - r.Min.X}, {dx, r.Max.X - a.X}, {-dy, a.Y - r.Min.Y}, {dy, r.Max.Y - a.Y},
	} {
		p, q := side[0], side[1]
		switch {
		case p == 0:
			if q < 0 {
				return false
			}
		case p < 0:
			from = max(from, q/p)
		default:
			to = min(to, q/p)
		}
	}
	return from < to
}

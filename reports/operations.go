package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"zoobench/bench/record"
)

// operations are the kinds of layer that plots tell apart, in the order of the palette.
func operations() []string {
	return []string{
		"convolution", "convolution, Winograd", "depthwise, grouped", "linear", "attention, products", "pooling", "the rest",
	}
}

// operationOf is the index of a layer's kind among operations. A step of the plan is named by its first operation, which
// those that are done in passing follow, as in conv+relu.
func operationOf(l *record.Layer) int {
	first, _, _ := strings.Cut(l.Op, "+")
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(first, w) })
	}
	switch {
	case has("conv") && strings.HasPrefix(l.Algorithm, "winograd"):
		return 1
	case has("conv") && (strings.HasPrefix(l.Algorithm, "dw") || strings.HasPrefix(l.Algorithm, "gconv")):
		return 2
	case has("conv"):
		return 0
	case has("linear"):
		return 3
	case has("attention", "matmul"):
		return 4
	case has("pool"):
		return 5
	}
	return 6
}

// dissected returns the rows whose layers were timed one by one, a network and size once.
func dissected(rows []row) (some []row) {
	type network struct {
		model string
		size  int
	}
	seen := map[network]bool{}
	for _, one := range rows {
		k := network{one.model(), one.set.size}
		if one.latency == nil || one.latency.Timing == nil || seen[k] || !slices.ContainsFunc(one.latency.Layers, func(l record.Layer) bool { return l.P50 > 0 }) {
			continue
		}
		seen[k] = true
		some = append(some, one)
	}
	return some
}

// square is a marker in an operation's colour.
func square(i int) style { return style{palette()[i], shapes()[1]} }

// sizedNames are the networks of rows, with the size where one has several.
func sizedNames(rows []row) []string {
	points := make([]point, len(rows))
	for i := range rows {
		points[i] = point{model: clean(rows[i].model()), size: rows[i].set.size}
	}
	nameAll(points)
	names := make([]string, len(rows))
	for i, q := range points {
		names[i] = q.name
	}
	return names
}

// maxBars bounds the breakdown.
const maxBars = 80

// breakdown shows, network by network, what share of the time each kind of layer takes.
func (r *run) breakdown(rows []row, where string) (figure, bool) {
	rows = dissected(rows)
	if len(rows) == 0 {
		return figure{}, false
	}
	f := figure{
		name: "breakdown", title: "Time of a network by operation", width: pageWidth,
		subtitle: join(nonEmpty(where, settingsText(rows), "layers timed one by one in runs of their own")),
	}
	if n := len(rows); n > maxBars {
		rows = rows[:maxBars]
		f.note = fmt.Sprintf("The first %d of %d networks.", maxBars, n)
	}
	var used [7]bool
	for i := range rows {
		for j := range rows[i].latency.Layers {
			used[operationOf(&rows[i].latency.Layers[j])] = true
		}
	}
	for i, name := range operations() {
		if used[i] {
			f.keys = append(f.keys, key{text: name, sign: func(c draw.Canvas, at vg.Point) { marker(c, square(i), at, dot, solid) }})
		}
	}
	f.height = rungHeight*vg.Length(max(len(rows)+1, len(f.keys)+1)) + 130
	names := sizedNames(rows)
	f.body = func(c draw.Canvas, _ map[string]style) { drawBreakdown(c, rows, names) }
	return f, true
}

func drawBreakdown(c draw.Canvas, rows []row, names []string) {
	font := sans(9, ink())
	const head = "sum, ms"
	wide, figures := vg.Length(0), font.Width(head)
	sums := make([]string, len(rows))
	shares := make([][7]float64, len(rows))
	for i := range rows {
		rec, sum := rows[i].latency, 0.0
		for j := range rec.Layers {
			t := float64(rec.Layers[j].P50)
			shares[i][operationOf(&rec.Layers[j])] += t
			sum += t
		}
		for k := range shares[i] {
			shares[i][k] *= 100 / sum
		}
		sums[i] = fixed(sum/1e6, digits(sum/1e6))
		wide, figures = max(wide, font.Width(shorten(names[i], maxRung))), max(figures, font.Width(sums[i]))
	}
	p := plot.New()
	p.BackgroundColor = nil
	dress(&p.X, 0, 100, false)
	p.Y.Min, p.Y.Max = -0.5, float64(len(rows))-0.5
	p.HideY()
	p.Y.Tick.Marker = plot.ConstantTicks(nil)
	p.Add(grid{})
	data := drawAxes(p, draw.Crop(c, wide+8, -figures-16, 0, -rungHeight), "share of the layers' time (%)", "")
	trX, trY := p.Transforms(&data)
	small := sans(8.5, faint())
	small.XAlign = draw.XRight
	center(c, small, vg.Point{X: c.Max.X, Y: data.Max.Y + rungHeight/2}, head)
	colors := palette()
	for i := range rows {
		y := trY(float64(len(rows) - 1 - i))
		at := 0.0
		for k, share := range shares[i] {
			if share <= 0 {
				continue
			}
			box := vg.Rectangle{Min: vg.Point{X: trX(at), Y: y - rungHeight*0.38}, Max: vg.Point{X: trX(min(at+share, 100)), Y: y + rungHeight*0.38}}
			fill := colors[k]
			fill.A = 0xd0
			c.SetColor(fill)
			c.Fill(box.Path())
			at += share
		}
		font.XAlign = draw.XRight
		center(c, font, vg.Point{X: data.Min.X - 6, Y: y}, shorten(names[i], maxRung))
		center(c, font, vg.Point{X: c.Max.X, Y: y}, sums[i])
	}
}

// A work is one layer in the roofline.
type work struct {
	intensity, rate float64 // FLOP a byte, GFLOP/s
	op              int
}

// Layers that a roofline leaves out: those that take less than this share of their network's time.
const leastShare = 0.01

// maxWorks bounds the roofline's file.
const maxWorks = 2500

// roofline shows the rate of each layer that matters against the operations that it does for each byte of weights and of
// output, under the machine's measured roofs.
func (r *run) roofline(rows []row, where string) (figure, bool) {
	peak, read := r.roofs()
	if peak <= 0 || read <= 0 {
		return figure{}, false
	}
	rows = dissected(rows)
	var works []work
	networks := 0
	for i := range rows {
		rec, sum := rows[i].latency, int64(0)
		for _, l := range rec.Layers {
			sum += l.P50
		}
		before := len(works)
		for j := range rec.Layers {
			l := &rec.Layers[j]
			if l.MACs <= 0 || l.P50 <= 0 || float64(l.P50) < leastShare*float64(sum) {
				continue
			}
			out := 1.0
			for _, n := range l.Out {
				out *= float64(n)
			}
			batch := float64(max(rec.Batch, 1))
			w := work{
				intensity: 2 * float64(l.MACs) * batch / (4 * (float64(l.Params) + out*batch)),
				rate:      2 * float64(l.MACs) * batch / float64(l.P50), op: operationOf(l),
			}
			// One that moves no bytes, by a record that is wrong, has no place on a logarithmic axis.
			if w.intensity > 0 && finite(w.intensity) && finite(w.rate) {
				works = append(works, w)
			}
		}
		if len(works) > before {
			networks++
		}
		if len(works) >= maxWorks {
			break
		}
	}
	if len(works) == 0 {
		return figure{}, false
	}
	threads := float64(max(rows[0].set.threads, 1))
	peak, read = threads*peak, threads*read
	f := figure{
		name: "roofline", title: "Roofline of the layers", width: pageWidth, height: pageHeight,
		subtitle: join(nonEmpty(where, settingsText(rows), fmt.Sprintf("%s of %s, those that take 1 %% of their network's time or more", plural(len(works), "layer"), plural(networks, "network")))),
		note: "The roofs are the machine's peak and its rate of reading memory, as measured. Layers above the slope have their data in a cache; those above the flat " +
			"save multiplications, as Winograd's algorithm does. Bytes are those of weights and output, the least that a layer moves.",
	}
	var used [7]bool
	for _, w := range works {
		used[w.op] = true
	}
	for i, name := range operations() {
		if used[i] {
			f.keys = append(f.keys, key{text: name, sign: func(c draw.Canvas, at vg.Point) { marker(c, workStyle(i), at, dot, solid) }})
		}
	}
	f.keys = append(f.keys, key{text: "measured roofs:", sign: func(c draw.Canvas, at vg.Point) { c.StrokeLine2(roofLine(), at.X-12, at.Y, at.X+12, at.Y) }},
		key{text: fmt.Sprintf("%.0f GFLOP/s,", peak), sign: func(draw.Canvas, vg.Point) {}}, key{text: fmt.Sprintf("%.0f GB/s", read), sign: func(draw.Canvas, vg.Point) {}})
	f.body = func(c draw.Canvas, _ map[string]style) { drawRoofline(c, works, peak, read) }
	return f, true
}

// workStyle is an operation's marker among hundreds.
func workStyle(i int) style { return style{palette()[i], shapes()[i%len(shapes())]} }

func roofLine() draw.LineStyle {
	return draw.LineStyle{Color: ink(), Width: 1.2, Dashes: []vg.Length{6, 3}}
}

func drawRoofline(c draw.Canvas, works []work, peak, read float64) {
	ridge := peak / read
	xLo, xHi, yLo, yHi := ridge/2, ridge*2, peak, peak
	for _, w := range works {
		xLo, xHi, yLo, yHi = min(xLo, w.intensity), max(xHi, w.intensity), min(yLo, w.rate), max(yHi, w.rate)
	}
	p := plot.New()
	p.BackgroundColor = nil
	xRoom, yRoom := math.Pow(xHi/xLo, 0.04), math.Pow(yHi/yLo, 0.05)
	dress(&p.X, xLo/xRoom, xHi*xRoom, true)
	dress(&p.Y, yLo/yRoom, yHi*yRoom, true)
	p.Add(grid{})
	c = drawAxes(p, c, "FLOP for a byte of weights and output, log scale", "rate (GFLOP/s), log scale")
	trX, trY := p.Transforms(&c)
	for _, w := range works {
		marker(c, workStyle(w.op), vg.Point{X: trX(w.intensity), Y: trY(w.rate)}, 2.4, solid)
	}
	left := max(p.X.Min, p.Y.Min/read)
	c.StrokeLines(roofLine(), []vg.Point{
		{X: trX(left), Y: trY(left * read)}, {X: trX(ridge), Y: trY(peak)}, {X: trX(p.X.Max), Y: trY(peak)},
	})
}

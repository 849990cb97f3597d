package reports

import (
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/reports/draw"
)

// operations are the kinds of layer that have a colour of their own in plots, in the order of the palette.
func operations() []string {
	return []string{
		"convolution", "convolution, Winograd", "depthwise, grouped", "linear", "attention, products", "pooling", "the rest",
	}
}

// operationOf is the index of a layer's kind among operations; the kinds are zoo/engine's.
func operationOf(l *record.Layer) int {
	switch kindOf(l) {
	case "conv", "conv1x1", "channel_conv":
		return 0
	case "winograd":
		return 1
	case "depthwise", "grouped":
		return 2
	case "linear":
		return 3
	case "attention":
		return 4
	case "pool":
		return 5
	}
	return 6
}

// kindOf returns a layer's kind. Records of earlier builds lack it, and their layer's names say it well enough for a
// plot: a step is named by its first operation, which those that are done in passing follow, as in conv+relu.
func kindOf(l *record.Layer) string {
	if l.Kind != "" {
		return l.Kind
	}
	first, _, _ := strings.Cut(l.Op, "+")
	switch conv := strings.Contains(first, "conv"); {
	case conv && strings.HasPrefix(l.Algorithm, "winograd"):
		return "winograd"
	case conv && (strings.HasPrefix(l.Algorithm, "dw") || strings.HasPrefix(l.Algorithm, "gconv")):
		return "depthwise"
	case conv:
		return "conv"
	case strings.Contains(first, "linear"):
		return "linear"
	case strings.Contains(first, "attention"), strings.Contains(first, "matmul"):
		return "attention"
	case strings.Contains(first, "pool"):
		return "pool"
	}
	return ""
}

// dissected returns the rows whose layers were timed one by one, a network and size once.
func dissected(rows []row) (some []row) {
	type network struct {
		model string
		size  int
	}
	seen := map[network]bool{}
	for _, one := range rows {
		k := network{one.model(), one.set.ImgSize}
		if one.latency == nil || one.latency.Timing == nil || seen[k] || !layersTimed(one.latency) {
			continue
		}
		seen[k] = true
		some = append(some, one)
	}
	return some
}

// layersTimed reports whether the record has times of its layers.
func layersTimed(r *record.Record) bool {
	return slices.ContainsFunc(r.Layers, func(l record.Layer) bool { return l.P50 > 0 })
}

// sizedNames are the networks of rows, with the size where one has several.
func sizedNames(rows []row) []string {
	points := make([]point, len(rows))
	for i := range rows {
		points[i] = point{model: clean(rows[i].model()), size: rows[i].set.ImgSize}
	}
	nameAll(points)
	names := make([]string, len(rows))
	for i, q := range points {
		names[i] = q.Name
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
	c := draw.Caption{
		Title:    "Time of a network by operation",
		Subtitle: join(nonEmpty(where, settingsText(rows), "layers timed one by one, in separate runs")),
	}
	if n := len(rows); n > maxBars {
		rows = rows[:maxBars]
		c.Note = fmt.Sprintf("Only the first %d of %d networks are shown.", maxBars, n)
	}
	b := draw.Bars{Kinds: operations(), Head: "sum, ms", XLabel: "share of the layers' time (%)"}
	names := sizedNames(rows)
	for i := range rows {
		bar := draw.Bar{Name: names[i], Parts: make([]float64, len(b.Kinds))}
		sum := 0.0
		for j := range rows[i].latency.Layers {
			l := &rows[i].latency.Layers[j]
			bar.Parts[operationOf(l)] += float64(l.P50)
			sum += float64(l.P50)
		}
		bar.Text = fixed(sum/1e6, digits(sum/1e6))
		b.Bars = append(b.Bars, bar)
	}
	return figure{Figure: b.Figure(c), name: "breakdown"}, true
}

// leastShare is of a network's time: a roofline leaves out the layers that take less.
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
	var works []draw.Work
	networks := 0
	for i := range rows {
		some := worksOf(rows[i].latency)
		works = append(works, some...)
		if len(some) > 0 {
			networks++
		}
		if len(works) >= maxWorks {
			break
		}
	}
	if len(works) == 0 {
		return figure{}, false
	}
	threads := float64(max(rows[0].set.Threads, 1))
	l := draw.Roofline{
		Works: works, Kinds: operations(), Peak: threads * peak, Read: threads * read,
		XLabel: "FLOP per byte of weights and output, log scale", YLabel: "rate (GFLOP/s), log scale",
		RoofText: fmt.Sprintf("measured roofs:\n%.0f GFLOP/s,\n%.0f GB/s", threads*peak, threads*read),
	}
	count := fmt.Sprintf("%s of %s: each takes at least 1 %% of its network's time",
		plural(len(works), "layer"), plural(networks, "network"))
	return figure{Figure: l.Figure(draw.Caption{
		Title: "Roofline of the layers", Subtitle: join(nonEmpty(where, settingsText(rows), count)),
		Note: "The roofs are measured: the machine's peak, and the rate at which it reads memory. " +
			"A layer above the slope has its data in a cache. " +
			"A layer above the flat roof does fewer multiplications than are counted, as Winograd's algorithm does. " +
			"Bytes are those of the weights and the output: a layer moves at least these.",
	}), name: "roofline"}, true
}

// worksOf returns the layers of a network that matter, as a roofline shows them.
func worksOf(rec *record.Record) (works []draw.Work) {
	sum := int64(0)
	for _, l := range rec.Layers {
		sum += l.P50
	}
	for i := range rec.Layers {
		l := &rec.Layers[i]
		if l.MACs <= 0 || l.P50 <= 0 || float64(l.P50) < leastShare*float64(sum) {
			continue
		}
		out := 1.0
		for _, n := range l.Out {
			out *= float64(n)
		}
		batch := float64(max(rec.Batch, 1))
		w := draw.Work{
			Intensity: 2 * float64(l.MACs) * batch / (4 * (float64(l.Params) + out*batch)),
			Rate:      2 * float64(l.MACs) * batch / float64(l.P50), Kind: operationOf(l),
		}
		// One that moves no bytes, by a record that is wrong, has no place on a logarithmic axis.
		if w.Intensity > 0 && finite(w.Intensity) && finite(w.Rate) {
			works = append(works, w)
		}
	}
	return works
}

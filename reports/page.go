package reports

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

//go:embed page/page.html
var pageHTML string

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

// Limits that keep the page under 3 MB: the rows and layers beyond them stand in the run's other files, and the page
// says so.
const (
	maxPageRows       = 2000
	maxPageLayerBytes = 1_000_000
	maxBins           = 24 // of a histogram
)

// A pageData is what the page shows and what a notebook lifts from it: the JSON in the element with id "data".
type pageData struct {
	Schema   int                `json:"schema"`
	Machine  string             `json:"machine"`
	Peak     *float64           `json:"peak_gflops_per_core"`
	Read     *float64           `json:"read_gbytes_per_s_per_core"`
	Rows     []pageRow          `json:"rows"`
	Layers   map[string]layers  `json:"layers"` // by the row's "layers"
	Families map[string]marking `json:"families"`
	Findings []pageFinding      `json:"findings"`
}

// A pageRow is a row of the tables with bare figures; null was not measured, and Why says why not.
type pageRow struct {
	Name       string            `json:"name"`
	Model      string            `json:"model"`
	Family     string            `json:"family"`
	Year       *float64          `json:"year"`
	Experiment string            `json:"experiment"`
	Settings   string            `json:"settings"`
	Size       *float64          `json:"img_size"`
	Params     *float64          `json:"params"`
	MACs       *float64          `json:"macs"`
	Acts       *float64          `json:"activations"`
	P50        *float64          `json:"latency_p50_ns"`
	P50Lo      *float64          `json:"latency_p50_lo_ns"`
	P50Hi      *float64          `json:"latency_p50_hi_ns"`
	P90        *float64          `json:"latency_p90_ns"`
	Rate       *float64          `json:"images_per_s"`
	Peak       *float64          `json:"peak_rss_bytes"`
	Joules     *float64          `json:"joules_per_image"`
	Batch      *float64          `json:"batch"`
	Threads    *float64          `json:"threads"`
	Load       *float64          `json:"load_ns"`
	Tune       *float64          `json:"tune_ns"`
	Decode     *float64          `json:"decode_p50_ns"` // of a pipeline record of the same network and settings, but for its batch, as the three below
	Preprocess *float64          `json:"preprocess_p50_ns"`
	Forward    *float64          `json:"forward_p50_ns"`
	EndToEnd   *float64          `json:"end_to_end_p50_ns"`
	Top1       *float64          `json:"top1"`
	Top1Lo     *float64          `json:"top1_lo"`
	Top1Hi     *float64          `json:"top1_hi"`
	Images     *float64          `json:"n_images"`
	Dataset    string            `json:"dataset,omitempty"`
	DataSHA256 string            `json:"dataset_sha256,omitempty"`
	Over       string            `json:"top1_over"` // images and dataset as the other tables name them, "" without an accuracy
	Published  *float64          `json:"published_top1"`
	Set        string            `json:"published_dataset,omitempty"`
	Source     string            `json:"published_source,omitempty"` // with the set of images
	Why        map[string]string `json:"not_measured,omitempty"`
	Notes      []string          `json:"notes,omitempty"` // of the verdict
	Invalid    bool              `json:"invalid,omitempty"`
	Plan       string            `json:"plan,omitempty"`        // its hash, and how it was chosen
	Recheck    string            `json:"predictions,omitempty"` // of the accuracy, by the engine that was timed
	Histogram  *histogram        `json:"histogram,omitempty"`
	LayersKey  string            `json:"layers,omitempty"`
}

// A histogram counts samples in bins of equal width.
type histogram struct {
	Lo    int64 `json:"lo_ns"`
	Hi    int64 `json:"hi_ns"`
	Count []int `json:"count"`
	Above int   `json:"above"` // samples beyond Hi
}

// layers is a network's plan by column, one value a layer.
type layers struct {
	Name      []string `json:"name"`
	Op        []string `json:"op"`
	Out       [][]int  `json:"out"`
	Params    []int64  `json:"params"`
	MACs      []int64  `json:"macs"`
	Algorithm []string `json:"algorithm"`
	P50       []int64  `json:"p50_ns,omitempty"` // of one image; absent where layers were not timed
	Batch     int      `json:"batch"`
	Threads   int      `json:"threads"`
}

// marking is a family's marker: a colour of the page's palette by number, and a polygon as in draw.Shape.
type marking struct {
	Color   int     `json:"color"`
	Corners int     `json:"corners"`
	Turn    float64 `json:"turn"`
}

// finiteNumber returns v for JSON, nil where there is none.
func finiteNumber(v float64, ok bool) *float64 {
	if !ok || !finite(v) {
		return nil
	}
	return &v
}

// pageRows returns the rows for the page, and the layers of the networks in them.
func (r *run) pageRows() ([]pageRow, map[string]layers) {
	var rows []pageRow
	plans := map[string]layers{}
	left := maxPageLayerBytes
	varying := varyingAxes(r.rows)
	pipelines := r.pipelines()
	for i := range r.rows[:min(len(r.rows), maxPageRows)] {
		one := &r.rows[i]
		rec := one.any()
		p := pageRow{
			Name: one.name(), Model: clean(one.model()), Family: clean(rec.Family), Experiment: clean(one.experiment()),
			Settings: join(varying(one)), Why: map[string]string{},
			Year: finiteNumber(float64(rec.Year), rec.Year > 0),
			Size: finiteNumber(float64(one.set.ImgSize), one.set.ImgSize > 0),
		}
		p.Batch, p.Threads = finiteNumber(float64(one.set.Batch), one.set.Batch > 0), finiteNumber(float64(one.set.Threads), one.set.Threads > 0)
		if l := one.latency; l != nil && l.Footprint != nil {
			p.Load, p.Tune = finiteNumber(float64(l.Load), l.Load > 0), finiteNumber(float64(l.Tune), l.Tune > 0)
		}
		if l := one.latency; l != nil {
			p.Recheck = clean(l.Recheck.Text())
			if l.Plan != nil {
				p.Plan = clean(fmt.Sprintf("%s, algorithms by %s", l.Plan.Hash, l.Plan.Source))
			}
		}
		at := slices.IndexFunc(pipelines, func(o *record.Record) bool { return o.Model == rec.Model && alike(settingsOf(o), one.set) })
		if at >= 0 {
			from := pipelines[at].Pipeline
			p.Decode, p.Preprocess = finiteNumber(float64(from.Decode), from.Decode > 0), finiteNumber(float64(from.Preprocess), from.Preprocess > 0)
			p.Forward, p.EndToEnd = finiteNumber(float64(from.Forward), from.Forward > 0), finiteNumber(float64(from.EndToEnd), from.EndToEnd > 0)
		}
		if c := one.counts(); c != nil {
			p.Params, p.MACs = finiteNumber(float64(c.Params), true), finiteNumber(float64(c.MACs), true)
			p.Acts = finiteNumber(float64(c.Activations), c.Activations > 0)
		} else {
			p.Why["params"] = clean(reason(rec, "params", "macs", "latency_p50_ns", "n_images"))
		}
		p50, lo, hi, why := one.median()
		if why != "" {
			p.Why["latency_p50_ns"] = clean(why)
		} else {
			t := one.latency.Timing
			p.P50, p.P50Lo, p.P50Hi = finiteNumber(float64(p50), true), finiteNumber(float64(lo), lo > 0), finiteNumber(float64(hi), lo > 0)
			p.P90 = finiteNumber(float64(t.P90), t.P90 > 0)
			p.Rate = finiteNumber(one.latency.ImagesPerSec, one.latency.ImagesPerSec > 0)
		}
		if one.latency != nil && one.latency.Timing != nil {
			p.Histogram = newHistogram(one.latency.Samples)
		}
		if one.latency != nil && one.latency.Footprint != nil && one.latency.PeakRSSBytes > 0 {
			p.Peak = finiteNumber(float64(one.latency.PeakRSSBytes), true)
		} else {
			p.Why["peak_rss_bytes"] = clean(reason(rec, "peak_rss_bytes", "weights_bytes"))
		}
		if one.latency != nil {
			p.Joules = finiteNumber(one.latency.JoulesPerImage, one.latency.JoulesPerImage > 0)
			if why := one.latency.NotMeasured["joules_per_image"]; why != "" {
				p.Why["joules_per_image"] = clean(why)
			}
		}
		if a, why := one.top1(); why != "" {
			p.Why["top1"] = clean(why)
		} else {
			p.Top1, p.Top1Lo, p.Top1Hi = finiteNumber(a.Top1, true), finiteNumber(a.Top1Lo, true), finiteNumber(a.Top1Hi, true)
			p.Images, p.Dataset, p.DataSHA256 = finiteNumber(float64(a.Images), true), clean(one.eval.Dataset), clean(one.eval.DatasetSHA256)
			_, p.Over = measuredOver(one)
		}
		if pub := one.published(); pub == nil {
			p.Why["published_top1"] = one.unpublished()
		} else if pub.ImgSize == 0 || one.set.ImgSize == 0 || pub.ImgSize == one.set.ImgSize {
			p.Published, p.Set, p.Source = finiteNumber(pub.Top1, true), clean(pub.Dataset), sourceText(pub)
		}
		for _, rec := range []*record.Record{one.latency, one.eval} {
			if rec == nil {
				continue
			}
			for _, text := range slices.Concat(rec.Verdict.Reasons, rec.Verdict.Warnings) {
				if text = clean(text); !slices.Contains(p.Notes, text) {
					p.Notes = append(p.Notes, text)
				}
			}
			p.Invalid = p.Invalid || !rec.Verdict.Valid
		}
		p.LayersKey = addLayers(plans, one.latency, &left)
		rows = append(rows, p)
	}
	return rows, plans
}

// alike reports whether settings are the same but for batch and scenario.
func alike(a, b settings) bool {
	for _, s := range []*settings{&a, &b} {
		s.Batch, s.Scenario, s.query = 0, "", ""
	}
	return a == b
}

// addLayers puts a record's layers into plans, if they are not there yet and left bytes hold them, and returns their key.
func addLayers(plans map[string]layers, rec *record.Record, left *int) string {
	if rec == nil || len(rec.Layers) == 0 {
		return ""
	}
	// Runs choose algorithms anew, and have times of their own.
	set := settingsOf(rec)
	key := fmt.Sprintf("%s %s@%d batch %d threads %d %s", clean(rec.RunID), clean(rec.Model), set.ImgSize, set.Batch, set.Threads, clean(set.ISA))
	if set.Exact {
		key += " direct"
	}
	if set.NoTune {
		key += " untuned"
	}
	if rec.Plan != nil {
		key += " " + clean(rec.Plan.Hash)
	}
	if _, ok := plans[key]; ok {
		return key
	}
	l := layers{Batch: max(rec.Batch, 1), Threads: max(rec.Threads, 1)}
	timed := false
	for _, one := range rec.Layers {
		l.Name, l.Op, l.Algorithm = append(l.Name, clean(one.Name)), append(l.Op, clean(one.Op)), append(l.Algorithm, clean(one.Algorithm))
		l.Out, l.Params, l.MACs = append(l.Out, one.Out), append(l.Params, one.Params), append(l.MACs, one.MACs)
		l.P50 = append(l.P50, one.P50/int64(l.Batch))
		timed = timed || one.P50 > 0
	}
	if !timed {
		l.P50 = nil
	}
	text, err := json.Marshal(l)
	if err != nil || len(text) > *left {
		return ""
	}
	*left -= len(text)
	plans[key] = l
	return key
}

// newHistogram bins samples from the least to three medians, beyond which they are only counted; nil under 11 samples.
func newHistogram(samples []int64) *histogram {
	if len(samples) < 11 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(samples))
	lo, hi := sorted[0], min(sorted[len(sorted)-1], 3*sorted[len(sorted)/2])
	if lo < 0 || hi <= lo {
		return nil
	}
	bins := min(maxBins, max(6, int(math.Sqrt(float64(len(samples))))))
	h := &histogram{Lo: lo, Hi: hi, Count: make([]int, bins)}
	for _, v := range sorted {
		if v > hi {
			h.Above++
			continue
		}
		h.Count[min(int(float64(v-lo)/float64(hi-lo)*float64(bins)), bins-1)]++
	}
	return h
}

// looks gives each family of the rows its marker.
func looks(rows []pageRow) map[string]marking {
	var names []string
	for _, r := range rows {
		names = append(names, r.Family)
	}
	colors := draw.Palette()
	all := map[string]marking{}
	for name, s := range draw.Styles(names) {
		all[name] = marking{slices.Index(colors, s.Color), s.Shape.Corners, s.Shape.Turn}
	}
	return all
}

// A pageView is what the template gets.
type pageView struct {
	Headline string
	Machine  [][2]string
	Rows     []pageRow
	Columns  []pageColumn
	Left     int // rows that the page leaves out
	Findings []pageFinding
	Counts   []verdictCount
	Problems []string
	Sources  []string
	CSS      template.CSS
	JS       template.JS
	Data     template.JS
}

type verdictCount struct {
	Verdict findings.Verdict
	Class   string
	Count   int
}

// writePage writes the page: one HTML file that loads nothing.
func (r *run) writePage(w io.Writer, found []findings.Finding, figures []figure) error {
	images, err := pageImages(figures)
	if err != nil {
		return err
	}
	rows, plans := r.pageRows()
	data := pageData{
		Schema: 1, Machine: clean(r.machine.Class()), Rows: rows, Layers: plans, Families: looks(rows), Findings: pageFindings(found, images),
	}
	peak, read := r.roofs()
	data.Peak, data.Read = finiteNumber(peak, peak > 0), finiteNumber(read, read > 0)
	text, err := json.Marshal(data) // <, >, & and line separators are escaped: nothing in it ends the element
	if err != nil {
		return err
	}
	v := pageView{
		Headline: r.headline(), Machine: r.machineLines(), Rows: rows, Columns: pageColumns(rows), Left: len(r.rows) - len(rows),
		Findings: data.Findings, Problems: r.problems, Sources: r.sources(),
		CSS: template.CSS(pageCSS), JS: template.JS(pageJS), Data: template.JS(text),
	}
	for _, f := range data.Findings {
		i := slices.IndexFunc(v.Counts, func(c verdictCount) bool { return c.Verdict == f.Verdict })
		if i < 0 {
			i = len(v.Counts)
			v.Counts = append(v.Counts, verdictCount{Verdict: f.Verdict, Class: f.Class})
		}
		v.Counts[i].Count++
	}
	page, err := template.New("page").Funcs(template.FuncMap{"cell": pageCell, "symbol": verdictSymbol, "join": strings.Join}).Parse(pageHTML)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// A pageColumn is a column of the page's table: the field of the data that it sorts by.
type pageColumn struct {
	Field, Head, Unit string
	Text              bool
}

// pageColumns are the columns for rows. What top-1 is over is always said where one was measured.
func pageColumns(rows []pageRow) []pageColumn {
	all := []pageColumn{
		{"name", "network", "", true}, {"family", "family", "", true}, {"year", "year", "", false}, {"settings", "settings", "", true}, {"img_size", "size", "px", false},
		{"params", "parameters", "M", false}, {"macs", "MACs", "G", false}, {"latency_p50_ns", "p50", "ms", false}, {"latency_p90_ns", "p90", "ms", false},
		{"images_per_s", "rate", "img/s", false}, {"peak_rss_bytes", "peak memory", "MiB", false}, {"top1", "measured top-1", "%", false}, {"top1_over", "top-1 over", "", true},
		{"published_top1", "published top-1", "%", false},
	}
	if !slices.ContainsFunc(rows, func(r pageRow) bool { return r.Top1 != nil }) {
		all = slices.DeleteFunc(all, func(c pageColumn) bool { return c.Field == "top1_over" })
	}
	return all
}

// A shown is a cell of the page's table: a figure, a smaller interval, or a dash with the reason.
type shown struct{ Text, Interval, Why string }

func pageCell(r pageRow, field string) shown {
	number := func(v *float64, scale float64, decimals int, why string) shown {
		if v == nil {
			return shown{Why: cmp.Or(why, "not measured")}
		}
		d := decimals
		if d < 0 {
			d = digits(*v / scale)
		}
		return shown{Text: fixed(*v/scale, d)}
	}
	interval := func(s shown, v, lo, hi *float64, scale float64, decimals int) shown {
		if s.Text != "" && lo != nil && hi != nil {
			d := decimals
			if d < 0 {
				d = digits(*v / scale)
			}
			s.Interval = fixed(*lo/scale, d) + "–" + fixed(*hi/scale, d)
		}
		return s
	}
	timed := r.Why["latency_p50_ns"]
	switch field {
	case "name":
		return shown{Text: r.Name}
	case "family":
		return shown{Text: r.Family}
	case "settings":
		return shown{Text: strings.Trim(r.Experiment+" · "+r.Settings, " ·")}
	case "year":
		return number(r.Year, 1, 0, "no year is recorded")
	case "img_size":
		return number(r.Size, 1, 0, timed)
	case "params":
		return number(r.Params, 1e6, 2, r.Why["params"])
	case "macs":
		return number(r.MACs, 1e9, 3, r.Why["params"])
	case "latency_p50_ns":
		return interval(number(r.P50, 1e6, -1, timed), r.P50, r.P50Lo, r.P50Hi, 1e6, -1)
	case "latency_p90_ns":
		return number(r.P90, 1e6, -1, cmp.Or(timed, "too few samples for a 90th percentile"))
	case "images_per_s":
		return number(r.Rate, 1, -1, timed)
	case "peak_rss_bytes":
		return number(r.Peak, 1<<20, 0, r.Why["peak_rss_bytes"])
	case "top1":
		if r.Images == nil {
			return number(nil, 1, 0, r.Why["top1"])
		}
		d := top1Digits(int(*r.Images))
		return interval(number(r.Top1, 1, d, r.Why["top1"]), r.Top1, r.Top1Lo, r.Top1Hi, 1, d)
	case "top1_over":
		if r.Over == "" {
			return shown{Why: r.Why["top1"]}
		}
		return shown{Text: r.Over}
	case "published_top1":
		s := number(r.Published, 1, 2, cmp.Or(r.Why["published_top1"], "no published figure is known for this network at this size"))
		if s.Text != "" {
			s.Text += onSet(r.Set)
		}
		return s
	}
	return shown{}
}

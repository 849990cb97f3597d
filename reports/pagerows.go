package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"zoobench/bench/record"
	"zoobench/reports/draw"
)

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
	Cost       *float64          `json:"cost_per_million,omitempty"` // of images, at the machine's price
	Peak       *float64          `json:"peak_rss_bytes"`
	Joules     *float64          `json:"joules_per_image"`
	Batch      *float64          `json:"batch"`
	Threads    *float64          `json:"threads"`
	Load       *float64          `json:"load_ns"`
	Tune       *float64          `json:"tune_ns"`
	Decode     *float64          `json:"decode_p50_ns"` // this and the next three are of a pipeline record; see setPipeline
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

// number returns v for JSON, nil where it is none.
func number(v float64) *float64 {
	if !finite(v) {
		return nil
	}
	return &v
}

// positive returns v for JSON, nil where it is not above zero and so was not measured.
func positive[T int | int64 | float64](v T) *float64 {
	if v > 0 {
		return number(float64(v))
	}
	return nil
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
			Name: one.name(), Model: clean(one.model()), Family: clean(rec.Family), Year: positive(rec.Year),
			Experiment: clean(one.experiment()), Settings: join(varying(one)),
			Size: positive(one.set.ImgSize), Batch: positive(one.set.Batch), Threads: positive(one.set.Threads),
			Why: map[string]string{},
		}
		p.setCost(one)
		p.setLatency(one)
		p.setFootprint(one)
		p.setPipeline(one, pipelines)
		p.setAccuracy(one)
		p.setVerdict(one.latency, one.eval)
		p.LayersKey = addLayers(plans, one.latency, &left)
		rows = append(rows, p)
	}
	return rows, plans
}

// setCost fills in what is counted from the graph.
func (p *pageRow) setCost(r *row) {
	c := r.counts()
	if c == nil {
		p.Why["params"] = clean(reason(r.any(), "params", "macs", "latency_p50_ns", "n_images"))
		return
	}
	p.Params, p.MACs, p.Acts = number(float64(c.Params)), number(float64(c.MACs)), positive(c.Activations)
}

// setLatency fills in the times of forward calls, what they took of energy, and how they were computed.
func (p *pageRow) setLatency(r *row) {
	l := r.latency
	p50, lo, hi, why := r.p50()
	if why != "" {
		p.Why["latency_p50_ns"] = clean(why)
	} else {
		p.P50, p.P90, p.Rate = number(float64(p50)), positive(l.P90), positive(l.ImagesPerSec)
		p.Cost = positive(r.cost1M())
		if lo > 0 {
			p.P50Lo, p.P50Hi = number(float64(lo)), number(float64(hi))
		}
	}
	if l == nil {
		return
	}
	if l.Timing != nil {
		p.Histogram = newHistogram(l.Samples)
	}
	p.Joules = positive(l.JoulesPerImage)
	if why := l.NotMeasured["joules_per_image"]; why != "" {
		p.Why["joules_per_image"] = clean(why)
	}
	p.Recheck = clean(l.Recheck.Text())
	if l.Plan != nil {
		p.Plan = clean(fmt.Sprintf("%s, algorithms by %s", l.Plan.Hash, l.Plan.Source))
	}
}

// setFootprint fills in what the network takes up, and the time until it is ready.
func (p *pageRow) setFootprint(r *row) {
	if r.latency != nil && r.latency.Footprint != nil {
		f := r.latency.Footprint
		p.Load, p.Tune, p.Peak = positive(f.Load), positive(f.Tune), positive(f.PeakRSSBytes)
	}
	if p.Peak == nil {
		p.Why["peak_rss_bytes"] = clean(reason(r.any(), "peak_rss_bytes", "weights_bytes"))
	}
}

// setPipeline fills in the way from file to prediction, from the first pipeline with the row's network and settings; its
// batch and scenario may be others.
func (p *pageRow) setPipeline(r *row, pipelines []*record.Record) {
	at := slices.IndexFunc(pipelines, func(o *record.Record) bool { return o.Model == r.model() && alike(settingsOf(o), r.set) })
	if at < 0 {
		return
	}
	from := pipelines[at].Pipeline
	p.Decode, p.Preprocess = positive(from.Decode), positive(from.Preprocess)
	p.Forward, p.EndToEnd = positive(from.Forward), positive(from.EndToEnd)
}

// setAccuracy fills in the measured top-1 with its images, and the published one.
func (p *pageRow) setAccuracy(r *row) {
	if a, why := r.top1(); why != "" {
		p.Why["top1"] = clean(why)
	} else {
		p.Top1, p.Top1Lo, p.Top1Hi = number(a.Top1), number(a.Top1Lo), number(a.Top1Hi)
		p.Images, p.Dataset, p.DataSHA256 = number(float64(a.Images)), clean(r.eval.Dataset), clean(r.eval.DatasetSHA256)
		_, p.Over = measuredOver(r)
	}
	if pub := r.published(); pub == nil {
		p.Why["published_top1"] = r.unpublished()
	} else if pub.ImgSize == 0 || r.set.ImgSize == 0 || pub.ImgSize == r.set.ImgSize {
		p.Published, p.Set, p.Source = number(pub.Top1), clean(pub.Dataset), sourceText(pub)
	}
}

// setVerdict fills in what the verdicts of records say, which may be nil.
func (p *pageRow) setVerdict(records ...*record.Record) {
	for _, rec := range records {
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
}

// addLayers puts a record's layers into plans, if they are not there yet and left bytes hold them, and returns their key.
func addLayers(plans map[string]layers, rec *record.Record, left *int) string {
	if rec == nil || len(rec.Layers) == 0 {
		return ""
	}
	// Runs choose algorithms anew, and have times of their own.
	set := settingsOf(rec)
	set.Scenario, set.query = "", ""
	key := clean(rec.RunID) + " " + clean(rec.Model) + ": " + set.text()
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

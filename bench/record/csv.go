package record

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A column of a CSV table: its header and the text of a record's cell, empty where the record has no value.
type column struct {
	name string
	cell func(r *Record) string
}

// evalColumns are, up to interpolation, those of timm's results-imagenet.csv in timm's order, in timm's units:
// percent, and millions of parameters.
var evalColumns = []column{
	{"model", (*Record).Name},
	{"img_size", func(r *Record) string { return whole(int64(r.ImgSize)) }},
	{"top1", accuracy(func(a *Accuracy) float64 { return a.Top1 })},
	{"top1_err", accuracy(func(a *Accuracy) float64 { return 100 - a.Top1 })},
	{"top5", accuracy(func(a *Accuracy) float64 { return a.Top5 })},
	{"top5_err", accuracy(func(a *Accuracy) float64 { return 100 - a.Top5 })},
	{"param_count", cost(func(c *Cost) string { return fixed(float64(c.Params)/1e6, 2) })},
	{"crop_pct", recipe(func(p *Recipe) string { return fixed(p.CropPct, 3) })},
	{"interpolation", recipe(func(p *Recipe) string { return p.Interpolation })},

	{"n_images", accuracyCount(func(a *Accuracy) int { return a.Images })},
	{"top1_lo", accuracy(func(a *Accuracy) float64 { return a.Top1Lo })},
	{"top1_hi", accuracy(func(a *Accuracy) float64 { return a.Top1Hi })},
	{"top5_lo", accuracy(func(a *Accuracy) float64 { return a.Top5Lo })},
	{"top5_hi", accuracy(func(a *Accuracy) float64 { return a.Top5Hi })},
	{"unreadable", accuracyCount(func(a *Accuracy) int { return a.Unreadable })},
	{"images_per_s", func(r *Record) string { return rate(r.ImagesPerSec) }},
	{"macs", cost(func(c *Cost) string { return whole(c.MACs) })},
	{"published_top1", published(func(p *Published) float64 { return p.Top1 })},
	{"published_top5", published(func(p *Published) float64 { return p.Top5 })},
	{"published_img_size", func(r *Record) string {
		if r.Published == nil {
			return ""
		}
		return whole(int64(r.Published.ImgSize))
	}},
	{"published_source", func(r *Record) string {
		if r.Published == nil {
			return ""
		}
		return r.Published.Source
	}},
	{"dataset", func(r *Record) string { return r.Dataset }},
	{"dataset_sha256", func(r *Record) string { return r.DatasetSHA256 }},
	{"weights_sha256", func(r *Record) string { return r.WeightsSHA256 }},
	{"valid", valid},
	{"not_measured", why("top1")},
	{"answers", func(r *Record) string { return r.Answers }},
	{"corruption", func(r *Record) string { return r.RanWith().Corruption }},
}

// latencyColumns are, up to infer_macts, those of timm's benchmark-infer tables in timm's order, in timm's units:
// milliseconds a batch, images a second, and millions of parameters and activations; giga-MACs. Where a query is no
// batch, as in the multi-stream and the server, the column of the batch's time is empty and the latencies are the
// query's.
var latencyColumns = []column{
	{"model", (*Record).Name},
	{"infer_img_size", func(r *Record) string { return whole(int64(r.ImgSize)) }},
	{"infer_samples_per_sec", func(r *Record) string { return rate(r.ImagesPerSec) }},
	{"infer_step_time", func(r *Record) string {
		if r.Timing == nil || !r.Batches() {
			return ""
		}
		return fixed(r.Mean/1e6, 3)
	}},
	{"infer_batch_size", func(r *Record) string { return whole(int64(r.Batch)) }},
	{"param_count", cost(func(c *Cost) string { return fixed(float64(c.Params)/1e6, 2) })},
	{"infer_gmacs", cost(func(c *Cost) string { return fixed(float64(c.MACs)/1e9, 2) })},
	{"infer_macts", cost(func(c *Cost) string { return fixed(float64(c.Activations)/1e6, 2) })},

	{"threads", func(r *Record) string { return whole(int64(r.Threads)) }},
	{"isa", func(r *Record) string { return r.Machine.ISA }},
	{"scenario", func(r *Record) string { return r.Scenario }},
	{"params", cost(func(c *Cost) string { return whole(c.Params) })},
	{"macs", cost(func(c *Cost) string { return whole(c.MACs) })},
	{"latency_p50_ns", timing(func(t *Timing) string { return whole(t.P50) })},
	{"latency_p50_lo_ns", timing(func(t *Timing) string { return whole(t.P50Lo) })},
	{"latency_p50_hi_ns", timing(func(t *Timing) string { return whole(t.P50Hi) })},
	{"latency_p90_ns", timing(func(t *Timing) string { return whole(t.P90) })},
	{"latency_p95_ns", timing(func(t *Timing) string { return whole(t.P95) })},
	{"latency_p99_ns", timing(func(t *Timing) string { return whole(t.P99) })},
	{"latency_min_ns", timing(func(t *Timing) string { return whole(t.Min) })},
	{"latency_mean_ns", timing(func(t *Timing) string { return fixed(t.Mean, 1) })},
	{"n", timing(func(t *Timing) string { return whole(int64(t.N)) })},
	{"weights_bytes", footprint(func(f *Footprint) int64 { return f.WeightsBytes })},
	{"arena_bytes", footprint(func(f *Footprint) int64 { return f.ArenaBytes })},
	{"peak_rss_bytes", footprint(func(f *Footprint) int64 { return f.PeakRSSBytes })},
	{"load_ns", footprint(func(f *Footprint) int64 { return f.Load })},
	{"experiment", func(r *Record) string { return r.Experiment }},
	{"valid", valid},
	{"not_measured", why("latency_p50_ns")},
	{"predictions_checked", recheck(func(c *Recheck) int { return c.Checked })},
	{"predictions_same", recheck(func(c *Recheck) int { return c.Same })},
	{"streams", func(r *Record) string { return whole(int64(r.Ran().Streams)) }},
	{"rate_images_per_s", func(r *Record) string { return exactly(r.Ran().Rate) }},
	{"latency_bound_ns", func(r *Record) string { return whole(int64(r.Ran().LatencyBound)) }},
	{"late_queries", func(r *Record) string {
		if r.Timing == nil || r.Ran().LatencyBound == 0 {
			return ""
		}
		return strconv.Itoa(r.Late)
	}},
	{"unanswered_queries", func(r *Record) string {
		if r.Timing == nil || r.Ran().Rate == 0 {
			return ""
		}
		return strconv.Itoa(r.Unanswered)
	}},
	{"processes", timing(func(t *Timing) string { return whole(int64(len(t.Processes))) })},
	{"between_percent", timing(func(t *Timing) string { return rate(t.BetweenPercent) })},
	{"within_percent", timing(func(t *Timing) string { return rate(t.WithinPercent) })},
	{"price_per_hour", func(r *Record) string { return exactly(r.price()) }},
	{"cost_per_million", func(r *Record) string { return CostText(r.CostPerMillion()) }},
}

// Batches reports whether a latency row's queries are batches.
func (r *Record) Batches() bool { return r.Scenario != "multi_stream" && r.Scenario != "server" }

// WriteEvalCSV writes the eval records of rs as a table with the columns of timm's results-imagenet.csv and, after
// them, zoobench's own. Published accuracies have columns of their own; a row without a measured one says why under
// not_measured.
func WriteEvalCSV(w io.Writer, rs []Record) error { return writeCSV(w, rs, KindEval, evalColumns) }

// WriteLatencyCSV writes the latency records of rs as a table with the columns of timm's benchmark-infer tables and,
// after them, zoobench's own. A percentile for which there are too few samples is an empty cell.
func WriteLatencyCSV(w io.Writer, rs []Record) error {
	return writeCSV(w, rs, KindLatency, latencyColumns)
}

func writeCSV(w io.Writer, rs []Record, kind Kind, columns []column) error {
	if slices.ContainsFunc(rs, func(r Record) bool { return r.Kind == kind && precision(&r) != "" }) {
		columns = append(slices.Clip(columns), column{"precision", func(r *Record) string { return cmp.Or(precision(r), Float32) }})
	}
	cw := csv.NewWriter(w)
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = c.name
	}
	cw.Write(row) // the writer keeps its first error
	for i := range rs {
		if rs[i].Kind != kind {
			continue
		}
		for j, c := range columns {
			row[j] = c.cell(&rs[i])
		}
		cw.Write(row)
	}
	cw.Flush()
	if err := cw.Error(); err != nil {
		return fmt.Errorf("record: csv: %w", err)
	}
	return nil
}

// precision is what a record's products were computed with, "" for float32. Tables have a column of it only where one has another.
func precision(r *Record) string { return r.RanWith().Precision }

// The builders below turn a figure of one group into a cell that is empty where the group was not measured.

func accuracy(f func(*Accuracy) float64) func(*Record) string {
	return func(r *Record) string {
		if r.Accuracy == nil {
			return ""
		}
		return fixed(f(r.Accuracy), 3)
	}
}

func accuracyCount(f func(*Accuracy) int) func(*Record) string {
	return func(r *Record) string {
		if r.Accuracy == nil {
			return ""
		}
		return strconv.Itoa(f(r.Accuracy))
	}
}

func cost(f func(*Cost) string) func(*Record) string {
	return func(r *Record) string {
		if r.Cost == nil {
			return ""
		}
		return f(r.Cost)
	}
}

func recipe(f func(*Recipe) string) func(*Record) string {
	return func(r *Record) string {
		if r.Recipe == nil {
			return ""
		}
		return f(r.Recipe)
	}
}

func recheck(f func(*Recheck) int) func(*Record) string {
	return func(r *Record) string {
		if r.Recheck == nil || r.Recheck.Checked == 0 {
			return ""
		}
		return strconv.Itoa(f(r.Recheck))
	}
}

func timing(f func(*Timing) string) func(*Record) string {
	return func(r *Record) string {
		if r.Timing == nil {
			return ""
		}
		return f(r.Timing)
	}
}

func footprint(f func(*Footprint) int64) func(*Record) string {
	return func(r *Record) string {
		if r.Footprint == nil {
			return ""
		}
		return whole(f(r.Footprint))
	}
}

func published(f func(*Published) float64) func(*Record) string {
	return func(r *Record) string {
		if r.Published == nil || f(r.Published) == 0 {
			return ""
		}
		return fixed(f(r.Published), 3)
	}
}

func valid(r *Record) string { return strconv.FormatBool(r.Verdict.Valid) }

// why returns a cell with the reason that main was not measured, else with the reasons of every other column that was
// not, in the columns' alphabetical order.
func why(main string) func(*Record) string {
	return func(r *Record) string {
		if (main == "top1" && r.Accuracy == nil) || (main != "top1" && r.Timing == nil) {
			return r.Why(main)
		}
		var parts []string
		for column, reason := range r.NotMeasured {
			parts = append(parts, column+": "+reason)
		}
		slices.Sort(parts)
		return strings.Join(parts, "; ")
	}
}

// whole writes an integer, and nothing for a 0 that means no value.
func whole(v int64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatInt(v, 10)
}

func fixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// exactly writes a setting with the digits that it has, and nothing for 0.
func exactly(v float64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// rate writes a rate to two decimals, and nothing for one that was not measured.
func rate(v float64) string {
	if v == 0 {
		return ""
	}
	return fixed(v, 2)
}

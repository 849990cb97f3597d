package reports

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// stageName is a record's network with what names its weights, and the precision, safe to print.
func stageName(rec *record.Record) string {
	return clean(record.Axes{Precision: rec.RanWith().Precision}.Named(nameOf(rec)))
}

// loads returns the records with the time that a network takes to get ready, a network, checkpoint and size once: load
// records, else latency records.
func (r *run) loads() []*record.Record {
	var all []*record.Record
	type id struct {
		name string
		size int
	}
	seen := map[id]bool{}
	add := func(rec *record.Record) {
		if k := (id{stageName(rec), rec.ImgSize}); rec.Footprint != nil && rec.Load > 0 && !seen[k] {
			seen[k] = true
			all = append(all, rec)
		}
	}
	for i := range r.sound {
		if r.sound[i].Kind == record.KindLoad {
			add(&r.sound[i])
		}
	}
	for _, one := range r.tabled() {
		if l := one.latency; l != nil {
			add(l)
		}
	}
	return all
}

// pipelines returns the records of the way from file to prediction.
func (r *run) pipelines() []*record.Record {
	return slices.DeleteFunc(latest(r.sound, record.KindPipeline), func(rec *record.Record) bool { return rec.Pipeline == nil })
}

// writeStages writes what it takes until a network is ready, and from file to prediction.
func (r *run) writeStages(out *bufio.Writer) {
	table := func(heads []string, lines [][]string) {
		fmt.Fprintf(out, "| %s |\n| ---%s |\n", strings.Join(heads, " | "), strings.Repeat(" | ---:", len(heads)-1))
		for _, l := range lines {
			fmt.Fprintf(out, "| %s |\n", strings.Join(l, " | "))
		}
	}
	figure := func(v float64) string { return fixed(v, digits(v)) }
	mebi := func(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }
	if all := r.loads(); len(all) > 0 {
		var lines [][]string
		for _, rec := range all {
			tune := "–"
			if rec.Tune > 0 {
				tune = figure(ms(rec.Tune))
			}
			lines = append(lines, []string{
				markdown(stageName(rec)), fmt.Sprint(rec.ImgSize), figure(ms(rec.Load)), tune, mebi(rec.WeightsBytes), mebi(rec.ArenaBytes),
			})
		}
		fmt.Fprint(out, "\n## Getting ready\n\n"+
			"The time until a network can run, from the file of its weights or from their generator. It is part of no latency. "+
			"Trials choose the algorithms of layers; load ms does not include them.\n\n")
		table([]string{"model", "px", "load ms", "trials ms", "packed weights MiB", "arena MiB"}, lines)
	}
	if all := r.pipelines(); len(all) > 0 {
		var lines [][]string
		for _, rec := range all {
			p := rec.Pipeline
			lines = append(lines, []string{
				markdown(stageName(rec)), fmt.Sprint(rec.ImgSize), fmt.Sprint(rec.Threads), fmt.Sprint(rec.Batch), fmt.Sprint(p.PipelineN),
				figure(ms(p.Decode)), figure(ms(p.Preprocess)), figure(ms(p.Forward)), figure(ms(p.EndToEnd)), figure(rec.ImagesPerSec),
			})
		}
		fmt.Fprint(out, "\n## From file to prediction\n\n"+
			"Medians in ms per image. Decoding and preparing use one core, forward calls use all threads; each is measured alone. "+
			"End to end is everything at once.\n\n")
		table([]string{"model", "px", "threads", "batch", "images", "decode", "prepare", "forward", "end to end", "img/s"}, lines)
	}
}

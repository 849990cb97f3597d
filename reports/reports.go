// Package reports turns records into what people read: the table on the terminal, the folder of a run with its pages, its
// plots and its machine-readable tables.
//
// Contract: reports reads records and runs nothing. Every figure that it shows is in a record; one that was not
// measured is a mark with the reason beneath, never a blank and never a published figure in its place: published
// accuracies have a column, a plot and a marker of their own. Timings of two machine classes are refused, because
// they may not share a column. Names, reasons and paths come from outside: they are escaped for the terminal,
// Markdown, CSV and SVG, each in its own way. The same records give the same bytes.
//
// It leaves measuring and its verdicts to bench/load and bench/runner, the schema and its timm-style CSV columns to
// bench/record, the claims that records may support to reports/findings, and drawing to reports/draw.
package reports

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/reports/findings"
)

// Write renders records into the folder dir, which it makes if need be: latency.csv and accuracy.csv (timm's
// columns), bench.txt (Go benchmark text, for benchstat), report.md, report.html (the page: one file that loads
// nothing), tables.tex, model-index.yml where an accuracy was measured, and the plots that the records allow, as SVG
// and PNG.
//
// Problems are the record file's bad lines, which the reports list; given is what findings rest on besides records,
// the zero value where there is nothing; sheets show the images that records are about. Each file is replaced as a whole
// or not at all, and a plot of an earlier call that these records do not allow is removed. It returns the paths in the
// order above. Records of two machine classes are a [ClassError]; any other error names the file, and the files written
// before it stay.
func Write(dir string, records []record.Record, problems []record.Problem, given findings.Given, sheets ...Sheet) ([]string, error) {
	run, err := newRun(records, problems)
	if err != nil {
		return nil, err
	}
	run.sheets = sheets
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	files := run.files(given)
	stale := map[string]bool{modelIndex: true}
	for _, name := range plotNames() {
		stale[name+".svg"], stale[name+".png"] = true, true
	}
	var paths []string
	for _, f := range files {
		stale[f.name] = false
		path := filepath.Join(dir, f.name)
		if err := record.Replace(path, f.write); err != nil {
			return paths, fmt.Errorf("reports: %w", err)
		}
		paths = append(paths, path)
	}
	for name := range stale {
		if !stale[name] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return paths, fmt.Errorf("reports: %w", err)
		}
	}
	return paths, nil
}

// files are the files of a run's report, in the order in which Write returns them.
func (r *run) files(given findings.Given) []file {
	found := findings.Test(r.sound, given)
	figures := r.figures(found)
	files := []file{
		{"latency.csv", func(w io.Writer) error { return record.WriteLatencyCSV(w, r.sound) }},
		{"accuracy.csv", func(w io.Writer) error { return record.WriteEvalCSV(w, r.sound) }},
		{"bench.txt", func(w io.Writer) error { return record.WriteGoBench(w, r.sound) }},
		{"report.md", func(w io.Writer) error { return r.writeMarkdown(w, found, figures) }},
		{"report.html", func(w io.Writer) error { return r.writePage(w, found, figures) }},
		{"tables.tex", r.writeLaTeX},
	}
	if len(r.evaluated()) > 0 {
		files = append(files, file{modelIndex, r.writeModelIndex})
	}
	for _, f := range figures {
		files = append(files, file{f.name + ".svg", f.SVG}, file{f.name + ".png", f.PNG})
	}
	return files
}

// modelIndex is the file of measured accuracies for model hubs.
const modelIndex = "model-index.yml"

// A file is a name within the report's folder and what fills it.
type file struct {
	name  string
	write func(io.Writer) error
}

// A ClassError says that records come from machines whose timings may not share a column.
type ClassError struct {
	Classes []string // each once, in the order of the records
}

// Error names the classes.
func (e *ClassError) Error() string {
	return fmt.Sprintf("reports: records of %d machine classes (%s), want one: their timings may not share a column",
		len(e.Classes), strings.Join(e.Classes, "; "))
}

// A run is what a report is made of.
type run struct {
	sound    []record.Record // those that JSON can hold and that say what they must: all figures are theirs
	rows     []row
	small    []row            // of small networks, where there are rows of others too: they have tables and plots of their own
	worsened []row            // accuracies on corrupted images: tables have them in summary
	hosts    []*record.Record // the machine itself, in the order of measurement: before the timed jobs and after them
	machine  record.Machine
	sheets   []Sheet
	problems []string // lines and records that could not be used, ready to print
}

// newRun joins records to rows; it refuses records of the times of more than one machine class.
func newRun(records []record.Record, problems []record.Problem) (*run, error) {
	r := &run{}
	var classes []string
	for i := range records {
		rec := &records[i]
		if r.machine.CPU == "" {
			r.machine = rec.Machine
		}
		if rec.Kind == record.KindEval || rec.Kind == record.KindCost {
			continue // the same wherever it was computed
		}
		// A record without a machine is unsound, and reported as such below.
		if class := clean(rec.Machine.Class()); rec.Machine.CPU != "" && !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	if len(classes) < 2 {
		classes = peaksApart(records)
	}
	if len(classes) > 1 {
		return nil, &ClassError{classes}
	}
	for _, p := range problems {
		r.problems = append(r.problems, clean(p.String()))
	}
	for _, rec := range records {
		rec.Schema = record.Schema
		if err := rec.Check(); err != nil {
			text := strings.ReplaceAll(err.Error(), "\n", "; ")
			r.problems = append(r.problems, clean(fmt.Sprintf("%s %s: %s", rec.Kind, rec.Name(), text)))
			continue
		}
		r.sound = append(r.sound, rec)
	}
	for i := range r.sound {
		if rec := &r.sound[i]; rec.Kind == record.KindHost && rec.Host != nil {
			r.hosts = append(r.hosts, rec)
		}
	}
	slices.SortStableFunc(r.hosts, func(a, b *record.Record) int { return a.Time.Compare(b.Time) })
	r.rows = newRows(r.sound)
	r.rows, r.worsened = corruptedApart(r.rows)
	r.rows, r.small = smallApart(r.rows)
	return r, nil
}

// peaksApart are the runs whose measured peaks are too far apart for one class of machine, the slowest and the quickest, as
// a ClassError names classes; none where all are of one.
func peaksApart(records []record.Record) []string {
	runs := map[string][]record.Record{}
	var order []string
	for _, rec := range records {
		if rec.Host == nil {
			continue
		}
		if runs[rec.RunID] == nil {
			order = append(order, rec.RunID)
		}
		runs[rec.RunID] = append(runs[rec.RunID], rec)
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(record.Peak(runs[a]), record.Peak(runs[b])) })
	order = slices.DeleteFunc(order, func(id string) bool { return !(record.Peak(runs[id]) > 0) })
	if len(order) < 2 {
		return nil
	}
	slow, quick := order[0], order[len(order)-1]
	if record.SamePeak(record.Peak(runs[slow]), record.Peak(runs[quick])) {
		return nil
	}
	var names []string
	for _, id := range []string{slow, quick} {
		names = append(names, clean(fmt.Sprintf("%s on %s, peak of %.0f GFLOP/s a core", id, runs[id][0].Machine.Title(), record.Peak(runs[id]))))
	}
	return names
}

// roofs are the most that one core was measured to do, in GFLOP/s, and to read, in GB/s: other work on the machine makes
// both less and neither more. They are 0 where they were not measured.
func (r *run) roofs() (peak, read float64) {
	for i := range r.sound {
		if h := r.sound[i].Host; h != nil {
			read = max(read, h.ReadGBytes)
		}
	}
	return record.Peak(r.sound), read
}

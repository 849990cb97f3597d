package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"

	"zoobench/bench/record"
)

// A Report is a comparison with what names it.
type Report struct {
	*Result
	Outcome Verdict        `json:"verdict"`
	Suite   string         `json:"suite"`
	Base    string         `json:"base"` // commits
	Head    string         `json:"head"`
	Machine record.Machine `json:"machine"`
	CPU     int            `json:"cpu"` // the core; below 0 for none in particular
	// Unit is the samples': nanoseconds a call, or calls of a calibration kernel.
	Unit string    `json:"unit"`
	Time time.Time `json:"time"`
}

// The units of a report's samples.
const (
	Nanoseconds  = "ns/op"
	Calibrations = "calibrations/op"
)

// Sentence is the outcome in one sentence.
func (r *Report) Sentence() string {
	var parts []string
	for _, v := range []Verdict{Slower, Faster, Same, Undecided, Gone, New} {
		n := r.count(v)
		if v == Undecided {
			calm := r.countCalm()
			n -= calm
			if calm > 0 {
				parts = append(parts, fmt.Sprintf("%d not slower", calm))
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	mean := fmt.Sprintf("geometric mean %s", percent(r.GeoMean))
	if r.GeoHi > 0 {
		mean += fmt.Sprintf(" [%s, %s]", percent(r.GeoLo), percent(r.GeoHi))
	}
	return fmt.Sprintf("%s: %s; %s of %.12s against %.12s, threshold %g %%, %v",
		r.Outcome, strings.Join(parts, ", "), mean, r.Head, r.Base, 100*r.Threshold, r.Elapsed.Round(time.Second))
}

// countCalm is how many undecided rows are not slower in any case.
func (r *Report) countCalm() int {
	n := 0
	for i := range r.Rows {
		if r.Rows[i].Verdict == Undecided && r.Rows[i].NotSlower {
			n++
		}
	}
	return n
}

// Columns are the titles of a table of rows.
func Columns() []string {
	return []string{"benchmark", "base", "head", "change", "95 %", "noise", "p", "rounds", "verdict"}
}

// Cells are the cells of a row.
func (r *Report) Cells(row *Row) []string {
	if row.Verdict == Gone || row.Verdict == New {
		return []string{row.Bench, "", "", "", "", "", "", "", string(row.Verdict)}
	}
	interval := "–"
	if row.Hi > 0 {
		interval = percent(row.Lo) + " … " + percent(row.Hi)
	}
	verdict := string(row.Verdict)
	if row.Verdict == Undecided && row.NotSlower {
		verdict = "not slower"
	}
	return []string{
		row.Bench, r.quantity(median(row.Base)), r.quantity(median(row.Head)), percent(row.Ratio), interval,
		fmt.Sprintf("±%.1f %%", 100*row.Floor.at(row.Rounds)), fmt.Sprintf("%.2g", row.P), fmt.Sprint(row.Rounds), verdict,
	}
}

// quantity is a sample as text.
func (r *Report) quantity(v float64) string {
	switch {
	case r.Unit != Nanoseconds:
		return fmt.Sprintf("%.4g", v)
	case v < 1e6:
		return fmt.Sprintf("%.4g µs", v/1e3)
	}
	return fmt.Sprintf("%.4g ms", v/1e6)
}

// percent is a ratio as a change.
func percent(ratio float64) string { return fmt.Sprintf("%+.1f %%", 100*(ratio-1)) }

// Ordered are the rows with what needs attention first.
func (r *Report) Ordered() []Row {
	rank := func(v Verdict) int { return slices.Index([]Verdict{Slower, Gone, Undecided, Faster, Same, New}, v) }
	rows := slices.Clone(r.Rows)
	slices.SortStableFunc(rows, func(a, b Row) int { return rank(a.Verdict) - rank(b.Verdict) })
	return rows
}

// WriteMarkdown writes the report as a comment for a pull request.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**Speed of %s: %s**\n\n", r.Suite, r.Sentence())
	line := func(cells []string) {
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	line(Columns())
	b.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|---|\n")
	for _, row := range r.Ordered() {
		line(r.Cells(&row))
	}
	b.WriteString("\nChange is head's time compared with base's, estimated from all rounds. Noise is how far base differs " +
		"from itself, in 19 of 20 cases, after as many rounds and with its code at other addresses.\n")
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\n- %s", note)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\n%s; core %d.\n", r.Machine.Title(), r.CPU)
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes the report with every sample.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// WriteGoBench writes sides' samples in Go's benchmark format, a line a sample. benchstat compares two files of one
// side each, or one of both by -col side. The commits are left out: benchstat compares samples only where all else in
// the text is equal.
func (r *Report) WriteGoBench(w io.Writer, sides ...Side) error {
	bw := benchfmt.NewWriter(w)
	for _, side := range sides {
		result := &benchfmt.Result{Iters: 1}
		configs := [][2]string{{"goos", r.Machine.OS}, {"goarch", r.Machine.Arch}, {"cpu", r.Machine.CPU}, {"suite", r.Suite}}
		if len(sides) > 1 {
			configs = append(configs, [2]string{"side", side.String()})
		}
		for _, c := range configs {
			if c[1] != "" {
				result.Config = append(result.Config, benchfmt.Config{Key: c[0], Value: []byte(strings.Join(strings.Fields(c[1]), " ")), File: true})
			}
		}
		for i := range r.Rows {
			row := &r.Rows[i]
			result.Name = benchfmt.Name(row.Bench)
			for _, v := range [2][]float64{row.Base, row.Head}[side] {
				value := benchfmt.Value{Value: v, Unit: r.Unit}
				if r.Unit == Nanoseconds {
					value = benchfmt.Value{Value: v / 1e9, Unit: "sec/op", OrigValue: v, OrigUnit: "ns/op"}
				}
				result.Values = []benchfmt.Value{value}
				if err := bw.Write(result); err != nil {
					return fmt.Errorf("gate: go benchmark text: %w", err)
				}
			}
		}
	}
	return nil
}

// WriteFiles writes all forms to a folder that exists: gate.json, gate.md, and base.txt and head.txt for benchstat.
func (r *Report) WriteFiles(dir string) error {
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"gate.json", r.WriteJSON},
		{"gate.md", r.WriteMarkdown},
		{"base.txt", func(w io.Writer) error { return r.WriteGoBench(w, Base) }},
		{"head.txt", func(w io.Writer) error { return r.WriteGoBench(w, Head) }},
	} {
		if err := record.Replace(filepath.Join(dir, f.name), f.write); err != nil {
			return err
		}
	}
	return nil
}

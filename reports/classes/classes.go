// Package classes compares classes of machine: how long the networks of one run take on each of them, and whose order changes.
//
// The contract: a row is a network under one set of settings, a column a class. Times of two classes never share a column,
// a network's place is its rank in its own column, and a time without a sound measurement is a dash with its reason beneath.
// The order of two networks changes if one is quicker on one class and the other on another, with 95 % intervals that do not
// overlap on either. The same records give the same bytes.
//
// It leaves the report of each class by itself to reports, and measuring to bench/runner.
package classes

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"zoobench/bench/record"
	"zoobench/bench/stat"
	"zoobench/reports/draw"
	"zoobench/reports/text"
)

// A Comparison is timed rows by class.
type Comparison struct {
	Classes []Class
	Rows    []Row // in order of the first class's times, rows that it lacks last
}

// A Class is one class of machine.
type Class struct {
	Name    string // as the records have it
	Title   string // the machine for people
	Records []record.Record
	// Spearman is the rank correlation of its medians with the first class's, over the rows that both have; 0 for fewer than 3.
	Spearman float64
	Common   int // rows that both have
}

// A Row is one network under one set of settings.
type Row struct {
	Name, Family string
	Settings     string // what tells it from other rows of the network, "" where there are none
	Cells        []Cell // one a class
}

// A Cell is a row's time on one class.
type Cell struct {
	Record *record.Record // nil where the class has no row
	Rank   int            // among the sound times of the class, from 1 on; 0 where there is none
	Why    string         // why there is no sound time
}

// Of returns the classes of timed records, each once, in the order of the records.
func Of(records []record.Record) (names []string) {
	for i := range records {
		if r := &records[i]; r.Kind == record.KindLatency && r.Timing != nil {
			if name := r.Machine.Class(); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Split returns the records of each class: the timed ones and the machine's own of that class, and the accuracies, which are the
// same wherever they were computed, with each.
func Split(records []record.Record) []Class {
	var all []Class
	for _, name := range Of(records) {
		c := Class{Name: name}
		for _, r := range records {
			own := r.Machine.Class() == name
			if own && c.Title == "" {
				c.Title = r.Machine.Title()
			}
			if own || r.Kind == record.KindEval {
				c.Records = append(c.Records, r)
			}
		}
		all = append(all, c)
	}
	return all
}

// Compare puts the timed rows of classes side by side.
func Compare(records []record.Record) *Comparison {
	c := &Comparison{Classes: Split(records)}
	type key struct {
		experiment, name string
		axes             record.Axes
	}
	at := map[key]int{}
	var settings []record.Axes
	for k := range c.Classes {
		for i := range c.Classes[k].Records {
			r := &c.Classes[k].Records[i]
			if r.Kind != record.KindLatency {
				continue
			}
			axes := r.RanWith()
			axes.ISA = "" // the class's own
			if r.Asked != nil {
				axes.ISA = r.Asked.ISA
			}
			id := key{r.Experiment, r.Name(), axes}
			j, ok := at[id]
			if !ok {
				j = len(c.Rows)
				at[id] = j
				c.Rows = append(c.Rows, Row{Name: r.Name(), Family: r.Family, Cells: make([]Cell, len(c.Classes))})
				settings = append(settings, axes)
			}
			c.Rows[j].Cells[k] = cell(r)
		}
	}
	c.describe(settings)
	c.rank()
	first := func(r Row) int64 {
		if r.Cells[0].Rank == 0 {
			return 1 << 62
		}
		return r.Cells[0].Record.P50
	}
	slices.SortStableFunc(c.Rows, func(a, b Row) int { return cmp.Or(cmp.Compare(first(a), first(b)), cmp.Compare(a.Name, b.Name)) })
	for k := range c.Classes {
		c.correlate(k)
	}
	return c
}

func cell(r *record.Record) Cell {
	c := Cell{Record: r}
	switch {
	case r.Timing == nil || r.P50 <= 0:
		c.Why = r.Why("latency_p50_ns")
	case !r.Verdict.Valid:
		c.Why = "not to be trusted: " + strings.Join(r.Verdict.Reasons, "; ")
	}
	return c
}

// describe names in each row the settings that differ between rows.
func (c *Comparison) describe(settings []record.Axes) {
	vary := func(of func(record.Axes) string) bool {
		for _, s := range settings {
			if of(s) != of(settings[0]) {
				return true
			}
		}
		return false
	}
	for _, axis := range []struct {
		name string
		of   func(record.Axes) string
	}{
		{"scenario ", func(a record.Axes) string { return a.Scenario }},
		{"px ", func(a record.Axes) string { return strconv.Itoa(a.ImgSize) }},
		{"threads ", func(a record.Axes) string { return strconv.Itoa(a.Threads) }},
		{"batch ", func(a record.Axes) string { return strconv.Itoa(a.Batch) }},
		{"", func(a record.Axes) string { return a.Precision }},
		{"isa ", func(a record.Axes) string { return a.ISA }},
	} {
		if len(settings) == 0 || !vary(axis.of) {
			continue
		}
		for i := range c.Rows {
			if c.Rows[i].Settings != "" {
				c.Rows[i].Settings += ", "
			}
			c.Rows[i].Settings += axis.name + axis.of(settings[i])
		}
	}
}

// rank numbers each class's sound times.
func (c *Comparison) rank() {
	for k := range c.Classes {
		var sound []*Cell
		for i := range c.Rows {
			if cell := &c.Rows[i].Cells[k]; cell.Record != nil && cell.Why == "" {
				sound = append(sound, cell)
			}
		}
		slices.SortStableFunc(sound, func(a, b *Cell) int { return cmp.Compare(a.Record.P50, b.Record.P50) })
		for rank, cell := range sound {
			cell.Rank = rank + 1
		}
	}
}

func (c *Comparison) correlate(k int) {
	var x, y []float64
	for i := range c.Rows {
		a, b := &c.Rows[i].Cells[0], &c.Rows[i].Cells[k]
		if a.Rank > 0 && b.Rank > 0 {
			x, y = append(x, float64(a.Record.P50)), append(y, float64(b.Record.P50))
		}
	}
	c.Classes[k].Common = len(x)
	if len(x) > 2 {
		c.Classes[k].Spearman = stat.Spearman(x, y)
	}
}

// A Swap is a pair of rows whose order changes between two classes, with intervals apart on both.
type Swap struct {
	A, B   *Row // A is quicker on the first class
	First  int  // index of a class
	Second int
}

// Swaps are the changes of order between the first class and each other, the largest first: by how much A is quicker on the one
// and B on the other.
func (c *Comparison) Swaps() (all []Swap) {
	size := func(s Swap) float64 {
		ratio := func(k int) float64 { return float64(s.B.Cells[k].Record.P50) / float64(s.A.Cells[k].Record.P50) }
		return ratio(s.First) / ratio(s.Second)
	}
	for k := 1; k < len(c.Classes); k++ {
		for i := range c.Rows {
			for j := range c.Rows {
				a, b := &c.Rows[i], &c.Rows[j]
				if a.Settings == b.Settings && quicker(a, b, 0) && quicker(b, a, k) {
					all = append(all, Swap{a, b, 0, k})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Swap) int { return cmp.Compare(size(b), size(a)) })
	return all
}

// quicker reports whether a's interval lies below b's on a class.
func quicker(a, b *Row, k int) bool {
	x, y := &a.Cells[k], &b.Cells[k]
	return x.Rank > 0 && y.Rank > 0 && x.Record.P50Hi > 0 && y.Record.P50Lo > 0 && x.Record.P50Hi < y.Record.P50Lo
}

// letter names a class in tables and plots.
func letter(k int) string { return string(rune('A' + k%26)) }

const (
	markdownName = "classes.md"
	csvName      = "classes.csv"
	maxName      = 120 // runes of what comes from outside
	maxSwaps     = 10
)

// Write writes the comparison into a folder: classes.md, classes.csv and a plot of each further class against the first. It
// returns the paths.
func (c *Comparison) Write(dir string) (paths []string, err error) {
	type file struct {
		name  string
		write func(io.Writer) error
	}
	files := []file{{markdownName, c.writeMarkdown}, {csvName, c.writeCSV}}
	for k := 1; k < len(c.Classes); k++ {
		if f, ok := c.figure(k); ok {
			name := fmt.Sprintf("classes_%s_%s", strings.ToLower(letter(0)), strings.ToLower(letter(k)))
			files = append(files, file{name + ".svg", f.SVG}, file{name + ".png", f.PNG})
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("classes: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := record.Replace(path, f.write); err != nil {
			return paths, fmt.Errorf("classes: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// figure plots the times on a class against those on the first.
func (c *Comparison) figure(k int) (draw.Figure, bool) {
	s := draw.Scatter{
		XLabel: fmt.Sprintf("median on %s (ms), log scale", letter(0)), YLabel: fmt.Sprintf("median on %s (ms), log scale", letter(k)),
		X: draw.Log, Y: draw.Log,
	}
	for i := range c.Rows {
		a, b := &c.Rows[i].Cells[0], &c.Rows[i].Cells[k]
		if a.Rank == 0 || b.Rank == 0 {
			continue
		}
		p := draw.Point{Name: c.Rows[i].title(), Family: c.Rows[i].Family}
		p.X, p.XLo, p.XHi = interval(a.Record)
		p.Y, p.YLo, p.YHi = interval(b.Record)
		s.Points = append(s.Points, p)
	}
	if len(s.Points) == 0 {
		return draw.Figure{}, false
	}
	return s.Figure(draw.Caption{
		Title:    "The same networks on two classes of machine",
		Subtitle: fmt.Sprintf("%s: %s · %s: %s · bars: 95 %% interval", letter(0), c.Classes[0].title(), letter(k), c.Classes[k].title()),
	}), true
}

// interval is a record's median with its 95 % interval, in milliseconds.
func interval(r *record.Record) (p50, lo, hi float64) {
	p50 = float64(r.P50) / 1e6
	if r.P50Lo <= 0 {
		return p50, p50, p50
	}
	return p50, float64(r.P50Lo) / 1e6, float64(r.P50Hi) / 1e6
}

func (c *Class) title() string { return text.Clean(c.Title, maxName) }

func (r *Row) title() string {
	name := text.Clean(r.Name, maxName)
	if r.Settings != "" {
		name += ", " + text.Clean(r.Settings, maxName)
	}
	return name
}

func (c *Comparison) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Classes of machine\n\nEach class has a column of its own: median latency in ms with its 95 % interval " +
		"and, after #, the rank in that column.\n\n")
	for k := range c.Classes {
		cl := &c.Classes[k]
		fmt.Fprintf(&b, "- **%s**: %s (%s)", letter(k), text.Markdown(cl.title()), text.Markdown(text.Clean(cl.Name, 400)))
		if k > 0 && cl.Common > 2 {
			fmt.Fprintf(&b, ". Its order of %d rows agrees with %s's by a rank correlation of %.3f", cl.Common, letter(0), cl.Spearman)
		}
		b.WriteString(".\n")
	}
	b.WriteString("\n| model |")
	for k := range c.Classes {
		fmt.Fprintf(&b, " %s ms |", letter(k))
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(c.Classes)) + "\n")
	var reasons []string
	for i := range c.Rows {
		fmt.Fprintf(&b, "| %s |", text.Markdown(c.Rows[i].title()))
		for k := range c.Rows[i].Cells {
			fmt.Fprintf(&b, " %s |", c.Rows[i].Cells[k].words(&reasons))
		}
		b.WriteString("\n")
	}
	for i, why := range reasons {
		fmt.Fprintf(&b, "\n(%d) %s", i+1, text.Markdown(text.Clean(why, 400)))
	}
	b.WriteString("\n\n## Changes of order\n\n")
	swaps := c.Swaps()
	if len(swaps) == 0 {
		b.WriteString("No two networks change places with intervals apart on both classes.\n")
	}
	for i, s := range swaps {
		if i == maxSwaps {
			fmt.Fprintf(&b, "- and %d more pairs\n", len(swaps)-i)
			break
		}
		fmt.Fprintf(&b, "- %s is quicker than %s on %s (%s against %s ms) and slower on %s (%s against %s ms).\n",
			text.Markdown(s.A.title()), text.Markdown(s.B.title()), letter(s.First), s.A.ms(s.First), s.B.ms(s.First),
			letter(s.Second), s.A.ms(s.Second), s.B.ms(s.Second))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Row) ms(k int) string { return fmt.Sprintf("%.3g", float64(r.Cells[k].Record.P50)/1e6) }

// words is a cell as a table has it; a reason is added to those beneath the table.
func (c *Cell) words(reasons *[]string) string {
	why := c.Why
	if c.Record == nil {
		why = "not measured on this class"
	}
	if why != "" {
		at := slices.Index(*reasons, why)
		if at < 0 {
			at = len(*reasons)
			*reasons = append(*reasons, why)
		}
		return fmt.Sprintf("– (%d)", at+1)
	}
	p50, lo, hi := interval(c.Record)
	if c.Record.P50Lo <= 0 {
		return fmt.Sprintf("%.3f #%d", p50, c.Rank)
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f] #%d", p50, lo, hi, c.Rank)
}

func (c *Comparison) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"model", "settings", "class", "machine", "latency_p50_ns", "latency_p50_lo_ns", "latency_p50_hi_ns",
		"rank", "not_measured"})
	for i := range c.Rows {
		r := &c.Rows[i]
		for k := range r.Cells {
			cell := &r.Cells[k]
			line := []string{text.Clean(r.Name, maxName), r.Settings, letter(k), c.Classes[k].title(), "", "", "", "", cell.Why}
			if cell.Record == nil {
				line[8] = "not measured on this class"
			}
			if cell.Rank > 0 {
				line[4] = fmt.Sprint(cell.Record.P50)
				if cell.Record.P50Lo > 0 {
					line[5], line[6] = fmt.Sprint(cell.Record.P50Lo), fmt.Sprint(cell.Record.P50Hi)
				}
				line[7] = fmt.Sprint(cell.Rank)
			}
			out.Write(line)
		}
	}
	out.Flush()
	return out.Error()
}

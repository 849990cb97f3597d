package reports

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"zoobench/bench/record"
)

// TableOptions say what the terminal can show.
type TableOptions struct {
	Width int  // columns of the terminal; 0 shows everything, however wide
	Color bool // write SGR colour sequences
}

// Print writes the table of records for a terminal: one a experiment, a row for each network under each setting, with
// the reasons of what was not measured beneath. A narrow terminal gets fewer columns, and is told which. Records of
// two machine classes are a [ClassError]; any other error is w's.
func Print(w io.Writer, records []record.Record, o TableOptions) error {
	run, err := newRun(records, nil)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w) // keeps its first error
	fmt.Fprintln(out, wrap(run.headline(), "", o.Width))
	if len(run.rows)+len(run.worsened) == 0 {
		fmt.Fprintln(out, "no network was measured")
	}
	for _, rows := range byExperiment(run.tabled()) {
		t := fit(rows, o.Width)
		fmt.Fprintln(out)
		fmt.Fprintln(out, wrap(t.title(), "  ", o.Width))
		if text := aboutSmall(rows); text != "" {
			fmt.Fprintln(out, wrap(text, "  ", o.Width))
		}
		if err := t.print(out, o.Color); err != nil {
			return fmt.Errorf("reports: %w", err)
		}
		for i, note := range t.notes {
			mark := fmt.Sprintf("(%d) ", i+1)
			fmt.Fprintln(out, wrap(mark+note, "    ", o.Width))
		}
		if text := t.leftOut(o.Width); text != "" {
			fmt.Fprintln(out, wrap(text, "    ", o.Width))
		}
		for _, text := range warnings(rows) {
			fmt.Fprintln(out, wrap("warning: "+text, "    ", o.Width))
		}
	}
	if t, ok := run.robustTable(); ok {
		t.narrow(o.Width, "mean error", "corruptions", "added error", "relative mCE %")
		fmt.Fprintln(out)
		fmt.Fprintln(out, wrap(t.title(), "  ", o.Width))
		if err := t.print(out, o.Color); err != nil {
			return fmt.Errorf("reports: %w", err)
		}
		for _, note := range append(t.notes, t.leftOut(o.Width)) {
			if note != "" {
				fmt.Fprintln(out, wrap(note, "    ", o.Width))
			}
		}
	}
	for _, text := range run.unmeasuredCorrupted() {
		fmt.Fprintln(out, wrap("not measured: "+text, "    ", o.Width))
	}
	for _, p := range run.problems {
		fmt.Fprintln(out, wrap("not used: "+p, "    ", o.Width))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	return nil
}

// headline says where the run was made and how steady the machine was.
func (r *run) headline() string {
	parts := []string{clean(r.machine.Title())}
	if r.machine.CPU == "" {
		parts = []string{"no records"}
	}
	if h := r.host(); h != nil && finite(h.NoisePercent) && finite(h.DriftPercent) {
		verdict, _, _ := strings.Cut(r.verdict(), ":")
		parts = append(parts, fmt.Sprintf("noise %.1f %%, drift %+.1f %%: %s", h.NoisePercent, h.DriftPercent, verdict))
	} else if r.machine.CPU != "" {
		parts = append(parts, "the machine's noise was not measured")
	}
	return strings.Join(parts, " · ")
}

// host is the last word on the machine, nil where none was measured.
func (r *run) host() *record.Host {
	if len(r.hosts) == 0 {
		return nil
	}
	return r.hosts[len(r.hosts)-1].Host
}

// verdict says whether the machine was steady, "valid", or "noisy" or "not valid" and why; "" where nobody measured that.
func (r *run) verdict() string {
	word, why := "valid", []string(nil)
	for _, h := range r.hosts {
		if len(h.Verdict.Warnings) > 0 && word == "valid" {
			word = "noisy"
		}
		if !h.Verdict.Valid {
			word = "not valid"
		}
		for _, text := range slices.Concat(h.Verdict.Reasons, h.Verdict.Warnings) {
			if text = strings.TrimPrefix(text, "noisy host: "); !slices.Contains(why, text) {
				why = append(why, text)
			}
		}
	}
	switch {
	case len(r.hosts) == 0:
		return ""
	case len(why) == 0:
		return word
	}
	return word + ": " + strings.Join(why, "; ")
}

// title names the experiment and what its rows share.
func (t *table) title() string {
	if t.experiment == "" {
		return t.caption
	}
	return t.experiment + ": " + t.caption
}

// fit returns the table at the fullest level that width holds.
func fit(rows []row, width int) table {
	var t table
	for level := range levels {
		t = newTable(rows, level)
		if width <= 0 || t.width() <= width {
			break
		}
	}
	return t
}

// narrow leaves out columns, in the order of these heads, as long as the table is wider than the terminal.
func (t *table) narrow(width int, heads ...string) {
	for _, head := range heads {
		at := slices.Index(t.heads, head)
		if width <= 0 || t.width() <= width || at < 0 {
			continue
		}
		t.heads, t.left = slices.Delete(t.heads, at, at+1), slices.Delete(t.left, at, at+1)
		for i := range t.cells {
			t.cells[i] = slices.Delete(t.cells[i], at, at+1)
		}
		t.omitted = append(t.omitted, head)
	}
}

// leftOut says which columns a terminal has no room for, "" for none.
func (t *table) leftOut(width int) string {
	if len(t.omitted) == 0 {
		return ""
	}
	return fmt.Sprintf("left out, because the terminal has %d columns: %s", width, strings.Join(t.omitted, ", "))
}

// width returns the columns of a terminal that the table takes.
func (t *table) width() int {
	total := 0
	for i, head := range t.heads {
		widest := 0
		for _, part := range headLines(head) {
			widest = max(widest, twwidth.Width(part))
		}
		for _, line := range t.cells {
			widest = max(widest, twwidth.Width(line[i].text))
		}
		total += widest + gap
	}
	return total
}

// gap is the blanks around a cell.
const gap = 2

// headLines breaks a head so that it is no wider than its figures.
func headLines(head string) []string {
	if before, after, ok := strings.Cut(head, " top-1"); ok {
		return []string{before, "top-1" + after}
	}
	return []string{head}
}

// print writes the table through tablewriter: no frame, one rule under the heads.
func (t *table) print(w *bufio.Writer, color bool) error {
	align := make(tw.Alignment, len(t.heads))
	heads := make([]string, len(t.heads))
	for i, left := range t.left {
		align[i] = tw.AlignRight
		if left {
			align[i] = tw.AlignLeft
		}
		heads[i] = strings.Join(headLines(t.heads[i]), "\n")
	}
	var b bytes.Buffer
	table := tablewriter.NewTable(&b,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Symbols:  tw.NewSymbols(tw.StyleLight),
			Settings: tw.Settings{Separators: tw.Separators{BetweenColumns: tw.Off}},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
	)
	table.Header(heads)
	for _, line := range t.cells {
		texts := make([]string, len(line))
		for i, c := range line {
			texts[i] = c.text
			if color {
				texts[i] = paint(c)
			}
		}
		if err := table.Append(texts); err != nil {
			return err
		}
	}
	if err := table.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
	return nil
}

// paint wraps a cell in the SGR sequence of its tone: what is not measured steps back, what is not to be trusted
// stands out.
func paint(c cell) string {
	switch c.tone {
	case missing:
		return "\x1b[2m" + c.text + "\x1b[0m"
	case suspect:
		return "\x1b[33m" + c.text + "\x1b[0m"
	case published:
		return "\x1b[36m" + c.text + "\x1b[0m"
	}
	return c.text
}

// wrap breaks text at blanks so that no line is wider than width, if it is not 0; following lines start with indent.
func wrap(text, indent string, width int) string {
	if width <= 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		n := twwidth.Width(word)
		switch {
		case i == 0:
		case at+1+n > width:
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

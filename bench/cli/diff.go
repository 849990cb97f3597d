package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"zoobench/zoo/outline"
)

// Widths of the side-by-side table: a label, two columns and the mark between them make 100 at most.
const (
	diffLabel  = 15
	diffColumn = 40
)

// writeDiff writes the rows for reading: a mark between the columns tells where they differ, as diff -y does, and a stage
// in which nothing does is one line.
func writeDiff(w io.Writer, names [2]string, rows []outline.Row) error {
	names = [2]string{clean(names[0]), clean(names[1])}
	var text strings.Builder
	text.WriteString(sideLine("", names[0], " ", names[1]))
	stage := ""
	for i := 0; i < len(rows); i++ {
		r := rows[i]
		switch r.Kind {
		case outline.FigureRow:
			if !r.Same {
				text.WriteString(sideLine(r.Name, r.A, "|", r.B+growth(r.A, r.B)))
			}
		case outline.LayerRow:
			if r.Name == stage {
				text.WriteString(sideLine("", r.A, markOf(r), r.B))
				continue
			}
			stage = r.Name
			text.WriteByte('\n')
			end, alike := i, true
			for ; end < len(rows) && rows[end].Kind == outline.LayerRow && rows[end].Name == stage; end++ {
				alike = alike && rows[end].Same
			}
			if alike && end-i > 1 {
				same := fmt.Sprintf("%d lines, all alike", end-i)
				text.WriteString(sideLine(stage, same, " ", same))
				i = end - 1
				continue
			}
			text.WriteString(sideLine(stage, r.A, markOf(r), r.B))
		case outline.DetailRow:
			if i == 0 || rows[i-1].Kind != outline.DetailRow {
				text.WriteString("\ndifferences that the lines above do not show:\n")
			}
			layers := "1 layer"
			if r.Count > 1 {
				layers = fmt.Sprintf("%d layers", r.Count)
			}
			fmt.Fprintf(&text, "%s, %s:\n%s", r.Name, layers, sideLine("", r.A, "|", r.B))
		}
	}
	if !slices.ContainsFunc(rows, func(r outline.Row) bool { return r.Kind != outline.FigureRow && !r.Same }) {
		text.WriteString("\nthe layers, their settings and their connections are the same\n")
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// growth is how much more the second of two counts is, "" where they are none.
func growth(a, b string) string {
	from, errA := strconv.ParseFloat(a, 64)
	to, errB := strconv.ParseFloat(b, 64)
	if errA != nil || errB != nil || from == 0 {
		return ""
	}
	return fmt.Sprintf(" (%+.2f %%)", 100*(to/from-1))
}

func markOf(r outline.Row) string {
	switch {
	case r.Same:
		return " "
	case r.A == "":
		return ">"
	case r.B == "":
		return "<"
	}
	return "|"
}

// sideLine is one line of the table, or several where a text is too long for its column.
func sideLine(label, a, mark, b string) string {
	var text strings.Builder
	left, right := wrap(clean(a)), wrap(clean(b))
	for k := range max(len(left), len(right)) {
		var x, y string
		if k < len(left) {
			x = left[k]
		}
		if k < len(right) {
			y = right[k]
		}
		text.WriteString(strings.TrimRight(fmt.Sprintf("%-*s %-*s %s %s", diffLabel, label, diffColumn, x, mark, y), " ") + "\n")
		label = ""
	}
	return text.String()
}

// wrap cuts a text at spaces into lines no longer than a column, the later ones further in.
func wrap(text string) (lines []string) {
	for utf8.RuneCountInString(text) > diffColumn {
		runes := []rune(text)
		at := diffColumn
		for at > diffColumn/2 && runes[at] != ' ' {
			at--
		}
		lines = append(lines, strings.TrimRight(string(runes[:at]), " "))
		text = "    " + strings.TrimLeft(string(runes[at:]), " ")
	}
	return append(lines, text)
}

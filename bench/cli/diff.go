package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"zoobench/zoo"
	"zoobench/zoo/nn"
)

// diffRow is a row of zoobench show --diff: a figure of the two networks, a layer or a heading of one stage side by
// side, or a detail in which layers differ whose lines agree.
type diffRow struct {
	Kind  string `json:"kind"`  // "figure", "layer" or "detail"
	Name  string `json:"name"`  // of the figure or the detail; of a layer, its stage: the size of what it puts out
	A     string `json:"a"`     // "" where only the second network has the layer
	B     string `json:"b"`     // "" where only the first one has it
	Same  bool   `json:"same"`  // the texts agree
	Count int    `json:"count"` // of layers: those that the detail holds for, or the row's in repeated blocks
}

// compare lays two networks side by side: figures, then layers stage by stage, then details.
func compare(specs [2]*zoo.Spec, graphs [2]*nn.Graph) (rows []diffRow) {
	for _, f := range figures(specs, graphs) {
		rows = append(rows, diffRow{Kind: "figure", Name: f[0], A: f[1], B: f[2], Same: f[1] == f[2]})
	}
	a, b := outline(graphs[0]), outline(graphs[1])
	var details []diffRow
	for _, pair := range align(keysOf(a), keysOf(b)) {
		var left, right stage
		if pair[0] >= 0 {
			left = a[pair[0]]
		}
		if pair[1] >= 0 {
			right = b[pair[1]]
		}
		name := cmp.Or(left.label, right.label)
		if left.label != "" && right.label != "" && left.label != right.label {
			name = left.label + "|" + right.label
		}
		for _, row := range sideBySide(left.lines, right.lines, &details) {
			row.Name = name
			rows = append(rows, row)
		}
	}
	alike := !slices.ContainsFunc(rows, func(r diffRow) bool { return r.Kind == "layer" && !r.Same })
	if alike && !sameWiring(graphs[0], graphs[1]) {
		details = append(details, diffRow{Kind: "detail", Name: "connections", A: "its own", B: "its own", Count: nodes(graphs[0])})
	}
	return append(rows, details...)
}

// nodes is the number of nodes that compute something.
func nodes(g *nn.Graph) int { return len(wiring(g)) }

// figures are what the networks cost and what their weights expect.
func figures(specs [2]*zoo.Spec, graphs [2]*nn.Graph) [][3]string {
	rows := [][3]string{{"family"}, {"paper"}, {"input"}, {"parameters"}, {"MACs"}, {"activations"}, {"crop"}, {"mean"}, {"deviation"}}
	for i, s := range specs {
		g, r := graphs[i], s.Recipe.Full(s.Size)
		in := g.Input()
		for k, text := range []string{
			s.Family, fmt.Sprintf("%s (%d)", s.Paper, s.Year), fmt.Sprintf("%d×%d", in.H, in.W),
			strconv.FormatInt(g.ParamCount(), 10), strconv.FormatInt(g.MACs(), 10), strconv.FormatInt(g.Activations(), 10),
			fmt.Sprintf("%d of %d, %s, %s", r.Size, r.Resize, r.Interpolation, r.CropMode), fmt.Sprint(r.Mean), fmt.Sprint(r.Std),
		} {
			rows[k][i+1] = text
		}
	}
	return rows
}

// align pairs equal texts in order, as many as possible; −1 stands for what has no partner.
func align(a, b []string) (pairs [][2]int) {
	longest := make([][]int, len(a)+1) // of a[i:] and b[j:]
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if longest[i][j] = max(longest[i+1][j], longest[i][j+1]); a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			pairs = append(pairs, [2]int{i, -1})
			i++
		default:
			pairs = append(pairs, [2]int{-1, j})
			j++
		}
	}
	return pairs
}

// sideBySide pairs the lines of a stage: equal ones, then, between these, those of a kind. Differences between
// the details of equal lines are added to details, each kind once.
func sideBySide(a, b []line, details *[]diffRow) (rows []diffRow) {
	texts := func(lines []line, of func(string) string) (texts []string) {
		for _, l := range lines {
			texts = append(texts, of(l.text))
		}
		return texts
	}
	whole := func(text string) string { return text }
	var onlyA, onlyB []line
	flush := func() {
		for _, pair := range align(texts(onlyA, kind), texts(onlyB, kind)) {
			row := diffRow{Kind: "layer"}
			if pair[0] >= 0 {
				row.A, row.Count = onlyA[pair[0]].text, onlyA[pair[0]].count
			}
			if pair[1] >= 0 {
				row.B, row.Count = onlyB[pair[1]].text, max(row.Count, onlyB[pair[1]].count)
			}
			rows = append(rows, row)
		}
		onlyA, onlyB = nil, nil
	}
	for _, pair := range align(texts(a, whole), texts(b, whole)) {
		switch {
		case pair[1] < 0:
			onlyA = append(onlyA, a[pair[0]])
		case pair[0] < 0:
			onlyB = append(onlyB, b[pair[1]])
		default:
			flush()
			x, y := a[pair[0]], b[pair[1]]
			rows = append(rows, diffRow{Kind: "layer", A: x.text, B: y.text, Same: true, Count: min(x.count, y.count)})
			noteDetails(details, x, y)
		}
	}
	flush()
	return rows
}

// kind is the first word of a line that is none of a count: lines of a kind may stand in one another's place.
func kind(text string) string {
	for word := range strings.FieldsSeq(text) {
		if _, err := strconv.Atoi(word); err != nil && word != "×" {
			return strings.TrimRight(word, "s:")
		}
	}
	return ""
}

// noteDetails counts the details in which two equal lines differ.
func noteDetails(details *[]diffRow, x, y line) {
	for k := range min(len(x.details), len(y.details)) {
		a, b := x.details[k], y.details[k]
		if a == b {
			continue
		}
		row := diffRow{Kind: "detail", Name: a[0], A: a[1], B: b[1]}
		at := slices.IndexFunc(*details, func(d diffRow) bool { return d.Name == row.Name && d.A == row.A && d.B == row.B })
		if at < 0 {
			at = len(*details)
			*details = append(*details, row)
		}
		(*details)[at].Count += min(x.count, y.count)
	}
}

// sameWiring tells whether two graphs' nodes read the same nodes.
func sameWiring(a, b *nn.Graph) bool {
	return slices.EqualFunc(wiring(a), wiring(b), slices.Equal)
}

// wiring is, for each node that computes something, the places in this list of those that it reads.
func wiring(g *nn.Graph) (inputs [][]int) {
	place := make([]int, len(g.Nodes))
	for i, n := range g.Nodes {
		if n.Op == nn.Identity {
			place[i] = place[n.In[0]]
			continue
		}
		place[i] = len(inputs)
		var in []int
		for _, k := range n.In {
			in = append(in, place[k])
		}
		inputs = append(inputs, in)
	}
	return inputs
}

// Widths of the side-by-side table: a label, two columns and the mark between them make 100 at most.
const (
	diffLabel  = 15
	diffColumn = 40
)

// writeDiff writes the rows for reading: a mark between the columns tells where they differ, as diff -y does, and a stage
// in which nothing does is one line.
func writeDiff(w io.Writer, names [2]string, rows []diffRow) error {
	names = [2]string{clean(names[0]), clean(names[1])}
	var text strings.Builder
	text.WriteString(sideLine("", names[0], " ", names[1]))
	stage := ""
	for i := 0; i < len(rows); i++ {
		r := rows[i]
		switch r.Kind {
		case "figure":
			if !r.Same {
				text.WriteString(sideLine(r.Name, r.A, "|", r.B+growth(r.A, r.B)))
			}
		case "layer":
			if r.Name == stage {
				text.WriteString(sideLine("", r.A, markOf(r), r.B))
				continue
			}
			stage = r.Name
			text.WriteByte('\n')
			end, alike := i, true
			for ; end < len(rows) && rows[end].Kind == "layer" && rows[end].Name == stage; end++ {
				alike = alike && rows[end].Same
			}
			if alike && end-i > 1 {
				same := fmt.Sprintf("%d lines, all alike", end-i)
				text.WriteString(sideLine(stage, same, " ", same))
				i = end - 1
				continue
			}
			text.WriteString(sideLine(stage, r.A, markOf(r), r.B))
		case "detail":
			if i == 0 || rows[i-1].Kind != "detail" {
				text.WriteString("\nwhere the lines above agree, these differ:\n")
			}
			layers := "1 layer"
			if r.Count > 1 {
				layers = fmt.Sprintf("%d layers", r.Count)
			}
			fmt.Fprintf(&text, "%s, %s:\n%s", r.Name, layers, sideLine("", r.A, "|", r.B))
		}
	}
	if !slices.ContainsFunc(rows, func(r diffRow) bool { return r.Kind != "figure" && !r.Same }) {
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

func markOf(r diffRow) string {
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

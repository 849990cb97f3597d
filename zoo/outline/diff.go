package outline

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zoobench/zoo"
	"zoobench/zoo/nn"
)

// A Network is one of the two that Diff lays side by side.
type Network struct {
	Spec  *zoo.Spec
	Graph *nn.Graph
}

// A Row is a figure of two networks, a layer or a heading of one stage side by side, or a detail in which layers differ
// whose lines agree.
type Row struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name"`  // of the figure or the detail; of a layer, its stage: the size of what it puts out
	A     string `json:"a"`     // "" where only the second network has the layer
	B     string `json:"b"`     // "" where only the first one has it
	Same  bool   `json:"same"`  // the texts agree
	Count int    `json:"count"` // of layers: those that have the detail, or the row's in repeated blocks
}

// Kind is what a row is of.
type Kind string

// The kinds of row, in the order in which Diff puts them.
const (
	FigureRow Kind = "figure"
	LayerRow  Kind = "layer"
	DetailRow Kind = "detail"
)

// Diff lays two networks side by side: figures, then layers stage by stage, then the details that differ. Networks
// whose layers agree but read different ones have a detail called connections.
func Diff(a, b Network) (rows []Row) {
	rows = figures(a, b)
	alike := true
	var details []Row
	for _, stages := range align(Stages(a.Graph), Stages(b.Graph), func(s Stage) string { return s.level }) {
		for _, lines := range alignLines(linesOf(stages[0]), linesOf(stages[1])) {
			row := layerRow(lines)
			row.Name = sizes(stages)
			rows, alike = append(rows, row), alike && row.Same
			if row.Same {
				details = addDetails(details, *lines[0], *lines[1])
			}
		}
	}
	if left, right := wiring(a.Graph), wiring(b.Graph); alike && !slices.EqualFunc(left, right, slices.Equal) {
		details = append(details, Row{Kind: DetailRow, Name: "connections", A: "its own", B: "its own", Count: len(left)})
	}
	return append(rows, details...)
}

// figures are what the networks cost and what their weights expect.
func figures(a, b Network) []Row {
	var rows []Row
	for i, n := range []Network{a, b} {
		s, g := n.Spec, n.Graph
		in, r := g.Input(), s.Recipe.Full(s.Size)
		for k, figure := range [][2]string{
			{"family", s.Family},
			{"paper", fmt.Sprintf("%s (%d)", s.Paper, s.Year)},
			{"input", fmt.Sprintf("%d×%d", in.H, in.W)},
			{"parameters", strconv.FormatInt(g.ParamCount(), 10)},
			{"MACs", strconv.FormatInt(g.MACs(), 10)},
			{"activations", strconv.FormatInt(g.Activations(), 10)},
			{"crop", fmt.Sprintf("%d of %d, %s, %s", r.Size, r.Resize, r.Interpolation, r.CropMode)},
			{"mean", fmt.Sprint(r.Mean)},
			{"deviation", fmt.Sprint(r.Std)},
			{"channels", r.Channels()},
		} {
			if i == 0 {
				rows = append(rows, Row{Kind: FigureRow, Name: figure[0], A: figure[1]})
				continue
			}
			rows[k].B, rows[k].Same = figure[1], figure[1] == rows[k].A
		}
	}
	return rows
}

// A pair is two things that correspond; nil where the other one has no partner.
type pair[T any] [2]*T

// align pairs things of equal keys in order, as many as possible.
func align[T any](a, b []T, key func(T) string) (pairs []pair[T]) {
	longest := make([][]int, len(a)+1) // number of pairs in a[i:] and b[j:]
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if longest[i][j] = max(longest[i+1][j], longest[i][j+1]); key(a[i]) == key(b[j]) {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && key(a[i]) == key(b[j]):
			pairs = append(pairs, pair[T]{&a[i], &b[j]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			pairs = append(pairs, pair[T]{&a[i], nil})
			i++
		default:
			pairs = append(pairs, pair[T]{nil, &b[j]})
			j++
		}
	}
	return pairs
}

// alignLines pairs the lines of two stages: equal ones, then, between these, those of a kind.
func alignLines(a, b []Line) (pairs []pair[Line]) {
	var onlyA, onlyB []Line
	flush := func() {
		pairs = append(pairs, align(onlyA, onlyB, kind)...)
		onlyA, onlyB = nil, nil
	}
	for _, p := range align(a, b, func(l Line) string { return l.Text }) {
		switch {
		case p[1] == nil:
			onlyA = append(onlyA, *p[0])
		case p[0] == nil:
			onlyB = append(onlyB, *p[1])
		default:
			flush()
			pairs = append(pairs, p)
		}
	}
	flush()
	return pairs
}

// kind is the first word of a line that is no part of a count: lines of a kind correspond where none are equal.
func kind(l Line) string {
	for word := range strings.FieldsSeq(l.Text) {
		if _, err := strconv.Atoi(word); err != nil && word != "×" {
			return strings.TrimRight(word, "s:")
		}
	}
	return ""
}

// linesOf is the lines of a stage, none where there is no stage.
func linesOf(s *Stage) []Line {
	if s == nil {
		return nil
	}
	return s.Lines
}

// sizes names a pair of stages by the size, or the two sizes, of what they put out.
func sizes(stages pair[Stage]) string {
	switch a, b := stages[0], stages[1]; {
	case a == nil:
		return b.Size
	case b == nil || a.Size == b.Size:
		return a.Size
	default:
		return a.Size + "|" + b.Size
	}
}

func layerRow(lines pair[Line]) Row {
	a, b := lines[0], lines[1]
	row := Row{Kind: LayerRow}
	switch {
	case b == nil:
		row.A, row.Count = a.Text, a.Count
	case a == nil:
		row.B, row.Count = b.Text, b.Count
	case a.Text == b.Text:
		row.A, row.B, row.Same, row.Count = a.Text, b.Text, true, min(a.Count, b.Count)
	default:
		row.A, row.B, row.Count = a.Text, b.Text, max(a.Count, b.Count)
	}
	return row
}

// addDetails counts the details in which two equal lines differ, each kind once.
func addDetails(rows []Row, x, y Line) []Row {
	for k := range min(len(x.Details), len(y.Details)) {
		a, b := x.Details[k], y.Details[k]
		if a == b {
			continue
		}
		row := Row{Kind: DetailRow, Name: a.Name, A: a.Value, B: b.Value}
		at := slices.IndexFunc(rows, func(r Row) bool { return r.Name == row.Name && r.A == row.A && r.B == row.B })
		if at < 0 {
			at = len(rows)
			rows = append(rows, row)
		}
		rows[at].Count += min(x.Count, y.Count)
	}
	return rows
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

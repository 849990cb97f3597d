package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
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

// A stage is the blocks in sequence that put out images of one size, as papers' tables have them.
type stage struct {
	key   string // the same for stages of two networks that stand for each other
	label string
	lines []line
}

func keysOf(stages []stage) (keys []string) {
	for _, s := range stages {
		keys = append(keys, s.key)
	}
	return keys
}

// A line is a layer with the norm and the activation behind it, or the heading of a repeated block.
type line struct {
	text    string
	details [][2]string // what text leaves out: what it is, and its value
	count   int         // layers that it stands for
}

// A block is the lines of one scope of names, or a single line outside of any.
type block struct {
	scope string // "" for a line outside
	lines []line
	last  int // the node that it ends with
}

// outline cuts a graph into stages of blocks; blocks, or pairs of them, that follow one another and are the same are
// counted.
func outline(g *nn.Graph) (stages []stage) {
	blocks := blocksOf(g)
	keyOf := func(b block) (key, label string) { return level(g.Input(), g.Nodes[b.last].Out) }
	for i := 0; i < len(blocks); {
		key, label := keyOf(blocks[i])
		// times is how often the blocks from i on repeat with a period, within the stage.
		times := func(period int) int {
			end := i
			for ; end < len(blocks) && (end < i+period || sameBlock(blocks[end], blocks[end-period])); end++ {
				if next, _ := keyOf(blocks[end]); next != key {
					break
				}
			}
			return (end - i) / period
		}
		period, n := 1, times(1)
		if pairs := times(2); n == 1 && pairs > 1 && blocks[i].scope != "" && blocks[i+1].scope != "" {
			period, n = 2, pairs
		}
		lines := repeated(blocks[i:i+period], n)
		i += n * period
		if k := len(stages) - 1; k >= 0 && stages[k].key == key {
			stages[k].label = label // papers name the size that a stage ends with
			stages[k].lines = append(stages[k].lines, lines...)
			continue
		}
		stages = append(stages, stage{key, label, lines})
	}
	return stages
}

// repeated is the lines of blocks that stand n times.
func repeated(blocks []block, n int) (lines []line) {
	head := "1 block:"
	switch b := blocks[0]; {
	case len(blocks) > 1:
		head = fmt.Sprintf("%d × %d blocks:", n, len(blocks))
	case len(b.lines) == 1:
		l := b.lines[0]
		if l.count = n; n > 1 {
			l.text = fmt.Sprintf("%d × %s", n, l.text)
		}
		return []line{l}
	case n > 1:
		head = fmt.Sprintf("%d blocks:", n)
	}
	lines = []line{{text: head, count: n * len(blocks)}}
	for _, b := range blocks {
		for _, l := range b.lines {
			lines = append(lines, line{"  " + l.text, l.details, n})
		}
	}
	return lines
}

func sameBlock(a, b block) bool {
	return (a.scope == "") == (b.scope == "") && slices.EqualFunc(a.lines, b.lines, func(x, y line) bool {
		return x.text == y.text && slices.Equal(x.details, y.details)
	})
}

// level tells which stage an output belongs to: how often the input has been halved, so that stages of networks with
// different input sizes or paddings meet.
func level(in, out nn.Shape) (key, label string) {
	switch {
	case out.H == 1 && out.W == 1:
		return "vector", "1×1"
	case out.H == 1:
		return "tokens", fmt.Sprintf("%d tokens", out.W)
	}
	halvings := math.Round(math.Log2(float64(in.H) / float64(out.H)))
	return fmt.Sprint(halvings), fmt.Sprintf("%d×%d", out.H, out.W)
}

// blocksOf groups a graph's nodes by the scopes of their names. A node without a name is of the block before it, except
// for a pool between two blocks.
func blocksOf(g *nn.Graph) (blocks []block) {
	next := make([]string, len(g.Nodes)) // by node: the scope of the next one with a name
	after := ""
	for i, n := range slices.Backward(g.Nodes) {
		if n.Name != "" {
			after = scopeOf(n.Name)
		}
		next[i] = after
	}
	current := ""
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op == nn.Input || n.Op == nn.Identity {
			continue
		}
		isPool := n.Op == nn.MaxPool || n.Op == nn.AvgPool || n.Op == nn.AdaptiveAvgPool
		switch {
		case n.Name != "":
			current = scopeOf(n.Name)
		case isPool && current != next[i]:
			current = ""
		}
		text, details := describe(g, i)
		k := len(blocks) - 1
		if k >= 0 && blocks[k].scope == current {
			b := &blocks[k]
			if rides(n.Op) && len(n.In) == 1 && n.In[0] == b.last {
				l := &b.lines[len(b.lines)-1]
				l.text, l.details = l.text+" · "+text, append(l.details, details...)
				b.last = i
				continue
			}
			if current != "" {
				b.lines, b.last = append(b.lines, line{text, details, 1}), i
				continue
			}
		}
		blocks = append(blocks, block{current, []line{{text, details, 1}}, i})
	}
	return blocks
}

// rides tells whether an operation is written behind the layer that it follows.
func rides(op nn.Op) bool {
	switch op {
	case nn.BatchNorm, nn.GroupNorm, nn.LayerNorm, nn.Scale, nn.Activate:
		return true
	}
	return false
}

// scopeOf is the name of the block that a layer is in: its name up to the last number before its own ("layer1.0" of
// "layer1.0.downsample.1"), or all but its own where there is none and at least two parts are left. The branches of a
// module are of its block. "" is no block.
func scopeOf(name string) string {
	parts := strings.Split(name, ".")
	parts = parts[:len(parts)-1]
	if i := slices.IndexFunc(parts, func(part string) bool { return strings.HasPrefix(part, "branch") }); i > 0 {
		if parts = parts[:i]; i == 1 {
			return parts[0]
		}
	}
	for i, part := range slices.Backward(parts) {
		if _, err := strconv.Atoi(part); err == nil {
			return strings.Join(parts[:i+1], ".")
		}
	}
	if len(parts) < 2 {
		return ""
	}
	return strings.Join(parts, ".")
}

// describe is a layer in a few words, and what these leave out.
func describe(g *nn.Graph, i int) (text string, details [][2]string) {
	n := &g.Nodes[i]
	note := func(what string, value any) { details = append(details, [2]string{what, fmt.Sprint(value)}) }
	in := func(k int) nn.Shape { return g.Nodes[n.In[k]].Out }
	switch n.Op {
	case nn.Conv:
		text = "conv"
		k := n.Kernel
		if k.Groups == nn.Depthwise || k.Groups > 1 && k.Groups == in(0).C {
			text, k.Groups = "depthwise", 1
		}
		text += " " + k.String()
		note(text+" padding", edges(k.Pad))
		text += fmt.Sprintf(", %d", n.Out.C)
		if n.Bias >= 0 {
			text += " +bias"
		}
		if k.StdEps > 0 {
			text = "standardised " + text
			note("epsilon of standardised weights", k.StdEps)
		}
	case nn.MaxPool, nn.AvgPool:
		text = map[bool]string{true: "max pool ", false: "avg pool "}[n.Op == nn.MaxPool] + n.Kernel.String()
		note(text+" padding", edges(n.Kernel.Pad))
		if n.Kernel.Pad != (nn.Edges{}) && n.Op == nn.AvgPool {
			note(text+" divides by padding too", !n.Kernel.ExcludePad)
		}
		note(text+" ceil mode", n.Kernel.Ceil)
	case nn.AdaptiveAvgPool:
		if text = "global avg pool"; n.Out.H > 1 || n.Out.W > 1 {
			text = fmt.Sprintf("avg pool to %d×%d", n.Out.H, n.Out.W)
		}
	case nn.Linear:
		if text = fmt.Sprintf("linear %d", n.Out.C); n.Bias < 0 {
			text += " without bias"
		}
	case nn.BatchNorm:
		text = "bn"
		note("batch norm epsilon", n.Eps)
	case nn.GroupNorm:
		text = fmt.Sprintf("gn %d", n.Groups)
		note("group norm epsilon", n.Eps)
	case nn.LayerNorm:
		text = "ln"
		note("layer norm epsilon", n.Eps)
	case nn.Activate:
		text = n.Act.String()
	case nn.Add:
		if text = "add"; len(n.In) > 2 {
			text = fmt.Sprintf("add %d", len(n.In))
		}
	case nn.Mul:
		if text = "multiply"; in(1).H == 1 && in(1).W == 1 {
			text = "multiply channels"
		}
	case nn.Concat, nn.ConcatTokens:
		text = fmt.Sprintf("concat %d, %d×%d×%d", len(n.In), n.Out.C, n.Out.H, n.Out.W)
	case nn.Slice, nn.SliceTokens:
		text = fmt.Sprintf("%s %d to %d", n.Op, n.From, n.To)
	case nn.Shuffle, nn.SplitSoftmax:
		text = fmt.Sprintf("%s %d", n.Op, n.Groups)
	case nn.ChannelConv:
		text = fmt.Sprintf("conv over channels, %d wide", g.Params[n.Weight].Elems())
	case nn.Affine:
		text = "fixed scale and shift"
		if len(n.Scale) <= 3 { // of a picture's channels
			text = fmt.Sprintf("scale by %.4g, shift by %.4g", n.Scale, n.Shift)
		}
		note("fixed scale", n.Scale)
		note("fixed shift", n.Shift)
	case nn.Const:
		text = fmt.Sprintf("learned %d×%d×%d", n.Out.C, n.Out.H, n.Out.W)
	case nn.Pad:
		text = "pad " + edges(n.Kernel.Pad)
	case nn.Attention:
		a := n.Attention
		text = fmt.Sprintf("attention, %d heads", a.Heads)
		if a.Window > 0 {
			text += fmt.Sprintf(", window %d", a.Window)
		}
		if a.Shift > 0 {
			text += fmt.Sprintf(", shift %d", a.Shift)
		}
		note("attention with position bias", len(n.In) > 1)
		note("attention scale", a.Scale)
		note("attention's channels by heads first", a.HeadsFirst)
	default:
		text = n.Op.String()
	}
	return text, details
}

// edges is a padding: one number where all sides have it.
func edges(e nn.Edges) string {
	if e.Top == e.Left && e.Top == e.Bottom && e.Top == e.Right {
		return strconv.Itoa(e.Top)
	}
	return fmt.Sprintf("top %d left %d bottom %d right %d", e.Top, e.Left, e.Bottom, e.Right)
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

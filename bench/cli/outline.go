package cli

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"zoobench/zoo/nn"
)

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

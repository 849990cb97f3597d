// Package outline writes a network's graph as papers' tables have it, and two networks' side by side: what show --diff
// prints.
//
// The contract: Stages cuts a graph into stages, each as far as the images keep their size, and these into blocks by
// the scopes of layers' names; blocks that repeat are counted. Every layer is in the text of one line, and what a text
// leaves out, an epsilon or a padding, is beside it as a detail. Diff pairs stages by how often the input was halved,
// so that networks of different input sizes meet, and lines by their texts; its rows come in an order to print.
//
// It leaves the layout of rows to who prints them (bench/cli), and to zoo/engine what runs and what a layer costs.
package outline

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"zoobench/zoo/nn"
)

// A Stage is the blocks in sequence that put out images of one size.
type Stage struct {
	Size  string // that its last block puts out: "56×56", or "197 tokens"
	Lines []Line

	level string // the same for stages of two networks that correspond
}

// A Line is a layer with the norm and the activation behind it, or the heading of a repeated block.
type Line struct {
	Text    string
	Details []Detail // what Text leaves out
	Count   int      // layers that it stands for
}

// A Detail is a setting of a layer.
type Detail struct{ Name, Value string }

// A block is the lines of one scope of names, or a single line outside of any.
type block struct {
	scope string // "" for a line outside
	lines []Line
	last  int // the node that it ends with
}

// Stages cuts a graph into stages of blocks; blocks, or pairs of them, that follow one another and are the same are
// counted.
func Stages(g *nn.Graph) (stages []Stage) {
	blocks := blocksOf(g)
	levelOf := func(b block) (level, size string) { return levelAndSize(g.Input(), g.Nodes[b.last].Out) }
	for i := 0; i < len(blocks); {
		level, size := levelOf(blocks[i])
		// times is how often the blocks from i on repeat with a period, within the stage.
		times := func(period int) int {
			end := i
			for ; end < len(blocks) && (end < i+period || sameBlock(blocks[end], blocks[end-period])); end++ {
				if next, _ := levelOf(blocks[end]); next != level {
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
		if k := len(stages) - 1; k >= 0 && stages[k].level == level {
			stages[k].Size = size // papers name the size that a stage ends with
			stages[k].Lines = append(stages[k].Lines, lines...)
			continue
		}
		stages = append(stages, Stage{Size: size, Lines: lines, level: level})
	}
	return stages
}

// repeated is the lines of blocks that repeat n times.
func repeated(blocks []block, n int) (lines []Line) {
	head := "1 block:"
	switch b := blocks[0]; {
	case len(blocks) > 1:
		head = fmt.Sprintf("%d × %d blocks:", n, len(blocks))
	case len(b.lines) == 1:
		l := b.lines[0]
		if l.Count = n; n > 1 {
			l.Text = fmt.Sprintf("%d × %s", n, l.Text)
		}
		return []Line{l}
	case n > 1:
		head = fmt.Sprintf("%d blocks:", n)
	}
	lines = []Line{{Text: head, Count: n * len(blocks)}}
	for _, b := range blocks {
		for _, l := range b.lines {
			lines = append(lines, Line{"  " + l.Text, l.Details, n})
		}
	}
	return lines
}

// sameBlock reports whether two blocks have the same lines, whatever their scopes are called.
func sameBlock(a, b block) bool {
	return (a.scope == "") == (b.scope == "") && slices.EqualFunc(a.lines, b.lines, func(x, y Line) bool {
		return x.Text == y.Text && slices.Equal(x.Details, y.Details)
	})
}

// levelAndSize is the stage that an output belongs to, by how often the input has been halved, so that stages of
// networks with different input sizes or paddings meet; and the output's size in words.
func levelAndSize(in, out nn.Shape) (level, size string) {
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
				l.Text, l.Details = l.Text+" · "+text, append(l.Details, details...)
				b.last = i
				continue
			}
			if current != "" {
				b.lines, b.last = append(b.lines, Line{text, details, 1}), i
				continue
			}
		}
		blocks = append(blocks, block{current, []Line{{text, details, 1}}, i})
	}
	return blocks
}

// rides reports whether an operation is written behind the layer that it follows.
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

package outline

import (
	"fmt"
	"strconv"

	"zoobench/zoo/nn"
)

// describe is a layer in a few words, and what these leave out.
func describe(g *nn.Graph, i int) (text string, details []Detail) {
	n := &g.Nodes[i]
	note := func(name string, value any) { details = append(details, Detail{name, fmt.Sprint(value)}) }
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
		if text = "bn"; n.Momentum == 0 {
			text = "standardise"
		}
		note("batch norm epsilon", n.Eps)
		note("batch norm scales", n.Weight >= 0)
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
		if len(n.Scale) <= 3 { // of an image's channels
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

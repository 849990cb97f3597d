package outline

import (
	"fmt"
	"strconv"

	"zoobench/zoo/nn"
)

// A description is a layer in a few words, and what these leave out.
type description struct {
	text    string
	details []Detail
}

func (d *description) note(name string, value any) {
	d.details = append(d.details, Detail{name, fmt.Sprint(value)})
}

// describe describes node i.
func describe(g *nn.Graph, i int) (text string, details []Detail) {
	n := &g.Nodes[i]
	in := func(k int) nn.Shape { return g.Nodes[n.In[k]].Out }
	var d description
	switch n.Op {
	case nn.Conv:
		d.conv(n, in(0).C)
	case nn.MaxPool, nn.AvgPool:
		d.pool(n)
	case nn.AdaptiveAvgPool:
		if d.text = "global avg pool"; n.Out.H > 1 || n.Out.W > 1 {
			d.text = fmt.Sprintf("avg pool to %d×%d", n.Out.H, n.Out.W)
		}
	case nn.Linear:
		if d.text = fmt.Sprintf("linear %d", n.Out.C); n.Bias < 0 {
			d.text += " without bias"
		}
	case nn.BatchNorm:
		if d.text = "bn"; n.Momentum == 0 {
			d.text = "standardise"
		}
		d.note("batch norm epsilon", n.Eps)
		d.note("batch norm scales", n.Weight >= 0)
	case nn.GroupNorm:
		d.text = fmt.Sprintf("gn %d", n.Groups)
		d.note("group norm epsilon", n.Eps)
	case nn.LayerNorm:
		d.text = "ln"
		d.note("layer norm epsilon", n.Eps)
	case nn.Activate:
		d.text = n.Act.String()
	case nn.Add:
		if d.text = "add"; len(n.In) > 2 {
			d.text = fmt.Sprintf("add %d", len(n.In))
		}
	case nn.Mul:
		if d.text = "multiply"; in(1).H == 1 && in(1).W == 1 {
			d.text = "multiply channels"
		}
	case nn.Concat, nn.ConcatTokens:
		d.text = fmt.Sprintf("concat %d, %d×%d×%d", len(n.In), n.Out.C, n.Out.H, n.Out.W)
	case nn.Slice, nn.SliceTokens:
		d.text = fmt.Sprintf("%s %d to %d", n.Op, n.From, n.To)
	case nn.Shuffle, nn.SplitSoftmax:
		d.text = fmt.Sprintf("%s %d", n.Op, n.Groups)
	case nn.ChannelConv:
		d.text = fmt.Sprintf("conv over channels, %d wide", g.Params[n.Weight].Elems())
	case nn.Affine:
		d.affine(n)
	case nn.Const:
		d.text = fmt.Sprintf("learned %d×%d×%d", n.Out.C, n.Out.H, n.Out.W)
	case nn.Pad:
		d.text = "pad " + edges(n.Kernel.Pad)
	case nn.Attention:
		d.attention(n)
	default:
		d.text = n.Op.String()
	}
	return d.text, d.details
}

func (d *description) conv(n *nn.Node, channels int) {
	d.text = "conv"
	k := n.Kernel
	if k.Groups == nn.Depthwise || k.Groups > 1 && k.Groups == channels {
		d.text, k.Groups = "depthwise", 1
	}
	d.text += " " + k.String()
	d.note(d.text+" padding", edges(k.Pad))
	d.text += fmt.Sprintf(", %d", n.Out.C)
	if n.Bias >= 0 {
		d.text += " +bias"
	}
	if k.StdEps > 0 {
		d.text = "standardised " + d.text
		d.note("epsilon of standardised weights", k.StdEps)
	}
}

func (d *description) pool(n *nn.Node) {
	d.text = map[bool]string{true: "max pool ", false: "avg pool "}[n.Op == nn.MaxPool] + n.Kernel.String()
	d.note(d.text+" padding", edges(n.Kernel.Pad))
	if n.Kernel.Pad != (nn.Edges{}) && n.Op == nn.AvgPool {
		d.note(d.text+" divides by padding too", !n.Kernel.ExcludePad)
	}
	d.note(d.text+" ceil mode", n.Kernel.Ceil)
}

func (d *description) affine(n *nn.Node) {
	d.text = "fixed scale and shift"
	if len(n.Scale) <= 3 { // of an image's channels
		d.text = fmt.Sprintf("scale by %.4g, shift by %.4g", n.Scale, n.Shift)
	}
	d.note("fixed scale", n.Scale)
	d.note("fixed shift", n.Shift)
}

func (d *description) attention(n *nn.Node) {
	a := n.Attention
	d.text = fmt.Sprintf("attention, %d heads", a.Heads)
	if a.Window > 0 {
		d.text += fmt.Sprintf(", window %d", a.Window)
	}
	if a.Shift > 0 {
		d.text += fmt.Sprintf(", shift %d", a.Shift)
	}
	d.note("attention with position bias", len(n.In) > 1)
	d.note("attention scale", a.Scale)
	d.note("attention's channels by heads first", a.HeadsFirst)
}

// edges is a padding: one number where all sides have it.
func edges(e nn.Edges) string {
	if e.Top == e.Left && e.Top == e.Bottom && e.Top == e.Right {
		return strconv.Itoa(e.Top)
	}
	return fmt.Sprintf("top %d left %d bottom %d right %d", e.Top, e.Left, e.Bottom, e.Right)
}

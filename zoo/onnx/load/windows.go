package load

import (
	"zoobench/zoo/nn"
)

// window is an operator's window over so many rows and columns, padded as it says.
func (l *loader) window(x *image, h, w int) nn.Kernel {
	k := nn.KHW(h, w)
	two := func(name string, a, b *int) {
		switch v := l.ints(name); {
		case len(v) == 2 && min(v[0], v[1]) > 0 && max(v[0], v[1]) <= maxWindow:
			*a, *b = v[0], v[1]
		case v != nil:
			l.refuse("%s %v, want two sizes", name, v)
		}
	}
	two("strides", &k.SH, &k.SW)
	two("dilations", &k.DH, &k.DW)
	pads := [4]int{}
	if v := l.ints("pads"); len(v) == 4 {
		pads = [4]int(v)
	} else if v != nil {
		l.refuse("pads %v, want four", v)
	}
	for _, p := range pads {
		if p > maxWindow || p < -maxWindow {
			l.refuse("pads %v", pads)
		}
	}
	rows, columns := size(x.v[2]), size(x.v[3])
	switch auto := l.text("auto_pad", "NOTSET"); auto {
	case "NOTSET":
	case "VALID":
		pads = [4]int{}
	case "SAME_UPPER", "SAME_LOWER":
		lower := auto == "SAME_LOWER"
		pads[0], pads[2] = same(rows, k.DH*(h-1)+1, k.SH, lower)
		pads[1], pads[3] = same(columns, k.DW*(w-1)+1, k.SW, lower)
	default:
		l.refuse("auto_pad %q", auto)
	}
	return k.PadEdges(pads[0], pads[1], pads[2], pads[3])
}

// same is TensorFlow's padding: the odd one behind, or before in the operator's lower form.
func same(n, span, stride int, lower bool) (before, after int) {
	total := max((n+stride-1)/stride*stride-stride+span-n, 0)
	before, after = total/2, total-total/2
	if lower {
		before, after = after, before
	}
	return before, after
}

// maxWindow bounds what a window may be.
const maxWindow = 1 << 13

func plus(a, b nn.Edges) nn.Edges {
	return nn.Edges{Top: a.Top + b.Top, Left: a.Left + b.Left, Bottom: a.Bottom + b.Bottom, Right: a.Right + b.Right}
}

func padded(k nn.Kernel, e nn.Edges) nn.Kernel { return k.PadEdges(e.Top, e.Left, e.Bottom, e.Right) }

// unpadded is an image in planes with what padding may become the reader's own.
func (l *loader) unpadded(x *image, take func(nn.Edges) bool) (nn.Value, nn.Edges) {
	e, s := x.pad, x.base().Shape
	planes := view{full(images, l.batch), full(channel, s.C), full(row, e.Top+s.H+e.Bottom), full(column, e.Left+s.W+e.Right)}
	if e == (nn.Edges{}) || !take(e) || !x.v.equal(planes) {
		return l.inPlanes(x), nn.Edges{}
	}
	y := l.planes(l.realise(x.f))
	return l.inPlanes(y), e
}

// poolWindow is a pool's window.
func (l *loader) poolWindow(x *image) nn.Kernel {
	if len(x.v) != 4 {
		l.refuse("a pool over %s, want images", l.shown(x.v.dims()))
	}
	shape := l.ints("kernel_shape")
	if len(shape) != 2 || min(shape[0], shape[1]) < 1 || max(shape[0], shape[1]) > maxWindow {
		l.refuse("kernel_shape %v, want two sizes", shape)
	}
	k := l.window(x, shape[0], shape[1])
	if l.int("ceil_mode", 0) != 0 {
		k = k.WithCeil()
	}
	return k
}

func (l *loader) maxPool(in []any) []any {
	x := must[*image](l, in, 0)
	if len(l.node.Out) > 1 && l.node.Out[1] != "" {
		l.refuse("indices of the largest elements")
	}
	k := l.poolWindow(x)
	v, crop := l.unpadded(x, func(e nn.Edges) bool { return max(e.Top, e.Left, e.Bottom, e.Right) <= 0 })
	k = padded(k, plus(k.Pad, crop))
	return one(l.planes(l.made(l.g.MaxPool(v, k))))
}

func (l *loader) averagePool(in []any) []any {
	x := must[*image](l, in, 0)
	k := l.poolWindow(x)
	own := k.Pad
	counts := l.int("count_include_pad", 0) != 0
	v, pad := l.unpadded(x, func(e nn.Edges) bool {
		return counts || own == (nn.Edges{}) || own.Top == 0 && own.Left == 0 && !k.Ceil && hangs(own.Bottom, k.SH) && hangs(own.Right, k.SW)
	})
	switch {
	case pad == (nn.Edges{}) && own == (nn.Edges{}):
	case counts || own == (nn.Edges{}):
		k = padded(k, plus(own, pad))
	case pad == (nn.Edges{}):
		k = k.WithoutPad()
	default: // zeros that count, and windows that hang over them
		k = padded(k, pad).WithCeil()
	}
	if one := k.H == 1 && k.W == 1 && k.SH == 1 && k.SW == 1; one && k.Pad == (nn.Edges{}) {
		return []any{x}
	}
	if k.H == v.H && k.W == v.W && k.Pad == (nn.Edges{}) {
		return one(l.planes(l.made(l.g.GlobalAvgPool(v))))
	}
	return one(l.planes(l.made(l.g.AvgPool(v, k))))
}

// hangs reports whether so many rows behind the image may be those that a last window needs.
func hangs(n, stride int) bool { return n >= 0 && n < stride }

func (l *loader) globalAveragePool(in []any) []any {
	v := l.inPlanes(must[*image](l, in, 0))
	return one(l.planes(l.made(l.g.GlobalAvgPool(v))))
}

package nn

import (
	"fmt"
	"strings"
)

// Kernel is the window of a convolution or a pool: its size, how it moves, how its input is padded and, for a
// convolution, how many groups it has and whether a bias is added. It is a value: K(3).S(2).G(32) reads as the paper's
// row does, and every departure from the default shows at the call.
type Kernel struct {
	H, W   int // window
	SH, SW int // stride
	DH, DW int // dilation
	Groups int // of a convolution; Depthwise means one for each input channel
	Bias   bool

	padding padding
	Pad     Edges // resolved by the builder, for every way of padding

	Ceil       bool    // pools: a window that hangs over the far edge counts, as PyTorch's ceil_mode
	ExcludePad bool    // average pools: padding is not counted in the divisor
	StdEps     float64 // convolutions: weights standardised per output channel with this epsilon; 0 means they are not
}

// padding is how Edges come about.
type padding uint8

// The zero value keeps the size of an odd window at stride 1; an even window has no centre and must say what it wants.
const (
	centred  padding = iota // d·(k−1)/2 on every side, odd windows only
	explicit                // as Edges say
	sameTF                  // TensorFlow's "same": ceil(size/stride) outputs, the odd pixel at the bottom and the right
)

// Edges are numbers of padded rows and columns; negative where they are cropped instead.
type Edges struct{ Top, Left, Bottom, Right int }

// Depthwise as a group count gives each input channel a group of its own.
const Depthwise = -1

// K is a square n×n window, stride 1, padded to keep its input's size.
func K(n int) Kernel { return KHW(n, n) }

// KHW is an h×w window, stride 1, padded to keep its input's size.
func KHW(h, w int) Kernel {
	return Kernel{H: h, W: w, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1}
}

// S moves the window by n pixels at a time.
func (k Kernel) S(n int) Kernel { k.SH, k.SW = n, n; return k }

// G splits channels into n groups; Depthwise into as many as there are input channels.
func (k Kernel) G(n int) Kernel { k.Groups = n; return k }

// D spaces the window's taps n pixels apart.
func (k Kernel) D(n int) Kernel { k.DH, k.DW = n, n; return k }

// P pads every edge by n.
func (k Kernel) P(n int) Kernel { return k.PadEdges(n, n, n, n) }

// PadEdges pads each edge by its own number. A negative number crops.
func (k Kernel) PadEdges(top, left, bottom, right int) Kernel {
	k.padding, k.Pad = explicit, Edges{top, left, bottom, right}
	return k
}

// Valid pads nothing.
func (k Kernel) Valid() Kernel { return k.P(0) }

// Same pads as TensorFlow does: ceil(size/stride) outputs, the odd pixel at the far edge.
func (k Kernel) Same() Kernel { k.padding = sameTF; return k }

// WithBias adds a learned number to each output channel.
func (k Kernel) WithBias() Kernel { k.Bias = true; return k }

// WithCeil lets a pool's last window hang over the padded edge, as PyTorch's ceil_mode does.
func (k Kernel) WithCeil() Kernel { k.Ceil = true; return k }

// WithoutPad divides an average by the pixels inside the input only (count_include_pad = false).
func (k Kernel) WithoutPad() Kernel { k.ExcludePad = true; return k }

// WithStd standardises a convolution's weights per output channel before use: (w − mean)/√(var + eps).
func (k Kernel) WithStd(eps float64) Kernel { k.StdEps = eps; return k }

// String is the window as a table of layers prints it: "3×3/2 g32".
func (k Kernel) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d×%d", k.H, k.W)
	if k.SH != 1 || k.SW != 1 {
		fmt.Fprintf(&b, "/%d", k.SH)
		if k.SW != k.SH {
			fmt.Fprintf(&b, "×%d", k.SW)
		}
	}
	if k.DH > 1 || k.DW > 1 {
		fmt.Fprintf(&b, " d%d", k.DH)
	}
	if k.Groups > 1 {
		fmt.Fprintf(&b, " g%d", k.Groups)
	}
	return b.String()
}

// resolve fills in Pad for an input of h×w pixels and gives the output's size; pool says whether ceil counts.
func (k Kernel) resolve(h, w int, pool bool) (Kernel, int, int, error) {
	if k.H < 1 || k.W < 1 || k.SH < 1 || k.SW < 1 || k.DH < 1 || k.DW < 1 {
		return k, 0, 0, fmt.Errorf("window %v with stride %d×%d, dilation %d×%d: each must be at least 1", k, k.SH, k.SW, k.DH, k.DW)
	}
	spanH, spanW := k.DH*(k.H-1)+1, k.DW*(k.W-1)+1
	switch k.padding {
	case centred:
		if spanH%2 == 0 || spanW%2 == 0 {
			return k, 0, 0, fmt.Errorf("window %v has no centre: state its padding", k)
		}
		k.Pad = Edges{spanH / 2, spanW / 2, spanH / 2, spanW / 2}
	case sameTF:
		k.Pad.Top, k.Pad.Bottom = splitSame(h, spanH, k.SH)
		k.Pad.Left, k.Pad.Right = splitSame(w, spanW, k.SW)
	}
	ceil := pool && k.Ceil
	if ceil && min(k.Pad.Top, k.Pad.Left, k.Pad.Bottom, k.Pad.Right) < 0 {
		return k, 0, 0, fmt.Errorf("window %v in ceil mode cannot crop edges, have %v", k, k.Pad)
	}
	oh := outputs(h, k.Pad.Top, k.Pad.Bottom, spanH, k.SH, ceil)
	ow := outputs(w, k.Pad.Left, k.Pad.Right, spanW, k.SW, ceil)
	if oh < 1 || ow < 1 {
		return k, 0, 0, fmt.Errorf("window %v does not fit into %d×%d pixels", k, h, w)
	}
	return k, oh, ow, nil
}

// touches reports whether each of oh×ow windows of a pool covers a pixel of an h×w image.
func (k Kernel) touches(h, w, oh, ow int) bool {
	return k.Pad.Top < k.H && k.Pad.Left < k.W && (oh-1)*k.SH-k.Pad.Top < h && (ow-1)*k.SW-k.Pad.Left < w
}

// splitSame splits TensorFlow's padding of one axis: total = max((⌈n/s⌉−1)·s + span − n, 0), the smaller half first.
func splitSame(n, span, stride int) (before, after int) {
	total := max(((n+stride-1)/stride-1)*stride+span-n, 0)
	return total / 2, total - total/2
}

// outputs counts the windows along one axis. With ceil a last window may hang over the far padding, but must start
// inside the input or its near padding (PyTorch's rule).
func outputs(n, before, after, span, stride int, ceil bool) int {
	room := n + before + after - span
	if ceil {
		room += stride - 1
	}
	if room < 0 {
		return 0
	}
	out := room/stride + 1
	if ceil && (out-1)*stride >= n+before {
		out--
	}
	return out
}

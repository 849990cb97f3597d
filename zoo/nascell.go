package zoo

import (
	"sync"

	"zoobench/zoo/nn"
)

// A nasCell is a searched cell (NASNet's figure 4, PNASNet's figure 1): five pairs of operations whose results are
// added, and the values that it puts out, concatenated.
type nasCell struct {
	pairs [5]nasPair
	out   []int
}

// A nasPair is what the files call comb_iter_0_left and comb_iter_0_right, by its place in the table.
type nasPair [2]nasOp

// A nasOp is an operation over one of a cell's values: a pair's sum by its number, or nasInput or nasPrevious.
type nasOp struct {
	kind   nasKind
	k      int // window
	stride int
	of     int
}

const (
	nasInput    = -1 // what the cell before put out
	nasPrevious = -2 // what the one before that did
)

type nasKind uint8

const (
	nasSame    nasKind = iota // the value itself
	nasSep                    // separable convolution, twice, the first with the stride
	nasAvg                    // average pool
	nasMax                    // maximum pool
	nasProject                // ReLU, 1×1 convolution and norm
)

// nasEps is TensorFlow's epsilon.
const nasEps = 1e-3

// A nasPadding is how windows are padded.
type nasPadding uint8

const (
	nasCentred nasPadding = iota
	nasTF                 // as TensorFlow's "same" does, of which strided windows alone take notice
	nasKeras              // as TensorFlow's does, by zeros that may be a strided window's maximum
	nasShifted            // by a row and a column of zeros more, before the image; the first of the result are dropped
)

// window is a pool's; shifted ones need not compute what is dropped.
func (p nasPadding) window(k, stride int) nn.Kernel {
	w := nn.K(k).S(stride)
	switch {
	case stride > 1 && (p == nasTF || p == nasKeras):
		return w.Same()
	case stride > 1 && p == nasShifted:
		return w.PadEdges(k/2-1, k/2-1, k/2, k/2)
	}
	return w
}

// build runs a cell whose two values have been brought to out channels, or have not in a first cell.
func (c nasCell) build(g *nn.Builder, x, prev nn.Value, out int, pad nasPadding) nn.Value {
	sums := make([]nn.Value, 0, len(c.pairs))
	value := func(of int) nn.Value {
		switch of {
		case nasInput:
			return x
		case nasPrevious:
			return prev
		}
		return sums[of]
	}
	framed := sync.OnceValue(func() nn.Value { // by zeros, for all maxima: NASNet's are of x
		return g.Pad(x, nn.Edges{Top: x.H % 2, Left: x.W % 2, Bottom: 1, Right: 1})
	})
	input := func(o nasOp) nn.Value {
		if pad == nasKeras && o.kind == nasMax {
			return framed()
		}
		return value(o.of)
	}
	for i, p := range c.pairs {
		left := p[0].build(g.In("comb_iter_%d_left", i), input(p[0]), out, pad)
		right := p[1].build(g.In("comb_iter_%d_right", i), input(p[1]), out, pad)
		sums = append(sums, g.Add(left, right))
	}
	var parts []nn.Value
	for _, of := range c.out {
		parts = append(parts, value(of))
	}
	return g.Concat(parts...)
}

func (o nasOp) build(g *nn.Builder, x nn.Value, out int, pad nasPadding) nn.Value {
	k := pad.window(o.k, o.stride)
	switch o.kind {
	case nasSep:
		if pad == nasShifted {
			k = nn.K(o.k).S(o.stride).PadEdges(o.k/2+1, o.k/2+1, o.k/2, o.k/2)
		}
		x = nasSeparable(g.In("separable_1"), g.ReLU(x), out, k)
		if pad == nasShifted {
			x = g.AvgPool(x, nn.K(1).PadEdges(-1, -1, 0, 0))
		}
		x = g.ReLU(g.BatchNorm("bn_sep_1", x, nasEps))
		x = nasSeparable(g.In("separable_2"), x, out, nn.K(o.k))
		return g.BatchNorm("bn_sep_2", x, nasEps)
	case nasAvg:
		if pad != nasTF && pad != nasKeras || o.stride == 1 { // TensorFlow's padding is counted: timm puts it around the image first
			k = k.WithoutPad()
		}
		return g.AvgPool(x, k)
	case nasMax:
		if pad == nasKeras {
			k = k.Valid()
		}
		x = g.MaxPool(x, k)
		if x.C != out {
			x = g.BatchNorm("bn", g.Conv("conv", x, out, k1), nasEps)
		}
		return x
	case nasProject:
		return actConvNorm(g, x, out, k)
	}
	return x
}

// nasSeparable is a depthwise convolution and a 1×1 with nothing in between.
func nasSeparable(g *nn.Builder, x nn.Value, out int, k nn.Kernel) nn.Value {
	x = g.Conv("depthwise_conv2d", x, x.C, k.G(nn.Depthwise))
	return g.Conv("pointwise_conv2d", x, out, k1)
}

// actConvNorm is a ReLU, a convolution and its norm.
func actConvNorm(g *nn.Builder, x nn.Value, out int, k nn.Kernel) nn.Value {
	return g.BatchNorm("bn", g.Conv("conv", g.ReLU(x), out, k), nasEps)
}

// factorized halves the pixels and keeps what strided 1×1 windows skip: half of the channels are convolutions of the
// pixels at even places, half of those at odd places.
func factorized(g *nn.Builder, x nn.Value, out int) nn.Value {
	x = g.ReLU(x)
	even := g.AvgPool(x, nn.K(1).S(2))
	odd := g.AvgPool(x, nn.K(1).S(2).PadEdges(-1, -1, 1, 1))
	x = g.Concat(g.Conv("path_1.conv", even, out/2, nn.K(1)), g.Conv("path_2.conv", odd, out/2, nn.K(1)))
	return g.BatchNorm("final_path_bn", x, nasEps)
}

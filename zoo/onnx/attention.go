package onnx

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// attention is timm's, as PyTorch exports it: queries, keys and values from one row of channels, two products and a softmax
// between them. Windows are cut out first and laid back behind, as Swin has it.
func (e *exporter) attention(n *nn.Node) {
	a, s := n.Attention, n.Out
	d, count := s.C/a.Heads, s.H*s.W
	if a.Window > 0 {
		count = a.Window * a.Window
	}
	var x string
	if a.Window > 0 {
		x = e.cut(e.roll(e.as(n.In[0], last), s, a.Shift), s, a.Window)
	} else {
		x = e.as(n.In[0], tokens)
	}
	// Three of (N,heads,tokens,d).
	order, perm := []int{0, count, 3, a.Heads, d}, []int{2, 0, 3, 1, 4}
	if a.HeadsFirst {
		order, perm = []int{0, count, a.Heads, 3, d}, []int{3, 0, 2, 1, 4}
	}
	x = e.transpose(e.reshape(x, order...), perm...)
	var qkv [3]string
	for i := range qkv {
		qkv[i] = e.opWith("Gather", []message.Attribute{number("axis", 0)}, x, e.integer(i))
	}
	y := e.op("MatMul", e.op("Mul", qkv[0], e.float(a.Scale)), e.transpose(qkv[1], 0, 1, 3, 2))
	if len(n.In) > 1 {
		y = e.op("Add", y, e.bias(n))
	}
	if a.Shift > 0 {
		windows := s.H * s.W / count
		y = e.reshape(y, -1, windows, a.Heads, count, count)
		y = e.op("Add", y, e.own("mask", mask(s, a), 1, windows, 1, count, count))
		y = e.reshape(y, -1, a.Heads, count, count)
	}
	y = e.opWith("Softmax", []message.Attribute{number("axis", -1)}, y)
	y = e.transpose(e.op("MatMul", y, qkv[2]), 0, 2, 1, 3)
	if a.Window == 0 {
		e.put(tokens, e.reshape(y, 0, count, s.C))
		return
	}
	y = e.reshape(y, -1, s.H/a.Window, s.W/a.Window, a.Window, a.Window, s.C)
	y = e.reshape(e.transpose(y, 0, 1, 3, 2, 4, 5), -1, s.H, s.W, s.C)
	e.put(last, e.roll(y, s, -a.Shift))
}

// roll moves rows and columns up and left by n, or down and right if n is negative; what leaves comes in at the other end.
func (e *exporter) roll(x string, s nn.Shape, n int) string {
	if n == 0 {
		return x
	}
	for axis, size := range []int{s.H, s.W} {
		at := (n + size) % size
		x = e.concatAt(axis+1, e.sliceAt(x, axis+1, at, size), e.sliceAt(x, axis+1, 0, at))
	}
	return x
}

// cut makes each window of queries, keys and values an image of its own, of w·w tokens.
func (e *exporter) cut(x string, s nn.Shape, w int) string {
	x = e.reshape(x, 0, s.H/w, w, s.W/w, w, 3*s.C)
	return e.reshape(e.transpose(x, 0, 1, 3, 2, 4, 5), -1, w*w, 3*s.C)
}

// bias takes the bias of each query and key out of the table of offsets: (1,heads,tokens,tokens).
func (e *exporter) bias(n *nn.Node) string {
	h, w := n.Out.H, n.Out.W
	if n.Attention.Window > 0 {
		h, w = n.Attention.Window, n.Attention.Window
	}
	index := make([]int, 0, h*w*h*w)
	for query := range h * w {
		for key := range h * w {
			dy, dx := query/w-key/w+h-1, query%w-key%w+w-1
			index = append(index, dy*(2*w-1)+dx)
		}
	}
	at := e.integers(fmt.Sprintf("offsets/%dx%d", h, w), index, len(index))
	x := e.opWith("Gather", []message.Attribute{number("axis", 1)}, e.as(n.In[1], tokens), at)
	return e.transpose(e.reshape(x, 1, h*w, h*w, n.Attention.Heads), 0, 3, 1, 2)
}

// mask is −100 where the roll brought a key next to its query (Liu and others 2021, figure 4): (windows,tokens,tokens).
func mask(s nn.Shape, a nn.AttentionSpec) []float32 {
	region := func(i, size int) int {
		switch {
		case i < size-a.Window:
			return 0
		case i < size-a.Shift:
			return 1
		}
		return 2
	}
	w := a.Window
	at := func(window, token int) int {
		y, x := window/(s.W/w)*w+token/w, window%(s.W/w)*w+token%w
		return 3*region(y, s.H) + region(x, s.W)
	}
	var m []float32
	for window := range s.H * s.W / (w * w) {
		for query := range w * w {
			for key := range w * w {
				v := float32(0)
				if at(window, query) != at(window, key) {
					v = -100
				}
				m = append(m, v)
			}
		}
	}
	return m
}

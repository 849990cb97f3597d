package ref

import "math"

// SliceTokens copies tokens from up to, not including, to: dst (NC,to−from), x (NC,L). dst must not be x.
func SliceTokens(dst, x []float64, from, to, nc, l int) {
	check("dst", len(dst), nc*(to-from))
	check("x", len(x), nc*l)
	for i := range nc {
		copy(dst[i*(to-from):], x[i*l+from:i*l+to])
	}
}

// Planes turns P pixels of C channels each into C planes: dst (C,P), x (P,C). dst must not be x.
func Planes[W Float](dst []float64, x []W, c, p int) {
	check("dst", len(dst), c*p)
	check("x", len(x), c*p)
	for i, v := range x {
		dst[i%c*p+i/c] = float64(v)
	}
}

// RelCoords is the offsets between the pixels of an h×w grid on a log scale, as swin v2 and timm's relative position
// networks use them: dst (2,2h−1,2w−1), rounded to float32.
//
//	dst[0,y,x] = sign(dy)·ln(1 + |dy|), dy = y − (h−1)
//	dst[1,y,x] = sign(dx)·ln(1 + |dx|), dx = x − (w−1)
func RelCoords(dst []float64, h, w int) {
	rows, columns := 2*h-1, 2*w-1
	check("dst", len(dst), 2*rows*columns)
	at := func(d int) float64 {
		f := float64(d)
		return float64(float32(math.Copysign(math.Log1p(math.Abs(f)), f)))
	}
	for y := range rows {
		for x := range columns {
			dst[y*columns+x] = at(y - (h - 1))
			dst[(rows+y)*columns+x] = at(x - (w - 1))
		}
	}
}

// Resample takes C rows of prefix tokens and a grid of from pixels to a grid of to pixels, rows and columns: dst
// (C,prefix+to), x (C,prefix+from). The prefix is copied. Columns and then rows are resampled as PyTorch's interpolate
// does with mode "bicubic" and antialias: Keys' kernel with a = −1/2, stretched by the scale where that shrinks, its
// weights divided by their sum. dst must not be x.
func Resample(dst, x []float64, from, to [2]int, prefix, c int) {
	in, out := prefix+from[0]*from[1], prefix+to[0]*to[1]
	check("dst", len(dst), c*out)
	check("x", len(x), c*in)
	columns, rows := bicubic(from[1], to[1]), bicubic(from[0], to[0])
	wide := make([]float64, from[0]*to[1])
	for ch := range c {
		src, y := x[ch*in:][:in], dst[ch*out:][:out]
		copy(y, src[:prefix])
		src, y = src[prefix:], y[prefix:]
		for i := range wide {
			t := columns[i%to[1]]
			wide[i] = dot(t.weights, src[i/to[1]*from[1]+t.first:])
		}
		for i := range y {
			t := rows[i/to[1]]
			y[i] = 0
			for k, v := range t.weights {
				y[i] += v * wide[(t.first+k)*to[1]+i%to[1]]
			}
		}
	}
}

// taps is what one output pixel of a resampled row sees: weights from pixel first on.
type taps struct {
	first   int
	weights []float64
}

// bicubic is the taps of every pixel of a row of n pixels resampled to m.
func bicubic(n, m int) []taps {
	scale := float64(n) / float64(m)
	stretch := max(scale, 1)
	all := make([]taps, m)
	for i := range all {
		centre := scale * (float64(i) + 0.5)
		first := max(int(centre-2*stretch+0.5), 0)
		last := min(int(centre+2*stretch+0.5), n)
		sum := 0.0
		for j := first; j < last; j++ {
			v := keys((float64(j) - centre + 0.5) / stretch)
			all[i].weights = append(all[i].weights, v)
			sum += v
		}
		for k := range all[i].weights {
			all[i].weights[k] /= sum
		}
		all[i].first = first
	}
	return all
}

// keys is Keys' cubic kernel (1981) with a = −1/2.
func keys(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}

// dot is Σ w[k]·x[k].
func dot(w, x []float64) float64 {
	sum := 0.0
	for k, v := range w {
		sum += v * x[k]
	}
	return sum
}

// AttentionSize is the shapes and options of an attention: N images of H×W tokens, Heads heads of D channels.
type AttentionSize struct {
	N, H, W, Heads, D int
	Scale             float64
	HeadsFirst        bool // channels are ordered [heads][3][d], not [3][heads][d]
	Window, Shift     int  // windows of Window×Window tokens, rolled by Shift; Window 0 means the whole grid
}

// Attention is softmax(Scale·q·kᵀ + bias)·v for each head of each window: dst (N,Heads·D,H,W), qkv (N,3·Heads·D,H,W),
// bias (Heads,2h−1,2w−1) or nil for windows of h×w tokens, at row y−y'+h−1 and column x−x'+w−1 for the query at (y,x)
// and the key at (y',x'). With a Shift the grid is rolled up and left before it is cut, and back behind; a key that the
// roll brought next to its query gets −100 more (Liu and others 2021, figure 4). dst must not be qkv.
func Attention(dst, qkv, bias []float64, s AttentionSize) {
	s.check(dst, qkv, bias)
	windows := s.windows()
	each(s.N*s.Heads*windows, func(i int) {
		n, head, w := i/windows/s.Heads, i/windows%s.Heads, s.window(i%windows)
		row := make([]float64, len(w.at))
		for query, at := range w.at {
			s.softmax(row, qkv, bias, n, head, query, w)
			for c := range s.D {
				sum := 0.0
				for key, v := range row {
					sum += v * qkv[s.plane(n, 2, head, c)+w.at[key]]
				}
				dst[((n*s.Heads+head)*s.D+c)*s.H*s.W+at] = sum
			}
		}
	})
}

func (s AttentionSize) check(dst, qkv, bias []float64) {
	check("dst", len(dst), s.N*s.Heads*s.D*s.H*s.W)
	check("qkv", len(qkv), 3*len(dst))
	if bias != nil {
		h, w := s.sides()
		check("bias", len(bias), s.Heads*(2*h-1)*(2*w-1))
	}
}

// sides is the rows and columns of a window.
func (s AttentionSize) sides() (h, w int) {
	if s.Window > 0 {
		return s.Window, s.Window
	}
	return s.H, s.W
}

// windows is the number of windows of an image.
func (s AttentionSize) windows() int {
	h, w := s.sides()
	return (s.H / h) * (s.W / w)
}

// tokens are those of one window: where they stand in the image and which region of the rolled grid they are from.
type tokens struct{ at, region []int }

func (s AttentionSize) window(i int) (w tokens) {
	rows, columns := s.sides()
	for t := range rows * columns {
		y, x := i/(s.W/columns)*rows+t/columns, i%(s.W/columns)*columns+t%columns
		w.at = append(w.at, (y+s.Shift)%s.H*s.W+(x+s.Shift)%s.W)
		w.region = append(w.region, 3*s.region(y, s.H)+s.region(x, s.W))
	}
	return w
}

// softmax writes how much a query takes from each key of its window.
func (s AttentionSize) softmax(row, qkv, bias []float64, n, head, query int, w tokens) {
	for key := range w.at {
		sum := 0.0
		for c := range s.D {
			sum += qkv[s.plane(n, 0, head, c)+w.at[query]] * qkv[s.plane(n, 1, head, c)+w.at[key]]
		}
		row[key] = s.Scale * sum
		if bias != nil {
			row[key] += bias[s.relative(head, query, key)]
		}
		if w.region[query] != w.region[key] {
			row[key] -= 100
		}
	}
	softmax(row)
}

// relative is where the bias of a query and a key of one window is.
func (s AttentionSize) relative(head, query, key int) int {
	h, w := s.sides()
	dy, dx := query/w-key/w+h-1, query%w-key%w+w-1
	return (head*(2*h-1)+dy)*(2*w-1) + dx
}

// plane is where channel c of a head's queries (0), keys (1) or values (2) starts.
func (s AttentionSize) plane(n, part, head, c int) int {
	ch := (part*s.Heads+head)*s.D + c
	if s.HeadsFirst {
		ch = (head*3+part)*s.D + c
	}
	return (n*3*s.Heads*s.D + ch) * s.H * s.W
}

// region numbers the parts of a rolled axis of size pixels: up to the last window, the rest of it, and what was rolled
// over from the other end.
func (s AttentionSize) region(i, size int) int {
	switch {
	case s.Shift == 0 || i < size-s.Window:
		return 0
	case i < size-s.Shift:
		return 1
	}
	return 2
}

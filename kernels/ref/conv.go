package ref

// ConvSize is the shapes of a convolution: N images of C channels, H rows and W columns, to O channels of OH×OW pixels.
// C and O are split into Groups groups, each output channel seeing its own group's C/Groups channels.
type ConvSize struct {
	N, C, H, W int
	O, OH, OW  int
	Groups     int
	Window     Window
}

// Conv is a convolution: dst (N,O,OH,OW), x (N,C,H,W), w (O,C/Groups,KH,KW), bias (O) or nil.
//
//	dst[n,o,oh,ow] = bias[o] + Σ w[o,c,kh,kw] · x[n,c',oh·SH−Top+kh·DH,ow·SW−Left+kw·DW]
//
// over c, kh and kw, c' being channel c of o's group; taps outside the image are 0. dst must not be x.
func Conv[P Float](dst, x []float64, w, bias []P, s ConvSize) {
	cg, og := s.C/s.Groups, s.O/s.Groups
	check("dst", len(dst), s.N*s.O*s.OH*s.OW)
	check("x", len(x), s.N*s.C*s.H*s.W)
	check("w", len(w), s.O*cg*s.Window.H*s.Window.W)
	if bias != nil {
		check("bias", len(bias), s.O)
	}
	each(s.N*s.O, func(i int) {
		n, o := i/s.O, i%s.O
		y := dst[i*s.OH*s.OW:][:s.OH*s.OW]
		for j := range y {
			y[j] = 0
			if bias != nil {
				y[j] = float64(bias[o])
			}
		}
		for c := range cg {
			plane := x[(n*s.C+o/og*cg+c)*s.H*s.W:][:s.H*s.W]
			taps := w[(o*cg+c)*s.Window.H*s.Window.W:][:s.Window.H*s.Window.W]
			for kh := range s.Window.H {
				for kw := range s.Window.W {
					s.tap(y, plane, float64(taps[kh*s.Window.W+kw]), kh, kw)
				}
			}
		}
	})
}

// tap adds one tap's product v·x to every output pixel of a plane, y (OH,OW), x (H,W).
func (s ConvSize) tap(y, x []float64, v float64, kh, kw int) {
	s.rows(kh, kw, func(out, in, n int) {
		if s.Window.SW == 1 {
			axpy(y[out:out+n], x[in:], v)
			return
		}
		for j := range n {
			y[out+j] += v * x[in+j*s.Window.SW]
		}
	})
}

// rows calls f for every row of output pixels to which a tap brings something from inside the image: n pixels from out on,
// the first of which sees input pixel in, the others each SW behind the one before.
func (s ConvSize) rows(kh, kw int, f func(out, in, n int)) {
	k := s.Window
	if k.H == 1 && k.W == 1 && k.SH == 1 && k.SW == 1 && k.Top == 0 && k.Left == 0 && s.OH == s.H && s.OW == s.W {
		f(0, 0, s.H*s.W) // rows without gaps are one long row
		return
	}
	// first is the column of the input that output column 0 sees; outputs lo to hi see one inside the image.
	first := kw*k.DW - k.Left
	lo := max(0, (-first+k.SW-1)/k.SW)
	hi := min(s.OW, (s.W-first+k.SW-1)/k.SW)
	if lo >= hi {
		return
	}
	for oh := range s.OH {
		if ih := oh*k.SH - k.Top + kh*k.DH; ih >= 0 && ih < s.H {
			f(oh*s.OW+lo, ih*s.W+first+lo*k.SW, hi-lo)
		}
	}
}

// axpy is y += v·x.
func axpy(y, x []float64, v float64) {
	x = x[:len(y)]
	for j := range y {
		y[j] += v * x[j]
	}
}

// Linear is a fully connected layer over the C channels of each of P pixels: dst (N,O,P), x (N,C,P), w (O,C), bias (O)
// or nil.
//
//	dst[n,o,p] = bias[o] + Σ w[o,c] · x[n,c,p]
//
// dst must not be x.
func Linear[W Float](dst, x []float64, w, bias []W, n, c, o, p int) {
	Conv(dst, x, w, bias, linearSize(n, c, o, p))
}

func linearSize(n, c, o, p int) ConvSize {
	return ConvSize{
		N: n, C: c, H: 1, W: p, O: o, OH: 1, OW: p, Groups: 1,
		Window: Window{H: 1, W: 1, SH: 1, SW: 1, DH: 1, DW: 1},
	}
}

package ref

// MaxPoolGrad is the gradient of MaxPool: dx and x (NC,H,W), dy (NC,OH,OW). Of equal elements in a window the first, in
// reading order, takes all of it, as PyTorch has it.
func MaxPoolGrad(dx, dy, x []float64, s PoolSize) {
	s.check(dy, x)
	check("dx", len(dx), len(x))
	k := s.Window
	clear(dx)
	each(s.NC, func(i int) {
		plane, d := x[i*s.H*s.W:][:s.H*s.W], dx[i*s.H*s.W:][:s.H*s.W]
		for o := range s.OH * s.OW {
			best := -1
			for t := range k.H * k.W {
				if at := s.inside(o, t); at >= 0 && (best < 0 || plane[at] > plane[best] || plane[at] != plane[at]) {
					best = at
				}
			}
			d[best] += dy[i*s.OH*s.OW+o]
		}
	})
}

// inside is the pixel that tap t of output pixel o reads, -1 for padding.
func (s PoolSize) inside(o, t int) int {
	k := s.Window
	ih := o/s.OW*k.SH - k.Top + t/k.W*k.DH
	iw := o%s.OW*k.SW - k.Left + t%k.W*k.DW
	if ih < 0 || ih >= s.H || iw < 0 || iw >= s.W {
		return -1
	}
	return ih*s.W + iw
}

// AvgPoolGrad is the gradient of AvgPool: dx (NC,H,W), dy (NC,OH,OW).
func AvgPoolGrad(dx, dy []float64, excludePad bool, s PoolSize) {
	s.check(dy, dx)
	// What each window divides by is what a plane of ones has in it over the mean that AvgPool finds there.
	one, share := PoolSize{1, s.H, s.W, s.OH, s.OW, s.Window}, make([]float64, s.OH*s.OW)
	ones := make([]float64, s.H*s.W)
	for i := range ones {
		ones[i] = 1
	}
	AvgPool(share, ones, excludePad, one)
	taps := s.Window.H * s.Window.W
	for o := range share {
		pixels := 0
		for t := range taps {
			if s.inside(o, t) >= 0 {
				pixels++
			}
		}
		share[o] /= float64(max(pixels, 1)) // a window over padding alone has no pixel to give to
	}
	clear(dx)
	each(s.NC, func(i int) {
		d := dx[i*s.H*s.W:][:s.H*s.W]
		for o, v := range share {
			for t := range taps {
				if at := s.inside(o, t); at >= 0 {
					d[at] += v * dy[i*s.OH*s.OW+o]
				}
			}
		}
	})
}

// AdaptiveAvgPoolGrad is the gradient of AdaptiveAvgPool: dx (NC,H,W), dy (NC,OH,OW).
func AdaptiveAvgPoolGrad(dx, dy []float64, nc, h, w, oh, ow int) {
	check("dx", len(dx), nc*h*w)
	check("dy", len(dy), nc*oh*ow)
	clear(dx)
	for i, g := range dy {
		plane, r, c := i/ow/oh, i/ow%oh, i%ow
		top, bottom := r*h/oh, ((r+1)*h+oh-1)/oh
		left, right := c*w/ow, ((c+1)*w+ow-1)/ow
		g /= float64((bottom - top) * (right - left))
		for y := top; y < bottom; y++ {
			for x := left; x < right; x++ {
				dx[(plane*h+y)*w+x] += g
			}
		}
	}
}

package ref

import "math"

// PoolSize is the shapes of a pool: NC planes of H×W pixels, to OH×OW pixels each.
type PoolSize struct {
	NC, H, W, OH, OW int
	Window           Window
}

func (s PoolSize) check(dst, x []float64) {
	check("dst", len(dst), s.NC*s.OH*s.OW)
	check("x", len(x), s.NC*s.H*s.W)
}

// MaxPool is the largest pixel of each window: dst (NC,OH,OW), x (NC,H,W). Padding never wins; a NaN does. dst must not
// be x.
func MaxPool(dst, x []float64, s PoolSize) {
	s.check(dst, x)
	k := s.Window
	each(s.NC, func(i int) {
		plane := x[i*s.H*s.W:][:s.H*s.W]
		for o := range s.OH * s.OW {
			best := math.Inf(-1)
			for t := range k.H * k.W {
				ih := o/s.OW*k.SH - k.Top + t/k.W*k.DH
				iw := o%s.OW*k.SW - k.Left + t%k.W*k.DW
				if ih >= 0 && ih < s.H && iw >= 0 && iw < s.W {
					best = max(best, plane[ih*s.W+iw])
				}
			}
			dst[i*s.OH*s.OW+o] = best
		}
	})
}

// AvgPool is the mean of each window: dst (NC,OH,OW), x (NC,H,W). Padding counts as zeros; with excludePad it does not
// count at all. What hangs over the padding, as the last window of a ceil-mode pool can, never counts (PyTorch's rule).
// dst must not be x.
func AvgPool(dst, x []float64, excludePad bool, s PoolSize) {
	s.check(dst, x)
	k := s.Window
	each(s.NC, func(i int) {
		plane := x[i*s.H*s.W:][:s.H*s.W]
		for o := range s.OH * s.OW {
			sum, inside, padded := 0.0, 0, 0
			for t := range k.H * k.W {
				ih := o/s.OW*k.SH - k.Top + t/k.W*k.DH
				iw := o%s.OW*k.SW - k.Left + t%k.W*k.DW
				switch {
				case ih >= 0 && ih < s.H && iw >= 0 && iw < s.W:
					sum += plane[ih*s.W+iw]
					inside++
				case ih < s.H+k.Bottom && iw < s.W+k.Right:
					padded++
				}
			}
			if !excludePad {
				inside += padded
			}
			dst[i*s.OH*s.OW+o] = sum / float64(inside)
		}
	})
}

// AdaptiveAvgPool averages each of NC planes of H×W pixels to OH×OW, output row i being the mean of rows ⌊i·H/OH⌋ up to
// ⌈(i+1)·H/OH⌉, columns alike (PyTorch's bins): dst (NC,OH,OW), x (NC,H,W). dst must not be x.
func AdaptiveAvgPool(dst, x []float64, nc, h, w, oh, ow int) {
	check("dst", len(dst), nc*oh*ow)
	check("x", len(x), nc*h*w)
	each(nc, func(i int) {
		plane := x[i*h*w:][:h*w]
		for r := range oh {
			for c := range ow {
				top, bottom := r*h/oh, ((r+1)*h+oh-1)/oh
				left, right := c*w/ow, ((c+1)*w+ow-1)/ow
				sum := 0.0
				for y := top; y < bottom; y++ {
					for _, v := range plane[y*w+left : y*w+right] {
						sum += v
					}
				}
				dst[(i*oh+r)*ow+c] = sum / float64((bottom-top)*(right-left))
			}
		}
	})
}

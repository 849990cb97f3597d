package ref

import "math"

// Slice copies channels from up to, not including, to: dst (N,to−from,P), x (N,C,P). dst must not be x.
func Slice(dst, x []float64, from, to, n, c, p int) {
	check("dst", len(dst), n*(to-from)*p)
	check("x", len(x), n*c*p)
	for i := range n {
		copy(dst[i*(to-from)*p:], x[(i*c+from)*p:(i*c+to)*p])
	}
}

// Shuffle deals G groups of channels out in turn: dst and x (N,C,P), dst must not be x.
//
//	dst[n,j·G+g,p] = x[n,g·C/G+j,p]
func Shuffle(dst, x []float64, groups, n, c, p int) {
	check("dst", len(dst), n*c*p)
	check("x", len(x), n*c*p)
	for i := range n * c {
		ch := i % c
		copy(dst[i*p:][:p], x[(i-ch+ch%groups*(c/groups)+ch/groups)*p:])
	}
}

// Affine is dst[n,c,p] = x[n,c,p]·scale[c] + shift[c]: dst and x (N,C,P), scale (C), shift (C) or nil for none; dst may be x.
func Affine[W Float](dst, x []float64, scale, shift []W, n, c, p int) {
	check("dst", len(dst), n*c*p)
	check("x", len(x), n*c*p)
	check("scale", len(scale), c)
	if shift != nil {
		check("shift", len(shift), c)
	}
	for i, v := range x {
		ch := i / p % c
		dst[i] = v * float64(scale[ch])
		if shift != nil {
			dst[i] += float64(shift[ch])
		}
	}
}

// Pad puts zeros around each of NC planes of H×W pixels: dst (NC,top+H+bottom,left+W+right), x (NC,H,W). dst must not be x.
func Pad(dst, x []float64, top, left, bottom, right, nc, h, w int) {
	oh, ow := top+h+bottom, left+w+right
	check("dst", len(dst), nc*oh*ow)
	check("x", len(x), nc*h*w)
	clear(dst)
	for i := range nc * h {
		plane, row := i/h, i%h
		copy(dst[(plane*oh+top+row)*ow+left:][:w], x[i*w:])
	}
}

// GroupNorm normalises each of G groups of channels over its C/G·P elements, then scales and shifts each channel (Wu
// and He 2018): dst and x (N,C,P), w and b (C), the variance with divisor C/G·P; dst may be x.
//
//	dst[n,c,p] = (x[n,c,p] − mean[n,g]) / √(var[n,g] + eps) · w[c] + b[c]
func GroupNorm[W Float](dst, x []float64, w, b []W, eps float64, groups, n, c, p int) {
	check("dst", len(dst), n*c*p)
	check("x", len(x), n*c*p)
	check("w", len(w), c)
	check("b", len(b), c)
	size := c / groups * p
	for i := range n * groups {
		in, out := x[i*size:][:size], dst[i*size:][:size]
		mean, variance := moments(in)
		sd := math.Sqrt(variance + eps)
		for j, v := range in {
			ch := i%groups*(c/groups) + j/p
			out[j] = (v-mean)/sd*float64(w[ch]) + float64(b[ch])
		}
	}
}

// LayerNorm normalises each pixel over its channels, then scales and shifts each channel (Ba and others 2016): dst and
// x (N,C,P), w and b (C), the variance with divisor C; dst may be x.
//
//	dst[n,c,p] = (x[n,c,p] − mean[n,p]) / √(var[n,p] + eps) · w[c] + b[c]
func LayerNorm[W Float](dst, x []float64, w, b []W, eps float64, n, c, p int) {
	check("dst", len(dst), n*c*p)
	check("x", len(x), n*c*p)
	check("w", len(w), c)
	check("b", len(b), c)
	pixel := make([]float64, c)
	for i := range n * p {
		at := i/p*c*p + i%p // of channel 0
		for ch := range c {
			pixel[ch] = x[at+ch*p]
		}
		mean, variance := moments(pixel)
		sd := math.Sqrt(variance + eps)
		for ch, v := range pixel {
			dst[at+ch*p] = (v-mean)/sd*float64(w[ch]) + float64(b[ch])
		}
	}
}

// moments is the mean and the variance, with the number of elements as divisor.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(len(x))
}

// SplitSoftmax is a softmax over parts equal ranges of channels: dst and x (N,parts,C/parts·P), over the second
// axis; dst may be x.
func SplitSoftmax(dst, x []float64, parts, n, c, p int) {
	check("dst", len(dst), n*c*p)
	check("x", len(x), n*c*p)
	size := c / parts * p
	row := make([]float64, parts)
	for i := range n * size {
		at := i/size*c*p + i%size // of part 0
		for k := range row {
			row[k] = x[at+k*size]
		}
		softmax(row)
		for k, v := range row {
			dst[at+k*size] = v
		}
	}
}

// softmax makes x e^x over its sum, in place.
func softmax(x []float64) {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, v)
	}
	for i, v := range x {
		x[i] = math.Exp(v - top)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}

// ChannelConv is a convolution along the channels of a vector, K = len(w) wide, zeros beyond its ends (Wang and others
// 2019): dst and x (N,C); dst must not be x.
//
//	dst[n,c] = Σ w[k] · x[n,c+k−⌊K/2⌋]
func ChannelConv[W Float](dst, x []float64, w []W, n, c int) {
	check("dst", len(dst), n*c)
	check("x", len(x), n*c)
	for i := range n * c {
		dst[i] = 0
		for k, v := range w {
			if ch := i%c + k - len(w)/2; ch >= 0 && ch < c {
				dst[i] += float64(v) * x[i-i%c+ch]
			}
		}
	}
}

package ref

import "math"

// BatchNorm normalises each of C channels of P pixels by its running statistics, mean and variance (C), then scales and
// shifts by w and b (C), of which nil is 1 and 0; dst and x (N,C,P), dst may be x.
//
//	dst[n,c,p] = (x[n,c,p] − mean[c]) / √(variance[c] + eps) · w[c] + b[c]
func BatchNorm[W Float](dst, x []float64, mean, variance, w, b []W, eps float64, n, c, p int) {
	check("dst", len(dst), n*c*p)
	check("x", len(x), n*c*p)
	for i := range n * c {
		ch := i % c
		sd := math.Sqrt(float64(variance[ch]) + eps)
		scale, shift := 1.0, 0.0
		if w != nil {
			scale = float64(w[ch])
		}
		if b != nil {
			shift = float64(b[ch])
		}
		y, in := dst[i*p:][:p], x[i*p:][:p]
		for j, v := range in {
			y[j] = (v-float64(mean[ch]))/sd*scale + shift
		}
	}
}

// Apply is dst[i] = f(x[i]); dst may be x.
func Apply(dst, x []float64, f func(float64) float64) {
	check("dst", len(dst), len(x))
	for i, v := range x {
		dst[i] = f(v)
	}
}

// ReLU is max(x, 0).
func ReLU(x float64) float64 { return max(x, 0) }

// ReLU6 is min(max(x, 0), 6).
func ReLU6(x float64) float64 { return min(max(x, 0), 6) }

// Sigmoid is 1/(1 + e^−x).
func Sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// SiLU is x · sigmoid(x) (Elfwing and others 2018; "swish").
func SiLU(x float64) float64 { return x * Sigmoid(x) }

// HardSigmoid is min(max(x + 3, 0), 6)/6 (Howard and others 2019).
func HardSigmoid(x float64) float64 { return ReLU6(x+3) / 6 }

// HardSwish is x · hardsigmoid(x).
func HardSwish(x float64) float64 { return x * HardSigmoid(x) }

// GELU is x · Φ(x), Φ the normal distribution, by erf (Hendrycks and Gimpel 2016).
func GELU(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }

// GELUTanh is the same paper's approximation, x/2 · (1 + tanh(√(2/π)·(x + 0.044715x³))).
func GELUTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

// Add is dst[i] = Σ xs[k][i]; dst may be any of xs.
func Add(dst []float64, xs ...[]float64) {
	for _, x := range xs {
		check("x", len(x), len(dst))
	}
	for i := range dst {
		sum := 0.0
		for _, x := range xs {
			sum += x[i]
		}
		dst[i] = sum
	}
}

// Mul multiplies P pixels of each channel by its gate: dst and x (N·C,P), gate (N·C) or (N·C,P); dst may be x.
func Mul(dst, x, gate []float64, nc, p int) {
	check("dst", len(dst), nc*p)
	check("x", len(x), nc*p)
	if len(gate) == nc*p {
		for i, v := range x {
			dst[i] = v * gate[i]
		}
		return
	}
	check("gate", len(gate), nc)
	for i, v := range x {
		dst[i] = v * gate[i/p]
	}
}

// Concat lays the channels of several values behind one another: dst (N,ΣC,P), xs[k] (N,C[k],P). dst must be none of
// xs.
func Concat(dst []float64, n int, xs ...[]float64) {
	at := 0
	for i := range n {
		for _, x := range xs {
			image := len(x) / n
			at += copy(dst[at:], x[i*image:][:image])
		}
	}
	check("dst", len(dst), at)
}

// Standardize makes each output channel's K weights have mean 0 and variance 1 (Qiao and others 2019): dst and w (O,K),
// the variance with divisor K.
//
//	dst[o,k] = (w[o,k] − mean[o]) / √(var[o] + eps)
func Standardize[W Float](dst []float64, w []W, eps float64, o int) {
	check("dst", len(dst), len(w))
	k := len(w) / o
	for i := range o {
		row, out := w[i*k:][:k], dst[i*k:][:k]
		var mean, variance float64
		for _, v := range row {
			mean += float64(v) / float64(k)
		}
		for _, v := range row {
			variance += (float64(v) - mean) * (float64(v) - mean) / float64(k)
		}
		for j, v := range row {
			out[j] = (float64(v) - mean) / math.Sqrt(variance+eps)
		}
	}
}

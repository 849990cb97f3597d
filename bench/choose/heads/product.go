package heads

import (
	"zoobench/kernels"
	"zoobench/kernels/par"
)

// product computes dst = a·bᵀ + bias on the networks' own kernels: a is (n, d), b (k, d), dst (n, k), bias (k) or nil.
func product(pool *par.Pool, dst, a, b, bias []float32, n, d, k int) {
	newFactor(pool, b, bias, n, d, k).times(dst, a)
}

// A factor is the b and bias of a product, laid out for the kernels once and for many a.
type factor struct {
	pool    *par.Pool
	conv    *kernels.Conv
	n, d, k int
}

func newFactor(pool *par.Pool, b, bias []float32, n, d, k int) *factor {
	c := kernels.NewConv(kernels.ConvShape{
		C: d, H: n, W: 1, OC: k, OH: n, OW: 1, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1, Weight: b, Bias: bias,
	}, pool.Size())
	return &factor{pool, c, n, d, k}
}

// times computes dst = a·bᵀ + bias.
func (f *factor) times(dst, a []float32) {
	to := kernels.Tensor{Data: dst, N: 1, H: f.n, W: 1, C: f.k, Stride: f.k}
	from := kernels.Tensor{Data: a, N: 1, H: f.n, W: 1, C: f.d, Stride: f.d}
	f.conv.Run(f.pool, to, from, kernels.Tensor{})
}

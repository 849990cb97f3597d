package choose

import (
	"zoobench/kernels"
	"zoobench/kernels/par"
)

// product computes dst = a·bᵀ + bias on the networks' own kernels: a is (n, d), b (k, d), dst (n, k), bias (k) or nil.
func product(pool *par.Pool, dst, a, b, bias []float32, n, d, k int) {
	c := kernels.NewConv(kernels.ConvShape{
		C: d, H: n, W: 1, OC: k, OH: n, OW: 1, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1, Weight: b, Bias: bias,
	}, pool.Size())
	c.Run(pool, kernels.Tensor{Data: dst, N: 1, H: n, W: 1, C: k, Stride: k}, kernels.Tensor{Data: a, N: 1, H: n, W: 1, C: d, Stride: d}, kernels.Tensor{})
}

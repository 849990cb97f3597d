//go:build !linux

package kernels

// Alloc is zeroed memory for packed weights and activations.
func Alloc(n int) []float32 { return make([]float32, n) }

package kernels

import "zoobench/kernels/par"

// A Convolution is a convolution made ready by one of the algorithms for it.
type Convolution interface {
	// Run computes dst = act(src convolved with the weights + bias + res); res is nil (its Data) for none and must not
	// overlap dst.
	Run(pool *par.Pool, dst, src, res Tensor)
	// Algorithm is the algorithm's name, with its tile where it has several.
	Algorithm() string
	// WeightBytes is the memory of the packed weights.
	WeightBytes() int64
}

// An Algorithm is one way to compute a convolution that is not a depthwise one.
type Algorithm struct {
	Name string // begins the name that the Convolution has
	// Error is the largest rounding error of an output over the layer's largest output: above what TestAlgorithmErrors
	// finds where inputs and weights are normally distributed, from 16 to 1024 channels.
	Error float64
	New   func(s ConvShape, workers int) Convolution
	// Direct says that it sums the definition's terms, in some order: an exact plan may use it.
	Direct bool

	bf16, int8   bool // for shapes with BF16, or with Int8, alone; others are not for these
	can, prefers func(*ConvShape) bool
}

// BF16AMX is the name of the algorithm that machines with AMX alone have: products of bf16 numbers by tiles.
const BF16AMX = "bf16_amx"

// algorithms are all there are, the direct one last: of those that can compute a convolution, the first that prefers it
// is the default. An algorithm is added here and nowhere else.
func algorithms() []Algorithm {
	always := func(*ConvShape) bool { return true }
	return []Algorithm{
		{
			Name: "winograd4x3", Error: 2e-5, can: (*ConvShape).canWinograd, prefers: (*ConvShape).PrefersWinograd,
			New: func(s ConvShape, workers int) Convolution { return newWinograd(s, workers) },
		},
		{
			Name: "bf16", Direct: true, Error: bf16Error, bf16: true, can: always, prefers: always,
			New: func(s ConvShape, workers int) Convolution { return NewBF16(s, workers) },
		},
		{
			// Its sums have an order of their own: nothing but a trial that finds it faster, or who names it, chooses it.
			Name: BF16AMX, Direct: true, Error: bf16Error, bf16: true, can: (*ConvShape).canBF16Blocks,
			prefers: func(*ConvShape) bool { return false },
			New:     func(s ConvShape, workers int) Convolution { return NewBF16Blocks(s, workers) },
		},
		{
			Name: gemm8Blocks, Direct: true, int8: true, can: (*ConvShape).canBlocks8, prefers: (*ConvShape).prefersBlocks8, New: newTrial8,
		},
		{
			Name: gemm8Tiles, Direct: true, int8: true, can: always, prefers: always, New: newTrial8Tiles,
		},
		{
			Name: "gemm", Direct: true, Error: 2e-6, can: always, prefers: always,
			New: func(s ConvShape, workers int) Convolution { return NewConv(s, workers) },
		},
	}
}

// Algorithms are the ways to compute a convolution: the default by the table of measured preferences first, the others
// in no order that matters. Where Exact is set, only direct ones are.
func (s *ConvShape) Algorithms() []Algorithm {
	var can []Algorithm
	preferred := -1
	for _, a := range algorithms() {
		if a.bf16 != s.canBF16() || a.int8 != s.Int8 || !a.can(s) || s.Exact && !a.Direct {
			continue
		}
		if preferred < 0 && a.prefers(s) {
			preferred = len(can)
		}
		can = append(can, a)
	}
	can[0], can[preferred] = can[preferred], can[0]
	return can
}

//go:build !purego

package bf16

import (
	"zoobench/kernels/internal/cpu"
	"zoobench/kernels/internal/f32"
)

var avx2 = &Level{
	Name: "avx2", beside: "avx2",
	Gemm:  [f32.Panels + 1]f32.Tiles{1: {nil, gemm1x16AVX2, gemm2x16AVX2, gemm3x16AVX2, gemm4x16AVX2, gemm5x16AVX2, gemm6x16AVX2}},
	Gemm8: f32.Tiles{nil, gemm1x8AVX2, gemm2x8AVX2, gemm3x8AVX2, gemm4x8AVX2, gemm5x8AVX2, gemm6x8AVX2},
	Round: roundc8AVX2,
}

// avx512 widens pairs as avx2 does, to vectors of sixteen.
var avx512 = &Level{
	Name: "avx512", beside: "avx512",
	Gemm: [f32.Panels + 1]f32.Tiles{
		1: {nil, gemm1x16AVX512, gemm2x16AVX512, gemm3x16AVX512, gemm4x16AVX512, gemm5x16AVX512, gemm6x16AVX512},
		2: {nil, gemm1x32AVX512, gemm2x32AVX512, gemm3x32AVX512, gemm4x32AVX512, gemm5x32AVX512, gemm6x32AVX512},
		3: {nil, gemm1x48AVX512, gemm2x48AVX512, gemm3x48AVX512, gemm4x48AVX512, gemm5x48AVX512, gemm6x48AVX512},
		4: {nil, gemm1x64AVX512, gemm2x64AVX512, gemm3x64AVX512, gemm4x64AVX512, gemm5x64AVX512, gemm6x64AVX512},
	},
	Gemm8: avx2.Gemm8,
	Round: roundc16AVX512,
}

// avx512bf16 multiplies pairs as they are.
var avx512bf16 = &Level{
	Name: "avx512bf16", beside: "avx512", Dots: true,
	Gemm: [f32.Panels + 1]f32.Tiles{
		1: {nil, gemm1x16AVX512BF16, gemm2x16AVX512BF16, gemm3x16AVX512BF16, gemm4x16AVX512BF16, gemm5x16AVX512BF16, gemm6x16AVX512BF16},
		2: {nil, gemm1x32AVX512BF16, gemm2x32AVX512BF16, gemm3x32AVX512BF16, gemm4x32AVX512BF16, gemm5x32AVX512BF16, gemm6x32AVX512BF16},
		3: {nil, gemm1x48AVX512BF16, gemm2x48AVX512BF16, gemm3x48AVX512BF16, gemm4x48AVX512BF16, gemm5x48AVX512BF16, gemm6x48AVX512BF16},
		4: {nil, gemm1x64AVX512BF16, gemm2x64AVX512BF16, gemm3x64AVX512BF16, gemm4x64AVX512BF16, gemm5x64AVX512BF16, gemm6x64AVX512BF16},
	},
	Gemm8: avx2.Gemm8,
	Round: roundc16AVX512,
}

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level {
	switch {
	case cpu.BF16:
		return []*Level{generic, avx2, avx512, avx512bf16}
	case cpu.AVX512:
		return []*Level{generic, avx2, avx512}
	case cpu.AVX2:
		return []*Level{generic, avx2}
	}
	return []*Level{generic}
}

//go:build !purego

package bf16

import (
	"zoobench/kernels/internal/cpu"
	"zoobench/kernels/internal/f32"
)

// neon widens pairs as avx2 does.
var neon = &Level{
	Name: "neon", beside: "neon",
	Gemm:  [f32.Panels + 1]f32.Tiles{1: {nil, gemm1x16NEON, gemm2x16NEON, gemm3x16NEON, gemm4x16NEON, gemm5x16NEON, gemm6x16NEON}},
	Gemm8: f32.Tiles{nil, gemm1x8NEON, gemm2x8NEON, gemm3x8NEON, gemm4x8NEON, gemm5x8NEON, gemm6x8NEON},
	Round: roundNEON,
}

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level {
	if cpu.NEON {
		return []*Level{generic, neon}
	}
	return []*Level{generic}
}

//go:build !purego

package i8

import "zoobench/kernels/internal/cpu"

// neon widens bytes to 16 bits and multiplies these.
var neon = func() *Level {
	l := *generic
	l.Name, l.Base, l.Whole = "neon", "neon", true
	l.Depthwise, l.Sum, l.Max = dwconvNEON, sumNEON, maxNEON
	l.Table, l.Add, l.Mul, l.Quantize, l.Dequantize = tableNEON, addNEON, mulNEON, quantizeNEON, dequantizeNEON
	l.Gemm = [Panels + 1]Tiles{
		1: {nil, gemm1x16NEON, gemm2x16NEON, gemm3x16NEON, gemm4x16NEON, gemm5x16NEON, gemm6x16NEON},
	}
	return &l
}()

// neonDot has dot products of four signed bytes.
var neonDot = func() *Level {
	l := *neon
	l.Name, l.Less = "neondot", 128
	l.Gemm = [Panels + 1]Tiles{
		1: {nil, gemm1x16NEONDOT, gemm2x16NEONDOT, gemm3x16NEONDOT, gemm4x16NEONDOT, gemm5x16NEONDOT, gemm6x16NEONDOT},
	}
	return &l
}()

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level {
	switch {
	case cpu.DotProducts:
		return []*Level{generic, neon, neonDot}
	case cpu.NEON:
		return []*Level{generic, neon}
	}
	return []*Level{generic}
}

//go:build !purego

package f32

import "zoobench/kernels/internal/cpu"

var avx2 = &Level{
	Name:       "avx2",
	Gemm16:     [MR + 1]func(*Tile){nil, gemm1x16AVX2, gemm2x16AVX2, gemm3x16AVX2, gemm4x16AVX2, gemm5x16AVX2, gemm6x16AVX2},
	Gemm8:      [MR + 1]func(*Tile){nil, gemm1x8AVX2, gemm2x8AVX2, gemm3x8AVX2, gemm4x8AVX2, gemm5x8AVX2, gemm6x8AVX2},
	Depthwise4: dwconv4c16AVX2,
	Depthwise1: dwconv1c16AVX2,
	Bands:      bandsAVX2,
	MaxPool4:   maxpool4c16AVX2,
	MaxPool1:   maxpool1c16AVX2,
	Grouped4:   gconv4g4c8AVX2,
	Grouped1:   gconv1g4c8AVX2,

	MulAdd: muladdc8AVX2, Mul: mulc8AVX2, Add: addc8AVX2, Clamp: clampc8AVX2, ColumnSums: colsumc8AVX2, ColumnSquares: colsqc8AVX2,
	Sigmoid: sigmoidc8AVX2, SiLU: siluc8AVX2, HardSigmoid: hardsigmoidc8AVX2, HardSwish: hardswishc8AVX2,
	GELU: geluc8AVX2, GELUTanh: gelutanhc8AVX2, LayerNorm: layernormc8AVX2, Softmax: softmaxc8AVX2, WinogradIn: wino4x3inc8AVX2, WinogradOut: wino4x3outc8AVX2,
}

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level {
	if cpu.AVX2 {
		return []*Level{Generic, avx2}
	}
	return []*Level{Generic}
}

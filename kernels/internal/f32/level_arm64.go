//go:build !purego

package f32

import "zoobench/kernels/internal/cpu"

var neon = &Level{
	Name:       "neon",
	Gemm:       [Panels + 1]Tiles{1: {nil, gemm1x16NEON, gemm2x16NEON, gemm3x16NEON, gemm4x16NEON, gemm5x16NEON, gemm6x16NEON}},
	Gemm8:      Tiles{nil, gemm1x8NEON, gemm2x8NEON, gemm3x8NEON, gemm4x8NEON, gemm5x8NEON, gemm6x8NEON},
	Depthwise4: dwconv4c16NEON,
	Depthwise1: dwconv1c16NEON,
	Bands:      bandsNEON,
	MaxPool4:   maxpool4c16NEON,
	MaxPool1:   maxpool1c16NEON,
	Grouped4:   gconv4g4c8NEON,
	Grouped1:   gconv1g4c8NEON,

	MulAdd: muladdc4NEON, Mul: mulc4NEON, Add: addc4NEON, Clamp: clampc4NEON, ColumnSums: colsumc16NEON, ColumnSquares: colsqc16NEON,
	ColumnProducts: columnProductsBy(muladdc4NEON), Slope: slopeGeneric, Blend: blendBy(muladdc4NEON),
	SoftmaxGrad: softmaxGradGeneric, TopGrad: topGradGeneric,
	Sigmoid: sigmoidc4NEON, SiLU: siluc4NEON, HardSigmoid: hardsigmoidc4NEON, HardSwish: hardswishc4NEON,
	GELU: geluc4NEON, GELUTanh: gelutanhc4NEON, LayerNorm: layernormc4NEON, Softmax: softmaxc4NEON, Zip: zipGeneric, Turn: turnGeneric,
	WinogradIn: wino4x3inc4NEON, WinogradOut: wino4x3outc4NEON, WinogradFilters: winogradFiltersGeneric,
}

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level {
	if cpu.NEON {
		return []*Level{generic, neon}
	}
	return []*Level{generic}
}

//go:build !purego

package f32

import "zoobench/kernels/internal/cpu"

var avx2 = &Level{
	Name:       "avx2",
	Gemm:       [Panels + 1]Tiles{1: {nil, gemm1x16AVX2, gemm2x16AVX2, gemm3x16AVX2, gemm4x16AVX2, gemm5x16AVX2, gemm6x16AVX2}},
	Gemm8:      Tiles{nil, gemm1x8AVX2, gemm2x8AVX2, gemm3x8AVX2, gemm4x8AVX2, gemm5x8AVX2, gemm6x8AVX2},
	Depthwise4: dwconv4c16AVX2,
	Depthwise1: dwconv1c16AVX2,
	Bands:      bandsAVX2,
	RowGrad:    [4]func(*RowGrad){1: rowgrad1AVX2, 2: rowgrad2AVX2, 3: rowgrad3AVX2},
	DepthGrad:  [3]func(*RowGrad){depthgrad3AVX2, depthgrad5AVX2, depthgrad7AVX2},
	MaxPool4:   maxpool4c16AVX2,
	MaxPool1:   maxpool1c16AVX2,
	Grouped4:   gconv4g4c8AVX2,
	Grouped1:   gconv1g4c8AVX2,
	Grouped:    []GroupedKernels{groupedAVX2},

	MulAdd: muladdc8AVX2, Mul: mulc8AVX2, Add: addc8AVX2, Clamp: clampc8AVX2, ColumnSums: colsumc8AVX2, ColumnSquares: colsqc8AVX2,
	ColumnProducts: colmulc8AVX2, Slope: slopec8AVX2, Blend: blendc8AVX2, SoftmaxGrad: softmaxgradc8AVX2, TopGrad: topgradc8AVX2,
	Sigmoid: sigmoidc8AVX2, SiLU: siluc8AVX2, HardSigmoid: hardsigmoidc8AVX2, HardSwish: hardswishc8AVX2,
	SigmoidGrad: sigmoidgradc8AVX2, SiLUGrad: silugradc8AVX2, HardSigmoidGrad: hardsigmoidgradc8AVX2,
	HardSwishGrad: hardswishgradc8AVX2, GELUGrad: gelugradc8AVX2, GELUTanhGrad: gelutanhgradc8AVX2,
	GELU: geluc8AVX2, GELUTanh: gelutanhc8AVX2, LayerNorm: layernormc8AVX2, Softmax: softmaxc8AVX2, Zip: zipc8AVX2, Turn: turnc8AVX2,
	WinogradIn: wino4x3inc8AVX2, WinogradOut: wino4x3outc8AVX2, WinogradFilters: wino4x3filterc4AVX2,
}

// avx512 is avx2 with vectors of sixteen. Layouts are the same.
var avx512 = func() *Level {
	l := *avx2
	l.Name, l.Bands = "avx512", bandsAVX512
	l.RowGrad = [4]func(*RowGrad){1: rowgrad1AVX512, 2: rowgrad2AVX512, 3: rowgrad3AVX512}
	l.DepthGrad = [3]func(*RowGrad){depthgrad3AVX512, depthgrad5AVX512, depthgrad7AVX512}
	l.Grouped = []GroupedKernels{groupedAVX512, groupedAVX2} // the latter for an odd number of eights
	l.Gemm = [Panels + 1]Tiles{
		1: {nil, gemm1x16AVX512, gemm2x16AVX512, gemm3x16AVX512, gemm4x16AVX512, gemm5x16AVX512, gemm6x16AVX512},
		2: {nil, gemm1x32AVX512, gemm2x32AVX512, gemm3x32AVX512, gemm4x32AVX512, gemm5x32AVX512, gemm6x32AVX512},
		3: {nil, gemm1x48AVX512, gemm2x48AVX512, gemm3x48AVX512, gemm4x48AVX512, gemm5x48AVX512, gemm6x48AVX512},
		4: {nil, gemm1x64AVX512, gemm2x64AVX512, gemm3x64AVX512, gemm4x64AVX512, gemm5x64AVX512, gemm6x64AVX512},
	}
	l.Mul, l.Add, l.ColumnSums, l.ColumnSquares = mulc16AVX512, addc16AVX512, colsumc16AVX512, colsqc16AVX512
	l.ColumnProducts, l.Slope, l.Blend, l.SoftmaxGrad = colmulc16AVX512, slopec16AVX512, blendc16AVX512, softmaxgradc16AVX512
	l.Sigmoid, l.SiLU, l.HardSigmoid, l.HardSwish = sigmoidc16AVX512, siluc16AVX512, hardsigmoidc16AVX512, hardswishc16AVX512
	l.SigmoidGrad, l.SiLUGrad, l.HardSigmoidGrad = sigmoidgradc16AVX512, silugradc16AVX512, hardsigmoidgradc16AVX512
	l.HardSwishGrad, l.GELUGrad, l.GELUTanhGrad = hardswishgradc16AVX512, gelugradc16AVX512, gelutanhgradc16AVX512
	l.GELU, l.GELUTanh, l.LayerNorm, l.Softmax = geluc16AVX512, gelutanhc16AVX512, layernormc16AVX512, softmaxc16AVX512
	l.WinogradIn, l.WinogradOut, l.WinogradFilters = wino4x3inc16AVX512, wino4x3outc16AVX512, wino4x3filterc8AVX512
	return &l
}()

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level {
	switch {
	case cpu.AVX512:
		return []*Level{generic, avx2, avx512}
	case cpu.AVX2:
		return []*Level{generic, avx2}
	}
	return []*Level{generic}
}

//go:build !purego

package i8

import "zoobench/kernels/internal/cpu"

// avx2 has products of pairs of 16 bits.
var avx2 = func() *Level {
	l := *generic
	l.Name, l.Base, l.Pairs, l.Whole, l.Bands, l.BandRows = "avx2", "avx2", true, true, bandsAVX2, 2
	l.Depthwise, l.Sum, l.Max = dwconvAVX2, sumAVX2, maxAVX2
	l.Table, l.Add, l.Mul, l.Quantize, l.Dequantize = tableAVX2, addAVX2, mulAVX2, quantizeAVX2, dequantizeAVX2
	l.Gemm = [Panels + 1]Tiles{
		1: {nil, gemm1x16AVX2, gemm2x16AVX2, gemm3x16AVX2, gemm4x16AVX2, gemm5x16AVX2, gemm6x16AVX2},
	}
	return &l
}()

// avxVNNI has AVX2's vectors, and dot products of four bytes in them.
var avxVNNI = func() *Level {
	l := *avx2
	l.Name, l.Pairs, l.Bands, l.BandRows = "avxvnni", false, bandsAVXVNNI, 4
	l.Gemm = [Panels + 1]Tiles{
		1: {nil, gemm1x16AVXVNNI, gemm2x16AVXVNNI, gemm3x16AVXVNNI, gemm4x16AVXVNNI, gemm5x16AVXVNNI, gemm6x16AVXVNNI},
	}
	return &l
}()

// avx512 has vectors of 64 bytes for all but products.
var avx512 = func() *Level {
	l := *avx2
	l.Name, l.Base = "avx512bw", "avx512"
	l.Depthwise, l.Sum, l.Max = dwconvVNNI, sumVNNI, maxVNNI
	l.Add, l.Mul, l.Quantize, l.Dequantize = addVNNI, mulVNNI, quantizeVNNI, dequantizeVNNI
	if cpu.VBMI {
		l.Table = tableVNNI
	}
	return &l
}()

// vnni has dot products of four bytes in them.
var vnni = func() *Level {
	l := *avx512
	l.Name, l.Pairs, l.Whole, l.Bands, l.BandRows = "avx512vnni", false, false, bandsVNNI, 4
	l.Gemm = [Panels + 1]Tiles{
		1: {nil, gemm1x16VNNI, gemm2x16VNNI, gemm3x16VNNI, gemm4x16VNNI, gemm5x16VNNI, gemm6x16VNNI},
		2: {nil, gemm1x32VNNI, gemm2x32VNNI, gemm3x32VNNI, gemm4x32VNNI, gemm5x32VNNI, gemm6x32VNNI},
		3: {nil, gemm1x48VNNI, gemm2x48VNNI, gemm3x48VNNI, gemm4x48VNNI, gemm5x48VNNI, gemm6x48VNNI},
		4: {nil, gemm1x64VNNI, gemm2x64VNNI, gemm3x64VNNI, gemm4x64VNNI, gemm5x64VNNI, gemm6x64VNNI},
	}
	return &l
}()

// amx has products of tiles beside.
var amx = func() *Level {
	l := *vnni
	l.Name, l.Tiled = "amx", true
	l.Blocks = Blocks{{block16x16AMX, block16x32AMX}, {block32x16AMX, block32x32AMX}}
	return &l
}()

// Levels are the instruction sets that this machine can run, the best last.
func Levels() []*Level {
	all := []*Level{generic}
	for _, l := range []struct {
		level *Level
		there bool
	}{{avx2, cpu.AVX2}, {avxVNNI, cpu.AVXVNNI}, {avx512, cpu.AVX512}, {vnni, cpu.VNNI}, {amx, cpu.VNNI && cpu.AMX}} {
		if l.there {
			all = append(all, l.level)
		}
	}
	return all
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Byte offsets of the fields of f32.Grouped; TestLayouts holds them equal to the Go struct's.
const (
	groupedTaps = 8 * iota
	groupedN
	groupedW
	groupedWStep
	groupedBias
	groupedOut
	groupedLDO
	groupedFirst
	groupedPixel
	groupedC
	groupedEach
	groupedIndex
	groupedLo // two float32
	groupedZeros
	groupedBefore
	groupedBehind
)

// groupedWindow is the width of the window.
const groupedWindow = 3

// groupedPixels are the output pixels that a kernel may have, the most first: with the weights of a row of the window, an
// input and its permutation they go into the registers.
func groupedPixels(v *isa) []int {
	if v == avx512 {
		return []int{14, 12, 10, 8, 7, 4, 2, 1}
	}
	return []int{8, 7, 4, 2, 1}
}

// grouped emits grouped3s{s}p{px}{ISA}(t *Grouped): a convolution in groups of a few channels, px output pixels of a row by
// a vector of channels, which are whole groups. For each channel j of a group and each pixel of input, one
// permutation spreads j over the lanes of its group, and up to three outputs take it, each with the weights of its own column
// of the window:
//
//	x      = [x0 x1 x2 x3 | x4 x5 x6 x7 | …]     an input pixel, groups of four
//	j = 1:   [x1 x1 x1 x1 | x5 x5 x5 x5 | …]  ·  w[ky][1][kx] for output pixel (x + Left − kx)/s
//
// The first and the last pixel of input may be padding, whose zeros are read elsewhere: a load with a mask of nothing takes
// hundreds of cycles where its address is on a page that no one has touched.
func grouped(v *isa, s, px int) {
	TEXT(fmt.Sprintf("grouped3s%dp%d%s", s, px, v.suffix), NOSPLIT, "func(t *Grouped)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(offset int) Mem { return Mem{Base: t, Disp: offset} }
	acc, w, index := v.group(px), v.group(groupedWindow), v.vec()
	step, step3 := GP64(), GP64()
	MOVQ(field(groupedPixel), step)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	ch, wp := GP64(), GP64()
	XORQ(ch, ch)
	MOVQ(field(groupedW), wp)

	Label("channels")
	bias, tap, taps := GP64(), GP64(), GP64()
	MOVQ(field(groupedBias), bias)
	VMOVUPS(Mem{Base: bias, Index: ch, Scale: 1}, acc[0])
	for _, a := range acc[1:] {
		VMOVAPS(acc[0], a)
	}
	MOVQ(field(groupedTaps), tap)
	MOVQ(field(groupedN), taps)
	TESTQ(taps, taps)
	JZ(LabelRef("clamp"))
	Label("taps")
	in, wt, j, at, first, last := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	inputs := (px-1)*s + groupedWindow
	MOVQ(field(groupedFirst), in)
	ADDQ(Mem{Base: tap}, in)
	ADDQ(ch, in)
	MOVQ(in, first)
	IMUL3Q(U32(uint64(inputs-1)), step, last)
	ADDQ(in, last)
	MOVQ(field(groupedZeros), at)
	ADDQ(ch, at)
	CMPQ(field(groupedBefore), Imm(0))
	CMOVQNE(at, first)
	CMPQ(field(groupedBehind), Imm(0))
	CMOVQNE(at, last)
	MOVQ(Mem{Base: tap, Disp: 8}, wt)
	ADDQ(wp, wt)
	ADDQ(Imm(16), tap)
	MOVQ(field(groupedIndex), at)
	VMOVUPS(Mem{Base: at}, index)
	MOVQ(field(groupedEach), j)
	loop("each")
	for k, x := range w {
		VMOVUPS(Mem{Base: wt, Disp: v.bytes() * k}, x)
	}
	for i := range inputs {
		if i == 0 {
			MOVQ(in, at)
		} else if i%4 == 0 {
			LEAQ(Mem{Base: at, Index: step, Scale: 4}, at)
		}
		from := []Mem{{Base: at}, {Base: at, Index: step, Scale: 1}, {Base: at, Index: step, Scale: 2}, {Base: at, Index: step3, Scale: 1}}[i%4]
		switch i {
		case 0:
			from = Mem{Base: first}
		case inputs - 1:
			from = Mem{Base: last}
		}
		x := v.vec()
		VPERMPS(from, index, x)
		for k := range w {
			if o := i - k; o >= 0 && o%s == 0 && o/s < px {
				VFMADD231PS(w[k], x, acc[o/s])
			}
		}
	}
	v.with(reader{VPADDD, VPADDD_BCST})(v.allBits("next", 1), index, index)
	ADDQ(U32(uint64(groupedWindow*v.bytes())), wt)
	DECQ(j)
	JNZ(LabelRef("each"))
	DECQ(taps)
	JNZ(LabelRef("taps"))

	Label("clamp")
	VBROADCASTSS(field(groupedLo), w[0])
	VBROADCASTSS(field(groupedLo+4), w[1])
	out, ldo := GP64(), GP64()
	MOVQ(field(groupedOut), out)
	MOVQ(field(groupedLDO), ldo)
	ADDQ(ch, out)
	for i, a := range acc {
		clamp(a, w[0], w[1])
		VMOVUPS(a, Mem{Base: out})
		if i < px-1 {
			ADDQ(ldo, out)
		}
	}
	ADDQ(U32(uint64(v.bytes())), ch)
	ADDQ(field(groupedWStep), wp)
	CMPQ(ch, field(groupedC))
	JLT(LabelRef("channels"))
	VZEROUPPER()
	RET()
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Byte offsets of the fields of f32.Depthwise; TestDepthwiseLayout holds them equal to the Go struct's.
const (
	dwTaps = 8 * iota
	dwN
	dwW
	dwWStep
	dwBias
	dwOut
	dwLDO
	dwStep
	dwC
	dwMask
	dwGroups
	dwLo // two float32
)

// dwconv emits {op}{px}c8AVX2(t *Depthwise), op being dwconv or maxpool: px output pixels of a row by eight channels at a
// time. A weight vector is loaded once for px pixels, whose inputs stand a constant step apart; every multiply-add takes
// its input from memory.
func dwconv(op string, px int) {
	TEXT(fmt.Sprintf("%s%dc8AVX2", op, px), NOSPLIT, "func(t *Depthwise)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(off int) Mem { return Mem{Base: t, Disp: off} }

	step, step3, out, move := GP64(), GP64(), GP64(), GP64()
	MOVQ(field(dwStep), step)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	MOVQ(field(dwOut), out)
	XORQ(move, move) // bytes from the taps' addresses to this group's
	lo, hi, w, x := YMM(), YMM(), YMM(), YMM()
	VBROADCASTSS(field(dwLo), lo)
	VBROADCASTSS(field(dwLo+4), hi)
	acc := make([]VecVirtual, px)
	for i := range acc {
		acc[i] = YMM()
	}

	Label("group")
	wp, ch, left := GP64(), GP64(), GP64()
	MOVQ(field(dwW), wp)
	XORQ(ch, ch) // channels done, in bytes
	MOVQ(field(dwC), left)

	tap, taps, in, wt, bias := GP64(), GP64(), GP64(), GP64(), GP64()
	input := func(p int) Mem {
		switch p {
		case 1:
			return Mem{Base: in, Index: step, Scale: 1}
		case 2:
			return Mem{Base: in, Index: step, Scale: 2}
		case 3:
			return Mem{Base: in, Index: step3, Scale: 1}
		}
		return Mem{Base: in}
	}
	begin := func() {
		MOVQ(field(dwBias), bias)
		VMOVUPS(Mem{Base: bias, Index: ch, Scale: 1}, acc[0])
		for i := 1; i < px; i++ {
			VMOVAPS(acc[0], acc[i])
		}
		MOVQ(field(dwTaps), tap)
		MOVQ(field(dwN), taps)
	}
	nextTap := func() {
		MOVQ(Mem{Base: tap}, in)
		MOVQ(Mem{Base: tap, Disp: 8}, wt)
		ADDQ(ch, in)
		ADDQ(move, in)
		ADDQ(Imm(16), tap)
		if op == "dwconv" {
			VMOVUPS(Mem{Base: wp, Index: wt, Scale: 1}, w)
		}
	}
	take := func(in Op, acc VecVirtual) {
		if op == "dwconv" {
			VFMADD231PS(in, w, acc)
			return
		}
		// The accumulator comes second, so that its NaN survives; the input's own NaN is put in by its mask.
		if in != Op(x) {
			VMOVUPS(in, x)
		}
		VMAXPS(acc, x, acc)
		VCMPPS(Imm(3), x, x, x)
		VORPS(x, acc, acc)
	}
	clamp := func() {
		for i := range acc {
			// The accumulator comes second, so that a NaN survives.
			VMAXPS(acc[i], lo, acc[i])
			VMINPS(acc[i], hi, acc[i])
		}
	}
	place, ldo := GP64(), GP64()

	CMPQ(left, Imm(8))
	JLT(LabelRef("tail"))
	Label("channels")
	begin()
	Label("taps")
	nextTap()
	for i := range acc {
		take(input(i), acc[i])
	}
	DECQ(taps)
	JNZ(LabelRef("taps"))
	clamp()
	MOVQ(field(dwLDO), ldo)
	LEAQ(Mem{Base: out, Index: ch, Scale: 1}, place)
	for i := range acc {
		VMOVUPS(acc[i], Mem{Base: place})
		if i < px-1 {
			ADDQ(ldo, place)
		}
	}
	ADDQ(Imm(32), ch)
	ADDQ(field(dwWStep), wp)
	SUBQ(Imm(8), left)
	CMPQ(left, Imm(8))
	JGE(LabelRef("channels"))

	Label("tail")
	Comment("Fewer than eight channels left: masked loads and stores.")
	TESTQ(left, left)
	JZ(LabelRef("group_next"))
	mask, mp := YMM(), GP64()
	MOVQ(field(dwMask), mp)
	VMOVUPS(Mem{Base: mp}, mask)
	begin()
	Label("tail_taps")
	nextTap()
	for i := range acc {
		VMASKMOVPS(input(i), mask, x)
		take(x, acc[i])
	}
	DECQ(taps)
	JNZ(LabelRef("tail_taps"))
	clamp()
	MOVQ(field(dwLDO), ldo)
	LEAQ(Mem{Base: out, Index: ch, Scale: 1}, place)
	for i := range acc {
		VMASKMOVPS(acc[i], mask, Mem{Base: place})
		if i < px-1 {
			ADDQ(ldo, place)
		}
	}

	Label("group_next")
	MOVQ(field(dwLDO), ldo)
	for range px {
		ADDQ(step, move)
		ADDQ(ldo, out)
	}
	DECQ(field(dwGroups))
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// zip emits zipc8AVX2: C channels of in and C of b, dealt out in turn.
//
//	a        = [a0 a1 a2 a3 | a4 a5 a6 a7]       b alike
//	low      = [a0 b0 a1 b1 | a4 b4 a5 b5]
//	high     = [a2 b2 a3 b3 | a6 b6 a7 b7]
//	out[0:8] = [a0 b0 a1 b1 | a2 b2 a3 b3]       the lower halves of low and high, then the upper ones
func zip() {
	TEXT("zipc8AVX2", NOSPLIT, "func(t *Rows)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(off int) Mem { return Mem{Base: t, Disp: off} }
	in, b, out, ch, left, mask := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(field(rowsIn), in)
	MOVQ(field(rowsB), b)
	MOVQ(field(rowsOut), out)
	x, y, low, high := YMM(), YMM(), YMM(), YMM()
	deal := func() {
		VUNPCKLPS(y, x, low)
		VUNPCKHPS(y, x, high)
		VPERM2F128(Imm(0x20), high, low, x)
		VPERM2F128(Imm(0x31), high, low, y)
	}
	Label("row")
	XORQ(ch, ch)
	MOVQ(field(rowsC), left)
	SUBQ(Imm(8), left)
	JLT(LabelRef("tail"))
	loop("channels")
	VMOVUPS(Mem{Base: in, Index: ch, Scale: 1}, x)
	VMOVUPS(Mem{Base: b, Index: ch, Scale: 1}, y)
	deal()
	VMOVUPS(x, Mem{Base: out, Index: ch, Scale: 2})
	VMOVUPS(y, Mem{Base: out, Index: ch, Scale: 2, Disp: 32})
	ADDQ(Imm(32), ch)
	SUBQ(Imm(8), left)
	JGE(LabelRef("channels"))
	Label("tail")
	ADDQ(Imm(8), left)
	JZ(LabelRef("next"))
	Comment("The table of masks has that of twice as many lanes so many places earlier.")
	MOVQ(field(rowsMask), mask)
	lanes := YMM()
	VMOVUPS(Mem{Base: mask}, lanes)
	VMASKMOVPS(Mem{Base: in, Index: ch, Scale: 1}, lanes, x)
	VMASKMOVPS(Mem{Base: b, Index: ch, Scale: 1}, lanes, y)
	deal()
	SHLQ(Imm(2), left)
	SUBQ(left, mask)
	VMOVUPS(Mem{Base: mask}, lanes)
	VMASKMOVPS(x, lanes, Mem{Base: out, Index: ch, Scale: 2})
	VMOVUPS(Mem{Base: mask, Disp: 32}, lanes)
	VMASKMOVPS(y, lanes, Mem{Base: out, Index: ch, Scale: 2, Disp: 32})
	Label("next")
	ADDQ(field(rowsLDI), in)
	ADDQ(field(rowsLDB), b)
	ADDQ(field(rowsLDO), out)
	DECQ(field(rowsRowsLeft))
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// turn emits turnc8AVX2: rows and channels exchanged, both in whole eights. Four channels of eight rows are loaded as rows i and
// i + 4 side by side:
//
//	x0 = [r0c0 r0c1 r0c2 r0c3 | r4c0 …], x1 of rows 1 and 5, x2 of 2 and 6, x3 of 3 and 7
//	low  = [r0c0 r1c0 r0c1 r1c1 | …] of x0 and x1, then of x2 and x3; high alike with c2 and c3
//	out0 = [r0c0 r1c0 r2c0 r3c0 | r4c0 …]
func turn() {
	TEXT("turnc8AVX2", NOSPLIT, "func(t *Rows)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(off int) Mem { return Mem{Base: t, Disp: off} }
	in, out, ldi, ldo := GP64(), GP64(), GP64(), GP64()
	MOVQ(field(rowsIn), in)
	MOVQ(field(rowsOut), out)
	MOVQ(field(rowsLDI), ldi)
	MOVQ(field(rowsLDO), ldo)
	ldi3, ldo3 := GP64(), GP64()
	LEAQ(Mem{Base: ldi, Index: ldi, Scale: 2}, ldi3)
	LEAQ(Mem{Base: ldo, Index: ldo, Scale: 2}, ldo3)
	upper, lower, to, left := GP64(), GP64(), GP64(), GP64()
	rows := func(base, ld, ld3 Register, disp int) []Mem {
		return []Mem{{Base: base, Disp: disp}, {Base: base, Index: ld, Scale: 1, Disp: disp}, {Base: base, Index: ld, Scale: 2, Disp: disp},
			{Base: base, Index: ld3, Scale: 1, Disp: disp}}
	}
	Label("rows")
	MOVQ(in, upper)
	LEAQ(Mem{Base: in, Index: ldi, Scale: 4}, lower)
	LEAQ(Mem{Base: in, Index: ldi, Scale: 8}, in)
	MOVQ(out, to)
	ADDQ(Imm(32), out)
	MOVQ(field(rowsC), left)
	loop("channels")
	for half := range 2 {
		x := avx2.group(4)
		from, second := rows(upper, ldi, ldi3, 16*half), rows(lower, ldi, ldi3, 16*half)
		for i := range x {
			VMOVUPS(from[i], x[i].AsX())
			VINSERTF128(Imm(1), second[i], x[i], x[i])
		}
		low, high := avx2.group(2), avx2.group(2)
		for i := range low {
			VUNPCKLPS(x[2*i+1], x[2*i], low[i])
			VUNPCKHPS(x[2*i+1], x[2*i], high[i])
		}
		places := rows(to, ldo, ldo3, 0)
		for i, pair := range []group{low, high} {
			VUNPCKLPD(pair[1], pair[0], x[2*i])
			VUNPCKHPD(pair[1], pair[0], x[2*i+1])
			VMOVUPS(x[2*i], places[2*i])
			VMOVUPS(x[2*i+1], places[2*i+1])
		}
		LEAQ(Mem{Base: to, Index: ldo, Scale: 4}, to)
	}
	ADDQ(Imm(32), upper)
	ADDQ(Imm(32), lower)
	SUBQ(Imm(8), left)
	JNZ(LabelRef("channels"))
	SUBQ(Imm(8), field(rowsRowsLeft))
	JNZ(LabelRef("rows"))
	VZEROUPPER()
	RET()
}

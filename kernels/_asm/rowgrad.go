package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"zoobench/kernels/internal/f32"
)

// Byte offsets of the fields of f32.RowGrad; TestLayouts holds them equal to the Go struct's.
const (
	rowGradRows = 8 * iota
	rowGradN
	rowGradX
	rowGradDY
	rowGradXPixel
	rowGradXTap
	rowGradDYPixel
	rowGradMiddle
	rowGradBefore
	rowGradBehind
	rowGradSums
	rowGradLDS
	rowGradTap
)

// rowGrad emits rowgrad3{ISA}(t *RowGrad): the gradient of eight filters' three taps of a row, for sixteen channels of input.
// Each pixel's input is a vector at each tap, each element of the result's gradient a broadcast that all of these take:
//
//	                       x[p−1]  x[p]  x[p+1]
//	dy[p][0]: broadcast    acc00   acc01  acc02
//	   ...                  ...     ...    ...
//	dy[p][7]: broadcast    acc70   acc71  acc72
//
// With AVX-512 all 24 are sums at once: 24 multiply-adds (12 cycles at two a cycle) for 11 loads. AVX2 goes over the rows four
// times, with two filters: 12 sums of eight channels and four more registers.
func rowGrad(v *isa) {
	TEXT("rowgrad3"+v.suffix, NOSPLIT, "func(t *RowGrad)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(offset int) Mem { return Mem{Base: t, Disp: offset} }
	vecs := f32.NR / v.lanes
	filters := 8 / (vecs * vecs)
	acc := make([][]group, filters)
	for i := range acc {
		for range 3 {
			acc[i] = append(acc[i], v.group(vecs))
		}
	}
	spare := v.group(2)
	dyFrom, sums, passes := GP64(), GP64(), GP64()
	MOVQ(field(rowGradDY), dyFrom)
	MOVQ(field(rowGradSums), sums)
	MOVQ(U32(uint64(8/filters)), passes)

	Label("filters")
	for _, taps := range acc {
		for _, g := range taps {
			for _, x := range g {
				v.zero(x)
			}
		}
	}
	rows, left := GP64(), GP64()
	MOVQ(field(rowGradRows), rows)
	MOVQ(field(rowGradN), left)
	xPixel, xTap, dyPixel := GP64(), GP64(), GP64()
	MOVQ(field(rowGradXPixel), xPixel)
	MOVQ(field(rowGradXTap), xTap)
	MOVQ(field(rowGradDYPixel), dyPixel)
	x, dy, n := GP64(), GP64(), GP64()
	pixel := func(from, to int) { // one pixel's products, of taps [from, to)
		at := []Mem{{Base: x}, {Base: x, Index: xTap, Scale: 1}, {Base: x, Index: xTap, Scale: 2}}
		if vecs == 1 {
			in := v.group(3)
			for tap := from; tap < to; tap++ {
				VMOVUPS(at[tap], in[tap])
			}
			for i := range filters {
				d := spare[i%2]
				VBROADCASTSS(Mem{Base: dy, Disp: 4 * i}, d)
				for tap := from; tap < to; tap++ {
					VFMADD231PS(in[tap], d, acc[i][tap][0])
				}
			}
		} else {
			for i, d := range spare {
				VBROADCASTSS(Mem{Base: dy, Disp: 4 * i}, d)
			}
			for tap := from; tap < to; tap++ {
				for k := range vecs {
					in := v.vec()
					m := at[tap]
					m.Disp = v.bytes() * k
					VMOVUPS(m, in)
					for i, d := range spare {
						VFMADD231PS(in, d, acc[i][tap][k])
					}
				}
			}
		}
		ADDQ(xPixel, x)
		ADDQ(dyPixel, dy)
	}

	Label("row")
	Comment("The first pixel has no first tap where that is padding, the last one no last tap.")
	MOVQ(Mem{Base: rows}, x)
	ADDQ(field(rowGradX), x)
	MOVQ(Mem{Base: rows, Disp: 8}, dy)
	ADDQ(dyFrom, dy)
	ADDQ(Imm(16), rows)
	MOVQ(field(rowGradMiddle), n)
	CMPQ(field(rowGradBefore), Imm(0))
	JE(LabelRef("middle"))
	pixel(1, 3)
	Label("middle")
	TESTQ(n, n)
	JZ(LabelRef("behind"))
	loop("pixels")
	pixel(0, 3)
	DECQ(n)
	JNZ(LabelRef("pixels"))
	Label("behind")
	CMPQ(field(rowGradBehind), Imm(0))
	JE(LabelRef("next"))
	pixel(0, 2)
	Label("next")
	DECQ(left)
	JNZ(LabelRef("row"))

	Comment("The rows' sums join those from before.")
	lds, tap := GP64(), GP64()
	MOVQ(field(rowGradLDS), lds)
	MOVQ(field(rowGradTap), tap)
	for i := range filters {
		for k, at := range []Mem{{Base: sums}, {Base: sums, Index: tap, Scale: 1}, {Base: sums, Index: tap, Scale: 2}} {
			for j, a := range acc[i][k] {
				at.Disp = v.bytes() * j
				VADDPS(at, a, a)
				VMOVUPS(a, at)
			}
		}
		ADDQ(lds, sums)
	}
	ADDQ(Imm(uint64(4*filters)), dyFrom)
	DECQ(passes)
	JNZ(LabelRef("filters"))
	VZEROUPPER()
	RET()
}

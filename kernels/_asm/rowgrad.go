package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

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
	rowGradMask
)

// rowGrad emits rowgrad{taps}{ISA}(t *RowGrad): the gradient of eight filters' three taps of a row, for sixteen channels of input,
// or of one or two. Only with three may a row have a pixel before and behind. Each pixel's input is a vector at each tap, each
// element of the result's gradient a broadcast that all of these take:
//
//	                       x[p−1]  x[p]  x[p+1]
//	dy[p][0]: broadcast    acc00   acc01  acc02
//	   ...                  ...     ...    ...
//	dy[p][7]: broadcast    acc70   acc71  acc72
//
// With AVX-512 all 24 are sums at once: 24 multiply-adds (12 cycles at two a cycle) for 11 loads. AVX2 goes over the rows four
// times, with two filters: 12 sums of eight channels and four more registers.
func rowGrad(v *isa, taps int) {
	TEXT(fmt.Sprintf("rowgrad%d%s", taps, v.suffix), NOSPLIT, "func(t *RowGrad)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(offset int) Mem { return Mem{Base: t, Disp: offset} }
	vecs := f32.NR / v.lanes
	filters := f32.RowFilters / (vecs * vecs)
	acc := make([][]group, filters)
	for i := range acc {
		for range taps {
			acc[i] = append(acc[i], v.group(vecs))
		}
	}
	spare := v.group(2)
	dyFrom, sums, passes := GP64(), GP64(), GP64()
	MOVQ(field(rowGradDY), dyFrom)
	MOVQ(field(rowGradSums), sums)
	MOVQ(U32(uint64(f32.RowFilters/filters)), passes)

	Label("filters")
	for _, of := range acc {
		for _, g := range of {
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
			in := v.group(taps)
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
	MOVQ(Mem{Base: rows}, x)
	ADDQ(field(rowGradX), x)
	MOVQ(Mem{Base: rows, Disp: 8}, dy)
	ADDQ(dyFrom, dy)
	ADDQ(Imm(16), rows)
	MOVQ(field(rowGradMiddle), n)
	if taps == 3 {
		Comment("The first pixel has no first tap where that is padding, the last one no last tap.")
		CMPQ(field(rowGradBefore), Imm(0))
		JE(LabelRef("middle"))
		pixel(1, 3)
		Label("middle")
	}
	TESTQ(n, n)
	JZ(LabelRef("behind"))
	loop("pixels")
	pixel(0, taps)
	DECQ(n)
	JNZ(LabelRef("pixels"))
	Label("behind")
	if taps == 3 {
		CMPQ(field(rowGradBehind), Imm(0))
		JE(LabelRef("next"))
		pixel(0, 2)
		Label("next")
	}
	DECQ(left)
	JNZ(LabelRef("row"))

	Comment("The rows' sums join those from before.")
	lds, tap := GP64(), GP64()
	MOVQ(field(rowGradLDS), lds)
	MOVQ(field(rowGradTap), tap)
	for i := range filters {
		for k, at := range []Mem{{Base: sums}, {Base: sums, Index: tap, Scale: 1}, {Base: sums, Index: tap, Scale: 2}}[:taps] {
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

// depthGrad emits depthgrad{taps}{ISA}(t *RowGrad): the gradient of sixteen channels' taps of a row of the window where each channel
// has a filter of its own. A pixel's gradient is loaded once, masked, and its input at each tap; with AVX-512 a tap is one sum,
// with AVX2 two.
func depthGrad(v *isa, taps int) {
	TEXT(fmt.Sprintf("depthgrad%d%s", taps, v.suffix), NOSPLIT, "func(t *RowGrad)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(offset int) Mem { return Mem{Base: t, Disp: offset} }
	vecs := f32.NR / v.lanes
	acc := make([]group, taps)
	for i := range acc {
		acc[i] = v.group(vecs)
		v.each(func(o ...Op) { v.zero(o[0].(VecVirtual)) }, acc[i])
	}
	mask, lanes := GP64(), K()
	MOVQ(field(rowGradMask), mask)
	if v == avx512 {
		all := v.vec()
		VMOVUPS(Mem{Base: mask}, all)
		VPMOVD2M(all, lanes)
	}
	rows, left, x, dy, at, n := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(field(rowGradRows), rows)
	MOVQ(field(rowGradN), left)
	xPixel, xTap, dyPixel := GP64(), GP64(), GP64()
	MOVQ(field(rowGradXPixel), xPixel)
	MOVQ(field(rowGradXTap), xTap)
	MOVQ(field(rowGradDYPixel), dyPixel)

	Label("row")
	MOVQ(Mem{Base: rows}, x)
	ADDQ(field(rowGradX), x)
	MOVQ(Mem{Base: rows, Disp: 8}, dy)
	ADDQ(field(rowGradDY), dy)
	ADDQ(Imm(16), rows)
	MOVQ(field(rowGradMiddle), n)
	loop("pixels")
	d := v.group(vecs)
	for i := range d {
		from := Mem{Base: dy, Disp: v.bytes() * i}
		if v == avx512 {
			VMOVUPS_Z(from, lanes, d[i])
		} else {
			VMOVUPS(Mem{Base: mask, Disp: v.bytes() * i}, d[i])
			VMASKMOVPS(from, d[i], d[i])
		}
	}
	MOVQ(x, at)
	for _, sums := range acc {
		for i, sum := range sums {
			VFMADD231PS(Mem{Base: at, Disp: v.bytes() * i}, d[i], sum)
		}
		ADDQ(xTap, at)
	}
	ADDQ(xPixel, x)
	ADDQ(dyPixel, dy)
	DECQ(n)
	JNZ(LabelRef("pixels"))
	DECQ(left)
	JNZ(LabelRef("row"))

	Comment("The rows' sums join those from before.")
	sums := GP64()
	MOVQ(field(rowGradSums), sums)
	for _, of := range acc {
		for i, sum := range of {
			to := Mem{Base: sums, Disp: v.bytes() * i}
			VADDPS(to, sum, sum)
			VMOVUPS(sum, to)
		}
		ADDQ(field(rowGradTap), sums)
	}
	VZEROUPPER()
	RET()
}

// rowGrads emits the gradients of weights.
func rowGrads(v *isa) {
	for taps := 3; taps > 0; taps-- {
		rowGrad(v, taps)
	}
	for taps := 3; taps <= 7; taps += 2 {
		depthGrad(v, taps)
	}
}

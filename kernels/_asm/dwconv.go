package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Byte offsets of the fields of f32.Depthwise; TestLayouts holds them equal to the Go struct's.
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
	dwGroupsLeft
	dwLo // two float32
)

// dwconv emits {op}{px}c16AVX2(t *Depthwise), op being dwconv or maxpool: px output pixels of a row by sixteen channels
// at a time, then eight, then the last few by masked loads and stores. A weight vector is loaded once for px pixels,
// whose inputs stand a constant step apart; every multiply-add takes its input from memory:
//
//	            channels 0–7   channels 8–15
//	pixel 0      acc[0][0]       acc[0][1]
//	  ...           ...             ...
//	pixel px−1  acc[px−1][0]    acc[px−1][1]
func dwconv(op string, px int) {
	TEXT(fmt.Sprintf("%s%dc16AVX2", op, px), NOSPLIT, "func(t *Depthwise)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(off int) Mem { return Mem{Base: t, Disp: off} }

	step, step3, out, move := GP64(), GP64(), GP64(), GP64()
	MOVQ(field(dwStep), step)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	MOVQ(field(dwOut), out)
	XORQ(move, move) // bytes from the taps' addresses to this group's
	w, x := []VecVirtual{YMM(), YMM()}, []VecVirtual{YMM(), YMM()}
	acc := make([][]VecVirtual, px)
	for i := range acc {
		acc[i] = []VecVirtual{YMM(), YMM()}
	}

	Label("group")
	wp, ch, left := GP64(), GP64(), GP64()
	MOVQ(field(dwW), wp)
	XORQ(ch, ch) // channels done, in bytes
	MOVQ(field(dwC), left)

	tap, taps, in, wt, bias, wstep := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(field(dwWStep), wstep)
	// block emits vecs vectors of channels, the last ones masked if there is a mask.
	block := func(label string, vecs int, mask VecVirtual) {
		MOVQ(field(dwBias), bias)
		for v := range vecs {
			VMOVUPS(Mem{Base: bias, Index: ch, Scale: 1, Disp: 32 * v}, acc[0][v])
			for i := 1; i < px; i++ {
				VMOVAPS(acc[0][v], acc[i][v])
			}
		}
		MOVQ(field(dwTaps), tap)
		MOVQ(field(dwN), taps)
		Label(label)
		MOVQ(Mem{Base: tap}, in)
		ADDQ(ch, in)
		ADDQ(move, in)
		if op == "dwconv" {
			MOVQ(Mem{Base: tap, Disp: 8}, wt)
			ADDQ(wp, wt)
			VMOVUPS(Mem{Base: wt}, w[0])
			if vecs > 1 {
				VMOVUPS(Mem{Base: wt, Index: wstep, Scale: 1}, w[1])
			}
		}
		ADDQ(Imm(16), tap)
		inputs := []Mem{{Base: in}, {Base: in, Index: step, Scale: 1}, {Base: in, Index: step, Scale: 2},
			{Base: in, Index: step3, Scale: 1}}
		for i := range px {
			for v := range vecs {
				from := inputs[i]
				from.Disp = 32 * v
				switch {
				case mask != nil:
					VMASKMOVPS(from, mask, x[v])
				case op == "maxpool":
					VMOVUPS(from, x[v])
				}
				switch {
				case op == "maxpool":
					// The accumulator comes second, so that its NaN survives; the input's own NaN is put in by its mask.
					VMAXPS(acc[i][v], x[v], acc[i][v])
					VCMPPS(Imm(3), x[v], x[v], x[v])
					VORPS(x[v], acc[i][v], acc[i][v])
				case mask != nil:
					VFMADD231PS(x[v], w[v], acc[i][v])
				default:
					VFMADD231PS(from, w[v], acc[i][v])
				}
			}
		}
		DECQ(taps)
		JNZ(LabelRef(label))
		VBROADCASTSS(field(dwLo), x[0])
		VBROADCASTSS(field(dwLo+4), x[1])
		ldo, place := GP64(), GP64()
		MOVQ(field(dwLDO), ldo)
		LEAQ(Mem{Base: out, Index: ch, Scale: 1}, place)
		for i := range px {
			for v := range vecs {
				// The accumulator comes second, so that a NaN survives.
				VMAXPS(acc[i][v], x[0], acc[i][v])
				VMINPS(acc[i][v], x[1], acc[i][v])
				if mask != nil {
					VMASKMOVPS(acc[i][v], mask, Mem{Base: place})
				} else {
					VMOVUPS(acc[i][v], Mem{Base: place, Disp: 32 * v})
				}
			}
			if i < px-1 {
				ADDQ(ldo, place)
			}
		}
	}

	SUBQ(Imm(16), left)
	JLT(LabelRef("eight"))
	Label("sixteen")
	block("taps16", 2, nil)
	ADDQ(Imm(64), ch)
	LEAQ(Mem{Base: wp, Index: wstep, Scale: 2}, wp)
	SUBQ(Imm(16), left)
	JGE(LabelRef("sixteen"))
	Label("eight")
	ADDQ(Imm(8), left)
	JLT(LabelRef("tail"))
	block("taps8", 1, nil)
	ADDQ(Imm(32), ch)
	ADDQ(wstep, wp)
	SUBQ(Imm(8), left)
	Label("tail")
	Comment("Fewer than eight channels left: masked loads and stores.")
	ADDQ(Imm(8), left)
	JZ(LabelRef("group_next"))
	mask, mp := YMM(), GP64()
	MOVQ(field(dwMask), mp)
	VMOVUPS(Mem{Base: mp}, mask)
	block("taps_tail", 1, mask)

	Label("group_next")
	ldo := GP64()
	MOVQ(field(dwLDO), ldo)
	for range px {
		ADDQ(step, move)
		ADDQ(ldo, out)
	}
	DECQ(field(dwGroupsLeft))
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

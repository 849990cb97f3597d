package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gconv4 emits gconv{px}g4c8AVX2(t *Depthwise): a convolution in groups of four channels, px output pixels of a row by
// two groups at a time. A permutation spreads one channel of each group over its half of a vector, so that every lane
// of every multiply-add is used:
//
//	x     = [x0 x1 x2 x3 | x4 x5 x6 x7]       inputs of two groups
//	perm1 = [x1 x1 x1 x1 | x5 x5 x5 x5]  ·  w[tap][1], the weights of input 1 to each group's four outputs
//
// Even and odd inputs have accumulators of their own: four pixels make eight chains, enough to hide the latency.
func gconv4(px int) {
	TEXT(fmt.Sprintf("gconv%dg4c8AVX2", px), NOSPLIT, "func(t *Depthwise)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(off int) Mem { return Mem{Base: t, Disp: off} }
	step, step3, out, move := GP64(), GP64(), GP64(), GP64()
	MOVQ(field(dwStep), step)
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	MOVQ(field(dwOut), out)
	XORQ(move, move)
	var acc [2][]VecVirtual
	for range px {
		acc[0], acc[1] = append(acc[0], YMM()), append(acc[1], YMM())
	}
	w := []VecVirtual{YMM(), YMM(), YMM(), YMM()}
	x := YMM()

	Label("group")
	wp, ch, left := GP64(), GP64(), GP64()
	MOVQ(field(dwW), wp)
	XORQ(ch, ch)
	MOVQ(field(dwC), left)
	Label("channels")
	bias, tap, taps, in, wt := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(field(dwBias), bias)
	VMOVUPS(Mem{Base: bias, Index: ch, Scale: 1}, acc[0][0])
	for i := range px {
		if i > 0 {
			VMOVAPS(acc[0][0], acc[0][i])
		}
		VXORPS(acc[1][i], acc[1][i], acc[1][i])
	}
	MOVQ(field(dwTaps), tap)
	MOVQ(field(dwN), taps)
	Label("taps")
	MOVQ(Mem{Base: tap}, in)
	MOVQ(Mem{Base: tap, Disp: 8}, wt)
	ADDQ(ch, in)
	ADDQ(move, in)
	ADDQ(Imm(16), tap)
	for j := range w {
		VMOVUPS(Mem{Base: wp, Index: wt, Scale: 4, Disp: 32 * j}, w[j])
	}
	inputs := []Mem{{Base: in}, {Base: in, Index: step, Scale: 1}, {Base: in, Index: step, Scale: 2}, {Base: in, Index: step3, Scale: 1}}
	for i := range px {
		for j := range w {
			VPERMILPS(Imm(uint64(j*0x55)), inputs[i], x)
			VFMADD231PS(w[j], x, acc[j%2][i])
		}
	}
	DECQ(taps)
	JNZ(LabelRef("taps"))
	VBROADCASTSS(field(dwLo), w[0])
	VBROADCASTSS(field(dwLo+4), w[1])
	ldo, place := GP64(), GP64()
	MOVQ(field(dwLDO), ldo)
	LEAQ(Mem{Base: out, Index: ch, Scale: 1}, place)
	for i := range px {
		y := acc[0][i]
		VADDPS(acc[1][i], y, y)
		VMAXPS(y, w[0], y) // y second, so that a NaN survives
		VMINPS(y, w[1], y)
		VMOVUPS(y, Mem{Base: place})
		if i < px-1 {
			ADDQ(ldo, place)
		}
	}
	ADDQ(Imm(32), ch)
	ADDQ(field(dwWStep), wp)
	SUBQ(Imm(8), left)
	JNZ(LabelRef("channels"))
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

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
	d := beginDepthwise(fmt.Sprintf("gconv%dg4c8AVX2", px), px)
	var acc [2][]VecVirtual
	for range px {
		acc[0], acc[1] = append(acc[0], YMM()), append(acc[1], YMM())
	}
	w := []VecVirtual{YMM(), YMM(), YMM(), YMM()}
	x := YMM()
	d.beginGroup()
	Label("channels")
	bias, tap, taps, in, wt := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(d.field(dwBias), bias)
	VMOVUPS(Mem{Base: bias, Index: d.ch, Scale: 1}, acc[0][0])
	for i := range px {
		if i > 0 {
			VMOVAPS(acc[0][0], acc[0][i])
		}
		VXORPS(acc[1][i], acc[1][i], acc[1][i])
	}
	MOVQ(d.field(dwTaps), tap)
	MOVQ(d.field(dwN), taps)
	loop("taps")
	MOVQ(Mem{Base: tap}, in)
	MOVQ(Mem{Base: tap, Disp: 8}, wt)
	ADDQ(d.ch, in)
	ADDQ(d.move, in)
	ADDQ(Imm(16), tap)
	for j := range w {
		VMOVUPS(Mem{Base: d.wp, Index: wt, Scale: 4, Disp: 32 * j}, w[j])
	}
	for i, from := range d.inputs(in) {
		for j := range w {
			VPERMILPS(Imm(uint64(j*0x55)), from, x)
			VFMADD231PS(w[j], x, acc[j%2][i])
		}
	}
	DECQ(taps)
	JNZ(LabelRef("taps"))
	VBROADCASTSS(d.field(dwLo), w[0])
	VBROADCASTSS(d.field(dwLo+4), w[1])
	ldo, place := GP64(), GP64()
	MOVQ(d.field(dwLDO), ldo)
	LEAQ(Mem{Base: d.out, Index: d.ch, Scale: 1}, place)
	for i := range px {
		y := acc[0][i]
		VADDPS(acc[1][i], y, y)
		clamp(y, w[0], w[1])
		VMOVUPS(y, Mem{Base: place})
		if i < px-1 {
			ADDQ(ldo, place)
		}
	}
	ADDQ(Imm(32), d.ch)
	ADDQ(d.field(dwWStep), d.wp)
	SUBQ(Imm(8), d.left)
	JNZ(LabelRef("channels"))
	d.nextGroup(ldo)
}

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

// A depthwise is a kernel over pixels of a row while it is written: px output pixels at a time, whose inputs stand
// step bytes apart.
type depthwise struct {
	px               int
	t                Register
	step, step3, out Register // step3 is three steps
	move             Register // bytes from the taps' addresses to this group's
	ch, left         Register // channels done, in bytes, and left
	wp               Register // weights of the channels under way
}

// beginDepthwise emits the start of a kernel.
func beginDepthwise(name string, px int) *depthwise {
	TEXT(name, NOSPLIT, "func(t *Depthwise)")
	Pragma("noescape")
	d := &depthwise{px: px, t: Load(Param("t"), GP64())}
	d.step, d.step3, d.out, d.move = GP64(), GP64(), GP64(), GP64()
	MOVQ(d.field(dwStep), d.step)
	LEAQ(Mem{Base: d.step, Index: d.step, Scale: 2}, d.step3)
	MOVQ(d.field(dwOut), d.out)
	XORQ(d.move, d.move)
	return d
}

// field is a field of the argument.
func (d *depthwise) field(offset int) Mem { return Mem{Base: d.t, Disp: offset} }

// beginGroup emits the start of a group of pixels, at its first channel.
func (d *depthwise) beginGroup() {
	Label("group")
	d.wp, d.ch, d.left = GP64(), GP64(), GP64()
	MOVQ(d.field(dwW), d.wp)
	XORQ(d.ch, d.ch)
	MOVQ(d.field(dwC), d.left)
}

// inputs are the places of the pixels' inputs for a tap whose first one is at in.
func (d *depthwise) inputs(in Register) []Mem {
	all := []Mem{{Base: in}, {Base: in, Index: d.step, Scale: 1}, {Base: in, Index: d.step, Scale: 2},
		{Base: in, Index: d.step3, Scale: 1}}
	return all[:d.px]
}

// nextGroup emits the move to the next group of pixels, or the kernel's end; ldo is overwritten.
func (d *depthwise) nextGroup(ldo Register) {
	MOVQ(d.field(dwLDO), ldo)
	for range d.px {
		ADDQ(d.step, d.move)
		ADDQ(ldo, d.out)
	}
	DECQ(d.field(dwGroupsLeft))
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// A dwconvKernel is a depthwise convolution or a pool.
type dwconvKernel struct {
	*depthwise
	pool bool
	w, x []VecVirtual
	acc  [][]VecVirtual

	tap, taps, in, wt, bias, wstep Register
}

// dwconv emits {op}{px}c16AVX2(t *Depthwise), op being dwconv or maxpool: px output pixels of a row by sixteen channels
// at a time, then eight, then the last few by masked loads and stores. A weight vector is loaded once for px pixels,
// whose inputs stand a constant step apart; every multiply-add takes its input from memory:
//
//	            channels 0–7   channels 8–15
//	pixel 0      acc[0][0]       acc[0][1]
//	  ...           ...             ...
//	pixel px−1  acc[px−1][0]    acc[px−1][1]
func dwconv(op string, px int) {
	d := &dwconvKernel{depthwise: beginDepthwise(fmt.Sprintf("%s%dc16AVX2", op, px), px), pool: op == "maxpool"}
	d.w, d.x = []VecVirtual{YMM(), YMM()}, []VecVirtual{YMM(), YMM()}
	for range px {
		d.acc = append(d.acc, []VecVirtual{YMM(), YMM()})
	}
	d.beginGroup()
	d.tap, d.taps, d.in, d.wt, d.bias, d.wstep = GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(d.field(dwWStep), d.wstep)
	SUBQ(Imm(16), d.left)
	JLT(LabelRef("eight"))
	Label("sixteen")
	d.block("taps16", 2, nil)
	ADDQ(Imm(64), d.ch)
	LEAQ(Mem{Base: d.wp, Index: d.wstep, Scale: 2}, d.wp)
	SUBQ(Imm(16), d.left)
	JGE(LabelRef("sixteen"))
	Label("eight")
	ADDQ(Imm(8), d.left)
	JLT(LabelRef("tail"))
	d.block("taps8", 1, nil)
	ADDQ(Imm(32), d.ch)
	ADDQ(d.wstep, d.wp)
	SUBQ(Imm(8), d.left)
	Label("tail")
	Comment("Fewer than eight channels left: masked loads and stores.")
	ADDQ(Imm(8), d.left)
	JZ(LabelRef("group_next"))
	mask, mp := YMM(), GP64()
	MOVQ(d.field(dwMask), mp)
	VMOVUPS(Mem{Base: mp}, mask)
	d.block("taps_tail", 1, mask)
	Label("group_next")
	d.nextGroup(GP64())
}

// block emits vecs vectors of channels, the last ones masked if there is a mask: the bias, the loop over taps, which
// has the label, the clamp and the stores.
func (d *dwconvKernel) block(label string, vecs int, mask VecVirtual) {
	MOVQ(d.field(dwBias), d.bias)
	for v := range vecs {
		VMOVUPS(Mem{Base: d.bias, Index: d.ch, Scale: 1, Disp: 32 * v}, d.acc[0][v])
		for i := 1; i < d.px; i++ {
			VMOVAPS(d.acc[0][v], d.acc[i][v])
		}
	}
	MOVQ(d.field(dwTaps), d.tap)
	MOVQ(d.field(dwN), d.taps)
	loop(label)
	MOVQ(Mem{Base: d.tap}, d.in)
	ADDQ(d.ch, d.in)
	ADDQ(d.move, d.in)
	if !d.pool {
		MOVQ(Mem{Base: d.tap, Disp: 8}, d.wt)
		ADDQ(d.wp, d.wt)
		VMOVUPS(Mem{Base: d.wt}, d.w[0])
		if vecs > 1 {
			VMOVUPS(Mem{Base: d.wt, Index: d.wstep, Scale: 1}, d.w[1])
		}
	}
	ADDQ(Imm(16), d.tap)
	for i, from := range d.inputs(d.in) {
		for v := range vecs {
			from.Disp = 32 * v
			d.gather(from, d.acc[i][v], v, mask)
		}
	}
	DECQ(d.taps)
	JNZ(LabelRef(label))
	d.clampStore(vecs, mask)
}

// gather emits what acc takes from its input: vector v's product, or the larger of the two.
func (d *dwconvKernel) gather(from Mem, acc VecVirtual, v int, mask VecVirtual) {
	w, x := d.w[v], d.x[v]
	switch {
	case mask != nil:
		VMASKMOVPS(from, mask, x)
	case d.pool:
		VMOVUPS(from, x)
	}
	switch {
	case d.pool:
		// The accumulator comes second, so that its NaN survives; the input's own NaN is put in by its mask.
		VMAXPS(acc, x, acc)
		VCMPPS(Imm(3), x, x, x)
		VORPS(x, acc, acc)
	case mask != nil:
		VFMADD231PS(x, w, acc)
	default:
		VFMADD231PS(from, w, acc)
	}
}

// clampStore emits the clamp and the stores of all pixels.
func (d *dwconvKernel) clampStore(vecs int, mask VecVirtual) {
	lo, hi := d.x[0], d.x[1]
	VBROADCASTSS(d.field(dwLo), lo)
	VBROADCASTSS(d.field(dwLo+4), hi)
	ldo, place := GP64(), GP64()
	MOVQ(d.field(dwLDO), ldo)
	LEAQ(Mem{Base: d.out, Index: d.ch, Scale: 1}, place)
	for i := range d.px {
		for v, acc := range d.acc[i][:vecs] {
			clamp(acc, lo, hi)
			if mask != nil {
				VMASKMOVPS(acc, mask, Mem{Base: place})
			} else {
				VMOVUPS(acc, Mem{Base: place, Disp: 32 * v})
			}
		}
		if i < d.px-1 {
			ADDQ(ldo, place)
		}
	}
}

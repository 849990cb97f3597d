package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set that a kernel is written for: its vectors and how the last few lanes are masked.
type isa struct {
	suffix    string
	lanes     int // float32 of a vector
	registers int
	vec       func() VecVirtual
	widths    []int // columns of the matrix tiles
}

var (
	avx2   = &isa{suffix: "AVX2", lanes: 8, registers: 16, vec: func() VecVirtual { return YMM() }, widths: []int{16, 8}}
	avx512 = &isa{suffix: "AVX512", lanes: 16, registers: 32, vec: func() VecVirtual { return ZMM() }, widths: []int{16, 32, 48, 64}}
)

// zero emits x = 0.
func (v *isa) zero(x VecVirtual) {
	if v == avx512 {
		VPXORD(x, x, x)
		return
	}
	VXORPS(x, x, x)
}

// firstLanes emits a mask of the first n lanes, n being in a register and below the number of lanes: an opmask, or the
// vector of n%8 that the argument's field has the address of.
func (v *isa) firstLanes(n GPVirtual, field Mem) Register {
	if v == avx512 {
		ones, k := GP64(), K()
		MOVQ(U32(1), ones)
		SHLXQ(n, ones, ones)
		DECQ(ones)
		KMOVW(ones.As32(), k)
		return k
	}
	p, mask := GP64(), YMM()
	MOVQ(field, p)
	VMOVUPS(Mem{Base: p}, mask)
	return mask
}

// load emits x = m; with a mask, the other lanes become zero.
func (v *isa) load(m Mem, x VecVirtual, mask Register) {
	switch {
	case mask == nil:
		VMOVUPS(m, x)
	case v == avx512:
		VMOVUPS_Z(m, mask, x)
	default:
		VMASKMOVPS(m, mask, x)
	}
}

// store emits m = x; with a mask, the other lanes are left alone.
func (v *isa) store(x VecVirtual, m Mem, mask Register) {
	switch {
	case mask == nil:
		VMOVUPS(x, m)
	case v == avx512:
		VMOVUPS(x, mask, m)
	default:
		VMASKMOVPS(x, mask, m)
	}
}

// loop emits the label of a loop at the start of a line of 64 bytes of code. It aligns the function too, so that none of
// its instructions moves within a line when the code before it grows: kernels took up to 7 % longer for such a move.
func loop(label string) {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{Imm(64)}})
	Label(label)
}

package main

import (
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/i8"
)

// The fields of i8.Finish.
const (
	finishLo        = int(unsafe.Offsetof(i8.Finish{}.Lo))
	finishHi        = int(unsafe.Offsetof(i8.Finish{}.Hi))
	finishResScale  = int(unsafe.Offsetof(i8.Finish{}.ResScale))
	finishResZero   = int(unsafe.Offsetof(i8.Finish{}.ResZero))
	finishZero      = int(unsafe.Offsetof(i8.Finish{}.Zero))
	finishOutFloats = int(unsafe.Offsetof(i8.Finish{}.OutFloats))
)

// A finish8 is how sums become bytes. With AVX-512, four vectors of sixteen to one of 64:
//
//	sums       [ 16 of a ] [ 16 of b ] [ 16 of c ] [ 16 of d ]       float32, scaled, rounded
//	16 bits    [ 4 of a, 4 of b, next 4 of a, … ] [ 4 of c, … ]      plus the zero point
//	8 bits     [ 4 of a, 4 of b, 4 of c, 4 of d, next 4 of a, … ]    at least Zero + Lo
//	           [ 16 of a, 16 of b, 16 of c, 16 of d ]                one permutation
//
// With AVX2 four vectors of eight become one of 32 in the same way.
type finish8 struct {
	isa                    *isa
	at                     Mem // an i8.Finish
	hi, order, zero, least VecVirtual
}

// newFinish8 takes the registers, of which hi may be one that is there.
func newFinish8(v *isa, at Mem, hi VecVirtual) *finish8 {
	f := &finish8{isa: v, at: at, hi: hi, order: v.vec(), zero: v.vec(), least: v.vec()}
	if hi == nil {
		f.hi = v.vec()
	}
	return f
}

// bytes emits what pack needs.
func (f *finish8) bytes() {
	VPMOVZXBD(f.isa.transposed(), f.order)
	VPBROADCASTW(f.at.Offset(finishZero), f.zero)
	floor := GP32()
	VCVTSS2SI(f.at.Offset(finishLo), floor)
	ADDL(f.at.Offset(finishZero), floor)
	if f.isa == avx512 {
		VPBROADCASTB(floor, f.least)
	} else {
		VMOVD(floor, f.least.AsX())
		VPBROADCASTB(f.least.AsX(), f.least)
	}
	VBROADCASTSS(f.at.Offset(finishHi), f.hi)
}

// pack emits the rounding and the packing of one to four vectors, into the first of them. The upper end of the clamp comes
// before the rounding, whose result would not fit 32 bits; the lower end, as sums only get more negative than any byte, at
// the end.
func (f *finish8) pack(sums []VecVirtual) {
	for _, x := range sums {
		VMINPS(f.hi, x, x)
		VCVTPS2DQ(x, x)
	}
	last := len(sums) - 1
	for j := 0; j <= last; j += 2 {
		VPACKSSDW(sums[min(j+1, last)], sums[j], sums[j])
		VPADDSW(f.zero, sums[j], sums[j])
	}
	VPACKUSWB(sums[last/2*2], sums[0], sums[0])
	VPMAXUB(f.least, sums[0], sums[0])
	VPERMD(sums[0], f.order, sums[0])
}

// transposed is, for each place of a table of four fours by as many as a vector has lanes of sixteen bytes, which place it takes
// when the table is transposed.
func (v *isa) transposed() Mem {
	if m, ok := constants["transposed"]; ok {
		return m
	}
	m, halves := GLOBL("transposed", RODATA|NOPTR), v.lanes/4
	for i := range v.lanes {
		DATA(i, U8(uint8(i%halves*4+i/halves)))
	}
	constants["transposed"] = m
	return m
}

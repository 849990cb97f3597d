package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// bytes is the size of a vector.
func (v *isa) bytes() int { return 4 * v.lanes }

// keep emits x = 0 in the lanes outside the mask.
func (v *isa) keep(mask Register, x VecVirtual) {
	if v == avx512 {
		VMOVAPS_Z(x, mask, x)
	} else {
		VANDPS(mask, x, x)
	}
}

// A group is vectors that are worked on side by side, so that each one's chain of dependent instructions runs
// while the others' wait.
type group []VecVirtual

func (v *isa) group(n int) group {
	g := make(group, n)
	for i := range g {
		g[i] = v.vec()
	}
	return g
}

// each emits an instruction for every vector of the groups among its operands; other operands are common to all of them.
func (v *isa) each(emit func(...Op), operands ...any) {
	n := 0
	for _, o := range operands {
		if g, ok := o.(group); ok {
			n = len(g)
		}
	}
	for i := range n {
		var ops []Op
		for _, o := range operands {
			if g, ok := o.(group); ok {
				o = g[i]
			}
			ops = append(ops, o.(Op))
		}
		emit(ops...)
	}
}

// clamp emits x = min(max(x, lo), hi). x comes second, so that a NaN survives.
func clamp(x, lo, hi Op) {
	VMAXPS(x, lo, x)
	VMINPS(x, hi, x)
}

// round emits n = x, rounded to whole numbers.
func (v *isa) round(x, n group) {
	if v == avx512 {
		v.each(VRNDSCALEPS, Imm(0), x, n)
	} else {
		v.each(func(o ...Op) { VROUNDPS(o[0], o[1], o[2]) }, Imm(0), x, n)
	}
}

// scale emits x = p·2ⁿ for whole numbers n; n is overwritten.
func (v *isa) scale(p, n, x group) {
	if v == avx512 {
		v.each(VSCALEFPS, n, p, x)
		return
	}
	v.each(VCVTPS2DQ, n, n)
	v.each(VPSLLD, Imm(23), n, n)
	v.each(VPADDD, n, p, x)
}

// choose emits x = a where sign is negative, and b elsewhere.
func (v *isa) choose(sign, a, b, x group) {
	if v != avx512 {
		v.each(func(o ...Op) { VBLENDVPS(o[0], o[1], o[2], o[3]) }, sign, a, b, x)
		return
	}
	for i := range x {
		negative := K()
		VPMOVD2M(sign[i], negative)
		VBLENDMPS(a[i], b[i], negative, x[i])
	}
}

// across emits what combine, VADDPS or VMAXPS, makes of x's lanes, in all lanes of x. Sixteen lanes become eight first.
func (v *isa) across(x VecVirtual, combine func(...Op)) {
	y := v.vec()
	if v == avx512 {
		VSHUFF64X2(Imm(0x4e), x, x, y)
		combine(y, x, x)
		VSHUFF64X2(Imm(0xb1), x, x, y)
	} else {
		VPERM2F128(Imm(1), x, x, y)
	}
	combine(y, x, x)
	VSHUFPS(Imm(0x4e), x, x, y)
	combine(y, x, x)
	VSHUFPS(Imm(0xb1), x, x, y)
	combine(y, x, x)
}

// constants keeps one data section of float32 constants.
var constants = map[string]Mem{}

// all is a constant for all lanes, which instructions by with read: a vector for AVX2, one number for AVX-512. It is
// written as bits: avo prints a whole number as an integer.
func (v *isa) all(name string, x float64) Mem { return v.allBits(name, math.Float32bits(float32(x))) }

// allBits is a bit pattern for all lanes.
func (v *isa) allBits(name string, bits uint32) Mem {
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	n := v.lanes
	if v == avx512 {
		n = 1
	}
	for i := range n {
		DATA(4*i, U32(bits))
	}
	constants[name] = m
	return m
}

// A reader is an instruction that reads a constant: a vector, or one number that it spreads over all lanes.
type reader struct{ vector, number func(...Op) }

var (
	move        = reader{VMOVUPS, VBROADCASTSS}
	add         = reader{VADDPS, VADDPS_BCST}
	multiply    = reader{VMULPS, VMULPS_BCST}
	multiplyAdd = reader{VFMADD213PS, VFMADD213PS_BCST}
	and         = reader{VANDPS, VANDPS_BCST}
)

// with is the instruction as it reads a constant of all's. The linker aligns no data beyond 32 bytes, so a vector of 64
// would lie across two lines of the cache, and take two loads, in one program and not in the next.
func (v *isa) with(r reader) func(...Op) {
	if v == avx512 {
		return r.number
	}
	return r.vector
}

// in is a constant in all lanes of a register.
func (v *isa) in(name string, c float64) VecVirtual {
	x := v.vec()
	v.with(move)(v.all(name, c), x)
	return x
}

// double is a float64 in all lanes of a register.
func (v *isa) double(name string, c float64) VecVirtual {
	m := GLOBL(name, RODATA|NOPTR)
	DATA(0, U64(math.Float64bits(c)))
	x := v.vec()
	VBROADCASTSD(m, x)
	return x
}

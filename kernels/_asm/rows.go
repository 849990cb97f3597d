package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Byte offsets of the fields of f32.Rows; TestLayouts holds them equal to the Go struct's.
const (
	rowsOut = 8 * iota
	rowsIn
	rowsA
	rowsB
	rowsLDO
	rowsLDI
	rowsLDA
	rowsLDB
	rowsC
	rowsN
	rowsMask
	rowsLo // two float32
)

// A rowsKernel walks rows of channels, a vector at a time, the last few channels by masked loads and stores.
type rowsKernel struct {
	*isa
	t        Register
	in, out  Register // the row's, at its first channel
	a, b     Register
	ch, left GPVirtual // bytes done, channels left
	labels   int
}

func (k *rowsKernel) field(off int) Mem { return Mem{Base: k.t, Disp: off} }

// begin emits the start of {name}c{lanes}{ISA}.
func begin(v *isa, name string) *rowsKernel {
	TEXT(fmt.Sprintf("%sc%d%s", name, v.lanes, v.suffix), NOSPLIT, "func(t *Rows)")
	Pragma("noescape")
	k := &rowsKernel{isa: v, t: Load(Param("t"), GP64()), in: GP64(), out: GP64(), a: GP64(), b: GP64(), ch: GP64(), left: GP64()}
	MOVQ(k.field(rowsIn), k.in)
	MOVQ(k.field(rowsOut), k.out)
	MOVQ(k.field(rowsA), k.a)
	MOVQ(k.field(rowsB), k.b)
	return k
}

// channels emits a loop over a row's channels. body is emitted for n vectors side by side, for one, and for the tail
// with its mask; where n is 1, once less.
func (k *rowsKernel) channels(label string, n int, body func(n int, mask Register)) {
	XORQ(k.ch, k.ch)
	MOVQ(k.field(rowsC), k.left)
	lanes := func(n int) Op { return U32(n * k.lanes) }
	if n > 1 {
		SUBQ(lanes(n), k.left)
		JLT(LabelRef(label + "_few"))
		Label(label + "_many")
		body(n, nil)
		ADDQ(U32(n*k.bytes()), k.ch)
		SUBQ(lanes(n), k.left)
		JGE(LabelRef(label + "_many"))
		Label(label + "_few")
		ADDQ(lanes(n), k.left)
	}
	SUBQ(lanes(1), k.left)
	JLT(LabelRef(label + "_tail"))
	Label(label)
	body(1, nil)
	ADDQ(U32(k.bytes()), k.ch)
	SUBQ(lanes(1), k.left)
	JGE(LabelRef(label))
	Label(label + "_tail")
	ADDQ(lanes(1), k.left)
	JZ(LabelRef(label + "_done"))
	body(1, k.firstLanes(k.left, k.field(rowsMask)))
	Label(label + "_done")
}

// next moves to the next row and loops.
func (k *rowsKernel) next(label string) {
	ADDQ(k.field(rowsLDI), k.in)
	ADDQ(k.field(rowsLDO), k.out)
	ADDQ(k.field(rowsLDA), k.a)
	ADDQ(k.field(rowsLDB), k.b)
	DECQ(k.field(rowsN))
	JNZ(LabelRef(label))
	VZEROUPPER()
	RET()
}

// at is where the i-th of the vectors side by side lies in a row.
func (k *rowsKernel) at(row Register, i int) Mem {
	return Mem{Base: row, Index: k.ch, Scale: 1, Disp: i * k.bytes()}
}

// read emits the loads of n vectors of a row.
func (k *rowsKernel) read(row Register, n int, mask Register) group {
	x := k.group(n)
	for i := range x {
		k.load(k.at(row, i), x[i], mask)
	}
	return x
}

// write emits their stores.
func (k *rowsKernel) write(x group, mask Register, row Register) {
	if mask != nil && k.isa == avx512 {
		k.writeHalves(x[0], row)
		return
	}
	for i := range x {
		k.store(x[i], k.at(row, i), mask)
	}
}

// writeHalves emits the tail's store as one of eight channels, if there are as many, and AVX2's masked one of the rest.
// AVX-512's masked store would lie over the next row as well, and where rows follow one another in memory, that one's
// loads would wait until it is done: on Zen 4, 64 rows of 24 channels took four times as long.
func (k *rowsKernel) writeHalves(x VecVirtual, row Register) {
	k.labels++
	few, done := fmt.Sprintf("few%d", k.labels), fmt.Sprintf("written%d", k.labels)
	y, rest, p, place := x.AsY(), YMM(), GP64(), GP64()
	MOVQ(row, place)
	CMPQ(k.left, Imm(8))
	JLT(LabelRef(few))
	VMOVUPS(y, k.at(row, 0))
	JEQ(LabelRef(done))
	VEXTRACTF32X8(Imm(1), x, y)
	LEAQ(Mem{Base: row, Disp: 32}, place)
	Label(few)
	MOVQ(k.field(rowsMask), p)
	VMOVUPS(Mem{Base: p}, rest)
	VMASKMOVPS(y, rest, Mem{Base: place, Index: k.ch, Scale: 1})
	Label(done)
}

// arithmetic emits muladd, mul, add or clamp: out = clamp(in·a + b), clamp(in·a), clamp(in + b), clamp(in).
func arithmetic(v *isa, op string) {
	k := begin(v, op)
	lo, hi := v.vec(), v.vec()
	VBROADCASTSS(k.field(rowsLo), lo)
	VBROADCASTSS(k.field(rowsLo+4), hi)
	Label("row")
	k.channels("channels", 1, func(n int, mask Register) {
		x := k.read(k.in, n, mask)
		switch op {
		case "muladd":
			v.each(VFMADD213PS, k.read(k.b, n, mask), k.read(k.a, n, mask), x)
		case "mul":
			v.each(VMULPS, k.read(k.a, n, mask), x, x)
		case "add":
			v.each(VADDPS, k.read(k.b, n, mask), x, x)
		}
		v.each(VMAXPS, x, lo, x) // x second, so that a NaN survives
		v.each(VMINPS, x, hi, x)
		k.write(x, mask, k.out)
	})
	k.next("row")
}

// columns emits colsum or colsq: the sum over rows of in, or of (in − a)², for each channel.
func columns(v *isa, op string) {
	k := begin(v, op)
	n, at := GP64(), GP64()
	x, sum, mean := v.vec(), v.vec(), v.vec()
	k.channels("channels", 1, func(_ int, mask Register) {
		label := "rows"
		if mask != nil {
			label = "rows_tail"
		}
		VXORPS(sum, sum, sum)
		if op == "colsq" {
			v.load(k.at(k.a, 0), mean, mask)
		}
		MOVQ(k.field(rowsN), n)
		MOVQ(k.in, at)
		Label(label)
		v.load(k.at(at, 0), x, mask)
		if op == "colsq" {
			VSUBPS(mean, x, x)
			VFMADD231PS(x, x, sum)
		} else {
			VADDPS(x, sum, sum)
		}
		ADDQ(k.field(rowsLDI), at)
		DECQ(n)
		JNZ(LabelRef(label))
		k.write(group{sum}, mask, k.out)
	})
	VZEROUPPER()
	RET()
}

// exp emits x = e^(sign·x), by powers of two:
//
//	y = x·sign·log₂e, n = round(y), f = y − n, 2ʸ = 2ⁿ · (1 + f·p(f))
//
// p is a minimax fit of (2ᶠ − 1)/f on ±½, relative error 2e-9 before rounding; y's own rounding makes the relative error
// of the result up to 6e-8·(1 + |x|). y is clamped to ±126, or from below only where it cannot be positive.
func exp(v *isa, x group, sign float64, positive bool) {
	n, p := v.group(len(x)), v.group(len(x))
	if sign > 0 {
		v.each(VMULPS, v.all("log2e", math.Log2E), x, x)
	} else {
		v.each(VMULPS, v.all("minusLog2e", -math.Log2E), x, x)
	}
	v.each(VMAXPS, x, v.in("expLo", -126), x)
	if positive {
		v.each(VMINPS, x, v.in("expHi", 126), x)
	}
	v.round(x, n)
	v.each(VSUBPS, n, x, x)
	v.each(VMOVUPS, v.all("exp6", 0.00015353257185779512), p)
	v.each(VFMADD213PS, v.all("exp5", 0.001339900423772633), x, p)
	v.each(VFMADD213PS, v.all("exp4", 0.00961843878030777), x, p)
	v.each(VFMADD213PS, v.all("exp3", 0.05550331994891167), x, p)
	v.each(VFMADD213PS, v.all("exp2", 0.24022647738456726), x, p)
	v.each(VFMADD213PS, v.all("exp1", 0.6931471824645996), x, p)
	v.each(VFMADD213PS, v.all("one", 1), x, p)
	v.scale(p, n, x)
}

// sigmoid emits x = 1/(1 + e^−x).
func sigmoid(v *isa, x group) {
	exp(v, x, -1, true)
	one := v.in("one", 1)
	v.each(VADDPS, one, x, x)
	v.each(VDIVPS, x, one, x)
}

// hardsigmoid emits x = min(max(x + 3, 0), 6)/6.
func hardsigmoid(v *isa, x group) {
	v.each(VADDPS, v.in("three", 3), x, x)
	v.each(VMAXPS, x, v.in("zero", 0), x)
	v.each(VMINPS, x, v.in("six", 6), x)
	v.each(VMULPS, v.in("sixth", 1.0/6), x, x)
}

// activations are the functions that are no clamp; emit turns x to f(x), and again reads x from memory once more, which is
// cheaper than a register. side is how many of AVX2's vectors are worked on side by side: what was fastest on a Zen 4 core
// and goes into sixteen registers. One at a time took 1.2 to 1.4 times as long, because the scheduler cannot look far
// enough ahead for the next chain of some sixty cycles.
var activations = []struct {
	name string
	side int
	emit func(v *isa, x group, again func() group) group
}{
	{"sigmoid", 4, func(v *isa, x group, again func() group) group {
		sigmoid(v, x)
		return x
	}},
	{"silu", 5, func(v *isa, x group, again func() group) group {
		sigmoid(v, x)
		v.each(VMULPS, again(), x, x)
		return x
	}},
	{"hardsigmoid", 4, func(v *isa, x group, again func() group) group {
		hardsigmoid(v, x)
		return x
	}},
	{"hardswish", 4, func(v *isa, x group, again func() group) group {
		hardsigmoid(v, x)
		v.each(VMULPS, again(), x, x)
		return x
	}},
	// gelu is x·Φ(x). With z = |x|/√2 and t = 1/(1 + 0.4z), Φ(−|x|) = e^(−z²)·t·q(t): the form of Abramowitz and Stegun
	// 7.1.26, refitted with six coefficients; |error of Φ| ≤ 1.4e-8 before rounding.
	{"gelu", 4, func(v *isa, z group, again func() group) group {
		t, q := v.group(len(z)), v.group(len(z))
		v.each(VANDPS, v.allBits("absolute", 0x7fffffff), z, z)
		v.each(VMULPS, v.all("rsqrt2", 0.70710678118), z, z)
		one := v.in("one", 1)
		v.each(VMOVAPS, z, t)
		v.each(VFMADD213PS, one, v.in("geluP", 0.4), t)
		v.each(VDIVPS, t, one, t)
		v.each(VMOVUPS, v.all("gelu6", -0.1001296117901802), q)
		v.each(VFMADD213PS, v.all("gelu5", 0.35457363724708557), t, q)
		v.each(VFMADD213PS, v.all("gelu4", -0.18545392155647278), t, q)
		v.each(VFMADD213PS, v.all("gelu3", 0.23413705825805664), t, q)
		v.each(VFMADD213PS, v.all("gelu2", 0.080911785364151), t, q)
		v.each(VFMADD213PS, v.all("gelu1", 0.11596104502677917), t, q)
		v.each(VMULPS, t, q, q)
		v.each(VMULPS, z, z, z)
		exp(v, z, -1, false)
		v.each(VMULPS, z, q, q) // Φ(−|x|)
		x := again()
		v.each(VMULPS, x, q, q)
		v.each(VSUBPS, q, x, t) // x·Φ(x) for x ≥ 0
		v.choose(x, q, t, x)
		return x
	}},
	// gelutanh is x·sigmoid(2u), u = √(2/π)·(x + 0.044715x³): the same as x/2·(1 + tanh u).
	{"gelutanh", 5, func(v *isa, x group, again func() group) group {
		u := v.group(len(x))
		v.each(VMULPS, x, x, u)
		v.each(VMULPS, v.all("geluT3", 2*0.7978845608*0.044715), u, u)
		v.each(VADDPS, v.all("geluT1", 2*0.7978845608), u, u)
		v.each(VMULPS, x, u, u)
		sigmoid(v, u)
		v.each(VMULPS, again(), u, u)
		return u
	}},
}

// wideSide is how many of AVX-512's vectors are worked on side by side: half as many instructions do as much as AVX2's.
const wideSide = 4

// activation emits out = f(in).
func activation(v *isa, name string, side int, emit func(v *isa, x group, again func() group) group) {
	k := begin(v, name)
	Label("row")
	k.channels("channels", side, func(n int, mask Register) {
		read := func() group { return k.read(k.in, n, mask) }
		k.write(emit(v, read(), read), mask, k.out)
	})
	k.next("row")
}

// layernorm emits layernorm: each row less its mean, over its deviation, times a, plus b. Lo is the epsilon, Hi is 1/C.
func layernorm(v *isa) {
	k := begin(v, "layernorm")
	x, sum, mean, scale := v.vec(), v.vec(), v.vec(), v.vec()
	Label("row")
	VXORPS(sum, sum, sum)
	k.channels("sum", 1, func(_ int, mask Register) {
		v.load(k.at(k.in, 0), x, mask)
		VADDPS(x, sum, sum)
	})
	v.across(sum, false)
	VBROADCASTSS(k.field(rowsLo+4), scale)
	VMULPS(scale, sum, mean)
	VXORPS(sum, sum, sum)
	k.channels("square", 1, func(_ int, mask Register) {
		v.load(k.at(k.in, 0), x, mask)
		VSUBPS(mean, x, x)
		if mask != nil {
			v.keep(mask, x)
		}
		VFMADD231PS(x, x, sum)
	})
	v.across(sum, false)
	VMULPS(scale, sum, sum)
	VBROADCASTSS(k.field(rowsLo), scale)
	VADDPS(scale, sum, sum)
	VSQRTPS(sum, sum)
	VMOVUPS(v.all("one", 1), scale)
	VDIVPS(sum, scale, scale)
	k.channels("scale", 1, func(_ int, mask Register) {
		a, b := v.vec(), v.vec()
		v.load(k.at(k.in, 0), x, mask)
		VSUBPS(mean, x, x)
		VMULPS(scale, x, x)
		v.load(k.at(k.a, 0), a, mask)
		v.load(k.at(k.b, 0), b, mask)
		VFMADD213PS(b, a, x)
		k.write(group{x}, mask, k.out)
	})
	k.next("row")
}

// softmax emits e^(Lo·(in − largest)) over its sum, row by row; Lo is the scale of the scores, positive.
func softmax(v *isa) {
	k := begin(v, "softmax")
	most, sum, scale := v.vec(), v.vec(), v.vec()
	Label("row")
	VMOVUPS(v.allBits("minusInf", 0xff800000), most)
	k.channels("largest", 1, func(_ int, mask Register) {
		x := v.vec()
		switch {
		case mask == nil:
			VMOVUPS(k.at(k.in, 0), x)
		case v == avx512:
			VMOVUPS(v.allBits("minusInf", 0xff800000), x)
			VMOVUPS(k.at(k.in, 0), mask, x)
		default:
			low := v.vec()
			v.load(k.at(k.in, 0), x, mask)
			VMOVUPS(v.allBits("minusInf", 0xff800000), low)
			VBLENDVPS(mask, x, low, x)
		}
		VMAXPS(x, most, most)
	})
	v.across(most, true)
	VBROADCASTSS(k.field(rowsLo), scale)
	VXORPS(sum, sum, sum)
	k.channels("exp", 3, func(n int, mask Register) {
		x := k.read(k.in, n, mask)
		v.each(VSUBPS, most, x, x)
		v.each(VMULPS, scale, x, x)
		exp(v, x, 1, false)
		for i := range x {
			if mask != nil {
				v.keep(mask, x[i])
			}
			VADDPS(x[i], sum, sum)
		}
		k.write(x, mask, k.out)
	})
	v.across(sum, false)
	VMOVUPS(v.all("one", 1), scale)
	VDIVPS(sum, scale, scale)
	k.channels("divide", 1, func(n int, mask Register) {
		x := k.read(k.out, n, mask)
		v.each(VMULPS, scale, x, x)
		k.write(x, mask, k.out)
	})
	k.next("row")
}

// rowsFile emits everything that works on rows.
func rowsFile(v *isa) {
	for _, op := range []string{"muladd", "mul", "add", "clamp"} {
		if v == avx512 && (op == "muladd" || op == "clamp") {
			continue // bound by loads and stores, which are no faster: 0.9 to 1.1 times AVX2's speed on Zen 4
		}
		arithmetic(v, op)
	}
	columns(v, "colsum")
	columns(v, "colsq")
	for _, a := range activations {
		side := a.side
		if v == avx512 {
			side = wideSide
		}
		activation(v, a.name, side, a.emit)
	}
	layernorm(v)
	softmax(v)
}

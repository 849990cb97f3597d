package main

import (
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

// A rowsKernel walks rows of channels, eight at a time, the last few by masked loads and stores.
type rowsKernel struct {
	t        Register
	in, out  Register // the row's, at its first channel
	a, b     Register
	ch, left Register // bytes done, channels left
	mask     VecVirtual
}

func (k *rowsKernel) field(off int) Mem { return Mem{Base: k.t, Disp: off} }

func begin(name string) *rowsKernel {
	TEXT(name, NOSPLIT, "func(t *Rows)")
	Pragma("noescape")
	k := &rowsKernel{t: Load(Param("t"), GP64()), in: GP64(), out: GP64(), a: GP64(), b: GP64(), ch: GP64(), left: GP64(), mask: YMM()}
	MOVQ(k.field(rowsIn), k.in)
	MOVQ(k.field(rowsOut), k.out)
	MOVQ(k.field(rowsA), k.a)
	MOVQ(k.field(rowsB), k.b)
	m := GP64()
	MOVQ(k.field(rowsMask), m)
	VMOVUPS(Mem{Base: m}, k.mask)
	return k
}

// channels emits a loop over a row's channels; body is emitted twice, for whole vectors and for the tail.
func (k *rowsKernel) channels(label string, body func(tail bool)) {
	XORQ(k.ch, k.ch)
	MOVQ(k.field(rowsC), k.left)
	SUBQ(Imm(8), k.left)
	JLT(LabelRef(label + "_tail"))
	Label(label)
	body(false)
	ADDQ(Imm(32), k.ch)
	SUBQ(Imm(8), k.left)
	JGE(LabelRef(label))
	Label(label + "_tail")
	ADDQ(Imm(8), k.left)
	JZ(LabelRef(label + "_done"))
	body(true)
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

func (k *rowsKernel) load(base Register, x VecVirtual, tail bool) {
	if tail {
		VMASKMOVPS(Mem{Base: base, Index: k.ch, Scale: 1}, k.mask, x)
		return
	}
	VMOVUPS(Mem{Base: base, Index: k.ch, Scale: 1}, x)
}

func (k *rowsKernel) store(x VecVirtual, base Register, tail bool) {
	if tail {
		VMASKMOVPS(x, k.mask, Mem{Base: base, Index: k.ch, Scale: 1})
		return
	}
	VMOVUPS(x, Mem{Base: base, Index: k.ch, Scale: 1})
}

// arithmetic emits muladdc8AVX2, mulc8AVX2, addc8AVX2 or clampc8AVX2: out = clamp(in·a + b), clamp(in·a), clamp(in + b),
// clamp(in).
func arithmetic(op string) {
	k := begin(op + "c8AVX2")
	lo, hi, x, y, z := YMM(), YMM(), YMM(), YMM(), YMM()
	VBROADCASTSS(k.field(rowsLo), lo)
	VBROADCASTSS(k.field(rowsLo+4), hi)
	Label("row")
	k.channels("channels", func(tail bool) {
		k.load(k.in, x, tail)
		switch op {
		case "muladd":
			k.load(k.a, y, tail)
			k.load(k.b, z, tail)
			VFMADD213PS(z, y, x)
		case "mul":
			k.load(k.a, y, tail)
			VMULPS(y, x, x)
		case "add":
			k.load(k.b, z, tail)
			VADDPS(z, x, x)
		}
		VMAXPS(x, lo, x) // x second, so that a NaN survives
		VMINPS(x, hi, x)
		k.store(x, k.out, tail)
	})
	k.next("row")
}

// columns emits colsumc8AVX2 or colsqc8AVX2: the sum over rows of in, or of (in − a)², for each channel.
func columns(op string) {
	k := begin(op + "c8AVX2")
	n, at := GP64(), GP64()
	x, sum, mean := YMM(), YMM(), YMM()
	k.channels("channels", func(tail bool) {
		label := "rows"
		if tail {
			label = "rows_tail"
		}
		VXORPS(sum, sum, sum)
		if op == "colsq" {
			k.load(k.a, mean, tail)
		}
		MOVQ(k.field(rowsN), n)
		MOVQ(k.in, at)
		Label(label)
		k.load(at, x, tail)
		if op == "colsq" {
			VSUBPS(mean, x, x)
			VFMADD231PS(x, x, sum)
		} else {
			VADDPS(x, sum, sum)
		}
		ADDQ(k.field(rowsLDI), at)
		DECQ(n)
		JNZ(LabelRef(label))
		k.store(sum, k.out, tail)
	})
	VZEROUPPER()
	RET()
}

// constants keeps one data section of eightfold float32 constants.
var constants = map[string]Mem{}

// eight is a constant in all eight lanes. It is written as bits: avo prints a whole number as an integer.
func eight(name string, v float64) Mem { return eightBits(name, math.Float32bits(float32(v))) }

// eightBits is a bit pattern in all eight lanes.
func eightBits(name string, v uint32) Mem {
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(v))
	}
	constants[name] = m
	return m
}

// exp emits x = e^(sign·x), by powers of two:
//
//	y = x·sign·log₂e, n = round(y), f = y − n, 2ʸ = 2ⁿ · (1 + f·p(f))
//
// p is a minimax fit of (2ᶠ − 1)/f on ±½, relative error 2e-9 before rounding; y's own rounding makes the relative error
// of the result up to 6e-8·(1 + |x|). y is clamped to ±126.
func exp(x VecVirtual, sign float64) {
	n, p := YMM(), YMM()
	if sign > 0 {
		VMULPS(eight("log2e", math.Log2E), x, x)
	} else {
		VMULPS(eight("minusLog2e", -math.Log2E), x, x)
	}
	limit(x, eight("expLo", -126), eight("expHi", 126))
	VROUNDPS(Imm(0), x, n)
	VSUBPS(n, x, x)
	VMOVUPS(eight("exp6", 0.00015353257185779512), p)
	VFMADD213PS(eight("exp5", 0.001339900423772633), x, p)
	VFMADD213PS(eight("exp4", 0.00961843878030777), x, p)
	VFMADD213PS(eight("exp3", 0.05550331994891167), x, p)
	VFMADD213PS(eight("exp2", 0.24022647738456726), x, p)
	VFMADD213PS(eight("exp1", 0.6931471824645996), x, p)
	VFMADD213PS(eight("one", 1), x, p)
	VCVTPS2DQ(n, n)
	VPSLLD(Imm(23), n, n)
	VPADDD(n, p, x)
}

// limit emits x = min(max(x, lo), hi); a NaN survives.
func limit(x VecVirtual, lo, hi Mem) {
	bound := YMM()
	VMOVUPS(lo, bound)
	VMAXPS(x, bound, x)
	VMOVUPS(hi, bound)
	VMINPS(x, bound, x)
}

// sigmoid emits y = 1/(1 + e^−x); x is kept.
func sigmoid(x VecVirtual) VecVirtual {
	y, one := YMM(), YMM()
	VMOVAPS(x, y)
	exp(y, -1)
	VMOVUPS(eight("one", 1), one)
	VADDPS(one, y, y)
	VDIVPS(y, one, y)
	return y
}

// activations are the functions that are no clamp, x to f(x).
var activations = []struct {
	name string
	emit func(x VecVirtual)
}{
	{"sigmoid", func(x VecVirtual) { VMOVAPS(sigmoid(x), x) }},
	{"silu", func(x VecVirtual) { VMULPS(sigmoid(x), x, x) }},
	{"hardsigmoid", func(x VecVirtual) {
		VADDPS(eight("three", 3), x, x)
		limit(x, eight("zero", 0), eight("six", 6))
		VMULPS(eight("sixth", 1.0/6), x, x)
	}},
	{"hardswish", func(x VecVirtual) {
		y := YMM()
		VADDPS(eight("three", 3), x, y)
		limit(y, eight("zero", 0), eight("six", 6))
		VMULPS(eight("sixth", 1.0/6), y, y)
		VMULPS(y, x, x)
	}},
	// gelu is x·Φ(x). With z = |x|/√2 and t = 1/(1 + 0.4z), Φ(−|x|) = e^(−z²)·t·q(t): the form of Abramowitz and Stegun
	// 7.1.26, refitted with six coefficients; |error of Φ| ≤ 1.4e-8 before rounding.
	{"gelu", func(x VecVirtual) {
		z, t, q, e := YMM(), YMM(), YMM(), YMM()
		VANDPS(eightBits("absolute", 0x7fffffff), x, z)
		VMULPS(eight("rsqrt2", 0.70710678118), z, z)
		VMOVUPS(eight("one", 1), q)
		VMOVAPS(z, t)
		VFMADD213PS(q, eightIn("geluP", 0.4), t)
		VDIVPS(t, q, t)
		VMOVUPS(eight("gelu6", -0.1001296117901802), q)
		VFMADD213PS(eight("gelu5", 0.35457363724708557), t, q)
		VFMADD213PS(eight("gelu4", -0.18545392155647278), t, q)
		VFMADD213PS(eight("gelu3", 0.23413705825805664), t, q)
		VFMADD213PS(eight("gelu2", 0.080911785364151), t, q)
		VFMADD213PS(eight("gelu1", 0.11596104502677917), t, q)
		VMULPS(t, q, q)
		VMULPS(z, z, e)
		exp(e, -1)
		VMULPS(e, q, q) // Φ(−|x|)
		VMULPS(x, q, q)
		VSUBPS(q, x, t)       // x·Φ(x) for x ≥ 0
		VBLENDVPS(x, q, t, x) // the sign of x chooses
	}},
	// gelu_tanh is x·sigmoid(2u), u = √(2/π)·(x + 0.044715x³): the same as x/2·(1 + tanh u).
	{"gelutanh", func(x VecVirtual) {
		u := YMM()
		VMULPS(x, x, u)
		VMULPS(eight("geluT3", 2*0.7978845608*0.044715), u, u)
		VADDPS(eight("geluT1", 2*0.7978845608), u, u)
		VMULPS(x, u, u)
		VMULPS(sigmoid(u), x, x)
	}},
}

// eightIn is eight in a register.
func eightIn(name string, v float64) VecVirtual {
	x := YMM()
	VMOVUPS(eight(name, v), x)
	return x
}

// activation emits {name}c8AVX2: out = f(in).
func activation(name string, emit func(x VecVirtual)) {
	k := begin(name + "c8AVX2")
	Label("row")
	k.channels("channels", func(tail bool) {
		x := YMM()
		k.load(k.in, x, tail)
		emit(x)
		k.store(x, k.out, tail)
	})
	k.next("row")
}

// across emits the sum, or with largest the maximum, of x's lanes in all lanes of x.
func across(x VecVirtual, largest bool) {
	y := YMM()
	combine := func() {
		if largest {
			VMAXPS(y, x, x)
		} else {
			VADDPS(y, x, x)
		}
	}
	VPERM2F128(Imm(1), x, x, y)
	combine()
	VSHUFPS(Imm(0x4e), x, x, y)
	combine()
	VSHUFPS(Imm(0xb1), x, x, y)
	combine()
}

// layernorm emits layernormc8AVX2: each row less its mean, over its deviation, times a, plus b. Lo is the epsilon, Hi is
// 1/C.
func layernorm() {
	k := begin("layernormc8AVX2")
	x, sum, mean, scale := YMM(), YMM(), YMM(), YMM()
	Label("row")
	VXORPS(sum, sum, sum)
	k.channels("sum", func(tail bool) {
		k.load(k.in, x, tail)
		VADDPS(x, sum, sum)
	})
	across(sum, false)
	VBROADCASTSS(k.field(rowsLo+4), scale)
	VMULPS(scale, sum, mean)
	VXORPS(sum, sum, sum)
	k.channels("square", func(tail bool) {
		k.load(k.in, x, tail)
		VSUBPS(mean, x, x)
		if tail {
			VANDPS(k.mask, x, x)
		}
		VFMADD231PS(x, x, sum)
	})
	across(sum, false)
	VMULPS(scale, sum, sum)
	VBROADCASTSS(k.field(rowsLo), scale)
	VADDPS(scale, sum, sum)
	VSQRTPS(sum, sum)
	VMOVUPS(eight("one", 1), scale)
	VDIVPS(sum, scale, scale)
	k.channels("scale", func(tail bool) {
		a, b := YMM(), YMM()
		k.load(k.in, x, tail)
		VSUBPS(mean, x, x)
		VMULPS(scale, x, x)
		k.load(k.a, a, tail)
		k.load(k.b, b, tail)
		VFMADD213PS(b, a, x)
		k.store(x, k.out, tail)
	})
	k.next("row")
}

// softmax emits softmaxc8AVX2: e^(Lo·(in − largest)) over its sum, row by row; Lo is the scale of the scores, positive.
func softmax() {
	k := begin("softmaxc8AVX2")
	x, most, sum, scale := YMM(), YMM(), YMM(), YMM()
	Label("row")
	VMOVUPS(eightBits("minusInf", 0xff800000), most)
	k.channels("largest", func(tail bool) {
		k.load(k.in, x, tail)
		if tail {
			low := YMM()
			VMOVUPS(eightBits("minusInf", 0xff800000), low)
			VBLENDVPS(k.mask, x, low, x)
		}
		VMAXPS(x, most, most)
	})
	across(most, true)
	VBROADCASTSS(k.field(rowsLo), scale)
	VXORPS(sum, sum, sum)
	k.channels("exp", func(tail bool) {
		k.load(k.in, x, tail)
		VSUBPS(most, x, x)
		VMULPS(scale, x, x)
		exp(x, 1)
		if tail {
			VANDPS(k.mask, x, x)
		}
		VADDPS(x, sum, sum)
		k.store(x, k.out, tail)
	})
	across(sum, false)
	VMOVUPS(eight("one", 1), scale)
	VDIVPS(sum, scale, scale)
	k.channels("divide", func(tail bool) {
		k.load(k.out, x, tail)
		VMULPS(scale, x, x)
		k.store(x, k.out, tail)
	})
	k.next("row")
}

// rowsFile emits everything that works on rows.
func rowsFile() {
	for _, op := range []string{"muladd", "mul", "add", "clamp"} {
		arithmetic(op)
	}
	columns("colsum")
	columns("colsq")
	for _, a := range activations {
		activation(a.name, a.emit)
	}
	layernorm()
	softmax()
}

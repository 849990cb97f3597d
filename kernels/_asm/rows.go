package main

import (
	"fmt"

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
	rowsRowsLeft
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
		loop(label + "_many")
		body(n, nil)
		ADDQ(U32(n*k.bytes()), k.ch)
		SUBQ(lanes(n), k.left)
		JGE(LabelRef(label + "_many"))
		Label(label + "_few")
		ADDQ(lanes(n), k.left)
	}
	SUBQ(lanes(1), k.left)
	JLT(LabelRef(label + "_tail"))
	loop(label)
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

// gather emits a loop over a row's channels that gathers vector i in into[i % len(into)], so that one's latency does
// not hold up the next; body gets the vector's place and, for the tail, its mask. Afterwards into[0] holds what combine
// makes of all. Four vectors of eight and two of sixteen gather the same channels in the same order.
func (k *rowsKernel) gather(label string, into group, combine func(...Op), body func(into VecVirtual, at Mem, mask Register)) {
	n := len(into)
	lanes := func(n int) Op { return U32(n * k.lanes) }
	tail := func(i int) string { return fmt.Sprintf("%s_tail%d", label, i) }
	XORQ(k.ch, k.ch)
	MOVQ(k.field(rowsC), k.left)
	SUBQ(lanes(n), k.left)
	JLT(LabelRef(label + "_few"))
	loop(label + "_many")
	for i, sum := range into {
		body(sum, k.at(k.in, i), nil)
	}
	ADDQ(U32(n*k.bytes()), k.ch)
	SUBQ(lanes(n), k.left)
	JGE(LabelRef(label + "_many"))
	Label(label + "_few")
	ADDQ(lanes(n), k.left)
	for i, sum := range into {
		SUBQ(lanes(1), k.left)
		if i == n-1 {
			break // there are fewer left
		}
		JLT(LabelRef(tail(i)))
		body(sum, k.at(k.in, 0), nil)
		ADDQ(U32(k.bytes()), k.ch)
	}
	for i := n - 1; i >= 0; i-- {
		Label(tail(i))
		ADDQ(lanes(1), k.left)
		JZ(LabelRef(label + "_done"))
		body(into[i], k.at(k.in, 0), k.firstLanes(k.left, k.field(rowsMask)))
		if i > 0 {
			JMP(LabelRef(label + "_done"))
		}
	}
	Label(label + "_done")
	for ; n > 1; n /= 2 {
		for i := range n / 2 {
			combine(into[n/2+i], into[i], into[i])
		}
	}
}

// next moves to the next row and loops.
func (k *rowsKernel) next(label string) {
	ADDQ(k.field(rowsLDI), k.in)
	ADDQ(k.field(rowsLDO), k.out)
	ADDQ(k.field(rowsLDA), k.a)
	ADDQ(k.field(rowsLDB), k.b)
	DECQ(k.field(rowsRowsLeft))
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

// slope emits slope: out = a where in is between Lo and Hi, both excluded, or no number, and 0 elsewhere.
func slope(v *isa) {
	k := begin(v, "slope")
	lo, hi := v.vec(), v.vec()
	VBROADCASTSS(k.field(rowsLo), lo)
	VBROADCASTSS(k.field(rowsLo+4), hi)
	const notGreaterEqual, notLessEqual = 9, 6
	Label("row")
	k.channels("channels", 2, func(n int, mask Register) {
		x, a := k.read(k.in, n, mask), k.read(k.a, n, mask)
		for i := range x {
			if v == avx512 {
				above, both := K(), K()
				VCMPPS(Imm(notLessEqual), lo, x[i], above)
				VCMPPS(Imm(notGreaterEqual), hi, x[i], above, both)
				VMOVAPS_Z(a[i], both, x[i])
				continue
			}
			above := v.vec()
			VCMPPS(Imm(notLessEqual), lo, x[i], above)
			VCMPPS(Imm(notGreaterEqual), hi, x[i], x[i])
			VANDPS(above, x[i], x[i])
			VANDPS(a[i], x[i], x[i])
		}
		k.write(x, mask, k.out)
	})
	k.next("row")
}

// blend emits blend: out = a·b₁ + (in·b₀ + b₂), the rows of b being LDB bytes apart and the same for every row of in.
func blend(v *isa) {
	k := begin(v, "blend")
	ldb := GP64()
	MOVQ(k.field(rowsLDB), ldb)
	Label("row")
	k.channels("channels", 1, func(n int, mask Register) {
		first := k.b
		b0 := k.read(first, n, mask)
		ADDQ(ldb, first)
		b1 := k.read(first, n, mask)
		ADDQ(ldb, first)
		x, y, sum := k.read(k.in, n, mask), k.read(k.a, n, mask), k.read(first, n, mask)
		SUBQ(ldb, first)
		SUBQ(ldb, first)
		v.each(VFMADD231PS, b0, x, sum)
		v.each(VFMADD231PS, b1, y, sum)
		k.write(sum, mask, k.out)
	})
	SUBQ(k.field(rowsLDB), k.b)
	k.next("row")
}

// columns emits colsum, colsq or colmul: the sum over rows of in, of (in − a)² or of in·a, for each channel.
func columns(v *isa, op string) {
	k := begin(v, op)
	n, at, times := GP64(), GP64(), GP64()
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
		MOVQ(k.field(rowsRowsLeft), n)
		MOVQ(k.in, at)
		if op == "colmul" {
			MOVQ(k.a, times)
		}
		loop(label)
		v.load(k.at(at, 0), x, mask)
		switch op {
		case "colsq":
			VSUBPS(mean, x, x)
			VFMADD231PS(x, x, sum)
		case "colmul":
			v.load(k.at(times, 0), mean, mask)
			VFMADD231PS(mean, x, sum)
			ADDQ(k.field(rowsLDA), times)
		default:
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

// topgrad emits topgrad, for each channel: the first row in which in is a, or either is no number, gains b; what is left of b,
// nothing where there was such a row, is put back. It is bound by loads and stores.
func topgrad(v *isa) {
	k := begin(v, "topgrad")
	n, at, to := GP64(), GP64(), GP64()
	x, out, most, rest := v.vec(), v.vec(), v.vec(), v.vec()
	const equalOrNaN = 8
	k.channels("channels", 1, func(_ int, mask Register) {
		label := "rows"
		if mask != nil {
			label = "rows_tail"
		}
		v.load(k.at(k.a, 0), most, mask)
		v.load(k.at(k.b, 0), rest, mask)
		MOVQ(k.field(rowsRowsLeft), n)
		MOVQ(k.in, at)
		MOVQ(k.out, to)
		loop(label)
		v.load(k.at(at, 0), x, mask)
		v.load(k.at(to, 0), out, mask)
		VCMPPS(Imm(equalOrNaN), most, x, x)
		gain := v.vec()
		VANDPS(rest, x, gain)
		VANDNPS(rest, x, rest)
		VADDPS(gain, out, out)
		v.store(out, k.at(to, 0), mask)
		ADDQ(k.field(rowsLDI), at)
		ADDQ(k.field(rowsLDO), to)
		DECQ(n)
		JNZ(LabelRef(label))
		v.store(rest, k.at(k.b, 0), mask)
	})
	VZEROUPPER()
	RET()
}

// partial is how many sums, or largest elements, of a lane run side by side.
func (v *isa) partial() int { return 32 / v.lanes }

// layernorm emits layernorm: each row less its mean, over its deviation, times a, plus b. Lo is the epsilon, Hi is 1/C.
func layernorm(v *isa) {
	k := begin(v, "layernorm")
	sums := v.group(v.partial())
	x, sum, mean, scale := v.vec(), sums[0], v.vec(), v.vec()
	Label("row")
	for _, s := range sums {
		v.zero(s)
	}
	k.gather("sum", sums, VADDPS, func(sum VecVirtual, at Mem, mask Register) {
		x := v.vec()
		v.load(at, x, mask)
		VADDPS(x, sum, sum)
	})
	v.across(sum, VADDPS)
	VBROADCASTSS(k.field(rowsLo+4), scale)
	VMULPS(scale, sum, mean)
	for _, s := range sums {
		v.zero(s)
	}
	k.gather("square", sums, VADDPS, func(sum VecVirtual, at Mem, mask Register) {
		x := v.vec()
		v.load(at, x, mask)
		VSUBPS(mean, x, x)
		if mask != nil {
			v.keep(mask, x)
		}
		VFMADD231PS(x, x, sum)
	})
	v.across(sum, VADDPS)
	VMULPS(scale, sum, sum)
	VBROADCASTSS(k.field(rowsLo), scale)
	VADDPS(scale, sum, sum)
	VSQRTPS(sum, sum)
	v.with(move)(v.all("one", 1), scale)
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

// softmax emits e^(Lo·(in − largest)) over its sum, row by row; Lo is the scale of the scores, positive. The sum has
// eight lanes with any vectors, so that its bits are the same; that costs AVX-512 a tenth of its speed here.
func softmax(v *isa) {
	k := begin(v, "softmax")
	all := v.group(v.partial())
	most, sum, scale := all[0], YMM(), v.vec()
	Label("row")
	for _, m := range all {
		v.with(move)(v.allBits("minusInf", 0xff800000), m)
	}
	k.gather("largest", all, VMAXPS, func(most VecVirtual, at Mem, mask Register) {
		x := v.vec()
		switch {
		case mask == nil:
			VMOVUPS(at, x)
		case v == avx512:
			v.with(move)(v.allBits("minusInf", 0xff800000), x)
			VMOVUPS(at, mask, x)
		default:
			low := v.vec()
			v.load(at, x, mask)
			v.with(move)(v.allBits("minusInf", 0xff800000), low)
			VBLENDVPS(mask, x, low, x)
		}
		VMAXPS(x, most, most)
	})
	v.across(most, VMAXPS)
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
			VADDPS(x[i].AsY(), sum, sum)
			if v == avx512 {
				high := YMM()
				VEXTRACTF32X8(Imm(1), x[i], high)
				VADDPS(high, sum, sum)
			}
		}
		k.write(x, mask, k.out)
	})
	avx2.across(sum, VADDPS)
	total := v.vec()
	VBROADCASTSS(sum.AsX(), total)
	v.with(move)(v.all("one", 1), scale)
	VDIVPS(total, scale, scale)
	k.channels("divide", 1, func(n int, mask Register) {
		x := k.read(k.out, n, mask)
		v.each(VMULPS, scale, x, x)
		k.write(x, mask, k.out)
	})
	k.next("row")
}

// softmaxgrad emits softmaxgrad: out = a·(in − Σ a·in) row by row, the gradient of a softmax whose result is a.
func softmaxgrad(v *isa) {
	k := begin(v, "softmaxgrad")
	sums := v.group(v.partial())
	Label("row")
	for _, s := range sums {
		v.zero(s)
	}
	k.gather("sum", sums, VADDPS, func(sum VecVirtual, at Mem, mask Register) {
		x, a := v.vec(), v.vec()
		v.load(at, x, mask)
		at.Base = k.a
		v.load(at, a, mask)
		VFMADD231PS(x, a, sum)
	})
	v.across(sums[0], VADDPS)
	k.channels("products", 2, func(n int, mask Register) {
		x := k.read(k.in, n, mask)
		v.each(VSUBPS, sums[0], x, x)
		v.each(VMULPS, k.read(k.a, n, mask), x, x)
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
	columns(v, "colmul")
	slope(v)
	blend(v)
	if v == avx2 {
		topgrad(v)
	}
	for _, a := range activations {
		side := a.side
		if v == avx512 {
			side = wideSide
		}
		activation(v, a.name, side, false, a.emit)
	}
	for _, a := range slopes {
		activation(v, a.name, a.side, true, a.emit)
	}
	layernorm(v)
	softmax(v)
	softmaxgrad(v)
}

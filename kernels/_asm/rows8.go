package main

import (
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/i8"
)

// A block8 is sixty-four channels of a kernel that walks channels, or the last few, masked.
type block8 struct {
	bytes   Register   // the channels that exist; nil for all
	sixteen []Register // the same of each sixteen
}

// load emits x = sixteen bytes as sixteen numbers, of vector j of the block at m.
func (b *block8) load(widen func(...Op), masked func(Op, Op, Op), m Mem, j int, x VecVirtual) {
	if m = m.Offset(16 * j); b.bytes == nil {
		widen(m, x)
	} else {
		masked(m, b.sixteen[j], x)
	}
}

// unsigned emits the load of unsigned bytes.
func (b *block8) unsigned(m Mem, j int, x VecVirtual) {
	b.load(func(o ...Op) { VPMOVZXBD(o...) }, VPMOVZXBD_Z, m, j, x)
}

// signed emits the load of signed bytes.
func (b *block8) signed(m Mem, j int, x VecVirtual) {
	b.load(func(o ...Op) { VPMOVSXBD(o...) }, VPMOVSXBD_Z, m, j, x)
}

// numbers emits the load of numbers of 32 bits.
func (b *block8) numbers(m Mem, j int, x VecVirtual) {
	if m = m.Offset(64 * j); b.bytes == nil {
		VMOVUPS(m, x)
	} else {
		VMOVUPS_Z(m, b.sixteen[j], x)
	}
}

// storeNumbers emits their store.
func (b *block8) storeNumbers(x VecVirtual, m Mem, j int) {
	if m = m.Offset(64 * j); b.bytes == nil {
		VMOVUPS(x, m)
	} else {
		VMOVUPS(x, b.sixteen[j], m)
	}
}

// loadBytes emits x = sixty-four bytes, the others zero.
func (b *block8) loadBytes(m Mem, x VecVirtual) {
	if b.bytes == nil {
		VMOVDQU8(m, x)
	} else {
		VMOVDQU8_Z(m, b.bytes, x)
	}
}

// storeBytes emits the store of sixty-four bytes.
func (b *block8) storeBytes(x VecVirtual, m Mem) {
	if b.bytes == nil {
		VMOVDQU8(x, m)
	} else {
		VMOVDQU8(x, b.bytes, m)
	}
}

// blocks8 emits body for sixty-four channels at a time, from ch = 0 to the number of channels, then for those that are left.
func blocks8(channels Mem, ch Register, name string, body func(b *block8, name string)) {
	left := GP64()
	XORQ(ch, ch)
	MOVQ(channels, left)
	SUBQ(Imm(64), left)
	JLT(LabelRef(name + "_tail"))
	loop(name)
	body(&block8{}, name+"_whole")
	ADDQ(Imm(64), ch)
	SUBQ(Imm(64), left)
	JGE(LabelRef(name))
	Label(name + "_tail")
	ADDQ(Imm(64), left)
	JZ(LabelRef(name + "_end"))
	ones := GP64()
	MOVQ(I64(-1), ones)
	BZHIQ(left, ones, ones)
	b := &block8{bytes: K()}
	KMOVQ(ones, b.bytes)
	for j := range 4 {
		k := K()
		KSHIFTRQ(Imm(uint64(16*j)), b.bytes, k)
		b.sixteen = append(b.sixteen, k)
	}
	body(b, name+"_part")
	Label(name + "_end")
}

// The fields of i8.Rows and i8.Part.
const (
	rows8Out     = int(unsafe.Offsetof(i8.Rows{}.Out))
	rows8In      = int(unsafe.Offsetof(i8.Rows{}.In))
	rows8B       = int(unsafe.Offsetof(i8.Rows{}.B))
	rows8LDO     = int(unsafe.Offsetof(i8.Rows{}.LDO))
	rows8LDI     = int(unsafe.Offsetof(i8.Rows{}.LDI))
	rows8LDB     = int(unsafe.Offsetof(i8.Rows{}.LDB))
	rows8C       = int(unsafe.Offsetof(i8.Rows{}.C))
	rows8Left    = int(unsafe.Offsetof(i8.Rows{}.RowsLeft))
	rows8InZero  = int(unsafe.Offsetof(i8.Rows{}.InZero))
	rows8BZero   = int(unsafe.Offsetof(i8.Rows{}.BZero))
	rows8InScale = int(unsafe.Offsetof(i8.Rows{}.InScale))
	rows8Finish  = int(unsafe.Offsetof(i8.Rows{}.Finish))
	rows8Table   = int(unsafe.Offsetof(i8.Rows{}.Table))
	rows8Parts   = int(unsafe.Offsetof(i8.Rows{}.Parts))
	rows8N       = int(unsafe.Offsetof(i8.Rows{}.N))

	part8In    = int(unsafe.Offsetof(i8.Part{}.In))
	part8LDI   = int(unsafe.Offsetof(i8.Part{}.LDI))
	part8Zero  = int(unsafe.Offsetof(i8.Part{}.Zero))
	part8Scale = int(unsafe.Offsetof(i8.Part{}.Scale))
	part8Size  = int(unsafe.Sizeof(i8.Part{}))
)

// A rows8 is a kernel of rows of bytes while it is written.
type rows8 struct {
	t, in, b, out, ch, row Register
	finish                 *finish8
	y                      []VecVirtual // sixty-four results
	x                      VecVirtual
}

func (r *rows8) field(off int) Mem { return Mem{Base: r.t, Disp: off} }

// at is where the block under way is in a row, of elements of so many bytes.
func (r *rows8) at(base Register, size uint8) Mem { return Mem{Base: base, Index: r.ch, Scale: size} }

// emitRows8 writes {op}VNNI(t *Rows), which computes a block by body after what begin prepares.
func emitRows8(op string, begin func(r *rows8), body func(r *rows8, b *block8, name string)) {
	TEXT(op+"VNNI", NOSPLIT, "func(t *Rows)")
	Pragma("noescape")
	r := &rows8{t: Load(Param("t"), GP64()), in: GP64(), b: GP64(), out: GP64(), ch: GP64(), row: GP64(), y: avx512.group(4), x: ZMM()}
	MOVQ(r.field(rows8In), r.in)
	MOVQ(r.field(rows8B), r.b)
	MOVQ(r.field(rows8Out), r.out)
	XORQ(r.row, r.row)
	begin(r)
	Label("row")
	blocks8(r.field(rows8C), r.ch, "channels", func(b *block8, name string) { body(r, b, name) })
	ADDQ(r.field(rows8LDI), r.in)
	ADDQ(r.field(rows8LDB), r.b)
	ADDQ(r.field(rows8LDO), r.out)
	INCQ(r.row)
	DECQ(r.field(rows8Left))
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// beginFinish emits what the end needs.
func (r *rows8) beginFinish() {
	r.finish = newFinish8(r.field(rows8Finish), nil)
	r.finish.bytes()
}

// store emits the end of a block.
func (r *rows8) store(b *block8) {
	r.finish.pack(r.y)
	b.storeBytes(r.y[0], r.at(r.out, 1))
}

// rowsFile8 emits the kernels of rows of bytes.
func rowsFile8() {
	emitRows8("add", (*rows8).beginFinish, func(r *rows8, b *block8, name string) {
		part, n, in := GP64(), GP64(), GP64()
		for _, y := range r.y {
			VPXORD(y, y, y)
		}
		MOVQ(r.field(rows8Parts), part)
		MOVQ(r.field(rows8N), n)
		Label(name)
		MOVQ(Mem{Base: part, Disp: part8LDI}, in)
		IMULQ(r.row, in)
		ADDQ(Mem{Base: part, Disp: part8In}, in)
		for j, y := range r.y {
			b.unsigned(r.at(in, 1), j, r.x)
			VPSUBD_BCST(Mem{Base: part, Disp: part8Zero}, r.x, r.x)
			VCVTDQ2PS(r.x, r.x)
			VMULPS_BCST(Mem{Base: part, Disp: part8Scale}, r.x, r.x)
			VADDPS(r.x, y, y)
		}
		ADDQ(Imm(uint64(part8Size)), part)
		DECQ(n)
		JNZ(LabelRef(name))
		r.store(b)
	})
	emitRows8("mul", (*rows8).beginFinish, func(r *rows8, b *block8, _ string) {
		for j, y := range r.y {
			b.unsigned(r.at(r.in, 1), j, y)
			VPSUBD_BCST(r.field(rows8InZero), y, y)
			b.unsigned(r.at(r.b, 1), j, r.x)
			VPSUBD_BCST(r.field(rows8BZero), r.x, r.x)
			VPMULLD(r.x, y, y)
			VCVTDQ2PS(y, y)
			VMULPS_BCST(r.field(rows8InScale), y, y)
		}
		r.store(b)
	})
	emitRows8("quantize", (*rows8).beginFinish, func(r *rows8, b *block8, _ string) {
		for j, y := range r.y {
			b.numbers(r.at(r.in, 4), j, y)
			VMULPS_BCST(r.field(rows8InScale), y, y)
			VMAXPS_BCST(r.field(rows8Finish+finishLo), y, y) // y first, so that a NaN becomes Lo
		}
		r.store(b)
	})
	emitRows8("dequantize", func(*rows8) {}, func(r *rows8, b *block8, _ string) {
		for j, y := range r.y {
			b.unsigned(r.at(r.in, 1), j, y)
			VPSUBD_BCST(r.field(rows8InZero), y, y)
			VCVTDQ2PS(y, y)
			VMULPS_BCST(r.field(rows8InScale), y, y)
			b.storeNumbers(y, r.at(r.out, 4), j)
		}
	})
	table := avx512.group(4)
	emitRows8("table", func(r *rows8) {
		p := GP64()
		MOVQ(r.field(rows8Table), p)
		for i, t := range table {
			VMOVDQU64(Mem{Base: p, Disp: 64 * i}, t)
		}
	}, func(r *rows8, b *block8, _ string) {
		low, high, upper := r.y[0], r.y[1], K()
		b.loadBytes(r.at(r.in, 1), r.x)
		VMOVDQA64(r.x, low)
		VMOVDQA64(r.x, high)
		VPERMI2B(table[1], table[0], low)
		VPERMI2B(table[3], table[2], high)
		VPMOVB2M(r.x, upper)
		VPBLENDMB(high, low, upper, low)
		b.storeBytes(low, r.at(r.out, 1))
	})
}

// The fields of i8.Window and i8.Tap.
const (
	window8Taps   = int(unsafe.Offsetof(i8.Window{}.Taps))
	window8N      = int(unsafe.Offsetof(i8.Window{}.N))
	window8W      = int(unsafe.Offsetof(i8.Window{}.W))
	window8Bias   = int(unsafe.Offsetof(i8.Window{}.Bias))
	window8Scale  = int(unsafe.Offsetof(i8.Window{}.Scale))
	window8Start  = int(unsafe.Offsetof(i8.Window{}.Start))
	window8Out    = int(unsafe.Offsetof(i8.Window{}.Out))
	window8LDO    = int(unsafe.Offsetof(i8.Window{}.LDO))
	window8Step   = int(unsafe.Offsetof(i8.Window{}.Step))
	window8C      = int(unsafe.Offsetof(i8.Window{}.C))
	window8Left   = int(unsafe.Offsetof(i8.Window{}.PixelsLeft))
	window8Finish = int(unsafe.Offsetof(i8.Window{}.Finish))

	tap8W    = int(unsafe.Offsetof(i8.Tap{}.W))
	tap8Size = int(unsafe.Sizeof(i8.Tap{}))
)

// window8 emits {op}VNNI(t *Window), op being dwconv, sum or max: a pixel after the other, sixty-four channels at a time.
func window8(op string) {
	TEXT(op+"VNNI", NOSPLIT, "func(t *Window)")
	Pragma("noescape")
	r := &rows8{t: Load(Param("t"), GP64()), out: GP64(), ch: GP64(), y: avx512.group(4), x: ZMM()}
	move, tap, n, in, w, p := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	weight := ZMM()
	if op != "max" {
		r.finish = newFinish8(r.field(window8Finish), nil)
		r.finish.bytes()
	}
	MOVQ(r.field(window8Out), r.out)
	XORQ(move, move)
	Label("pixel")
	blocks8(r.field(window8C), r.ch, "channels", func(b *block8, name string) {
		MOVQ(r.field(window8Bias), p)
		for j, y := range r.y {
			switch op {
			case "dwconv":
				b.numbers(r.at(p, 4), j, y)
			case "sum":
				VPBROADCASTD(r.field(window8Start), y)
			case "max":
				VPXORD(y, y, y)
			}
		}
		MOVQ(r.field(window8Taps), tap)
		MOVQ(r.field(window8N), n)
		loop(name)
		MOVQ(Mem{Base: tap}, in)
		ADDQ(move, in)
		if op == "dwconv" {
			MOVQ(r.field(window8W), w)
			ADDQ(Mem{Base: tap, Disp: tap8W}, w)
		}
		if op == "max" {
			b.loadBytes(r.at(in, 1), r.x)
			VPMAXUB(r.x, r.y[0], r.y[0])
		} else {
			for j, y := range r.y {
				b.unsigned(r.at(in, 1), j, r.x)
				if op == "dwconv" {
					b.signed(r.at(w, 1), j, weight)
					VPMADDWD(weight, r.x, r.x) // the upper halves of x are zero
				}
				VPADDD(r.x, y, y)
			}
		}
		ADDQ(Imm(uint64(tap8Size)), tap)
		DECQ(n)
		JNZ(LabelRef(name))
		if op == "max" {
			b.storeBytes(r.y[0], r.at(r.out, 1))
			return
		}
		MOVQ(r.field(window8Scale), p)
		for j, y := range r.y {
			VCVTDQ2PS(y, y)
			if op == "sum" {
				VMULPS_BCST(Mem{Base: p}, y, y)
			} else {
				b.numbers(r.at(p, 4), j, weight)
				VMULPS(weight, y, y)
			}
		}
		r.store(b)
	})
	ADDQ(r.field(window8Step), move)
	ADDQ(r.field(window8LDO), r.out)
	DECQ(r.field(window8Left))
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}

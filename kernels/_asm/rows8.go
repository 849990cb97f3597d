package main

import (
	"fmt"
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/i8"
)

// A block8 is the channels that one pass of a kernel takes: with AVX-512 sixty-four, or the last few, masked; with AVX2 thirty-two,
// eight or one.
type block8 struct {
	isa     *isa
	size    int        // channels of AVX2's
	bytes   Register   // AVX-512's channels that exist; nil for all
	sixteen []Register // the same of each sixteen
}

// vectors are those of y that the block fills.
func (b *block8) vectors(y []VecVirtual) []VecVirtual {
	if b.isa == avx512 {
		return y
	}
	return y[:max(1, b.size/8)]
}

// load emits x = a vector of bytes as numbers, of vector j of the block at m.
func (b *block8) load(widen func(...Op), masked func(Op, Op, Op), m Mem, j int, x VecVirtual) {
	m = m.Offset(b.isa.lanes * j)
	switch {
	case b.bytes != nil:
		masked(m, b.sixteen[j], x)
	case b.size == 1:
		VPXOR(x.AsX(), x.AsX(), x.AsX())
		VPINSRB(Imm(0), m, x.AsX(), x.AsX())
		widen(x.AsX(), x)
	default:
		widen(m, x)
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
	m = m.Offset(b.isa.bytes() * j)
	switch {
	case b.bytes != nil:
		VMOVUPS_Z(m, b.sixteen[j], x)
	case b.size == 1:
		VMOVSS(m, x.AsX())
	default:
		VMOVUPS(m, x)
	}
}

// storeNumbers emits their store.
func (b *block8) storeNumbers(x VecVirtual, m Mem, j int) {
	m = m.Offset(b.isa.bytes() * j)
	switch {
	case b.bytes != nil:
		VMOVUPS(x, b.sixteen[j], m)
	case b.size == 1:
		VMOVSS(x.AsX(), m)
	default:
		VMOVUPS(x, m)
	}
}

// loadBytes emits x = the block's bytes, the others zero.
func (b *block8) loadBytes(m Mem, x VecVirtual) {
	switch {
	case b.bytes != nil:
		VMOVDQU8_Z(m, b.bytes, x)
	case b.isa == avx512:
		VMOVDQU8(m, x)
	case b.size == 32:
		VMOVDQU(m, x)
	case b.size == 8:
		VMOVQ(m, x.AsX())
	default:
		VPXOR(x.AsX(), x.AsX(), x.AsX())
		VPINSRB(Imm(0), m, x.AsX(), x.AsX())
	}
}

// storeBytes emits the store of the block's bytes.
func (b *block8) storeBytes(x VecVirtual, m Mem) {
	switch {
	case b.bytes != nil:
		VMOVDQU8(x, b.bytes, m)
	case b.isa == avx512:
		VMOVDQU8(x, m)
	case b.size == 32:
		VMOVDQU(x, m)
	case b.size == 8:
		VMOVQ(x.AsX(), m)
	default:
		VPEXTRB(Imm(0), x.AsX(), m)
	}
}

// blocks8 emits body for a block of channels after the other, from ch = 0 to the number of channels.
func (v *isa) blocks8(channels Mem, ch Register, name string, body func(b *block8, name string)) {
	left := GP64()
	XORQ(ch, ch)
	MOVQ(channels, left)
	if v == avx2 {
		for _, size := range []int{32, 8, 1} {
			at := fmt.Sprintf("%s_%d", name, size)
			SUBQ(Imm(uint64(size)), left)
			JLT(LabelRef(at + "_end"))
			loop(at)
			body(&block8{isa: v, size: size}, at+"_whole")
			ADDQ(Imm(uint64(size)), ch)
			SUBQ(Imm(uint64(size)), left)
			JGE(LabelRef(at))
			Label(at + "_end")
			ADDQ(Imm(uint64(size)), left)
		}
		return
	}
	SUBQ(Imm(64), left)
	JLT(LabelRef(name + "_tail"))
	loop(name)
	body(&block8{isa: v}, name+"_whole")
	ADDQ(Imm(64), ch)
	SUBQ(Imm(64), left)
	JGE(LabelRef(name))
	Label(name + "_tail")
	ADDQ(Imm(64), left)
	JZ(LabelRef(name + "_end"))
	ones := GP64()
	MOVQ(I64(-1), ones)
	BZHIQ(left, ones, ones)
	b := &block8{isa: v, bytes: K()}
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
	isa                    *isa
	t, in, b, out, ch, row Register
	finish                 *finish8
	y                      []VecVirtual // the results of a block
	x, z                   VecVirtual
}

// newRows8 takes the registers of a kernel whose argument is t.
func newRows8(v *isa, t Register) *rows8 {
	return &rows8{isa: v, t: t, in: GP64(), b: GP64(), out: GP64(), ch: GP64(), row: GP64(), y: v.group(4), x: v.vec()}
}

func (r *rows8) field(off int) Mem { return Mem{Base: r.t, Disp: off} }

// at is where the block under way is in a row, of elements of so many bytes.
func (r *rows8) at(base Register, size uint8) Mem { return Mem{Base: base, Index: r.ch, Scale: size} }

// spread emits an instruction that has a number of the argument, in all lanes, for its first operand.
func (r *rows8) spread(by reader, m Mem, x VecVirtual) {
	if r.isa == avx512 {
		by.number(m, x, x)
		return
	}
	if r.z == nil {
		r.z = r.isa.vec()
	}
	VBROADCASTSS(m, r.z)
	by.vector(r.z, x, x)
}

var (
	subtract = reader{VPSUBD, VPSUBD_BCST}
	atLeast  = reader{VMAXPS, VMAXPS_BCST}
)

// kernel8 begins {op}VNNI, or {op}AVX2, of an argument of a type; the result is where it is.
func (v *isa) kernel8(op, argument string) Register {
	suffix := v.suffix
	if v == avx512 {
		suffix = "VNNI"
	}
	TEXT(op+suffix, NOSPLIT, "func(t *"+argument+")")
	Pragma("noescape")
	return Load(Param("t"), GP64())
}

// emitRows8 writes a kernel that computes a block by body after what begin prepares.
func emitRows8(v *isa, op string, begin func(r *rows8), body func(r *rows8, b *block8, name string)) {
	r := newRows8(v, v.kernel8(op, "Rows"))
	MOVQ(r.field(rows8In), r.in)
	MOVQ(r.field(rows8B), r.b)
	MOVQ(r.field(rows8Out), r.out)
	XORQ(r.row, r.row)
	begin(r)
	Label("row")
	v.blocks8(r.field(rows8C), r.ch, "channels", func(b *block8, name string) { body(r, b, name) })
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
	r.finish = newFinish8(r.isa, r.field(rows8Finish), nil)
	r.finish.bytes()
}

// store emits the end of a block.
func (r *rows8) store(b *block8) {
	r.finish.pack(b.vectors(r.y))
	b.storeBytes(r.y[0], r.at(r.out, 1))
}

// rowsFile8 emits the kernels of rows of bytes.
func rowsFile8(v *isa) {
	emitRows8(v, "add", (*rows8).beginFinish, func(r *rows8, b *block8, name string) {
		part, n, in := GP64(), GP64(), GP64()
		for _, y := range b.vectors(r.y) {
			v.zero(y)
		}
		MOVQ(r.field(rows8Parts), part)
		MOVQ(r.field(rows8N), n)
		Label(name)
		MOVQ(Mem{Base: part, Disp: part8LDI}, in)
		IMULQ(r.row, in)
		ADDQ(Mem{Base: part, Disp: part8In}, in)
		for j, y := range b.vectors(r.y) {
			b.unsigned(r.at(in, 1), j, r.x)
			r.spread(subtract, Mem{Base: part, Disp: part8Zero}, r.x)
			VCVTDQ2PS(r.x, r.x)
			r.spread(multiply, Mem{Base: part, Disp: part8Scale}, r.x)
			VADDPS(r.x, y, y)
		}
		ADDQ(Imm(uint64(part8Size)), part)
		DECQ(n)
		JNZ(LabelRef(name))
		r.store(b)
	})
	emitRows8(v, "mul", (*rows8).beginFinish, func(r *rows8, b *block8, _ string) {
		for j, y := range b.vectors(r.y) {
			b.unsigned(r.at(r.in, 1), j, y)
			r.spread(subtract, r.field(rows8InZero), y)
			b.unsigned(r.at(r.b, 1), j, r.x)
			r.spread(subtract, r.field(rows8BZero), r.x)
			VPMULLD(r.x, y, y)
			VCVTDQ2PS(y, y)
			r.spread(multiply, r.field(rows8InScale), y)
		}
		r.store(b)
	})
	emitRows8(v, "quantize", (*rows8).beginFinish, func(r *rows8, b *block8, _ string) {
		for j, y := range b.vectors(r.y) {
			b.numbers(r.at(r.in, 4), j, y)
			r.spread(multiply, r.field(rows8InScale), y)
			r.spread(atLeast, r.field(rows8Finish+finishLo), y) // y first, so that a NaN becomes Lo
		}
		r.store(b)
	})
	emitRows8(v, "dequantize", func(*rows8) {}, func(r *rows8, b *block8, _ string) {
		for j, y := range b.vectors(r.y) {
			b.unsigned(r.at(r.in, 1), j, y)
			r.spread(subtract, r.field(rows8InZero), y)
			VCVTDQ2PS(y, y)
			r.spread(multiply, r.field(rows8InScale), y)
			b.storeNumbers(y, r.at(r.out, 4), j)
		}
	})
	if v == avx512 {
		tableVBMI()
	} else {
		tableAVX2()
	}
}

// tableVBMI emits the kernel of tables with AVX-512 VBMI, which looks up 128 bytes of a table that four registers hold.
func tableVBMI() {
	table := avx512.group(4)
	emitRows8(avx512, "table", func(r *rows8) {
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

// tableAVX2 emits the kernel of tables with VPSHUFB, which looks up sixteen bytes and gives 0 where the index is below 0. The frame
// has each sixteen of the table xor the sixteen before, in both halves of a vector. An index x within a half of the table meets
// the first x/16+1 of them before it falls below 0, and what these give, xor one another, is the last one's sixteen:
//
//	y, x = 0, index
//	for i := range 8 {
//		y, x = y ^ shuffle(table[i] ^ table[i−1], x), x−16 with saturation
//	}
//
// An index of the other half is below 0 from the start, and stays so.
func tableAVX2() {
	var frame Mem
	emitRows8(avx2, "table", func(r *rows8) {
		frame = AllocLocal(16 * 32)
		p := GP64()
		MOVQ(r.field(rows8Table), p)
		for i := range 16 {
			VBROADCASTI128(Mem{Base: p, Disp: 16 * i}, r.x)
			if i%8 != 0 {
				VBROADCASTI128(Mem{Base: p, Disp: 16 * (i - 1)}, r.y[0])
				VPXOR(r.y[0], r.x, r.x)
			}
			VMOVDQU(r.x, frame.Offset(32*i))
		}
	}, func(r *rows8, b *block8, _ string) {
		x, y := [2]VecVirtual{r.x, r.y[0]}, [2]VecVirtual{r.y[1], r.y[2]}
		found, sixteen := r.y[3], v32("sixteen", 16)
		b.loadBytes(r.at(r.in, 1), x[0])
		VPXOR(v32("upper", 0x80), x[0], x[1])
		for i := range 8 {
			for half := range 2 {
				m := frame.Offset(32 * (8*half + i))
				if i == 0 {
					VMOVDQU(m, y[half])
					VPSHUFB(x[half], y[half], y[half])
				} else {
					VPSUBSB(sixteen, x[half], x[half])
					VMOVDQU(m, found)
					VPSHUFB(x[half], found, found)
					VPXOR(found, y[half], y[half])
				}
			}
		}
		VPXOR(y[1], y[0], y[0])
		b.storeBytes(y[0], r.at(r.out, 1))
	})
}

// v32 is a vector of thirty-two times the same byte.
func v32(name string, b uint8) Mem { return avx2.allBits(name, uint32(b)*0x01010101) }

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

// window8 emits {op}VNNI(t *Window), or {op}AVX2, op being dwconv, sum or max: a pixel after the other, a block of channels at a time.
func window8(v *isa, op string) {
	r := newRows8(v, v.kernel8(op, "Window"))
	move, tap, n, in, w, p := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	weight := v.vec()
	if op != "max" {
		r.finish = newFinish8(v, r.field(window8Finish), nil)
		r.finish.bytes()
	}
	MOVQ(r.field(window8Out), r.out)
	XORQ(move, move)
	Label("pixel")
	v.blocks8(r.field(window8C), r.ch, "channels", func(b *block8, name string) {
		MOVQ(r.field(window8Bias), p)
		for j, y := range b.vectors(r.y) {
			switch op {
			case "dwconv":
				b.numbers(r.at(p, 4), j, y)
			case "sum":
				VPBROADCASTD(r.field(window8Start), y)
			case "max":
				v.zero(y)
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
			for j, y := range b.vectors(r.y) {
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
		for j, y := range b.vectors(r.y) {
			VCVTDQ2PS(y, y)
			if op == "sum" {
				r.spread(multiply, Mem{Base: p}, y)
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

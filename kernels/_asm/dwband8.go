package main

import (
	"fmt"
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/i8"
)

// The fields of i8.Band.
const (
	band8In       = int(unsafe.Offsetof(i8.Band{}.In))
	band8Padding  = int(unsafe.Offsetof(i8.Band{}.Padding))
	band8W        = int(unsafe.Offsetof(i8.Band{}.W))
	band8Out      = int(unsafe.Offsetof(i8.Band{}.Out))
	band8InPixel  = int(unsafe.Offsetof(i8.Band{}.InPixel))
	band8OutRow   = int(unsafe.Offsetof(i8.Band{}.OutRow))
	band8OutPixel = int(unsafe.Offsetof(i8.Band{}.OutPixel))
	band8Cols     = int(unsafe.Offsetof(i8.Band{}.Cols))
	band8Left     = int(unsafe.Offsetof(i8.Band{}.Left))
	band8OW       = int(unsafe.Offsetof(i8.Band{}.OW))
	band8C        = int(unsafe.Offsetof(i8.Band{}.C))
	band8Finish   = int(unsafe.Offsetof(i8.Band{}.Finish))
)

// A band8 is dwband{K}s{S}r{R}{ISA} while it is written: R rows of output of a depthwise convolution of bytes with a K×K window
// and stride S, sixteen channels at a time. As in float32's bands, columns of the input pass by once, and each goes into every
// output whose window it is in. Of a column, four rows are packed so that a channel's four bytes stand together:
//
//	rows       [ row 0: c0 … c15 | row 1: c0 … c15 | row 2 | row 3 ]     four loads
//	by channel [ c0: rows 0 to 3 | c1: rows 0 to 3 | … | c15 ]           a permutation of fours, then of bytes
//
// and VPDPBUSD multiplies them by a column of the window, which weights of zero move up or down among the four rows: for
// output row r and pack p by shift 4·p − r·S. An output's sums keep their register until it is complete; the loop is written
// out once for each register that an output may begin in, so that no sum is moved.
//
// Vectors of 32 bytes are two for the sixteen channels, and packs are made of rows widened to 16 bits, one pack after the other:
//
//	two rows   [ c0 … c7 | c8 … c15 ] each              as they are; of four rows two and two, the second shifted by eight bits
//	           [ c0 … c3 | c8 … c11 ]  [ c4 … c7 | … ]  both rows' numbers of a channel together
//	           [ c0 … c3 | c4 … c7 ]   [ c8 … ]
//
// AVX2 packs two rows, whose numbers VPMADDWD multiplies by weights of 16 bits, and AVX-VNNI four.
type band8 struct {
	isa     *isa
	depth   int // rows of a pack
	k, s, r int
	inputs  int // rows of input

	t, rows    Register // the argument; addresses of rows of input
	at, x      Register // bytes into them; the column
	out, done  Register // the next output, and how many are complete, below zero before the first
	w, ch      Register // weights, and bytes into the pixels, of the channels under way
	step, tmp  Register
	acc        [][]group  // by row and slot
	x4         group      // AVX-512's packs; the others' one pack of two vectors, and one more
	fours, one VecVirtual // the permutations
	finish     *finish8
	least      VecVirtual // the others' least byte
}

// packs is how many packs of rows of input there are.
func (b *band8) packs() int { return (b.inputs + b.depth - 1) / b.depth }

// vectors is how many a block's sums take.
func (b *band8) vectors() int { return 16 / b.isa.lanes }

// slots is how many outputs of a row are under way at a time.
func (b *band8) slots() int { return (b.k + b.s - 1) / b.s }

func (b *band8) field(off int) Mem { return Mem{Base: b.t, Disp: off} }

// weight is vector j of a column of the window, shifted by so many rows.
func (b *band8) weight(shift, kx, j int) Mem {
	return Mem{Base: b.w, Disp: 128 + 64*((shift+b.depth-1)*b.k+kx) + 32*j}
}

// suffix ends the kernel's name.
func (b *band8) suffix() string {
	switch {
	case b.isa == avx512:
		return "VNNI"
	case b.depth == 4:
		return "AVXVNNI"
	}
	return "AVX2"
}

// emit writes the whole function.
func (b *band8) emit() {
	k, s, r := b.k, b.s, b.r
	TEXT(fmt.Sprintf("dwband%ds%dr%d%s", k, s, r, b.suffix()), NOSPLIT, "func(t *Band)")
	Pragma("noescape")
	b.inputs = (r-1)*s + k
	b.t = Load(Param("t"), GP64())
	for _, g := range []*Register{&b.rows, &b.at, &b.x, &b.out, &b.done, &b.w, &b.ch, &b.step, &b.tmp} {
		*g = GP64()
	}
	for range r {
		var row []group
		for range b.slots() {
			row = append(row, b.isa.group(b.vectors()))
		}
		b.acc = append(b.acc, row)
	}
	b.begin()
	MOVQ(b.field(band8W), b.w)
	XORQ(b.ch, b.ch)
	Label("channels")
	MOVQ(b.field(band8Left), b.x)
	NEGQ(b.x)
	MOVQ(b.x, b.at)
	IMULQ(b.field(band8InPixel), b.at)
	ADDQ(b.ch, b.at)
	MOVQ(b.field(band8Out), b.out)
	ADDQ(b.ch, b.out)
	MOVQ(I32(int32(-(k-1)/s)), b.done)
	for phase := range b.slots() {
		if phase == 0 {
			loop("column")
		}
		b.column(phase, 0)
		if s == 2 {
			b.column(phase, 1)
		}
	}
	JMP(LabelRef("column"))
	Label("block_next")
	Comment("The last sixteen channels begin where sixteen are left, some of them a second time.")
	MOVQ(b.field(band8C), b.tmp)
	SUBQ(Imm(16), b.tmp)
	CMPQ(b.ch, b.tmp)
	JGE(LabelRef("done"))
	ADDQ(Imm(16), b.ch)
	CMPQ(b.ch, b.tmp)
	CMOVQGT(b.tmp, b.ch)
	ADDQ(U32(uint64(i8.BandBlock(k, b.depth))), b.w)
	JMP(LabelRef("channels"))
	Label("done")
	VZEROUPPER()
	RET()
}

// begin emits what stays in registers.
func (b *band8) begin() {
	if b.isa != avx512 {
		b.x4, b.least = b.isa.group(3), b.isa.vec()
		leastByte(b.field(band8Finish), b.least)
		return
	}
	b.x4 = avx512.group(b.packs())
	b.fours, b.one = ZMM(), ZMM()
	VPMOVZXBD(avx512.transposed(), b.fours)
	VBROADCASTI32X4(avx512.transposed(), b.one)
	b.finish = newFinish8(avx512, b.field(band8Finish), nil)
	b.finish.bytes()
}

// column emits one column's products, of an even or an odd column where the stride is 2. A new output begins in slot phase.
func (b *band8) column(phase, odd int) {
	name := fmt.Sprintf("%d_%d", phase, odd)
	Comment("A column beside the image is padding.")
	MOVQ(b.field(band8In), b.rows)
	MOVQ(b.at, b.step)
	CMPQ(b.x, b.field(band8Cols))
	JCS(LabelRef("inside" + name))
	MOVQ(b.field(band8Padding), b.rows)
	MOVQ(b.ch, b.step)
	Label("inside" + name)
	ADDQ(b.field(band8InPixel), b.at)
	INCQ(b.x)
	if b.isa == avx512 {
		for p := range b.packs() {
			b.pack(p)
		}
		b.products(phase, odd, 0, b.packs())
	} else {
		for p := range b.packs() {
			b.narrowPack(p)
			b.products(phase, odd, p, p+1)
		}
	}
	if odd == 0 {
		b.complete((phase+1)%b.slots(), "early"+name)
	}
}

// row is where a row of input is at the column under way.
func (b *band8) row(i int) Mem {
	MOVQ(Mem{Base: b.rows, Disp: 8 * i}, b.tmp)
	return Mem{Base: b.tmp, Index: b.step, Scale: 1}
}

// pack emits a pack of four rows.
func (b *band8) pack(p int) {
	x := b.x4[p]
	for i := range min(4, b.inputs-4*p) {
		if row := b.row(4*p + i); i == 0 {
			VMOVDQU32(row, x.AsX())
		} else {
			VINSERTI32X4(Imm(uint64(i)), row, x, x)
		}
	}
	VPERMD(x, b.fours, x)
	VPSHUFB(b.one, x, x)
}

// narrowPack emits a pack in two vectors, the second and the third of x4. What is there instead of a row that is not has weights of zero.
func (b *band8) narrowPack(p int) {
	last := min(b.depth*(p+1), b.inputs) - 1
	pair := [2]VecVirtual{b.x4[0], b.x4[1]}
	for i := range b.depth {
		half, at := pair[i*2/b.depth], b.depth*p+i
		switch {
		case at > last && i*2 == b.depth:
			pair[1] = pair[0]
		case at > last:
		case b.depth == 2 || i%2 == 0:
			VPMOVZXBW(b.row(at), half)
		default:
			VPMOVZXBW(b.row(at), b.x4[2])
			VPSLLW(Imm(8), b.x4[2], b.x4[2])
			VPOR(b.x4[2], half, half)
		}
	}
	VPUNPCKLWD(pair[1], pair[0], b.x4[2])
	VPUNPCKHWD(pair[1], pair[0], b.x4[0])
	VPERM2I128(Imm(0x20), b.x4[0], b.x4[2], b.x4[1])
	VPERM2I128(Imm(0x31), b.x4[0], b.x4[2], b.x4[2])
}

// products emits the products of packs [first, last), and the beginning of an output by the first of all packs.
func (b *band8) products(phase, odd, first, last int) {
	slots := b.slots()
	for kx := odd; kx < b.k; kx += b.s {
		slot := (phase - kx/b.s + slots) % slots
		for r := range b.r {
			for j, sum := range b.acc[r][slot] {
				if m := (Mem{Base: b.w, Disp: 32 * j}); kx == 0 && first == 0 && b.isa == avx512 {
					VMOVDQU32(m, sum)
				} else if kx == 0 && first == 0 {
					VMOVDQU(m, sum)
				}
				for p := first; p < last; p++ {
					if shift := b.depth*p - r*b.s; shift > -b.depth && shift < b.k {
						b.product(b.weight(shift, kx, j), p, j, sum)
					}
				}
			}
		}
	}
}

// product emits the addition of the products of vector j of a pack.
func (b *band8) product(weight Mem, p, j int, sum VecVirtual) {
	switch {
	case b.isa == avx512:
		VPDPBUSD(weight, b.x4[p], sum)
	case b.depth == 4:
		VMOVDQU(weight, b.x4[0])
		dotBytes(b.x4[0], b.x4[1+j], sum)
	default:
		VPMADDWD(weight, b.x4[1+j], b.x4[0])
		VPADDD(b.x4[0], sum, sum)
	}
}

// complete emits the end of the outputs in a slot, unless they are before the first.
func (b *band8) complete(slot int, early string) {
	INCQ(b.done)
	CMPQ(b.done, Imm(0))
	JLE(LabelRef(early))
	MOVQ(b.out, b.tmp)
	if b.isa == avx512 {
		b.bytes(slot)
	} else {
		b.narrowBytes(slot)
	}
	ADDQ(b.field(band8OutPixel), b.out)
	CMPQ(b.done, b.field(band8OW))
	JGE(LabelRef("block_next"))
	Label(early)
}

// scale emits the sums of a row's slot as float32, times the scales.
func (b *band8) scale(r, slot int) {
	for j, sum := range b.acc[r][slot] {
		VCVTDQ2PS(sum, sum)
		VMULPS(Mem{Base: b.w, Disp: 64 + 32*j}, sum, sum)
	}
}

// bytes emits the rows' bytes and their stores.
func (b *band8) bytes(slot int) {
	for first := 0; first < b.r; first += 4 {
		var sums []VecVirtual
		for r := first; r < min(first+4, b.r); r++ {
			b.scale(r, slot)
			sums = append(sums, b.acc[r][slot][0])
		}
		b.finish.pack(sums)
		for i := range sums {
			to := Mem{Base: b.tmp}
			if i == 0 {
				VMOVDQU32(sums[0].AsX(), to)
			} else {
				VEXTRACTI32X4(Imm(uint64(i)), sums[0], to)
			}
			if first+i < b.r-1 {
				ADDQ(b.field(band8OutRow), b.tmp)
			}
		}
	}
}

// narrowBytes does the same with two vectors a row.
func (b *band8) narrowBytes(slot int) {
	hi, zero := b.x4[0], b.x4[1]
	VBROADCASTSS(b.field(band8Finish+finishHi), hi)
	VPBROADCASTW(b.field(band8Finish+finishZero), zero)
	for r := range b.r {
		b.scale(r, slot)
		packPair(b.acc[r][slot], hi, zero, b.least)
		VMOVDQU(b.acc[r][slot][0].AsX(), Mem{Base: b.tmp})
		if r < b.r-1 {
			ADDQ(b.field(band8OutRow), b.tmp)
		}
	}
}

// bands8 emits every band: windows of 3×3, 5×5 and 7×7, strides 1 and 2, as many rows as eight rows of input give, or as many as there
// are registers for.
func bands8(v *isa, depth int) {
	for _, k := range []int{3, 5, 7} {
		for s := 1; s <= 2; s++ {
			for r := 1; (r-1)*s+k <= i8.BandInputs; r++ {
				if b := (&band8{isa: v, depth: depth, k: k, s: s, r: r}); v == avx512 || b.vectors()*r*b.slots() <= v.registers-4 {
					b.emit()
				}
			}
		}
	}
}

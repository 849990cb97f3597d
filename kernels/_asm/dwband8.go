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

// A band8 is dwband{K}s{S}r{R}VNNI while it is written: R rows of output of a depthwise convolution of bytes with a K×K window
// and stride S, sixteen channels at a time. As in float32's bands, columns of the input pass by once, and each goes into every
// output whose window it is in. Of a column, four rows are packed so that a channel's four bytes stand together:
//
//	rows       [ row 0: c0 … c15 | row 1: c0 … c15 | row 2 | row 3 ]     four loads
//	by channel [ c0: rows 0 to 3 | c1: rows 0 to 3 | … | c15 ]           a permutation of fours, then of bytes
//
// and VPDPBUSD multiplies them by a column of the window, which weights of zero move up or down among the four rows: for
// output row r and pack p by shift 4·p − r·S. An output's sums keep their register until it is complete; the loop is written
// out once for each register that an output may begin in, so that no sum is moved.
type band8 struct {
	k, s, r int
	inputs  int // rows of input

	t, rows    Register // the argument; addresses of rows of input
	at, x      Register // bytes into them; the column
	out, done  Register // the next output, and how many are complete, below zero before the first
	w, ch      Register // weights, and bytes into the pixels, of the channels under way
	step, tmp  Register
	acc        [][]VecVirtual // by row and slot
	x4         []VecVirtual   // packs of four rows
	fours, one VecVirtual     // the permutations
	finish     *finish8
}

// packs is how many fours of rows of input there are.
func (b *band8) packs() int { return (b.inputs + 3) / 4 }

// slots is how many outputs of a row are under way at a time.
func (b *band8) slots() int { return (b.k + b.s - 1) / b.s }

func (b *band8) field(off int) Mem { return Mem{Base: b.t, Disp: off} }

// weight is a column of the window, shifted by so many rows.
func (b *band8) weight(shift, kx int) Mem {
	return Mem{Base: b.w, Disp: 128 + 64*((shift+3)*b.k+kx)}
}

// emitBand8 writes the whole function.
func emitBand8(k, s, r int) {
	TEXT(fmt.Sprintf("dwband%ds%dr%dVNNI", k, s, r), NOSPLIT, "func(t *Band)")
	Pragma("noescape")
	b := &band8{k: k, s: s, r: r, inputs: (r-1)*s + k}
	b.t = Load(Param("t"), GP64())
	for _, g := range []*Register{&b.rows, &b.at, &b.x, &b.out, &b.done, &b.w, &b.ch, &b.step, &b.tmp} {
		*g = GP64()
	}
	for range r {
		b.acc = append(b.acc, avx512.group(b.slots()))
	}
	b.x4 = avx512.group(b.packs())
	b.fours, b.one = ZMM(), ZMM()
	VPMOVZXBD(avx512.transposed(), b.fours)
	VBROADCASTI32X4(avx512.transposed(), b.one)
	b.finish = newFinish8(avx512, Mem{Base: b.t, Disp: band8Finish}, nil)
	b.finish.bytes()
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
	ADDQ(U32(uint64(i8.BandBlock(k))), b.w)
	JMP(LabelRef("channels"))
	Label("done")
	VZEROUPPER()
	RET()
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
	for p, x := range b.x4 {
		for i := range min(4, b.inputs-4*p) {
			MOVQ(Mem{Base: b.rows, Disp: 8 * (4*p + i)}, b.tmp)
			row := Mem{Base: b.tmp, Index: b.step, Scale: 1}
			if i == 0 {
				VMOVDQU32(row, x.AsX())
			} else {
				VINSERTI32X4(Imm(uint64(i)), row, x, x)
			}
		}
		VPERMD(x, b.fours, x)
		VPSHUFB(b.one, x, x)
	}
	slots := b.slots()
	for kx := odd; kx < b.k; kx += b.s {
		slot := (phase - kx/b.s + slots) % slots
		for r := range b.r {
			if kx == 0 {
				VMOVDQU32(Mem{Base: b.w}, b.acc[r][slot])
			}
			for p, x := range b.x4 {
				if shift := 4*p - r*b.s; shift >= -3 && shift < b.k {
					VPDPBUSD(b.weight(shift, kx), x, b.acc[r][slot])
				}
			}
		}
	}
	if odd == 0 {
		b.complete((phase+1)%slots, "early"+name)
	}
}

// complete emits the end of the outputs in a slot, unless they are before the first.
func (b *band8) complete(slot int, early string) {
	INCQ(b.done)
	CMPQ(b.done, Imm(0))
	JLE(LabelRef(early))
	scale := Mem{Base: b.w, Disp: 64}
	MOVQ(b.out, b.tmp)
	for first := 0; first < b.r; first += 4 {
		var sums []VecVirtual
		for _, row := range b.acc[first:min(first+4, b.r)] {
			VCVTDQ2PS(row[slot], row[slot])
			VMULPS(scale, row[slot], row[slot])
			sums = append(sums, row[slot])
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
	ADDQ(b.field(band8OutPixel), b.out)
	CMPQ(b.done, b.field(band8OW))
	JGE(LabelRef("block_next"))
	Label(early)
}

// bands8 emits every band: windows of 3×3, 5×5 and 7×7, strides 1 and 2, as many rows as eight rows of input give.
func bands8() {
	for _, k := range []int{3, 5, 7} {
		for s := 1; s <= 2; s++ {
			for r := 1; (r-1)*s+k <= i8.BandInputs; r++ {
				emitBand8(k, s, r)
			}
		}
	}
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Byte offsets of the fields of f32.Band; TestLayouts holds them equal to the Go struct's.
const (
	bandIn = 8 * iota
	bandW
	bandBias
	bandOut
	bandInPixel
	bandOutRow
	bandOutPixel
	bandCols
	bandLeft
	bandSkip
	bandOW
	bandC
	bandMask
	bandLo // two float32
)

// band emits dwband{K}s{S}r{R}{ISA}: R rows of output of a depthwise convolution with a K×K window and stride S. The
// input's columns pass by once, and each column's (R−1)·S+K pixels are multiplied into every output whose window they
// are in. For K = 3 and S = 1 column x does
//
//	A2 (output x−1) += column · w[·][2]     complete: clamped and stored
//	A1 (output x)   += column · w[·][1]
//	A0 (output x+1) += column · w[·][0]     begins with the bias
//
// for each of the R rows; then A2 ← A1 ← A0 ← bias. So an input is read once for R rows, not K·K times, and padding at
// the sides costs nothing: its columns do not pass. With S = 2 columns of even and of odd place take turns.
type band struct {
	isa        *isa
	k, s, r    int
	inputs     int // rows of input
	t          Register
	rows       Register // the addresses of the rows of input
	at         Register // bytes into them
	out, left  Register // the next output, and how many are to come, those before the first included
	cols       Register
	w, ch      Register       // weights, and bytes into the pixels, of the channels under way
	acc        [][]VecVirtual // by row, by age
	x          []VecVirtual   // by row of input where they fit, or one
	weight     VecVirtual
	mask       Register // of the last channels, or nil
	labelCount int
}

func (b *band) field(off int) Mem { return Mem{Base: b.t, Disp: off} }

func (b *band) label(text string) string {
	b.labelCount++
	return fmt.Sprintf("%s%d", text, b.labelCount)
}

// emit writes the whole function.
func emitBand(v *isa, k, s, r int) {
	TEXT(fmt.Sprintf("dwband%ds%dr%d%s", k, s, r, v.suffix), NOSPLIT, "func(t *Band)")
	Pragma("noescape")
	b := &band{isa: v, k: k, s: s, r: r, inputs: (r-1)*s + k}
	b.t = Load(Param("t"), GP64())
	gp := []*Register{&b.rows, &b.at, &b.out, &b.left, &b.cols, &b.w, &b.ch}
	for _, g := range gp {
		*g = GP64()
	}
	ages := k
	if s == 2 {
		ages = (k + 1) / 2
	}
	for range r {
		var a []VecVirtual
		for range ages {
			a = append(a, v.vec())
		}
		b.acc = append(b.acc, a)
	}
	b.weight = v.vec()
	b.x = []VecVirtual{b.weight}
	// One register is the weights', one may be the mask's.
	if r*ages+b.inputs+2 <= v.registers {
		b.x = nil
		for range b.inputs {
			b.x = append(b.x, v.vec())
		}
	}

	MOVQ(b.field(bandW), b.w)
	MOVQ(b.field(bandIn), b.rows)
	for _, x := range b.x {
		v.zero(x)
	}
	channels := GP64()
	XORQ(b.ch, b.ch)
	MOVQ(b.field(bandC), channels)
	SUBQ(Imm(uint64(v.lanes)), channels)
	JLT(LabelRef("tail"))
	Label("channels")
	b.columns()
	ADDQ(Imm(uint64(4*v.lanes)), b.ch)
	b.nextWeights()
	SUBQ(Imm(uint64(v.lanes)), channels)
	JGE(LabelRef("channels"))
	Label("tail")
	ADDQ(Imm(uint64(v.lanes)), channels)
	JZ(LabelRef("done"))
	Comment("Fewer channels left than a vector has: masked loads and stores.")
	b.mask = v.firstLanes(channels, b.field(bandMask))
	b.columns()
	Label("done")
	VZEROUPPER()
	RET()
}

// nextWeights moves on by a vector of channels; weights come in blocks of sixteen, one for each position of the window.
func (b *band) nextWeights() {
	block := 64 * b.k * b.k
	if b.isa.lanes == 16 {
		ADDQ(U32(uint64(block)), b.w)
		return
	}
	same := b.label("same_block")
	ADDQ(Imm(32), b.w)
	TESTQ(U32(32), b.ch)
	JNZ(LabelRef(same))
	ADDQ(U32(uint64(block-64)), b.w)
	Label(same)
}

// columns emits the pass over the columns for one vector of channels.
func (b *band) columns() {
	MOVQ(b.ch, b.at)
	MOVQ(b.field(bandOut), b.out)
	ADDQ(b.ch, b.out)
	MOVQ(b.field(bandOW), b.left)
	ADDQ(b.field(bandSkip), b.left)
	MOVQ(b.field(bandCols), b.cols)
	bias := GP64()
	MOVQ(b.field(bandBias), bias)
	for _, row := range b.acc {
		for _, a := range row {
			VMOVUPS(Mem{Base: bias, Index: b.ch, Scale: 1}, a)
		}
	}
	next, drain, end := b.label("column"), b.label("drain"), b.label("end")
	age := func() {
		for _, row := range b.acc {
			for i := len(row) - 1; i > 0; i-- {
				VMOVAPS(row[i-1], row[i])
			}
		}
		bias := GP64()
		MOVQ(b.field(bandBias), bias)
		for _, row := range b.acc {
			VMOVUPS(Mem{Base: bias, Index: b.ch, Scale: 1}, row[0])
		}
	}
	if b.s == 1 {
		loop(next)
		b.multiply(func(i int) int { return i }, b.k)
		b.complete(end)
		age()
		DECQ(b.cols)
		JNZ(LabelRef(next))
	} else {
		odd, aged := b.label("odd"), b.label("aged")
		left := GP64()
		MOVQ(b.field(bandLeft), left)
		TESTQ(U32(1), left)
		JNZ(LabelRef(odd))
		loop(next)
		b.multiply(func(i int) int { return 2 * i }, (b.k+1)/2)
		b.complete(end)
		DECQ(b.cols)
		JZ(LabelRef(aged))
		Label(odd)
		b.multiply(func(i int) int { return 2*i + 1 }, b.k/2)
		age()
		DECQ(b.cols)
		JNZ(LabelRef(next))
		JMP(LabelRef(drain))
		Label(aged)
		age()
	}
	Label(drain)
	Comment("The outputs whose last columns are padding.")
	b.complete(end)
	age()
	JMP(LabelRef(drain))
	Label(end)
}

// multiply emits one column's multiply-adds: the accumulators of age i, i < n, take the weights of column kx(i) of the
// window. It moves to the next column.
func (b *band) multiply(kx func(i int) int, n int) {
	v := b.isa
	weight := func(ky, i int) Mem { return Mem{Base: b.w, Disp: 64 * (ky*b.k + kx(i))} }
	load := func(r int, x VecVirtual, skip string) {
		row := GP64()
		MOVQ(Mem{Base: b.rows, Disp: 8 * r}, row)
		TESTQ(row, row)
		JZ(LabelRef(skip))
		v.load(Mem{Base: row, Index: b.at, Scale: 1}, x, b.mask)
	}
	if len(b.x) > 1 {
		for r, x := range b.x {
			skip := b.label("padding")
			load(r, x, skip)
			Label(skip)
		}
		for ky := range b.k {
			for i := range n {
				VMOVUPS(weight(ky, i), b.weight)
				for r := range b.r {
					VFMADD231PS(b.x[r*b.s+ky], b.weight, b.acc[r][i])
				}
			}
		}
	} else {
		for in := range b.inputs {
			skip := b.label("padding")
			load(in, b.x[0], skip)
			for i := range n {
				for r := range b.r {
					if ky := in - r*b.s; ky >= 0 && ky < b.k {
						VFMADD231PS(weight(ky, i), b.x[0], b.acc[r][i])
					}
				}
			}
			Label(skip)
		}
	}
	ADDQ(b.field(bandInPixel), b.at)
}

// complete emits the oldest accumulators' clamp and store, or jumps to end if no output is to come. Windows that end
// before the first output are dropped.
func (b *band) complete(end string) {
	v := b.isa
	drop := b.label("drop")
	SUBQ(Imm(1), b.left)
	JLT(LabelRef(end))
	CMPQ(b.left, b.field(bandOW))
	JGE(LabelRef(drop))
	at := GP64()
	MOVQ(b.out, at)
	for _, bound := range []int{bandLo, bandLo + 4} {
		VBROADCASTSS(b.field(bound), b.weight)
		for _, row := range b.acc {
			// The accumulator comes second, so that a NaN survives.
			y := row[len(row)-1]
			if bound == bandLo {
				VMAXPS(y, b.weight, y)
			} else {
				VMINPS(y, b.weight, y)
			}
		}
	}
	for r, row := range b.acc {
		v.store(row[len(row)-1], Mem{Base: at}, b.mask)
		if r < b.r-1 {
			ADDQ(b.field(bandOutRow), at)
		}
	}
	ADDQ(b.field(bandOutPixel), b.out)
	Label(drop)
}

// bands emits every band: windows of 3×3, 5×5 and 7×7, strides 1 and 2, up to three rows where their accumulators fit.
func bands(v *isa) {
	for _, k := range []int{3, 5, 7} {
		for s := 1; s <= 2; s++ {
			for r := 1; r <= 3; r++ {
				if ages := (k + s - 1) / s; r*ages+2 <= v.registers {
					emitBand(v, k, s, r)
				}
			}
		}
	}
}

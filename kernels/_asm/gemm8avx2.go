package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// AVX2 has no exact product of bytes: VPMADDUBSW adds two products in 16 bits, where they do not fit. So bytes become numbers of
// 16 bits on the way, and VPMADDWD adds pairs of products in 32 bits:
//
//	b       [ column 0: k0 k1 | column 1: k0 k1 | … | column 7: k0 k1 ]    16 bits each, from a panel packed by pairs
//	a row   [ k0 k1 | k0 k1 | … ]
//
// A row of a tile is two vectors of eight columns, as float32's.

// With AVX-VNNI it has VPDPBUSD, and tiles are as AVX-512's.

// gemm8TileAVX2 emits gemm{mr}x16AVX2(t *Tile), or gemm{mr}x16AVXVNNI, which takes all sixteen columns to exist.
func gemm8TileAVX2(mr int, dots bool) {
	suffix := "AVX2"
	if dots {
		suffix = "AVXVNNI"
	}
	TEXT(fmt.Sprintf("gemm%dx16%s", mr, suffix), NOSPLIT, "func(t *Tile)")
	Pragma("noescape")
	g := &gemm8{gemm: gemm{isa: avx2, at: &i8Tile, mr: mr, nr: 16, bytes: true, dots: dots, t: Load(Param("t"), GP64())}}
	g.emit(g.finishAVX2)
}

// widenedBytes emits the products of a step of k, as step has them.
func (g *gemm) widenedBytes(a []Register, k, b Register, u int) {
	x, product := g.spare[0], g.spare[1]
	for pair := range 2 {
		for half, w := range g.b {
			VPMOVSXBW(Mem{Base: b, Disp: 64*u + 32*pair + 16*half}, w)
		}
		for i, row := range g.acc {
			VPBROADCASTW(Mem{Base: a[i], Index: k, Scale: 1, Disp: 4*u + 2*pair}, x.AsX())
			VPMOVZXBW(x.AsX(), x)
			VPMADDWD(g.b[0], x, product)
			VPADDD(product, row[0], row[0])
			VPMADDWD(g.b[1], x, x)
			VPADDD(x, row[1], row[1])
		}
	}
}

// leastByte emits the byte Zero + Lo of an i8.Finish in all places.
func leastByte(finish Mem, x VecVirtual) {
	floor := GP32()
	VCVTSS2SI(finish.Offset(finishLo), floor)
	ADDL(finish.Offset(finishZero), floor)
	VMOVD(floor, x.AsX())
	VPBROADCASTB(x.AsX(), x.AsX())
}

// packPair emits two vectors of a row's scaled sums as sixteen bytes in the first one: clamped to hi, which is in all lanes, rounded,
// plus zero, which is in all numbers of 16 bits, at least a byte.
func packPair(row []VecVirtual, hi, zero, least VecVirtual) {
	for _, x := range row {
		VMINPS(hi, x, x)
		VCVTPS2DQ(x, x)
	}
	x := row[0]
	VPACKSSDW(row[1], x, x) // columns 0 to 3, 8 to 11, 4 to 7, 12 to 15
	VPADDSW(zero, x, x)
	VPERMQ(Imm(0xd8), x, x)
	VEXTRACTI128(Imm(1), x, row[1].AsX())
	VPACKUSWB(row[1].AsX(), x.AsX(), x.AsX())
	VPMAXUB(least.AsX(), x.AsX(), x.AsX())
}

// finishAVX2 emits what becomes of the sums.
func (g *gemm8) finishAVX2() {
	g.c, g.res = GP64(), GP64()
	g.scale()
	MOVQ(g.field(g.at.nextC), g.c)
	MOVQ(g.field(g.at.ldc), g.ldc)
	MOVQ(g.field(g.at.nextR), g.res)
	ldr := GP64()
	MOVQ(g.field(g.at.ldr), ldr)
	CMPL(g.field(tile8Finish+finishOutFloats), Imm(0))
	JNE(LabelRef("floats"))
	TESTQ(g.res, g.res)
	JZ(LabelRef("narrow"))
	zero, scale, x := g.b[0], g.b[1], g.spare[0]
	VPBROADCASTD(g.field(tile8Finish+finishResZero), zero)
	VBROADCASTSS(g.field(tile8Finish+finishResScale), scale)
	for _, row := range g.acc {
		for j, acc := range row {
			VPMOVZXBD(Mem{Base: g.res, Disp: 8 * j}, x)
			VPSUBD(zero, x, x)
			VCVTDQ2PS(x, x)
			VMULPS(scale, x, x)
			VADDPS(x, acc, acc)
		}
		ADDQ(ldr, g.res)
	}
	MOVQ(g.res, g.field(g.at.nextR))
	Label("narrow")
	hi, words, least := g.b[0], g.spare[0], g.spare[1]
	VBROADCASTSS(g.field(tile8Finish+finishHi), hi)
	VPBROADCASTW(g.field(tile8Finish+finishZero), words)
	leastByte(g.field(tile8Finish), least)
	for _, row := range g.acc {
		packPair(row, hi, words, least)
		VMOVDQU(row[0].AsX(), Mem{Base: g.c})
		ADDQ(g.ldc, g.c)
	}
	JMP(LabelRef("tile_next"))
	Label("floats")
	TESTQ(g.res, g.res)
	JZ(LabelRef("clamp"))
	for _, row := range g.acc {
		for j, acc := range row {
			VADDPS(g.column(g.res, j), acc, acc)
		}
		ADDQ(ldr, g.res)
	}
	MOVQ(g.res, g.field(g.at.nextR))
	Label("clamp")
	VBROADCASTSS(g.field(tile8Finish+finishLo), g.spare[0])
	VBROADCASTSS(g.field(tile8Finish+finishHi), g.spare[1])
	for _, row := range g.acc {
		for j, acc := range row {
			clamp(acc, g.spare[0], g.spare[1])
			VMOVUPS(acc, g.column(g.c, j))
		}
		ADDQ(g.ldc, g.c)
	}
}

// dotBytes emits VPDPBUSD of vectors of 32 bytes: sum += four unsigned bytes of x times four signed ones of b.
func dotBytes(b, x, sum VecVirtual) {
	operands := []Op{b, x, sum}
	Instruction(&ir.Instruction{Opcode: dotOfBytes, Operands: operands, Inputs: operands, Outputs: operands[2:]})
}

// dotOfBytes is AVX-VNNI's VPDPBUSD, for which the assembler would write AVX-512's code.
const dotOfBytes = "VEX VPDPBUSD"

// encodeVEX turns a dotOfBytes of registers into its bytes: the prefix of VEX with vectors of 256 bits, map 0F38, 66 and W0, then the
// opcode and the registers.
func encodeVEX(i *ir.Instruction) error {
	if i.Opcode != dotOfBytes {
		return nil
	}
	var r [3]byte
	for j, op := range i.Operands {
		p, ok := op.(VecPhysical)
		if !ok || p.PhysicalIndex() > 15 {
			return fmt.Errorf("%s: operand %v is none of sixteen registers", dotOfBytes, op)
		}
		r[j] = byte(p.PhysicalIndex())
	}
	b, x, sum := r[0], r[1], r[2]
	second, third := (^sum>>3&1)<<7|1<<6|(^b>>3&1)<<5|2, (^x&15)<<3|4|1
	i.Opcode = fmt.Sprintf("LONG $0x50%02x%02xc4; BYTE", third, second)
	i.Operands = []Op{U8(3<<6 | sum&7<<3 | b&7)}
	return nil
}

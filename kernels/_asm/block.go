package main

import (
	"fmt"
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/i8"
)

// The block: one or two tiles of sixteen rows by one or two panels of sixteen columns, their sums in tiles.
//
//	                            b: a chunk of two panels ->  [ tile 6 ] [ tile 7 ]
//	a: a chunk of the first rows, tile 4                     [ tile 0 ] [ tile 1 ]
//	a: the same of the other rows, tile 5                    [ tile 2 ] [ tile 3 ]
//
// A chunk is up to 64 bytes of depth. One instruction multiplies a tile of a by a tile of b: sixteen cycles, in which two tiles of
// 1 KiB can be loaded, so that two by two need half of what can be. The sums begin with the bias, which is loaded as sixteen rows that
// are 0 bytes apart; they leave by way of memory, because no instruction reads a tile but those that store it.
//
// The fields of i8.Block.
const (
	blockA       = int(unsafe.Offsetof(i8.Block{}.A))
	blockB       = int(unsafe.Offsetof(i8.Block{}.B))
	blockC       = int(unsafe.Offsetof(i8.Block{}.C))
	blockR       = int(unsafe.Offsetof(i8.Block{}.R))
	blockBias    = int(unsafe.Offsetof(i8.Block{}.Bias))
	blockScale   = int(unsafe.Offsetof(i8.Block{}.Scale))
	blockSums    = int(unsafe.Offsetof(i8.Block{}.Sums))
	blockLDA     = int(unsafe.Offsetof(i8.Block{}.LDA))
	blockPanel   = int(unsafe.Offsetof(i8.Block{}.Panel))
	blockLDC     = int(unsafe.Offsetof(i8.Block{}.LDC))
	blockLDR     = int(unsafe.Offsetof(i8.Block{}.LDR))
	blockColumns = int(unsafe.Offsetof(i8.Block{}.Columns))
	blockChunks  = int(unsafe.Offsetof(i8.Block{}.Chunks))
	blockChunk   = int(unsafe.Offsetof(i8.Block{}.Chunk))
	blockLeft    = int(unsafe.Offsetof(i8.Block{}.BlocksLeft))
	blockRows    = int(unsafe.Offsetof(i8.Block{}.Rows))
	blockFirst   = int(unsafe.Offsetof(i8.Block{}.First))
	blockTiles   = int(unsafe.Offsetof(i8.Block{}.Tiles))
	blockFinish  = int(unsafe.Offsetof(i8.Block{}.Finish))
	blockAhead   = int(unsafe.Offsetof(i8.Block{}.Ahead))
	blockNext    = int(unsafe.Offsetof(i8.Block{}.Prefetch))
	blockNextA   = blockNext - 24
	blockNextC   = blockNext - 16
	blockNextR   = blockNext - 8
)

// The tiles of a block.
const (
	tileSums = 0 // two by two
	tileA    = 4 // two
	tileB    = 6 // two
)

// A block is a product by blocks while it is written.
type block struct {
	product       string // the instruction that multiplies tiles
	rows, panels  int    // tiles of rows, and of columns
	t, prefetch   Register
	sums, scale   Register
	all           Register     // of a row of bytes, the columns that exist
	lanes         []Register   // the same of each panel
	acc           []VecVirtual // a row
	x, lo, hi     VecVirtual
	c, res, left  Register
	ldc, ldr, tmp Register
}

// blocks emits block{rows}x{nr}AMX(t *Block) of all sizes.
func blocks(product string) {
	for rows := 1; rows <= 2; rows++ {
		for panels := 1; panels <= i8.BlockPanels; panels++ {
			TEXT(fmt.Sprintf("block%dx%dAMX", 16*rows, 16*panels), NOSPLIT, "func(t *Block)")
			Pragma("noescape")
			b := &block{product: product, rows: rows, panels: panels, t: Load(Param("t"), GP64())}
			b.emit()
		}
	}
}

// field is a field of the argument.
func (b *block) field(offset int) Mem { return Mem{Base: b.t, Disp: offset} }

// emit writes the body.
func (b *block) emit() {
	for _, f := range [][2]int{{blockA, blockNextA}, {blockC, blockNextC}, {blockR, blockNextR}} {
		p := GP64()
		MOVQ(b.field(f[0]), p)
		MOVQ(p, b.field(f[1]))
	}
	tiles(configure, b.field(blockTiles))
	b.masks()
	Label("block")
	b.multiply()
	b.finish()
	Comment("The argument holds where the next block begins, as plain numbers: past the last one is no object.")
	MOVQ(b.c, b.field(blockNextC))
	MOVQ(b.res, b.field(blockNextR))
	MOVQ(b.prefetch, b.field(blockNext))
	a := GP64()
	MOVQ(b.field(blockRows), a)
	IMULQ(b.field(blockLDA), a)
	ADDQ(a, b.field(blockNextA))
	DECQ(b.field(blockLeft))
	JNZ(LabelRef("block"))
	tiles(release)
	VZEROUPPER()
	RET()
}

// masks emits the masks of the columns that exist.
func (b *block) masks() {
	columns, ones := GP64(), GP64()
	MOVQ(b.field(blockColumns), columns)
	MOVQ(I64(-1), ones)
	BZHIQ(columns, ones, ones)
	b.all = K()
	KMOVQ(ones, b.all)
	for j := range b.panels {
		k := K()
		KSHIFTRQ(Imm(uint64(16*j)), b.all, k)
		b.lanes = append(b.lanes, k)
	}
}

// multiply emits the sums of a block, which end in memory.
func (b *block) multiply() {
	bias, zero := GP64(), GP64()
	MOVQ(b.field(blockBias), bias)
	XORQ(zero, zero)
	for i := range b.rows {
		for j := range b.panels {
			tiles(load, Imm(uint64(tileSums+2*i+j)), Mem{Base: bias, Index: zero, Scale: 1, Disp: 64 * j})
		}
	}
	lda, line, chunk, ahead, lines, chunks := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	a, panels := []Register{GP64()}, []Register{GP64()}
	MOVQ(b.field(blockLDA), lda)
	MOVQ(b.field(blockNextA), a[0])
	MOVQ(b.field(blockB), panels[0])
	if b.rows == 2 {
		a = append(a, GP64())
		MOVQ(b.field(blockFirst), a[1])
		IMULQ(lda, a[1])
		ADDQ(a[0], a[1])
	}
	if b.panels == 2 {
		panels = append(panels, GP64())
		MOVQ(b.field(blockPanel), panels[1])
		ADDQ(panels[0], panels[1])
	}
	b.prefetch = GP64()
	MOVQ(U32(64), line)
	MOVQ(b.field(blockChunk), chunk)
	MOVQ(b.field(blockNext), b.prefetch)
	MOVQ(b.field(blockAhead), ahead)
	MOVQ(b.field(blockChunks), chunks)
	loop("chunk")
	for j, p := range panels {
		tiles(load, Imm(uint64(tileB+j)), Mem{Base: p, Index: line, Scale: 1})
	}
	for i, p := range a {
		tiles(load, Imm(uint64(tileA+i)), Mem{Base: p, Index: lda, Scale: 1})
		for j := range panels {
			tiles(b.product, Imm(uint64(tileSums+2*i+j)), Imm(uint64(tileA+i)), Imm(uint64(tileB+j)))
		}
	}
	MOVQ(ahead, lines)
	Label("ahead")
	PREFETCHT1(Mem{Base: b.prefetch})
	ADDQ(line, b.prefetch)
	DECQ(lines)
	JNZ(LabelRef("ahead"))
	for _, p := range a {
		ADDQ(chunk, p)
	}
	step := GP64()
	MOVQ(chunk, step)
	SHLQ(Imm(4), step)
	for _, p := range panels {
		ADDQ(step, p)
	}
	DECQ(chunks)
	JNZ(LabelRef("chunk"))
	b.sums = GP64()
	sums, stride := GP64(), GP64()
	MOVQ(b.field(blockSums), b.sums)
	MOVQ(b.sums, sums)
	MOVQ(U32(uint64(64*b.panels)), stride)
	for i := range b.rows {
		for j := range b.panels {
			tiles(store, Imm(uint64(tileSums+2*i+j)), Mem{Base: sums, Index: stride, Scale: 1, Disp: 64 * j})
		}
		if i+1 < b.rows {
			first := GP64()
			MOVQ(b.field(blockFirst), first)
			IMULQ(stride, first)
			ADDQ(first, sums)
		}
	}
}

// finish emits what becomes of the sums, a row after the other.
func (b *block) finish() {
	b.c, b.res, b.left, b.ldc, b.ldr, b.scale = GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(b.field(blockNextC), b.c)
	MOVQ(b.field(blockNextR), b.res)
	MOVQ(b.field(blockLDC), b.ldc)
	MOVQ(b.field(blockLDR), b.ldr)
	MOVQ(b.field(blockRows), b.left)
	b.acc, b.x = avx512.group(b.panels), ZMM()
	if b.product == productBytes {
		MOVQ(b.field(blockScale), b.scale)
		CMPL(b.field(blockFinish+finishOutFloats), Imm(0))
		JNE(LabelRef("floats"))
		b.bytes()
		JMP(LabelRef("next"))
		Label("floats")
	}
	b.floats()
	Label("next")
}

// row emits the loads of a row's sums, as float32 times the columns' scales.
func (b *block) row() {
	for j, acc := range b.acc {
		m := Mem{Base: b.sums, Disp: 64 * j}
		if b.product != productBytes {
			VMOVUPS(m, acc)
			continue
		}
		VCVTDQ2PS(m, acc)
		VMULPS(Mem{Base: b.scale, Disp: 64 * j}, acc, acc)
	}
	ADDQ(Imm(uint64(64*b.panels)), b.sums)
}

// eachRow emits the end of the loop over rows.
func (b *block) eachRow(label string) {
	ADDQ(b.ldc, b.c)
	DECQ(b.left)
	JNZ(LabelRef(label))
}

// bytes emits a row's residual, rounding and store in bytes.
func (b *block) bytes() {
	f := newFinish8(avx512, b.field(blockFinish), nil)
	f.bytes()
	Label("row")
	b.row()
	TESTQ(b.res, b.res)
	JZ(LabelRef("narrow"))
	for j, acc := range b.acc {
		VPMOVZXBD_Z(Mem{Base: b.res, Disp: 16 * j}, b.lanes[j], b.x)
		VPSUBD_BCST(b.field(blockFinish+finishResZero), b.x, b.x)
		VCVTDQ2PS(b.x, b.x)
		VMULPS_BCST(b.field(blockFinish+finishResScale), b.x, b.x)
		VADDPS(b.x, acc, acc)
	}
	ADDQ(b.ldr, b.res)
	Label("narrow")
	f.pack(b.acc)
	VMOVDQU8(b.acc[0], b.all, Mem{Base: b.c})
	b.eachRow("row")
}

// floats emits a row's residual, clamp and store in float32.
func (b *block) floats() {
	b.lo, b.hi = ZMM(), ZMM()
	VBROADCASTSS(b.field(blockFinish+finishLo), b.lo)
	VBROADCASTSS(b.field(blockFinish+finishHi), b.hi)
	Label("row_floats")
	b.row()
	TESTQ(b.res, b.res)
	JZ(LabelRef("clamp"))
	for j, acc := range b.acc {
		VMOVUPS_Z(Mem{Base: b.res, Disp: 64 * j}, b.lanes[j], b.x)
		VADDPS(b.x, acc, acc)
	}
	ADDQ(b.ldr, b.res)
	Label("clamp")
	for j, acc := range b.acc {
		clamp(acc, b.lo, b.hi)
		VMOVUPS(acc, b.lanes[j], Mem{Base: b.c, Disp: 64 * j})
	}
	b.eachRow("row_floats")
}

// The instructions of tiles, which the assembler does not know.
const (
	configure    = "LDTILECFG"   // the tiles' shapes from memory
	release      = "TILERELEASE" // no tile has a shape
	load         = "TILELOADD"   // tile = rows that begin at base + disp, index bytes apart
	store        = "TILESTORED"
	productBytes = "TDPBUSD"   // tile += tile of unsigned bytes · tile of signed ones
	productPairs = "TDPBF16PS" // the same of pairs of bf16 numbers, to float32
)

// tiles emits an instruction of tiles.
func tiles(opcode string, operands ...Op) {
	Instruction(&ir.Instruction{Opcode: opcode, Operands: operands, Inputs: operands})
}

// tileCodes are, for each instruction, the prefix's last byte without a third operand, and the opcode.
var tileCodes = map[string][2]byte{
	configure: {0x78, 0x49}, release: {0x78, 0x49}, load: {0x7b, 0x4b}, store: {0x7a, 0x4b}, productBytes: {0x79, 0x5e},
	productPairs: {0x7a, 0x5c},
}

// encodeTiles is an instruction of tiles in bytes: a prefix of VEX of three bytes, map 0F38 and W0, the opcode, and the operands.
func encodeTiles(i *ir.Instruction) ([]byte, error) {
	code := tileCodes[i.Opcode]
	prefix := []byte{0xc4, 0xe2, code[0], code[1]}
	tile := func(n int) byte { return byte(i.Operands[n].(U8)) }
	switch i.Opcode {
	case release:
		return append(prefix, 0xc0), nil
	case productBytes, productPairs:
		prefix[2] ^= tile(2) << 3
		return append(prefix, 0xc0|tile(0)<<3|tile(1)), nil
	}
	register := byte(0)
	m := i.Operands[0]
	if i.Opcode != configure {
		register, m = tile(0), i.Operands[1]
	}
	return memoryOperand(prefix, register, m.(Mem))
}

// memoryOperand adds an operand of a register and memory to an instruction with a prefix of VEX of three bytes.
func memoryOperand(b []byte, register byte, m Mem) ([]byte, error) {
	number := func(r Register) (byte, error) {
		p, ok := r.(GPPhysical)
		if !ok {
			return 0, fmt.Errorf("%v is no register", r)
		}
		return map[string]byte{
			"AX": 0, "CX": 1, "DX": 2, "BX": 3, "SP": 4, "BP": 5, "SI": 6, "DI": 7, "R8": 8, "R9": 9, "R10": 10, "R11": 11, "R12": 12,
			"R13": 13, "R14": 14, "R15": 15,
		}[p.Asm()], nil
	}
	base, err := number(m.Base)
	if err != nil {
		return nil, err
	}
	index := byte(4) // none
	if m.Index != nil {
		if index, err = number(m.Index); err != nil {
			return nil, err
		}
	}
	if m.Index != nil {
		b[1] ^= index >> 3 << 6
	}
	b[1] ^= base >> 3 << 5
	return append(b, 2<<6|register<<3|4, index&7<<3|base&7, byte(m.Disp), byte(m.Disp>>8), byte(m.Disp>>16), byte(m.Disp>>24)), nil
}

package main

import (
	"fmt"
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/i8"
)

// The matrix tile of bytes is float32's with four bytes for a number: VPDPBUSD multiplies four unsigned bytes of a, broadcast,
// by four signed bytes of each column of b, and adds the four products to the column's sum. What differs is the end, where a
// row of sums becomes bytes (finish8) and is stored at once.
var i8Tile = tileFields{
	a: int(unsafe.Offsetof(i8.Tile{}.A)), b: int(unsafe.Offsetof(i8.Tile{}.B)), c: int(unsafe.Offsetof(i8.Tile{}.C)),
	r: int(unsafe.Offsetof(i8.Tile{}.R)), bias: int(unsafe.Offsetof(i8.Tile{}.Bias)), taps: int(unsafe.Offsetof(i8.Tile{}.Taps)),
	k: int(unsafe.Offsetof(i8.Tile{}.K)), offset: int(unsafe.Offsetof(i8.Tile{}.Offset)), ldc: int(unsafe.Offsetof(i8.Tile{}.LDC)),
	ldr: int(unsafe.Offsetof(i8.Tile{}.LDR)), left: int(unsafe.Offsetof(i8.Tile{}.TilesLeft)), step: int(unsafe.Offsetof(i8.Tile{}.Step)),
	prefetch: int(unsafe.Offsetof(i8.Tile{}.Prefetch)), panel: int(unsafe.Offsetof(i8.Tile{}.Panel)),
	ahead: int(unsafe.Offsetof(i8.Tile{}.Ahead)), move: int(unsafe.Offsetof(i8.Tile{}.Move)),
	nextA: tile8Own, nextC: tile8Own + 8, nextR: tile8Own + 16,
}

// The other fields of i8.Tile.
const (
	tile8Scale   = int(unsafe.Offsetof(i8.Tile{}.Scale))
	tile8Columns = int(unsafe.Offsetof(i8.Tile{}.Columns))
	tile8Finish  = int(unsafe.Offsetof(i8.Tile{}.Finish))
	tile8Own     = int(unsafe.Offsetof(i8.Tile{}.Prefetch)) - 24
)

// gemm8Tile emits gemm{mr}x{nr}VNNI(t *Tile).
func gemm8Tile(mr, nr int) {
	TEXT(fmt.Sprintf("gemm%dx%dVNNI", mr, nr), NOSPLIT, "func(t *Tile)")
	Pragma("noescape")
	g := &gemm8{gemm: gemm{isa: avx512, at: &i8Tile, mr: mr, nr: nr, bytes: true, t: Load(Param("t"), GP64())}}
	g.emit(g.finish)
}

// emit writes the body, with what becomes of the sums.
func (g *gemm8) emit(finish func()) {
	g.firstTile()
	g.registers()
	Label("tile")
	Comment("Start the sums from the bias.")
	MOVQ(g.field(g.at.bias), g.tmp)
	g.fromBias()
	Comment("For each tap: load the rows' addresses, then run along k.")
	g.multiply()
	Comment("Finish: scale, residual, clamp, store.")
	finish()
	Label("tile_next")
	Comment("The argument holds where the next tile begins, as plain numbers: past the last one is no object.")
	g.nextTile()
	VZEROUPPER()
	RET()
}

// A gemm8 is a matrix microkernel of bytes while it is written.
type gemm8 struct {
	gemm
	lanes []Register // of each panel, the columns that exist
	all   Register   // the same of a row of bytes
	res   Register   // the row of the residual
}

// scale emits sums as float32, times the columns' scales.
func (g *gemm8) scale() {
	MOVQ(g.field(tile8Scale), g.tmp)
	for _, row := range g.acc {
		for j, acc := range row {
			VCVTDQ2PS(acc, acc)
			VMULPS(g.column(g.tmp, j), acc, acc)
		}
	}
}

// finish emits what becomes of the sums.
func (g *gemm8) finish() {
	g.c, g.res = GP64(), GP64()
	g.masks()
	g.scale()
	MOVQ(g.field(g.at.nextC), g.c)
	MOVQ(g.field(g.at.ldc), g.ldc)
	MOVQ(g.field(g.at.nextR), g.res)
	CMPL(g.field(tile8Finish+finishOutFloats), Imm(0))
	JNE(LabelRef("floats"))
	TESTQ(g.res, g.res)
	JZ(LabelRef("narrow"))
	g.addBytes()
	Label("narrow")
	g.narrow()
	Label("floats")
	g.floats()
}

// masks emits the masks of the columns that exist.
func (g *gemm8) masks() {
	columns, ones := GP64(), GP64()
	MOVQ(g.field(tile8Columns), columns)
	MOVQ(I64(-1), ones)
	BZHIQ(columns, ones, ones)
	g.all = K()
	KMOVQ(ones, g.all)
	for j := range g.b {
		k := K()
		if j == 0 {
			KMOVW(ones.As32(), k)
		} else {
			KSHIFTRQ(Imm(uint64(16*j)), g.all, k)
		}
		g.lanes = append(g.lanes, k)
	}
}

// addBytes emits the addition of the residual.
func (g *gemm8) addBytes() {
	ldr := GP64()
	MOVQ(g.field(g.at.ldr), ldr)
	for _, row := range g.acc {
		for j, acc := range row {
			x := g.spare[j%2]
			VPMOVZXBD_Z(Mem{Base: g.res, Disp: 16 * j}, g.lanes[j], x)
			VPSUBD_BCST(g.field(tile8Finish+finishResZero), x, x)
			VCVTDQ2PS(x, x)
			VMULPS_BCST(g.field(tile8Finish+finishResScale), x, x)
			VADDPS(x, acc, acc)
		}
		ADDQ(ldr, g.res)
	}
	MOVQ(g.res, g.field(g.at.nextR))
}

// narrow emits the rounding and the stores of bytes.
func (g *gemm8) narrow() {
	f := newFinish8(avx512, g.field(tile8Finish), g.spare[0])
	f.bytes()
	for _, row := range g.acc {
		f.pack(row)
	}
	CMPQ(g.field(tile8Columns), Imm(uint64(g.nr)))
	JNE(LabelRef("store_masked"))
	for _, row := range g.acc {
		g.storeBytes(row[0])
		ADDQ(g.ldc, g.c)
	}
	JMP(LabelRef("tile_next"))
	Label("store_masked")
	for _, row := range g.acc {
		VMOVDQU8(row[0], g.all, Mem{Base: g.c})
		ADDQ(g.ldc, g.c)
	}
	JMP(LabelRef("tile_next"))
}

// storeBytes emits the store of all columns of a row.
func (g *gemm8) storeBytes(x VecVirtual) {
	to := Mem{Base: g.c}
	switch g.nr {
	case 16:
		VMOVDQU(x.AsX(), to)
	case 32:
		VMOVDQU(x.AsY(), to)
	case 48:
		VMOVDQU(x.AsY(), to)
		VEXTRACTI32X4(Imm(2), x, to.Offset(32))
	case 64:
		VMOVDQU64(x, to)
	}
}

// floats emits the residual, the clamp and the stores of float32.
func (g *gemm8) floats() {
	lo, hi, ldr := g.spare[0], g.spare[1], GP64()
	TESTQ(g.res, g.res)
	JZ(LabelRef("clamp"))
	MOVQ(g.field(g.at.ldr), ldr)
	for _, row := range g.acc {
		for j, acc := range row {
			VMOVUPS_Z(g.column(g.res, j), g.lanes[j], lo)
			VADDPS(lo, acc, acc)
		}
		ADDQ(ldr, g.res)
	}
	MOVQ(g.res, g.field(g.at.nextR))
	Label("clamp")
	VBROADCASTSS(g.field(tile8Finish+finishLo), lo)
	VBROADCASTSS(g.field(tile8Finish+finishHi), hi)
	for _, row := range g.acc {
		for j, acc := range row {
			clamp(acc, lo, hi)
			VMOVUPS(acc, g.lanes[j], g.column(g.c, j))
		}
		ADDQ(g.ldc, g.c)
	}
}

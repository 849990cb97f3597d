package main

import (
	"fmt"
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/f32"
)

// The matrix tile: mr rows by nr columns of output held in registers.
//
//	        b: one k ->  [ b0 (8) | b1 (8) ]
//	a row 0: broadcast   acc[0][0] acc[0][1]
//	a row 1: broadcast   acc[1][0] acc[1][1]
//	   ...                  ...       ...
//	a row 5: broadcast   acc[5][0] acc[5][1]
//
// 6×16 takes 12 accumulators, 2 registers for b and 2 for broadcasts: all sixteen. Each k costs 12 multiply-adds
// (6 cycles at two a cycle) against 8 loads (4 cycles at two a cycle), so the multipliers are the limit.
//
// With AVX-512 a row is one vector, and a multiply-add broadcasts its element of a from memory itself: 7 instructions a
// k where AVX2 takes 20. Zen 4 starts one such multiply-add a cycle, and 6 chains cover its latency of 4. A core that
// starts two (Intel's servers, Zen 5) wants 8 or more: its tiles are two to four panels wide, 12 to 24 chains.
//
//	                 b: one k of four panels ->  [ b0 (16) | b1 (16) | b2 (16) | b3 (16) ]
//	a row 0: one broadcast into a register       acc[0][0] acc[0][1] acc[0][2] acc[0][3]
//	   ...                                          ...
//
// The panels lie a fixed distance apart, each packed as for a tile of its own. A multiply-add that broadcasts from
// memory would load a once a panel, and two loads a cycle are the limit: 6×64 takes 24 multiply-adds (12 cycles) and 10
// loads a k. Every output is the same chain of multiply-adds as with AVX2, to the bit.
//
// tileFields are the byte offsets of the fields of an argument.
type tileFields struct {
	a, b, c, r, bias, taps, k, offset, ldc, ldr, left, step, prefetch, panel, ahead, move int

	nextA, nextC, nextR int // the assembly's own
}

var f32Tile = tileFields{
	a: int(unsafe.Offsetof(f32.Tile{}.A)), b: int(unsafe.Offsetof(f32.Tile{}.B)), c: int(unsafe.Offsetof(f32.Tile{}.C)),
	r: int(unsafe.Offsetof(f32.Tile{}.R)), bias: int(unsafe.Offsetof(f32.Tile{}.Bias)), taps: int(unsafe.Offsetof(f32.Tile{}.Taps)),
	k: int(unsafe.Offsetof(f32.Tile{}.K)), offset: int(unsafe.Offsetof(f32.Tile{}.Offset)), ldc: int(unsafe.Offsetof(f32.Tile{}.LDC)),
	ldr: int(unsafe.Offsetof(f32.Tile{}.LDR)), left: int(unsafe.Offsetof(f32.Tile{}.TilesLeft)), step: int(unsafe.Offsetof(f32.Tile{}.Step)),
	prefetch: int(unsafe.Offsetof(f32.Tile{}.Prefetch)), panel: int(unsafe.Offsetof(f32.Tile{}.Panel)),
	ahead: int(unsafe.Offsetof(f32.Tile{}.Ahead)), move: int(unsafe.Offsetof(f32.Tile{}.Move)),
	nextA: tileOwn, nextC: tileOwn + 8, nextR: tileOwn + 16,
}

// The other fields of f32.Tile.
const (
	tileMask  = int(unsafe.Offsetof(f32.Tile{}.Mask))
	tileFlags = int(unsafe.Offsetof(f32.Tile{}.Flags))
	tileLo    = int(unsafe.Offsetof(f32.Tile{}.Lo)) // two float32
	tileOwn   = int(unsafe.Offsetof(f32.Tile{}.Prefetch)) - 24
)

const (
	flagLoad  = 1 // add to what c has, and no bias
	flagFinal = 2 // residual and clamp before the store
)

// panelColumns is the width of a panel of b.
const panelColumns = 16

// kUnroll is how many steps of k one pass of the inner loop takes.
const kUnroll = 4

// A gemm is a matrix microkernel while it is written: mr rows by nr columns.
type gemm struct {
	isa    *isa
	at     *tileFields
	pairs  pairs // of what an element of four bytes is
	mr, nr int
	bytes  bool // a step of k is four bytes by four, not a number by a number
	dots   bool // AVX2 has AVX-VNNI's dot products of bytes

	acc   [][]VecVirtual // the output: mr rows of nr/lanes vectors
	b     []VecVirtual   // one k of b; in the end the mask of columns
	spare [2]VecVirtual  // elements of a, broadcast; in the end what is added, and the clamp

	t, tmp           Register
	ahead            Register // what to prefetch
	panel, panels3   Register // from one panel of b to the next, and three times as far; in a tile of several panels
	flags, mask, ldc Register // the argument's, in the end
	c                Register // the row of output to store, in the end
}

// gemmTile emits gemm{mr}x{nr}{ISA}(t *Tile) for elements of that kind.
func gemmTile(v *isa, of pairs, mr, nr int) {
	TEXT(fmt.Sprintf("gemm%dx%d%s%s", mr, nr, v.suffix, of.suffix()), NOSPLIT, "func(t *Tile)")
	Pragma("noescape")
	g := &gemm{isa: v, at: &f32Tile, pairs: of, mr: mr, nr: nr, t: Load(Param("t"), GP64())}
	g.firstTile()
	g.registers()
	Label("tile")
	Comment("Start the accumulators: from the bias, or at zero.")
	g.start()
	Label("multiply")
	Comment("For each tap: load the rows' addresses, then run along k.")
	g.multiply()
	Comment("Finish: what c has so far, residual, clamp, store.")
	g.addOutput()
	Label("residual")
	g.addResidual()
	Label("clamp")
	g.clamp()
	Label("store")
	g.store()
	Label("tile_next")
	Comment("The argument holds where the next tile begins, as plain numbers: past the last one is no object.")
	g.nextTile()
	VZEROUPPER()
	RET()
}

// wide reports whether the tile takes several panels of b.
func (g *gemm) wide() bool { return g.nr > panelColumns }

// field is a field of the argument.
func (g *gemm) field(offset int) Mem { return Mem{Base: g.t, Disp: offset} }

// column is where vector j of a row that begins at base is.
func (g *gemm) column(base Register, j int) Mem { return Mem{Base: base, Disp: g.isa.bytes() * j} }

// right is where vector j of b's u-th k from b on is.
func (g *gemm) right(b Register, j, u int) Mem {
	if !g.wide() {
		return Mem{Base: b, Disp: 4*g.nr*u + g.isa.bytes()*j}
	}
	m := Mem{Base: b, Disp: 4 * panelColumns * u}
	switch j {
	case 1, 2:
		m.Index, m.Scale = g.panel, uint8(j)
	case 3:
		m.Index, m.Scale = g.panels3, 1
	}
	return m
}

// firstTile emits copies of the first tile's addresses, to the fields of the argument that move on with the tiles.
func (g *gemm) firstTile() {
	for _, f := range [][2]int{{g.at.a, g.at.nextA}, {g.at.c, g.at.nextC}, {g.at.r, g.at.nextR}} {
		p := GP64()
		MOVQ(g.field(f[0]), p)
		MOVQ(p, g.field(f[1]))
	}
}

// registers takes the registers that more than one part uses.
func (g *gemm) registers() {
	vecs := g.nr / g.isa.lanes
	for range g.mr {
		g.acc = append(g.acc, g.isa.group(vecs))
	}
	g.b = g.isa.group(vecs)
	g.spare = [2]VecVirtual{g.isa.vec(), g.isa.vec()}
	g.tmp, g.ldc = GP64(), GP64()
}

// start emits the accumulators' first values.
func (g *gemm) start() {
	MOVQ(g.field(tileFlags), g.tmp)
	TESTQ(U32(flagLoad), g.tmp)
	JNZ(LabelRef("start_zero"))
	MOVQ(g.field(g.at.bias), g.tmp)
	TESTQ(g.tmp, g.tmp)
	JZ(LabelRef("start_zero"))
	g.fromBias()
	JMP(LabelRef("multiply"))
	Label("start_zero")
	for _, row := range g.acc {
		for _, x := range row {
			g.isa.zero(x)
		}
	}
}

// fromBias emits the accumulators' first values from the bias at tmp.
func (g *gemm) fromBias() {
	for j, first := range g.acc[0] {
		VMOVUPS(g.column(g.tmp, j), first)
		for i := 1; i < g.mr; i++ {
			VMOVAPS(first, g.acc[i][j])
		}
	}
}

// multiply emits the loop over taps, and in it the loop over k: kUnroll steps at a time, then one by one.
func (g *gemm) multiply() {
	b, taps, row := GP64(), GP64(), GP64()
	g.ahead = GP64()
	MOVQ(g.field(g.at.b), b)
	MOVQ(g.field(g.at.prefetch), g.ahead)
	MOVQ(g.field(g.at.taps), taps)
	MOVQ(g.field(g.at.nextA), row)
	if g.wide() {
		g.panel = GP64()
		MOVQ(g.field(g.at.panel), g.panel)
	}
	if g.nr > 3*panelColumns {
		g.panels3 = GP64()
		LEAQ(Mem{Base: g.panel, Index: g.panel, Scale: 2}, g.panels3)
	}
	a := make([]Register, g.mr)
	for i := range a {
		a[i] = GP64()
	}
	Label("tap")
	k, end := GP64(), GP64() // in bytes
	MOVQ(g.field(g.at.offset), k)
	MOVQ(g.field(g.at.k), end)
	if !g.bytes {
		SHLQ(Imm(2), end)
	}
	for i := range a {
		MOVQ(Mem{Base: row, Disp: 8 * i}, a[i])
	}
	for i := range a {
		ADDQ(k, a[i])
	}
	XORQ(k, k)
	SUBQ(Imm(4*(kUnroll-1)), end)
	JLE(LabelRef("k_tail"))
	loop("k_loop")
	if !g.wide() {
		PREFETCHT1(Mem{Base: g.ahead})
		ADDQ(Imm(64), g.ahead)
	}
	for u := range kUnroll {
		g.step(a, k, b, u)
	}
	ADDQ(Imm(4*kUnroll), k)
	ADDQ(U32(uint64(4*min(g.nr, panelColumns)*kUnroll)), b)
	CMPQ(k, end)
	JLT(LabelRef("k_loop"))
	Label("k_tail")
	ADDQ(Imm(4*(kUnroll-1)), end)
	CMPQ(k, end)
	JGE(LabelRef("tap_next"))
	Label("k_one")
	g.step(a, k, b, 0)
	ADDQ(Imm(4), k)
	ADDQ(Imm(uint64(4*min(g.nr, panelColumns))), b)
	CMPQ(k, end)
	JLT(LabelRef("k_one"))
	Label("tap_next")
	ADDQ(Imm(8*f32.MR), row)
	DECQ(taps)
	JNZ(LabelRef("tap"))
}

// step emits the multiply-adds of the u-th k from here on: elements k bytes behind the addresses a, by the row at b.
func (g *gemm) step(a []Register, k, b Register, u int) {
	if g.wide() {
		g.prefetch()
	}
	if g.bytes && g.isa == avx2 && !g.dots {
		g.widenedBytes(a, k, b, u)
		return
	}
	switch g.pairs {
	case widened:
		g.stepWidened(a, k, b, u)
		return
	case dotted:
		g.stepDotted(a, k, b, u)
		return
	}
	for j, x := range g.b {
		VMOVUPS(g.right(b, j, u), x)
	}
	for i, row := range g.acc {
		element := Mem{Base: a[i], Index: k, Scale: 1, Disp: 4 * u}
		if g.isa == avx512 && !g.wide() && !g.bytes {
			VFMADD231PS_BCST(element, g.b[0], row[0])
			continue
		}
		x := g.spare[i%2]
		if g.bytes {
			VPBROADCASTD(element, x)
		} else {
			VBROADCASTSS(element, x)
		}
		for j, acc := range row {
			switch {
			case g.dots:
				dotBytes(g.b[j], x, acc)
			case g.bytes:
				VPDPBUSD(g.b[j], x, acc)
			default:
				VFMADD231PS(g.b[j], x, acc)
			}
		}
	}
}

// prefetch emits what a step of k of several panels brings into L2: the line that Prefetch is at, which moves on by
// Ahead. Tiles of up to four rows are alone in their layer or two, and bring as many lines as they read; others are three
// at the least, or five or six rows alone, which take long enough over what they read.
func (g *gemm) prefetch() {
	lines := 2
	if g.mr <= 4 {
		lines = g.nr / panelColumns
	}
	for i := range lines {
		PREFETCHT1(Mem{Base: g.ahead, Disp: 64 * i})
	}
	ADDQ(g.field(g.at.ahead), g.ahead)
}

// addOutput emits, with Load, the addition of what c has.
func (g *gemm) addOutput() {
	g.flags, g.mask = GP64(), GP64()
	c := GP64()
	MOVQ(g.field(tileFlags), g.flags)
	MOVQ(g.field(tileMask), g.mask)
	MOVQ(g.field(g.at.ldc), g.ldc)
	TESTQ(U32(flagLoad), g.flags)
	JZ(LabelRef("residual"))
	MOVQ(g.field(g.at.nextC), c)
	g.add(c, g.ldc, g.mr-1, "add_masked", "residual")
}

// addResidual emits, with Final, the addition of the residual, if there is one; without Final it goes on to the store.
func (g *gemm) addResidual() {
	TESTQ(U32(flagFinal), g.flags)
	JZ(LabelRef("store"))
	r, ldr := GP64(), GP64()
	MOVQ(g.field(g.at.nextR), r)
	TESTQ(r, r)
	JZ(LabelRef("clamp"))
	MOVQ(g.field(g.at.ldr), ldr)
	g.add(r, ldr, g.mr, "residual_masked", "residual_done")
	Label("residual_done")
	MOVQ(r, g.field(g.at.nextR))
}

// add emits the addition of mr rows from at on, stride bytes apart, and moves at by steps of them. With a mask it takes
// the branch masked; both end at done.
func (g *gemm) add(at, stride Register, steps int, masked, done string) {
	TESTQ(g.mask, g.mask)
	JNZ(LabelRef(masked))
	for i, row := range g.acc {
		for j, acc := range row {
			VADDPS(g.column(at, j), acc, acc)
		}
		if i < steps {
			ADDQ(stride, at)
		}
	}
	JMP(LabelRef(done))
	Label(masked)
	lanes := g.lanes()
	for i, row := range g.acc {
		for j, acc := range row {
			x := g.spare[j%2]
			g.isa.load(g.column(at, j), x, lanes[j])
			VADDPS(x, acc, acc)
		}
		if i < steps {
			ADDQ(stride, at)
		}
	}
}

// lanes emits the loads of the mask of columns and is, for each vector of a row, what masks it.
func (g *gemm) lanes() (lanes []Register) {
	for j, x := range g.b {
		VMOVUPS(g.column(g.mask, j), x)
		if g.isa == avx512 {
			k := K()
			VPMOVD2M(x, k)
			lanes = append(lanes, k)
		} else {
			lanes = append(lanes, x)
		}
	}
	return lanes
}

// clamp emits the clamp to [Lo, Hi].
func (g *gemm) clamp() {
	lo, hi := g.spare[0], g.spare[1]
	VBROADCASTSS(g.field(tileLo), lo)
	VBROADCASTSS(g.field(tileLo+4), hi)
	for _, row := range g.acc {
		for _, acc := range row {
			clamp(acc, lo, hi)
		}
	}
}

// store emits the stores of all rows; c ends at the next tile's.
func (g *gemm) store() {
	g.c = GP64()
	MOVQ(g.field(g.at.nextC), g.c)
	TESTQ(g.mask, g.mask)
	JNZ(LabelRef("store_masked"))
	for _, row := range g.acc {
		for j, acc := range row {
			VMOVUPS(acc, g.column(g.c, j))
		}
		ADDQ(g.ldc, g.c)
	}
	JMP(LabelRef("tile_next"))
	Label("store_masked")
	lanes := g.lanes()
	for _, row := range g.acc {
		for j, acc := range row {
			g.isa.store(acc, g.column(g.c, j), lanes[j])
		}
		ADDQ(g.ldc, g.c)
	}
}

// nextTile emits where the next tile begins, and the jump to it unless none is left.
func (g *gemm) nextTile() {
	MOVQ(g.c, g.field(g.at.nextC))
	MOVQ(g.ahead, g.field(g.at.prefetch))
	MOVQ(g.field(g.at.step), g.tmp)
	ADDQ(g.tmp, g.field(g.at.nextA))
	MOVQ(g.field(g.at.move), g.tmp)
	ADDQ(g.tmp, g.field(g.at.offset))
	DECQ(g.field(g.at.left))
	JNZ(LabelRef("tile"))
}

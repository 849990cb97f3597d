package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
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
// With AVX-512 a row is one vector, and a multiply-add broadcasts its element of a from memory itself: 7 instructions a k
// where AVX2 takes 20. Zen 4 starts one such multiply-add a cycle, and 6 chains cover its latency of 4; a core that starts
// two (Intel's servers) would want 8 or more, so two tiles side by side. Every output is the same chain of multiply-adds
// as with AVX2, to the bit.
//
// Byte offsets of the fields of f32.Tile; TestLayouts holds them equal to the Go struct's.
const (
	tileA = 8 * iota
	tileB
	tileC
	tileR
	tileBias
	tileMask
	tileTaps
	tileK
	tileOffset
	tileLDC
	tileLDR
	tileTiles
	tileStep
	tileFlags
	tileLo // two float32
	tileNextA
	tileNextC
	tileNextR
	tilePrefetch
)

const (
	flagLoad  = 1 // add to what c has, and no bias
	flagFinal = 2 // residual and clamp before the store
)

// kUnroll is how many steps of k one pass of the inner loop takes.
const kUnroll = 4

// gemmTile emits gemm{mr}x{nr}{ISA}(t *Tile).
func gemmTile(v *isa, mr, nr int) {
	vecs := nr / v.lanes
	TEXT(fmt.Sprintf("gemm%dx%d%s", mr, nr, v.suffix), NOSPLIT, "func(t *Tile)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	field := func(off int) Mem { return Mem{Base: t, Disp: off} }
	for _, f := range [][2]int{{tileA, tileNextA}, {tileC, tileNextC}, {tileR, tileNextR}} {
		p := GP64()
		MOVQ(field(f[0]), p)
		MOVQ(p, field(f[1]))
	}

	acc := make([][]VecVirtual, mr)
	for i := range acc {
		for range vecs {
			acc[i] = append(acc[i], v.vec())
		}
	}
	b := []VecVirtual{v.vec(), v.vec()}[:vecs]
	bcast := []VecVirtual{v.vec(), v.vec()}

	Label("tile")
	Comment("Start the accumulators: from the bias, or at zero.")
	tmp, ldc := GP64(), GP64()
	MOVQ(field(tileFlags), tmp)
	TESTQ(U32(flagLoad), tmp)
	JNZ(LabelRef("start_zero"))
	MOVQ(field(tileBias), tmp)
	TESTQ(tmp, tmp)
	JZ(LabelRef("start_zero"))
	for j := range vecs {
		VMOVUPS(Mem{Base: tmp, Disp: v.bytes() * j}, acc[0][j])
		for i := 1; i < mr; i++ {
			VMOVAPS(acc[0][j], acc[i][j])
		}
	}
	JMP(LabelRef("multiply"))
	Label("start_zero")
	for i := range mr {
		for j := range vecs {
			v.zero(acc[i][j])
		}
	}

	Label("multiply")
	Comment("For each tap: load the rows' addresses, then run along k.")
	bp, taps, row, ahead := GP64(), GP64(), GP64(), GP64()
	MOVQ(field(tileB), bp)
	MOVQ(field(tilePrefetch), ahead)
	MOVQ(field(tileTaps), taps)
	MOVQ(field(tileNextA), row)
	a := make([]GPVirtual, mr)
	for i := range a {
		a[i] = GP64()
	}
	Label("tap")
	k, kend := GP64(), GP64()
	MOVQ(field(tileOffset), k)
	MOVQ(field(tileK), kend)
	SHLQ(Imm(2), kend)
	for i := range mr {
		MOVQ(Mem{Base: row, Disp: 8 * i}, a[i])
	}
	for i := range mr {
		ADDQ(k, a[i])
	}
	XORQ(k, k)
	SUBQ(Imm(4*(kUnroll-1)), kend)
	JLE(LabelRef("k_tail"))

	step := func(u int) {
		for j := range vecs {
			VMOVUPS(Mem{Base: bp, Disp: 4*nr*u + v.bytes()*j}, b[j])
		}
		for i := range mr {
			element := Mem{Base: a[i], Index: k, Scale: 1, Disp: 4 * u}
			if v == avx512 {
				VFMADD231PS_BCST(element, b[0], acc[i][0])
				continue
			}
			x := bcast[i%2]
			VBROADCASTSS(element, x)
			for j := range vecs {
				VFMADD231PS(b[j], x, acc[i][j])
			}
		}
	}
	Label("k_loop")
	PREFETCHT1(Mem{Base: ahead})
	ADDQ(Imm(64), ahead)
	for u := range kUnroll {
		step(u)
	}
	ADDQ(Imm(4*kUnroll), k)
	ADDQ(U32(4*nr*kUnroll), bp)
	CMPQ(k, kend)
	JLT(LabelRef("k_loop"))
	Label("k_tail")
	ADDQ(Imm(4*(kUnroll-1)), kend)
	CMPQ(k, kend)
	JGE(LabelRef("tap_next"))
	Label("k_one")
	step(0)
	ADDQ(Imm(4), k)
	ADDQ(Imm(uint64(4*nr)), bp)
	CMPQ(k, kend)
	JLT(LabelRef("k_one"))
	Label("tap_next")
	ADDQ(Imm(8*6), row)
	DECQ(taps)
	JNZ(LabelRef("tap"))

	Comment("Finish: what c has so far, residual, clamp, store.")
	flags, mask, rows := GP64(), GP64(), GP64()
	MOVQ(field(tileFlags), flags)
	MOVQ(field(tileMask), mask)
	// columns emits the loads of the mask of columns.
	columns := func() (lanes []Register) {
		for j := range vecs {
			VMOVUPS(Mem{Base: mask, Disp: v.bytes() * j}, b[j])
			if v == avx512 {
				k := K()
				VPMOVD2M(b[j], k)
				lanes = append(lanes, k)
			} else {
				lanes = append(lanes, b[j])
			}
		}
		return lanes
	}
	// add emits the addition of mr rows from at on, stride apart, moving at on by steps of them; it ends at done.
	add := func(masked, done string, at, stride GPVirtual, steps int) {
		TESTQ(mask, mask)
		JNZ(LabelRef(masked))
		for i := range mr {
			for j := range vecs {
				VADDPS(Mem{Base: at, Disp: v.bytes() * j}, acc[i][j], acc[i][j])
			}
			if i < steps {
				ADDQ(stride, at)
			}
		}
		JMP(LabelRef(done))
		Label(masked)
		lanes := columns()
		for i := range mr {
			for j := range vecs {
				v.load(Mem{Base: at, Disp: v.bytes() * j}, bcast[j], lanes[j])
				VADDPS(bcast[j], acc[i][j], acc[i][j])
			}
			if i < steps {
				ADDQ(stride, at)
			}
		}
	}
	MOVQ(field(tileLDC), ldc)
	TESTQ(U32(flagLoad), flags)
	JZ(LabelRef("residual"))
	MOVQ(field(tileNextC), rows)
	add("add_masked", "residual", rows, ldc, mr-1)
	Label("residual")
	TESTQ(U32(flagFinal), flags)
	JZ(LabelRef("store"))
	r := GP64()
	MOVQ(field(tileNextR), r)
	TESTQ(r, r)
	JZ(LabelRef("clamp"))
	ldr := GP64()
	MOVQ(field(tileLDR), ldr)
	add("residual_masked", "residual_done", r, ldr, mr)
	Label("residual_done")
	MOVQ(r, field(tileNextR))
	Label("clamp")
	VBROADCASTSS(field(tileLo), bcast[0])
	VBROADCASTSS(field(tileLo+4), bcast[1])
	for i := range mr {
		for j := range vecs {
			// The accumulator comes second, so that a NaN survives.
			VMAXPS(acc[i][j], bcast[0], acc[i][j])
			VMINPS(acc[i][j], bcast[1], acc[i][j])
		}
	}
	Label("store")
	c := GP64()
	MOVQ(field(tileNextC), c)
	TESTQ(mask, mask)
	JNZ(LabelRef("store_masked"))
	for i := range mr {
		for j := range vecs {
			VMOVUPS(acc[i][j], Mem{Base: c, Disp: v.bytes() * j})
		}
		ADDQ(ldc, c)
	}
	JMP(LabelRef("tile_next"))
	Label("store_masked")
	lanes := columns()
	for i := range mr {
		for j := range vecs {
			v.store(acc[i][j], Mem{Base: c, Disp: v.bytes() * j}, lanes[j])
		}
		ADDQ(ldc, c)
	}
	Label("tile_next")
	Comment("The argument holds where the next tile begins, as plain numbers: past the last one is no object.")
	MOVQ(c, field(tileNextC))
	MOVQ(ahead, field(tilePrefetch))
	MOVQ(field(tileStep), tmp)
	ADDQ(tmp, field(tileNextA))
	DECQ(field(tileTiles))
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// Command asm writes the assembly of kernels/internal/f32, i8 and bf16: "go run . -package f32 -op gemm -isa avx2 -out FILE". Each
// operation and ISA is one file; the stubs, with the loop that each computes, are written by hand beside it.
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"

	_ "zoobench/kernels/internal/bf16" // the argument types, which avo looks up
	"zoobench/kernels/internal/f32"    // and these
	"zoobench/kernels/internal/i8"
)

func main() {
	pkg := flag.String("package", "f32", "of which package: f32, i8 or bf16")
	op := flag.String("op", "", "what to write")
	set := flag.String("isa", "avx2", "for what: avx2, avx512, vnni or amx")
	// avo's own flags (-out) are registered on the same set and parsed here.
	flag.Parse()
	v := avx2
	if *set != "avx2" {
		v = avx512
	}
	ops := map[string]map[string]func(*isa){"f32": float32Ops, "i8": byteOps, "bf16": pairOps}[*pkg]
	write := ops[*op]
	if write == nil {
		fmt.Fprintf(os.Stderr, "asm: package %s, -op %q, want one of %v\n", *pkg, *op, slices.Sorted(maps.Keys(ops)))
		os.Exit(1)
	}
	Package("zoobench/kernels/internal/" + *pkg)
	ConstraintExpr("!purego")
	pass.Compile = pass.Concat(pass.Compile, pass.InstructionPass(encode), pass.InstructionPass(encodeVEX))
	write(v)
	Generate()
}

// float32Ops are the operations of package f32.
var float32Ops = map[string]func(*isa){
	"gemm": func(v *isa) { gemmTiles(v, floats) },
	"dwconv": func(*isa) {
		for _, op := range []string{"dwconv", "maxpool"} {
			dwconv(op, 4)
			dwconv(op, 1)
		}
		gconv4(4)
		gconv4(1)
	},
	"dwband": bands,
	"grouped": func(v *isa) {
		for s := 1; s <= 2; s++ {
			for _, px := range groupedPixels(v) {
				grouped(v, s, px)
			}
		}
	},
	"peak": func(v *isa) {
		fmaPeak(v, 12)
		if v == avx2 {
			readSum()
		}
	},
	"rowgrad": rowGrads,
	"rows":    rowsFile,
	"turn":    func(*isa) { turn() },
	"zip":     func(*isa) { zip() },
	"winograd": func(v *isa) {
		winogradIn(v)
		winogradOut(v)
		winogradFilters(v)
	},
}

// byteOps are the operations of package i8.
var byteOps = map[string]func(*isa){
	"gemm": func(v *isa) {
		if v == avx2 {
			for mr := i8.MR; mr >= 1; mr-- {
				gemm8TileAVX2(mr, false)
			}
			return
		}
		for _, nr := range v.widths {
			for mr := i8.MR; mr >= 1; mr-- {
				gemm8Tile(mr, nr)
			}
		}
	},
	"block": func(*isa) { blocks(productBytes) },
	"dwband": func(v *isa) {
		if v == avx2 {
			bands8(v, 2)
			return
		}
		bands8(v, 4)
	},
	"dotted": func(v *isa) {
		for mr := i8.MR; mr >= 1; mr-- {
			gemm8TileAVX2(mr, true)
		}
		bands8(v, 4)
	},
	"rows": rowsFile8,
	"window": func(v *isa) {
		for _, op := range []string{"dwconv", "sum", "max"} {
			window8(v, op)
		}
	},
}

// pairOps are the operations of package bf16.
var pairOps = map[string]func(*isa){
	"block":  func(*isa) { blocks(productPairs) },
	"pairs":  func(v *isa) { gemmTiles(v, widened) },
	"dotted": func(v *isa) { gemmTiles(v, dotted) },
	"round":  roundRows,
}

// gemmTiles emits all tiles of a matrix product of elements of that kind.
func gemmTiles(v *isa, of pairs) {
	for _, nr := range v.widths {
		for mr := f32.MR; mr >= 1; mr-- {
			gemmTile(v, of, mr, nr)
		}
	}
}

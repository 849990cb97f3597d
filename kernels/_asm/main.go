// Command asm writes the assembly of kernels/internal/f32: "go run . -op gemm -isa avx2 -out FILE". Each operation and
// ISA is one file; the stubs, with the loop that each computes, are written by hand beside it.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"

	"zoobench/kernels/internal/f32" // the argument types too, which avo looks up
)

func main() {
	op := flag.String("op", "", "what to write: gemm, dwconv, dwband, grouped, rows, zip, winograd, peak")
	set := flag.String("isa", "avx2", "for what: avx2 or avx512")
	// avo's own flags (-out) are registered on the same set and parsed here.
	flag.Parse()
	v := avx2
	if *set == "avx512" {
		v = avx512
	}
	Package("zoobench/kernels/internal/f32")
	ConstraintExpr("!purego")
	switch *op {
	case "gemm":
		for _, nr := range v.widths {
			for mr := f32.MR; mr >= 1; mr-- {
				gemmTile(v, mr, nr)
			}
		}
	case "dwconv":
		for _, op := range []string{"dwconv", "maxpool"} {
			dwconv(op, 4)
			dwconv(op, 1)
		}
		gconv4(4)
		gconv4(1)
	case "dwband":
		bands(v)
	case "grouped":
		for s := 1; s <= 2; s++ {
			for _, px := range groupedPixels(v) {
				grouped(v, s, px)
			}
		}
	case "peak":
		fmaPeak(v, 12)
		if v == avx2 {
			readSum()
		}
	case "rows":
		rowsFile(v)
	case "zip":
		zip()
	case "winograd":
		winogradIn(v)
		winogradOut(v)
	default:
		fmt.Fprintf(os.Stderr, "asm: -op %q, want gemm, dwconv, dwband, grouped, rows, zip, winograd or peak\n", *op)
		os.Exit(1)
	}
	Generate()
}

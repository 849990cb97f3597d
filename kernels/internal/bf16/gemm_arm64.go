//go:build !purego

package bf16

import (
	"unsafe"

	"zoobench/kernels/internal/f32"
)

// mr is f32.MR, for the assembly.
const mr = f32.MR

// gemm{mr}x{nr}NEON computes what gemm{mr}x{nr}AVX2 does.
//
//go:noescape
func gemm6x16NEON(t *Tile)

//go:noescape
func gemm5x16NEON(t *Tile)

//go:noescape
func gemm4x16NEON(t *Tile)

//go:noescape
func gemm3x16NEON(t *Tile)

//go:noescape
func gemm2x16NEON(t *Tile)

//go:noescape
func gemm1x16NEON(t *Tile)

//go:noescape
func gemm6x8NEON(t *Tile)

//go:noescape
func gemm5x8NEON(t *Tile)

//go:noescape
func gemm4x8NEON(t *Tile)

//go:noescape
func gemm3x8NEON(t *Tile)

//go:noescape
func gemm2x8NEON(t *Tile)

//go:noescape
func gemm1x8NEON(t *Tile)

// round8NEON rounds n times eight numbers.
//
//go:noescape
func round8NEON(out *uint16, in *float32, n int)

// roundNEON is Round: eight numbers at a time in assembly, and the last few of a row in Go.
func roundNEON(t *Rows) {
	whole := t.C &^ 7
	for o := range t.RowsLeft {
		in, out := f32.At(t.In, o*t.LDI), f32.At(t.Out, o*t.LDO)
		if whole > 0 {
			round8NEON((*uint16)(unsafe.Pointer(out)), in, whole/8)
		}
		if whole < t.C {
			roundGeneric(&Rows{In: f32.At(in, 4*whole), Out: f32.At(out, 2*whole), C: t.C - whole, RowsLeft: 1})
		}
	}
	t.RowsLeft = 0
}

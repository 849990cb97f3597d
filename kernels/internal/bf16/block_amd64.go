//go:build !purego

package bf16

import (
	"zoobench/kernels/internal/cpu"
	"zoobench/kernels/internal/i8"
)

// block{rows}x{nr}AMX computes, for every block i, row r < Rows and column j < Columns, Rows being above 16 where rows is 32 and
// not above it where rows is 16:
//
//	sum := Bias[j]
//	for chunk := range Chunks {
//		x, y := 0, 0
//		for k := range Chunk/4 {
//			a, b := A[i*Rows+r][chunk*Chunk/4+k], B[j/16*Panel/4+(chunk*Chunk/4+k)*16+j%16]
//			x += first(a) * first(b)
//			y += second(a) * second(b)
//		}
//		sum += x + y
//	}
//	C[i*Rows+r][j] = min(max(sum+R[i*Rows+r][j], Lo), Hi)
//
// It configures the tiles by Tiles when it begins and releases them when it ends: a goroutine may go on on another thread.
//
//go:noescape
func block16x16AMX(t *Block)

//go:noescape
func block16x32AMX(t *Block)

//go:noescape
func block32x16AMX(t *Block)

//go:noescape
func block32x32AMX(t *Block)

// Blocks are the products by blocks: AMX's where the system lets this process use it, and elsewhere their Go twins.
func Blocks() i8.Blocks {
	if cpu.AMX {
		return i8.Blocks{{block16x16AMX, block16x32AMX}, {block32x16AMX, block32x32AMX}}
	}
	return i8.BlocksGeneric(blockGeneric)
}

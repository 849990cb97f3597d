// Package bf16 holds the microkernels of matrix products of bf16 numbers, which are the upper halves of float32 numbers.
//
// The contract: two numbers, neighbours along the depth, are an element of four bytes, the first one in its lower half. So a product
// of pairs has the geometry of one of float32, and takes f32's arguments. A sum is float32's: each pair adds the product of its
// second numbers, then that of its first ones, and each addition is rounded to the nearest, of two the even one; the products
// themselves are exact. Every implementation gives the same bits, but that numbers below the normal range may count as zeros.
//
// Products by blocks (Block) have an order of their own, and so bits of their own, which all of their implementations give: depth is
// cut into chunks; of a chunk, the products of the first numbers of its pairs are one sum, those of the second numbers another, both
// from zero on; the two are added, and the result is added to the sum so far, each addition rounded.
//
// It leaves the order of blocks and the layout of weights to package kernels, as f32 does, and everything else to f32.
package bf16

import (
	"math"

	"zoobench/kernels/internal/f32"
)

// Tile is the argument of a matrix microkernel: A and B are of pairs, and so are Taps·K and Offset; the rest is of float32.
type Tile = f32.Tile

// Rows is the argument of Round: RowsLeft rows of C float32 at In become as many bf16 at Out. A row at Out has room for C numbers
// rounded up to Lanes; what is behind the C is zeros up to the next eighth, and then anything.
type Rows = f32.Rows

// Lanes is what Round may write more of a row than it has is a part of.
const Lanes = 16

// Round is the bf16 number nearest to x, of two the even one. A NaN stays one.
func Round(x float32) uint16 {
	bits := math.Float32bits(x)
	if x != x {
		return uint16(bits>>16) | 1<<6
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// Widen is the number as a float32.
func Widen(x uint16) float32 { return math.Float32frombits(uint32(x) << 16) }

// Pair is two numbers as an element.
func Pair(first, second float32) float32 {
	return math.Float32frombits(uint32(Round(first)) | uint32(Round(second))<<16)
}

// Package i8 holds the microkernels of int8 networks: the innermost loops of matrix products, depthwise convolutions, pools
// and element-wise passes over unsigned bytes with signed weights, in assembly where the machine has it and in Go everywhere.
//
// The contract: a microkernel is one Go loop, and every implementation gives the same bits: sums of products are whole
// numbers of 32 bits, exact in any order, and what follows is float32 arithmetic of which every step is rounded by itself
// (no fused multiply-add), to nearest and even. Nothing saturates but the clamp at the end. Kernels check nothing: package
// kernels has checked sizes before it calls. One call covers one panel of tiles, never a layer, because assembly cannot be
// preempted. Fields whose names end in Left say how much is left to do: a call counts them down, and the next call needs
// them set again.
//
// How a sum leaves, in every kernel: y = float32(sum)·Scale, plus float32(residual − ResZero)·ResScale if there is one,
// clamped to [Lo, Hi], rounded, plus Zero. Lo and Hi are whole numbers with Zero + Lo ≥ 0 and Zero + Hi ≤ 255, so that the
// clamp may as well come after the rounding. What is NaN becomes Lo, or stays NaN in an output of float32.
//
// It leaves to package kernels which implementation is used, how layers are cut into tiles, scales, and all checks.
package i8

import "unsafe"

// MR is the most rows of a matrix tile; a pointer table always holds MR rows for each tap. NR is the columns of a panel of
// the right matrix, of which a tile takes one to Panels side by side. Depth is the elements that a step of the loop takes.
const (
	MR     = 6
	NR     = 16
	Panels = 4
	Depth  = 4
)

// Finish is how sums become an output, as the package comment has it.
type Finish struct {
	Lo, Hi    float32
	ResScale  float32
	ResZero   int32
	Zero      int32
	OutFloats int32 // not 0 where the output is float32, as is then the residual: y plus it, clamped
}

// Tile is the argument of a matrix microkernel: TilesLeft blocks of mr rows by nr columns of output, one below the other.
// The rows of the left matrix are found by address, so that a convolution needs no copy of its input: a tap is one position
// of its window, and A holds the address of every row's input for every tap.
type Tile struct {
	A       **uint8        // (TilesLeft, taps, MR) addresses of input rows
	B       *int8          // panels of (Taps·K/4, 16, 4), or as Level.Pairs has it, Panel bytes apart
	C       unsafe.Pointer // (TilesLeft·mr, Columns) output, rows LDC bytes apart
	R       unsafe.Pointer // residual added to the output, rows LDR bytes apart; nil for none
	Bias    *int32         // (nr)
	Scale   *float32       // (nr)
	Columns int            // of nr, those that exist
	Taps    int
	K       int // bytes of a tap, a multiple of 4
	Offset  int // bytes from the addresses in A to the first element
	LDC     int
	LDR     int

	TilesLeft int
	Step      int // bytes from one tile's addresses in A to the next tile's
	Panel     int // bytes from one panel of B to the next
	Move      int // bytes that Offset moves on by from one tile to the next
	Finish

	_ [3]uintptr // A, C and R of the tile under way: the assembly's own

	// Prefetch is an address, as a plain number, from which memory is brought into L2: the next panels, so that they are
	// there when their turn comes. It moves on by Ahead bytes a step.
	Prefetch uintptr
	Ahead    int
}

// Rows is the argument of the kernels that walk rows of bytes, RowsLeft rows of C each; a stride of 0 uses the same row again
// and again.
type Rows struct {
	Out, In, B    unsafe.Pointer
	LDO, LDI, LDB int // bytes from one row to the next
	C, RowsLeft   int
	InZero, BZero int32
	InScale, _    float32
	Finish
	Table *[256]uint8
	Parts *Part // N of them, for Add
	N     int
}

// Part is one of the tensors that are added.
type Part struct {
	In    unsafe.Pointer
	LDI   int // bytes from one row to the next
	Zero  int32
	Scale float32
}

// Tap is one position of a window: the address of the first output pixel's input, and the bytes from the weights' start to
// this position's.
type Tap struct {
	In *uint8
	W  int
}

// Window is the argument of the kernels of a window without sums across channels: PixelsLeft output pixels of one row, C
// channels each.
type Window struct {
	Taps       *Tap // N of them
	N          int
	W          *int8    // (positions of the window, C), for Depthwise
	Bias       *int32   // (C), for Depthwise
	Scale      *float32 // (C), for Depthwise; one, for sums
	Start      int32    // what sums begin with, for sums
	_          int32
	Out        *uint8
	LDO        int // bytes from one output pixel to the next
	Step       int // bytes from one output pixel's input to the next one's
	C          int
	PixelsLeft int
	Finish
}

// Band is the argument of a depthwise kernel that computes R rows of output at once from (R−1)·S+K rows of input, S being the
// stride and K the window's side: at least sixteen channels, in blocks of sixteen, of which the last two may share some.
type Band struct {
	In      **uint8 // ((R−1)·S+K) addresses of the rows of input
	Padding **uint8 // the same of a pixel of padding
	// W has, for each block of channels: their biases and scales, sixteen of each, then for each shift from −3 to K−1 and each
	// column of the window sixteen times four weights: those of its rows shift to shift+3, 0 where there is no such row. Where
	// Level.BandRows is 2 they are two of 16 bits, of shifts from −1 on.
	W                *int8
	Out              *uint8
	InPixel          int // bytes from one pixel of input to the next
	OutRow, OutPixel int
	Cols             int // columns of input
	Left             int // columns of padding before them; they may be fewer than none
	OW               int // columns of output
	C                int
	Finish
}

// BandBlock is the bytes of a block of sixteen channels in a band's weights, for a window of k×k of which so many rows stand together.
func BandBlock(k, rows int) int { return 2*4*NR + (k+rows-1)*k*4*NR }

// BandInputs is the most rows of input of a band.
const BandInputs = 8

// at is the address bytes after p.
func at[T any](p *T, bytes int) *T { return (*T)(unsafe.Add(unsafe.Pointer(p), bytes)) }

// Package f32 holds the microkernels: the innermost loops of matrix products, convolutions and element-wise passes over
// float32, in assembly where the machine has it and in Go everywhere.
//
// The contract: a microkernel is one Go loop, printed as the comment of its declaration, and every implementation
// computes it; only the order of additions and the use of fused multiply-adds differ. Kernels check nothing: package
// kernels has checked sizes before it calls. One call covers one panel of tiles, never a layer, because assembly cannot
// be preempted. Fields whose names end in Left say how much is left to do: a call counts them down, and the next call
// needs them set again. A NaN in an input reaches the output. Activations are of finite x: what an infinity becomes,
// its limit or a NaN, may differ between implementations.
//
// Assembly for amd64 is written by the generators of kernels/_asm. NEON's, for arm64, is written by hand: a file opens
// with its register map, and the assembler's macros take the generator's place.
//
// It leaves to package kernels which implementation is used, how layers are cut into tiles, and all checks.
package f32

// MR is the most rows of a matrix tile; a pointer table always holds MR rows for each tap. NR is the columns of a panel of
// the right matrix, of which a tile takes one to Panels side by side.
const (
	MR     = 6
	NR     = 16
	Panels = 4
)

// Flags of a Tile.
const (
	Load  = 1 << iota // add to what c has, and no bias
	Final             // add the residual and clamp before the store
)

// Tile is the argument of a matrix microkernel: TilesLeft blocks of mr rows by nr columns of output, one below the
// other. The rows of the left matrix are found by address, so that a convolution needs no copy of its input: a tap is
// one position of its window, and A holds the address of every row's input for every tap.
type Tile struct {
	A         **float32 // (TilesLeft, taps of the layer, MR) addresses of input rows
	B         *float32  // (Taps·K, nr) packed right matrix; panels of (Taps·K, 16), Panel bytes apart, where nr is above 16
	C         *float32  // (TilesLeft·mr, nr) output, rows LDC bytes apart
	R         *float32  // residual added to the output, rows LDR bytes apart; nil for none
	Bias      *float32  // (nr); nil for zero
	Mask      *int32    // (nr) −1 for a column that exists, 0 for one that does not; nil when all do
	Taps      int       // taps of this call
	K         int       // elements of one tap
	Offset    int       // bytes from the addresses in A to the first element
	LDC       int
	LDR       int
	TilesLeft int
	Step      int // bytes from one tile's addresses in A to the next tile's
	Flags     int
	Lo, Hi    float32 // the clamp

	_ [3]uintptr // A, C and R of the tile under way: the assembly's own

	// Prefetch is an address, as a plain number, from which memory is brought into L2: the next panel, so that it is
	// there when its turn comes. It moves on as it is used, at a quarter of the speed at which a tile of one panel reads
	// B; a tile of several moves it by Ahead.
	Prefetch uintptr

	Panel int // bytes from one panel of B to the next
	Ahead int // bytes of Prefetch for a step of k
	Move  int // bytes that Offset moves on by from one tile to the next
}

// Tap is one position of a depthwise window: the address of the first output pixel's input, and the bytes from the
// weights' start to this position's.
type Tap struct {
	In *float32
	W  int
}

// Depthwise is the argument of a depthwise microkernel: GroupsLeft times px output pixels of one row, C channels each.
type Depthwise struct {
	Taps       *Tap // N of them
	N          int
	W          *float32 // (⌈C/8⌉, positions of the window, 8)
	WStep      int      // bytes from one block of eight channels to the next in W
	Bias       *float32 // (8·⌈C/8⌉)
	Out        *float32
	LDO        int // bytes from one output pixel to the next
	Step       int // bytes from one output pixel's input to the next one's
	C          int
	Mask       *int32 // (8) for the last C%8 channels
	GroupsLeft int
	Lo, Hi     float32
}

// Band is the argument of a depthwise kernel that computes R rows of output at once from (R−1)·S+K rows of input, S
// being the stride and K the window's side.
type Band struct {
	In               **float32 // ((R−1)·S+K) addresses of the rows of input; nil for padding
	W                *float32  // (⌈C/16⌉, K·K, 16)
	Bias             *float32  // (16·⌈C/16⌉)
	Out              *float32
	InPixel          int // bytes from one pixel of input to the next
	OutRow, OutPixel int
	Cols, Left       int // columns of input to read, and of padding before them, 0 or more
	Skip             int // windows that end before the first output's: (K−1)/S less ⌈Left/S⌉
	OW               int // columns of output
	C                int
	Mask             *int32 // (8) for the last C%8 channels
	Lo, Hi           float32
}

// Grouped is the argument of a kernel of a convolution in groups, windows three pixels wide: a fixed number of output pixels
// of one row, all channels. A kernel takes Lanes channels at a time, of which there is a multiple.
type Grouped struct {
	Taps   *Tap // N of them: rows of the window, each with the address of its row's first pixel
	N      int
	W      *float32 // (C/Lanes, rows of the window, channels of a group, 3, Lanes)
	WStep  int      // bytes from one block of Lanes channels to the next in W
	Bias   *float32 // (C)
	Out    *float32
	LDO    int    // bytes from one output pixel to the next
	First  int    // bytes from the taps' addresses to the first window's first pixel, below zero where that is padding
	Pixel  int    // bytes from one pixel of input to the next
	C      int    // bytes of the channels
	Each   int    // channels of a group
	Index  *int32 // (Lanes) where in a vector each lane's group begins
	Lo, Hi float32
	Zeros  *float32 // (C), what padding reads
	Before int      // not 0 where the first pixel of input is padding
	Behind int      // not 0 where the last one is
}

// MaxGrouped is the most output pixels of a kernel of a convolution in groups.
const MaxGrouped = 14

// GroupedKernels are an instruction set's kernels of convolutions in groups, by S−1 and the number of output pixels; nil
// where there is none of so many.
type GroupedKernels struct {
	Lanes int
	By    [2][MaxGrouped + 1]func(*Grouped)
}

// GradRow is a row of pixels of the result's gradient, and the row of the input that a row of the window has for it.
type GradRow struct{ X, DY *float32 }

// RowGrad is the argument of a kernel of the gradient of weights: up to three taps of a row of the window, of RowFilters filters,
// for NR channels of input. A row has Middle pixels whose taps are all input; with three taps one before them without the first
// tap, where that is padding, and one behind them without the last.
//
// A kernel of depthwise filters takes more taps, for NR channels with a filter each. It has at least one pixel and no others
// before and behind, and neither filters nor bytes between them.
type RowGrad struct {
	Rows           *GradRow // N of them, at least one
	N              int
	X              int // bytes from the rows' addresses of input to the first pixel's first tap, below zero where that is padding
	DY             int // bytes from the rows' addresses of the gradient to the first filter's
	XPixel, XTap   int // bytes from one pixel's input to the next one's, and from one tap's to the next one's
	DYPixel        int
	Middle         int
	Before, Behind int      // not 0 where there is such a pixel
	Sums           *float32 // (RowFilters, 3, NR), to which those of these rows are added
	LDS, Tap       int      // bytes from one filter's sums to the next one's, and from one tap's to the next one's
	Mask           *int32   // (NR) of the channels, for depthwise filters: the gradient of others is neither read nor summed
}

// RowFilters is how many filters a kernel of the gradient of weights takes.
const RowFilters = 8

// Rows is the argument of the kernels that walk rows of channels, RowsLeft rows of C channels each; a stride of 0 uses
// the same row again and again. The sums of columns leave RowsLeft as it is.
type Rows struct {
	Out, In, A, B      *float32
	LDO, LDI, LDA, LDB int // bytes from one row to the next
	C, RowsLeft        int
	Mask               *int32 // (8) for the last C%8 channels, in a table that has that of one more every 4 bytes before
	Lo, Hi             float32
}

// Winograd is the argument of the transforms of F(4×4, 3×3), for C channels of one tile. The 36 points of a tile in the
// transformed domain stand InRow (output transform) or OutRow (input transform) bytes apart, row by row of the 6×6.
type Winograd struct {
	In, Out, R, Bias *float32 // R, the residual, may be nil
	InRow, InPixel   int      // bytes between rows and pixels of the input tile, or InRow between points
	OutRow, OutPixel int      // the same of the output tile
	ResRow, ResPixel int      // the same of the residual
	C                int
	Mask             *int32 // (8) for the last C%8 channels
	Lo, Hi           float32
}

// Filters is the argument of the transform of F(4×4, 3×3) for N channels of NR filters side by side.
type Filters struct {
	In   *float32 // (N, 9, NR)
	Out  *float32 // (36, N, NR)
	Step int      // bytes from one point to the next in Out
	N    int
}

package i8

import "unsafe"

// BlockRows is the most rows of a block, BlockPanels the most panels, ChunkBytes the most bytes of a chunk of depth.
const (
	BlockRows   = 2 * tileRows
	BlockPanels = 2
	ChunkBytes  = 64

	tileRows = 16
)

// Block is the argument of a product by blocks, for machines whose instructions multiply tiles of memory: BlocksLeft blocks of
// Rows rows by one or two panels of output, one below the other. The left matrix's rows are the same distance apart.
type Block struct {
	A       unsafe.Pointer // rows of Chunks·Chunk bytes, LDA apart
	B       unsafe.Pointer // panels of (Chunks·Chunk/4, 16, 4) bytes, Panel apart
	C       unsafe.Pointer // (BlocksLeft·Rows, Columns) output, rows LDC bytes apart
	R       unsafe.Pointer // residual added to the output, rows LDR bytes apart; nil for none
	Bias    unsafe.Pointer // (16 times the panels) of the sums' type
	Scale   *float32       // the same number
	Sums    *BlockSums     // to be overwritten
	LDA     int
	Panel   int
	LDC     int
	LDR     int
	Columns int // of 16 times the panels, those that exist
	Chunks  int // that depth is cut into
	Chunk   int // bytes of each, a multiple of 4

	BlocksLeft int
	Rows       int // of a block; SetRows sets it and the next two
	First      int // of them, in the upper one of two tiles
	Tiles      [64]byte
	Finish

	_ [3]uintptr // A, C and R of the block under way: the assembly's own

	// Prefetch is as Tile has it; it moves on by Ahead lines of 64 bytes a chunk, one at the least.
	Prefetch uintptr
	Ahead    int
}

// BlockSums has room for a block's sums.
type BlockSums [BlockRows * BlockPanels * NR]int32

// SetRows sets how many rows a block has, and the shapes of the tiles that compute it: two by two of sums, one or two of rows and
// one for each panel. Chunk is set before.
func (t *Block) SetRows(rows int) {
	t.Rows, t.First = rows, rows
	if rows > tileRows {
		t.First = (rows + 1) / 2
	}
	t.Tiles = [64]byte{1} // the palette
	shape := func(tile, rows, bytes int) {
		if rows > 0 {
			t.Tiles[16+2*tile], t.Tiles[48+tile] = byte(bytes), byte(rows)
		}
	}
	for i, rows := range []int{t.First, t.Rows - t.First} {
		shape(2*i, rows, ChunkBytes)
		shape(2*i+1, rows, ChunkBytes)
		shape(4+i, rows, t.Chunk)
	}
	shape(6, t.Chunk/Depth, ChunkBytes)
	shape(7, t.Chunk/Depth, ChunkBytes)
}

// Chunks cuts depth, in bytes, into as few chunks as can be, and is their number and their size.
func Chunks(bytes int) (n, size int) {
	n = (bytes + ChunkBytes - 1) / ChunkBytes
	return n, ((bytes+n-1)/n + Depth - 1) / Depth * Depth
}

// Blocks are a level's products by blocks: by the tiles of sixteen rows less one, and the panels less one.
type Blocks [2][BlockPanels]func(*Block)

// BlocksGeneric are the Go twins of all block{rows}x{nr}{ISA}, by what makes that of nr columns, with as many rows as there are.
func BlocksGeneric(block func(nr int) func(*Block)) (all Blocks) {
	for tiles := range all {
		for panels := range all[tiles] {
			all[tiles][panels] = block((panels + 1) * NR)
		}
	}
	return all
}

// blockGeneric is one of these, of bytes.
func blockGeneric(nr int) func(*Block) {
	return func(t *Block) {
		for o := range t.BlocksLeft * t.Rows {
			var sum [BlockPanels * NR]int32
			copy(sum[:nr], unsafe.Slice((*int32)(t.Bias), nr))
			row := unsafe.Slice((*uint8)(unsafe.Add(t.A, o*t.LDA)), t.Chunks*t.Chunk)
			for first := 0; first < nr; first += NR {
				b := unsafe.Slice((*int8)(unsafe.Add(t.B, first/NR*t.Panel)), len(row)*NR)
				addRow(sum[first:][:NR], row, b)
			}
			t.finishRow(unsafe.Add(t.C, o*t.LDC), unsafe.Add(t.R, o*t.LDR), t.R != nil, sum[:t.Columns], unsafe.Slice(t.Scale, nr))
		}
		t.BlocksLeft = 0
	}
}

package kernels

import (
	"unsafe"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/internal/i8"
)

// blocksAlways is whether products by blocks are taken wherever they can be; else only where they are faster. Tests set it.
var blocksAlways bool

// A product by blocks may be faster from so many output pixels, bytes of depth and output channels on: below it most of a tile is
// empty.
const (
	blockPixels  = 8
	blockDepth   = 32
	blockColumns = 12
)

// canBlocks reports whether the convolution, elements of which have so many bytes, is to be tried as a product by blocks: a tile has
// rows of one group alone.
func (s *ConvShape) canBlocks(bytes int) bool {
	return s.Groups == 1 && (blocksAlways ||
		level8.Tiled && s.OH*s.OW >= blockPixels && bytes*s.depth() >= blockDepth && s.OC >= blockColumns)
}

func (s *ConvShape) canBlocks8() bool { return s.canBlocks(1) }

// canBF16Blocks reports whether blocks of bf16 numbers may be faster than their tiles.
func (s *ConvShape) canBF16Blocks() bool { return s.canBlocks(2) }

// prefersBlocks8 reports whether blocks are faster than tiles, as measured: sums of few products take less time than what becomes of
// them, and the copies of windows of few channels more than either.
func (s *ConvShape) prefersBlocks8() bool {
	return blocksAlways || s.depth() >= 64 && s.OC >= 24 && (s.taps() == 1 || s.C >= 32)
}

// blockName is the name of a product by blocks, as algorithms have it.
const blockName = "amx_32x32"

// A blockProduct is one worker's share of a product by blocks: rows of the left matrix that are the same distance apart, in the
// source or copied.
type blockProduct struct {
	block i8.Block
	sums  i8.BlockSums
	n     int
}

// blockSource is where the rows are: in pixels of pieces of T, a byte or a pair of bf16 numbers, or in copies of their windows.
type blockSource[T any] struct {
	*ConvShape
	depth   int // pieces of a row, which ends in zeros beyond the window's
	data    []T
	stride  int // pieces from one pixel to the next
	padding []T // what a row of the window has that lies in it
}

// inPlace reports whether the rows are pixels of the source as they are.
func (b *blockSource[T]) inPlace() bool { return b.samePixels() && b.depth == b.C }

// apart is how far apart copied rows are, in pieces: not so that they share a few lines of L1.
func (b *blockSource[T]) apart() int {
	if size := int(unsafe.Sizeof(b.data[0])); size*b.depth%1024 == 0 {
		return b.depth + 64/size
	}
	return b.depth
}

// room is the float32 that copies of a task's rows take, of so many tasks for m rows.
func (b *blockSource[T]) room(m, tasks int) int {
	if b.inPlace() {
		return 0
	}
	return parts(parts(parts(m, f32.MR), tasks)*f32.MR*b.apart()*int(unsafe.Sizeof(b.data[0])), 4)
}

// find finds the rows of n output pixels, from pixel row on, with room for copies.
func (b *blockSource[T]) find(p *blockProduct, room []float32, row, n int) {
	size, t := int(unsafe.Sizeof(b.data[0])), &p.block
	p.n = n
	if b.inPlace() {
		t.A, t.LDA = unsafe.Pointer(&b.data[row*b.stride]), size*b.stride
		return
	}
	t.A, t.LDA = unsafe.Pointer(&room[0]), size*b.apart()
	copied := unsafe.Slice((*T)(t.A), len(room)*4/size)
	copyWindows(b.ConvShape, copied, b.apart(), b.data, b.stride, row, n, b.padding)
	if end := b.ConvShape.depth(); end < b.depth {
		for i := range n {
			clear(copied[i*b.apart():][end:b.depth])
		}
	}
}

// copyWindows copies the windows of n output pixels, from pixel row on, to rows of dst that are ld elements apart.
func copyWindows[T any](s *ConvShape, dst []T, ld int, data []T, stride, row, n int, padding []T) {
	pixel, width := s.pixel(row), s.KW*s.C
	joined := stride == s.C && s.DW == 1
	for i := range n {
		out := dst[i*ld:][:s.KH*width]
		x0, y0 := pixel.x*s.SW-s.Left, pixel.y*s.SH-s.Top
		before, inside := s.insideWindow(x0)
		from := ((pixel.image*s.H+y0)*s.W + x0) * stride
		if joined && inside == s.KW && y0 >= 0 && y0+(s.KH-1)*s.DH < s.H {
			for ; len(out) > 0; out = out[width:] {
				copy(out[:width], data[from:])
				from += s.DH * s.W * stride
			}
			pixel.next(s)
			continue
		}
		for ky := range s.KH {
			out := out[ky*width:][:width]
			copy(out, padding)
			if uint(y0+ky*s.DH) < uint(s.H) {
				for kx := before; kx < before+inside; kx++ {
					copy(out[kx*s.C:][:s.C], data[from+(ky*s.DH*s.W+kx*s.DW)*stride:])
				}
			}
		}
		pixel.next(s)
	}
}

// insideWindow is, of a window that begins at column x0 of the input, how many columns are padding before it, and how many are
// in it.
func (s *ConvShape) insideWindow(x0 int) (before, inside int) {
	if x0 < 0 {
		before = min(s.KW, parts(-x0, s.DW))
	}
	if x := x0 + before*s.DW; x < s.W {
		inside = min(s.KW-before, parts(s.W-x, s.DW))
	}
	return before, inside
}

// run multiplies the rows by the panels that p.block describes, cut into blocks of even height.
func (p *blockProduct) run(blocks *i8.Blocks, panels int) {
	t := &p.block
	t.Sums = &p.sums
	count := parts(p.n, i8.BlockRows)
	rows := parts(p.n, count)
	small := count*rows - p.n
	big := count - small
	t.Ahead = parts(t.Chunk*i8.NR*panels, 64*count)
	call := func(blocksLeft, rows int) {
		t.SetRows(rows)
		t.BlocksLeft = blocksLeft
		blocks[parts(rows, i8.BlockRows/2)-1][panels-1](t)
	}
	call(big, rows)
	if small == 0 {
		return
	}
	t.A, t.C = unsafe.Add(t.A, big*rows*t.LDA), unsafe.Add(t.C, big*rows*t.LDC)
	if t.R != nil {
		t.R = unsafe.Add(t.R, big*rows*t.LDR)
	}
	call(small, rows-1)
}

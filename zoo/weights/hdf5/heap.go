package hdf5

import (
	"encoding/binary"
	"math/bits"
)

// A fractalHeap has the links or attributes of an object that has many (section III.G): in direct blocks, whose sizes double
// from row to row of a table, or by themselves if they are huge.
type fractalHeap struct {
	f        *File
	at       uint64
	flags    byte
	idBytes  int
	most     uint64 // bytes of an object in a direct block
	width    uint64 // blocks of a row
	start    uint64 // bytes of a block in the first two rows
	direct   uint64 // bytes of the largest direct block
	bits     int    // of a position in the heap
	root     uint64
	rows     int // of the root; 0 where it is a direct block
	hugeTree uint64

	blocks map[uint64]*cursor // that have been read
	huge   map[uint64]extent  // nil until they are read
}

// An extent is a run of bytes in the file.
type extent struct{ at, bytes uint64 }

// heap reads a heap's header.
func (f *File) heap(at uint64) (*fractalHeap, error) {
	if h := f.heaps[at]; h != nil {
		return h, nil
	}
	o, l := f.offsets, f.lengths
	c, err := f.signed("fractal heap", "FRHP", 0, at, uint64(4+1+2+2+1+4+12*l+3*o+2+2+2+2+4))
	if err != nil {
		return nil, err
	}
	h := &fractalHeap{f: f, at: at, blocks: map[uint64]*cursor{}}
	h.idBytes = c.u16()
	if n := c.u16(); n > 0 {
		return nil, unread(at, "fractal heap with filters")
	}
	if err := c.checksum(); err != nil {
		return nil, err
	}
	h.flags = c.u8()
	h.most = uint64(c.u32())
	c.skip(l)
	h.hugeTree = c.address()
	c.skip(l + o + 8*l) // free space and counts
	h.width, h.start, h.direct, h.bits = uint64(c.u16()), c.length(), c.length(), c.u16()
	c.skip(2)
	h.root, h.rows = c.address(), c.u16()
	if c.err != nil {
		return nil, c.err
	}
	// What h.bits can address is 1<<62 at most: no sum of sizes below overflows.
	if h.width == 0 || bits.OnesCount64(h.width) != 1 || bits.OnesCount64(h.start) != 1 || bits.OnesCount64(h.direct) != 1 ||
		h.direct < h.start || h.bits < 1 || h.bits > 62 || h.rows > h.bits ||
		bits.Len64(h.start)+bits.Len64(h.width)+h.rows > 64 || h.idBytes < 2 {
		return nil, broken(at, "fractal heap: %d rows of %d blocks from %d to %d bytes, positions of %d bits, identities of %d bytes",
			h.rows, h.width, h.start, h.direct, h.bits, h.idBytes)
	}
	f.heaps[at] = h
	return h, nil
}

// get reads the identity of an object, and gives the object.
func (h *fractalHeap) get(what string, id *cursor) (*cursor, error) {
	c := id.body(what, h.idBytes)
	flags := c.u8()
	if c.err != nil {
		return nil, c.err
	}
	switch kind := flags & 0xf0; kind {
	case 0x00:
		// A length is as wide as the largest direct block's size or the largest object's.
		at := c.uint((h.bits + 7) / 8)
		n := c.uint(min((bits.Len64(h.direct)+6)/8, widthOf(h.most)))
		if c.err != nil {
			return nil, c.err
		}
		return h.managed(what, at, n)
	case 0x10:
		return h.hugeObject(what, c)
	default:
		return nil, unread(id.pos(), "%s in a fractal heap, with flags %#x", what, flags)
	}
}

// size is the bytes of a block of a row.
func (h *fractalHeap) size(row int) uint64 { return h.start << max(0, row-1) }

// before is the position in the heap at which a row starts.
func (h *fractalHeap) before(row int) uint64 {
	if row == 0 {
		return 0
	}
	return h.width * h.size(row)
}

// managed gives n bytes at a position of the heap.
func (h *fractalHeap) managed(what string, at, n uint64) (*cursor, error) {
	f := h.f
	block, size, base, rows := h.root, h.start, uint64(0), h.rows
	for rows > 0 { // an indirect block
		c, err := h.block("FHIB", block, base, uint64(h.head()+rows*int(h.width)*f.offsets+4))
		if err != nil {
			return nil, err
		}
		row := 0
		for row < rows && at-base >= h.before(row+1) {
			row++
		}
		if row == rows {
			return nil, broken(h.at, "%s at %d of a fractal heap that ends before", what, at)
		}
		size = h.size(row)
		column := (at - base - h.before(row)) / size
		c.i = h.head() + (row*int(h.width)+int(column))*f.offsets
		block, base = c.address(), base+h.before(row)+column*size
		if c.err != nil {
			return nil, c.err
		}
		rows = 0
		if size > h.direct {
			rows = row - bits.Len64(h.width) + 1 // as many as make up its size
			if rows < 1 {
				return nil, broken(h.at, "fractal heap of rows of %d blocks has an indirect one in row %d", h.width, row)
			}
		}
	}
	c, err := h.block("FHDB", block, base, size)
	if err != nil {
		return nil, err
	}
	if head := uint64(h.head()); at < base || at-base > size || n > size-(at-base) || at-base < head && n > 0 {
		return nil, broken(block, "%s of %d bytes at %d of a block of %d", what, n, at-base, size)
	}
	if err := f.pay(block, int(n)); err != nil {
		return nil, err
	}
	c.i = int(at - base)
	object := c.body(what, int(n))
	return object, object.err
}

// head is the bytes of a block before its pointers or, in a direct one, before its checksum.
func (h *fractalHeap) head() int { return 5 + h.f.offsets + (h.bits+7)/8 }

// block reads a block of the heap that begins at a position, at the first call.
func (h *fractalHeap) block(signature string, at, base, n uint64) (*cursor, error) {
	if c := h.blocks[at]; c != nil {
		if string(c.b[:4]) != signature || uint64(len(c.b)) != n {
			return nil, broken(at, "fractal heap's block is used twice")
		}
		return c, nil
	}
	c, err := h.f.signed("fractal heap's block", signature, 0, at, n)
	if err != nil {
		return nil, err
	}
	of, position := c.address(), c.uint((h.bits+7)/8)
	if c.err == nil && (of != h.at || position != base) {
		return nil, broken(at, "fractal heap's block is of the heap at %d, position %d; want %d, %d", of, position, h.at, base)
	}
	sum, clean := c.i, c.b
	if signature == "FHIB" {
		sum = len(c.b) - 4
	}
	if signature == "FHIB" || h.flags&2 != 0 { // a direct block may do without a checksum
		if sum < c.i || sum+4 > len(c.b) {
			return nil, broken(at, "fractal heap's block of %d bytes is too short", n)
		}
		want := binary.LittleEndian.Uint32(c.b[sum:])
		if signature == "FHIB" {
			clean = c.b[:sum]
		} else {
			clear(c.b[sum : sum+4])
		}
		if have := lookup3(clean); have != want && h.f.verify {
			return nil, broken(at, "fractal heap's block: checksum %08x, want %08x", have, want)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	h.blocks[at] = c
	return c, nil
}

// hugeObject gives an object that lies by itself: the identity has its place, or a number under which a tree has it.
func (h *fractalHeap) hugeObject(what string, id *cursor) (*cursor, error) {
	f := h.f
	if id.rest() >= f.offsets+f.lengths {
		at, n := id.address(), id.length()
		return f.block(what, at, n)
	}
	if h.huge == nil {
		h.huge = map[uint64]extent{}
		err := f.tree2(h.hugeTree, func(kind byte, r *cursor) error {
			if kind != recordHuge {
				return r.broken("records of type %d, want huge objects", kind)
			}
			e := extent{r.address(), r.length()}
			h.huge[r.length()] = e
			return r.err
		})
		if err != nil {
			return nil, err
		}
	}
	number := id.uint(min(f.lengths, id.rest()))
	e, ok := h.huge[number]
	if !ok {
		return nil, broken(id.at, "%s is object %d of a fractal heap, which has no such", what, number)
	}
	return f.block(what, e.at, e.bytes)
}

// A collection is one of the global heap's (section III.E): strings of variable length.
type collection struct {
	objects map[int][]byte
	strings map[int]string
}

// collection reads a collection, at the first call.
func (f *File) collection(at uint64) (*collection, error) {
	if g := f.collections[at]; g != nil {
		return g, nil
	}
	const what = "global heap"
	c, err := f.signed(what, "GCOL", 1, at, uint64(8+f.lengths))
	if err != nil {
		return nil, err
	}
	c.skip(3)
	if c, err = f.block(what, at, c.length()); err != nil {
		return nil, err
	}
	head := (8 + f.lengths + 7) &^ 7 // all is filled up to multiples of 8
	c.skip(head)
	g := &collection{objects: map[int][]byte{}, strings: map[int]string{}}
	for c.rest() >= head {
		index := c.u16()
		c.skip(6)
		n := c.length()
		c.skip(head - 8 - f.lengths)
		if index == 0 { // free space, to the end
			break
		}
		if n > uint64(c.rest()) {
			return nil, c.broken("object %d of %d bytes, with %d left", index, n, c.rest())
		}
		g.objects[index] = c.take(int(n))
		c.skip(min(-int(n)&7, c.rest()))
	}
	if c.err != nil {
		return nil, c.err
	}
	f.collections[at] = g
	return g, nil
}

// text is an object of a collection as a string.
func (g *collection) text(index int) (string, bool) {
	if s, ok := g.strings[index]; ok {
		return s, true
	}
	b, ok := g.objects[index]
	if !ok {
		return "", false
	}
	g.strings[index] = string(b)
	return g.strings[index], true
}

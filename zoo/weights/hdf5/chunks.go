package hdf5

// chunked reads what follows the class in a layout of chunks, and the index that it names.
func (d *Dataset) chunked(c *cursor, version byte) error {
	start := c.pos()
	var flags byte
	var index uint64
	if version == 4 {
		flags = c.u8()
	}
	rank := int(c.u8()) - 1 // the element's bytes are the last dimension
	width := 4
	if version == 3 {
		index = c.address()
	} else if width = int(c.u8()); (width < 1 || width > 8) && c.err == nil {
		return broken(start, "dimensions of %d bytes", width)
	}
	if c.err == nil && (rank != len(d.Shape) || rank == 0) {
		return broken(start, "chunks of %d dimensions, want %d", rank, len(d.Shape))
	}
	chunkBytes := uint64(d.Type.Bytes)
	for range rank {
		n := c.uint(width)
		switch {
		case c.err != nil:
			return c.err
		case n == 0:
			return broken(start, "chunk without elements")
		case n > (1<<31-1)/chunkBytes:
			return unread(start, "chunk of 2 GiB or more")
		}
		chunkBytes *= n
		d.chunk = append(d.chunk, int(n))
	}
	if n := c.uint(width); c.err == nil && n != uint64(d.Type.Bytes) {
		return broken(start, "chunks of elements of %d bytes, want %d", n, d.Type.Bytes)
	}
	count := uint64(1)
	for k, n := range d.chunk {
		along := (uint64(d.Shape[k]) + uint64(n) - 1) / uint64(n)
		if d.bytes == 0 {
			along = 0
		}
		count *= along // no more than there are elements
	}
	// Every chunk takes a byte of the file at least.
	if count > uint64(d.f.size) {
		return broken(start, "%d chunks in a file of %d bytes", count, d.f.size)
	}
	x := indexer{d: d, rank: rank, bytes: chunkBytes, left: uint64(d.f.size), chunks: make([]chunk, count), start: start}
	if version == 3 {
		if count > 0 && c.err == nil && index != undefined {
			x.fail(d.f.chunkTree(index, -1, &x))
		}
	} else {
		const bareEdge, oneFiltered = 1, 2
		if flags&bareEdge != 0 {
			return unread(start, "chunks at the edge without filters")
		}
		x.modern(c, flags&oneFiltered != 0)
	}
	if c.err != nil {
		return c.err
	}
	if x.err != nil {
		return x.err
	}
	for i, one := range x.chunks {
		if one.at == 0 {
			return unread(start, "chunk %d of %d has never been written", i, count)
		}
	}
	d.chunks = x.chunks
	if len(d.chunks) == 1 && len(d.filters) == 0 && product(d.chunk) == product(d.Shape) {
		d.run = int64(d.chunks[0].at)
	}
	if d.bytes == 0 {
		d.run = 0
	}
	return nil
}

// An indexer collects chunks from an index.
type indexer struct {
	d      *Dataset
	rank   int
	bytes  uint64 // of a chunk without filters
	left   uint64 // bytes of the file that chunks may yet have
	chunks []chunk
	start  uint64 // of the layout
	err    error

	order []int    // the dimensions as an array has them
	along []uint64 // chunks of an array, by dimension
}

func (x *indexer) fail(err error) {
	if x.err == nil {
		x.err = err
	}
}

// add takes chunk number i, row-major. One without an address is not there; one beyond the shape is left out.
func (x *indexer) add(i uint64, c chunk) {
	f := x.d.f
	if c.at == undefined || i >= uint64(len(x.chunks)) || x.err != nil {
		return
	}
	most := c.bytes
	filtered := false
	for j, id := range x.d.filters {
		if c.skipped>>j&1 == 0 {
			filtered = true
			if id == filterDeflate {
				most = c.bytes * deflateRatio
			}
		}
	}
	switch {
	case c.at == 0 || c.at > uint64(f.size) || c.bytes > uint64(f.size)-c.at:
		x.fail(broken(x.start, "chunk %d of %d bytes at %d does not fit into a file of %d", i, c.bytes, c.at, f.size))
	case x.chunks[i].at != 0:
		x.fail(broken(x.start, "chunk %d is there twice", i))
	case c.bytes > x.left:
		x.fail(broken(x.start, "chunks overlap: they have more bytes than the file"))
	case most < x.bytes || !filtered && c.bytes != x.bytes:
		x.fail(broken(x.start, "chunk %d of %d bytes cannot become %d", i, c.bytes, x.bytes))
	default:
		x.left -= c.bytes
		x.chunks[i] = c
	}
}

// number is a chunk's number by its coordinates, each divided by the chunk's extent. One beyond the shape has none.
func (x *indexer) number(scaled func(k int) uint64) uint64 {
	i, beyond := uint64(0), false
	for k, n := range x.d.chunk {
		along := (uint64(x.d.Shape[k]) + uint64(n) - 1) / uint64(n)
		at := scaled(k)
		beyond = beyond || at >= along
		i = i*along + at
	}
	if beyond {
		return undefined
	}
	return i
}

// chunkTree reads a node of a version 1 B-tree of chunks, and those below.
func (f *File) chunkTree(at uint64, level int, x *indexer) error {
	key := 8 + 8*(x.rank+1)
	c, err := f.treeNode(at, 1, &level, key)
	if err != nil {
		return err
	}
	for c.rest() > key && x.err == nil {
		one := chunk{bytes: uint64(c.u32()), skipped: c.u32()}
		i := x.number(func(k int) uint64 {
			first, n := c.uint(8), uint64(x.d.chunk[k])
			if first%n != 0 && c.err == nil {
				c.err = c.broken("chunk begins at %d, want a multiple of %d", first, n)
			}
			return first / n
		})
		c.skip(8) // within an element
		one.at = c.address()
		switch {
		case c.err != nil:
			return c.err
		case level == 0:
			x.add(i, one)
		default:
			if err := f.chunkTree(one.at, level, x); err != nil {
				return err
			}
		}
	}
	return x.err
}

// modern reads the indexes of layout version 4 (section IV.A.2.i, "Indexing Information", and appendix C).
func (x *indexer) modern(c *cursor, oneFiltered bool) {
	const single, implicit, fixed, extensible, tree = 1, 2, 3, 4, 5
	kind := c.u8()
	one := chunk{bytes: x.bytes}
	switch kind {
	case single:
		if oneFiltered {
			one.bytes, one.skipped = c.length(), c.u32()
		}
	case implicit:
	case fixed:
		c.skip(1) // of the header too
	case extensible:
		c.skip(5)
	case tree:
		c.skip(6)
	default:
		if c.err == nil {
			x.fail(unread(x.start, "chunk index of type %d, want 1 to 5", kind))
		}
	}
	at := c.address()
	if c.err != nil || x.err != nil || at == undefined || len(x.chunks) == 0 {
		return
	}
	filtered := len(x.d.filters) > 0
	switch kind {
	case single:
		if filtered != oneFiltered || len(x.chunks) > 1 {
			x.fail(broken(x.start, "one chunk with %d filters for %d", len(x.d.filters), len(x.chunks)))
		}
		one.at = at
		x.add(0, one)
	case implicit:
		n, err := x.arrange(false)
		if err == nil && (filtered || at > uint64(x.d.f.size) || n > (uint64(x.d.f.size)-at)/x.bytes) {
			err = broken(x.start, "%d chunks of %d bytes at %d with %d filters, in a file of %d", n, x.bytes, at, len(x.d.filters), x.d.f.size)
		}
		if x.fail(err); x.err != nil {
			return
		}
		for i := range n {
			one.at = at + i*x.bytes
			x.add(x.place(i), one)
		}
	case fixed:
		x.fail(x.fixedArray(at))
	case extensible:
		x.fail(x.extensibleArray(at))
	case tree:
		x.fail(x.d.f.tree2(at, func(kind byte, r *cursor) error {
			want := byte(recordChunk)
			if filtered {
				want = recordFiltered
			}
			if kind != want {
				return r.broken("records of type %d, want %d", kind, want)
			}
			one := x.element(r, filtered, len(r.b)-8*x.rank)
			x.add(x.number(func(int) uint64 { return r.uint(8) }), one)
			return r.err
		}))
	}
}

// element reads an index's entry of n bytes: an address and, with filters, the bytes and the filters that were not applied.
func (x *indexer) element(c *cursor, filtered bool, n int) chunk {
	one := chunk{at: c.address(), bytes: x.bytes}
	if filtered {
		width := n - x.d.f.offsets - 4
		if (width < 1 || width > 8) && c.err == nil {
			c.err = c.broken("chunk's size of %d bytes", width)
		}
		one.bytes, one.skipped = c.uint(max(0, min(width, 8))), c.u32()
	} else if n != x.d.f.offsets && c.err == nil {
		c.err = c.broken("entry of %d bytes, want %d", n, x.d.f.offsets)
	}
	return one
}

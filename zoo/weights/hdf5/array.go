package hdf5

import "math/bits"

// The chunk indexes that are arrays (sections VII.C and VII.D): a header, and blocks of entries, in pages if they are long.

// An array is what both have in common.
type array struct {
	x        *indexer
	at       uint64 // of the header
	filtered bool
	entry    int    // bytes
	page     uint64 // entries
	offset   int    // bytes of a block's position, 0 for a fixed array
	next     uint64 // the number of the entry to come
}

// arrange lays an array's chunks out, and gives their number: those of the largest shape, row-major. If one dimension can grow,
// it comes first, and only chunks of the shape count.
func (x *indexer) arrange(grows bool) (uint64, error) {
	n := uint64(1)
	x.order, x.along = nil, make([]uint64, x.rank)
	for k, most := range x.d.most {
		if most == undefined {
			x.order = append([]int{k}, x.order...)
			most = uint64(x.d.Shape[k])
		} else {
			x.order = append(x.order, k)
		}
		x.along[k] = (most-1)/uint64(x.d.chunk[k]) + 1
		over, product := bits.Mul64(n, x.along[k])
		if n = product; over != 0 || n > maxElements {
			return 0, broken(x.start, "chunks for up to %v elements", x.d.most)
		}
	}
	growing := 0
	for _, most := range x.d.most {
		if most == undefined {
			growing++
		}
	}
	if growing > 1 || (growing == 1) != grows {
		return 0, broken(x.start, "array of chunks for %d dimensions that can grow", growing)
	}
	return n, nil
}

// place is the number of an array's chunk i in the shape.
func (x *indexer) place(i uint64) uint64 {
	at := make([]uint64, x.rank)
	for j := x.rank - 1; j >= 0; j-- {
		k := x.order[j]
		if at[k] = i; j > 0 {
			at[k], i = i%x.along[k], i/x.along[k]
		}
	}
	return x.number(func(k int) uint64 { return at[k] })
}

// fixedArray reads the index of a dataset that cannot grow.
func (x *indexer) fixedArray(at uint64) error {
	f := x.d.f
	want, err := x.arrange(false)
	if err != nil {
		return err
	}
	c, err := f.signed("fixed array", "FAHD", 0, at, uint64(4+1+1+1+1+f.lengths+f.offsets+4))
	if err != nil {
		return err
	}
	if err := c.checksum(); err != nil {
		return err
	}
	a := array{x: x, at: at, filtered: c.u8() == 1, entry: int(c.u8())}
	pageBits := c.u8()
	n, block := c.length(), c.address()
	if c.err != nil {
		return c.err
	}
	if n != want || pageBits > 62 || a.filtered != (len(x.d.filters) > 0) {
		return broken(at, "fixed array of %d entries, 2 to the power of %d a page, with filters: %t; want %d, %t",
			n, pageBits, a.filtered, want, len(x.d.filters) > 0)
	}
	a.page = 1 << pageBits
	return a.block("FADB", block, n)
}

// block reads a data block of n entries. Behind the head of one in pages is a bit for each that has been written.
func (a *array) block(signature string, at, n uint64) error {
	f := a.x.d.f
	head := uint64(4 + 1 + 1 + f.offsets + a.offset)
	if n > uint64(f.size) || a.entry == 0 {
		return broken(at, "array of %d entries of %d bytes in a file of %d", n, a.entry, f.size)
	}
	pages := (n + a.page - 1) / a.page
	paged := n > a.page
	if paged {
		head += (pages + 7) / 8
	} else {
		head += n * uint64(a.entry)
	}
	c, err := f.signed("array's block", signature, 0, at, head+4)
	if err != nil {
		return err
	}
	if err := a.open(c); err != nil {
		return err
	}
	c.skip(a.offset)
	if !paged {
		return a.entries(c, n)
	}
	written := c.take(int((pages + 7) / 8))
	if c.err != nil {
		return c.err
	}
	next := at + head + 4
	for i := range pages {
		in := min(a.page, n-i*a.page)
		bytes := in*uint64(a.entry) + 4
		if written[i/8]>>(7-i%8)&1 != 0 {
			p, err := f.block("array's page", next, bytes)
			if err != nil {
				return err
			}
			if err := p.checksum(); err != nil {
				return err
			}
			if err := a.entries(p, in); err != nil {
				return err
			}
		} else {
			a.next += in
		}
		next += bytes
	}
	return nil
}

// open verifies a block's checksum, and that it is of this array.
func (a *array) open(c *cursor) error {
	if err := c.checksum(); err != nil {
		return err
	}
	if filtered := c.u8() == 1; filtered != a.filtered {
		return c.broken("entries with filters: %t, want %t", filtered, a.filtered)
	}
	if of := c.address(); of != a.at && c.err == nil {
		return c.broken("is of the array at %d, want %d", of, a.at)
	}
	return c.err
}

// entries reads n entries.
func (a *array) entries(c *cursor, n uint64) error {
	for range n {
		one := a.x.element(c, a.filtered, a.entry)
		if c.err != nil {
			return c.err
		}
		a.x.add(a.x.place(a.next), one)
		a.next++
	}
	return a.x.err
}

// extensibleArray reads the index of a dataset that can grow in one dimension. Its first entries are in the index block,
// which has the addresses of the first data blocks and then those of super blocks, which have those of further data
// blocks. In super block u are 2^(u/2) data blocks of 2^((u+1)/2) times the smallest's entries.
func (x *indexer) extensibleArray(at uint64) error {
	f := x.d.f
	n, err := x.arrange(true)
	if err != nil {
		return err
	}
	c, err := f.signed("extensible array", "EAHD", 0, at, uint64(4+1+7+6*f.lengths+f.offsets+4))
	if err != nil {
		return err
	}
	if err := c.checksum(); err != nil {
		return err
	}
	a := array{x: x, at: at, filtered: c.u8() == 1, entry: int(c.u8())}
	countBits, inIndex, smallest, pointers, pageBits := int(c.u8()), uint64(c.u8()), uint64(c.u8()), uint64(c.u8()), c.u8()
	c.skip(6 * f.lengths)
	index := c.address()
	if c.err != nil {
		return c.err
	}
	if bits.OnesCount64(smallest) != 1 || bits.OnesCount64(pointers) != 1 || countBits < bits.Len64(smallest)-1 || countBits > 62 ||
		pageBits > 62 || a.entry == 0 || a.filtered != (len(x.d.filters) > 0) {
		return broken(at, "extensible array of up to 2 to the power of %d entries of %d bytes, blocks of %d and pages of 2 to the power of %d",
			countBits, a.entry, smallest, pageBits)
	}
	a.page, a.offset = 1<<pageBits, (countBits+7)/8
	supers := 1 + countBits - (bits.Len64(smallest) - 1)
	direct := 2 * (bits.Len64(pointers) - 1) // super blocks that the index block stands for
	blocks := 2 * (pointers - 1)
	size := 4 + 1 + 1 + uint64(f.offsets) + inIndex*uint64(a.entry) + (blocks+uint64(max(0, supers-direct)))*uint64(f.offsets) + 4
	if c, err = f.signed("extensible array's index", "EAIB", 0, index, size); err != nil {
		return err
	}
	if err := a.open(c); err != nil {
		return err
	}
	if err := a.entries(c, inIndex); err != nil {
		return err
	}
	for u := range supers {
		if a.next >= n || c.err != nil {
			break
		}
		count, entries := uint64(1)<<(u/2), smallest<<((u+1)/2)
		if entries > a.page {
			return unread(at, "extensible array with blocks in pages, as some hundred thousand chunks have it")
		}
		from := c
		if u >= direct {
			super := c.address()
			if super == undefined {
				a.next += count * entries
				continue
			}
			if count > uint64(f.size) {
				return broken(super, "extensible array of %d blocks in a file of %d bytes", count, f.size)
			}
			head := 4 + 1 + 1 + uint64(f.offsets) + uint64(a.offset)
			if from, err = f.signed("extensible array's super block", "EASB", 0, super, head+count*uint64(f.offsets)+4); err != nil {
				return err
			}
			if err := a.open(from); err != nil {
				return err
			}
			from.skip(a.offset)
		}
		for range count {
			block := from.address()
			switch {
			case from.err != nil:
				return from.err
			case block == undefined:
				a.next += entries
			default:
				if err := a.block("EADB", block, entries); err != nil {
					return err
				}
			}
		}
	}
	return c.err
}

package hdf5

import "math/bits"

// The records of version 2 B-trees that are read (section III.A.2).
const (
	recordHuge          = 1
	recordLinkName      = 5
	recordAttributeName = 8
	recordChunk         = 10
	recordFiltered      = 11
)

// prefix2 is the bytes of a node beside its records and pointers: signature, version, type, checksum.
const prefix2 = 10

// A tree2 is a version 2 B-tree.
type tree2 struct {
	f      *File
	kind   byte
	record int
	most   []uint64 // records of a node of each level
	below  []uint64 // records of a node of each level and of all below
	each   func(kind byte, r *cursor) error
}

// widthOf is the bytes that a number up to most is written in.
func widthOf(most uint64) int { return max(bits.Len64(most)-1, 0)/8 + 1 }

// tree2 calls each for every record of the tree at an address, in order.
func (f *File) tree2(at uint64, each func(kind byte, r *cursor) error) error {
	c, err := f.signed("B-tree", "BTHD", 0, at, uint64(4+2+4+2+2+2+f.offsets+2+f.lengths+4))
	if err != nil {
		return err
	}
	if err := c.checksum(); err != nil {
		return err
	}
	t := tree2{f: f, kind: c.u8(), each: each}
	node := uint64(c.u32())
	t.record = c.u16()
	depth := c.u16()
	c.skip(2) // when nodes split and merge
	root, records := c.address(), c.u16()
	if c.err != nil {
		return c.err
	}
	if t.record == 0 || node < prefix2+uint64(t.record) || depth > 60 {
		return broken(at, "B-tree of records of %d bytes in nodes of %d, %d levels deep", t.record, node, depth)
	}
	if records == 0 {
		return nil
	}
	for level := range depth + 1 {
		pointer, record := uint64(0), uint64(t.record)
		most := (node - prefix2) / record
		below := most
		if level > 0 {
			pointer = uint64(t.pointer(level))
			if node < prefix2+pointer {
				return broken(at, "B-tree of nodes of %d bytes, %d levels deep", node, depth)
			}
			most = (node - prefix2 - pointer) / (record + pointer)
			over, product := bits.Mul64(most+1, t.below[level-1])
			if below = product + most; over != 0 || below < most {
				return broken(at, "B-tree of nodes of %d bytes, %d levels deep", node, depth)
			}
		}
		t.most, t.below = append(t.most, most), append(t.below, below)
	}
	return t.node(root, depth, uint64(records))
}

// pointer is the bytes of a pointer in a node: an address, the records there and, if that is no leaf, those below too.
func (t *tree2) pointer(level int) int {
	n := t.f.offsets + widthOf(t.most[0])
	if level > 1 {
		n += widthOf(t.below[level-1])
	}
	return n
}

// node reads a node that its parent says has so many records, and what is below it.
func (t *tree2) node(at uint64, level int, records uint64) error {
	signature, pointer := "BTLF", 0
	size := prefix2 + records*uint64(t.record)
	if level > 0 {
		signature, pointer = "BTIN", t.pointer(level)
		size += (records + 1) * uint64(pointer)
	}
	if records > t.most[level] {
		return broken(at, "B-tree node of %d records, want at most %d", records, t.most[level])
	}
	c, err := t.f.signed("B-tree node", signature, 0, at, size)
	if err != nil {
		return err
	}
	if err := c.checksum(); err != nil {
		return err
	}
	if kind := c.u8(); kind != t.kind {
		return broken(at, "B-tree node of type %d, want %d", kind, t.kind)
	}
	own := c.body("B-tree node", int(records)*t.record)
	for i := range records + 1 {
		if level > 0 {
			child, n := c.address(), c.uint(widthOf(t.most[0]))
			if level > 1 {
				c.skip(widthOf(t.below[level-1]))
			}
			if c.err != nil {
				return c.err
			}
			if err := t.node(child, level-1, n); err != nil {
				return err
			}
		}
		if i < records {
			r := own.body("B-tree record", t.record)
			if r.err != nil {
				return r.err
			}
			if err := t.each(t.kind, r); err != nil {
				return err
			}
		}
	}
	return c.err
}

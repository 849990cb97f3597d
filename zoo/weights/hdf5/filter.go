package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
)

// The filters that are undone.
const (
	filterDeflate    = 1
	filterShuffle    = 2
	filterFletcher32 = 3
)

// deflateRatio is the most that deflate makes out of a byte: 258 bytes out of 2 bits.
const deflateRatio = 1032

// filters reads a filter pipeline message (section IV.A.2.l): the filters' numbers, in the order in which they were applied.
func filters(c *cursor) ([]int, error) {
	start := c.pos()
	version, n := c.u8(), int(c.u8())
	switch {
	case c.err != nil:
	case version == 1:
		c.skip(6)
	case version != 2:
		return nil, unread(start, "filter pipeline of version %d, want 1 or 2", version)
	}
	var list []int
	var taken [4]bool
	for range n {
		at, id, name := c.pos(), c.u16(), 0
		if version == 1 || id >= 256 {
			name = c.u16()
		}
		c.skip(2) // whether it may fail
		values := c.u16()
		called := string(bytes.TrimRight(c.take(name), "\x00"))
		if version == 1 && values%2 == 1 {
			values++
		}
		c.skip(4 * values)
		switch {
		case c.err != nil:
			return nil, c.err
		case id < filterDeflate || id > filterFletcher32:
			return nil, unread(at, "filter %s", filterName(id, called))
		case taken[id]:
			return nil, unread(at, "filter %s is given twice", filterName(id, called))
		}
		taken[id] = true
		list = append(list, id)
	}
	return list, c.err
}

// filterName is a filter by number and name.
func filterName(id int, called string) string {
	known := map[int]string{1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}
	if name, ok := known[id]; ok {
		return fmt.Sprintf("%d (%s)", id, name)
	}
	return fmt.Sprintf("%d (%s)", id, quote(called))
}

// undo gives the want bytes of a chunk that filters were applied to, but those whose bit of skipped is set.
func undo(b []byte, list []int, skipped uint32, element, want int) ([]byte, error) {
	for i := len(list) - 1; i >= 0; i-- {
		if skipped>>i&1 != 0 {
			continue
		}
		switch list[i] {
		case filterFletcher32:
			n := len(b) - 4
			if n < 0 {
				return nil, fmt.Errorf("chunk of %d bytes ends in its checksum", len(b))
			}
			if have, sum := fletcher32(b[:n]), binary.LittleEndian.Uint32(b[n:]); have != sum {
				return nil, fmt.Errorf("chunk's fletcher32 is %08x, want %08x", have, sum)
			}
			b = b[:n]
		case filterDeflate:
			size := want
			for j, id := range list[:i] {
				if id == filterFletcher32 && skipped>>j&1 == 0 {
					size += 4
				}
			}
			r, err := zlib.NewReader(bytes.NewReader(b))
			if err != nil {
				return nil, fmt.Errorf("chunk: %w", err)
			}
			stored := len(b)
			b = make([]byte, size)
			if n, err := io.ReadFull(r, b); err != nil {
				return nil, fmt.Errorf("chunk of %d bytes inflates to %d, want %d: %w", stored, n, size, err)
			}
			// The end is where deflate's own checksum is verified.
			if n, err := r.Read(make([]byte, 1)); n > 0 {
				return nil, fmt.Errorf("chunk of %d bytes inflates to more than %d", stored, size)
			} else if err != io.EOF {
				return nil, fmt.Errorf("chunk: %w", err)
			}
		case filterShuffle:
			b = unshuffle(b, element)
		}
	}
	if len(b) != want {
		return nil, fmt.Errorf("chunk of %d bytes, want %d", len(b), want)
	}
	return b, nil
}

// unshuffle puts the bytes of elements together, which shuffle sorts by their place in the element. A rest stays last.
func unshuffle(b []byte, element int) []byte {
	n := len(b) / element
	if n < 2 || element < 2 {
		return b
	}
	out := make([]byte, len(b))
	for place := range element {
		for i, v := range b[place*n : (place+1)*n] {
			out[i*element+place] = v
		}
	}
	copy(out[n*element:], b[n*element:])
	return out
}

// fletcher32 is the checksum of that filter, over big-endian words of 16 bits.
func fletcher32(b []byte) uint32 {
	const most = 360 // words that cannot overflow
	var one, two uint32
	for len(b) > 1 {
		n := min(len(b)/2, most)
		for i := range n {
			one += uint32(binary.BigEndian.Uint16(b[2*i:]))
			two += one
		}
		one, two = one&0xffff+one>>16, two&0xffff+two>>16
		b = b[2*n:]
	}
	if len(b) == 1 {
		one += uint32(b[0]) << 8
		two += one
		one, two = one&0xffff+one>>16, two&0xffff+two>>16
	}
	one, two = one&0xffff+one>>16, two&0xffff+two>>16
	return two<<16 | one
}

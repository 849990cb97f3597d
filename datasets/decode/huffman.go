package decode

import (
	"encoding/binary"
	"math/bits"
)

// A bitReader hands out the bits of one stretch of entropy-coded data, most
// significant first, with the stuffed zero after each 0xff removed. acc holds
// the next n bits at its top; what lies below them is either zero or already
// the bits that follow. Past the end of the stretch it feeds zeros and counts
// them in pad, so that the hot loops need no check: short tells afterwards
// whether any was used.
type bitReader struct {
	data []byte
	pos  int // of the next byte to take
	acc  uint64
	n    int
	pad  int // bits fed beyond the end

	lenient bool // a code that is in no table is passed over, as libjpeg does
}

// fill brings n to at least 57.
func (b *bitReader) fill() {
	if b.pos+8 <= len(b.data) {
		w := binary.BigEndian.Uint64(b.data[b.pos:])
		// A byte of 0xff is a zero byte of ^w.
		if v := ^w; (v-0x0101010101010101)&w&0x8080808080808080 == 0 {
			b.acc |= w >> uint(b.n)
			k := (64 - b.n) >> 3
			b.pos += k
			b.n += 8 * k
			return
		}
	}
	for b.n <= 56 {
		if b.pos >= len(b.data) {
			b.n += 8
			b.pad += 8
			continue
		}
		c := b.data[b.pos]
		if c == 0xff {
			next := b.pos + 1
			for next < len(b.data) && b.data[next] == 0xff {
				next++ // as before a marker; a zero after them still makes a byte of data
			}
			if next >= len(b.data) || b.data[next] != 0 {
				b.n += 8 // a marker: the stretch ends here
				b.pad += 8
				continue
			}
			b.pos = next
		}
		b.pos++
		b.acc |= uint64(c) << uint(56-b.n)
		b.n += 8
	}
}

// short reports whether bits beyond the end of the stretch have been used.
func (b *bitReader) short() bool { return b.pad > b.n }

// restart discards what is left of the bits and continues at byte pos.
func (b *bitReader) restart(pos int) { b.pos, b.acc, b.n, b.pad = pos, 0, 0, 0 }

// bit takes one bit.
func (b *bitReader) bit() uint64 {
	if b.n < 1 {
		b.fill()
	}
	v := b.acc >> 63
	b.acc <<= 1
	b.n--
	return v
}

// bits takes n bits, 0 ≤ n ≤ 16.
func (b *bitReader) bits(n int) int {
	if b.n < n {
		b.fill()
	}
	v := int(b.acc >> 1 >> uint(63-n))
	b.acc <<= uint(n)
	b.n -= n
	return v
}

// extend is the standard's EXTEND (figure F.12): the signed value of the top s
// bits of acc, s ≥ 1.
func extend(acc uint64, s uint) int32 {
	v := int32(acc >> ((64 - s) & 63))
	// Without a set top bit the value is negative.
	return v + (int32(acc>>63)-1)&(1-1<<(s&31))
}

const lookBits = 10

// A huffTable decodes one Huffman table. look is indexed by the next lookBits
// bits. An entry is
//
//	value<<16 | run<<8 | folded | consumed
//
// where the code and the coefficient bits after it fit into the index: consumed
// counts both; otherwise symbol<<8 | length of the code; 0 where the code is
// longer than lookBits.
type huffTable struct {
	look    [1 << lookBits]uint32
	maxCode [17]int32 // by length; -1 where there is none
	offset  [17]int32 // symbol index = code + offset[length]
	symbols [256]byte
	defined bool
}

const folded = 1 << 7

// build prepares the table for counts[i] codes of i+1 bits, as the standard's
// Annex C assigns them, and reports whether they fit.
func (t *huffTable) build(counts []byte, symbols []byte) bool {
	t.defined = false
	clear(t.look[:])
	copy(t.symbols[:], symbols)
	code, k := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		t.maxCode[length] = -1
		t.offset[length] = k - code
		for range n {
			if code >= 1<<length {
				return false
			}
			if length <= lookBits {
				t.enter(uint32(code), uint(length), symbols[k])
			}
			t.maxCode[length] = code
			code++
			k++
		}
		code <<= 1
	}
	t.defined = true
	return true
}

// enter fills the look-up entries that begin with code.
func (t *huffTable) enter(code uint32, length uint, symbol byte) {
	rest := lookBits - length
	size := uint(symbol & 15)
	for i := range uint32(1) << rest {
		index := code<<rest | i
		entry := uint32(symbol)<<8 | uint32(length)
		if size > 0 && size <= rest {
			v := extend(uint64(index)<<(64-lookBits+length), size)
			entry = uint32(v)<<16 | uint32(symbol>>4)<<8 | folded | uint32(length+size)
		}
		t.look[index] = entry
	}
}

// slow decodes a code longer than lookBits at the top of acc: the symbol and
// the code's length, which is 0 where no code matches.
func (t *huffTable) slow(acc uint64) (symbol byte, length int) {
	for length = lookBits + 1; length <= 16; length++ {
		code := int32(acc >> uint(64-length))
		if code <= t.maxCode[length] {
			return t.symbols[(code+t.offset[length])&255], length
		}
	}
	return 0, 0
}

// symbol takes the next symbol; ok is false where no code matches.
func (b *bitReader) symbol(t *huffTable) (symbol byte, ok bool) {
	if b.n < 16 {
		b.fill()
	}
	e := t.look[b.acc>>(64-lookBits)]
	var length int
	switch {
	case e == 0:
		if symbol, length = t.slow(b.acc); length == 0 {
			if !b.lenient {
				return 0, false
			}
			b.drop(17) // libjpeg stops looking behind the longest code
			return 0, true
		}
	case e&folded != 0:
		// The entry has the coefficient folded in; its size is wanted.
		size := extendSize(int32(e) >> 16)
		symbol, length = byte(e>>8&15)<<4|byte(size), int(e&63)-size
	default:
		symbol, length = byte(e>>8), int(e&63)
	}
	b.acc <<= uint(length)
	b.n -= length
	return symbol, true
}

// drop passes over up to 32 bits.
func (b *bitReader) drop(n int) {
	if b.n < n {
		b.fill()
	}
	b.acc <<= uint(n)
	b.n -= n
}

// left is how many bits of the stretch have not been used, as far as they were read.
func (b *bitReader) left() int { return b.n - b.pad }

// extendSize is the number of bits that code the coefficient v.
func extendSize(v int32) int {
	if v < 0 {
		v = -v
	}
	return bits.Len32(uint32(v))
}

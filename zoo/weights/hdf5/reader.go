package hdf5

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// undefined is the address of what is not there: all bits of it are one.
const undefined = ^uint64(0)

// budget is how many bytes may be read of the tables of a file of that size, chunks and elements left out. A sound file's
// blocks do not overlap and each is read once, its beginning perhaps twice.
func budget(size int64) int64 { return 4*size + 4096 }

// pay takes n bytes from the budget.
func (f *File) pay(at uint64, n int) error {
	if f.left -= int64(n); f.left < 0 {
		return broken(at, "blocks overlap or form a circle: they have more bytes than the file")
	}
	return nil
}

// once is an error where a block has been read before: in a sound file each has one owner.
func (f *File) once(what string, at uint64) error {
	if f.seen[at] {
		return broken(at, "%s is used twice", what)
	}
	f.seen[at] = true
	return nil
}

// block reads n bytes of a table at an address.
func (f *File) block(what string, at, n uint64) (*cursor, error) {
	if at == undefined {
		return nil, broken(at, "%s has no address", what)
	}
	if at > uint64(f.size) || n > uint64(f.size)-at {
		return nil, broken(at, "%s of %d bytes at %d does not fit into a file of %d", what, n, at, f.size)
	}
	if err := f.pay(at, int(n)); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if err := f.readAt(b, at); err != nil {
		return nil, err
	}
	return &cursor{f: f, what: what, b: b, at: at}, nil
}

// readAt fills b.
func (f *File) readAt(b []byte, at uint64) error {
	if n, err := f.r.ReadAt(b, int64(at)); n < len(b) {
		if err == io.EOF {
			return broken(at+uint64(n), "the file became shorter after it was opened: it had %d bytes", f.size)
		}
		return fmt.Errorf("hdf5: %w", err)
	}
	return nil
}

// signed reads the first n bytes of a block that begins with a signature and version 0 or another, after which the cursor
// is. It is an error to read it twice.
func (f *File) signed(what, signature string, version byte, at, n uint64) (*cursor, error) {
	c, err := f.block(what, at, n)
	if err == nil {
		err = f.once(what, at)
	}
	if err != nil {
		return nil, err
	}
	if have := c.take(len(signature)); c.err == nil && string(have) != signature {
		return nil, broken(at, "%s begins with %q, want %q", what, have, signature)
	}
	if have := c.u8(); c.err == nil && have != version {
		return nil, unread(at, "%s of version %d, want %d", what, have, version)
	}
	return c, c.err
}

// A cursor reads the fields of a block one after another. The first that reaches beyond the block leaves an error, and
// all that follow are zero.
type cursor struct {
	f    *File
	what string
	b    []byte
	at   uint64 // of b[0]
	i    int
	err  error
}

// pos is the address of the next byte.
func (c *cursor) pos() uint64 { return c.at + uint64(c.i) }

// rest is the number of bytes to come.
func (c *cursor) rest() int { return len(c.b) - c.i }

// broken is a *FormatError about the block.
func (c *cursor) broken(format string, args ...any) error {
	return broken(c.pos(), "%s", c.what+": "+fmt.Sprintf(format, args...))
}

// take is the next n bytes, nil where there are fewer.
func (c *cursor) take(n int) []byte {
	if c.err == nil && (n < 0 || n > c.rest()) {
		c.err = c.broken("ends early: want %d bytes, have %d", n, c.rest())
	}
	if c.err != nil {
		return nil
	}
	c.i += n
	return c.b[c.i-n : c.i : c.i]
}

func (c *cursor) skip(n int) { c.take(n) }

// uint is the next n bytes, 8 at most, as a number.
func (c *cursor) uint(n int) uint64 {
	var wide [8]byte
	copy(wide[:], c.take(n))
	return binary.LittleEndian.Uint64(wide[:])
}

func (c *cursor) u8() byte    { return byte(c.uint(1)) }
func (c *cursor) u16() int    { return int(c.uint(2)) }
func (c *cursor) u32() uint32 { return uint32(c.uint(4)) }

// address is the next address.
func (c *cursor) address() uint64 { return c.orUndefined(c.f.offsets) }

// length is the next length.
func (c *cursor) length() uint64 { return c.uint(c.f.lengths) }

// orUndefined is the next n bytes as a number, undefined if all their bits are one.
func (c *cursor) orUndefined(n int) uint64 {
	v := c.uint(n)
	if c.err == nil && v == undefined>>(64-8*n) {
		return undefined
	}
	return v
}

// trim cuts the block to n bytes.
func (c *cursor) trim(n int) {
	if c.err == nil && n > len(c.b) {
		c.err = c.broken("ends early: want %d bytes, have %d", n, len(c.b))
		return
	}
	c.b = c.b[:min(n, len(c.b))]
}

// checksum verifies the block's last 4 bytes, and cuts them off.
func (c *cursor) checksum() error {
	n := len(c.b) - 4
	if n < 0 && c.err == nil {
		c.err = c.broken("ends before its checksum")
	}
	if c.err != nil {
		return c.err
	}
	have, want := lookup3(c.b[:n]), binary.LittleEndian.Uint32(c.b[n:])
	if have != want && c.f.verify {
		return broken(c.at+uint64(n), "%s: checksum %08x, want %08x", c.what, have, want)
	}
	c.trim(n)
	return c.err
}

// body is a cursor over a part of the block.
func (c *cursor) body(what string, n int) *cursor {
	at := c.pos()
	return &cursor{f: c.f, what: what, b: c.take(n), at: at, err: c.err}
}

// lookup3 is Bob Jenkins's hash of that name, by which blocks are checked.
func lookup3(b []byte) uint32 {
	x := uint32(0xdeadbeef) + uint32(len(b))
	y, z := x, x
	for ; len(b) > 12; b = b[12:] {
		x += binary.LittleEndian.Uint32(b)
		y += binary.LittleEndian.Uint32(b[4:])
		z += binary.LittleEndian.Uint32(b[8:])
		x = (x - z) ^ bits.RotateLeft32(z, 4)
		z += y
		y = (y - x) ^ bits.RotateLeft32(x, 6)
		x += z
		z = (z - y) ^ bits.RotateLeft32(y, 8)
		y += x
		x = (x - z) ^ bits.RotateLeft32(z, 16)
		z += y
		y = (y - x) ^ bits.RotateLeft32(x, 19)
		x += z
		z = (z - y) ^ bits.RotateLeft32(y, 4)
		y += x
	}
	if len(b) == 0 {
		return z
	}
	var last [12]byte
	copy(last[:], b)
	x += binary.LittleEndian.Uint32(last[:])
	y += binary.LittleEndian.Uint32(last[4:])
	z += binary.LittleEndian.Uint32(last[8:])
	z = (z ^ y) - bits.RotateLeft32(y, 14)
	x = (x ^ z) - bits.RotateLeft32(z, 11)
	y = (y ^ x) - bits.RotateLeft32(x, 25)
	z = (z ^ y) - bits.RotateLeft32(y, 16)
	x = (x ^ z) - bits.RotateLeft32(z, 4)
	y = (y ^ x) - bits.RotateLeft32(x, 14)
	return (z ^ y) - bits.RotateLeft32(y, 24)
}

package hdf5

import "fmt"

// A Kind is what an element is.
type Kind int

// The kinds of elements.
const (
	Other    Kind = iota // what has no kind of its own here
	Float                // IEEE 754 of 16, 32 or 64 bits
	BFloat16             // the upper half of a float32
	Int                  // two's complement of 8 to 64 bits
	Uint
	String // of a fixed number of bytes
	VarString
	Opaque // bytes without a meaning
)

// A Type is the type of a dataset's or an attribute's elements.
type Type struct {
	Kind      Kind
	Bytes     int
	BigEndian bool

	padding byte   // of strings: 0 ended by a zero, 1 filled up with zeros, 2 with spaces
	other   string // what an Other is
}

// String is "float32", "big-endian int64", "string of 12 bytes", "enumeration".
func (t Type) String() string {
	order := ""
	if t.BigEndian {
		order = "big-endian "
	}
	switch t.Kind {
	case Float:
		return fmt.Sprintf("%sfloat%d", order, 8*t.Bytes)
	case BFloat16:
		return order + "bfloat16"
	case Int:
		return fmt.Sprintf("%sint%d", order, 8*t.Bytes)
	case Uint:
		return fmt.Sprintf("%suint%d", order, 8*t.Bytes)
	case String:
		return fmt.Sprintf("string of %d bytes", t.Bytes)
	case VarString:
		return "string of variable length"
	case Opaque:
		return fmt.Sprintf("opaque bytes, %d an element", t.Bytes)
	}
	return t.other
}

// datatype reads a datatype message (section IV.A.2.d).
func datatype(c *cursor) (Type, error) {
	start := c.pos()
	head := c.u8()
	flags := uint32(c.uint(3))
	size := c.u32()
	if c.err != nil {
		return Type{}, c.err
	}
	class, version := head&15, head>>4
	if version < 1 || version > 5 {
		return Type{}, unread(start, "datatype of version %d, want 1 to 5", version)
	}
	if size == 0 || size > 1<<31-1 {
		return Type{}, broken(start, "datatype of %d bytes", size)
	}
	t := Type{Bytes: int(size)}
	switch class {
	case 0:
		t.BigEndian = flags&1 != 0
		offset, precision := c.u16(), c.u16()
		switch {
		case offset != 0 || precision != 8*t.Bytes || t.Bytes > 8 || t.Bytes&(t.Bytes-1) != 0:
			t.other = fmt.Sprintf("integer of %d bits in %d bytes", precision, size)
		case flags&8 != 0:
			t.Kind = Int
		default:
			t.Kind = Uint
		}
	case 1:
		t.BigEndian = flags&1 != 0
		t.Kind = float(flags, t.Bytes, c)
		t.other = fmt.Sprintf("floating-point number of %d bytes that is not IEEE 754's", size)
	case 3:
		t.Kind, t.padding = String, byte(flags&15)
	case 5:
		t.Kind = Opaque
	case 9:
		if t.other = "sequence of variable length"; flags&15 == 1 {
			t.Kind, t.padding = VarString, byte(flags>>4&15)
		}
	case 2, 4, 6, 7, 8, 10:
		t.other = map[byte]string{2: "time", 4: "bit field", 6: "compound", 7: "reference", 8: "enumeration", 10: "array"}[class]
	default:
		t.other = fmt.Sprintf("datatype of class %d", class)
	}
	return t, c.err
}

// float is the kind of floating-point number that fields make of bytes.
func float(flags uint32, bytes int, c *cursor) Kind {
	type layout struct{ bits, exponentAt, exponent, mantissaAt, mantissa, bias uint64 }
	kinds := map[layout]Kind{
		{16, 10, 5, 0, 10, 15}: Float, {32, 23, 8, 0, 23, 127}: Float, {64, 52, 11, 0, 52, 1023}: Float,
		{16, 7, 8, 0, 7, 127}: BFloat16,
	}
	const mixed, implied = 0x40, 0x20 // the VAX's order of bytes; a mantissa without its first bit
	offset := c.u16()
	have := layout{c.uint(2), c.uint(1), c.uint(1), c.uint(1), c.uint(1), c.uint(4)}
	sign := uint64(flags >> 8 & 255)
	if offset != 0 || have.bits != 8*uint64(bytes) || sign != have.bits-1 || flags&mixed != 0 || flags&0x30 != implied {
		return Other
	}
	return kinds[have]
}

// maxRank is the format's bound on the number of dimensions.
const maxRank = 32

// maxElements bounds the number of elements.
const maxElements = 1 << 48

// A space is the shape of a dataset or an attribute.
type space struct {
	shape []int
	most  []uint64 // how far each dimension can grow, undefined for without a bound
	null  bool     // no element at all
}

// elements is the number of elements.
func (s space) elements() int64 {
	if s.null {
		return 0
	}
	n := int64(1)
	for _, d := range s.shape {
		n *= int64(d)
	}
	return n
}

// dataspace reads a dataspace message (section IV.A.2.b).
func dataspace(c *cursor) (space, error) {
	start := c.pos()
	version := c.u8()
	rank := int(c.u8())
	bounds := c.u8()&1 != 0
	var s space
	switch {
	case c.err != nil:
	case version == 1:
		c.skip(5)
	case version == 2:
		s.null = c.u8() == 2
	default:
		return s, unread(start, "dataspace of version %d, want 1 or 2", version)
	}
	if rank > maxRank {
		return s, broken(start, "dataspace of %d dimensions, want at most %d", rank, maxRank)
	}
	n := uint64(1)
	s.shape = make([]int, rank)
	for i := range s.shape {
		d := c.length()
		if d > maxElements/n || uint64(int(d)) != d {
			return s, broken(start, "dataspace: dimension %d is too large", d)
		}
		n *= max(d, 1)
		s.shape[i] = int(d)
		s.most = append(s.most, d)
	}
	if bounds {
		for i, d := range s.shape {
			if s.most[i] = c.orUndefined(c.f.lengths); s.most[i] < uint64(d) && c.err == nil {
				return s, broken(start, "dataspace: dimension of %d, want at most %d", d, s.most[i])
			}
		}
	}
	return s, c.err
}

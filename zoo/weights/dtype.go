package weights

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// A Dtype is an element type, by its name in the safetensors format.
type Dtype string

// The element types that a file may hold.
const (
	F64     Dtype = "F64"
	F32     Dtype = "F32"
	F16     Dtype = "F16"
	BF16    Dtype = "BF16"
	F8E5M2  Dtype = "F8_E5M2"
	F8E4M3  Dtype = "F8_E4M3"
	F8E8M0  Dtype = "F8_E8M0"
	F8E5M2Z Dtype = "F8_E5M2FNUZ"
	F8E4M3Z Dtype = "F8_E4M3FNUZ"
	I64     Dtype = "I64"
	I32     Dtype = "I32"
	I16     Dtype = "I16"
	I8      Dtype = "I8"
	U64     Dtype = "U64"
	U32     Dtype = "U32"
	U16     Dtype = "U16"
	U8      Dtype = "U8"
	Bool    Dtype = "BOOL"
	C64     Dtype = "C64"
	C128    Dtype = "C128" // PyTorch only
)

// size is the bytes of one element, 0 for a type that is not known.
func (d Dtype) size() int {
	switch d {
	case C128:
		return 16
	case F64, I64, U64, C64:
		return 8
	case F32, I32, U32:
		return 4
	case F16, BF16, I16, U16:
		return 2
	case F8E5M2, F8E4M3, F8E8M0, F8E5M2Z, F8E4M3Z, I8, U8, Bool:
		return 1
	}
	return 0
}

// readable reports whether Float32 and Read give this type's elements.
func (d Dtype) readable() bool {
	return d == F32 || d == F16 || d == BF16 || d == F64
}

// float8 reports whether the elements are floating-point numbers of 8 bits, which are read by nothing here.
func (d Dtype) float8() bool {
	return d == F8E5M2 || d == F8E4M3 || d == F8E8M0 || d == F8E5M2Z || d == F8E4M3Z
}

// littleHost reports whether this machine's float32 have the byte order of the files.
func littleHost() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// bytesOf is dst's memory.
func bytesOf(dst []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), 4*len(dst))
}

// pairsOf is the memory of x, but for the last of an odd number of elements, two elements at a time.
func pairsOf(x []float32) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(x))), len(x)/2)
}

// int8Bytes is x's memory.
func int8Bytes(x []int8) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// floatsOf is b's memory as float32, nil where b does not start at a multiple of 4.
func floatsOf(b []byte) []float32 {
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%4 != 0 {
		return nil
	}
	return unsafe.Slice((*float32)(p), len(b)/4)
}

// Decode converts len(dst) little-endian elements of F32, F16, BF16 or F64 to float32.
func Decode(dst []float32, d Dtype, src []byte) {
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
		}
	case BF16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
		}
	case F16:
		for i := range dst {
			dst[i] = fromHalf(binary.LittleEndian.Uint16(src[2*i:]))
		}
	}
}

// fromHalf is the float32 of an IEEE 754 binary16: every one is exact.
func fromHalf(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, frac := uint32(h>>10)&31, uint32(h)&0x3ff
	switch exp {
	case 0: // zero or subnormal: frac · 2⁻²⁴
		v := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

// halfInf is infinity as a binary16.
const halfInf = 0x7c00

// toHalf is the binary16 that is nearest to a float32, the even one of two equally near; infinity beyond 65520.
func toHalf(v float32) uint16 {
	b := math.Float32bits(v)
	sign, exp, frac := uint16(b>>16)&0x8000, int(b>>23)&255-127+15, b&0x7fffff
	switch {
	case b&0x7fffffff > 0x7f800000: // NaN: at least one bit of its own is left
		return sign | halfInf | uint16(frac>>13) | 0x200
	case exp >= 31:
		return sign | halfInf
	case exp < -10: // less than half of 2⁻²⁴
		return sign
	}
	cut := 13 // bits that have no place
	if exp <= 0 {
		frac, cut, exp = frac|0x800000, 14-exp, 0
	}
	h := uint32(exp)<<10 + frac>>cut
	if rest, tie := frac&(1<<cut-1), uint32(1)<<(cut-1); rest > tie || rest == tie && h&1 == 1 {
		h++ // may carry into the exponent, up to infinity
	}
	return sign | uint16(h)
}

// addressIn is the index in b of an address, -1 where it lies elsewhere.
func addressIn(b []byte, address uintptr) int64 {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	if address < start || address-start >= uintptr(len(b)) {
		return -1
	}
	return int64(address - start)
}

package kernels

import "math"

// Quant is how bytes stand for numbers: q for Scale·(q − Zero). The real zero is always exactly a byte, Zero.
type Quant struct {
	Scale float32 // at least 2⁻¹²⁶ and finite; 0 where there is no tensor of bytes
	Zero  uint8
}

// Tensor8 is a Tensor of bytes.
type Tensor8 struct {
	Data       []uint8
	N, H, W, C int
	Stride     int // bytes from one pixel to the next, at least C
	Quant
}

// Pixels is the number of pixels of all images.
func (t Tensor8) Pixels() int { return t.N * t.H * t.W }

// check panics unless the tensor's memory holds all its elements and they have the given meaning.
func (t Tensor8) check(q Quant, short, other string) {
	if t.N < 1 || t.H < 1 || t.W < 1 || t.C < 1 || t.Stride < t.C || len(t.Data) < (t.Pixels()-1)*t.Stride+t.C {
		panic(short)
	}
	if t.Quant != q {
		panic(other)
	}
}

// leastScale is the least that has a float32 for its reciprocal and is no subnormal number.
const leastScale = 0x1p-126

// check panics unless the scale is one.
func (q Quant) check(text string) {
	if !(q.Scale >= leastScale && q.Scale <= math.MaxFloat32) {
		panic(text)
	}
}

// Byte is the byte that stands for x: the nearest, of two the even one, at most as far as bytes go. NaN is 0.
func (q Quant) Byte(x float64) uint8 {
	return uint8(min(max(rounded(x, float64(q.Scale))+float64(q.Zero), 0), 255))
}

// rounded is x/unit rounded to a whole number; 0 for NaN.
func rounded(x, unit float64) float64 {
	if y := math.RoundToEven(x / unit); y == y {
		return y
	}
	return 0
}

// Real is the number that a byte stands for.
func (q Quant) Real(b uint8) float64 { return float64(q.Scale) * float64(int(b)-int(q.Zero)) }

// Table is, for every byte, f of the number that it stands for in q, as a byte in to.
func (q Quant) Table(f func(float64) float64, to Quant) *[256]uint8 {
	t := new([256]uint8)
	for i := range t {
		t[i] = to.Byte(f(q.Real(uint8(i))))
	}
	return t
}

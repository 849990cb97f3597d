package kernels

import (
	"math"
	"unsafe"

	"zoobench/kernels/internal/i8"
)

// ratio is from/to in float32.
func ratio(from, to float64) float32 { return float32(from / to) }

// finish8 is what an operation does with its results: a clamp in the scale of its sums, then a table where the activation is no clamp.
type finish8 struct {
	i8.Finish
	table *[256]uint8
}

// newFinish8 is the finish of sums with an activation: to bytes as out has them, which the sums are before a table too if the
// activation is a clamp; otherwise the sums are bytes as sums has them.
func newFinish8(act Act, sums, out Quant) (f finish8, as Quant) {
	as = out
	if !act.isClamp() {
		sums.check("kernels: an activation by table of sums without a scale")
		as = sums
		f.table = sums.Table(act.real, out)
	}
	as.check("kernels: an output without a scale")
	f.Zero = int32(as.Zero)
	lo, hi := act.clamp()
	f.Lo, f.Hi = float32(-f.Zero), float32(255-f.Zero)
	if lo == 0 {
		f.Lo = 0
	}
	if hi < infinity {
		f.Hi = min(f.Hi, float32(rounded(float64(hi), float64(as.Scale))))
	}
	return f, as
}

// real is the activation function as its definition has it.
func (a Act) real(x float64) float64 {
	lo, hi := a.clamp()
	switch a {
	case Sigmoid:
		return 1 / (1 + math.Exp(-x))
	case SiLU:
		return x / (1 + math.Exp(-x))
	case HardSigmoid:
		return min(max(x+3, 0), 6) / 6
	case HardSwish:
		return x * min(max(x+3, 0), 6) / 6
	case GELU:
		return x / 2 * math.Erfc(-x/math.Sqrt2)
	case GELUTanh:
		return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}
	return min(max(x, float64(lo)), float64(hi))
}

// apply looks up n pixels of c channels in the table, in place, if there is one; t is the caller's, to be overwritten.
func (f *finish8) apply(l *i8.Level, t *i8.Rows, x []uint8, stride, c, n int) {
	if f.table != nil {
		*t = byteRows(&x[0], stride, &x[0], stride, c, n)
		t.Table = f.table
		l.Table(t)
	}
}

// byteRows are n rows of c bytes, as one row where they follow one another.
func byteRows(out *uint8, ldo int, in *uint8, ldi, c, n int) i8.Rows {
	if ldo == c && ldi == c {
		c, n = c*n, 1
	}
	return i8.Rows{Out: unsafe.Pointer(out), In: unsafe.Pointer(in), LDO: ldo, LDI: ldi, C: c, RowsLeft: n}
}

// fill sets all of x to a byte.
func fill(x []uint8, b uint8) {
	for i := range x {
		x[i] = b
	}
}

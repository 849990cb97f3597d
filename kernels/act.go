package kernels

import "zoobench/kernels/internal/f32"

// Act is an activation function, applied element by element.
type Act uint8

// The activation functions. For finite x they are within 1.5e-7·max(|x|, 1) of their definitions; what an infinity
// becomes, its limit or a NaN, depends on the instruction set.
const (
	None        Act = iota
	ReLU            // max(x, 0)
	ReLU6           // min(max(x, 0), 6)
	Sigmoid         // 1/(1 + e^−x)
	SiLU            // x · sigmoid(x)
	HardSigmoid     // min(max(x + 3, 0), 6)/6
	HardSwish       // x · hardsigmoid(x)
	GELU            // x · Φ(x), by erf
	GELUTanh        // x/2 · (1 + tanh(√(2/π)·(x + 0.044715x³)))
)

// isClamp reports whether the function is a clamp, which other kernels do on the way out.
func (a Act) isClamp() bool { return a <= ReLU6 }

// clamp is the range of outputs of a clamp, and everything for the other functions.
func (a Act) clamp() (lo, hi float32) {
	switch a {
	case ReLU:
		return 0, infinity
	case ReLU6:
		return 0, 6
	}
	return -infinity, infinity
}

// apply computes a function that is no clamp in place, over n rows of c channels, stride elements apart; t is the
// caller's, to be overwritten.
func (a Act) apply(l *f32.Level, t *f32.Rows, x []float32, stride, c, n int) {
	if stride == c {
		c, n = c*n, 1
	}
	*t = f32.Rows{Out: &x[0], In: &x[0], LDO: 4 * stride, LDI: 4 * stride, C: c, RowsLeft: n, Mask: mask8(c)}
	a.kernel(l)(t)
}

// kernel is a level's of a function that is no clamp.
func (a Act) kernel(l *f32.Level) func(*f32.Rows) {
	switch a {
	case Sigmoid:
		return l.Sigmoid
	case SiLU:
		return l.SiLU
	case HardSigmoid:
		return l.HardSigmoid
	case HardSwish:
		return l.HardSwish
	case GELU:
		return l.GELU
	case GELUTanh:
		return l.GELUTanh
	}
	panic("kernels: an activation function without a kernel")
}

// slope is a level's kernel of the gradient; nil where it is made of the functions themselves.
func (a Act) slope(l *f32.Level) func(*f32.Rows) {
	switch a {
	case ReLU, ReLU6:
		return l.Slope
	case Sigmoid:
		return l.SigmoidGrad
	case SiLU:
		return l.SiLUGrad
	case HardSigmoid:
		return l.HardSigmoidGrad
	case HardSwish:
		return l.HardSwishGrad
	case GELU:
		return l.GELUGrad
	case GELUTanh:
		return l.GELUTanhGrad
	}
	return nil
}

package kernels

import "math"

// Act is an activation function, applied element by element.
type Act uint8

// The activation functions.
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

// isClamp tells whether the function is a clamp, which matrix microkernels do themselves.
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

// apply computes x = a(x) in place.
func (a Act) apply(x []float32) {
	switch a {
	case ReLU, ReLU6:
		lo, hi := a.clamp()
		for i, v := range x {
			x[i] = min(max(v, lo), hi)
		}
	case Sigmoid:
		for i, v := range x {
			x[i] = sigmoid(v)
		}
	case SiLU:
		for i, v := range x {
			x[i] = v * sigmoid(v)
		}
	case HardSigmoid:
		for i, v := range x {
			x[i] = min(max(v+3, 0), 6) / 6
		}
	case HardSwish:
		for i, v := range x {
			x[i] = v * (min(max(v+3, 0), 6) / 6)
		}
	case GELU:
		for i, v := range x {
			x[i] = float32(0.5 * float64(v) * math.Erfc(-float64(v)/math.Sqrt2))
		}
	case GELUTanh:
		for i, v := range x {
			u := float64(v)
			x[i] = float32(0.5 * u * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(u+0.044715*u*u*u))))
		}
	}
}

func sigmoid(x float32) float32 { return float32(1 / (1 + math.Exp(-float64(x)))) }

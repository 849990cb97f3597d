package ref

import "math"

// ApplyGrad is the gradient of Apply: dx[i] = dy[i]·slope(x[i]); dx may be dy.
func ApplyGrad(dx, dy, x []float64, slope func(float64) float64) {
	check("dx", len(dx), len(x))
	check("dy", len(dy), len(x))
	for i, v := range x {
		dx[i] = dy[i] * slope(v)
	}
}

// ReLUSlope is ReLU's derivative, 0 at 0.
func ReLUSlope(x float64) float64 { return between(x, 0, math.Inf(1)) }

// ReLU6Slope is ReLU6's derivative, 0 at 0 and 6.
func ReLU6Slope(x float64) float64 { return between(x, 0, 6) }

// between is 1 for x above lo and below hi, and 0 elsewhere.
func between(x, lo, hi float64) float64 {
	if x > lo && x < hi {
		return 1
	}
	return 0
}

// SigmoidSlope is Sigmoid's derivative.
func SigmoidSlope(x float64) float64 { return Sigmoid(x) * Sigmoid(-x) }

// SiLUSlope is SiLU's derivative.
func SiLUSlope(x float64) float64 { return Sigmoid(x) + x*SigmoidSlope(x) }

// HardSigmoidSlope is HardSigmoid's derivative, 0 at −3 and 3.
func HardSigmoidSlope(x float64) float64 { return between(x, -3, 3) / 6 }

// HardSwishSlope is HardSwish's derivative.
func HardSwishSlope(x float64) float64 { return HardSigmoid(x) + x*HardSigmoidSlope(x) }

// GELUSlope is GELU's derivative.
func GELUSlope(x float64) float64 {
	return 0.5*(1+math.Erf(x/math.Sqrt2)) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
}

// GELUTanhSlope is GELUTanh's derivative.
func GELUTanhSlope(x float64) float64 {
	t := math.Tanh(math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x))
	return 0.5*(1+t) + 0.5*x*(1-t*t)*math.Sqrt(2/math.Pi)*(1+3*0.044715*x*x)
}

// MulGrad is the gradients of Mul: dx, dy and x (N·C,P), gate and dgate (N·C) or (N·C,P).
func MulGrad(dx, dgate, dy, x, gate []float64, nc, p int) {
	Mul(dx, dy, gate, nc, p)
	check("x", len(x), nc*p)
	check("dgate", len(dgate), len(gate))
	clear(dgate)
	each := len(x) / len(gate) // elements of x that one of the gate multiplies
	for i, g := range dy {
		dgate[i/each] += g * x[i]
	}
}

// SplitSoftmaxGrad is the gradient of SplitSoftmax, whose result is y: dx, dy and y (N,parts,C/parts·P).
func SplitSoftmaxGrad(dx, dy, y []float64, parts, n, c, p int) {
	check("dx", len(dx), n*c*p)
	check("dy", len(dy), n*c*p)
	check("y", len(y), n*c*p)
	size := c / parts * p
	for i := range n * size {
		at := i/size*c*p + i%size // of part 0
		sum := 0.0
		for k := range parts {
			sum += dy[at+k*size] * y[at+k*size]
		}
		for k := range parts {
			dx[at+k*size] = y[at+k*size] * (dy[at+k*size] - sum)
		}
	}
}

package replay

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

func unary(o *operation) (*Value, error) {
	f := o.function()
	y := floats(o.in[0].Dims...)
	for i, v := range o.in[0].Floats {
		y.Floats[i] = float32(f(float64(v)))
	}
	return y, nil
}

// function is an operator of one number.
func (o *operation) function() func(float64) float64 {
	alpha, beta := o.float("alpha", 0.2), o.float("beta", 0.5)
	if o.node.Op == "HardSwish" {
		alpha, beta = 1.0/6, 0.5
	}
	hard := func(x float64) float64 { return min(max(alpha*x+beta, 0), 1) }
	switch o.node.Op {
	case "Sigmoid":
		return func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	case "HardSigmoid":
		return hard
	case "HardSwish":
		return func(x float64) float64 { return x * hard(x) }
	case "Erf":
		return math.Erf
	case "Tanh":
		return math.Tanh
	case "Gelu":
		if a := o.attribute("approximate"); a != nil && a.Text == "tanh" {
			return func(x float64) float64 { return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }
		}
		return func(x float64) float64 { return x / 2 * (1 + math.Erf(x/math.Sqrt2)) }
	}
	return func(x float64) float64 { return max(x, 0) }
}

func clip(o *operation) (*Value, error) {
	y := floats(o.in[0].Dims...)
	for i, v := range o.in[0].Floats {
		y.Floats[i] = min(max(v, o.in[1].Floats[0]), o.in[2].Floats[0])
	}
	return y, nil
}

func pairs(o *operation) (*Value, error) {
	a, b := o.in[0], o.in[1]
	dims, err := joined(a.Dims, b.Dims)
	if err != nil {
		return nil, err
	}
	f := map[string]func(a, b float32) float32{
		"Add": func(a, b float32) float32 { return a + b }, "Sub": func(a, b float32) float32 { return a - b },
		"Mul": func(a, b float32) float32 { return a * b }, "Div": func(a, b float32) float32 { return a / b },
		"Pow": func(a, b float32) float32 { return float32(math.Pow(float64(a), float64(b))) },
	}[o.node.Op]
	y := floats(dims...)
	if slices.Equal(a.Dims, b.Dims) {
		for i := range y.Floats {
			y.Floats[i] = f(a.Floats[i], b.Floats[i])
		}
		return y, nil
	}
	from := make([]int, len(y.Floats))
	walk(dims, spread(a.Dims, dims), func(i, offset int) { from[i] = offset })
	walk(dims, spread(b.Dims, dims), func(i, offset int) { y.Floats[i] = f(a.Floats[from[i]], b.Floats[offset]) })
	return y, nil
}

func globalMean(o *operation) (*Value, error) {
	x := o.in[0]
	return means(x, 2, x.Dims[0], x.Dims[1], 1, 1), nil
}

// mean is that of axes in the middle, which are left out.
func mean(o *operation) (*Value, error) {
	x := o.in[0]
	axes := o.ints("axes")
	if len(o.in) > 1 {
		axes = narrow(o.in[1].Ints)
	}
	for i, a := range axes {
		if a != 1+i {
			return nil, fmt.Errorf("axes %v, want those from 1 on", axes)
		}
	}
	if o.int("keepdims", 1) != 0 || len(axes)+2 != len(x.Dims) {
		return nil, errors.New("want all axes but the first and the last, left out")
	}
	// (N, pixels, C) to (N, C, pixels)
	n, c := x.Dims[0], x.Dims[len(x.Dims)-1]
	return means(turned(as(x, n, len(x.Floats)/(n*c), c), 0, 2, 1), 2, n, c), nil
}

// means are those of all axes from one on.
func means(x *Value, axis int, dims ...int) *Value {
	y, each := floats(dims...), count(x.Dims[axis:])
	for i := range y.Floats {
		sum := 0.0
		for _, v := range x.Floats[i*each : (i+1)*each] {
			sum += float64(v)
		}
		y.Floats[i] = float32(sum / float64(each))
	}
	return y
}

// batchNorm multiplies each channel and adds to it; channels are the second axis.
func batchNorm(o *operation) (*Value, error) {
	x, eps := o.in[0], o.float("epsilon", 1e-5)
	y, each := floats(x.Dims...), count(x.Dims[2:])
	for i := range x.Dims[0] * x.Dims[1] {
		c := i % x.Dims[1]
		scale := float64(o.in[1].Floats[c]) / math.Sqrt(float64(o.in[4].Floats[c])+eps)
		for k := i * each; k < (i+1)*each; k++ {
			y.Floats[k] = float32((float64(x.Floats[k])-float64(o.in[3].Floats[c]))*scale + float64(o.in[2].Floats[c]))
		}
	}
	return y, nil
}

// normed is x with each row of n numbers less its mean and over its deviation.
func normed(x *Value, n int, eps float64) *Value {
	y := floats(x.Dims...)
	for row := 0; row < len(x.Floats); row += n {
		mean, square := 0.0, 0.0
		for _, v := range x.Floats[row : row+n] {
			mean += float64(v)
		}
		mean /= float64(n)
		for _, v := range x.Floats[row : row+n] {
			square += (float64(v) - mean) * (float64(v) - mean)
		}
		scale := 1 / math.Sqrt(square/float64(n)+eps)
		for i := row; i < row+n; i++ {
			y.Floats[i] = float32((float64(x.Floats[i]) - mean) * scale)
		}
	}
	return y
}

func layerNorm(o *operation) (*Value, error) {
	n := o.in[0].Dims[len(o.in[0].Dims)-1]
	y := normed(o.in[0], n, o.float("epsilon", 1e-5))
	for i := range y.Floats {
		y.Floats[i] = y.Floats[i]*o.in[1].Floats[i%n] + o.in[2].Floats[i%n]
	}
	return y, nil
}

func instanceNorm(o *operation) (*Value, error) {
	x := o.in[0]
	each := count(x.Dims[2:])
	y := normed(x, each, o.float("epsilon", 1e-5))
	for i := range y.Floats {
		c := i / each % x.Dims[1]
		y.Floats[i] = y.Floats[i]*o.in[1].Floats[c] + o.in[2].Floats[c]
	}
	return y, nil
}

func softmax(o *operation) (*Value, error) {
	x, axis := o.in[0], o.axis(o.int("axis", -1))
	y, n, step := floats(x.Dims...), x.Dims[axis], count(x.Dims[axis+1:])
	for outer := range count(x.Dims[:axis]) {
		for inner := range step {
			at := func(i int) int { return (outer*n+i)*step + inner }
			most, sum := math.Inf(-1), 0.0
			for i := range n {
				most = max(most, float64(x.Floats[at(i)]))
			}
			for i := range n {
				sum += math.Exp(float64(x.Floats[at(i)]) - most)
			}
			for i := range n {
				y.Floats[at(i)] = float32(math.Exp(float64(x.Floats[at(i)])-most) / sum)
			}
		}
	}
	return y, nil
}

package replay

import (
	"fmt"
	"math"
)

// quantize rounds floats to unsigned bytes of one scale.
func quantize(o *operation) (*Value, error) {
	x := o.in[0]
	if len(o.in) != 3 || len(o.in[1].Floats) != 1 || len(o.in[2].Ints) != 1 {
		return nil, fmt.Errorf("want a scale and a zero point")
	}
	scale, zero := o.in[1].Floats[0], o.in[2].Ints[0]
	y := &Value{Dims: x.Dims, Ints: make([]int64, len(x.Floats))}
	for i, v := range x.Floats {
		y.Ints[i] = min(max(int64(math.RoundToEven(min(max(float64(v/scale), -1e6), 1e6)))+zero, 0), 255)
	}
	return y, nil
}

// dequantize makes floats of whole numbers, with one scale or one for each part of an axis.
func dequantize(o *operation) (*Value, error) {
	x, scale := o.in[0], o.in[1].Floats
	each := count(x.Dims)
	if len(scale) != 1 {
		axis := o.axis(o.int("axis", 1))
		if axis < 0 || axis >= len(x.Dims) || x.Dims[axis] != len(scale) {
			return nil, fmt.Errorf("%d scales for %v", len(scale), x.Dims)
		}
		each = count(x.Dims[axis+1:])
	}
	zero := make([]int64, len(scale))
	if len(o.in) > 2 {
		if zero = o.in[2].Ints; len(zero) != len(scale) {
			return nil, fmt.Errorf("%d zero points for %d scales", len(zero), len(scale))
		}
	}
	y := floats(x.Dims...)
	for i, v := range x.Ints {
		part := i / each % len(scale)
		y.Floats[i] = float32(v-zero[part]) * scale[part]
	}
	return y, nil
}

package replay

import (
	"fmt"
	"math"

	"zoobench/kernels"
)

// conv is a convolution of planes, or of rows, which are planes of one row.
func conv(o *operation) (*Value, error) {
	x, w := o.in[0], o.in[1]
	kernel, stride := o.ints("kernel_shape"), o.ints("strides", 1, 1)
	dilation, p := o.ints("dilations", 1, 1), o.ints("pads", 0, 0, 0, 0)
	flat := len(x.Dims) == 3
	if flat {
		x, kernel, p = as(x, x.Dims[0], x.Dims[1], 1, x.Dims[2]), []int{1, kernel[0]}, []int{0, p[0], 0, p[1]}
	}
	s := kernels.ConvShape{
		C: x.Dims[1], H: x.Dims[2], W: x.Dims[3], OC: w.Dims[0], KH: kernel[0], KW: kernel[1], SH: stride[0], SW: stride[1],
		DH: dilation[0], DW: dilation[1], Top: p[0], Left: p[1], Groups: o.int("group", 1), Weight: w.Floats, Exact: true,
	}
	s.OH = (s.H+p[0]+p[2]-(s.KH-1)*s.DH-1)/s.SH + 1
	s.OW = (s.W+p[1]+p[3]-(s.KW-1)*s.DW-1)/s.SW + 1
	if len(w.Floats) != s.OC*s.C/s.Groups*s.KH*s.KW || s.OH < 1 || s.OW < 1 {
		return nil, fmt.Errorf("weights %v for %v", w.Dims, x.Dims)
	}
	if len(o.in) > 2 {
		s.Bias = o.in[2].Floats
	}
	y := turned(o.convolve(s, turned(x, 0, 2, 3, 1)), 0, 3, 1, 2)
	if flat {
		y.Dims = []int{y.Dims[0], y.Dims[1], y.Dims[3]}
	}
	return y, nil
}

// convolve runs a convolution on images with channels last.
func (o *operation) convolve(s kernels.ConvShape, x *Value) *Value {
	n := x.Dims[0]
	y := floats(n, s.OH, s.OW, s.OC)
	kernels.NewConv(s, o.pool.Size()).Run(o.pool, kernels.Tensor{Data: y.Floats, N: n, H: s.OH, W: s.OW, C: s.OC, Stride: s.OC},
		kernels.Tensor{Data: x.Floats, N: n, H: s.H, W: s.W, C: s.C, Stride: s.C}, kernels.Tensor{})
	return y
}

// rows multiplies rows (…, k) by a matrix whose columns are weights (n, k).
func (o *operation) rows(x *Value, weights, bias []float32) (*Value, error) {
	k := x.Dims[len(x.Dims)-1]
	n, rows := len(weights)/k, len(x.Floats)/k
	s := kernels.ConvShape{C: k, H: 1, W: rows, OC: n, OH: 1, OW: rows, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1,
		Weight: weights, Bias: bias, Exact: true}
	if len(weights) != n*k || bias != nil && len(bias) != n {
		return nil, fmt.Errorf("%d weights and %d biases for %v", len(weights), len(bias), x.Dims)
	}
	y := o.convolve(s, as(x, 1, 1, rows, k))
	return as(y, append(append([]int{}, x.Dims[:len(x.Dims)-1]...), n)...), nil
}

func gemm(o *operation) (*Value, error) {
	if o.int("transB", 0) != 1 || o.float("alpha", 1) != 1 || o.float("beta", 1) != 1 || o.int("transA", 0) != 0 {
		return nil, fmt.Errorf("want transB alone")
	}
	var bias []float32
	if len(o.in) > 2 {
		bias = o.in[2].Floats
	}
	return o.rows(o.in[0], o.in[1].Floats, bias)
}

// matMul multiplies by a matrix on the kernels, and matrices with each other on plain loops.
func matMul(o *operation) (*Value, error) {
	a, b := o.in[0], o.in[1]
	if len(b.Dims) == 2 {
		return o.rows(a, turned(b, 1, 0).Floats, nil)
	}
	m, k, n := a.Dims[len(a.Dims)-2], a.Dims[len(a.Dims)-1], b.Dims[len(b.Dims)-1]
	dims, err := joined(a.Dims[:len(a.Dims)-2], b.Dims[:len(b.Dims)-2])
	if err != nil || b.Dims[len(b.Dims)-2] != k {
		return nil, fmt.Errorf("shapes %v and %v", a.Dims, b.Dims)
	}
	y := floats(append(append([]int{}, dims...), m, n)...)
	left := make([]int, count(dims))
	walk(dims, spread(a.Dims[:len(a.Dims)-2], dims), func(i, offset int) { left[i] = offset })
	walk(dims, spread(b.Dims[:len(b.Dims)-2], dims), func(i, offset int) {
		x, w, sum := a.Floats[left[i]*m*k:], b.Floats[offset*k*n:], y.Floats[i*m*n:]
		for row := range m {
			for j := range k {
				v := x[row*k+j]
				to, from := sum[row*n:][:n], w[j*n:][:n]
				for c := range to {
					to[c] += v * from[c]
				}
			}
		}
	})
	return y, nil
}

// pool is the largest or the mean of windows of planes.
func pool(o *operation) (*Value, error) {
	x := o.in[0]
	k, stride, p := o.ints("kernel_shape"), o.ints("strides", 1, 1), o.ints("pads", 0, 0, 0, 0)
	whole, most := o.int("count_include_pad", 0) == 1, o.node.Op == "MaxPool"
	h, w := x.Dims[2], x.Dims[3]
	y := floats(x.Dims[0], x.Dims[1], (h+p[0]+p[2]-k[0])/stride[0]+1, (w+p[1]+p[3]-k[1])/stride[1]+1)
	oh, ow := y.Dims[2], y.Dims[3]
	for plane := range x.Dims[0] * x.Dims[1] {
		from := x.Floats[plane*h*w:][:h*w]
		for i := range oh * ow {
			top, left := i/ow*stride[0]-p[0], i%ow*stride[1]-p[1]
			largest, sum, seen := float32(math.Inf(-1)), 0.0, 0
			for row := max(top, 0); row < min(top+k[0], h); row++ {
				for column := max(left, 0); column < min(left+k[1], w); column++ {
					v := from[row*w+column]
					largest, sum, seen = max(largest, v), sum+float64(v), seen+1
				}
			}
			if whole {
				seen = k[0] * k[1]
			}
			to := &y.Floats[plane*oh*ow+i]
			if *to = float32(sum / float64(seen)); most {
				*to = largest
			}
		}
	}
	return y, nil
}

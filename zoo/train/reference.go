package train

import (
	"errors"

	"zoobench/kernels"
	"zoobench/zoo/interp"
	"zoobench/zoo/train/twin"
)

// errOneElement is PyTorch's refusal too.
var errOneElement = errors.New("a batch norm of one element a channel, want at least two: more images or larger ones")

// reference computes a node as the oracle and the twin do, in float64: operations whose time is small, or that no kernel has.
type reference struct{ site }

func (r *reference) forward() error {
	y, err := interp.Node(r.Graph, r.i, r.inputs(), r.params(), r.images(r.i))
	if err == nil {
		pixelsOf(r.y(), y)
	}
	return err
}

func (r *reference) backward() error {
	dxs, dp, err := twin.Back(r.Graph, r.i, r.inputs(), planesOf(r.y()), planesOf(r.dy()), r.params(), r.images(r.i))
	if err != nil {
		return err
	}
	for k, dx := range dxs {
		r.to(k, func(dst kernels.Tensor) {
			size := len(dst.Data)
			for i, v := range dx[size:] { // one value for all images takes the sum
				dx[i%size] += v
			}
			pixelsOf(dst, dx[:size])
		})
	}
	if r.node.Weight >= 0 {
		narrow(r.Gradients[r.node.Weight], dp.Weight)
	}
	if r.node.Bias >= 0 {
		narrow(r.Gradients[r.node.Bias], dp.Bias)
	}
	return nil
}

func (r *reference) inputs() [][]float64 {
	values := make([][]float64, len(r.values))
	for k, in := range r.node.In {
		values[in] = planesOf(r.x(k))
	}
	return interp.Inputs(r.Graph, r.i, values, r.images(r.i))
}

func (r *reference) params() (p interp.Params[float64]) {
	if r.node.Weight >= 0 {
		p.Weight = wide(r.Params[r.node.Weight])
	}
	if r.node.Bias >= 0 {
		p.Bias = wide(r.Params[r.node.Bias])
	}
	return p
}

// planesOf is a tensor's elements as kernels/ref takes them, (N,C,H,W) in float64, and pixelsOf the way back.
func planesOf(t kernels.Tensor) []float64 {
	pixels := t.H * t.W
	x := make([]float64, t.Pixels()*t.C)
	for i, v := range t.Data {
		x[(i/t.C/pixels*t.C+i%t.C)*pixels+i/t.C%pixels] = float64(v)
	}
	return x
}

func pixelsOf(t kernels.Tensor, x []float64) {
	pixels := t.H * t.W
	for i := range t.Data {
		t.Data[i] = float32(x[(i/t.C/pixels*t.C+i%t.C)*pixels+i/t.C%pixels])
	}
}

package train

import (
	"math"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// affine is y = x·scale + shift by channel, with constants, or with a weight that is learned and no shift.
type affine struct {
	site
	scale, zero      []float32
	forth, backwards *kernels.Pointwise
	columns          *kernels.Columns
	sums             []float64
}

func newAffine(s site) *affine {
	c, workers := s.node.Out.C, s.pool.Size()
	a := &affine{site: s, scale: make([]float32, c), zero: make([]float32, c)}
	shift := a.zero
	if s.node.Op == nn.Affine {
		narrow(a.scale, s.node.Scale)
		shift = make([]float32, c)
		narrow(shift, s.node.Shift)
	} else {
		a.columns, a.sums = kernels.NewColumns(workers), make([]float64, c)
	}
	a.forth = kernels.NewPointwise(a.scale, shift, kernels.None, workers)
	a.backwards = kernels.NewPointwise(a.scale, a.zero, kernels.None, workers)
	return a
}

func (a *affine) forward() error {
	if a.columns != nil {
		copy(a.scale, a.Params[a.node.Weight])
	}
	a.forth.Run(a.pool, a.y(), a.x(0), kernels.Tensor{}, nil)
	return nil
}

func (a *affine) backward() error {
	dy := a.dy()
	if a.columns != nil && a.Gradients[a.node.Weight] != nil {
		a.columns.Products(a.pool, a.sums, nil, a.x(0), dy)
		narrow(a.Gradients[a.node.Weight], a.sums)
	}
	a.to(0, func(dst kernels.Tensor) { a.backwards.Run(a.pool, dst, dy, kernels.Tensor{}, nil) })
	return nil
}

// shuffle takes channel g·C/Groups + j to channel j·Groups + g.
type shuffle struct{ site }

func (s *shuffle) forward() error {
	s.permute(s.y(), s.x(0), s.node.Groups)
	return nil
}

func (s *shuffle) backward() error {
	s.to(0, func(dst kernels.Tensor) { s.permute(dst, s.dy(), dst.C/s.node.Groups) })
	return nil
}

func (s *shuffle) permute(dst, src kernels.Tensor, groups int) {
	each := src.C / groups
	s.each(src.N*src.H, func(row int) {
		for p := row * src.W; p < (row+1)*src.W; p++ {
			in, out := src.Data[p*src.C:][:src.C], dst.Data[p*src.C:][:src.C]
			for g := range groups {
				for j, v := range in[g*each:][:each] {
					out[j*groups+g] = v
				}
			}
		}
	})
}

// layerNorm normalises each pixel over its channels.
type layerNorm struct {
	site
	norm *kernels.LayerNorm
	sums []float32 // by chunk of pixels: (2, C), of the gradients of weight and bias
}

// layerChunk is the pixels whose gradients of weight and bias are summed in float32.
const layerChunk = 64

func newLayerNorm(s site) *layerNorm {
	w, b := make([]float32, s.node.Out.C), make([]float32, s.node.Out.C)
	return &layerNorm{site: s, norm: kernels.NewLayerNorm(w, b, float32(s.node.Eps), kernels.None, s.pool.Size())}
}

func (l *layerNorm) forward() error {
	l.norm.Take(l.Params[l.node.Weight], l.Params[l.node.Bias])
	l.norm.Run(l.pool, l.y(), l.x(0))
	return nil
}

func (l *layerNorm) backward() error {
	x, dy, c := l.x(0), l.dy(), l.node.Out.C
	chunks := (x.Pixels() + layerChunk - 1) / layerChunk
	if len(l.sums) < 2*chunks*c {
		l.sums = make([]float32, 2*chunks*c)
	}
	w := l.Params[l.node.Weight]
	gradient := func(dx []float32) { // nil for none
		l.each(chunks, func(chunk int) {
			sums := l.sums[2*chunk*c:][:2*c]
			clear(sums)
			for p := chunk * layerChunk; p < min((chunk+1)*layerChunk, x.Pixels()); p++ {
				var out []float32
				if dx != nil {
					out = dx[p*c:][:c]
				}
				l.pixel(out, x.Data[p*c:][:c], dy.Data[p*c:][:c], w, sums[:c], sums[c:])
			}
		})
	}
	if l.wanted[l.node.In[0]] {
		l.to(0, func(dst kernels.Tensor) { gradient(dst.Data) })
	} else {
		gradient(nil)
	}
	for k, param := range []int{l.node.Weight, l.node.Bias} {
		d := l.Gradients[param]
		for i := range d {
			sum := 0.0
			for chunk := range chunks {
				sum += float64(l.sums[(2*chunk+k)*c+i])
			}
			d[i] = float32(sum)
		}
	}
	return nil
}

// pixel takes the gradient of one pixel to x, and adds to those of weight and bias.
func (l *layerNorm) pixel(dx, x, dy, w, dw, db []float32) {
	n := float64(len(x))
	mean, squares := 0.0, 0.0
	for _, v := range x {
		mean += float64(v)
	}
	mean /= n
	for _, v := range x {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	root := 1 / math.Sqrt(squares/n+l.node.Eps)
	m, r := float32(mean), float32(root)
	sum, along := 0.0, 0.0
	for i, v := range x {
		unit, g := (v-m)*r, dy[i]
		dw[i] += g * unit
		db[i] += g
		g *= w[i]
		sum += float64(g)
		along += float64(g * unit)
	}
	if dx == nil {
		return
	}
	s, a := float32(sum/n), float32(along/n)
	for i, v := range x {
		dx[i] = r * (dy[i]*w[i] - s - (v-m)*r*a)
	}
}

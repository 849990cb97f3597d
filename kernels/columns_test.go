package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"zoobench/kernels/par"
	"zoobench/kernels/ref"
)

func TestColumnsAndBlend(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 4))
		value := func() float32 { return rng.Float32()*2 - 1 }
		for i, c := range []int{1, 3, 7, 8, 9, 16, 20, 33} {
			for _, pixels := range []int{1, 2, 255, 256, 257, 700} {
				x, y := newTensor(1, 1, pixels, c, i%3, value), newTensor(1, 1, pixels, c, i%2, value)
				dst := newTensor(1, 1, pixels, c, i%3, value)
				a, b, shift, mean := make([]float32, c), make([]float32, c), make([]float32, c), make([]float32, c)
				want := [5][]float64{make([]float64, c), make([]float64, c), make([]float64, c), make([]float64, c), make([]float64, c)}
				blended := make([]float64, pixels*c)
				for k := range c {
					a[k], b[k], shift[k], mean[k] = value(), value(), value(), value()
					for p := range pixels {
						u, v := float64(x.Data[p*x.Stride+k]), float64(y.Data[p*y.Stride+k])
						want[0][k] += u
						want[1][k] += (u - float64(mean[k])) * (u - float64(mean[k]))
						want[2][k] += u * v
						want[3][k] += u * v
						want[4][k] += v
						blended[k*pixels+p] = float64(a[k])*u + float64(b[k])*v + float64(shift[k])
					}
				}
				var first []float64
				for _, pool := range pools {
					columns := NewColumns(pool.Size())
					got := make([]float64, 5*c)
					columns.Sums(pool, got[:c], x)
					columns.Squares(pool, got[c:2*c], x, mean)
					columns.Products(pool, got[2*c:3*c], nil, x, y)
					columns.Products(pool, got[3*c:4*c], got[4*c:], x, y)
					for k, v := range got {
						if w := want[k/c][k%c]; math.Abs(v-w) > 2e-5*(1+math.Abs(w)) {
							t.Fatalf("%d channels, %d pixels: sum %d of channel %d is %v, want %v", c, pixels, k/c, k%c, v, w)
						}
					}
					if first != nil && !slices.Equal(got, first) {
						t.Errorf("%d channels, %d pixels: three workers give other bits than one", c, pixels)
					}
					first = got
					NewBlend(a, b, shift, pool.Size()).Run(pool, dst, x, y)
					compare(t, dst, blended, 1e-6)
				}
			}
		}
	})
}

// TestImageProducts sums whole numbers, which any order gives exactly.
func TestImageProducts(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(2, 6))
		whole := func() float32 { return float32(rng.IntN(7) - 3) }
		for c := 1; c < 20; c++ {
			x, y, dst := newTensor(3, 4, 5, c, 1, whole), newTensor(3, 4, 5, c, 2, whole), newTensor(3, 1, 1, c, 3, whole)
			want := make([]float64, 3*c)
			for p := range x.Pixels() {
				for k := range c {
					want[p/20*c+k] += float64(x.Data[p*x.Stride+k]) * float64(y.Data[p*y.Stride+k])
				}
			}
			NewColumns(pool.Size()).ImageProducts(pool, dst, x, y)
			compare(t, dst, want, 0)
		}
	})
}

// TestConvBack compares gradients of inputs with those of plain loops, before and after the weights change: exactly where the
// sums are direct ones, and within the error of F(4×4, 3×3) elsewhere.
func TestConvBack(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 9))
		whole := func() float32 { return float32(rng.IntN(7) - 3) }
		for i, s := range append(convCases(), depthwiseCases()...) {
			if ISA() == "generic" && s.depth()*s.OC > 5000 || s.Groups == s.C && i%23 > 0 {
				continue
			}
			n := 1 + i%3
			dy, dx := newTensor(n, s.OH, s.OW, s.OC, i%2, whole), newTensor(n, s.H, s.W, s.C, i%3, whole)
			s.Weight = newTensor(1, 1, 1, s.OC*s.depth(), 0, whole).Data
			for _, exact := range []bool{true, false} {
				s.Exact = exact
				back := NewConvBack(s, 2)
				for range 2 {
					want := make([]float64, n*s.C*s.H*s.W)
					ref.ConvGrad(want, nil, nil, planes(dy), want, s.Weight, s.refSize(n))
					allowed := 0.0
					if strings.HasPrefix(back.conv.Algorithm(), "winograd") {
						allowed = 2e-5 * max(slices.Max(want), -slices.Min(want))
					}
					back.Run(pool, dx, dy)
					compare(t, dx, want, allowed)
					s.Weight = newTensor(1, 1, 1, s.OC*s.depth(), 0, whole).Data
					back.Repack(pool, s.Weight)
				}
			}
		}
	})
}

// TestRepack holds that a convolution with new weights computes what one made with them does.
func TestRepack(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	rng := rand.New(rand.NewPCG(3, 9))
	value := func() float32 { return rng.Float32()*2 - 1 }
	for _, s := range append(convCases(), depthwiseCases()...) {
		for _, exact := range []bool{true, false} {
			s.Exact = exact
			x := newTensor(1, s.H, s.W, s.C, 0, value)
			s.Weight, s.Bias = newTensor(1, 1, 1, s.OC*s.depth(), 0, value).Data, newTensor(1, 1, 1, s.OC, 0, value).Data
			c := NewRepacker(s, 1)
			s.Weight, s.Bias = newTensor(1, 1, 1, s.OC*s.depth(), 0, value).Data, newTensor(1, 1, 1, s.OC, 0, value).Data
			c.Repack(pool, s.Weight, s.Bias)
			got, want := newTensor(1, s.OH, s.OW, s.OC, 0, value), newTensor(1, s.OH, s.OW, s.OC, 0, value)
			c.Run(pool, got, x, Tensor{})
			NewRepacker(s, 1).Run(pool, want, x, Tensor{})
			if !slices.Equal(got.Data, want.Data) {
				t.Errorf("%s, %s: other bits than a new one's", s.name(), c.Algorithm())
			}
		}
	}
}

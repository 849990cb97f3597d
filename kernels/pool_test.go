package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zoobench/kernels/par"
)

// poolReference is a pool's definition for one output.
func poolReference(s PoolShape, src Tensor, n, oy, ox, c int) float64 {
	y0, y1, ny := window(oy, s.KH, s.SH, s.Top, s.Bottom, s.H, s.OH, s.Adaptive, s.CountPad)
	x0, x1, nx := window(ox, s.KW, s.SW, s.Left, s.Right, s.W, s.OW, s.Adaptive, s.CountPad)
	sum, largest := 0.0, math.Inf(-1)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			v := float64(src.Data[((n*s.H+y)*s.W+x)*src.Stride+c])
			sum += v
			largest = max(largest, v)
		}
	}
	if s.Max {
		return largest
	}
	return sum / float64(ny*nx)
}

func TestPool(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	var cases []PoolShape
	for _, c := range []int{1, 5, 8, 16, 19, 130} {
		cases = append(cases,
			PoolShape{C: c, H: 13, W: 15, OH: 7, OW: 8, KH: 3, KW: 3, SH: 2, SW: 2, Top: 1, Left: 1, Bottom: 1, Right: 1},
			PoolShape{C: c, H: 12, W: 12, OH: 6, OW: 6, KH: 2, KW: 2, SH: 2, SW: 2},
			PoolShape{C: c, H: 12, W: 12, OH: 6, OW: 6, KH: 3, KW: 3, SH: 2, SW: 2}, // ceil: the last window hangs over
			PoolShape{C: c, H: 9, W: 9, OH: 9, OW: 9, KH: 3, KW: 3, SH: 1, SW: 1, Top: 1, Left: 1, Bottom: 1, Right: 1},
			PoolShape{C: c, H: 13, W: 14, OH: 1, OW: 1, KH: 13, KW: 14, SH: 1, SW: 1}, // longer than a block of taps
			PoolShape{C: c, H: 5, W: 4, OH: 1, OW: 1, KH: 5, KW: 4, SH: 1, SW: 1})
	}
	eachISA(t, func(t *testing.T) {
		for i, s := range cases {
			for _, kind := range []string{"max", "count_pad", "without_pad", "adaptive"} {
				s.Max, s.CountPad, s.Adaptive = kind == "max", kind == "count_pad", kind == "adaptive"
				t.Run(fmt.Sprintf("%s/c=%d,%dx%d/%dx%d/k=%d", kind, s.C, s.H, s.W, s.OH, s.OW, s.KH), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(i), 7))
					src := newTensor(2, s.H, s.W, s.C, 3, func() float32 { return float32(rng.IntN(99) - 50) })
					dst := newTensor(2, s.OH, s.OW, s.C, 1, func() float32 { return 0 })
					NewPool(s, pool.Size()).Run(pool, dst, src)
					checkGuards(t, dst)
					for p := range dst.Pixels() {
						for c := range s.C {
							got := float64(dst.Data[p*dst.Stride+c])
							want := poolReference(s, src, p/(s.OH*s.OW), p/s.OW%s.OH, p%s.OW, c)
							if math.Abs(got-want) > 1e-4 || s.Max && got != want {
								t.Fatalf("pixel %d, channel %d: %v, want %v", p, c, got, want)
							}
						}
					}
				})
			}
		}
	})
}

// TestMaxPoolNaN holds that a NaN wins every window it is in, whatever its place.
func TestMaxPoolNaN(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		for at := range 9 {
			src := newTensor(1, 3, 3, 11, 0, func() float32 { return 1 })
			src.Data[at*11+10] = float32(math.NaN())
			dst := newTensor(1, 1, 1, 11, 0, func() float32 { return 0 })
			NewPool(PoolShape{C: 11, H: 3, W: 3, OH: 1, OW: 1, KH: 3, KW: 3, SH: 1, SW: 1, Max: true}, 1).Run(pool, dst, src)
			if v := dst.Data[10]; !math.IsNaN(float64(v)) || dst.Data[9] != 1 {
				t.Errorf("NaN at %d: got %v beside %v", at, v, dst.Data[9])
			}
		}
	})
}

func TestPointwise(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	rng := rand.New(rand.NewPCG(3, 4))
	value := func() float32 { return float32(rng.IntN(17) - 8) }
	const n, h, w, c = 2, 3, 4, 21
	src, other, third := newTensor(n, h, w, c, 2, value), newTensor(n, h, w, c, 0, value), newTensor(n, h, w, c, 5, value)
	gate := newTensor(n, 1, 1, c, 1, value)
	scale, shift := newTensor(1, 1, 1, c, 0, value).Data, newTensor(1, 1, 1, c, 0, value).Data
	dst := newTensor(n, h, w, c, 3, value)
	e := NewPointwise(scale, shift, ReLU, pool.Size())
	e.Run(pool, dst, src, gate, []Tensor{other, third})
	checkGuards(t, dst)
	for p := range dst.Pixels() {
		for i := range c {
			want := src.Data[p*src.Stride+i]*scale[i] + shift[i]
			want *= gate.Data[p/(h*w)*gate.Stride+i]
			want = max(want+other.Data[p*other.Stride+i]+third.Data[p*third.Stride+i], 0)
			if got := dst.Data[p*dst.Stride+i]; got != want {
				t.Fatalf("pixel %d, channel %d: %v, want %v", p, i, got, want)
			}
		}
	}
}

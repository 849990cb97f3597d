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

// poolCases are windows of every kind of overhang.
func poolCases() []PoolShape {
	var cases []PoolShape
	for _, c := range []int{1, 5, 8, 16, 19, 130} {
		cases = append(cases,
			PoolShape{C: c, H: 13, W: 15, OH: 7, OW: 8, KH: 3, KW: 3, SH: 2, SW: 2, Top: 1, Left: 1, Bottom: 1, Right: 1},
			PoolShape{C: c, H: 12, W: 12, OH: 6, OW: 6, KH: 2, KW: 2, SH: 2, SW: 2},
			PoolShape{C: c, H: 12, W: 12, OH: 6, OW: 6, KH: 3, KW: 3, SH: 2, SW: 2}, // ceil: the last window hangs over
			PoolShape{C: c, H: 9, W: 9, OH: 9, OW: 9, KH: 3, KW: 3, SH: 1, SW: 1, Top: 1, Left: 1, Bottom: 1, Right: 1},
			PoolShape{C: c, H: 13, W: 14, OH: 1, OW: 1, KH: 13, KW: 14, SH: 1, SW: 1}, // longer than a block of taps
			PoolShape{C: c, H: 5, W: 4, OH: 1, OW: 1, KH: 5, KW: 4, SH: 1, SW: 1},
			PoolShape{C: c, H: 9, W: 10, OH: 4, OW: 4, KH: 2, KW: 2, SH: 2, SW: 2, Top: -1, Left: -2}, // cropped
			PoolShape{C: c, H: 5, W: 9, OH: 10, OW: 14, KH: 2, KW: 2, SH: 1, SW: 1, Top: 3, Left: 3, Bottom: 3, Right: 3})
	}
	return cases
}

func TestPool(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		for i, s := range poolCases() {
			for _, kind := range []string{"max", "count_pad", "without_pad", "adaptive"} {
				s.Max, s.CountPad, s.Adaptive = kind == "max", kind == "count_pad", kind == "adaptive"
				if s.Top >= s.KH && (kind == "max" || kind == "without_pad") {
					continue // windows in the padding have no result
				}
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

// TestPoolWithoutPixels holds that a pool some of whose windows have no result is refused when it is made.
func TestPoolWithoutPixels(t *testing.T) {
	for _, s := range []PoolShape{
		{C: 1, H: 4, W: 4, OH: 5, OW: 3, KH: 2, KW: 2, SH: 1, SW: 1, Top: 2},
		{C: 1, H: 4, W: 4, OH: 3, OW: 5, KH: 2, KW: 2, SH: 1, SW: 1, Left: 2, Max: true},
		{C: 1, H: 4, W: 4, OH: 5, OW: 3, KH: 2, KW: 2, SH: 1, SW: 1, Bottom: 2, Max: true},
		{C: 1, H: 4, W: 4, OH: 3, OW: 5, KH: 2, KW: 2, SH: 1, SW: 1, Right: 2},
	} {
		refused := func() (refused bool) {
			defer func() { refused = recover() != nil }()
			NewPool(s, 1)
			return
		}
		if !refused() {
			t.Errorf("%+v is no error", s)
		}
		if s.Max, s.CountPad = false, true; refused() {
			t.Errorf("%+v is one", s)
		}
	}
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

// TestPointwise runs every pass, each operand with an image of its own for each of dst's and with one that stands for all.
func TestPointwise(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	const c = 21
	rng := rand.New(rand.NewPCG(3, 4))
	value := func() float32 { return float32(rng.IntN(17) - 8) }
	scale, shift := newTensor(1, 1, 1, c, 0, value).Data, newTensor(1, 1, 1, c, 0, value).Data
	e := NewPointwise(scale, shift, ReLU, pool.Size())
	for _, size := range []struct{ n, h, w int }{{1, 3, 4}, {2, 3, 4}, {12, 3, 4}, {3, 1, 1}} { // as many images as pixels, too
		for one := range 16 {
			images := func(bit int) int {
				if one>>bit&1 == 1 {
					return 1
				}
				return size.n
			}
			for _, gates := range [][2]int{{1, 1}, {size.h, size.w}} {
				src := newTensor(images(0), size.h, size.w, c, 2, value)
				gate := newTensor(images(1), gates[0], gates[1], c, 1, value)
				other, third := newTensor(images(2), size.h, size.w, c, 0, value), newTensor(images(3), size.h, size.w, c, 5, value)
				dst := newTensor(size.n, size.h, size.w, c, 3, value)
				e.Run(pool, dst, src, gate, []Tensor{other, third})
				checkGuards(t, dst)
				for p := range dst.Pixels() {
					image, pixel := p/(size.h*size.w), p%(size.h*size.w)
					for i := range c {
						at := func(x Tensor) float32 {
							return x.Data[(image%x.N*x.H*x.W+pixel%(x.H*x.W))*x.Stride+i]
						}
						want := max((at(src)*scale[i]+shift[i])*at(gate)+at(other)+at(third), 0)
						if got := dst.Data[p*dst.Stride+i]; got != want {
							t.Fatalf("%+v, one image of operands %04b, gate %v: pixel %d, channel %d: %v, want %v",
								size, one, gates, p, i, got, want)
						}
					}
				}
			}
		}
	}
}

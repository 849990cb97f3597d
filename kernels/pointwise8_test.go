package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zoobench/kernels/par"
)

func TestPool8(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	eachISA8(t, func(t *testing.T) {
		for i, s := range poolCases() {
			for _, kind := range []string{"max", "count_pad", "without_pad", "adaptive"} {
				s.Max, s.CountPad, s.Adaptive = kind == "max", kind == "count_pad", kind == "adaptive"
				if s.Top >= s.KH && (kind == "max" || kind == "without_pad") {
					continue // windows in the padding have no result
				}
				t.Run(fmt.Sprintf("%s/c=%d,%dx%d/%dx%d/k=%d", kind, s.C, s.H, s.W, s.OH, s.OW, s.KH), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(i), 7))
					in, out := quant(rng), quant(rng)
					if s.Max {
						out = in
					}
					src := newTensor8(2, s.H, s.W, s.C, 3, in, func() uint8 { return uint8(rng.IntN(256)) })
					dst := newTensor8(2, s.OH, s.OW, s.C, 1, out, func() uint8 { return 0 })
					NewPool8(s, in, out, pool.Size()).Run(pool, dst, src)
					checkGuards8(t, dst)
					for p := range dst.Pixels() {
						for c := range s.C {
							got, want := dst.Data[p*dst.Stride+c], pool8Reference(s, src, out, p, c)
							if got != want {
								t.Fatalf("pixel %d, channel %d: %d, want %d", p, c, got, want)
							}
						}
					}
				})
			}
		}
	})
}

// pool8Reference is a pool's definition for channel c of output pixel p.
func pool8Reference(s PoolShape, src Tensor8, out Quant, p, c int) uint8 {
	n, oy, ox := p/(s.OH*s.OW), p/s.OW%s.OH, p%s.OW
	y0, y1, ny := window(oy, s.KH, s.SH, s.Top, s.Bottom, s.H, s.OH, s.Adaptive, s.CountPad)
	x0, x1, nx := window(ox, s.KW, s.SW, s.Left, s.Right, s.W, s.OW, s.Adaptive, s.CountPad)
	sum, largest := int32(0), uint8(0)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			v := src.Data[((n*s.H+y)*s.W+x)*src.Stride+c]
			sum += int32(v) - int32(src.Zero)
			largest = max(largest, v)
		}
	}
	if s.Max {
		return largest
	}
	m := float32(float64(src.Scale) / float64(out.Scale) / float64(ny*nx))
	return requantised(float32(sum)*m, None, Quant{}, out)
}

// elementwise runs a test body over numbers of channels, of pixels and distances between these that make every kind of tail.
func elementwise(t *testing.T, body func(t *testing.T, rng *rand.Rand, tensor func(n, h, w int, q Quant) Tensor8)) {
	eachISA8(t, func(t *testing.T) {
		for c := 1; c <= 150; c += 1 + c/20 {
			for extra := range 2 {
				rng := rand.New(rand.NewPCG(uint64(c), uint64(extra)))
				body(t, rng, func(n, h, w int, q Quant) Tensor8 {
					return newTensor8(n, h, w, c, extra, q, func() uint8 { return uint8(rng.IntN(256)) })
				})
			}
		}
	})
}

// each8 compares dst with want at every element.
func each8(t *testing.T, what string, dst Tensor8, want func(image, pixel, c int) uint8) {
	t.Helper()
	checkGuards8(t, dst)
	for p := range dst.Pixels() {
		for c := range dst.C {
			if got, want := dst.Data[p*dst.Stride+c], want(p/(dst.H*dst.W), p, c); got != want {
				t.Fatalf("%s of %d channels: pixel %d, channel %d: %d, want %d", what, dst.C, p, c, got, want)
			}
		}
	}
}

func TestTable8(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	elementwise(t, func(t *testing.T, rng *rand.Rand, tensor func(n, h, w int, q Quant) Tensor8) {
		from, to := quant(rng), quant(rng)
		dst, src := tensor(2, 3, 5, to), tensor(2, 3, 5, from)
		NewTable8(ActTable(SiLU, from, to), pool.Size()).Run(pool, dst, src)
		each8(t, "table", dst, func(_, p, c int) uint8 { return to.Byte(SiLU.real(from.Real(src.Data[p*src.Stride+c]))) })
	})
}

func TestSum8(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	elementwise(t, func(t *testing.T, rng *rand.Rand, tensor func(n, h, w int, q Quant) Tensor8) {
		for n := 1; n <= 3; n++ {
			act := []Act{None, ReLU, ReLU6, HardSwish}[rng.IntN(4)]
			sums, out := quant(rng), quant(rng)
			as := out
			if !act.isClamp() {
				as = sums
			}
			var in []Quant
			var src []Tensor8
			for i := range n {
				q := quant(rng)
				images := 2 - i%2 // the second is one for all
				in, src = append(in, q), append(src, tensor(images, 2, 3, q))
			}
			dst := tensor(2, 2, 3, out)
			NewSum8(in, act, sums, out, pool.Size()).Run(pool, dst, src)
			each8(t, fmt.Sprintf("sum of %d", n), dst, func(image, p, c int) uint8 {
				var y float32
				for i, s := range src {
					from := p
					if s.N == 1 {
						from -= image * dst.H * dst.W
					}
					x := float32(int32(s.Data[from*s.Stride+c]) - int32(s.Zero))
					if x = float32(x * float32(float64(in[i].Scale)/float64(as.Scale))); i == 0 {
						y = x
					} else {
						y += x
					}
				}
				return requantised(y, act, sums, out)
			})
		}
	})
}

func TestGate8(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	elementwise(t, func(t *testing.T, rng *rand.Rand, tensor func(n, h, w int, q Quant) Tensor8) {
		for _, whole := range []bool{false, true} {
			act := []Act{None, ReLU, ReLU6, HardSwish}[rng.IntN(4)]
			in, by, sums, out := quant(rng), quant(rng), quant(rng), quant(rng)
			sums.Scale, out.Scale = sums.Scale*10, out.Scale*10
			as := out
			if !act.isClamp() {
				as = sums
			}
			src, gate, dst := tensor(2, 2, 3, in), tensor(2, 1, 1, by), tensor(2, 2, 3, out)
			if whole {
				gate = tensor(2, 2, 3, by)
			}
			NewGate8(in, by, act, sums, out, pool.Size()).Run(pool, dst, src, gate)
			m := float32(float64(in.Scale) * float64(by.Scale) / float64(as.Scale))
			each8(t, "gate", dst, func(image, p, c int) uint8 {
				g := image
				if whole {
					g = p
				}
				product := (int32(src.Data[p*src.Stride+c]) - int32(in.Zero)) * (int32(gate.Data[g*gate.Stride+c]) - int32(by.Zero))
				return requantised(float32(product)*m, act, sums, out)
			})
		}
	})
}

func TestConvert(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	elementwise(t, func(t *testing.T, rng *rand.Rand, tensor func(n, h, w int, q Quant) Tensor8) {
		q := quant(rng)
		dst := tensor(2, 3, 2, q)
		values := []float32{0, infinity, -infinity, float32(math.NaN()), 1e38, -1e38, 1e-45, 0.5 * q.Scale, 1.5 * q.Scale, -0.5 * q.Scale}
		src := newTensor(2, 3, 2, dst.C, dst.Stride-dst.C, func() float32 {
			if i := rng.IntN(3 * len(values)); i < len(values) {
				return values[i]
			}
			return (rng.Float32() - 0.5) * 300 * q.Scale
		})
		v := NewConvert(pool.Size())
		v.Quantize(pool, dst, src)
		each8(t, "quantize", dst, func(_, p, c int) uint8 {
			x := src.Data[p*src.Stride+c]
			if x != x {
				return 0
			}
			return requantised(x*float32(1/float64(q.Scale)), None, Quant{}, q)
		})
		back := newTensor(2, 3, 2, dst.C, dst.Stride-dst.C, rng.Float32)
		v.Dequantize(pool, back, dst)
		checkGuards(t, back)
		for p := range back.Pixels() {
			for c := range back.C {
				got, want := back.Data[p*back.Stride+c], float32(int32(dst.Data[p*dst.Stride+c])-int32(q.Zero))*q.Scale
				if got != want {
					t.Fatalf("pixel %d, channel %d: %v, want %v", p, c, got, want)
				}
			}
		}
	})
}

func TestMove8(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	q := quant(rng)
	value := func() uint8 { return uint8(rng.IntN(256)) }
	for _, s := range []MoveShape{
		{Rows: 3, Columns: 4},
		{Top: 1, Left: 2, X: 1, Rows: 2, Columns: 3, Clear: true},
		{Rows: 3, Columns: 4, Shuffle: 2},
		{Rows: 3, Columns: 4, Shuffle: 3},
	} {
		for images := 1; images <= 2; images++ {
			src, dst := newTensor8(images, 3, 4, 6, 1, q, value), newTensor8(2, 4, 6, 6, 2, q, value)
			before := append([]uint8(nil), dst.Data...)
			NewMove8(s).Run(pool, dst, src)
			each8(t, "move", dst, func(image, p, c int) uint8 {
				y, x := p/dst.W%dst.H-s.Top, p%dst.W-s.Left
				if y < 0 || y >= s.Rows || x < 0 || x >= s.Columns {
					if s.Clear {
						return q.Zero
					}
					return before[p*dst.Stride+c]
				}
				if s.Shuffle > 0 {
					c = c%s.Shuffle*(6/s.Shuffle) + c/s.Shuffle
				}
				return src.Data[((image%images*src.H+y)*src.W+x+s.X)*src.Stride+c]
			})
		}
	}
}

// TestQuant holds the bytes' meaning: the zero is exact, rounding is to the nearest and even, and nothing is out of reach.
func TestQuant(t *testing.T) {
	q := Quant{Scale: 0.5, Zero: 10}
	for _, test := range []struct {
		x    float64
		want uint8
	}{{0, 10}, {0.5, 11}, {0.25, 10}, {0.75, 12}, {-0.25, 10}, {-5, 0}, {-9, 0}, {122.5, 255}, {1e300, 255}, {math.Inf(1), 255},
		{math.Inf(-1), 0}, {math.NaN(), 10}} {
		if got := q.Byte(test.x); got != test.want {
			t.Errorf("%v is byte %d, want %d", test.x, got, test.want)
		}
	}
	for b := range 256 {
		if got := q.Byte(q.Real(uint8(b))); got != uint8(b) {
			t.Errorf("byte %d comes back as %d", b, got)
		}
	}
}

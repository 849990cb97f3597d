package kernels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/kernels/par"
	"zoobench/kernels/ref"
)

// TestPoolGrad compares with the reference's gradients, over whole numbers with many ties.
func TestPoolGrad(t *testing.T) {
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
					whole := func() float32 { return float32(rng.IntN(9) - 4) }
					x, y := newTensor(2, s.H, s.W, s.C, 3, whole), newTensor(2, s.OH, s.OW, s.C, 1, whole)
					dx, dy := newTensor(2, s.H, s.W, s.C, 2, whole), newTensor(2, s.OH, s.OW, s.C, 1, whole)
					NewPool(s, pool.Size()).Run(pool, y, x)
					NewPoolGrad(s, pool.Size()).Run(pool, dx, dy, x, y)
					size := ref.PoolSize{NC: 2 * s.C, H: s.H, W: s.W, OH: s.OH, OW: s.OW, Window: ref.Window{
						H: s.KH, W: s.KW, SH: s.SH, SW: s.SW, DH: 1, DW: 1, Top: s.Top, Left: s.Left, Bottom: s.Bottom, Right: s.Right,
					}}
					want := make([]float64, len(planes(x)))
					switch {
					case s.Max:
						ref.MaxPoolGrad(want, planes(dy), planes(x), size)
					case s.Adaptive:
						ref.AdaptiveAvgPoolGrad(want, planes(dy), 2*s.C, s.H, s.W, s.OH, s.OW)
					default:
						ref.AvgPoolGrad(want, planes(dy), !s.CountPad, size)
					}
					compare(t, dx, want, 1e-5)
				})
			}
		}
	})
}

// TestTurn turns matrices of every size around whole eights there and back.
func TestTurn(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		turn := NewTurn(pool.Size())
		for rows := 1; rows < 20; rows++ {
			for columns := 1; columns < 20; columns++ {
				const n = 3
				src, dst, back := make([]float32, n*rows*columns), make([]float32, n*rows*columns), make([]float32, n*rows*columns)
				for i := range src {
					src[i] = float32(i)
				}
				turn.Run(pool, dst, src, n, rows, columns)
				for i, v := range dst {
					matrix, column, row := i/rows/columns, i/rows%columns, i%rows
					if want := src[(matrix*rows+row)*columns+column]; v != want {
						t.Fatalf("%d×%d: element %d is %v, want %v", rows, columns, i, v, want)
					}
				}
				turn.Run(pool, back, dst, n, columns, rows)
				if !slices.Equal(back, src) {
					t.Fatalf("%d×%d: turned twice is not the same", rows, columns)
				}
			}
		}
	})
}

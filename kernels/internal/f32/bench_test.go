package f32

import (
	"fmt"
	"math"
	"testing"
	"time"
	"unsafe"
)

// BenchmarkRows times the kernels that walk rows over buffers of L1's and of L2's size, one long row and rows of a
// network's width.
func BenchmarkRows(b *testing.B) {
	for _, l := range Levels()[1:] {
		for _, op := range []struct {
			name   string
			kernel func(*Rows)
		}{
			{"muladd", l.MulAdd}, {"add", l.Add}, {"clamp", l.Clamp}, {"colsum", l.ColumnSums}, {"sigmoid", l.Sigmoid},
			{"silu", l.SiLU}, {"hardsigmoid", l.HardSigmoid}, {"hardswish", l.HardSwish},
			{"gelu", l.GELU}, {"gelutanh", l.GELUTanh}, {"layernorm", l.LayerNorm}, {"softmax", l.Softmax},
		} {
			for _, shape := range [][2]int{{1, 4096}, {1, 64 << 10}, {20, 197}, {64, 24}, {42, 96}, {64, 768}} {
				n, c := shape[0], shape[1]
				b.Run(fmt.Sprintf("isa=%s/op=%s/shape=%dx%d", l.Name, op.name, n, c), func(b *testing.B) {
					benchRows(b, op.kernel, n, c)
				})
			}
		}
	}
}

// benchBest times f and reports work over the time of its fastest run, which another program on the machine disturbs least.
func benchBest(b *testing.B, work int, unit string, per float64, f func()) {
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	b.ReportMetric(float64(work)/best.Seconds()/per, unit)
}

// benchRows runs a kernel over n rows of c channels, in place.
func benchRows(b *testing.B, kernel func(*Rows), n, c int) {
	x, first := make([]float32, n*c), make([]float32, n*c)
	for i := range first {
		first[i] = float32(i%61)/10 - 3
	}
	mask := [8]int32{}
	for i := range c % 8 {
		mask[i] = -1
	}
	const times = 4
	benchBest(b, times*n*c, "melems/s", 1e6, func() {
		copy(x, first)
		for range times {
			kernel(&Rows{Out: &x[0], In: &x[0], A: &first[0], B: &first[0], LDO: 4 * c, LDI: 4 * c, C: c, RowsLeft: n,
				Mask: &mask[0], Lo: 1, Hi: 1 / float32(c)})
		}
	})
}

// BenchmarkGEMM times the tiles on rows of a dense 1×1 convolution: what panels cost while the rows are in L2, and the
// panels in L1 where they fit.
func BenchmarkGEMM(b *testing.B) {
	for _, l := range Levels()[1:] {
		for panels, tiles := range l.Gemm {
			for _, mr := range []int{6, 4, 1} {
				for _, k := range []int{16, 64, 256} {
					if nr := panels * NR; tiles[mr] != nil {
						b.Run(fmt.Sprintf("isa=%s/tile=%dx%d/shape=%dx%dx%d", l.Name, mr, nr, 20*mr, nr, k), func(b *testing.B) {
							benchTile(b, tiles[mr], mr, nr, k)
						})
					}
				}
			}
		}
	}
}

// benchTile times twenty tiles of one depth.
func benchTile(b *testing.B, gemm func(*Tile), mr, nr, k int) {
	const tiles, times = 20, 8
	a, w, c := make([]float32, mr*tiles*k), make([]float32, nr*k), make([]float32, mr*tiles*nr)
	rows := make([]*float32, MR*tiles)
	for i := range mr * tiles {
		rows[i/mr*MR+i%mr] = &a[i*k]
	}
	benchBest(b, times*2*mr*tiles*nr*k, "GFLOP/s", 1e9, func() {
		for range times {
			gemm(&Tile{A: &rows[0], B: &w[0], C: &c[0], Taps: 1, K: k, LDC: 4 * nr, TilesLeft: tiles, Step: 8 * MR,
				Flags: Final, Hi: 1, Prefetch: uintptr(unsafe.Pointer(&w[0])), Panel: 4 * NR * k, Ahead: 4 * nr / tiles})
		}
	})
}

// BenchmarkWinograd times the transforms of one tile, as a layer of 56×56 pixels calls them: points an odd number of
// cache lines apart.
func BenchmarkWinograd(b *testing.B) {
	for _, l := range Levels()[1:] {
		for _, c := range []int{64, 24} {
			const times = 16
			step := 96*c + 16
			x, points, bias := make([]float32, 6*56*c), make([]float32, 36*step), make([]float32, c+16)
			mask := [8]int32{}
			in := Winograd{In: &x[0], Out: &points[0], InRow: 4 * 56 * c, InPixel: 4 * c, OutRow: 4 * step, C: c, Mask: &mask[0]}
			out := Winograd{In: &points[0], Out: &x[0], Bias: &bias[0], InRow: 4 * step, OutRow: 4 * 56 * c, OutPixel: 4 * c,
				C: c, Mask: &mask[0], Hi: 1}
			for _, op := range []struct {
				name   string
				kernel func(*Winograd)
				arg    *Winograd
			}{{"in", l.WinogradIn, &in}, {"out", l.WinogradOut, &out}} {
				b.Run(fmt.Sprintf("isa=%s/op=%s/c=%d", l.Name, op.name, c), func(b *testing.B) {
					benchBest(b, times*36*c, "melems/s", 1e6, func() {
						for range times {
							op.kernel(op.arg)
						}
					})
				})
			}
		}
	}
}

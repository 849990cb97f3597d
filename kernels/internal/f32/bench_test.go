package f32

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// BenchmarkRows times the kernels that walk rows over buffers of L1's and of L2's size, one long row and rows of a
// network's width. melems/s is of the fastest pass of a run, which another program on the machine disturbs least.
func BenchmarkRows(b *testing.B) {
	for _, l := range Levels() {
		if l == Generic {
			continue
		}
		for _, op := range []struct {
			name   string
			kernel func(*Rows)
		}{
			{"muladd", l.MulAdd}, {"sigmoid", l.Sigmoid}, {"silu", l.SiLU}, {"hardsigmoid", l.HardSigmoid}, {"hardswish", l.HardSwish},
			{"gelu", l.GELU}, {"gelutanh", l.GELUTanh}, {"layernorm", l.LayerNorm}, {"softmax", l.Softmax},
		} {
			for _, shape := range [][2]int{{1, 4096}, {1, 64 << 10}, {20, 197}, {64, 24}, {64, 20}, {64, 29}} {
				n, c := shape[0], shape[1]
				b.Run(fmt.Sprintf("isa=%s/op=%s/shape=%dx%d", l.Name, op.name, n, c), func(b *testing.B) {
					benchRows(b, op.kernel, n, c)
				})
			}
		}
	}
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
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		copy(x, first)
		start := time.Now()
		for range 4 {
			kernel(&Rows{Out: &x[0], In: &x[0], A: &first[0], B: &first[0], LDO: 4 * c, LDI: 4 * c, C: c, N: n, Mask: &mask[0], Lo: 1, Hi: 1 / float32(c)})
		}
		best = min(best, time.Since(start)/4)
	}
	b.ReportMetric(float64(n*c)/best.Seconds()/1e6, "melems/s")
}

//go:build !purego

package f32

import (
	"testing"

	"zoobench/kernels/internal/cpu"
)

// TestPeakWidths holds each width's loop to the Go one, whichever FMAPeak prefers.
func TestPeakWidths(t *testing.T) {
	for _, width := range []struct {
		name string
		has  bool
		peak func(int, *[8]float32)
	}{{"avx2", cpu.AVX2, fmaPeakAVX2}, {"avx512", cpu.AVX512, fmaPeakAVX512}} {
		if !width.has {
			continue
		}
		got := [8]float32{0, 1, 2, 3, -1, -2, -3, 4}
		want := got
		width.peak(7, &got)
		fmaPeakGeneric(7, &want)
		if got != want {
			t.Errorf("%s: got %v, want %v", width.name, got, want)
		}
	}
}

// BenchmarkPeak times the loops; gflop/s is of the fastest pass.
func BenchmarkPeak(b *testing.B) {
	for _, l := range Levels()[1:] {
		peak, lanes := fmaPeakAVX2, 8
		if l == avx512 {
			peak, lanes = fmaPeakAVX512, 16
		}
		b.Run("isa="+l.Name, func(b *testing.B) {
			benchBest(b, 2*peakChains*lanes*100000, "GFLOP/s", 1e9, func() { peak(100000, new([8]float32)) })
		})
	}
}

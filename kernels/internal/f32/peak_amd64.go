//go:build !purego

package f32

import (
	"math"
	"sync"
	"time"

	"zoobench/kernels/internal/cpu"
)

// fmaPeakAVX2 computes, for rounds of at least 1, 12 chains that never leave the registers:
//
//	acc[i] = x, for i < 12
//	for range rounds { acc[i][j] += x[j]*x[j], for i < 12, j < 8 }
//	x[j] = acc[0][j] + acc[1][j] + …
//
//go:noescape
func fmaPeakAVX2(rounds int, x *[8]float32)

// readSumAVX2 computes, for at least one block of 64 elements:
//
//	sum[j] += p[j] + p[j+8] + …, for j < 8
//
//go:noescape
func readSumAVX2(p *float32, blocks int, sum *[8]float32)

// fmaPeakAVX512 computes the same; the upper half of its vectors does so once more.
//
//go:noescape
func fmaPeakAVX512(rounds int, x *[8]float32)

// widening is how many times as many multiply-adds a second vectors of sixteen do as vectors of eight. With two units of
// that width they do twice as many (Zen 5, Intel's servers); on Zen 4, where two units of eight join, as many
// (BenchmarkPeak: both 118.2 GFLOP/s); and a core with one unit that lowers its clock for them does fewer. It is 0
// without AVX-512.
var widening = sync.OnceValue(func() float64 {
	if !cpu.AVX512 {
		return 0
	}
	least := [2]time.Duration{math.MaxInt64, math.MaxInt64}
	for range 8 { // in turn, and short: the shortest of each has seen no interruption
		for i, peak := range []func(int, *[8]float32){fmaPeakAVX2, fmaPeakAVX512} {
			start := time.Now()
			peak(1<<13, new([8]float32))
			least[i] = min(least[i], time.Since(start))
		}
	}
	return 2 * least[0].Seconds() / least[1].Seconds()
})

// TwoUnits reports whether this machine starts two multiply-adds of sixteen lanes a cycle, as measured once.
func TwoUnits() bool { return widening() > 1.5 }

// FMAPeak runs about rounds·peakChains·8 multiply-adds in registers, rounds ≥ 1, with the best instructions that the
// machine has, and returns how many those were. Sixteen lanes take half the rounds, so that where either width is as
// fast the time does not depend on which one was chosen.
func FMAPeak(rounds int, x *[8]float32) int {
	switch {
	case widening() > 1:
		half := (rounds + 1) / 2
		fmaPeakAVX512(half, x)
		return half * peakChains * 16
	case cpu.AVX2:
		fmaPeakAVX2(rounds, x)
	default:
		fmaPeakGeneric(rounds, x)
	}
	return rounds * peakChains * 8
}

// ReadSum adds the elements of x, a whole number of blocks, to sum by their index modulo 8.
func ReadSum(x []float32, sum *[8]float32) {
	if cpu.AVX2 && len(x) >= ReadBlock {
		readSumAVX2(&x[0], len(x)/ReadBlock, sum)
		return
	}
	readSumGeneric(x, sum)
}

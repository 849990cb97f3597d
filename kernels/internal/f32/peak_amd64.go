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

// wider reports whether vectors of sixteen do more multiply-adds a second than vectors of eight. With two units of that
// width they do twice as many; on Zen 4, where two units of eight join, as many (BenchmarkPeak: both 118.2
// GFLOP/s); and a core with one unit that lowers its clock for them does fewer.
var wider = sync.OnceValue(func() bool {
	if !cpu.AVX512 {
		return false
	}
	best := func(peak func(int, *[8]float32)) time.Duration {
		least := time.Duration(math.MaxInt64)
		for range 4 {
			start := time.Now()
			peak(1<<16, new([8]float32))
			least = min(least, time.Since(start))
		}
		return least
	}
	return best(fmaPeakAVX512) < 2*best(fmaPeakAVX2)
})

// FMAPeak runs about rounds·peakChains·8 multiply-adds in registers, rounds ≥ 1, with the best instructions that the
// machine has, and returns how many those were. Sixteen lanes take half the rounds, so that where either width is as
// fast the time does not depend on which one was chosen.
func FMAPeak(rounds int, x *[8]float32) int {
	switch {
	case wider():
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

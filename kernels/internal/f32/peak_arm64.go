//go:build !purego

package f32

import "zoobench/kernels/internal/cpu"

// fmaPeakNEON computes, for rounds of at least 1, 12 chains that never leave the registers:
//
//	acc[i] = x, for i < 12
//	for range rounds { acc[i][j] += x[j]*x[j], for i < 12, j < 8 }
//	x[j] = acc[0][j] + acc[1][j] + …
//
//go:noescape
func fmaPeakNEON(rounds int, x *[8]float32)

// readSumNEON computes, for at least one block of 64 elements:
//
//	sum[j] += p[j] + p[j+8] + …, for j < 8
//
//go:noescape
func readSumNEON(p *float32, blocks int, sum *[8]float32)

// FMAPeak runs rounds ≥ 1 of multiply-adds in registers, peakChains·8 each, with the best instructions that the machine
// has, and returns how many those were.
func FMAPeak(rounds int, x *[8]float32) int {
	if cpu.NEON {
		fmaPeakNEON(rounds, x)
	} else {
		fmaPeakGeneric(rounds, x)
	}
	return rounds * peakChains * 8
}

// ReadSum adds the elements of x, a whole number of blocks, to sum by their index modulo 8.
func ReadSum(x []float32, sum *[8]float32) {
	if cpu.NEON && len(x) >= ReadBlock {
		readSumNEON(&x[0], len(x)/ReadBlock, sum)
		return
	}
	readSumGeneric(x, sum)
}

// TwoUnits reports whether this machine starts two multiply-adds of sixteen lanes a cycle.
func TwoUnits() bool { return false }

//go:build (!amd64 && !arm64) || purego

package f32

// FMAPeak runs rounds ≥ 1 of multiply-adds in registers, peakChains·8 each, with the best instructions that the machine
// has, and returns how many those were.
func FMAPeak(rounds int, x *[8]float32) int {
	fmaPeakGeneric(rounds, x)
	return rounds * peakChains * 8
}

// ReadSum adds the elements of x, a whole number of blocks, to sum by their index modulo 8.
func ReadSum(x []float32, sum *[8]float32) { readSumGeneric(x, sum) }

// TwoUnits reports whether this machine starts two multiply-adds of sixteen lanes a cycle.
func TwoUnits() bool { return false }

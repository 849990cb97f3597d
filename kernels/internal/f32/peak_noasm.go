//go:build (!amd64 && !arm64) || purego

package f32

// FMAPeak runs rounds ≥ 1 of PeakChains·8 multiply-adds in registers, with the best instructions that the machine has.
func FMAPeak(rounds int, x *[8]float32) { fmaPeakGeneric(rounds, x) }

// ReadSum adds the elements of x, a whole number of blocks, to sum by their index modulo 8.
func ReadSum(x []float32, sum *[8]float32) { readSumGeneric(x, sum) }

package kernels

import "zoobench/kernels/internal/f32"

// PeakRounds runs a loop of independent multiply-adds that never leaves the registers, with the best instructions that
// the machine has whatever Use says, and returns how many floating-point operations it did (a multiply-add is two).
// Over its time, that is the most that one core can do. It panics where rounds is below 1.
func PeakRounds(rounds int) (flops int64) {
	if rounds < 1 {
		panic("kernels: peak: no rounds")
	}
	x := [8]float32{1, 1, 1, 1, 1, 1, 1, 1}
	return 2 * int64(f32.FMAPeak(rounds, &x))
}

// ReadSum returns the sum of x, in an order of its own. Over a slice larger than the caches and its time, that is the
// rate at which one core can read memory.
func ReadSum(x []float32) float32 {
	whole := len(x) / f32.ReadBlock * f32.ReadBlock
	var lanes [8]float32
	f32.ReadSum(x[:whole], &lanes)
	var sum float32
	for _, v := range lanes {
		sum += v
	}
	for _, v := range x[whole:] {
		sum += v
	}
	return sum
}

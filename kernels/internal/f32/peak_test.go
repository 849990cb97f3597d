package f32

import "testing"

// TestPeakTwin holds the best implementation to the Go one; integers keep every sum exact.
func TestPeakTwin(t *testing.T) {
	for _, rounds := range []int{1, 2, 7, 100} {
		got := [8]float32{0, 1, 2, 3, -1, -2, -3, 4}
		want := got
		FMAPeak(rounds, &got)
		fmaPeakGeneric(rounds, &want)
		if got != want {
			t.Errorf("%d rounds: got %v, want %v", rounds, got, want)
		}
	}
	x := make([]float32, 5*ReadBlock)
	for i := range x {
		x[i] = float32(i%13 - 6)
	}
	for blocks := range 6 {
		got := [8]float32{1, 2, 3, 4, 5, 6, 7, 8}
		want := got
		ReadSum(x[:blocks*ReadBlock], &got)
		readSumGeneric(x[:blocks*ReadBlock], &want)
		if got != want {
			t.Errorf("%d blocks: got %v, want %v", blocks, got, want)
		}
	}
}

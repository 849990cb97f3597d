package f32

import "testing"

// TestPeakTwin holds the best implementation to the Go one; integers keep every sum exact.
func TestPeakTwin(t *testing.T) {
	for _, rounds := range []int{1, 2, 7, 100} {
		got := [8]float32{0, 1, 2, 3, -1, -2, -3, 4}
		want, half := got, got // half the rounds where vectors have sixteen lanes
		n := FMAPeak(rounds, &got)
		fmaPeakGeneric(rounds, &want)
		fmaPeakGeneric((rounds+1)/2, &half)
		if got != want && got != half {
			t.Errorf("%d rounds: got %v, want %v or %v", rounds, got, want, half)
		}
		if least := rounds * peakChains * 8; n < least || n > least+peakChains*8 {
			t.Errorf("%d rounds: %d multiply-adds, want %d", rounds, n, least)
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

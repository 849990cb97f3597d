package ref

import (
	"math"
	"testing"
)

func TestSliceAndShuffle(t *testing.T) {
	// Two images of four channels of two pixels.
	x := []float64{1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, -5, -6, -7, -8}
	got := make([]float64, 8)
	Slice(got, x, 1, 3, 2, 4, 2)
	equal(t, got, []float64{3, 4, 5, 6, -3, -4, -5, -6})
	got = make([]float64, 16)
	Shuffle(got, x, 2, 2, 4, 2)
	equal(t, got, []float64{1, 2, 5, 6, 3, 4, 7, 8, -1, -2, -5, -6, -3, -4, -7, -8})
	six := make([]float64, 6)
	Shuffle(six, []float64{0, 1, 2, 3, 4, 5}, 3, 1, 6, 1)
	equal(t, six, []float64{0, 2, 4, 1, 3, 5})
}

func TestAffine(t *testing.T) {
	x := []float64{1, 2, 3, 4, -1, -2, -3, -4}
	Affine(x, x, []float32{2, 3}, []float32{10, 20}, 2, 2, 2)
	equal(t, x, []float64{12, 14, 29, 32, 8, 6, 11, 8})
	Affine(x, x, []float64{0, 1}, nil, 2, 2, 2)
	equal(t, x, []float64{0, 0, 29, 32, 0, 0, 11, 8})
}

func TestPad(t *testing.T) {
	got := make([]float64, 2*2*4)
	Pad(got, []float64{1, 2, 3, 4}, 1, 0, 0, 2, 2, 1, 2)
	equal(t, got, []float64{0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0})
}

func TestNorms(t *testing.T) {
	x := []float64{1, 3, 5, 7, 10, 10, 14, 14} // four channels of two pixels
	w, b := []float32{1, 2, 1, 1}, []float32{0, 0, 0, 1}
	got := make([]float64, 8)
	GroupNorm(got, x, w, b, 4, 2, 1, 4, 2) // means 4 and 12, variances 5 and 4
	equal(t, got, []float64{-1, -1. / 3, 2. / 3, 2, -2 / math.Sqrt(8), -2 / math.Sqrt(8), 1 + 2/math.Sqrt(8), 1 + 2/math.Sqrt(8)})
	// Pixel 0 is 1, 5, 10, 14: mean 7.5, variance 24.25; pixel 1 is 3, 7, 10, 14: mean 8.5, variance 16.25.
	LayerNorm(got, x, w, b, 0.75, 1, 4, 2)
	s0, s1 := 5.0, math.Sqrt(17)
	equal(t, got, []float64{-6.5 / s0, -5.5 / s1, -5 / s0, -3 / s1, 2.5 / s0, 1.5 / s1, 6.5/s0 + 1, 5.5/s1 + 1})
}

func TestSplitSoftmax(t *testing.T) {
	got := make([]float64, 4) // two parts of one channel of two pixels
	SplitSoftmax(got, []float64{math.Log(3), 1000, 0, 1000}, 2, 1, 2, 2)
	equal(t, got, []float64{0.75, 0.5, 0.25, 0.5})
}

func TestChannelConv(t *testing.T) {
	got := make([]float64, 6)
	ChannelConv(got, []float64{1, 2, 3, -1, -2, -3}, []float32{100, 10, 1}, 2, 3)
	equal(t, got, []float64{12, 123, 230, -12, -123, -230})
}

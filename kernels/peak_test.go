package kernels

import (
	"math"
	"testing"
)

func TestReadSum(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 128, 1000, 4096 + 7} {
		x := make([]float32, n+1)
		var want float32
		for i := range x[1:] {
			x[i+1] = float32(i%7 - 3) // sums of small integers are exact in any order
			want += x[i+1]
		}
		if got := ReadSum(x[1:]); got != want {
			t.Errorf("sum of %d elements: got %v, want %v", n, got, want)
		}
	}
	if got := ReadSum([]float32{63: float32(math.NaN())}); !math.IsNaN(float64(got)) {
		t.Errorf("sum with a NaN: got %v, want NaN", got)
	}
}

func TestPeakRounds(t *testing.T) {
	if got, want := PeakRounds(10), int64(10*12*8*2); got != want {
		t.Errorf("operations of 10 rounds: got %d, want %d", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("no rounds: no panic")
		}
	}()
	PeakRounds(0)
}

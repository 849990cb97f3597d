package stat

import (
	"math"
	"reflect"
	"testing"
)

func TestImagesToSeparate(t *testing.T) {
	for _, test := range []struct {
		onlyA, onlyB, n, want int
		ok                    bool
	}{
		// Connor's formula by hand: discordant 0.1, difference 0.02: ((1.96·0.31623 + 0.84162·0.31559)/0.02)² = 1959.9.
		{60, 40, 1000, 1960, true},
		{40, 60, 1000, 1960, true},
		{50, 50, 1000, 0, false},
		{0, 0, 10, 0, false},
		{10, 0, 10, 4, true}, // always one and never the other: (1.96)² = 3.84
	} {
		if got, ok := ImagesToSeparate(test.onlyA, test.onlyB, test.n); got != test.want || ok != test.ok {
			t.Errorf("%d and %d of %d: got %d, %t, want %d, %t", test.onlyA, test.onlyB, test.n, got, ok, test.want, test.ok)
		}
	}
}

// TestImagesToSeparatePower draws from the assumed shares: about four of five tests must separate.
func TestImagesToSeparatePower(t *testing.T) {
	n, _ := ImagesToSeparate(60, 40, 1000)
	found, state := 0, uint64(1)
	const draws = 400
	for range draws {
		a, b := 0, 0
		for range n {
			state = state*6364136223846793005 + 1442695040888963407
			switch u := float64(state>>11) / (1 << 53); {
			case u < 0.06:
				a++
			case u < 0.10:
				b++
			}
		}
		if McNemar(a, b) < 0.05 {
			found++
		}
	}
	if share := float64(found) / draws; share < 0.73 || share > 0.87 {
		t.Errorf("separated in %.3f of the draws, want about 0.8", share)
	}
}

func TestTieRanks(t *testing.T) {
	score := []float64{80, 79.5, 70, 60, 60.2}
	got := TieRanks(len(score), func(i, j int) bool { return score[i] > score[j]+1 })
	if want := []int{1, 1, 3, 4, 4}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCalibration(t *testing.T) {
	ece, bins := Calibration([]float64{0.95, 0.85, 0.85, 0.15, 1, 0}, []bool{true, true, false, false, true, false}, 10)
	// Bins (0.9, 1]: 0.975 and all right; (0.8, 0.9]: 0.85 and half; (0.1, 0.2]: 0.15 and none; [0, 0.1]: 0 and none.
	if want := (2*0.025 + 2*0.35 + 0.15) / 6; math.Abs(ece-want) > 1e-12 {
		t.Errorf("error %v, want %v", ece, want)
	}
	if b := bins[8]; b.N != 2 || math.Abs(b.Confidence-0.85) > 1e-12 || b.Accuracy != 0.5 || b.Lo != 0.8 || b.Hi != 0.9 {
		t.Errorf("ninth bin: %+v", b)
	}
	if !math.IsNaN(bins[4].Accuracy) || bins[4].N != 0 {
		t.Errorf("empty bin: %+v", bins[4])
	}
	if ece, _ := Calibration(nil, nil, 15); !math.IsNaN(ece) {
		t.Errorf("nothing: error %v, want NaN", ece)
	}
}

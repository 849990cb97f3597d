package features

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"zoobench/bench/choose/heads"
)

// TestManyFeatures tests heads on a network's 2,048 features of 100,000 images, which are 781 MiB, in less than that:
// fits and neighbours have a bounded part of them, twice, and read the rest from the file as they go.
func TestManyFeatures(t *testing.T) {
	if os.Getenv("ZOO_LONG") == "" {
		t.Skip("writes 781 MiB and fits for minutes: with ZOO_LONG only")
	}
	const n, d, classes = 100_000, 2048, 3
	features, labels := cloudsOnDisk(t, n, d, classes)
	s := newStudy(t, labels, classes)
	const most = 780 << 20
	for _, head := range []struct {
		name    string
		predict func() (heads.Matrix, error)
	}{
		{"linear probe", func() (heads.Matrix, error) {
			p, _, err := s.Probe(t.Context(), features.Loaded(heads.MostValues), nil)
			return p, err
		}},
		{"nearest", func() (heads.Matrix, error) {
			p, _, err := s.Nearest(t.Context(), features.Loaded(heads.MostValues))
			return p, err
		}},
	} {
		t.Run(head.name, func(t *testing.T) {
			start := time.Now()
			probabilities, err := head.predict()
			if err != nil {
				t.Fatal(err)
			}
			o := heads.Decide(classes, labels, slices.Repeat([]bool{true}, n), probabilities.Row)
			accuracy := o.Score().Accuracy.Value
			peak := peakBytes(t)
			t.Logf("accuracy %.3f in %v, peak %d MiB", accuracy, time.Since(start).Round(time.Second), peak>>20)
			if peak > most || features.Err() != nil || accuracy < 0.9 {
				t.Errorf("%d MiB, error %v, accuracy %g; want at most %d MiB", peak>>20, features.Err(), accuracy, most>>20)
			}
		})
	}
}

// peakBytes is the largest resident set of this process so far.
func peakBytes(t *testing.T) int64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return u.Maxrss << 10
}

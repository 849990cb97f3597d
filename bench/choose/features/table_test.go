package features

import (
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"zoobench/bench/choose/heads"
	"zoobench/kernels/par"
)

// cloudsOnDisk are features in a file, a batch in memory at a time: each class stands out in a feature of its own.
func cloudsOnDisk(t *testing.T, n, d, classes int) (Table, []int) {
	t.Helper()
	s, err := openRecords(filepath.Join(t.TempDir(), "made.features"), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.file.Close() })
	rng := rand.New(rand.NewPCG(7, 7))
	labels, at := make([]int, n), make([]int64, n)
	values := make([]float32, 0, 100*d)
	var sums [][sha256.Size]byte
	for i := range n {
		labels[i] = i % classes
		at[i] = int64(i)*s.recordBytes() + sha256.Size
		for j := range d {
			v := float32(rng.NormFloat64())
			if j == labels[i] {
				v += 8
			}
			values = append(values, v)
		}
		sums = append(sums, sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)}))
		if len(sums) == 100 || i == n-1 {
			if err := s.write(sums, values); err != nil {
				t.Fatal(err)
			}
			sums, values = sums[:0], values[:0]
		}
	}
	return Table{width: d, file: newRowFile(s.file, at, d)}, labels
}

// newStudy deals images out to five folds.
func newStudy(t *testing.T, labels []int, classes int) *heads.Study {
	t.Helper()
	group := make([]int, len(labels))
	for i := range group {
		group[i] = i
	}
	fold := heads.Deal(labels, group, slices.Repeat([]bool{true}, len(labels)), classes, 5, 1)
	pool := par.New(2)
	t.Cleanup(pool.Close)
	return &heads.Study{Classes: classes, Labels: labels, Fold: fold, Folds: 5, Pool: pool}
}

// TestFeaturesFromDisk gives heads the same features from a file and from memory: the answers are the same.
func TestFeaturesFromDisk(t *testing.T) {
	const n, d, classes = 600, 24, 3
	disk, labels := cloudsOnDisk(t, n, d, classes)
	s := newStudy(t, labels, classes)
	var probes, nears []heads.Matrix
	for _, features := range []Table{disk, disk.Loaded(n * d)} {
		p, chosen, err := s.Probe(t.Context(), features, nil)
		if err != nil {
			t.Fatal(err)
		}
		if chosen.Gradient > 1e-4 {
			t.Errorf("gradient %g", chosen.Gradient)
		}
		near, _, err := s.Nearest(t.Context(), features)
		if err != nil {
			t.Fatal(err)
		}
		probes, nears = append(probes, p), append(nears, near)
	}
	if disk.Loaded(n*d).file != nil || disk.Loaded(n*d-1).file == nil {
		t.Error("a table that fits is on disk, or one that does not fit is in memory")
	}
	if !slices.Equal(probes[0].Data, probes[1].Data) || !slices.Equal(nears[0].Data, nears[1].Data) {
		t.Error("answers from disk are not those from memory")
	}
}

// TestFeaturesGone says so where the file of features loses its end.
func TestFeaturesGone(t *testing.T) {
	disk, _ := cloudsOnDisk(t, 10, 4, 2)
	if err := os.Truncate(disk.file.f.Name(), 100); err != nil {
		t.Fatal(err)
	}
	for i := range disk.file.at {
		disk.Row(i)
	}
	if disk.Err() == nil {
		t.Error("no error")
	}
}

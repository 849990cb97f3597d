package choose

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// cloudsOnDisk are features in a store, a batch in memory at a time: each class stands out in a feature of its own.
func cloudsOnDisk(t *testing.T, n, d, classes int) (table, []int) {
	t.Helper()
	s, err := openStore(filepath.Join(t.TempDir(), "made.features"), d)
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
	return table{rows: n, cols: d, file: newRowFile(s.file, at, d)}, labels
}

// TestFeaturesFromDisk gives heads the same features from a file and from memory: the answers are the same. With a part
// of them to learn from, balanced over the classes, they still predict every picture.
func TestFeaturesFromDisk(t *testing.T) {
	const n, d, classes = 600, 24, 3
	disk, labels := cloudsOnDisk(t, n, d, classes)
	s := newStudy(t, labels, classes, 5)
	ctx := context.Background()
	var probes, nears []table
	for _, features := range []table{disk, disk.loaded()} {
		p, chosen, err := s.probe(ctx, features, nil)
		if err != nil {
			t.Fatal(err)
		}
		if chosen.Gradient > 1e-4 {
			t.Errorf("gradient %g", chosen.Gradient)
		}
		near, _, err := s.neighbour(ctx, features)
		if err != nil {
			t.Fatal(err)
		}
		probes, nears = append(probes, p), append(nears, near)
	}
	if disk.loaded().file != nil {
		t.Error("a small table stays on disk")
	}
	if !slices.Equal(probes[0].data, probes[1].data) || !slices.Equal(nears[0].data, nears[1].data) {
		t.Error("answers from disk are not those from memory")
	}

	s.most = 60
	rows := s.few(s.rows(0), d)
	perClass := make([]int, classes)
	for _, i := range rows {
		perClass[labels[i]]++
	}
	if len(rows) != 60 || !slices.Equal(perClass, []int{20, 20, 20}) || !slices.IsSorted(rows) || !slices.Equal(rows, s.few(s.rows(0), d)) {
		t.Errorf("%d rows, %v a class; want 60, 20 each, in order and the same again", len(rows), perClass)
	}
	p, _, err := s.probe(ctx, disk, nil)
	if err != nil {
		t.Fatal(err)
	}
	near, _, err := s.neighbour(ctx, disk)
	if err != nil {
		t.Fatal(err)
	}
	for name, probabilities := range map[string]table{"probe": p, "nearest": near} {
		if acc := score(s.outcome(probabilities)).Accuracy.Value; acc < 0.95 {
			t.Errorf("%s, learned from a tenth: accuracy %g", name, acc)
		}
	}
}

// TestFeaturesGone says so where the file of features loses its end.
func TestFeaturesGone(t *testing.T) {
	disk, _ := cloudsOnDisk(t, 10, 4, 2)
	if err := os.Truncate(disk.file.f.Name(), 100); err != nil {
		t.Fatal(err)
	}
	for i := range disk.rows {
		disk.row(i)
	}
	if disk.err() == nil {
		t.Error("no error")
	}
}

package heads

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDeal holds folds to their contract over many draws: every readable image is in one, groups stay together,
// and a class's images are spread evenly where groups are single images.
func TestDeal(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 0))
	for seed := range uint64(50) {
		n, classes, folds := 60+rng.IntN(60), 2+rng.IntN(4), 3+rng.IntN(4)
		labels, group, readable := make([]int, n), make([]int, n), make([]bool, n)
		inGroup := make([]int, n)
		for i := range n {
			labels[i], group[i], readable[i] = i%classes, i, rng.IntN(20) > 0
			if i > 20 && i%7 == 0 {
				group[i] = i - classes // of the same class
			}
			inGroup[group[i]]++
		}
		fold := Deal(labels, group, readable, classes, folds, seed)
		if !slices.Equal(fold, Deal(labels, group, readable, classes, folds, seed)) {
			t.Fatal("another time, other folds")
		}
		perClass := make([][]int, classes)
		for c := range perClass {
			perClass[c] = make([]int, folds)
		}
		for i, f := range fold {
			if (f == NoFold) == readable[i] {
				t.Fatalf("image %d: fold %d, readable %v", i, f, readable[i])
			}
			if readable[i] && readable[group[i]] && f != fold[group[i]] {
				t.Fatalf("image %d: fold %d, its group's is %d", i, f, fold[group[i]])
			}
			if readable[i] {
				perClass[labels[i]][f]++
			}
		}
		for c, counts := range perClass {
			if slices.Max(counts)-slices.Min(counts) > 1 {
				t.Errorf("class %d: %v images in the folds", c, counts)
			}
		}
	}
}

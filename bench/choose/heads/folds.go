package heads

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// NoFold is the fold of an image that is in none, as one that cannot be read.
const NoFold = -1

// Deal deals images out to folds, so that each fold has its share of each class, give or take one, and the images of a
// group are in one fold. Group is the least index of the image's group, itself where it is alone; an image that is not
// readable is in no fold. The seed decides the rest. A class with fewer than two groups, of which nothing could be both
// learned and tested, is for the caller to refuse; a fold may stay empty where images are few.
func Deal(labels, group []int, readable []bool, classes, folds int, seed uint64) []int {
	members := map[int][]int{}
	for i, g := range group {
		if readable[i] {
			members[g] = append(members[g], i)
		}
	}
	order := make([]int, 0, len(members))
	for i := range group {
		if len(members[i]) > 0 {
			order = append(order, i) // a group is called by its first image
		}
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	// The large groups first: the small ones even out what these leave. Within a size, class by class.
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(members[b]), len(members[a])), cmp.Compare(labels[a], labels[b]))
	})
	fold := slices.Repeat([]int{NoFold}, len(labels))
	perClass := make([][]int, folds)
	total := make([]int, folds)
	for f := range perClass {
		perClass[f] = make([]int, classes)
	}
	for _, g := range order {
		emptiest := 0
		for f := 1; f < folds; f++ {
			if cmp.Or(cmp.Compare(perClass[f][labels[g]], perClass[emptiest][labels[g]]), cmp.Compare(total[f], total[emptiest])) < 0 {
				emptiest = f
			}
		}
		for _, i := range members[g] {
			fold[i] = emptiest
			perClass[emptiest][labels[i]]++
			total[emptiest]++
		}
	}
	return fold
}

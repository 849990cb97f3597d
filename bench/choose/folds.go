package choose

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// unreadable is the fold of pictures that are in none.
const unreadable = -1

// stratify deals pictures out to folds, so that each fold has its share of each class, give or take one, and pictures of
// a group stand in one fold. The seed decides which. It is an error where a class has fewer than two groups: nothing of
// it could be learned and tested.
func stratify(labels, group []int, readable []bool, classes []string, folds int, seed uint64) ([]int, error) {
	members := map[int][]int{}
	for i, g := range group {
		if readable[i] {
			members[g] = append(members[g], i)
		}
	}
	order := make([]int, 0, len(members))
	for i := range group {
		if len(members[i]) > 0 {
			order = append(order, i) // a group is called by its first picture
		}
	}
	distinct := make([]map[int]bool, len(classes))
	for c := range distinct {
		distinct[c] = map[int]bool{}
	}
	for g, m := range members {
		for _, i := range m {
			distinct[labels[i]][g] = true
		}
	}
	var poor []string
	for c, gs := range distinct {
		if len(gs) < 2 {
			poor = append(poor, classes[c])
		}
	}
	if len(poor) > 0 {
		return nil, fmt.Errorf("choose: class %s: fewer than 2 readable pictures that differ, want one to learn from and one to test on", strings.Join(poor, ", "))
	}

	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	// The large groups first: the small ones even out what these leave. Within a size, class by class.
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(members[b]), len(members[a])), cmp.Compare(labels[a], labels[b]))
	})
	fold := make([]int, len(labels))
	for i := range fold {
		fold[i] = unreadable
	}
	perClass := make([][]int, folds)
	total := make([]int, folds)
	for f := range perClass {
		perClass[f] = make([]int, len(classes))
	}
	for _, g := range order {
		best := 0
		for f := 1; f < folds; f++ {
			if cmp.Or(cmp.Compare(perClass[f][labels[g]], perClass[best][labels[g]]), cmp.Compare(total[f], total[best])) < 0 {
				best = f
			}
		}
		for _, i := range members[g] {
			fold[i] = best
			perClass[best][labels[i]]++
			total[best]++
		}
	}
	return fold, nil
}

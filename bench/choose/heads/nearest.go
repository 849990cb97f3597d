package heads

import (
	"context"
	"math"
	"slices"
)

// neighbours are the numbers of nearest images that are tried.
var neighbours = [...]int{1, 3, 5, 10, 20}

// nearest is an image's neighbours, the most similar first.
type nearest struct {
	similarity []float32
	row        []int
}

// add keeps an image if it is among the most similar; of equals, the one that was there first.
func (n *nearest) add(similarity float32, row int) {
	const most = 20 // the last of neighbours
	k := len(n.row)
	if k == most && similarity <= n.similarity[k-1] {
		return
	}
	if k < most {
		n.similarity, n.row = append(n.similarity, 0), append(n.row, 0)
		k++
	}
	at := k - 1
	for ; at > 0 && n.similarity[at-1] < similarity; at-- {
		n.similarity[at], n.row[at] = n.similarity[at-1], n.row[at-1]
	}
	n.similarity[at], n.row[at] = similarity, row
}

// vote writes the classes' shares among the first k neighbours; where two classes have as many, the one whose are nearer
// is ahead by a little.
func (n *nearest) vote(dst []float32, labels []int, k int) {
	clear(dst)
	k = min(k, len(n.row))
	if k == 0 {
		return
	}
	total := float32(0)
	for r, i := range n.row[:k] {
		v := 1 + 1e-3*float32(k-r)/float32(k)
		dst[labels[i]] += v
		total += v
	}
	for c := range dst {
		dst[c] /= total
	}
}

// similarityBlock is how many images' similarities to all others are in memory at a time.
const similarityBlock = 256

// mostOthers bounds the images among which neighbours are looked for: the time grows with them times all.
const mostOthers = 1 << 14

// Nearest predicts every image by a vote of its nearest in the other folds, by the cosine of their features. How many vote
// is chosen for each fold by the right answers in the other ones, without it. It returns (images, Classes), a row of zeros
// for an image in no fold, and how many vote, fold by fold.
func (s *Study) Nearest(ctx context.Context, features Features) (Matrix, []int, error) {
	all := s.rows()
	search := newSearch(s, features, all)
	// right[o][j] is how many images of other folds than o are right by neighbours[j] of neither's fold.
	right := make([][]int, s.Folds)
	for o := range right {
		right[o] = make([]int, len(neighbours))
	}
	final := make([]nearest, len(all))
	shares := make([]float32, s.Classes)
	for from := 0; from < len(all); from += similarityBlock {
		if err := ctx.Err(); err != nil {
			return Matrix{}, nil, err
		}
		block := all[from:min(from+similarityBlock, len(all))]
		search.compare(features, block)
		for r, i := range block {
			without := search.without(r, s.Fold[i])
			for o := range without {
				if o == s.Fold[i] {
					continue
				}
				for j, k := range neighbours {
					without[o].vote(shares, s.Labels, k)
					if Largest(shares) == s.Labels[i] {
						right[o][j]++
					}
				}
			}
			final[from+r] = without[s.Fold[i]]
		}
	}
	var chosen []int
	for _, counts := range right {
		chosen = append(chosen, neighbours[Largest(counts)])
	}
	probabilities := NewMatrix(len(s.Labels), s.Classes)
	for r, i := range all {
		final[r].vote(probabilities.Row(i), s.Labels, chosen[s.Fold[i]])
	}
	return probabilities, chosen, nil
}

// NearestTo predicts every image from other features of it, those of the image changed, by a vote of its nearest in the other
// folds as they are. How many vote is what Nearest chose, fold by fold. The result is as that of Nearest.
func (s *Study) NearestTo(ctx context.Context, changed, features Features, chosen []int) (Matrix, error) {
	all := s.rows()
	search := newSearch(s, features, all)
	probabilities := NewMatrix(len(s.Labels), s.Classes)
	for block := range slices.Chunk(all, similarityBlock) {
		if err := ctx.Err(); err != nil {
			return Matrix{}, err
		}
		search.compare(changed, block)
		for r, i := range block {
			fold := s.Fold[i]
			search.without(r, fold)[fold].vote(probabilities.Row(i), s.Labels, chosen[fold])
		}
	}
	return probabilities, nil
}

// A search compares blocks of images with those among which neighbours are looked for.
type search struct {
	*Study
	others            []int
	units             *factor
	block, similarity []float32 // (similarityBlock, features) and (similarityBlock, others)
}

// newSearch is a search among images, or few of them where they are many.
func newSearch(s *Study, features Features, images []int) *search {
	d := features.Width()
	others := s.few(images, max(d, MostValues/mostOthers))
	m := len(others)
	unit := make([]float32, m*d)
	for r, i := range others {
		normalise(unit[r*d:(r+1)*d], features.Row(i))
	}
	return &search{
		Study: s, others: others, units: newFactor(s.Pool, unit, nil, similarityBlock, d, m),
		block: make([]float32, similarityBlock*d), similarity: make([]float32, similarityBlock*m),
	}
}

// compare computes the similarities of a block's images to all others; rows behind the block's end say nothing.
func (s *search) compare(features Features, images []int) {
	d := features.Width()
	for r, i := range images {
		normalise(s.block[r*d:(r+1)*d], features.Row(i))
	}
	s.units.times(s.similarity, s.block)
}

// without is the nearest of the block's image r, which is of the fold own: element o has neither own's nor o's images.
func (s *search) without(r, own int) []nearest {
	all, m := make([]nearest, s.Folds), len(s.others)
	for j, v := range s.similarity[r*m : (r+1)*m] {
		fold := s.Fold[s.others[j]]
		if fold == own {
			continue
		}
		for o := range all {
			if o != fold {
				all[o].add(v, s.others[j])
			}
		}
	}
	return all
}

// normalise writes a vector at length 1, a zero one as it is.
func normalise(dst, v []float32) {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if clear(dst); sum == 0 {
		return
	}
	for j, x := range v {
		dst[j] = float32(float64(x) / math.Sqrt(sum))
	}
}

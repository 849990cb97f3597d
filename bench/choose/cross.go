package choose

import (
	"context"
	"fmt"
	"math"
	"slices"

	"zoobench/kernels/par"
)

// strengths are the regularisations that are tried, the strongest first: each fit starts at the one before it.
var strengths = [...]float64{1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8}

// neighbours are the numbers of nearest pictures that are tried.
var neighbours = [...]int{1, 3, 5, 10, 20}

// A study is pictures, their labels and their folds: what all heads are compared on.
type study struct {
	classes int
	labels  []int
	fold    []int // unreadable for pictures in none
	folds   int
	most    int // rows that a fit learns from; 0 for as many as memory allows
	pool    *par.Pool
}

// rows are the pictures that are in a fold and in none of those excluded.
func (s *study) rows(excluded ...int) (rows []int) {
	for i, f := range s.fold {
		if f != unreadable && !slices.Contains(excluded, f) {
			rows = append(rows, i)
		}
	}
	return rows
}

// in is the pictures of a fold.
func (s *study) in(fold int) (rows []int) {
	for i, f := range s.fold {
		if f == fold {
			rows = append(rows, i)
		}
	}
	return rows
}

// Chosen is what cross-validation chose, fold by fold.
type Chosen struct {
	Strength   []float64 // of the linear probe
	Overall    float64   // strength, chosen on all pictures, for a head that learns from all of them
	Gradient   float64   // the largest of the fits' remaining gradients, as a share of that at zero
	Neighbours []int
}

// probe predicts every picture by a linear probe that has not seen its fold; the strength of its regularisation has not
// seen it either: for each fold it is chosen by the likelihood of the other folds, each predicted by a fit without both.
// Fits learn from few of what is there where that is too much, and every picture is predicted in any case.
// The result is a row of probabilities for each picture, zero for an unreadable one.
func (s *study) probe(ctx context.Context, features table, step func(done, total int)) (table, Chosen, error) {
	var c Chosen
	// loss[a][b][j] is that of fold b without a and b at strength j.
	loss := make([][][]float64, s.folds)
	for a := range loss {
		loss[a] = make([][]float64, s.folds)
	}
	done, total := 0, s.folds*(s.folds-1)/2+s.folds
	tell := func() {
		if done++; step != nil {
			step(done, total)
		}
	}
	for a := range s.folds {
		for b := a + 1; b < s.folds; b++ {
			var err error
			if loss[b][a], loss[a][b], err = s.path(ctx, features, a, b); err != nil {
				return table{}, c, err
			}
			tell()
		}
	}
	overall := make([]float64, len(strengths))
	probabilities := newTable(len(s.labels), s.classes)
	for a := range s.folds {
		sum := make([]float64, len(strengths))
		for b := range s.folds {
			if a != b {
				for j, l := range loss[a][b] {
					sum[j] += l
					overall[j] += l
				}
			}
		}
		strength := strengths[least(sum)]
		c.Strength = append(c.Strength, strength)
		if err := ctx.Err(); err != nil {
			return table{}, c, err
		}
		f, err := newProblem(s.pool, features, s.few(s.rows(a), features.cols), s.labels, s.classes).solve(strength, nil, convergence)
		if err != nil {
			return table{}, c, fmt.Errorf("%w; fold %d", err, a+1)
		}
		c.Gradient = max(c.Gradient, f.gradient)
		test := s.in(a)
		for r, p := range f.predict(s.pool, features, test) {
			row := probabilities.row(test[r])
			for class, v := range p {
				row[class] = float32(v)
			}
		}
		tell()
	}
	c.Overall = strengths[least(overall)]
	return probabilities, c, nil
}

// path fits without folds a and b at each strength and returns the losses of a and of b. It ends where both have grown.
func (s *study) path(ctx context.Context, features table, a, b int) (lossA, lossB []float64, err error) {
	p := newProblem(s.pool, features, s.few(s.rows(a, b), features.cols), s.labels, s.classes)
	test := [2][]int{s.few(s.in(a), features.cols), s.few(s.in(b), features.cols)}
	var losses [2][]float64
	for i := range losses {
		losses[i] = slices.Repeat([]float64{math.Inf(1)}, len(strengths))
	}
	var start []float64
	for j, strength := range strengths {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		f, err := p.solve(strength, start, closeEnough)
		if err != nil {
			return nil, nil, err
		}
		start = f.solution
		grown := j > 0
		for i, rows := range test {
			losses[i][j] = logLoss(f.predict(s.pool, features, rows), rows, s.labels)
			grown = grown && losses[i][j] > losses[i][j-1]
		}
		if grown {
			break
		}
	}
	return losses[0], losses[1], nil
}

// logLoss is the sum of the pictures' −log of their own class's probability, which counts as at least a millionth.
func logLoss(probabilities [][]float64, rows, labels []int) (sum float64) {
	for r, p := range probabilities {
		sum -= math.Log(max(p[labels[rows[r]]], 1e-6))
	}
	return sum
}

// least is the index of the least value, the first of equals.
func least(v []float64) int {
	best := 0
	for i := range v {
		if v[i] < v[best] {
			best = i
		}
	}
	return best
}

// nearest is a picture's neighbours, the most similar first.
type nearest struct {
	similarity []float32
	row        []int
}

// add keeps a picture if it is among the most similar; of equals, the one that was there first.
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

// similarityBlock is how many pictures' similarities to all others are in memory at a time.
const similarityBlock = 256

// mostOthers bounds the pictures among which neighbours are looked for: the time grows with them times all.
const mostOthers = 1 << 14

// neighbour predicts every picture by a vote of its nearest in the other folds, by the cosine of their features. How many
// vote is chosen for each fold by the right answers in the other ones, without it.
func (s *study) neighbour(ctx context.Context, features table) (table, []int, error) {
	all := s.rows()
	others := s.few(all, max(features.cols, inMemory/mostOthers))
	n, m, d := len(all), len(others), features.cols
	unit := make([]float32, m*d)
	for r, i := range others {
		normalise(unit[r*d:(r+1)*d], features.row(i))
	}
	// right[o][j] is how many pictures of other folds than o are right by neighbours[j] of neither's fold.
	right := make([][]int, s.folds)
	for o := range right {
		right[o] = make([]int, len(neighbours))
	}
	final := make([]nearest, n)
	units := newFactor(s.pool, unit, nil, similarityBlock, d, m)
	similarity, block := make([]float32, similarityBlock*m), make([]float32, similarityBlock*d)
	shares := make([]float32, s.classes)
	for from := 0; from < n; from += similarityBlock {
		if err := ctx.Err(); err != nil {
			return table{}, nil, err
		}
		count := min(similarityBlock, n-from)
		for r := range count {
			normalise(block[r*d:(r+1)*d], features.row(all[from+r]))
		}
		units.times(similarity, block) // of the last block's end too, which says nothing
		for r := range count {
			own := s.fold[all[from+r]]
			without := make([]nearest, s.folds)
			for j, v := range similarity[r*m : (r+1)*m] {
				fold := s.fold[others[j]]
				if fold == own {
					continue
				}
				for o := range without {
					if o != fold {
						without[o].add(v, others[j])
					}
				}
			}
			for o := range without {
				if o == own {
					continue
				}
				for j, k := range neighbours {
					without[o].vote(shares, s.labels, k)
					if best(shares) == s.labels[all[from+r]] {
						right[o][j]++
					}
				}
			}
			final[from+r] = without[own]
		}
	}
	var chosen []int
	for _, counts := range right {
		j := 0
		for i, count := range counts {
			if count > counts[j] {
				j = i
			}
		}
		chosen = append(chosen, neighbours[j])
	}
	probabilities := newTable(len(s.labels), s.classes)
	for r, i := range all {
		final[r].vote(probabilities.row(i), s.labels, chosen[s.fold[i]])
	}
	return probabilities, chosen, nil
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

// best is the class of the largest value, the first of equals.
func best(p []float32) int {
	b := 0
	for c, v := range p {
		if v > p[b] {
			b = c
		}
	}
	return b
}

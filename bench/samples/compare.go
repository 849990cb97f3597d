package samples

import (
	"cmp"
	"fmt"
	"slices"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// A Metric is what counts as right.
type Metric string

// The metrics: the best class is right, or one of the five best.
const (
	Top1 Metric = "top1"
	Top5 Metric = "top5"
)

// within is the worst rank that counts as right.
func (m Metric) within() int {
	if m == Top5 {
		return 5
	}
	return 1
}

// separation is the family-wise error rate at which two checkpoints are separated.
const separation = 0.05

// A Comparison is several checkpoints on the images that all of them have.
type Comparison struct {
	Ranks []Rank // best first
	Pairs []Pair // every two, in the order in which they were given
	Notes []string

	n int // how many were compared
}

// A Rank is a checkpoint's place. Those that nothing separates share one.
type Rank struct {
	Rank      int
	Model     string
	Images    int
	Share     float64 // percent
	Lo, Hi    float64
	Published float64 // percent, 0 where unknown
	Verdict   string  // on the published figure, "" where there is none

	of int // its place among those compared
}

// A Pair is two checkpoints on the same images.
type Pair struct {
	A          string  `json:"a"`
	B          string  `json:"b"`
	Metric     Metric  `json:"metric"`
	Images     int     `json:"n_images"`
	OnlyA      int     `json:"only_a"` // images that A alone got right
	OnlyB      int     `json:"only_b"`
	Difference float64 `json:"difference"` // A less B, percentage points
	P          float64 `json:"p"`          // McNemar's exact test
	PHolm      float64 `json:"p_holm"`     // corrected for all pairs
	Separated  bool    `json:"separated"`
	// MoreImages would separate the two with a chance of about 80 %; 0 where they are separated, or where none would.
	MoreImages int `json:"more_images,omitempty"`
}

// Compare compares checkpoints on the images that all of them have.
func Compare(all []Evaluation, metric Metric) (*Comparison, error) {
	images, err := common(all)
	if err != nil {
		return nil, err
	}
	c := &Comparison{n: len(all)}
	right := make([][]bool, len(all))
	for i, e := range all {
		right[i] = answered(e, images, metric.within())
		if len(e.Samples) > len(images) {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: %d of its %d images count: all evaluations have them, and they have a label",
				e.Name, len(images), len(e.Samples)))
		}
	}
	c.Pairs = pairs(all, right, metric)
	c.rank(all, right, metric)
	return c, nil
}

// Pair is the pair of two of the ranks.
func (c *Comparison) Pair(r, o Rank) Pair { return c.pair(r.of, o.of) }

// pair is the pair of two by their places: n-1 pairs begin with the first, n-2 with the second, and so on.
func (c *Comparison) pair(i, j int) Pair {
	i, j = min(i, j), max(i, j)
	return c.Pairs[i*(2*c.n-i-1)/2+j-i-1]
}

// common numbers the images that all evaluations have and that have a right answer.
func common(all []Evaluation) (images map[string]int, err error) {
	have := map[string]int{} // images by name: how many evaluations have it
	labels := map[string][]int{}
	for _, e := range all {
		if first := all[0]; e.Record != nil && first.Record != nil && e.Record.Answers != first.Record.Answers {
			return nil, fmt.Errorf("samples: answers of %s were chosen among %s, those of %s among %s", first.Name,
				cmp.Or(first.Record.Answers, "all classes"), e.Name, cmp.Or(e.Record.Answers, "all classes"))
		}
		seen := map[string]bool{}
		for _, s := range e.Samples {
			if seen[s.File] {
				return nil, fmt.Errorf("samples: %s: image %s occurs twice", e.Name, s.File)
			}
			seen[s.File] = true
			if others, ok := labels[s.File]; !ok {
				labels[s.File] = s.Labels
			} else if !slices.Equal(others, s.Labels) {
				return nil, fmt.Errorf("samples: %s: image %s has the labels %v, elsewhere %v: the sets or their label files differ",
					e.Name, s.File, s.Labels, others)
			}
			have[s.File]++
		}
	}
	images = map[string]int{}
	for name, n := range have {
		if n == len(all) && len(labels[name]) > 0 {
			images[name] = len(images)
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("samples: the %d evaluations have no labelled image in common", len(all))
	}
	return images, nil
}

// answered says of each image whether a right class is within so many ranks.
func answered(e Evaluation, images map[string]int, within int) []bool {
	right := make([]bool, len(images))
	for i := range e.Samples {
		s := &e.Samples[i]
		if at, ok := images[s.File]; ok {
			rank := s.Rank()
			right[at] = rank > 0 && rank <= within
		}
	}
	return right
}

// pairs tests every two evaluations, whose right answers stand in the same order.
func pairs(all []Evaluation, right [][]bool, metric Metric) []Pair {
	var list []Pair
	var p []float64
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			pair := Pair{A: all[i].Name, B: all[j].Name, Metric: metric, Images: len(right[i])}
			for at, a := range right[i] {
				switch b := right[j][at]; {
				case a && !b:
					pair.OnlyA++
				case b && !a:
					pair.OnlyB++
				}
			}
			pair.Difference = 100 * float64(pair.OnlyA-pair.OnlyB) / float64(pair.Images)
			pair.P = stat.McNemar(pair.OnlyA, pair.OnlyB)
			list, p = append(list, pair), append(p, pair.P)
		}
	}
	ties := 0
	for i, adjusted := range stat.Holm(p) {
		pair := &list[i]
		pair.PHolm = adjusted
		if pair.Separated = adjusted < separation; !pair.Separated {
			ties++
		}
	}
	for i := range list {
		pair := &list[i]
		if pair.Separated {
			continue
		}
		// Holm's correction shares the rate out to the pairs that tie: a p-value below its share separates, whatever the others' are.
		if need, ok := stat.ImagesToSeparate(pair.OnlyA, pair.OnlyB, pair.Images, separation/float64(ties)); ok {
			pair.MoreImages = need - pair.Images
		}
	}
	return list
}

// rank orders the evaluations, whose pairs are known.
func (c *Comparison) rank(all []Evaluation, right [][]bool, metric Metric) {
	count := make([]int, len(all))
	for i := range right {
		for _, r := range right[i] {
			if r {
				count[i]++
			}
		}
	}
	ranks := stat.TieRanks(len(all), func(i, j int) bool { return count[i] > count[j] && c.pair(i, j).Separated })
	for i, e := range all {
		n := len(right[i])
		lo, hi := stat.Wilson(count[i], n)
		row := Rank{Rank: ranks[i], Model: e.Name, Images: n, Share: 100 * float64(count[i]) / float64(n), Lo: 100 * lo, Hi: 100 * hi, of: i}
		row.Published, row.Verdict = besidePublished(e.Record, metric)
		c.Ranks = append(c.Ranks, row)
	}
	slices.SortStableFunc(c.Ranks, func(a, b Rank) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(b.Share, a.Share))
	})
}

// besidePublished puts an evaluation beside the published figure for the same set and size: the figure and a verdict, or
// why there is none.
func besidePublished(r *record.Record, metric Metric) (published float64, verdict string) {
	if r == nil || r.Published == nil || r.Published.Top1 == 0 || r.Accuracy == nil {
		return 0, ""
	}
	p, measured, lo, hi := r.Published.Top1, r.Top1, r.Top1Lo, r.Top1Hi
	if metric == Top5 {
		p, measured, lo, hi = r.Published.Top5, r.Top5, r.Top5Lo, r.Top5Hi
	}
	switch {
	case r.Published.Dataset != r.DatasetSet:
		return p, "published for " + cmp.Or(r.Published.Dataset, "other images")
	case r.Published.ImgSize != r.ImgSize:
		return p, fmt.Sprintf("published at %d pixels", r.Published.ImgSize)
	case p >= lo && p <= hi:
		return p, "inside the interval"
	}
	return p, fmt.Sprintf("outside by %.2f points; zoobench audit %s --observed %.2f looks for the cause",
		max(lo-p, p-hi), r.Name(), measured)
}

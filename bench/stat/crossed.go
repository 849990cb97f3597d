package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Crossed is a mean over two things at once that are each drawn from many, as the seeds that networks learned with and the
// images that they were asked about.
type Crossed struct {
	Mean  float64
	parts []part
}

// part is what one of them adds to the mean's variance.
type part struct{ variance, freedom float64 }

// CrossMean is the sum of the means of tables. A row of a table is a seed, and row i of every table is of the same seed; a
// column is an image of its own. What seeds and what images contribute to the variance are added up: the variance of the rows'
// sums over their number, and of each table's columns over theirs. What both do together is in either of them and so counted
// twice, which errs on the side of too wide an interval. A table of one column has no images' part. It panics where tables have
// no row, no column, or rows of different numbers.
func CrossMean(tables ...[][]float64) (c Crossed) {
	rows := len(tables[0])
	sums := make([]float64, rows)
	for _, table := range tables {
		if len(table) != rows || rows == 0 || len(table[0]) == 0 {
			panic("stat: crossed mean: tables differ or are empty")
		}
		columns := make([]float64, len(table[0]))
		for i, row := range table {
			if len(row) != len(columns) {
				panic("stat: crossed mean: rows differ")
			}
			for j, v := range row {
				columns[j] += v / float64(rows)
				sums[i] += v / float64(len(row))
			}
		}
		c.add(columns)
	}
	c.Mean, _ = moments(sums)
	c.add(sums)
	return c
}

// add takes the variance of a mean of values.
func (c *Crossed) add(values []float64) {
	if _, variance := moments(values); variance > 0 {
		n := float64(len(values))
		c.parts = append(c.parts, part{variance / n, n - 1})
	}
}

// Error is the mean's standard error.
func (c Crossed) Error() float64 {
	sum := 0.0
	for _, p := range c.parts {
		sum += p.variance
	}
	return math.Sqrt(sum)
}

// half is half the width of the mean's interval of a confidence: the standard error times a mean of Student's quantiles of the
// parts, weighted by their variances (Cochran and Cox, Experimental Designs, 1957). A few seeds whose figures happen to lie
// close together do not lend it the degrees of freedom that the images have, as Satterthwaite's would.
func (c Crossed) half(confidence float64) float64 {
	e, sum := c.Error(), 0.0
	for _, p := range c.parts {
		sum += p.variance * quantile((1+confidence)/2, p.freedom)
	}
	if e == 0 {
		return 0
	}
	return sum / e
}

// Interval is the mean's 95 % interval.
func (c Crossed) Interval() (lo, hi float64) {
	half := c.half(0.95)
	return c.Mean - half, c.Mean + half
}

// P is the two-sided p-value of the true mean being at a bound: one less the confidence whose interval ends there.
func (c Crossed) P(bound float64) float64 {
	distance, e := math.Abs(c.Mean-bound), c.Error()
	switch {
	case distance == 0:
		return 1
	case e == 0:
		return 0
	}
	// It lies between the parts' own p-values.
	lo, hi := 1.0, 0.0
	for _, p := range c.parts {
		own := 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: p.freedom}.CDF(-distance/e)
		lo, hi = min(lo, own), max(hi, own)
	}
	for range 60 {
		p := (lo + hi) / 2
		if c.half(1-p) > distance {
			lo = p
		} else {
			hi = p
		}
	}
	return hi
}

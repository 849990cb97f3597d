package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCrossMean holds the mean, its error and its degrees of freedom to sums by hand.
func TestCrossMean(t *testing.T) {
	for _, test := range []struct {
		name        string
		tables      [][][]float64
		mean, error float64
		half        float64 // of the interval, in standard errors
	}{
		{"a column: Student's", [][][]float64{{{1}, {2}, {6}}}, 3, math.Sqrt(7. / 3), 4.302653},
		{"a row: images alone", [][][]float64{{{1, 2, 6}}}, 3, math.Sqrt(7. / 3), 4.302653},
		{"rows alike", [][][]float64{{{0, 1}, {0, 1}}}, 0.5, 0.5, 12.706205},
		{"both", [][][]float64{{{0, 2, 1}, {2, 4, 3}}}, 2, math.Sqrt(4. / 3), (12.706205 + 4.302653/3) / (4. / 3)},
		{"two tables", [][][]float64{{{1}, {2}, {6}}, {{2}, {1}, {3}}}, 5, 2, 4.302653}, // sums 3, 3 and 9
		{"nothing varies", [][][]float64{{{1, 1}, {1, 1}}}, 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := CrossMean(test.tables...)
			lo, hi := c.Interval()
			for _, v := range [][2]float64{{c.Mean, test.mean}, {c.Error(), test.error}, {hi - lo, 2 * test.half * test.error}} {
				if math.Abs(v[0]-v[1]) > 1e-5 {
					t.Errorf("have %v and %v to %v, error %v, want %v ± %v · %v", c.Mean, lo, hi, c.Error(), test.mean, test.half, test.error)
					break
				}
			}
			if p := c.P(hi); c.Error() > 0 && math.Abs(p-0.05) > 1e-6 || c.P(c.Mean) != 1 {
				t.Errorf("p at the interval's end %v, at its middle %v, want 0.05 and 1", p, c.P(c.Mean))
			}
		})
	}
	if p := CrossMean([][]float64{{1}, {1}}).P(0); p != 0 {
		t.Errorf("p %v of what does not vary, want 0", p)
	}
	if far, near := CrossMean([][]float64{{1}, {2}, {6}}).P(-100), CrossMean([][]float64{{1}, {2}, {6}}).P(-1); far > near || far <= 0 {
		t.Errorf("p %v far away, %v nearby", far, near)
	}
}

// TestCrossedCoverage draws seeds and images with effects of their own and together: intervals have the true mean in 95 % of
// all draws or a little more often.
func TestCrossedCoverage(t *testing.T) {
	const draws, rows, columns = 2000, 3, 60
	for _, test := range []struct {
		name                  string
		seeds, images, within float64
	}{{"seeds most", 1, 1, 1}, {"images most", 0.02, 1, 1}, {"both together most", 0, 0.1, 1}, {"seeds alone", 1, 0, 0}} {
		t.Run(test.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			inside := 0
			for range draws {
				table, image := make([][]float64, rows), make([]float64, columns)
				for j := range image {
					image[j] = test.images * r.NormFloat64()
				}
				for i := range table {
					seed := test.seeds * r.NormFloat64()
					for j := range image {
						table[i] = append(table[i], seed+image[j]+test.within*r.NormFloat64())
					}
				}
				if lo, hi := CrossMean(table).Interval(); lo <= 0 && 0 <= hi {
					inside++
				}
			}
			if share := float64(inside) / draws; share < 0.94 || share > 0.999 {
				t.Errorf("intervals have the truth in %.1f %% of draws", 100*share)
			}
		})
	}
}

func TestCrossMeanPanics(t *testing.T) {
	for name, tables := range map[string][][][]float64{
		"no row": {{}}, "no column": {{{}}}, "rows of two lengths": {{{1, 2}, {1}}}, "tables of two lengths": {{{1}}, {{1}, {2}}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			CrossMean(tables...)
		}()
	}
}

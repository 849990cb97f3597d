package gate

import "math"

// A noiseFloor is what base against itself shows of one benchmark, and of its layouts all rounds.
type noiseFloor struct {
	Rounds  int     `json:"rounds"`
	Spread  float64 `json:"spread"`  // of one round's log ratio: 1.4826 times the median distance from nothing
	Layouts int     `json:"layouts"` // in how many each side is built
	Layout  float64 `json:"layout"`  // the part of the spread that is between two layouts
	shared  shared
}

// newFloor is the floor of log ratios that should be nothing.
func newFloor(d paired, from [][2]int, layouts int) noiseFloor {
	f := noiseFloor{Rounds: len(d), Spread: spread(d), Layouts: layouts}
	f.shared.add(d, from)
	return f
}

// spread is that of values around nothing.
func spread(values []float64) float64 {
	away := make([]float64, len(values))
	for i, v := range values {
		away[i] = math.Abs(v)
	}
	return 1.4826 * median(away)
}

// stray is how far from nothing, by its standard deviation, two means over so many layouts lie however many rounds there are.
func (f noiseFloor) stray() float64 { return f.Layout / math.Sqrt(float64(max(1, f.Layouts))) }

// at is the noise floor after so many rounds: how far from nothing the middle of log ratios that spread like this strays
// in 19 of 20 cases. Few rounds that were badly disturbed do not move it; the tests bear with those by themselves.
func (f noiseFloor) at(rounds int) float64 {
	if rounds == 0 {
		return 0
	}
	return 1.96 * math.Hypot(f.Spread/math.Sqrt(float64(rounds)), f.stray())
}

// widened is a 95 % interval with what layouts leave added.
func widened(centre, lo, hi, stray float64) (wideLo, wideHi float64) {
	return centre - math.Hypot(centre-lo, 1.96*stray), centre + math.Hypot(hi-centre, 1.96*stray)
}

// A shared is what rounds that have a layout in common have in common: the sum of their products, and its weight. Two
// rounds with noise of their own have a product of nothing in the mean; where one layout is in both, that layout's
// variance.
type shared struct{ sum, weight float64 }

// clip is how many times their spread log ratios are taken to be away from their centre at most: disturbed rounds say
// nothing of layouts.
const clip = 3

// add adds the rounds of one phase, whose log ratios are of the layout from[i][1] over from[i][0].
func (s *shared) add(d paired, from [][2]int) {
	centre, rest := median(d), make([]float64, len(d))
	for i := range d {
		rest[i] = d[i] - centre
	}
	most := clip * spread(rest)
	for i := range rest {
		rest[i] = min(max(rest[i], -most), most)
		for k := range i {
			common := 0.0
			for side, layout := range from[i] {
				for other, theirs := range from[k] {
					switch {
					case layout != theirs:
					case side == other:
						common++
					default:
						common--
					}
				}
			}
			s.sum += common * rest[i] * rest[k]
			s.weight += common * common
		}
	}
}

// prior is the weight that the middle one of all benchmarks has in each one's layouts: that of a calibration.
const prior = 40

// settle sets what part of each benchmark's spread is between layouts, from base against itself and all rounds until now.
// The estimate from few rounds is a guess, so it is drawn to the middle one of all benchmarks.
func settle(rows []Row) {
	all, each := make([]shared, len(rows)), make([]float64, 0, len(rows))
	for i := range rows {
		all[i] = rows[i].Floor.shared
		if row := &rows[i]; len(row.from) > 0 {
			all[i].add(row.logs(), row.from)
		}
		if all[i].weight > 0 {
			each = append(each, all[i].sum/all[i].weight)
		}
	}
	if len(each) == 0 {
		return
	}
	middle := median(each)
	for i, s := range all {
		if f := &rows[i].Floor; f.Layouts > 1 {
			f.Layout = math.Sqrt(2 * max(0, (s.sum+prior*middle)/(s.weight+prior)))
		}
	}
}

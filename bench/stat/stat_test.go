package stat

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func ExampleSummarise() {
	samples := make([]int64, 100)
	for i := range samples {
		samples[i] = int64(1000 + i)
	}
	s := Summarise(samples)
	fmt.Println("p50", s.P50, "between", s.P50Lo, "and", s.P50Hi)
	fmt.Println("p90", s.P90, "p95", s.P95) // 100 samples carry p90 and not p95
	// Output:
	// p50 1050 between 1039 and 1060
	// p90 1090 p95 0
}

func TestMinSamples(t *testing.T) {
	for _, tt := range []struct {
		p    float64
		want int
	}{{0.5, 11}, {0.9, 64}, {0.95, 130}, {0.99, 662}, {0.999, 6636}} {
		if got := MinSamples(tt.p); got != tt.want {
			t.Errorf("MinSamples(%v) = %d, want %d", tt.p, got, tt.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	up := func(n int) []int64 {
		s := make([]int64, n)
		for i := range s {
			s[i] = int64(i)
		}
		return s
	}
	for _, tt := range []struct {
		name   string
		n      int
		p      float64
		want   int64
		wantOK bool
	}{
		{"ten are too few for a median", 10, 0.5, 0, false},
		{"eleven carry a median", 11, 0.5, 5, true},
		{"63 are too few for p90", 63, 0.9, 0, false},
		{"64 carry p90", 64, 0.9, 57, true},
		{"129 are too few for p95", 129, 0.95, 0, false},
		{"130 carry p95", 130, 0.95, 123, true},
		{"661 are too few for p99", 661, 0.99, 0, false},
		{"662 carry p99", 662, 0.99, 655, true},
		{"6635 are too few for p99.9", 6635, 0.999, 0, false},
		{"6636 carry p99.9", 6636, 0.999, 6629, true},
		{"even count", 100, 0.9, 90, true},
		{"a product that binary rounds down", 1000, 0.29, 290, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := percentile(up(tt.n), tt.p)
			if got != tt.want || ok != tt.wantOK {
				t.Errorf("got %d, %v, want %d, %v", got, ok, tt.want, tt.wantOK)
			}
		})
	}
}

func TestSummariseKeepsSamples(t *testing.T) {
	samples := []int64{5, 3, 4}
	s := Summarise(samples)
	if want := (Summary{N: 3, Min: 3, Max: 5, Mean: 4}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	if !slices.Equal(samples, []int64{5, 3, 4}) {
		t.Errorf("samples reordered to %v", samples)
	}
	if s := Summarise(nil); s != (Summary{}) {
		t.Errorf("no samples: got %+v, want the zero Summary", s)
	}
}

// TestPercentileIntervalCoverage compares ranks and coverage with sums of binomial terms written out, for every n up
// to 80.
func TestPercentileIntervalCoverage(t *testing.T) {
	pmf := func(n, k int, p float64) float64 {
		c := 1.0
		for i := range k {
			c = c * float64(n-i) / float64(i+1)
		}
		return c * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
	}
	for n := 1; n <= 80; n++ {
		sorted := make([]int64, n)
		for i := range sorted {
			sorted[i] = int64(i + 1) // the value is the 1-based rank
		}
		for _, p := range []float64{0.5, 0.9} {
			l, u := 0, 0
			cum := 0.0
			for k := 0; k <= n; k++ {
				cum += pmf(n, k, p)
				if cum <= 0.025+1e-12 {
					l = k + 1
				}
				if u == 0 && 1-cum <= 0.025+1e-12 {
					u = k + 1
				}
			}
			got, ok := PercentileInterval(sorted, p, 0.95)
			if wantOK := l >= 1 && u <= n; ok != wantOK {
				t.Fatalf("n=%d p=%v: ok %v, want %v", n, p, ok, wantOK)
			}
			if !ok {
				continue
			}
			if got.Lo != int64(l) || got.Hi != int64(u) {
				t.Fatalf("n=%d p=%v: ranks %d, %d, want %d, %d", n, p, got.Lo, got.Hi, l, u)
			}
			cover := 0.0
			for k := l; k < u; k++ {
				cover += pmf(n, k, p)
			}
			if math.Abs(got.Coverage-cover) > 1e-9 || cover < 0.95 {
				t.Fatalf("n=%d p=%v: coverage %v, want %v", n, p, got.Coverage, cover)
			}
		}
	}
}

// TestPercentileIntervalSimulated draws from a skewed distribution and counts how often the interval encloses the
// true median.
func TestPercentileIntervalSimulated(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const runs, n = 2000, 41
	median := int64(math.Round(1e6 * math.Ln2))
	hit := 0
	for range runs {
		s := make([]int64, n)
		for i := range s {
			s[i] = int64(1e6 * rng.ExpFloat64())
		}
		slices.Sort(s)
		if iv, ok := PercentileInterval(s, 0.5, 0.95); ok && iv.Lo <= median && median <= iv.Hi {
			hit++
		}
	}
	if share := float64(hit) / runs; share < 0.94 || share > 0.985 {
		t.Errorf("enclosed the median in %.3f of the runs, want about 0.95 to 0.975", share)
	}
}

func TestWilson(t *testing.T) {
	for _, tt := range []struct {
		name   string
		k, n   int
		lo, hi float64
	}{
		// Both ends solve (p̂-p)² = z²·p(1-p)/n, from which the closed values follow.
		{"none", 0, 10, 0, z95 * z95 / (10 + z95*z95)},
		{"all", 10, 10, 10 / (10 + z95*z95), 1},
		{"no trials", 0, 0, 0, 1},
		{"newcombe 1998, 81 of 263", 81, 263, 0.2553, 0.3662},
		{"newcombe 1998, 15 of 148", 15, 148, 0.0624, 0.1605},
		{"newcombe 1998, 1 of 29", 1, 29, 0.0061, 0.1718},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lo, hi := Wilson(tt.k, tt.n)
			if math.Abs(lo-tt.lo) > 5e-5 || math.Abs(hi-tt.hi) > 5e-5 {
				t.Errorf("got [%.4f, %.4f], want [%.4f, %.4f]", lo, hi, tt.lo, tt.hi)
			}
		})
	}
	for n := 1; n < 200; n++ {
		for k := 0; k <= n; k++ {
			lo, hi := Wilson(k, n)
			share := float64(k) / float64(n)
			if lo > share || hi < share || lo < 0 || hi > 1 {
				t.Fatalf("%d of %d: [%v, %v] leaves out %v", k, n, lo, hi, share)
			}
			for _, p := range []float64{lo, hi} {
				if p > 0 && p < 1 {
					if d := (share-p)*(share-p) - z95*z95*p*(1-p)/float64(n); math.Abs(d) > 1e-12 {
						t.Fatalf("%d of %d: end %v misses its equation by %g", k, n, p, d)
					}
				}
			}
		}
	}
}

func TestMcNemar(t *testing.T) {
	// Brute force: all 2^n ways to give n discordant images to the two systems.
	for n := 1; n <= 12; n++ {
		for b := 0; b <= n; b++ {
			extreme := 0
			for m := range 1 << n {
				ones := 0
				for x := m; x > 0; x &= x - 1 {
					ones++
				}
				if min(ones, n-ones) <= min(b, n-b) {
					extreme++
				}
			}
			want := float64(extreme) / float64(int(1)<<n)
			if got := McNemar(b, n-b); math.Abs(got-want) > 1e-12 {
				t.Fatalf("McNemar(%d, %d) = %v, want %v", b, n-b, got, want)
			}
		}
	}
	if got := McNemar(0, 0); got != 1 {
		t.Errorf("no discordant images: %v, want 1", got)
	}
	if got, other := McNemar(3, 9), McNemar(9, 3); got != other {
		t.Errorf("not symmetric: %v and %v", got, other)
	}
}

func TestHolm(t *testing.T) {
	for _, tt := range []struct {
		name    string
		p, want []float64
	}{
		{"none", nil, []float64{}},
		{"one", []float64{0.03}, []float64{0.03}},
		{"order kept, never falling", []float64{0.01, 0.04, 0.03, 0.005}, []float64{0.03, 0.06, 0.06, 0.02}},
		{"capped at one", []float64{0.7, 0.6}, []float64{1, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Holm(tt.p)
			if len(got) != len(tt.want) {
				t.Fatalf("%d values, want %d", len(got), len(tt.want))
			}
			for i := range got {
				if math.Abs(got[i]-tt.want[i]) > 1e-12 {
					t.Errorf("value %d: %v, want %v", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestSpearman(t *testing.T) {
	for _, tt := range []struct {
		name string
		x, y []float64
		want float64
	}{
		{"same order", []float64{1, 2, 3, 4}, []float64{10, 100, 101, 5000}, 1},
		{"reversed", []float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		// Without ties: 1 - 6·Σd²/(n·(n²-1)), Σd² = 0+1+1+0+0.
		{"one neighbouring swap", []float64{1, 2, 3, 4, 5}, []float64{1, 3, 2, 4, 5}, 0.9},
		// Ranks 1.5 1.5 3 against 1 2 3: 1.5/√(1.5·2).
		{"a tie", []float64{7, 7, 9}, []float64{1, 2, 3}, 1.5 / math.Sqrt(3)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Spearman(tt.x, tt.y); math.Abs(got-tt.want) > 1e-12 {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	if got := Spearman([]float64{1, 1}, []float64{1, 2}); !math.IsNaN(got) {
		t.Errorf("a side that does not vary: %v, want NaN", got)
	}
}

func TestSpearmanInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	x, y := make([]float64, 60), make([]float64, 60)
	for i := range x {
		x[i] = rng.NormFloat64()
		y[i] = x[i] + rng.NormFloat64()
	}
	rho := Spearman(x, y)
	alone := make([]string, len(x))
	for i := range alone {
		alone[i] = fmt.Sprint(i)
	}
	lo, hi := SpearmanInterval(x, y, alone, 7)
	if !(lo < rho && rho < hi) || hi-lo > 0.5 {
		t.Errorf("interval [%v, %v] around %v", lo, hi, rho)
	}
	if lo2, hi2 := SpearmanInterval(x, y, alone, 7); lo2 != lo || hi2 != hi {
		t.Errorf("same seed: [%v, %v], then [%v, %v]", lo, hi, lo2, hi2)
	}
	// Ten copies of each pair are no more evidence than the pair, and taken for independent they would seem to be.
	var x10, y10 []float64
	var group, apart []string
	for i := range 10 * len(x) {
		x10, y10 = append(x10, x[i/10]), append(y10, y[i/10])
		group, apart = append(group, fmt.Sprint(i/10)), append(apart, fmt.Sprint(i))
	}
	if lo10, hi10 := SpearmanInterval(x10, y10, group, 7); math.Abs(lo10-lo) > 0.02 || math.Abs(hi10-hi) > 0.02 {
		t.Errorf("groups of ten copies: [%v, %v], want about [%v, %v]", lo10, hi10, lo, hi)
	}
	if lo10, hi10 := SpearmanInterval(x10, y10, apart, 7); hi10-lo10 > 0.6*(hi-lo) {
		t.Errorf("copies that are taken for independent: [%v, %v], want much less than [%v, %v]", lo10, hi10, lo, hi)
	}
	if lo, hi := SpearmanInterval(nil, nil, nil, 7); !math.IsNaN(lo) || !math.IsNaN(hi) {
		t.Errorf("no pairs: [%v, %v], want NaN", lo, hi)
	}
}

func TestWithinBound(t *testing.T) {
	for _, tt := range []struct {
		name    string
		n, late int
		p       float64
		want    bool
	}{
		{"nothing measured", 0, 0, 0.99, false},
		{"none late, 0.99^458 > 0.01", 458, 0, 0.99, false},
		{"none late, 0.99^459 ≤ 0.01", 459, 0, 0.99, true},
		{"one late needs as many as p99 does", 661, 1, 0.99, false},
		{"one late of 662", 662, 1, 0.99, true},
		{"two late of 662", 662, 2, 0.99, false},
		{"one late of 64 at p90", 64, 1, 0.9, true},
		{"all late", 1000, 1000, 0.99, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := WithinBound(tt.n, tt.late, tt.p); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestInflation draws waiting times of a queue in which calls take one unit and come at random (M/D/1), and asks whether 99 % keep a bound
// that exactly 98.8 % keep in the long run. Counted one by one the queries say yes far too often.
func TestInflation(t *testing.T) {
	queue := func(rng *rand.Rand, n int, load float64) []int64 {
		samples := make([]int64, n)
		var wait float64
		for i := range samples {
			wait = max(0, wait+1-rng.ExpFloat64()/load)
			samples[i] = int64(1e6 * (wait + 1))
		}
		return samples
	}
	const runs, processes, queries = 400, 5, 2000
	for _, load := range []float64{0.1, 0.5, 0.8, 0.9} {
		long := queue(rand.New(rand.NewPCG(1, 0)), 4_000_000, load)
		slices.Sort(long)
		bound := long[int(0.988*float64(len(long)))]
		rng := rand.New(rand.NewPCG(2, 0))
		var plain, corrected int
		for range runs {
			var parts [][]int64
			late := 0
			for range processes {
				part := queue(rng, queries+100, load)[100:]
				for _, v := range part {
					if v > bound {
						late++
					}
				}
				parts = append(parts, part)
			}
			n, by := processes*queries, Inflation(parts)
			if WithinBound(n, late, 0.99) {
				plain++
			}
			if WithinBound(int(float64(n)/by), int(math.Ceil(float64(late)/by)), 0.99) {
				corrected++
			}
		}
		t.Logf("load %g: yes in %d of %d runs, %d counted one by one", load, corrected, runs, plain)
		if corrected > runs/50 {
			t.Errorf("load %g: %d of %d runs say that a bound is kept that is not", load, corrected, runs)
		}
	}
	for name, parts := range map[string][][]int64{"none": nil, "one sample": {{3}}, "equal": {{3, 3, 3}, {3, 3}},
		"short": {{1, 2, 3}, {3, 2, 1}}} {
		if got := Inflation(parts); got != 1 {
			t.Errorf("%s: inflation %v, want 1", name, got)
		}
	}
	drift := make([]int64, 100)
	for i := range drift {
		drift[i] = int64(i)
	}
	if got := Inflation([][]int64{drift}); got < 5 {
		t.Errorf("samples that rise all the time: inflation %v, want about 10, a block's length", got)
	}
}

package findings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// knee is the share of the best that the knee of a curve reaches.
const knee = 0.9

// A Curve is one network's latencies at several values of one setting, all else equal, in ascending order of that
// setting, one record a value. Values are what the curve shows, Knee is the index of the first one that is within 90 % of
// the best; records that are not to be trusted take no part in that, and it is -1 where fewer than two are.
type Curve struct {
	Records []*record.Record
	Values  []float64
	Knee    int
}

// BatchCurves are the curves of records with a median over batch sizes, those of two sizes or more. Values are the
// nanoseconds of one image.
func BatchCurves(records []record.Record) []Curve {
	return batchCurves(newEvidence(records, Given{}).clocked)
}

func batchCurves(records []*record.Record) []Curve {
	return withValues(curves(records, func(r *record.Record) *int { return &r.Batch }), 2, eachImage)
}

// ResolutionCurves are the curves of records with a median over input sizes, those of three sizes or more. Values are the
// nanoseconds of one multiply-accumulate.
func ResolutionCurves(records []record.Record) []Curve {
	return resolutionCurves(newEvidence(records, Given{}).clocked)
}

func resolutionCurves(records []*record.Record) []Curve {
	counted := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.Cost == nil || r.MACs <= 0 })
	return withValues(curves(counted, func(r *record.Record) *int { return &r.ImgSize }), 3, eachMAC)
}

// eachImage is the nanoseconds of one image of a batch.
func eachImage(r *record.Record) float64 { return float64(r.P50) / float64(max(r.Batch, 1)) }

// eachMAC is the nanoseconds of one multiply-accumulate.
func eachMAC(r *record.Record) float64 { return eachImage(r) / float64(r.MACs) }

func withValues(all [][]*record.Record, least int, value func(*record.Record) float64) (some []Curve) {
	for _, records := range all {
		if len(records) < least {
			continue
		}
		c := Curve{Records: records, Knee: -1}
		var trusted []int
		for i, r := range records {
			c.Values = append(c.Values, value(r))
			if r.Verdict.Valid {
				trusted = append(trusted, i)
			}
		}
		if len(trusted) >= 2 {
			best := c.Values[slices.MinFunc(trusted, func(i, j int) int { return cmp.Compare(c.Values[i], c.Values[j]) })]
			c.Knee = trusted[slices.IndexFunc(trusted, func(i int) bool { return best/c.Values[i] >= knee })]
		}
		some = append(some, c)
	}
	return some
}

// curves groups records that differ in one setting alone, each in the order of that setting, one record a value. Only
// those count whose times are of one forward call.
func curves(records []*record.Record, setting func(*record.Record) *int) [][]*record.Record {
	at := map[string]int{}
	var all [][]*record.Record
	for _, r := range records {
		if !r.Batches() {
			continue
		}
		c := *r
		*setting(&c) = 0
		axes := record.Axes{ISA: r.Machine.ISA}
		if s := r.Effective; s != nil {
			axes = s.Axes
		}
		axes.ImgSize, axes.Batch, axes.Threads, axes.Scenario = c.ImgSize, c.Batch, c.Threads, c.Scenario
		key := fmt.Sprint(c.Experiment, c.Model, axes)
		i, ok := at[key]
		if !ok {
			i = len(all)
			at[key], all = i, append(all, nil)
		}
		j := slices.IndexFunc(all[i], func(o *record.Record) bool { return *setting(o) == *setting(r) })
		switch {
		case j < 0:
			all[i] = append(all[i], r)
		case !r.Time.Before(all[i][j].Time):
			all[i][j] = r
		}
	}
	for _, curve := range all {
		slices.SortStableFunc(curve, func(a, b *record.Record) int { return cmp.Compare(*setting(a), *setting(b)) })
	}
	return all
}

func batchCurve(e *evidence) Result {
	t := tally{
		heads: []string{"network", "batch", "ms per image", "times that at batch 1", "knee"},
		plot:  Plot{What: "time of an image in a batch divided by its time alone", Log: true, Marks: []float64{1}},
	}
	best := map[string]span{}
	var clauses []string
	for i, c := range batchCurves(e.timed) {
		first := c.Records[0]
		if first.Batch != 1 {
			continue
		}
		of := fmt.Sprint(i)
		for j, r := range c.Records[1:] {
			q := quotient(r, first, 1/float64(r.Batch))
			claims, value := q.below(1)
			t.add(comparison{
				cells: []string{first.Model, fmt.Sprint(r.Batch), fmt.Sprintf("%.2f", c.Values[j+1]/1e6), ratio(q.span),
					fmt.Sprint(c.Records[c.Knee].Batch)},
				name: fmt.Sprintf("%s, batch %d", first.Model, r.Batch), shown: q.span, claims: claims, p: value, of: of,
			})
			if b, known := best[of]; !known || q.mid < b.mid {
				best[of] = q.span
			}
		}
		b := best[of]
		clauses = append(clauses, fmt.Sprintf("an image of %s took %.2f times its time alone in its best batch", first.Model, b.mid))
	}
	if len(t.all) == 0 {
		t.lacks.add("latencies of one network at batch 1 and at other batches: zoobench run --only batch")
	}
	return t.result(false, sentence(clauses))
}

func resolutionCurve(e *evidence) Result {
	t := tally{
		heads: []string{"network", "px: ps per MAC", "largest size, times the smallest's", "knee"},
		plot: Plot{What: "time of a MAC at the largest size divided by that at the smallest", Log: true,
			Marks: []float64{1 / likeTime, likeTime}},
	}
	for _, c := range resolutionCurves(e.timed) {
		first, last := c.Records[0], c.Records[len(c.Records)-1]
		q := quotient(last, first, float64(first.MACs)/float64(last.MACs))
		var points []string
		for i, r := range c.Records {
			points = append(points, fmt.Sprintf("%d: %.1f", r.ImgSize, 1000*c.Values[i]))
		}
		claims, value := q.within(1/likeTime, likeTime)
		t.add(comparison{
			cells: []string{first.Model, strings.Join(points, ", "), ratio(q.span), fmt.Sprintf("%d px", c.Records[c.Knee].ImgSize)},
			says: fmt.Sprintf("a MAC of %s took %.2f times as long at %d px as at %d px",
				first.Model, q.mid, last.ImgSize, first.ImgSize),
			name: first.Model, shown: q.span, claims: claims, p: value,
		})
	}
	if len(t.all) == 0 {
		t.lacks.add("latencies of one network at three sizes: zoobench run --only resolution")
	}
	return t.result(false, "")
}

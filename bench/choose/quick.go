package choose

import (
	"fmt"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// A latencyRatio is how many times as long a network takes as the pick.
type latencyRatio struct {
	Times float64 `json:"times"`
	Lo    float64 `json:"lo"` // 95 % interval
	Hi    float64 `json:"hi"`
	P     float64 `json:"p_holm"` // of no difference, corrected for the networks that are compared with the pick
}

// times compares the latencies of all networks with a row's: how many times as long each takes, by name, by the medians of
// its processes. The p-values have Holm's correction over these networks. A network whose timing allows no comparison is
// not among them: one process's calls say nothing of what differs between processes.
func (f *field) times(ref *Row) map[string]stat.Ratio {
	if known, ok := f.ratios[ref.Name]; ok {
		return known
	}
	ratios := map[string]stat.Ratio{}
	var names []string
	var p []float64
	for _, r := range f.rows {
		if _, done := ratios[r.Name]; done || r.Name == ref.Name || r.timing == nil || ref.timing == nil {
			continue
		}
		if ratio, ok := record.LatencyRatio(r.timing, ref.timing); ok {
			ratios[r.Name] = ratio
			names, p = append(names, r.Name), append(p, ratio.P)
		}
	}
	for i, corrected := range stat.Holm(p) {
		ratio := ratios[names[i]]
		ratio.P = corrected
		ratios[names[i]] = ratio
	}
	f.ratios[ref.Name] = ratios
	return ratios
}

// closeLatency is how much slower, as a share, a row may be and count as just as quick where no test finds it slower. Few
// processes find no small differences, which is no reason to give up a tenth of the time.
const closeLatency = 0.10

// asQuick reports whether a row counts as just as quick as another: it is not slower, or close and not measurably slower.
func (f *field) asQuick(r, other *Row) bool {
	if r.Latency <= other.Latency {
		return true
	}
	if float64(r.Latency) > (1+closeLatency)*float64(other.Latency) {
		return false
	}
	ratio, known := f.times(r)[other.Name]
	return !known || ratio.Times >= 1 || ratio.P >= significant
}

// besideBest is how the latencies of the pick and of the best row compare, in a sentence.
func (f *field) besideBest(d *decision) string {
	ratio, known := f.times(d.row)[d.best.Name]
	if !known {
		return "The pick is before it by its latency alone."
	}
	word := "which is not measurably longer"
	if ratio.P < significant && ratio.Times > 1 {
		word = "measurably longer"
	}
	return fmt.Sprintf("%s takes %s times as long as the pick (95 %% interval %s to %s), %s.",
		d.best.Name, times(ratio.Times), times(ratio.Lo), times(ratio.Hi), word)
}

// against notes how many times as long as the pick every network takes.
func (c *chooser) against(f *field) {
	ratios := f.times(c.Pick)
	for _, cand := range c.Candidates {
		if r, ok := ratios[cand.Name]; ok {
			cand.OfPick = &latencyRatio{r.Times, r.Lo, r.Hi, r.P}
		}
	}
}

func times(v float64) string { return fmt.Sprintf("%.2f", v) }

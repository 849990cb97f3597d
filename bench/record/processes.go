package record

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"zoobench/bench/stat"
)

// A Process is one process's share of a latency row. Processes differ by more than one process's samples show: their
// pages lie elsewhere, their threads run elsewhere, the host does other work. So a row's interval is that of its
// processes' medians.
type Process struct {
	Round    int      `json:"round"` // round of its run; rows whose processes share a round were measured close in time
	N        int      `json:"n"`     // number of samples, the next ones in samples_ns
	P50      int64    `json:"latency_p50_ns,omitempty"`
	Load     int64    `json:"load_ns,omitempty"`
	Reasons  []string `json:"reasons,omitempty"` // why this process's share is not to be trusted
	Warnings []string `json:"warnings,omitempty"`
}

// NewTiming summarises one process's samples in nanoseconds, which it keeps; span is the time from the first one's start to
// the last one's end. Warm-up is the caller's to fill in. There is no interval: that takes more than one process.
func NewTiming(samples []int64, span time.Duration) *Timing {
	t := &Timing{Samples: samples, Span: span.Nanoseconds()}
	t.summarise([]Process{{N: len(samples)}})
	t.Processes[0].P50 = t.P50
	return t
}

// JoinTimings puts shares of one row together, each the timing of one or more processes, in the order of their rounds.
func JoinTimings(parts ...*Timing) *Timing {
	t := &Timing{}
	var processes []Process
	for _, p := range parts {
		t.Samples = append(t.Samples, p.Samples...)
		processes = append(processes, p.Processes...)
		t.Span, t.Warmup, t.WarmupTime = t.Span+p.Span, t.Warmup+p.Warmup, t.WarmupTime+p.WarmupTime
		t.Late, t.Unanswered = t.Late+p.Late, t.Unanswered+p.Unanswered
	}
	t.summarise(processes)
	return t
}

// summarise fills in what follows from the samples and from whose they are. Percentiles above the median are of all samples
// together; the median is that of the processes' medians.
func (t *Timing) summarise(processes []Process) {
	s := stat.Summarise(t.Samples)
	t.P50, t.P90, t.P95, t.P99, t.P999 = s.P50, s.P90, s.P95, s.P99, s.P999
	t.Min, t.Max, t.Mean, t.N = s.Min, s.Max, s.Mean, s.N
	t.Processes = processes
	if medians := t.medians(); len(medians) == len(processes) && len(medians) > 1 {
		t.P50, t.P50Lo, t.P50Hi, _ = stat.ProcessInterval(medians)
	}
	t.BetweenPercent, t.WithinPercent = stat.ProcessSpread(t.Parts())
}

// Parts are the samples, a slice for each process, in the order in which they were taken.
func (t *Timing) Parts() (parts [][]int64) {
	at := 0
	for _, p := range t.Processes {
		parts = append(parts, t.Samples[at:at+p.N])
		at += p.N
	}
	return parts
}

// medians are those of the processes that have samples enough for one.
func (t *Timing) medians() (all []int64) {
	for _, p := range t.Processes {
		if p.P50 > 0 {
			all = append(all, p.P50)
		}
	}
	return all
}

// LatencyRatio is how many times as long after takes as before, by their processes' medians. Rows of one run are compared
// round by round, as far as both have been measured in a round; those of two runs as independent ones. Ok is false where
// either has fewer than two processes, as records of earlier versions have: one process's calls say nothing of what differs
// between processes.
func LatencyRatio(after, before *Record) (r stat.Ratio, ok bool) {
	if after.Timing == nil || before.Timing == nil {
		return stat.Ratio{}, false
	}
	if after.RunID == before.RunID {
		var a, b []int64
		for _, p := range after.Processes {
			i := slices.IndexFunc(before.Processes, func(q Process) bool { return q.Round == p.Round })
			if i >= 0 && p.P50 > 0 && before.Processes[i].P50 > 0 {
				a, b = append(a, p.P50), append(b, before.Processes[i].P50)
			}
		}
		if r, ok := stat.PairedRatio(a, b); ok {
			return r, true
		}
	}
	return stat.IndependentRatio(after.medians(), before.medians())
}

// Join returns the row with one more process measured: r is the row so far, nil for none, and next a record of one process. What the
// two say of the network is the first one's. Every process's own verdict is kept; the row's is the union of the reasons and
// warnings, each once, with how many processes it is of.
func Join(r, next *Record) *Record {
	joined := *next
	own := joined.Verdict
	if next.Timing != nil {
		t := *next.Timing
		t.Processes = slices.Clone(t.Processes)
		last := &t.Processes[len(t.Processes)-1]
		last.Reasons, last.Warnings = own.Reasons, own.Warnings
		if next.Footprint != nil {
			last.Load = next.Load
		}
		joined.Timing = &t
	}
	if r != nil && r.Timing != nil && joined.Timing != nil {
		added := joined.Timing
		joined = *r
		joined.Time = next.Time
		joined.Timing = JoinTimings(r.Timing, added)
		if joined.Span > 0 {
			weigh := func(a, b float64) float64 {
				return (a*float64(r.Span) + b*float64(added.Span)) / float64(joined.Span)
			}
			joined.ImagesPerSec = weigh(r.ImagesPerSec, next.ImagesPerSec)
			joined.JoulesPerImage = weigh(r.JoulesPerImage, next.JoulesPerImage)
		}
		if r.Interference != nil && next.Interference != nil {
			sum := *r.Interference
			sum.add(*next.Interference)
			joined.Interference = &sum
		}
		joined.Footprint = joinFootprints(r.Footprint, next.Footprint, joined.Processes)
	}
	if joined.Timing != nil {
		joined.Verdict = joinVerdicts(joined.Processes)
	}
	return &joined
}

// joinFootprints is what the process that took up most takes up, and the median time to load.
func joinFootprints(a, b *Footprint, processes []Process) *Footprint {
	if a == nil || b == nil {
		return a
	}
	f := *a
	f.PeakRSSBytes = max(a.PeakRSSBytes, b.PeakRSSBytes)
	var loads []int64
	for _, p := range processes {
		if p.Load > 0 {
			loads = append(loads, p.Load)
		}
	}
	if slices.Sort(loads); len(loads) > 0 {
		f.Load = stat.At(loads, 0.5)
	}
	return &f
}

// figures are what two processes' otherwise equal texts differ in.
var figures = regexp.MustCompile(`[0-9][0-9.]*( ?(ns|µs|ms|s|m)\b)?`)

// joinVerdicts gathers the reasons and warnings of processes, those alike but for their figures once.
func joinVerdicts(processes []Process) Verdict {
	gather := func(of func(*Process) []string) (all []string) {
		at, count := map[string]int{}, []int{}
		for i := range processes {
			seen := map[string]bool{}
			for _, text := range of(&processes[i]) {
				kind := figures.ReplaceAllString(text, "")
				j, known := at[kind]
				if !known {
					j = len(all)
					at[kind], all, count = j, append(all, text), append(count, 0)
				}
				if !seen[kind] {
					count[j]++
				}
				seen[kind] = true
			}
		}
		for i := range all {
			if len(processes) > 1 && count[i] < len(processes) {
				all[i] = fmt.Sprintf("%s (%d of %d processes)", all[i], count[i], len(processes))
			}
		}
		return all
	}
	v := Verdict{
		Reasons:  gather(func(p *Process) []string { return p.Reasons }),
		Warnings: gather(func(p *Process) []string { return p.Warnings }),
	}
	v.Valid = len(v.Reasons) == 0
	return v
}

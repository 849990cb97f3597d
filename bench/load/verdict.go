package load

import (
	"fmt"
	"math"
	"slices"
	"time"

	"zoobench/bench/stat"
)

// Limits of a verdict, as shares. Over the first a warning is given, over the second the measurement is not valid.
// They are wide enough for a shared two-core machine and narrow enough that a difference of a quarter between two
// networks is not noise.
const (
	noiseWarn, noiseLimit = 0.05, 0.15 // width of the median's 95 % interval over the median
	driftWarn, driftLimit = 0.05, 0.10 // last third's median over the first third's, less one
	overheadWarn          = 0.01       // harness's cost over the median
	serverShare           = 0.99       // of a server's queries must keep the bound
)

// A server's line at the end may take lineShare of the arrivals' time, but of no more than shareCalls calls, and
// lineCalls calls besides, to work off. In simulations of queries that come at nine tenths of what the system can do,
// one run in a hundred exceeds that in 3 s at 100 ms a query, none of 400 in 60 s at 10 ms; in 10 min at 10 ms none
// of 400 does at 95 %, one in three at 99 % and every one at 102 %.
const (
	lineShare  = 0.05
	shareCalls = 50
	lineCalls  = 10
)

// judge gives the verdict on r's samples. Err is what ended the run early, nil if nothing.
func judge(r *Result, o Options, settled bool, err error) Verdict {
	var v Verdict
	reason := func(format string, args ...any) { v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...)) }
	warn := func(format string, args ...any) { v.Warnings = append(v.Warnings, fmt.Sprintf(format, args...)) }

	if err != nil {
		reason("ended early: %v", err)
	}
	if n := len(r.Samples); n < o.MinSamples {
		reason("too few samples: have %d, want %d", n, o.MinSamples)
	}
	if !settled {
		warn("warm-up did not settle in %d runs and %v", r.Warmup, r.WarmupTime.Round(time.Millisecond))
	}
	if o.Scenario == Server {
		judgeServer(r, o, reason, warn)
	} else {
		judgeSpread(r, o.Part, reason, warn)
	}
	if len(r.Samples) > 0 {
		sorted := slices.Sorted(slices.Values(r.Samples))
		if p50 := stat.At(sorted, 0.5); float64(r.Overhead) > overheadWarn*float64(p50) {
			warn("overhead: the harness itself takes %v of the median of %v", r.Overhead, time.Duration(p50))
		}
	}
	v.Valid = len(v.Reasons) == 0
	return v
}

// judgeSpread weighs noise and drift of samples that measure the same thing over and over.
func judgeSpread(r *Result, part bool, reason, warn func(string, ...any)) {
	if part {
		reason = warn
	}
	sorted := slices.Sorted(slices.Values(r.Samples))
	iv, ok := stat.PercentileInterval(sorted, 0.5, 0.95)
	if !ok {
		return
	}
	p50 := stat.At(sorted, 0.5)
	if noise := share(iv.Hi-iv.Lo, p50); noise > noiseWarn {
		say := warn
		if noise > noiseLimit {
			say = reason
		}
		say("noise: the width of the median's 95 %% interval is %.1f %% of the median", 100*noise)
	}
	third := len(r.Samples) / 3
	first := slices.Sorted(slices.Values(r.Samples[:third]))
	last := slices.Sorted(slices.Values(r.Samples[len(r.Samples)-third:]))
	if third == 0 {
		return
	}
	early, late := stat.At(first, 0.5), stat.At(last, 0.5)
	if drift := share(late-early, early); drift > driftWarn || drift < -driftWarn {
		say := warn
		if drift > driftLimit || drift < -driftLimit {
			say = reason
		}
		say("drift: the median of the last third differs by %+.1f %% from that of the first", 100*drift)
	}
}

// judgeServer weighs a server's queries; their spread is the queue's and no fault. A system that gets more than it
// can do shows in three signs: how long the oldest query had waited when MaxDuration cut the run, the time that it
// took to work the line off, and, of runs too short for either, a rate that full batches reached neither in the
// warm-up nor in the run. Without them the latencies would say how long the run was.
func judgeServer(r *Result, o Options, reason, warn func(string, ...any)) {
	call := max(r.Call, r.MeanCall) // under load it may be slower than in the warm-up
	limit := min(time.Duration(lineShare*float64(r.LastArrival)), shareCalls*call) + lineCalls*call
	switch off := r.Span - r.LastArrival; {
	case r.Unanswered > 0 && o.MaxDuration-r.Oldest > limit:
		reason("overloaded: %d queries had no answer after %v at %g images a second", r.Unanswered, o.MaxDuration, o.Rate)
	case r.Unanswered > 0:
		warn("cut off: %d queries were waiting after %v; they are not among the samples", r.Unanswered, o.MaxDuration)
	case len(r.Samples) > 0 && off > limit:
		reason("overloaded: queries arrived for %v; the last answer came %v later",
			r.LastArrival.Round(time.Millisecond), off.Round(time.Millisecond))
	}
	full := r.Call // or the run's if quicker: a slow warm-up does not overrule what was done since
	if r.FullCall > 0 {
		full = min(full, r.FullCall)
	}
	if most := float64(r.Batch) / full.Seconds(); full > 0 && o.Rate > most {
		reason("overloaded: %g images a second arrive, full batches answer at most %.4g", o.Rate, most)
	}
	if why := JudgeBound([][]int64{r.Samples}, r.Late, r.Unanswered, o.LatencyBound); why != "" && !o.Part {
		reason("%s", why)
	}
}

// JudgeBound is why a server's queries do not keep a bound, "" where they do or where there is none. Each part has the
// samples of one process in order; late queries took longer than the bound or are among the unanswered. Queries that wait
// in one line are late together, so that they count as fewer independent ones, by [stat.Inflation].
func JudgeBound(parts [][]int64, late, unanswered int, bound time.Duration) string {
	if bound <= 0 {
		return ""
	}
	n := unanswered
	for _, p := range parts {
		n += len(p)
	}
	inflation := stat.Inflation(parts)
	alone, lateAlone := int(float64(n)/inflation), int(math.Ceil(float64(late)/inflation))
	if stat.WithinBound(alone, lateAlone, serverShare) {
		return ""
	}
	why := "too many if 99 % are to keep the bound"
	if float64(late) <= (1-serverShare)*float64(n) {
		why = "too few queries to show that 99 % keep the bound"
	}
	if alone < n {
		why += fmt.Sprintf(" (queries in one queue are late together: these count as %d independent ones)", alone)
	}
	return fmt.Sprintf("latency bound: %d of %d queries took longer than %v, %s", late, n, bound, why)
}

// share returns part over whole, 0 where whole is 0.
func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

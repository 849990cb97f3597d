package host

import (
	"fmt"
	"time"

	"zoobench/bench/record"
)

// A Watch sees what interferes with the process from one moment to another.
type Watch struct {
	root   string
	start  time.Time
	before counters
}

// NewWatch starts to watch the counters below root.
func NewWatch(root string) *Watch {
	return &Watch{root: root, before: files(root).counters(), start: time.Now()}
}

// Seen is what has interfered so far, nil where the system does not say.
func (w *Watch) Seen() *record.Interference {
	wall := time.Since(w.start)
	facts, after := ReadFacts(w.root), files(w.root).counters()
	if !facts.Known {
		return nil
	}
	i := &record.Interference{
		Wall: wall, Processors: facts.Processors, Quota: facts.Quota,
		CPU: grown(w.before.ran, after.ran), Waited: grown(w.before.waited, after.waited),
		Switches: grown(w.before.switches, after.switches), Stolen: grown(w.before.stolen, after.stolen),
		Faults: grown(w.before.faults, after.faults), Swapped: grown(w.before.swapped, after.swapped),
		Slowdowns: grown(w.before.slowdowns, after.slowdowns), Slowed: grown(w.before.slowed, after.slowed),
	}
	for _, now := range after.groups {
		for _, was := range w.before.groups {
			if stops := now.stops - was.stops; was.dir == now.dir && now.quota > 0 && stops > i.Stops {
				i.Quota, i.Periods, i.Stops, i.Stopped = now.quota, now.periods-was.periods, stops, now.stopped-was.stopped
			}
		}
	}
	return i
}

// grown is by how much a counter grew; a thread that ended takes its share along.
func grown[T int64 | time.Duration](before, after T) T { return max(0, after-before) }

// Limits of a verdict, as shares of the time in which samples were taken. Over the first a reader should know, over the
// second the figures are wrong: a median that a tenth of interrupted calls moves little moves with a sixth of them.
const (
	lostWarn, lostLimit = 0.02, 0.15
	stopLimit           = 0.05 // of a quota's periods: stops fall on few calls, and each lasts for many
	// lostLeast is what counts as nothing, two ticks of the clock that steal time is counted in.
	lostLeast = 20 * time.Millisecond
	// watchLeast is the shortest watch whose shares say that figures are wrong: one turn of other work is 4 ms and more.
	watchLeast = 200 * time.Millisecond
	idleWarn   = 0.10
)

// Judge says what of the interference makes the figures of so many workers wrong and what may. Busy is whether they had
// work all the time, as in any scenario but a server's.
func Judge(i record.Interference, workers int, busy bool) (reasons, warnings []string) {
	reason := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	// lost says how much of the workers' time was lost to something, and reports whether it is worth a word.
	lost := func(took time.Duration, format string, args ...any) bool {
		share := float64(took) / max(1, float64(workers)*float64(i.Wall))
		tell := warn
		switch {
		case took < lostLeast || share < lostWarn:
			return false
		case share >= lostLimit && i.Wall >= watchLeast:
			tell = reason
		}
		tell("%s: %.0f %% of the workers' time", fmt.Sprintf(format, args...), 100*min(1, share))
		return true
	}

	crowd := crowded(workers, i.Processors)
	if crowd != "" {
		reason("%s", crowd)
	}
	if i.Stops > 0 {
		tell := warn
		if float64(i.Stops) > stopLimit*float64(i.Periods) {
			tell = reason
		}
		tell("a control group's limit of %s stopped the process in %d of %d periods", processors(i.Quota), i.Stops, i.Periods)
	}
	named := crowd != "" || i.Stops > 0
	if lost(i.Stolen, "the hypervisor gave the processors to others (steal time)") {
		named = true
	}
	// Threads that share too few processors, or that a limit stops, wait as well.
	if !named && lost(i.Waited, "other work used the processors (%d involuntary switches)", i.Switches) {
		named = true
	}
	switch {
	case i.Swapped > 0 && i.Faults > 0:
		reason("swapping: the process waited for %d pages from the disk", i.Faults)
	case i.Faults > 0:
		warn("the process waited for %d pages from the disk", i.Faults)
	case i.Swapped > 0:
		warn("the system swapped in %d pages", i.Swapped)
	}
	if i.Slowdowns > 0 && !lost(i.Slowed, "a processor was too hot and lowered its frequency") {
		warn("a processor was too hot and lowered its frequency %d times", i.Slowdowns)
	}
	if ran := float64(i.CPU) / max(1, float64(i.Wall)); busy && !named && len(reasons) == 0 && i.Wall >= watchLeast && ran < 1-idleWarn {
		warn("the process ran for %.0f %% of the time only, and the system does not say why", 100*ran)
	}
	return reasons, warnings
}

// Package host names what interferes with measurements on this machine: limits on the process's processors, other work
// on them, the hypervisor, heat and swapping.
//
// The contract: everything is read from the files in which Linux shows it, below a root that tests put in place of "/";
// a fact whose file is missing is not known and is no interference, and on other systems none is known. Facts do not
// change while the process runs; a Watch compares counters before and after samples are taken. What was found is judged
// as a measurement is: a reason where the figures are wrong, a warning where they may be.
//
// It leaves to bench/load how far samples spread, and to others when to watch and where to say what was found.
package host

import (
	"fmt"
)

// Root is the folder that holds proc and sys.
const Root = "/"

// Facts are what the system says of the process's place on the machine.
type Facts struct {
	Known      bool     // whether the system says any of it
	Processors int      // that the process may run on, 0 where that is not known
	Online     int      // processors of the machine
	Quota      float64  // processors' worth of time that control groups allow the process, 0 for no limit
	Governor   string   // how the first of its processors chooses its frequency, "" where that is not known
	Load       *float64 // the machine's load average of the last minute; nil where that is not known
}

// ReadFacts reads the facts below root.
func ReadFacts(root string) Facts {
	s := files(root)
	allowed, online := s.processors()
	f := Facts{Known: online > 0, Processors: len(allowed), Online: online, Load: s.load()}
	for _, g := range s.groups() {
		if g.quota > 0 && (f.Quota == 0 || g.quota < f.Quota) {
			f.Quota = g.quota
		}
	}
	if len(allowed) > 0 {
		f.Governor = s.line(fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", allowed[0]))
	}
	return f
}

// Warnings say what of the facts will hurt measurements by so many workers, before there are any; 0 for a number of
// workers that is not known yet.
func (f Facts) Warnings(workers int) []string {
	var all []string
	if text := crowded(workers, f.Processors); text != "" {
		all = append(all, text)
	}
	if busy := max(1, workers); f.Quota > 0 && f.Quota < float64(busy) {
		all = append(all, fmt.Sprintf("a control group's limit of %s stops %s in the middle of calls",
			processors(f.Quota), plural(busy, "worker")))
	}
	return all
}

// crowded says that workers share processors, "" where each has its own.
func crowded(workers, allowed int) string {
	if allowed == 0 || workers <= allowed {
		return ""
	}
	return fmt.Sprintf("%s on %s, all that this process may use", plural(workers, "worker"), plural(allowed, "processor"))
}

// processors is a share of processors in words.
func processors(n float64) string {
	if n == 1 {
		return "1 processor"
	}
	return fmt.Sprintf("%.3g processors", n)
}

// plural is a number of things in words.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

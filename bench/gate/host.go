package gate

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"zoobench/kernels"
)

// ticks is how many clock ticks Linux counts a second in /proc, on every architecture that Go runs on.
const ticks = 100

// Processes that used less than this share of a core, and clocks that moved by less, are not worth a note.
const (
	noteCores = 0.05
	noteClock = 0.03
	noteSteal = 0.01
)

// Limits of a comparison with a baseline: beyond one of them it has no verdict. Both sides of a pair are timed in turn and
// bear more.
const (
	limitCores = 0.4  // that other processes used: one that never rests takes a core, or half of one that it shares
	limitSteal = 0.05 // that the hypervisor gave to other machines
	limitClock = 0.5  // how much slower the arithmetic is at times, as a share
	limitPace  = 0.25 // by how much the references' times differ from those of the baseline
)

// A Watch sees what else the machine does between its start and its end, as far as Linux shows it in /proc and /sys;
// elsewhere it sees nothing.
type Watch struct {
	cpu         int
	start       time.Time
	processes   map[int]process
	total       cpuTime
	own         int64
	least, most int64     // of the core's clock, in kHz
	rates       []float64 // of multiply-adds that never leave the registers, in flops a second: one a look
}

type process struct {
	name  string
	start int64 // in ticks since the system started: its number may be another's later
	ticks int64
}

// cpuTime is the machine's, in ticks over all cores.
type cpuTime struct{ busy, stolen int64 }

// StartWatch begins to watch; cpu is the core whose clock counts.
func StartWatch(cpu int) *Watch {
	w := &Watch{cpu: cpu, start: time.Now(), processes: processes(), total: totalTime(), own: ownTicks()}
	w.Look()
	return w
}

// Look reads the core's clock, and times a loop of multiply-adds there, which takes some three milliseconds; call it now
// and then.
func (w *Watch) Look() {
	if rate, err := arithmeticRate(w.cpu); err == nil {
		w.rates = append(w.rates, rate)
	}
	text, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", max(w.cpu, 0)))
	if err != nil {
		return
	}
	if khz, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && khz > 0 {
		if w.least == 0 || khz < w.least {
			w.least = khz
		}
		w.most = max(w.most, khz)
	}
}

// arithmeticRate is what multiply-adds that never leave the registers reach on a core, in flops a second: the best of three
// times of a millisecond or so.
func arithmeticRate(cpu int) (best float64, err error) {
	err = onCore(cpu, func() error {
		for range 3 {
			start := time.Now()
			flops := kernels.PeakRounds(300_000)
			best = max(best, float64(flops)/time.Since(start).Seconds())
		}
		return nil
	})
	return best, err
}

// A load is what else the machine did.
type load struct {
	seconds        float64
	others, stolen float64 // cores that other processes used, and that the hypervisor gave to other machines
	low, high      float64 // between what the core's arithmetic moved, in flops a second; 0 where there were too few looks
}

// load is that since the start.
func (w *Watch) load() load {
	w.Look()
	now, l := totalTime(), load{seconds: time.Since(w.start).Seconds()}
	l.others = float64(now.busy-w.total.busy-(ownTicks()-w.own)) / ticks / l.seconds
	l.stolen = float64(now.stolen-w.total.stolen) / ticks / l.seconds
	if slices.Sort(w.rates); len(w.rates) >= 10 {
		// Without the tenth at either end, which a single interruption reaches.
		l.low, l.high = w.rates[len(w.rates)/10], w.rates[len(w.rates)-1-len(w.rates)/10]
	}
	return l
}

// beyond says what of it is beyond a limit.
func (l load) beyond() (beyond []string) {
	if l.others > limitCores {
		beyond = append(beyond, fmt.Sprintf("other processes used %.2f cores, more than %g", l.others, limitCores))
	}
	if l.stolen > limitSteal {
		beyond = append(beyond, fmt.Sprintf("the hypervisor gave %.2f cores to other machines, more than %g", l.stolen, limitSteal))
	}
	if l.low < (1-limitClock)*l.high {
		beyond = append(beyond, fmt.Sprintf("arithmetic varied between %.1f and %.1f GFLOP/s, by more than %g %%",
			l.low/1e9, l.high/1e9, 100*limitClock))
	}
	return beyond
}

// Notes are what disturbed the machine since the start, worst first; none where nothing did or nothing can be read.
func (w *Watch) Notes() []string {
	l := w.load()
	core := "a core"
	if w.cpu >= 0 {
		core = fmt.Sprintf("core %d", w.cpu)
	}
	var notes []string
	if l.others > noteCores {
		note := fmt.Sprintf("other processes used %.2f cores during the measurement", l.others)
		if names := w.busiest(l.seconds); len(names) > 0 {
			note += ": " + strings.Join(names, ", ")
		}
		notes = append(notes, note)
	}
	if l.stolen > noteSteal {
		notes = append(notes, fmt.Sprintf("the hypervisor gave %.2f cores to other machines during the measurement", l.stolen))
	}
	if l.high-l.low > noteClock*l.high {
		notes = append(notes, fmt.Sprintf("the arithmetic of %s varied between %.1f and %.1f GFLOP/s: its clock changed, or "+
			"something else used the core", core, l.low/1e9, l.high/1e9))
	}
	if w.least > 0 && float64(w.most-w.least) > noteClock*float64(w.most) {
		notes = append(notes, fmt.Sprintf("the clock of %s varied between %.2f and %.2f GHz", core, float64(w.least)/1e6, float64(w.most)/1e6))
	}
	return notes
}

// busiest are the processes that used most and are still there, at most three.
func (w *Watch) busiest(seconds float64) []string {
	type use struct {
		pid   int
		name  string
		cores float64
	}
	var uses []use
	for pid, p := range processes() {
		before := w.processes[pid]
		if before.start != p.start {
			before.ticks = 0
		}
		if cores := float64(p.ticks-before.ticks) / ticks / seconds; cores > noteCores && pid != os.Getpid() {
			uses = append(uses, use{pid, p.name, cores})
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		return cmp.Or(cmp.Compare(b.cores, a.cores), cmp.Compare(a.pid, b.pid))
	})
	var names []string
	for _, u := range uses[:min(3, len(uses))] {
		names = append(names, fmt.Sprintf("%s (process %d, %.2f cores)", u.name, u.pid, u.cores))
	}
	return names
}

// processes are those of /proc with the time that each has used.
func processes() map[int]process {
	found := map[int]process{}
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return found
	}
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		if name, start, used, ok := readStat(path); ok {
			found[pid] = process{name, start, used[0] + used[1]}
		}
	}
	return found
}

// ownTicks is what this process and those that it waited for have used.
func ownTicks() int64 {
	_, _, used, _ := readStat("/proc/self/stat")
	return used[0] + used[1] + used[2] + used[3]
}

// readStat reads a process's name, its start and what it used from /proc: user and system time, and both of the children
// that it waited for. The name is in parentheses and may hold any byte.
func readStat(path string) (name string, start int64, used [4]int64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", 0, used, false
	}
	left, right := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
	if left < 0 || right < left {
		return "", 0, used, false
	}
	fields := strings.Fields(string(text[right+1:]))
	const user, started = 11, 19 // after the name: proc(5) counts them as the 14th and the 22nd
	if len(fields) <= started {
		return "", 0, used, false
	}
	for i := range used {
		if used[i], err = strconv.ParseInt(fields[user+i], 10, 64); err != nil {
			return "", 0, used, false
		}
	}
	start, err = strconv.ParseInt(fields[started], 10, 64)
	return string(text[left+1 : right]), start, used, err == nil
}

// totalTime reads the machine's times.
func totalTime() cpuTime {
	return cpuTimes()["cpu"]
}

// cpuTimes are those of /proc/stat by the names there: "cpu" of all cores, "cpu0" of one.
func cpuTimes() map[string]cpuTime {
	times := map[string]cpuTime{}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return times
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		// user nice system idle iowait irq softirq steal
		if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
			continue
		}
		var t cpuTime
		for i, f := range fields[1:9] {
			n, err := strconv.ParseInt(f, 10, 64)
			switch {
			case err != nil:
			case i == 7:
				t.stolen = n
			case i != 3 && i != 4:
				t.busy += n
			}
		}
		times[fields[0]] = t
	}
	return times
}

// QuietCore is the core that did least in the last moment, the highest of those that did as little; -1 where the system
// does not say or cannot pin a process.
func QuietCore() int {
	list := cores()
	if len(list) == 0 {
		return -1
	}
	before := cpuTimes()
	time.Sleep(300 * time.Millisecond)
	after := cpuTimes()
	best, least := -1, int64(0)
	for _, cpu := range list {
		name := "cpu" + strconv.Itoa(cpu)
		if used := after[name].busy - before[name].busy; best < 0 || used <= least {
			best, least = cpu, used
		}
	}
	return best
}

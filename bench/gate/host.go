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

// A Watch sees what else the machine does between its start and its end, as far as Linux tells in /proc and /sys;
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
	onCore(w.cpu, func() error {
		best := 0.0
		for range 3 {
			start := time.Now()
			flops := kernels.PeakRounds(arithmeticRounds)
			best = max(best, float64(flops)/time.Since(start).Seconds())
		}
		w.rates = append(w.rates, best)
		return nil
	})
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

// Notes are what disturbed the machine since the start, worst first; none where nothing did or nothing can be read.
func (w *Watch) Notes() []string {
	w.Look()
	seconds := time.Since(w.start).Seconds()
	core := "a core"
	if w.cpu >= 0 {
		core = fmt.Sprintf("core %d", w.cpu)
	}
	var notes []string
	now := totalTime()
	if others := float64(now.busy-w.total.busy-(ownTicks()-w.own)) / ticks / seconds; others > noteCores {
		note := fmt.Sprintf("other processes used %.2f cores during the measurement", others)
		if names := w.busiest(seconds); len(names) > 0 {
			note += ": " + strings.Join(names, ", ")
		}
		notes = append(notes, note)
	}
	if stolen := float64(now.stolen-w.total.stolen) / ticks / seconds; stolen > noteSteal {
		notes = append(notes, fmt.Sprintf("the hypervisor gave %.2f cores to other machines during the measurement", stolen))
	}
	if slices.Sort(w.rates); len(w.rates) >= 10 {
		// Without the tenth at either end, which a single interruption reaches.
		low, high := w.rates[len(w.rates)/10], w.rates[len(w.rates)-1-len(w.rates)/10]
		if high-low > noteClock*high {
			notes = append(notes, fmt.Sprintf("the arithmetic of %s varied between %.1f and %.1f GFLOP/s: its clock changed, or "+
				"something else used the core", core, low/1e9, high/1e9))
		}
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
// does not tell or pins no process.
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

package host

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// files are proc and sys below a root.
type files string

// text is a file's content, "" where it cannot be read.
func (f files) text(name string) string {
	text, err := os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
	if err != nil {
		return ""
	}
	return string(text)
}

// line is a file of one line.
func (f files) line(name string) string { return strings.TrimSpace(f.text(name)) }

// glob is the files of a pattern, as text takes them.
func (f files) glob(pattern string) (names []string) {
	found, _ := filepath.Glob(filepath.Join(string(f), filepath.FromSlash(pattern))) // the patterns are sound
	for _, name := range found {
		if name, err := filepath.Rel(string(f), name); err == nil {
			names = append(names, filepath.ToSlash(name))
		}
	}
	return names
}

// number is a decimal number, 0 where it is none.
func number(text string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n
}

// tick is the unit in which proc counts processors' time.
const tick = 10 * time.Millisecond

// field is the word so many words after the first of the line that begins with a word, "" where there is none.
func field(text, word string, k int) string {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) > k && words[0] == word {
			return words[k]
		}
	}
	return ""
}

// load is the load average of the last minute.
func (f files) load() *float64 {
	first, _, _ := strings.Cut(f.text("proc/loadavg"), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return nil
	}
	return &load
}

// processors are those that are online, and the numbers of those that the process may run on.
func (f files) processors() (allowed []int, online int) {
	all := map[int]bool{}
	for line := range strings.Lines(f.text("proc/stat")) {
		name, _, _ := strings.Cut(line, " ")
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "cpu")); err == nil && strings.HasPrefix(name, "cpu") {
			all[n] = true
		}
	}
	for _, part := range strings.Split(field(f.text("proc/self/status"), "Cpus_allowed_list:", 1), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if errA != nil || errB != nil {
			continue
		}
		for n := a; n <= min(b, a+1<<16); n++ {
			if all[n] {
				allowed = append(allowed, n)
			}
		}
	}
	return allowed, len(all)
}

// counters only grow, threads that end apart.
type counters struct {
	ran, waited     time.Duration // all threads
	switches        int64
	faults, swapped int64
	stolen          time.Duration
	slowdowns       int64
	slowed          time.Duration
	groups          []group
}

func (f files) counters() (c counters) {
	scheduled := false
	for _, task := range f.glob("proc/self/task/[0-9]*") {
		if words := strings.Fields(f.text(task + "/schedstat")); len(words) >= 2 {
			c.ran += time.Duration(number(words[0]))
			c.waited += time.Duration(number(words[1]))
			scheduled = true
		}
		c.switches += number(field(f.text(task+"/status"), "nonvoluntary_ctxt_switches:", 1))
	}
	// A program's name may hold spaces and parentheses; fields count from the state behind it.
	stat := f.text("proc/self/stat")
	if words := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:]); len(words) > 12 {
		c.faults = number(words[9])
		if !scheduled {
			c.ran = time.Duration(number(words[11])+number(words[12])) * tick
		}
	}
	c.swapped = number(field(f.text("proc/vmstat"), "pswpin", 1))
	allowed, _ := f.processors()
	all := f.text("proc/stat")
	for _, n := range allowed {
		c.stolen += time.Duration(number(field(all, fmt.Sprintf("cpu%d", n), 8))) * tick
		heat := fmt.Sprintf("sys/devices/system/cpu/cpu%d/thermal_throttle/", n)
		for _, of := range []string{"core", "package"} {
			c.slowdowns += number(f.line(heat + of + "_throttle_count"))
			c.slowed = max(c.slowed, time.Duration(number(f.line(heat+of+"_throttle_total_time_ms")))*time.Millisecond)
		}
	}
	c.groups = f.groups()
	return c
}

// A group is a control group that limits the process's processor time, or may.
type group struct {
	dir            string
	quota          float64 // in processors, 0 for none
	periods, stops int64
	stopped        time.Duration
}

// groups are the process's control groups that account for processor time, of version 1 and 2, each with those above it
// as far as they are in sight.
func (f files) groups() (all []group) {
	for _, dir := range f.groupDirs() {
		g := group{dir: dir}
		stat := f.text(dir + "/cpu.stat")
		g.periods, g.stops = number(field(stat, "nr_periods", 1)), number(field(stat, "nr_throttled", 1))
		g.stopped = time.Duration(number(field(stat, "throttled_time", 1))) +
			time.Duration(number(field(stat, "throttled_usec", 1)))*time.Microsecond
		quota, period := f.line(dir+"/cpu.cfs_quota_us"), f.line(dir+"/cpu.cfs_period_us")
		if words := strings.Fields(f.text(dir + "/cpu.max")); len(words) == 2 {
			quota, period = words[0], words[1] // "max" is no number and no limit
		}
		if q, p := number(quota), number(period); q > 0 && p > 0 {
			g.quota = float64(q) / float64(p)
		}
		if stat != "" {
			all = append(all, g)
		}
	}
	return all
}

// groupDirs are the folders of the process's control groups and those above, where they are mounted.
func (f files) groupDirs() (dirs []string) {
	version1, version2 := "", ""
	for line := range strings.Lines(f.text("proc/self/cgroup")) {
		if parts := strings.SplitN(strings.TrimSpace(line), ":", 3); len(parts) == 3 {
			switch {
			case parts[0] == "0":
				version2 = parts[2]
			case slices.Contains(strings.Split(parts[1], ","), "cpu"):
				version1 = parts[2]
			}
		}
	}
	for line := range strings.Lines(f.text("proc/self/mountinfo")) {
		head, tail, _ := strings.Cut(line, " - ")
		mount, kind := strings.Fields(head), strings.Fields(tail)
		if len(mount) < 5 || len(kind) < 3 {
			continue
		}
		var at string
		switch {
		case kind[0] == "cgroup2":
			at = version2
		case kind[0] == "cgroup" && slices.Contains(strings.Split(kind[2], ","), "cpu"):
			at = version1
		}
		if at == "" {
			continue
		}
		// A mount shows the hierarchy from a group on, which in a container is its own; what is outside is not in sight.
		below, found := strings.CutPrefix(at, strings.TrimSuffix(mount[3], "/"))
		if !found || strings.HasPrefix(below, "/..") {
			below = ""
		}
		top := strings.Trim(mount[4], "/")
		for dir := path.Join(top, below); ; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
			if len(dir) <= len(top) {
				break
			}
		}
	}
	return dirs
}

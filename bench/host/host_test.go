package host

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
)

// machine is the files of a machine of four processors, of which the process may use two, without control groups.
func machine() map[string]string {
	return map[string]string{
		"proc/stat": "cpu  900 0 40 8000 10 0 5 77 0 0\n" +
			"cpu0 100 0 10 2000 0 0 0 7 0 0\ncpu1 200 0 10 2000 0 0 0 20 0 0\ncpu2 300 0 10 2000 0 0 0 50 0 0\ncpu3 300 0 10 2000 0 0 0 0 0 0\n" +
			"intr 1 2 3\nctxt 5\n",
		"proc/loadavg":                "0.25 0.10 0.05 1/100 4711\n",
		"proc/vmstat":                 "nr_free_pages 5\npswpin 100\npswpout 7\npgmajfault 9\n",
		"proc/self/status":            "Name:\tzoobench\nCpus_allowed:\t6\nCpus_allowed_list:\t1-2\n",
		"proc/self/stat":              "12 (zoo (be nch) R 1 1 1 0 -1 0 500 0 3 0 40 2 0 0 20 0 2 0 100 0 0\n",
		"proc/self/task/12/schedstat": "400000000 1000000 50\n",
		"proc/self/task/12/status":    "voluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t4\n",
		"proc/self/task/13/schedstat": "20000000 2000000 5\n",
		"proc/self/task/13/status":    "nonvoluntary_ctxt_switches:\t1\n",
		"proc/self/cgroup":            "0::/\n",
		"proc/self/mountinfo":         "31 23 0:28 / / rw - ext4 /dev/root rw\n",
		"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "powersave\n",
	}
}

// with is files with some of them changed; "" takes one away.
func with(base map[string]string, changes map[string]string) map[string]string {
	base = maps.Clone(base)
	maps.Copy(base, changes)
	return base
}

// lay writes files below root.
func lay(t *testing.T, root string, all map[string]string) {
	t.Helper()
	for name, text := range all {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		err := os.Remove(path)
		if text != "" {
			err = os.WriteFile(path, []byte(text), 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

const (
	mountV1     = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
	mountV1Part = "32 31 0:29 /docker/4f /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
	mountV2     = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
)

// TestFacts reads what a machine, a mask and control groups of both versions allow.
func TestFacts(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes map[string]string
		want    Facts
	}{
		{"mask", nil, Facts{Processors: 2, Online: 4}},
		{"processors that are off", map[string]string{"proc/self/status": "Cpus_allowed_list:\t0,3-127\n"}, Facts{Processors: 2, Online: 4}},
		{"version 2", map[string]string{
			"proc/self/mountinfo": mountV2, "proc/self/cgroup": "0::/user/session 1\n",
			"sys/fs/cgroup/user/session 1/cpu.max": "50000 100000\n", "sys/fs/cgroup/user/session 1/cpu.stat": "nr_periods 0\n",
		}, Facts{Processors: 2, Online: 4, Quota: 0.5}},
		{"version 2, without a limit", map[string]string{
			"proc/self/mountinfo": mountV2, "proc/self/cgroup": "0::/user\n",
			"sys/fs/cgroup/user/cpu.max": "max 100000\n", "sys/fs/cgroup/user/cpu.stat": "nr_periods 0\n",
		}, Facts{Processors: 2, Online: 4}},
		{"version 2, the limit is a parent's", map[string]string{
			"proc/self/mountinfo": mountV2, "proc/self/cgroup": "0::/pod/container\n",
			"sys/fs/cgroup/pod/container/cpu.max": "400000 100000\n", "sys/fs/cgroup/pod/container/cpu.stat": "nr_periods 0\n",
			"sys/fs/cgroup/pod/cpu.max": "150000 100000\n", "sys/fs/cgroup/pod/cpu.stat": "nr_periods 0\n",
		}, Facts{Processors: 2, Online: 4, Quota: 1.5}},
		{"version 2, of a container", map[string]string{
			"proc/self/mountinfo": mountV2, "proc/self/cgroup": "0::/../../outside\n",
			"sys/fs/cgroup/cpu.max": "200000 100000\n", "sys/fs/cgroup/cpu.stat": "nr_periods 0\n",
		}, Facts{Processors: 2, Online: 4, Quota: 2}},
		{"version 1", map[string]string{
			"proc/self/mountinfo": mountV1, "proc/self/cgroup": "3:cpu,cpuacct:/a/b\n0::/\n",
			"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.stat": "nr_periods 0\n",
		}, Facts{Processors: 2, Online: 4, Quota: 0.5}},
		{"version 1, without a limit", map[string]string{
			"proc/self/mountinfo": mountV1, "proc/self/cgroup": "3:cpu,cpuacct:/a\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.stat": "nr_periods 0\n",
		}, Facts{Processors: 2, Online: 4}},
		{"version 1, a container's mount", map[string]string{
			"proc/self/mountinfo": mountV1Part, "proc/self/cgroup": "3:cpu,cpuacct:/docker/4f\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "75000\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.stat": "nr_periods 0\n",
		}, Facts{Processors: 2, Online: 4, Quota: 0.75}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			lay(t, root, with(machine(), test.changes))
			got := ReadFacts(root)
			if !got.Known || got.Processors != test.want.Processors || got.Online != test.want.Online || got.Quota != test.want.Quota {
				t.Errorf("%+v, want %+v", got, test.want)
			}
		})
	}
	root := t.TempDir()
	lay(t, root, machine())
	if f := ReadFacts(root); f.Governor != "powersave" || f.Load == nil || *f.Load != 0.25 {
		t.Errorf("governor %q, load %v", f.Governor, f.Load)
	}
}

// TestUnknown holds a system without these files to knowing nothing and complaining of nothing.
func TestUnknown(t *testing.T) {
	root := t.TempDir()
	if f := ReadFacts(root); f != (Facts{}) || f.Warnings(8) != nil {
		t.Errorf("%+v warns of %q", f, f.Warnings(8))
	}
	if seen := NewWatch(root).Seen(); seen != nil {
		t.Errorf("saw %+v", seen)
	}
}

// TestWatch holds every counter's growth to the field that it belongs to.
func TestWatch(t *testing.T) {
	const group = "sys/fs/cgroup/g/"
	limited := map[string]string{
		"proc/self/mountinfo": mountV2, "proc/self/cgroup": "0::/g\n", group + "cpu.max": "50000 100000\n",
		group + "cpu.stat": "usage_usec 1\nnr_periods 10\nnr_throttled 3\nthrottled_usec 2000\n",
		// A parent without a limit counts as well and stops nobody.
		"sys/fs/cgroup/cpu.stat": "nr_periods 0\nnr_throttled 0\n",
	}
	const heat = "sys/devices/system/cpu/cpu2/thermal_throttle/"
	for _, test := range []struct {
		name          string
		before, after map[string]string
		want          record.Interference
	}{
		{"nothing", nil, nil, record.Interference{}},
		{"time and waiting", nil, map[string]string{
			"proc/self/task/12/schedstat": "700000000 51000000 60\n", "proc/self/task/12/status": "nonvoluntary_ctxt_switches:\t8\n",
			"proc/self/task/14/schedstat": "5000000 0 1\n", "proc/self/task/14/status": "nonvoluntary_ctxt_switches:\t2\n",
		}, record.Interference{CPU: 305 * time.Millisecond, Waited: 50 * time.Millisecond, Switches: 6}},
		{"a thread ended", nil, map[string]string{"proc/self/task/12/schedstat": "", "proc/self/task/12/status": ""}, record.Interference{}},
		{"steal of the process's processors alone", nil, map[string]string{
			"proc/stat": "cpu0 100 0 10 2000 0 0 0 99 0 0\ncpu1 200 0 10 2000 0 0 0 23 0 0\ncpu2 300 0 10 2000 0 0 0 54 0 0\n",
		}, record.Interference{Stolen: 70 * time.Millisecond}},
		{"swapping", nil, map[string]string{
			"proc/vmstat":    "pswpin 105\n",
			"proc/self/stat": "12 (zoo (be nch) R 1 1 1 0 -1 0 500 0 10 0 40 2 0 0 20 0 2 0 100 0 0\n",
		}, record.Interference{Faults: 7, Swapped: 5}},
		{"a quota", limited, map[string]string{group + "cpu.stat": "nr_periods 128\nnr_throttled 116\nthrottled_usec 5002000\n"},
			record.Interference{Quota: 0.5, Periods: 118, Stops: 113, Stopped: 5 * time.Second}},
		{"a quota of version 1", map[string]string{
			"proc/self/mountinfo": mountV1, "proc/self/cgroup": "3:cpu,cpuacct:/a\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.stat": "nr_periods 1\nnr_throttled 0\nthrottled_time 0\n",
		}, map[string]string{"sys/fs/cgroup/cpu,cpuacct/a/cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 90000000\n"},
			record.Interference{Quota: 0.5, Periods: 4, Stops: 2, Stopped: 90 * time.Millisecond}},
		{"heat", map[string]string{heat + "core_throttle_count": "4\n", heat + "core_throttle_total_time_ms": "10\n"},
			map[string]string{heat + "core_throttle_count": "6\n", heat + "core_throttle_total_time_ms": "45\n"},
			record.Interference{Slowdowns: 2, Slowed: 35 * time.Millisecond}},
		{"a kernel without schedstat", map[string]string{"proc/self/task/12/schedstat": "", "proc/self/task/13/schedstat": ""}, map[string]string{
			"proc/self/stat": "12 (zoo (be nch) R 1 1 1 0 -1 0 500 0 3 0 60 5 0 0 20 0 2 0 100 0 0\n",
		}, record.Interference{CPU: 230 * time.Millisecond}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			files := machine()
			for name, text := range test.before {
				if files[name] = text; text == "" {
					delete(files, name)
				}
			}
			lay(t, root, files)
			w := NewWatch(root)
			lay(t, root, test.after)
			got := w.Seen()
			if got == nil {
				t.Fatal("nothing is known")
			}
			if got.Wall <= 0 || got.Processors < 1 {
				t.Errorf("%v on %d processors", got.Wall, got.Processors)
			}
			if got.Wall, got.Processors = 0, 0; *got != test.want {
				t.Errorf("%+v, want %+v", *got, test.want)
			}
		})
	}
}

// TestJudge holds each cause to its verdict and to being named once.
func TestJudge(t *testing.T) {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	busy := record.Interference{Wall: seconds(10), CPU: seconds(10), Processors: 2}
	seen := func(change func(i *record.Interference)) record.Interference {
		i := busy
		change(&i)
		return i
	}
	for _, test := range []struct {
		name              string
		seen              record.Interference
		workers           int
		idle              bool
		reasons, warnings []string
	}{
		{"nothing", busy, 1, false, nil, nil},
		{"nothing, two workers", busy, 2, false, nil, nil},
		{"two workers on one processor", seen(func(i *record.Interference) { i.Processors, i.Waited = 1, seconds(9) }), 2, false,
			[]string{"2 workers on 1 processor, all that this process may use"}, nil},
		{"as many as the machine has", seen(func(i *record.Interference) { i.Processors = 2 }), 2, false, nil, nil},
		{"processors not known", seen(func(i *record.Interference) { i.Processors = 0 }), 64, false, nil, nil},
		{"quota", seen(func(i *record.Interference) {
			i.Quota, i.Periods, i.Stops, i.Stopped, i.Waited, i.CPU = 0.5, 118, 113, seconds(5), seconds(5), seconds(5)
		}), 1, false, []string{"a control group's limit of 0.5 processors stopped the process in 113 of 118 periods"}, nil},
		{"quota, a stop", seen(func(i *record.Interference) { i.Quota, i.Periods, i.Stops = 1, 100, 1 }), 1, false,
			nil, []string{"a control group's limit of 1 processor stopped the process in 1 of 100 periods"}},
		{"other work, a little", seen(func(i *record.Interference) { i.Waited, i.Switches = seconds(0.5), 77 }), 1, false,
			nil, []string{"other work used the processors (77 involuntary switches): 5 % of the workers' time"}},
		{"other work, much", seen(func(i *record.Interference) { i.Waited, i.CPU = seconds(5), seconds(5) }), 1, false,
			[]string{"other work used the processors (0 involuntary switches): 50 % of the workers' time"}, nil},
		{"other work, much in next to no time", record.Interference{Wall: seconds(0.1), CPU: seconds(0.05), Waited: seconds(0.05)}, 1, false,
			nil, []string{"other work used the processors (0 involuntary switches): 50 % of the workers' time"}},
		{"other work, next to nothing", seen(func(i *record.Interference) { i.Waited = seconds(0.15) }), 1, false, nil, nil},
		{"other work, a share of two workers", seen(func(i *record.Interference) { i.Waited = seconds(2) }), 2, false,
			nil, []string{"other work used the processors (0 involuntary switches): 10 % of the workers' time"}},
		{"steal", seen(func(i *record.Interference) { i.Stolen = seconds(2) }), 1, false,
			[]string{"the hypervisor gave the processors to others (steal time): 20 % of the workers' time"}, nil},
		{"steal of a tick", record.Interference{Wall: seconds(0.1), CPU: seconds(0.1), Stolen: seconds(0.01)}, 1, false, nil, nil},
		{"swapped", seen(func(i *record.Interference) { i.Swapped, i.Faults = 50, 40 }), 1, false,
			[]string{"swapping: the process waited for 40 pages from the disk"}, nil},
		{"others swapped", seen(func(i *record.Interference) { i.Swapped = 50 }), 1, false, nil, []string{"the system swapped in 50 pages"}},
		{"a page of a file", seen(func(i *record.Interference) { i.Faults = 2 }), 1, false,
			nil, []string{"the process waited for 2 pages from the disk"}},
		{"heat for long", seen(func(i *record.Interference) { i.Slowdowns, i.Slowed = 3, seconds(4) }), 1, false,
			[]string{"a processor was too hot and lowered its frequency: 40 % of the workers' time"}, nil},
		{"heat, no time given", seen(func(i *record.Interference) { i.Slowdowns = 3 }), 1, false,
			nil, []string{"a processor was too hot and lowered its frequency 3 times"}},
		{"a cause that nobody names", seen(func(i *record.Interference) { i.CPU = seconds(6) }), 1, false,
			nil, []string{"the process ran for 60 % of the time only, and the system does not say why"}},
		{"a server waits for queries", seen(func(i *record.Interference) { i.CPU = seconds(6) }), 1, true, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			reasons, warnings := Judge(test.seen, test.workers, !test.idle)
			if !slices.Equal(reasons, test.reasons) || !slices.Equal(warnings, test.warnings) {
				t.Errorf("reasons %q, warnings %q; want %q, %q", reasons, warnings, test.reasons, test.warnings)
			}
		})
	}
}

// TestWarnings says before a run what will be wrong with it.
func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		facts   Facts
		workers int
		want    string
	}{
		{Facts{Processors: 2, Online: 2}, 2, ""},
		{Facts{Processors: 1, Online: 2}, 2, "2 workers on 1 processor, all that this process may use"},
		{Facts{Processors: 2, Quota: 0.5}, 0, "a control group's limit of 0.5 processors stops 1 worker in the middle of calls"},
		{Facts{Processors: 2, Quota: 1}, 2, "a control group's limit of 1 processor stops 2 workers in the middle of calls"},
		{Facts{Processors: 4, Quota: 2}, 2, ""},
	} {
		if got := strings.Join(test.facts.Warnings(test.workers), "; "); got != test.want {
			t.Errorf("%+v, %d workers: %q, want %q", test.facts, test.workers, got, test.want)
		}
	}
}

// TestHere reads this machine, where it is Linux.
func TestHere(t *testing.T) {
	w := NewWatch(Root)
	sum := 0
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
		sum++
	}
	seen := w.Seen()
	if seen == nil {
		t.Skip("this system says nothing")
	}
	if seen.Processors < 1 || seen.CPU <= 0 || seen.CPU > seen.Wall*time.Duration(seen.Processors+1) {
		t.Errorf("%s: %+v", fmt.Sprint(sum > 0), *seen)
	}
}

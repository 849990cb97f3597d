package submit_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zoobench/bench/internal/study"
	"zoobench/bench/record"
	"zoobench/zoo"
)

// slurmConfig is a cluster of two nodes on one host. Credentials expire soon, or a task whose node is lost waits two minutes for its
// turn; a node counts as lost after ten seconds.
const slurmConfig = `ClusterName=zoo
SlurmctldHost=%[2]s(127.0.0.1)
SlurmctldPort=17000
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%[1]s/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=%[1]s/state
SlurmdSpoolDir=%[1]s/spool-%%n
SlurmctldPidFile=%[1]s/slurmctld.pid
SlurmdPidFile=%[1]s/slurmd-%%n.pid
SlurmctldLogFile=%[1]s/slurmctld.log
SlurmdLogFile=%[1]s/slurmd-%%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
MessageTimeout=10
NodeName=one NodeHostname=%[2]s NodeAddr=127.0.0.1 Port=17001 CPUs=1 RealMemory=8000 Feature=first
NodeName=two NodeHostname=%[2]s NodeAddr=127.0.0.1 Port=17002 CPUs=1 RealMemory=8000 Feature=second
PartitionName=all Nodes=one,two Default=YES MaxTime=INFINITE State=UP
`

// cluster is a Slurm of this host's own.
type cluster struct {
	t     *testing.T
	dir   string
	nodes map[string]*exec.Cmd
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), nodes: map[string]*exec.Cmd{}}
	must(t, os.Chmod(c.dir, 0o755))
	must(t, os.MkdirAll(filepath.Join(c.dir, "state"), 0o755))
	host, err := os.Hostname()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(c.dir, "slurm.conf"), fmt.Appendf(nil, slurmConfig, c.dir, host), 0o644))
	t.Setenv("SLURM_CONF", filepath.Join(c.dir, "slurm.conf"))
	key := make([]byte, 1024)
	for i := range key {
		key[i] = byte(rand.IntN(256))
	}
	must(t, os.WriteFile(filepath.Join(c.dir, "munge.key"), key, 0o600))
	in := func(name string) string { return filepath.Join(c.dir, name) }
	c.start("munged", "--foreground", "--force", "--key-file="+in("munge.key"), "--socket="+in("munge.socket"), "--pid-file="+in("munge.pid"),
		"--log-file="+in("munge.log"), "--seed-file="+in("munge.seed"))
	c.wait("munged", func() bool { _, err := os.Stat(in("munge.socket")); return err == nil })
	c.start("slurmctld", "-D", "-c")
	for _, name := range []string{"one", "two"} {
		must(t, os.MkdirAll(in("spool-"+name), 0o755))
		c.nodes[name] = c.start("slurmd", "-D", "-N", name)
	}
	idle := func() bool {
		out, err := exec.Command("sinfo", "--noheader", "--Node", "--format=%T").Output()
		return err == nil && strings.Count(string(out), "idle") == 2
	}
	for range 600 {
		if idle() {
			return c
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Skipf("Slurm does not start on this host within a minute:\n%s", c.logs())
	return nil
}

// start starts a daemon in a group of its own, which ends with the test.
func (c *cluster) start(name string, args ...string) *exec.Cmd {
	c.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	log, err := os.Create(filepath.Join(c.dir, fmt.Sprintf("%s-%d.out", name, len(c.nodes))))
	must(c.t, err)
	cmd.Stdout, cmd.Stderr = log, log
	must(c.t, cmd.Start())
	c.t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		log.Close()
	})
	return cmd
}

// lose makes a node vanish, with all that runs on it: its daemon and the steps' first, so that none of them can tell the controller
// how the rest ended.
func (c *cluster) lose(name string) {
	c.t.Helper()
	out, err := exec.Command("squeue", "--noheader", "--states=RUNNING", "--nodelist="+name, "--format=%A").Output()
	must(c.t, err)
	node := c.nodes[name]
	must(c.t, node.Process.Kill())
	node.Wait()
	for id := range strings.FieldsSeq(string(out)) {
		killAll("cmdline", "slurmstepd: ["+id+".")
	}
	killAll("environ", "SLURMD_NODENAME="+name+"\x00")
}

// killAll kills the processes whose command line or environment, as /proc has it, holds a text.
func killAll(file, text string) {
	found, _ := filepath.Glob("/proc/[0-9]*/" + file)
	for _, path := range found {
		have, _ := os.ReadFile(path) // it may have ended
		var pid int
		fmt.Sscan(filepath.Base(filepath.Dir(path)), &pid)
		if bytes.Contains(have, []byte(text)) && pid != os.Getpid() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// wait waits until something is so, for two minutes at most.
func (c *cluster) wait(what string, so func() bool) {
	c.t.Helper()
	for range 1200 {
		if so() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatalf("waited in vain for %s\n%s", what, c.logs())
}

// logs are the ends of the daemons' logs.
func (c *cluster) logs() (all string) {
	logs, _ := filepath.Glob(filepath.Join(c.dir, "*.log"))
	for _, log := range logs {
		text, _ := os.ReadFile(log)
		all += fmt.Sprintf("%s:\n%s\n", filepath.Base(log), text[max(0, len(text)-1500):])
	}
	return all
}

var must = study.Must

// results are a run's accuracies, without what a task of one processor has of its own.
func results(t *testing.T, dir string) string {
	t.Helper()
	return study.Timeless(t, dir, func(r *record.Record) { r.RunID, r.Machine.Cores = "", 0 })
}

// TestSlurm sends a study to a Slurm of two nodes, takes one of them away while it works, and holds the report that Slurm's last job
// writes against an unsharded run.
func TestSlurm(t *testing.T) {
	if os.Getenv("ZOO_SLURM") == "" {
		t.Skip("starts Slurm's daemons: make test-slurm")
	}
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "srun", "go"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("needs %s, which apt's slurm-wlm and munge have: %v", name, err)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("Slurm's daemons start as root alone")
	}
	c := startCluster(t)
	work := t.TempDir()
	must(t, os.Chmod(work, 0o755))
	program := filepath.Join(work, "zoobench")
	t.Setenv("ZOOBENCH_CACHE", filepath.Join(work, "cache"))
	t.Setenv("ZOOBENCH", program)
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = work
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	build := exec.Command("go", "build", "-o", program, "zoobench")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	study.Write(t, work, zoo.Default(), 400, 40, "squeezenet1_1", "mobilenetv2_100")
	file := filepath.Join(work, study.FileName)
	run(program, "run", file, "--out", "whole")

	script, err := exec.Command(program, "submit", "slurm", file, "--shards", "6", "--cpus", "1",
		"--out", filepath.Join(work, "results")).Output()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(work, "study.sh"), script, 0o755))
	t.Log(run("bash", "study.sh"))
	waits := map[string]bool{} // tasks of node two that have not begun their shard
	c.wait("a shard that begins on node two", func() bool {
		out, _ := exec.Command("squeue", "--noheader", "--states=RUNNING", "--nodelist=two", "--format=%K").Output()
		index := strings.TrimSpace(string(out))
		_, err := os.Stat(filepath.Join(work, "results", "accuracy-"+index, "shard.json"))
		if index != "" && err != nil {
			waits[index] = true
		}
		return waits[index] && err == nil
	})
	c.lose("two")
	t.Log("node two is gone")
	report := filepath.Join(work, "results", "report")
	c.wait("the queue's end", func() bool {
		out, err := exec.Command("squeue", "--noheader").Output()
		return err == nil && len(bytes.TrimSpace(out)) == 0
	})
	jobs := run("scontrol", "show", "jobs")
	if !strings.Contains(jobs, "Restarts=1") {
		t.Errorf("no task was sent again:\n%s", jobs)
	}
	for line := range strings.Lines(jobs) {
		if strings.Contains(line, "JobName=") || strings.Contains(line, "Restarts=") {
			t.Log(strings.TrimSpace(line))
		}
	}
	text, err := os.ReadFile(filepath.Join(work, "results", "logs", "zoobench-report.txt"))
	must(t, err)
	t.Logf("the last job:\n%s", text)
	if want, got := results(t, filepath.Join(work, "whole")), results(t, report); got != want || want == "" {
		t.Errorf("the merged report differs: got\n%.1500s\nwant\n%.1500s", got, want)
	}
}

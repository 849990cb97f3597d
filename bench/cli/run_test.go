package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/internal/schema"
)

// limitVariable is the size in bytes past which no file of the program may grow, as on a disk that is full.
const limitVariable = "ZOOBENCH_TEST_FILE_BYTES"

// begunVariable is a local address that a worker calls once it has begun.
const begunVariable = "ZOOBENCH_TEST_BEGUN"

// sayBegun calls the address if this process is a worker.
func sayBegun(address string) {
	if address == "" || len(os.Args) < 2 || os.Args[1] != "worker" {
		return
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	c.Close()
}

// program is this test binary as the program.
func program(t *testing.T, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), programVariable+"=1", "ZOOBENCH_CACHE="+t.TempDir(), "ZOOBENCH_DATA=")
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

func TestRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	code, stdout, stderr := invoke(t, "run", "testdata/experiments.yaml", "--out", dir)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"squeezenet1_1", "mobilenetv2_100", "p50 ms", "findings: ",
		" not testable here\nreport: " + filepath.Join(dir, "report.html")} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
	if !strings.Contains(stderr, "1/2 squeezenet1_1: median ") {
		t.Errorf("progress: %q", stderr)
	}
	for _, name := range []string{record.FileName, "latency.csv", "report.md", "report.html", "latency.svg", "latency.png",
		runner.ConfigName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: error %v; want a file with something in it", name, err)
		}
	}

	var c struct {
		Jobs []struct {
			ID      string
			Latency *struct{}
		}
		Experiments []string
		Machine     record.Machine
	}
	text, err := os.ReadFile(filepath.Join(dir, runner.ConfigName))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil || len(c.Jobs) != 2 || c.Jobs[0].ID == "" || c.Jobs[0].Latency == nil || len(c.Experiments) != 1 || c.Machine.CPU == "" {
		t.Errorf("configuration: %+v, error %v", c, err)
	}

	checkRecords(t, filepath.Join(dir, record.FileName))

	code, stdout, stderr = invoke(t, "run", "testdata/experiments.yaml", "--out", dir)
	if code != 1 || !strings.Contains(stderr, "has a run already; add --resume") || stdout != "" {
		t.Errorf("over an earlier run: exit code %d, %q", code, stderr)
	}
	code, stdout, stderr = invoke(t, "run", "testdata/experiments.yaml", "--out", dir, "--resume", "--format", "json")
	if code != 0 || !strings.Contains(stderr, "2 jobs, 2 of them measured already") {
		t.Errorf("resumed: exit code %d, %q", code, stderr)
	}
	kinds := map[record.Kind]int{}
	for line := range strings.Lines(stdout) {
		var r record.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		kinds[r.Kind]++
	}
	if kinds[record.KindLatency] != 2 || kinds[record.KindHost] != 2 {
		t.Errorf("kinds of record: got %v, want 2 latencies and 2 of the host", kinds)
	}
}

// TestDefaultFolder runs without --out in an empty folder.
func TestDefaultFolder(t *testing.T) {
	file, err := filepath.Abs("testdata/experiments.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if code, _, stderr := invoke(t, "run", file); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	found, err := filepath.Glob(filepath.Join(runsDir, "2*Z-first", record.FileName))
	if err != nil || len(found) != 1 {
		t.Errorf("runs: got %v, error %v; want one", found, err)
	}
	if code, _, stderr := invoke(t, "run", file, "--resume"); code != 0 || !strings.Contains(stderr, "2 of them measured already") {
		t.Errorf("resumed: exit code %d: %s", code, stderr)
	}
}

// TestInterrupt stops a run as Ctrl-C does, while its second job is under way: the first one's report is there.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt on Windows")
	}
	text, err := os.ReadFile("testdata/experiments.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "experiments.yaml")
	long := strings.Replace(string(text), "min_duration: 20ms, max_duration: 2s", "min_duration: 3s", 1)
	if err := os.WriteFile(file, []byte(long), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	workers, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer workers.Close()
	if err := workers.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	cmd, stdout, stderr := program(t, "run", file, "--out", dir)
	cmd.Env = append(cmd.Env, begunVariable+"="+workers.Addr().String())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c, err := workers.Accept()
		if err != nil {
			cmd.Process.Kill()
			cmd.Wait()
			t.Fatalf("no second worker: %v: %s", err, stderr)
		}
		c.Close()
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if want := "zoobench: interrupted; continue with: zoobench run " + file + " --out " + dir +
		" --resume"; !strings.Contains(stderr.String(), want) {
		t.Errorf("got %q, want %q", stderr, want)
	}
	if !strings.Contains(stdout.String(), "squeezenet1_1") {
		t.Errorf("the table lacks what was measured:\n%s", stdout)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); err != nil {
		t.Errorf("no report: %v", err)
	}
}

// TestFullDisk runs where no file may grow past what the machine's own record takes.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("files are limited on Linux only")
	}
	dir := filepath.Join(t.TempDir(), "run")
	cmd, _, stderr := program(t, "run", "testdata/experiments.yaml", "--out", dir)
	cmd.Env = append(cmd.Env, limitVariable+"=1500")
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	for _, want := range []string{"record: append: ", "file too large", "the 1 records before it are safe", "--resume"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in %q", want, stderr)
		}
	}
	records, problems, err := record.ReadFile(filepath.Join(dir, record.FileName))
	if err != nil || len(records) != 1 || len(problems) != 0 {
		t.Errorf("log: %d records, problems %v, error %v; want 1 and none", len(records), problems, err)
	}
}

// TestRunSet changes keys of a file on the command line.
func TestRunSet(t *testing.T) {
	run := []string{"run", "testdata/experiments.yaml", "--dry-run", "--format", "json"}
	code, stdout, stderr := invoke(t, append(run, "--set", "models=squeezenet*", "--set", "threads=1,3")...)
	if code != exitOK || strings.Count(stdout, "\n") != 4 || strings.Count(stdout, "threads 3") != 2 {
		t.Errorf("exit code %d, %s%s; want two networks, each with 1 and 3 threads", code, stdout, stderr)
	}
	code, _, stderr = invoke(t, append(run, "--set", "thraeds=2")...)
	const unknown = `--set "thraeds=2": experiment: unknown key "thraeds", nearest is "threads"`
	if code != exitUsage || !strings.Contains(stderr, unknown) {
		t.Errorf("exit code %d, %q; want %s", code, stderr, unknown)
	}
	changes := experiment.Changes{Only: []string{"one"}, Set: []string{"threads=[1, 2]", "models=vgg11"}}
	got := resumeCommand("own.yaml", changes, "out", "it's", true)
	want := `zoobench run own.yaml --only one --set 'threads=[1, 2]' --set models=vgg11 --data 'it'\''s' --no-tune --out out --resume`
	if got != want {
		t.Errorf("to resume: got\n%s\nwant\n%s", got, want)
	}
}

// checkRecords holds a file of records to the schema that is published of them.
func checkRecords(t *testing.T, path string) {
	t.Helper()
	s, err := schema.Of[record.Record]("record", "../record/*.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		t.Fatalf("%d bytes, error %v", len(text), err)
	}
	for line := range bytes.Lines(text) {
		for _, fault := range s.Check(line) {
			t.Errorf("%s: %s in %s", path, fault, line)
		}
	}
}

// TestPrice has latency, run and report show what a million images cost; report can change its mind.
func TestPrice(t *testing.T) {
	quick := []string{"--set", "models=squeezenet1_1", "--set", "latency={min_duration: 5ms, min_samples: 11}", "--set", "processes=1"}
	dir := filepath.Join(t.TempDir(), "run")
	code, stdout, stderr := invoke(t, append([]string{"run", "testdata/experiments.yaml", "--out", dir, "--price", "3.6/h"}, quick...)...)
	if code != exitOK || !strings.Contains(stdout, "cost of 1M") {
		t.Fatalf("run: exit code %d:\n%s%s", code, stdout, stderr)
	}
	cost := func(args ...string) float64 {
		_, stdout, stderr := invoke(t, append(args, "--format", "csv")...)
		rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%q: error %v, %s%s", args, err, stdout, stderr)
		}
		at := slices.Index(rows[0], "cost_per_million")
		v, err := strconv.ParseFloat(rows[1][at], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	own, dearer := cost("report", dir), cost("report", dir, "--price", "36/h")
	if ratio := dearer / own; !(ratio > 9.9 && ratio < 10.1) {
		t.Errorf("cost %v, at ten times the price %v", own, dearer)
	}
	checkRecords(t, filepath.Join(dir, record.FileName))
	code, stdout, stderr = invoke(t, "latency", "squeezenet1_1", "--price", "3.6/h", "--min-duration", "5ms", "--processes", "1", "--no-tune")
	if code != exitOK || !strings.Contains(stdout, "cost of 1M images") {
		t.Errorf("latency: exit code %d:\n%s%s", code, stdout, stderr)
	}
}

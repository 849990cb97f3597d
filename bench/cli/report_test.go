package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
)

// runOf writes a run's folder with latencies of two networks, on a processor of that name.
func runOf(t *testing.T, cpu string, ms float64) string {
	t.Helper()
	dir := t.TempDir()
	log, err := record.OpenLog(filepath.Join(dir, record.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, model := range []string{"resnet18", "squeezenet1_1"} {
		samples := make([]int64, 64)
		for i := range samples {
			samples[i] = int64(ms * 1e6 * (1 + 0.0005*float64(i-32)))
		}
		err := log.Append(&record.Record{
			Kind: record.KindLatency, RunID: "r", Experiment: "e", Time: time.Unix(int64(ms), 0),
			Machine: record.Machine{CPU: cpu, Cores: 2, OS: "linux", Arch: "amd64"},
			Model:   model, ImgSize: 224, Batch: 1, Threads: 1, Scenario: "single_stream", Cost: &record.Cost{Params: 1, MACs: 1},
			Timing: recordtest.Timing(samples, time.Second, 4), Footprint: &record.Footprint{}, Verdict: record.Verdict{Valid: true},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReport(t *testing.T) {
	one, two, other := runOf(t, "A", 10), runOf(t, "A", 20), runOf(t, "B", 10)
	file := filepath.Join(one, record.FileName)
	cut := filepath.Join(t.TempDir(), "cut.jsonl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, text[:len(text)-40], 0o666); err != nil {
		t.Fatal(err)
	}
	out, classes := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "classes")
	for _, test := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"one", []string{one}, 0, "resnet18", filepath.Join(one, "report.html")},
		{"merged", []string{one, two, "--out", out}, 0, "20.", filepath.Join(out, "report.html")},
		{"the report of a merged report", []string{out}, 0, "20.", filepath.Join(out, "report.html")},
		{"merged into a run's folder", []string{one, two, "--out", one}, 1, "", "--out " + one + " is the folder of one of the runs"},
		{"two classes", []string{one, other, "--out", classes}, 0, "resnet18", "2 classes of machine, each with a report of its own"},
		{"cut", []string{cut, "--out", out}, 0, "resnet18", "report.html"},
		{"merged without a folder", []string{one, two}, 1, "", "--out"},
		{"a file without a folder", []string{file}, 1, "", "--out"},
		{"no run", []string{t.TempDir()}, 1, "", "no results.jsonl in it"},
		{"nothing there", []string{filepath.Join(one, "none")}, 1, "", "none"},
		{"diff", []string{one, two, "--diff"}, 0, "slower", ""},
		{"diff as JSON", []string{two, one, "--diff", "--format", "json"}, 0, `"verdict":"faster"`, ""},
		{"diff of classes", []string{one, other, "--diff"}, 1, "", "records of 2 machine classes"},
		{"diff of one", []string{one, "--diff"}, 1, "", "want two"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, append([]string{"report"}, test.args...)...)
			if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit code %d, want %d; output %q, want %q in it; errors %q, want %q in them", code, test.code, stdout, test.stdout,
					stderr, test.stderr)
			}
		})
	}
	if log, err := os.ReadFile(file); err != nil || !bytes.Equal(log, text) {
		t.Errorf("the run's log is not what it was, error %v", err)
	}
	page, err := os.ReadFile(filepath.Join(out, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cut off in the middle", "Three 3×3 layers"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

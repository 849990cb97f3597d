package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/runner"
)

// TestVerifyCrash repeats a row with a worker that ends at once: it cannot be told whether the row holds.
func TestVerifyCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), record.FileName)
	l, err := record.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	r := record.Record{
		Kind: record.KindLatency, RunID: "r", Time: time.Unix(1, 0).UTC(), Model: "squeezenet1_1", ImgSize: 64, Batch: 1, Threads: 1,
		Timing: record.NewTiming([]int64{1, 2, 3}, time.Second), Footprint: &record.Footprint{}, Verdict: record.Verdict{Valid: true},
	}
	r.Machine.CPU = "test"
	if err := errors.Join(l.Append(&r), l.Close()); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	a := &app{list: few(), stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	a.worker = runner.Worker{Path: os.Args[0], Args: []string{"no-such-command"}, Env: []string{programVariable + "=1"}}
	if code := main(t.Context(), a, []string{"verify", path}); code != exitInconclusive ||
		!strings.Contains(stderr.String(), "verify: squeezenet1_1: ") || !strings.Contains(stderr.String(), "no-such-command") {
		t.Errorf("exit code %d, %q; want %d and what the worker left", code, stderr.String(), exitInconclusive)
	}
}

// TestVerifyFiles names rows that are there and rows that are not.
func TestVerifyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), record.FileName)
	l, err := record.OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	r := record.Record{
		Kind: record.KindEval, RunID: "r", Time: time.Unix(1, 0).UTC(), Model: "alexnet", Checkpoint: "tag", WeightsFile: "none.pth",
		Accuracy: record.NewAccuracy(10, 5, 7, nil), Verdict: record.Verdict{Valid: true},
	}
	r.Machine.CPU = "test"
	for _, kind := range []record.Kind{record.KindEval, record.KindEval} {
		r.Kind = kind
		if err := l.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	if err := os.WriteFile(empty, []byte("x\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ arg, want string }{
		{path, "2 measurements; name the line of one as " + path + ":LINE: 1 eval of alexnet.tag, 2 eval of alexnet.tag"},
		{path + ":3", "no measured latency or accuracy on this line"},
		{path + ":1", "alexnet.tag: no such file, and not in the cache folder"},
		{empty, "no measured latency or accuracy"},
		{empty + ":1", "invalid character"},
		{path + "x", "no such file"},
	} {
		if code, _, stderr := invoke(t, "verify", test.arg); code != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: exit code %d, %q; want 1 and %q", test.arg, code, stderr, test.want)
		}
	}
}

// TestVerifyLatency repeats a row that was just measured.
func TestVerifyLatency(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, stderr := invoke(t, "run", "testdata/experiments.yaml", "--out", dir); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, stdout, stderr := invoke(t, "verify", filepath.Join(dir, record.FileName)+":2")
	// A shared machine may be slower now, or too noisy to tell.
	if code != 0 && code != 3 && code != 4 || !strings.Contains(stdout, "latency") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

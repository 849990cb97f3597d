package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestShards runs a file in two shards and puts them together, with one of them missing and with both.
func TestShards(t *testing.T) {
	const file = "testdata/experiments.yaml"
	parent := t.TempDir()
	dirs := []string{filepath.Join(parent, "shard-0"), filepath.Join(parent, "shard-1")}
	for i, dir := range dirs {
		code, stdout, stderr := invoke(t, "run", file, "--shard", fmt.Sprintf("%d/2", i), "--out", dir, "--resume")
		if code != 0 || !strings.Contains(stderr, fmt.Sprintf("shard %d/2 has done its 1 tasks", i)) {
			t.Fatalf("shard %d: exit code %d: %s", i, code, stderr)
		}
		if n := strings.Count(stdout, "\n squeezenet1_1") + strings.Count(stdout, "\n mobilenetv2_100"); n != 1 {
			t.Errorf("shard %d measured %d networks, want one:\n%s", i, n, stdout)
		}
	}
	code, _, stderr := invoke(t, "report", dirs[0], "--out", filepath.Join(parent, "half"))
	if code != 0 || !strings.Contains(stderr, "missing from shard 1/2") {
		t.Errorf("one shard of two: exit code %d: %s", code, stderr)
	}
	code, stdout, stderr := invoke(t, "report", dirs[0], dirs[1], "--out", filepath.Join(parent, "whole"))
	if code != 0 || strings.Contains(stderr, "missing") || !strings.Contains(stdout, "squeezenet1_1") ||
		!strings.Contains(stdout, "mobilenetv2_100") {
		t.Errorf("both shards: exit code %d: %s\n%s", code, stderr, stdout)
	}
}

func TestShardArguments(t *testing.T) {
	const file = "testdata/experiments.yaml"
	for _, c := range []struct {
		args  []string
		fault string
	}{
		{[]string{"--shard", "2/2", "--out", "x"}, "want an index from 0 to N-1"},
		{[]string{"--shard", "0/2"}, "name the shard's folder with --out"},
		{[]string{"--shard", "auto", "--out", "x"}, "no task of a Slurm array"},
		{[]string{"--shards", "4"}, "--dry-run"},
		{[]string{"--shards", "-4", "--dry-run"}, "want a number above 0"},
		{[]string{"--measure", "speed"}, "want latency or accuracy"},
	} {
		code, _, stderr := invoke(t, append([]string{"run", file}, c.args...)...)
		if code != exitUsage && code != exitFailed || !strings.Contains(stderr, c.fault) {
			t.Errorf("%v: exit code %d: %s; want %q", c.args, code, stderr, c.fault)
		}
	}
	code, stdout, stderr := invoke(t, "run", file, "--dry-run", "--shards", "2")
	if code != 0 || strings.Count(stdout, "\n") != 3 || !strings.Contains(stderr, "2 tasks in 2 shards") {
		t.Errorf("a plan: exit code %d:\n%s%s", code, stdout, stderr)
	}
}

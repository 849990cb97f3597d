package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDryRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	code, stdout, stderr := invoke(t, "run", "testdata/experiments.yaml", "--out", dir, "--dry-run")
	if code != 0 || !strings.Contains(stdout, "squeezenet1_1") || !strings.Contains(stderr, "2 jobs, about ") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder of the run: %v; want none", err)
	}
	code, stdout, _ = invoke(t, "run", "testdata/experiments.yaml", "--dry-run", "--format", "json")
	if code != 0 || strings.Count(stdout, "\n") != 2 || !strings.Contains(stdout, `"estimate_ns":`) {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}

package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/bench/gate"
	"zoobench/internal/testenv"
)

// gateRepo is a repository with a package kernels and three revisions: HEAD~2, one that takes three times as long, and one
// that does not build. It becomes the working directory.
func gateRepo(t *testing.T) {
	t.Helper()
	testenv.Commands(t, "git", "go")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "kernels"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	commit := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"add", "."}, {"commit", "-q", "-m", "next"}} {
			c := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"}, args...)...)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v\n%s", args, err, out)
			}
		}
	}
	const source = `package kernels

import "testing"

var sink uint64

func BenchmarkLoop(b *testing.B) {
	for b.Loop() {
		for i := range uint64(20000) {
			sink = sink*6364136223846793005 + i
		}
	}
}

func BenchmarkBroken(b *testing.B) { b.Fatal("broken on purpose") }
`
	if out, err := exec.Command("git", "init", "-q", "-b", "main").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	if err := os.WriteFile("go.mod", []byte("module toy\n\ngo 1.24\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("kernels", "loop_test.go")
	commit(file, source)
	commit(file, strings.Replace(source, "20000", "60000", 1))
	commit(file, "package kernels\n\nvar x int = \"\"\n")
}

func TestGateExitCodes(t *testing.T) {
	gateRepo(t)
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	for _, test := range []struct {
		name   string
		args   string
		code   int
		stderr string
	}{
		{"nothing to compare with", "", exitUsage, "want --base REV or --self-test"},
		{"two things at once", "--base HEAD --self-test", exitUsage, "not both"},
		{"no such revision", "--base nonesuch", exitUsage, "nonesuch: no such revision"},
		{"a revision that does not build", "--base HEAD --head HEAD~1 --layouts 2", exitUsage, "kernels does not build"},
		{"no such suite", "--base HEAD --suite cars", exitUsage, `no suite "cars"`},
		{"a suite that is not there", "--base HEAD~1 --head HEAD~1 --suite networks", exitUsage, "no package zoo/engine"},
		{"no such benchmark", "--base HEAD~2 --head HEAD~1 --layouts 2 --bench Nonesuch", exitUsage, "Nonesuch"},
		{"a benchmark that fails", "--base HEAD~2 --head HEAD~1 --layouts 2 --bench Broken", exitFailed, "broken on purpose"},
		{"threshold", "--base HEAD~2 --threshold 0", exitUsage, "want a share such as 5%"},
		{"rounds", "--base HEAD~2 --rounds 2", exitUsage, "want auto or at least 8"},
		{"format", "--base HEAD~2 --format csv", exitUsage, "want table, markdown, json or bench"},
		{"no baseline", "check nonesuch.json", exitUsage, "nonesuch.json"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, append([]string{"gate"}, strings.Fields(test.args)...)...)
			if code != test.code || !strings.Contains(stderr, test.stderr) || stdout != "" {
				t.Errorf("exit code %d, want %d; stderr %q, want %q in it; stdout %q", code, test.code, stderr, test.stderr, stdout)
			}
		})
	}
	if err := os.WriteFile("more.go", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := invoke(t, "gate", "--base", "HEAD~2"); code != exitUsage || !strings.Contains(stderr, "more.go") {
		t.Errorf("a dirty tree: exit code %d, %q", code, stderr)
	}
}

// TestGateFindsSlower compares a revision with one that takes three times as long, in every form of output. The difference
// is larger than what a busy machine does to a loop: how small a one is found is for the self-test to say.
func TestGateFindsSlower(t *testing.T) {
	gateRepo(t)
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := invoke(t, "gate", "--base", "HEAD~2", "--head", "HEAD~1", "--bench", "Loop", "--layouts", "2", "--rounds", "16",
		"--format", "json", "--out", out)
	var r gate.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	if code != exitRegression || r.Outcome != gate.Slower || len(r.Rows) != 1 || len(r.Rows[0].Head) != 16 {
		t.Errorf("exit code %d, %s", code, stdout)
	}
	for _, name := range []string{"gate.json", "gate.md", "base.txt", "head.txt"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	code, stdout, stderr = invoke(t, "gate", "--base", "HEAD~1", "--head", "HEAD~1", "--bench", "Loop", "--layouts", "2", "--rounds", "16")
	if code == exitRegression || !strings.Contains(stdout, "Loop") {
		t.Errorf("against itself: exit code %d, %s%s", code, stdout, stderr)
	}
	baseline := filepath.Join(t.TempDir(), "baseline.json")
	code, _, stderr = invoke(t, "gate", "record", "--head", "HEAD~2", "--bench", "Loop", "--layouts", "2", "--rounds", "16", "-o", baseline)
	if code != exitOK {
		t.Fatalf("record: exit code %d, %s", code, stderr)
	}
	code, stdout, stderr = invoke(t, "gate", "check", "--head", "HEAD~1", "--layouts", "2", "--rounds", "16", "--format", "json", baseline)
	r = gate.Report{}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	want := exitRegression
	if len(r.Disturbed) > 0 { // by other tests
		want = exitInconclusive
	}
	if code != want || r.Rows[0].Verdict != gate.Slower {
		t.Errorf("check of a slower revision: exit code %d, want %d, %s%s", code, want, stdout, stderr)
	}
}

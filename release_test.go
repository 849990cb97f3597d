package main

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestRelease builds the release of the last commit in two folders, and holds it to being
// the same bytes, static, and stamped with the commit.
func TestRelease(t *testing.T) {
	if os.Getenv("ZOO_LONG") == "" {
		t.Skip("six builds take minutes: ZOO_LONG=1")
	}
	commit, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Skip("no history here")
	}
	clone := filepath.Join(t.TempDir(), "clone")
	if out, err := exec.Command("git", "clone", "--quiet", ".", clone).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	again := filepath.Join(t.TempDir(), "again")
	if out, err := exec.Command("cp", "-R", clone, again).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v\n%s", err, out)
	}
	var sums [2]string
	for i, dir := range []string{clone, again} {
		release := exec.Command("make", "release")
		release.Dir = dir
		if out, err := release.CombinedOutput(); err != nil {
			t.Fatalf("make release: %v\n%s", err, out)
		}
		text, err := os.ReadFile(filepath.Join(dir, "dist", "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(text)
	}
	if sums[0] != sums[1] {
		t.Errorf("two builds of one commit differ:\n%s\n%s", sums[0], sums[1])
	}
	if have := strings.Count(sums[0], "  zoobench-"); have != 3 {
		t.Errorf("have %d programs, want 3:\n%s", have, sums[0])
	}
	for _, arch := range []string{"amd64", "arm64"} {
		f, err := elf.Open(filepath.Join(clone, "dist", "zoobench-linux-"+arch))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s: not static: has a %v segment", arch, p.Type)
			}
		}
		f.Close()
	}
	for _, name := range []string{"man/zoobench.1", "man/zoobench-environment.7", "completions/_zoobench", "records.schema.json"} {
		if !strings.Contains(sums[0], "  "+name+"\n") {
			t.Errorf("SHA256SUMS has no %s", name)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	packages, err := filepath.Glob(filepath.Join(clone, "dist", "zoobench_*.deb"))
	if err != nil || len(packages) != 2 {
		t.Errorf("packages %q, error %v; want 2", packages, err)
	}
	if _, err := exec.LookPath("dpkg-deb"); err == nil {
		for _, name := range packages {
			info, err := exec.Command("dpkg-deb", "-I", name).CombinedOutput()
			if err != nil || !strings.Contains(string(info), "Package: zoobench\n") {
				t.Errorf("dpkg-deb -I %s: %s, error %v", name, info, err)
			}
		}
	}
	out, err := exec.Command(filepath.Join(clone, "dist", "zoobench-linux-"+runtime.GOARCH), "version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), strings.TrimSpace(string(commit))[:12]) {
		t.Errorf("version: %q (%v), want the commit %s", out, err, commit)
	}
}

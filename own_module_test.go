package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOwnModule builds the module that docs/adding.md shows, in a folder of its own, and runs it. It takes nothing from the
// network.
func TestOwnModule(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	text, err := os.ReadFile("docs/adding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "\n## A network of your own module\n")
	blocks := regexp.MustCompile("(?s)```[a-z]*\n(.*?)```").FindAllStringSubmatch(part, 2)
	if len(blocks) != 2 {
		t.Fatalf("%d files, want go.mod and main.go", len(blocks))
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	const clone = "../zoobench"
	module := strings.Replace(blocks[0][1], "=> "+clone, fmt.Sprintf("=> %q", here), 1)
	if module == blocks[0][1] {
		t.Fatalf("go.mod does not replace zoobench by %s:\n%s", clone, module)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": module, "main.go": blocks[1][1], "go.sum": string(sums)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.Command("go", "run", ".", "ls", "family:own", "--format", "csv")
	run.Dir = dir
	run.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\ntiny,own,2026,17432,458368,") {
		t.Errorf("error %v:\n%s", err, out)
	}
}

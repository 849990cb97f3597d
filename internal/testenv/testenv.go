// Package testenv is what tests of several packages share: where reference data lie, which of it a run must have, and golden
// files.
//
// The contract: a test that lacks reference data or a program is skipped with a message that names what is missing, so that
// a fork's clone is green on its own. Where REQUIRE_DATA is 1, as .ci/run sets it beside the reference data, the same is a
// failure: no test is left out unnoticed there. A golden file is our own output of an earlier commit: a test that makes
// another fails with the difference and leaves its own beside the file as .got; -update takes it.
//
// Tests alone import it. It leaves to them what the data mean.
package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// root is the module's folder, found from where the test began: a test may change its working directory.
var root = func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(fmt.Sprintf("testenv: %v", err)) // every test runs in its package's folder
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}()

// Shared is a file or folder of the reference data: below $ZOO_SHARED, or below ../shared of the module's root. A variable
// with a relative path counts from that root.
func Shared(t testing.TB, parts ...string) string {
	t.Helper()
	return find(t, folder("ZOO_SHARED", filepath.Join("..", "shared")), parts)
}

// Real is a file or folder among photographs, labels and checkpoints: below $ZOO_REAL, or below real of the reference data.
func Real(t testing.TB, parts ...string) string {
	t.Helper()
	return find(t, folder("ZOO_REAL", filepath.Join(folder("ZOO_SHARED", filepath.Join("..", "shared")), "real")), parts)
}

// Commands skips the test unless the machine has every one of these programs.
func Commands(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			Missing(t, "no command %s: %v", name, err)
		}
	}
}

// Missing skips the test with a message of what it lacks, or fails it where the run must have everything.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if Required() {
		t.Fatalf(format+" (REQUIRE_DATA=1)", args...)
	}
	t.Skipf(format, args...)
}

// Required reports whether missing data or programs fail a test: REQUIRE_DATA is 1.
func Required() bool { return os.Getenv("REQUIRE_DATA") == "1" }

// folder is the folder that an environment variable names, or another one.
func folder(variable, otherwise string) string {
	dir := os.Getenv(variable)
	if dir == "" {
		dir = otherwise
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	return dir
}

func find(t testing.TB, dir string, parts []string) string {
	t.Helper()
	path := filepath.Join(append([]string{dir}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		Missing(t, "no reference data: %v", err)
	}
	return path
}

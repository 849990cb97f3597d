package testenv

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// outcome is a test that notes how it would have ended.
type outcome struct {
	testing.TB
	ended, said string
}

func (o *outcome) Helper() {}

func (o *outcome) Skipf(string, ...any) { o.ended = cmp.Or(o.ended, "skipped") }

func (o *outcome) Fatalf(string, ...any) { o.ended = cmp.Or(o.ended, "failed") }

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "there"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZOO_SHARED", dir)
	t.Setenv("ZOO_REAL", "")
	for _, test := range []struct{ name, required, file, want string }{
		{"there", "", "there", ""},
		{"there and required", "1", "there", ""},
		{"missing", "", "nonesuch", "skipped"},
		{"missing where CI is true", "0", "nonesuch", "skipped"},
		{"missing and required", "1", "nonesuch", "failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("CI", "true")
			t.Setenv("REQUIRE_DATA", test.required)
			o := &outcome{TB: t}
			if path := Shared(o, test.file); o.ended != test.want || path != filepath.Join(dir, test.file) {
				t.Errorf("%s: %q, want %q", path, o.ended, test.want)
			}
		})
	}
	t.Setenv("REQUIRE_DATA", "")
	o := &outcome{TB: t}
	if path := Real(o, "val"); path != filepath.Join(dir, "real", "val") || o.ended != "skipped" {
		t.Errorf("photographs at %s, %q; want those below ZOO_SHARED", path, o.ended)
	}
	t.Setenv("ZOO_REAL", "some")
	if path := Real(&outcome{TB: t}); path != filepath.Join(root, "some") {
		t.Errorf("photographs at %s, want a relative path to count from the module's root", path)
	}
	o = &outcome{TB: t}
	if Commands(o, "go", "nonesuch-command"); o.ended != "skipped" {
		t.Errorf("a command that is missing: %q, want skipped", o.ended)
	}
}

// TestProgramIsWithout keeps this package out of the program.
func TestProgramIsWithout(t *testing.T) {
	Commands(t, "go")
	list := exec.Command("go", "list", "-deps", ".")
	list.Dir = root
	deps, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	if packages := strings.Fields(string(deps)); len(packages) < 50 || slices.Contains(packages, "zoobench/internal/testenv") {
		t.Errorf("the program is built from %d packages, want many and not internal/testenv", len(packages))
	}
}

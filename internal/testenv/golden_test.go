package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func (o *outcome) Errorf(format string, args ...any) {
	o.ended = "differs"
	o.said = fmt.Sprintf(format, args...)
}

func TestGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.golden")
	compare := func(stdout, stderr string) *outcome {
		o := &outcome{TB: t}
		GoldenOutput(o, path, stdout, stderr)
		return o
	}
	if o := compare("a\n", ""); o.ended != "differs" || !strings.HasSuffix(o.said, ":\nline 1:\n+a\n") {
		t.Errorf("no file: %q, %s", o.ended, o.said)
	}
	*update = true
	o := compare("a\n", "b\n")
	*update = false
	if text, err := os.ReadFile(path); o.ended != "" || string(text) != "a\n-- standard error --\nb\n" {
		t.Errorf("-update: %q, wrote %q (%v)", o.ended, text, err)
	}
	for _, test := range []struct{ stdout, stderr, want string }{
		{"a\n", "", "line 1:\n a\n--- standard error --\n-b\n"},
		{"a\n", "c\n", "line 1:\n a\n -- standard error --\n-b\n+c\n"},
		{"a", "b\n", "line 1:\n-a\n--- standard error --\n+a-- standard error --\n b\n"},
	} {
		if o := compare(test.stdout, test.stderr); o.ended != "differs" || !strings.HasSuffix(o.said, "got +:\n"+test.want) {
			t.Errorf("%q and %q: %q, %s", test.stdout, test.stderr, o.ended, o.said)
		}
		if text, err := os.ReadFile(path + ".got"); err != nil || !strings.HasPrefix(string(text), test.stdout) {
			t.Errorf("%q and %q: .got has %q (%v)", test.stdout, test.stderr, text, err)
		}
	}
	o = compare("a\n", "b\n")
	if _, err := os.Stat(path + ".got"); o.ended != "" || !os.IsNotExist(err) {
		t.Errorf("the same: %q, and .got of the last mismatch: %v", o.ended, err)
	}
}

func TestDiff(t *testing.T) {
	for _, test := range []struct{ name, want, got, diff string }{
		{"same", "a\nb\n", "a\nb\n", ""},
		{"changed", "1\n2\n3\n4\n5\n6\n7\n", "1\n2\n3\nx\n5\n6\n7\n", "line 2:\n 2\n 3\n-4\n+x\n 5\n 6\n"},
		{"two places", "a\n1\n2\n3\n4\n5\nb\n", "1\n2\n3\n4\n5\n", "line 1:\n-a\n 1\n 2\nline 5:\n 4\n 5\n-b\n"},
		{"added", "a\n", "a\nb\nc\n", "line 1:\n a\n+b\n+c\n"},
		{"no newline", "a\nb\n", "a\nb", "line 1:\n a\n-b\n+b (no newline)\n"},
		{"empty", "a\n", "", "line 1:\n-a\n"},
		{"long", "", strings.Repeat("a\n", 61), "line 1:\n" + strings.Repeat("+a\n", 60) + "…\n"},
	} {
		if have := diff(test.want, test.got); have != test.diff {
			t.Errorf("%s: have\n%swant\n%s", test.name, have, test.diff)
		}
	}
}

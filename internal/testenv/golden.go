package testenv

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "golden files and generated documents: write them anew")

// Update reports whether a test is to write what it compares: -update.
func Update() bool { return *update }

// Golden compares a text with a file of our own output, which -update writes. On a mismatch the test fails with the
// difference, and path.got has the text.
func Golden(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatalf("%v", err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatalf("%v", err)
	}
	beside := path + ".got"
	if err == nil && string(want) == string(got) {
		os.Remove(beside) // of an earlier mismatch
		return
	}
	if err := os.WriteFile(beside, got, 0o644); err != nil {
		t.Fatalf("%v", err)
	}
	t.Errorf("%s is not what the test made, which is in %s; -update writes it anew. Want -, got +:\n%s", path, beside,
		diff(string(want), string(got)))
}

// errorMark begins the standard error in a golden file of a command.
const errorMark = "-- standard error --\n"

// GoldenOutput compares what a command wrote with a file, as Golden does: standard output, and after a mark whatever it wrote
// to standard error.
func GoldenOutput(t testing.TB, path, stdout, stderr string) {
	t.Helper()
	if stderr != "" {
		stdout += errorMark + stderr
	}
	Golden(t, path, []byte(stdout))
}

// Lines of equal text that a difference shows around what differs, and lines that it shows at most.
const (
	diffContext = 2
	diffLines   = 60
)

// An edit is a line of a difference: the mark is ' ' for both texts, '-' for want alone and '+' for got alone.
type edit struct {
	mark byte
	line string
	at   int // in want, from 1
}

// diff is the difference between two texts by lines, those that differ with a little around them.
func diff(want, got string) string {
	edits := edits(lines(want), lines(got))
	near := func(i int) bool {
		for _, e := range edits[max(i-diffContext, 0):min(i+diffContext+1, len(edits))] {
			if e.mark != ' ' {
				return true
			}
		}
		return false
	}
	var b strings.Builder
	shown, skipped := 0, true
	for i, e := range edits {
		if !near(i) {
			skipped = true
			continue
		}
		if shown == diffLines {
			b.WriteString("…\n")
			break
		}
		if skipped {
			fmt.Fprintf(&b, "line %d:\n", e.at)
		}
		fmt.Fprintf(&b, "%c%s\n", e.mark, e.line)
		shown, skipped = shown+1, false
	}
	return b.String()
}

// lines cuts a text into lines. A last line without its newline says so.
func lines(text string) []string {
	if text == "" {
		return nil
	}
	body, complete := strings.CutSuffix(text, "\n")
	all := strings.Split(body, "\n")
	if !complete {
		all[len(all)-1] += " (no newline)"
	}
	return all
}

// edits turns want into got along a longest common subsequence of their lines.
func edits(want, got []string) []edit {
	longest := make([][]int, len(want)+1) // [i][j]: of want[i:] and got[j:]
	for i := range longest {
		longest[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			if want[i] == got[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	var all []edit
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			all = append(all, edit{' ', want[i], i + 1})
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && longest[i+1][j] >= longest[i][j+1]:
			all = append(all, edit{'-', want[i], i + 1})
			i++
		default:
			all = append(all, edit{'+', got[j], i + 1})
			j++
		}
	}
	return all
}

package cli

import (
	"slices"
	"strings"
	"testing"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/samples"
	"zoobench/zoo/engine"
)

// TestPrecisionFlag refuses what engines lack, and says what they have.
func TestPrecisionFlag(t *testing.T) {
	has := strings.Join(engine.Precisions(), ", ")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"latency", "alexnet", "--precision", "bf17"}, `have "bf17", want ` + has},
		{[]string{"eval", "alexnet", "--precision", ""}, `have "", want ` + has},
		{[]string{"predict", "alexnet", "--precision", "float32,float32", "x"}, "float32 is given twice"},
		{[]string{"choose", "--precision", "FLOAT32"}, `have "FLOAT32", want ` + has},
		{[]string{"compare", "--precision", "float32", sampleFile(t, "a.jsonl", func(int) int { return 1 })}, "does not say its precision"},
	} {
		code, stdout, stderr := invoke(t, tt.args...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit code %d, %q, %q; want %d and %q", tt.args, code, stdout, stderr, exitUsage, tt.want)
		}
	}
}

// TestPrecisionsOf makes a task of each precision, and a column of it where one is not float32.
func TestPrecisionsOf(t *testing.T) {
	var none precisions
	both := precisions{"", "bf16"}
	tasks := make([]runner.Task, 2)
	if got := len(none.of(tasks)); got != 2 {
		t.Errorf("%d tasks without the flag, want 2", got)
	}
	var got []string
	for _, task := range both.of(tasks) {
		got = append(got, precisionName(task.Precision))
	}
	if want := []string{"float32", "bf16", "float32", "bf16"}; !slices.Equal(got, want) {
		t.Errorf("tasks in %q, want %q", got, want)
	}
	title := []string{"model", "threads", "p50"}
	if got := none.title(title, "threads"); !slices.Equal(got, title) {
		t.Errorf("title %q without the flag", got)
	}
	if got, want := both.title(title, "threads"), []string{"model", "threads", "precision", "p50"}; !slices.Equal(got, want) {
		t.Errorf("title %q, want %q", got, want)
	}
}

// TestCompareInPrecision leaves out evaluations in other precisions.
func TestCompareInPrecision(t *testing.T) {
	var all []samples.Evaluation
	for _, name := range []string{"", "bf16", ""} {
		all = append(all, samples.Evaluation{Record: &record.Record{Effective: &record.Settings{Axes: record.Axes{Precision: name}}}})
	}
	for _, tt := range []struct {
		of   precisions
		want int
	}{{nil, 3}, {precisions{""}, 2}, {precisions{"bf16"}, 1}, {precisions{"bf16", ""}, 3}, {precisions{"int8"}, 0}} {
		some, err := tt.of.evaluations(all)
		if len(some) != tt.want || (err != nil) != (tt.want == 0) {
			t.Errorf("%q: %d evaluations, error %v; want %d", tt.of, len(some), err, tt.want)
		}
	}
}

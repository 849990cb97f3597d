package runner

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

// TestPlanInRecord holds a record to its engine's plan: made by trials at first, then by remembered ones, then given, and
// by the table without trials.
func TestPlanInRecord(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("ZOOBENCH_CACHE", cache)
	measure := func(change func(*Task)) *record.Record {
		t.Helper()
		task := Task{Job: experiment.Job{
			Model: "squeezenet1_1", Axes: record.Axes{ImgSize: 64, Threads: 1, Batch: 1, Scenario: string(load.SingleStream)},
			Latency: &experiment.Latency{MinDuration: 20 * time.Millisecond},
		}}
		change(&task)
		r, err := Latency(t.Context(), zoo.Default(), task)
		if err != nil {
			t.Fatal(err)
		}
		if r.Plan == nil || r.Load <= 0 {
			t.Fatalf("plan %v, load %d ns", r.Plan, r.Load)
		}
		return r
	}
	first := measure(func(*Task) {})
	if first.Plan.Source != engine.FromTrials || len(first.Plan.Choices) != 8 || first.Tune <= 0 || first.Plan.Hash == "" {
		t.Errorf("plan %+v after %d ns of trials, want eight choices by trials", first.Plan, first.Tune)
	}
	if _, err := os.Stat(filepath.Join(cache, "trials.jsonl")); err != nil {
		t.Error(err)
	}
	for _, c := range first.Plan.Choices {
		found := false
		for _, l := range first.Layers {
			if l.Name == c.Layer && strings.HasPrefix(l.Op, "conv") {
				found = strings.HasPrefix(l.Algorithm, c.Algorithm) && l.MaxError > 0 && l.MaxError <= first.Plan.MaxError
			}
		}
		if !found {
			t.Errorf("%s: no layer by %s that states its error", c.Layer, c.Algorithm)
		}
	}
	again := measure(func(*Task) {})
	if !reflect.DeepEqual(again.Plan, first.Plan) || again.Tune > first.Tune {
		t.Errorf("plan %+v after %d ns, was %+v after %d", again.Plan, again.Tune, first.Plan, first.Tune)
	}
	var choices []engine.Choice
	for _, c := range first.Plan.Choices {
		choices = append(choices, engine.Choice(c))
	}
	given := measure(func(task *Task) { task.Choices = choices })
	if given.Plan.Source != engine.FromCaller || given.Plan.Hash != first.Plan.Hash || given.Tune != 0 {
		t.Errorf("plan %+v after %d ns, want %+v given", given.Plan, given.Tune, first.Plan)
	}
	table := measure(func(task *Task) { task.NoTune = true })
	if table.Plan.Source != engine.FromTable || table.Tune != 0 {
		t.Errorf("plan %+v after %d ns, want the table's", table.Plan, table.Tune)
	}
	exact := measure(func(task *Task) { task.Exact = true })
	if len(exact.Plan.Choices) != 0 || exact.Plan.Hash == table.Plan.Hash || exact.Plan.MaxError >= table.Plan.MaxError {
		t.Errorf("exact plan %+v, want no choices and a smaller error than %+v", exact.Plan, table.Plan)
	}

	if err := os.WriteFile(filepath.Join(cache, "trials.jsonl"), []byte("{]\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	broken := measure(func(*Task) {})
	if warnings := strings.Join(broken.Verdict.Warnings, "; "); !strings.Contains(warnings, "trials.jsonl: 1 lines are no trials") {
		t.Errorf("warnings %q of a broken file of trials", warnings)
	}
}

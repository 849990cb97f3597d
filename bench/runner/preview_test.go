package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

func TestPlan(t *testing.T) {
	list := zoo.Default()
	file, err := experiment.Parse("e.yaml", strings.NewReader(`
experiments:
  - name: e
    question: What would happen?
    models: [resnet18, vgg16]
    threads: [1, 2]
    processes: 2
    latency: {min_duration: 1s}
  - name: a
    question: How accurate?
    models: [resnet18]
    accuracy: {limit: 10}
`), Known(list))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	o := Options{List: list, File: file, Dir: dir, Resume: true, Cache: Cache{Dir: t.TempDir()}}
	p, err := Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Tasks) != 5 || p.Kept != 0 {
		t.Fatalf("have %d tasks and %d kept, want 5 and none", len(p.Tasks), p.Kept)
	}
	for i, task := range p.Tasks {
		timed := task.Kind == record.KindLatency
		if timed != (i < 4) {
			t.Errorf("task %d is of kind %s; want the timed ones first", i, task.Kind)
		}
		if timed && (task.Missing != "" || task.Estimate < 2*time.Second || task.Estimate > time.Minute) {
			t.Errorf("%s: missing %q, estimate %v; want nothing, and seconds", task.Model, task.Missing, task.Estimate)
		}
		if !timed && (!strings.Contains(task.Missing, "no checkpoint in the cache folder") || task.Estimate != 0) {
			t.Errorf("%s: missing %q, estimate %v; want no checkpoint, and no estimate", task.Model, task.Missing, task.Estimate)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder of the run: %v; want none", err)
	}
}

// TestPlanPrecisions pairs timed tasks with the accuracies of their own precision, and says of a precision that engines lack which
// they have.
func TestPlanPrecisions(t *testing.T) {
	o := options(t, `
experiments:
  - name: e
    question: What does int8 cost?
    models: [tiny]
    precision: [float32, int8]
    latency: {min_duration: 1s}
    accuracy: {data: images}
`)
	lacking := engine.CheckPrecision(engine.Int8)
	p, err := Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Tasks) != 4 {
		t.Fatalf("have %d tasks, want 4", len(p.Tasks))
	}
	for _, task := range p.Tasks {
		if has := lacking != nil && task.Missing == lacking.Error(); has != (lacking != nil && task.Precision == engine.Int8) {
			t.Errorf("%s in %q: missing %q", task.Kind, task.Precision, task.Missing)
		}
	}
}

// TestPrecisionsBelongTogether rechecks a timed row by an accuracy of its own precision alone.
func TestPrecisionsBelongTogether(t *testing.T) {
	in := func(kind record.Kind, precision string) *record.Record {
		return &record.Record{Kind: kind, Recheck: &record.Recheck{}, Accuracy: &record.Accuracy{}, SamplesFile: "s",
			Effective: &record.Settings{Axes: record.Axes{Precision: precision}}}
	}
	for _, a := range []string{"", "bf16"} {
		for _, b := range []string{"", "bf16"} {
			if got := belongTogether(in(record.KindLatency, a), in(record.KindEval, b)); got != (a == b) {
				t.Errorf("timed in %q, accuracy in %q: together is %t", a, b, got)
			}
		}
	}
}

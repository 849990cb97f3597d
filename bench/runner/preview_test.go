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

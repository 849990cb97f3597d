package choose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/zoo/weights"
)

// timingsKept is how long a timing is used again: a question an hour later need not wait, one next week should.
const timingsKept = 24 * time.Hour

// timings are the cache's earlier timings by this program, the latest of each kind. One with warnings is not kept: what
// disturbed it may have ended.
type timings struct {
	path  string
	runID string
	kept  []record.Record
}

func openTimings(dir, build string) (*timings, error) {
	t := &timings{path: filepath.Join(dir, "timings.jsonl"), runID: "choose " + build}
	all, _, err := record.ReadFile(t.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("choose: %w", err)
	}
	class := record.ThisMachine().Class()
	for _, r := range all {
		whole := r.Timing != nil && r.Asked != nil && undisturbed(&r)
		if whole && r.RunID == t.runID && r.Machine.Class() == class && time.Since(r.Time) < timingsKept {
			t.kept = append(t.kept, r)
		}
	}
	return t, nil
}

// find is an earlier timing of these weights under these settings, by the task's instruction set and on as many threads,
// that took as long as is asked for now and has samples enough. The tag counts too: it decides the input's size.
func (t *timings) find(task runner.Task, sha256 string, percentile float64, minDuration time.Duration) *record.Record {
	for i := len(t.kept) - 1; i >= 0; i-- {
		r := &t.kept[i]
		if r.Model == task.Model && r.Checkpoint == task.Tag && r.WeightsSHA256 == sha256 && r.Machine.ISA == task.ISA &&
			r.Threads == task.Threads && r.Asked.Batch == task.Batch && r.Asked.NoTune == task.NoTune &&
			r.Asked.MinDuration >= minDuration && r.N >= stat.MinSamples(percentile) {
			return r
		}
	}
	return nil
}

func undisturbed(r *record.Record) bool { return r.Verdict.Valid && len(r.Verdict.Warnings) == 0 }

// measure times a network in processes of its own and keeps the record.
func (t *timings) measure(
	ctx context.Context, w runner.Worker, task runner.Task, percentile float64, minDuration time.Duration,
) (*record.Record, error) {
	task.Scenario, task.Timeout = string(load.SingleStream), timingTimeout
	task.Job.Latency = &experiment.Latency{MinDuration: minDuration, MinSamples: stat.MinSamples(percentile)}
	r, err := w.Row(ctx, task)
	if err != nil {
		return nil, err
	}
	if r.Timing == nil || r.Footprint == nil || r.Cost == nil {
		return nil, fmt.Errorf("choose: %s: %s", task.Model, r.Why("latency_p50_ns"))
	}
	r.RunID = t.runID
	return r, t.keep(r)
}

// keep writes a timing to the cache's file if nothing disturbed it.
func (t *timings) keep(r *record.Record) error {
	if !undisturbed(r) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o777); err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	log, err := record.OpenLog(t.path)
	if err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	if err := errors.Join(log.Append(r), log.Close()); err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	return nil
}

// timingTimeout ends a network that takes longer than anybody would wait for an image.
const timingTimeout = 5 * time.Minute

// program identifies this program's build: its version control's revision, or its own hash where that says too little.
func program() (string, error) {
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && !strings.HasPrefix(v, "(devel)") && !strings.Contains(v, "+dirty") {
			return v, nil
		}
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("choose: %w", err)
	}
	sum, err := weights.HashFile(context.Background(), self)
	if err != nil {
		return "", fmt.Errorf("choose: %w", err)
	}
	return sum, nil
}

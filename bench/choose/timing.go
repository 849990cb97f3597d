package choose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/runner"
)

// timingsKept is how long a timing is used again: a question an hour later need not wait, one next week should.
const timingsKept = 24 * time.Hour

// timings are the cache's earlier timings by this program, the latest of each kind. One with warnings is not kept: what
// disturbed it may have ended.
type timings struct {
	path  string
	runID string // of this invocation; rounds of two invocations have nothing in common
	kept  []record.Record
}

func openTimings(dir, build string, now time.Time) (*timings, error) {
	program := "choose " + build + " "
	t := &timings{
		path:  filepath.Join(dir, "timings.jsonl"),
		runID: fmt.Sprintf("%s%s-%d", program, now.UTC().Format("20060102T150405.000000000Z"), os.Getpid()),
	}
	all, _, err := record.ReadFile(t.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("choose: %w", err)
	}
	class := record.ThisMachine().Class()
	for _, r := range all {
		whole := r.Timing != nil && r.Asked != nil && undisturbed(&r)
		if whole && strings.HasPrefix(r.RunID, program) && r.Machine.Class() == class && now.Sub(r.Time) < timingsKept {
			t.kept = append(t.kept, r)
		}
	}
	return t, nil
}

// find is an earlier timing of the task with these weights, by its instruction set and on as many threads, that has as many
// processes, took as long as is asked for now and has samples enough. The tag counts too: it decides the input's size.
func (t *timings) find(task runner.Task, sha256 string) *record.Record {
	for i := len(t.kept) - 1; i >= 0; i-- {
		r := &t.kept[i]
		if r.Model == task.Model && r.Checkpoint == task.Tag && r.WeightsSHA256 == sha256 && r.Machine.ISA == task.ISA &&
			r.Threads == task.Threads && r.Asked.Batch == task.Batch && r.Asked.NoTune == task.NoTune && r.Asked.Precision == task.Precision &&
			len(r.Processes) >= task.Processes && r.Asked.MinDuration >= task.Job.Latency.MinDuration && r.N >= task.Job.Latency.MinSamples {
			return r
		}
	}
	return nil
}

func undisturbed(r *record.Record) bool { return r.Verdict.Valid && len(r.Verdict.Warnings) == 0 }

// attempts is how often a network is timed until its timing is valid: other work on the machine can spoil one.
const attempts = 3

// rounds measures tasks in rounds, as a runner.Worker does.
type rounds func(
	ctx context.Context, tasks []runner.Task, step func(i int), done func(i int, r *record.Record, err error) error,
) error

// measure times networks in rounds, a process of each in turn, so that what the host does over time falls on all of them
// alike, and keeps the timings. Those that are not valid are timed again, in rounds of their own. By the tasks' indices it
// returns the last timing of each or why there is none; its error is that of the cache or of the context. Step hears how
// many processes are done.
func (t *timings) measure(ctx context.Context, in rounds, tasks []runner.Task, step func(done, total int)) (
	rows []*record.Record, failed []error, err error) {
	rows, failed = make([]*record.Record, len(tasks)), make([]error, len(tasks))
	left, processes, done := make([]int, len(tasks)), 0, 0
	for i := range tasks {
		left[i], processes = i, processes+tasks[i].Processes
	}
	for attempt := 1; attempt <= attempts && len(left) > 0; attempt++ {
		var now []runner.Task
		for _, i := range left {
			now = append(now, tasks[i])
		}
		var again []int
		err := in(ctx, now, func(int) { done++; step(min(done, processes), processes) }, func(k int, r *record.Record, err error) error {
			i := left[k]
			if err == nil && (r.Timing == nil || r.Footprint == nil || r.Cost == nil) {
				err = fmt.Errorf("choose: %s: %s", tasks[i].Model, r.Why("latency_p50_ns"))
			}
			if rows[i], failed[i] = r, err; err != nil {
				return nil
			}
			// An attempt's rounds have nothing in common with another's.
			r.RunID = fmt.Sprintf("%s.%d", t.runID, attempt)
			if !r.Verdict.Valid {
				again = append(again, i)
			}
			return t.keep(r)
		})
		if err != nil {
			return nil, nil, err
		}
		left = again
	}
	return rows, failed, nil
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

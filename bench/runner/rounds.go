package runner

import (
	"context"
	"errors"
	"fmt"

	"zoobench/bench/load"
	"zoobench/bench/record"
)

// Limits of how far a row's processes may be apart, as the width of the 95 % interval over the median: over the first the row
// has a warning, over the second it is not valid.
const (
	apartWarn  = 0.10
	apartLimit = 0.30
)

// Next measures one more process of a timed task and returns the row with it; row is what there is of it so far, nil for
// nothing. Every process computes by the first one's plan. The error is Measure's.
func (w Worker) Next(ctx context.Context, t Task, round int, row *record.Record) (*record.Record, error) {
	if row != nil && row.Timing != nil {
		t.Process = len(row.Processes)
		if row.Plan != nil {
			t.Choices = choices(row.Plan)
		}
	}
	next, err := w.Measure(ctx, t, nil)
	if err != nil {
		return nil, err
	}
	if next.Timing != nil {
		next.Processes[0].Round = round
	}
	joined := record.Join(row, next)
	judgeRow(joined, &t)
	return joined, nil
}

// judgeRow adds to a row's verdict what its processes cannot say one by one.
func judgeRow(r *record.Record, t *Task) {
	if r.Timing == nil || t.processes() == 1 {
		return
	}
	disturbed(r, load.Scenario(r.Scenario) != load.Server)
	reason := func(format string, args ...any) {
		r.Verdict.Valid = false
		r.Verdict.Reasons = append(r.Verdict.Reasons, fmt.Sprintf(format, args...))
	}
	warn := func(format string, args ...any) {
		r.Verdict.Warnings = append(r.Verdict.Warnings, fmt.Sprintf(format, args...))
	}
	if n := len(r.Processes); n < t.processes() {
		warn("%d of %d processes are measured", n, t.processes())
	}
	if load.Scenario(r.Scenario) == load.Server {
		why := load.JudgeBound(r.Parts(), r.Late, r.Unanswered, t.options().LatencyBound)
		if why != "" && len(r.Processes) == t.processes() {
			reason("%s", why)
		}
		return // the spread is the queue's
	}
	if r.P50 <= 0 || r.P50Lo <= 0 {
		return
	}
	width := float64(r.P50Hi-r.P50Lo) / float64(r.P50)
	tell := warn
	if width > apartLimit {
		tell = reason
	}
	if width > apartWarn {
		tell("processes differ: the width of the median's 95 %% interval is %.1f %% of the median", 100*width)
	}
}

// Rounds measures tasks, the processes of the timed ones in turn: the first of every task, then the second of every task, so
// that what the host does over time falls on all of them alike. Step hears of every process that has ended, by its task's
// index. Done hears of every row once it is whole, by its task's index, or of the failure that ended it; an error of done
// ends the measurement, and so does the context's end.
func (w Worker) Rounds(
	ctx context.Context, tasks []Task, step func(i int), done func(i int, r *record.Record, err error) error,
) error {
	rows := make([]*record.Record, len(tasks))
	over := make([]bool, len(tasks))
	numbers := made{}
	for round, left := 0, len(tasks); left > 0; round++ {
		for i := range tasks {
			t := &tasks[i]
			if over[i] {
				continue
			}
			if err := numbers.give(ctx, w, t, nil); err != nil {
				return err
			}
			row, err := w.step(ctx, *t, round, rows[i])
			if ctx.Err() != nil {
				return ctx.Err()
			}
			step(i)
			rows[i] = row
			if over[i] = err != nil || complete(t, row); !over[i] {
				continue
			}
			left--
			if err := done(i, row, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// step is a timed task's next process, or all of any other task.
func (w Worker) step(ctx context.Context, t Task, round int, row *record.Record) (*record.Record, error) {
	if t.Job.Latency == nil {
		return w.Measure(ctx, t, nil)
	}
	return w.Next(ctx, t, round, row)
}

// complete reports whether a row has all the processes that its task asks for.
func complete(t *Task, row *record.Record) bool {
	return row.Timing == nil || len(row.Processes) >= t.processes()
}

// Row measures a task in all of its processes, one after the other.
func (w Worker) Row(ctx context.Context, t Task) (r *record.Record, err error) {
	failed := w.Rounds(ctx, []Task{t}, func(int) {}, func(_ int, row *record.Record, e error) error {
		r, err = row, e
		return nil
	})
	return r, errors.Join(failed, err)
}

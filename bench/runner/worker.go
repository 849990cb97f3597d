package runner

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"zoobench/bench/record"
	"zoobench/zoo"
)

// A message is one line from a worker to its parent: at most one of the fields is set.
type message struct {
	Record   *record.Record `json:",omitzero"`
	Numbers  string         `json:",omitzero"` // file of numbers in int8
	Progress *progress      `json:",omitzero"`
	Error    string         `json:",omitzero"` // why there will be no record
}

// progress says how far a job is, in images.
type progress struct{ Done, Total int }

// A Teacher trains a task's network as the task's Train says, writes the checkpoint Out and returns the record. Step hears how many
// of how many images were learned from. It ends with the context, and goes on from there if it is called again.
type Teacher func(ctx context.Context, list *zoo.List, t Task, step func(done, total int)) (*record.Record, error)

// Work is the worker's side: it reads one task as JSON from in, measures it and writes messages, a line each, to out.
// In stays open as long as the parent lives; its end ends the measurement. The error is one of in, out or the protocol:
// a measurement that fails is a message. Teach is nil in a program that trains nothing.
func Work(ctx context.Context, list *zoo.List, teach Teacher, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	text, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("runner: worker: task: %w", err)
	}
	var task struct {
		Task
		ID string // which the job's own JSON leaves out
	}
	if err := json.Unmarshal(text, &task); err != nil {
		return fmt.Errorf("runner: worker: task: %w", err)
	}
	task.Task.ID = task.ID

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		io.Copy(io.Discard, lines) // ends when the parent does
		cancel()
	}()
	send := func(m message) error { return json.NewEncoder(out).Encode(m) }
	progressed := func(done, total int) { send(message{Progress: &progress{done, total}}) }
	if task.Quantize {
		file, err := Numbers(ctx, list, task.Task, progressed)
		if err != nil {
			return send(message{Error: err.Error()})
		}
		return send(message{Numbers: file})
	}
	r, err := measure(ctx, list, teach, task.Task, progressed)
	if err != nil {
		return send(message{Error: err.Error()})
	}
	return send(message{Record: r})
}

// measure does a task in this process.
func measure(ctx context.Context, list *zoo.List, teach Teacher, t Task, step func(done, total int)) (*record.Record, error) {
	switch {
	case t.Job.Latency != nil:
		return Latency(ctx, list, t)
	case t.Pipeline:
		return Pipeline(ctx, list, t, step)
	case t.Job.Accuracy != nil:
		return accuracy(ctx, list, t, step)
	case t.Train != nil && teach != nil:
		return teach(ctx, list, t, step)
	}
	return nil, errors.New("runner: a task with nothing to measure")
}

// WorkAlone is Work for a process that is nothing but a worker: a signal from the terminal is for the parent to act on,
// which then ends the worker.
func WorkAlone(list *zoo.List, teach Teacher, in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt)
	return Work(context.Background(), list, teach, in, out)
}

package runner

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"zoobench/bench/record"
)

// A Worker is the command of a worker process: a program whose arguments make it call Work on its standard input and
// output. The zero Worker is the running program with the argument "worker".
type Worker struct {
	Path string
	Args []string
	Env  []string // beside the parent's own
}

func (w Worker) command(ctx context.Context) (*exec.Cmd, error) {
	if w.Path == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("runner: worker: %w", err)
		}
		w.Path, w.Args = self, []string{"worker"}
	}
	cmd := exec.CommandContext(ctx, w.Path, w.Args...)
	cmd.Env = append(os.Environ(), w.Env...)
	return cmd, nil
}

// A Failure is a job that left no measurement.
type Failure struct {
	Reason string
	Stderr string // what the worker wrote there, cut to its beginning and end; "" where the worker itself gave the reason
}

// Error is the reason.
func (f *Failure) Error() string { return f.Reason }

// memoryPoll is how often a worker's memory is compared with its limit.
const memoryPoll = 50 * time.Millisecond

// Measure does a task in a process of its own and returns its record, without a run's identity. Step, which may be nil,
// hears how many of how many images are done. The error is a *Failure where the task itself failed, by whatever means,
// and the context's own where that ended it.
func (w Worker) Measure(ctx context.Context, t Task, step func(done, total int)) (*record.Record, error) {
	last, err := w.do(ctx, t, step)
	if err != nil {
		return nil, err
	}
	if t.MaxMemory > 0 && runtime.GOOS != "linux" {
		last.Record.Verdict.Warnings = append(last.Record.Verdict.Warnings, "the limit on memory is not enforced on "+runtime.GOOS)
	}
	return last.Record, nil
}

// Numbers is the function Numbers in a process of its own, with errors as Measure has them.
func (w Worker) Numbers(ctx context.Context, t Task, step func(done, total int)) (file string, err error) {
	last, err := w.do(ctx, t, step)
	return last.Numbers, err
}

// do does a task in a process of its own and returns its last message.
func (w Worker) do(ctx context.Context, t Task, step func(done, total int)) (last message, err error) {
	within := ctx
	if t.Timeout > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, t.Timeout)
		defer cancel()
	}
	killed, kill := context.WithCancelCause(within)
	defer kill(nil)
	cmd, err := w.command(killed)
	if err != nil {
		return last, err
	}
	var stderr ends
	cmd.Stderr = &stderr
	// A grandchild that holds the pipes must not hold the run.
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return last, fmt.Errorf("runner: worker: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return last, fmt.Errorf("runner: worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return last, fmt.Errorf("runner: worker: %w", err)
	}
	task, err := json.Marshal(struct {
		Task
		ID string
	}{t, t.ID})
	if err == nil {
		// A worker that died before it read says why on stderr.
		_, _ = stdin.Write(append(task, '\n'))
	}
	if t.MaxMemory > 0 {
		go limitMemory(killed, cmd.Process.Pid, t.MaxMemory, kill)
	}

	last, protocol := listen(stdout, step)
	stdin.Close()
	ended := cmd.Wait()
	switch cause := context.Cause(killed); {
	case ctx.Err() != nil:
		return last, ctx.Err()
	case within.Err() != nil:
		return last, &Failure{Reason: fmt.Sprintf("not done after %v", t.Timeout)}
	case cause != nil:
		return last, &Failure{Reason: cause.Error()}
	case ended != nil:
		return last, &Failure{Reason: lastWords(stderr.String(), ended), Stderr: stderr.String()}
	case protocol != nil:
		return last, &Failure{Reason: "worker: " + protocol.Error(), Stderr: stderr.String()}
	case last.Error != "":
		return last, &Failure{Reason: last.Error}
	case last.Record == nil && !t.Quantize:
		return last, &Failure{Reason: "the worker ended without a record", Stderr: stderr.String()}
	}
	return last, nil
}

// listen reads a worker's messages to their end and returns the one that is not progress.
func listen(r io.Reader, step func(done, total int)) (last message, err error) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var m message
			if err := json.Unmarshal(line, &m); err != nil {
				_, _ = io.Copy(io.Discard, lines)
				return last, fmt.Errorf("message %.80q: %w", line, err)
			}
			if m.Progress == nil {
				last = m
			} else if step != nil {
				step(m.Progress.Done, m.Progress.Total)
			}
		}
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return last, err
		}
	}
}

// limitMemory ends a process that takes up more memory than it may.
func limitMemory(ctx context.Context, pid int, limit int64, kill context.CancelCauseFunc) {
	tick := time.NewTicker(memoryPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if have, known := residentBytes(pid); known && have > limit {
				kill(fmt.Errorf("took %d MiB of memory, may take %d MiB", have>>20, limit>>20))
				return
			}
		}
	}
}

// lastWords makes one line of what a worker that ended badly left: Go's own line for a panic or a fatal error, else the
// last line it wrote, and in any case how it ended.
func lastWords(stderr string, ended error) string {
	how := ended.Error()
	if strings.Contains(how, "killed") {
		how += ", by the system because memory ran out, or by somebody"
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for _, line := range lines {
		for _, start := range []string{"panic: ", "fatal error: ", "runtime: out of memory"} {
			if strings.HasPrefix(line, start) {
				return fmt.Sprintf("%s (%s)", strings.TrimSpace(line), how)
			}
		}
	}
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return fmt.Sprintf("%s (%s)", last, how)
	}
	return "the worker ended: " + how
}

// ends keeps the first and the last bytes written to it: a panic says why at its beginning, a log at its end.
type ends struct {
	head bytes.Buffer
	tail []byte
	cut  bool
}

const endBytes = 32 << 10

// Write keeps what is to be kept of p.
func (e *ends) Write(p []byte) (int, error) {
	n := len(p)
	if room := endBytes - e.head.Len(); room > 0 {
		k := min(room, len(p))
		e.head.Write(p[:k])
		p = p[k:]
	}
	e.tail = append(e.tail, p...)
	if extra := len(e.tail) - endBytes; extra > 0 {
		e.tail, e.cut = append(e.tail[:0], e.tail[extra:]...), true
	}
	return n, nil
}

// String is what was kept, with a mark where something is left out.
func (e *ends) String() string {
	if e.cut {
		return e.head.String() + "\n…\n" + string(e.tail)
	}
	return e.head.String() + string(e.tail)
}

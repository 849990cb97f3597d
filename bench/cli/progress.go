package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"zoobench/bench/record"
	"zoobench/bench/runner"
)

// progress tells how a run goes: a bar and a line a row on a terminal, plain lines elsewhere.
type progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil where w is no terminal, and before the plan is known
	isBar bool
	place string // of the task under way, "3/21 resnet50"

	estimates []time.Duration // of the tasks to do, 0 where there is none; nil where nothing is known
	now       func() time.Time
	begun     time.Time
	at        int // index of the task under way

	last     string // the last row's outcome
	repeated string // the last row after it with the same one, which is not told by itself; "" for none
}

// newProgress tells to w how a run of these tasks goes.
func newProgress(w io.Writer, tasks []runner.PreviewTask) *progress {
	_, isTerminal := terminalWidth(w)
	p := &progress{w: w, isBar: isTerminal, now: time.Now}
	for _, t := range tasks {
		p.estimates = append(p.estimates, t.Estimate)
	}
	return p
}

func (p *progress) events() runner.Events {
	return runner.Events{Plan: p.plan, Start: p.start, Step: p.step, Done: p.done}
}

func (p *progress) plan(tasks, kept int) {
	if kept > 0 {
		fmt.Fprintf(p.w, "%d jobs, %d of them measured already\n", tasks, kept)
	}
	if p.isBar {
		p.bar = progressbar.NewOptions(tasks-kept,
			progressbar.OptionSetWriter(p.w), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true))
	}
}

// left is about how long the tasks after the one under way take, in words, "" where nobody knows: their estimates, scaled
// by what those before took of theirs. The estimates are of an assumed machine; the first tasks put that right.
func (p *progress) left() string {
	if p.at+1 >= len(p.estimates) {
		return ""
	}
	var done, todo time.Duration
	for i, d := range p.estimates {
		if i <= p.at {
			done += d
		} else {
			todo += d
		}
	}
	if done == 0 || todo == 0 {
		return ""
	}
	scaled := time.Duration(float64(todo) * float64(p.now().Sub(p.begun)) / float64(done))
	unit := time.Second
	if scaled > 2*time.Minute {
		unit = 10 * time.Second
	}
	return fmt.Sprintf("about %v left", scaled.Round(unit))
}

func (p *progress) start(index, tasks int, t runner.Task) {
	if index == 0 {
		p.begun = p.now()
	}
	p.place, p.at = fmt.Sprintf("%d/%d %s", index+1, tasks, t.Model), index
	if p.bar != nil {
		p.bar.Describe(clean(t.Model))
	}
}

func (p *progress) step(done, total int) {
	if p.bar != nil {
		p.bar.Describe(clean(fmt.Sprintf("%s, image %d of %d", p.place, done, total)))
	}
}

func (p *progress) done(r *record.Record) {
	if p.bar != nil {
		p.bar.Clear()
	}
	if text := clean(outcome(r)); text == p.last {
		p.repeated = p.place
	} else {
		p.tellRepeats()
		p.last = text
		if left := p.left(); left != "" {
			text += "; " + left
		}
		fmt.Fprintf(p.w, "%s: %s\n", clean(p.place), text)
	}
	if p.bar != nil {
		p.bar.Add(1)
	}
}

// tellRepeats says that rows have had the same outcome as the last one told.
func (p *progress) tellRepeats() {
	if p.repeated != "" {
		fmt.Fprintf(p.w, "to %s: the same\n", clean(p.repeated))
	}
	p.repeated = ""
}

func (p *progress) close() {
	if p.bar != nil {
		p.bar.Clear()
	}
	p.tellRepeats()
}

// outcome is what became of a job, in a line.
func outcome(r *record.Record) string {
	var text string
	switch {
	case r.Timing != nil:
		text = fmt.Sprintf("median %s, %.1f images/s", millis(r.P50), r.ImagesPerSec)
		if r.P50 == 0 {
			text = fmt.Sprintf("minimum %s, %.1f images/s", millis(r.Min), r.ImagesPerSec)
		}
	case r.Accuracy != nil:
		text = fmt.Sprintf("%s: top-1 %.2f %%, top-5 %.2f %% of %d images", r.Name(), r.Top1, r.Top5, r.Images)
	case !r.Verdict.Valid:
		return "failed: " + strings.Join(r.Verdict.Reasons, "; ")
	case r.Kind == record.KindEval:
		return "accuracy not measured: " + r.Why("top1")
	default:
		return "not measured: " + r.Why("latency_p50_ns")
	}
	if !r.Verdict.Valid {
		text += "; not valid: " + strings.Join(r.Verdict.Reasons, "; ")
	}
	return text
}

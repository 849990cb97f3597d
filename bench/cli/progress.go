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
	round string // told last, "round 2 of 5"

	tasks []runner.PreviewTask // to do; nil where nothing is known
	now   func() time.Time
	under int               // the task whose process is under way, -1 for none
	begun time.Time         // when that process began
	over  map[string]*spent // processes that are over, by the group of their tasks

	last     string // the last row's outcome
	repeated string // the last row after it with the same one, which is not told by itself; "" for none
}

// spent is what processes were estimated to take, and what they took.
type spent struct{ estimate, took time.Duration }

// newProgress tells to w how a run of these tasks goes.
func newProgress(w io.Writer, tasks []runner.PreviewTask) *progress {
	_, isTerminal := terminalWidth(w)
	return &progress{w: w, isBar: isTerminal, now: time.Now, tasks: tasks, under: -1, over: map[string]*spent{}}
}

func (p *progress) events() runner.Events {
	return runner.Events{Host: p.host, Plan: p.plan, Start: p.start, Step: p.step, Done: p.done}
}

func (p *progress) host(warnings []string) {
	for _, text := range warnings {
		fmt.Fprintf(p.w, "this machine: %s\n", clean(text))
	}
}

func (p *progress) plan(tasks, kept int) {
	if kept > 0 {
		fmt.Fprintf(p.w, "%d jobs, %d of them measured already\n", tasks, kept)
	}
	if p.isBar {
		steps := 0
		for _, t := range p.tasks {
			steps += t.Steps
		}
		p.bar = progressbar.NewOptions(max(steps, tasks-kept),
			progressbar.OptionSetWriter(p.w), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(true))
	}
}

// left is about how long what is to come takes, in words, "" where nobody knows: the estimates, scaled by what those before of
// the same group took of theirs, or all of them where the group has none.
func (p *progress) left() string {
	left := map[string]time.Duration{}
	for _, t := range p.tasks {
		left[t.Group] += t.Estimate
	}
	var all spent
	for group, s := range p.over {
		if left[group] -= s.estimate; s.estimate > 0 {
			all.estimate, all.took = all.estimate+s.estimate, all.took+s.took
		}
	}
	if all.estimate <= 0 {
		return ""
	}
	sum := 0.0
	for group, d := range left {
		of := p.over[group]
		if of == nil || of.estimate <= 0 {
			of = &all
		}
		sum += max(float64(d), 0) * float64(of.took) / float64(of.estimate)
	}
	scaled := time.Duration(sum)
	if scaled <= 0 {
		return ""
	}
	unit := time.Second
	if scaled > 2*time.Minute {
		unit = 10 * time.Second
	}
	return fmt.Sprintf("about %v left", scaled.Round(unit))
}

// ended counts the process under way as over.
func (p *progress) ended() {
	if p.under < 0 {
		return
	}
	t := &p.tasks[p.under]
	if p.over[t.Group] == nil {
		p.over[t.Group] = &spent{}
	}
	s := p.over[t.Group]
	s.estimate += t.Estimate / time.Duration(max(t.Steps, 1))
	s.took += p.now().Sub(p.begun)
	p.under = -1
}

func (p *progress) start(index, tasks int, t runner.Task) {
	if p.bar != nil && !p.begun.IsZero() {
		p.bar.Add(1) // the process before is over
	}
	p.ended()
	if p.begun = p.now(); index < len(p.tasks) {
		p.under = index
	}
	p.place = fmt.Sprintf("%d/%d %s", index+1, tasks, t.Model)
	if t.Processes > 1 {
		p.sayRound(fmt.Sprintf("round %d of %d", t.Process+1, t.Processes), t.Process+1 == t.Processes)
	}
	if p.bar != nil {
		p.bar.Describe(clean(t.Model))
	}
}

// sayRound says once that a round has begun; of the last one the rows' own lines speak.
func (p *progress) sayRound(round string, last bool) {
	if round == p.round {
		return
	}
	p.round = round
	if p.bar != nil || last {
		return
	}
	text := round
	if left := p.left(); left != "" {
		text += "; " + left
	}
	fmt.Fprintln(p.w, text)
}

func (p *progress) step(done, total int) {
	if p.bar != nil {
		p.bar.Describe(clean(fmt.Sprintf("%s, image %d of %d", p.place, done, total)))
	}
}

func (p *progress) done(r *record.Record) {
	p.ended()
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
}

// tellRepeats says that rows have had the same outcome as the last one told.
func (p *progress) tellRepeats() {
	if p.repeated != "" {
		fmt.Fprintf(p.w, "up to %s: the same\n", clean(p.repeated))
	}
	p.repeated = ""
}

func (p *progress) close() {
	if p.bar != nil {
		p.bar.Clear()
	}
	p.tellRepeats()
}

// imageBar shows on a terminal how many images are done. Without a terminal, step is nil.
func (a *app) imageBar() (step func(done, total int), clear func()) {
	if _, isTerminal := terminalWidth(a.notes); !isTerminal {
		return nil, func() {}
	}
	bar := progressbar.NewOptions(1, progressbar.OptionSetWriter(a.notes), progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish())
	return func(done, total int) { bar.ChangeMax(total); bar.Set(done) }, func() { bar.Clear() }
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
		text = fmt.Sprintf("%s: top-1 %.2f %%, top-5 %.2f %% of %d images",
			r.RanWith().Named(r.Name()), r.Top1, r.Top5, r.Images)
	case r.Kind == record.KindTrain && r.Training != nil:
		t := r.Training
		text = fmt.Sprintf("%s learned from %d images: loss %.3f, %.2f %% of them right, %.2f %% of others", r.Name(), t.Images, t.Loss, t.Top1,
			t.HeldTop1)
	case !r.Verdict.Valid:
		return "failed: " + strings.Join(r.Verdict.Reasons, "; ")
	case r.Kind == record.KindEval:
		return "accuracy not measured: " + r.Why("top1")
	case r.Kind == record.KindTrain:
		return "not trained: " + r.Why("training")
	default:
		return "not measured: " + r.Why("latency_p50_ns")
	}
	if !r.Verdict.Valid {
		text += "; not valid: " + strings.Join(r.Verdict.Reasons, "; ")
	}
	return text
}

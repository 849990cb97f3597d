package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"zoobench/bench/experiment"
	"zoobench/bench/host"
	"zoobench/bench/record"
	"zoobench/zoo"
)

// Options set a run.
type Options struct {
	List   *zoo.List
	File   *experiment.File
	Only   []string // experiments; none for those that the file runs
	Dir    string   // the run's folder, which is made if there is none
	RunID  string   // is in every record; a resumed run keeps its own
	Resume bool     // go on with what Dir holds, which must be empty otherwise
	Cache  Cache
	Data   string // folder of images where the file names none; "" for what the cache holds
	Share  Share  // of the tasks, for a run that several processes share; the zero value is all of them
	Worker Worker
	Events Events

	// Host measures the machine before and after; nil means MeasureHost.
	Host func(context.Context) (Host, error)
}

// Events hear how a run goes; nil functions hear nothing.
type Events struct {
	Host  func(warnings []string)        // what will be wrong with timed rows, before the first
	Plan  func(tasks, kept int)          // how many tasks there are, and how many of them an earlier run did
	Start func(index, tasks int, t Task) // of the tasks to do; of a timed one, before each of its processes
	Step  func(done, total int)          // images of an evaluation
	Done  func(r *record.Record)         // a row is whole
}

// A Summary is what became of a run.
type Summary struct {
	Tasks       int
	Kept        int // of an earlier run
	Measured    int
	Missing     int // not measured for want of weights, images or instructions
	Failed      int
	Interrupted bool // ended by the context, with tasks left
	Records     []record.Record
	Problems    []record.Problem
}

// Run writes the run's configuration into o.Dir, does the experiments' jobs, timed ones first, one after the other
// and each in a process of its own, and appends a record of each to the log in o.Dir. It goes on after a job that
// fails. When the context ends, so does the job under way, which leaves no record, and the summary says so. An error
// is one of the run itself: its input, or a record that could not be written; what was measured before it is on disk
// and in the summary.
func Run(ctx context.Context, o Options) (s Summary, err error) {
	jobs, err := o.File.Jobs(o.Only...)
	if err != nil {
		return s, err
	}
	if o.Host == nil {
		o.Host = MeasureHost
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return s, fmt.Errorf("runner: %w", err)
	}
	unlock, err := lock(o.Dir)
	if err != nil {
		return s, err
	}
	defer unlock()
	s.Records, s.Problems, err = o.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if len(s.Records)+len(s.Problems) > 0 && !o.Resume {
		return Summary{}, fmt.Errorf("runner: %s: has a run already; add --resume to continue it, or name another folder", o.Dir)
	}
	if len(s.Records) > 0 {
		o.RunID = s.Records[0].RunID
	}
	r := run{Options: o, s: &s, numbers: made{}}
	if err := r.plan(jobs); err != nil {
		return s, err
	}
	if err := r.sameDeal(); err != nil {
		return s, err
	}
	if r.log, err = o.open(); err != nil {
		return s, err
	}
	if err := errors.Join(writeConfig(o, jobs), r.writeDeal()); err != nil {
		return s, errors.Join(err, r.log.Close())
	}
	defer func() {
		s.Records = record.Current(s.Records)
		if closed := r.log.Close(); err == nil && closed != nil {
			err = fmt.Errorf("runner: %w", closed)
		}
		if o.Share.Shard.N > 0 && err == nil {
			err = record.WriteFile(filepath.Join(o.Dir, record.FileName), s.Records)
		}
	}()
	if err := r.recheckLeft(); err != nil {
		return s, err
	}
	return s, r.all(ctx)
}

// records is where a run's records go, each on disk once Append returns: a log or, for a shard, a folder with a file for each,
// so that a task that is done twice leaves one.
type records interface {
	Append(*record.Record) error
	Close() error
}

// read returns the records of an earlier run in the folder.
func (o *Options) read() ([]record.Record, []record.Problem, error) {
	if o.Share.Shard.N > 0 {
		return record.ReadFolder(filepath.Join(o.Dir, record.FolderName))
	}
	return record.ReadFile(filepath.Join(o.Dir, record.FileName))
}

// open makes the place of the run's records, or goes on with it.
func (o *Options) open() (records, error) {
	if o.Share.Shard.N > 0 {
		return record.OpenFolder(filepath.Join(o.Dir, record.FolderName))
	}
	return record.OpenLog(filepath.Join(o.Dir, record.FileName))
}

// A run is one call of Run under way.
type run struct {
	Options
	s     *Summary
	log   records
	deal  *Deal     // nil where the run is not cut into shards
	tasks []planned // still to be done

	counts  map[string]int // images of accuracies that were counted
	rates   *rates         // of this machine
	numbers made
}

// planned is a task of a run, or a row that there can be no task for.
type planned struct {
	Task
	spec      *zoo.Spec
	missing   string // why nothing can be measured, "" where it can
	unchecked string // of a timed task, why there is no accuracy to hold it against

	images int // that a training learns from; of an evaluation, where they are counted

	row  *record.Record // of a timed task, what is measured of it so far
	done bool           // of a timed task, no process is to follow
}

// kind is what the task's record measures.
func (p *planned) kind() record.Kind {
	switch {
	case p.Job.Latency != nil:
		return record.KindLatency
	case p.Job.Accuracy != nil:
		return record.KindEval
	}
	return record.KindTrain
}

// all does what is planned: the timed rows in rounds, with the host measured before and after them, then the accuracies.
func (r *run) all(ctx context.Context) error {
	if r.Events.Plan != nil {
		r.Events.Plan(r.s.Tasks, r.s.Kept)
	}
	if slices.ContainsFunc(r.tasks, func(p planned) bool { return p.missing == "" && p.kind() == record.KindLatency }) {
		before, err := r.Host(ctx)
		if err != nil {
			return r.stopped(ctx, err)
		}
		if was := record.Peak(r.s.Records); !record.SamePeak(was, before.PeakGFLOPS) {
			return fmt.Errorf("runner: %s: was begun where a core does %.0f GFLOP/s at its peak, and here it does %.0f: "+
				"go on when nothing else runs here, or start a run of its own, in another folder", r.Dir, was, before.PeakGFLOPS)
		}
		rec := before.record(nil)
		rec.Verdict.Warnings = append(rec.Verdict.Warnings, host.ReadFacts(host.Root).Warnings(r.mostWorkers())...)
		if r.Events.Host != nil && len(rec.Verdict.Warnings) > 0 {
			r.Events.Host(rec.Verdict.Warnings)
		}
		if err := r.append(rec); err != nil {
			return err
		}
		if err := r.rounds(ctx); err != nil {
			return r.stopped(ctx, err)
		}
		if err := r.hostAfter(ctx, &before); err != nil {
			return r.stopped(ctx, err)
		}
	}
	for i := range r.tasks {
		if p := &r.tasks[i]; p.missing != "" || p.kind() != record.KindLatency {
			if err := r.do(ctx, i, p); err != nil {
				return r.stopped(ctx, err)
			}
		}
	}
	return nil
}

// rounds measures the timed rows: a process of each, then another of each, until all are whole. The row so far is on disk
// after every process, so that a run that was killed goes on with the processes that are missing.
func (r *run) rounds(ctx context.Context) error {
	round := 0
	for i := range r.s.Records {
		if t := r.s.Records[i].Timing; t != nil {
			for _, p := range t.Processes {
				round = max(round, p.Round+1)
			}
		}
	}
	for left := true; left; round++ {
		left = false
		for i := range r.tasks {
			p := &r.tasks[i]
			if p.kind() != record.KindLatency || p.missing != "" || p.done {
				continue
			}
			if err := r.process(ctx, i, p, round); err != nil {
				return err
			}
			left = left || !p.done
		}
	}
	return nil
}

// process measures one more process of a timed row. Its error ends the run.
func (r *run) process(ctx context.Context, index int, p *planned, round int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.Events.Start != nil {
		t := p.Task
		if p.row != nil {
			t.Process = len(p.row.Processes)
		}
		r.Events.Start(index, len(r.tasks), t)
	}
	if err := r.numbers.give(ctx, r.Worker, &p.Task, r.Events.Step); err != nil {
		return err
	}
	row, err := r.Worker.Next(ctx, p.Task, round, p.row)
	var failure *Failure
	switch {
	case err == nil:
		if p.done = complete(&p.Task, row); p.done {
			r.s.Measured++
		}
	case errors.As(err, &failure):
		r.s.Failed++
		p.done = true
		reason := r.keepStderr(p, failure)
		if row = p.failed(reason); p.row != nil {
			row = p.row
			row.Verdict.Valid = false
			row.Verdict.Reasons = append(row.Verdict.Reasons, fmt.Sprintf("process %d of %d: %s", len(row.Processes)+1, p.processes(), reason))
		}
	default:
		return err
	}
	p.row = row
	if err := r.write(p, row); err != nil {
		return err
	}
	if p.done && r.Events.Done != nil {
		r.Events.Done(row)
	}
	return nil
}

// write puts a task's row on disk, compared with what else the run has of its checkpoint.
func (r *run) write(p *planned, rec *record.Record) error {
	rec.JobID, rec.Experiment = p.ID, p.Experiment
	switch rec.Kind {
	case record.KindTrain:
		return r.append(rec)
	case record.KindEval:
		if err := r.append(rec); err != nil {
			return err
		}
		return r.recheckTimed(rec, nil)
	}
	r.recheck(rec, p.unchecked)
	return r.append(rec)
}

// mostWorkers is the largest number of workers of a timed task.
func (r *run) mostWorkers() (most int) {
	for i := range r.tasks {
		if p := &r.tasks[i]; p.missing == "" && p.kind() == record.KindLatency {
			most = max(most, cmp.Or(p.Threads, runtime.NumCPU()))
		}
	}
	return most
}

// stopped turns the end of the context into a fact of the summary: it is no error of the run.
func (r *run) stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		r.s.Interrupted = true
		return nil
	}
	return err
}

func (r *run) hostAfter(ctx context.Context, before *Host) error {
	after, err := r.Host(ctx)
	if err != nil {
		return err
	}
	return r.append(after.record(before))
}

// do makes the row of an accuracy or a training, or one that says why there is none. Its error ends the run.
func (r *run) do(ctx context.Context, index int, p *planned) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.Events.Start != nil {
		r.Events.Start(index, len(r.tasks), p.Task)
	}
	rec, err := r.learn(ctx, p)
	switch {
	case err != nil:
		return err
	case rec != nil:
		r.s.Measured++
	case p.missing != "":
		r.s.Missing++
		rec = p.notMeasured()
	default:
		var failure *Failure
		var samples string
		if samples, err = r.keepSamples(p); err != nil {
			return err
		}
		if err := r.numbers.give(ctx, r.Worker, &p.Task, r.Events.Step); err != nil {
			return err
		}
		rec, err = r.Worker.Measure(ctx, p.Task, r.Events.Step)
		switch {
		case err == nil:
			r.s.Measured++
			rec.SamplesFile = samples
		case errors.As(err, &failure):
			r.s.Failed++
			rec = p.failed(r.keepStderr(p, failure))
		default:
			return err
		}
	}
	r.nameWeights(p, rec)
	if err := r.write(p, rec); err != nil {
		return err
	}
	if r.Events.Done != nil {
		r.Events.Done(rec)
	}
	return nil
}

// keepSamples lets an accuracy's per-sample file be written into the run's folder, and returns its name there.
func (r *run) keepSamples(p *planned) (name string, err error) {
	if p.kind() != record.KindEval {
		return "", nil
	}
	dir, err := filepath.Abs(filepath.Join(r.Dir, "samples"))
	if err == nil {
		err = os.MkdirAll(dir, 0o777)
	}
	if err != nil {
		return "", fmt.Errorf("runner: %w", err)
	}
	checkpoint := p.spec.Name
	if p.Tag != "" {
		checkpoint += "." + p.Tag
	}
	name = checkpoint + "-" + p.ID + ".jsonl"
	if p.To > 0 {
		name = partSamples(name, p.From, p.To)
	}
	p.Samples = filepath.Join(dir, name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("runner: %w", err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "."+name+".") {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil { // of a worker that was killed
			return "", fmt.Errorf("runner: %w", err)
		}
	}
	return "samples/" + name, nil
}

// append writes a record to the log.
func (r *run) append(rec *record.Record) error {
	rec.RunID = r.RunID
	if err := r.log.Append(rec); err != nil {
		return fmt.Errorf("runner: %s: %w; the %d records before it are safe", r.Dir, err, len(r.s.Records))
	}
	r.s.Records = append(r.s.Records, *rec)
	r.keepRate(rec)
	return nil
}

// failed is the row of a task that left no measurement. The network is not built for it here: that may be what failed.
func (p *planned) failed(reason string) *record.Record {
	rec := NewRecord(p.kind(), p.spec, p.Task)
	rec.Verdict = record.Verdict{Reasons: []string{reason}}
	return rec
}

// notMeasured is the row of a task that could not be tried.
func (p *planned) notMeasured() *record.Record {
	rec := NewRecord(p.kind(), p.spec, p.Task)
	rec.Verdict.Valid = true
	columns := []string{"latency_p50_ns", "latency_min_ns", "weights_bytes", "peak_rss_bytes"}
	switch rec.Kind {
	case record.KindEval:
		columns = []string{"top1", "top5", "n_images"}
	case record.KindTrain:
		columns = []string{"training"}
	}
	rec.NotMeasured = map[string]string{}
	for _, c := range columns {
		rec.NotMeasured[c] = p.missing
	}
	return rec
}

// keepStderr keeps what a crashed worker wrote, in the run's folder, and returns the reason with the file's name.
func (r *run) keepStderr(p *planned, f *Failure) string {
	if f.Stderr == "" {
		return f.Reason
	}
	name := filepath.Join("crashes", p.spec.Name+"-"+p.ID+".txt")
	err := os.MkdirAll(filepath.Join(r.Dir, "crashes"), 0o777)
	if err == nil {
		err = os.WriteFile(filepath.Join(r.Dir, name), []byte(f.Stderr), 0o666)
	}
	if err != nil {
		return f.Reason // a disk too full for it will be told by the record that comes next
	}
	return f.Reason + "; see " + filepath.ToSlash(name)
}

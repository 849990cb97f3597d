package runner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

// A Preview says what a run would do.
type Preview struct {
	Tasks []PreviewTask
	Kept  int   // tasks that an earlier run in the folder has done
	Deal  *Deal // of a run that is cut into shards
}

// A PreviewTask is a task that is still to be done.
type PreviewTask struct {
	Task
	Kind    record.Kind
	Missing string // why nothing can be measured and how to get it, "" where it can
	Steps   int    // processes that are still to be done: of a timed task as many as it asks for, less those of an earlier run
	Learned int    // images that a training learns from
	// Estimate is about how long the task takes on this machine; 0 where that depends on how many images there are. It rests on
	// Basis.
	Estimate time.Duration
	Basis    Basis
	Group    string // of tasks whose estimates are likely to be wrong by the same factor
}

// Plan returns what [Run] would do with the same options; of them it needs List, File, Only, Cache, Data and, where an
// earlier run is gone on with, Dir. It writes nothing.
func Plan(o Options) (Preview, error) {
	jobs, err := o.File.Jobs(o.Only...)
	if err != nil {
		return Preview{}, err
	}
	var s Summary
	if o.Resume {
		s.Records, s.Problems, err = o.read()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Preview{}, fmt.Errorf("runner: %w", err)
		}
	}
	r := run{Options: o, s: &s}
	if err := r.plan(jobs); err != nil {
		return Preview{}, err
	}
	p := Preview{Kept: s.Kept, Deal: r.deal}
	for i := range r.tasks {
		t := &r.tasks[i]
		preview := PreviewTask{Task: t.Task, Kind: t.kind(), Missing: t.missing, Steps: t.steps(), Learned: t.images,
			Group: fmt.Sprint(t.work(), r.rates.natureOf(t.spec))}
		if t.missing == "" {
			if a := t.Job.Accuracy; a != nil && datasets.Named(a.Data) { // quickly counted
				if t.images, err = countImages(a, r.counts); err != nil {
					return Preview{}, err
				}
			}
			preview.Estimate, preview.Basis = t.wall(r.rates), r.rates.basis(t)
		}
		p.Tasks = append(p.Tasks, preview)
	}
	return p, nil
}

// work is what the task is timed as.
func (p *planned) work() work {
	w := work{kind: p.kind()}
	if a := p.Job.Accuracy; a != nil {
		w.small = datasets.Named(a.Data)
	} else if p.Job.Train != nil {
		w.small = datasets.Named(p.Train.Data)
	}
	return w
}

// wall is about how long a task takes on the processors that it gets.
func (p *planned) wall(r *rates) time.Duration {
	if a := p.Job.Accuracy; a != nil {
		images := cmp.Or(a.Limit, p.images)
		if p.To > 0 {
			images = p.To - p.From
		}
		return (p.evalTime(r, images) + p.calibrationTime(r)) / time.Duration(processors(p.Threads))
	}
	if p.Job.Train != nil {
		return p.trainTime(r) / time.Duration(processors(p.Threads))
	}
	return p.timedTime(r)
}

// imageTime is how long an image takes on one core.
func (p *planned) imageTime(r *rates) time.Duration {
	t, _ := r.image(p.work(), p.spec, p.ImgSize)
	return t
}

// basis is what the estimate of a task rests on.
func (r *rates) basis(p *planned) Basis {
	_, b := r.image(p.work(), p.spec, p.ImgSize)
	return b
}

// evalTime is how long so many images take to be evaluated on one core, once the network is ready.
func (p *planned) evalTime(r *rates, images int) time.Duration {
	return time.Duration(images) * p.imageTime(r)
}

// calibrationTime is about how long the numbers of an accuracy in int8 take on one core: calibration images are watched twice, and
// some are evaluated for every rule and layer.
func (p *planned) calibrationTime(r *rates) time.Duration {
	c := p.Job.Calibration
	if c == nil || p.Precision != engine.Int8 {
		return 0
	}
	const trials = 16 * 60
	return time.Duration(2*c.Images+trials) * p.imageTime(r)
}

// A process takes about beginTime to start, to load a small network and, once, to try algorithms and time the layers; the bytes
// of larger ones come at about loadRate a second.
const (
	beginTime = time.Second
	loadRate  = 1e9
)

// timedTime is how long a timed task takes, what an earlier run did of it apart.
func (p *planned) timedTime(r *rates) time.Duration {
	call := p.imageTime(r) * time.Duration(max(p.Batch, 1)) / time.Duration(max(p.Threads, 1))
	each := beginTime + latencyTime(p.Job.Latency, p.processes(), call)
	return each * time.Duration(p.steps())
}

// steps are the processes that are still to be done.
func (p *planned) steps() int {
	if p.row == nil {
		return p.processes()
	}
	return max(p.processes()-len(p.row.Processes), 0)
}

// latencyTime is how long the samples and the warm-up take of one of so many processes where one call takes that long.
func latencyTime(l *experiment.Latency, processes int, call time.Duration) time.Duration {
	runs, warm := 11, 11 // at least, of the samples and of the warm-up
	if processes > 1 {
		warm = 5
	}
	least := l.MinDuration
	if least == 0 {
		least = 3 * time.Second
	}
	samples := max(least/time.Duration(processes), time.Duration(max(l.MinSamples/processes, runs))*call)
	if l.MaxDuration > 0 {
		samples = min(samples, l.MaxDuration/time.Duration(processes))
	}
	return samples + time.Duration(warm)*call
}

// pixels is the area of a network's input of size pixels to a side, 0 for its own.
func pixels(spec *zoo.Spec, size int) int {
	if size == 0 {
		size = spec.Size
	}
	return size * size
}

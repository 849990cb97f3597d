package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"zoobench/bench/record"
)

// maxJobs bounds a file; at a second a job it is more than a day.
const maxJobs = 100_000

// A Job is one measurement of one network: Latency or Accuracy is set, not both. With Train alone it trains the network, with an
// accuracy beside it, it evaluates what that training leaves.
type Job struct {
	// ID is the hash of the settings below, the same whenever the file is read on one
	// machine; another order of experiments or of axes leaves it as it is.
	ID         string `json:"-"`
	Experiment string
	Model      string

	record.Axes
	Processes int           `json:",omitzero"` // that a latency is measured in; 0 for one
	Timeout   time.Duration `json:",omitzero"` // of a process
	MaxMemory int64         `json:",omitzero"` // bytes
	Price     float64       `json:",omitzero"` // of an hour of the machine

	Latency  *Latency  `json:",omitzero"`
	Accuracy *Accuracy `json:",omitzero"` // with no or one checkpoint
	Train    *Train    `json:",omitzero"`

	Calibration *Calibration `json:",omitzero"` // of a job in int8
}

// Jobs expands the experiments named, in the order of the file, or those of f.Run where none is
// named. All timed jobs come before all others; within each, a network's jobs follow one
// another, and the evaluation of what a job trains follows that job. An unknown name is an error with the nearest one.
func (f *File) Jobs(only ...string) ([]Job, error) {
	if len(only) == 0 {
		only = f.Run
	}
	var valid []string
	for _, e := range f.Experiments {
		valid = append(valid, e.Name)
	}
	wanted := map[string]bool{}
	for _, name := range only {
		wanted[name] = true
		if !slices.Contains(valid, name) {
			return nil, fmt.Errorf("experiment: %s: unknown experiment %s, %s", f.Path, quote(name), suggest(name, valid))
		}
	}
	var timed, accuracy []Job
	for i := range f.Experiments {
		if e := &f.Experiments[i]; wanted[e.Name] {
			timed = append(timed, e.timed()...)
			if e.Training != nil {
				accuracy = append(accuracy, e.trainings()...)
			} else {
				accuracy = append(accuracy, e.accuracy()...)
			}
		}
	}
	jobs := append(timed, accuracy...)
	for i := range jobs {
		jobs[i].ID = identity(jobs[i])
	}
	return jobs, nil
}

// count returns how many jobs the experiment makes, maxJobs+1 for any more than that.
func (e *Experiment) count() int {
	total := 0
	if e.Latency != nil {
		total = len(e.Models)
		for _, n := range []int{len(e.ISA), len(e.Precision), len(e.Threads), len(e.Batch), len(e.ImgSize), len(e.Scenario)} {
			total = min(total*n, maxJobs+1) // an axis has at most maxAxis values: no overflow
		}
	}
	if e.Training != nil {
		trained := 0
		for _, r := range e.Training.Recipes {
			trained = min(trained+len(r.Seeds)*len(r.Images), maxJobs+1)
		}
		total += min(len(e.Models)*trained, maxJobs+1) * len(e.ImgSize) * (1 + len(e.corruptions())*len(e.Precision))
	} else if e.Accuracy != nil {
		total += max(len(e.Accuracy.Checkpoints), len(e.Models)) * len(e.corruptions()) * len(e.Precision)
	}
	return min(total, maxJobs+1)
}

func (e *Experiment) timed() (jobs []Job) {
	if e.Latency == nil {
		return nil
	}
	for _, model := range e.Models {
		for _, isa := range e.ISA {
			for _, precision := range e.Precision {
				for _, threads := range e.Threads {
					for _, batch := range e.Batch {
						for _, size := range e.ImgSize {
							for _, scenario := range e.Scenario {
								j := e.job(model)
								j.ISA, j.Precision, j.Threads, j.Batch, j.ImgSize = isa, precision, threads, batch, size
								j.Scenario, j.Latency = string(scenario), e.Latency
								j.Calibration = e.calibrated(precision)
								jobs = append(jobs, j)
							}
						}
					}
				}
			}
		}
	}
	return jobs
}

// accuracy makes a job a checkpoint, precision and corruption, or a job a network where the file names no checkpoint: which of its
// checkpoints are there is for the runner to find.
func (e *Experiment) accuracy() (jobs []Job) {
	if e.Accuracy == nil {
		return nil
	}
	add := func(model string, checkpoints ...Checkpoint) {
		for _, precision := range e.Precision {
			for _, corruption := range e.corruptions() {
				a := *e.Accuracy
				a.Checkpoints, a.Corruption = checkpoints, nil
				j := e.job(model)
				j.Precision, j.Threads, j.Batch, j.Accuracy = precision, a.Threads, a.Batch, &a
				j.Processes, j.Corruption, j.Calibration = 0, corruption, e.calibrated(precision)
				jobs = append(jobs, j)
			}
		}
	}
	for _, c := range e.Accuracy.Checkpoints {
		add(c.Network, c)
	}
	if len(e.Accuracy.Checkpoints) == 0 {
		for _, model := range e.Models {
			add(model)
		}
	}
	return jobs
}

// calibrated is the calibration of a job in a precision.
func (e *Experiment) calibrated(precision string) *Calibration {
	if precision != record.Int8 {
		return nil
	}
	return e.Calibration
}

// corruptions are what the images of accuracies are worsened with, "" for nothing.
func (e *Experiment) corruptions() []string {
	if e.Accuracy.Corruption == nil {
		return []string{""}
	}
	return e.Accuracy.Corruption
}

// job returns the part that all jobs of the experiment share.
func (e *Experiment) job(model string) Job {
	return Job{
		Experiment: e.Name, Model: model,
		Axes:    record.Axes{Exact: e.Exact, NoTune: e.NoTune},
		Timeout: e.Timeout, MaxMemory: e.MaxMemory, Processes: e.Processes, Price: e.Price,
	}
}

// identity hashes the settings as JSON with the zero ones left out, so that a setting
// added later with a zero default changes no job's identity. What ends a job that takes too much of something, how many
// processes repeat it and what the machine costs do not change what it measures, and are not part of it.
func identity(j Job) string {
	j.Timeout, j.MaxMemory, j.Processes, j.Price = 0, 0, 0, 0
	text, err := json.Marshal(j)
	if err != nil {
		panic("experiment: a job is not JSON: " + err.Error()) // it has no float that the parser lets be NaN
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

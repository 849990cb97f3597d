package runner

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/datasets/corrupt"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/pocket"
	"zoobench/zoo/weights"
)

// plan expands jobs to tasks, an accuracy job to one a checkpoint, and leaves out what an earlier run has measured.
func (r *run) plan(jobs []experiment.Job) error {
	r.counts = map[string]int{}
	var err error
	if r.rates, err = machineRates(r.List, r.Cache, r.s.Records); err != nil {
		return err
	}
	data, missing := r.images()
	var timed, accuracy []planned
	evals := map[[3]string][]planned{} // of an experiment's network in a precision
	files := map[string]*zoo.Spec{}
	for _, j := range jobs {
		spec, err := files[j.Model], error(nil)
		if spec == nil {
			spec, err = Find(r.List, j.Model)
		}
		if err != nil {
			return err
		}
		p := planned{Task: Task{Job: j}, spec: spec}
		if IsONNX(j.Model) {
			files[j.Model], p.Weights = spec, j.Model
		}
		if err := engine.CheckPrecision(j.Precision); err != nil {
			p.missing = err.Error()
		}
		if j.Train != nil {
			if p, err = r.trained(p); err != nil {
				return err
			}
			accuracy = append(accuracy, p)
			continue
		}
		if j.Accuracy == nil {
			if j.ISA != "" && !slices.Contains(kernels.ISAs(), j.ISA) {
				p.missing = fmt.Sprintf("this machine has no %s, it has %s", j.ISA, strings.Join(kernels.ISAs(), ", "))
			}
			if c := j.Calibration; c != nil && r.imagesMissing(c.Data) != "" {
				p.Job.Calibration = nil // the ranges of generated images do for the speed, and the row says so
			}
			timed = append(timed, p)
			continue
		}
		found, err := r.checkpoints(p)
		if err != nil {
			return err
		}
		for i := range found {
			c := &found[i]
			c.missing = cmp.Or(p.missing, c.missing, r.uncalibrated(&c.Job, c.Weights))
			a := *c.Job.Accuracy
			switch {
			case c.missing != "":
			case a.Data != "":
				if c.missing = r.imagesMissing(a.Data); c.missing != "" && !datasets.Named(a.Data) {
					c.missing += "; put the images there"
				}
			default:
				if a.Data, c.missing = c.ownSet(), ""; a.Data == "" {
					a.Data, c.missing = data, missing
				}
			}
			c.Job.Accuracy = &a
		}
		accuracy = append(accuracy, found...)
		of := [3]string{j.Experiment, j.Model, j.Precision}
		if j.Corruption == "" { // a timed checkpoint is compared with the images as they are
			evals[of] = append(evals[of], found...)
		}
	}
	var all []planned
	for _, p := range timed {
		all = append(all, p.withCheckpoints(evals[[3]string{p.Experiment, p.Model, p.Precision}])...)
	}
	all = append(all, accuracy...)
	if all, err = r.share(all); err != nil {
		return err
	}
	if err := r.continues(all); err != nil {
		return err
	}
	r.s.Tasks = len(all)
	for _, p := range all {
		earlier := r.earlier(p)
		if kept(r.Dir, earlier, p) {
			if p.missing != "" || p.kind() != record.KindLatency || complete(&p.Task, earlier) {
				r.s.Kept++
				continue
			}
			row := *earlier // the processes that are missing follow
			p.row = &row
		}
		r.tasks = append(r.tasks, p)
	}
	return nil
}

// key is different for each of a run's rows. A file's tag may have been found out by its hash, so the file alone counts where there
// is one.
func key(job, tag, file string) string {
	if file != "" {
		return job + "\x00" + file
	}
	return job + "\x00\x00" + tag
}

// earlier is the last record of a task, nil where there is none. Where the task has no weights, it is also that of weights
// which are gone by now.
func (r *run) earlier(p planned) *record.Record {
	var gone *record.Record
	for i := len(r.s.Records) - 1; i >= 0; i-- {
		rec := &r.s.Records[i]
		switch {
		case rec.JobID != p.ID || !p.ofPart(rec):
		case key(rec.JobID, rec.Checkpoint, rec.WeightsFile) == key(p.ID, p.Tag, p.weightsFile()):
			return rec
		case gone == nil && p.weightsFile() == "" && (p.Tag == "" || rec.Checkpoint == p.Tag) && (rec.Timing != nil || rec.Accuracy != nil):
			gone = rec
		}
	}
	return gone
}

// ofPart reports whether a record is of the task's part of the images.
func (p *planned) ofPart(rec *record.Record) bool {
	if rec.Part == nil {
		return p.To == 0 || rec.Accuracy == nil
	}
	return rec.Part.From == p.From && rec.Part.To == p.To
}

// continues is an error where the run's earlier records cannot stand beside those of the tasks: measured on another
// machine, or with settings of an experiment that has been changed since.
func (r *run) continues(tasks []planned) error {
	here := record.ThisMachine().Class()
	asked := map[string]bool{} // jobs
	models := map[[2]string]bool{}
	for i := range tasks {
		p := &tasks[i]
		asked[p.ID], models[[2]string{p.Experiment, p.spec.Name}] = true, true
	}
	for i := range r.s.Records {
		rec := &r.s.Records[i]
		if !rec.Measured() {
			continue
		}
		if class := rec.Machine.Class(); class != here {
			return fmt.Errorf("runner: %s: was measured on another class of machine (%s) than this one (%s): start a new run "+
				"in another folder", r.Dir, class, here)
		}
		if !asked[rec.JobID] && models[[2]string{rec.Experiment, rec.Model}] {
			return fmt.Errorf("runner: %s: has %s of experiment %s with settings that the experiments no longer have: start a new run "+
				"in another folder, or resume with the earlier settings",
				r.Dir, rec.Name(), rec.Experiment)
		}
	}
	return nil
}

// kept reports whether an earlier run's record serves for a task: it was measured by this very program, with the weights that
// are there now and images of the same place, and its per-sample file is still there; or there is nothing now to measure it
// again with. One that failed is tried again.
func kept(dir string, rec *record.Record, p planned) bool {
	if rec == nil {
		return false
	}
	measured := rec.Measured()
	if p.missing != "" {
		return measured || slices.Contains(values(rec.NotMeasured), p.missing)
	}
	if !measured || rec.Machine.KernelBuild != KernelBuild() || rec.Machine.ISA != cmp.Or(p.ISA, kernels.ISA()) {
		return false
	}
	if c := p.Job.Calibration; c != nil && p.Weights != "" && rec.Calibration != nil && rec.Calibration.Generated {
		return false // there are images now
	}
	if rec.SamplesFile != "" {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(rec.SamplesFile))); err != nil {
			return false
		}
	}
	if a := p.Job.Accuracy; a != nil && !(SamePath(rec.Dataset, a.Data) && SamePath(rec.LabelsFile, a.Labels)) {
		return false
	}
	if p.result() == "" {
		return true
	}
	path, _ := weights.SplitSection(p.result())
	sum, err := weights.HashFile(context.Background(), path)
	return err == nil && sum == rec.WeightsSHA256
}

// SamePath reports whether two names are of one place; "" is none.
func SamePath(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

func values(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// checkpoints are an accuracy job's tasks: the checkpoint that it names, or all of the network's that are in the cache,
// or, where there are none, one row to say so.
func (r *run) checkpoints(p planned) ([]planned, error) {
	if IsONNX(p.Model) { // is its own
		return []planned{p}, nil
	}
	if named := p.Job.Accuracy.Checkpoints; len(named) > 0 {
		c := named[0]
		p.Tag, p.Weights = c.Tag, c.File
		if c.File != "" {
			path, _ := weights.SplitSection(c.File)
			if _, err := os.Stat(path); err != nil {
				p.missing = fmt.Sprintf("no checkpoint: %v", err)
			}
			return []planned{p}, nil
		}
		file, err := r.Cache.Find(p.spec, c.Tag)
		if err != nil {
			p.missing = err.Error()
		}
		p.Weights = file
		return []planned{p}, nil
	}
	tags, err := r.Cache.Tags(p.spec)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 && p.spec.Family == "pocket" && len(pocket.All()) == 0 {
		p.missing = "not measured, because the study's weights are not in this build"
		return []planned{p}, nil
	}
	if len(tags) == 0 {
		p.missing = "no checkpoint in the cache folder; fetch one with zoobench pull, or put one into " + r.Cache.Weights() +
			" as NETWORK.TAG.safetensors, .pth, .h5 or .keras"
		return []planned{p}, nil
	}
	var found []planned
	for _, tag := range tags {
		c := p
		c.Tag = tag
		if c.Weights, err = r.Cache.Find(p.spec, tag); err != nil {
			return nil, err
		}
		found = append(found, c)
	}
	return found, nil
}

// ownSet is the set that a task's checkpoint is evaluated on where nobody names images; see [OwnSet].
func (p *planned) ownSet() string {
	if p.spec == nil {
		return ""
	}
	return OwnSet(p.spec, p.Tag)
}

// OwnSet is the set of images that a network's checkpoint is evaluated on where nobody names others: that of weights which the
// program contains, "" for all others.
func OwnSet(spec *zoo.Spec, tag string) string {
	if c, ok := spec.Checkpoint(tag); ok && c.Shipped != nil {
		return c.Shipped.Data
	}
	return ""
}

// images is the folder of images for jobs that name none, or why there is none.
func (r *run) images() (dir, missing string) {
	if r.Data != "" {
		return r.Data, r.imagesMissing(r.Data)
	}
	dir = filepath.Join(r.Cache.Dir, "data")
	if folderMissing(dir) != "" {
		return "", "no images in the cache folder; fetch some with zoobench pull data imagenetv2, put a folder for each class into " + dir +
			", or name theirs in $ZOOBENCH_DATA or under data: in the file"
	}
	return dir, ""
}

// imagesMissing says why there are no images by a name or a path, "" where there are.
func (r *run) imagesMissing(data string) string {
	if datasets.Named(data) {
		return datasets.Missing(data, filepath.Join(r.Cache.Dir, "sets"))
	}
	return folderMissing(data)
}

// folderMissing says why a folder cannot serve, "" where it can.
func folderMissing(path string) string {
	info, err := os.Stat(path)
	switch {
	case strings.Contains(path, "{") && (strings.HasSuffix(path, ".tar") || strings.HasSuffix(path, ".parquet")):
		return "" // a range of shards, which package datasets looks at
	case errors.Is(err, fs.ErrNotExist):
		return "no images: " + path + " does not exist"
	case err != nil:
		return "no images: " + err.Error()
	case !info.IsDir() && !info.Mode().IsRegular():
		return "no images: " + path + " is neither a folder nor an archive"
	}
	return ""
}

// NewDir makes a folder for a run that started at the given time, in parent, and returns it with its name, which is the
// run's identity: the time in UTC and the experiments' names. A second run of the same second gets a number.
func NewDir(parent string, started time.Time, experiments []string) (dir, id string, err error) {
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return "", "", fmt.Errorf("runner: %w", err)
	}
	base := started.UTC().Format("20060102T150405Z") + suffix(experiments)
	id = base
	for n := 2; ; n++ {
		dir = filepath.Join(parent, id)
		err := os.Mkdir(dir, 0o777)
		if err == nil {
			return dir, id, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", "", fmt.Errorf("runner: %w", err)
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
}

// LastDir returns the folder in parent of the latest run of these experiments, for a run that is to be resumed.
func LastDir(parent string, experiments []string) (dir, id string, err error) {
	// Names begin with the time, so that their order is that of the runs; a number behind sorts behind.
	found, err := filepath.Glob(filepath.Join(parent, "[0-9]*"+suffix(experiments)+"*", record.FileName))
	if err != nil {
		return "", "", fmt.Errorf("runner: %s: %w", parent, err)
	}
	for _, path := range found {
		if name := filepath.Base(filepath.Dir(path)); sameExperiments(name, experiments) {
			id = max(id, name)
		}
	}
	if id == "" {
		return "", "", fmt.Errorf("runner: %s: no run of %s to resume", parent, strings.Join(experiments, ", "))
	}
	return filepath.Join(parent, id), id, nil
}

// suffix is the part of a run's name that names its experiments, cut where they are many.
func suffix(experiments []string) string {
	const most = 80
	name := strings.Join(experiments, "+")
	if len(name) > most {
		sum := sha256.Sum256([]byte(name))
		name = name[:most] + "~" + hex.EncodeToString(sum[:4])
	}
	return "-" + name
}

// sameExperiments reports whether a run's name is one of these experiments, with or without a number for runs of one
// second.
func sameExperiments(id string, experiments []string) bool {
	_, rest, _ := strings.Cut(id, "Z")
	rest, ok := strings.CutPrefix(rest, suffix(experiments))
	if !ok || rest == "" {
		return ok
	}
	_, err := strconv.Atoi(strings.TrimPrefix(rest, "-"))
	return err == nil
}

// Known adapts a list of networks and the instruction sets there are to what the reader of experiments.yaml asks.
func Known(list *zoo.List) experiment.Known {
	return experiment.Known{
		// A set that this machine lacks is a fact about the machine, not an error of the file.
		ISAs:       []string{"generic", "avx2", "avx512", "neon"},
		Precisions: engine.AllPrecisions(),
		Sets:       datasets.Named,
		Corruptions: func(word string) (names []string, err error) {
			all, err := corrupt.Select(word)
			for _, c := range all {
				names = append(names, c.String())
			}
			return names, err
		},
		File: func(path string) error {
			if !IsONNX(path) {
				return fmt.Errorf("%s: want an ONNX file, with .onnx at the end of its name", path)
			}
			_, err := Find(list, path)
			return err
		},
		Networks: func(pattern string) (names, nearest []string) {
			specs, err := list.Match([]string{pattern})
			if err != nil {
				return nil, list.Nearest(pattern)
			}
			for _, s := range specs {
				names = append(names, s.Name)
			}
			return names, nil
		},
	}
}

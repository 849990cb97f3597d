package runner

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/zoo/weights"
)

// recheckColumn stands in NotMeasured for a recheck without a result.
const recheckColumn = "recheck"

// A recheck takes a few images and, where these take longer than recheckTime, fewer.
const (
	recheckImages = 12
	recheckTime   = 10 * time.Second
)

// recheck predicts some images of an accuracy with the engine as it stands, so that the times taken of it and the
// accuracy can be told to be of one system. The images are drawn from the accuracy's own.
func (n *Network) recheck(ctx context.Context, a *experiment.Accuracy) (*record.Recheck, error) {
	files, err := openImages(a, n.Graph.Classes)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	src := datasets.Sample(datasets.Sample(files, a.Limit, a.Seed), recheckImages, a.Seed)
	loader, err := datasets.NewLoader(src, n.Preprocessing(), datasets.LoadOptions{Batch: n.Engine.Batch(), Workers: 1, Exif: a.Exif != ""})
	if err != nil {
		return nil, err
	}
	c := &record.Recheck{
		Data: filepath.Clean(a.Data), Labels: a.Labels, ClassMap: a.ClassMap, Split: a.Split, Exif: a.Exif, Answers: a.Answers,
		Limit: a.Limit, Seed: a.Seed,
	}
	watch := Watch{Sample: func(s Sample) error {
		if s.Err == nil {
			c.Predictions = append(c.Predictions, record.Prediction{File: s.File, Top5: s.Top5, Scores: s.Scores})
		}
		return nil
	}}
	within, cancel := context.WithTimeout(ctx, recheckTime)
	defer cancel()
	if _, err := n.count(within, loader, src.Len(), files.Answers.Classes, watch); err != nil && (ctx.Err() != nil || within.Err() == nil) {
		return nil, err
	}
	if len(c.Predictions) == 0 {
		return nil, fmt.Errorf("runner: %s: none of %d images was read within %v", a.Data, src.Len(), recheckTime)
	}
	return c, nil
}

// openImages opens an accuracy's images for a network of so many classes.
func openImages(a *experiment.Accuracy, classes int) (*datasets.Files, error) {
	return OpenImages(a.Data, datasets.Options{
		Labels: a.Labels, Classes: classes, ClassMap: a.ClassMap, Split: a.Split, Answers: a.Answers, Ranks: a.Ranks, ClassRange: a.ClassRange,
	})
}

// evaluated are those of an accuracy's images that it is of.
func evaluated(files *datasets.Files, a *experiment.Accuracy) (src datasets.Source, err error) {
	src = files
	if a.HeldOut > 0 {
		if _, src, _, err = datasets.Divide(files, len(files.Classes), a.HeldOut, a.HeldOutSeed); err != nil {
			return nil, err
		}
	}
	return datasets.Sample(src, a.Limit, a.Seed), nil
}

// OpenImages is datasets.Open with the cache folder's sets and lists of archives' members; without such a folder, an archive
// is listed each time.
func OpenImages(path string, o datasets.Options) (*datasets.Files, error) {
	if cache, err := DefaultCache(); err == nil {
		o.Index, o.Sets = filepath.Join(cache.Dir, "index"), filepath.Join(cache.Dir, "sets")
	}
	return datasets.Open(path, o)
}

// withCheckpoints makes a timed task one a checkpoint that the experiment evaluates too, so that speed and accuracy are
// those of one system. A task at another input size keeps to generated weights, and so does one whose checkpoints are
// missing or cannot be read: speed does not depend on what the weights are.
func (p planned) withCheckpoints(evals []planned) []planned {
	p.unchecked = "the experiment asks for no accuracy"
	if len(evals) > 0 {
		p.unchecked = evals[0].missing
	}
	if p.missing != "" || p.ImgSize != 0 {
		if p.ImgSize != 0 {
			p.unchecked = "the accuracy is of the checkpoint's own input size"
		}
		return []planned{p}
	}
	var all []planned
	for _, e := range evals {
		if e.Weights == "" {
			continue
		}
		if !IsONNX(p.Model) {
			f, err := weights.Open(e.Weights)
			if err != nil { // the accuracy's row says so
				p.unchecked = err.Error()
				continue
			}
			f.Close()
		}
		c := p
		c.Tag, c.Weights, c.unchecked = e.Tag, e.Weights, e.missing
		if e.missing == "" {
			c.Recheck = e.Job.Accuracy
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return []planned{p}
	}
	return all
}

// recheck holds a timed row that is about to be written against the accuracy that an earlier run left, or says why not.
func (r *run) recheck(rec *record.Record, unchecked string) {
	if rec.Timing == nil {
		return
	}
	if rec.Recheck == nil {
		if rec.NotMeasured[recheckColumn] == "" {
			notRechecked(rec, unchecked)
		}
		return
	}
	for i := len(r.s.Records) - 1; i >= 0; i-- {
		if eval := &r.s.Records[i]; belongTogether(rec, eval) {
			r.compare(rec, eval)
			return
		}
	}
	notRechecked(rec, awaiting)
}

// awaiting is why a timed row is not rechecked while its checkpoint's accuracy is still to be measured.
const awaiting = "this run has no accuracy of these weights, this preprocessing and this build yet"

// recheckLeft holds timed rows of an earlier run that wait for an accuracy against one that is there: the run was killed
// between the two.
func (r *run) recheckLeft() error {
	for _, eval := range r.s.Records {
		if eval.Kind == record.KindEval {
			if err := r.recheckTimed(&eval, func(timed *record.Record) bool { return timed.NotMeasured[recheckColumn] == awaiting }); err != nil {
				return err
			}
		}
	}
	return nil
}

// recheckTimed holds the timed rows that an accuracy has been awaited for against it. They are written again, and what
// is written last of a job counts, as with one that is tried again. Only, where it is not nil, says which rows are meant.
func (r *run) recheckTimed(eval *record.Record, only func(timed *record.Record) bool) error {
	if eval.Accuracy == nil {
		return nil
	}
	latest := map[string]*record.Record{}
	var order []string
	for i := range r.s.Records {
		if timed := &r.s.Records[i]; timed.Kind == record.KindLatency {
			k := key(timed.JobID, timed.Checkpoint, timed.WeightsFile)
			if latest[k] == nil {
				order = append(order, k)
			}
			latest[k] = timed
		}
	}
	for _, k := range order {
		if !belongTogether(latest[k], eval) || only != nil && !only(latest[k]) {
			continue
		}
		timed := *latest[k]
		again := *timed.Recheck
		timed.Recheck = &again
		timed.NotMeasured = maps.Clone(timed.NotMeasured)
		delete(timed.NotMeasured, recheckColumn)
		timed.Verdict.Reasons = slices.DeleteFunc(slices.Clone(timed.Verdict.Reasons),
			func(reason string) bool { return strings.HasPrefix(reason, recheckReason) })
		timed.Verdict.Valid = len(timed.Verdict.Reasons) == 0
		r.compare(&timed, eval)
		if err := r.append(&timed); err != nil {
			return err
		}
	}
	return nil
}

// belongTogether reports whether a timed row's recheck is of an accuracy: the same weights, preprocessing, images,
// kernels and precision.
func belongTogether(timed, eval *record.Record) bool {
	c := timed.Recheck
	return timed.Kind == record.KindLatency && eval.Kind == record.KindEval && c != nil && eval.Accuracy != nil && eval.SamplesFile != "" &&
		timed.Model == eval.Model && timed.WeightsSHA256 == eval.WeightsSHA256 && timed.WeightsSection == eval.WeightsSection &&
		timed.WeightsPrefix == eval.WeightsPrefix && timed.RecipeSHA256 == eval.RecipeSHA256 &&
		timed.Machine.KernelBuild == eval.Machine.KernelBuild && c.Data == eval.Dataset && c.Answers == eval.Ran().Answers &&
		eval.RanWith().Corruption == "" && timed.RanWith().Precision == eval.RanWith().Precision
}

// recheckReason begins the reason of a row whose predictions are not the evaluation's.
const recheckReason = "speed and accuracy are not of one system: "

// compare compares a timed row's predictions with the accuracy's per-sample file.
func (r *run) compare(timed, eval *record.Record) {
	samples, err := record.ReadSamples(filepath.Join(r.Dir, filepath.FromSlash(eval.SamplesFile)))
	if err != nil {
		notRechecked(timed, err.Error())
		return
	}
	differ := timed.Recheck.Against(samples)
	if timed.Recheck.Checked == 0 {
		notRechecked(timed, "none of its images is among the accuracy's")
	}
	if len(differ) > 0 {
		timed.Verdict.Valid = false
		timed.Verdict.Reasons = append(timed.Verdict.Reasons, fmt.Sprintf("%s%d of %d predictions differ: %s",
			recheckReason, len(differ), timed.Recheck.Checked, differ[0]))
	}
}

func notRechecked(r *record.Record, why string) {
	if r.NotMeasured == nil {
		r.NotMeasured = map[string]string{}
	}
	r.NotMeasured[recheckColumn] = why
}

package runner

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/zoo/weights"
)

// trained completes a task that trains a network or evaluates what a training left: the files that it takes and leaves, and what
// is missing for it.
func (r *run) trained(p planned) (planned, error) {
	t := p.Train
	p.Tag = t.Tag
	if IsONNX(p.Model) {
		p.missing = "an ONNX file has no network of the zoo that could learn"
		return p, nil
	}
	if a := p.Job.Accuracy; a != nil {
		p.Weights = r.checkpoint(t.File)
		p.missing = cmp.Or(p.missing, r.imagesMissing(a.Data), r.uncalibrated(&p.Job, p.Weights))
		return p, nil
	}
	p.Out = r.checkpoint(t.File)
	if t.Start != "" {
		p.Weights = r.checkpoint(t.Start)
	}
	if p.missing = r.imagesMissing(t.Data); p.missing == "" && t.Held != nil {
		p.missing = r.imagesMissing(t.Held.Data)
	}
	if p.images = t.Images; p.images > 0 || p.missing != "" {
		return p, nil
	}
	own := experiment.Accuracy{Data: t.Data, Split: t.Split, Ranks: true, ClassRange: t.ClassRange}
	n, err := countImages(&own, r.counts)
	if err != nil {
		return p, fmt.Errorf("runner: %s: images to learn from: %w", p.Model, err)
	}
	p.images = int(float64(n) * (1 - t.HeldOut))
	return p, nil
}

// checkpoint is the path of a training's result.
func (r *run) checkpoint(file string) string {
	return filepath.Join(r.Dir, experiment.CheckpointPath(file))
}

// weightsFile is how the task's record calls its weights: what the run trains has the same name wherever the run's folder is.
func (p *planned) weightsFile() string {
	if p.Train != nil {
		return filepath.ToSlash(experiment.CheckpointPath(p.Train.File))
	}
	return p.Weights
}

// result is the file of a task's weights in the run's folder, or elsewhere.
func (p *planned) result() string {
	if p.Out != "" {
		return p.Out
	}
	return p.Weights
}

// learn does the part of a trained network's task that needs the run: a training of the same network, images and recipe that the
// run has already is not repeated, and what another training did not leave cannot be used. It returns the record of such a task,
// nil for one that is to be measured.
func (r *run) learn(ctx context.Context, p *planned) (*record.Record, error) {
	if p.Train == nil {
		return nil, nil
	}
	if p.Weights != "" {
		if _, err := os.Stat(p.Weights); err != nil {
			p.missing = "there is no " + filepath.Base(p.Weights) + ": its training failed"
			return nil, nil
		}
	}
	if p.Out == "" {
		return nil, nil
	}
	if err := os.MkdirAll(filepath.Dir(p.Out), 0o777); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	for i := range r.s.Records {
		rec := &r.s.Records[i]
		if rec.Kind != record.KindTrain || rec.Training == nil || rec.WeightsFile != p.weightsFile() || rec.Machine.KernelBuild != KernelBuild() {
			continue
		}
		if sum, err := weights.HashFile(ctx, p.Out); err != nil || sum != rec.WeightsSHA256 {
			continue
		}
		again := *rec
		again.Time = time.Now().UTC()
		again.NotMeasured = map[string]string{"wall_ns": "experiment " + rec.Experiment + " has the same training, which was not repeated"}
		of := *rec.Training
		of.Wall, of.ImagesPerSec = 0, 0
		again.Training, again.ImagesPerSec = &of, 0
		return &again, nil
	}
	return nil, nil
}

// nameWeights names a record's weights as the run calls them, and gives an evaluation what is known of its training.
func (r *run) nameWeights(p *planned, rec *record.Record) {
	if p.Train == nil {
		return
	}
	rec.WeightsFile = p.weightsFile()
	if rec.Kind != record.KindEval {
		return
	}
	for i := range r.s.Records {
		if of := &r.s.Records[i]; of.Kind == record.KindTrain && of.Training != nil && of.WeightsFile == rec.WeightsFile {
			t := *of.Training
			t.Curve, t.HeldOut = nil, p.Job.Accuracy.HeldOut
			rec.Training = &t
		}
	}
}

// Images opens the images that a training learns from.
func Images(t *experiment.Train) (*datasets.Files, error) {
	return OpenImages(t.Data, datasets.Options{Split: t.Split, Ranks: true, ClassRange: t.ClassRange})
}

// HeldImages opens the other images that show how well a training does, nil where some of its own are held out.
func HeldImages(t *experiment.Train) (*datasets.Files, error) {
	if t.Held == nil {
		return nil, nil
	}
	return openImages(t.Held, 0)
}

// trainTime is about how long a training takes on one core. An image of the classifier's own epochs takes the pass forward alone,
// a third.
func (p *planned) trainTime(r *rates) time.Duration {
	image := p.imageTime(r)
	return time.Duration(p.images) * (time.Duration(p.Train.Recipe.Epochs)*image + time.Duration(p.Train.Recipe.HeadEpochs)*image/3)
}

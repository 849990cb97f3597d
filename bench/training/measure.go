package training

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/internal/recipe"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// Measure carries out a training of an experiment and returns its record: the runner's Teacher.
func Measure(ctx context.Context, list *zoo.List, t runner.Task, step func(done, total int)) (*record.Record, error) {
	j := Job{
		List: list, Task: t, Learn: t.Train.Images, HeldOut: t.Train.HeldOut, Freeze: t.Train.Freeze, Threads: t.Threads, Out: t.Out,
		Final: true, SaveEvery: time.Minute,
	}
	var err error
	if j.Images, err = runner.Images(t.Train); err != nil {
		return nil, err
	}
	defer j.Images.Close()
	if j.Held, err = runner.HeldImages(t.Train); err != nil {
		return nil, err
	}
	if j.Held != nil {
		defer j.Held.Close()
	}
	j.Adapt = func(fitting recipe.Recipe) (recipe.Recipe, error) {
		r := t.Train.Recipe
		if !t.Train.Varied {
			r.Augment = fitting.Augment
		}
		return r, nil
	}
	var said time.Time
	j.Progress = func(p Progress) {
		if time.Since(said) >= sayEvery {
			step(p.Step*p.Batch, p.Steps*p.Batch)
			said = time.Now()
		}
	}
	result, err := Train(ctx, j)
	if err != nil {
		return nil, err
	}
	return result.record(list, t)
}

// sayEvery is how often a run says how far it is.
const sayEvery = 200 * time.Millisecond

// record is a finished run as a row.
func (r *Result) record(list *zoo.List, t runner.Task) (*record.Record, error) {
	spec, err := list.Find(t.Model)
	if err != nil {
		return nil, err
	}
	rec := runner.NewRecord(record.KindTrain, spec, t)
	if rec.WeightsSHA256, err = weights.HashFile(context.Background(), r.File); err != nil {
		return nil, err
	}
	rec.WeightsFile, rec.ImgSize, rec.Batch, rec.Published = r.File, r.Size, r.Batch, nil
	rec.Threads = cmp.Or(t.Threads, runtime.GOMAXPROCS(0))
	rec.Dataset, rec.Split = t.Train.Data, t.Train.Split
	rec.Cost = &record.Cost{Params: r.Params, MACs: r.MACs, Activations: r.Activations}
	last := r.Curve[len(r.Curve)-1]
	of := &record.Training{
		Name: t.Train.Name, Seed: r.Seed, Images: r.Images, Classes: len(r.Classes), StartSHA256: r.Start, Freeze: r.Freeze,
		Epochs: len(r.Curve), Steps: r.Steps, Batch: r.Batch, Loss: last.Loss, Top1: 100 * r.Final, HeldTop1: 100 * last.Held,
		Wall: r.Took.Nanoseconds(), HeldOut: t.Train.HeldOut, Unreadable: len(r.Unreadable),
	}
	if of.RecipeSHA256, err = hash(r.Recipe); err != nil {
		return nil, err
	}
	if t.Train.ClassRange != ([2]int{}) {
		of.ClassRange = &t.Train.ClassRange
	}
	if t.Train.Start != "" {
		of.StartFile = t.Train.Start
	}
	if r.Stepped > 0 {
		of.ImagesPerSec = float64(r.Steps*r.Batch) / r.Stepped.Seconds()
		rec.ImagesPerSec = of.ImagesPerSec
	}
	for _, e := range r.Curve {
		of.Curve = append(of.Curve, record.Epoch{
			Epoch: e.Epoch, HeadOnly: e.HeadOnly, Rate: e.Rate, Loss: e.Loss, Top1: 100 * e.Accuracy, HeldTop1: 100 * e.Held,
			HeldLoss: e.HeldLoss, First: e.First,
		})
	}
	rec.Training = of
	rec.Verdict.Valid = true
	if n := len(r.Unreadable); n > 0 {
		rec.Verdict.Warnings = append(rec.Verdict.Warnings,
			fmt.Sprintf("%d images could not be read and were left out, as %s", n, r.Unreadable[0]))
	}
	return rec, nil
}

// hash tells recipes apart; the seed is not a part of them.
func hash(r recipe.Recipe) (string, error) {
	r = r.Identity()
	r.Seeds = nil
	text, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("training: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

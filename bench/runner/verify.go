package runner

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

// A Verification is what became of a row that was repeated.
type Verification struct {
	Verdict string // Holds, HoldsNot or Undecided
	Why     []string
}

// The verdicts of a Verification.
const (
	Holds     = "holds"
	HoldsNot  = "does not hold"
	Undecided = "undecided"
)

// slowerShare is by how much a median may grow before a row's latency no longer holds: machines at rest differ by a few
// percent from day to day.
const slowerShare = 0.10

// Places are where what a record was measured with is now; "" for where it was or, of a checkpoint, in the cache.
type Places struct {
	Data, Labels string // images and their label file
	Calibration  string // images that a network was quantised on
	Weights      string // checkpoint
}

// Again is the task that repeats a record.
func Again(list *zoo.List, r *record.Record, now Places) (Task, error) {
	model := r.Model
	if IsONNX(model) {
		model = cmp.Or(now.Weights, r.WeightsFile)
	}
	spec, err := Find(list, model)
	if err != nil {
		return Task{}, err
	}
	if !IsONNX(model) {
		model = spec.Name
	}
	s := r.Asked
	if s == nil {
		s = &record.Settings{}
	}
	t := Task{
		Job: experiment.Job{Model: model, Axes: s.Axes, Processes: s.Processes, Timeout: s.Timeout},
		Tag: r.Checkpoint, Weights: r.WeightsFile,
	}
	t.NoTune = t.NoTune || r.Plan == nil // an older row: there were no trials
	if r.Plan != nil {
		t.Choices = choices(r.Plan)
	}
	t.Job.Calibration = calibrationAgain(r.Calibration, now.Calibration)
	if now.Weights != "" {
		t.Weights = now.Weights
	} else if _, err := os.Stat(t.Weights); t.Weights != "" && err != nil && t.Tag != "" {
		cache, err := DefaultCache()
		if err != nil {
			return t, err
		}
		if t.Weights, err = cache.Find(spec, t.Tag); err != nil {
			return t, err
		}
	}
	if r.Recipe != nil && r.Kind == record.KindEval {
		t.Recipe = Recipe{
			Resize: r.Recipe.Resize, CropPct: r.Recipe.CropPct, Interpolation: r.Recipe.Interpolation, CropMode: r.Recipe.CropMode,
			Mean: &r.Recipe.Mean, Std: &r.Recipe.Std, BGR: &r.Recipe.BGR,
		}
	}
	if r.Kind == record.KindEval {
		data, labels := cmp.Or(now.Data, r.Dataset), cmp.Or(now.Labels, r.LabelsFile)
		answers := s.Answers
		if r.Answers == "" {
			answers = datasets.AllAnswers
		}
		t.Job.Accuracy = &experiment.Accuracy{
			Data: data, Labels: labels, ClassMap: r.ClassMapFile, Split: r.Split, Exif: r.Exif, Answers: answers,
			Limit: s.Limit, Seed: s.Seed, Ranks: r.Training != nil,
		}
		if of := r.Training; of != nil {
			t.Job.Accuracy.HeldOut, t.Job.Accuracy.HeldOutSeed = of.HeldOut, of.Seed
			if of.ClassRange != nil {
				t.Job.Accuracy.ClassRange = *of.ClassRange
			}
		}
		return t, nil
	}
	t.Job.Latency, err = latencyAgain(r, *s)
	if err != nil {
		return t, err
	}
	if c := r.Recheck; c != nil {
		t.Recheck = &experiment.Accuracy{
			Data: cmp.Or(now.Data, c.Data), Labels: cmp.Or(now.Labels, c.Labels), ClassMap: c.ClassMap, Split: c.Split, Exif: c.Exif,
			Answers: c.Answers, Limit: c.Limit, Seed: c.Seed,
		}
	}
	return t, nil
}

// choices are a plan's, to be made again.
func choices(p *record.Plan) (all []engine.Choice) {
	for _, c := range p.Choices {
		all = append(all, engine.Choice(c))
	}
	return all
}

// latencyAgain is how a record's latency was measured: as it was asked for, with what its scenario ran with.
func latencyAgain(r *record.Record, s record.Settings) (*experiment.Latency, error) {
	ran := cmp.Or(r.Effective, &s)
	l := &experiment.Latency{
		MinDuration: s.MinDuration, MaxDuration: s.MaxDuration, MinSamples: s.MinSamples, Seed: s.Seed,
		Streams: ran.Streams, Rate: ran.Rate, LatencyBound: ran.LatencyBound,
	}
	missing := ""
	switch scenario := load.Scenario(s.Scenario); {
	case scenario == load.MultiStream && l.Streams == 0:
		missing = "streams"
	case scenario == load.Server && l.Rate == 0:
		missing = "rate_images_per_s"
	}
	if missing != "" {
		return nil, fmt.Errorf("verify: %s: scenario %s: this row was written by an older version, which did not record %s", r.Name(),
			s.Scenario, missing)
	}
	return l, nil
}

// Judge compares a repeated row with the one before.
func Judge(before, now *record.Record) Verification {
	row := Verification{Verdict: Holds}
	doubt := func(format string, args ...any) {
		if row.Verdict == Holds {
			row.Verdict = Undecided
		}
		row.Why = append(row.Why, fmt.Sprintf(format, args...))
	}
	if before.WeightsSHA256 != now.WeightsSHA256 {
		doubt("other weights: %.16s, were %.16s", now.WeightsSHA256, before.WeightsSHA256)
	} else if before.WeightsSection != "" && before.WeightsSection != now.WeightsSection {
		doubt("another section of the weights' file: %s, was %s", whole(now.WeightsSection), before.WeightsSection)
	}
	if before.RecipeSHA256 != now.RecipeSHA256 && before.RecipeSHA256 != "" && now.Recipe != nil {
		doubt("other preprocessing: %+v, was %+v", *now.Recipe, *before.Recipe)
	}
	same := before.Machine.KernelBuild == now.Machine.KernelBuild && before.Machine.ISA == now.Machine.ISA && before.Threads == now.Threads
	if before.Plan != nil && now.Plan != nil && before.Plan.Hash != now.Plan.Hash {
		same = false
		row.Why = append(row.Why, fmt.Sprintf("another plan: %s, was %s", now.Plan.Hash, before.Plan.Hash))
	}
	if was, is := before.Calibration, now.Calibration; was != nil && is != nil && was.Numbers != is.Numbers {
		same = false
		if was.SHA256 != is.SHA256 {
			doubt("quantised on other images: %.16s, they were %.16s", is.SHA256, was.SHA256)
		} else {
			row.Why = append(row.Why, fmt.Sprintf("other numbers in int8: %.16s, they were %.16s", is.Numbers, was.Numbers))
		}
	}
	if before.Kind == record.KindEval {
		return judgeAccuracy(before, now, row, same)
	}
	row = judgeRecheck(before, now, row)
	if now.Timing == nil {
		doubt("not measured: %s", now.Why("latency_p50_ns"))
		return row
	}
	if is, was := now.Machine.Class(), before.Machine.Class(); is != was {
		doubt("another machine: %s, was %s", is, was)
	}
	if before.Machine.ISA != now.Machine.ISA {
		doubt("other instructions: %s, were %s", now.Machine.ISA, before.Machine.ISA)
	}
	if !before.Verdict.Valid || !now.Verdict.Valid {
		doubt("a measurement is not valid: %s", strings.Join(slices.Concat(before.Verdict.Reasons, now.Verdict.Reasons), "; "))
	}
	if before.P50 == 0 || now.P50 == 0 {
		doubt("too few samples for a median")
	}
	if row.Verdict != Holds {
		return row
	}
	if before.Machine.KernelBuild != now.Machine.KernelBuild {
		row.Why = append(row.Why, "another build: "+now.Machine.KernelBuild+", was "+before.Machine.KernelBuild)
	}
	ratio, ok := record.LatencyRatio(now, before)
	if !ok {
		doubt("measured in one process, which says nothing of how far processes differ")
		return row
	}
	row.Why = append(row.Why, fmt.Sprintf("%+.1f %% [%+.1f, %+.1f]", 100*(ratio.Times-1), 100*(ratio.Lo-1), 100*(ratio.Hi-1)))
	if change := ratio.Times - 1; ratio.P < 0.05 && (change > slowerShare || change < -slowerShare) {
		row.Verdict = HoldsNot
	}
	return row
}

// judgeRecheck compares the predictions that the engine made after its times were taken with those of before.
func judgeRecheck(before, now *record.Record, row Verification) Verification {
	switch {
	case row.Verdict != Holds || before.Recheck == nil || len(before.Recheck.Predictions) == 0:
	case now.Recheck == nil:
		row.Why = append(row.Why, "predictions not repeated: "+now.Why("recheck"))
	default:
		var was []record.Sample
		for _, p := range before.Recheck.Predictions {
			was = append(was, record.Sample{File: p.File, Top5: p.Top5, Scores: p.Scores})
		}
		differ := now.Recheck.Against(was)
		row.Why = append(row.Why, "predictions: "+cmp.Or(now.Recheck.Text(), "none of the same images"))
		if len(differ) > 0 {
			row.Verdict, row.Why = HoldsNot, append(row.Why, differ[0])
		}
	}
	return row
}

// judgeAccuracy compares counts of right answers: the same build must repeat them to the image, another
// one may round otherwise on an image in a thousand.
func judgeAccuracy(before, now *record.Record, row Verification, same bool) Verification {
	if now.Accuracy == nil {
		row.Verdict, row.Why = Undecided, append(row.Why, "not measured: "+now.Why("top1"))
		return row
	}
	if before.DatasetSHA256 != now.DatasetSHA256 {
		row.Verdict, row.Why = Undecided,
			append(row.Why, fmt.Sprintf("other images or labels: %.16s, were %.16s", now.DatasetSHA256, before.DatasetSHA256))
	}
	if before.Answers != now.Answers {
		row.Verdict, row.Why = Undecided, append(row.Why, fmt.Sprintf("answers chosen among %s, were among %s",
			cmp.Or(now.Answers, "all classes"), cmp.Or(before.Answers, "all classes")))
	}
	if before.CorruptedBy != now.CorruptedBy {
		row.Verdict, row.Why = Undecided, append(row.Why, fmt.Sprintf("the corrupted images are others: %s, they were %s",
			cmp.Or(now.CorruptedBy, "not corrupted"), cmp.Or(before.CorruptedBy, "not corrupted")))
	}
	if row.Verdict == Undecided {
		return row
	}
	allowed := 0
	if !same {
		allowed = max(1, before.Images/1000)
		row.Why = append(row.Why, fmt.Sprintf("another build or setting (%s, %s): %d images may differ", now.Machine.KernelBuild,
			now.Machine.ISA, allowed))
	}
	off := max(now.Top1Images-before.Top1Images, before.Top1Images-now.Top1Images, now.Top5Images-before.Top5Images,
		before.Top5Images-now.Top5Images)
	if off > allowed {
		row.Verdict = HoldsNot
		row.Why = append(row.Why, fmt.Sprintf("%d images differ", off))
	}
	return row
}

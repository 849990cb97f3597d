package lessons

import (
	"path"
	"slices"
	"strings"

	"zoobench/bench/record"
)

// Experiments begins the names of the experiments whose trainings are lessons.
const Experiments = "study"

// Gather makes lessons of a run's records, in their order: of each training of the study whose result was evaluated, and whose
// answers samples gives. Samples is as findings.Given has it; of one training that two experiments have there is one lesson.
func Gather(records []record.Record, samples func(*record.Record) ([]record.Sample, error)) (all []Lesson) {
	type key struct{ run, file string }
	seen := map[key]bool{}
	evaluated := map[key]*record.Record{}
	for i := range records {
		if r := &records[i]; r.Kind == record.KindEval && r.Accuracy != nil && r.Verdict.Valid && r.RanWith().Corruption == "" {
			evaluated[key{r.RunID, r.WeightsFile}] = r
		}
	}
	for i := range records {
		r := &records[i]
		of := key{r.RunID, r.WeightsFile}
		if r.Kind != record.KindTrain || r.Training == nil || !r.Verdict.Valid || !strings.HasPrefix(r.Experiment, Experiments) || seen[of] ||
			evaluated[of] == nil || samples == nil {
			continue
		}
		answers, err := answersOf(evaluated[of], samples)
		if err != nil {
			continue
		}
		t := r.Training
		l := Lesson{
			Network: r.Model, Recipe: t.Name, Seed: t.Seed, Data: path.Base(r.Dataset), Images: t.Images, Epochs: t.Epochs, Classes: t.Classes,
			Seen: t.Top1, Test: answers, RecipeSHA256: t.RecipeSHA256, SHA256: r.WeightsSHA256, Program: r.Machine.KernelBuild,
		}
		for _, e := range t.Curve {
			l.Curve = append(l.Curve, Point{Loss: e.Loss, Gradient: e.First})
		}
		if l.check() == nil {
			seen[of] = true
			all = append(all, l)
		}
	}
	return all
}

// answersOf are what an evaluation's per-sample file says, in the order of the images' names.
func answersOf(r *record.Record, samples func(*record.Record) ([]record.Sample, error)) (a Answers, err error) {
	all, err := samples(r)
	if err != nil {
		return a, err
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b record.Sample) int { return strings.Compare(a.File, b.File) })
	ranks := make([]byte, len(all))
	for i := range all {
		ranks[i] = '0' + byte(all[i].Rank())
	}
	return Answers{Images: r.DatasetSHA256, Ranks: string(ranks)}, nil
}

// Package ship makes of a study's results what the program contains of them: weights of some networks in float16 for zoo/pocket, and
// what every network learned, from every seed, for bench/lessons.
//
// The contract: a study is read from the folders of its runs or shards, as far as they are done; what is missing is listed, and
// everything else is written, so that the same call serves a part of the study and all of it. The same folders give the same
// bytes. Weights are written with what they make of the test images, beside what the float32 checkpoint made of them.
//
// It leaves training to bench/training, running to bench/runner, and what the results show to reports/findings.
package ship

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/bench/experiment"
	"zoobench/bench/lessons"
	"zoobench/bench/record"
	"zoobench/zoo"
	"zoobench/zoo/pocket"
)

// Networks are those whose weights are written, with the recipe of each, in the order of the index.
func Networks() []string {
	return []string{
		"pocket_alexnet.base", "pocket_vgg11.base", "pocket_resnet8.base", "pocket_resnet20.base", "pocket_resnet56.base",
		"pocket_plain20.base", "pocket_preresnet20.base", "pocket_seresnet20.base", "pocket_cbamresnet20.base",
		"pocket_inception_resnet.base", "pocket_mobilenetv2.base", "pocket_efficientnet_compound.fine",
		"pocket_coatnet.adamw",
	}
}

const (
	seed     = 1          // of the weights
	maxBytes = 12_000_000 // of all weights
	part     = 200        // images of the part that a test looks at
)

// A result is a training of the study with its evaluation.
type result struct {
	lesson             lessons.Lesson
	trained, evaluated record.Record
	file               string // of the checkpoint
}

// A Study is what its folders have.
type Study struct{ results []result }

// name is that of what learned: network.recipe.
func (r *result) name() string { return r.lesson.Network + "." + r.lesson.Recipe }

// Read reads the folders of a study's runs or shards. A folder without results is one that has not begun. Of a training that two
// folders have, the first one counts.
func Read(dirs ...string) (*Study, error) {
	s := &Study{}
	for _, dir := range dirs {
		file := filepath.Join(dir, record.FileName)
		if info, err := os.Stat(dir); err != nil {
			return nil, fmt.Errorf("ship: %w", err)
		} else if _, err := os.Stat(file); info.IsDir() && errors.Is(err, os.ErrNotExist) {
			continue
		}
		all, problems, err := record.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("ship: %w", err)
		}
		if len(problems) > 0 {
			return nil, fmt.Errorf("ship: %s: %v", file, problems[0])
		}
		s.add(dir, record.Current(all))
	}
	return s, nil
}

// add adds the lessons of a folder's records that are not there yet.
func (s *Study) add(dir string, records []record.Record) {
	samples := func(r *record.Record) ([]record.Sample, error) {
		return record.ReadSamples(filepath.Join(dir, filepath.FromSlash(r.SamplesFile)))
	}
	for _, l := range lessons.Gather(records, samples) {
		if s.find(l.Network+"."+l.Recipe, l.Seed) != nil {
			continue
		}
		r := result{lesson: l}
		for _, rec := range records {
			switch {
			case rec.WeightsSHA256 != l.SHA256:
			case rec.Kind == record.KindTrain:
				r.trained = rec
			case rec.Kind == record.KindEval && rec.Accuracy != nil:
				r.evaluated = rec
			}
		}
		r.file = filepath.Join(dir, filepath.FromSlash(r.trained.WeightsFile))
		s.results = append(s.results, r)
	}
}

// find is the result of a network and recipe from a seed, nil where it is missing.
func (s *Study) find(name string, seed uint64) *result {
	for i := range s.results {
		if r := &s.results[i]; r.name() == name && r.lesson.Seed == seed {
			return r
		}
	}
	return nil
}

// Lessons are what was learned, in the order of networks, recipes and seeds by name.
func (s *Study) Lessons() (all []lessons.Lesson) {
	for _, r := range s.results {
		all = append(all, r.lesson)
	}
	slices.SortFunc(all, func(a, b lessons.Lesson) int {
		key := func(l lessons.Lesson) string { return fmt.Sprintf("%s.%s %20d", l.Network, l.Recipe, l.Seed) }
		return strings.Compare(key(a), key(b))
	})
	return all
}

// Missing are the trainings of the study's file that have no result, as "network.recipe (seeds 2, 3)", in the file's order.
func (s *Study) Missing(file *experiment.File) (names []string, err error) {
	jobs, err := file.Jobs()
	if err != nil {
		return nil, err
	}
	seeds := map[string][]string{}
	for _, j := range jobs {
		if j.Train == nil || j.Accuracy != nil {
			continue
		}
		name, seed := j.Model+"."+j.Train.Name, j.Train.Seed()
		if s.find(name, seed) != nil {
			continue
		}
		if seeds[name] == nil {
			names = append(names, name)
		}
		seeds[name] = append(seeds[name], fmt.Sprint(seed))
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%s %s)", name, map[bool]string{true: "seed", false: "seeds"}[len(seeds[name]) == 1],
			strings.Join(seeds[name], ", "))
	}
	return names, nil
}

// Write writes the study's files into the program's source in the folder root, and returns the index of weights. Say hears of each
// network. A network whose result is missing is left out.
func (s *Study) Write(ctx context.Context, list *zoo.List, root string, say func(*pocket.Weights)) ([]pocket.Weights, error) {
	folder := filepath.Join(root, "zoo", "pocket", "study")
	learned := filepath.Join(root, "bench", "lessons", lessons.StudyFile)
	for _, dir := range []string{folder, filepath.Dir(learned)} {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("ship: %s: no such folder; want the program's source in %s", dir, root)
		}
	}
	all := []pocket.Weights{}
	var size int64
	for _, name := range Networks() {
		r := s.find(name, seed)
		if r == nil {
			continue
		}
		file := filepath.Join(folder, pocket.File(r.lesson.Network))
		w, err := r.write(ctx, list, file)
		if err != nil {
			return nil, fmt.Errorf("ship: %s: %w", name, err)
		}
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("ship: %w", err)
		}
		if size += info.Size(); size > maxBytes {
			return nil, fmt.Errorf("ship: %s: the weights take %d bytes with it, want at most %d in all", name, size, maxBytes)
		}
		all = append(all, w)
		say(&w)
	}
	if err := writeIndex(filepath.Join(folder, pocket.Index), all); err != nil {
		return nil, fmt.Errorf("ship: %w", err)
	}
	err := record.Replace(learned, func(w io.Writer) error { return lessons.Write(w, s.Lessons()) })
	if err != nil {
		return nil, fmt.Errorf("ship: %w", err)
	}
	return all, nil
}

// about is what the index says of a result's weights, without what they make of images.
func (r *result) about() pocket.Weights {
	t := r.trained.Training
	return pocket.Weights{
		Network: r.lesson.Network, Recipe: t.Name, RecipeSHA256: t.RecipeSHA256, Seed: t.Seed, Epochs: t.Epochs, Images: t.Images,
		Data: path.Base(r.trained.Dataset), Program: r.trained.Machine.KernelBuild, From: r.trained.WeightsSHA256,
		Whole: score(&r.evaluated),
	}
}

func score(r *record.Record) pocket.Score {
	return pocket.Score{SHA256: r.DatasetSHA256, Images: r.Images, Top1: r.Top1Images, Top5: r.Top5Images}
}

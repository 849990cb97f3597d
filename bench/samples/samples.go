// Package samples looks into what networks made of each image: which checkpoints differ, which classes go wrong, how much
// a confidence is worth, and on which images two networks disagree.
//
// The contract: an [Evaluation] is what a per-sample file has, and a function takes one or more of them. Images are
// matched by name. An image without a right answer counts for nothing; one that could not be read counts as wrong.
// Shares and differences are in percent, probabilities in [0, 1]. Nothing is measured again, and results do not depend
// on the order of a file's lines, ties apart.
//
// It leaves the files' form to bench/record, the tests and intervals to bench/stat, and tables and pages to its callers.
package samples

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"zoobench/bench/record"
	"zoobench/datasets"
)

// An Evaluation is a checkpoint with what it made of each image.
type Evaluation struct {
	Name    string // the checkpoint's or, without a record, the file's
	Path    string // of the per-sample file
	Samples []record.Sample
	Record  *record.Record // nil for a per-sample file alone
}

// ReadFile reads a per-sample file.
func ReadFile(path string) (Evaluation, error) {
	samples, err := record.ReadSamples(path)
	if err != nil {
		return Evaluation{}, err
	}
	return Evaluation{Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), Path: path, Samples: samples}, nil
}

// Read reads per-sample files, and of runs' folders all evaluations that have one. No two of those it returns have one
// name.
func Read(paths ...string) ([]Evaluation, error) {
	var all []Evaluation
	for _, path := range paths {
		found, err := readEither(path)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			e.Name = unused(e.Name, path, all)
			all = append(all, e)
		}
	}
	return all, nil
}

// readEither reads a per-sample file or a run's folder.
func readEither(path string) ([]Evaluation, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return readRun(path)
	}
	e, err := ReadFile(path)
	return []Evaluation{e}, err
}

// readRun reads a run's evaluations. Of those that were measured again the later one counts.
func readRun(dir string) ([]Evaluation, error) {
	records, _, err := record.ReadFile(filepath.Join(dir, record.FileName))
	if err != nil {
		return nil, err
	}
	var found []Evaluation
	records = record.Current(records)
	for i := range records {
		r := &records[i]
		if r.Kind != record.KindEval || r.Accuracy == nil || r.SamplesFile == "" {
			continue
		}
		e, err := ReadFile(filepath.Join(dir, filepath.FromSlash(r.SamplesFile)))
		if err != nil {
			return nil, err
		}
		e.Name, e.Record = r.RanWith().Named(r.Name()), r
		same := slices.IndexFunc(found, func(f Evaluation) bool { return f.Record.JobID == r.JobID && f.Name == e.Name })
		if same >= 0 {
			found[same] = e
			continue
		}
		found = append(found, e)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("samples: %s: no evaluation with a per-sample file", dir)
	}
	return found, nil
}

// unused is a name that none of all has: the evaluation's own, or with its path, or with a number too.
func unused(name, path string, all []Evaluation) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(all, func(e Evaluation) bool { return e.Name == name })
	}
	path = filepath.Clean(path)
	for _, tried := range []string{name, name + " of " + filepath.Base(path), name + " of " + path} {
		if !taken(tried) {
			return tried
		}
	}
	for n := 2; ; n++ {
		if tried := fmt.Sprintf("%s of %s (%d)", name, path, n); !taken(tried) {
			return tried
		}
	}
}

// namer names the classes in per-sample files. The files do not say what the classes are: they are taken for
// ImageNet-1k's where the highest that occurs is one of its last hundred.
func namer(all ...Evaluation) func(class int) string {
	highest := -1
	for _, e := range all {
		for _, s := range e.Samples {
			for _, class := range slices.Concat(s.Labels, s.Top5) {
				highest = max(highest, class)
			}
		}
	}
	names := datasets.ImageNet1k()
	known := highest >= len(names)-100 && highest < len(names)
	return func(class int) string {
		if known && class >= 0 {
			return names[class].Name
		}
		return "class " + strconv.Itoa(class)
	}
}

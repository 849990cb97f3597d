package main

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/lessons"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/reports/findings"
	"zoobench/zoo"
)

// study reads study.yaml.
func study(t *testing.T) *experiment.File {
	t.Helper()
	file, err := experiment.Load("study.yaml", experiment.Known{
		Networks: func(pattern string) (names, nearest []string) {
			spec, err := zoo.Find(pattern)
			if err != nil {
				return nil, nil
			}
			return []string{spec.Name}, nil
		},
		Sets: datasets.Named,
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestStudyTrainsWhatClaimsRead compares the networks and recipes of study.yaml with those that claims lack without it.
func TestStudyTrainsWhatClaimsRead(t *testing.T) {
	want := map[string]bool{"pocket_resnet20.other-half": true} // where others begin
	for _, f := range findings.Test(nil, findings.Given{}) {
		for _, m := range f.Missing {
			if name, ok := strings.CutPrefix(m, "lessons of "); ok {
				want[name] = true
			}
		}
	}
	have := map[string]bool{}
	file := study(t)
	var names []string
	for _, e := range file.Experiments {
		names = append(names, e.Name)
		for _, model := range e.Models {
			for _, r := range e.Training.Recipes {
				name := model + "." + r.Name
				if have[name] {
					t.Errorf("%s learns twice", name)
				}
				have[name] = true
				if len(r.Seeds) < 3 {
					t.Errorf("%s: seeds %v, want three at least", name, r.Seeds)
				}
			}
		}
	}
	if !slices.Equal(names, file.Run) {
		t.Errorf("run has %q, want all of %q", file.Run, names)
	}
	if !maps.Equal(have, want) {
		for name := range want {
			if !have[name] {
				t.Errorf("%s: a claim reads it, and study.yaml does not train it", name)
			}
		}
		for name := range have {
			if !want[name] {
				t.Errorf("%s: study.yaml trains it, and no claim reads it", name)
			}
		}
	}
}

// TestStudyRuns runs a part of the study with few images and one epoch, from training to the report, and again, when nothing is
// left to do.
func TestStudyRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program and trains two networks: 20 s")
	}
	folder := t.TempDir()
	program, dir := filepath.Join(folder, "zoobench"), filepath.Join(folder, "run")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args := []string{"run", "study.yaml", "--out", dir, "--only", "study-dropout", "--set", "train.images=200", "--set", "train.epochs=1",
		"--set", "train.seeds=1,2"}
	for range 2 {
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		args = append(args, "--resume")
	}
	files, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.safetensors"))
	if err != nil || len(files) != 2 {
		t.Errorf("%d checkpoints, error %v, want 2", len(files), err)
	}
	all, problems, err := record.ReadFile(filepath.Join(dir, "results.jsonl"))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	samples := func(r *record.Record) ([]record.Sample, error) {
		return record.ReadSamples(filepath.Join(dir, r.SamplesFile))
	}
	taught := lessons.Gather(all, samples)
	if len(taught) != 2 {
		t.Fatalf("%d lessons, want 2", len(taught))
	}
	l := taught[0]
	if l.Network != "pocket_alexnet" || l.Recipe != "no-dropout" || l.Data != "shapes" ||
		l.Images != 200 || l.Epochs != 1 || l.Classes != 100 ||
		len(l.Test.Ranks) != 5000 || len(l.Curve) != 1 || l.Curve[0].Gradient <= 0 {
		t.Errorf("lesson %s by %s of %s: %d images, %d epochs, %d classes, %d answers, curve %v", l.Network, l.Recipe, l.Data, l.Images,
			l.Epochs, l.Classes, len(l.Test.Ranks), l.Curve)
	}
}

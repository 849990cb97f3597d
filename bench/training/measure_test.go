package training

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/shard"
	"zoobench/bench/shard/merge"
)

// TestMain makes the tests' own program serve as a worker process.
func TestMain(m *testing.M) {
	if os.Getenv("TRAINING_TEST_WORKER") != "" {
		list, err := tinyList()
		if err == nil {
			err = runner.WorkAlone(list, Measure, os.Stdin, os.Stdout)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// study has a pre-training on two of three colours, what follows from it, and a training from scratch on few images.
const study = `experiments:
  - name: study
    question: What helps?
    models: [tiny]
    no_tune: true
    train:
      data: %s
      held_out: 0.25
      epochs: 12
      batch: 8
      threads: 1
      learning_rate: 0.05
      seeds: [1, 2]
      recipes:
        - {name: pre, classes: 0-1, average: 0.9}
        - {name: fine, classes: 1-2, from: pre, images: [12, 20], epochs: 16, freeze: [conv]}
        - {name: scratch, classes: 1-2, dropout: false, augment: {flip: 0.5}}
  - name: again
    question: The same?
    models: [tiny]
    no_tune: true
    train: {data: %[1]s, held_out: 0.25, epochs: 12, batch: 8, learning_rate: 0.05, recipes: [{name: pre, classes: 0-1, average: 0.9}]}
`

// runStudy runs the study over a folder of colours, or goes on with it.
func runStudy(t *testing.T, data, dir string) runner.Summary {
	t.Helper()
	return runShare(t, data, dir, runner.Share{})
}

func runShare(t *testing.T, data, dir string, share runner.Share) runner.Summary {
	t.Helper()
	f, err := experiment.Parse("study.yaml", strings.NewReader(fmt.Sprintf(study, data)), runner.Known(tiny(t)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := runner.Run(t.Context(), runner.Options{
		List: tiny(t), File: f, Dir: dir, RunID: "study", Resume: true, Share: share,
		Worker: runner.Worker{Path: os.Args[0], Env: []string{"TRAINING_TEST_WORKER=1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestExperiment trains the networks of an experiment and evaluates what they learned.
func TestExperiment(t *testing.T) {
	data, dir := colours(t, 16), t.TempDir()
	s := runStudy(t, data, dir)
	if s.Tasks != 18 || s.Measured != 18 || len(s.Records) != 18 {
		t.Fatalf("%d tasks, %d measured, %d records; want 18 of each: %+v", s.Tasks, s.Measured, len(s.Records), s.Records)
	}
	trains := map[string]*record.Record{}
	for i := range s.Records {
		r := &s.Records[i]
		if err := r.Check(); err != nil || !r.Verdict.Valid || r.Training == nil {
			t.Fatalf("%s: %v, %+v", r.Name(), err, r)
		}
		key := r.Experiment + " " + r.Checkpoint
		if r.Kind == record.KindTrain {
			trains[key] = r
			continue
		}
		of := trains[key]
		if r.WeightsFile != of.WeightsFile || r.WeightsSHA256 != of.WeightsSHA256 || r.Training.RecipeSHA256 != of.Training.RecipeSHA256 ||
			len(r.Training.Curve) > 0 {
			t.Errorf("%s: evaluation of %s, training %+v; trained %s, %+v", r.Name(), r.WeightsFile, r.Training, of.WeightsFile, of.Training)
		}
		if r.Images != 8 || r.Top1Images < 6 || r.SamplesFile == "" {
			t.Errorf("%s: %d of %d images right, want 6 of 8 held out at least", r.Name(), r.Top1Images, r.Images)
		}
	}
	pre, fine, scratch := trains["study pre-s2"].Training, trains["study fine-n12-s2"].Training, trains["study scratch-s2"].Training
	if pre.Seed != 2 || pre.Images != 24 || pre.Classes != 2 || *pre.ClassRange != [2]int{0, 2} || pre.Epochs != 12 || len(pre.Curve) != 12 ||
		pre.Steps != 36 || pre.Batch != 8 || pre.Wall <= 0 || pre.ImagesPerSec <= 0 || pre.Top1 < 80 || pre.Curve[0].First <= 0 {
		t.Errorf("pre: %+v", pre)
	}
	if fine.Images != 12 || fine.StartSHA256 != trains["study pre-s2"].WeightsSHA256 || fine.Freeze[0] != "conv" || fine.Epochs != 16 {
		t.Errorf("fine: %+v, want 12 images and a start with %s", fine, trains["study pre-s2"].WeightsSHA256)
	}
	if pre.RecipeSHA256 != trains["study pre-s1"].Training.RecipeSHA256 || pre.RecipeSHA256 == scratch.RecipeSHA256 {
		t.Errorf("recipes: %s of pre, %s of scratch: want one a recipe", pre.RecipeSHA256, scratch.RecipeSHA256)
	}
	again := trains["again pre-s1"]
	if again.WeightsSHA256 != trains["study pre-s1"].WeightsSHA256 || again.Training.Wall != 0 || again.NotMeasured["wall_ns"] == "" {
		t.Errorf("the same training in another experiment: %+v", again.Training)
	}
	if s = runStudy(t, data, dir); s.Kept != 18 {
		t.Errorf("resumed, %d of 18 tasks are kept", s.Kept)
	}
	for i := range s.Records {
		before := &s.Records[i]
		if before.Kind != record.KindEval || before.Checkpoint != "fine-n12-s2" {
			continue
		}
		task, err := runner.Again(tiny(t), before, runner.Places{Weights: filepath.Join(dir, filepath.FromSlash(before.WeightsFile))})
		if err != nil {
			t.Fatal(err)
		}
		now, err := runner.Accuracy(t.Context(), tiny(t), task, runner.Watch{})
		if err != nil || now.Top1Images != before.Top1Images || now.DatasetSHA256 != before.DatasetSHA256 {
			t.Errorf("%s again: %v, %+v; want %d images right of the same ones", before.Name(), err, now, before.Top1Images)
		}
	}
	checkpoint := filepath.Join(dir, filepath.FromSlash(again.WeightsFile))
	if err := os.Remove(checkpoint); err != nil {
		t.Fatal(err)
	}
	s = runStudy(t, data, dir)
	if _, err := os.Stat(checkpoint); s.Kept != 14 || err != nil {
		t.Errorf("without a checkpoint, %d of 18 tasks are kept, want 14; %v", s.Kept, err)
	}
}

// TestKilledExperiment kills runs at random moments until one comes to its end: checkpoints and answers have the bits of a run that
// nobody disturbed.
func TestKilledExperiment(t *testing.T) {
	if dir := os.Getenv("TRAINING_TEST_STUDY"); dir != "" {
		runStudy(t, os.Getenv("TRAINING_TEST_DATA"), dir)
		return
	}
	data, undisturbed, dir := colours(t, 16), t.TempDir(), t.TempDir()
	start := time.Now()
	runStudy(t, data, undisturbed)
	whole := time.Since(start)
	r := rand.New(rand.NewPCG(uint64(start.UnixNano()), 0))
	for kills := 0; ; kills++ {
		ctx, cancel := context.WithCancel(t.Context())
		if kills < 5 {
			ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond+time.Duration(r.Int64N(int64(whole/3))))
		}
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilledExperiment$", "-test.count=1")
		cmd.Env = append(os.Environ(), "TRAINING_TEST_DATA="+data, "TRAINING_TEST_STUDY="+dir)
		output, err := cmd.CombinedOutput()
		killed := ctx.Err() != nil
		cancel()
		if err == nil {
			t.Logf("killed %d times", kills)
			break
		}
		if !killed {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	sameFiles(t, undisturbed, dir)
}

// TestShards trains in two shards, puts them together and has what one process leaves.
func TestShards(t *testing.T) {
	data, whole, merged := colours(t, 16), t.TempDir(), t.TempDir()
	runStudy(t, data, whole)
	var dirs []string
	for i := range 2 {
		dirs = append(dirs, t.TempDir())
		s := runShare(t, data, dirs[i], runner.Share{Shard: shard.Index{I: i, N: 2}, Kind: record.KindEval})
		if s.Tasks == 0 || s.Failed+s.Missing > 0 {
			t.Errorf("shard %d: %d tasks, %d failed, %d missing", i, s.Tasks, s.Failed, s.Missing)
		}
	}
	for n := range dirs {
		f, err := merge.Read(dirs[:n+1]...)
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.Write(merged, "study")
		if err != nil {
			t.Fatal(err)
		}
		trainings := 0
		for _, missing := range m.Missing {
			if missing.Kind == record.KindTrain {
				trainings++
			}
		}
		if len(m.Records)+len(m.Missing) != 18 || 2*trainings != len(m.Missing) || (n == 0) == (trainings == 0) {
			t.Errorf("%d shards: %d records, missing %v", n+1, len(m.Records), m.Missing)
		}
	}
	sameFiles(t, whole, merged)
}

// sameFiles compares the checkpoints and per-sample files of two runs' folders.
func sameFiles(t *testing.T, undisturbed, dir string) {
	t.Helper()
	for _, folder := range []string{"checkpoints", "samples"} {
		want, err := os.ReadDir(filepath.Join(undisturbed, folder))
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		names := func(all []os.DirEntry) (names []string) {
			for _, e := range all {
				names = append(names, e.Name())
			}
			return names
		}
		if !slices.Equal(names(have), names(want)) {
			t.Fatalf("%s: have %q, want %q", folder, names(have), names(want))
		}
		for _, name := range names(want) {
			if a, b := read(t, filepath.Join(undisturbed, folder, name)), read(t, filepath.Join(dir, folder, name)); !bytes.Equal(a, b) {
				t.Errorf("%s has other bytes than one run leaves", name)
			}
		}
	}
}

package ship

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/lessons"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/pocket"
	"zoobench/zoo/weights"
)

// testImages is the hash of the test images of shapes.
const testImages = "e8126afd2f3612e5c89ee51558dba8f31ca533c30301d4514debf9360bc1f060"

// shard makes the folder of a shard that trained a network from a seed: its weights are drawn, not learned.
func shard(t *testing.T, network, recipe string, seed uint64) string {
	t.Helper()
	dir := t.TempDir()
	spec, err := zoo.Find(network)
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(g.Params)
	var all []weights.Named
	for _, p := range g.Params {
		x, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, weights.Named{Name: p.Name, Shape: p.Shape, Data: x})
	}
	file := fmt.Sprintf("%s.%s-s%d.safetensors", network, recipe, seed)
	path := filepath.Join(dir, file)
	if err := weights.WriteFile(path, all, map[string]string{"seed": fmt.Sprint(seed)}); err != nil {
		t.Fatal(err)
	}
	sum, err := weights.HashFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	at := record.Record{
		Schema: record.Schema, RunID: "r", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Experiment: "study", Model: network,
		Machine: record.Machine{CPU: "c", Cores: 1, OS: "linux", Arch: "amd64", KernelBuild: "program 1"}, WeightsFile: file, WeightsSHA256: sum,
		Dataset: "shapes", Cost: &record.Cost{Params: 1, MACs: 1}, Verdict: record.Verdict{Valid: true}, ImgSize: 32, Batch: 8, Threads: 1,
	}
	trained, evaluated := at, at
	trained.Kind, trained.JobID = record.KindTrain, "t"
	trained.Training = &record.Training{
		Name: recipe, RecipeSHA256: "recipe", Seed: seed, Images: 100, Classes: 100, Epochs: 1, Steps: 2, Batch: 50,
		Curve: []record.Epoch{{Epoch: 1, Loss: 4}},
	}
	evaluated.Kind, evaluated.JobID, evaluated.SamplesFile = record.KindEval, "e", "samples.jsonl"
	evaluated.DatasetSHA256, evaluated.Accuracy = testImages, record.NewAccuracy(5000, 50, 250, nil)
	if err := record.WriteFile(filepath.Join(dir, record.FileName), []record.Record{trained, evaluated}); err != nil {
		t.Fatal(err)
	}
	line := `{"file":"a","label":1,"top5":[2,1,3,4,5],"scores":[5,4,3,2,1],"log_sum":6}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "samples.jsonl"), []byte(line), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// source makes the folders of the program's source that are written to.
func source(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"zoo/pocket/study", "bench/lessons"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestWrite writes what a part of a study has, twice the same, and lists the rest.
func TestWrite(t *testing.T) {
	empty := t.TempDir() // a shard that has not begun
	one := shard(t, "pocket_resnet8", "base", 1)
	s, err := Read(empty, one, shard(t, "pocket_resnet8", "base", 2), one)
	if err != nil {
		t.Fatal(err)
	}
	file, err := experiment.Load(filepath.Join("..", "..", "study.yaml"), runner.Known(zoo.Default()))
	if err != nil {
		t.Fatal(err)
	}
	missing, err := s.Missing(file)
	if err != nil || !slices.Contains(missing, "pocket_resnet8.base (seed 3)") ||
		!slices.Contains(missing, "pocket_resnet20.tuned-10 (seeds 1, 2, 3)") {
		t.Errorf("missing %q, error %v", missing, err)
	}
	root := source(t)
	var before []byte
	for range 2 {
		said := 0
		all, err := s.Write(t.Context(), zoo.Default(), root, func(*pocket.Weights) { said++ })
		if err != nil || len(all) != 1 || said != 1 {
			t.Fatalf("%d networks, %d said, error %v, want one", len(all), said, err)
		}
		w := all[0]
		if w.Recipe != "base" || w.Seed != 1 || w.Program != "program 1" || w.Whole.Top1 != 50 || w.Test.Images != 5000 ||
			w.Part.Images != part || w.Test.SHA256 != testImages {
			t.Errorf("%+v", w)
		}
		data, err := os.ReadFile(filepath.Join(root, "zoo/pocket/study", pocket.File("pocket_resnet8")))
		if err != nil || before != nil && !slices.Equal(before, data) {
			t.Errorf("%d bytes, error %v, want %d as the first time", len(data), err, len(before))
		}
		before = data
		again, err := pocket.Read(os.DirFS(filepath.Join(root, "zoo/pocket/study")))
		if err != nil || len(again) != 1 || again[0].Test != w.Test || again[0].SHA256 != w.SHA256 {
			t.Errorf("the index has %+v, error %v, want %+v", again, err, w)
		}
	}
	learned, err := os.Open(filepath.Join(root, "bench/lessons", lessons.StudyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer learned.Close()
	all, err := lessons.Read(learned)
	if err != nil || len(all) != 2 || all[1].Seed != 2 || all[1].Test.Ranks != "2" || all[1].SHA256 == "" || all[1].Program != "program 1" {
		t.Errorf("lessons %+v, error %v", all, err)
	}
}

// TestRefused names what is wrong with folders.
func TestRefused(t *testing.T) {
	changed := shard(t, "pocket_resnet8", "base", 1)
	file := filepath.Join(changed, "pocket_resnet8.base-s1.safetensors")
	if err := weights.WriteFile(file, []weights.Named{{Name: "a", Data: []float32{1}}}, nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, dir, root, want string }{
		{"no folder", filepath.Join(t.TempDir(), "none"), source(t), "none"},
		{"no source", shard(t, "pocket_resnet8", "base", 1), t.TempDir(), "want the program's source"},
		{"another checkpoint", changed, source(t), "as its record has it"},
	} {
		s, err := Read(test.dir)
		if err == nil {
			_, err = s.Write(t.Context(), zoo.Default(), test.root, func(*pocket.Weights) {})
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// tie is a difference of two scores below which the order of the two classes may depend on the instructions.
const tie = 1e-3

// TestShippedWeights counts what each network's weights in the program make of a part of the test images: as many right as the
// index has. An image whose right class is that close to another may be counted either way.
func TestShippedWeights(t *testing.T) {
	for _, w := range pocket.All() {
		t.Run(w.Network, func(t *testing.T) {
			data, err := w.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "weights.safetensors")
			if err := os.WriteFile(file, data, 0o666); err != nil {
				t.Fatal(err)
			}
			close := 0
			have, err := count(t.Context(), zoo.Default(), &w, file, w.Part.Images, runner.Watch{Sample: func(s runner.Sample) error {
				if len(s.Scores) > 1 && s.Scores[0]-s.Scores[1] < tie {
					close++
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			if off := have.Top1 - w.Part.Top1; have.SHA256 != w.Part.SHA256 || have.Images != w.Part.Images || max(off, -off) > close {
				t.Errorf("%+v, want %+v but for %d images that are close", have, w.Part, close)
			}
		})
	}
}

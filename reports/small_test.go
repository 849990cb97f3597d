package reports

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/record"
	"zoobench/reports/findings"
)

// smallRecords are a network for ImageNet and two small ones, timed and evaluated, in one run.
func smallRecords(t *testing.T) (all []record.Record) {
	t.Helper()
	for i, name := range []string{"resnet18", "pocket_resnet20", "pocket_vgg11"} {
		l := zoo(t)[i+1]
		l.Model, l.Family, l.NotMeasured = name, "resnet", nil
		if i > 0 {
			l.Experiment, l.Family, l.Checkpoint, l.ImgSize = "pocket", findings.SmallFamily, shippedTag, 32
		}
		l.Published = nil
		e := l
		e.Kind, e.Timing, e.Footprint, e.ImagesPerSec = record.KindEval, nil, nil, 20
		e.Recipe = &record.Recipe{ImgSize: l.ImgSize, CropPct: 1, Interpolation: "bicubic"}
		e.Dataset, e.DatasetSHA256 = "shapes", "hash"
		e.Accuracy = record.NewAccuracy(5000, 4000-i, 4900, nil)
		if i == 0 {
			e.Dataset, e.DatasetSHA256 = "val", "other"
		}
		all = append(all, l, e)
	}
	return all
}

// TestSmallApart gives small networks a table and a plot of their own, and keeps them out of all others.
func TestSmallApart(t *testing.T) {
	r, err := newRun(smallRecords(t), nil)
	if err != nil || len(r.problems) > 0 {
		t.Fatal(err, r.problems)
	}
	if len(r.rows) != 1 || len(r.small) != 2 || len(r.tabled()) != 3 {
		t.Fatalf("%d rows, %d of small networks, want 1 and 2", len(r.rows), len(r.small))
	}
	dir := t.TempDir()
	if _, err := Write(dir, smallRecords(t), nil, findings.Given{}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		file string
		has  map[string]bool
	}{
		{"small_accuracy_latency.svg", map[string]bool{"pocket_resnet20": true, "pocket_vgg11": true, "resnet18": false, "about ImageNet": true}},
		{"latency.svg", map[string]bool{"pocket_": false, "resnet18": true}},
		{"accuracy_latency.svg", map[string]bool{"pocket_": false, "resnet18": true}},
		{"report.md", map[string]bool{"They say nothing about ImageNet": true, "pocket_resnet20.study": true}},
		{"report.html", map[string]bool{"They say nothing about ImageNet": true, `<h2 id="small-title">Small networks</h2>`: true,
			`"model":"pocket_resnet20"`: false}},
	} {
		text, err := os.ReadFile(filepath.Join(dir, test.file))
		if err != nil {
			t.Fatal(err)
		}
		for what, want := range test.has {
			if bytes.Contains(text, []byte(what)) != want {
				t.Errorf("%s: has %q: %v, want %v", test.file, what, !want, want)
			}
		}
	}
	t1 := newTable(r.small, 0)
	if slices.Contains(t1.heads, "published top-1 %") || !strings.Contains(t1.caption, "5000 images of shapes") {
		t.Errorf("heads %q, caption %q", t1.heads, t1.caption)
	}
	for _, f := range findings.Test(smallRecords(t), findings.Given{}) {
		if f.Tier != findings.Studied && strings.Contains(f.Summary, "pocket_") {
			t.Errorf("%s rests on small networks: %s", f.ID, f.Summary)
		}
	}
	alone, err := newRun(smallRecords(t)[2:], nil)
	if err != nil || len(alone.rows) != 2 || len(alone.small) != 0 {
		t.Errorf("a run of small networks alone: %d rows, %d apart, error %v", len(alone.rows), len(alone.small), err)
	}
}

// trainedRecords are so many trainings of networks, from three seeds each.
func trainedRecords(t *testing.T, networks int) (all []record.Record) {
	t.Helper()
	at := zoo(t)[1]
	for n := range networks {
		for seed := range 3 {
			r := record.Record{
				Kind: record.KindTrain, Schema: record.Schema, RunID: at.RunID, JobID: fmt.Sprint(n, seed), Experiment: "study", Time: at.Time,
				Machine: at.Machine, Model: fmt.Sprint("net", n), Family: findings.SmallFamily, Verdict: record.Verdict{Valid: true},
				WeightsFile: fmt.Sprint(n, "-", seed), WeightsSHA256: "h", Dataset: "shapes", Cost: &record.Cost{Params: 1, MACs: 1},
				Training: &record.Training{Name: "base", RecipeSHA256: "h", Seed: uint64(seed + 1), Images: 100, Classes: 10, Epochs: 2, Batch: 10,
					Curve: []record.Epoch{{Epoch: 1, Loss: 3, HeldTop1: 10 + float64(seed)}, {Epoch: 2, Loss: 1, HeldTop1: 60}}},
			}
			all = append(all, r)
		}
	}
	return all
}

// TestLearningCurves draws a line for each seed, or of many trainings the means of seeds in several plots.
func TestLearningCurves(t *testing.T) {
	for _, test := range []struct {
		networks, plots int
		want, not       string
	}{
		{2, 1, "net1, seed 3", "means over seeds"},
		{6, 1, "means over seeds", "seed 3"},
		{20, 2, "net13", "net14"},
		{100, maxLearning, "part 1", "Only the first"},
	} {
		r, err := newRun(trainedRecords(t, test.networks), nil)
		if err != nil || len(r.problems) > 0 {
			t.Fatal(err, r.problems)
		}
		figures := r.learningCurves()
		if len(figures) != 2*test.plots {
			t.Errorf("%d networks: %d plots, want %d of each kind", test.networks, len(figures), test.plots)
			continue
		}
		var b bytes.Buffer
		if err := figures[0].SVG(&b); err != nil {
			t.Fatal(err)
		}
		if text := b.String(); !strings.Contains(text, test.want) || strings.Contains(text, test.not) {
			t.Errorf("%d networks: want %q and not %q", test.networks, test.want, test.not)
		}
		last := figures[test.plots-1]
		if cut := strings.Contains(last.Note, "Only the first 56 of 100"); cut != (test.networks == 100) {
			t.Errorf("%d networks: note %q", test.networks, last.Note)
		}
	}
	values := learningKinds()[0].values(trainedRecords(t, 1)[0].Training, trainedRecords(t, 1)[1].Training, trainedRecords(t, 1)[2].Training)
	if v := values[0]; v.Y != 11 || v.Lo != 10 || v.Hi != 12 || len(values) != 2 {
		t.Errorf("means %+v, want 11 from 10 to 12 first", values)
	}
}

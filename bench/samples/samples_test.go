package samples

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
)

// made is an evaluation of 100 images of 10 classes in which right says of which rank the right answer is. The last image
// cannot be read.
func made(name string, right func(i int) int) Evaluation {
	e := Evaluation{Name: name, Path: name + ".jsonl"}
	for i := range 100 {
		label := i % 10
		top5 := []int{(label + 1) % 10, (label + 2) % 10, (label + 3) % 10, (label + 4) % 10, (label + 5) % 10}
		if rank := right(i); rank > 0 {
			top5[rank-1] = label
		}
		s := record.Sample{
			File: fmt.Sprintf("%02d.png", i), Labels: []int{label}, Top5: top5, Scores: []float32{5, 4, 3, 2, 1}, LogSum: 5 + float64(i)/100,
		}
		if i == 99 {
			s = record.Sample{File: "99.png", Labels: []int{label}, Error: "broken"}
		}
		e.Samples = append(e.Samples, s)
	}
	return e
}

func rankIf(right bool, rank int) int {
	if right {
		return rank
	}
	return 0
}

// write writes an evaluation's file.
func write(t *testing.T, path string, e Evaluation) {
	t.Helper()
	w, err := record.NewSampleWriter(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range e.Samples {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(nil); err != nil {
		t.Fatal(err)
	}
}

// TestReadOneName reads files of one name: each evaluation gets another.
func TestReadOneName(t *testing.T) {
	top := t.TempDir()
	var paths []string
	for _, dir := range []string{"a", "b", filepath.Join("c", "b")} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o777); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(top, dir, "out.jsonl")
		write(t, path, made("", func(int) int { return 1 }))
		paths = append(paths, path)
	}
	all, err := Read(append(paths, paths[2])...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	want := []string{"out", "out of out.jsonl", "out of " + paths[2], "out of " + paths[2] + " (2)"}
	if !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}

// TestReadRun reads a run's folder, in which one of two evaluations was measured again and a third has no file.
func TestReadRun(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a folder without records: error %v", err)
	}
	log, err := record.OpenLog(filepath.Join(dir, record.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	add := func(job, model, file string, right int) {
		t.Helper()
		r := &record.Record{
			Kind: record.KindEval, RunID: "run", JobID: job, Time: time.Unix(1, 0), Machine: record.Machine{CPU: "some"}, Model: model,
			Accuracy: record.NewAccuracy(100, right, right, nil), SamplesFile: file, Verdict: record.Verdict{Valid: true},
		}
		if err := log.Append(r); err != nil {
			t.Fatal(err)
		}
		if file != "" {
			write(t, filepath.Join(dir, file), made(model, func(i int) int { return rankIf(i < right, 1) }))
		}
	}
	add("1", "none", "", 10)
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "no evaluation with a per-sample file") {
		t.Errorf("a run without per-sample files: error %v", err)
	}
	add("2", "net", "net.jsonl", 20)
	add("3", "other", "other.jsonl", 30)
	add("2", "net", "again.jsonl", 40)
	all, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, e := range all {
		got[e.Name] = e.Record.Top1
		if want := filepath.Join(dir, e.Record.SamplesFile); e.Path != want || len(e.Samples) != 100 {
			t.Errorf("%s: %d samples of %s, want 100 of %s", e.Name, len(e.Samples), e.Path, want)
		}
	}
	if len(all) != 2 || got["net"] != 40 || got["other"] != 30 {
		t.Errorf("read %v, want net with 40 and other with 30", got)
	}
}

func TestClasses(t *testing.T) {
	// Images of even classes are right, the first of each odd class is within five.
	rows := Classes(made("net", func(i int) int { return rankIf(i%2 == 0 || i < 10, 1+i%2*4) }))
	if len(rows) != 10 || rows[0].Class != 1 || rows[0].Top1 != 0 || rows[0].Top5 != 10 ||
		rows[9].Class != 8 || rows[9].Top1 != 100 || rows[9].Images != 10 {
		t.Errorf("classes: %+v", rows)
	}
	if rows[0].Name != "class 1" {
		t.Errorf("a set of ten classes has ImageNet's names: %q", rows[0].Name)
	}
	e := made("net", func(int) int { return 1 })
	e.Samples[5].Labels = []int{980}
	for _, row := range Classes(e) {
		if row.Class == 980 && row.Name != "volcano" {
			t.Errorf("class 980 of ImageNet-1k: %q, want volcano", row.Name)
		}
	}
}

func TestConfusions(t *testing.T) {
	rows := Confusions(made("net", func(i int) int { return rankIf(i%2 == 0 || i < 10, 1+i%2*4) }))
	want := Confusion{Label: 1, LabelName: "class 1", Taken: 2, TakenName: "class 2", Images: 10, Share: 100, Example: "01.png"}
	if len(rows) != 5 || rows[0] != want {
		t.Errorf("got %+v, want five of which the first is %+v", rows, want)
	}
}

func TestCalibrate(t *testing.T) {
	e := made("net", func(i int) int { return rankIf(i%2 == 0, 1) })
	c, err := Calibrate(e)
	if err != nil {
		t.Fatal(err)
	}
	images, sum := 0, 0.0
	for _, b := range c.Bins {
		if images += b.N; b.N > 0 {
			sum += math.Abs(b.Accuracy-b.Confidence) * float64(b.N) / 99
		}
	}
	if images != 99 || c.ECE < 0.05 || math.Abs(sum-c.ECE) > 1e-12 {
		t.Errorf("%d images, error %v, of the bins %v; want 99 and two that are one", images, c.ECE, sum)
	}
	if again, _ := Calibrate(e); c.Perfect.Hi >= c.ECE || again.Perfect != c.Perfect {
		t.Errorf("half right where all is sure: error %v, by chance %+v, again %+v", c.ECE, c.Perfect, again.Perfect)
	}
	e.Samples[3].LogSum = math.NaN()
	if _, err := Calibrate(e); err == nil || !strings.Contains(err.Error(), "net.jsonl: 03.png: no probability") {
		t.Errorf("a file without probabilities: error %v", err)
	}
	e.Samples = e.Samples[99:]
	if _, err := Calibrate(e); err == nil || !strings.Contains(err.Error(), "no labelled image that could be read") {
		t.Errorf("a file of an unreadable image: error %v", err)
	}
}

func TestDisagreements(t *testing.T) {
	one := made("one", func(i int) int { return rankIf(i < 50, 1) })
	other := made("other", func(i int) int { return rankIf(i >= 2 && i < 50, 1) })
	list, shared, err := Disagreements(one, other)
	if err != nil || len(list) != 2 || shared != 99 {
		t.Fatalf("%d of %d, error %v; want 2 of 99", len(list), shared, err)
	}
	d := list[0]
	if d.File != "00.png" || !slices.Equal(d.LabelNames, []string{"class 0"}) ||
		d.A != (Answer{0, "class 0", 1, true}) || d.B != (Answer{1, "class 1", 1, false}) {
		t.Errorf("the surest: %+v", d)
	}
	// Without probabilities the lead over the second class counts.
	for i := range one.Samples {
		one.Samples[i].LogSum, other.Samples[i].LogSum = math.NaN(), math.NaN()
	}
	one.Samples[1].Scores = []float32{9, 1, 1, 1, 1}
	if list, _, err = Disagreements(one, other); err != nil || list[0].File != "01.png" || list[0].A.Probability != 0 {
		t.Errorf("by the leads: %+v, error %v", list, err)
	}
	_, _, err = Disagreements(one, Evaluation{Path: "empty.jsonl"})
	if err == nil || !strings.Contains(err.Error(), "no image in common") {
		t.Errorf("of nothing: error %v", err)
	}
}

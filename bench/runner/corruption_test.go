package runner

import (
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets/corrupt"
)

// TestAccuracyCorrupted measures an accuracy with and without a corruption: the record names it, the scores are others and
// the same again, and the published figures of clean images are not beside it.
func TestAccuracyCorrupted(t *testing.T) {
	dir := images(t)
	file := filepath.Join(t.TempDir(), "tiny.safetensors")
	writeWeights(t, file, 10)
	measure := func(corruption string, seed uint64, batch int) (*record.Record, []Sample, error) {
		job := experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: dir, Seed: seed}}
		job.Corruption, job.Batch = corruption, batch
		var seen []Sample
		r, err := Accuracy(t.Context(), misbehaving(), Task{Job: job, Weights: file}, Watch{Sample: func(s Sample) error {
			s.Err = nil
			seen = append(seen, s)
			return nil
		}})
		return r, seen, err
	}
	clean, plain, err := measure("", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, seen, err := measure("gaussian_noise:5", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.RanWith().Corruption; got != "gaussian_noise:5" || r.Asked.Corruption != got || clean.RanWith().Corruption != "" {
		t.Errorf("recorded %q, asked %q, clean %q", got, r.Asked.Corruption, clean.RanWith().Corruption)
	}
	if by := corrupt.Source(r.Recipe.ImgSize, 0); r.CorruptedBy != by || clean.CorruptedBy != "" {
		t.Errorf("corrupted by %q, clean by %q, want %q", r.CorruptedBy, clean.CorruptedBy, by)
	}
	if r.DatasetSHA256 != clean.DatasetSHA256 {
		t.Error("the images have another hash: they are the same files")
	}
	if r.Published != nil && r.Published.Top1 != 0 {
		t.Errorf("published figures of clean images: %+v", r.Published)
	}
	if reflect.DeepEqual(seen[0].Scores, plain[0].Scores) {
		t.Error("the corruption changes no score")
	}
	if _, again, _ := measure("gaussian_noise:5", 0, 2); !reflect.DeepEqual(seen[0].Scores, again[0].Scores) {
		t.Errorf("again: %v, was %v", again[0].Scores, seen[0].Scores)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // as many workers prepare images
	_, alone, _ := measure("gaussian_noise:5", 0, 1)
	runtime.GOMAXPROCS(4)
	_, four, _ := measure("gaussian_noise:5", 0, 1)
	if !reflect.DeepEqual(alone, seen) || !reflect.DeepEqual(four, seen) {
		t.Errorf("one worker: %v, four: %v, had %v", alone, four, seen)
	}
	if _, other, _ := measure("gaussian_noise:5", 1, 1); reflect.DeepEqual(seen[0].Scores, other[0].Scores) {
		t.Error("another seed has the same scores")
	}
	if _, _, err := measure("rain:1", 0, 1); err == nil || !strings.Contains(err.Error(), `corruption: unknown corruption "rain:1"`) {
		t.Errorf("error %v, want one that lists the corruptions", err)
	}
	again, err := Again(misbehaving(), r, Places{Weights: file})
	if err != nil || again.Corruption != "gaussian_noise:5" {
		t.Errorf("repeated with %q, error %v", again.Corruption, err)
	}
	other := *r
	other.CorruptedBy = "another program"
	if v := Judge(r, r); v.Verdict != Holds {
		t.Errorf("the same row: %+v", v)
	}
	if v := Judge(&other, r); v.Verdict != Undecided || !strings.Contains(strings.Join(v.Why, "; "), "were another program") {
		t.Errorf("images corrupted by another program: %+v", v)
	}
}

func TestKnownCorruptions(t *testing.T) {
	all, err := Known(misbehaving()).Corruptions("all")
	if err != nil || len(all) != 15*corrupt.Severities || !slices.Contains(all, "jpeg_compression:5") {
		t.Errorf("%d corruptions, error %v", len(all), err)
	}
	if none, err := Known(misbehaving()).Corruptions("none"); err != nil || !slices.Equal(none, []string{""}) {
		t.Errorf("none is %q, error %v", none, err)
	}
}

package runner

import (
	"slices"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
)

// TestPipeline measures the stages of a few pictures in a worker; the broken one keeps its place.
func TestPipeline(t *testing.T) {
	task := Task{Job: experiment.Job{Model: "tiny", Axes: record.Axes{Batch: 2, Threads: 1},
		Accuracy: &experiment.Accuracy{Data: images(t)}}, Pipeline: true}
	r, err := testWorker().Measure(t.Context(), task, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RunID = "test"
	if r.Kind != record.KindPipeline || r.Pipeline == nil || r.PipelineN != 3 || r.Decode <= 0 || r.Preprocess <= 0 || r.Forward <= 0 ||
		r.EndToEnd <= 0 ||
		r.ImagesPerSec <= 0 || r.Threads != 1 || r.Batch != 2 || r.DatasetSHA256 == "" {
		t.Errorf("got %s row, %+v, %.1f images/s, %d threads, batch %d", r.Kind, r.Pipeline, r.ImagesPerSec, r.Threads, r.Batch)
	}
	if want := "1 of 3 images could not be read"; r.Verdict.Valid || !slices.Contains(r.Verdict.Reasons, want) {
		t.Errorf("verdict %+v, want it not valid: %s", r.Verdict, want)
	}
	r.Schema = record.Schema
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	task.Job.Accuracy = &experiment.Accuracy{Data: t.TempDir()}
	if _, err := testWorker().Measure(t.Context(), task, nil); err == nil ||
		!strings.Contains(err.Error(), "no class folders and no images") {
		t.Errorf("an empty folder: error %v", err)
	}
}

package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// quiet stands for a machine that is measured in no time.
func quiet(context.Context) (Host, error) {
	return Host{Host: record.Host{PeakGFLOPS: 1, ReadGBytes: 1, TimerStep: 1, TimerCost: 1}}, nil
}

// options are those of a run of text's experiments in a folder of its own, with an empty cache.
func options(t *testing.T, text string) Options {
	t.Helper()
	return Options{
		List: misbehaving(), File: parse(t, text), Dir: filepath.Join(t.TempDir(), "run"), RunID: "test-run",
		Cache: Cache{t.TempDir()}, Worker: testWorker(), Host: quiet,
	}
}

// rows are a run's records but those of the machine.
func rows(records []record.Record) (found []record.Record) {
	for _, r := range records {
		if r.Kind != record.KindHost {
			found = append(found, r)
		}
	}
	return found
}

const trouble = `
experiments:
  - name: trouble
    question: Do the others run?
    models: [panics, tiny, hangs, leaves, mumbles, misfits, small]
    latency: {min_duration: 20ms, max_duration: 1s}
    accuracy: {}
    timeout: 1500ms
`

func TestFailuresAreRows(t *testing.T) {
	o := options(t, trouble)
	s, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if s.Tasks != 14 || s.Measured != 2 || s.Failed != 5 || s.Missing != 7 || s.Interrupted {
		t.Errorf("summary: got %d tasks, %d measured, %d failed, %d missing; want 14, 2, 5, 7", s.Tasks, s.Measured, s.Failed, s.Missing)
	}
	reasons := map[string]string{
		"panics":  "panic: a layer too many",
		"hangs":   "not done after 1.5s",
		"leaves":  "said before it left (exit status 3)",
		"mumbles": `worker: message "not a message\n"`,
		"misfits": "size 16 does not suit it",
	}
	records, problems, err := record.ReadFile(filepath.Join(o.Dir, record.FileName))
	if err != nil || len(problems) > 0 {
		t.Fatalf("log: problems %v, error %v", problems, err)
	}
	all := rows(record.Current(records))
	for i, r := range all {
		if i < 7 != (r.Kind == record.KindLatency) {
			t.Errorf("row %d is a %s row: timed jobs come first", i, r.Kind)
		}
		if r.RunID != "test-run" || r.JobID == "" || r.Experiment != "trouble" || r.Machine.CPU == "" {
			t.Errorf("%s: run %q, job %q, experiment %q, CPU %q: all want a value", r.Model, r.RunID, r.JobID, r.Experiment, r.Machine.CPU)
		}
		want, fails := reasons[r.Model]
		switch {
		case r.Kind == record.KindEval:
			if why := r.Why("top1"); !strings.Contains(why, "no checkpoint in the cache folder; fetch one with zoobench pull, or put one into ") {
				t.Errorf("%s: why there is no top-1: got %q", r.Model, why)
			}
		case fails:
			if r.Verdict.Valid || len(r.Verdict.Reasons) != 1 || !strings.Contains(r.Verdict.Reasons[0], want) {
				t.Errorf("%s: verdict %+v, want a reason with %q", r.Model, r.Verdict, want)
			}
		default:
			if r.Timing == nil || r.Footprint == nil || r.N == 0 || r.Batch != 1 || r.Threads != 1 || len(r.Layers) == 0 {
				t.Errorf("%s: timing %v, footprint %v, layers %d", r.Model, r.Timing != nil, r.Footprint != nil, len(r.Layers))
			}
			if runtime.GOOS == "linux" && r.PeakRSSBytes < 1<<20 {
				t.Errorf("%s: peak of %d bytes, want that of a process", r.Model, r.PeakRSSBytes)
			}
		}
	}
	crash, err := filepath.Glob(filepath.Join(o.Dir, "crashes", "panics-*.txt"))
	if err != nil || len(crash) != 1 {
		t.Fatalf("crash files of panics: %v, error %v; want one", crash, err)
	}
	if text, err := os.ReadFile(crash[0]); err != nil || !strings.Contains(string(text), "goroutine ") {
		t.Errorf("crash file: got %.80q, error %v; want the stack", text, err)
	}
}

func TestMemoryLimit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the limit on memory is held on Linux only")
	}
	s, err := Run(t.Context(), options(t, `
experiments:
  - name: memory
    question: Is the limit held?
    models: [grows]
    latency: {min_duration: 20ms}
    max_memory: 256MiB
    timeout: 30s
`))
	if err != nil {
		t.Fatal(err)
	}
	reason := strings.Join(rows(s.Records)[0].Verdict.Reasons, "")
	if s.Failed != 1 || !strings.Contains(reason, "of memory, may take 256 MiB") {
		t.Errorf("failed %d, reason %q; want 1 and the limit", s.Failed, reason)
	}
}

const two = `
experiments:
  - name: two
    question: Does it go on?
    models: [tiny, small]
    latency: {min_duration: 20ms}
    timeout: 30s
`

func TestInterruptAndResume(t *testing.T) {
	o := options(t, two)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Events.Done = func(*record.Record) { cancel() }
	s, err := Run(ctx, o)
	if err != nil || !s.Interrupted || s.Measured != 1 {
		t.Fatalf("interrupted %t after %d measurements, error %v; want true after 1", s.Interrupted, s.Measured, err)
	}

	o.Events = Events{}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "has a run already") {
		t.Errorf("again without resume: got error %v", err)
	}

	o.Resume, o.RunID = true, "another"
	s, err = Run(t.Context(), o)
	if err != nil || s.Interrupted || s.Kept != 1 || s.Measured != 1 {
		t.Fatalf("resumed: kept %d, measured %d, interrupted %t, error %v; want 1, 1, false", s.Kept, s.Measured, s.Interrupted, err)
	}
	var models []string
	for _, r := range rows(s.Records) {
		models = append(models, r.Model)
		if r.RunID != "test-run" {
			t.Errorf("%s: run %q, want the first one's", r.Model, r.RunID)
		}
	}
	if !slices.Equal(models, []string{"tiny", "small"}) {
		t.Errorf("networks: got %v, want tiny, small", models)
	}

	s, err = Run(t.Context(), o)
	if err != nil || s.Kept != 2 || s.Measured != 0 {
		t.Errorf("resumed with nothing left: kept %d, measured %d, error %v; want 2, 0", s.Kept, s.Measured, err)
	}
}

func TestInterruptEndsTheJobUnderWay(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	s, err := Run(ctx, options(t, strings.Replace(trouble, "panics, tiny, hangs, leaves, mumbles, misfits, small", "hangs", 1)))
	if err != nil || !s.Interrupted || len(rows(s.Records)) != 0 {
		t.Errorf("interrupted %t, %d rows, error %v; want true, 0", s.Interrupted, len(rows(s.Records)), err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v to stop", took)
	}
}

// TestKept tells which records of an earlier run stand for a task of this one.
func TestKept(t *testing.T) {
	cache := Cache{t.TempDir()}
	if err := os.MkdirAll(cache.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache.Weights(), "tiny.mine.safetensors")
	writeWeights(t, file, 3)
	sum, err := weights.HashFile(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	images := experiment.Accuracy{Data: "val/", Labels: "labels.txt"}
	for _, c := range []struct {
		name   string
		change func(rec *record.Record, p *planned)
		want   bool
	}{
		{"all as it was", func(*record.Record, *planned) {}, true},
		{"other weights of the same name", func(rec *record.Record, _ *planned) { rec.WeightsSHA256 = "another" }, false},
		{"another program", func(rec *record.Record, _ *planned) { rec.Machine.KernelBuild = "another" }, false},
		{"other instructions", func(rec *record.Record, _ *planned) { rec.Machine.ISA = "another" }, false},
		{"other images", func(_ *record.Record, p *planned) { p.Job.Accuracy.Data = "test" }, false},
		{"the same images by another name", func(_ *record.Record, p *planned) { p.Job.Accuracy.Data = "./val/../val" }, true},
		{"other labels", func(_ *record.Record, p *planned) { p.Job.Accuracy.Labels = "" }, false},
		{"the images are gone", func(_ *record.Record, p *planned) { p.missing = "no images" }, true},
		{"its per-sample file is gone", func(rec *record.Record, _ *planned) { rec.SamplesFile = "samples/gone.jsonl" }, false},
		{"it failed", func(rec *record.Record, _ *planned) { rec.Accuracy = nil }, false},
		{"still nothing to measure it with", func(rec *record.Record, p *planned) {
			rec.Accuracy, rec.NotMeasured, p.missing = nil, map[string]string{"top1": "no images"}, "no images"
		}, true},
		{"something else is missing", func(rec *record.Record, p *planned) {
			rec.Accuracy, rec.NotMeasured, p.missing = nil, map[string]string{"top1": "no images"}, "no checkpoint"
		}, false},
	} {
		rec := &record.Record{
			Machine: thisMachine(), WeightsSHA256: sum, Accuracy: &record.Accuracy{}, Dataset: "val", LabelsFile: "labels.txt",
		}
		of := images
		p := planned{Task: Task{Job: experiment.Job{Accuracy: &of}, Tag: "mine", Weights: file}}
		c.change(rec, &p)
		if got := kept(cache.Dir, rec, p); got != c.want {
			t.Errorf("%s: kept %t, want %t", c.name, got, c.want)
		}
	}
	if kept("", nil, planned{}) {
		t.Error("no record: kept")
	}
}

const slower = `
experiments:
  - name: slower
    question: Is it?
    models: [tiny]
    latency: {min_duration: 20ms, min_samples: 11}
`

// TestResumeWithoutCheckpoint removes a checkpoint after it was evaluated and timed: its rows stay.
func TestResumeWithoutCheckpoint(t *testing.T) {
	o := options(t, `
experiments:
  - name: both
    question: How accurate and how fast?
    models: [tiny]
    latency: {min_duration: 20ms, min_samples: 11}
    accuracy: {}
    timeout: 1m
`)
	o.Data = images(t)
	if err := os.MkdirAll(o.Cache.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.Cache.Weights(), "tiny.mine.safetensors")
	writeWeights(t, file, 2)
	s, err := Run(t.Context(), o)
	if err != nil || s.Measured != 2 {
		t.Fatalf("%d measured, error %v; want 2", s.Measured, err)
	}
	before := len(s.Records)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	o.File.Experiments[0].Timeout = 2 * time.Minute // changes nothing that is measured
	s, err = Run(t.Context(), o)
	if err != nil || s.Kept != 2 || s.Measured != 0 || len(s.Records) != before {
		t.Errorf("the checkpoint gone: kept %d, measured %d, %d records of %d, error %v; want 2, 0", s.Kept, s.Measured, len(s.Records),
			before, err)
	}
}

// TestResumeRefuses tells which earlier runs cannot be gone on with in one report.
func TestResumeRefuses(t *testing.T) {
	o := options(t, slower)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	changed := options(t, strings.Replace(slower, "20ms", "30ms", 1))
	changed.Dir, changed.Resume = o.Dir, true
	if _, err := Run(t.Context(), changed); err == nil || !strings.Contains(err.Error(), "tiny of experiment slower with settings") {
		t.Errorf("settings changed: %v, want an error that names network and experiment", err)
	}
	slow := o
	slow.Host = func(context.Context) (Host, error) { return Host{Host: record.Host{PeakGFLOPS: 0.7}}, nil }
	slow.File = parse(t, slower+"    batch: [1, 2]\n")
	if _, err := Run(t.Context(), slow); err == nil || !strings.Contains(err.Error(), "GFLOP/s at its peak") {
		t.Errorf("a slower processor: %v, want an error that names its peak", err)
	}
	path := filepath.Join(o.Dir, record.FileName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cores := fmt.Sprintf(`"cores":%d`, record.ThisMachine().Cores)
	if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte(cores), []byte(`"cores":4711`)), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "4711 cores") {
		t.Errorf("another machine: %v, want an error that names both", err)
	}
}

// writeWeights writes a checkpoint of tiny with a number of classes.
func writeWeights(t *testing.T, path string, classes int) {
	t.Helper()
	writeWeightsAs(t, path, classes, "")
}

// writeWeightsAs is writeWeights with a prefix before every name.
func writeWeightsAs(t *testing.T, path string, classes int, prefix string) {
	t.Helper()
	writeGenerated(t, misbehaving(), "tiny", path, classes, prefix)
}

// writeGenerated writes generated weights of a list's network, with a prefix before every name.
func writeGenerated(t testing.TB, list *zoo.List, name, path string, classes int, prefix string) {
	t.Helper()
	spec, err := list.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, classes)
	if err != nil {
		t.Fatal(err)
	}
	var named []weights.Named
	src := weights.Generator{}.Source(g.Params)
	for _, p := range g.Params {
		data, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		named = append(named, weights.Named{Name: prefix + p.Name, Shape: p.Shape, Data: data})
	}
	if err := weights.WriteFile(path, named, nil); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpointsInCache(t *testing.T) {
	o := options(t, `
experiments:
  - name: accuracy
    question: How accurate?
    models: [tiny, small]
    accuracy: {}
`)
	if err := os.MkdirAll(o.Cache.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	writeWeights(t, filepath.Join(o.Cache.Weights(), "tiny.one.safetensors"), 2)
	writeWeights(t, filepath.Join(o.Cache.Weights(), "tiny.two.safetensors"), 2)
	if err := os.WriteFile(filepath.Join(o.Cache.Weights(), "little.bad.pth"), []byte("no checkpoint"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Run(t.Context(), o)
	if err != nil || s.Missing != 3 {
		t.Fatalf("without images: %d missing, error %v; want 3", s.Missing, err)
	}
	for _, r := range s.Records {
		if !strings.Contains(r.Why("top1"),
			"no images in the cache folder; fetch some with zoobench pull data imagenetv2, put a folder for each class into ") {
			t.Errorf("%s: why there is no top-1: got %q", r.Name(), r.Why("top1"))
		}
	}

	o.Resume, o.Data = true, images(t)
	s, err = Run(t.Context(), o)
	if err != nil || s.Measured != 2 || s.Failed != 1 {
		t.Fatalf("with images: %d measured, %d failed, error %v; want 2, 1", s.Measured, s.Failed, err)
	}
	for _, r := range s.Records {
		if r.Checkpoint == "bad" {
			if why := r.Why("top1"); !strings.Contains(why, "little.bad.pth") {
				t.Errorf("bad: got %q, want the file's name", why)
			}
			continue
		}
		if r.Accuracy == nil || r.Images != 3 || r.Unreadable != 1 || r.WeightsSHA256 == "" || r.DatasetSHA256 == "" || r.Recipe == nil {
			t.Errorf("%s: %+v of %d, %d unreadable, weights %q, images %q", r.Name(), r.Accuracy, r.Images, r.Unreadable, r.WeightsSHA256,
				r.DatasetSHA256)
		}
	}
}

func TestRunDirectories(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "out")
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var ids []string
	for range 3 {
		dir, id, err := NewDir(parent, at, []string{"default", "threads"})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, record.FileName), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	want := []string{"20260304T050607Z-default+threads", "20260304T050607Z-default+threads-2", "20260304T050607Z-default+threads-3"}
	if !slices.Equal(ids, want) {
		t.Errorf("ids: got %v, want %v", ids, want)
	}
	if _, id, err := LastDir(parent, []string{"default", "threads"}); err != nil || id != want[2] {
		t.Errorf("last: got %q, error %v; want %q", id, err, want[2])
	}
	if _, id, err := LastDir(parent, []string{"default"}); err == nil {
		t.Errorf("last of other experiments: got %q, want an error", id)
	}
}

func TestLastWords(t *testing.T) {
	ended := errors.New("exit status 2")
	for _, test := range []struct{ name, stderr, want string }{
		{"panic", "log line\npanic: no room\n\ngoroutine 1 [running]:\n", "panic: no room (exit status 2)"},
		{"fatal error", "fatal error: stack overflow\n", "fatal error: stack overflow (exit status 2)"},
		{"last line", "one\ntwo\n", "two (exit status 2)"},
		{"silence", "", "the worker ended: exit status 2"},
	} {
		if got := lastWords(test.stderr, ended); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
	if got := lastWords("", errors.New("signal: killed")); !strings.Contains(got, "memory") {
		t.Errorf("killed: got %q, want a hint at memory", got)
	}
}

func TestEndsKeepBothEnds(t *testing.T) {
	var e ends
	e.Write([]byte("first " + strings.Repeat("x", endBytes)))
	e.Write([]byte(strings.Repeat("y", 3*endBytes) + " last"))
	got := e.String()
	if !strings.HasPrefix(got, "first ") || !strings.HasSuffix(got, " last") || len(got) > 2*endBytes+16 {
		t.Errorf("kept %d bytes, %.10q to %q", len(got), got, got[len(got)-10:])
	}
}

func TestClassesAreTheCheckpoints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tiny.safetensors")
	writeWeights(t, file, 7)
	task := Task{Weights: file}
	task.Model = "tiny"
	n, err := Open(misbehaving(), task)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if n.Graph.Classes != 7 || n.Graph.Output() != (nn.Shape{C: 7, H: 1, W: 1}) {
		t.Errorf("classes: got %d, output %v; want 7", n.Graph.Classes, n.Graph.Output())
	}
	task.NumClasses = 9
	if _, err := Open(misbehaving(), task); err == nil || !strings.Contains(err.Error(), "tiny.safetensors: the file has 7 classes, want 9") {
		t.Errorf("nine classes asked for: got error %v", err)
	}
}

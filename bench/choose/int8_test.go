package choose

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/choose/features"
	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
)

// TestInt8 chooses a network in int8, whose ranges come from the images, saves its head with its numbers, and loads both elsewhere.
func TestInt8(t *testing.T) {
	data := images(t, 6)
	if err := os.WriteFile(filepath.Join(data, "red", "broken.png"), []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := options(t, data)
	t.Setenv("ZOOBENCH_CACHE", o.Cache.Dir)
	o.Networks, o.Precisions, o.Splits, o.MinDuration = []string{"narrow"}, []string{record.Int8}, 1, 20*time.Millisecond
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Pick == nil || r.PickName != "narrow.made in int8" || r.Head.Numbers == "" || r.Head.NumbersFile == "" {
		t.Fatalf("pick %v, candidates %+v", r.Pick, r.Candidates[0])
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "quantised on 128 of these images") }) {
		t.Errorf("warnings %q", r.Warnings)
	}
	file := filepath.Join(t.TempDir(), r.HeadName())
	if err := r.Head.Save(file); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZOOBENCH_CACHE", t.TempDir()) // without what is kept there
	head, err := LoadHead(file)
	if err != nil {
		t.Fatal(err)
	}
	task := runner.Task{Job: experiment.Job{Model: "narrow"}, Weights: filepath.Join(o.Cache.Weights(), "narrow.made.safetensors")}
	plain, err := features.Open(o.List, task)
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
	if err := head.Fits(plain.Backbone); err == nil || !strings.Contains(err.Error(), "made with the numbers in int8") {
		t.Errorf("the network in float32 fits: error %v", err)
	}
	task.Precision, task.Numbers = record.Int8, head.NumbersFile
	n, err := features.Open(o.List, task)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := head.Fits(n.Backbone); err != nil {
		t.Error(err)
	}
}

// TestLighter adds candidates in int8 for networks that exceed a limit on latency or memory in float32, and for no others.
func TestLighter(t *testing.T) {
	timed := func(name string, latency, memory, params int64) *contender {
		return &contender{Candidate: &Candidate{Name: name, Latency: latency, Memory: memory, Params: params}, timing: &record.Record{}}
	}
	for _, test := range []struct {
		limits Limits
		asked  []string
		want   string
	}{
		{Limits{}, nil, ""},
		{Limits{Latency: 10}, nil, "slow far"},
		{Limits{Memory: 10}, nil, "slow"},
		{Limits{Latency: 10, Params: 5}, nil, "slow"},
		{Limits{Latency: 10}, []string{""}, ""},
		{Limits{Latency: 40}, nil, "farther"},
	} {
		o := Options{Limits: test.limits, Precisions: test.asked}
		if err := o.fill(); err != nil {
			t.Fatal(err)
		}
		c := &chooser{o: o, Result: &Result{Limits: o.Limits}}
		c.contenders = []*contender{timed("fast", 9, 9, 1), timed("slow", 30, 40, 5), timed("far", 40, 41, 6), timed("farther", 41, 41, 1)}
		known := len(c.contenders)
		c.addLighter()
		var names []string
		for _, cand := range c.contenders[known:] {
			if cand.Precision != record.Int8 || cand.task.Job.Calibration == nil {
				t.Errorf("%+v: want a candidate in int8 with a calibration", cand.Candidate)
			}
			names = append(names, strings.TrimSuffix(cand.Name, " in int8"))
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("limits %+v, precisions %q: %q, want %q", test.limits, test.asked, got, test.want)
		}
	}
}

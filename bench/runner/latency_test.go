package runner

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/kernels/par"
	"zoobench/zoo/weights"
)

// TestForwardPaysForWhatItIsAsked holds a call for some of a batch's images to computing those and no others.
func TestForwardPaysForWhatItIsAsked(t *testing.T) {
	n, err := Open(misbehaving(), Task{Job: experiment.Job{Model: "tiny", Axes: record.Axes{Batch: 4, Threads: 1, NoTune: true}}})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	f := newForward(n)
	for images := 1; images <= 4; images++ {
		for i := range f.logits {
			f.logits[i] = float32(math.NaN())
		}
		if err := f.Run(images); err != nil {
			t.Fatal(err)
		}
		outputs := len(f.logits) / 4
		for i, v := range f.logits {
			if computed := v == v; computed != (i/outputs < images) {
				t.Fatalf("%d images asked for: logit %d of image %d is %v", images, i%outputs, i/outputs, v)
			}
		}
	}
}

// TestScenarioInRecord holds a record to the settings that its scenario was asked for and ran with, and to those alone.
func TestScenarioInRecord(t *testing.T) {
	asked := experiment.Latency{
		MinDuration: 20 * time.Millisecond, MaxDuration: 2 * time.Second, Streams: 3, Rate: 1000, LatencyBound: time.Nanosecond, Seed: 7,
	}
	defaults := experiment.Latency{MinDuration: 20 * time.Millisecond}
	for _, test := range []struct {
		name             string
		scenario         load.Scenario
		latency          experiment.Latency
		asked, effective record.Settings // what depends on the scenario
	}{
		{"single stream", load.SingleStream, asked, record.Settings{MaxDuration: 2e9}, record.Settings{MaxDuration: 2e9}},
		{"offline, by default", load.Offline, defaults, record.Settings{}, record.Settings{MaxDuration: 60e9}},
		{"multi-stream", load.MultiStream, asked, record.Settings{MaxDuration: 2e9, Streams: 3}, record.Settings{MaxDuration: 2e9, Streams: 3}},
		{"multi-stream, by default", load.MultiStream, defaults, record.Settings{}, record.Settings{MaxDuration: 60e9, Streams: 8}},
		{"server", load.Server, asked, record.Settings{MaxDuration: 2e9, Rate: 1000, LatencyBound: 1},
			record.Settings{MaxDuration: 2e9, Rate: 1000, LatencyBound: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := Latency(t.Context(), misbehaving(), Task{Job: experiment.Job{
				Model: "tiny", Axes: record.Axes{Threads: 1, Batch: 2, NoTune: true, Scenario: string(test.scenario)}, Latency: &test.latency,
			}})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []struct {
				name      string
				got, want record.Settings
			}{{"asked", *r.Asked, test.asked}, {"effective", *r.Effective, test.effective}} {
				got := record.Settings{MaxDuration: s.got.MaxDuration, Streams: s.got.Streams, Rate: s.got.Rate, LatencyBound: s.got.LatencyBound}
				if got != s.want {
					t.Errorf("%s: %+v, want %+v", s.name, got, s.want)
				}
			}
			if r.Effective.MinSamples != 11 || r.Effective.MinDuration != 20e6 || r.Effective.Scenario != string(test.scenario) {
				t.Errorf("effective: %+v, want 11 samples and 20 ms of %s", *r.Effective, test.scenario)
			}
			late := 0
			if r.Effective.LatencyBound > 0 {
				late = r.N + r.Unanswered // no query takes a nanosecond
			}
			if r.N < 11 || r.Late != late {
				t.Errorf("%d late of %d samples, want %d", r.Late, r.N, late)
			}
		})
	}
}

// TestDenormalWeightsAreSaid holds a row of weights below the normal range to a warning, where kernels compute with them.
func TestDenormalWeightsAreSaid(t *testing.T) {
	list := misbehaving()
	spec, err := list.Find("tiny")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(g.Params)
	var named []weights.Named
	for _, p := range g.Params {
		data, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if data = slices.Clone(data); p.Name == "conv.weight" {
			data[0], data[1], data[2] = 1e-40, -1e-44, 0
		}
		named = append(named, weights.Named{Name: p.Name, Shape: p.Shape, Data: data})
	}
	file := filepath.Join(t.TempDir(), "tiny.safetensors")
	if err := weights.WriteFile(file, named, nil); err != nil {
		t.Fatal(err)
	}
	r, err := Latency(t.Context(), list, Task{Job: experiment.Job{
		Model: "tiny", Axes: record.Axes{Threads: 1, NoTune: true}, Latency: &experiment.Latency{MinDuration: time.Millisecond},
	}, Weights: file})
	if err != nil {
		t.Fatal(err)
	}
	said := slices.ContainsFunc(r.Verdict.Warnings, func(w string) bool {
		return strings.HasPrefix(w, "2 weights are below the normal range")
	})
	if said == par.Flushes {
		t.Errorf("warnings %q, flushed %v", r.Verdict.Warnings, par.Flushes)
	}
}

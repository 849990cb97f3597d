package reports

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
	"zoobench/internal/testenv"
)

// golden compares got with the file name in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	testenv.Golden(t, filepath.Join("testdata", name), got)
}

// machine is where the fixture's records come from.
func machine() record.Machine {
	return record.Machine{
		CPU: "Example CPU", Cores: 2, ISA: "avx2", MemoryBytes: 8 << 30, OS: "linux", Arch: "amd64",
		Kernel: "6.1", Go: "go1.26.8", Commit: "0123456789abcdef0123", KernelBuild: "k1",
	}
}

// zoo returns the latency records of testdata/networks.tsv, a host record before them.
func zoo(t testing.TB) []record.Record {
	t.Helper()
	f, err := os.Open("testdata/networks.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.Comment = '\t', '#'
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	records := []record.Record{{
		Schema: record.Schema, Kind: record.KindHost, RunID: "r1", Time: at, Machine: machine(),
		Host: &record.Host{PeakGFLOPS: 98.2, ReadGBytes: 14.1, TimerStep: 20, TimerCost: 31, NoisePercent: 1.24, DriftPercent: -0.4,
			AAPercent: 0.31},
		Verdict: record.Verdict{Valid: true},
	}}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i, l := range lines[1:] {
		ms := number(l[7])
		samples := make([]int64, 70)
		for j := range samples {
			samples[j] = int64(ms * 1e6 * (1 + 0.03*math.Abs(rng.NormFloat64())))
		}
		timing := recordtest.Timing(samples, time.Second, 5)
		params := int64(number(l[4]) * 1e6)
		records = append(records, record.Record{
			Schema: record.Schema, Kind: record.KindLatency, RunID: "r1", JobID: "job" + strconv.Itoa(i), Experiment: "default",
			Time: at.Add(time.Duration(i) * time.Second), Machine: machine(),
			Model: l[0], Family: l[1], Year: int(number(l[2])),
			ImgSize: int(number(l[3])), Batch: 1, Threads: 1, Scenario: "single_stream", ImagesPerSec: 1000 / ms,
			Effective: &record.Settings{Axes: record.Axes{ISA: "avx2"}},
			Cost:      &record.Cost{Params: params, MACs: int64(number(l[5]) * 1e9), Activations: int64(number(l[6]) * 1e6)},
			Timing:    timing,
			Footprint: &record.Footprint{WeightsBytes: 4 * params, ArenaBytes: 10 << 20, PeakRSSBytes: 4*params + 40<<20, Load: 1e9},
			Published: &record.Published{Top1: number(l[9]), Top5: number(l[10]), ImgSize: int(number(l[3])),
				Source: "timm results-imagenet.csv, " + l[0] + "." + l[8]},
			NotMeasured: map[string]string{"top1": "no checkpoint of " + l[0] + " in the cache: zoobench pull " + l[0]},
			Verdict:     record.Verdict{Valid: true},
		})
	}
	return records
}

// measured adds an eval record to every n-th latency record, with 1000 images.
func measured(records []record.Record, n int) []record.Record {
	rng := rand.New(rand.NewPCG(3, 4))
	for i, l := range records {
		if l.Kind != record.KindLatency || i%n != 0 {
			continue
		}
		top1 := int(10*l.Published.Top1) - rng.IntN(30)
		e := l
		e.Kind, e.Timing, e.Footprint, e.NotMeasured, e.ImagesPerSec = record.KindEval, nil, nil, nil, 20
		e.Checkpoint, e.Dataset = "tv_in1k", "imagenet-val"
		e.Recipe = &record.Recipe{ImgSize: l.ImgSize, CropPct: 0.875, Interpolation: "bilinear"}
		e.Accuracy = record.NewAccuracy(1000, top1, min(top1+140, 1000), nil)
		records = append(records, e)
	}
	return records
}

// troubled makes a few of the records what goes wrong in practice.
func troubled(records []record.Record) []record.Record {
	for i := range records {
		r := &records[i]
		if r.Kind != record.KindLatency {
			continue
		}
		switch r.Model {
		case "vgg19":
			r.Timing, r.Footprint, r.Cost, r.ImagesPerSec, r.ImgSize = nil, nil, nil, 0, 0
			r.Verdict = record.Verdict{Reasons: []string{"killed: out of memory at 812 MiB"}}
		case "vgg19_bn":
			r.Timing, r.Footprint, r.ImagesPerSec = nil, nil, 0
			r.Verdict = record.Verdict{Reasons: []string{"timed out after 2m0s"}}
		case "resnet50":
			r.Verdict = record.Verdict{Reasons: []string{"drift: the median of the last third differs by +23.0 % from that of the first"}}
		case "densenet169", "densenet201":
			r.Verdict.Warnings = []string{"noise: the width of the median's 95 % interval is 6.1 % of the median"}
		case "resnet152":
			t := record.NewTiming(r.Timing.Samples[:7], time.Second)
			r.Timing = t
		}
	}
	return records
}

// pipelined returns a pipeline record of the first network.
func pipelined(t testing.TB) []record.Record {
	r := zoo(t)[1]
	r.Kind, r.Timing, r.Footprint, r.JobID = record.KindPipeline, nil, nil, "pipeline"
	r.Batch, r.Threads, r.ImagesPerSec = 8, 2, 101.5
	r.Pipeline = &record.Pipeline{Decode: 3_210_000, Preprocess: 1_100_000, Forward: 8_000_000, EndToEnd: 9_900_000, PipelineN: 200}
	return []record.Record{r}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zoobench/bench/record"
	"zoobench/zoo"
)

// resultsFile has the records that the documents' results are written from and the README's picture is drawn from: those
// of a run of the default experiment, less their layers.
const resultsFile = "reports/testdata/default.jsonl"

// inReadme are the networks whose results the README shows; docs/measurements.md shows all.
var inReadme = []string{
	"squeezenet1_1", "mobilenetv2_100", "efficientnet_b0", "alexnet", "resnet18", "densenet121", "resnet50", "vgg16", "convnext_tiny",
	"vit_base_patch16_224",
}

// results are the timed rows of the stored run.
type results struct {
	rows  []record.Record // the fastest first
	noise string          // of the host
}

// timedResults reads the stored run, after it has taken the place of the one before where -from names one.
func timedResults(t *testing.T) results {
	t.Helper()
	if *from != "" {
		store(t, *from)
	}
	all, problems, err := record.ReadFile(resultsFile)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	var res results
	for _, r := range all {
		switch {
		case r.Kind == record.KindHost:
			res.noise = fmt.Sprintf("%.1f %%", r.NoisePercent)
		case r.Kind == record.KindLatency && r.Timing != nil:
			res.rows = append(res.rows, r)
		}
	}
	if len(res.rows) == 0 || res.noise == "" {
		t.Fatalf("%s: %d timed networks, noise %q; want some, and the host's noise", resultsFile, len(res.rows), res.noise)
	}
	slices.SortFunc(res.rows, func(a, b record.Record) int { return int(a.P50 - b.P50) })
	return res
}

// table writes the rows of the networks that are named, or all where none is.
func (res *results) table(t *testing.T, networks []string) string {
	t.Helper()
	var b strings.Builder
	first := res.rows[0]
	fmt.Fprintf(&b, "%s (family %d model %d), %d cores, %s/%s, %s, threads %d, batch %d, %s; noise of the host %s.\n\n", first.Machine.CPU,
		first.Machine.Family, first.Machine.Model, first.Machine.Cores,
		first.Machine.OS, first.Machine.Arch, first.Machine.ISA, first.Threads, first.Batch, first.Time.Format("2006-01-02"), res.noise)
	b.WriteString("| model | params, M | MACs, G | px | p50, ms | 95 % interval | img/s | peak RSS, MiB | published top-1, % |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	shown, doubts := 0, 0
	for _, r := range res.rows {
		if networks != nil && !slices.Contains(networks, r.Model) {
			continue
		}
		shown++
		mark := ""
		if !r.Verdict.Valid {
			mark, doubts = " †", doubts+1
		}
		ms := func(ns int64) string { return digits(float64(ns) / 1e6) }
		fmt.Fprintf(&b, "| %s | %.2f | %.3f | %d | %s%s | %s to %s | %s | %d | %s |\n", r.Model, float64(r.Params)/1e6, float64(r.MACs)/1e9,
			r.ImgSize, ms(r.P50), mark, ms(r.P50Lo), ms(r.P50Hi), digits(r.ImagesPerSec), r.PeakRSSBytes>>20, publishedTop1(&r))
	}
	if networks != nil && shown != len(networks) {
		t.Errorf("%s has %d of the %d networks %v", resultsFile, shown, len(networks), networks)
	}
	if doubts > 0 {
		b.WriteString("\n† the run's verdict: too noisy to be trusted.\n")
	}
	return b.String()
}

// digits writes v with four of them.
func digits(v float64) string {
	whole := len(strconv.Itoa(int(v)))
	return strconv.FormatFloat(v, 'f', max(4-whole, 0), 64)
}

func publishedTop1(r *record.Record) string {
	switch p := r.Published; {
	case p == nil || p.Top1 == 0:
		return "none known"
	case p.ImgSize != r.ImgSize:
		return fmt.Sprintf("%.2f at %d px", p.Top1, p.ImgSize)
	default:
		return fmt.Sprintf("%.2f", p.Top1)
	}
}

// store keeps the records of the run in the folder as the documents'.
func store(t *testing.T, folder string) {
	t.Helper()
	all, problems, err := record.ReadFile(filepath.Join(folder, record.FileName))
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	var text []byte
	for _, r := range record.Current(all) {
		if r.Kind != record.KindHost && r.Kind != record.KindLatency {
			continue
		}
		r.Layers = nil
		if r.NotMeasured["recheck"] != "" {
			r.NotMeasured["recheck"] = "no checkpoint in the cache folder" // without the place where this machine keeps them
		}
		if r.Plan != nil {
			r.Plan.Choices = nil
		}
		line, err := record.Marshal(&r)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, line...)
	}
	if err := os.WriteFile(resultsFile, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestStoredResults holds the stored run to the zoo as it is: what was counted, and what others have published.
func TestStoredResults(t *testing.T) {
	all, problems, err := record.ReadFile(resultsFile)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	jobs, err := load(t).Jobs("default")
	if err != nil {
		t.Fatal(err)
	}
	asked, timed := 0, 0
	for _, j := range jobs {
		if j.Latency != nil {
			asked++
		}
	}
	for _, r := range all {
		if r.Kind != record.KindLatency {
			continue
		}
		timed++
		spec, err := zoo.Default().Find(r.Model)
		if err != nil {
			t.Fatal(err)
		}
		if r.ImgSize == spec.Size && (r.Params != spec.Params || r.MACs != spec.MACs) {
			t.Errorf("%s: %d parameters, %d MACs; the zoo has %d, %d", r.Model, r.Params, r.MACs, spec.Params, spec.MACs)
		}
		if p := r.Published; p != nil && p.Top1 > 0 && !slices.ContainsFunc(spec.Checkpoints, func(c zoo.Checkpoint) bool {
			return slices.ContainsFunc(c.Results, func(res zoo.Result) bool { return res.Top1 == p.Top1 && res.Size == p.ImgSize })
		}) {
			t.Errorf("%s: published top-1 %v at %d px is none of its checkpoints'", r.Model, p.Top1, p.ImgSize)
		}
	}
	if timed != asked {
		t.Errorf("%s has %d networks, the default experiment times %d", resultsFile, timed, asked)
	}
}

package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"zoobench/bench/record"
	"zoobench/bench/record/recordtest"
	"zoobench/reports/findings"
)

func Example() {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := record.Machine{CPU: "Example CPU", Cores: 2, ISA: "avx2", OS: "linux", Arch: "amd64", Go: "go1.26"}
	samples := make([]int64, 60)
	for i := range samples {
		samples[i] = 21_555_000 + int64(i)*1_500
	}
	records := []record.Record{{
		Kind: record.KindLatency, RunID: "r1", Time: at, Machine: m, Model: "resnet18", Experiment: "default",
		ImgSize: 224, Batch: 1, Threads: 1, Scenario: "single_stream", ImagesPerSec: 46.3,
		Cost:        &record.Cost{Params: 11_689_512, MACs: 1_814_073_344},
		Timing:      recordtest.Timing(samples, time.Second, 5),
		Footprint:   &record.Footprint{PeakRSSBytes: 96 << 20},
		Published:   &record.Published{Top1: 69.758, ImgSize: 224, Source: "torchvision"},
		NotMeasured: map[string]string{"top1": "no checkpoint in the cache"},
		Verdict:     record.Verdict{Valid: true},
	}}
	if err := Print(os.Stdout, records, TableOptions{Width: 100}); err != nil {
		fmt.Println(err)
	}
	dir, err := os.MkdirTemp("", "reports")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	paths, err := Write(dir, records, nil, findings.Given{})
	fmt.Println(len(paths), "files,", filepath.Base(paths[3]), "among them, error", err)
	// Output:
	// Example CPU, 2 cores, linux/amd64 · the machine's noise was not measured
	//
	// default: scenario single_stream · avx2 · threads 1 · batch 1 · in brackets: 95 % interval
	//  model     params M  MACs G   px                p50 ms  img/s  peak MiB  measured  published
	//                                                                           top-1 %    top-1 %
	// ─────────────────────────────────────────────────────────────────────────────────────────────
	//  resnet18     11.69   1.814  224  21.60 [21.56, 21.64]   46.3        96     – (1)      69.76
	// (1) no checkpoint in the cache
	// 14 files, report.md among them, error <nil>
}

func TestPrintGolden(t *testing.T) {
	some := troubled(measured(zoo(t), 3))
	sweep := sweep(t)
	for _, tt := range []struct {
		name    string
		records []record.Record
		options TableOptions
	}{
		{"wide.txt", some, TableOptions{}},
		{"width100.txt", some, TableOptions{Width: 100}},
		{"width72.txt", some, TableOptions{Width: 72}},
		{"color.txt", some[len(some)-25:], TableOptions{Color: true}},
		{"sweep.txt", sweep, TableOptions{Width: 120}},
		{"hostile.txt", hostile(t), TableOptions{}},
		{"empty.txt", nil, TableOptions{}},
		{"host_only.txt", some[:1], TableOptions{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Print(&b, tt.records, tt.options); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, b.Bytes())
			for line := range strings.Lines(b.String()) {
				if w := twwidth.Width(strings.TrimSuffix(line, "\n")); tt.options.Width > 0 && w > tt.options.Width {
					t.Errorf("a line of %d columns, want at most %d: %s", w, tt.options.Width, line)
				}
			}
		})
	}
}

// sweep returns one network under two thread counts and three batches, and another that failed under one of them.
func sweep(t testing.TB) []record.Record {
	var out []record.Record
	for i, r := range zoo(t)[1:4] {
		for _, threads := range []int{1, 2} {
			for _, batch := range []int{1, 8, 32} {
				s := r
				s.JobID = fmt.Sprint(i, threads, batch)
				s.Experiment, s.Threads, s.Batch = "batch", threads, batch
				ns := slices.Clone(r.Timing.Samples)
				for j := range ns {
					ns[j] = ns[j] * int64(batch) / int64(threads)
				}
				s.Timing = recordtest.Timing(ns, time.Second, 5)
				s.ImagesPerSec = r.ImagesPerSec * float64(threads)
				if i == 2 && batch == 32 {
					s.Timing, s.Footprint, s.ImagesPerSec = nil, nil, 0
					s.Verdict = record.Verdict{Reasons: []string{"killed: out of memory"}}
				}
				out = append(out, s)
			}
		}
	}
	return out
}

// hostile returns records whose every text wants to break out of its format.
func hostile(t testing.TB) []record.Record {
	const bad = "\x1b[31m<script>alert(1)</script>|`*_\n\r\t\u202e]]>&\xff\x00"
	rs := measured(zoo(t)[:4], 1)
	for i := range rs {
		r := &rs[i]
		r.Machine.CPU, r.Machine.ISA, r.Machine.Commit = "CPU"+bad, "isa"+bad, bad
		r.Experiment, r.Scenario, r.Dataset = bad, bad, bad
		if r.Kind == record.KindHost {
			continue
		}
		r.Effective, r.Checkpoint, r.Family = nil, "", bad
		r.Model = fmt.Sprint(r.Model, bad)
		r.Published.Source = bad
		r.NotMeasured = map[string]string{"top1": bad}
		r.Verdict.Warnings = []string{bad}
		if r.Kind == record.KindLatency && i == 2 {
			r.Verdict = record.Verdict{Reasons: []string{bad, bad}}
		}
	}
	return rs
}

func TestWriteGolden(t *testing.T) {
	problems := []record.Problem{{Line: 7, Cut: true, Text: `"{\"schema\":1,\"ki"`, Err: io.ErrUnexpectedEOF}}
	for _, tt := range []struct {
		name    string
		records []record.Record
		want    []string // plots
	}{
		{"report.md", troubled(measured(zoo(t), 3)),
			[]string{"latency", "accuracy_macs", "accuracy_latency", "accuracy_years", "accuracy_params", "published_accuracy_macs",
				"published_accuracy_latency", "published_accuracy_years", "published_accuracy_params", "latency_macs", "finding_folded-batch-norm",
				"finding_resnet-beats-vgg"}},
		{"report_published.md", zoo(t),
			[]string{"latency", "published_accuracy_macs", "published_accuracy_latency", "published_accuracy_years", "published_accuracy_params",
				"latency_macs", "finding_folded-batch-norm"}},
		{"report_measured.md", measured(zoo(t), 1),
			[]string{"latency", "accuracy_macs", "accuracy_latency", "accuracy_years", "accuracy_params", "latency_macs",
				"finding_folded-batch-norm", "finding_depth-pays", "finding_resnet-beats-vgg"}},
		{"report_hostile.md", hostile(t),
			[]string{"latency", "accuracy_macs", "accuracy_latency", "accuracy_years", "accuracy_params", "latency_macs"}},
		{"report_sweep.md", append(sweep(t), pipelined(t)...),
			[]string{"latency", "published_accuracy_macs", "published_accuracy_latency", "published_accuracy_years", "published_accuracy_params",
				"batch_curve", "latency_macs", "finding_folded-batch-norm", "finding_batch-curve"}},
		{"report_empty.md", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out", "run")
			paths, err := Write(dir, tt.records, problems, findings.Given{})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"latency.csv", "accuracy.csv", "bench.txt", "report.md", "report.html", "tables.tex"}
			if slices.ContainsFunc(tt.records, func(r record.Record) bool { return r.Accuracy != nil }) {
				want = append(want, "model-index.yml")
			}
			for _, name := range tt.want {
				want = append(want, name+".svg", name+".png")
			}
			var got []string
			for _, p := range paths {
				got = append(got, filepath.Base(p))
			}
			if !slices.Equal(got, want) {
				t.Errorf("wrote %v, want %v", got, want)
			}
			text, err := os.ReadFile(filepath.Join(dir, "report.md"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, text)
			for _, name := range tt.want {
				checkSVG(t, filepath.Join(dir, name+".svg"))
				checkPNG(t, filepath.Join(dir, name+".png"))
			}
		})
	}
}

// checkSVG fails where the file is not well-formed XML with the drawing in it, or holds a
// tag that no plot has.
func checkSVG(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := xml.NewDecoder(f)
	seen := map[string]int{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if e, ok := token.(xml.StartElement); ok {
			seen[e.Name.Local]++
		}
	}
	if seen["svg"] != 1 || seen["title"] != 1 || seen["path"] < 10 || seen["text"] < 5 || seen["script"] > 0 {
		t.Errorf("%s: elements %v", path, seen)
	}
}

// checkPNG fails where the file is no image of the size asked for, or has next to nothing
// on it.
func checkPNG(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	b := img.Bounds()
	if want := 820 * 144 / 72; b.Dx() != want {
		t.Errorf("%s: %d pixels wide, want %d", path, b.Dx(), want)
	}
	inked := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r+g+b < 3*0xf000 {
				inked++
			}
		}
	}
	if share := float64(inked) / float64(b.Dx()*b.Dy()); share < 0.003 || share > 0.3 {
		t.Errorf("%s: %.2f %% of the pixels are inked", path, 100*share)
	}
}

func TestWriteTwiceIsTheSame(t *testing.T) {
	dir := t.TempDir()
	read := func(paths []string) (all [][]byte) {
		for _, p := range paths {
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b)
		}
		return all
	}
	records := troubled(measured(zoo(t), 2))
	paths, err := Write(dir, records, nil, findings.Given{})
	if err != nil {
		t.Fatal(err)
	}
	first := read(paths)
	if _, err := Write(dir, records, nil, findings.Given{}); err != nil {
		t.Fatal(err)
	}
	for i, b := range read(paths) {
		if !bytes.Equal(b, first[i]) {
			t.Errorf("%s: the same records gave other bytes", paths[i])
		}
	}
}

// TestWriteRemovesStalePlots renders a folder first without and then with every accuracy
// measured: what was drawn from published figures must not stay.
func TestWriteRemovesStalePlots(t *testing.T) {
	dir := t.TempDir()
	if _, err := Write(dir, zoo(t), nil, findings.Given{}); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "notes.png")
	if err := os.WriteFile(other, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	paths, err := Write(dir, measured(zoo(t), 1), nil, findings.Given{})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(paths)+1 {
		t.Errorf("the folder holds %v, want %v and notes.png", entries, paths)
	}
}

func TestFolderNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(filepath.Join(file, "run"), zoo(t), nil, findings.Given{}); err == nil ||
		!strings.HasPrefix(err.Error(), "reports: ") || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an error of this package with the path", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "report.md"), 0o777); err != nil {
		t.Fatal(err)
	}
	paths, err := Write(dir, zoo(t), nil, findings.Given{})
	if err == nil || len(paths) != 3 {
		t.Errorf("%d files and error %v, want the 3 before report.md and an error", len(paths), err)
	}
	broken := errors.New("broken pipe")
	if err := Print(failing{broken}, zoo(t), TableOptions{}); !errors.Is(err, broken) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestUnsound gives records that no log would hold: nothing may panic, and what is not
// a number must not be printed.
func TestUnsound(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name string
		edit func(*record.Record)
	}{
		{"zero record", func(r *record.Record) { *r = record.Record{} }},
		{"kind alone", func(r *record.Record) { *r = record.Record{Kind: r.Kind} }},
		{"no groups", func(r *record.Record) {
			r.Cost, r.Timing, r.Footprint, r.Accuracy, r.Published, r.Host = nil, nil, nil, nil, nil, nil
		}},
		{"no groups, not valid", func(r *record.Record) {
			r.Cost, r.Timing, r.Footprint, r.Accuracy, r.Published, r.Host = nil, nil, nil, nil, nil, nil
			r.Verdict = record.Verdict{}
		}},
		{"empty groups", func(r *record.Record) {
			r.Cost, r.Timing, r.Footprint = &record.Cost{}, &record.Timing{}, &record.Footprint{}
			r.Published, r.Host = &record.Published{}, &record.Host{}
			if r.Kind == record.KindEval {
				r.Accuracy = &record.Accuracy{}
			}
		}},
		{"NaN", func(r *record.Record) {
			r.ImagesPerSec = nan
			r.Published = &record.Published{Top1: nan}
			r.Host = &record.Host{NoisePercent: nan, PeakGFLOPS: math.Inf(1)}
			if r.Accuracy != nil {
				r.Accuracy = &record.Accuracy{Images: 9, Top1: nan, Top1Lo: math.Inf(-1), Top1Hi: nan}
			}
			if r.Timing != nil {
				r.Timing.Mean = nan
			}
		}},
		{"negative", func(r *record.Record) {
			r.ImgSize, r.Threads, r.Batch, r.ImagesPerSec = -1, -1, -1, -1
			r.Cost = &record.Cost{Params: -1, MACs: -1}
			r.Timing = &record.Timing{P50: -5, P50Lo: -9, P50Hi: -7, P90: -1, N: 100}
			r.Published = &record.Published{Top1: -3}
		}},
		{"huge", func(r *record.Record) {
			r.Cost = &record.Cost{Params: math.MaxInt64, MACs: math.MaxInt64}
			r.Timing = &record.Timing{P50: math.MaxInt64, P50Lo: 1, P50Hi: math.MaxInt64, P90: math.MaxInt64, N: 100}
			r.Published = &record.Published{Top1: 1e300}
			r.ImagesPerSec = math.MaxFloat64
		}},
		{"interval upside down", func(r *record.Record) {
			if r.Timing != nil {
				r.Timing.P50Lo, r.Timing.P50Hi, r.Timing.P90 = r.Timing.P50+5, r.Timing.P50-5, 1
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records := measured(zoo(t)[:12], 2)
			for i := range records {
				if i != 3 { // one sound row beside them
					tt.edit(&records[i])
				}
				records[i].Machine = machine()
			}
			run, err := newRun(records, nil)
			if err != nil {
				t.Fatal(err)
			}
			figures := run.figures(nil)
			var b bytes.Buffer
			for _, f := range figures {
				if err := f.SVG(&b); err != nil {
					t.Fatal(err)
				}
			}
			if err := run.writeMarkdown(&b, nil, figures); err != nil {
				t.Fatal(err)
			}
			if err := record.WriteFile(filepath.Join(t.TempDir(), record.FileName), run.sound); err != nil {
				t.Fatal(err)
			}
			if err := Print(&b, records, TableOptions{Width: 200}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				told := strings.Contains(line, "have NaN") || strings.Contains(line, "have +Inf") || strings.Contains(line, "have -Inf")
				if !told && (strings.Contains(line, "NaN") || strings.Contains(line, "Inf")) {
					t.Errorf("printed: %s", line)
				}
			}
		})
	}
}

func TestThousandRows(t *testing.T) {
	some := measured(zoo(t), 1)
	var many []record.Record
	for i := range 1000 {
		r := some[1+i%(len(some)-1)]
		r.Model = fmt.Sprintf("%s_%d", r.Model, i)
		r.JobID = fmt.Sprint("job", i)
		many = append(many, r)
	}
	start := time.Now()
	if _, err := Write(t.TempDir(), many, nil, findings.Given{}); err != nil {
		t.Fatal(err)
	}
	if err := Print(io.Discard, many, TableOptions{Width: 80}); err != nil {
		t.Fatal(err)
	}
	// Five times what it takes on a busy machine of two cores.
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("took %v", d)
	} else {
		t.Logf("took %v", d)
	}
}

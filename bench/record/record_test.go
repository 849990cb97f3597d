package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func Example() {
	dir, err := os.MkdirTemp("", "record")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "results.jsonl")

	log, err := OpenLog(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer log.Close()
	err = log.Append(&Record{
		Kind: KindEval, RunID: "20260102-030405", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Machine:  Machine{CPU: "Example CPU", Cores: 2, OS: "linux", Arch: "amd64", Go: "go1.26"},
		Model:    "resnet50",
		Accuracy: NewAccuracy(200, 161, 188, nil),
		Verdict:  Verdict{Valid: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	records, problems, err := ReadFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	a := records[0].Accuracy
	fmt.Printf("%s top-1 %.1f %% (%.1f to %.1f), %d problems\n", records[0].Name(), a.Top1, a.Top1Lo, a.Top1Hi, len(problems))
	// Output: resnet50 top-1 80.5 % (74.5 to 85.4), 0 problems
}

// sample returns a latency record with every group that its kind may carry.
func sample() Record {
	samples := make([]int64, 100)
	for i := range samples {
		samples[i] = int64(1_000_000 + i)
	}
	return Record{
		Schema: Schema, Kind: KindLatency, RunID: "r1", JobID: "j1", Experiment: "default",
		Time:    time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Machine: Machine{CPU: "Example CPU", Cores: 2, ISA: "avx2", OS: "linux", Arch: "amd64", Go: "go1.26", Commit: "abc", KernelBuild: "k1"},
		Model:   "resnet50", Family: "resnet", Year: 2015,
		ImgSize: 224, Batch: 1, Threads: 2, Scenario: "single_stream", ImagesPerSec: 999.5,
		Asked: &Settings{Axes: Axes{Threads: 2}}, Effective: &Settings{Axes: Axes{Threads: 2, ImgSize: 224, Batch: 1, ISA: "avx2"}},
		Cost:        &Cost{Params: 25_557_032, MACs: 4_089_184_256, Activations: 11_114_600},
		Timing:      NewTiming(samples, 100*time.Millisecond),
		Footprint:   &Footprint{WeightsBytes: 102_228_128, ArenaBytes: 9_633_792, PeakRSSBytes: 150 << 20, Load: 250_000_000},
		Layers:      []Layer{{Name: "conv1", Op: "conv", Out: []int{64, 112, 112}, Params: 9408, MACs: 118_013_952, Algorithm: "direct"}},
		Published:   &Published{Top1: 76.13, Top5: 92.862, ImgSize: 224, Source: "torchvision"},
		NotMeasured: map[string]string{"top1": "no checkpoint in the cache"},
		Verdict:     Verdict{Valid: true, Warnings: []string{"noisy"}},
	}
}

// multiStream returns a record of queries of eight images each.
func multiStream() Record {
	r := sample()
	r.Scenario, r.Effective = "multi_stream", &Settings{Axes: Axes{Scenario: "multi_stream"}, Streams: 8}
	return r
}

// server returns a record of queries that came at a rate, three of them late.
func server(rate float64) Record {
	r := sample()
	r.Scenario, r.Timing.Late = "server", 3
	r.Effective = &Settings{Axes: Axes{Scenario: "server"}, Rate: rate, LatencyBound: 500_000_000, MaxDuration: 60_000_000_000}
	return r
}

func TestColumnNames(t *testing.T) {
	r := sample()
	r.Accuracy = NewAccuracy(10, 5, 8, []string{"a.jpg"})
	line, err := Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	var flat map[string]json.RawMessage
	if err := json.Unmarshal(line, &flat); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"model", "img_size", "batch", "threads", "params", "macs", "latency_p50_ns", "latency_min_ns", "latency_mean_ns",
		"n", "weights_bytes", "arena_bytes", "peak_rss_bytes", "load_ns",
		"n_images", "top1", "top1_lo", "top1_hi", "top5", "top5_lo", "top5_hi", "unreadable", "images_per_s",
	} {
		if _, ok := flat[name]; !ok {
			t.Errorf("no column %s in the record", name)
		}
	}
	if bytes.Count(line, []byte("\n")) != 1 {
		t.Errorf("a record takes %d lines, want 1", bytes.Count(line, []byte("\n")))
	}
}

// TestNoColumnTwice guards against two groups with one column: encoding/json drops both
// without a word.
func TestNoColumnTwice(t *testing.T) {
	seen := map[string]string{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Anonymous {
				walk(f.Type.Elem())
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				t.Errorf("%s.%s has no column name", typ.Name(), f.Name)
			}
			if other, ok := seen[name]; ok {
				t.Errorf("column %s is in %s and in %s", name, other, typ.Name())
			}
			seen[name] = typ.Name()
		}
	}
	walk(reflect.TypeFor[Record]())
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	log, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	want := server(5)
	want.Timing.Unanswered = 2
	for _, r := range []Record{sample(), multiStream(), want} {
		if err := log.Append(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	got, problems, err := ReadFile(path)
	if err != nil || len(problems) > 0 {
		t.Fatalf("problems %v, error %v", problems, err)
	}
	if len(got) != 3 || !reflect.DeepEqual(got[2], want) {
		t.Errorf("got %d records, last %+v, want %+v", len(got), got[len(got)-1], want)
	}
	if got[0].Accuracy != nil || got[0].Host != nil {
		t.Error("a group that was not measured came back as one that was")
	}
}

func TestReadBadLines(t *testing.T) {
	good, err := Marshal(ptr(sample()))
	if err != nil {
		t.Fatal(err)
	}
	line := string(good)
	for _, tt := range []struct {
		name        string
		text        string
		wantRecords int
		wantLine    int    // of the only problem, 0 for none
		wantText    string // part of the problem
		wantCut     bool
	}{
		{"nothing", "", 0, 0, "", false},
		{"blank lines", "\n\n" + line + "\n", 1, 0, "", false},
		{"last line without newline but whole", strings.TrimSuffix(line, "\n"), 1, 0, "", false},
		{"cut last line", line + line[:len(line)/2], 1, 2, "cut off in the middle", true},
		{"cut after one byte", line + "{", 1, 2, "cut off in the middle", true},
		{"cut line that was ended by the next writer", line[:50] + "\n" + line, 1, 1, "unexpected end", false},
		{"not JSON", "hello\n" + line, 1, 1, "invalid character", false},
		{"another kind of JSON", "[1,2]\n" + line, 1, 1, "cannot unmarshal array", false},
		{"NaN", line + strings.Replace(line, `"images_per_s":999.5`, `"images_per_s":NaN`, 1), 1, 2, "invalid character 'N'", false},
		{"NaN in a last line without newline", line + strings.TrimSpace(strings.Replace(line, `999.5`, `NaN`, 1)), 1, 2,
			"invalid character 'N'", false},
		{"older schema", strings.Replace(line, `"schema":1`, `"schema":0`, 1), 0, 1, `have "0", want 1`, false},
		{"newer schema", strings.Replace(line, `"schema":1`, `"schema":2`, 1), 0, 1, `have "2", want 1`, false},
		{"no schema", "{}\n", 0, 1, `have "", want 1`, false},
		{"wrong type", strings.Replace(line, `"batch":1`, `"batch":"one"`, 1), 0, 1, "batch", false},
		{"missing model", strings.Replace(line, `"model":"resnet50",`, "", 1), 0, 1, "model: missing", false},
		{"missing batch", strings.Replace(line, `"batch":1,`, "", 1), 0, 1, "batch: missing", false},
		{"missing figure", strings.Replace(line, `"latency_min_ns":1000000,`, "", 1), 0, 1, "latency_min_ns: not in the line", false},
		{"missing verdict", strings.Replace(line, `"verdict":{"valid":true,"warnings":["noisy"]}`, `"x":1`, 1), 0, 1,
			"verdict: not in the line", false},
		{"lost samples", strings.Replace(line, `"n":100`, `"n":101`, 1), 0, 1, "samples_ns: have 100, want n = 101", false},
		{"unknown kind", strings.Replace(line, `"kind":"latency"`, `"kind":"speed"`, 1), 0, 1, `kind: have "speed"`, false},
		{"a column of the future", strings.Replace(line, `"schema":1`, `"schema":1,"energy_j":2.5`, 1), 1, 0, "", false},
		{"control characters", "\x1b[31m\x00\n", 0, 1, `\x1b[31m\x00`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, problems, err := Read(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != tt.wantRecords {
				t.Errorf("%d records, want %d", len(got), tt.wantRecords)
			}
			if tt.wantLine == 0 {
				if len(problems) > 0 {
					t.Errorf("problems %v, want none", problems)
				}
				return
			}
			if len(problems) != 1 {
				t.Fatalf("problems %v, want one", problems)
			}
			p := problems[0]
			if p.Line != tt.wantLine || p.Cut != tt.wantCut || !strings.Contains(p.String(), tt.wantText) {
				t.Errorf("got line %d, cut %v: %s\nwant line %d, cut %v, with %q", p.Line, p.Cut, p, tt.wantLine, tt.wantCut, tt.wantText)
			}
			if strings.ContainsAny(p.String(), "\x1b\x00") {
				t.Errorf("%q would reach a terminal raw", p.String())
			}
		})
	}
}

func TestReadEveryCut(t *testing.T) {
	line, err := Marshal(ptr(sample()))
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < len(line)-1; cut++ {
		records, problems, err := Read(bytes.NewReader(append(slices.Clone(line), line[:cut]...)))
		if err != nil || len(records) != 1 || len(problems) != 1 || !problems[0].Cut || problems[0].Line != 2 {
			t.Fatalf("cut after %d bytes: %d records, problems %v, error %v", cut, len(records), problems, err)
		}
	}
}

func TestReadLongLine(t *testing.T) {
	line, err := Marshal(ptr(sample()))
	if err != nil {
		t.Fatal(err)
	}
	long := io.MultiReader(bytes.NewReader(line), bytes.NewReader(bytes.Repeat([]byte("x"), maxLineBytes+1)), strings.NewReader("\n"),
		bytes.NewReader(line))
	records, problems, err := Read(long)
	if err != nil || len(records) != 2 || len(problems) != 1 || problems[0].Line != 2 {
		t.Fatalf("%d records, problems %v, error %v; want 2 records and line 2 refused", len(records), problems, err)
	}
	if want := fmt.Sprint(maxLineBytes); !strings.Contains(problems[0].String(), want) {
		t.Errorf("problem %s does not name the limit %s", problems[0], want)
	}
}

func TestOlderSchemaIsTellable(t *testing.T) {
	_, problems, err := Read(strings.NewReader(`{"schema":0,"kind":"latency"}` + "\n"))
	if err != nil || len(problems) != 1 || !errors.Is(problems[0].Err, ErrSchema) {
		t.Errorf("problems %v, error %v, want one that is ErrSchema", problems, err)
	}
}

func TestLogAfterCutLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	line, err := Marshal(ptr(sample()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(slices.Clone(line), line[:40]...), 0o666); err != nil {
		t.Fatal(err)
	}
	log, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := log.Append(ptr(sample())); err != nil {
		t.Fatal(err)
	}
	records, problems, err := ReadFile(path)
	if err != nil || len(records) != 2 || len(problems) != 1 || problems[0].Line != 2 {
		t.Errorf("%d records, problems %v, error %v; want 2 records around a bad line 2", len(records), problems, err)
	}
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*Record)
		want string // part of the error, empty for none
	}{
		{"sound", func(*Record) {}, ""},
		{"NaN", func(r *Record) { r.ImagesPerSec = math.NaN() }, "images_per_s: have NaN"},
		{"infinite in a group", func(r *Record) { r.Timing.Mean = math.Inf(1) }, "latency_mean_ns: have +Inf"},
		{"NaN in an array", func(r *Record) { r.Recipe = &Recipe{Std: [3]float64{1, math.NaN(), 1}} }, "recipe.std[1]: have NaN"},
		{"no timing", func(r *Record) { r.Timing = nil }, "latency_min_ns: missing"},
		{"no timing, and why", func(r *Record) {
			r.Timing, r.NotMeasured = nil, map[string]string{"latency_min_ns": "timed out after 60s"}
		}, ""},
		{"crashed", func(r *Record) { r.Timing, r.Footprint, r.Verdict = nil, nil, Verdict{Reasons: []string{"panicked"}} }, ""},
		{"not valid for no reason", func(r *Record) { r.Verdict = Verdict{} }, "verdict.reasons: missing"},
		{"more right than images", func(r *Record) { r.Accuracy = &Accuracy{Images: 3, Top1Images: 2, Top5Images: 4} }, "not in ascending order"},
		{"several at once", func(r *Record) { r.RunID, r.Model = "", "" }, "run_id: missing\nmodel: missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sample()
			tt.edit(&r)
			err := r.Check()
			if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAppendRefusesUnsound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results.jsonl")
	log, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	bad := sample()
	bad.ImagesPerSec = math.NaN()
	if err := log.Append(&bad); err == nil || !strings.Contains(err.Error(), "record: latency resnet50: images_per_s") {
		t.Errorf("got %v, want an error that names the row and the field", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("file has %d bytes, error %v; want none", info.Size(), err)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table.md")
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	if err := Replace(path, text("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken half way")
	err := Replace(path, func(w io.Writer) error {
		io.WriteString(w, strings.Repeat("new", 10_000)) // past the buffer: some reaches the file
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the writer's error", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("after an error the file holds %q, want %q", got, "old")
	}
	if err := Replace(path, text("new")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("file holds %q, want %q", got, "new")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d entries in the folder, want the file alone", len(entries))
	}
	if err := Replace(filepath.Join(dir, "none", "x"), text("")); err == nil {
		t.Error("a folder that does not exist: no error")
	}
}

func TestWhy(t *testing.T) {
	r := sample()
	if got := r.Why("top1"); got != "no checkpoint in the cache" {
		t.Errorf("got %q", got)
	}
	if got := r.Why("top5"); got != "not asked for" {
		t.Errorf("got %q", got)
	}
	r.Verdict = Verdict{Reasons: []string{"panicked", "twice"}}
	if got := r.Why("top5"); got != "panicked; twice" {
		t.Errorf("got %q", got)
	}
}

func ptr[T any](v T) *T { return &v }

func FuzzRead(f *testing.F) {
	line, err := Marshal(ptr(sample()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(line[:len(line)/3])
	f.Add([]byte("{\"schema\":1,\"timing\":null}\n\n[]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		records, _, err := Read(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for i := range records {
			if _, err := Marshal(&records[i]); err != nil {
				t.Fatalf("read what cannot be written: %v", err)
			}
		}
	})
}

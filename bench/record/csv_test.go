package record

import (
	"bytes"
	"encoding/csv"
	"io"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
)

func TestCSVHeaders(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(io.Writer, []Record) error
		want  string // timm's columns in timm's order
	}{
		{"eval", WriteEvalCSV, "model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation"},
		{"latency", WriteLatencyCSV,
			"model,infer_img_size,infer_samples_per_sec,infer_step_time,infer_batch_size,param_count,infer_gmacs,infer_macts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := tt.write(&b, nil); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(b.String(), tt.want+",") {
				t.Errorf("header %s\nwant it to start with %s", b.String(), tt.want)
			}
		})
	}
}

func TestCSVRows(t *testing.T) {
	hostile := sample()
	hostile.Model = "a,\"b\"\nc"
	eval := sample()
	eval.Kind, eval.Checkpoint = KindEval, "tv_in1k"
	eval.Recipe = &Recipe{ImgSize: 224, CropPct: 0.875, Interpolation: "bilinear"}
	eval.Accuracy = NewAccuracy(1000, 761, 930, []string{"broken.jpg"})
	missing := eval
	missing.Accuracy = nil
	rs := []Record{sample(), hostile, eval, missing, multiStream(), server(5), server(50)}

	table := func(write func(io.Writer, []Record) error) []map[string]string {
		t.Helper()
		var b bytes.Buffer
		if err := write(&b, rs); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&b).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var out []map[string]string
		for _, row := range rows[1:] {
			m := map[string]string{}
			for i, cell := range row {
				m[rows[0][i]] = cell
			}
			out = append(out, m)
		}
		return out
	}
	latency, evals := table(WriteLatencyCSV), table(WriteEvalCSV)
	if len(latency) != 5 || len(evals) != 2 {
		t.Fatalf("%d latency and %d eval rows, want 5 and 2", len(latency), len(evals))
	}
	for _, tt := range []struct {
		name   string
		row    map[string]string
		column string
		want   string
	}{
		{"model", latency[0], "model", "resnet50"},
		{"milliseconds a batch", latency[0], "infer_step_time", "1.000"},
		{"images a second", latency[0], "infer_samples_per_sec", "999.50"},
		{"millions of parameters", latency[0], "param_count", "25.56"},
		{"giga-MACs", latency[0], "infer_gmacs", "4.09"},
		{"millions of activations", latency[0], "infer_macts", "11.11"},
		{"a percentile that 100 samples carry", latency[0], "latency_p90_ns", "1000090"},
		{"and one that they do not", latency[0], "latency_p95_ns", ""},
		{"other reasons", latency[0], "not_measured", "top1: no checkpoint in the cache"},
		{"a hostile name comes back whole", latency[1], "model", "a,\"b\"\nc"},
		{"a batch has no streams", latency[0], "streams", ""},
		{"nor late queries", latency[0], "late_queries", ""},
		{"images of a query", latency[2], "streams", "8"},
		{"a query of eight images is no batch", latency[2], "infer_step_time", ""},
		{"and is told as a query", latency[2], "latency_p50_ns", "1000050"},
		{"images a second asked for", latency[3], "rate_images_per_s", "5"},
		{"and ten times as many", latency[4], "rate_images_per_s", "50"},
		{"a wait in line is no batch", latency[3], "infer_step_time", ""},
		{"bound", latency[3], "latency_bound_ns", "500000000"},
		{"queries over it", latency[3], "late_queries", "3"},
		{"none unanswered", latency[3], "unanswered_queries", "0"},
		{"tag", evals[0], "model", "resnet50.tv_in1k"},
		{"percent", evals[0], "top1", "76.100"},
		{"error", evals[0], "top1_err", "23.900"},
		{"crop", evals[0], "crop_pct", "0.875"},
		{"unreadable", evals[0], "unreadable", "1"},
		{"published apart", evals[0], "published_top1", "76.130"},
		{"not measured stays empty", evals[1], "top1", ""},
		{"published does not stand in", evals[1], "published_top1", "76.130"},
		{"and says why", evals[1], "not_measured", "no checkpoint in the cache"},
	} {
		if got := tt.row[tt.column]; got != tt.want {
			t.Errorf("%s: %s is %q, want %q", tt.name, tt.column, got, tt.want)
		}
	}
}

// TestGoBench reads the text back with the reader that benchstat uses.
func TestGoBench(t *testing.T) {
	hostile := sample()
	hostile.Model = "two words/and a\tslash"
	invalid := sample()
	invalid.Verdict = Verdict{Reasons: []string{"noise"}}
	load := sample()
	load.Kind = KindLoad
	three := *Join(Join(process(0, 1_000_000), process(1, 1_100_000)), process(2, 1_200_000))
	three.Model, three.RunID = "three", "another"
	var b bytes.Buffer
	if err := WriteGoBench(&b, []Record{sample(), hostile, invalid, load, multiStream(), server(5), server(0.5), three}); err != nil {
		t.Fatal(err)
	}
	text := bytes.Clone(b.Bytes())
	names := map[string]int{}
	r := benchfmt.NewReader(&b, "test")
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Fatal(rec)
		case *benchfmt.Result:
			names[string(rec.Name)]++
			if got := rec.GetConfig("kernel-build"); got != "k1" {
				t.Fatalf("kernel-build %q, want k1", got)
			}
			if v, ok := rec.Value("sec/op"); !ok || v <= 0 {
				t.Fatalf("%s: sec/op %v, %v", rec.Name, v, ok)
			}
		}
	}
	if bytes.Contains(text, []byte("another")) {
		t.Error("the run's name is in the text: benchstat parts tables by it")
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	const rest = "/img_size=224/batch=1/threads=2/scenario=single_stream/isa=avx2"
	want := map[string]int{
		"Latency/model=resnet50" + rest:              1,
		"Latency/model=two_words_and_a_slash" + rest: 1,
		"Latency/model=three" + rest:                 3,
		"Load/model=resnet50" + rest:                 1,
		"Latency/model=resnet50/img_size=224/batch=1/threads=2/scenario=multi_stream/streams=8/isa=avx2": 1,
		"Latency/model=resnet50/img_size=224/batch=1/threads=2/scenario=server/rate=5/isa=avx2":          1,
		"Latency/model=resnet50/img_size=224/batch=1/threads=2/scenario=server/rate=0.5/isa=avx2":        1,
	}
	if !reflect.DeepEqual(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

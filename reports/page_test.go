package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/record"
	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

// layered gives resnet18's record three layers with times.
func layered(records []record.Record) []record.Record {
	for i := range records {
		if r := &records[i]; r.Model == "resnet18" && r.Kind == record.KindLatency {
			r.Layers = []record.Layer{
				{Name: "conv1", Op: "conv+relu", Out: []int{64, 112, 112}, Params: 9408, MACs: 118013952, Algorithm: "gemm", P50: 2_500_000},
				{Name: "layer1.0.conv1", Op: "conv+relu", Out: []int{64, 56, 56}, Params: 36864, MACs: 115605504, Algorithm: "winograd",
					P50: 1_500_000},
				{Name: "fc", Op: "linear", Out: []int{1000, 1, 1}, Params: 513000, MACs: 512000, Algorithm: "gemv", P50: 150_000},
			}
		}
	}
	return records
}

// hostilePage is records whose texts try to be markup, script, escape sequences and the end of the data.
func hostilePage(t *testing.T) []record.Record {
	records := layered(measured(zoo(t), 3))
	for i := range records {
		r := &records[i]
		if r.Model == "" {
			continue
		}
		evil := "<img src=x onerror=window.pwned=1>\"'`</script><script>window.pwned=1</script>\x1b[31m,\n${1}{{.}}"
		r.Model += evil
		r.Family, r.Experiment = evil, evil+"\u2028"
		r.Verdict.Warnings = []string{evil}
		r.NotMeasured = map[string]string{"top1": evil, "peak_rss_bytes": evil}
		r.Published = &record.Published{Top1: 70, Source: evil}
		for j := range r.Layers {
			r.Layers[j].Name, r.Layers[j].Op, r.Layers[j].Algorithm = evil, evil, evil
		}
	}
	return records
}

// thousand is a thousand timed networks.
func thousand(t *testing.T) []record.Record {
	from := zoo(t)
	records := []record.Record{from[0]}
	for i := range 1000 {
		r := from[1+i%(len(from)-1)]
		r.Model, r.JobID = fmt.Sprintf("%s_%d", r.Model, i), fmt.Sprint("job", i)
		records = append(records, r)
	}
	return records
}

// pageOf renders the page alone.
func pageOf(t *testing.T, records []record.Record, problems []record.Problem) []byte {
	t.Helper()
	r, err := newRun(records, problems)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	found := findings.Test(r.sound, findings.Given{Networks: graphs(r.sound)})
	if err := r.writePage(&b, found, r.figures(found)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lift takes the data out of a page as a notebook would.
func lift(t *testing.T, page []byte) pageData {
	t.Helper()
	_, rest, ok := strings.Cut(string(page), `<script type="application/json" id="data">`)
	text, _, end := strings.Cut(rest, "</script>")
	if !ok || !end {
		t.Fatal("no data in the page")
	}
	var d pageData
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPage(t *testing.T) {
	tests := []struct {
		name    string
		records []record.Record
		rows    int
	}{
		{"none", nil, 0},
		{"troubled", layered(troubled(measured(zoo(t), 3))), len(zoo(t)) - 1},
		{"hostile", hostilePage(t), len(zoo(t)) - 1},
		{"a thousand", thousand(t), 1000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := pageOf(t, test.records, nil)
			if again := pageOf(t, test.records, nil); !bytes.Equal(page, again) {
				t.Error("the same records give two pages")
			}
			t.Logf("%d bytes", len(page))
			if len(page) > 3<<20 {
				t.Errorf("%d bytes, want under 3 MB", len(page))
			}
			// Its own plots are images within it.
			page = bytes.ReplaceAll(page, []byte(`<img class="shown" src="data:image/svg`), nil)
			for _, never := range []string{"<script src", "<link rel=\"stylesheet", "<img", "http://", "https://", "\x1b", "ZgotmplZ"} {
				if at := bytes.Index(page, []byte(never)); at >= 0 && !bytes.HasPrefix(page[at:], []byte("http://www.w3.org/2000/svg")) {
					t.Errorf("the page has %q: %.80q", never, page[at:])
				}
			}
			d := lift(t, page)
			if len(d.Rows) != test.rows {
				t.Errorf("%d rows, want %d", len(d.Rows), test.rows)
			}
			if len(d.Findings) != len(findings.Claims()) {
				t.Errorf("%d findings, want %d", len(d.Findings), len(findings.Claims()))
			}
			for _, r := range d.Rows {
				for field, v := range map[string]*float64{"latency_p50_ns": r.P50, "top1": r.Top1} {
					if v == nil && r.Why[field] == "" {
						t.Errorf("%s: %s is missing without a reason", r.Name, field)
					}
				}
			}
		})
	}
}

// TestPageTellsPlan holds that a row says by what plan it was timed and what became of the accuracy's predictions.
func TestPageTellsPlan(t *testing.T) {
	records := measured(zoo(t), 2)
	for i := range records {
		if records[i].Kind == record.KindLatency {
			records[i].Plan = &record.Plan{Hash: "0123456789ab", Source: "trials"}
			records[i].Recheck = &record.Recheck{Checked: 12, Same: 12}
		}
	}
	told := 0
	for _, r := range lift(t, pageOf(t, records, nil)).Rows {
		if r.Plan == "0123456789ab, algorithms by trials" && r.Recheck == "checked 12 of 12 same" {
			told++
		}
	}
	if told == 0 {
		t.Error("no row tells its plan and its predictions")
	}
}

// TestPageNaN renders records that are not finite beside one that is: the page tells the problem and shows none of them.
func TestPageNaN(t *testing.T) {
	records := measured(zoo(t), 2)
	sound := records[1].Model
	for i := range records {
		if i == 1 {
			continue
		}
		records[i].ImagesPerSec = math.NaN()
		if a := records[i].Accuracy; a != nil {
			a.Top1 = math.Inf(1)
		}
	}
	page := pageOf(t, records, []record.Problem{{Line: 3, Cut: true, Text: `"{\"sch"`}})
	for _, want := range []string{"cut off in the middle", "images_per_s: have NaN"} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if rows := lift(t, page).Rows; len(rows) != 1 || rows[0].Name != sound {
		t.Errorf("%d rows, want that of %s alone", len(rows), sound)
	}
	r, err := newRun(records, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.hosts) != 0 {
		t.Errorf("%d measurements of the machine, want none: theirs is not finite", len(r.hosts))
	}
}

// TestPageLayersOfTheRow holds each row's layers to its own: runs choose algorithms anew, and without trials others.
func TestPageLayersOfTheRow(t *testing.T) {
	algorithm := func(run, job, chosen string, noTune bool, hash string) record.Record {
		all := layered(zoo(t))
		r := all[slices.IndexFunc(all, func(r record.Record) bool { return len(r.Layers) > 0 })]
		r.RunID, r.JobID, r.Experiment, r.Layers = run, job, job, slices.Clone(r.Layers)
		r.Effective = &record.Settings{Axes: record.Axes{ISA: "avx2", NoTune: noTune}}
		r.Plan = &record.Plan{Hash: hash}
		r.Layers[0].Algorithm = chosen
		return r
	}
	records := []record.Record{
		algorithm("r1", "a", "gemm", false, "h1"), algorithm("r1", "b", "direct", true, "h1"), algorithm("r2", "c", "winograd", false, "h1"),
		algorithm("r2", "d", "bands", false, "h2"),
	}
	d := lift(t, pageOf(t, records, nil))
	if len(d.Rows) != len(records) {
		t.Fatalf("%d rows, want %d", len(d.Rows), len(records))
	}
	for i, r := range d.Rows {
		if want := records[i].Layers[0].Algorithm; len(d.Layers[r.LayersKey].Algorithm) == 0 || d.Layers[r.LayersKey].Algorithm[0] != want {
			t.Errorf("%s of %s: have %v, want %s first", r.Name, r.Experiment, d.Layers[r.LayersKey].Algorithm, want)
		}
	}
}

// TestPagePipelineOfTheRow holds the times from file to prediction to rows with the pipeline's threads and instructions.
func TestPagePipelineOfTheRow(t *testing.T) {
	for _, isa := range []string{"avx2", "generic"} {
		pipeline := pipelined(t)
		pipeline[0].Effective = &record.Settings{Axes: record.Axes{ISA: isa}}
		shown := 0
		for _, r := range lift(t, pageOf(t, append(sweep(t), pipeline...), nil)).Rows {
			if r.Decode == nil {
				continue
			}
			if shown++; r.Model != pipeline[0].Model || *r.Threads != 2 {
				t.Errorf("%s with %v threads shows the pipeline of %s with 2", r.Model, *r.Threads, pipeline[0].Model)
			}
		}
		if want := map[string]int{"avx2": 3, "generic": 0}[isa]; shown != want { // a row a batch
			t.Errorf("%s: %d rows show the pipeline, want %d", isa, shown, want)
		}
	}
}

func TestHistogram(t *testing.T) {
	var samples []int64
	for i := range 100 {
		samples = append(samples, int64(1000+i))
	}
	samples = append(samples, 100_000)
	h := newHistogram(samples)
	sum := h.Above
	for _, n := range h.Count {
		sum += n
	}
	if sum != len(samples) || h.Above != 1 || h.Lo != 1000 {
		t.Errorf("have %+v, want every one of %d samples once and one above", h, len(samples))
	}
	if !slices.IsSorted(samples) {
		t.Error("the samples were moved")
	}
	for _, few := range [][]int64{nil, {1, 2, 3}, slices.Repeat([]int64{7}, 20)} {
		if h := newHistogram(few); h != nil {
			t.Errorf("%v: have %+v, want none", few, h)
		}
	}
}

// TestPagePalette holds the page's colours to those of every other plot.
func TestPagePalette(t *testing.T) {
	for i, c := range draw.Palette() {
		if want := fmt.Sprintf("--c%d: #%02x%02x%02x;", i, c.R, c.G, c.B); !strings.Contains(pageCSS, want) {
			t.Errorf("page.css lacks %q", want)
		}
	}
}

// TestPageForest lays estimates out along their axis: marks and intervals where they belong, on both scales, and a marker by
// what an estimate says of the claim.
func TestPageForest(t *testing.T) {
	of := func(log bool, mark float64, estimates ...findings.Estimate) *pageForest {
		return pageForestOf(findings.Finding{Claim: findings.Claim{ID: "x"}, Result: findings.Result{
			Plot: findings.Plot{What: "time", Log: log, Marks: []float64{mark}, Estimates: estimates},
		}})
	}
	if p := pageForestOf(findings.Finding{}); p != nil {
		t.Errorf("a finding without estimates has %+v", p)
	}
	for _, test := range []struct {
		name  string
		have  *pageForest
		what  string
		mark  float64
		lines []pageEstimate
	}{
		{"a ratio", of(true, 1, findings.Estimate{Name: "a", Mid: 2, Lo: 1, Hi: 4, Group: "as claimed"}), "time, log scale", 4.55,
			[]pageEstimate{{pageKey{"a", "yes"}, "as claimed", "2.000 [1.000, 4.000]", 50, 4.55, 90.9}}},
		{"a difference", of(false, 0, findings.Estimate{Name: "a", Mid: -10, Lo: -20, Hi: 0, Group: "against the claim"},
			findings.Estimate{Name: "b", Mid: -10, Lo: -20, Hi: 0, Group: "unclear"}), "time", 94.64,
			[]pageEstimate{{pageKey{"a", "no"}, "against the claim", "-10.00 [-20.00, 0.00]", 50, 5.36, 89.28},
				{pageKey{"b", "unclear"}, "unclear", "-10.00 [-20.00, 0.00]", 50, 5.36, 89.28}}},
		{"a count", of(false, 0, findings.Estimate{Name: "a", Mid: 20, Lo: 20, Hi: 20, Group: "networks"}), "time", 5.36,
			[]pageEstimate{{pageKey{"a", "g0"}, "networks", "20", 94.64, 94.64, 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.have.What != test.what || math.Abs(test.have.Marks[0]-test.mark) > 0.01 {
				t.Errorf("have %q, mark at %v, want %q, %v", test.have.What, test.have.Marks, test.what, test.mark)
			}
			for i, want := range test.lines {
				have := test.have.Estimates[i]
				apart := max(math.Abs(have.At-want.At), math.Abs(have.Lo-want.Lo), math.Abs(have.Width-want.Width))
				have.At, have.Lo, have.Width = want.At, want.Lo, want.Width
				if have != want || apart > 0.011 {
					t.Errorf("have %+v, want %+v", test.have.Estimates[i], want)
				}
			}
		})
	}
}

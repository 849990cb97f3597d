package choose

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"zoobench/bench/choose/heads"
)

// TestCharts holds a page's plots to the networks that may be picked, within the page itself.
func TestCharts(t *testing.T) {
	share := func(v float64) heads.Estimate { return heads.Estimate{Value: v, Lo: v - 0.05, Hi: v + 0.05} }
	r := &Result{Metric: byMacroF1, PickName: "quick.a", Limits: Limits{Latency: 50 * time.Millisecond}, Rows: []*Row{
		{Name: "quick.a", Head: headProbe, Latency: 2e6, Disturbed: true, Score: heads.Score{MacroF1: share(0.7)}},
		{Name: "good.a", Head: headOwn, Latency: 9e6, Score: heads.Score{MacroF1: share(0.8)}},
		{Name: "near.a", Head: headNearest, Latency: 3e6, Score: heads.Score{MacroF1: share(0.9)}},
		{Name: "untimed.a", Head: headProbe, Score: heads.Score{MacroF1: share(0.9)}},
	}}
	r.Pick = r.Rows[0]
	for _, row := range r.Rows[:2] {
		points := []heads.CurvePoint{{PerClass: 1, Accuracy: share(0.4)}, {PerClass: 5, Accuracy: share(0.6)}}
		r.Curves = append(r.Curves, learningCurve{row.Name, heads.Curve{Points: points}})
	}
	// The first row's network and the second's, in every chart.
	const blue, red = "#0072B2", "#D55E00"
	for name, test := range map[string]struct {
		chart *chart
		want  []string
		never []string
	}{
		"scatter": {
			r.scatter(),
			[]string{"macro-F1 (%)", "quick.a (?)", "good.a", "with its own head", "front", "the pick", "the limit on latency", blue, red},
			[]string{"near.a", "untimed.a"},
		},
		"curves": {r.curves(), []string{"quick.a", "good.a", "the pick", blue, red}, []string{"near.a"}},
	} {
		var b bytes.Buffer
		test.chart.html(&b)
		_, text, _ := strings.Cut(b.String(), "base64,")
		text, rest, ok := strings.Cut(text, `"`)
		svg, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
		if err != nil || !ok || !strings.HasPrefix(rest, ` alt="`) {
			t.Fatalf("%s: no image with a text in its place: %v", name, err)
		}
		for _, want := range test.want {
			if !bytes.Contains(svg, []byte(want)) {
				t.Errorf("%s: the plot lacks %q", name, want)
			}
		}
		for _, never := range test.never {
			if bytes.Contains(svg, []byte(never)) {
				t.Errorf("%s: the plot has %q", name, never)
			}
		}
	}
	if none := (&Result{}); none.scatter() != nil || none.curves() != nil {
		t.Error("a plot of nothing")
	}
}

package cli

import (
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
)

func TestProgressTellsRepeatsOnce(t *testing.T) {
	var text strings.Builder
	p := newProgress(&text)
	missing := &record.Record{Kind: record.KindEval, NotMeasured: map[string]string{"top1": "no checkpoint"}, Verdict: record.Verdict{Valid: true}}
	failed := &record.Record{Kind: record.KindLatency, Verdict: record.Verdict{Reasons: []string{"not\x1bdone"}}}
	p.plan(5, 1)
	for i, r := range []*record.Record{missing, missing, missing, failed} {
		p.start(i, 4, runner.Task{Job: experiment.Job{Model: "abcd"[i : i+1]}})
		p.done(r)
	}
	p.close()
	want := `5 jobs, 1 of them measured already
1/4 a: accuracy not measured: no checkpoint
to 3/4 c: the same
4/4 d: failed: not?done
`
	if got := text.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

package cli

import (
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
)

func TestProgressTellsRepeatsOnce(t *testing.T) {
	var text strings.Builder
	p := newProgress(&text, nil)
	missing := &record.Record{Kind: record.KindEval, NotMeasured: map[string]string{"top1": "no checkpoint"},
		Verdict: record.Verdict{Valid: true}}
	failed := &record.Record{Kind: record.KindLatency, Verdict: record.Verdict{Reasons: []string{"not\x1bdone"}}}
	p.plan(5, 1)
	for i, r := range []*record.Record{missing, missing, missing, failed} {
		p.start(i, 4, runner.Task{Job: experiment.Job{Model: "abcd"[i : i+1]}})
		p.done(r)
	}
	p.close()
	want := `5 jobs, 1 of them measured already
1/4 a: accuracy not measured: no checkpoint
up to 3/4 c: the same
4/4 d: failed: not\x1bdone
`
	if got := text.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestProgressTellsTimeLeft holds the time left to the estimates of the tasks to come, scaled by how wrong those before
// were: here everything takes half of its estimate.
func TestProgressTellsTimeLeft(t *testing.T) {
	var text strings.Builder
	estimates := []time.Duration{0, 4 * time.Second, 6 * time.Second, 10 * time.Minute}
	var tasks []runner.PreviewTask
	for _, d := range estimates {
		tasks = append(tasks, runner.PreviewTask{Estimate: d})
	}
	p := newProgress(&text, tasks)
	clock := time.Unix(0, 0)
	p.now = func() time.Time { return clock }
	for i, d := range estimates {
		p.start(i, len(estimates), runner.Task{Job: experiment.Job{Model: "n"}})
		clock = clock.Add(d / 2)
		p.done(&record.Record{Kind: record.KindLatency, Timing: &record.Timing{P50: int64(i+1) * 1e6}, Verdict: record.Verdict{Valid: true}})
	}
	want := `1/4 n: median 1.00 ms, 0.0 images/s
2/4 n: median 2.00 ms, 0.0 images/s; about 5m0s left
3/4 n: median 3.00 ms, 0.0 images/s; about 5m0s left
4/4 n: median 4.00 ms, 0.0 images/s
`
	if got := text.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestProgressTellsGroupsApart scales what is left of a group by what its own processes took: trainings here take a tenth of their
// estimates, evaluations three times as long.
func TestProgressTellsGroupsApart(t *testing.T) {
	var text strings.Builder
	tasks := []runner.PreviewTask{
		{Estimate: 10 * time.Minute, Group: "train"}, {Estimate: 10 * time.Second, Group: "eval"}, {Group: "uncounted"},
		{Estimate: 10 * time.Minute, Group: "train"}, {Estimate: 10 * time.Second, Group: "eval"},
	}
	p := newProgress(&text, tasks)
	clock := time.Unix(0, 0)
	p.now = func() time.Time { return clock }
	for i, took := range []time.Duration{time.Minute, 30 * time.Second, time.Hour} {
		p.start(i, len(tasks), runner.Task{Job: experiment.Job{Model: "n"}})
		clock = clock.Add(took)
		p.done(&record.Record{Kind: record.KindTrain, Training: &record.Training{Images: i}, Verdict: record.Verdict{Valid: true}})
	}
	for _, want := range []string{"1/5 n:", "about 1m2s left\n2/5", "about 1m30s left\n3/5", "about 1m30s left\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("got %q, want %q in it", text.String(), want)
		}
	}
}

package experiment

import (
	"fmt"
	"strings"
	"testing"
)

func TestJobs(t *testing.T) {
	f, err := Parse("/data/experiments.yaml", strings.NewReader(full), known())
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := f.Jobs("all", "other")
	if err != nil {
		t.Fatal(err)
	}
	const timed = 3 * 2 * 2 * 2 * 2 * 3
	if len(jobs) != timed+1+2 {
		t.Fatalf("%d jobs, want %d", len(jobs), timed+1+2)
	}
	ids := map[string]bool{}
	for i, j := range jobs {
		if (j.Latency != nil) == (j.Accuracy != nil) {
			t.Errorf("job %d is not one of latency and accuracy: %+v", i, j)
		}
		if isTimed := i < timed+1; isTimed != (j.Latency != nil) {
			t.Errorf("job %d: timed jobs do not stand first", i)
		}
		if ids[j.ID] || len(j.ID) != 16 {
			t.Errorf("job %d: identity %q", i, j.ID)
		}
		ids[j.ID] = true
	}
	if last := jobs[len(jobs)-1]; last.Model != "resnet50" || len(last.Accuracy.Checkpoints) != 1 || last.Threads != 2 {
		t.Errorf("last accuracy job: %+v %+v", last, last.Accuracy)
	}
	if byDefault, err := f.Jobs(); err != nil || len(byDefault) != timed+2 {
		t.Errorf("%d jobs by default, error %v; want those of the experiment in run", len(byDefault), err)
	}
	if _, err := f.Jobs("al"); err == nil || !strings.Contains(err.Error(), `unknown experiment "al", nearest is "all"`) {
		t.Errorf("got %v", err)
	}
}

// TestIdentityIsStable pins the identity of one job: should it change, every run that was
// cut short starts over.
func TestIdentityIsStable(t *testing.T) {
	parse := func(text string) map[string]string {
		t.Helper()
		f, err := Parse("x.yaml", strings.NewReader(text), known())
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := f.Jobs()
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]string{}
		for _, j := range jobs {
			ids[fmt.Sprint(j.Model, j.Threads)] = j.ID
		}
		return ids
	}
	a := parse("experiments: [{name: a, question: q, models: [resnet18, alexnet], threads: [1, 2]}]")
	b := parse("# reordered\nexperiments: [{threads: [2, 1], models: [alexnet, resnet18], question: other words, name: a, batch: [1]}]")
	for job, id := range a {
		if b[job] != id {
			t.Errorf("%s: %s, and %s once reordered", job, id, b[job])
		}
	}
	if got, want := a["resnet181"], "88054184ce0270b3"; got != want {
		t.Errorf("identity %s, want %s", got, want)
	}
	c := parse("experiments: [{name: a, question: q, models: [resnet18], exact: true}]")
	if c["resnet181"] == a["resnet181"] {
		t.Error("exact changes nothing in the identity")
	}
}

// TestPriceIsNoIdentity holds what a machine costs out of what a job is.
func TestPriceIsNoIdentity(t *testing.T) {
	const text = "experiments: [{name: a, question: q, models: [vgg16]}]"
	var ids []string
	for _, set := range [][]string{nil, {"price=0.04/h"}} {
		f, err := parseWith("x.yaml", strings.NewReader(text), known(), Changes{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := f.Jobs()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, jobs[0].ID)
		if want := 0.04 * float64(len(set)); jobs[0].Price != want {
			t.Errorf("price %v, want %v", jobs[0].Price, want)
		}
	}
	if ids[0] != ids[1] {
		t.Errorf("with a price the job is another one: %q", ids)
	}
}

package choose

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"zoobench/bench/choose/features"
	"zoobench/bench/choose/heads"
)

// drawOutcome is an outcome on 30 images of each of two classes of a head that is right with probability 0.7.
func drawOutcome(rng *rand.Rand) heads.Outcome {
	o := heads.Outcome{Classes: 2}
	for i := range 60 {
		said := i % 2
		if rng.Float64() >= 0.7 {
			said = 1 - said
		}
		o.Labels, o.Predicted = append(o.Labels, i%2), append(o.Predicted, said)
	}
	return o
}

// decided is a choice among made-up heads on 60 images of two classes, a quarter of them copies, as far as decide.
func decided(heads int) *chooser {
	r := &Result{Metric: byAccuracy, Limits: Limits{Percentile: 0.5}, Batch: 1, Classes: []string{"a", "b"}}
	c := &chooser{Result: r, titles: r.Classes}
	c.o.Say, c.o.Step = func(string) {}, func(string, int, int) {}
	rng := rand.New(rand.NewPCG(5, 1))
	first := drawOutcome(rng)
	c.task = &task{Folder: features.Folder{Files: make([]string, 60)}, Labels: first.Labels, Classes: c.Classes}
	for i := range 60 {
		sum := string(rune('A' + i))
		if i%4 == 2 {
			sum = string(rune('A' + i - 2))
		}
		c.images = append(c.images, features.Image{SHA256: sum, Fingerprint: features.Fingerprint{Hash: rng.Uint64()}})
	}
	for i := range heads {
		o := drawOutcome(rng)
		name := "n" + string(rune('A'+i))
		c.Candidates = append(c.Candidates, &Candidate{Name: name, Latency: 5e6, Mean: int64(5e6 + i)})
		c.Rows = append(c.Rows, &Row{Name: name, Head: headProbe, Latency: 5e6, Fits: true, outcome: o, Score: o.Score(),
			probabilities: saying(name, 0, 2, o.Predicted, make([]float32, 60)).probabilities})
	}
	c.look()
	return c
}

// TestDecide says what is to be expected of the choice, and that images look alike.
func TestDecide(t *testing.T) {
	c := decided(mostPaired + 5)
	var said, steps []string
	c.o.Say = func(line string) { said = append(said, line) }
	c.o.Step = func(what string, _, _ int) { steps = append(steps, what) }
	if err := c.decide(context.Background()); err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := c.page("out").markdown(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Expect about " + percent(*c.Expected) + " on new images", "The best of 25 rows by accuracy reaches",
		"only 45 of the 60 images are different",
	} {
		if !strings.Contains(page.String(), want) || !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("%q is not in the report or not said: %q", want, said)
		}
	}
	for _, explained := range []string{
		"A linear probe is ", "called folds", "A difference is measurable if ", "**tie group**: ", "**front**: ",
		"In a cascade the ",
	} {
		if !strings.Contains(page.String(), explained) {
			t.Errorf("the report does not explain %q", explained)
		}
	}
	if best := c.Rows[0].Score.Accuracy.Value; *c.Expected >= best-0.02 || *c.Expected < 0.6 {
		t.Errorf("%g expected of 70 %%, the best has %g", *c.Expected, best)
	}
	leftOut := strings.Contains(page.String(), "5 are left out")
	if len(c.Ensembles) != mostWhatIfs || c.Ensembles[0].Balanced.Hi == 0 || !leftOut || len(steps) < 5 {
		t.Errorf("%d ensembles, %d steps:\n%s", len(c.Ensembles), len(steps), page.String())
	}
}

// TestDecideEnds ends a decision at every stage of it that takes time.
func TestDecideEnds(t *testing.T) {
	for _, stage := range []string{
		"drawing images at random 0", "drawing images at random 500", "two networks together 0", "two networks together 1",
	} {
		c := decided(12)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		c.o.Step = func(what string, done, _ int) {
			if what+" "+map[int]string{0: "0", 1: "1", 500: "500"}[done] == stage {
				cancel()
			}
		}
		if err := c.decide(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want that of the context", stage, err)
		}
	}
}

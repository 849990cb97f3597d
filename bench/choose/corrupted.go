package choose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"zoobench/bench/choose/features"
	"zoobench/bench/choose/heads"
)

// A corruptedScore is a row's accuracy on corrupted images, in the mean of the splits. It has no interval and decides nothing.
type corruptedScore struct {
	Corruption string  `json:"corruption"`
	Accuracy   float64 `json:"accuracy"`
}

// corruptedBy says whose the corrupted images are.
func corruptedBy(seed uint64) string {
	return fmt.Sprintf("computed by zoobench on each network's crop with seed %d; these are not ImageNet-C's published files", seed)
}

// CorruptedMean is a row's accuracy in the mean of the corruptions, false where it was tested on none.
func (r *Row) CorruptedMean() (float64, bool) {
	sum := 0.0
	for _, s := range r.Corrupted {
		sum += s.Accuracy
	}
	return sum / float64(max(len(r.Corrupted), 1)), len(r.Corrupted) > 0
}

// corruptedAnswer is what a network's heads say of corrupted images, as the cache keeps it: classes, (splits, images).
type corruptedAnswer struct{ Probe, Nearest, Own []int }

// testCorrupted tests a network's heads, which learned from images as they are, on the same images corrupted.
func (c *chooser) testCorrupted(ctx context.Context, cand *contender, n *features.Extractor, a *answer, rows []*Row) error {
	probes := sync.OnceValues(func() (all []*heads.Probes, err error) {
		for s, study := range c.studies {
			p, err := study.Probes(ctx, cand.features, a.Chosen[s])
			if err := errors.Join(err, cand.features.Err()); err != nil {
				return nil, err
			}
			all = append(all, p)
		}
		return all, nil
	})
	for i, corruption := range c.o.Corruptions {
		e := n.Corrupted(corruption, c.Seed)
		key, err := e.Key(c.store.Build)
		if err != nil {
			return err
		}
		c.o.Step(cand.Name+": corrupted images", i, len(c.o.Corruptions))
		var said corruptedAnswer
		err = c.cached(cand.Name, key, "corrupted", &said, func() (err error) {
			said, err = c.predictCorrupted(ctx, cand, e, a, probes)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			o := r.outcome
			o.Predicted = map[string][]int{headProbe: said.Probe, headNearest: said.Nearest, headOwn: said.Own}[r.Head]
			right := float64(o.Rights()) / float64(len(o.Predicted))
			r.Corrupted = append(r.Corrupted, corruptedScore{corruption.String(), right})
		}
	}
	return nil
}

// predictCorrupted is what the heads say of the images that the extractor corrupts.
func (c *chooser) predictCorrupted(
	ctx context.Context, cand *contender, e *features.Extractor, a *answer, probes func() ([]*heads.Probes, error),
) (said corruptedAnswer, err error) {
	own := c.ownClasses(e)
	table, logits, err := c.store.Extract(ctx, e, c.task.Folder, c.images, own, nil)
	if err != nil {
		return said, err
	}
	defer table.Close()
	learned, err := probes()
	if err != nil {
		return said, err
	}
	changed := table.Loaded(heads.MostValues)
	var ownSays heads.Matrix
	if own != nil {
		ownSays = heads.Probabilities(heads.Matrix{Rows: len(c.images), Cols: len(own), Data: logits})
	}
	for s, study := range c.studies {
		decide := func(p heads.Matrix) []int {
			return heads.Decide(study.Classes, study.Labels, c.readable, p.Row).Predicted
		}
		nearest, err := study.NearestTo(ctx, changed, cand.features, a.Neighbours[s])
		if err := errors.Join(err, changed.Err(), cand.features.Err()); err != nil {
			return said, err
		}
		said.Probe = append(said.Probe, decide(learned[s].Predict(changed))...)
		said.Nearest = append(said.Nearest, decide(nearest)...)
		if own != nil {
			said.Own = append(said.Own, decide(ownSays)...)
		}
	}
	return said, changed.Err()
}

// corruptedLegend says what the accuracy on corrupted images is, "" where nobody asked for it.
func (r *Result) corruptedLegend() string {
	if len(r.Corruptions) == 0 {
		return ""
	}
	names := strings.Join(first(r.Corruptions, mostConfusions), ", ")
	if more := len(r.Corruptions) - mostConfusions; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return "corrupted: accuracy on the same images with " + names + ", " + r.CorruptedBy + "; the pick does not depend on it"
}

// corruptedSection is the rows on corrupted images, and the pick under each corruption.
func (r *Result) corruptedSection(p *page) {
	if len(r.Corruptions) == 0 {
		return
	}
	p.heading("Accuracy on corrupted images")
	p.text(fmt.Sprintf("The heads learned from your images as they are, and were tested on images of the other folds "+
		"with %d corruptions: %s. "+
		"The corruptions are %s. The pick does not depend on them.", len(r.Corruptions), strings.Join(r.Corruptions, ", "), r.CorruptedBy))
	t := tableOf("", "network", "head", "accuracy", "on corrupted images", "share that is left")
	for _, row := range r.Rows {
		mark, clean := "", row.Score.Accuracy.Value
		if r.Pick == row {
			mark = "→"
		}
		corrupted, ok := row.CorruptedMean()
		if !ok {
			continue
		}
		left := "–"
		if clean > 0 {
			left = percent(corrupted / clean)
		}
		t.add(mark, row.Name, row.Head, percent(clean), percent(corrupted), left)
	}
	p.table(t)
	if r.Pick == nil || len(r.Corruptions) < 2 {
		return
	}
	p.text("The pick under each corruption:")
	t = tableOf("corruption", "accuracy")
	for _, s := range r.Pick.Corrupted {
		t.add(s.Corruption, percent(s.Accuracy))
	}
	p.table(t)
}

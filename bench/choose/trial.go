package choose

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/bench/choose/features"
	"zoobench/bench/choose/heads"
	"zoobench/bench/record"
	"zoobench/kernels/par"
)

// test gives every network that fits, or nearly does, its heads and tests them.
func (c *chooser) test(ctx context.Context) error {
	defer c.pool()()
	tested := 0
	for _, cand := range c.contenders {
		if cand.Err != "" || cand.Skipped {
			continue
		}
		rows, err := c.testOne(ctx, cand)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.fail(cand, err.Error())
			continue
		}
		tested++
		c.Rows = append(c.Rows, rows...)
		c.o.Say(fmt.Sprintf("%s: accuracy %s with a linear probe, latency %s for %s",
			cand.Name, percent(rows[0].Score.Accuracy.Value), rows[0].latency(), batchOf(c.Batch)))
	}
	if tested == 0 {
		return c.nothing()
	}
	return nil
}

// pool gives the studies workers until the function that it returns is called.
func (c *chooser) pool() (end func()) {
	pool := par.New(c.Threads)
	for _, s := range c.studies {
		s.Pool = pool
	}
	return pool.Close
}

// nothing is the error of a choice without a network.
func (c *chooser) nothing() error {
	var errs []error
	var over []*Candidate
	for _, cand := range c.Candidates {
		if cand.Err != "" {
			errs = append(errs, fmt.Errorf("%s: %s", cand.Name, cand.Err))
		} else if len(cand.Exceeds) > 0 {
			over = append(over, cand)
		}
	}
	if len(over) > 0 {
		slices.SortStableFunc(over, func(a, b *Candidate) int {
			return cmp.Or(cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.Params, b.Params))
		})
		errs = append(errs, fmt.Errorf("%d checkpoints are far above the limits, the least of them %s with %s",
			len(over), over[0].Name, strings.Join(over[0].Exceeds, "; ")))
	}
	return fmt.Errorf("choose: %w: %w", errNothing, errors.Join(errs...))
}

// answer is what a network's heads say, as the cache keeps it.
type answer struct {
	Chosen              []heads.Chosen // by split
	Neighbours          [][]int        // by split and fold
	Probe, Nearest, Own said           // Own is empty where the classes are not the network's
}

// said is what a head says of the images in all splits.
type said struct {
	Mean      []float32 // (images, classes), of the probabilities
	Predicted []int     // (splits, images)
}

// in adds what a head says in a split.
func (s *said) in(split *heads.Study, read []bool, p heads.Matrix, splits int) {
	if s.Mean == nil {
		s.Mean = make([]float32, len(p.Data))
	}
	for i, v := range p.Data {
		s.Mean[i] += v / float32(splits)
	}
	s.Predicted = append(s.Predicted, heads.Decide(split.Classes, split.Labels, read, p.Row).Predicted...)
}

// extractBatch is how many images go through a network at a time.
const extractBatch = 8

// testOne gives a network its heads and returns their rows.
func (c *chooser) testOne(ctx context.Context, cand *contender) ([]*Row, error) {
	t := cand.task
	t.Threads, t.Batch = c.Threads, extractBatch
	n, err := features.Open(c.o.List, t)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	cand.Features = n.Features
	own := c.ownClasses(n)
	var logits []float32
	cand.features, logits, err = c.store.Extract(ctx, n, c.task.Folder, c.images, own, func(done, total int) {
		c.o.Step(cand.Name+": features", done, total)
	})
	if err != nil {
		return nil, err
	}
	cand.logits = n.Logits
	cand.head = &Head{Network: n.Network, SHA256: n.SHA256, Section: n.Section, File: n.File, Classes: c.Classes, Recipe: n.Recipe,
		Numbers: n.Numbers, NumbersFile: n.NumbersFile}
	if learned, all := c.studies[0].LearnsFrom(n.Features); learned < all {
		c.warn("%s: to limit memory, heads learn from only %d images, balanced over the classes; they are tested on all", cand.Name, learned)
	}
	if cand.key, err = n.Key(c.store.Build); err != nil {
		return nil, err
	}
	var a answer
	err = c.cached(cand.Name, cand.key, "answers", &a, func() (err error) {
		if a, err = c.predict(ctx, cand); err == nil && own != nil {
			p := heads.Probabilities(heads.Matrix{Rows: len(c.images), Cols: len(own), Data: logits})
			for _, study := range c.studies {
				a.Own.in(study, c.readable, p, c.Splits)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	probe, nearest := c.newRow(cand, headProbe, a.Probe), c.newRow(cand, headNearest, a.Nearest)
	probe.Overall = heads.Overall(a.Chosen)
	for _, chosen := range a.Chosen {
		probe.Strengths, probe.Gradient = append(probe.Strengths, chosen.Strength), max(probe.Gradient, chosen.Gradient)
	}
	nearest.Neighbours = a.Neighbours
	rows := []*Row{probe, nearest}
	if own != nil {
		rows = append(rows, c.newRow(cand, headOwn, a.Own))
	}
	return rows, c.testCorrupted(ctx, cand, n, &a, rows)
}

// ownClasses are the classes' logits of a network, nil where its list of classes is another.
func (c *chooser) ownClasses(n *features.Extractor) []int {
	if n.Logits != 1000 {
		return nil
	}
	return c.task.ImageNet
}

// predict is what the heads that learn from a network's features say.
func (c *chooser) predict(ctx context.Context, cand *contender) (answer, error) {
	loaded := cand.features.Loaded(heads.MostValues) // as long as this takes
	var a answer
	for s, study := range c.studies {
		probe, chosen, err := study.Probe(ctx, loaded, func(done, total int) {
			c.o.Step(cand.Name+": linear probe", s*total+done, c.Splits*total)
		})
		if err != nil {
			return answer{}, err
		}
		nearest, neighbours, err := study.Nearest(ctx, loaded)
		if err := errors.Join(err, loaded.Err()); err != nil {
			return answer{}, err
		}
		a.Probe.in(study, c.readable, probe, c.Splits)
		a.Nearest.in(study, c.readable, nearest, c.Splits)
		a.Chosen, a.Neighbours = append(a.Chosen, chosen), append(a.Neighbours, neighbours)
	}
	return a, nil
}

// newRow is the row of a network with a head, by what the head says of the images.
func (c *chooser) newRow(cand *contender, head string, s said) *Row {
	p := heads.Matrix{Rows: len(c.images), Cols: len(c.Classes), Data: s.Mean}
	r := &Row{
		Name: cand.Name, Head: head, Fits: len(cand.Exceeds)+len(cand.Undecided) == 0, Latency: cand.Latency,
		Disturbed: len(cand.TimingWarnings) > 0, timing: cand.timing, probabilities: p,
	}
	r.outcome = heads.Outcome{Classes: len(c.Classes), Labels: c.task.Labels, Predicted: s.Predicted, Group: c.group}
	r.Score, r.BySplit = r.outcome.Score(), r.outcome.BySplit()
	return r
}

// cached fills v from the cache or by compute: what it depends on is the network's key, the images, their labels and folds.
func (c *chooser) cached(name, key, kind string, v any, compute func() error) error {
	h := sha256.New()
	var folds [][]int
	for _, s := range c.studies {
		folds = append(folds, s.Fold)
	}
	var sums []string
	for _, p := range c.images {
		sums = append(sums, p.SHA256)
	}
	if err := json.NewEncoder(h).Encode(struct {
		Key, Kind string
		Sums      []string
		Labels    []int
		Folds     [][]int
		ImageNet  []int
		Seed      uint64
	}{key, kind, sums, c.task.Labels, folds, c.task.ImageNet, c.Seed}); err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	path := filepath.Join(c.store.Dir, name+"-"+hex.EncodeToString(h.Sum(nil)[:16])+"."+kind)
	if f, err := os.Open(path); err == nil {
		err = gob.NewDecoder(f).Decode(v)
		f.Close()
		if err == nil {
			return nil
		}
	}
	if err := compute(); err != nil {
		return err
	}
	if err := record.Replace(path, func(w io.Writer) error { return gob.NewEncoder(w).Encode(v) }); err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	return nil
}

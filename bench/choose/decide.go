package choose

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"zoobench/bench/choose/heads"
)

// How much of each list an answer shows.
const (
	mostConfusions = 12
	mostWrong      = 50
	mostWhatIfs    = 5
	mostCurves     = 4
)

// decide orders the rows, picks one and says what else there is to say without another fit.
func (c *chooser) decide(ctx context.Context) error {
	if w := alikeWarning(c.group, c.readable); w != "" {
		c.warn("%s", w)
	}
	fits := func(r *Row) bool { return r.Fits }
	step := func(done, total int) { c.o.Step("drawing images at random", done, total) }
	expected, err := resampleRows(ctx, c.Rows, c.group, c.Metric, fits, step)
	if err != nil {
		return err
	}
	f := order(c.Rows, c.Metric)
	if d := pick(f, fits); d != nil {
		c.Pick, c.PickName, c.PickHead = d.row, d.row.Name, d.row.Head
		c.Expected = expected
		c.against(f)
		c.Reason = d.reason(f, c.Limits, c.Batch)
		c.Confusions = confusions(d.row.outcome, c.titles, mostConfusions)
		if text := c.expected(); text != "" {
			c.o.Say(text)
		}
		if w := f.nearestAhead(d, fits); w != "" {
			c.warn("%s", w)
		}
	} else {
		c.Reason = c.noneFits()
	}
	c.Changes = changes(f, c.otherLimits())
	if c.Pick != nil {
		c.byClass()
		c.Hints = c.hints()
	}
	c.AllWrong = c.wrongByAll()
	c.Answers = c.answers()
	c.o.Step("two networks together", 0, 2)
	if c.Ensembles, err = c.Answers.Ensembles(ctx, mostWhatIfs); err != nil {
		return err
	}
	c.o.Step("two networks together", 1, 2)
	cascades, err := c.Answers.BestCascades(ctx, c.Limits.Latency.Nanoseconds())
	if err != nil {
		return err
	}
	c.Cascades = first(cascades, mostWhatIfs)
	c.o.Step("two networks together", 2, 2)
	return nil
}

// uncertain is how many networks may fit the limits, if their timings were not disturbed.
func (r *Result) uncertain() (n int) {
	for _, c := range r.Candidates {
		if len(c.Undecided) > 0 && len(c.Exceeds) == 0 {
			n++
		}
	}
	return n
}

// noneFits is the reason where nothing is picked.
func (r *Result) noneFits() string {
	if open := r.uncertain(); open > 0 {
		return fmt.Sprintf("No network in the cache folder is certain to fit the limits: other work disturbed the timing of %d that may. "+
			"Repeat the command while the machine does nothing else.", open)
	}
	return "No network in the cache folder fits the limits."
}

// drawsFor is how many draws separate rows: Holm's correction multiplies the least p-value, two of the draws and one, by
// the number of comparisons, and what remains must be able to come below 5 %.
func drawsFor(rows int, m Metric) int {
	if m == byAccuracy {
		return draws // tested by right answers, without draws
	}
	return max(draws, 50*rows)
}

// resampleRows scores rows on draws of the images: it widens their intervals, gives them the metric's values that tests
// compare, and returns what is to be expected, by the metric, of taking the best of the rows that are allowed; see
// heads.Resampled. It is nil where there is nothing to choose from.
func resampleRows(
	ctx context.Context, rows []*Row, group []int, m Metric, allowed func(*Row) bool, step func(done, total int),
) (expected *float64, err error) {
	value := func(s heads.Score) float64 { return m.of(s).Value }
	o := heads.Resampling{Draws: drawsFor(len(rows), m), Group: group, Metric: value, Step: step}
	var outcomes []heads.Outcome
	for i, r := range rows {
		outcomes = append(outcomes, r.outcome)
		if r.competes() && allowed(r) {
			o.Among = append(o.Among, i)
		}
	}
	resampled, err := heads.Resample(ctx, outcomes, o)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		r.Score = resampled.Scores[i]
		switch m {
		case byBalanced:
			r.draws = resampled.Balanced[i]
		case byMacroF1:
			r.draws = resampled.MacroF1[i]
		}
	}
	if resampled.Expected == nil {
		return nil, nil
	}
	best := value(*resampled.Expected)
	return &best, nil
}

// fewAlike is the share of images that must be different for copies to go without a warning.
const fewAlike = 0.9

// alikeWarning says that many of the images that can be read look like others, nothing where few do.
func alikeWarning(group []int, read []bool) string {
	different, all := 0, 0
	for i, g := range group {
		if !read[i] {
			continue
		}
		if all++; g == i {
			different++ // a group is called by its first image
		}
	}
	if float64(different) >= fewAlike*float64(all) {
		return ""
	}
	return fmt.Sprintf("only %d of the %d images are different; intervals and tests count images that look the same as one", different, all)
}

// expected says what the best row by these images will reach on others, nothing where there is no estimate.
func (r *Result) expected() string {
	if r.Pick == nil || r.Expected == nil {
		return ""
	}
	n, best := 0, (*Row)(nil)
	for _, row := range r.Rows {
		if row.competes() && row.Fits {
			if n++; best == nil {
				best = row
			}
		}
	}
	text := fmt.Sprintf("The best of %d rows by %s reaches %s here, in part by luck: it was chosen and tested on the same images. "+
		"Expect about %s on new images (estimated by choosing on random draws of the images and testing on those left out).",
		n, r.Metric.words(), percent(r.Metric.of(best.Score).Value), percent(*r.Expected))
	if r.Pick != best {
		text += " The pick is another row, for its latency."
	}
	return text
}

func first[T any](all []T, n int) []T { return all[:min(n, len(all))] }

// otherLimits reports whether a row keeps the limits on anything but latency.
func (c *chooser) otherLimits() func(*Row) bool {
	keeps := map[string]bool{}
	for _, cand := range c.Candidates {
		keeps[cand.Name] = (c.Limits.Params == 0 || cand.Params <= c.Limits.Params) && (c.Limits.Memory == 0 || cand.Memory <= c.Limits.Memory)
	}
	return func(r *Row) bool { return keeps[r.Name] }
}

// voters are the rows of networks proper.
func (c *chooser) voters() (rows []*Row) {
	for _, r := range c.Rows {
		if r.canBePicked() {
			rows = append(rows, r)
		}
	}
	return rows
}

// answers are those of all rows, for later questions.
func (c *chooser) answers() *Answers {
	a := &Answers{Classes: c.Classes, Files: c.task.Files, Labels: c.task.Labels, Read: c.readable, Group: c.group, Splits: c.Splits}
	for _, r := range c.Rows {
		a.From = append(a.From, Answerer{
			Name: r.Name, Head: r.Head, Latency: c.candidate(r.Name).Mean, Batch: c.Batch, probabilities: r.probabilities,
		})
	}
	return a
}

// learn draws the learning curves of the pick and of its rivals, and makes the pick's head.
func (c *chooser) learn(ctx context.Context) error {
	defer c.pool()()
	var rows []*Row
	if c.Pick != nil {
		rows = append(rows, c.Pick)
	}
	for _, r := range c.voters() {
		if !slices.ContainsFunc(rows, func(s *Row) bool { return s.Name == r.Name }) {
			rows = append(rows, r)
		}
	}
	for _, r := range first(rows, mostCurves) {
		cand, probe := c.contender(r.Name), c.row(r.Name, headProbe)
		c.o.Step("learning curve of "+r.Name, len(c.Curves)+1, min(mostCurves, len(rows)))
		var curve heads.Curve
		err := c.cached(cand.Name, cand.key, "curve", &curve, func() (err error) {
			curve, err = heads.Learning(ctx, c.studies, cand.features, probe.Strengths, probe.outcome, c.Seed)
			return errors.Join(err, cand.features.Err())
		})
		if err != nil {
			return err
		}
		c.Curves = append(c.Curves, learningCurve{r.Name, curve})
	}
	if c.Pick == nil {
		return nil
	}
	return c.pickHead(ctx)
}

func (c *chooser) row(name, head string) *Row {
	return c.Rows[slices.IndexFunc(c.Rows, func(r *Row) bool { return r.Name == name && r.Head == head })]
}

// contender is a row's network.
func (c *chooser) contender(name string) *contender {
	return c.contenders[slices.IndexFunc(c.contenders, func(cand *contender) bool { return cand.Name == name })]
}

// pickHead makes the pick's head: the probe, learned from all images, or a choice among the network's own classes.
func (c *chooser) pickHead(ctx context.Context) (err error) {
	cand := c.contender(c.PickName)
	h := cand.head
	h.Score, c.Task = c.Pick.Score, cand.task
	if c.PickHead == headOwn {
		h.Input = fromLogits
		h.Weight, h.Bias = selection(c.task.ImageNet, cand.logits)
		c.Head = h
		return nil
	}
	h.Input = fromFeatures
	if err := ctx.Err(); err != nil {
		return err
	}
	h.Weight, h.Bias, err = c.studies[0].Fit(cand.features, c.Pick.Overall)
	if err := errors.Join(err, cand.features.Err()); err != nil {
		return err
	}
	c.Head = h
	return nil
}

// nextStep says what more images would give, by the learning curves.
func (r *Result) nextStep() string {
	if len(r.Curves) == 0 || len(r.Curves[0].Points) < 2 {
		return ""
	}
	c := r.Curves[0]
	last := c.Points[len(c.Points)-1]
	gain := c.Doubled - last.Accuracy.Value
	text := fmt.Sprintf("With twice as many images, a linear probe on %s would reach about %s (%+.1f points), "+
		"if its learning curve continues as before.",
		c.Name, percent(c.Doubled), 100*gain)
	for _, other := range r.Curves[1:] {
		now := other.Points[len(other.Points)-1].Accuracy.Value
		if now <= last.Accuracy.Value && other.Doubled > c.Doubled && math.Abs(other.Doubled-c.Doubled) > 1e-3 {
			text += fmt.Sprintf(" %s would then be ahead of it, at about %s.", other.Name, percent(other.Doubled))
		}
	}
	return text
}

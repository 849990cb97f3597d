package choose

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zoobench/bench/choose/heads"
	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/bench/training"
	"zoobench/datasets"
	"zoobench/zoo/weights"
)

// mostTuned is how many candidates are fine-tuned, the best by their linear probes.
const mostTuned = 3

// headTuned is the head of a row that is fine-tuned.
const headTuned = "fine-tuned"

// A TunedRow is a candidate that went on learning from the images, all of its layers. It learned from all folds but one of the first
// split and is tested on that one, as is the linear probe beside it. Its figures are of these images alone: they are not means over
// the splits, and the row takes no part in ties and in the pick.
type TunedRow struct {
	Name     string         `json:"name"` // the candidate's
	Learned  int            `json:"images_learned_from"`
	Tested   int            `json:"images_tested"`
	Epochs   int            `json:"epochs"`
	Took     time.Duration  `json:"took_ns"`
	Accuracy heads.Estimate `json:"accuracy"`
	Probe    heads.Estimate `json:"linear_probe_accuracy"` // of the same images
	P        float64        `json:"p_value"`               // of McNemar's exact test of the two, corrected for the number of rows
	SHA256   string         `json:"sha256,omitempty"`      // of the fine-tuned checkpoint
	Err      string         `json:"error,omitempty"`

	file string
	p    float64
}

// tuned is what a fine-tuning leaves, as the cache keeps it.
type tuned struct {
	Epochs    int
	Took      time.Duration
	Predicted []int // by tested image
	SHA256    string
}

// fineTune lets the best candidates learn from the images. They share the time.
func (c *chooser) fineTune(ctx context.Context) error {
	if c.o.FineTune == 0 {
		return nil
	}
	files, err := datasets.OpenFolder(c.o.Data, datasets.Options{Split: c.o.Split, Ranks: true})
	if err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	defer files.Close()
	learn, test, tested := c.divided(files)
	var best []*contender
	for _, row := range c.Rows {
		i := slices.IndexFunc(c.contenders, func(cand *contender) bool { return cand.Name == row.Name })
		if cand := c.contenders[i]; row.Head == headProbe && row.Fits && cand.Precision == "" && !runner.IsONNX(cand.task.Model) {
			best = append(best, cand)
		}
	}
	best = first(best, mostTuned)
	if len(best) == 0 {
		c.warn("no network is fine-tuned: none that fits the limits is a checkpoint of the zoo in float32")
	}
	for i, cand := range best {
		row := &TunedRow{Name: cand.Name, Learned: len(learn), Tested: len(test)}
		c.Tuned = append(c.Tuned, row)
		t, err := c.tuneOne(ctx, cand, files, learn, test, c.o.FineTune/time.Duration(len(best)))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			row.Err = strings.TrimPrefix(err.Error(), "training: ")
			c.warn("%s was not fine-tuned: %s", cand.Name, row.Err)
			continue
		}
		row.judge(t, c.probeOf(cand.Name), c.task.Labels, tested)
		row.file = c.tunedFile(cand)
		c.o.Say(fmt.Sprintf("%s, %d of %d fine-tuned: %s", cand.Name, i+1, len(best), row.words()))
	}
	c.correct()
	return nil
}

// divided are the items of the folder that are learned from and tested on, and the images' own numbers of the latter.
func (c *chooser) divided(files *datasets.Files) (learn, test, tested []int) {
	place := map[string]int{}
	for i := range files.Len() {
		place[files.Item(i).Name] = i
	}
	for i, fold := range c.studies[0].Fold {
		switch {
		case !c.readable[i] || fold == heads.NoFold:
		case fold == 0:
			test, tested = append(test, place[c.task.Files[i]]), append(tested, i)
		default:
			learn = append(learn, place[c.task.Files[i]])
		}
	}
	return learn, test, tested
}

// tunedFile is where a candidate's fine-tuned checkpoint is kept: by what it was made of and how.
func (c *chooser) tunedFile(cand *contender) string {
	return filepath.Join(c.store.Dir, fmt.Sprintf("%s-%.16s-%s-seed%d-folds%d.tuned.safetensors", cand.Name, cand.key, c.o.FineTune, c.Seed,
		c.Folds))
}

// tuneOne fine-tunes a candidate, unless the cache has what that leaves. An interrupted one continues.
func (c *chooser) tuneOne(
	ctx context.Context, cand *contender, files *datasets.Files, learn, test []int, limit time.Duration,
) (t tuned, err error) {
	out := c.tunedFile(cand)
	compute := func() error {
		j := training.Job{
			List: c.o.List, Task: cand.task, Images: files, Items: learn, Test: test, Threads: c.o.Threads, Out: out, Time: limit,
			SaveEvery: 10 * time.Second,
			Progress: func(p training.Progress) {
				c.o.Step(cand.Name+": fine-tuning", p.Step, p.Steps)
				if p.Done != nil {
					c.o.Say(fmt.Sprintf("%s: epoch %d of %d: loss %.3f, about %v left", cand.Name, p.Epoch, p.Epochs, p.Done.Loss,
						p.Left.Round(time.Second)))
				}
			},
		}
		j.Task.Threads, j.Task.Batch = c.o.Threads, 0
		r, err := training.Train(ctx, j)
		if err != nil {
			return err
		}
		t = tuned{Epochs: len(r.Curve), Took: r.Took, Predicted: r.Predicted}
		t.SHA256, err = weights.HashFile(ctx, out)
		return err
	}
	key := cand.key + " " + filepath.Base(out)
	if err := c.cached(cand.Name, key, headTuned, &t, compute); err != nil {
		return t, err
	}
	if sum, err := weights.HashFile(ctx, out); err != nil || sum != t.SHA256 { // somebody has removed it
		return t, compute()
	}
	return t, nil
}

// probeOf is a candidate's row with the linear probe.
func (c *chooser) probeOf(name string) *Row {
	return c.Rows[slices.IndexFunc(c.Rows, func(r *Row) bool { return r.Name == name && r.Head == headProbe })]
}

// judge compares what a fine-tuned network says of the images tested with what the linear probe says of them in the same split.
func (row *TunedRow) judge(t tuned, probe *Row, labels, tested []int) {
	var right, probeRight, only, probeOnly int
	for k, i := range tested {
		a, b := t.Predicted[k] == labels[i], probe.outcome.Predicted[i] == labels[i]
		if a {
			right++
		}
		if b {
			probeRight++
		}
		if a && !b {
			only++
		}
		if b && !a {
			probeOnly++
		}
	}
	row.Epochs, row.Took, row.SHA256 = t.Epochs, t.Took, t.SHA256
	row.Accuracy, row.Probe = heads.Share(right, len(tested)), heads.Share(probeRight, len(tested))
	row.p = stat.McNemar(only, probeOnly)
}

// correct orders the fine-tuned rows, the best first, and corrects their p-values for their number.
func (c *chooser) correct() {
	slices.SortStableFunc(c.Tuned, func(a, b *TunedRow) int { return cmp.Compare(b.Accuracy.Value, a.Accuracy.Value) })
	var done []*TunedRow
	var p []float64
	for _, row := range c.Tuned {
		if row.Err == "" {
			done, p = append(done, row), append(p, row.p)
		}
	}
	for i, v := range stat.Holm(p) {
		done[i].P = v
	}
}

// words compare a fine-tuned network with its linear probe.
func (row *TunedRow) words() string {
	return fmt.Sprintf("%s of %d held-out images (%s), its linear probe %s of the same images (%s)", percent(row.Accuracy.Value), row.Tested,
		interval(row.Accuracy), percent(row.Probe.Value), interval(row.Probe))
}

// TunedLines say what fine-tuning gave, in sentences.
func (r *Result) TunedLines() (lines []string) {
	for _, row := range r.Tuned {
		if row.Err != "" {
			lines = append(lines, row.Name+" was not fine-tuned: "+row.Err+".")
			continue
		}
		verdict := "No test finds a difference"
		switch {
		case row.P < significant && row.Accuracy.Value > row.Probe.Value:
			verdict = "Fine-tuning made it measurably better"
		case row.P < significant:
			verdict = "Fine-tuning made it measurably worse"
		}
		lines = append(lines, fmt.Sprintf("%s, fine-tuned on %d images in %d epochs and %v: %s. %s (p %s).", row.Name, row.Learned, row.Epochs,
			row.Took.Round(time.Second), row.words(), verdict, pValue(row.P)))
	}
	return lines
}

// tunedSection is the fine-tuned networks.
func (r *Result) tunedSection(p *page) {
	if len(r.Tuned) == 0 {
		return
	}
	p.heading("Fine-tuned networks")
	p.text(fmt.Sprintf("The best networks by their linear probes also learned from your images, with all of their layers: first the "+
		"classifier alone, then all layers, the first ones at the lowest rates. They shared %v. "+
		"They never learned from one fold, and they were tested on it. The linear probe's accuracy in this table is of the same images. "+
		"These rows take no part in ties and in the pick.", r.FineTune))
	t := tableOf("network", "accuracy, fine-tuned", "95 % interval", "linear probe", "95 % interval", "p", "images learned from", "tested",
		"epochs", "time")
	for _, row := range r.Tuned {
		if row.Err == "" {
			t.add(row.Name, percent(row.Accuracy.Value), interval(row.Accuracy), percent(row.Probe.Value), interval(row.Probe), pValue(row.P),
				fmt.Sprint(row.Learned), fmt.Sprint(row.Tested), fmt.Sprint(row.Epochs), row.Took.Round(time.Second).String())
		}
	}
	p.table(t)
	for _, line := range r.TunedLines() {
		p.text(line)
	}
}

// SaveTuned copies the best fine-tuned checkpoint into a folder; it has the classes' names. It returns the file, "" where there is
// none.
func (r *Result) SaveTuned(dir string) (string, error) {
	if len(r.Tuned) == 0 || r.Tuned[0].Err != "" {
		return "", nil
	}
	row := r.Tuned[0]
	path := filepath.Join(dir, row.Name+".fine-tuned.safetensors")
	if err := copyFile(row.file, path); err != nil {
		return "", fmt.Errorf("choose: %w", err)
	}
	return path, nil
}

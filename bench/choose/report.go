package choose

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"zoobench/bench/choose/heads"
	"zoobench/bench/record"
)

// Write writes the answer into dir, which it makes if need be: choice.json, answers.safetensors (for what-if questions),
// report.md and report.html, each as a whole or not at all. It returns their paths.
func (r *Result) Write(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("choose: %w", err)
	}
	var paths []string
	page := r.page()
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"choice.json", func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			return e.Encode(r)
		}},
		{"report.md", page.markdown},
		{"report.html", page.html},
	} {
		path := filepath.Join(dir, f.name)
		if err := record.Replace(path, f.write); err != nil {
			return paths, fmt.Errorf("choose: %w", err)
		}
		paths = append(paths, path)
	}
	path := filepath.Join(dir, AnswersName)
	if err := r.Answers.save(path); err != nil {
		return paths, err
	}
	return append(paths, path), nil
}

// candidate is a row's network.
func (r *Result) candidate(name string) *Candidate {
	for _, c := range r.Candidates {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// page lays the answer out.
func (r *Result) page() *page {
	p := &page{title: "Which network for " + filepath.Base(r.Data)}
	if r.Pick != nil {
		p.lead(fmt.Sprintf("Take %s with its %s.", r.PickName, r.PickHead))
	}
	p.text(r.Reason)
	p.text(r.wordsExplained())
	p.text(r.asked())
	for _, w := range r.Warnings {
		p.text("Note: " + w + ".")
	}
	r.networksSection(p)
	r.classesSection(p)
	r.changesSection(p)
	r.curvesSection(p)
	r.mistakesSection(p)
	r.togetherSection(p)
	r.imagesSection(p)
	r.absentSection(p)
	return p
}

// asked is what was measured, where and how, in a paragraph.
func (r *Result) asked() string {
	threads := fmt.Sprintf("%d threads", r.Threads)
	switch r.Threads {
	case 0:
		threads = "a thread for each processor"
	case 1:
		threads = "1 thread"
	}
	text := fmt.Sprintf("Measured with %d images of %d classes, %d folds, %s (seed %d), batch %d and %s on %s, %s.",
		r.Images, len(r.Classes), r.Folds, splits(r.Splits), r.Seed, r.Batch, threads, r.Machine.CPU, r.Time.Format("2006-01-02 15:04 UTC"))
	var limits []string
	if l := r.Limits.Latency; l > 0 {
		limits = append(limits, fmt.Sprintf("latency (p%g) %s", 100*r.Limits.Percentile, milliseconds(l.Nanoseconds())))
	}
	if l := r.Limits.Params; l > 0 {
		limits = append(limits, fmt.Sprintf("%.2f M parameters", float64(l)/1e6))
	}
	if l := r.Limits.Memory; l > 0 {
		limits = append(limits, fmt.Sprintf("%.0f MiB of memory", float64(l)/(1<<20)))
	}
	if len(limits) > 0 {
		text += " Limits: " + strings.Join(limits, ", ") + "."
	}
	return text
}

// networksSection is the rows, with what their words mean.
func (r *Result) networksSection(p *page) {
	p.heading("Networks")
	p.table(r.rowsTable())
	for _, text := range r.columnsExplained() {
		p.text(text)
	}
	for _, text := range []string{r.spread(), r.expected()} {
		if text != "" {
			p.text(text)
		}
	}
	p.figure(r.scatter())
	if t := r.disturbedTable(); len(t.rows) > 0 {
		p.heading("Latencies that were measured with warnings")
		p.text(fmt.Sprintf("Other work on the machine may have made these latencies too high. The report marks them with %s. "+
			"They are not kept: repeat the command while the machine does nothing else, and they are measured again.", disturbed))
		p.table(t)
	}
	if t := r.failedTable(); len(t.rows) > 0 {
		p.heading("Networks without a result")
		p.table(t)
	}
}

// wordsExplained says what is compared and how, for readers who have images and no statistics.
func (r *Result) wordsExplained() string {
	text := "A network computes features, numbers that describe an image; a head turns them into one of your classes. " +
		"A linear probe is a head that learned from your images how much each feature speaks for each class. " +
		"The head called nearest takes a vote of the images with the most similar features; " +
		"it needs all images wherever it runs and is never picked. "
	if r.ImageNet {
		text += "The own head is the one that the network was published with; it learned nothing here. "
	}
	text += fmt.Sprintf("The images were divided into %d parts, called folds. "+
		"Each fold was tested by heads that learned from the other folds. ", r.Folds)
	if r.Splits > 1 {
		text += fmt.Sprintf("This was done %d times, with other folds each time: the splits. All figures are means over the splits. ", r.Splits)
	}
	return text + fmt.Sprintf("A difference is measurable if chance alone gives such a difference in less than %.0f %% of the cases.", 100*significant)
}

// columnsExplained says how to read the table of rows.
func (r *Result) columnsExplained() []string {
	return []string{
		fmt.Sprintf("The rows are ordered by %s. Accuracy is the share of the images that get the right class. "+
			"Balanced accuracy is the mean of the classes' accuracies: a rare class counts as much as a common one. "+
			"Macro-F1 is a similar mean, which also counts images that get a class wrongly. "+
			"The true value is probably inside the 95 %% interval; more images make it narrower.", r.Metric.words()),
		fmt.Sprintf("Rows with the same tie group are ties: none of them is measurably worse than the first row of the group (%s). "+
			"The column p says how often chance alone gives such a difference to that row. "+
			"It is corrected for the number of rows that are compared (Holm's method).", r.Metric.test()),
		fmt.Sprintf("The front is the rows for which no other row is at least as good and as quick. "+
			"Latency is the p%g of the forward call for %s: %g %% of the calls take no longer. "+
			"Memory is the largest amount that the process used. Load is the time from the file to a network that is ready.",
			100*r.Limits.Percentile, batchOf(r.Batch), 100*r.Limits.Percentile),
	}
}

// changesSection is what other limits and more images would give.
func (r *Result) changesSection(p *page) {
	p.heading("What would change the pick")
	if len(r.Changes) > 0 {
		t := tableOf("latency limit from", "pick", "head", r.Metric.words(), "95 % interval")
		for _, c := range r.Changes {
			t.add(marked(c.From, c.Disturbed), c.Name, c.Head, percent(c.Value.Value), interval(c.Value))
		}
		p.table(t)
		p.text(fmt.Sprintf("Networks up to %d times above a limit are tested too. So you can see what a looser limit would give.", nearMiss))
	}
	if text := r.nextStep(); text != "" {
		p.text(text)
	}
}

// curvesSection is the learning curves.
func (r *Result) curvesSection(p *page) {
	p.heading("Learning curves")
	p.text("A learning curve shows the accuracy of the linear probe after learning from a part of the images. " +
		"The part is drawn several times; the accuracy is the mean of the draws, and the last column shows the least and the most. " +
		"In the last row of a network the probe learned from all images of the other folds, once in each split.")
	t := tableOf("network", "images of a class", "learned from", "accuracy", "95 % interval", "draws", "least to most")
	for _, c := range r.Curves {
		for _, point := range c.Points {
			t.add(c.Name, fmt.Sprint(point.PerClass), fmt.Sprintf("%.0f", point.Images), percent(point.Accuracy.Value), interval(point.Accuracy),
				fmt.Sprint(point.Draws), fmt.Sprintf("%.1f to %.1f", 100*point.Lo, 100*point.Hi))
		}
	}
	p.table(t)
	p.figure(r.curves())
}

// mistakesSection is the pick's most frequent mistakes and the images that every network gets wrong.
func (r *Result) mistakesSection(p *page) {
	if len(r.Confusions) > 0 {
		p.heading("Classes that " + r.PickName + " confuses")
		t := tableOf("class", "taken for", "images", "of", "share")
		for _, c := range r.Confusions {
			t.add(c.Label, c.Said, mean(c.N), fmt.Sprint(c.Of), percent(c.Share))
		}
		p.table(t)
	}
	if len(r.AllWrong) > 0 {
		p.heading("Images that every network gets wrong")
		p.text("Look at their labels first: often the label is the mistake. The images that the networks are surest about come first.")
		t := tableOf("file", "label", "most networks say", "networks", "mean probability")
		for _, w := range r.AllWrong {
			t.add(w.File, w.Label, w.Said, fmt.Sprint(w.Networks), fmt.Sprintf("%.2f", w.Probability))
		}
		p.table(t)
	}
}

func (r *Result) rowsTable() *tableBlock {
	t := tableOf("", "network", "head", "tie group", "accuracy", "95 % interval", "p", "latency", "front", "params", "memory", "load",
		"limits", "balanced", "95 % interval", "macro-F1", "95 % interval")
	for _, row := range r.Rows {
		c := r.candidate(row.Name)
		mark, front, limits := "", "", "kept"
		if r.Pick == row {
			mark = "→"
		}
		if row.Front {
			front = "yes"
		}
		if over := slices.Concat(c.Exceeds, c.Undecided); len(over) > 0 {
			limits = strings.Join(over, "; ")
		}
		s := row.Score
		t.add(mark, row.Name, row.Head, fmt.Sprint(row.Group), percent(s.Accuracy.Value), interval(s.Accuracy), pValue(row.P),
			row.latency(), front, fmt.Sprintf("%.2f M", float64(c.Params)/1e6), fmt.Sprintf("%.0f MiB", float64(c.Memory)/(1<<20)),
			milliseconds(c.Load), limits, percent(s.Balanced.Value), interval(s.Balanced), percent(s.MacroF1.Value), interval(s.MacroF1))
	}
	return t
}

// disturbedTable is the timings with warnings.
func (r *Result) disturbedTable() *tableBlock {
	t := tableOf("network", "latency", "95 % interval", "warnings")
	for _, c := range r.Candidates {
		if len(c.TimingWarnings) > 0 {
			t.add(c.Name, milliseconds(c.Latency), milliseconds(c.LatencyLo)+" to "+milliseconds(c.LatencyHi), strings.Join(c.TimingWarnings, "; "))
		}
	}
	return t
}

func (r *Result) failedTable() *tableBlock {
	t := tableOf("network", "why")
	for _, c := range r.Candidates {
		switch {
		case c.Err != "":
			t.add(c.Name, c.Err)
		case c.Skipped:
			t.add(c.Name, strings.Join(c.Exceeds, "; "))
		}
	}
	return t
}

// togetherSection is on networks used together.
func (r *Result) togetherSection(p *page) {
	if len(r.Cascades)+len(r.Ensembles) == 0 {
		return
	}
	p.heading("Two networks together")
	t := tableOf("kind", "networks", "accuracy", "95 % interval", "mean latency", "second runs", "below")
	for _, all := range [][]WhatIf{r.Cascades, r.Ensembles} {
		for _, w := range all {
			runs, below := "", ""
			if w.Kind == "cascade" {
				runs, below = percent(w.Second), w.Below()
			}
			t.add(w.Kind, w.Name, percent(w.Accuracy.Value), interval(w.Accuracy), milliseconds(w.Latency), runs, below)
		}
	}
	p.table(t)
	p.text("In a cascade the first network answers. " +
		"The second network runs only on images for which the first gives its class a probability below the last column. " +
		"In an ensemble both networks run on every image, and their probabilities are averaged. " + r.Answers.Caveat() +
		" The command zoobench whatif answers more questions from the same predictions: other classes, merged classes, other limits.")
}

// imagesSection is on the images themselves.
func (r *Result) imagesSection(p *page) {
	if len(r.Unreadable) > 0 {
		p.heading("Files that could not be read")
		t := tableOf("file", "why")
		for _, b := range first(r.Unreadable, mostWrong) {
			t.add(b.File, b.Err)
		}
		p.table(t)
		if more := len(r.Unreadable) - mostWrong; more > 0 {
			p.text(fmt.Sprintf("choice.json lists %d more.", more))
		}
	}
	if len(r.Alike) > 0 {
		p.heading("Images that look the same")
		p.text(fmt.Sprintf("%d groups of images look the same; %d of the groups have several labels. "+
			"Each group is in one fold: no head is tested on a copy of what it learned.", len(r.Alike), len(r.Disputed)))
		t := tableOf("files")
		shown := r.Disputed
		if len(shown) == 0 {
			shown = r.Alike
		}
		for _, files := range first(shown, mostConfusions) {
			t.add(strings.Join(first(files, mostWhatIfs), ", "))
		}
		p.table(t)
	}
}

func (r *Result) absentSection(p *page) {
	if len(r.Absent) == 0 {
		return
	}
	p.heading("Checkpoints that are not in the cache folder")
	t := tableOf("checkpoint", "about", "published top-1 on ImageNet", "address")
	for _, a := range r.Absent {
		top1 := "–"
		if a.Top1 > 0 {
			top1 = fmt.Sprintf("%.2f %%", a.Top1)
		}
		t.add(a.Name, fmt.Sprintf("%.0f MB", float64(a.Bytes)/1e6), top1, a.URL)
	}
	p.table(t)
}

// spread is how far the pick's accuracy hangs on the folds, nothing with a single split.
func (r *Result) spread() string {
	if r.Pick == nil || len(r.Pick.BySplit) < 2 {
		return ""
	}
	return fmt.Sprintf("The accuracy of the pick was between %s and %s in the %d splits.",
		percent(slices.Min(r.Pick.BySplit)), percent(slices.Max(r.Pick.BySplit)), len(r.Pick.BySplit))
}

func splits(n int) string {
	if n == 1 {
		return "1 split"
	}
	return fmt.Sprintf("%d splits", n)
}

// mean is a mean number of images, with a digit behind the point where it is no whole number.
func mean(v float64) string { return strconv.FormatFloat(math.Round(10*v)/10, 'f', -1, 64) }

func interval(e heads.Estimate) string { return fmt.Sprintf("%.1f to %.1f", 100*e.Lo, 100*e.Hi) }

func pValue(p float64) string {
	switch {
	case p == 1:
		return "1"
	case p < 1e-4:
		return "< 0.0001"
	}
	return fmt.Sprintf("%.4f", p)
}

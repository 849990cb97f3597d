package choose

import (
	"cmp"
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
	page := r.page(dir)
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

// page lays the answer out, for a report in dir.
func (r *Result) page(dir string) *page {
	p := &page{title: "Which network for " + filepath.Base(r.Data)}
	if r.Pick != nil {
		p.lead("Take " + r.Pick.title() + ".")
	}
	p.text(r.wordsExplained())
	p.text(r.testExplained())
	p.text(r.Reason)
	p.text(r.asked())
	for _, w := range r.Warnings {
		p.text("Note: " + w + ".")
	}
	r.nextSection(p, dir)
	r.networksSection(p)
	r.tunedSection(p)
	r.corruptedSection(p)
	r.classesSection(p)
	r.changesSection(p)
	r.latencySection(p)
	r.curvesSection(p)
	r.mistakesSection(p)
	r.togetherSection(p)
	r.imagesSection(p)
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

// networksSection is the rows, after what their words mean.
func (r *Result) networksSection(p *page) {
	p.heading("Networks")
	p.terms(r.rowTerms())
	p.table(r.rowsTable())
	for _, text := range []string{r.spread(), r.expected()} {
		if text != "" {
			p.text(text)
		}
	}
	p.figure(r.scatter())
	p.heading("Other figures of the networks")
	p.terms(r.figureTerms())
	p.table(r.figuresTable())
	if t := r.failedTable(); len(t.rows) > 0 {
		p.heading("Networks without a result")
		p.table(t)
	}
}

// wordsExplained says what is compared, for readers who have images and no statistics.
func (r *Result) wordsExplained() string {
	text := "A network computes features, numbers that describe an image. A head turns them into one of your classes. " +
		"A linear probe is a head that learned from your images how much each feature speaks for each class. " +
		"The head called nearest takes a vote of the images with the most similar features. " +
		"It needs all images wherever it runs, so it is never picked."
	if r.ImageNet {
		text += " The own head is the one that the network was published with; it learned nothing here."
	}
	return text
}

// testExplained says how the networks are compared.
func (r *Result) testExplained() string {
	text := fmt.Sprintf("The images were divided into %d parts, called folds. "+
		"Each fold was tested by heads that learned from the other folds. ", r.Folds)
	if r.Splits > 1 {
		text += fmt.Sprintf("This was done %d times, with other folds each time: the splits. All figures are means over the splits. ", r.Splits)
	}
	return text + fmt.Sprintf("A difference is measurable if chance alone gives such a difference in less than %.0f %% of the cases.",
		100*significant)
}

// rowTerms are the words of the table of rows.
func (r *Result) rowTerms() []term {
	value := term{r.Metric.words(), r.Metric.meaning() + " The rows are ordered by it."}
	return []term{
		value,
		{"95 % interval", "The true value is probably inside it. More images make it narrower."},
		{"tie group", fmt.Sprintf("Rows of one group are ties: none of them is measurably worse than the first row of the group (%s).",
			r.Metric.test())},
		{"p", "How often chance alone gives such a difference to the first row of the group. " +
			"It is corrected for the number of rows that are compared (Holm's method)."},
		{"latency", fmt.Sprintf("The time of the forward call for %s, p%g: %g %% of the calls take no longer.",
			batchOf(r.Batch), 100*r.Limits.Percentile, 100*r.Limits.Percentile)},
		{"front", "The dashed line of the chart. A row is on the front (also called Pareto front) if no other row that can be picked is at " +
			"least as good and takes no longer. To get a better network than one on the front, you must accept a higher latency."},
	}
}

// Legend says what the words of the rows mean, in lines for a terminal.
func (r *Result) Legend() []string {
	all := []string{
		"linear probe: a head that learned from your images how much each feature of the network speaks for each class",
		"nearest: a vote of the images with the most similar features; it needs all images, so it is never picked",
		"tie: rows of one group are ties; no test finds one of them worse than the first of the group",
		"balanced: the mean of the classes' accuracies; macro-F1: a similar mean, which also counts images that get a class wrongly",
	}
	if text := r.corruptedLegend(); text != "" {
		all = append(all, text)
	}
	return all
}

// figureTerms are the words of the table of other figures.
func (r *Result) figureTerms() (all []term) {
	for _, m := range r.otherMetrics() {
		all = append(all, term{m.words(), m.meaning()})
	}
	return append(all,
		term{"parameters", "The numbers that the network learned; the file has about four bytes for each."},
		term{"memory", "The largest amount that a process used."},
		term{"load", "The time from the file to a network that is ready."})
}

// otherMetrics are those that do not order the rows.
func (r *Result) otherMetrics() []Metric {
	return slices.DeleteFunc([]Metric{byAccuracy, byBalanced, byMacroF1}, func(m Metric) bool { return m == r.Metric })
}

// latencySection compares the networks' latencies with the pick's.
func (r *Result) latencySection(p *page) {
	t := r.latencyTable()
	if len(t.rows) == 0 {
		return
	}
	p.heading("Latencies")
	p.text("Several processes measured each network, in turn with the other networks, because the same network is faster in one process " +
		"than in another. The column \"processes differ by\" has the standard deviation of their medians. " +
		"The last columns say how many times as long as the pick a network takes, by the processes' medians. " +
		fmt.Sprintf("The difference is measurable if p is below %g; p is corrected for the number of networks (Holm's method). "+
			"A network counts as just as quick as another if it takes at most %.0f %% longer and is not measurably slower.",
			significant, 100*closeLatency))
	p.table(t)
	if t := r.disturbedTable(); len(t.rows) > 0 {
		p.text(fmt.Sprintf("Other work on the machine may have made some latencies too high. The report marks them with %s. "+
			"They are not kept: repeat the command while the machine does nothing else, and they are measured again.", disturbed))
		p.table(t)
	}
}

func (r *Result) latencyTable() *tableBlock {
	t := tableOf("network", "latency", "95 % interval", "processes", "processes differ by", "times the pick's", "95 % interval", "p")
	timed := slices.DeleteFunc(slices.Clone(r.Candidates), func(c *Candidate) bool { return c.Latency == 0 })
	slices.SortStableFunc(timed, func(a, b *Candidate) int { return cmp.Compare(a.Latency, b.Latency) })
	for _, c := range timed {
		between, ratio, within, p := "–", "–", "–", "–"
		if c.Between > 0 {
			between = fmt.Sprintf("%.1f %%", c.Between)
		}
		if o := c.OfPick; o != nil {
			ratio, within, p = times(o.Times), times(o.Lo)+" to "+times(o.Hi), pValue(o.P)
		}
		t.add(c.Name, marked(c.Latency, len(c.TimingWarnings) > 0), latencies(c), fmt.Sprint(c.Processes), between, ratio, within, p)
	}
	return t
}

// latencies is a latency's interval, a dash where there is none.
func latencies(c *Candidate) string {
	if c.LatencyLo == 0 {
		return "–"
	}
	return milliseconds(c.LatencyLo) + " to " + milliseconds(c.LatencyHi)
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
	t := tableOf("", "network", "head", "tie group", r.Metric.words(), "95 % interval", "p", "latency", "front", "limits")
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
		value := r.Metric.of(row.Score)
		t.add(mark, row.Name, row.Head, fmt.Sprint(row.Group), percent(value.Value), interval(value), pValue(row.P), row.latency(), front, limits)
	}
	return t
}

// figuresTable is what the table of rows has no room for.
func (r *Result) figuresTable() *tableBlock {
	title := []string{"network", "head"}
	for _, m := range r.otherMetrics() {
		title = append(title, m.words(), "95 % interval")
	}
	t := tableOf(append(title, "parameters", "memory", "load")...)
	for _, row := range r.Rows {
		c := r.candidate(row.Name)
		cells := []string{row.Name, row.Head}
		for _, m := range r.otherMetrics() {
			value := m.of(row.Score)
			cells = append(cells, percent(value.Value), interval(value))
		}
		cells = append(cells, fmt.Sprintf("%.2f M", float64(c.Params)/1e6), fmt.Sprintf("%.0f MiB", float64(c.Memory)/(1<<20)))
		t.add(append(cells, milliseconds(c.Load))...)
	}
	return t
}

// disturbedTable is the timings with warnings.
func (r *Result) disturbedTable() *tableBlock {
	t := tableOf("network", "latency", "95 % interval", "warnings")
	for _, c := range r.Candidates {
		if len(c.TimingWarnings) > 0 {
			t.add(c.Name, milliseconds(c.Latency), latencies(c), strings.Join(c.TimingWarnings, "; "))
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

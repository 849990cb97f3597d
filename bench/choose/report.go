package choose

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	if err := r.Answers.Save(path); err != nil {
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
	p.text(r.asked())
	for _, w := range r.Warnings {
		p.text("Note: " + w + ".")
	}
	p.heading("Networks")
	p.table(r.rowsTable())
	p.text(fmt.Sprintf("Ordered by %s. Rows of one tie group cannot be told from the group's first by %s, "+
		"Holm-corrected over the rows behind it, at 5 %%; each is judged by itself. The front is of the rows that no quicker one reaches. Latency is the p%g of the forward call for %s; memory is the "+
		"process's largest resident set, load the time from file to ready. A vote of the nearest takes all pictures along and is never picked.",
		r.Metric.words(), r.Metric.test(), 100*r.Limits.Percentile, images(r.Batch)))
	if text := r.expected(); text != "" {
		p.text(text)
	}
	p.figure(r.scatter())
	if t := r.failedTable(); len(t.rows) > 0 {
		p.heading("Networks without a figure")
		p.table(t)
	}

	p.heading("What would change the pick")
	if len(r.Changes) > 0 {
		t := tableOf("latency limit from", "pick", "head", r.Metric.words(), "95 % interval")
		for _, c := range r.Changes {
			t.add(milliseconds(c.From), c.Name, c.Head, percent(c.Value.Value), interval(c.Value))
		}
		p.table(t)
		p.text(fmt.Sprintf("Networks up to %d times over a limit are tested too, so that a looser one can be weighed.", nearMiss))
	}
	if text := r.nextStep(); text != "" {
		p.text(text)
	}
	p.heading("Learning curves")
	t := tableOf("network", "pictures of a class", "learned from", "accuracy", "95 % interval")
	for _, c := range r.Curves {
		for _, point := range c.Points {
			t.add(c.Name, fmt.Sprint(point.PerClass), fmt.Sprintf("%.0f", point.Images), percent(point.Accuracy.Value), interval(point.Accuracy))
		}
	}
	p.table(t)
	p.figure(r.curves())

	if len(r.Confusions) > 0 {
		p.heading("Classes that " + r.PickName + " confuses")
		t := tableOf("class", "taken for", "pictures", "of", "share")
		for _, c := range r.Confusions {
			t.add(c.Label, c.Said, fmt.Sprint(c.N), fmt.Sprint(c.Of), percent(c.Share))
		}
		p.table(t)
	}
	if len(r.AllWrong) > 0 {
		p.heading("Pictures that every network gets wrong")
		p.text("Look at their labels first; those that the networks are surest about come first.")
		t := tableOf("file", "label", "named by most", "networks", "mean probability")
		for _, w := range r.AllWrong {
			t.add(w.File, w.Label, w.Said, fmt.Sprint(w.Networks), fmt.Sprintf("%.2f", w.Probability))
		}
		p.table(t)
	}
	r.togetherSection(p)
	r.picturesSection(p)
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
	text := fmt.Sprintf("%d pictures of %d classes, %d folds from seed %d; batch %d, %s, %s, %s.", r.Pictures, len(r.Classes), r.Folds, r.Seed,
		r.Batch, threads, r.Machine.CPU, r.Time.Format("2006-01-02 15:04 UTC"))
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

func (r *Result) rowsTable() *tableBlock {
	t := tableOf("", "network", "head", "tie group", "accuracy", "95 % interval", "p", "latency", "front", "params", "memory", "load", "limits",
		"balanced", "95 % interval", "macro-F1", "95 % interval")
	for _, row := range r.Rows {
		c := r.candidate(row.Name)
		mark, front, limits := "", "", "kept"
		if r.Pick == row {
			mark = "→"
		}
		if row.Front {
			front = "yes"
		}
		if len(c.Exceeds) > 0 {
			limits = strings.Join(c.Exceeds, "; ")
		}
		s := row.Score
		t.add(mark, row.Name, row.Head, fmt.Sprint(row.Group), percent(s.Accuracy.Value), interval(s.Accuracy), pValue(row.P), milliseconds(row.Latency), front,
			fmt.Sprintf("%.2f M", float64(c.Params)/1e6), fmt.Sprintf("%.0f MiB", float64(c.Memory)/(1<<20)), milliseconds(c.Load), limits,
			percent(s.Balanced.Value), interval(s.Balanced), percent(s.MacroF1.Value), interval(s.MacroF1))
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
	t := tableOf("kind", "networks", "accuracy", "95 % interval", "mean latency", "second asked", "below")
	for _, all := range [][]WhatIf{r.Cascades, r.Ensembles} {
		for _, w := range all {
			asked, below := "", ""
			if w.Kind == "cascade" {
				asked, below = percent(w.Second), w.Below()
			}
			t.add(w.Kind, w.Name, percent(w.Accuracy.Value), interval(w.Accuracy), milliseconds(w.Latency), asked, below)
		}
	}
	p.table(t)
	p.text("In a cascade the first network answers, and the second one is asked about pictures of which the first gives its class a probability below the last column. " +
		r.Answers.Caveat() + " zoobench whatif asks more of the same answers: other classes, classes merged, other budgets.")
}

// picturesSection is on the pictures themselves.
func (r *Result) picturesSection(p *page) {
	if len(r.Unreadable) > 0 {
		p.heading("Files that could not be read")
		t := tableOf("file", "why")
		for _, b := range first(r.Unreadable, mostWrong) {
			t.add(b.File, b.Err)
		}
		p.table(t)
		if more := len(r.Unreadable) - mostWrong; more > 0 {
			p.text(fmt.Sprintf("And %d more, in choice.json.", more))
		}
	}
	if len(r.Alike) > 0 {
		p.heading("Pictures that look the same")
		p.text(fmt.Sprintf("%d groups, each kept in one fold; %d of them stand under several labels.", len(r.Alike), len(r.Disputed)))
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
	p.heading("Checkpoints that are not at hand")
	t := tableOf("checkpoint", "about", "published top-1 on ImageNet", "from")
	for _, a := range r.Absent {
		top1 := "–"
		if a.Top1 > 0 {
			top1 = fmt.Sprintf("%.2f %%", a.Top1)
		}
		t.add(a.Name, fmt.Sprintf("%.0f MB", float64(a.Bytes)/1e6), top1, a.URL)
	}
	p.table(t)
}

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

package reports

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/reports/findings"
)

// writeMarkdown writes report.md: the machine, a table an experiment with its notes, the plots, and what was not
// measured and why.
func (r *run) writeMarkdown(w io.Writer, found []findings.Finding, figures []figure) error {
	out := bufio.NewWriter(w) // keeps its first error
	fmt.Fprintf(out, "# zoobench report\n\n")
	r.writeMachine(out)
	if len(r.rows)+len(r.worsened) == 0 {
		fmt.Fprintf(out, "\nNo network was measured.\n")
	}
	for _, rows := range byExperiment(r.tabled()) {
		t := newTable(rows, 0)
		fmt.Fprintf(out, "\n## %s\n\n", markdown(cmp.Or(t.experiment, "Results")))
		if text := aboutSmall(rows); text != "" {
			fmt.Fprintf(out, "%s\n\n", markdown(text))
		}
		fmt.Fprintf(out, "%s.\n\n", markdown(t.caption))
		t.writeMarkdown(out)
		for i, note := range t.notes {
			if i == 0 {
				fmt.Fprintln(out)
			}
			fmt.Fprintf(out, "- (%d) %s\n", i+1, markdown(note))
		}
		if all := warnings(rows); len(all) > 0 {
			fmt.Fprintf(out, "\nWarnings:\n\n")
			for _, text := range all {
				fmt.Fprintf(out, "- %s\n", markdown(text))
			}
		}
	}
	r.writePrecisions(out)
	r.writeRobustness(out)
	r.writeStages(out)
	writeFindings(out, found, figures)
	if len(figures) > 0 {
		fmt.Fprintf(out, "\n## Plots\n")
		for _, f := range figures {
			title := markdown(f.Title)
			fmt.Fprintf(out, "\n### %s\n\n![%s](%s.png)\n\nVector graphics: [%s.svg](%s.svg)\n", title, title, f.name, f.name, f.name)
		}
	}
	r.writeMissing(out)
	r.writeReading(out)
	if sources := r.sources(); len(sources) > 0 {
		fmt.Fprintf(out, "\n## Published figures\n\nFrom the literature, for comparison only:\n\n")
		for _, s := range sources {
			fmt.Fprintf(out, "- %s\n", markdown(s))
		}
	}
	return out.Flush()
}

// writeFindings writes what was found, by theme, and folded lists of the checks of the zoo and of what could not be tested.
func writeFindings(out io.Writer, found []findings.Finding, figures []figure) {
	if len(found) == 0 {
		return
	}
	fmt.Fprintf(out, "\n## Findings\n\nClaims of the literature, tested on this run: %s. report.html has the evidence for each. "+
		"A comparison counts if its p-value is below 0.05 after Holm's correction over all comparisons of its claim. Each claim is a "+
		"question of its own: of twenty claims about no difference, chance decides about one.\n", findings.Count(found))
	plots := map[string]string{}
	for i := range figures {
		if f := &figures[i]; f.finding != "" {
			plots[f.finding] = f.name
		}
	}
	groups := findings.Grouped(found)
	for _, g := range groups.Themes {
		fmt.Fprintf(out, "\n### %s\n\n", g.Name)
		for i := range g.Findings {
			writeFinding(out, &g.Findings[i], plots)
		}
	}
	for _, g := range groups.Checks {
		fmt.Fprintf(out, "\n<details><summary>%s: identities, which only a mistake in the zoo's tables could break</summary>\n\n", g.Name)
		for i := range g.Findings {
			writeFinding(out, &g.Findings[i], plots)
		}
		fmt.Fprintf(out, "\n</details>\n")
	}
	if len(groups.Untested) == 0 {
		return
	}
	fmt.Fprintf(out, "\n<details><summary>Not testable in this run, by what would make it testable</summary>\n")
	for _, g := range groups.Untested {
		fmt.Fprintf(out, "\nIt takes %s:\n\n", markdown(g.Name))
		for _, f := range g.Findings {
			missing := ""
			if lacking := f.Lacking(); len(lacking) > 0 {
				missing = " Missing: " + sentence(lacking[0])
				if n := len(lacking) - 1; n > 0 {
					missing += fmt.Sprintf(", and %d more", n)
				}
				missing += "."
			}
			fmt.Fprintf(out, "- %s%s\n", markdown(f.Text), markdown(missing))
		}
	}
	fmt.Fprintf(out, "\n</details>\n")
}

// writeFinding writes a finding as an item of a list: the verdict, what was found, and the claim with its source.
func writeFinding(out io.Writer, f *findings.Finding, plots map[string]string) {
	fmt.Fprintf(out, "- **%s**: %s The claim: %s (%s)", f.Verdict, markdown(sentence(f.Summary)), markdown(f.Text), markdown(f.Source))
	if name := plots[f.ID]; name != "" {
		fmt.Fprintf(out, " [Plot](%s.svg)", name)
	}
	fmt.Fprintln(out)
}

// writeMachine writes where the run was made, and how steady it was there.
func (r *run) writeMachine(out io.Writer) {
	lines := r.machineLines()
	if len(lines) == 0 {
		fmt.Fprintf(out, "No records.\n")
		return
	}
	fmt.Fprintf(out, "| machine | |\n| --- | --- |\n")
	for _, l := range lines {
		fmt.Fprintf(out, "| %s | %s |\n", l[0], markdown(l[1]))
	}
	if n := len(r.builds()); n > 1 {
		fmt.Fprintf(out, "\nThe records come from %d builds of zoobench: a difference between two rows may come from the builds.\n", n)
	}
}

// machineLines are names and values, safe to print, of where the run was made; none without records.
func (r *run) machineLines() (lines [][2]string) {
	m := r.machine
	if m.CPU == "" {
		return nil
	}
	line := func(name, value string) {
		if value != "" {
			lines = append(lines, [2]string{name, clean(value)})
		}
	}
	line("processor", fmt.Sprintf("%s, %s", m.CPU, plural(m.Cores, "core")))
	if m.Family != 0 {
		line("class", m.Class())
	}
	line("instructions", m.ISA)
	if m.L3Bytes > 0 {
		line("caches", fmt.Sprintf("L1d %d KiB, L2 %d KiB, L3 %d MiB", m.L1DBytes>>10, m.L2Bytes>>10, m.L3Bytes>>20))
	}
	if m.MemoryBytes > 0 {
		line("memory", fmt.Sprintf("%.1f GiB", float64(m.MemoryBytes)/(1<<30)))
	}
	line("system", strings.TrimSpace(m.OS+"/"+m.Arch+" "+m.Kernel))
	line("built with", m.Go)
	line("build", list(r.builds(), 4))
	if h := r.host(); h != nil {
		if finite(h.PeakGFLOPS) && h.PeakGFLOPS > 0 {
			line("measured peak", fmt.Sprintf("%.1f GFLOP/s per core", h.PeakGFLOPS))
		}
		if finite(h.ReadGBytes) && h.ReadGBytes > 0 {
			line("measured memory read", fmt.Sprintf("%.1f GB/s per core", h.ReadGBytes))
		}
		if first := r.hosts[0].Host; len(r.hosts) > 1 {
			line("noise before", noiseText(first))
			line("noise after", noiseText(h))
		} else {
			line("noise", noiseText(h))
		}
		if finite(h.DriftPercent) {
			line("drift", fmt.Sprintf("%+.1f %% from before the run to after it", h.DriftPercent))
		}
		line("clock", fmt.Sprintf("resolution %d ns, one reading takes %d ns", h.TimerStep, h.TimerCost))
		line("verdict", r.verdict())
	} else {
		line("noise", "not measured")
	}
	line("energy", r.energyText())
	first, last := r.times()
	line("measured", first+" to "+last)
	return lines
}

// noiseText says how steady the machine was.
func noiseText(h *record.Host) string {
	if !finite(h.NoisePercent) || !finite(h.AAPercent) {
		return ""
	}
	text := fmt.Sprintf("times of the same work spread over %.1f %% of their median", h.NoisePercent)
	if h.AAPercent > 0 { // records of earlier builds lack it
		text += fmt.Sprintf("; two series of it, measured in turn, differ by %.2f %%", h.AAPercent)
	}
	return text
}

// energyText says what energy an image took, from the least to the most of the timed rows, or why it was not measured.
func (r *run) energyText() string {
	least, most, why := 0.0, 0.0, ""
	for i := range r.sound {
		rec := &r.sound[i]
		if rec.Kind != record.KindLatency {
			continue
		}
		if j := rec.JoulesPerImage; j > 0 {
			if least == 0 || j < least {
				least = j
			}
			most = max(most, j)
		}
		why = cmp.Or(why, rec.NotMeasured["joules_per_image"])
	}
	if most > 0 {
		return fmt.Sprintf("%s to %s J per image, used by the processor packages", fixed(least, digits(least)), fixed(most, digits(most)))
	}
	if why == "" {
		return ""
	}
	return "not measured: " + why
}

// builds returns the commits and kernel builds of the records, each once.
func (r *run) builds() []string {
	var builds []string
	for i := range r.sound {
		m := r.sound[i].Machine
		parts := []string{}
		if m.Commit != "" {
			parts = append(parts, "commit "+m.Commit)
		}
		if m.KernelBuild != "" {
			parts = append(parts, "kernels "+m.KernelBuild)
		}
		if b := clean(strings.Join(parts, ", ")); b != "" && !slices.Contains(builds, b) {
			builds = append(builds, b)
		}
	}
	return builds
}

// times returns when the first and the last record were measured.
func (r *run) times() (first, last string) {
	const layout = "2006-01-02 15:04:05 UTC"
	for i := range r.sound {
		at := r.sound[i].Time.UTC().Format(layout)
		if first == "" || at < first {
			first = at
		}
		last = max(last, at)
	}
	return first, last
}

// writeMarkdown writes the table's cells.
func (t *table) writeMarkdown(out io.Writer) {
	rule := make([]string, len(t.heads))
	heads := make([]string, len(t.heads))
	for i, left := range t.left {
		heads[i] = markdown(t.heads[i])
		rule[i] = "---:"
		if left {
			rule[i] = "---"
		}
	}
	fmt.Fprintf(out, "| %s |\n| %s |\n", strings.Join(heads, " | "), strings.Join(rule, " | "))
	for _, line := range t.cells {
		texts := make([]string, len(line))
		for i, c := range line {
			texts[i] = markdown(c.text)
			if c.tone == published {
				texts[i] = "*" + texts[i] + "*"
			}
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join(texts, " | "))
	}
}

// writeMissing writes what the run could not measure.
func (r *run) writeMissing(out io.Writer) {
	var lines []string
	var untimed, unevaluated []string
	for _, one := range r.tabled() {
		if _, _, _, why := one.p50(); why != "" && !slices.Contains(untimed, one.name()) {
			untimed = append(untimed, one.name())
		}
		if _, why := one.top1(); why != "" && !slices.Contains(unevaluated, one.name()) {
			unevaluated = append(unevaluated, one.name())
		}
	}
	if len(untimed) > 0 {
		lines = append(lines, fmt.Sprintf("Latency of %s: the notes beneath the tables say why.", list(untimed, 12)))
	}
	if len(unevaluated) > 0 {
		lines = append(lines, fmt.Sprintf("Accuracy of %s: the notes beneath the tables say why. "+
			"Accuracy needs a checkpoint, in the cache folder ($ZOOBENCH_CACHE) or named in the experiment file. "+
			"It also needs labelled images, in $ZOOBENCH_DATA or in the experiment file's data.",
			list(unevaluated, 12)))
	}
	for _, text := range r.unmeasuredCorrupted() {
		lines = append(lines, text+".")
	}
	if len(lines)+len(r.problems) == 0 {
		return
	}
	fmt.Fprintf(out, "\n## What was not measured\n\n")
	for _, l := range lines {
		fmt.Fprintf(out, "- %s\n", markdown(l))
	}
	if len(r.problems) > 0 {
		fmt.Fprintf(out, "- Lines and records that could not be used: %d.\n", len(r.problems))
	}
	for _, p := range r.problems {
		fmt.Fprintf(out, "  - %s\n", markdown(p))
	}
}

// sources returns where the published figures come from, each once.
func (r *run) sources() []string {
	var all []string
	for i := range r.rows {
		if p := r.rows[i].published(); p != nil {
			if text := sourceText(p); !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

// sourceText names where published figures come from, and of what images they are.
func sourceText(p *record.Published) string {
	text := clean(cmp.Or(p.Source, "source not recorded"))
	if p.Dataset != "" {
		text += ", " + clean(p.Dataset)
	}
	return text
}

// writeReading writes how to read the tables and what the other files are.
func (r *run) writeReading(out io.Writer) {
	if len(r.rows) == 0 {
		return
	}
	fmt.Fprint(out, "\n## How to read this\n\n")
	for _, text := range []string{
		"A MAC is one multiply and one add of a convolution, linear layer or matrix product, for one image. " +
			"Parameters and MACs are counted from the graph that ran. Published \"FLOPs\" are nearly always MACs.",
		"p50 is the median time of one forward call on a batch. " +
			"Its input is already a tensor: decoding and preprocessing are not included. " +
			"The interval in brackets contains it with 95 % confidence: it comes from the medians of several processes, by Student's t.",
		"img/s is the number of images divided by the time that they took. " +
			"Peak MiB is the most memory that the network's own process used.",
		"top-1 is measured on this machine, in percent of all images. An image that cannot be read counts as wrong. " +
			"The interval is Wilson's, with 95 % confidence. " +
			"*Published* figures come from other people and never replace a measured one.",
		"Programs find the same rows in results.jsonl (with every sample), latency.csv and accuracy.csv (timm's columns) " +
			"and bench.txt (for benchstat).",
	} {
		fmt.Fprintf(out, "- %s\n", text)
	}
}

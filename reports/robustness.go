package reports

import (
	"bufio"
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"zoobench/bench/record"
	"zoobench/reports/draw"
)

// severities is how many a corruption has, and corruptions how many there are.
const severities, corruptions = 5, 15

// A robustness is a checkpoint's accuracies on some images as they are and corrupted.
//
// Its figures are those of Hendrycks & Dietterich 2019 (arXiv:1903.12261, section 4.2). E(s,c) is the top-1 error under
// corruption c at severity s, and E the error on images as they are:
//
//	corruption error           CE(c)  = sum over s of E(s,c)     / sum over s of AlexNet's E(s,c)
//	relative corruption error  RCE(c) = sum over s of E(s,c) − E / sum over s of AlexNet's E(s,c) − E
//
// mCE and relative mCE are their means over the fifteen corruptions, in percent. They take AlexNet on the same images. The
// mean error and the added error leave the denominators out: means over the corruptions, each the mean of its severities.
type robustness struct {
	clean *record.Record // nil where the run has none
	any   *record.Record // of the corrupted ones, the first
	names []string       // of corruptions, in the order in which they were measured
	at    map[string]*[severities]*record.Record
}

// corruptionOf splits a record's corruption, "fog:3", into its name and its severity from 1 on; "" where there is none.
func corruptionOf(r *record.Record) (name string, severity int) {
	name, number, _ := strings.Cut(r.RanWith().Corruption, ":")
	severity, err := strconv.Atoi(number)
	if err != nil || severity < 1 || severity > severities {
		return "", 0
	}
	return name, severity
}

// robust returns the checkpoints with accuracies on corrupted images, the best first: those on other images, of other
// preprocessing, answers or seeds apart.
func (r *run) robust() (all []*robustness) {
	type id struct{ model, weights, images, recipe, exif, answers, precision string }
	type seeded struct {
		id
		by string
	}
	evals := latest(r.sound, record.KindEval)
	key := func(e *record.Record) id {
		return id{e.Model, weightsOf(e), e.DatasetSHA256, e.RecipeSHA256, e.Exif, e.Answers, e.RanWith().Precision}
	}
	of, clean := map[seeded]*robustness{}, map[id]*record.Record{}
	for _, e := range evals {
		if _, why := (&row{eval: e}).top1(); why != "" || !e.Verdict.Valid {
			continue
		}
		if e.RanWith().Corruption == "" {
			clean[key(e)] = e
			continue
		}
		name, severity := corruptionOf(e)
		if name == "" {
			continue
		}
		k := seeded{key(e), e.CorruptedBy}
		one := of[k]
		if one == nil {
			one = &robustness{any: e, at: map[string]*[severities]*record.Record{}}
			of[k] = one
			all = append(all, one)
		}
		if one.at[name] == nil {
			one.names = append(one.names, name)
			one.at[name] = &[severities]*record.Record{}
		}
		one.at[name][severity-1] = e
	}
	for k, one := range of {
		one.clean = clean[k.id]
	}
	slices.SortStableFunc(all, func(a, b *robustness) int { return cmp.Compare(b.mean(), a.mean()) })
	return all
}

// mean is the top-1 over all corruptions, each the mean of its severities.
func (b *robustness) mean() float64 {
	sum := 0.0
	for _, name := range b.names {
		some, n := 0.0, 0
		for _, e := range b.at[name] {
			if e != nil {
				some, n = some+e.Top1, n+1
			}
		}
		sum += some / float64(n)
	}
	return sum / float64(len(b.names))
}

// settings are the corruptions and severities that were measured, in an order that does not depend on the run.
func (b *robustness) settings() (all []string) {
	for name, some := range b.at {
		for s, e := range some {
			if e != nil {
				all = append(all, fmt.Sprintf("%s:%d", name, s+1))
			}
		}
	}
	slices.Sort(all)
	return all
}

// mce is the mean corruption error in percent of AlexNet's and the relative one; false where either lacks a corruption, a
// severity, or the images as they are for the relative one, and where AlexNet makes no error.
func (b *robustness) mce(alexnet *robustness) (mce, relative float64, ok, okRelative bool) {
	if alexnet == nil || len(b.settings()) < severities*corruptions || !slices.Equal(b.settings(), alexnet.settings()) {
		return 0, 0, false, false
	}
	ok, okRelative = true, b.clean != nil && alexnet.clean != nil
	for name, some := range b.at {
		own, base := 0.0, 0.0
		for s, e := range some {
			own, base = own+100-e.Top1, base+100-alexnet.at[name][s].Top1
		}
		ok = ok && base > 0
		mce += 100 * own / base / float64(len(b.at))
		if okRelative {
			own, base = own-severities*(100-b.clean.Top1), base-severities*(100-alexnet.clean.Top1)
			okRelative = base > 0
			relative += 100 * own / base / float64(len(b.at))
		}
	}
	return mce, relative, ok, okRelative
}

// sameImages reports whether two were measured on the same images, corrupted alike, with answers from the same classes.
// AlexNet's preprocessing is its own.
func (b *robustness) sameImages(o *robustness) bool {
	return b.any.DatasetSHA256 == o.any.DatasetSHA256 && b.any.Answers == o.any.Answers && b.any.Exif == o.any.Exif &&
		b.any.Ran().Seed == o.any.Ran().Seed
}

// robustName is a checkpoint's name, with its input size where the same name comes twice.
func robustName(b *robustness, all []*robustness) string {
	name := stageName(b.any)
	for _, o := range all {
		if o != b && stageName(o.any) == name && o.any.ImgSize != b.any.ImgSize {
			return fmt.Sprintf("%s at %d px", name, b.any.ImgSize)
		}
	}
	return name
}

// The sentences beneath the table of robustness.
const (
	computedHere = "corruptions computed by zoobench after ImageNet-C; they are not its published files, and published figures do not compare"
	robustWords  = "top-1 and errors in percent, means over the corruptions · kept: corrupted top-1 as a share of clean · " +
		"added error: corrupted minus clean"
	alexnetWords = " · mCE: corruption error in percent of AlexNet's"
	unlikeRows   = "rows with other corruptions or severities do not compare"
)

// robustTable is the table of all checkpoints, false where no corrupted accuracy was measured.
func (r *run) robustTable() (t table, ok bool) {
	all := r.robust()
	if len(all) == 0 {
		return table{}, false
	}
	var alexnet []*robustness
	for _, b := range all {
		if b.any.Model == "alexnet" && len(b.settings()) == severities*corruptions {
			alexnet = append(alexnet, b)
		}
	}
	t = table{
		experiment: "robustness to corruptions", caption: computedHere + " · " + robustWords,
		heads: []string{"model", "corruptions", "clean top-1", "corrupted top-1", "kept %", "mean error", "added error"},
	}
	if len(alexnet) > 0 {
		t.caption += alexnetWords
		t.heads = append(t.heads, "mCE %", "relative mCE %")
	}
	t.left = make([]bool, len(t.heads))
	t.left[0] = true
	for _, b := range all {
		if !slices.Equal(b.settings(), all[0].settings()) {
			t.notes = []string{unlikeRows}
		}
		t.cells = append(t.cells, b.cells(robustName(b, all)))
		if len(alexnet) == 0 {
			continue
		}
		var base *robustness
		if i := slices.IndexFunc(alexnet, b.sameImages); i >= 0 {
			base = alexnet[i]
		}
		mce, relative, ok, okRelative := b.mce(base)
		last := &t.cells[len(t.cells)-1]
		*last = append(*last, figureOr(mce, 1, ok), figureOr(relative, 1, okRelative))
	}
	return t, true
}

// cells are a checkpoint's, without those that take AlexNet.
func (b *robustness) cells(name string) []cell {
	d, mean := top1Digits(b.any.Images), b.mean()
	clean := 0.0
	if b.clean != nil {
		clean = b.clean.Top1
	}
	return []cell{
		{name, plain}, {b.count(), plain}, figureOr(clean, d, b.clean != nil), {fixed(mean, d), plain},
		figureOr(100*mean/clean, 1, clean > 0), {fixed(100-mean, d), plain}, figureOr(clean-mean, d, b.clean != nil),
	}
}

// count says how many corruptions at how many severities were measured.
func (b *robustness) count() string {
	all, each := len(b.settings()), len(b.settings())/len(b.names)
	if len(b.complete()) < len(b.names) {
		return fmt.Sprint(all)
	}
	return fmt.Sprintf("%d × %d", len(b.names), each)
}

// figureOr is a figure, or a dash where there is none.
func figureOr(v float64, digits int, ok bool) cell {
	if !ok {
		return cell{"–", missing}
	}
	return cell{fixed(v, digits), plain}
}

// unmeasuredCorrupted names the checkpoints whose corrupted accuracies were not measured or are not valid, by the reason.
func (r *run) unmeasuredCorrupted() (lines []string) {
	of := map[string][]string{}
	var order []string
	for i := range r.worsened {
		one := &r.worsened[i]
		_, why := one.top1()
		if why == "" && !one.eval.Verdict.Valid {
			why = cmp.Or(strings.Join(one.eval.Verdict.Reasons, "; "), "the verdict gives no reason")
		}
		if why == "" {
			continue
		}
		if of[why] == nil {
			order = append(order, why)
		}
		of[why] = append(of[why], clean(one.eval.RanWith().Named(one.name())))
	}
	for _, why := range order {
		lines = append(lines, fmt.Sprintf("accuracy of %s: %s", list(of[why], 6), clean(why)))
	}
	return lines
}

// A pageRobust is the page's section on robustness: the table, and the plot where there is one.
type pageRobust struct {
	Caption string
	Heads   []string
	Rows    [][]string
	Notes   []string
	Plot    template.URL
}

// pageRobust lays the section out, nil where no corrupted accuracy was measured.
func (r *run) pageRobust(figures []figure) (*pageRobust, error) {
	t, ok := r.robustTable()
	if !ok {
		return nil, nil
	}
	p := &pageRobust{Caption: capital(t.caption), Heads: t.heads, Notes: t.notes}
	for _, line := range t.cells {
		var texts []string
		for _, c := range line {
			texts = append(texts, c.text)
		}
		p.Rows = append(p.Rows, texts)
	}
	i := slices.IndexFunc(figures, func(f figure) bool { return f.name == corruptionCurveName })
	if i < 0 {
		return p, nil
	}
	var err error
	p.Plot, err = pageURI(&figures[i])
	return p, err
}

// writeRobustness writes the table, and each checkpoint's accuracy by corruption and severity.
func (r *run) writeRobustness(out *bufio.Writer) {
	t, ok := r.robustTable()
	if !ok {
		return
	}
	fmt.Fprintf(out, "\n## Robustness to corruptions\n\n%s.\n\n", markdown(capital(t.caption)))
	t.writeMarkdown(out)
	for _, note := range t.notes {
		fmt.Fprintf(out, "\n%s.\n", markdown(capital(note)))
	}
	all := r.robust()
	for _, b := range all {
		detail := b.bySeverity()
		_, over := measuredOver(&row{eval: b.any})
		over = strings.TrimSuffix(over, " with "+clean(b.any.RanWith().Corruption))
		fmt.Fprintf(out, "\n### %s by severity\n\nTop-1 in percent over %s.\n\n", markdown(robustName(b, all)), markdown(over))
		detail.writeMarkdown(out)
	}
}

// bySeverity is the table of a checkpoint's accuracy by corruption and severity.
func (b *robustness) bySeverity() table {
	t := table{heads: []string{"corruption", "1", "2", "3", "4", "5"}, left: []bool{true, false, false, false, false, false}}
	for _, name := range b.names {
		line := []cell{{clean(name), plain}}
		for _, e := range b.at[name] {
			if e == nil {
				line = append(line, cell{"–", missing})
			} else {
				line = append(line, cell{fixed(e.Top1, top1Digits(e.Images)), plain})
			}
		}
		t.cells = append(t.cells, line)
	}
	return t
}

// complete are the corruptions that were measured at each severity that any was measured at: means over them compare.
func (b *robustness) complete() (names []string) {
	any := func(s int) bool {
		return slices.ContainsFunc(b.names, func(name string) bool { return b.at[name][s] != nil })
	}
	for _, name := range b.names {
		whole := true
		for s, e := range b.at[name] {
			whole = whole && (e != nil || !any(s))
		}
		if whole {
			names = append(names, name)
		}
	}
	return names
}

// values are a line: the images as they are, then the mean of some corruptions at each severity. One corruption has its
// interval.
func (b *robustness) values(names []string) (values []draw.Value) {
	if b.clean != nil {
		values = append(values, draw.Value{X: 0, Y: b.clean.Top1, Lo: b.clean.Top1Lo, Hi: b.clean.Top1Hi})
	}
	for s := range severities {
		sum := 0.0
		var one *record.Record
		for _, name := range names {
			if e := b.at[name][s]; e != nil {
				one, sum = e, sum+e.Top1
			}
		}
		if one == nil {
			continue
		}
		v := draw.Value{X: float64(s + 1), Y: sum / float64(len(names))}
		if v.Lo, v.Hi = v.Y, v.Y; len(names) == 1 {
			v.Lo, v.Hi = one.Top1Lo, one.Top1Hi
		}
		values = append(values, v)
	}
	return values
}

// corruptionCurveName names the figure's files.
const corruptionCurveName = "corruption_curve"

// corruptionCurve is the accuracy over the severity.
func (r *run) corruptionCurve(_ []row, where string) (figure, bool) {
	lines, what, note := r.corruptionLines()
	if len(lines) == 0 {
		return figure{}, false
	}
	l := draw.Lines{Lines: lines, XLabel: "severity, 0 for images as they are", X: draw.Linear, YLabel: "top-1 (%)", Y: draw.Percent}
	c := draw.Caption{
		Title: "Accuracy by severity of corruption", Note: note,
		Subtitle: join(nonEmpty(where, what, "computed by zoobench, not ImageNet-C's files")),
	}
	return figure{Figure: l.Figure(c), name: corruptionCurveName}, true
}

// corruptionLines are a line for each checkpoint, or for each corruption of the only one, what they are, and what is left out.
func (r *run) corruptionLines() (lines []draw.Line, what, note string) {
	all := r.robust()
	add := func(name string, b *robustness, of []string) {
		if len(of) > 0 {
			lines = append(lines, draw.Line{Name: name, Values: b.values(of), Ring: -1})
		}
	}
	if len(all) == 1 && len(all[0].names) <= draw.MaxLines {
		for _, name := range all[0].names {
			add(clean(name), all[0], []string{name})
		}
		return lines, stageName(all[0].any), ""
	}
	if n := len(all); n > draw.MaxLines {
		all = all[:draw.MaxLines]
		note = fmt.Sprintf("Only the first %d of %d checkpoints are shown; report.md has all of them.", draw.MaxLines, n)
	}
	left := false
	for _, b := range all {
		of := b.complete()
		add(robustName(b, all), b, of)
		left = left || len(of) < len(b.names)
	}
	if left {
		note = strings.TrimSpace(note + " Left out: corruptions that a checkpoint was not measured with at each of its severities.")
	}
	return lines, "a line is the mean of the corruptions", note
}

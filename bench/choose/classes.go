package choose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zoobench/bench/choose/heads"
)

// A classScore says how well the picked rows do on the images of one class.
type classScore struct {
	Class string `json:"class"`
	heads.ClassScore
	Others []float64 `json:"others,omitempty"` // accuracies of the rows of Result.Rivals
}

// How much the report shows of the classes.
const (
	mostClasses = 24 // all of them up to here; of more, the worst and the smallest
	mostRivals  = 3  // rows beside the pick
)

// Limits of when classes need a word.
const (
	fewOfClass = 20 // different images, of which fewer leave a class's accuracy open
	unequal    = 3  // times as many images as the smallest class, from where on classes are unequal
)

// byClass is how well the pick does on each class, the worst first, beside the rows that are picked under other limits.
func (c *chooser) byClass() {
	for _, change := range c.Changes {
		if row := c.row(change.Name, change.Head); row != c.Pick && len(c.rivals) < mostRivals {
			c.rivals = append(c.rivals, row)
			c.Rivals = append(c.Rivals, row.short())
		}
	}
	for i, s := range c.Pick.outcome.ByClass() {
		class := classScore{Class: c.titles[i], ClassScore: s}
		for _, r := range c.rivals {
			class.Others = append(class.Others, r.outcome.ByClass()[i].Accuracy.Value)
		}
		c.ByClass = append(c.ByClass, class)
	}
	slices.SortStableFunc(c.ByClass, func(a, b classScore) int {
		return cmp.Or(cmp.Compare(a.Accuracy.Value, b.Accuracy.Value), cmp.Compare(a.Images, b.Images))
	})
}

// smallest are classes in the order of their images, the smallest first.
func smallest(classes []classScore) []classScore {
	return slices.SortedStableFunc(slices.Values(classes), func(a, b classScore) int { return cmp.Compare(a.Images, b.Images) })
}

// hints say what small and unequal classes do to the figures, and what to do about it.
func (r *Result) hints() (all []string) {
	bySize := smallest(r.ByClass)
	if len(bySize) == 0 {
		return nil
	}
	least, most := bySize[0], bySize[len(bySize)-1]
	if most.Images >= unequal*least.Images && r.Metric == byAccuracy {
		all = append(all, fmt.Sprintf("The classes have from %d to %d images. "+
			"Accuracy counts every image alike, so it says most about the large classes. "+
			"If every class matters as much as another, add --metric %s. %s", least.Images, most.Images, byBalanced, r.bestBalanced()))
	}
	var few []string
	for _, class := range bySize {
		if class.Different < fewOfClass {
			few = append(few, class.Class)
		}
	}
	if len(few) > 0 {
		which := " first: " + listed(few, mostConfusions)
		if len(few) == len(bySize) {
			which = ""
		}
		all = append(all, fmt.Sprintf("Classes with fewer than %d different images: %d of %d. Their accuracies are rough: "+
			"that of %s is probably between %s and %s. Add images to these classes%s.", fewOfClass, len(few), len(bySize), least.Class,
			percent(least.Accuracy.Lo), percent(least.Accuracy.Hi), which))
	}
	return all
}

// bestBalanced is which row that can be picked is first by balanced accuracy.
func (r *Result) bestBalanced() string {
	best := r.Pick
	for _, row := range r.Rows {
		if row.competes() && row.Fits && row.Score.Balanced.Value > best.Score.Balanced.Value {
			best = row
		}
	}
	if best == r.Pick {
		return "The pick has the highest balanced accuracy, too."
	}
	return fmt.Sprintf("%s has the highest balanced accuracy, %s; the pick has %s.",
		best.title(), percent(best.Score.Balanced.Value), percent(r.Pick.Score.Balanced.Value))
}

// listed joins at most n names.
func listed(names []string, n int) string {
	if more := len(names) - n; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), more)
	}
	return strings.Join(names, ", ")
}

// shownClasses are the classes that a report shows: all, or of many the worst and the smallest n of each.
func (r *Result) shownClasses(all, n int) (worst, small []classScore) {
	if len(r.ByClass) <= all {
		return r.ByClass, nil
	}
	worst = r.ByClass[:n]
	for _, class := range smallest(r.ByClass)[:n] {
		if !slices.ContainsFunc(worst, func(w classScore) bool { return w.Class == class.Class }) {
			small = append(small, class)
		}
	}
	return worst, small
}

// classesSection is the table by class.
func (r *Result) classesSection(p *page) {
	if len(r.ByClass) == 0 {
		return
	}
	p.heading("Accuracy by class")
	p.text("The share of each class's images that " + r.Pick.title() + " gets right. The worst classes come first.")
	worst, small := r.shownClasses(mostClasses, mostClasses/2)
	p.table(r.classTable(worst))
	if len(small) > 0 {
		p.text("The smallest of the other classes:")
		p.table(r.classTable(small))
	}
	if len(r.ByClass) > mostClasses {
		p.text(fmt.Sprintf("choice.json has all %d classes.", len(r.ByClass)))
	}
	for _, text := range r.Hints {
		p.text(text)
	}
}

func (r *Result) classTable(classes []classScore) *tableBlock {
	t := tableOf(append([]string{"class", "images", "different", "accuracy of the pick", "95 % interval"}, r.Rivals...)...)
	for _, c := range classes {
		cells := []string{c.Class, fmt.Sprint(c.Images), fmt.Sprint(c.Different), percent(c.Accuracy.Value), interval(c.Accuracy)}
		for _, v := range c.Others {
			cells = append(cells, percent(v))
		}
		t.add(cells...)
	}
	return t
}

// ClassLines are the pick's worst and smallest classes, few enough for a terminal, as a class, its images, its accuracy and
// the interval of that; none without a pick.
func (r *Result) ClassLines() (lines [][]string) {
	worst, small := r.shownClasses(2*mostClassLines, mostClassLines)
	for _, c := range slices.Concat(worst, small) {
		lines = append(lines, []string{c.Class, fmt.Sprint(c.Images), percent(c.Accuracy.Value), interval(c.Accuracy)})
	}
	return lines
}

// mostClassLines is how many of the worst classes, and of the smallest, a terminal shows.
const mostClassLines = 4

package reports

import (
	"cmp"
	"fmt"
	"slices"

	"zoobench/bench/record"
	"zoobench/reports/draw"
)

// learningCurvesName begins the files of learning curves, and maxLearning is how many plots there are of each kind.
const (
	learningCurvesName = "learning_curves"
	maxLearning        = 4
)

// A learningKind is what learning curves show.
type learningKind struct {
	name, title, yLabel string
	y                   draw.Scale
	of                  func(record.Epoch) float64
}

func learningKinds() []learningKind {
	return []learningKind{
		{learningCurvesName, "Learning curves: top-1 on other images", "top-1 on images not learned from (%)", draw.Percent,
			func(e record.Epoch) float64 { return e.HeldTop1 }},
		{learningCurvesName + "_loss", "Learning curves: loss", "mean loss of an epoch's steps, log scale", draw.Log,
			func(e record.Epoch) float64 { return e.Loss }},
	}
}

// learningNames are the names of all plots of learning curves that a run may have.
func learningNames() (names []string) {
	for _, k := range learningKinds() {
		for i := range maxLearning {
			names = append(names, k.file(i))
		}
	}
	return names
}

// file is the name of the plot of a number from 0.
func (k learningKind) file(i int) string {
	if i == 0 {
		return k.name
	}
	return fmt.Sprintf("%s_%d", k.name, i+1)
}

// A learner is a network by a recipe, with its learning curve from each seed.
type learner struct {
	name  string
	seeds []*record.Training
}

// learners are what the run trained, in the order of its records. A training that two experiments have is there once.
func (r *run) learners() (all []learner) {
	recipes := map[string]bool{}
	for i := range r.sound {
		if t := r.sound[i].Training; t != nil {
			recipes[t.Name] = true
		}
	}
	several := len(recipes) > 1
	seen := map[string]bool{} // checkpoints
	for i := range r.sound {
		rec := &r.sound[i]
		if rec.Kind != record.KindTrain || rec.Training == nil || len(rec.Training.Curve) == 0 || seen[rec.WeightsFile] {
			continue
		}
		seen[rec.WeightsFile] = true
		t := rec.Training
		name := clean(rec.Model)
		if several && t.Name != "" {
			name += ", " + clean(t.Name)
		}
		if n := trainedWith(r.sound, rec); n > 1 {
			name += fmt.Sprintf(", %d images", t.Images)
		}
		at := slices.IndexFunc(all, func(l learner) bool { return l.name == name })
		if at < 0 {
			at, all = len(all), append(all, learner{name: name})
		}
		all[at].seeds = append(all[at].seeds, t)
	}
	return all
}

// trainedWith is with how many different numbers of images a record's network learned by its recipe.
func trainedWith(records []record.Record, of *record.Record) int {
	var numbers []int
	for i := range records {
		r := &records[i]
		if r.Kind == record.KindTrain && r.Training != nil && r.Model == of.Model && r.Training.Name == of.Training.Name &&
			!slices.Contains(numbers, r.Training.Images) {
			numbers = append(numbers, r.Training.Images)
		}
	}
	return len(numbers)
}

// learningCurves are the plots of what the run trained: a line for each seed as long as there is room for all of them, else a line for
// the mean of the seeds, with bars from the lowest to the highest.
func (r *run) learningCurves() (all []figure) {
	learners := r.learners()
	each := 0
	for _, l := range learners {
		each += len(l.seeds)
	}
	for _, k := range learningKinds() {
		var lines []draw.Line
		for _, l := range learners {
			if each <= draw.MaxLines {
				for _, t := range l.seeds {
					lines = append(lines, draw.Line{Name: fmt.Sprintf("%s, seed %d", l.name, t.Seed), Values: k.values(t), Ring: -1})
				}
			} else {
				lines = append(lines, draw.Line{Name: l.name, Values: k.values(l.seeds...), Ring: -1})
			}
		}
		all = append(all, k.figures(lines, each > draw.MaxLines)...)
	}
	return all
}

// figures draws lines, as many in a plot as a reader can tell apart. The legend has them in the order in which they end; a line looks
// the same in all kinds of plots.
func (k learningKind) figures(lines []draw.Line, means bool) (all []figure) {
	total := len(lines)
	for part := range slices.Chunk(lines, draw.MaxLines) {
		c := draw.Caption{Title: k.title}
		if means {
			c.Subtitle = "means over seeds, bars: the lowest and the highest seed"
		}
		if total > draw.MaxLines {
			c.Title += fmt.Sprintf(", part %d", len(all)+1)
		}
		if len(all)+1 == maxLearning && total > maxLearning*draw.MaxLines {
			c.Note = fmt.Sprintf("Only the first %d of %d curves are shown; results.jsonl has all of them.", maxLearning*draw.MaxLines, total)
		}
		l := draw.Lines{XLabel: "epochs", YLabel: k.yLabel, X: draw.Linear, Y: k.y, Styles: map[string]draw.Style{}}
		for i, line := range part {
			l.Styles[line.Name] = draw.SeriesStyle(i)
		}
		l.Lines = slices.SortedStableFunc(slices.Values(part), func(a, b draw.Line) int {
			return cmp.Compare(b.Values[len(b.Values)-1].Y, a.Values[len(a.Values)-1].Y)
		})
		all = append(all, figure{Figure: l.Figure(c), name: k.file(len(all)), small: true})
		if len(all) == maxLearning {
			break
		}
	}
	return all
}

// values are the points of the mean of learning curves, with the lowest and the highest of them: of as many epochs as all have.
func (k learningKind) values(curves ...*record.Training) (values []draw.Value) {
	for i := range curves[0].Curve {
		v := draw.Value{X: float64(i + 1)}
		for j, c := range curves {
			if i >= len(c.Curve) {
				return values
			}
			y := k.of(c.Curve[i])
			v.Y += y / float64(len(curves))
			if j == 0 {
				v.Lo, v.Hi = y, y
			}
			v.Lo, v.Hi = min(v.Lo, y), max(v.Hi, y)
		}
		values = append(values, v)
	}
	return values
}

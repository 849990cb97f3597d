package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"

	"zoobench/reports/draw"
	"zoobench/reports/findings"
)

// smallApart parts the rows of small networks from those of the others. A run of one kind alone keeps all of them together.
func smallApart(rows []row) (others, small []row) {
	for _, r := range rows {
		if r.any().Family == findings.SmallFamily {
			small = append(small, r)
		} else {
			others = append(others, r)
		}
	}
	if len(others) == 0 {
		return small, nil
	}
	return others, small
}

// tabled are all rows that tables have a line for.
func (r *run) tabled() []row { return slices.Concat(r.rows, r.small) }

// aboutSmall says what small networks and their accuracies are, "" for rows of others.
func aboutSmall(rows []row) string {
	if slices.ContainsFunc(rows, func(r row) bool { return r.any().Family != findings.SmallFamily }) {
		return ""
	}
	text := "These are small networks for images of about 32×32 pixels. They say nothing about ImageNet, and no figure here can be compared " +
		"with those of other tables."
	if slices.ContainsFunc(rows, func(r row) bool { return r.eval != nil && r.eval.Checkpoint == shippedTag && r.eval.Accuracy != nil }) {
		text += " Their weights are a part of the program: the study of docs/training.md trained them on computed images. " +
			"The top-1 is measured here, on computed images that they have not learned from."
	}
	return text
}

// shippedTag is the tag of weights that the program contains.
const shippedTag = "study"

// smallFigureName is the file of the plot of small networks.
const smallFigureName = "small_accuracy_latency"

// smallFigure is accuracy against latency of the small networks that are apart from others.
func (r *run) smallFigure(where string) (figure, bool) {
	_, timed, _ := r.points(r.small, measuredTop1)
	if len(timed) == 0 {
		return figure{}, false
	}
	for i := range timed {
		timed[i].Family = ""
	}
	s := draw.Scatter{
		XLabel: latencyLabel(r.small), YLabel: "top-1 accuracy on computed images (%), bars: 95 % interval", Y: draw.Percent,
		Front: "Pareto front", Styles: map[string]draw.Style{},
	}
	over := distinct(r.small, func(one *row) string { _, name := measuredOver(one); return name })
	f := scatterFigure(smallFigureName, s, timed, draw.Caption{
		Title:    "Small networks of the study: top-1 against latency",
		Subtitle: join(nonEmpty(where, settingsText(r.small), "top-1 on "+list(over, 2))),
		Note:     "Weights that are a part of the program, on computed images that they have not learned from. Nothing here is about ImageNet.",
	})
	f.small = true
	return f, true
}

// A pageSmall is the page's section on small networks: the tables, and the plots where there are any.
type pageSmall struct {
	About  string
	Tables []pageTable
	Plots  []pagePlot
}

// A pageTable is a table of bare texts with the notes beneath it.
type pageTable struct {
	Caption string
	Heads   []string
	Rows    [][]string
	Notes   []string
}

// A pagePlot is a plot within the page.
type pagePlot struct {
	Title string
	URI   template.URL
}

// pageSmall lays the section out, nil where no small network is apart from others and nothing was trained.
func (r *run) pageSmall(figures []figure) (*pageSmall, error) {
	p := &pageSmall{About: aboutSmall(r.small)}
	for _, rows := range byExperiment(r.small) {
		t := newTable(rows, 0)
		one := pageTable{Caption: capital(cmp.Or(t.title(), "results")), Heads: t.heads}
		for _, line := range t.cells {
			var texts []string
			for _, c := range line {
				texts = append(texts, c.text)
			}
			one.Rows = append(one.Rows, texts)
		}
		for i, note := range t.notes {
			one.Notes = append(one.Notes, fmt.Sprintf("(%d) %s", i+1, note))
		}
		p.Tables = append(p.Tables, one)
	}
	for i := range figures {
		if f := &figures[i]; f.small {
			uri, err := pageURI(f)
			if err != nil {
				return nil, err
			}
			p.Plots = append(p.Plots, pagePlot{f.Title, uri})
		}
	}
	if len(p.Tables)+len(p.Plots) == 0 {
		return nil, nil
	}
	if len(r.small) == 0 {
		p.About = ""
	}
	return p, nil
}

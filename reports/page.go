package reports

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"slices"
	"strings"

	"zoobench/reports/findings"
)

//go:embed page/page.html
var pageHTML string

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

// Limits that keep the page under 3 MB: the rows and layers beyond them are in the run's other files, and the page
// says so.
const (
	maxPageRows       = 2000
	maxPageLayerBytes = 1_000_000
	maxBins           = 24 // of a histogram
)

// A pageData is what the page shows and what a notebook lifts from it: the JSON in the element with id "data".
type pageData struct {
	Schema   int                `json:"schema"`
	Machine  string             `json:"machine"`
	Peak     *float64           `json:"peak_gflops_per_core"`
	Read     *float64           `json:"read_gbytes_per_s_per_core"`
	Rows     []pageRow          `json:"rows"`
	Layers   map[string]layers  `json:"layers"` // by the row's "layers"
	Families map[string]marking `json:"families"`
	Findings []pageFinding      `json:"findings"`
}

// A pageView is what the template gets.
type pageView struct {
	Headline string
	Machine  [][2]string
	Rows     []pageRow
	Columns  []pageColumn
	Left     int // rows that the page leaves out
	Robust   *pageRobust
	Small    *pageSmall
	Tally    string // of the findings, "" for none
	Counts   []verdictCount
	Themes   []pageGroup
	Checks   []pageGroup
	Untested []pageGroup
	Problems []string
	Sources  []string
	CSS      template.CSS
	JS       template.JS
	Data     template.JS
}

type verdictCount struct {
	Verdict findings.Verdict
	Look    verdictLook
	Count   int
}

// writePage writes the page: one HTML file that loads nothing.
func (r *run) writePage(w io.Writer, found []findings.Finding, figures []figure) error {
	images, err := pageImages(figures)
	if err != nil {
		return err
	}
	robust, err := r.pageRobust(figures)
	if err != nil {
		return err
	}
	small, err := r.pageSmall(figures)
	if err != nil {
		return err
	}
	rows, plans := r.pageRows()
	data := pageData{
		Schema: 1, Machine: clean(r.machine.Title()), Rows: rows, Layers: plans, Families: looks(rows), Findings: pageFindings(found, images),
	}
	peak, read := r.roofs()
	data.Peak, data.Read = positive(peak), positive(read)
	text, err := json.Marshal(data) // <, >, & and line separators are escaped: nothing in it ends the element
	if err != nil {
		return err
	}
	v := pageView{
		Headline: r.headline(), Machine: r.machineLines(), Rows: rows, Columns: pageColumns(rows), Left: len(r.rows) - len(rows),
		Robust: robust, Small: small, Problems: r.problems, Sources: r.sources(),
		CSS: template.CSS(pageCSS), JS: template.JS(pageJS), Data: template.JS(text),
	}
	if len(found) > 0 {
		groups := findings.Grouped(found)
		v.Tally, v.Themes = findings.Count(found), pageGroups(groups.Themes, images)
		v.Checks, v.Untested = pageGroups(groups.Checks, images), pageGroups(groups.Untested, images)
		v.Counts = verdictCounts(groups.Themes)
	}
	page, err := template.New("page").Funcs(template.FuncMap{"join": strings.Join, "capital": capital}).Parse(pageHTML)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// verdictCounts are how many of the findings have which verdict, in the order in which they come.
func verdictCounts(groups []findings.Group) (counts []verdictCount) {
	for _, g := range groups {
		for _, f := range g.Findings {
			i := slices.IndexFunc(counts, func(c verdictCount) bool { return c.Verdict == f.Verdict })
			if i < 0 {
				i = len(counts)
				counts = append(counts, verdictCount{Verdict: f.Verdict, Look: lookOf(f.Verdict)})
			}
			counts[i].Count++
		}
	}
	return counts
}

// A pageColumn is a column of the page's table: the field of the data that it sorts by, and what a cell shows.
type pageColumn struct {
	Field, Head, Unit string
	Text              bool
	show              func(*pageRow) shown
}

// Cell is what the template calls.
func (c pageColumn) Cell(r pageRow) shown { return c.show(&r) }

// A shown is a cell of the page's table: a figure, a smaller interval, or a dash with the reason.
type shown struct{ Text, Interval, Why string }

// pageColumns are the columns for rows. The images of a top-1 are always named where one was measured.
func pageColumns(rows []pageRow) []pageColumn {
	timed := func(r *pageRow) string { return r.Why["latency_p50_ns"] }
	all := []pageColumn{
		{"name", "network", "", true, func(r *pageRow) shown { return shown{Text: r.Name} }},
		{"family", "family", "", true, func(r *pageRow) shown { return shown{Text: r.Family} }},
		{"year", "year", "", false, func(r *pageRow) shown { return figureCell(r.Year, 1, 0, "no year is recorded") }},
		{"settings", "settings", "", true, func(r *pageRow) shown {
			return shown{Text: strings.Trim(r.Experiment+" · "+r.Settings, " ·")}
		}},
		{"img_size", "size", "px", false, func(r *pageRow) shown { return figureCell(r.Size, 1, 0, timed(r)) }},
		{"params", "parameters", "M", false, func(r *pageRow) shown { return figureCell(r.Params, 1e6, 2, r.Why["params"]) }},
		{"macs", "MACs", "G", false, func(r *pageRow) shown { return figureCell(r.MACs, 1e9, 3, r.Why["params"]) }},
		{"latency_p50_ns", "p50", "ms", false, func(r *pageRow) shown {
			return intervalCell(r.P50, r.P50Lo, r.P50Hi, 1e6, fourDigits, timed(r))
		}},
		{"latency_p90_ns", "p90", "ms", false, func(r *pageRow) shown {
			return figureCell(r.P90, 1e6, fourDigits, cmp.Or(timed(r), "too few samples for a 90th percentile"))
		}},
		{"images_per_s", "rate", "img/s", false, func(r *pageRow) shown { return figureCell(r.Rate, 1, fourDigits, timed(r)) }},
		{"cost_per_million", "cost of 1M images", "", false, func(r *pageRow) shown {
			return figureCell(r.Cost, 1, fourDigits, cmp.Or(timed(r), "no price was given"))
		}},
		{"peak_rss_bytes", "peak memory", "MiB", false, func(r *pageRow) shown {
			return figureCell(r.Peak, 1<<20, 0, r.Why["peak_rss_bytes"])
		}},
		{"top1", "measured top-1", "%", false, top1Shown},
		{"top1_over", "top-1 on", "", true, func(r *pageRow) shown {
			if r.Over == "" {
				return shown{Why: r.Why["top1"]}
			}
			return shown{Text: r.Over}
		}},
		{"published_top1", "published top-1", "%", false, publishedShown},
	}
	if !slices.ContainsFunc(rows, func(r pageRow) bool { return r.Cost != nil }) {
		all = slices.DeleteFunc(all, func(c pageColumn) bool { return c.Field == "cost_per_million" })
	}
	if !slices.ContainsFunc(rows, func(r pageRow) bool { return r.Top1 != nil }) {
		all = slices.DeleteFunc(all, func(c pageColumn) bool { return c.Field == "top1_over" })
	}
	return all
}

func top1Shown(r *pageRow) shown {
	if r.Images == nil {
		return figureCell(nil, 1, 0, r.Why["top1"])
	}
	return intervalCell(r.Top1, r.Top1Lo, r.Top1Hi, 1, top1Digits(int(*r.Images)), r.Why["top1"])
}

func publishedShown(r *pageRow) shown {
	why := cmp.Or(r.Why["published_top1"], "no published figure is known for this network at this size")
	s := figureCell(r.Published, 1, 2, why)
	if s.Text != "" {
		s.Text += onSet(r.Set)
	}
	return s
}

// fourDigits, as a number of decimals, is as many as show four significant digits.
const fourDigits = -1

// figureCell is the cell of a figure in units of scale, or of the reason why there is none.
func figureCell(v *float64, scale float64, decimals int, why string) shown {
	if v == nil {
		return shown{Why: cmp.Or(why, "not measured")}
	}
	if decimals == fourDigits {
		decimals = digits(*v / scale)
	}
	return shown{Text: fixed(*v/scale, decimals)}
}

// intervalCell is the cell of a figure with its interval, if it has one.
func intervalCell(v, lo, hi *float64, scale float64, decimals int, why string) shown {
	s := figureCell(v, scale, decimals, why)
	if v == nil || lo == nil || hi == nil {
		return s
	}
	if decimals == fourDigits {
		decimals = digits(*v / scale)
	}
	s.Interval = fixed(*lo/scale, decimals) + "–" + fixed(*hi/scale, decimals)
	return s
}

package choose

import (
	"bufio"
	"fmt"
	"html"
	"io"

	"zoobench/reports/text"
)

// A page is a report's blocks in order, as Markdown and as HTML that needs no other file.
type page struct {
	title  string
	blocks []block
}

// A block writes itself in both forms.
type block interface {
	markdown(w io.Writer)
	html(w io.Writer)
}

func (p *page) lead(text string)    { p.blocks = append(p.blocks, paragraph{text, true}) }
func (p *page) text(text string)    { p.blocks = append(p.blocks, paragraph{text, false}) }
func (p *page) heading(text string) { p.blocks = append(p.blocks, heading(text)) }
func (p *page) table(t *tableBlock) { p.blocks = append(p.blocks, t) }
func (p *page) terms(all []term)    { p.blocks = append(p.blocks, terms(all)) }
func (p *page) code(lines []string) {
	if len(lines) > 0 {
		p.blocks = append(p.blocks, code(lines))
	}
}
func (p *page) figure(c *chart) {
	if c != nil {
		p.blocks = append(p.blocks, c)
	}
}

func (p *page) markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# %s\n", plain(p.title))
	for _, block := range p.blocks {
		block.markdown(b)
	}
	return b.Flush()
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto;font-size:.9rem}
th,td{padding:.25rem .5rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
td.long{overflow-wrap:anywhere;min-width:12rem}
td.r,th.r{text-align:right;font-variant-numeric:tabular-nums}
td.r{white-space:nowrap}
dt{font-weight:600}
dd{margin:0 0 .4rem 1.5rem}
pre{padding:.6rem;background:#f3f3f3;white-space:pre-wrap;overflow-wrap:anywhere}
.lead{font-size:1.25rem;font-weight:600}
img{max-width:100%;height:auto}
@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}th,td{border-color:#444}pre{background:#282828}}`

func (p *page) html(w io.Writer) error {
	b := bufio.NewWriter(w)
	title := html.EscapeString(p.title)
	fmt.Fprint(b, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n")
	fmt.Fprintf(b, "<title>%s</title>\n<style>%s</style>\n<h1>%s</h1>\n", title, style, title)
	for _, block := range p.blocks {
		block.html(b)
	}
	fmt.Fprintln(b, "</html>")
	return b.Flush()
}

type heading string

func (h heading) markdown(w io.Writer) { fmt.Fprintf(w, "\n## %s\n", plain(string(h))) }
func (h heading) html(w io.Writer)     { fmt.Fprintf(w, "<h2>%s</h2>\n", html.EscapeString(string(h))) }

type paragraph struct {
	text string
	lead bool
}

func (p paragraph) markdown(w io.Writer) {
	text := plain(p.text)
	if p.lead {
		text = "**" + text + "**"
	}
	fmt.Fprintf(w, "\n%s\n", text)
}

func (p paragraph) html(w io.Writer) {
	class := ""
	if p.lead {
		class = ` class="lead"`
	}
	fmt.Fprintf(w, "<p%s>%s</p>\n", class, html.EscapeString(p.text))
}

// A term is a word with what it means.
type term struct{ word, meaning string }

type terms []term

func (t terms) markdown(w io.Writer) {
	fmt.Fprintln(w)
	for _, one := range t {
		fmt.Fprintf(w, "- **%s**: %s\n", plain(one.word), plain(one.meaning))
	}
}

func (t terms) html(w io.Writer) {
	fmt.Fprintln(w, "<dl>")
	for _, one := range t {
		fmt.Fprintf(w, "<dt>%s</dt><dd>%s</dd>\n", html.EscapeString(one.word), html.EscapeString(one.meaning))
	}
	fmt.Fprintln(w, "</dl>")
}

// code is commands to type, a line each.
type code []string

func (c code) markdown(w io.Writer) {
	fmt.Fprintln(w)
	for _, line := range c {
		fmt.Fprintf(w, "    %s\n", text.Clean(line, 0))
	}
}

func (c code) html(w io.Writer) {
	fmt.Fprint(w, "<pre><code>")
	for _, line := range c {
		fmt.Fprintln(w, html.EscapeString(text.Clean(line, 0)))
	}
	fmt.Fprintln(w, "</code></pre>")
}

type tableBlock struct {
	title []string
	rows  [][]string
}

func tableOf(title ...string) *tableBlock { return &tableBlock{title: title} }

func (t *tableBlock) add(cells ...string) { t.rows = append(t.rows, cells) }

// right reports whether a column has figures, which are aligned to the right.
func (t *tableBlock) right(column int) bool {
	found := false
	for _, row := range t.rows {
		switch c := row[column]; {
		case c == "" || c == "–":
		case c[0] >= '0' && c[0] <= '9' || c[0] == '<':
			found = true
		default:
			return false
		}
	}
	return found
}

func (t *tableBlock) markdown(w io.Writer) {
	line := func(cells []string) {
		for _, c := range cells {
			fmt.Fprintf(w, "| %s ", plain(c))
		}
		fmt.Fprintln(w, "|")
	}
	fmt.Fprintln(w)
	line(t.title)
	for i := range t.title {
		if t.right(i) {
			fmt.Fprint(w, "|---:")
		} else {
			fmt.Fprint(w, "|---")
		}
	}
	fmt.Fprintln(w, "|")
	for _, row := range t.rows {
		line(row)
	}
}

// longCell is how many bytes of a text, as a file's path or a sentence is one, a table has room for on one line.
const longCell = 40

func (t *tableBlock) html(w io.Writer) {
	line := func(tag string, cells []string) {
		fmt.Fprint(w, "<tr>")
		for i, c := range cells {
			class := ""
			switch {
			case t.right(i):
				class = ` class="r"`
			case len(c) > longCell:
				class = ` class="long"`
			}
			fmt.Fprintf(w, "<%s%s>%s</%s>", tag, class, html.EscapeString(c), tag)
		}
		fmt.Fprintln(w, "</tr>")
	}
	fmt.Fprintln(w, "<table>")
	line("th", t.title)
	for _, row := range t.rows {
		line("td", row)
	}
	fmt.Fprintln(w, "</table>")
}

// plain makes text from folders' names and errors plain Markdown: no markup, no second line, no control characters.
func plain(s string) string { return text.Markdown(text.Clean(s, 0)) }

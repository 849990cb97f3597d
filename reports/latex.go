package reports

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"zoobench/bench/record"
)

// writeLaTeX writes the tables as LaTeX for the booktabs package, one table an experiment, notes beneath.
func (r *run) writeLaTeX(w io.Writer) error {
	out := bufio.NewWriter(w) // keeps its first error
	fmt.Fprintf(out, "%% Written by zoobench. Needs \\usepackage{booktabs}.\n")
	fmt.Fprintf(out, "%% %s\n", strings.ReplaceAll(r.headline(), "·", ";"))
	for _, rows := range byExperiment(r.tabled()) {
		t := newTable(rows, 0)
		columns := ""
		for _, left := range t.left {
			columns += map[bool]string{true: "l", false: "r"}[left]
		}
		fmt.Fprintf(out, "\n\\begin{table}\n\\centering\\footnotesize\n\\caption{%s}\n", latex(cmp.Or(t.title(), "Results")))
		fmt.Fprintf(out, "\\begin{tabular}{%s}\n\\toprule\n", columns)
		writeLaTeXLine(out, t.heads)
		fmt.Fprintln(out, "\\midrule")
		for _, line := range t.cells {
			texts := make([]string, len(line))
			for i, c := range line {
				texts[i] = c.text
			}
			writeLaTeXLine(out, texts)
		}
		fmt.Fprintln(out, "\\bottomrule\n\\end{tabular}")
		for i, note := range t.notes {
			fmt.Fprintf(out, "\\par\\noindent (%d) %s\n", i+1, latex(note))
		}
		fmt.Fprintln(out, "\\end{table}")
	}
	return out.Flush()
}

func writeLaTeXLine(out io.Writer, texts []string) {
	for i, text := range texts {
		if i > 0 {
			fmt.Fprint(out, " & ")
		}
		fmt.Fprint(out, latex(text))
	}
	fmt.Fprintln(out, ` \\`)
}

// latex escapes a clean text for LaTeX's running text and tables.
func latex(s string) string {
	return latexEscapes().Replace(s)
}

func latexEscapes() *strings.Replacer {
	return strings.NewReplacer(
		`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "_", `\_`, "%", `\%`,
		"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`,
		`"`, `\textquotedbl{}`, "`", `\textasciigrave{}`, "–", "--", "·", `\textperiodcentered{}`, "…", `\ldots{}`, "×", `$\times$`, "≥", `$\ge$`,
		"[", "{[}", "]", "{]}", "--", "{-}{-}", // a bracket after \\ is its argument, and two hyphens are a dash
	)
}

// evaluated are the rows with a measured accuracy that is to be trusted, each checkpoint once over the same images.
func (r *run) evaluated() []*record.Record {
	seen := map[[2]string]bool{}
	var all []*record.Record
	for _, one := range r.tabled() {
		e := one.eval
		if e == nil || !e.Verdict.Valid {
			continue
		}
		over, _ := measuredOver(&one)
		k := [2]string{nameOf(e), over}
		if over == "" || seen[k] {
			continue
		}
		seen[k] = true
		all = append(all, e)
	}
	return all
}

// writeModelIndex writes the measured accuracies as model-index metadata, the form in which model hubs hold results.
func (r *run) writeModelIndex(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "model-index:")
	for _, e := range r.evaluated() {
		fmt.Fprintf(out, "- name: %s\n  results:\n  - task:\n      type: image-classification\n    dataset:\n      name: %s\n"+
			"      type: image-folder\n      args:\n        images: %d\n        sha256: %s\n",
			quoteYAML(nameOf(e)), quoteYAML(cmp.Or(e.Dataset, "not named")), e.Images, quoteYAML(e.DatasetSHA256))
		if e.Answers != "" {
			fmt.Fprintf(out, "        answers: %s\n", quoteYAML(e.Answers))
		}
		fmt.Fprintln(out, "    metrics:")
		for _, m := range []struct {
			name  string
			value float64
		}{{"top-1 accuracy", e.Top1}, {"top-5 accuracy", e.Top5}} {
			fmt.Fprintf(out, "    - type: accuracy\n      name: %s\n      value: %s\n", quoteYAML(m.name), fixed(m.value, 3))
		}
		fmt.Fprintf(out, "    source:\n      name: %s\n", quoteYAML("zoobench on "+e.Machine.Title()))
	}
	return out.Flush()
}

// quoteYAML quotes a text from outside: JSON's strings are YAML's double-quoted ones.
func quoteYAML(s string) string {
	text, err := json.Marshal(clean(s))
	if err != nil {
		return `""` // no string is refused
	}
	return string(text)
}

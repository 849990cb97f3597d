package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"zoobench/reports/text"
)

// printer writes rows of one type: as JSON objects and CSV lines when they come, as a table when all are there. A row
// is a struct; its JSON names are the columns of all three forms, and a field tagged json:"-" is in none.
type printer[T any] struct {
	w      io.Writer
	format string
	title  []string         // of the table's columns
	line   func(T) []string // a row of the table
	rows   [][]string
	csv    *csv.Writer
}

func newPrinter[T any](a *app, title []string, line func(T) []string) *printer[T] {
	return &printer[T]{w: a.stdout, format: a.format, title: title, line: line}
}

// print writes a row, or keeps it for the table.
func (p *printer[T]) print(row T) error {
	switch p.format {
	case "json":
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		_, err = p.w.Write(append(text, '\n'))
		return err
	case "csv":
		names, cells := columns(reflect.ValueOf(row))
		if p.csv == nil {
			p.csv = csv.NewWriter(p.w)
			p.csv.Write(names)
		}
		p.csv.Write(cells)
		p.csv.Flush()
		return p.csv.Error()
	}
	p.rows = append(p.rows, p.line(row))
	return nil
}

// printAll writes rows that are all there.
func (p *printer[T]) printAll(rows []T) error {
	for _, row := range rows {
		if err := p.print(row); err != nil {
			return err
		}
	}
	return p.close()
}

// close writes the table. Without rows, it writes nothing.
func (p *printer[T]) close() error {
	if p.format != "table" || len(p.rows) == 0 {
		return nil
	}
	return writeTable(p.w, p.title, p.rows)
}

// writeTable writes plain columns, those of numbers to the right.
func writeTable(w io.Writer, title []string, rows [][]string) error {
	align := make([]tw.Align, len(title))
	for i := range align {
		align[i] = tw.AlignLeft
		if numeric(rows, i) {
			align[i] = tw.AlignRight
		}
	}
	off := tw.BorderNone
	cell := func() tw.CellConfig {
		return tw.CellConfig{
			Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
			Alignment:  tw.CellAlignment{PerColumn: align},
			Padding:    tw.CellPadding{Global: tw.Padding{Left: "", Right: " "}},
		}
	}
	var text strings.Builder
	t := tablewriter.NewTable(&text,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: off,
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.Off, ShowFooterLine: tw.Off},
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{Header: cell(), Row: cell()}),
		tablewriter.WithTrimSpace(tw.Off),
	)
	for i := range title {
		title[i] = clean(title[i])
	}
	t.Header(title)
	for _, row := range rows {
		for i := range row {
			row[i] = clean(row[i])
		}
		if err := t.Append(row); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// numeric reports whether all filled cells of a column begin as numbers do.
func numeric(rows [][]string, column int) bool {
	found := false
	for _, row := range rows {
		if column >= len(row) || row[column] == "" || row[column] == "–" {
			continue
		}
		c := row[column][0]
		if (c < '0' || c > '9') && c != '-' && c != '+' {
			return false
		}
		found = true
	}
	return found
}

// clean makes text from files and checkpoints harmless to a terminal.
func clean(s string) string { return text.Clean(s, 0) }

// columns are a row's JSON names and its values as CSV has them; nested values are JSON.
func columns(row reflect.Value) (names, cells []string) {
	for i := range row.NumField() {
		field := row.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" {
			n, c := columns(row.Field(i))
			names, cells = append(names, n...), append(cells, c...)
			continue
		}
		if name == "-" || !field.IsExported() {
			continue
		}
		names, cells = append(names, name), append(cells, csvCell(row.Field(i)))
	}
	return names, cells
}

func csvCell(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return csvCell(v.Elem())
	case reflect.Slice, reflect.Map, reflect.Array, reflect.Struct:
		if (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0 {
			return ""
		}
		text, err := json.Marshal(v.Interface())
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	return fmt.Sprint(v.Interface())
}

// The forms of figures in tables. Scaling happens here only; k, M and G are powers of 1000.

func millions(n int64) string { return fmt.Sprintf("%.2f M", float64(n)/1e6) }
func billions(n int64) string { return fmt.Sprintf("%.3f G", float64(n)/1e9) }
func millis(ns int64) string {
	if ns == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f ms", float64(ns)/1e6)
}
func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
func shape(dims []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(dims), " ", "×"), "[]")
}

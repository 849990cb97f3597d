package reports

import (
	"fmt"
	"image"

	"zoobench/reports/draw"
)

// A Sheet is samples of a set of images: one for each row and column.
type Sheet struct {
	Title, About  string
	Rows, Columns []string
	Images        []image.Image // row by row, all of one size
}

// maxSheets is how many sheets a report has.
const maxSheets = 4

// sheetNames are the names of all sheets that a run may have.
func sheetNames() (names []string) {
	for i := range maxSheets {
		names = append(names, fmt.Sprintf("images_%d", i+1))
	}
	return names
}

// sheetFigures are the sheets as figures, of sheets without an image for each row and column none.
func (r *run) sheetFigures() (all []figure) {
	for _, s := range r.sheets {
		if len(all) == maxSheets || len(s.Images) == 0 || len(s.Images) != len(s.Rows)*len(s.Columns) {
			continue
		}
		sheet := draw.Sheet{Rows: s.Rows, Columns: s.Columns, Images: s.Images}
		f := sheet.Figure(draw.Caption{Title: s.Title, Subtitle: s.About})
		all = append(all, figure{Figure: f, name: sheetNames()[len(all)], small: true})
	}
	return all
}

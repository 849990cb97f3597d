package reports

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/reports/findings"
)

// TestSheets draws samples of a set of images, and none where an image is missing.
func TestSheets(t *testing.T) {
	sheet := Sheet{Title: "Samples", About: "two by two", Rows: []string{"disc", "star"}, Columns: []string{"dots", "grid"}}
	for range 4 {
		sheet.Images = append(sheet.Images, image.NewRGBA(image.Rect(0, 0, 8, 8)))
	}
	short := sheet
	short.Images = short.Images[1:]
	dir := t.TempDir()
	if _, err := Write(dir, smallRecords(t), nil, findings.Given{}, short, sheet); err != nil {
		t.Fatal(err)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "images_1.svg"))
	if err != nil || bytes.Count(svg, []byte("<image")) != 4 || !bytes.Contains(svg, []byte("disc")) || !bytes.Contains(svg, []byte("grid")) {
		t.Errorf("%d images, error %v", bytes.Count(svg, []byte("<image")), err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || !strings.Contains(string(page), `alt="Plot: Samples"`) {
		t.Errorf("the page lacks the sheet, error %v", err)
	}
	if _, err := Write(dir, smallRecords(t), nil, findings.Given{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "images_1.png")); !os.IsNotExist(err) {
		t.Errorf("a report without sheets keeps that of an earlier one: %v", err)
	}
}

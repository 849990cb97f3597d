package cli

import (
	"image"
	"path"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/datasets/shapes"
	"zoobench/reports"
)

// sheets show the computed images that records are about, none where they are about others.
func sheets(records []record.Record) []reports.Sheet {
	if !slices.ContainsFunc(records, func(r record.Record) bool { return strings.HasPrefix(path.Base(r.Dataset), "shapes") }) {
		return nil
	}
	set := shapes.Default()
	s := reports.Sheet{
		Title: "The computed images: one of each class of shapes",
		About: "ten shapes by ten textures, 32×32 pixels, enlarged; of the test part, which no network learns from",
	}
	for class := range shapes.Classes { // the first images of a part are one of each class
		shape, texture, _ := strings.Cut(shapes.Class(class), "_")
		if !slices.Contains(s.Rows, shape) {
			s.Rows = append(s.Rows, shape)
		}
		if !slices.Contains(s.Columns, texture) {
			s.Columns = append(s.Columns, texture)
		}
		img := image.NewRGBA(image.Rect(0, 0, set.Size, set.Size))
		for i, pixels := 0, set.Image(shapes.Test, class, nil); i < set.Size*set.Size; i++ {
			copy(img.Pix[4*i:], pixels[3*i:3*i+3])
			img.Pix[4*i+3] = 255
		}
		s.Images = append(s.Images, img)
	}
	return []reports.Sheet{s}
}

package datasets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"zoobench/datasets/shapes"
)

// The sets that Open takes by name. A folder of such a name is opened as ./shapes.
const (
	Shapes   = "shapes" // computed; shapes-64 has images of 64 pixels
	CIFAR10  = "cifar10"
	CIFAR100 = "cifar100"
)

// Named reports whether Open takes a word as a set's name rather than as a path.
func Named(word string) bool {
	return cifarOf(word) != nil || word == Shapes || strings.HasPrefix(word, Shapes+"-")
}

// Missing says why a set that is opened by name cannot be opened, "" where it can. Sets is the folder of sets that were
// fetched.
func Missing(word, sets string) string {
	if c := cifarOf(word); c != nil && !c.in(filepath.Join(sets, c.folder)) {
		return "no images: " + word + " is not in the cache folder; fetch it with zoobench pull data " + word
	}
	return ""
}

// openNamed opens a set by its name.
func openNamed(word string, o Options) (*Files, error) {
	if c := cifarOf(word); c != nil {
		if missing := Missing(word, o.Sets); missing != "" {
			return nil, errors.New("datasets: " + missing)
		}
		return c.open(filepath.Join(o.Sets, c.folder), o)
	}
	return openShapes(word, o)
}

// openShapes computes a part of the default set.
func openShapes(word string, o Options) (*Files, error) {
	set := shapes.Default()
	if size, ok := strings.CutPrefix(word, Shapes+"-"); ok {
		var err error
		if set.Size, err = strconv.Atoi(size); err != nil {
			return nil, fmt.Errorf("datasets: %s: want %s, or a size behind it as in %s-64", word, Shapes, Shapes)
		}
	}
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", word, err)
	}
	var parts, classes []string
	for _, p := range shapes.Parts() {
		parts = append(parts, string(p))
	}
	for i := range shapes.Classes {
		classes = append(classes, shapes.Class(i))
	}
	f, err := openPixels(word, word, set.Size, classes, parts, o)
	if err != nil {
		return nil, err
	}
	part := shapes.Part(f.Split)
	for i := range part.Images() {
		f.items = append(f.items, Item{Name: shapes.Name(i) + ".bmp", Labels: []int{shapes.ClassOf(i)}})
	}
	f.Reading = fmt.Sprintf("computed, seed %d, %d pixels", set.Seed, set.Size)
	f.pixels = func(i int, dst []byte) ([]byte, error) { return set.Image(part, i, dst), nil }
	return f, nil
}

// openPixels begins a set of square images that are no image files, which has labels and parts of its own: without a split
// that is named, the last of them.
func openPixels(root, set string, edge int, classes, parts []string, o Options) (*Files, error) {
	if o.Labels != "" || o.ClassMap != "" {
		return nil, fmt.Errorf("datasets: %s: the set has its own labels, want no label file and no class map", root)
	}
	if o.Classes != 0 && o.Classes != len(classes) {
		return nil, fmt.Errorf("datasets: %s: the set has %d classes, the network has %d", root, len(classes), o.Classes)
	}
	if o.Split == "" {
		o.Split = parts[len(parts)-1]
	}
	split, err := pickSplit(root, parts, o.Split)
	if err != nil {
		return nil, err
	}
	return &Files{root: root, Set: set, Split: split, Classes: slices.Clone(classes), edge: edge}, nil
}

// readPixels is item i as a Windows bitmap: its bytes are the same on every machine, which a compressed file's are not.
func (f *Files) readPixels(i int, buf []byte) ([]byte, error) {
	const head = 14 + 40
	row := 3 * f.edge
	line := (row + 3) &^ 3
	size := head + line*f.edge
	buf = slices.Grow(buf[:0], size+row*f.edge)[:size+row*f.edge]
	pixels, err := f.pixels(i, buf[size:])
	if err != nil {
		return nil, err
	}
	file := buf[:size]
	clear(file)
	copy(file, "BM")
	for _, v := range []struct{ at, value int }{
		{2, size}, {10, head}, {14, 40}, {18, f.edge}, {22, f.edge}, {26, 1 | 24<<16}, {34, size - head},
	} {
		binary.LittleEndian.PutUint32(file[v.at:], uint32(v.value))
	}
	for y := range f.edge {
		to := file[head+(f.edge-1-y)*line:] // from the bottom up
		for x := 0; x < row; x += 3 {
			p := pixels[y*row+x:]
			to[x], to[x+1], to[x+2] = p[2], p[1], p[0]
		}
	}
	return file, nil
}

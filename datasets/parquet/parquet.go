// Package parquet reads labelled images from Parquet files as Hugging Face writes datasets: a column of images, with each
// file's bytes and name, and a column of labels.
//
// The contract: Open finds the columns and reads every name and label, so that a file without them is an error before
// anything runs; Image returns the bytes of one row, decompressing a page at a time and keeping the last few, so that rows
// in about their order cost one pass over the file and little memory. A File may be used from several goroutines. A damaged
// file is an error, never a panic.
//
// It leaves what labels mean, and the pixels, to datasets.
package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go"
)

// A File is an open Parquet file of images.
type File struct {
	// Label is the name of the column of labels.
	Label string
	// Labels are the rows' labels.
	Labels []int
	// Paths are the names of the rows' files, "" where the file has none.
	Paths []string
	// Names are the classes' names by label, where the file has them.
	Names []string

	file  *os.File
	rows  []int64 // the first row of each group, and behind the last
	pages []column
	chunk []parquet.ColumnChunk // the images of each group

	mu     sync.Mutex
	recent []page // the last few pages, the latest last
}

// A column is where pages of one group are read from.
type column struct {
	pages parquet.Pages
	next  int64 // the row that the next page begins with, within the group
}

// A page is some rows' images.
type page struct {
	first int64 // the row of the first image, in the file
	data  [][]byte
}

// Recent pages that are kept: workers that read ahead of each other ask for rows of neighbouring ones.
const keptPages = 4

// maxImage bounds an image, in bytes.
const maxImage = 256 << 20

// The names that datasets give to their columns, the surest first.
var (
	imageColumns = []string{"image", "img", "picture", "photo", "jpg", "jpeg", "png"}
	labelColumns = []string{"label", "labels", "fine_label", "class", "cls", "target", "class_id", "label_id"}
)

// Open opens a file and reads its names and labels.
func Open(path string) (f *File, err error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	f = &File{file: in}
	err = guard(f.read)
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("parquet: %s: %w", path, err)
	}
	return f, nil
}

// guard turns a panic of the library over a damaged file into an error.
func guard(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("damaged: %v", r)
		}
	}()
	return fn()
}

// read finds the columns and reads what is short.
func (f *File) read() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(f.file, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	image, path, label, err := columns(file.Schema())
	if err != nil {
		return err
	}
	f.Label = strings.Join(label.Path, ".")
	f.Names = classNames(file, label.Path[0])
	f.rows = []int64{0}
	for _, group := range file.RowGroups() {
		chunks := group.ColumnChunks()
		n := group.NumRows()
		if n < 0 || n > info.Size() { // a row takes a bit at least, and an image more than eight
			return fmt.Errorf("a group claims %d rows in %d bytes", n, info.Size())
		}
		f.rows = append(f.rows, f.rows[len(f.rows)-1]+n)
		f.chunk = append(f.chunk, chunks[image.ColumnIndex])
		labels := make([]int, 0, n)
		err := values(chunks[label.ColumnIndex], n, func(v parquet.Value) error {
			k, err := labelOf(v)
			labels = append(labels, k)
			return err
		})
		if err != nil {
			return fmt.Errorf("column %s, row %d: %w", f.Label, len(f.Labels)+len(labels), err)
		}
		f.Labels = append(f.Labels, labels...)
		if path == nil {
			f.Paths = append(f.Paths, make([]string, n)...)
			continue
		}
		if err := values(chunks[path.ColumnIndex], n, func(v parquet.Value) error {
			f.Paths = append(f.Paths, string(v.ByteArray()))
			return nil
		}); err != nil {
			return fmt.Errorf("column %s: %w", strings.Join(path.Path, "."), err)
		}
	}
	f.pages = make([]column, len(f.chunk))
	return nil
}

// labelOf is a label's number, -1 for none, as where a test split's labels are kept back.
func labelOf(v parquet.Value) (int, error) {
	switch {
	case v.IsNull():
		return -1, nil
	case v.Kind() == parquet.Int32:
		return int(v.Int32()), nil
	case v.Kind() == parquet.Int64:
		return int(v.Int64()), nil
	}
	return 0, fmt.Errorf("a label of kind %v, want a whole number", v.Kind())
}

// columns finds the images' bytes, their names, which may be missing, and the labels.
func columns(schema *parquet.Schema) (image, path, label *parquet.LeafColumn, err error) {
	find := func(kinds []parquet.Kind, names ...string) *parquet.LeafColumn {
		leaf, ok := schema.Lookup(names...)
		if !ok || !leaf.Node.Leaf() || leaf.MaxRepetitionLevel > 0 || !slices.Contains(kinds, leaf.Node.Type().Kind()) {
			return nil
		}
		return &leaf
	}
	text := []parquet.Kind{parquet.ByteArray}
	for _, name := range imageColumns {
		if image = find(text, name, "bytes"); image != nil {
			path = find(text, name, "path")
			break
		}
		if image = find(text, name); image != nil {
			break
		}
	}
	for _, name := range labelColumns {
		if label = find([]parquet.Kind{parquet.Int32, parquet.Int64}, name); label != nil {
			break
		}
	}
	if image == nil || label == nil {
		var have []string
		for _, column := range schema.Columns() {
			have = append(have, strings.Join(column, "."))
		}
		return nil, nil, nil, fmt.Errorf("columns %s, want an image (%s) with its bytes and a label of whole numbers (%s)",
			strings.Join(have, ", "), strings.Join(imageColumns, ", "), strings.Join(labelColumns, ", "))
	}
	return image, path, label, nil
}

// classNames are what labels mean by Hugging Face's own description of the columns, nil where there is none.
func classNames(file *parquet.File, label string) []string {
	text, ok := file.Lookup("huggingface")
	var about struct {
		Info struct {
			Features map[string]struct {
				Names []string `json:"names"`
			} `json:"features"`
		} `json:"info"`
	}
	if !ok || json.Unmarshal([]byte(text), &about) != nil {
		return nil
	}
	return about.Info.Features[label].Names
}

// values hands over each of the n values of a chunk.
func values(chunk parquet.ColumnChunk, n int64, use func(parquet.Value) error) error {
	pages := chunk.Pages()
	defer pages.Close()
	var buf [256]parquet.Value
	read := int64(0)
	for {
		p, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		reader := p.Values()
		for {
			k, err := reader.ReadValues(buf[:])
			for _, v := range buf[:k] {
				if read++; read > n {
					return fmt.Errorf("more than %d values", n)
				}
				if err := use(v); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
		parquet.Release(p)
	}
	if read != n {
		return fmt.Errorf("%d values, want %d", read, n)
	}
	return nil
}

// Image returns the bytes of a row's image, in buf's memory where that is large enough.
func (f *File) Image(row int, buf []byte) (data []byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err = guard(func() error {
		data, err = f.image(int64(row), buf)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	return data, nil
}

func (f *File) image(row int64, buf []byte) ([]byte, error) {
	for _, p := range f.recent {
		if row >= p.first && row < p.first+int64(len(p.data)) {
			return append(buf[:0], p.data[row-p.first]...), nil
		}
	}
	group, found := slices.BinarySearch(f.rows, row)
	if !found {
		group--
	}
	for group+1 < len(f.rows) && f.rows[group+1] == f.rows[group] {
		group++ // an empty one
	}
	if row < 0 || group >= len(f.chunk) {
		return nil, fmt.Errorf("row %d of %d", row, f.rows[len(f.rows)-1])
	}
	within := row - f.rows[group]
	c := &f.pages[group]
	if c.pages == nil || within < c.next {
		f.close(group)
		c.pages = f.chunk[group].Pages()
	}
	if within > c.next {
		if err := c.pages.SeekToRow(within); err != nil {
			return nil, err
		}
		c.next = within
	}
	p, err := c.pages.ReadPage()
	if err != nil {
		f.close(group)
		return nil, err
	}
	read, err := images(p)
	if err != nil {
		f.close(group)
		return nil, err
	}
	read.first = row
	c.next += int64(len(read.data))
	if len(f.recent) == keptPages {
		f.recent = slices.Delete(f.recent, 0, 1)
	}
	f.recent = append(f.recent, read)
	if len(read.data) == 0 {
		return nil, errors.New("a page without rows")
	}
	return append(buf[:0], read.data[0]...), nil
}

// images are a page's images.
func images(p parquet.Page) (read page, err error) {
	n := p.NumValues()
	buf := make([]parquet.Value, min(n, 1<<16))
	reader := p.Values()
	for int64(len(read.data)) < n {
		k, err := reader.ReadValues(buf)
		for _, v := range buf[:k] {
			data := v.ByteArray()
			if len(data) > maxImage {
				return page{}, fmt.Errorf("image of %d bytes, want at most %d", len(data), maxImage)
			}
			read.data = append(read.data, slices.Clone(data))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return page{}, err
		}
	}
	parquet.Release(p)
	return read, nil
}

// close ends the reading of a group.
func (f *File) close(group int) {
	if c := &f.pages[group]; c.pages != nil {
		c.pages.Close()
		*c = column{}
	}
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for group := range f.pages {
		f.close(group)
	}
	f.recent = nil
	return f.file.Close()
}

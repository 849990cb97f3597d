package features

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// A Table is a row of features for each image, in a file of the store or in memory.
type Table struct {
	width int
	data  []float32 // (images, width); nil where file has them
	file  *rowFile
}

// Width is the number of features.
func (t Table) Width() int { return t.width }

// Row is the features of an image, (Width), to be used before another row is asked for. A row that cannot be read is zero,
// and Err says why.
func (t Table) Row(image int) []float32 {
	if t.file != nil {
		return t.file.row(image)
	}
	return t.data[image*t.width : (image+1)*t.width]
}

// Err is why a row could not be read, nil where all could.
func (t Table) Err() error {
	if t.file != nil {
		return t.file.err
	}
	return nil
}

// Close closes the file that rows are read from.
func (t Table) Close() {
	if t.file != nil {
		t.file.f.Close()
	}
}

// Loaded is the table in memory, where it has at most so many values, and as it is otherwise.
func (t Table) Loaded(most int) Table {
	if t.file == nil || len(t.file.at)*t.width > most {
		return t
	}
	data := make([]float32, 0, len(t.file.at)*t.width)
	for i := range t.file.at {
		data = append(data, t.Row(i)...)
	}
	if t.file.err != nil {
		return t // which has the error
	}
	return Table{width: t.width, data: data}
}

// A rowFile gives the rows of a table that lies in a file of records.
type rowFile struct {
	f      *os.File
	at     []int64 // where a row begins, below 0 for one of zeros
	data   []byte
	values []float32
	err    error // the first
}

func newRowFile(f *os.File, at []int64, width int) *rowFile {
	return &rowFile{f: f, at: at, data: make([]byte, 4*width), values: make([]float32, width)}
}

func (r *rowFile) row(i int) []float32 {
	clear(r.values)
	if r.at[i] < 0 {
		return r.values
	}
	if _, err := r.f.ReadAt(r.data, r.at[i]); err != nil {
		if r.err == nil {
			r.err = fmt.Errorf("features: %s: %w", filepath.Base(r.f.Name()), err)
		}
		return r.values
	}
	for j := range r.values {
		r.values[j] = math.Float32frombits(binary.LittleEndian.Uint32(r.data[4*j:]))
	}
	return r.values
}

package choose

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// A table is a matrix of one row a picture, in memory or in a file of the cache.
type table struct {
	rows, cols int
	data       []float32 // (rows, cols); nil where file has them
	file       *rowFile
}

func newTable(rows, cols int) table {
	return table{rows: rows, cols: cols, data: make([]float32, rows*cols)}
}

// row is row i, to be used before another is asked for. A row that cannot be read is zero, and err says why.
func (t table) row(i int) []float32 {
	if t.file != nil {
		return t.file.row(i)
	}
	return t.data[i*t.cols : (i+1)*t.cols]
}

// err is why a row could not be read, nil where all could.
func (t table) err() error {
	if t.file != nil {
		return t.file.err
	}
	return nil
}

// close closes the file that rows are read from.
func (t table) close() {
	if t.file != nil {
		t.file.f.Close()
	}
}

// inMemory bounds a table of features that is held in memory, and what a fit learns from, in values: 128 MiB. A fit has
// its features twice, and so have the nearest.
const inMemory = 32 << 20

// loaded is the table in memory, where it has room there, and as it is otherwise.
func (t table) loaded() table {
	if t.file == nil || t.rows*t.cols > inMemory {
		return t
	}
	m := newTable(t.rows, t.cols)
	for i := range t.rows {
		copy(m.row(i), t.row(i))
	}
	return m
}

// A rowFile gives the rows of a table that lies in a store.
type rowFile struct {
	f      *os.File
	at     []int64 // where a row begins, below 0 for one of zeros
	data   []byte
	values []float32
	err    error // the first
}

func newRowFile(f *os.File, at []int64, cols int) *rowFile {
	return &rowFile{f: f, at: at, data: make([]byte, 4*cols), values: make([]float32, cols)}
}

func (r *rowFile) row(i int) []float32 {
	clear(r.values)
	if r.at[i] < 0 {
		return r.values
	}
	if _, err := r.f.ReadAt(r.data, r.at[i]); err != nil {
		if r.err == nil {
			r.err = fmt.Errorf("choose: %s: %w", filepath.Base(r.f.Name()), err)
		}
		return r.values
	}
	for j := range r.values {
		r.values[j] = math.Float32frombits(binary.LittleEndian.Uint32(r.data[4*j:]))
	}
	return r.values
}

// few are some of the rows of a table, balanced over the classes, where all of them would be more than inMemory. The draw
// hangs on the rows alone.
func (s *study) few(rows []int, cols int) []int {
	most := max(inMemory/cols, 1)
	if s.most > 0 {
		most = s.most
	}
	if len(rows) <= most {
		return rows
	}
	drawn := slices.Clone(rows)
	rand.New(rand.NewPCG(0, 0)).Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	rank := make([]int, len(s.labels)) // within the class
	seen := make([]int, s.classes)
	for _, i := range drawn {
		rank[i] = seen[s.labels[i]]
		seen[s.labels[i]]++
	}
	slices.SortStableFunc(drawn, func(i, j int) int { return rank[i] - rank[j] })
	drawn = drawn[:most]
	slices.Sort(drawn)
	return drawn
}

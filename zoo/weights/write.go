package weights

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"
)

// A Named is one tensor to write: Data row-major, as many elements as Shape says.
type Named struct {
	Name  string
	Shape []int
	Data  []float32
}

// A Named8 is one tensor of 8-bit integers to write, as Named is one of float32.
type Named8 struct {
	Name  string
	Shape []int
	Data  []int8
}

// WriteFile writes tensors as float32 safetensors, in the order given, with metadata beside them (nil for none). The
// file appears whole or not at all: it is written beside its place, flushed to the disk and renamed; on an error the
// place keeps what it had and nothing else is left. The same input gives the same bytes.
func WriteFile(path string, tensors []Named, metadata map[string]string) error {
	return writeAs(path, F32, tensors, nil, metadata)
}

// WriteInt8 is WriteFile with tensors of 8-bit integers behind those of float32.
func WriteInt8(path string, tensors []Named, ints []Named8, metadata map[string]string) error {
	return writeAs(path, F32, tensors, ints, metadata)
}

// WriteHalf is WriteFile in float16: each number is the nearest one that 16 bits have, of two equally near the even one. A number
// that is finite and would not be so in float16 is an error.
func WriteHalf(path string, tensors []Named, metadata map[string]string) error {
	for _, t := range tensors {
		for _, v := range t.Data {
			if h := toHalf(v); h&0x7fff == halfInf && !math.IsInf(float64(v), 0) {
				return fmt.Errorf("weights: %s: %s: %v has no float16, want at most 65504", filepath.Base(path), clip(t.Name), v)
			}
		}
	}
	return writeAs(path, F16, tensors, nil, metadata)
}

// writeAs writes tensors of numbers in a type, F32 or F16, and tensors of integers behind them.
func writeAs(path string, as Dtype, tensors []Named, ints []Named8, metadata map[string]string) error {
	head, err := headerOf(as, tensors, ints, metadata)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", filepath.Base(path), err)
	}
	numbers := writeFloats
	if as == F16 {
		numbers = writeHalves
	}
	err = replaceFile(path, func(w io.Writer) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		for _, t := range tensors {
			if err := numbers(w, t.Data); err != nil {
				return err
			}
		}
		for _, t := range ints {
			if _, err := w.Write(int8Bytes(t.Data)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

// headerOf is the length and the JSON, padded with spaces to a multiple of 8 so that the data is aligned.
func headerOf(as Dtype, tensors []Named, ints []Named8, metadata map[string]string) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 8))
	b.WriteByte('{')
	if metadata != nil {
		b.WriteString(`"__metadata__":{`)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				b.WriteByte(',')
			}
			for j, s := range []string{key, metadata[key]} {
				if !utf8.ValidString(s) {
					return nil, fmt.Errorf("metadata %q is not UTF-8", s)
				}
				if j > 0 {
					b.WriteByte(':')
				}
				writeJSON(b, s)
			}
		}
		b.WriteByte('}')
	}
	seen := map[string]bool{}
	end := 0
	row := func(name string, shape []int, elems int, d Dtype) error {
		n, ok := product(shape, 4)
		switch {
		case !ok || n != int64(elems):
			return fmt.Errorf("%s: %d elements, want as many as shape %v has", clip(name), elems, shape)
		case seen[name] || name == "__metadata__":
			return fmt.Errorf("%s: two tensors have this name", clip(name))
		case !utf8.ValidString(name):
			return fmt.Errorf("%q: name is not UTF-8", name)
		}
		if len(seen) > 0 || metadata != nil {
			b.WriteByte(',')
		}
		seen[name] = true
		writeJSON(b, name)
		fmt.Fprintf(b, `:{"dtype":"%s","shape":`, d)
		writeJSON(b, append([]int{}, shape...))
		fmt.Fprintf(b, `,"data_offsets":[%d,%d]}`, end, end+d.size()*elems)
		end += d.size() * elems
		return nil
	}
	for _, t := range tensors {
		if err := row(t.Name, t.Shape, len(t.Data), as); err != nil {
			return nil, err
		}
	}
	for _, t := range ints {
		if err := row(t.Name, t.Shape, len(t.Data), I8); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	head := b.Bytes()
	if len(head)-8 > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, want at most %d", len(head)-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(head, uint64(len(head)-8))
	return head, nil
}

// writeJSON appends a string or a list of integers, which encoding/json cannot fail on.
func writeJSON(b *bytes.Buffer, v any) {
	text, _ := json.Marshal(v)
	b.Write(text)
}

func writeFloats(w io.Writer, x []float32) error {
	if littleHost() {
		_, err := w.Write(bytesOf(x))
		return err
	}
	return binary.Write(w, binary.LittleEndian, x)
}

func writeHalves(w io.Writer, x []float32) error {
	halves := make([]byte, 0, 2*len(x))
	for _, v := range x {
		halves = binary.LittleEndian.AppendUint16(halves, toHalf(v))
	}
	_, err := w.Write(halves)
	return err
}

// replaceFile puts what fill writes in the place of path, or leaves the place as it was.
func replaceFile(path string, fill func(io.Writer) error) (err error) {
	// os.CreateTemp would make the file the user's alone; this leaves the mode to the umask.
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:10]+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	// Flushing the folder makes the rename last. Not every system can; the file is whole by now either way.
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		_ = d.Sync()
		d.Close()
	}
	return nil
}

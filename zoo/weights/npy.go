package weights

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// NumPy's format (numpy/lib/format.py): "\x93NUMPY", two bytes of version, the header's length as 2 or 4 bytes, the
// header, which is a dictionary in Python's notation, then the array. A .npz is a zip archive of such files.

const npyMagic = "\x93NUMPY"

// maxNPYHeader bounds the header's bytes; NumPy's own bound is 10 000 characters.
const maxNPYHeader = 1 << 16

// npyHeader is the header's dictionary, its keys in any order.
var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[))`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([0-9L,\s]*)\)`)
)

// npyDtype is the element type of a description, "" for one that is not known.
func npyDtype(descr string) Dtype {
	switch strings.TrimLeft(descr, "<|=") {
	case "f8":
		return F64
	case "f4":
		return F32
	case "f2":
		return F16
	case "i8":
		return I64
	case "i4":
		return I32
	case "i2":
		return I16
	case "i1":
		return I8
	case "u8":
		return U64
	case "u4":
		return U32
	case "u2":
		return U16
	case "u1":
		return U8
	case "b1":
		return Bool
	case "c8":
		return C64
	case "c16":
		return C128
	}
	return ""
}

// npyEntry reads the header of an array that lies at bytes at to end of r.
func npyEntry(file, name string, r io.ReaderAt, at, end int64) (entry, error) {
	broken := func(format string, args ...any) (entry, error) {
		return entry{}, &FormatError{File: file, Item: name, Offset: at, Msg: "npy: " + fmt.Sprintf(format, args...)}
	}
	var start [12]byte
	n, _ := r.ReadAt(start[:min(end-at, int64(len(start)))], at)
	if n < 10 || string(start[:6]) != npyMagic {
		return broken("does not begin as NumPy's arrays do")
	}
	length, skip := int64(binary.LittleEndian.Uint16(start[8:])), int64(10)
	if start[6] > 1 {
		if n < 12 {
			return broken("file ends in the header")
		}
		length, skip = int64(binary.LittleEndian.Uint32(start[8:])), 12
	}
	if start[6] < 1 || start[6] > 3 || length > maxNPYHeader || length > end-at-skip {
		return broken("version %d, header of %d bytes with %d left", start[6], length, end-at-skip)
	}
	text := make([]byte, length)
	if _, err := r.ReadAt(text, at+skip); err != nil {
		return broken("cannot be read: %v", err)
	}
	descr, fortran, shape := npyDescr.FindSubmatch(text), npyFortran.FindSubmatch(text), npyShape.FindSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return broken("header without descr, fortran_order and shape: %s", clip(string(text)))
	}
	e := entry{Tensor: Tensor{Name: name, Shape: []int{}, Dtype: npyDtype(string(descr[1]))}, offset: at + skip + length}
	if e.Dtype == "" {
		what := "elements of type " + clip(string(descr[1]))
		switch kind := strings.TrimLeft(string(descr[1]), "<|=>"); {
		case len(descr[2]) > 0:
			what = "records"
		case strings.HasPrefix(kind, "O"):
			what = "Python objects"
		case strings.HasPrefix(string(descr[1]), ">"):
			what = "big-endian numbers"
		case strings.HasPrefix(kind, "V"):
			what = "raw bytes, as bfloat16 becomes in NumPy"
		}
		return entry{}, &UnsupportedError{File: file, Item: name, Offset: at,
			Msg: "npy: " + what + ", want numbers; in Python: a.astype(\"<f4\")"}
	}
	for _, d := range strings.FieldsFunc(string(shape[1]), func(r rune) bool { return strings.ContainsRune(",L \t\n", r) }) {
		v, err := strconv.ParseInt(d, 10, 48)
		if err != nil || len(e.Shape) == maxDims {
			return broken("shape (%s)", clip(string(shape[1])))
		}
		e.Shape = append(e.Shape, int(v))
	}
	count, ok := product(e.Shape, e.Dtype.size())
	if !ok {
		return broken("shape %v is too large", e.Shape)
	}
	if have, want := end-e.offset, count*int64(e.Dtype.size()); have != want {
		return broken("%d bytes of data, want %d for %s %v", have, want, e.Dtype, e.Shape)
	}
	if string(fortran[1]) == "True" && len(e.Shape) > 1 && count > 0 {
		e.strides = make([]int, len(e.Shape))
		next := 1
		for i, d := range e.Shape {
			e.strides[i] = next
			next *= d
		}
	}
	return e, nil
}

func parseNPY(name string, r io.ReaderAt, size int64) (layout, error) {
	e, err := npyEntry(name, "", r, 0, size)
	if err != nil {
		return layout{}, err
	}
	return layout{format: "npy", lone: true, sections: []section{{entries: []entry{e}}}, size: size}, nil
}

// arrays reports whether a zip archive's entries are NumPy's arrays, by their names.
func arrays(files []*zip.File) bool {
	return len(files) > 0 && !slices.ContainsFunc(files, func(f *zip.File) bool { return !strings.HasSuffix(f.Name, ".npy") })
}

// parseNPZ lists the arrays of numpy.savez's archive.
func parseNPZ(z *zipFile) (layout, error) {
	var all section
	for _, f := range z.list {
		if f.Method != zip.Store {
			return layout{}, &UnsupportedError{File: z.name, Item: f.Name, Offset: -1, Msg: "compressed, as numpy.savez_compressed writes it; " +
				fmt.Sprintf("in Python: numpy.savez(\"weights.npz\", **numpy.load(%q))", clip(z.name))}
		}
		at, err := z.place(f)
		if err != nil {
			return layout{}, err
		}
		e, err := npyEntry(z.name, strings.TrimSuffix(f.Name, ".npy"), z.r, at, at+int64(f.CompressedSize64))
		if err != nil {
			return layout{}, err
		}
		all.entries = append(all.entries, e)
	}
	return layout{format: "npz", sections: []section{all}, size: z.size}, nil
}

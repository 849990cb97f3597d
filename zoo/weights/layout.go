package weights

import (
	"encoding/binary"
	"io"
	"strings"

	"zoobench/zoo/weights/hdf5"
)

// A layout is what parsing a file finds: its sections, and where the bytes lie of each tensor of the one that is taken.
// No element has been read.
type layout struct {
	format   string            // "safetensors", "torch zip", "torch legacy", "npy", "npz" or "keras"
	metadata map[string]string // safetensors' __metadata__
	keras    *Keras            // of Keras's files
	sections []section         // in the order in which they are preferred; never empty
	lone     bool              // it holds one tensor, which has no name
	size     int64             // of the file
	place    func(*storage) (int64, error)

	// What take has taken.
	entries []entry
	others  map[string]string // names without a dense tensor, and what is there, as a pickled object's class
	section string            // the path of the section, as "state_dict_ema", "" for the whole file
	prefix  string            // what was cut from the front of every name, as "module."
	cut     int               // of how many
	outside []string          // names without the prefix, which are left out
}

// An entry is one tensor's place in the file.
type entry struct {
	Tensor
	volume  int   // of the checkpoint's files
	offset  int64 // of the first element
	strides []int // in elements; nil where the tensor is row-major without gaps

	// unpack gives all elements of a tensor that is not in the file as it is: compressed, in chunks or big-endian.
	unpack func(dst []float32) error
}

// extent is the number of elements from the first to the last, both counted.
func (e entry) extent() int64 {
	if e.strides == nil {
		return int64(e.Len())
	}
	n := int64(1)
	for i, d := range e.Shape {
		if d == 0 {
			return 0
		}
		n += int64(d-1) * int64(e.strides[i])
	}
	return n
}

// parse finds out what kind of file it is from its first bytes, and reads its table of tensors.
func parse(name string, r io.ReaderAt, size int64) (layout, error) {
	head := make([]byte, min(size, 64))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), head); err != nil {
		return layout{}, &FormatError{File: name, Offset: 0, Msg: "cannot be read: " + err.Error()}
	}
	start := string(head)
	switch {
	case size == 0:
		return layout{}, &FormatError{File: name, Offset: -1, Msg: "file is empty"}
	case strings.HasPrefix(start, "PK\x03\x04"), strings.HasPrefix(start, "PK\x05\x06"):
		return parseZip(name, r, size)
	case len(start) > 8 && start[8] == '{':
		return parseSafetensors(name, r, size)
	case strings.HasPrefix(start, hdf5.Signature):
		return parseHDF5(name, r, size, 0, &Keras{})
	case strings.HasPrefix(start, npyMagic):
		return parseNPY(name, r, size)
	case start[0] == 0x80 && strings.Contains(start, legacyMagic):
		return parseLegacy(name, r, size)
	}
	kind := ""
	switch lower := strings.ToLower(strings.TrimSpace(start)); {
	case strings.HasPrefix(lower, "<!doctype"), strings.HasPrefix(lower, "<html"), strings.HasPrefix(lower, "<?xml"):
		kind = "a web page: the download gave one instead of the file"
	case strings.HasPrefix(lower, "version https://git-lfs"):
		kind = "a Git LFS pointer: the file itself has not been fetched"
	case strings.HasPrefix(start, "\x1f\x8b"):
		kind = "compressed by gzip: unpack it first"
	case start[0] == 0x80 && len(start) > 1 && start[1] >= 2 && start[1] <= 5:
		kind = "a pickle, but not one that torch.save writes"
	}
	if kind != "" {
		return layout{}, &UnsupportedError{File: name, Offset: -1, Msg: kind}
	}
	if len(head) >= 8 {
		if n := binary.LittleEndian.Uint64(head); n > uint64(size) && n < 1<<32 {
			return layout{}, headerTooLong(name, n, size)
		}
	}
	return layout{}, &FormatError{File: name, Offset: 0, Msg: "neither safetensors nor a PyTorch checkpoint"}
}

// product multiplies a shape out; ok is false where a dimension is negative or the number of bytes leaves 48 bits.
func product(shape []int, bytes int) (elements int64, ok bool) {
	const most = 1 << 48
	elements = 1
	zero := false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, false
		case d == 0:
			zero = true
		case int64(d) > most/elements:
			return 0, false
		default:
			elements *= int64(d)
		}
	}
	if zero {
		return 0, true
	}
	return elements, elements <= most/int64(bytes)
}

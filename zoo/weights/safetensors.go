package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The safetensors format (https://github.com/huggingface/safetensors, "Format"): 8 bytes, the header's length N as a
// little-endian unsigned integer; N bytes of JSON, an object from name to {dtype, shape, data_offsets: [begin, end]},
// padded with spaces; the data, which the tensors cover without overlap or gap.

// maxHeader is the format's own limit on the header's bytes.
const maxHeader = 100_000_000

// maxDims bounds a tensor's number of dimensions, in both kinds of file; PyTorch's own bound is 64.
const maxDims = 64

func headerTooLong(name string, n uint64, size int64) error {
	return &FormatError{File: name, Offset: 0, Msg: fmt.Sprintf("header of %d bytes does not fit into a file of %d", n, size)}
}

func parseSafetensors(name string, r io.ReaderAt, size int64) (layout, error) {
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return layout{}, &FormatError{File: name, Offset: 0, Msg: "cannot be read: " + err.Error()}
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > uint64(size-8) {
		return layout{}, headerTooLong(name, n, size)
	}
	if n > maxHeader {
		return layout{}, &FormatError{File: name, Offset: 0, Msg: fmt.Sprintf("header of %d bytes, want at most %d", n, maxHeader)}
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(r, 8, int64(n)), text); err != nil {
		return layout{}, &FormatError{File: name, Offset: 8, Msg: "cannot be read: " + err.Error()}
	}
	if !utf8.Valid(text) {
		at := 0
		for rest := text; ; {
			c, w := utf8.DecodeRune(rest)
			if c == utf8.RuneError && w <= 1 {
				break
			}
			at, rest = at+w, rest[w:]
		}
		return layout{}, &FormatError{File: name, Offset: 8 + int64(at), Msg: "header is not UTF-8"}
	}

	h := header{file: name, dec: json.NewDecoder(bytes.NewReader(text))}
	h.dec.UseNumber()
	if err := h.read(); err != nil {
		return layout{}, err
	}
	// Only spaces may follow the object.
	for i, c := range text[h.dec.InputOffset():] {
		if c != ' ' {
			return layout{}, &FormatError{File: name, Offset: 8 + h.dec.InputOffset() + int64(i), Msg: "text after the header's object"}
		}
	}
	data := 8 + int64(n)
	if err := h.check(data, size); err != nil {
		return layout{}, err
	}
	var whole section
	for _, t := range h.tensors {
		whole.entries = append(whole.entries, entry{Tensor: t.Tensor, offset: data + t.begin})
	}
	return layout{format: "safetensors", metadata: h.metadata, sections: []section{whole}, size: size}, nil
}

// A header reads safetensors' JSON token by token: encoding/json's own decoding into a map would let a second tensor
// of one name replace the first.
type header struct {
	file     string
	dec      *json.Decoder
	tensors  []ranged
	metadata map[string]string
}

// A ranged is a tensor and its bytes, counted from the data's start.
type ranged struct {
	Tensor
	begin, end int64
	at         int64 // where in the file its row of the header ends
}

func (h *header) errorf(item, format string, args ...any) error {
	return &FormatError{File: h.file, Item: item, Offset: 8 + h.dec.InputOffset(), Msg: fmt.Sprintf(format, args...)}
}

func (h *header) token() (json.Token, error) {
	t, err := h.dec.Token()
	if err != nil {
		return nil, h.errorf("", "header: %v", err)
	}
	return t, nil
}

func (h *header) expect(item string, want json.Delim) error {
	t, err := h.token()
	if err != nil {
		return err
	}
	if t != want {
		return h.errorf(item, "header: have %v, want %v", t, want)
	}
	return nil
}

// object calls row for every key of an object, and refuses a key that comes twice.
func (h *header) object(item string, row func(key string) error) error {
	if err := h.expect(item, '{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for h.dec.More() {
		t, err := h.token()
		if err != nil {
			return err
		}
		key, ok := t.(string)
		if !ok {
			return h.errorf(item, "header: have %v, want a name", t)
		}
		if seen[key] {
			return h.errorf(item, "header: key %s is given twice", clip(key))
		}
		seen[key] = true
		if err := row(key); err != nil {
			return err
		}
	}
	return h.expect(item, '}')
}

func (h *header) read() error {
	return h.object("", func(name string) error {
		if name == "__metadata__" {
			h.metadata = map[string]string{}
			return h.object(name, func(key string) (err error) {
				h.metadata[key], err = h.text(name)
				return err
			})
		}
		return h.tensor(name)
	})
}

func (h *header) text(item string) (string, error) {
	t, err := h.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", h.errorf(item, "header: have %v, want a string", t)
	}
	return s, nil
}

func (h *header) tensor(name string) error {
	t := ranged{Tensor: Tensor{Name: name}}
	keys := 0
	err := h.object(name, func(key string) error {
		keys++
		switch key {
		case "dtype":
			s, err := h.text(name)
			if err != nil {
				return err
			}
			t.Dtype = Dtype(s)
			if t.Dtype.size() == 0 || t.Dtype == C128 {
				return h.errorf(name, "dtype %s is not known", clip(s))
			}
		case "shape":
			dims, err := h.integers(name, key, maxDims)
			if err != nil {
				return err
			}
			t.Shape = make([]int, len(dims))
			for i, d := range dims {
				if d > 1<<48 || int64(int(d)) != d {
					return h.errorf(name, "shape: dimension %d is too large", d)
				}
				t.Shape[i] = int(d)
			}
		case "data_offsets":
			ends, err := h.integers(name, key, 2)
			if err != nil {
				return err
			}
			if len(ends) != 2 {
				return h.errorf(name, "data_offsets: have %d numbers, want 2", len(ends))
			}
			t.begin, t.end = ends[0], ends[1]
		default:
			return h.errorf(name, "header: key %s is not known", clip(key))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if keys != 3 {
		return h.errorf(name, "header: want dtype, shape and data_offsets")
	}
	t.at = 8 + h.dec.InputOffset()
	h.tensors = append(h.tensors, t)
	return nil
}

// integers reads an array of at most most whole numbers that are not negative.
func (h *header) integers(item, key string, most int) ([]int64, error) {
	if err := h.expect(item, '['); err != nil {
		return nil, err
	}
	var out []int64
	for h.dec.More() {
		t, err := h.token()
		if err != nil {
			return nil, err
		}
		number, ok := t.(json.Number)
		if !ok {
			return nil, h.errorf(item, "%s: have %v, want a number", key, t)
		}
		v, err := strconv.ParseUint(number.String(), 10, 63)
		if err != nil {
			return nil, h.errorf(item, "%s: have %s, want a whole number that is not negative", key, clip(number.String()))
		}
		if out = append(out, int64(v)); len(out) > most {
			return nil, h.errorf(item, "%s: have more than %d numbers", key, most)
		}
	}
	return out, h.expect(item, ']')
}

// check compares every tensor's bytes with its shape, and all of them with the data, which starts at byte data.
func (h *header) check(data, size int64) error {
	wrong := func(t ranged, format string, args ...any) error {
		return &FormatError{File: h.file, Item: t.Name, Offset: t.at, Msg: fmt.Sprintf(format, args...)}
	}
	for _, t := range h.tensors {
		n, ok := product(t.Shape, t.Dtype.size())
		if !ok {
			return wrong(t, "shape %v is too large", t.Shape)
		}
		if t.end < t.begin || t.end-t.begin != n*int64(t.Dtype.size()) {
			return wrong(t, "data_offsets [%d %d], want %d bytes for %s %v", t.begin, t.end, n*int64(t.Dtype.size()), t.Dtype, t.Shape)
		}
		if t.end > size-data {
			return wrong(t, "data_offsets [%d %d] in a file with %d bytes of data", t.begin, t.end, size-data)
		}
	}
	order := slices.Clone(h.tensors)
	slices.SortStableFunc(order, func(a, b ranged) int {
		if a.begin != b.begin {
			return int(min(1, max(-1, a.begin-b.begin)))
		}
		return int(min(1, max(-1, a.end-b.end)))
	})
	end := int64(0)
	for i, t := range order {
		switch {
		case t.begin < end:
			return wrong(t, "data_offsets [%d %d] overlap those of %s", t.begin, t.end, clip(order[i-1].Name))
		case t.begin > end:
			return wrong(t, "data_offsets [%d %d] leave a hole after byte %d of the data", t.begin, t.end, end)
		}
		end = t.end
	}
	if end != size-data {
		return &FormatError{File: h.file, Offset: data + end, Msg: fmt.Sprintf("%d bytes after the last tensor", size-data-end)}
	}
	return nil
}

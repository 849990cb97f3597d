package hdf5

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sample is a file of testdata, whose make_samples.py wrote it.
func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".h5"))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

// root opens content, which must be sound, and gives its root group.
func root(tb testing.TB, content []byte) *Object {
	tb.Helper()
	f, err := Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		tb.Fatal(err)
	}
	o, err := f.Root()
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// numbers are little-endian elements.
func numbers(t Type, b []byte) (list []float64) {
	if t.Kind == Opaque {
		return nil
	}
	for ; len(b) > 0; b = b[t.Bytes:] {
		var wide [8]byte
		copy(wide[:], b[:t.Bytes])
		v := binary.LittleEndian.Uint64(wide[:])
		switch {
		case t.Kind == Float && t.Bytes == 8:
			list = append(list, math.Float64frombits(v))
		case t.Kind == Float && t.Bytes == 4:
			list = append(list, float64(math.Float32frombits(uint32(v))))
		case t.Kind == Float && v == 0:
			list = append(list, 0)
		case t.Kind == Float: // a positive, normal binary16
			list = append(list, math.Ldexp(float64(v&0x3ff|0x400), int(v>>10)-25))
		default:
			list = append(list, float64(v))
		}
	}
	return list
}

// numpy is a type as NumPy writes it.
func numpy(t Type) string {
	order := map[bool]string{false: "<", true: ">"}[t.BigEndian]
	if t.Bytes == 1 || t.Kind == Opaque {
		order = "|"
	}
	return order + map[Kind]string{Float: "f", Int: "i", Uint: "u", Opaque: "V"}[t.Kind] + string(rune('0'+t.Bytes))
}

// TestSamples reads every feature that is read, and compares with what h5py read.
func TestSamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "want.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]map[string]struct {
		Type       string
		Shape      []int
		Values     []float64
		Names      []string
		Attributes map[string][]string
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for name, rows := range want {
		top := root(t, sample(t, name))
		for path, row := range rows {
			o, err := top.Open(path)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for key, want := range row.Attributes {
				a, err := o.Attribute(key)
				if err != nil || a == nil {
					t.Errorf("%s: %s@%s: %v, %v", name, path, key, a, err)
					continue
				}
				if got, err := a.Strings(); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %s@%s: %.200q, %v, want %.200q", name, path, key, got, err, want)
				}
			}
			if row.Type == "" {
				if got, err := o.Names(); err != nil || !slices.Equal(got, row.Names) || !o.IsGroup() || o.IsDataset() {
					t.Errorf("%s: %s: %d names, %v, want %d", name, path, len(got), err, len(row.Names))
				}
				continue
			}
			d, err := o.Dataset()
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			b, err := d.Bytes()
			if got := numbers(d.Type, b); err != nil || numpy(d.Type) != row.Type || !slices.Equal(d.Shape, row.Shape) ||
				!slices.Equal(got, row.Values) {
				t.Errorf("%s: %s: %v %v %v, %v, want %s %v %v", name, path, d.Type, d.Shape, got, err, row.Type, row.Shape, row.Values)
			}
			if at, ok := d.Run(); ok && !d.Type.BigEndian && !bytes.Equal(sample(t, name)[at:][:len(b)], b) {
				t.Errorf("%s: %s: its bytes are not at %d", name, path, at)
			}
		}
		if len(rows) < 2 {
			t.Errorf("%s: %d rows", name, len(rows))
		}
	}
}

// TestFind gives nothing for what is not there, which Open refuses.
func TestFind(t *testing.T) {
	top := root(t, sample(t, "third"))
	for path, want := range map[string]string{
		"": "/", "/": "/", "a/b/c/d": "/a/b/c/d", "/a//b/": "/a/b", "none": "", "a/none/c": "", "a/b/c/d/e": "",
	} {
		o, err := top.Find(path)
		if err != nil || (o != nil) != (want != "") || o != nil && o.Path() != want {
			t.Errorf("%q: %v, %v, want %q", path, o, err, want)
		}
		if _, err := top.Open(path); (err == nil) != (want != "") {
			t.Errorf("%q: %v", path, err)
		}
	}
	loop := &Object{name: "/", messages: []message{{kind: msgLinkInfo}}}
	loop.links = map[string]link{"self": {at: 7}}
	loop.f = &File{objects: map[uint64]*Object{7: loop}}
	if o, err := loop.Find(strings.Repeat("self/", 64)); o != loop || err != nil {
		t.Errorf("64 names: %v, %v", o, err)
	}
	if _, err := loop.Find(strings.Repeat("self/", 65)); err == nil || err.Error() != "hdf5: /: path of more than 64 names" {
		t.Errorf("65 names: %v", err)
	}
	if _, err := top.Open("a/none"); err == nil || err.Error() != `hdf5: /: has no "a/none"` {
		t.Error(err)
	}
}

// TestRuns finds the elements of every layout that keeps them in one piece.
func TestRuns(t *testing.T) {
	for path, want := range map[string]bool{
		"types/little_f4": true, "types/compact": true, "chunks/one": true, "chunks/one_packed": false, "chunks/plain": false,
		"chunks/larger": false, "types/none": true, "chunks/none": true,
	} {
		o, err := root(t, sample(t, "third")).Open(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := o.Dataset()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := d.Run(); ok != want {
			t.Errorf("%s: in one run: %t, want %t", path, ok, want)
		}
	}
}

// read reads all of an object: its elements, and its attributes if they are strings.
func read(o *Object) error {
	list, err := o.Attributes()
	if err != nil {
		return err
	}
	for _, a := range list {
		if _, err := a.Strings(); err != nil {
			return err
		}
	}
	if !o.IsDataset() {
		return nil
	}
	d, err := o.Dataset()
	if err == nil {
		_, err = d.Bytes()
	}
	return err
}

// TestRefused refuses by name what is sound and not read.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ file, path, want string }{
		{"refused", "soft", `hdf5: /: "soft" is a soft link`},
		{"refused", "external", `hdf5: /: "external" is a link into another file`},
		{"refused", "lzf", "hdf5: /lzf: filter 32000 (lzf)"},
		{"refused", "scaled", "hdf5: /scaled: filter 6 (scaleoffset)"},
		{"refused", "elsewhere", "hdf5: /elsewhere: elements are in other files"},
		{"refused", "unwritten", "hdf5: /unwritten: elements have never been written"},
		{"refused", "sparse", "hdf5: /sparse: chunk 2 of 4 has never been written"},
		{"refused", "committed", "hdf5: /committed: datatype is a shared message, as committed types are"},
		{"refused", "", `hdf5: /: attribute "floats": float64, want strings`},
		{"refused3", "virtual", "hdf5: /virtual: virtual dataset: its elements are in others"},
		{"refused3", "soft", `hdf5: /: "soft" is a soft link`},
		{"refused3", "external", `hdf5: /: "external" is a link into another file`},
		{"refused3", "sparse", "hdf5: /sparse: chunk 2 of 4 has never been written"},
		{"refused3", "lzf", "hdf5: /lzf: filter 32000 (lzf)"},
	} {
		o, err := root(t, sample(t, c.file)).Open(c.path)
		if err == nil {
			err = read(o)
		}
		var no *UnsupportedError
		if !errors.As(err, &no) || !strings.HasPrefix(err.Error(), c.want+" (at byte ") {
			t.Errorf("%s: %s: %v, want %s", c.file, c.path, err, c.want)
		}
	}
}

// TestOtherTypes names the types that are not numbers, and reads their elements as bytes.
func TestOtherTypes(t *testing.T) {
	for path, want := range map[string]string{
		"bool": "enumeration", "compound": "compound", "time": "compound", "bits": "integer of 20 bits in 4 bytes", "odd": "float32",
	} {
		o, err := root(t, sample(t, "refused")).Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c := o.need(msgDatatype, "datatype")
		if got, err := datatype(c); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v, want %s", path, got, err, want)
		}
	}
	for want, typ := range map[string]Type{
		"big-endian bfloat16": {Kind: BFloat16, BigEndian: true, Bytes: 2}, "uint64": {Kind: Uint, Bytes: 8},
		"big-endian int16": {Kind: Int, BigEndian: true, Bytes: 2}, "string of 3 bytes": {Kind: String, Bytes: 3},
		"string of variable length": {Kind: VarString}, "opaque bytes, 2 an element": {Kind: Opaque, Bytes: 2},
	} {
		if typ.String() != want {
			t.Errorf("%v, want %s", typ, want)
		}
	}
}

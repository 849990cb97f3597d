package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// deflated is b as the filter deflate leaves it.
func deflated(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// summed is b as the filter fletcher32 leaves it.
func summed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(b), fletcher32(b))
}

// TestUndo undoes filters in every order, and finds what none can have written.
func TestUndo(t *testing.T) {
	text := []byte("0123456789ab")
	for _, c := range []struct {
		name    string
		b       []byte
		filters []int
		skipped uint32
		want    string
	}{
		{"none", text, nil, 0, ""},
		{"deflate", deflated(text), []int{filterDeflate}, 0, ""},
		{"deflate skipped", text, []int{filterDeflate}, 1, ""},
		{"sum under deflate", deflated(summed(text)), []int{filterFletcher32, filterDeflate}, 0, ""},
		{"sum skipped", deflated(text), []int{filterFletcher32, filterDeflate}, 1, ""},
		{"sum over deflate", summed(deflated(text)), []int{filterDeflate, filterFletcher32}, 0, ""},
		{"shuffle", []byte("04815926a37b"), []int{filterShuffle}, 0, ""},
		{"short", text[1:], nil, 0, "chunk of 11 bytes, want 12"},
		{"no sum", []byte("abc"), []int{filterFletcher32}, 0, "ends in its checksum"},
		{"wrong sum", append(summed(text)[1:], 0), []int{filterFletcher32}, 0, "chunk's fletcher32 is"},
		{"not deflated", text, []int{filterDeflate}, 0, "zlib: invalid header"},
		{"deflated short", deflated(text[1:]), []int{filterDeflate}, 0, "inflates to 11, want 12"},
		{"deflated long", deflated(append([]byte("x"), text...)), []int{filterDeflate}, 0, "inflates to more than 12"},
		{"deflated, wrong sum", append(deflated(text)[:len(deflated(text))-1], 0), []int{filterDeflate}, 0, "chunk: zlib: invalid checksum"},
		{"deflated and cut", deflated(text)[:16], []int{filterDeflate}, 0, "chunk: unexpected EOF"},
	} {
		got, err := undo(c.b, c.filters, c.skipped, 4, len(text))
		if c.want == "" && (err != nil || !bytes.Equal(got, text)) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// TestUnshuffle leaves what is no whole element at the end.
func TestUnshuffle(t *testing.T) {
	for _, c := range []struct {
		in, want string
		element  int
	}{{"ace" + "bdf" + "g", "abcdefg", 2}, {"abc", "abc", 1}, {"abc", "abc", 2}, {"", "", 4}} {
		if got := string(unshuffle([]byte(c.in), c.element)); got != c.want {
			t.Errorf("%q by %d: %q, want %q", c.in, c.element, got, c.want)
		}
	}
}

// TestPipeline refuses pipelines that are not read.
func TestPipeline(t *testing.T) {
	v2 := func(ids ...byte) []byte {
		b := []byte{2, byte(len(ids))}
		for _, id := range ids {
			b = append(b, id, 0, 0, 0, 0, 0)
		}
		return b
	}
	for _, c := range []struct {
		name, want string
		b          []byte
	}{
		{"sound", "", v2(2, 1, 3)},
		{"twice", "filter 1 (deflate) is given twice", v2(1, 1)},
		{"szip", "filter 4 (szip)", v2(4)},
		{"none", "filter 0", v2(0)},
		{"unknown", `filter 300 ("blosc")`, append([]byte{2, 1, 44, 1, 6, 0, 0, 0, 0, 0}, "blosc\x00"...)},
		{"version", "filter pipeline of version 3, want 1 or 2", []byte{3, 0}},
		{"cut", "ends early", v2(1, 2)[:9]},
	} {
		f := &File{offsets: 8, lengths: 8}
		list, err := filters(&cursor{f: f, what: "filter pipeline", b: c.b})
		var no *UnsupportedError
		if c.want == "" && (err != nil || len(list) != 3) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) ||
			c.want != "" && errors.As(err, &no) == (c.name == "cut") {
			t.Errorf("%s: %v, %v, want %s", c.name, list, err, c.want)
		}
	}
}

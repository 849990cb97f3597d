package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSafetensors(t *testing.T) {
	content := safeOf(t,
		rawTensor{"w", F32, []int{2, 2}, floats(1, 2, 3, 4)},
		rawTensor{"scalar", F32, nil, floats(5)},
		rawTensor{"empty", F32, []int{0, 3}, nil},
		rawTensor{"odd", U8, []int{3}, []byte{1, 2, 3}},
		rawTensor{"unaligned", F32, []int{2}, floats(6, 7)},
		rawTensor{"half", BF16, []int{1}, []byte{0x80, 0x3f}},
		rawTensor{"größe", F32, []int{1}, floats(8)},
	)
	f := open(t, "a.safetensors", content)
	if f.layout.format != "safetensors" || f.volumes[0].size != int64(len(content)) || f.Metadata() != nil {
		t.Errorf("format %q, size %d, metadata %v", f.layout.format, f.volumes[0].size, f.Metadata())
	}
	for name, want := range map[string][]float32{
		"w": {1, 2, 3, 4}, "scalar": {5}, "empty": {}, "unaligned": {6, 7}, "half": {1}, "größe": {8},
	} {
		if got := mustFloat32(t, f, name); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if _, err := f.Float32("odd"); err == nil || !strings.Contains(err.Error(), "a.safetensors: odd: dtype U8, want F32, F16, BF16 or F64") {
		t.Errorf("integers: %v", err)
	}
	if _, err := f.Float32("w2"); err == nil || err.Error() != "weights: a.safetensors: w2: no such tensor" {
		t.Errorf("unknown name: %v", err)
	}
	for _, c := range []struct{ first, n int }{{-1, 1}, {4, 1}, {0, 5}, {5, 0}, {1 << 62, 1 << 10}} {
		if err := f.Read("w", c.first, make([]float32, c.n)); err == nil {
			t.Errorf("elements from %d, %d of them, of 4: no error", c.first, c.n)
		}
	}
	meta := open(t, "m.safetensors", safe(`{"__metadata__":{"format":"pt","a":"b"}}   `, 0))
	if got := fmt.Sprint(meta.Metadata()); got != "map[a:b format:pt]" {
		t.Errorf("metadata %s", got)
	}
	// The prefix of a wrapped network is cut here too.
	wrapped := open(t, "p.safetensors", safeOf(t, rawTensor{"module.w", F32, []int{1}, floats(1)}))
	if _, ok := wrapped.Lookup("w"); !ok || wrapped.layout.prefix != "module." {
		t.Errorf("prefix %q", wrapped.layout.prefix)
	}
}

func TestHostileSafetensors(t *testing.T) {
	row := func(rest string) string { return `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}` + rest + `}` }
	good := safe(row(""), 8)
	length := func(n uint64) []byte {
		b := slices.Clone(good)
		binary.LittleEndian.PutUint64(b, n)
		return b
	}
	one := func(dtype, shape, offsets string) []byte {
		return safe(fmt.Sprintf(`{"a":{"dtype":%s,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets), 8)
	}
	cases := []struct {
		name    string
		content []byte
		want    string
	}{
		{"cut in the length", good[:5], "neither"},
		{"cut in the header", good[:20], "header of"},
		{"cut in the data", good[:len(good)-1], "a: data_offsets [0 8] in a file with 7 bytes of data"},
		{"header longer than the file", length(1 << 20), "header of 1048576 bytes does not fit into a file of"},
		{"header of all ones", length(1<<64 - 1), "header of 18446744073709551615 bytes"},
		{"header of 2⁶³", length(1 << 63), "header of"},
		{"header ends inside", length(10), "header:"},
		{"header too long for the format", append(binary.LittleEndian.AppendUint64(nil, maxHeader+1),
			append([]byte("{"), make([]byte, maxHeader+1)...)...), "want at most 100000000"},
		{"header not UTF-8", safe("{\"a\xff\":1}", 0), "not UTF-8 (at byte 11)"},
		{"header not JSON", safe("{nonsense}", 0), "header: invalid character"},
		{"header an array", append(binary.LittleEndian.AppendUint64(nil, 2), "[]"...), "neither"},
		{"text after the header", safe(row("")+"x", 8), "text after the header's object"},
		{"another object after", safe(row("")+"{}", 8), "text after the header's object"},
		{"nul padding", safe(row("")+"\x00", 8), "text after the header's object"},
		{"name twice", safe(row(`,"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}`), 16), "a is given twice"},
		{"name twice by an escape", safe(row(`,"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}`), 16), "a is given twice"},
		{"key twice", safe(`{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), "dtype is given twice"},
		{"key unknown", safe(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"stride":[1]}}`, 8), "key stride is not known"},
		{"key missing", safe(`{"a":{"dtype":"F32","shape":[2]}}`, 8), "want dtype, shape and data_offsets"},
		{"tensor a number", safe(`{"a":1}`, 0), "have 1, want {"},
		{"dtype unknown", one(`"F99"`, "[2]", "[0,8]"), "dtype F99 is not known"},
		{"dtype of bits", one(`"F4"`, "[2]", "[0,8]"), "dtype F4 is not known"},
		{"dtype a number", one("32", "[2]", "[0,8]"), "have 32, want a string"},
		{"dimension negative", one(`"F32"`, "[-2]", "[0,8]"), "have -2, want a whole number"},
		{"dimension fractional", one(`"F32"`, "[2.0]", "[0,8]"), "have 2.0, want a whole number"},
		{"dimension with exponent", one(`"F32"`, "[2e0]", "[0,8]"), "have 2e0, want a whole number"},
		{"dimension beyond 64 bits", one(`"F32"`, "[18446744073709551617]", "[0,8]"), "want a whole number"},
		{"dimension huge", one(`"F32"`, "[4611686018427387904]", "[0,8]"), "too large"},
		{"product overflows", one(`"F32"`, "[4294967296,4294967296]", "[0,8]"), "too large"},
		{"product wraps to right", one(`"F32"`, "[2147483649,2147483648,2]", "[0,8]"), "too large"},
		{"dimension a string", one(`"F32"`, `["2"]`, "[0,8]"), "have 2, want a number"},
		{"many dimensions", one(`"F32"`, "["+strings.Repeat("1,", 64)+"2]", "[0,8]"), "more than 64 numbers"},
		{"shape nested", one(`"F32"`, "[[2]]", "[0,8]"), "have [, want a number"},
		{"shape null", one(`"F32"`, "null", "[0,8]"), "have <nil>, want ["},
		{"offsets one", one(`"F32"`, "[2]", "[8]"), "have 1 numbers, want 2"},
		{"offsets three", one(`"F32"`, "[2]", "[0,8,8]"), "more than 2 numbers"},
		{"offsets reversed", one(`"F32"`, "[2]", "[8,0]"), "data_offsets [8 0], want 8 bytes for F32 [2]"},
		{"offsets negative", one(`"F32"`, "[2]", "[-8,0]"), "have -8"},
		{"offsets too short", one(`"F32"`, "[2]", "[0,4]"), "data_offsets [0 4], want 8 bytes"},
		{"offsets beyond the file", one(`"F32"`, "[2]", "[8,16]"), "data_offsets [8 16] in a file with 8 bytes of data"},
		{"offsets beyond everything", one(`"F32"`, "[2]", "[9223372036854775799,9223372036854775807]"), "in a file with 8 bytes"},
		{"overlap", safe(row(`,"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}`), 8), "b: data_offsets [4 8] overlap those of a"},
		{"same bytes", safe(row(`,"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`), 8), "overlap"},
		{"hole", safe(row(`,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}`), 16),
			"b: data_offsets [12 16] leave a hole after byte 8"},
		{"hole at the start", one(`"F32"`, "[1]", "[4,8]"), "leave a hole after byte 0"},
		{"data left over", safe(row(""), 9), "1 bytes after the last tensor"},
		{"metadata of numbers", safe(`{"__metadata__":{"a":1}}`, 0), "have 1, want a string"},
		{"metadata twice", safe(`{"__metadata__":{},"__metadata__":{}}`, 0), "__metadata__ is given twice"},
		{"deep", safe(`{"a":`+strings.Repeat("[", 100000), 0), "a: header: have [, want {"},
		{"control characters in a name", safe(`{"\u001b[31m\n":1}`, 0), `"\x1b[31m\n": header`},
		{"long name", safe(`{"`+strings.Repeat("x", 100000)+`":1}`, 0), "(100000 bytes)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(write(t, "bad.safetensors", c.content))
			var format *FormatError
			if !errors.As(err, &format) {
				t.Fatalf("have %v, want a FormatError", err)
			}
			if !strings.HasPrefix(err.Error(), "weights: bad.safetensors: ") || !strings.Contains(err.Error(), c.want) ||
				len(err.Error()) > 400 {
				t.Errorf("error %q, want %q in it", err, c.want)
			}
		})
	}
}

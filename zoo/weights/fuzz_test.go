package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// use opens content and reads every tensor. Whatever content is, it must end in numbers or in an error of this
// package's two kinds, and allocate in proportion: deflate, in Keras's files, makes 1032 bytes of one at most.
func use(t *testing.T, content []byte) {
	f, err := newFile(&volume{name: "fuzz", size: int64(len(content)), r: bytes.NewReader(content)})
	if err != nil {
		named(t, err)
		return
	}
	for _, tensor := range f.Tensors() {
		n := tensor.Len()
		most := len(content)
		if f.Keras() != nil {
			most *= 1032
		}
		if n > most {
			t.Fatalf("%s: %d elements out of %d bytes", tensor.Name, n, len(content))
		}
		x, err := f.Float32(tensor.Name)
		if f.layout.entries[f.index[tensor.Name]].unpack != nil && err != nil {
			named(t, err) // what is packed can be faulty itself
			continue
		}
		if tensor.Dtype.readable() != (err == nil) || err == nil && len(x) != n {
			t.Fatalf("%s: %d elements, %v", tensor.Name, len(x), err)
		}
		f.Release(tensor.Name)
	}
}

// named fails if an error is not of this package's two kinds for content.
func named(t *testing.T, err error) {
	t.Helper()
	var format *FormatError
	var unsupported *UnsupportedError
	if !errors.As(err, &format) && !errors.As(err, &unsupported) {
		t.Fatalf("%T: %v", err, err)
	}
}

func FuzzSafetensors(f *testing.F) {
	for _, header := range []string{
		`{}`, `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`,
		`{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]},` +
			`"b":{"dtype":"U8","shape":[6,1],"data_offsets":[2,8]}}  `,
		`{"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}}`,
		`{"a":{"dtype":"F64","shape":[18446744073709551615],"data_offsets":[-1,8]},"\u0061":1e999}`,
	} {
		f.Add(header, 8)
	}
	f.Fuzz(func(t *testing.T, header string, data int) { use(t, safe(header, data&0xfff)) })
}

func FuzzPickle(f *testing.F) {
	for protocol := 2; protocol <= 5; protocol++ {
		z, err := zip.OpenReader(filepath.Join("testdata", "protocol"+string(rune('0'+protocol))+".pth"))
		if err != nil {
			f.Fatal(err)
		}
		r, err := z.Open("archive/data.pkl")
		if err != nil {
			f.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil {
			f.Fatal(err)
		}
		z.Close()
		f.Add(b.Bytes())
	}
	f.Add(pickled(pkDict{"w", pkTensor(pkStorage("FloatStorage", "0", 12), 1, []int{2, 3}, []int{1, 2})}))
	f.Add(pickled(pkCall{"os system", pkTuple{"true"}}))
	f.Add(pickled(pkCall{"torch._tensor _rebuild_from_type_v2", pkTuple{pkGlobal("torch._utils _rebuild_tensor"), nil, pkTuple{}, nil}}))
	f.Fuzz(func(t *testing.T, content []byte) {
		use(t, zipped(map[string][]byte{"m/data.pkl": content, "m/data/0": floats(count(12)...), "m/data/1": make([]byte, 8)}, zip.Store))
	})
}

func FuzzZip(f *testing.F) {
	for protocol := 2; protocol <= 5; protocol += 3 {
		content, err := os.ReadFile(filepath.Join("testdata", "protocol"+string(rune('0'+protocol))+".pth"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	one := pkTensor(pkStorage("FloatStorage", "0", 2), 0, []int{2}, []int{1})
	f.Add(zipped(map[string][]byte{"data.pkl": pickled(pkDict{"w", one}), "data/0": floats(1, 2), "byteorder": []byte("little")}, zip.Store))
	f.Add(zipped(map[string][]byte{"a/data.pkl": pickled(pkDict{"w", one}), "a/data/0": floats(1, 2)}, zip.Deflate))
	f.Add(zip64(f))
	f.Fuzz(func(t *testing.T, content []byte) { use(t, content) })
}

func FuzzLegacy(f *testing.F) {
	one := pkTensor(pkStorage("FloatStorage", "0", 2), 0, []int{2}, []int{1})
	two := pkTensor(pkPersistent{"storage", pkGlobal("torch HalfStorage"), "1", "cpu", 4, pkTuple{"v", 1, 3}}, 1, []int{2}, []int{1})
	f.Add(torchLegacy(pkDict{"w", one}, legacyStorage{"0", 2, floats(1, 2)}))
	f.Add(torchLegacy(pkDict{"state_dict", pkDict{"module.w", one, "module.v", two}}, legacyStorage{"0", 2, floats(1, 2)},
		legacyStorage{"1", 4, make([]byte, 8)}))
	f.Fuzz(func(t *testing.T, content []byte) { use(t, content) })
}

// zip64 is a small archive whose directory gives sizes and offsets in 64 bits, as PyTorch's does for large files.
func zip64(tb testing.TB) []byte {
	tb.Helper()
	one := pkTensor(pkStorage("FloatStorage", "0", 2), 0, []int{2}, []int{1})
	small := torchZip(pkDict{"w", one}, map[string][]byte{"0": floats(1, 2)})
	end := bytes.LastIndex(small, []byte("PK\x05\x06"))
	at := int(binary.LittleEndian.Uint32(small[end+16:]))
	records := binary.LittleEndian.Uint16(small[end+10:])

	out := bytes.Clone(small[:at])
	for b := small[at:end]; len(b) > 0; {
		name := int(binary.LittleEndian.Uint16(b[28:]))
		extra := int(binary.LittleEndian.Uint16(b[30:]))
		head := bytes.Clone(b[:46])
		field := binary.LittleEndian.AppendUint16(nil, 1)
		field = binary.LittleEndian.AppendUint16(field, 24)
		for _, from := range []int{24, 20, 42} { // size, compressed size, offset
			field = binary.LittleEndian.AppendUint64(field, uint64(binary.LittleEndian.Uint32(head[from:])))
			binary.LittleEndian.PutUint32(head[from:], 1<<32-1)
		}
		binary.LittleEndian.PutUint16(head[30:], uint16(len(field)))
		out = append(append(append(out, head...), b[46:46+name]...), field...)
		b = b[46+name+extra:]
	}
	start := len(out)
	le := binary.LittleEndian
	out = append(out, "PK\x06\x06"...)
	out = le.AppendUint64(out, 44)
	out = le.AppendUint16(le.AppendUint16(out, 45), 45)
	out = le.AppendUint64(out, 0) // this disk, the directory's disk
	out = le.AppendUint64(le.AppendUint64(out, uint64(records)), uint64(records))
	out = le.AppendUint64(le.AppendUint64(out, uint64(start-at)), uint64(at))
	out = append(out, "PK\x06\x07"...)
	out = le.AppendUint32(out, 0)
	out = le.AppendUint64(out, uint64(start))
	out = le.AppendUint32(out, 1)
	out = append(out, "PK\x05\x06"...)
	out = le.AppendUint32(out, 0)
	out = le.AppendUint16(le.AppendUint16(out, 1<<16-1), 1<<16-1)
	out = le.AppendUint32(le.AppendUint32(out, 1<<32-1), 1<<32-1)
	return le.AppendUint16(out, 0)
}

func TestZip64(t *testing.T) {
	f := open(t, "large.pth", zip64(t))
	if got := mustFloat32(t, f, "w"); len(got) != 2 || got[0] != 1 || got[1] != 2 {
		t.Errorf("w: %v", got)
	}
}

func FuzzKeras(f *testing.F) {
	for _, name := range []string{"keras_first.h5", "keras_legacy.h5", "keras_numbered.h5", "keras_whole.h5", "keras_archive.keras"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) { use(t, content) })
}

package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// What a test pickles: nil, bool, int, float64 and string, and these.
type (
	pkTuple  []any
	pkList   []any
	pkDict   []any  // key, value, key, value, …
	pkGlobal string // "module name"
	pkCall   struct {
		f    pkGlobal
		args pkTuple
	}
	pkNew struct { // an instance made by NEWOBJ, with a state
		class pkGlobal
		state any
	}
	pkPersistent pkTuple
	pkRaw        string // opcodes as they are
)

// pickled is v in protocol 2, without memo.
func pickled(v any) []byte {
	b := bytes.NewBufferString("\x80\x02")
	emit(b, v)
	b.WriteByte('.')
	return b.Bytes()
}

func emit(b *bytes.Buffer, v any) {
	list := func(items []any) {
		b.WriteByte('(')
		for _, item := range items {
			emit(b, item)
		}
	}
	switch v := v.(type) {
	case nil:
		b.WriteByte('N')
	case bool:
		b.WriteByte(map[bool]byte{true: 0x88, false: 0x89}[v])
	case int:
		b.Write([]byte{0x8a, 8})
		b.Write(binary.LittleEndian.AppendUint64(nil, uint64(v)))
	case float64:
		b.WriteByte('G')
		b.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
	case string:
		b.WriteByte('X')
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(v))))
		b.WriteString(v)
	case pkTuple:
		list(v)
		b.WriteByte('t')
	case pkList:
		b.WriteByte(']')
		list(v)
		b.WriteByte('e')
	case pkDict:
		b.WriteByte('}')
		list(v)
		b.WriteByte('u')
	case pkGlobal:
		module, name, _ := strings.Cut(string(v), " ")
		b.WriteString("c" + module + "\n" + name + "\n")
	case pkCall:
		emit(b, v.f)
		emit(b, v.args)
		b.WriteByte('R')
	case pkNew:
		emit(b, v.class)
		b.WriteString(")\x81")
		if v.state != nil {
			emit(b, v.state)
			b.WriteByte('b')
		}
	case pkPersistent:
		emit(b, pkTuple(v))
		b.WriteByte('Q')
	case pkRaw:
		b.WriteString(string(v))
	default:
		panic(fmt.Sprintf("cannot pickle a %T", v))
	}
}

// pkStorage is the persistent identity of a storage, such as ("FloatStorage", "0", 12).
func pkStorage(class, key string, count int) pkPersistent {
	return pkPersistent{"storage", pkGlobal("torch " + class), key, "cpu", count}
}

// pkTensor is a call of _rebuild_tensor_v2.
func pkTensor(storage any, offset int, shape, strides []int) pkCall {
	ints := func(x []int) (t pkTuple) {
		for _, v := range x {
			t = append(t, v)
		}
		return t
	}
	hooks := pkCall{"collections OrderedDict", pkTuple{}}
	return pkCall{"torch._utils _rebuild_tensor_v2", pkTuple{storage, offset, ints(shape), ints(strides), false, hooks}}
}

// floats is x in the file's bytes.
func floats(x ...float32) []byte {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// count is 0, 1, 2, … n-1.
func count(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	return x
}

// torchZip is a file as torch.save has written since 1.6: root pickled, and the storages by their keys.
func torchZip(root any, storages map[string][]byte) []byte {
	files := map[string][]byte{"m/data.pkl": pickled(root), "m/version": []byte("3\n")}
	for key, data := range storages {
		files["m/data/"+key] = data
	}
	return zipped(files, zip.Store)
}

func zipped(files map[string][]byte, method uint16) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		head := &zip.FileHeader{Name: name, Method: method}
		if method == zip.Store { // as torch.save: sizes in the local header
			head.CRC32 = crc32.ChecksumIEEE(files[name])
			head.CompressedSize64 = uint64(len(files[name]))
			head.UncompressedSize64 = uint64(len(files[name]))
			w, err := z.CreateRaw(head)
			if err != nil {
				panic(err)
			}
			w.Write(files[name])
			continue
		}
		w, err := z.CreateHeader(head)
		if err != nil {
			panic(err)
		}
		w.Write(files[name])
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// A legacyStorage is one storage of a file as torch.save wrote before 1.6.
type legacyStorage struct {
	key   string
	count int
	data  []byte
}

func torchLegacy(root any, storages ...legacyStorage) []byte {
	b := []byte("\x80\x02" + legacyMagic)
	b = append(b, pickled(1001)...)
	b = append(b, pickled(pkDict{"protocol_version", 1001, "little_endian", true, "type_sizes", pkDict{}})...)
	b = append(b, pickled(root)...)
	var keys pkList
	for _, s := range storages {
		keys = append(keys, s.key)
	}
	b = append(b, pickled(keys)...)
	for _, s := range storages {
		b = binary.LittleEndian.AppendUint64(b, uint64(s.count))
		b = append(b, s.data...)
	}
	return b
}

// safe is a safetensors file of this header and so many bytes of data.
func safe(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// safeOf is a valid safetensors file of any dtypes.
func safeOf(t *testing.T, tensors ...rawTensor) []byte {
	t.Helper()
	var rows []string
	var data []byte
	for _, x := range tensors {
		shape, err := json.Marshal(append([]int{}, x.shape...))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`,
			x.name, x.dtype, shape, len(data), len(data)+len(x.data)))
		data = append(data, x.data...)
	}
	header := "{" + strings.Join(rows, ",") + "}"
	for len(header)%8 != 0 {
		header += " "
	}
	return append(safe(header, 0), data...)
}

type rawTensor struct {
	name  string
	dtype Dtype
	shape []int
	data  []byte
}

// write puts a file into a folder of the test's own.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// open opens a file that must be sound, until the test ends.
func open(t *testing.T, name string, content []byte) *File {
	t.Helper()
	f, err := Open(write(t, name, content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func mustFloat32(t *testing.T, s Source, name string) []float32 {
	t.Helper()
	x, err := s.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func addressOf(x []float32) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(x))) }

package weights

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/nn"
)

// npy is an array of float32 in NumPy's form.
func npy(descr, fortran, shape string, data []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }", descr, fortran, shape)
	for (len(header)+11)%64 != 0 {
		header += " "
	}
	b := append([]byte(npyMagic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(header)+1))
	return append(append(b, header+"\n"...), data...)
}

// setParams are the parameters of the checkpoints of several files.
var setParams = []nn.Param{{Name: "a.w", Shape: []int{2, 2}}, {Name: "a.b", Shape: []int{2}}, {Name: "fc.w", Shape: []int{2, 1}}}

// setWeights are their numbers.
var setWeights = map[string][]float32{"a.w": {0, 1, 2, 3}, "a.b": {8, 9}, "fc.w": {5, 6}}

// safeWith is a safetensors file of some of setParams, every name behind a prefix.
func safeWith(t *testing.T, prefix string, names ...string) []byte {
	t.Helper()
	var all []rawTensor
	for _, p := range setParams {
		if slices.Contains(names, p.Name) {
			all = append(all, rawTensor{prefix + p.Name, F32, p.Shape, floats(setWeights[p.Name]...)})
		}
	}
	return safeOf(t, all...)
}

// lone is a file of one tensor without a name, as torch.save(tensor) writes it.
func lone(name string) []byte {
	n := len(setWeights[name])
	shape, strides := []int{n}, []int{1}
	if name != "a.b" {
		shape, strides = []int{2, n / 2}, []int{n / 2, 1}
	}
	return torchZip(pkTensor(pkStorage("FloatStorage", "0", n), 0, shape, strides), map[string][]byte{"0": floats(setWeights[name]...)})
}

// index is an index of shards.
func index(files map[string]string) []byte {
	var rows []string
	for tensor, file := range files {
		rows = append(rows, fmt.Sprintf("%q: %q", tensor, file))
	}
	return []byte(`{"metadata": {"total_size": 32}, "weight_map": {` + strings.Join(rows, ", ") + "}}")
}

// folder writes files into a folder named "dir".
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "dir")
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Every form in which people keep one checkpoint in several files, or in a folder, gives the same numbers.
func TestSeveralFiles(t *testing.T) {
	whole := func(prefix string) []byte { return safeWith(t, prefix, "a.w", "a.b", "fc.w") }
	first, second := safeWith(t, "", "a.w", "fc.w"), safeWith(t, "", "a.b")
	const one, two = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
	mapped := index(map[string]string{"a.w": one, "a.b": two, "fc.w": one})
	tensor := func(storage string, n int, shape, strides []int) pkCall {
		return pkTensor(pkStorage("FloatStorage", storage, n), 0, shape, strides)
	}
	bins := map[string][]byte{
		"pytorch_model.bin.index.json": index(map[string]string{"vit.a.w": "1.bin", "vit.a.b": "2.bin", "vit.fc.w": "2.bin"}),
		"1.bin": torchZip(pkDict{"vit.a.w", tensor("0", 4, []int{2, 2}, []int{2, 1})},
			map[string][]byte{"0": floats(0, 1, 2, 3)}),
		"2.bin": torchZip(pkDict{"vit.a.b", tensor("0", 2, []int{2}, []int{1}), "vit.fc.w", tensor("1", 2, []int{2, 1}, []int{1, 1})},
			map[string][]byte{"0": floats(8, 9), "1": floats(5, 6)}),
	}
	for _, c := range []struct {
		name  string
		files map[string][]byte
		open  string // in the folder
		count int    // of files that are read
	}{
		{"an index", map[string][]byte{"model.safetensors.index.json": mapped, one: first, two: second}, "model.safetensors.index.json", 2},
		{"its folder", map[string][]byte{"model.safetensors.index.json": mapped, one: first, two: second, "config.json": []byte("{}")}, "", 2},
		{"an index of any name", map[string][]byte{"x.json": mapped, one: first, two: second}, "x.json", 2},
		{"pickled shards", bins, "", 2},
		{"shards without an index", map[string][]byte{one: first, two: second}, "", 2},
		{"a folder of Hugging Face", map[string][]byte{"model.safetensors": whole(""), "pytorch_model.bin": []byte("x"), "config.json": nil}, "",
			1},
		{"a folder with one file", map[string][]byte{"epoch_3.safetensors": whole("model."), "log.txt": nil, ".hidden.pth": nil}, "", 1},
		{"arrays", map[string][]byte{"a.w.npy": npy("<f4", "False", "2, 2", floats(0, 1, 2, 3)),
			"a.b.npy":  npy("<f4", "False", "2,", floats(8, 9)),
			"fc.w.npy": npy("<f4", "False", "2L, 1L", floats(5, 6))}, "", 3},
		{"arrays in folders", map[string][]byte{"a/w.npy": npy("<f4", "True", "2, 2", floats(0, 2, 1, 3)),
			"a/b.npy":  npy("<f4", "False", "2,", floats(8, 9)),
			"fc/w.npy": npy("<f4", "True", "2, 1", floats(5, 6))}, "", 3},
		{"tensors", map[string][]byte{"a.w.pt": lone("a.w"), "a.b.pt": lone("a.b"), "fc.w.pth": lone("fc.w")}, "", 3},
		{"safetensors of one name", map[string][]byte{
			"a.w.safetensors":  safeOf(t, rawTensor{"tensor", F32, []int{2, 2}, floats(0, 1, 2, 3)}),
			"a.b.safetensors":  safeOf(t, rawTensor{"tensor", F32, []int{2}, floats(8, 9)}),
			"fc.w.safetensors": safeOf(t, rawTensor{"tensor", F32, []int{2, 1}, floats(5, 6)})}, "", 3},
		{"safetensors of their own names", map[string][]byte{"0.safetensors": safeWith(t, "", "a.w"), "1.safetensors": safeWith(t, "", "a.b"),
			"2.safetensors": safeWith(t, "", "fc.w")}, "", 3},
		{"savez", map[string][]byte{"w.npz": zipped(map[string][]byte{"a.w.npy": npy("<f4", "False", "2, 2", floats(0, 1, 2, 3)),
			"a.b.npy": npy("=f4", "False", "2,", floats(8, 9)), "fc.w.npy": npy("<f4", "False", "2, 1", floats(5, 6))}, zip.Store)}, "w.npz", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Open(filepath.Join(folder(t, c.files), c.open))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got := f.Files(); len(got) != c.count {
				t.Errorf("read %q, want %d files", got, c.count)
			}
			if err := f.Fit(setParams); err != nil {
				t.Fatal(err)
			}
			b, err := Bind(f, setParams, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range setWeights {
				part := make([]float32, len(want)-1)
				if err := b.Read(name, 1, part); err != nil || !slices.Equal(part, want[1:]) {
					t.Errorf("%s from 1: %v, %v", name, part, err)
				}
				if err := Guard(b, func() error {
					if got := mustFloat32(t, b, name); !slices.Equal(got, want) {
						t.Errorf("%s: %v, want %v", name, got, want)
					}
					return nil
				}); err != nil {
					t.Error(err)
				}
				b.Release(name)
			}
		})
	}
}

// The digest of several files is that of sha256sum's lines.
func TestSHA256OfShards(t *testing.T) {
	first, second := safeWith(t, "", "a.w"), safeWith(t, "", "a.b")
	f, err := Open(folder(t, map[string][]byte{"1.safetensors": first, "2.safetensors": second}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := sha256.Sum256(fmt.Appendf(nil, "%x  1.safetensors\n%x  2.safetensors\n", sha256.Sum256(first), sha256.Sum256(second)))
	if sha, err := f.SHA256(); err != nil || sha != hex.EncodeToString(all[:]) {
		t.Errorf("%s, %v", sha, err)
	}
}

func TestSeveralFilesErrors(t *testing.T) {
	first, second := safeWith(t, "", "a.w", "fc.w"), safeWith(t, "", "a.b")
	array := npy("<f4", "False", "2,", floats(8, 9))
	sparseFile := npy("<f4", "False", "4,", floats(8, 9))
	for _, c := range []struct {
		name  string
		files map[string][]byte
		open  string
		want  string
	}{
		{"no checkpoint", map[string][]byte{"config.json": []byte("{}"), "README.md": nil}, "", "is a folder without a checkpoint"},
		{"two checkpoints", map[string][]byte{"1.pth": lone("a.b"), "2.safetensors": safeWith(t, "", "a.w", "a.b"), "3.safetensors": second}, "",
			"a.b is in 2.safetensors and in 3.safetensors: 3 checkpoints in one folder? name one of the files"},
		{"shard not there", map[string][]byte{"i.json": index(map[string]string{"a.w": "1.safetensors", "a.b": "2.safetensors"}),
			"1.safetensors": first}, "i.json",
			"i.json: shard 2.safetensors is missing, which has 1 of 2 tensors"},
		{"shard not there, no index", map[string][]byte{"m-00001-of-00003.safetensors": first, "m-00003-of-00003.safetensors": second}, "",
			"shard m-00002-of-00003.safetensors is missing, m-00001-of-00003.safetensors says that there are 3"},
		{"tensor not there", map[string][]byte{"i.json": index(map[string]string{"a.w": "1.safetensors", "x": "1.safetensors"}),
			"1.safetensors": first}, "i.json",
			"x: weight_map: 1.safetensors has no such tensor"},
		{"elsewhere", map[string][]byte{"i.json": index(map[string]string{"a.w": "../1.safetensors"})}, "i.json", "want a file beside the index"},
		{"elsewhere, absolute", map[string][]byte{"i.json": index(map[string]string{"a.w": "/etc/passwd"})}, "i.json",
			"want a file beside the index"},
		{"elsewhere, upwards", map[string][]byte{"i.json": index(map[string]string{"a.w": ".."})}, "i.json", "want a file beside the index"},
		{"other JSON", map[string][]byte{"config.json": []byte(`{"architectures": ["ViT"]}`)}, "config.json", "JSON without weight_map"},
		{"cut index", map[string][]byte{"i.json": []byte(`{"weight_map": {"a":`)}, "i.json", "index of shards: unexpected end"},
		{"index of numbers", map[string][]byte{"i.json": []byte(`{"weight_map": {"a": 1}}`)}, "i.json", "index of shards: "},
		{"itself", map[string][]byte{"i.json": index(map[string]string{"a.w": "i.json"})}, "i.json",
			"neither safetensors nor a PyTorch checkpoint"},
		{"many shards", map[string][]byte{"m-000000001-of-999999999.bin": first, "x.bin": second}, "", "more than 16384 shards"},
		{"a tensor alone", map[string][]byte{"a.b.pt": lone("a.b")}, "a.b.pt", "holds a tensor without a name; give the folder instead"},
		{"an array alone", map[string][]byte{"a.b.npy": array}, "a.b.npy", "holds a tensor without a name; give the folder instead"},
		{"array cut", map[string][]byte{"a.npy": array[:len(array)-1], "b.npy": array}, "", "7 bytes of data, want 8 for F32 [2]"},
		{"array too large", map[string][]byte{"a.npy": sparseFile, "b.npy": array}, "", "8 bytes of data, want 16 for F32 [4]"},
		{"array huge", map[string][]byte{"a.npy": npy("<f4", "False", "99999999999, 99999999999", nil), "b.npy": array}, "", "is too large"},
		{"objects", map[string][]byte{"a.npy": npy("|O", "False", "2,", nil), "b.npy": array}, "", "npy: Python objects, want numbers"},
		{"big-endian", map[string][]byte{"a.npy": npy(">f4", "False", "2,", floats(1, 2)), "b.npy": array}, "", "npy: big-endian numbers, want"},
		{"bfloat16", map[string][]byte{"a.npy": npy("|V2", "False", "2,", floats(1)), "b.npy": array}, "", "npy: raw bytes, as bfloat16 becomes"},
		{"savez_compressed", map[string][]byte{"w.npz": zipped(map[string][]byte{"a.npy": array}, zip.Deflate)}, "w.npz",
			"compressed, as numpy.savez_compressed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Open(filepath.Join(folder(t, c.files), c.open))
			if err == nil {
				f.Close()
			}
			if err == nil || !strings.HasPrefix(err.Error(), "weights: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("have %v, want %q", err, c.want)
			}
		})
	}
}

// One shard of several is named as such where it does not fit, and read where it has everything.
func TestLoneShard(t *testing.T) {
	bind := func(name string, content []byte) error {
		f, err := Open(filepath.Join(folder(t, map[string][]byte{name: content}), name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err = Bind(f, setParams, Options{})
		return err
	}
	all := safeWith(t, "", "a.w", "a.b", "fc.w")
	if err := errors.Join(bind("model-00001-of-00001.safetensors", all), bind("model-00001-of-00002.safetensors", all)); err != nil {
		t.Error(err)
	}
	const want = "model-00002-of-00003.safetensors: is shard 2 of 3 by its name, want the folder or the index of all shards: " +
		"1 of 3 parameters fit; 2 missing"
	if err := bind("model-00002-of-00003.safetensors", safeWith(t, "", "a.b")); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v, want %q", err, want)
	}
}

// Types that cannot be read, and tensors without dense elements, are refused by name with what to type.
func TestTypesByName(t *testing.T) {
	weird := func(f pkGlobal) any { return pkCall{f, pkTuple{1, 2}} }
	v3 := func(dtype string) any {
		return pkCall{"torch._utils _rebuild_tensor_v3", pkTuple{pkPersistent{"storage", pkGlobal("torch UntypedStorage"), "9", "cpu", 2}, 0,
			pkTuple{2}, pkTuple{1}, false, nil, pkGlobal("torch " + dtype)}}
	}
	for _, c := range []struct {
		value any
		want  string
	}{
		{v3("float8_e4m3fn"), "a.b: dtype F8_E4M3, want a floating-point one of 16, 32 or 64 bits; " +
			"in Python: d = torch.load(\"f.pth\"); torch.save({k: v.float() for"},
		{v3("float8_e5m2fnuz"), "a.b: dtype F8_E5M2FNUZ, want"},
		{v3("int8"), "a.b: dtype I8, want a floating-point one; the weights may be quantized"},
		{v3("float4_e2m1fn_x2"), "a.b: is a pickled tensor of dtype torch.float4_e2m1fn_x2, want a tensor"},
		{weird("torch._utils _rebuild_qtensor"), "a.b: is a pickled quantized tensor, want a tensor; in Python: d = torch.load(\"f.pth\"); " +
			"torch.save({k: v.dequantize() if v.is_quantized else v for"},
		{weird("torch._utils _rebuild_sparse_tensor"), "is a pickled sparse tensor, want a tensor; " +
			"in Python: d = torch.load(\"f.pth\"); torch.save({k: v.to_dense() for"},
		{weird("torch._utils _rebuild_meta_tensor_no_storage"), "want a tensor; the numbers were never written"},
	} {
		d := append(fitDict("", "0")[:2:2], "a.b", c.value)
		f := open(t, "f.pth", torchZip(d, map[string][]byte{"0": floats(count(4)...), "9": {1, 2}}))
		if err := f.Fit(fitParams); err != nil {
			t.Fatal(err)
		}
		if _, err := Bind(f, fitParams, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("have %v\nwant %s", err, c.want)
		}
	}
}

func FuzzNPY(f *testing.F) {
	f.Add(npy("<f4", "True", "2, 3", floats(count(6)...)))
	f.Add(npy("|u1", "False", "", []byte{1}))
	f.Add(zipped(map[string][]byte{"a.npy": npy("<f8", "False", "1,", make([]byte, 8)), "b/c.npy": npy("<i8", "False", "0, 3", nil)},
		zip.Store))
	f.Add([]byte(npyMagic + "\x02\x00\x05\x00\x00\x00{'de}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if _, err := npyEntry("f", "", bytes.NewReader(content), 0, int64(len(content))); err != nil {
			named(t, err)
		}
		use(t, content)
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"weight_map": {"a.b": "1.npy", "a.w": "2.npy"}}`))
	f.Add([]byte(`{"metadata": {}, "weight_map": {"a": "i.json", "b": "../x"}}`))
	dir := f.TempDir()
	for name, content := range map[string][]byte{"1.npy": npy("<f4", "False", "2,", floats(1, 2)), "2.npy": lone("a.w")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := openIndex(filepath.Join(dir, "i.json"), "i.json", bytes.NewReader(content), int64(len(content)))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "weights: ") {
				t.Fatal(err)
			}
			return
		}
		defer file.Close()
		for _, tensor := range file.Tensors() {
			if _, err := file.Float32(tensor.Name); err != nil {
				t.Fatal(err)
			}
		}
	})
}

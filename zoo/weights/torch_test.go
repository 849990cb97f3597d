package weights

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// CPython's own pickles, in every protocol that torch.save can be asked for.
func TestProtocols(t *testing.T) {
	for protocol := 2; protocol <= 5; protocol++ {
		t.Run(fmt.Sprint(protocol), func(t *testing.T) {
			content, err := os.ReadFile(fmt.Sprintf("testdata/protocol%d.pth", protocol))
			if err != nil {
				t.Fatal(err)
			}
			f := open(t, "p.pth", content)
			if f.layout.section != "state_dict" || f.layout.prefix != "module." || f.layout.format != "torch zip" {
				t.Errorf("section %q, prefix %q, format %q", f.layout.section, f.layout.prefix, f.layout.format)
			}
			want := []Tensor{{"conv.weight", []int{2, 3}, F32}, {"conv.transposed", []int{2, 3}, F32},
				{"bn.num_batches_tracked", []int{}, I64}}
			if got := f.Tensors(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("tensors %v, want %v", got, want)
			}
			if got, want := mustFloat32(t, f, "conv.weight"), []float32{0, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
				t.Errorf("conv.weight %v, want %v", got, want)
			}
			if got, want := mustFloat32(t, f, "conv.transposed"), []float32{6, 8, 10, 7, 9, 11}; !slices.Equal(got, want) {
				t.Errorf("conv.transposed %v, want %v", got, want)
			}
		})
	}
}

// Both containers, with storages that are shared, offset, strided and expanded.
func TestViews(t *testing.T) {
	storage := pkStorage("FloatStorage", "0", 12)
	cases := []struct {
		name           string
		offset         int
		shape, strides []int
		want           []float32
	}{
		{"whole", 0, []int{3, 4}, []int{4, 1}, count(12)},
		{"tail", 8, []int{4}, []int{1}, []float32{8, 9, 10, 11}},
		{"transposed", 0, []int{4, 3}, []int{1, 4}, []float32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		{"channels last", 0, []int{1, 2, 2, 3}, []int{12, 1, 6, 2}, []float32{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}},
		{"every third", 1, []int{3}, []int{3}, []float32{1, 4, 7}},
		{"expanded", 5, []int{2, 3}, []int{0, 0}, []float32{5, 5, 5, 5, 5, 5}},
		{"ones anywhere", 0, []int{1, 12, 1}, []int{99, 1, 77}, count(12)},
		{"scalar", 7, nil, nil, []float32{7}},
		{"empty", 3, []int{0, 5}, []int{5, 1}, nil},
		{"empty beyond", 12, []int{0}, []int{1}, nil},
	}
	var items pkDict
	for _, c := range cases {
		items = append(items, c.name, pkTensor(storage, c.offset, c.shape, c.strides))
	}
	files := map[string][]byte{
		"torch zip":    torchZip(items, map[string][]byte{"0": floats(count(12)...)}),
		"torch legacy": torchLegacy(items, legacyStorage{"0", 12, floats(count(12)...)}),
	}
	for format, content := range files {
		f := open(t, "views.pth", content)
		if f.layout.format != format || f.layout.section != "" || f.layout.prefix != "" {
			t.Errorf("format %q, section %q, prefix %q, want %q and nothing", f.layout.format, f.layout.section, f.layout.prefix, format)
		}
		for _, c := range cases {
			t.Run(format+"/"+c.name, func(t *testing.T) {
				if got := mustFloat32(t, f, c.name); !slices.Equal(got, c.want) {
					t.Errorf("%v, want %v", got, c.want)
				}
				if len(c.want) < 3 {
					return
				}
				part := make([]float32, 2)
				if err := f.Read(c.name, 1, part); err != nil || !slices.Equal(part, c.want[1:3]) {
					t.Errorf("elements 1 and 2: %v, %v, want %v", part, err, c.want[1:3])
				}
				f.Release(c.name)
			})
		}
	}
}

func TestDtypes(t *testing.T) {
	half := func(h ...uint16) (b []byte) {
		for _, v := range h {
			b = binary.LittleEndian.AppendUint16(b, v)
		}
		return b
	}
	double := binary.LittleEndian.AppendUint64(nil, math.Float64bits(1.0/3))
	cases := []struct {
		class string
		dtype Dtype
		data  []byte
		want  []float32
	}{
		{"FloatStorage", F32, floats(1.5, -2), []float32{1.5, -2}},
		{"DoubleStorage", F64, double, []float32{float32(1.0 / 3)}},
		{"HalfStorage", F16, half(0x3c00, 0xc000, 0x0001, 0x8001, 0x03ff, 0x7bff, 0x0000, 0x3555),
			[]float32{1, -2, 0x1p-24, -0x1p-24, 1023 * 0x1p-24, 65504, 0, 0.333251953125}},
		{"BFloat16Storage", BF16, half(0x3f80, 0xc049), []float32{1, -3.140625}},
		{"LongStorage", I64, make([]byte, 16), nil},
		{"IntStorage", I32, make([]byte, 8), nil},
		{"ShortStorage", I16, make([]byte, 4), nil},
		{"CharStorage", I8, make([]byte, 2), nil},
		{"ByteStorage", U8, make([]byte, 2), nil},
		{"BoolStorage", Bool, make([]byte, 2), nil},
		{"ComplexFloatStorage", C64, make([]byte, 16), nil},
		{"ComplexDoubleStorage", C128, make([]byte, 32), nil},
	}
	for _, c := range cases {
		t.Run(c.class, func(t *testing.T) {
			n := len(c.data) / c.dtype.size()
			f := open(t, "d.pth", torchZip(pkDict{"w", pkTensor(pkStorage(c.class, "0", n), 0, []int{n}, []int{1})},
				map[string][]byte{"0": c.data}))
			tensor, ok := f.Lookup("w")
			if !ok || tensor.Dtype != c.dtype || tensor.Len() != n {
				t.Fatalf("have %v, want %d of %s", tensor, n, c.dtype)
			}
			got, err := f.Float32("w")
			if c.want == nil {
				var no *UnsupportedError
				if !errors.As(err, &no) {
					t.Errorf("have %v, want an UnsupportedError", err)
				}
				return
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("have %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

// Every half, against the definition.
func TestFromHalf(t *testing.T) {
	for h := range 1 << 16 {
		exp, frac := h>>10&31, float64(h&0x3ff)
		want := math.Ldexp(1+frac/1024, exp-15)
		switch {
		case exp == 0:
			want = math.Ldexp(frac, -24)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = -want
		}
		got := fromHalf(uint16(h))
		if math.IsNaN(want) != math.IsNaN(float64(got)) || !math.IsNaN(want) && math.Float32bits(got) != math.Float32bits(float32(want)) {
			t.Fatalf("half %#04x: %v, want %v", h, got, want)
		}
	}
}

func TestStateDict(t *testing.T) {
	one := pkTensor(pkStorage("FloatStorage", "0", 4), 0, []int{4}, []int{1})
	two := pkTensor(pkStorage("FloatStorage", "1", 2), 0, []int{2}, []int{1})
	third := pkCall{"torch._utils _rebuild_tensor_v3",
		pkTuple{pkPersistent{"storage", pkGlobal("torch.storage UntypedStorage"), "2", "cpu", 16},
			1, pkTuple{3}, pkTuple{1}, false, nil, pkGlobal("torch float32"), nil}}
	storages := map[string][]byte{"0": floats(count(4)...), "1": floats(8, 9), "2": floats(20, 21, 22, 23)}
	ordered := func(pairs ...any) any {
		// An OrderedDict with SETITEMS and the attribute _metadata, as Module.state_dict gives.
		return pkRaw("ccollections\nOrderedDict\n)R(" + raw(pairs...) + "u" + raw(pkDict{"_metadata", pkDict{}}) + "b")
	}
	cases := []struct {
		name            string
		root            any
		section, prefix string
		tensors         string
		others          string
	}{
		{name: "flat", root: ordered("w", one, "b", two), tensors: "w b"},
		{name: "flat with a scalar", root: pkDict{"w", one, "epoch", 3}, tensors: "w", others: "map[epoch:an integer]"},
		{name: "wrapped", root: pkDict{"epoch", 3, "model", ordered("w", one)}, section: "model", tensors: "w"},
		{name: "averaged first", root: pkDict{"state_dict", pkDict{"w", one}, "state_dict_ema", pkDict{"w", one, "b", two}},
			section: "state_dict_ema", tensors: "w b"},
		{name: "averaged is None", root: pkDict{"state_dict", pkDict{"w", one}, "state_dict_ema", nil}, section: "state_dict", tensors: "w"},
		{name: "model_ema", root: pkDict{"model", pkDict{"w", one}, "model_ema", pkDict{"module.w", one, "n_averaged", two}},
			section: "model_ema", prefix: "module.", tensors: "w n_averaged"},
		{name: "tensor beside", root: pkDict{"best", one, "model_state_dict", pkDict{"b", two}}, section: "model_state_dict", tensors: "b"},
		{name: "compiled", root: pkDict{"_orig_mod.w", one, "_orig_mod.b", two}, prefix: "_orig_mod.", tensors: "w b"},
		{name: "compiled in parallel", root: pkDict{"_orig_mod.module.w", one}, prefix: "_orig_mod.module.", tensors: "w"},
		{name: "one without the prefix", root: pkDict{"module.w", one, "b", two}, tensors: "module.w b"},
		{name: "one with the prefix twice", root: pkDict{"module.w", one, "module.module.w", two}, prefix: "module.", tensors: "w module.w"},
		{name: "untyped storage", root: pkDict{"w", third}, tensors: "w"},
		{name: "parameter", root: pkDict{"w", pkCall{"torch._utils _rebuild_parameter", pkTuple{one, true, nil}}}, tensors: "w"},
		{name: "tensor with attributes", root: pkDict{"w",
			pkCall{"torch._tensor _rebuild_from_type_v2",
				pkTuple{one.f, pkGlobal("torch.nn.parameter Parameter"), one.args, pkDict{}}}}, tensors: "w"},
		{name: "first form of tensor", root: pkDict{"w", pkCall{"torch._utils _rebuild_tensor", one.args[:4]}}, tensors: "w"},
		{name: "shape as torch.Size", root: pkDict{"w",
			pkCall{one.f, pkTuple{one.args[0], 0, pkCall{"torch Size", pkTuple{pkTuple{2, 2}}}, pkTuple{2, 1}}}}, tensors: "w"},
		{name: "ordered by Python 2", root: pkCall{"collections OrderedDict", pkTuple{pkList{pkList{"w", one}, pkList{"b", two}}}},
			tensors: "w b"},
		{name: "inert objects", root: pkDict{"args", pkNew{"argparse Namespace", pkDict{"lr", 0.1}}, "acc",
			pkCall{"numpy._core.multiarray scalar", pkTuple{pkCall{"numpy dtype", pkTuple{"f8"}}, "x"}},
			"config", pkNew{"my.own Config", pkDict{"a", 1}}, "state_dict",
			pkDict{"w", one, "q", pkCall{"torch._utils _rebuild_qtensor", pkTuple{}}, "x", pkNew{"my Thing", nil}}},
			section: "state_dict", tensors: "w", others: "map[q:a pickled quantized tensor x:a pickled my.Thing]"},
		{name: "unknown storage", root: pkDict{"w", one, "q", pkTensor(pkStorage("QInt8Storage", "9", 4), 0, []int{4}, []int{1})},
			tensors: "w", others: "map[q:a pickled tensor of torch.QInt8Storage]"},
		{name: "unknown dtype", root: pkDict{"w", one, "q",
			pkCall{third.f, append(slices.Clone(third.args[:6]), pkGlobal("torch float4"), nil)}}, tensors: "w",
			others: "map[q:a pickled tensor of dtype torch.float4]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := open(t, "s.pth", torchZip(c.root, storages))
			if f.layout.section != c.section || f.layout.prefix != c.prefix {
				t.Errorf("section %q, prefix %q, want %q and %q", f.layout.section, f.layout.prefix, c.section, c.prefix)
			}
			var names []string
			for _, tensor := range f.Tensors() {
				names = append(names, tensor.Name)
				if _, err := f.Float32(tensor.Name); err != nil {
					t.Error(err)
				}
			}
			if got := strings.Join(names, " "); got != c.tensors {
				t.Errorf("tensors %q, want %q", got, c.tensors)
			}
			if got := fmt.Sprint(f.layout.others); got != c.others && !(c.others == "" && len(f.layout.others) <= 1) {
				t.Errorf("others %s, want %s", got, c.others)
			}
		})
	}
	f := open(t, "s.pth", torchZip(pkDict{"w", third}, storages))
	if got, want := mustFloat32(t, f, "w"), []float32{21, 22, 23}; !slices.Equal(got, want) {
		t.Errorf("untyped storage: %v, want %v", got, want)
	}
}

// The opcodes that pickle writes seldom, each in a sound file.
func TestSeldomOpcodes(t *testing.T) {
	one := raw(pkTensor(pkStorage("FloatStorage", "0", 1), 0, []int{1}, []int{1}))
	key := raw("w")
	for name, code := range map[string]string{
		"POP":                     "}" + key + one + "N0s",
		"POP a mark":              "}" + key + one + "(0s",
		"POP_MARK":                "}" + key + one + "(NN1s",
		"DUP":                     "}2" + key + one + "s0",
		"LONG_BINPUT":             "}" + key + one + "r\x00\x01\x00\x000j\x00\x01\x00\x00s",
		"NEWOBJ_EX":               "}" + key + one + "s" + raw("args") + "cmy\nClass\n)}\x92s",
		"NEWOBJ":                  "ccollections\nOrderedDict\n)\x81" + key + one + "s",
		"LONG4":                   "}" + key + one + "s" + raw("n") + "\x8b\x01\x00\x00\x00\xffs",
		"BINBYTES8":               "}" + key + one + "s" + raw("n") + "\x8e\x01\x00\x00\x00\x00\x00\x00\x00\xffs",
		"BINSTRING":               "}T\x01\x00\x00\x00w" + one + "s",
		"a key that is no string": "}" + key + one + "sNNs",
	} {
		f := open(t, "s.pth", torchZip(pkRaw(code), map[string][]byte{"0": floats(5)}))
		if x := mustFloat32(t, f, "w"); len(f.Tensors()) != 1 || x[0] != 5 {
			t.Errorf("%s: %v", name, x)
		}
	}
}

// raw is the opcodes of some values, one after another.
func raw(values ...any) string {
	var s string
	for _, v := range values {
		b := pickled(v)
		s += string(b[2 : len(b)-1])
	}
	return s
}

func TestLegacyView(t *testing.T) {
	// The old form can make a storage a view of another.
	view := pkPersistent{"storage", pkGlobal("torch.cuda FloatStorage"), "7", "cuda:0", 12, pkTuple{"8", 4, 6}}
	whole := pkPersistent{"storage", pkGlobal("torch FloatStorage"), "7", "cpu", 12, nil}
	root := pkDict{"a", pkTensor(view, 1, []int{2}, []int{2}), "b", pkTensor(whole, 11, []int{1}, []int{1})}
	f := open(t, "old.pth", torchLegacy(root, legacyStorage{"7", 12, floats(count(12)...)}))
	if got, want := mustFloat32(t, f, "a"), []float32{5, 7}; !slices.Equal(got, want) {
		t.Errorf("a: %v, want %v", got, want)
	}
	if got, want := mustFloat32(t, f, "b"), []float32{11}; !slices.Equal(got, want) {
		t.Errorf("b: %v, want %v", got, want)
	}
}

// Every one of these must be an error of the right kind that names the file and says what is wrong.
func TestHostileTorch(t *testing.T) {
	ok := pkTensor(pkStorage("FloatStorage", "0", 4), 0, []int{4}, []int{1})
	data := map[string][]byte{"0": floats(count(4)...)}
	tensor := func(offset int, shape, strides []int) []byte {
		return torchZip(pkDict{"w", pkTensor(pkStorage("FloatStorage", "0", 4), offset, shape, strides)}, data)
	}
	good := torchZip(pkDict{"w", ok}, data)
	legacy := torchLegacy(pkDict{"w", ok}, legacyStorage{"0", 4, floats(count(4)...)})
	entries := func(method uint16) []byte {
		return zipped(map[string][]byte{"m/data.pkl": pickled(pkDict{"w", ok}), "m/data/0": data["0"]}, method)
	}
	cases := []struct {
		name    string
		content []byte
		unsound bool // FormatError, else UnsupportedError
		want    string
	}{
		{"empty", nil, true, "file is empty"},
		{"one byte", []byte{0x80}, true, "neither"},
		{"text", []byte("hello, world, this is no checkpoint"), true, "neither safetensors nor a PyTorch checkpoint"},
		{"web page", []byte("<!DOCTYPE html><html>404"), false, "web page"},
		{"lfs pointer", []byte("version https://git-lfs.github.com/spec/v1\noid"), false, "Git LFS pointer"},
		{"gzip", []byte("\x1f\x8b\x08\x00aaaaaaaaaaaa"), false, "gzip"},
		{"plain pickle", pickled(pkDict{"w", 1}), false, "a pickle, but not one that torch.save writes"},

		{"calls os.system", torchZip(pkDict{"w", ok, "x", pkCall{"os system", pkTuple{"true"}}}, data), false,
			"calls os.system, which a state dict does not need; nothing was executed (at byte"},
		{"calls eval by INST", torchZip(pkDict{"x", pkRaw("(X\x01\x00\x00\x001ibuiltins\neval\n")}, data), false, "calls builtins.eval"},
		{"calls exec by OBJ", torchZip(pkDict{"x", pkRaw("(cbuiltins\nexec\nNo")}, data), false, "calls builtins.exec"},
		{"calls getattr", torchZip(pkCall{"builtins getattr", pkTuple{pkGlobal("torch _utils"), "x"}}, data), false,
			"holds a pickled builtins.getattr, want a state dict"},
		{"calls by a stacked name", torchZip(pkRaw("X\x02\x00\x00\x00osX\x06\x00\x00\x00system\x93)R"), data), false, "calls os.system"},
		{"calls an inert value", torchZip(pkRaw("cfunctools\npartial\n)\x81)R"), data), false, "holds a pickled functools.partial"},
		{"nested bytes", torchZip(pkCall{"torch.storage _load_from_bytes", pkTuple{"x"}}, data), false,
			"holds a pickled torch.storage._load_from_bytes"},
		{"calls through a tensor's type", torchZip(pkCall{"torch._tensor _rebuild_from_type_v2",
			pkTuple{pkGlobal("os system"), nil, pkTuple{"true"}, nil}}, data), false, "calls os.system"},
		{"calls itself", torchZip(pkCall{"torch._tensor _rebuild_from_type_v2",
			pkTuple{pkGlobal("torch._tensor _rebuild_from_type_v2"), nil, pkTuple{}, nil}}, data), true, "something other than a function"},
		{"calls a number", torchZip(pkRaw("K\x01)R"), data), true, "calls an integer, want a function"},
		{"whole module", torchZip(pkNew{"torchvision.models.alexnet AlexNet", pkDict{}}, data), false,
			"holds a pickled torchvision.models.alexnet.AlexNet, want a state dict"},
		{"wrapped module", torchZip(pkDict{"epoch", 1, "model", pkNew{"models Net", pkDict{}}}, data), false, "model is a pickled models.Net"},
		{"no tensors", torchZip(pkDict{"epoch", 1, "weights", pkDict{"w", 1}}, data), false,
			"holds no tensors, neither under its own keys (epoch, weights)"},
		{"a tensor alone", torchZip(ok, data), false, "holds a tensor"},
		{"extension", torchZip(pkRaw("\x82\x01"), data), false, "opcode EXT1"},
		{"protocol 0", torchZip(pkRaw("S'w'\n"), data), false, "opcode STRING"},

		{"unknown opcode", torchZip(pkRaw("\xff"), data), true, "opcode 0xff is not known"},
		{"no stop", zipped(map[string][]byte{"m/data.pkl": []byte("\x80\x02}")}, zip.Store), true, "ends early"},
		{"protocol 9", zipped(map[string][]byte{"m/data.pkl": []byte("\x80\x09N.")}, zip.Store), true, "protocol 9"},
		{"two values left", torchZip(pkRaw("NN"), data), true, "leaves 1 values behind"},
		{"pops too much", torchZip(pkRaw("0"), data), true, "empty stack"},
		{"pops below a mark", torchZip(pkRaw("N(\x85"), data), true, "empty stack"},
		{"no mark", torchZip(pkRaw("t"), data), true, "wants a mark"},
		{"memo hole", torchZip(pkRaw("h\x07"), data), true, "memo entry 7 does not exist"},
		{"long string", torchZip(pkRaw("X\xff\xff\xff\xff"), data), true, "string of 4294967295 bytes"},
		{"longest string", torchZip(pkRaw("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), data), true, "string of 18446744073709551615 bytes"},
		{"string past the end", torchZip(pkRaw("X\x00\x00\x01\x00"), data), true, "ends early: want 65536 bytes"},
		{"huge integer", torchZip(pkRaw("\x8b\xff\xff\xff\x7f"), data), true, "integer of 2147483647 bytes"},
		{"text not UTF-8", torchZip(pkRaw("X\x01\x00\x00\x00\xff"), data), true, "text is not UTF-8"},
		{"name not UTF-8", torchZip(pkRaw("}U\x01\xff"+raw(ok)+"s"), data), true, "name is not UTF-8"},
		{"nesting", torchZip(pkRaw(strings.Repeat("(", 2000)), data), true, "more than 1000 open marks"},
		{"many values", torchZip(pkRaw("("+strings.Repeat("N", maxValues)+"t"), data), true, "more than 2097152 values"},
		{"name without end", torchZip(pkRaw("c"+strings.Repeat("a", 5000)), data), true, "name of more than 4096 bytes"},
		{"odd items", torchZip(pkRaw("}(Nu"), data), true, "puts entries into a dictionary"},
		{"dictionary of numbers", torchZip(pkCall{"collections OrderedDict", pkTuple{pkList{1}}}, data), true,
			"dictionary of something other than pairs"},
		{"instance without class", torchZip(pkRaw("(o"), data), true, "instance without a class"},
		{"instance of a number", torchZip(pkRaw("K\x01)\x81"), data), true, "makes an instance of an integer"},
		{"class named by numbers", torchZip(pkRaw("K\x01K\x01\x93"), data), true, "names a class by an integer and an integer"},
		{"arguments no tuple", torchZip(pkRaw("cos\nsystem\nNR"), data), true, "arguments are None"},
		{"parameter of a string", torchZip(pkCall{"torch._utils _rebuild_parameter", pkTuple{"w"}}, data), true, "of a string, want a tensor"},
		{"tensor of nothing", torchZip(pkCall{"torch._utils _rebuild_tensor_v2", pkTuple{}}, data), true, "with 0 arguments"},
		{"size of a string", torchZip(pkCall{"torch Size", pkTuple{"w"}}, data), true, "torch.Size of something other"},
		{"items into a number", torchZip(pkRaw("K\x01(NNu"), data), true, "puts entries into an integer"},
		{"identity that is no tuple", torchZip(pkRaw("NQ"), data), true, "persistent identity is None"},
		{"identity that is no storage", torchZip(pkPersistent{"file", 1}, data), true, "is not a storage"},

		{"beyond the storage", tensor(1, []int{4}, []int{1}), true, "reaches beyond its storage of 4 elements"},
		{"offset beyond", tensor(1<<62, []int{1}, []int{1}), true, "fit each other"},
		{"offset negative", tensor(-1, []int{1}, []int{1}), true, "fit each other"},
		{"dimension negative", tensor(0, []int{-4}, []int{1}), true, "fit each other"},
		{"stride negative", tensor(3, []int{4}, []int{-1}), true, "fit each other"},
		{"stride overflows", tensor(0, []int{3, 1 << 40}, []int{1 << 62, 0}), true, "reaches beyond"},
		{"shape overflows", tensor(0, []int{1 << 40, 1 << 40}, []int{0, 0}), true, "too large"},
		{"expanded bomb", tensor(0, []int{1 << 40}, []int{0}), true, "does not fit into a file of"},
		{"strides missing", tensor(0, []int{4}, nil), true, "fit each other"},
		{"65 dimensions", tensor(0, make([]int, 65), make([]int, 65)), true, "fit each other"},
		{"storage is not there", torchZip(pkDict{"w", ok}, nil), true, "no such entry"},
		{"storage too short", torchZip(pkDict{"w", ok}, map[string][]byte{"0": floats(1)}), true, "entry of 4 bytes, want 16"},
		{"storage too long", torchZip(pkDict{"w", ok}, map[string][]byte{"0": make([]byte, 99)}), true, "entry of 99 bytes, want 16"},
		{"storage with two types", torchZip(pkDict{"w", ok, "v", pkTensor(pkStorage("HalfStorage", "0", 4), 0, []int{4}, []int{1})},
			data), true, "F16 here"},
		{"storage negative", torchZip(pkDict{"w", pkTensor(pkStorage("FloatStorage", "0", -4), 0, []int{4}, []int{1})}, data), true,
			"number of elements"},
		{"untyped by v2", torchZip(pkDict{"w", pkTensor(pkStorage("UntypedStorage", "0", 16), 0, []int{4}, []int{1})}, data), true,
			"elements on a storage"},

		{"zip cut short", good[:len(good)-30], true, "zip"},
		{"zip of one record", good[:40], true, "zip"},
		{"zip compressed", entries(zip.Deflate), false, "compressed or encrypted"},
		{"other zip", zipped(map[string][]byte{"a.txt": nil}, zip.Store), false,
			"a zip archive with neither data.pkl, which torch.save writes, nor model.weights.h5, which Keras writes"},
		{"TorchScript", zipped(map[string][]byte{"m/data.pkl": pickled(nil), "m/constants.pkl": nil}, zip.Store), false, "TorchScript"},
		{"big-endian zip", zipped(map[string][]byte{"m/data.pkl": pickled(pkDict{"w", ok}), "m/data/0": data["0"],
			"m/byteorder": []byte("big")}, zip.Store), false, `byte order "big"`},
		{"entry beyond the file", lyingZip(good), true, "zip: entry of 1073741824 bytes"},

		{"legacy cut in the pickle", legacy[:200], true, "ends early"},
		{"legacy cut in the storage", legacy[:len(legacy)-1], true, "15 bytes left"},
		{"legacy count lies", torchLegacy(pkDict{"w", ok}, legacyStorage{"0", 5, floats(count(5)...)}), true,
			"5 elements of F32 with 20 bytes left, want 4"},
		{"legacy storage missing", torchLegacy(pkDict{"w", ok}), true, "not in the list"},
		{"legacy storage unknown", torchLegacy(pkDict{"w", ok}, legacyStorage{"0", 4, floats(count(4)...)}, legacyStorage{"1", 0, nil}),
			true, "used by no tensor"},
		{"legacy storage twice", torchLegacy(pkDict{"w", ok}, legacyStorage{"0", 4, floats(count(4)...)},
			legacyStorage{"0", 4, floats(count(4)...)}), true, "listed twice"},
		{"legacy version", legacyParts(1000, true, pkList{}), false, "version 1000 of the format before PyTorch 1.6, want 1001"},
		{"legacy big-endian", legacyParts(1001, false, pkList{}), false, "big-endian"},
		{"legacy keys no list", legacyParts(1001, true, pkDict{}), true, "storage keys are a dictionary, want a list"},
		{"legacy magic second", append(pickled(nil), legacy...), true, "not PyTorch's magic number"},
		{"legacy view beyond", torchLegacy(pkDict{"w",
			pkTensor(pkPersistent{"storage", pkGlobal("torch FloatStorage"), "0", "cpu", 4, pkTuple{"1", 2, 3}}, 0, []int{1},
				[]int{1})}), true, "view of storage 0 reaches beyond"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := Open(write(t, "bad.pth", c.content))
			if err == nil {
				f.Close()
				t.Fatal("no error")
			}
			var format *FormatError
			var unsupported *UnsupportedError
			if errors.As(err, &format) != c.unsound || errors.As(err, &unsupported) == c.unsound {
				t.Errorf("%T: %v", err, err)
			}
			if !strings.HasPrefix(err.Error(), "weights: bad.pth: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q, want %q in it", err, c.want)
			}
		})
	}
}

// legacyParts is a file as torch.save wrote before 1.6, without a tensor in it.
func legacyParts(version int, little bool, keys any) []byte {
	b := []byte("\x80\x02" + legacyMagic)
	for _, part := range []any{version, pkDict{"little_endian", little}, pkDict{}, keys} {
		b = append(b, pickled(part)...)
	}
	return b
}

// lyingZip makes the directory give data.pkl more bytes than the file has.
func lyingZip(good []byte) []byte {
	b := slices.Clone(good)
	const nameAt = 46
	at := strings.LastIndex(string(b), "m/data.pkl") - nameAt
	binary.LittleEndian.PutUint32(b[at+20:], 1<<30)
	binary.LittleEndian.PutUint32(b[at+24:], 1<<30)
	return b
}

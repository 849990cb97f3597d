package weights

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/nn"
)

// fitParams are the parameters that the tests of this file want: one of each of the two storages below.
var fitParams = []nn.Param{{Name: "a.w", Shape: []int{4}}, {Name: "a.b", Shape: []int{2}}}

var fitStorages = map[string][]byte{"0": floats(count(4)...), "1": floats(8, 9), "2": floats(20, 21, 22, 23)}

// fitDict is a state dict of the two, every name behind prefix; w is the storage of a.w.
func fitDict(prefix, w string) pkDict {
	return pkDict{
		prefix + "a.w", pkTensor(pkStorage("FloatStorage", w, 4), 0, []int{4}, []int{1}),
		prefix + "a.b", pkTensor(pkStorage("FloatStorage", "1", 2), 0, []int{2}, []int{1}),
	}
}

func TestFit(t *testing.T) {
	extra := pkTensor(pkStorage("FloatStorage", "1", 2), 0, []int{2}, []int{1})
	with := func(d pkDict, more ...any) pkDict { return append(slices.Clone(d), more...) }
	cases := []struct {
		name            string
		root            any
		section, prefix string
		outside         string
		first           float32 // of a.w: 0 of storage 0, 20 of storage 2
		want            string  // in the error
	}{
		{name: "own names", root: fitDict("", "0")},
		{name: "Lightning", root: pkDict{"epoch", 3, "state_dict", fitDict("model.", "0"), "hyper_parameters", pkDict{"lr", 0.1}},
			section: "state_dict", prefix: "model."},
		{name: "backbone", root: fitDict("backbone.", "0"), prefix: "backbone."},
		{name: "any name", root: fitDict("my_own_net.", "0"), prefix: "my_own_net."},
		{name: "parallel in a module", root: fitDict("module.model.", "0"), prefix: "module.model."},
		{name: "compiled in a module", root: fitDict("net._orig_mod.", "0"), prefix: "net._orig_mod."},
		{name: "four deep", root: fitDict("module.model.encoder.net.", "0"), prefix: "module.model.encoder.net."},
		{name: "a loss beside it", root: with(fitDict("model.", "0"), "loss.weight", extra, "loss.num_batches_tracked", extra),
			prefix: "model.", outside: "loss.weight"},
		{name: "two parts", root: with(fitDict("student.", "0"), fitDict("teacher.", "2")...),
			want: "2 parts of the file have all parameters: student, teacher; name one, as f.pth#student"},
		{name: "half behind a prefix", root: pkDict{"model.a.w", fitDict("", "0")[1], "a.b", extra}},
		{name: "more behind a prefix", root: pkDict{"model.a.w", fitDict("", "0")[1]}, prefix: "model."},

		{name: "averaged first", root: pkDict{"model", fitDict("", "0"), "model_ema", fitDict("module.", "2")},
			section: "model_ema", prefix: "module.", first: 20},
		{name: "averaged is of something else", root: pkDict{"model", fitDict("", "0"), "model_ema", pkDict{"x", extra}}, section: "model"},
		{name: "nested", root: pkDict{"ema", pkDict{"decay", 0.9, "state_dict", fitDict("", "2")}, "model",
			pkDict{"state_dict", fitDict("", "0")}},
			section: "ema.state_dict", first: 20},
		{name: "in an object", root: pkDict{"callbacks", pkNew{"my EMA", pkDict{"weights", fitDict("net.", "2")}}},
			section: "callbacks.weights", prefix: "net.", first: 20},
		{name: "a dictionary of an unknown class", root: pkDict{"state_dict", pkRaw("cmy\nDict\n)R(" + raw(fitDict("", "2")...) + "u")},
			section: "state_dict", first: 20},
		{name: "in a list", root: pkList{fitDict("", "2"), pkDict{"epoch", 1}}, section: "0", first: 20},
		{name: "in a tuple below a key", root: pkDict{"learner", pkTuple{nil, fitDict("net.", "2")}}, section: "learner.1", prefix: "net.",
			first: 20},
		{name: "one unknown key", root: pkDict{"generator", fitDict("", "2")}, section: "generator", first: 20},
		{name: "of two unknown keys one fits", root: pkDict{"critic", pkDict{"x", extra}, "actor", fitDict("", "2")}, section: "actor",
			first: 20},
		{name: "one dictionary twice", root: pkRaw("}" + raw("student") + raw(fitDict("", "0")) + "q\x01s" + raw("teacher") + "h\x01s"),
			section: "student"},
		{name: "two unknown keys", root: pkDict{"student", fitDict("", "0"), "teacher", fitDict("model.", "2")},
			want: "2 parts of the file have all parameters: student, teacher.model; name one, as f.pth#student"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := open(t, "f.pth", torchZip(c.root, fitStorages))
			err := f.Fit(fitParams)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("have %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			prefix, _ := f.Prefix()
			if f.Section() != c.section || prefix != c.prefix || strings.Join(f.Outside(), " ") != c.outside {
				t.Errorf("section %q, prefix %q, outside %v, want %q, %q, %s", f.Section(), prefix, f.Outside(), c.section, c.prefix, c.outside)
			}
			b, err := Bind(f, fitParams, Options{})
			if strings.Contains(c.name, "behind a prefix") {
				if err == nil {
					t.Error("Bind found what is not there")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if x := mustFloat32(t, b, "a.w"); x[0] != c.first {
				t.Errorf("a.w begins with %v, want %v", x[0], c.first)
			}
		})
	}
}

// The prefix is found under a table's names too, and in safetensors.
func TestFitTable(t *testing.T) {
	table := Table{Name: "other", Rows: []Rename{{Old: "x.weight", New: "a.w"}, {Old: "x.bias", New: "a.b"}}}
	f := open(t, "f.safetensors", safeOf(t, rawTensor{"vit.x.weight", F32, []int{4}, floats(count(4)...)},
		rawTensor{"vit.x.bias", F32, []int{2}, floats(8, 9)}))
	err := f.Fit(fitParams, table)
	if prefix, n := f.Prefix(); err != nil || prefix != "vit." || n != 2 {
		t.Fatalf("prefix %q of %d names, %v", prefix, n, err)
	}
	b, err := Bind(f, fitParams, Options{Tables: []Table{table}})
	if err != nil || b.Table() != "other" {
		t.Errorf("table %q, %v", b.Table(), err)
	}
}

func TestSectionByName(t *testing.T) {
	root := pkDict{"model", fitDict("", "0"), "model_ema", fitDict("module.", "2"),
		"gan", append(fitDict("student.", "0"), fitDict("teacher.net.", "2")...)}
	path := write(t, "f.pth", torchZip(root, fitStorages))
	for _, c := range []struct {
		asked, section, prefix string
		first                  float32
	}{
		{"model", "model", "", 0},
		{"model_ema", "model_ema", "module.", 20},
		{"gan.student", "gan", "student.", 0},
		{"gan.teacher", "gan", "teacher.net.", 20},
		{"gan.teacher.net.", "gan", "teacher.net.", 20},
		{"teacher", "gan", "teacher.net.", 20},
	} {
		t.Run(c.asked, func(t *testing.T) {
			f, err := Open(path + "#" + c.asked)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := f.Fit(fitParams); err != nil {
				t.Fatal(err)
			}
			if prefix, n := f.Prefix(); f.Section() != c.section || prefix != c.prefix || c.prefix != "" && n != 2 {
				t.Errorf("section %q, prefix %q of %d names, want %q, %q and 2", f.Section(), prefix, n, c.section, c.prefix)
			}
			b, err := Bind(f, fitParams, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if x := mustFloat32(t, b, "a.w"); x[0] != c.first {
				t.Errorf("a.w begins with %v, want %v", x[0], c.first)
			}
		})
	}
	for _, asked := range []string{"", "nothing", "model.b"} {
		_, err := Open(path + "#" + asked)
		want := fmt.Sprintf("no section %q; there are: model_ema (2 tensors), ", asked)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "gan.student (2)") {
			t.Errorf("%q: %v, want %q", asked, err, want)
		}
	}
	// A file may have a "#" in its own name.
	if f, err := Open(write(t, "a#b.pth", torchZip(fitDict("", "0"), fitStorages))); err != nil || f.Section() != "" {
		t.Error(err)
	}
}

// What training frameworks leave beside the weights: each is passed over, and none is called.
func TestInertCalls(t *testing.T) {
	cases := map[string]any{
		"partial":           pkCall{"functools partial", pkTuple{pkGlobal("torch.optim.adam Adam")}},
		"partial in use":    pkRaw("cfunctools\npartial\n)R)R"),
		"enum, protocol 2":  pkCall{"__builtin__ getattr", pkTuple{pkGlobal("__main__ Mode"), "TRAIN"}},
		"enum, protocol 4":  pkCall{"__main__ Mode", pkTuple{1}},
		"regular":           pkCall{"re _compile", pkTuple{"bn", 32}},
		"range, protocol 2": pkCall{"__builtin__ xrange", pkTuple{0, 3, 1}},
		"range":             pkCall{"builtins range", pkTuple{0, 3, 1}},
		"RandomState": pkRaw("cnumpy.random._pickle\n__randomstate_ctor\n" + raw(pkTuple{"MT19937"}) + "R" +
			raw(pkDict{"bit_generator", "MT19937", "state", pkDict{"pos", 1}}) + "b"),
		"Generator": pkRaw("cnumpy.random._pickle\n__generator_ctor\n" + raw(pkTuple{"PCG64"}) + "R" + raw(pkDict{"state", 1}) +
			"b"),
		"Random":                   pkRaw("crandom\nRandom\n)R" + raw(pkTuple{3, pkTuple{1, 2}, nil}) + "b"),
		"logger":                   pkCall{"logging getLogger", pkTuple{"train"}},
		"reduce":                   pkCall{"mine rebuild", pkTuple{1, pkDict{"a", 1}}},
		"reduce, list items":       pkRaw("ccollections\ndeque\n)R(K\x01K\x02e"),
		"reduce, dictionary items": pkRaw("cmine\nDict\n)R(" + raw("k", 1) + "u"),
		"slots":                    pkNew{"mine Slots", pkTuple{nil, pkDict{"x", 1}}},
		"dataclass":                pkNew{"mine Config", pkDict{"lr", 0.1, "steps", pkList{1, 2}}},
		"keywords":                 pkRaw("cmine\nKeyed\n)}\x92"),
		"by OBJ":                   pkRaw("(cmine\nOld\no}b"),
		"by INST":                  pkRaw("(imine\nOld\n}b"),
		"class":                    pkGlobal("torch.nn.modules.conv Conv2d"),
		"set":                      pkCall{"__builtin__ set", pkTuple{pkList{1, 2}}},
		"counter":                  pkCall{"collections Counter", pkTuple{pkDict{"a", 1}}},
		"method":                   pkCall{"builtins getattr", pkTuple{pkNew{"mine Thing", nil}, "run"}},
		"size of it":               pkCall{"torch Size", pkTuple{pkCall{"mine shape", pkTuple{}}}},
		"dict of it":               pkCall{"builtins dict", pkTuple{pkCall{"mine items", pkTuple{}}}},
	}
	for name, beside := range cases {
		t.Run(name, func(t *testing.T) {
			for _, root := range []pkDict{
				{"state_dict", fitDict("", "0"), "beside", beside}, {"beside", beside, "state_dict", fitDict("", "0")},
			} {
				f := open(t, "f.pth", torchZip(root, fitStorages))
				if err := f.Fit(fitParams); err != nil {
					t.Fatal(err)
				}
				if _, err := Bind(f, fitParams, Options{}); err != nil || f.Section() != "state_dict" {
					t.Errorf("section %q, %v", f.Section(), err)
				}
			}
		})
	}
}

// An object in a weight's place is an error that says what to type.
func TestInertWeight(t *testing.T) {
	d := append(fitDict("", "0")[:2:2], "a.b", pkCall{"numpy.core.multiarray _reconstruct", pkTuple{}})
	f := open(t, "f.pth", torchZip(pkDict{"state_dict", d}, fitStorages))
	if err := f.Fit(fitParams); err != nil {
		t.Fatal(err)
	}
	_, err := Bind(f, fitParams, Options{})
	const want = `a.b: is a pickled numpy.core.multiarray._reconstruct, want a tensor; in Python: d = torch.load("f.pth")["state_dict"]; ` +
		`torch.save({k: torch.as_tensor(v) for k, v in d.items()}, "weights.pth")`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v\nwant %s", err, want)
	}
}

// A pickled module gives the names and tensors of its state dict.
func TestModule(t *testing.T) {
	w, b := fitDict("", "2")[1], fitDict("", "0")[3]
	layer := func(unsaved any) pkNew {
		return pkNew{"torch.nn.modules.linear Linear", pkDict{"training", false, "_parameters", pkDict{"w", w, "bias", nil},
			"_buffers", pkDict{"b", b, "index", b}, "_non_persistent_buffers_set", unsaved, "_modules", pkDict{}}}
	}
	for name, unsaved := range map[string]any{
		"protocol 2": pkCall{"__builtin__ set", pkTuple{pkList{"index"}}},
		"protocol 4": pkRaw("\x8f(" + raw("index") + "\x90"),
	} {
		model := pkNew{"mine Net", pkDict{"_parameters", pkDict{}, "_buffers", pkDict{}, "_modules", pkDict{"a", layer(unsaved)}}}
		for section, root := range map[string]any{"": model, "model": pkDict{"epoch", 1, "model", model}} {
			f := open(t, "f.pth", torchZip(root, fitStorages))
			if err := f.Fit(fitParams); err != nil {
				t.Fatal(err)
			}
			bound, err := Bind(f, fitParams, Options{})
			if err != nil || f.Section() != section {
				t.Fatalf("%s: section %q, %v", name, f.Section(), err)
			}
			if x := mustFloat32(t, bound, "a.w"); x[0] != 20 {
				t.Errorf("%s: a.w begins with %v", name, x[0])
			}
		}
	}
}

// TorchScript keeps parameters and buffers as attributes of objects.
func TestTorchScript(t *testing.T) {
	layer := pkNew{"__torch__.torch.nn.modules.linear Linear", pkDict{"training", false, "w", fitDict("", "2")[1], "b", fitDict("", "0")[3]}}
	model := pkNew{"__torch__ Net", pkDict{"training", false, "_is_full_backward_hook", nil, "a", layer}}
	archive := func(root any) []byte {
		return zipped(map[string][]byte{"m/data.pkl": pickled(root), "m/constants.pkl": pickled(pkTuple{}),
			"m/code/__torch__.py": []byte("class"),
			"m/data/1":            fitStorages["1"], "m/data/2": fitStorages["2"]}, 0)
	}
	f := open(t, "f.pt", archive(model))
	if err := f.Fit(fitParams); err != nil {
		t.Fatal(err)
	}
	bound, err := Bind(f, fitParams, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if x := mustFloat32(t, bound, "a.w"); x[0] != 20 {
		t.Errorf("a.w begins with %v", x[0])
	}
	_, err = Open(write(t, "frozen.pt", archive(pkNew{"__torch__ Net", pkDict{"training", false}})))
	if err == nil || !strings.Contains(err.Error(), "TorchScript archive without named weights") {
		t.Error(err)
	}
}

// A pickle can hold itself, and one module in many places: the search for tensors ends all the same.
func TestSectionsEnd(t *testing.T) {
	loop := pkRaw("}q\x01" + raw("self") + "h\x01s" + raw("state_dict") + raw(fitDict("", "0")) + "s")
	f := open(t, "f.pth", torchZip(loop, fitStorages))
	if f.Section() != "state_dict" {
		t.Errorf("section %q", f.Section())
	}
	// Thirty modules, each twice in the next, are a thousand million.
	code := raw(pkNew{"mine Net", pkDict{"_parameters", fitDict("", "0"), "_modules", pkDict{}}})
	for range 30 {
		code = "cmine\nNet\n)\x81}(" + raw("_parameters", pkDict{}, "_modules") + "}" + raw("x") + code + "q\x01s" + raw("y") + "h\x01su" + "b"
	}
	if f, err := Open(write(t, "deep.pth", torchZip(pkRaw(code), fitStorages))); err == nil {
		if n := len(f.Tensors()); n > maxModuleNames {
			t.Errorf("%d tensors", n)
		}
		f.Close()
	}
}

package weights

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/nn"
)

func param(name string, shape ...int) nn.Param { return nn.Param{Name: name, Shape: shape} }

func f32(name string, shape ...int) rawTensor {
	return rawTensor{name, F32, shape, floats(count(length(shape))...)}
}

func TestBind(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	params := []nn.Param{param("conv.weight", 2, 3, 1, 1), param("bn.weight", 2), param("bn.running_mean", 2), param("fc.weight", 4, 2),
		{Name: "aux.fc.weight", Shape: []int{4, 2}, Kind: nn.Aux}}
	good := []rawTensor{f32("conv.weight", 2, 3, 1, 1), f32("bn.weight", 2), f32("bn.running_mean", 2), f32("fc.weight", 4, 2)}
	with := func(more ...rawTensor) []rawTensor { return append(slices.Clone(good), more...) }
	replace := func(x rawTensor) []rawTensor {
		all := slices.Clone(good)
		for i := range all {
			if all[i].name == x.name {
				all[i] = x
			}
		}
		return all
	}
	cases := []struct {
		name    string
		tensors []rawTensor
		opt     Options
		want    string // the error
		ignored string
	}{
		{name: "good", tensors: good},
		{name: "other order", tensors: []rawTensor{good[3], good[1], good[0], good[2]}},
		{name: "ignored by name", tensors: with(rawTensor{"bn.num_batches_tracked", I64, nil, make([]byte, 8)}, f32("n_averaged", 1)),
			ignored: "[bn.num_batches_tracked n_averaged]"},
		{name: "auxiliary head", tensors: with(f32("aux.fc.weight", 9, 9)), ignored: "[aux.fc.weight]"},
		{name: "allowed extra", tensors: with(f32("AuxLogits.fc.weight", 3), f32("blocks.0.relative_position_index", 2)),
			opt:     Options{Extra: []string{"AuxLogits.*", "*.relative_position_index"}},
			ignored: "[AuxLogits.fc.weight blocks.0.relative_position_index]"},
		{name: "extra", tensors: with(f32("head.weight", 1)), want: "head.weight: not a parameter of the network"},
		{name: "missing", tensors: good[1:], want: "conv.weight: missing"},
		{name: "misshapen", tensors: replace(f32("fc.weight", 10, 2)), want: "fc.weight: shape [10 2], want [4 2]"},
		{name: "as many elements", tensors: replace(f32("conv.weight", 2, 3)), want: "conv.weight: shape [2 3], want [2 3 1 1]"},
		{name: "integers", tensors: replace(rawTensor{"bn.weight", U8, []int{2}, []byte{1, 2}}),
			want: "bn.weight: dtype U8, want a floating-point one; the weights may be quantized: want the checkpoint as it was before"},
		{name: "NaN", tensors: replace(rawTensor{"fc.weight", F32, []int{4, 2}, floats(0, 1, 2, nan, 4, 5, inf, 7)}),
			want: "fc.weight: 2 elements are NaN or infinite, the first NaN at index 3, want finite numbers"},
		{name: "double beyond float32", tensors: replace(rawTensor{"bn.weight", F64, []int{2},
			[]byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0x7f}}),
			want: "bn.weight: 1 elements are NaN or infinite, the first +Inf at index 1, want finite numbers"},
		{name: "everything at once", tensors: []rawTensor{f32("conv.weight", 2, 3, 1, 1), f32("bn.weight", 3),
			{"bn.running_mean", F32, []int{2}, floats(nan, 0)}, f32("head.weight", 1)},
			want: "1 missing: fc.weight; 1 of another shape: bn.weight: shape [3], want [2]; " +
				"1 with NaN or infinity: bn.running_mean: 1 elements are NaN or infinite, the first NaN at index 0; " +
				"1 unknown to the network: head.weight"},
		{name: "another network", tensors: []rawTensor{f32("features.0.weight", 4), f32("bn.weight", 2)},
			want: "a checkpoint of another network: 1 of 4 parameters fit; 3 missing: conv.weight, bn.running_mean, fc.weight; " +
				"1 unknown to the network: features.0.weight"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := open(t, "f.safetensors", safeOf(t, c.tensors...))
			b, err := Bind(f, params, c.opt)
			if c.want != "" {
				var report *BindError
				if !errors.As(err, &report) || err.Error() != "weights: f.safetensors: "+c.want {
					t.Errorf("error %v\nwant  weights: f.safetensors: %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(b.Ignored()); got != c.ignored && c.ignored != "" {
				t.Errorf("ignored %s, want %s", got, c.ignored)
			}
			if len(b.Tensors()) != 4 {
				t.Errorf("tensors %v", b.Tensors())
			}
			if got := mustFloat32(t, b, "fc.weight"); !slices.Equal(got, count(8)) {
				t.Errorf("fc.weight %v", got)
			}
			b.Release("fc.weight")
			if _, err := b.Float32("aux.fc.weight"); err == nil {
				t.Error("an auxiliary head's parameter is given")
			}
		})
	}
	f := open(t, "f.safetensors", safeOf(t, good...))
	if _, err := Bind(f, params, Options{Extra: []string{"[a"}}); err == nil {
		t.Error("bad pattern: no error")
	}
}

// TestBindTop takes a file that ends before the last layers, if it lacks all of them and nothing else.
func TestBindTop(t *testing.T) {
	params := []nn.Param{param("conv.weight", 2, 3, 1, 1), param("fc.weight", 4, 2), param("fc.bias", 4)}
	conv := f32("conv.weight", 2, 3, 1, 1)
	for _, c := range []struct {
		name    string
		tensors []rawTensor
		top     []string
		want    string
	}{
		{"without", []rawTensor{conv}, []string{"fc.bias", "fc.weight"}, ""},
		{"whole", []rawTensor{conv, f32("fc.weight", 4, 2), f32("fc.bias", 4)}, []string{"fc.bias", "fc.weight"}, ""},
		{"half", []rawTensor{conv, f32("fc.weight", 4, 2)}, []string{"fc.bias", "fc.weight"}, "fc.bias: missing"},
		{"and more", []rawTensor{f32("fc.weight", 4, 2), f32("fc.bias", 4)}, []string{"fc.bias", "fc.weight"}, "conv.weight: missing"},
		{"not allowed", []rawTensor{conv}, nil,
			"a checkpoint of another network: 1 of 3 parameters fit; 2 missing: fc.weight, fc.bias"},
	} {
		b, err := Bind(open(t, "f.safetensors", safeOf(t, c.tensors...)), params, Options{Top: c.top})
		if c.want != "" {
			if err == nil || err.Error() != "weights: f.safetensors: "+c.want {
				t.Errorf("%s: error %v, want %s", c.name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		_, there := b.Lookup("fc.weight")
		if absent := len(b.Absent()) > 0; absent == there || len(b.Tensors())+len(b.Absent()) != 3 {
			t.Errorf("%s: %v and without %v", c.name, b.Tensors(), b.Absent())
		}
	}
}

// A thousand faults are counted, not printed, and kept as data.
func TestBindManyFaults(t *testing.T) {
	var params []nn.Param
	var tensors []rawTensor
	for i := range 1000 {
		params = append(params, param(fmt.Sprint("w", i), 2))
		if i >= 400 {
			tensors = append(tensors, f32(fmt.Sprint("w", i), 2))
		}
	}
	_, err := Bind(open(t, "f.safetensors", safeOf(t, tensors...)), params, Options{})
	var report *BindError
	if !errors.As(err, &report) || len(report.Missing) != 400 || report.Fitting != 600 || report.Wanted != 1000 || report.anotherNetwork() {
		t.Fatalf("%+v", report)
	}
	want := "weights: f.safetensors: 400 missing: w0, w1, w2, w3, w4 and 395 more"
	if err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// NaN is found wherever it stands in a tensor of several pieces, in a file of several types.
func TestBindFindsEveryNaN(t *testing.T) {
	const n = 200_001
	nan := float32(math.NaN())
	for _, at := range [][]int{{0}, {n - 1}, {65_535, 65_536}, {131_072, 7, 200_000}} {
		x := count(n)
		for _, i := range at {
			x[i] = nan
		}
		_, err := Bind(open(t, "f.safetensors", safeOf(t, rawTensor{"w", F32, []int{n}, floats(x...)})), []nn.Param{param("w", n)}, Options{})
		var report *BindError
		if !errors.As(err, &report) || len(report.NotFinite) != 1 || report.NotFinite[0].Count != len(at) ||
			report.NotFinite[0].First != slices.Min(at) {
			t.Errorf("NaN at %v: %+v", at, report)
		}
	}
}

// What stands where a tensor is wanted is named.
func TestBindInert(t *testing.T) {
	one := pkTensor(pkStorage("FloatStorage", "0", 4), 0, []int{4}, []int{1})
	f := open(t, "f.pth", torchZip(pkDict{"a", one, "b", one, "c", pkNew{"some.where Tensor", nil}},
		map[string][]byte{"0": floats(count(4)...)}))
	params := []nn.Param{param("a", 4), param("b", 4), param("c", 4)}
	_, err := Bind(f, params, Options{})
	if want := `weights: f.pth: c: is a pickled some.where.Tensor, want a tensor; in Python: d = torch.load("f.pth"); ` +
		`torch.save({k: torch.as_tensor(v) for k, v in d.items()}, "weights.pth")`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := f.Float32("c"); err == nil || !strings.Contains(err.Error(), "c: is a pickled some.where.Tensor") {
		t.Errorf("Float32: %v", err)
	}
}

func TestBindTables(t *testing.T) {
	params := []nn.Param{param("stem.conv.weight", 2, 1, 1, 1), param("blocks.0.norm1.weight", 2), param("blocks.1.norm1.weight", 2),
		param("head.fc.weight", 3, 2, 1, 1)}
	tables := []Table{
		{Name: "older", Rows: []Rename{{Old: "blocks.*.norm.1.*", New: "blocks.*.norm1.*"}}},
		{Name: "other library", Rows: []Rename{
			{Old: "conv1.*", New: "stem.conv.*"},
			{Old: "layer*.bn1.*", New: "blocks.*.norm1.*"},
			{Old: "fc.weight", New: "head.fc.weight", Reshape: true},
		}},
	}
	own := []rawTensor{f32("stem.conv.weight", 2, 1, 1, 1), f32("blocks.0.norm1.weight", 2), f32("blocks.1.norm1.weight", 2),
		f32("head.fc.weight", 3, 2, 1, 1)}
	older := []rawTensor{own[0], f32("blocks.0.norm.1.weight", 2), f32("blocks.1.norm.1.weight", 2), own[3]}
	foreign := []rawTensor{f32("conv1.weight", 2, 1, 1, 1), f32("layer1.bn1.weight", 2), f32("layer0.bn1.weight", 2), f32("fc.weight", 3, 2)}
	for _, c := range []struct {
		name, table string
		tensors     []rawTensor
		classes     []int
	}{{"own", "", own, []int{3, 2, 1, 1}}, {"older", "older", older, []int{3, 2, 1, 1}}, {"foreign", "other library", foreign, []int{3, 2}}} {
		t.Run(c.name, func(t *testing.T) {
			f := open(t, "f.safetensors", safeOf(t, c.tensors...))
			b, err := Bind(f, params, Options{Tables: tables})
			if err != nil {
				t.Fatal(err)
			}
			if b.Table() != c.table {
				t.Errorf("table %q, want %q", b.Table(), c.table)
			}
			if head, _ := b.Lookup("head.fc.weight"); !slices.Equal(head.Shape, []int{3, 2, 1, 1}) {
				t.Errorf("head's shape %v", head.Shape)
			}
			if got := mustFloat32(t, b, "head.fc.weight"); !slices.Equal(got, count(6)) {
				t.Errorf("head %v", got)
			}
			if got, ok := ShapeOf(f, "head.fc.weight", tables...); !ok || !slices.Equal(got, c.classes) {
				t.Errorf("ShapeOf: %v, want %v", got, c.classes)
			}
		})
	}
	f := open(t, "f.safetensors", safeOf(t, append(foreign, f32("stem.conv.weight", 2, 1, 1, 1))...))
	_, err := Bind(f, params, Options{Tables: tables})
	if want := "weights: f.safetensors: conv1.weight and stem.conv.weight are both stem.conv.weight"; err == nil || err.Error() != want {
		t.Errorf("two for one: %v, want %s", err, want)
	}
	if _, ok := ShapeOf(f, "nothing", tables...); ok {
		t.Error("ShapeOf found what is not there")
	}
}

// TestBindLast turns kernels whose output channels are last, and holds their shapes to what the parameter has.
func TestBindLast(t *testing.T) {
	last := Rename{Old: "*/kernel", New: "*.weight", Last: true}
	flat := Rename{Old: "*/kernel", New: "*.weight", Last: true, Reshape: true}
	for _, c := range []struct {
		name        string
		row         Rename
		have, param []int
		want        []float32 // nil for shapes that do not fit
	}{
		{"linear", last, []int{3, 2}, []int{2, 3}, []float32{0, 2, 4, 1, 3, 5}},
		{"convolution", last, []int{1, 2, 3, 2}, []int{2, 3, 1, 2}, []float32{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}},
		{"depthwise", last, []int{2, 1, 3, 1}, []int{3, 1, 2, 1}, []float32{0, 3, 1, 4, 2, 5}},
		{"one input", last, []int{2, 1, 1, 3}, []int{3, 1, 2, 1}, []float32{0, 3, 1, 4, 2, 5}},
		{"linear for a convolution", flat, []int{6, 2}, []int{2, 3, 1, 2}, []float32{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}},
		{"outputs first", last, []int{2, 3}, []int{2, 3}, nil},
		{"linear for a convolution, without a word", last, []int{6, 2}, []int{2, 3, 1, 2}, nil},
		{"another length", flat, []int{6, 3}, []int{2, 3, 1, 2}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := open(t, "f.safetensors", safeOf(t, f32("a/kernel", c.have...)))
			b, err := Bind(f, []nn.Param{param("a.weight", c.param...)}, Options{Tables: []Table{{Name: "t", Rows: []Rename{c.row}}}})
			if (err == nil) != (c.want != nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			if got := mustFloat32(t, b, "a.weight"); !slices.Equal(got, relative(c.want, count(len(c.want)))) {
				t.Errorf("%v, want elements %v", got, c.want)
			}
			part := make([]float32, 2)
			if err := b.Read("a.weight", 1, part); err != nil || !slices.Equal(part, mustFloat32(t, b, "a.weight")[1:3]) {
				t.Errorf("a part is %v, %v", part, err)
			}
			if err := b.Read("a.weight", len(c.want)-1, part); err == nil {
				t.Error("a part beyond the end is read")
			}
			b.Release("a.weight")
			if got, _ := ShapeOf(f, "a.weight", Table{Rows: []Rename{c.row}}); got[0] != c.have[len(c.have)-1] {
				t.Errorf("ShapeOf: %v, want %d first", got, c.have[len(c.have)-1])
			}
		})
	}
}

// relative picks elements of x by their numbers.
func relative(numbers, x []float32) []float32 {
	var y []float32
	for _, n := range numbers {
		y = append(y, x[int(n)])
	}
	return y
}

func TestTable(t *testing.T) {
	table := Table{Name: "t", Rows: []Rename{
		{Old: "features.denseblock*.denselayer*.norm.1.*", New: "features.denseblock*.denselayer*.norm1.*"},
		{Old: "a*b*", New: "*.*"},
		{Old: "swap.x", New: "swap.y"},
		{Old: "swap.y", New: "swap.x"},
		{Old: "block1*_conv/*", New: "blocks.0.*.conv.*", Letters: true},
	}}
	for old, want := range map[string]string{
		"block1c_conv/kernel":                             "blocks.0.2.conv.kernel",
		"scope/deeper/block1a_conv/ab":                    "blocks.0.0.conv.ab",
		"scope/deeper/block2a_conv/ab":                    "scope/deeper/block2a_conv/ab",
		"/block1a_conv/":                                  "/block1a_conv/",
		"features.denseblock2.denselayer13.norm.1.weight": "features.denseblock2.denselayer13.norm1.weight",
		"features.denseblock2.denselayer13.norm1.weight":  "features.denseblock2.denselayer13.norm1.weight",
		"features.denseblock.denselayer13.norm.1.weight":  "features.denseblock.denselayer13.norm.1.weight",
		"features.denseblock2.denselayer1.3.norm.1.bias":  "features.denseblock2.denselayer1.3.norm.1.bias",
		"axxbbb": "xx.bb",
		"ab":     "ab",
		"swap.x": "swap.y",
		"swap.y": "swap.x",
		"":       "",
	} {
		if got := table.Apply(old); got != want {
			t.Errorf("%s became %s, want %s", old, got, want)
		}
	}
	small := Table{Name: "t", Rows: []Rename{{Old: "x*", New: "y*"}}}
	for _, c := range []struct {
		name     string
		old, new []string
		want     string
	}{
		{"bijection", []string{"x1", "x2", "z"}, []string{"z", "y2", "y1"}, ""},
		{"two become one", []string{"x1", "y1"}, []string{"y1"}, "x1 and y1 both become y1"},
		{"nothing becomes", []string{"x1"}, []string{"y1", "y2"}, "nothing becomes y2"},
		{"not wanted", []string{"x1", "z"}, []string{"y1"}, "z becomes z, which is not wanted"},
		{"idle row", []string{"z"}, []string{"z"}, "row x* fits no name"},
	} {
		err := small.Check(c.old, c.new)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != "weights: table t: "+c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

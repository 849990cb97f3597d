package onnx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/internal/testenv"
	"zoobench/zoo"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// made is a network of the zoo as a file, with generated weights.
func made(t testing.TB, network string, o Options) (*File, *nn.Graph, weights.Source) {
	t.Helper()
	spec, err := zoo.Find(network)
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(g.Params)
	f, err := New(g, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return f, g, src
}

// TestEveryOperation looks for an operation that no writer writes.
func TestEveryOperation(t *testing.T) {
	for _, op := range nn.Ops() {
		constant := op == nn.Const || op == nn.RelCoords || op == nn.Resample
		if has := writers[op] != nil; has == constant {
			t.Errorf("%v: has a writer: %v, want %v", op, has, !constant)
		}
	}
}

// TestZoo makes a file of every network, and follows its names: each operator reads what is there before it, nothing is there
// twice or for nothing, and parameters keep their names and shapes.
func TestZoo(t *testing.T) {
	all := zoo.Default().All()
	if len(all) < 219 {
		t.Fatalf("%d networks, want all of the zoo", len(all))
	}
	for i, spec := range all {
		o := Options{Opset: MinOpset + i%(MaxOpset-MinOpset+1), Fold: i%2 == 1}
		f, g, _ := made(t, spec.Name, o)
		if err := followed(&f.model.Graph); err != nil {
			t.Errorf("%s, %+v: %v", spec.Name, o, err)
		}
		shapes := map[string][]int64{}
		for _, x := range f.model.Graph.Tensors {
			name, _, _ := strings.Cut(x.Name, "/")
			shapes[name] = x.Dims
		}
		for _, n := range g.Nodes {
			for _, i := range []int{n.Weight, n.Bias, n.Mean, n.Var} {
				if i < 0 || n.Const || o.Fold && n.Op == nn.BatchNorm {
					continue
				}
				p := g.Params[i]
				if have := shapes[p.Name]; !slices.Equal(have, wide(p.Shape)) {
					t.Errorf("%s: %s: shape %v, want %v", spec.Name, p.Name, have, p.Shape)
				}
			}
		}
	}
}

// followed follows a graph's names.
func followed(g *message.Graph) error {
	unused := map[string]bool{}
	for _, in := range g.Inputs {
		unused[in.Name] = true
	}
	add := func(name string) error {
		if _, again := unused[name]; again || name == "" {
			return fmt.Errorf("%q is there twice", name)
		}
		unused[name] = true
		return nil
	}
	for _, t := range g.Tensors {
		if err := add(t.Name); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		for _, in := range n.In {
			if _, ok := unused[in]; !ok {
				return fmt.Errorf("%s reads %q, which is not there yet", n.Name, in)
			}
			unused[in] = false
		}
		if err := add(n.Out[0]); err != nil {
			return err
		}
	}
	for _, out := range g.Outputs {
		unused[out.Name] = false
	}
	for name, is := range unused {
		if is {
			return fmt.Errorf("nothing reads %q", name)
		}
	}
	return nil
}

// TestOperators pins the operators of small networks of many kinds.
func TestOperators(t *testing.T) {
	var text strings.Builder
	for _, o := range []Options{{}, {Opset: MaxOpset, Fold: true}} {
		for _, network := range []string{
			"resnet18", "googlenet", "densenet121", "mobilenetv3_small_100", "shufflenet_v2_x0_5", "tf_efficientnet_b0", "ecaresnext26t_32x4d",
			"skresnet18", "resnetv2_50x1_bit", "nasnetamobile", "vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "convnext_tiny",
			"swin_tiny_patch4_window7_224", "coatnet_rmlp_nano_rw_224",
		} {
			f, _, _ := made(t, network, o)
			counts := map[string]int{}
			for _, n := range f.model.Graph.Nodes {
				counts[n.Op]++
			}
			fmt.Fprintf(&text, "%s, opset %d: %d operators, %d tensors", network, f.Opset(), len(f.model.Graph.Nodes), len(f.model.Graph.Tensors))
			for _, op := range slices.Sorted(maps.Keys(counts)) {
				fmt.Fprintf(&text, ", %d %s", counts[op], op)
			}
			text.WriteByte('\n')
		}
	}
	testenv.Golden(t, filepath.Join("testdata", "operators.txt"), []byte(text.String()))
}

// decoded is a file's tensors as numbers, by name.
func decoded(t *testing.T, f *File) map[string][]float32 {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	m, err := message.Decode(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]float32{}
	for _, x := range m.Graph.Tensors {
		v := []float32{}
		for i := 0; x.Type == message.Float32 && i < len(x.Raw); i += 4 {
			v = append(v, math.Float32frombits(binary.LittleEndian.Uint32(x.Raw[i:])))
		}
		all[x.Name] = v
	}
	return all
}

// TestWeights compares the numbers in a file with the source's.
func TestWeights(t *testing.T) {
	f, g, src := made(t, "mobilenetv3_small_100", Options{})
	all := decoded(t, f)
	for _, p := range g.Params {
		want, err := src.Float32(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(all[p.Name], want) {
			t.Errorf("%s: %d numbers, want %d and the same", p.Name, len(all[p.Name]), len(want))
		}
	}
}

// numbered is weights by their names.
type numbered map[string][]float32

func (w numbered) Float32(name string) ([]float32, error) {
	if v, ok := w[name]; ok {
		return v, nil
	}
	return nil, errors.New("no " + name)
}

func (w numbered) Release(string) {}

// TestFold computes a convolution with a batch norm behind it, and the convolution that a file has in their place.
func TestFold(t *testing.T) {
	scaled := func(g *nn.Builder, x nn.Value) nn.Value { return g.BatchNorm("norm", x, 1e-3) }
	for _, test := range []struct {
		k    nn.Kernel
		norm func(*nn.Builder, nn.Value) nn.Value
	}{
		{nn.K(3), scaled}, {nn.K(3).G(2).S(2).WithBias(), scaled}, {nn.K(1), scaled},
		{nn.K(1), func(g *nn.Builder, x nn.Value) nn.Value { return g.BatchNormUnscaled("norm", x, 1e-3, 0.1) }},
		{nn.K(1), func(g *nn.Builder, x nn.Value) nn.Value { return g.Standardize("norm", x) }},
	} {
		k := test.k
		build := func(norm bool) *nn.Graph {
			k.Bias = k.Bias || !norm
			g, err := nn.Build("fold", func(g *nn.Builder, x nn.Value) nn.Value {
				x = g.Conv("b", g.Conv("a", x, 4, nn.K(1)), 6, k)
				if norm {
					x = test.norm(g, x)
				}
				return g.Flatten(x)
			}, nn.Config{Size: 5, Classes: 10})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		g, plain := build(true), build(false)
		src := weights.Generator{Seed: 3}.Source(g.Params)
		f, err := New(g, src, Options{Fold: true})
		if err != nil {
			t.Fatal(err)
		}
		all := decoded(t, f)
		folded := numbered{"a.weight": all["a.weight"], "b.weight": all["b.weight/folded"], "b.bias": all["b.bias/folded"]}
		images := weights.Generator{}.Images(5)
		want, err := interp.Run(g, src, images, 2)
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.Run(plain, folded, images, 2)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-6 {
				t.Fatalf("%+v: output %d is %v, want %v", k, i, got[i], want[i])
			}
		}
	}
}

// TestSplit writes a file of two parts, finds the numbers there, and finds what was changed since in either.
func TestSplit(t *testing.T) {
	f, g, src := made(t, "mobilenetv3_small_050", Options{Properties: []Property{{Key: "a", Value: "b"}}})
	var one bytes.Buffer
	if err := f.Write(&one); err != nil {
		t.Fatal(err)
	}
	if err := f.Check(one.Bytes(), nil); err != nil {
		t.Fatal(err)
	}
	f.Split("m.onnx.data")
	var small, data bytes.Buffer
	if err := errors.Join(f.Write(&small), f.WriteData(&data)); err != nil {
		t.Fatal(err)
	}
	if small.Len() > one.Len()/4 || data.Len() < one.Len()*3/4 {
		t.Errorf("parts of %d and %d bytes of %d", small.Len(), data.Len(), one.Len())
	}
	if err := f.Check(small.Bytes(), bytes.NewReader(data.Bytes())); err != nil {
		t.Error(err)
	}
	m, err := message.Decode(small.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	far := 0
	for _, x := range m.Graph.Tensors {
		at := slices.IndexFunc(g.Params, func(p nn.Param) bool { return p.Name == x.Name })
		if x.External == nil || at < 0 {
			continue
		}
		far++
		want, err := src.Float32(x.Name)
		if err != nil {
			t.Fatal(err)
		}
		first := math.Float32frombits(binary.LittleEndian.Uint32(data.Bytes()[x.External.Offset:]))
		if x.External.Location != "m.onnx.data" || x.External.Length != int64(4*len(want)) || x.External.Offset%4096 != 0 || first != want[0] {
			t.Errorf("%s: %+v, begins with %v; want %d bytes that begin with %v", x.Name, *x.External, first, 4*len(want), want[0])
		}
	}
	if far < 50 {
		t.Errorf("%d external parameters, want most of %d", far, len(g.Params))
	}
	for name, part := range map[string][]byte{"file": small.Bytes(), "data": data.Bytes()} {
		part[len(part)-1] ^= 1
		if err := f.Check(small.Bytes(), bytes.NewReader(data.Bytes())); err == nil {
			t.Errorf("the %s has another last byte, and Check finds nothing", name)
		}
		part[len(part)-1] ^= 1
	}
	if err := f.Check(small.Bytes(), bytes.NewReader(data.Bytes()[:100])); err == nil {
		t.Error("the data are cut short, and Check finds nothing")
	}
}

func TestOpsets(t *testing.T) {
	g, err := nn.Build("small", func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Linear("fc", g.GlobalAvgPool(x), 2)
	}, nn.Config{Size: 5, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, opset := range []int{-1, MinOpset - 1, MaxOpset + 1} {
		if _, err := New(g, weights.Generator{}.Source(g.Params), Options{Opset: opset}); err == nil {
			t.Errorf("opset %d: no error", opset)
		}
	}
}

// TestLarge asks of networks whether they fit into one file.
func TestLarge(t *testing.T) {
	for network, want := range map[string]bool{"resnet18": true, "regnety_640": true, "regnety_1280": false, "resnetv2_152x4_bit": false} {
		if f, _, _ := made(t, network, Options{}); f.Whole() != want {
			t.Errorf("%s: fits into one file: %v, want %v", network, f.Whole(), want)
		}
	}
}

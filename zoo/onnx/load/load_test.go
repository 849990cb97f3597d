package load_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// exported is a network of the zoo with generated weights, and its file.
func exported(t testing.TB, network string, size int, o onnx.Options) (*nn.Graph, weights.Source, []byte) {
	t.Helper()
	spec, err := zoo.Find(network)
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(size, 10)
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(g.Params)
	f, err := onnx.New(g, src, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return g, src, b.Bytes()
}

// ran is what an engine computes of two images, and how.
func ran(t *testing.T, g *nn.Graph, src engine.Weights) ([]float32, engine.Plan, []engine.Layer) {
	t.Helper()
	e, err := engine.New(g, src, engine.Options{Threads: 1, Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	dst := make([]float32, 2*g.Output().Elems())
	e.Run(dst, weights.Generator{}.Images(g.Input().H), 2)
	return dst, e.Plan(), e.Layers()
}

// TestRoundTrip writes networks of many families and reads them: the answers are the same, by the same plan.
func TestRoundTrip(t *testing.T) {
	for _, test := range []struct {
		network string
		size    int
	}{
		{"resnet18", 64}, {"googlenet", 64}, {"densenet121", 64}, {"mobilenetv3_small_050", 64}, {"shufflenet_v2_x0_5", 64},
		{"ecaresnext26t_32x4d", 64}, {"skresnet18", 64}, {"resnetv2_50x1_bit", 64}, {"nasnetamobile", 96}, {"vit_tiny_patch16_224", 64},
		{"deit_tiny_distilled_patch16_224", 64}, {"convnext_tiny", 64}, {"swin_tiny_patch4_window7_224", 224},
		{"coatnet_rmlp_nano_rw_224", 64}, {"regnety_002", 64},
		{"keras_vgg16", 32}, {"keras_resnet50", 64}, {"keras_resnet50v2", 64}, {"keras_inceptionv3", 75}, {"keras_inceptionresnetv2", 75},
		{"keras_xception", 71}, {"keras_mobilenet_025", 64}, {"keras_mobilenetv2_035", 64}, {"keras_mobilenetv3small_minimalistic", 64},
		{"keras_densenet121", 64}, {"keras_nasnetmobile", 64}, {"keras_efficientnetb0", 64}, {"keras_efficientnetv2b0", 64},
		{"keras_convnexttiny", 64},
	} {
		for _, o := range []onnx.Options{{}, {Opset: 21, Fold: true}} {
			t.Run(test.network, func(t *testing.T) {
				g, src, file := exported(t, test.network, test.size, o)
				n, err := load.Read(test.network+".onnx", file, "", load.Options{})
				if err != nil {
					t.Fatal(err)
				}
				want, plan, layers := ran(t, g, src)
				got, other, have := ran(t, n.Graph, n.Weights)
				largest, most := 0.0, 0.0
				for i := range want {
					largest = max(largest, math.Abs(float64(want[i])))
					most = max(most, math.Abs(float64(got[i]-want[i])))
				}
				if !(most <= 1e-6*largest) {
					t.Errorf("%+v: off by %.2g of the largest logit", o, most/largest)
				}
				// A file without batch norms has other layers fused.
				if !o.Fold && plan.Hash != other.Hash {
					t.Errorf("plan\n%s\nwant\n%s", lines(have), lines(layers))
				}
			})
		}
	}
}

// TestOtherSpellings reads files that say the same otherwise: layer norms of means and roots, as exporters before opset 17 write
// them, and a fixed number of images.
func TestOtherSpellings(t *testing.T) {
	g, src, file := exported(t, "vit_tiny_patch16_224", 64, onnx.Options{})
	want, plan, _ := ran(t, g, src)
	for _, test := range []struct {
		name   string
		change func(*message.Model)
	}{
		{"layer norms of means", func(m *message.Model) { unfuse(&m.Graph) }},
		{"one image", func(m *message.Model) { m.Graph.Inputs[0].Dims[0] = message.Dim{Size: 1, Known: true} }},
		{"two images, and layer norms of means", func(m *message.Model) {
			unfuse(&m.Graph)
			m.Graph.Inputs[0].Dims[0] = message.Dim{Size: 2, Known: true}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := message.Decode(bytes.Clone(file))
			if err != nil {
				t.Fatal(err)
			}
			test.change(m)
			var b bytes.Buffer
			if err := message.Encode(&b, m, nil); err != nil {
				t.Fatal(err)
			}
			n, err := load.Read("vit.onnx", b.Bytes(), "", load.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, other, _ := ran(t, n.Graph, n.Weights)
			if plan.Hash != other.Hash || !slices.Equal(got, want) {
				t.Errorf("plan %s and logits %v, want %s and %v", other.Hash, got[:3], plan.Hash, want[:3])
			}
		})
	}
}

// unfuse makes a graph's layer norms of means and roots.
func unfuse(g *message.Graph) {
	var nodes []message.Node
	for _, n := range g.Nodes {
		if n.Op != "LayerNormalization" {
			nodes = append(nodes, n)
			continue
		}
		epsilon := float32(0)
		for _, a := range n.Attributes {
			if a.Name == "epsilon" {
				epsilon = a.Float
			}
		}
		out := n.Out[0]
		scalar := func(name string, v float32) string {
			g.Tensors = append(g.Tensors, message.Tensor{Name: out + name, Type: message.Float32,
				Raw: binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))})
			return out + name
		}
		last := []message.Attribute{{Name: "axes", Kind: message.IsInts, Ints: []int64{-1}}}
		add := func(op, name string, attributes []message.Attribute, in ...string) string {
			nodes = append(nodes, message.Node{Name: n.Name, Op: op, In: in, Out: []string{out + name}, Attributes: attributes})
			return out + name
		}
		centred := add("Sub", "/centred", nil, n.In[0], add("ReduceMean", "/mean", last, n.In[0]))
		variance := add("ReduceMean", "/variance", last, add("Pow", "/square", nil, centred, scalar("/two", 2)))
		root := add("Sqrt", "/root", nil, add("Add", "/sum", nil, variance, scalar("/epsilon", epsilon)))
		scaled := add("Mul", "/scaled", nil, add("Div", "/unit", nil, centred, root), n.In[1])
		add("Add", "", nil, scaled, n.In[2])
	}
	g.Nodes = nodes
}

// lines are an engine's layers.
func lines(layers []engine.Layer) string {
	var text strings.Builder
	for _, l := range layers {
		fmt.Fprintln(&text, l.Name, strings.Join(append([]string{l.Op}, l.Fused...), "+"), l.Algorithm)
	}
	return text.String()
}

// TestRefuses reads what is no network, or none that can be had.
func TestRefuses(t *testing.T) {
	_, _, file := exported(t, "mobilenetv3_small_050", 32, onnx.Options{})
	changed := func(change func(*message.Model)) []byte {
		m, err := message.Decode(bytes.Clone(file))
		if err != nil {
			t.Fatal(err)
		}
		change(m)
		var b bytes.Buffer
		if err := message.Encode(&b, m, nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	dir := t.TempDir()
	inner := filepath.Join(dir, "models")
	if err := os.Mkdir(inner, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), make([]byte, 1<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(inner, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(inner, "short"), make([]byte, 16), 0o666); err != nil {
		t.Fatal(err)
	}
	external := func(location string, offset int64) []byte {
		return changed(func(m *message.Model) {
			x := &m.Graph.Tensors[0]
			x.Raw, x.External = nil, &message.External{Location: location, Offset: offset, Length: -1}
		})
	}
	for _, test := range []struct {
		name string
		file []byte
		want []string
	}{
		{"text", []byte("# a text file of that name\n"), []string{"x.onnx", "cut short"}},
		{"cut short", file[:len(file)/2], []string{"cut short"}},
		{"no operators", changed(func(m *message.Model) { m.Graph.Nodes = nil }), []string{`result "logits"`}},
		{"opset", changed(func(m *message.Model) { m.Opsets[0].Version = 99 }), []string{"opset 99, want 7 to 21"}},
		{"a cycle", changed(func(m *message.Model) { n := m.Graph.Nodes; n[0].In[0] = n[2].Out[0] }),
			[]string{"(Conv)", "which nothing before it makes"}},
		{"an absent input", changed(func(m *message.Model) { m.Graph.Nodes[0].In[0] = "gone" }), []string{`"gone"`}},
		{"all unknown operators at once", changed(func(m *message.Model) {
			n := m.Graph.Nodes
			n[0].Op, n[3].Op, n[4].Domain = "Foo", "Bar", "com.microsoft"
		}), []string{"3 faults", "operator Foo", "operator Bar", "operator com.microsoft.", "conv_stem/Conv"}},
		{"all unknown settings at once", changed(func(m *message.Model) {
			for i := range m.Graph.Nodes {
				if n := &m.Graph.Nodes[i]; n.Op == "Conv" && i < 1 || n.Op == "Gemm" {
					n.Attributes = append(n.Attributes, message.Attribute{Name: "odd", Kind: message.IsInt})
				}
			}
		}), []string{"setting odd", "(Conv)"}},
		{"all layers that the graph refuses, and what is before them", changed(func(m *message.Model) {
			g := &m.Graph
			for k := range g.Nodes[0].Attributes {
				if a := &g.Nodes[0].Attributes[k]; a.Name == "dilations" {
					a.Ints = []int64{64, 64} // wider than the image
				}
			}
			second := g.Nodes[0]
			second.Name, second.In, second.Out = "second/Conv", []string{"shifted", second.In[1]}, []string{"second"}
			both := message.Node{Op: "Add", In: []string{g.Nodes[0].Out[0], "second"}, Out: []string{"both"}}
			shift := message.Node{Name: "shift", Op: "Relu", In: []string{g.Inputs[0].Name}, Out: []string{"shifted"}}
			g.Nodes[1].In[0] = "both"
			g.Nodes = slices.Insert(g.Nodes, 1, shift, second, both)
			last := &m.Graph.Nodes[len(m.Graph.Nodes)-1]
			last.Attributes = append(last.Attributes, message.Attribute{Name: "odd", Kind: message.IsInt})
		}), []string{"3 faults", `"conv_stem/Conv" (Conv): `, `"second/Conv" (Conv) after "shift" (Relu): `, "does not fit", "setting odd"}},
		{"a function without a layer", changed(func(m *message.Model) {
			for i := range m.Graph.Nodes {
				if n := &m.Graph.Nodes[i]; n.Op == "HardSigmoid" {
					n.Attributes = nil
				}
			}
		}), []string{"a function that no layer has", "HardSigmoid"}},
		{"a lying shape", changed(func(m *message.Model) {
			m.Graph.Tensors[0].Dims = []int64{16, 3, 3, 4}
			m.Graph.Tensors[0].Raw = append(m.Graph.Tensors[0].Raw, make([]byte, 16*3*3*4)...)
		}), []string{"kernel_shape"}},
		{"a large window", changed(func(m *message.Model) {
			for i := range m.Graph.Nodes[0].Attributes {
				if a := &m.Graph.Nodes[0].Attributes[i]; a.Name == "pads" {
					a.Ints = []int64{1 << 40, 0, 0, 0}
				}
			}
		}), []string{"pads"}},
		{"data above the folder", external("../secret", 0), []string{"external data", "escapes"}},
		{"data at a path", external(filepath.Join(dir, "secret"), 0), []string{"external data", "escapes"}},
		{"data behind a link", external("link", 0), []string{"external data", "escapes"}},
		{"no data", external("none", 0), []string{"external data", "no such file"}},
		{"short data", external("short", 0), []string{"shorter than"}},
		{"data beyond the end", external("short", 1<<62), []string{"shorter than"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load.Read("x.onnx", test.file, inner, load.Options{})
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %s", err, want)
				}
			}
		})
	}
}

// TestNaN reads a network with a weight that is no number.
func TestNaN(t *testing.T) {
	_, _, file := exported(t, "mobilenetv3_small_050", 32, onnx.Options{})
	m, err := message.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(m.Graph.Tensors[0].Raw[4:], math.Float32bits(float32(math.NaN()))) // in file itself
	n, err := load.Read("x.onnx", file, "", load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "conv_stem.weight: number 1 of 432 is NaN"
	if _, err := engine.New(n.Graph, n.Weights, engine.Options{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// FuzzRead reads anything: a network or an error.
func FuzzRead(f *testing.F) {
	for _, network := range []string{"mobilenetv3_small_050", "resnet18"} {
		spec, err := zoo.Find(network)
		if err != nil {
			f.Fatal(err)
		}
		g, err := spec.Graph(32, 2)
		if err != nil {
			f.Fatal(err)
		}
		e, err := onnx.New(g, weights.Generator{}.Source(g.Params), onnx.Options{})
		if err != nil {
			f.Fatal(err)
		}
		e.Split("away") // the operators are what is fuzzed
		var b bytes.Buffer
		if err := e.Write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "away"), make([]byte, 64<<20), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		n, err := load.Read("x.onnx", file, dir, load.Options{Size: 32})
		if err == nil && n.Graph.Output().Elems() != n.Graph.Classes {
			t.Errorf("%v for %d classes", n.Graph.Output(), n.Graph.Classes)
		}
	})
}

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

	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// A speller writes a file anew: nodes go before and behind those that are there.
type speller struct {
	g     *message.Graph
	nodes []message.Node
	count int
}

func (s *speller) add(op, in string, rest []string, attributes ...message.Attribute) string {
	s.count++
	out := fmt.Sprintf("%s/%s/%d", in, op, s.count)
	s.nodes = append(s.nodes, message.Node{Op: op, In: append([]string{in}, rest...), Out: []string{out}, Attributes: attributes})
	return out
}

func (s *speller) transpose(in string, perm ...int64) string {
	return s.add("Transpose", in, nil, message.Attribute{Name: "perm", Kind: message.IsInts, Ints: perm})
}

func (s *speller) scalar(v float32) string {
	s.count++
	name := fmt.Sprintf("scalar/%d", s.count)
	s.g.Tensors = append(s.g.Tensors, message.Tensor{Name: name, Type: message.Float32,
		Raw: binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))})
	return name
}

func (s *speller) whole(t message.Type, v byte) string {
	s.count++
	name := fmt.Sprintf("whole/%d", s.count)
	s.g.Tensors = append(s.g.Tensors, message.Tensor{Name: name, Type: t, Raw: []byte{v}})
	return name
}

// channelsLast takes images as (N,H,W,C) and has transposes around every operator of planes, as files of tf2onnx have before they
// are optimised.
func channelsLast(m *message.Model) {
	s := &speller{g: &m.Graph}
	in := &m.Graph.Inputs[0]
	d := in.Dims
	in.Dims = []message.Dim{d[0], d[2], d[3], d[1]}
	back := map[string]string{in.Name: in.Name}
	for _, n := range m.Graph.Nodes {
		switch n.Op {
		case "Conv", "BatchNormalization", "MaxPool", "Relu", "Clip":
		default:
			for i, name := range n.In {
				if last := back[name]; last != "" {
					n.In[i] = s.transpose(last, 0, 3, 1, 2)
				}
			}
			s.nodes = append(s.nodes, n)
			continue
		}
		if last := back[n.In[0]]; last != "" {
			n.In[0] = s.transpose(last, 0, 3, 1, 2)
		}
		s.nodes = append(s.nodes, n)
		back[n.Out[0]] = s.transpose(n.Out[0], 0, 2, 3, 1)
	}
	m.Graph.Nodes = s.nodes
}

// quantised has weights of eight bits and values between QuantizeLinear and DequantizeLinear.
func quantised(m *message.Model) {
	s := &speller{g: &m.Graph}
	renamed := map[string]string{}
	for _, n := range m.Graph.Nodes {
		for i, name := range n.In {
			if other := renamed[name]; other != "" {
				n.In[i] = other
			}
		}
		if n.Op != "Conv" {
			s.nodes = append(s.nodes, n)
			continue
		}
		at := slices.IndexFunc(m.Graph.Tensors, func(t message.Tensor) bool { return t.Name == n.In[1] })
		w := &m.Graph.Tensors[at]
		raw := make([]byte, len(w.Raw)/4)
		for i := range raw {
			raw[i] = byte(int8(100 * math.Sin(float64(i))))
		}
		scales := message.Tensor{Name: w.Name + "_scale", Type: message.Float32, Dims: w.Dims[:1]}
		for i := range w.Dims[0] {
			scales.Raw = binary.LittleEndian.AppendUint32(scales.Raw, math.Float32bits(0.001+0.0001*float32(i%7)))
		}
		w.Name, w.Type, w.Raw = w.Name+"_quantized", message.Int8, raw
		zeros := message.Tensor{Name: w.Name + "_zero", Type: message.Int8, Dims: w.Dims[:1], Raw: make([]byte, w.Dims[0])}
		first := message.Attribute{Name: "axis", Kind: message.IsInt, Int: 0}
		n.In[1] = s.add("DequantizeLinear", w.Name, []string{scales.Name, zeros.Name}, first)
		m.Graph.Tensors = append(m.Graph.Tensors, scales, zeros)
		grid := []string{s.scalar(0.05), s.whole(message.Uint8, 128)}
		n.In[0] = s.add("DequantizeLinear", s.add("QuantizeLinear", n.In[0], grid), grid)
		s.nodes = append(s.nodes, n)
	}
	m.Graph.Nodes = s.nodes
}

// dequantised has the weights of quantised as floats.
func dequantised(m *message.Model) {
	for i := range m.Graph.Tensors {
		w := &m.Graph.Tensors[i]
		if len(w.Dims) != 4 {
			continue
		}
		each := len(w.Raw) / 4 / int(w.Dims[0])
		for k := range len(w.Raw) / 4 {
			v := float32(int8(100*math.Sin(float64(k)))) * (0.001 + 0.0001*float32(k/each%7))
			binary.LittleEndian.PutUint32(w.Raw[4*k:], math.Float32bits(v))
		}
	}
}

// halves has weights, and images, of sixteen bits; rounded has float32 of the same values.
func halves(m *message.Model) {
	for i := range m.Graph.Tensors {
		if w := &m.Graph.Tensors[i]; w.Type == message.Float32 {
			half := make([]byte, 0, len(w.Raw)/2)
			for k := 0; k < len(w.Raw); k += 4 {
				half = append(half, w.Raw[k+2:k+4]...)
			}
			w.Type, w.Raw = message.BFloat16, half
		}
	}
	m.Graph.Inputs[0].Type = message.Float16
}

func rounded(m *message.Model) {
	for i := range m.Graph.Tensors {
		if w := &m.Graph.Tensors[i]; w.Type == message.Float32 {
			for k := 0; k < len(w.Raw); k += 4 {
				w.Raw[k], w.Raw[k+1] = 0, 0
			}
		}
	}
}

// softmaxed ends with a softmax.
func softmaxed(m *message.Model) {
	g := &m.Graph
	g.Nodes = append(g.Nodes, message.Node{Op: "Softmax", In: []string{g.Outputs[0].Name}, Out: []string{"shares"},
		Attributes: []message.Attribute{{Name: "axis", Kind: message.IsInt, Int: 1}}})
	g.Outputs[0].Name = "shares"
}

// reduced has means of pixels by ReduceMean.
func reduced(m *message.Model) {
	for i := range m.Graph.Nodes {
		if n := &m.Graph.Nodes[i]; n.Op == "GlobalAveragePool" {
			n.Op = "ReduceMean"
			n.Attributes = []message.Attribute{{Name: "axes", Kind: message.IsInts, Ints: []int64{2, -1}}}
		}
	}
}

func reread(t *testing.T, file []byte, change func(*message.Model)) *load.Network {
	t.Helper()
	n, err := load.Read("x.onnx", changedFile(t, file, change), "", load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func changedFile(t *testing.T, file []byte, change func(*message.Model)) []byte {
	t.Helper()
	m, err := message.Decode(bytes.Clone(file))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(m)
	}
	var b bytes.Buffer
	if err := message.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSpellings reads a network that is written in other ways: the answers and the plan are those of the plain file, so that
// nothing of the other way is left.
func TestSpellings(t *testing.T) {
	for _, network := range []string{"resnet18", "mobilenetv2_100"} {
		_, _, file := exported(t, network, 64, onnx.Options{})
		for _, test := range []struct {
			name          string
			change, plain func(*message.Model)
			note          string
		}{
			{"channels last", channelsLast, nil, ""},
			{"channels last, of three images", func(m *message.Model) {
				channelsLast(m)
				m.Graph.Inputs[0].Dims[0] = message.Dim{Size: 3, Known: true}
			}, nil, ""},
			{"whole numbers", quantised, dequantised, "weights are turned into float32"},
			{"sixteen bits", halves, rounded, "they are turned into float32"},
			{"a softmax at the end", softmaxed, nil, ""},
			{"means of pixels", reduced, nil, ""},
			{"opset 13", func(m *message.Model) { m.Opsets[0].Version = 13 }, nil, ""},
		} {
			t.Run(network+", "+test.name, func(t *testing.T) {
				plain, other := reread(t, file, test.plain), reread(t, file, test.change)
				want, plan, layers := ran(t, plain.Graph, plain.Weights)
				got, otherPlan, have := ran(t, other.Graph, other.Weights)
				if !slices.Equal(got, want) {
					t.Errorf("logits %v, want %v", got[:3], want[:3])
				}
				if plan.Hash != otherPlan.Hash {
					t.Errorf("plan\n%s\nwant\n%s", lines(have), lines(layers))
				}
				if notes := strings.Join(other.Notes, "; "); !strings.Contains(notes, test.note) || test.note == "" && notes != "" {
					t.Errorf("notes %q, want %q", notes, test.note)
				}
			})
		}
	}
}

// TestImages reads networks of other images than squares of three channels.
func TestImages(t *testing.T) {
	dims := func(m *message.Model, sizes ...int64) {
		d := m.Graph.Inputs[0].Dims
		for i, size := range sizes {
			d[i+1] = message.Dim{Size: size, Known: size > 0}
		}
	}
	_, _, file := exported(t, "resnet18", 64, onnx.Options{})
	for _, test := range []struct {
		name   string
		change func(*message.Model)
		want   nn.Shape
	}{
		{"oblong", func(m *message.Model) { dims(m, 3, 40, 72) }, nn.Shape{C: 3, H: 40, W: 72}},
		{"open rows", func(m *message.Model) { dims(m, 3, 0, 72) }, nn.Shape{C: 3, H: 48, W: 72}},
		{"oblong, channels last", func(m *message.Model) { dims(m, 3, 40, 72); channelsLast(m) }, nn.Shape{C: 3, H: 40, W: 72}},
		{"grey", func(m *message.Model) { dims(m, 1, 28, 28); channels(m, 1) }, nn.Shape{C: 1, H: 28, W: 28}},
		{"grey, channels last", func(m *message.Model) { dims(m, 1, 28, 28); channels(m, 1); channelsLast(m) }, nn.Shape{C: 1, H: 28, W: 28}},
		{"five channels", func(m *message.Model) { dims(m, 5, 32, 32); channels(m, 5) }, nn.Shape{C: 5, H: 32, W: 32}},
		{"twelve channels last", func(m *message.Model) { dims(m, 12, 32, 32); channels(m, 12); channelsLast(m) }, nn.Shape{C: 12, H: 32, W: 32}},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := load.Read("x.onnx", changedFile(t, file, test.change), "", load.Options{Size: 48})
			if err != nil {
				t.Fatal(err)
			}
			if have := n.Graph.Input(); have != test.want {
				t.Fatalf("images of %v, want %v", have, test.want)
			}
			e, err := engine.New(n.Graph, n.Weights, engine.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			y := make([]float32, 10)
			e.Run(y, weights.Generator{}.Planes(test.want.C, test.want.H, test.want.W), 1)
			if slices.ContainsFunc(y, func(v float32) bool { return v != v }) || y[0] == y[1] {
				t.Errorf("logits %v", y)
			}
		})
	}
}

// TestLuma reads a network of grey images that is given red, green and blue ones.
func TestLuma(t *testing.T) {
	_, _, file := exported(t, "resnet18", 64, onnx.Options{})
	file = changedFile(t, file, func(m *message.Model) { channels(m, 1); m.Graph.Inputs[0].Dims[1].Size = 1 })
	answer := func(o load.Options, images []float32) []float32 {
		n, err := load.Read("x.onnx", file, "", o)
		if err != nil {
			t.Fatal(err)
		}
		e, err := engine.New(n.Graph, n.Weights, engine.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		y := make([]float32, 10)
		e.Run(y, images, 1)
		return y
	}
	red := weights.Generator{}.Planes(3, 64, 64)
	grey := make([]float32, 64*64)
	for i := range grey {
		grey[i] = 0.299*red[3*i] + 0.587*red[3*i+1] + 0.114*red[3*i+2]
	}
	got, want := answer(load.Options{Luma: true}, red), answer(load.Options{}, grey)
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) <= 1e-4*math.Abs(float64(want[i]))+1e-4) {
			t.Fatalf("logits %v, want %v", got, want)
		}
	}
}

// channels gives the first convolution a weight for so many.
func channels(m *message.Model, n int64) {
	name := m.Graph.Nodes[0].In[1]
	for i := range m.Graph.Tensors {
		if w := &m.Graph.Tensors[i]; w.Name == name {
			raw := bytes.Repeat(w.Raw, int(n))
			w.Raw, w.Dims = raw[:len(w.Raw)/3*int(n)], []int64{w.Dims[0], n, w.Dims[2], w.Dims[3]}
		}
	}
}

// TestBytes reads a network that takes the bytes of images and prepares them itself.
func TestBytes(t *testing.T) {
	_, _, file := exported(t, "resnet18", 64, onnx.Options{})
	n := reread(t, file, func(m *message.Model) {
		channelsLast(m)
		in := &m.Graph.Inputs[0]
		in.Type = message.Uint8
		s := &speller{g: &m.Graph}
		x := s.add("Cast", in.Name, nil, message.Attribute{Name: "to", Kind: message.IsInt, Int: int64(message.Float32)})
		x = s.add("Sub", s.add("Div", x, []string{s.scalar(255)}), []string{s.scalar(0.5)})
		m.Graph.Nodes[0].In[0] = x
		m.Graph.Nodes = append(s.nodes, m.Graph.Nodes...)
	})
	if !n.Bytes || n.Graph.Nodes[1].Op != nn.Affine {
		t.Errorf("bytes %v and then %v, want bytes and then their share of 255, less a half", n.Bytes, n.Graph.Nodes[1].Op)
	}
}

// TestPrepared reads a file that prepares images by itself: the network begins behind that.
func TestPrepared(t *testing.T) {
	p := &onnx.Pixels{Resize: 73, Size: 64, Mean: [3]float64{0.5, 0.5, 0.5}, Std: [3]float64{0.25, 0.25, 0.25}}
	g, src, file := exported(t, "resnet18", 64, onnx.Options{Pixels: p})
	n := reread(t, file, nil)
	want, plan, _ := ran(t, g, src)
	got, other, _ := ran(t, n.Graph, n.Weights)
	if !slices.Equal(got, want) || plan.Hash != other.Hash || n.Bytes {
		t.Errorf("logits %v by plan %s of bytes %v, want %v by %s", got[:3], other.Hash, n.Bytes, want[:3], plan.Hash)
	}
}

// TestFlattenedPixels reads a classifier over an image that is flattened pixel by pixel, as TensorFlow does it.
func TestFlattenedPixels(t *testing.T) {
	const (
		side   = 8
		pixels = side * side
		elems  = 3 * pixels
	)
	arch := func(g *nn.Builder, x nn.Value) nn.Value { return g.LinearNoBias("fc", g.Flatten(g.ReLU(x)), 5) }
	g, err := nn.Build("flat", arch, nn.Config{Size: side, Classes: 5})
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(g.Params)
	w, err := src.Float32("fc.weight")
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 4*elems*5)
	for c := range 3 {
		for p := range pixels {
			for o := range 5 {
				binary.LittleEndian.PutUint32(raw[4*((p*3+c)*5+o):], math.Float32bits(w[o*elems+c*pixels+p]))
			}
		}
	}
	m := &message.Model{IR: 8, Opsets: []message.Opset{{Version: 13}}}
	s := &speller{g: &m.Graph}
	size := message.Dim{Size: side, Known: true}
	m.Graph.Name, m.Graph.Outputs = g.Name, []message.Value{{Name: "y"}}
	m.Graph.Inputs = []message.Value{{Name: "x", Type: message.Float32, Shaped: true,
		Dims: []message.Dim{{}, size, size, {Size: 3, Known: true}}}}
	m.Graph.Tensors = []message.Tensor{{Name: "fc.weight", Type: message.Float32, Dims: []int64{elems, 5}, Raw: raw}, row("rows", -1, elems)}
	flat := s.add("Reshape", s.add("Relu", "x", nil), []string{"rows"})
	m.Graph.Nodes = append(s.nodes, message.Node{Op: "MatMul", In: []string{flat, "fc.weight"}, Out: []string{"y"}})
	var b bytes.Buffer
	if err := message.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	n, err := load.Read("x.onnx", b.Bytes(), "", load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, plan, _ := ran(t, g, src)
	if got, other, _ := ran(t, n.Graph, n.Weights); !slices.Equal(got, want) || plan.Hash != other.Hash {
		t.Errorf("logits %v by plan %s, want %v by %s", got, other.Hash, want, plan.Hash)
	}
}

// TestMapped reads a file that another program cuts short while it is mapped.
func TestMapped(t *testing.T) {
	_, _, file := exported(t, "mobilenetv3_small_050", 32, onnx.Options{})
	path := filepath.Join(t.TempDir(), "x.onnx")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	n, err := load.Open(path, load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Weights.Close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.New(n.Graph, n.Weights, engine.Options{}); err == nil || !strings.Contains(err.Error(), "became shorter") {
		t.Errorf("%v, want that the file became shorter", err)
	}
}

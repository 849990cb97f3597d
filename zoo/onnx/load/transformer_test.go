package load_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// Sizes of the transformer that is written in several ways: patches of 16×16 pixels, channels and heads.
const (
	sidePatches, width, heads = 4, 8, 2
	tokens                    = sidePatches * sidePatches
)

// transformer is the network that the files of TestTransformers are.
func transformer(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Conv("patch", x, width, nn.K(4).S(4).Valid().WithBias())
	x = g.LayerNorm("norm", g.Tokens(x), 1e-5)
	qkv := g.Concat(g.Linear("query", x, width), g.Linear("key", x, width), g.Linear("value", x, width))
	x = g.Add(g.Linear("out", g.Attention(qkv, nn.AttentionSpec{Heads: heads}), width), x)
	return g.Linear("head", g.GlobalAvgPool(x), g.Classes)
}

// writer adds to a speller what the transformer is made of.
type writer struct {
	speller
	src weights.Source
	t   *testing.T
}

func (w *writer) param(name string, dims ...int64) string {
	x, err := w.src.Float32(name)
	if err != nil {
		w.t.Fatal(err)
	}
	raw := make([]byte, 0, 4*len(x))
	for _, v := range x {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	if !slices.ContainsFunc(w.g.Tensors, func(t message.Tensor) bool { return t.Name == name }) {
		w.g.Tensors = append(w.g.Tensors, message.Tensor{Name: name, Type: message.Float32, Dims: dims, Raw: raw})
	}
	return name
}

func (w *writer) ints(v ...int64) string {
	w.count++
	t := row("ints/"+string(rune('a'+w.count%26))+string(rune('a'+w.count/26)), v...)
	w.g.Tensors = append(w.g.Tensors, t)
	return t.Name
}

// linear is a MatMul and its bias by an Add, the order of whose inputs changes nothing.
func (w *writer) linear(name, x string) string {
	weight := w.transpose(w.param(name+".weight", width, width), 1, 0)
	return w.add("Add", w.param(name+".bias", width), []string{w.add("MatMul", x, []string{weight})})
}

func ofAxis(v ...int64) message.Attribute {
	return message.Attribute{Name: "axes", Kind: message.IsInts, Ints: v}
}

// deviated is the root of a variance over the last axis, and what it is the root of.
func (w *writer) deviated(x string, last int64) (centred, mean, root string) {
	mean = w.add("ReduceMean", x, nil, ofAxis(last))
	centred = w.add("Sub", x, []string{mean})
	variance := w.add("ReduceMean", w.add("Mul", centred, []string{centred}), nil, ofAxis(last))
	return centred, mean, w.add("Sqrt", w.add("Add", variance, []string{w.scalar(1e-5)}), nil)
}

// The ways in which exporters write a layer norm of tokens (N,T,C).
var norms = map[string]func(w *writer, x string) string{
	"an operator": func(w *writer, x string) string {
		return w.add("LayerNormalization", x, []string{w.param("norm.weight", width), w.param("norm.bias", width)},
			message.Attribute{Name: "epsilon", Kind: message.IsFloat, Float: 1e-5})
	},
	"a quotient": func(w *writer, x string) string {
		centred, _, root := w.deviated(x, -1)
		x = w.add("Mul", w.add("Div", centred, []string{root}), []string{w.param("norm.weight", width)})
		return w.add("Add", x, []string{w.param("norm.bias", width)})
	},
	"a reciprocal root": func(w *writer, x string) string {
		centred, _, root := w.deviated(x, 2)
		x = w.add("Mul", w.param("norm.weight", width), []string{w.add("Mul", centred, []string{w.add("Reciprocal", root, nil)})})
		return w.add("Add", w.param("norm.bias", width), []string{x})
	},
	"TensorFlow's": func(w *writer, x string) string {
		_, mean, root := w.deviated(x, 2)
		scale := w.add("Mul", w.add("Reciprocal", root, nil), []string{w.param("norm.weight", width)})
		rest := w.add("Sub", w.param("norm.bias", width), []string{w.add("Mul", mean, []string{scale})})
		return w.add("Add", w.add("Mul", x, []string{scale}), []string{rest})
	},
	"channels first": func(w *writer, x string) string {
		centred, _, root := w.deviated(w.transpose(x, 0, 2, 1), 1)
		column := func(name string) string { return w.add("Unsqueeze", w.param(name, width), nil, ofAxis(1)) }
		x = w.add("Mul", column("norm.weight"), []string{w.add("Div", centred, []string{root})})
		return w.transpose(w.add("Add", x, []string{column("norm.bias")}), 0, 2, 1)
	},
}

// split are the heads of a linear layer.
func (w *writer) split(name, x string, perm ...int64) string {
	return w.transpose(w.add("Reshape", w.linear(name, x), []string{w.ints(0, tokens, heads, width/heads)}), perm...)
}

func (w *writer) joined(x string) string {
	return w.linear("out", w.add("Reshape", w.transpose(x, 0, 2, 1, 3), []string{w.ints(0, tokens, width)}))
}

func lastAxis() message.Attribute {
	return message.Attribute{Name: "axis", Kind: message.IsInt, Int: -1}
}

// The ways in which exporters write attention.
var attentions = map[string]func(w *writer, x string) string{
	"Hugging Face's": func(w *writer, x string) string {
		q, k, v := w.split("query", x, 0, 2, 1, 3), w.split("key", x, 0, 2, 3, 1), w.split("value", x, 0, 2, 1, 3)
		scores := w.add("Div", w.add("MatMul", q, []string{k}), []string{w.scalar(float32(math.Sqrt(width / heads)))})
		return w.joined(w.add("MatMul", w.add("Softmax", scores, nil, lastAxis()), []string{v}))
	},
	"PyTorch 2's": func(w *writer, x string) string { // the root of the scale for each, from the shape
		q, k, v := w.split("query", x, 0, 2, 1, 3), w.split("key", x, 0, 2, 1, 3), w.split("value", x, 0, 2, 1, 3)
		d := w.add("Gather", w.add("Shape", q, nil), []string{w.ints(3)}, message.Attribute{Name: "axis", Kind: message.IsInt})
		d = w.add("Cast", d, nil, message.Attribute{Name: "to", Kind: message.IsInt, Int: int64(message.Float32)})
		scale := w.add("Sqrt", w.add("Div", w.scalar(1), []string{w.add("Sqrt", d, nil)}), nil)
		q, k = w.add("Mul", q, []string{scale}), w.add("Mul", w.transpose(k, 0, 1, 3, 2), []string{scale})
		return w.joined(w.add("MatMul", w.add("Softmax", w.add("MatMul", q, []string{k}), nil, lastAxis()), []string{v}))
	},
	"scaled queries": func(w *writer, x string) string {
		q, k, v := w.split("query", x, 0, 2, 1, 3), w.split("key", x, 0, 2, 1, 3), w.split("value", x, 0, 2, 1, 3)
		q = w.add("Mul", q, []string{w.scalar(float32(1 / math.Sqrt(width/heads)))})
		scores := w.add("MatMul", q, []string{w.transpose(k, 0, 1, 3, 2)})
		return w.joined(w.add("MatMul", w.add("Softmax", scores, nil, lastAxis()), []string{v}))
	},
}

// TestTransformers reads a small transformer with each way to write its layer norm and its attention, for any number of images
// and for one: the answers and the plan are those of the graph that it is.
func TestTransformers(t *testing.T) {
	g, err := nn.Build("transformer", transformer, nn.Config{Size: 4 * sidePatches, Classes: 5})
	if err != nil {
		t.Fatal(err)
	}
	src := weights.Generator{}.Source(g.Params)
	want, plan, layers := ran(t, g, src)
	for norm, writeNorm := range norms {
		for attention, writeAttention := range attentions {
			for _, batch := range []message.Dim{{Name: "n"}, {Size: 1, Known: true}} {
				t.Run(norm+", "+attention+", "+batch.Name, func(t *testing.T) {
					m := &message.Model{IR: 8, Opsets: []message.Opset{{Version: 17}}}
					size := message.Dim{Size: 4 * sidePatches, Known: true}
					m.Graph.Inputs = []message.Value{{Name: "x", Type: message.Float32, Shaped: true,
						Dims: []message.Dim{batch, {Size: 3, Known: true}, size, size}}}
					m.Graph.Name, m.Graph.Outputs = g.Name, []message.Value{{Name: "y"}}
					w := &writer{speller{g: &m.Graph}, src, t}
					x := w.add("Conv", "x", []string{w.param("patch.weight", width, 3, 4, 4), w.param("patch.bias", width)},
						message.Attribute{Name: "strides", Kind: message.IsInts, Ints: []int64{4, 4}})
					x = writeNorm(w, w.transpose(w.add("Reshape", x, []string{w.ints(0, width, -1)}), 0, 2, 1))
					x = w.add("Add", writeAttention(w, x), []string{x})
					x = w.add("ReduceMean", x, nil, ofAxis(1), message.Attribute{Name: "keepdims", Kind: message.IsInt})
					w.nodes = append(w.nodes, message.Node{Op: "Gemm", Out: []string{"y"},
						In:         []string{x, w.param("head.weight", 5, width), w.param("head.bias", 5)},
						Attributes: []message.Attribute{{Name: "transB", Kind: message.IsInt, Int: 1}}})
					m.Graph.Nodes = w.nodes
					var b bytes.Buffer
					if err := message.Encode(&b, m, nil); err != nil {
						t.Fatal(err)
					}
					n, err := load.Read("x.onnx", b.Bytes(), "", load.Options{})
					if err != nil {
						t.Fatal(err)
					}
					got, other, have := ran(t, n.Graph, n.Weights)
					for i := range want {
						if !(math.Abs(float64(got[i]-want[i])) <= 1e-5) {
							t.Fatalf("logits %v, want %v", got, want)
						}
					}
					if plan.Hash != other.Hash {
						t.Errorf("plan\n%s\nwant\n%s", lines(have), lines(layers))
					}
				})
			}
		}
	}
}

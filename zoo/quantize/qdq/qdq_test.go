package qdq_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/quantize"
	"zoobench/zoo/quantize/qdq"
	"zoobench/zoo/weights"
)

const testImages = 3

// ran are the logits of an engine in int8, and its layers.
func ran(t *testing.T, g *nn.Graph, w engine.Weights, q *engine.Quantized, images []float32) ([]float32, []engine.Layer) {
	t.Helper()
	e, err := engine.New(g, w, engine.Options{Threads: 1, Quantized: q})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in, out := g.Input().Elems(), g.Output().Elems()
	y := make([]float32, testImages*out)
	for i := range testImages {
		e.Run(y[i*out:][:out], images[i*in:][:in], 1)
	}
	return y, e.Layers()
}

// lines are the kernels of layers and their precisions.
func lines(layers []engine.Layer) string {
	var b strings.Builder
	for _, l := range layers {
		fused := slices.DeleteFunc(slices.Clone(l.Fused), func(op string) bool { // which weights have
			return l.Kind != engine.KindElementwise && (op == "batch_norm" || op == "scale" || op == "affine")
		})
		fmt.Fprintln(&b, l.Op, fused, l.Algorithm, l.Precision)
	}
	return b.String()
}

// exported is a network as a file in int8.
func exported(t *testing.T, g *nn.Graph, w weights.Source, q *engine.Quantized, opset int) []byte {
	t.Helper()
	o, err := qdq.Of(g, w, q)
	if err != nil {
		t.Fatal(err)
	}
	f, err := onnx.New(g, w, onnx.Options{Int8: o, Opset: opset})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRoundTrip writes int8 networks of many families and reads them: the answers are the same bits, by the same kernels.
func TestRoundTrip(t *testing.T) {
	for _, test := range []struct {
		network string
		size    int
		share   float64 // of the multiply-accumulates that may stay in float32; 0 for a network that is quantised fast
	}{
		{"pocket_resnet20", 0, 0.1}, {"pocket_preresnet20", 0, -1}, {"pocket_resnext29", 0, -1}, {"pocket_densenet40", 0, 0},
		{"pocket_inception", 0, -1}, {"pocket_vgg11_plain", 0, -1}, {"pocket_mobilenetv1", 0, 0.3}, {"pocket_mobilenetv2", 0, 0.3},
		{"pocket_mobilenetv3", 0, 0}, {"pocket_shufflenetv2", 0, -1}, {"pocket_efficientnet", 0, 0}, {"pocket_seresnet20", 0, -1},
		{"pocket_cbamresnet20", 0, -1}, {"pocket_vit", 0, 0.2}, {"pocket_coatnet", 0, -1}, {"pocket_alexnet_sigmoid", 0, -1},
		{"regnety_002", 64, 0}, {"deit_tiny_distilled_patch16_224", 64, 0}, {"keras_nasnetmobile", 64, 0}, {"keras_mobilenetv2_035", 64, 0},
	} {
		t.Run(test.network, func(t *testing.T) {
			spec, err := zoo.Find(test.network)
			if err != nil {
				t.Fatal(err)
			}
			g, err := spec.Graph(test.size, 10)
			if err != nil {
				t.Fatal(err)
			}
			w := weights.Generator{Seed: 3}.Source(g.Params)
			var images []float32
			for seed := range uint64(testImages) {
				images = append(images, weights.Generator{Seed: seed, Gain: 1}.Images(g.Input().H)[:g.Input().Elems()]...)
			}
			o := quantize.Options{Share: test.share, Rule: quantize.Widest, Trials: 1, Fast: test.share == 0}
			made, err := quantize.Make(g, w, images, testImages, o)
			if err != nil {
				t.Fatal(err)
			}
			want, layers := ran(t, g, w, made.Int8, images)
			n, err := load.Read("x.onnx", exported(t, g, w, made.Int8, 0), "", load.Options{})
			if err != nil {
				t.Fatal(err)
			}
			read, sentences, err := qdq.Read(n)
			if err != nil || len(sentences) > 0 || len(read.Int8.Layers) != len(made.Int8.Layers) {
				t.Fatalf("%d layers, want %d; %q, %v", len(read.Int8.Layers), len(made.Int8.Layers), sentences, err)
			}
			got, have := ran(t, n.Graph, n.Weights, read.Int8, images)
			if !slices.Equal(got, want) {
				t.Errorf("logits %v, want %v", got[:5], want[:5])
			}
			if lines(have) != lines(layers) {
				t.Errorf("layers\n%s\nwant\n%s", lines(have), lines(layers))
			}
		})
	}
}

// TestOtherSpellings reads files that say the same with other types of numbers, to the same bits, and one with a layer that no
// engine takes.
func TestOtherSpellings(t *testing.T) {
	spec, err := zoo.Find("pocket_resnet8")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := weights.Generator{Seed: 3}.Source(g.Params)
	images := slices.Repeat(weights.Generator{Seed: 1, Gain: 1}.Images(g.Input().H)[:g.Input().Elems()], testImages)
	made, err := quantize.Make(g, w, images, testImages, quantize.Options{Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := ran(t, g, w, made.Int8, images)
	file := exported(t, g, w, made.Int8, 0)
	shift := func(from, to message.Type) func(*message.Graph) {
		return func(g *message.Graph) {
			for i := range g.Tensors {
				if x := &g.Tensors[i]; x.Type == from {
					x.Type = to
					for k := range x.Raw {
						x.Raw[k] ^= 128
					}
				}
			}
		}
	}
	for _, test := range []struct {
		name     string
		change   func(*message.Graph)
		sentence string
	}{
		{"signed values", shift(message.Uint8, message.Int8), ""},
		{"unsigned weights", shift(message.Int8, message.Uint8), ""},
		{"a weight of -128", func(g *message.Graph) {
			at := slices.IndexFunc(g.Tensors, func(t message.Tensor) bool { return t.Name == "layer2.0.conv1.weight/int8" })
			g.Tensors[at].Raw[0] = 128
		}, "layer layer2.0.conv1 of the file runs in float32: a weight of -128, want -127 to 127"},
		{"values that are not rounded", func(g *message.Graph) {
			for i := range g.Nodes {
				if n := &g.Nodes[i]; n.Op == "QuantizeLinear" && n.In[0] == g.Inputs[0].Name {
					g.Nodes[i].Op, g.Nodes[i+1].Op = "Identity", "Identity"
					n.In, g.Nodes[i+1].In = n.In[:1], g.Nodes[i+1].In[:1]
				}
			}
		}, "layer conv1 of the file runs in float32: what it reads is not rounded"},
	} {
		m, err := message.Decode(bytes.Clone(file))
		if err != nil {
			t.Fatal(err)
		}
		test.change(&m.Graph)
		var b bytes.Buffer
		if err := message.Encode(&b, m, nil); err != nil {
			t.Fatal(err)
		}
		n, err := load.Read("x.onnx", b.Bytes(), "", load.Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		read, sentences, err := qdq.Read(n)
		if err != nil || strings.Join(sentences, "; ") != test.sentence {
			t.Errorf("%s: %q, %v, want %q", test.name, sentences, err, test.sentence)
			continue
		}
		got, _ := ran(t, n.Graph, n.Weights, read.Int8, images)
		if slices.Equal(got, want) != (test.sentence == "") {
			t.Errorf("%s: logits %v, want %v", test.name, got[:3], want[:3])
		}
	}
}

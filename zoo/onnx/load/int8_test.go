package load_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/onnx"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/onnx/message"
)

// TestRefusesSteps reads files whose scales are no steps, or whose zero points are none of their numbers.
func TestRefusesSteps(t *testing.T) {
	_, _, file := exported(t, "resnet18", 32, onnx.Options{})
	file = changedFile(t, file, quantised)
	floats := func(v ...float64) (raw []byte) {
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
		}
		return raw
	}
	value := func(how func(scale, zero *message.Tensor)) func(*message.Model) { // of the image
		return func(m *message.Model) {
			g := &m.Graph
			n := g.Nodes[slices.IndexFunc(g.Nodes, func(n message.Node) bool { return n.Op == "QuantizeLinear" })]
			find := func(name string) *message.Tensor {
				return &g.Tensors[slices.IndexFunc(g.Tensors, func(t message.Tensor) bool { return t.Name == name })]
			}
			how(find(n.In[1]), find(n.In[2]))
		}
	}
	weight := func(end string, how func(*message.Tensor)) func(*message.Model) {
		return func(m *message.Model) {
			how(&m.Graph.Tensors[slices.IndexFunc(m.Graph.Tensors, func(t message.Tensor) bool { return t.Name == "conv1.weight"+end })])
		}
	}
	for _, test := range []struct {
		name   string
		change func(*message.Model)
		want   string
	}{
		{"scale 0", value(func(s, _ *message.Tensor) { s.Raw = floats(0) }), "scale 0 of 1 is 0, want a number above 0"},
		{"negative scale", value(func(s, _ *message.Tensor) { s.Raw = floats(-1) }), "scale 0 of 1 is -1, want a number above 0"},
		{"scale NaN", value(func(s, _ *message.Tensor) { s.Raw = floats(math.NaN()) }), "scale 0 of 1 is NaN"},
		{"infinite scale", value(func(s, _ *message.Tensor) { s.Raw = floats(math.Inf(1)) }), "scale 0 of 1 is +Inf"},
		{"two scales", value(func(s, _ *message.Tensor) { s.Dims, s.Raw = []int64{2}, floats(1, 1) }), "shape [2], want a single number"},
		{"zero point out of range", value(func(_, z *message.Tensor) { z.Raw, z.Ints = nil, []int64{300} }),
			"zero point 0 of 1 is 300, want 0 to 255"},
		{"zero point of another type", value(func(_, z *message.Tensor) { z.Type = message.Bool }), "of type 9"},
		{"scale 0 of weights", weight("_scale", func(s *message.Tensor) { copy(s.Raw[4*5:], floats(0)) }), "scale 5 of 64 is 0"},
		{"scale NaN of weights", weight("_scale", func(s *message.Tensor) { copy(s.Raw[4*63:], floats(math.NaN())) }), "scale 63 of 64 is NaN"},
		{"too few scales of weights", weight("_scale", func(s *message.Tensor) { s.Dims, s.Raw = []int64{63}, s.Raw[4:] }),
			"scales of shape [63] for [64 3 7 7], axis 0"},
		{"too many zero points", weight("_quantized_zero", func(z *message.Tensor) { z.Dims, z.Raw = []int64{65}, append(z.Raw, 0) }),
			"scales of shape [65] for [64 3 7 7], axis 0"},
		{"zero points of another type", weight("_quantized_zero", func(z *message.Tensor) { z.Type = message.Uint8 }),
			"zero points of type 2 for numbers of type 3"},
		{"zero point out of range of weights", weight("_quantized_zero", func(z *message.Tensor) {
			z.Raw, z.Ints = nil, make([]int64, 64)
			z.Ints[9] = 128
		}), "zero point 9 of 64 is 128, want -128 to 127"},
	} {
		_, err := load.Read("x.onnx", changedFile(t, file, test.change), "", load.Options{})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// TestSteps finds what files of other programs have in whole numbers, and what of it no engine computes with.
func TestSteps(t *testing.T) {
	_, _, file := exported(t, "resnet18", 32, onnx.Options{})
	weights := func(how func(w, scale, zero *message.Tensor)) func(*message.Model) {
		return func(m *message.Model) {
			find := func(end string) *message.Tensor {
				return &m.Graph.Tensors[slices.IndexFunc(m.Graph.Tensors, func(t message.Tensor) bool { return t.Name == "conv1.weight"+end })]
			}
			how(find("_quantized"), find("_scale"), find("_quantized_zero"))
		}
	}
	for _, test := range []struct {
		name   string
		change func(*message.Model)
		layers int // of 20 convolutions
		fault  string
	}{
		{"signed weights by channel", nil, 20, ""},
		{"unsigned weights around 128", weights(func(w, _, zero *message.Tensor) {
			w.Type, zero.Type = message.Uint8, message.Uint8
			for i := range w.Raw {
				w.Raw[i] += 128
			}
			for i := range zero.Raw {
				zero.Raw[i] = 128
			}
		}), 20, ""},
		{"one scale for all", weights(func(_, scale, zero *message.Tensor) {
			scale.Dims, scale.Raw, zero.Dims, zero.Raw = nil, scale.Raw[:4], nil, zero.Raw[:1]
		}), 20, ""},
		{"another zero point", weights(func(_, _, zero *message.Tensor) { zero.Raw[3] = 1 }), 19, "weights whose zero point is not the middle"},
		{"values of 16 bits", func(m *message.Model) {
			for i := range m.Graph.Tensors {
				if x := &m.Graph.Tensors[i]; strings.HasPrefix(x.Name, "whole/") {
					x.Type, x.Raw = message.Uint16, []byte{0, 128}
				}
			}
		}, 20, "values of 16 bits"},
	} {
		n, err := load.Read("x.onnx", changedFile(t, changedFile(t, file, quantised), test.change), "", load.Options{})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if faults := fmt.Sprint(n.Int8.Faults); len(n.Int8.Layers) != test.layers || faults != "["+test.fault+"]" {
			t.Errorf("%s: %d layers and %s, want %d and [%s]", test.name, len(n.Int8.Layers), faults, test.layers, test.fault)
		}
	}
}

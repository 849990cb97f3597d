package quantize

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// copyOf is a network in int8 that may be spoilt.
func copyOf(n *Network) *Network {
	c := *n
	c.Layers = slices.Clone(n.Layers)
	c.Int8 = &engine.Quantized{Layers: map[int]engine.Filters{}, Values: maps.Clone(n.Int8.Values), Factor: map[int][]float32{}}
	for node, f := range n.Int8.Layers {
		c.Int8.Layers[node] = engine.Filters{Weight: slices.Clone(f.Weight), Scale: slices.Clone(f.Scale), Bias: slices.Clone(f.Bias)}
	}
	for node, f := range n.Int8.Factor {
		c.Int8.Factor[node] = slices.Clone(f)
	}
	return &c
}

// TestReadRefuses names the item of a file that is not a network's int8 numbers.
func TestReadRefuses(t *testing.T) {
	arch := networks[0].arch
	g, w, images := build(t, arch)
	made, err := Make(g, w, images, testImages, Options{Threads: 1, Share: -1})
	if err != nil {
		t.Fatal(err)
	}
	other, err := nn.Build("other", arch, nn.Config{Size: testSize, Classes: testClasses})
	if err != nil {
		t.Fatal(err)
	}
	larger, err := nn.Build("small", arch, nn.Config{Size: testSize + 1, Classes: testClasses})
	if err != nil {
		t.Fatal(err)
	}
	first := made.Layers[0].Node
	one := func(n *Network) engine.Filters { return n.Int8.Layers[first] }
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		name  string
		g     *nn.Graph
		spoil func(n *Network)
		patch [2]string // of the file's bytes
		want  string    // "" for none
	}{
		{name: "sound", g: g},
		{name: "another network", g: other, want: "it is of network small, want other"},
		{name: "another size", g: larger, want: "quantise the network again"},
		{name: "another version", g: g, patch: [2]string{"zoobench int8 1", "zoobench int8 9"},
			want: `written as "zoobench int8 9", this program reads "zoobench int8 1"`},
		{name: "no JSON", g: g, patch: [2]string{`{\"network\":`, `[\"network\":`}, want: "metadata zoobench"},
		{name: "a scale of nothing", g: g, spoil: func(n *Network) {
			v := n.Int8.Values[0]
			v.Scale = 0
			n.Int8.Values[0] = v
		}, want: "value of node 0: a scale of 0"},
		{name: "no scale", g: g, spoil: func(n *Network) { delete(n.Int8.Values, 0) }, want: "value of node 0: no scale"},
		{name: "a scale of no value", g: g, spoil: func(n *Network) { n.Int8.Values[1000] = n.Int8.Values[0] },
			want: "value of node 1000: no step writes it"},
		{name: "a scale that is no number", g: g, spoil: func(n *Network) { one(n).Scale[3] = nan },
			want: "conv1.weight.int8_scale: element 3 is NaN"},
		{name: "a channel of nothing", g: g, spoil: func(n *Network) { one(n).Scale[2] = 0 },
			want: "conv1.weight.int8_scale: output channel 2: a scale of 0"},
		{name: "an infinite bias", g: g, spoil: func(n *Network) { one(n).Bias[1] = inf }, want: "conv1.weight.int8_bias: element 1 is +Inf"},
		{name: "a weight of -128", g: g, spoil: func(n *Network) { one(n).Weight[5] = -128 }, want: "conv1.weight: element 5 is -128"},
		{name: "a layer less", g: g, spoil: func(n *Network) { n.Layers = n.Layers[1:] }, want: "layers, want"},
		{name: "a layer twice", g: g, spoil: func(n *Network) { n.Layers[1] = n.Layers[0] }, want: "layer conv1: it is there twice"},
		{name: "a layer of another name", g: g, spoil: func(n *Network) { n.Layers[0].Name = "conv9" },
			want: "layer conv9 of node 1: no such layer"},
		{name: "a layer in float32 after all", g: g, spoil: func(n *Network) { n.Layers[0].Float = true }, want: "conv1.weight: dtype I8"},
		{name: "factors of no value", g: g, spoil: func(n *Network) { n.Int8.Factor[1000] = []float32{1} },
			want: "int8_factor.1000: a tensor that nothing reads"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := copyOf(made)
			if test.spoil != nil {
				test.spoil(n)
			}
			path := filepath.Join(t.TempDir(), "w.safetensors")
			if err := Write(path, g, w, n, About{}); err != nil {
				t.Fatal(err)
			}
			if test.patch[0] != "" {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, bytes.Replace(b, []byte(test.patch[0]), []byte(test.patch[1]), 1), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			f, err := weights.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			_, err = Read(f, test.g)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

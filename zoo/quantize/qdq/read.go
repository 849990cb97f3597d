package qdq

import (
	"fmt"
	"math"

	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/quantize"
)

// Read is a file's numbers as an engine takes them, and what of them it does not take, a sentence each. Layers is empty where the engine
// can take none.
func Read(f *load.Network) (*quantize.Network, []string, error) {
	r := reader{f: f, g: f.Graph, q: &engine.Quantized{Layers: map[int]engine.Filters{}, Values: map[int]kernels.Quant{}}}
	if f.Int8 == nil {
		return &quantize.Network{Int8: r.q}, nil, nil
	}
	sketch, err := engine.NewSketch(r.g, nil, &engine.Quantized{})
	if err != nil {
		return nil, nil, err
	}
	r.values(sketch)
	n := &quantize.Network{Int8: r.q}
	var macs, kept int64
	for i := range sketch.Products {
		p := &sketch.Products[i]
		l, ok := f.Int8.Layers[p.Node]
		if ok {
			why, err := r.layer(p, l)
			if err != nil {
				return nil, nil, fmt.Errorf("qdq: %s: %w", p.Name, err)
			}
			if ok = why == ""; !ok {
				r.sentences = append(r.sentences, fmt.Sprintf("layer %s of the file runs in float32: %s", p.Name, why))
			}
		}
		macs += p.MACs
		if !ok {
			kept += p.MACs
		}
		n.Layers = append(n.Layers, quantize.Layer{Node: p.Node, Name: p.Name, MACs: p.MACs, Float: !ok})
	}
	n.Recipe.Kept = float64(kept) / float64(max(macs, 1))
	for _, fault := range f.Int8.Faults {
		r.sentences = append(r.sentences, "the file has "+fault+", which are float32 here")
	}
	return n, r.sentences, nil
}

// A reader takes a file's numbers.
type reader struct {
	f         *load.Network
	g         *nn.Graph
	q         *engine.Quantized
	sentences []string
}

// values takes the scales of values, those of the steps that write them. What only moves has the scale of what it moves.
func (r *reader) values(s *engine.Sketch) {
	for i := range r.g.Nodes {
		if v, ok := r.f.Int8.Values[i]; ok {
			r.q.Values[s.Home[i]] = kernels.Quant{Scale: v.Scale, Zero: v.Zero}
		}
	}
	for _, pair := range s.Same {
		_, has := r.q.Values[pair[1]]
		if from, ok := r.q.Values[pair[0]]; ok && !has {
			r.q.Values[pair[1]] = from
		}
	}
}

// layer takes a layer's weights, or says why the engine cannot.
func (r *reader) layer(p *engine.Product, l load.Layer) (why string, err error) {
	in, ok := r.q.Values[p.Input]
	if !ok {
		return "what it reads is not rounded", nil
	}
	n := &r.g.Nodes[p.Node]
	x, err := r.numbers(n.Weight)
	if err != nil {
		return "", err
	}
	f := engine.Filters{Weight: make([]int8, len(x)), Scale: l.Scale, Bias: make([]float32, p.OC)}
	for i, v := range x {
		q := math.RoundToEven(float64(v) / float64(l.Scale[i/p.Depth]))
		if !(q >= -127 && q <= 127) {
			return fmt.Sprintf("a weight of %g, want -127 to 127", q), nil
		}
		f.Weight[i] = int8(q)
	}
	if n.Bias >= 0 {
		if f.Bias, err = r.numbers(n.Bias); err != nil {
			return "", err
		}
		f.Steps = steps(l, in, p.OC)
	}
	if _, err := f.InSteps(in); err != nil {
		return err.Error(), nil
	}
	r.q.Layers[p.Node] = f
	return "", nil
}

// steps are a layer's biases in steps of its sums, nil where the file has other steps.
func steps(l load.Layer, in kernels.Quant, channels int) []int32 {
	if len(l.Bias) != channels {
		return nil
	}
	all := make([]int32, channels)
	for oc, b := range l.Bias {
		step := float64(in.Scale) * float64(l.Scale[oc])
		if math.Abs(float64(l.BiasScale[oc])-step) > 1e-6*step {
			return nil
		}
		all[oc] = int32(b)
	}
	return all
}

// numbers are a copy of a parameter.
func (r *reader) numbers(param int) ([]float32, error) {
	name := r.g.Params[param].Name
	x := make([]float32, r.g.Params[param].Elems())
	defer r.f.Weights.Release(name)
	return x, r.f.Weights.Read(name, 0, x)
}

// Package qdq takes the numbers of an int8 network to ONNX files and back: to the form that ONNX calls QDQ, with QuantizeLinear and
// DequantizeLinear around what is computed with whole numbers.
//
// The contract. What Of makes of an engine's numbers, Read finds in the file that was written with them: the engine computes the
// same bits from either, for a network that the file's operators are read back as. Read takes what it can of other programs' files: a
// layer whose numbers the engine has no place for (weights with another zero point than the middle of their range, values of sixteen
// bits, sums beyond 32 bits) stays float32, and Read says which and why.
//
// It leaves the operators to zoo/onnx and zoo/onnx/load, and where the numbers come from to zoo/quantize.
package qdq

import (
	"fmt"

	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
)

// Of is what an engine with these numbers computes, for a file. The weights are read when the file is written.
func Of(g *nn.Graph, w engine.Weights, q *engine.Quantized) (*onnx.Int8, error) {
	sketch, err := engine.NewSketch(g, w, q)
	if err != nil {
		return nil, err
	}
	o := &onnx.Int8{Layers: map[int]onnx.Layer{}, Folded: map[int]bool{}, Norms: map[int]onnx.Norm{}, Made: map[int]onnx.Grid{},
		Read: map[[2]int]onnx.Grid{}}
	for i := range sketch.Products {
		p := &sketch.Products[i]
		if o.Layers[p.Node], err = layer(p, q); err != nil {
			return nil, fmt.Errorf("qdq: %s: %w", p.Name, err)
		}
		for _, node := range p.Nodes {
			switch g.Nodes[node].Op {
			case nn.BatchNorm, nn.Scale, nn.Affine:
				o.Folded[node] = true
			}
		}
	}
	for i, factors := range q.Factor {
		n := &g.Nodes[i]
		if n.Op != nn.LayerNorm {
			continue
		}
		var made onnx.Norm
		if made.Weight, err = scaled(w, g.Params[n.Weight].Name, factors); err != nil {
			return nil, err
		}
		if made.Bias, err = scaled(w, g.Params[n.Bias].Name, factors); err != nil {
			return nil, err
		}
		o.Norms[i] = made
	}
	for i, bytes := range sketch.Bytes {
		if bytes {
			o.Made[i] = grid(q.Values[i])
		}
	}
	for edge, bytes := range sketch.Reads {
		if home := sketch.Home[edge[1]]; bytes && !sketch.Bytes[home] && !g.Nodes[home].Const {
			o.Read[edge] = grid(q.Values[home])
		}
	}
	return o, nil
}

func grid(q kernels.Quant) onnx.Grid { return onnx.Grid{Scale: q.Scale, Zero: q.Zero} }

// layer is a layer's weights: whole numbers, or the floats that it has after folding.
func layer(p *engine.Product, q *engine.Quantized) (l onnx.Layer, err error) {
	f, ok := q.Layers[p.Node]
	if !ok {
		return onnx.Layer{Bias: p.Bias, Floats: func() ([]float32, error) {
			x := make([]float32, p.OC*p.Depth)
			for oc := range p.OC {
				p.Filter(oc, x[oc*p.Depth:][:p.Depth])
			}
			return x, p.Failed()
		}}, nil
	}
	in := q.Values[p.Input]
	l = onnx.Layer{Bytes: f.Weight, Scale: f.Scale, In: grid(in)}
	l.Steps, err = f.InSteps(in)
	return l, err
}

// scaled is a parameter, each channel times its factor.
func scaled(w engine.Weights, name string, factors []float32) ([]float32, error) {
	v, err := w.Float32(name)
	if err != nil {
		return nil, err
	}
	defer w.Release(name)
	x := make([]float32, len(v))
	for c := range x {
		x[c] = v[c] * factors[c]
	}
	return x, nil
}

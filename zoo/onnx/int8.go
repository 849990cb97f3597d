package onnx

import (
	"encoding/binary"
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// Int8 is what a network computes with whole numbers of eight bits: the layers that do, and the values that are rounded to them.
type Int8 struct {
	Layers map[int]Layer   // by node: convolutions and linear layers, of which the file gets these weights
	Folded map[int]bool    // nodes behind them whose work these weights do
	Norms  map[int]Norm    // by node: layer norms, of which the file gets these parameters
	Made   map[int]Grid    // by node: values that are rounded where they are made
	Read   map[[2]int]Grid // by a node and one that it reads: values that are rounded for that reader
}

// A Layer is the weights of a convolution or a linear layer, output channel by output channel: whole numbers, or floats.
type Layer struct {
	Bytes []int8    // nil for a layer of floats
	Scale []float32 // by output channel: what a step of Bytes stands for
	Steps []int32   // by output channel: the bias, in steps of In.Scale·Scale; nil for none
	In    Grid      // of what the layer reads

	Floats func() ([]float32, error)
	Bias   []float32 // of a layer of floats; nil for none
}

// A Norm is the parameters of a layer norm.
type Norm struct{ Weight, Bias []float32 }

// A Grid is what bytes stand for: Scale times their distance from Zero.
type Grid struct {
	Scale float32
	Zero  uint8
}

// roundMade rounds the value of the node that was written, if it is to be.
func (e *exporter) roundMade() {
	if e.o.Int8 == nil {
		return
	}
	if grid, ok := e.o.Int8.Made[e.at]; ok {
		own := e.forms[e.at].own
		name := e.rounded(e.forms[e.at].name[own], grid)
		e.forms[e.at] = forms{}
		e.put(own, name)
	}
}

// roundedFor is the value of node i rounded for the node that is being written, nil where that reads it as it is.
func (e *exporter) roundedFor(i int) *forms {
	if e.o.Int8 == nil {
		return nil
	}
	grid, ok := e.o.Int8.Read[[2]int{e.at, i}]
	if !ok {
		return nil
	}
	v := &e.bytes[i]
	if v.name == [numForms]string{} {
		v.own = e.forms[i].own
		v.name[v.own] = e.rounded(e.forms[i].name[v.own], grid)
	}
	return v
}

// rounded is a value on its way through bytes.
func (e *exporter) rounded(x string, g Grid) string {
	scale, zero := e.float(float64(g.Scale)), e.raw(fmt.Sprint("byte/", g.Zero), message.Uint8, []byte{g.Zero})
	return e.op("DequantizeLinear", e.op("QuantizeLinear", x, scale, zero), scale, zero)
}

// raw is a tensor of bytes as the file has them.
func (e *exporter) raw(name string, of message.Type, b []byte, dims ...int) string {
	if _, has := e.made[name]; !has {
		e.made[name] = fill{}
		e.out.Tensors = append(e.out.Tensors, message.Tensor{Name: name, Type: of, Dims: wide(dims), Raw: b})
	}
	return name
}

// ownLayer are a layer's weight and bias, if any, where Int8 has them. A turned weight has a column for each output channel.
func (e *exporter) ownLayer(n *nn.Node, turned bool) (weight string, bias []string, ok bool) {
	if e.o.Int8 == nil {
		return "", nil, false
	}
	l, ok := e.o.Int8.Layers[e.at]
	if !ok {
		return "", nil, false
	}
	p := e.g.Params[n.Weight]
	if l.Bytes == nil {
		weight = e.tensor(p.Name+"/folded", p.Shape, fill{floats: l.Floats, done: func() { e.src.Release(p.Name) }})
		if turned {
			weight = e.transpose(weight, 1, 0)
		}
		if l.Bias != nil {
			bias = []string{e.floats(n.Name+".bias/folded", l.Bias, len(l.Bias))}
		}
		return weight, bias, true
	}
	dims, axis, b := p.Shape, 0, make([]byte, len(l.Bytes))
	channels, depth := len(l.Scale), len(l.Bytes)/len(l.Scale)
	if turned {
		dims, axis = []int{depth, channels}, 1
	}
	for i, v := range l.Bytes {
		if turned {
			i = i%depth*channels + i/depth
		}
		b[i] = byte(v)
	}
	along := []message.Attribute{number("axis", axis)}
	zeros := e.raw(fmt.Sprint("zeros/", channels), message.Int8, make([]byte, channels), channels)
	weight = e.opWith("DequantizeLinear", along, e.raw(p.Name+"/int8", message.Int8, b, dims...),
		e.floats(p.Name+"/scale", l.Scale, channels), zeros)
	if l.Steps == nil {
		return weight, nil, true
	}
	steps, scale := make([]byte, 0, 4*channels), make([]float32, channels)
	for i, v := range l.Steps {
		steps, scale[i] = binary.LittleEndian.AppendUint32(steps, uint32(v)), BiasScale(l.In, l.Scale[i])
	}
	name := n.Name + ".bias"
	return weight, []string{e.opWith("DequantizeLinear", []message.Attribute{number("axis", 0)},
		e.raw(name+"/int32", message.Int32, steps, channels), e.floats(name+"/scale", scale, channels))}, true
}

// BiasScale is what a step of a bias stands for beside a weight of this scale.
func BiasScale(in Grid, weight float32) float32 { return float32(float64(in.Scale) * float64(weight)) }

// normParams are a layer norm's parameters.
func (e *exporter) normParams(n *nn.Node) (weight, bias string) {
	if e.o.Int8 != nil {
		if own, ok := e.o.Int8.Norms[e.at]; ok {
			return e.floats(n.Name+".weight/scaled", own.Weight, len(own.Weight)), e.floats(n.Name+".bias/scaled", own.Bias, len(own.Bias))
		}
	}
	return e.param(n.Weight), e.param(n.Bias)
}

// Package onnx writes a network as an ONNX file: the graph as it is, with its weights, for ONNX Runtime and whatever else
// reads the format.
//
// The contract. Write needs a graph for evaluation and a source of its parameters, and computes nothing about them that
// the oracle would not: what the file computes is what the graph says. The input is called "x" and is float32 of (batch, 3,
// H, W), the output "logits" of (batch, classes); batch is any number. A parameter keeps its state-dict name and shape. One that
// the file has in another form (a folded or standardised convolution, a table of positions made for another size) has a name of
// its own: the parameter's with what was done behind a slash. Operators are those of the default domain, opset 17 to 21, in the
// forms that ONNX Runtime has fast kernels for or fuses: LayerNormalization over the last axis, GELU by Erf (Gelu from opset 20
// on), HardSwish, attention as PyTorch exports timm's. An image's channels come first where convolutions are and last where
// layers of tokens are; a value changes from one to the other only where the network does. Weights are read one at a time, in
// two passes if need be: memory holds the largest tensor, not all of them.
//
// With Pixels the input is "image", bytes of (batch, height, width, 3), red first, of any size: the operators before the network
// are Pillow's and torchvision's steps in the same order and the same arithmetic, but for the resizing, whose sums a runtime
// rounds as it does.
//
// With Int8, values are rounded by QuantizeLinear and DequantizeLinear where the engine has them in bytes, and layers in int8 have
// whole numbers behind DequantizeLinear: weights with a scale for each output channel, and biases of 32 bits in steps of the sums.
//
// It leaves to others which weights those are (zoo/weights), what the file says about them (Options.Properties is the caller's),
// where the file goes, and the values of nodes that no image reaches, which it takes from the oracle (zoo/interp).
package onnx

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// Weights hands out parameters by their state-dict name, flat in row-major order, as zoo/weights does. Release ends the
// use of one.
type Weights interface {
	Float32(name string) ([]float32, error)
	Release(name string)
}

// The opsets that Write can write.
const (
	MinOpset = 17 // the first with LayerNormalization
	MaxOpset = 21
)

// Options are how a file is written.
type Options struct {
	Opset      int        // of the operators; 0 means the first that has what is needed: MinOpset, or 18 with Pixels
	Pixels     *Pixels    // what becomes of images before the network; nil means that the file takes what the network takes
	Fold       bool       // whether a batch norm becomes part of the convolution before it
	Int8       *Int8      // what is whole numbers of eight bits; nil means nothing. Batch norms are in its weights then
	Version    string     // of the program
	Properties []Property // metadata, in this order
}

// A Property is a pair of the file's metadata.
type Property = message.Property

// A File is a network as an ONNX file that is not yet written.
type File struct {
	model message.Model
	made  map[string]fill // by tensor
	data  []int           // tensors whose numbers are external data, in their order there
	input string
}

// New makes a file of a graph. It reads the weights when it is written, but for those that a value is computed from which no
// image reaches.
func New(g *nn.Graph, src Weights, o Options) (*File, error) {
	least := MinOpset
	if o.Pixels != nil {
		least = pixelOpset
	}
	o.Opset = cmp.Or(o.Opset, least)
	if o.Opset < MinOpset || o.Opset > MaxOpset {
		return nil, fmt.Errorf("onnx: opset %d, want %d to %d", o.Opset, MinOpset, MaxOpset)
	}
	if o.Opset < least {
		return nil, fmt.Errorf("onnx: opset %d cannot resize images as Pillow does, want %d to %d", o.Opset, least, MaxOpset)
	}
	e, err := export(g, src, o)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", g.Name, err)
	}
	f := &File{made: e.made, input: e.forms[0].name[planes], model: message.Model{
		IR: 8, Producer: "zoobench", ProducerVersion: o.Version, Opsets: []message.Opset{{Version: int64(o.Opset)}},
		Properties: o.Properties, Graph: e.out,
	}}
	if p := o.Pixels; p != nil { // a reader may begin behind the preparation
		in := g.Input()
		f.model.Properties = append(slices.Clip(o.Properties), Property{Key: "zoobench.input", Value: f.input})
		f.model.Graph.Values = append(f.model.Graph.Values, message.Value{Name: f.input, Type: message.Float32, Shaped: true, Dims: []message.Dim{
			{Name: "batch"}, {Size: int64(in.C), Known: true}, {Size: int64(in.H), Known: true}, {Size: int64(in.W), Known: true}}})
	}
	switch {
	case o.Opset > 20:
		f.model.IR = 10
	case o.Opset > 18:
		f.model.IR = 9
	}
	return f, nil
}

// Opset is that of the file's operators.
func (f *File) Opset() int { return int(f.model.Opsets[0].Version) }

// Input is the name of what the network itself takes: the file's input, or what its first operators make of that.
func (f *File) Input() string { return f.input }

// Whole reports whether the file can be one: ONNX has at most 2 GiB in a piece.
func (f *File) Whole() bool {
	var bytes int64
	for i := range f.model.Graph.Tensors {
		bytes += numberBytes(&f.model.Graph.Tensors[i])
	}
	return bytes < message.MaxBytes-headroom
}

// Bounds of a file of two parts: what the part without large tensors may need, the smallest tensor that goes into the other
// part, and where tensors may begin there, so that readers can map them.
const (
	headroom      = 64 << 20
	externalBytes = 1 << 10
	externalAlign = 4 << 10
)

// Split puts the numbers of large tensors into external data, a file of this name in the same folder.
func (f *File) Split(location string) {
	f.data = nil
	end := int64(0)
	for i := range f.model.Graph.Tensors {
		t := &f.model.Graph.Tensors[i]
		n := numberBytes(t)
		if t.Raw != nil || n < externalBytes {
			continue
		}
		end = (end + externalAlign - 1) / externalAlign * externalAlign
		t.External = &message.External{Location: location, Offset: end, Length: n}
		f.data = append(f.data, i)
		end += n
	}
}

func numberBytes(t *message.Tensor) int64 {
	n, _ := t.Elems()
	return int64(n) * int64(t.Type.Size())
}

// Write writes the file, without external data.
func (f *File) Write(w io.Writer) error {
	if err := message.Encode(w, &f.model, f.raw); err != nil {
		return fmt.Errorf("onnx: %s: %w", f.model.Graph.Name, err)
	}
	return nil
}

// WriteData writes the external data that Split asks for.
func (f *File) WriteData(w io.Writer) error {
	end := int64(0)
	for _, i := range f.data {
		t := &f.model.Graph.Tensors[i]
		b, err := f.raw(t)
		if err != nil {
			return fmt.Errorf("onnx: %s: %w", f.model.Graph.Name, err)
		}
		for _, part := range [][]byte{make([]byte, t.External.Offset-end), b} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		end = t.External.Offset + t.External.Length
	}
	return nil
}

// raw is a tensor's numbers as ONNX keeps them, little-endian.
func (f *File) raw(t *message.Tensor) ([]byte, error) {
	made := f.made[t.Name]
	x, err := made.floats()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	made.done()
	return b, nil
}

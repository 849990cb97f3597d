package message

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// MaxBytes is the largest file that protobuf's readers take. The numbers of a larger network are external data.
const MaxBytes = math.MaxInt32

// Encode writes a model. Initializers that have no numbers in m get them from raw, one after the other, when they are written:
// little-endian, as many as the tensor's type and shape say. A file of more than MaxBytes is an error before anything is written.
func Encode(w io.Writer, m *Model, raw func(*Tensor) ([]byte, error)) error {
	whole, body := header(m), graphBytes(&m.Graph)
	bytes := len(body)
	heads := make([]bytesOf, len(m.Graph.Tensors))
	for i := range heads {
		t := &m.Graph.Tensors[i]
		head, more := tensorHead(t)
		if more < 0 {
			return fmt.Errorf("%s: no numbers of type %d and shape %v", t.Name, t.Type, t.Dims)
		}
		heads[i] = append(bytesOf(nil).open(graphTensor, len(head)+more), head...)
		if bytes += len(heads[i]) + more; bytes > MaxBytes-len(whole)-16 {
			return fmt.Errorf("more than %d bytes, the most that an ONNX file in one piece can have", MaxBytes)
		}
	}
	if _, err := w.Write(append(whole.open(modelGraph, bytes), body...)); err != nil {
		return err
	}
	for i, head := range heads {
		if err := writeTensor(w, &m.Graph.Tensors[i], head, raw); err != nil {
			return err
		}
	}
	return nil
}

// writeTensor writes an initializer behind its head.
func writeTensor(w io.Writer, t *Tensor, head bytesOf, raw func(*Tensor) ([]byte, error)) error {
	if _, err := w.Write(head); err != nil || !t.bare() {
		return err
	}
	b, err := raw(t)
	if err != nil {
		return err
	}
	if n, _ := t.Elems(); len(b) != n*t.Type.Size() {
		return fmt.Errorf("%s: %d bytes, want %d", t.Name, len(b), n*t.Type.Size())
	}
	_, err = w.Write(b)
	return err
}

// bytesOf is the bytes of a message.
type bytesOf []byte

func (b bytesOf) int(field protowire.Number, v int64) bytesOf {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// num is an integer that is left out if it is 0.
func (b bytesOf) num(field protowire.Number, v int64) bytesOf {
	if v == 0 {
		return b
	}
	return b.int(field, v)
}

func (b bytesOf) float(field protowire.Number, v float32) bytesOf {
	return protowire.AppendFixed32(protowire.AppendTag(b, field, protowire.Fixed32Type), math.Float32bits(v))
}

// text is left out if it is empty.
func (b bytesOf) text(field protowire.Number, s string) bytesOf {
	if s == "" {
		return b
	}
	return b.message(field, bytesOf(s))
}

// texts are all there, empty or not.
func (b bytesOf) texts(field protowire.Number, all []string) bytesOf {
	for _, s := range all {
		b = b.message(field, bytesOf(s))
	}
	return b
}

func (b bytesOf) message(field protowire.Number, sub []byte) bytesOf {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), sub)
}

// open begins a field of so many bytes, which come after it.
func (b bytesOf) open(field protowire.Number, bytes int) bytesOf {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.BytesType), uint64(bytes))
}

// each adds a message for each item of a list.
func each[T any](b bytesOf, field protowire.Number, list []T, encode func(*T) bytesOf) bytesOf {
	for i := range list {
		b = b.message(field, encode(&list[i]))
	}
	return b
}

// packed adds the numbers of a list as one field.
func packed[T any](b bytesOf, field protowire.Number, list []T, add func(b []byte, v T) []byte) bytesOf {
	if len(list) == 0 {
		return b
	}
	var all bytesOf
	for _, v := range list {
		all = add(all, v)
	}
	return b.message(field, all)
}

func addInt(b []byte, v int64) []byte     { return protowire.AppendVarint(b, uint64(v)) }
func addFloat(b []byte, v float32) []byte { return protowire.AppendFixed32(b, math.Float32bits(v)) }
func addDouble(b []byte, v float64) []byte {
	return protowire.AppendFixed64(b, math.Float64bits(v))
}

// header is the model without its graph.
func header(m *Model) bytesOf {
	b := bytesOf(nil).num(modelIR, m.IR).text(modelProducer, m.Producer).text(modelVersion, m.ProducerVersion)
	b = each(b, modelOpset, m.Opsets, opsetBytes)
	b = each(b, modelProperty, m.Properties, pairBytes)
	return each(b, modelFunction, m.Functions, functionBytes)
}

func opsetBytes(o *Opset) bytesOf {
	return bytesOf(nil).text(opsetDomain, o.Domain).int(opsetVersion, o.Version)
}

func pairBytes(p *Property) bytesOf {
	return bytesOf(nil).text(pairKey, p.Key).text(pairValue, p.Value)
}

// graphBytes is the graph without its initializers.
func graphBytes(g *Graph) bytesOf {
	b := each(nil, graphNode, g.Nodes, nodeBytes).text(graphName, g.Name)
	b = each(b, graphInput, g.Inputs, valueBytes)
	b = each(b, graphOutput, g.Outputs, valueBytes)
	return each(b, graphValue, g.Values, valueBytes)
}

func functionBytes(f *Function) bytesOf {
	b := bytesOf(nil).text(functionName, f.Name).texts(functionIn, f.In).texts(functionOut, f.Out).texts(functionAttribute, f.Attributes)
	b = each(b, functionNode, f.Nodes, nodeBytes)
	b = each(b, functionOpset, f.Opsets, opsetBytes).text(functionDomain, f.Domain)
	return each(b, functionDefault, f.Defaults, attributeBytes)
}

func nodeBytes(n *Node) bytesOf {
	b := bytesOf(nil).texts(nodeIn, n.In).texts(nodeOut, n.Out).text(nodeName, n.Name).text(nodeOp, n.Op)
	return each(b, nodeAttribute, n.Attributes, attributeBytes).text(nodeDomain, n.Domain)
}

func attributeBytes(a *Attribute) bytesOf {
	b := bytesOf(nil).text(attributeName, a.Name)
	switch {
	case a.Ref != "":
		b = b.text(attributeRef, a.Ref)
	case a.Kind == IsFloat:
		b = b.float(attributeFloat, a.Float)
	case a.Kind == IsInt:
		b = b.int(attributeInt, a.Int)
	case a.Kind == IsText:
		b = b.message(attributeText, bytesOf(a.Text))
	case a.Kind == IsTensor && a.Tensor != nil:
		b = b.message(attributeTensor, tensorBytes(a.Tensor))
	case a.Kind == IsGraph && a.Graph != nil:
		b = b.message(attributeGraph, each(graphBytes(a.Graph), graphTensor, a.Graph.Tensors, tensorBytes))
	case a.Kind == IsFloats:
		for _, v := range a.Floats {
			b = b.float(attributeFloats, v)
		}
	case a.Kind == IsInts:
		for _, v := range a.Ints {
			b = b.int(attributeInts, v)
		}
	case a.Kind == IsTexts:
		b = b.texts(attributeTexts, a.Texts)
	}
	return b.num(attributeKind, int64(a.Kind))
}

// bare reports whether a tensor needs numbers and has none.
func (t *Tensor) bare() bool {
	n, ok := t.Elems()
	return (n > 0 || !ok) && t.External == nil && t.Raw == nil && len(t.Floats)+len(t.Ints)+len(t.Doubles)+len(t.Uints) == 0
}

// tensorHead is a tensor without the numbers that it does not have, and how many bytes those are: -1 if its type and shape do
// not say it.
func tensorHead(t *Tensor) (b bytesOf, more int) {
	b = tensorBytes(t)
	if !t.bare() {
		return b, 0
	}
	n, ok := t.Elems()
	if !ok || t.Type.Size() == 0 {
		return nil, -1
	}
	return b.open(tensorRaw, n*t.Type.Size()), n * t.Type.Size()
}

func tensorBytes(t *Tensor) (b bytesOf) {
	for _, d := range t.Dims {
		b = b.int(tensorDims, d)
	}
	b = b.num(tensorType, int64(t.Type)).text(tensorName, t.Name)
	intsAt := protowire.Number(tensorInts32)
	if t.Type == Int64 {
		intsAt = tensorInts64
	}
	b = packed(b, tensorFloats, t.Floats, addFloat)
	b = packed(b, intsAt, t.Ints, addInt)
	b = packed(b, tensorDoubles, t.Doubles, addDouble)
	b = packed(b, tensorUints, t.Uints, protowire.AppendVarint)
	if x := t.External; x != nil {
		return each(b, tensorExternal, x.entries(), pairBytes).int(tensorLocation, outside)
	}
	if t.Raw != nil {
		b = b.message(tensorRaw, t.Raw)
	}
	return b
}

// entries are the pairs that say where a tensor lies.
func (x *External) entries() []Property {
	all := []Property{{keyLocation, x.Location}, {keyOffset, strconv.FormatInt(x.Offset, 10)}}
	if x.Length >= 0 {
		all = append(all, Property{keyLength, strconv.FormatInt(x.Length, 10)})
	}
	return all
}

func valueBytes(v *Value) bytesOf {
	b := bytesOf(nil).text(valueName, v.Name)
	if v.Type == 0 {
		return b
	}
	t := bytesOf(nil).int(typeElem, int64(v.Type))
	if v.Shaped {
		t = t.message(typeShape, each(nil, shapeDim, v.Dims, dimBytes))
	}
	return b.message(valueType, bytesOf(nil).message(typeTensor, t))
}

func dimBytes(d *Dim) bytesOf {
	if d.Known {
		return bytesOf(nil).int(dimSize, d.Size)
	}
	return bytesOf(nil).text(dimName, d.Name)
}

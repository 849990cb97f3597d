package message

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Decode reads a file. The model keeps parts of b.
func Decode(b []byte) (*Model, error) {
	left := maxMessages
	r := reader{rest: b, left: &left}
	m := model(&r)
	if r.err != nil {
		return nil, r.err
	}
	return &m, nil
}

func model(r *reader) (m Model) {
	graphs := 0
	for r.next() {
		switch r.field {
		case modelIR:
			m.IR = r.int()
		case modelProducer:
			m.Producer = r.text()
		case modelVersion:
			m.ProducerVersion = r.text()
		case modelGraph:
			if graphs++; graphs > 1 {
				r.fail("a second graph")
			}
			m.Graph = sub(r, "graph", alone, graph)
		case modelOpset:
			m.Opsets = append(m.Opsets, sub(r, "opset", len(m.Opsets), opset))
		case modelProperty:
			m.Properties = append(m.Properties, sub(r, "property", len(m.Properties), pair))
		case modelFunction:
			m.Functions = append(m.Functions, sub(r, "function", len(m.Functions), function))
		case modelTraining:
			m.Training++
		}
	}
	if graphs == 0 {
		r.fail("no graph: not an ONNX file")
	}
	return m
}

func opset(r *reader) (o Opset) {
	for r.next() {
		switch r.field {
		case opsetDomain:
			o.Domain = r.text()
		case opsetVersion:
			o.Version = r.int()
		}
	}
	return o
}

// pair reads two texts, as metadata and external data have them.
func pair(r *reader) (p Property) {
	for r.next() {
		switch r.field {
		case pairKey:
			p.Key = r.text()
		case pairValue:
			p.Value = r.text()
		}
	}
	return p
}

func graph(r *reader) (g Graph) {
	for r.next() {
		switch r.field {
		case graphNode:
			g.Nodes = append(g.Nodes, sub(r, "node", len(g.Nodes), node))
		case graphName:
			g.Name = r.text()
		case graphTensor:
			g.Tensors = append(g.Tensors, sub(r, "tensor", len(g.Tensors), tensor))
		case graphInput:
			g.Inputs = append(g.Inputs, sub(r, "input", len(g.Inputs), value))
		case graphOutput:
			g.Outputs = append(g.Outputs, sub(r, "output", len(g.Outputs), value))
		case graphValue:
			g.Values = append(g.Values, sub(r, "value", len(g.Values), value))
		case graphSparse:
			g.Sparse++
		}
	}
	return g
}

func function(r *reader) (f Function) {
	for r.next() {
		switch r.field {
		case functionName:
			f.Name = r.text()
		case functionDomain:
			f.Domain = r.text()
		case functionIn:
			f.In = append(f.In, r.text())
		case functionOut:
			f.Out = append(f.Out, r.text())
		case functionAttribute:
			f.Attributes = append(f.Attributes, r.text())
		case functionDefault:
			f.Defaults = append(f.Defaults, sub(r, "attribute", len(f.Defaults), attribute))
		case functionOpset:
			f.Opsets = append(f.Opsets, sub(r, "opset", len(f.Opsets), opset))
		case functionNode:
			f.Nodes = append(f.Nodes, sub(r, "node", len(f.Nodes), node))
		}
	}
	return f
}

func node(r *reader) (n Node) {
	for r.next() {
		switch r.field {
		case nodeIn:
			n.In = append(n.In, r.text())
		case nodeOut:
			n.Out = append(n.Out, r.text())
		case nodeName:
			n.Name = r.text()
		case nodeOp:
			n.Op = r.text()
		case nodeDomain:
			n.Domain = r.text()
		case nodeAttribute:
			n.Attributes = append(n.Attributes, sub(r, "attribute", len(n.Attributes), attribute))
		}
	}
	return n
}

// attribute reads a setting. Files of the first versions of the format have no kind: it is that of the value that is there.
func attribute(r *reader) (a Attribute) {
	has := Kind(0)
	for r.next() {
		switch r.field {
		case attributeName:
			a.Name = r.text()
			continue
		case attributeRef:
			a.Ref = r.text()
			continue
		case attributeKind:
			a.Kind = Kind(r.int())
			continue
		case attributeFloat:
			a.Float, has = r.float(), IsFloat
		case attributeInt:
			a.Int, has = r.int(), IsInt
		case attributeText:
			a.Text, has = r.text(), IsText
		case attributeTensor:
			t := sub(r, "tensor", alone, tensor)
			a.Tensor, has = &t, IsTensor
		case attributeGraph:
			g := sub(r, "graph", alone, graph)
			a.Graph, has = &g, IsGraph
		case attributeFloats:
			a.Floats, has = floats(r, a.Floats), IsFloats
		case attributeInts:
			a.Ints, has = ints(r, a.Ints), IsInts
		case attributeTexts:
			a.Texts, has = append(a.Texts, r.text()), IsTexts
		}
	}
	if a.Kind == 0 {
		a.Kind = has
	}
	return a
}

func tensor(r *reader) (t Tensor) {
	var entries []Property
	external := false
	for r.next() {
		switch r.field {
		case tensorDims:
			t.Dims = ints(r, t.Dims)
		case tensorType:
			t.Type = Type(r.int())
		case tensorName:
			t.Name = r.text()
		case tensorRaw:
			t.Raw = r.bytes()
		case tensorFloats:
			t.Floats = floats(r, t.Floats)
		case tensorInts32, tensorInts64:
			t.Ints = ints(r, t.Ints)
		case tensorUints:
			t.Uints = numbers(r, t.Uints, protowire.VarintType, func(bits uint64) uint64 { return bits })
		case tensorDoubles:
			t.Doubles = numbers(r, t.Doubles, protowire.Fixed64Type, math.Float64frombits)
		case tensorExternal:
			entries = append(entries, sub(r, "external data", len(entries), pair))
		case tensorLocation:
			external = r.int() == outside
		case tensorSegment:
			r.fail("a tensor in segments")
		}
	}
	if external {
		t.External = outer(r, entries)
	}
	return t
}

// outer reads where a tensor lies in another file.
func outer(r *reader, entries []Property) *External {
	x := &External{Length: -1}
	for _, e := range entries {
		n, err := int64(0), error(nil)
		switch e.Key {
		case keyLocation:
			x.Location = e.Value
		case keyOffset:
			n, err = strconv.ParseInt(e.Value, 10, 64)
			x.Offset = n
		case keyLength:
			n, err = strconv.ParseInt(e.Value, 10, 64)
			x.Length = n
		}
		if err != nil || n < 0 {
			r.fail("external data: %s %q, want a number of bytes", e.Key, e.Value)
		}
	}
	return x
}

func value(r *reader) (v Value) {
	for r.next() {
		switch r.field {
		case valueName:
			v.Name = r.text()
		case valueType:
			t := sub(r, "type", alone, valueKind)
			t.Name = v.Name
			v = t
		}
	}
	return v
}

// valueKind reads a type: that of a tensor is in a message of its own.
func valueKind(r *reader) (v Value) {
	for r.next() {
		if r.field == typeTensor {
			v = sub(r, "tensor", alone, tensorKind)
		}
	}
	return v
}

func tensorKind(r *reader) (v Value) {
	for r.next() {
		switch r.field {
		case typeElem:
			v.Type = Type(r.int())
		case typeShape:
			v.Shaped, v.Dims = true, sub(r, "shape", alone, shape)
		}
	}
	return v
}

func shape(r *reader) (dims []Dim) {
	for r.next() {
		if r.field == shapeDim {
			dims = append(dims, sub(r, "dimension", len(dims), dim))
		}
	}
	return dims
}

func dim(r *reader) (d Dim) {
	for r.next() {
		switch r.field {
		case dimSize:
			d = Dim{Size: r.int(), Known: true}
		case dimName:
			d = Dim{Name: r.text()}
		}
	}
	return d
}

package message

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// full is a model with everything that Decode reads.
func full() *Model {
	inner := Graph{
		Name: "then", Nodes: []Node{{Op: "Identity", In: []string{"x"}, Out: []string{"y"}}},
		Tensors: []Tensor{{Name: "c", Type: Uint8, Dims: []int64{2}, Raw: []byte{1, 2}}},
	}
	return &Model{
		IR: 8, Producer: "a", ProducerVersion: "b",
		Opsets:     []Opset{{Version: 17}, {Domain: "com.microsoft", Version: 1}},
		Properties: []Property{{"key", "value"}, {"empty", ""}},
		Functions: []Function{{
			Domain: "own", Name: "f", In: []string{"x"}, Out: []string{"y"}, Attributes: []string{"alpha"},
			Defaults: []Attribute{{Name: "beta", Kind: IsFloat, Float: 2}}, Opsets: []Opset{{Version: 18}},
			Nodes: []Node{{Op: "Relu", In: []string{"x"}, Out: []string{"y"}, Attributes: []Attribute{{Name: "a", Kind: IsInt, Ref: "alpha"}}}},
		}},
		Graph: Graph{
			Name: "net",
			Nodes: []Node{{
				Name: "n", Domain: "own", Op: "Conv", In: []string{"x", "", "b"}, Out: []string{"y"},
				Attributes: []Attribute{
					{Name: "f", Kind: IsFloat, Float: -0.5}, {Name: "i", Kind: IsInt, Int: -3}, {Name: "s", Kind: IsText, Text: "SAME"},
					{Name: "t", Kind: IsTensor, Tensor: &Tensor{Type: Float16, Dims: []int64{1}, Ints: []int64{15360}}},
					{Name: "g", Kind: IsGraph, Graph: &inner}, {Name: "fs", Kind: IsFloats, Floats: []float32{1, 2}},
					{Name: "is", Kind: IsInts, Ints: []int64{0, -1, math.MaxInt64}}, {Name: "ss", Kind: IsTexts, Texts: []string{"", "a"}},
				},
			}},
			Tensors: []Tensor{
				{Name: "raw", Type: Float32, Dims: []int64{1, 2}, Raw: []byte{0, 0, 0, 0, 0, 0, 128, 63}},
				{Name: "floats", Type: Float32, Dims: []int64{2}, Floats: []float32{1, float32(math.Inf(1))}},
				{Name: "ints", Type: Int64, Dims: []int64{2}, Ints: []int64{-1, math.MinInt64}},
				{Name: "bytes", Type: Int8, Dims: []int64{2}, Ints: []int64{-128, 127}},
				{Name: "doubles", Type: Float64, Doubles: []float64{math.Pi}},
				{Name: "uints", Type: Uint64, Dims: []int64{1}, Uints: []uint64{math.MaxUint64}},
				{Name: "none", Type: Float32, Dims: []int64{0, 3}},
				{Name: "far", Type: Float32, Dims: []int64{4}, External: &External{Location: "w.bin", Offset: 64, Length: 16}},
				{Name: "further", Type: Float32, Dims: []int64{4}, External: &External{Location: "w.bin", Length: -1}},
			},
			Inputs:  []Value{{Name: "x", Type: Float32, Shaped: true, Dims: []Dim{{Name: "batch"}, {Size: 3, Known: true}, {}, {Known: true}}}},
			Outputs: []Value{{Name: "y", Type: Float32}, {Name: "number", Type: Int64, Shaped: true}},
			Values:  []Value{{Name: "z"}},
		},
	}
}

func encode(t *testing.T, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRoundTrip writes a model and reads it.
func TestRoundTrip(t *testing.T) {
	want := full()
	got, err := Decode(encode(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// TestEncodeFetches writes a tensor whose numbers come when it is its turn.
func TestEncodeFetches(t *testing.T) {
	m := &Model{Graph: Graph{Tensors: []Tensor{
		{Name: "a", Type: Float32, Dims: []int64{2}}, {Name: "b", Type: Int8, Dims: []int64{3}, Raw: []byte{1, 2, 3}},
	}}}
	var b bytes.Buffer
	number := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	if err := Encode(&b, m, func(t *Tensor) ([]byte, error) { return number, nil }); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b.Bytes())
	if err != nil || !bytes.Equal(got.Graph.Tensors[0].Raw, number) || !bytes.Equal(got.Graph.Tensors[1].Raw, []byte{1, 2, 3}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, test := range []struct {
		tensor Tensor
		raw    func(*Tensor) ([]byte, error)
		want   string
	}{
		{m.Graph.Tensors[0], func(*Tensor) ([]byte, error) { return number[1:], nil }, "a: 7 bytes, want 8"},
		{m.Graph.Tensors[0], func(*Tensor) ([]byte, error) { return nil, errors.New("gone") }, "gone"},
		{Tensor{Name: "c", Type: Text, Dims: []int64{2}}, nil, "c: no numbers of type 8 and shape [2]"},
		{Tensor{Name: "c", Type: Float32, Dims: []int64{math.MaxInt64, 4}}, nil, "c: no numbers of type 1"},
		{Tensor{Name: "c", Type: Float32, Dims: []int64{1 << 29}}, nil, "more than 2147483647 bytes"},
	} {
		err := Encode(new(bytes.Buffer), &Model{Graph: Graph{Tensors: []Tensor{test.tensor}}}, test.raw)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// TestDecodeRefuses reads what is no ONNX file.
func TestDecodeRefuses(t *testing.T) {
	inGraph := func(b bytesOf) bytesOf { return bytesOf(nil).message(modelGraph, b) }
	inTensor := func(b bytesOf) bytesOf { return inGraph(bytesOf(nil).message(graphTensor, b)) }
	nested := bytesOf{}
	for range maxDepth {
		nested = bytesOf(nil).message(graphNode, bytesOf(nil).message(nodeAttribute, bytesOf(nil).message(attributeGraph, nested)))
	}
	external := func(key, value string) bytesOf {
		t := bytesOf(nil).message(tensorExternal, pairBytes(&Property{key, value})).int(tensorLocation, outside)
		return inTensor(t)
	}
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "byte 0: no graph"},
		{"text", []byte("# a text file of that name\n"), "byte 0: field 4: cut short"},
		{"cut short", encode(t, full())[:200], "cut short"},
		{"two gigabytes in six bytes", bytesOf(nil).open(modelGraph, 1<<31-1), "field 7: cut short"},
		{"lying tensor", inTensor(bytesOf(nil).open(tensorRaw, 1<<40)), "graph: tensor 0: byte 4: field 9: cut short"},
		{"number for a message", bytesOf(nil).int(modelGraph, 1), "field 7: wire type 0, want 2"},
		{"message for a number", inGraph(nil).message(modelIR, nil), "byte 2: field 1: wire type 2, want 0"},
		{"two graphs", inGraph(nil).message(modelGraph, nil), "byte 2: a second graph"},
		{"deep", inGraph(nested), "more than 32 messages in each other"},
		{"half a float", inTensor(bytesOf(nil).message(tensorFloats, []byte{1, 2, 3})), "field 4: cut short"},
		{"endless integer", inTensor(bytesOf(nil).message(tensorDims, bytes.Repeat([]byte{255}, 11))), "field 1: no protobuf message"},
		{"negative offset", external(keyOffset, "-1"), `offset "-1"`},
		{"no length", external(keyLength, "all"), `length "all"`},
		{"segments", inTensor(bytesOf(nil).message(tensorSegment, nil)), "segments"},
		{"field 0", []byte{0, 0}, "no protobuf message"},
		{"a group that nobody ends", protowire.AppendTag(nil, 30, protowire.StartGroupType), "field 30: cut short"},
		{"many messages", inGraph(bytes.Repeat([]byte{graphNode<<3 | 2, 0}, maxMessages+1)), "more than 1048576 messages"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := Decode(test.file)
			var format *FormatError
			if !errors.As(err, &format) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v; want %s", m != nil, err, test.want)
			}
		})
	}
}

// TestDecodeOther reads what other programs write otherwise: unpacked numbers, attributes without a kind, unknown fields, groups.
func TestDecodeOther(t *testing.T) {
	tensor := bytesOf(nil).message(tensorDims, []byte{2, 3}).int(tensorDims, 4).float(tensorFloats, 1).float(tensorFloats, 2)
	attribute := bytesOf(nil).text(attributeName, "axis").int(attributeInt, 1)
	group := protowire.AppendTag(protowire.AppendTag(nil, 9, protowire.StartGroupType), 9, protowire.EndGroupType)
	node := bytesOf(nil).message(nodeAttribute, attribute).text(99, "unknown")
	graph := bytesOf(nil).message(graphTensor, tensor).message(graphNode, node).message(graphSparse, nil)
	m, err := Decode(append(bytesOf(nil).message(modelTraining, nil).message(modelGraph, graph), group...))
	if err != nil {
		t.Fatal(err)
	}
	if x := m.Graph.Tensors[0]; !slices.Equal(x.Dims, []int64{2, 3, 4}) || !slices.Equal(x.Floats, []float32{1, 2}) {
		t.Errorf("%+v", x)
	}
	if a := m.Graph.Nodes[0].Attributes[0]; a.Kind != IsInt || a.Int != 1 {
		t.Errorf("%+v", a)
	}
	if m.Training != 1 || m.Graph.Sparse != 1 {
		t.Errorf("%d trainings, %d sparse tensors, want one of each", m.Training, m.Graph.Sparse)
	}
}

func TestElems(t *testing.T) {
	for _, test := range []struct {
		dims []int64
		want int
		ok   bool
	}{
		{nil, 1, true}, {[]int64{2, 3}, 6, true}, {[]int64{1 << 40, 0}, 0, true}, {[]int64{0, -1}, 0, false},
		{[]int64{1 << 40, 1 << 40}, 0, false}, {[]int64{math.MaxInt64}, 0, false}, {[]int64{0, math.MaxInt64}, 0, false},
	} {
		if n, ok := (&Tensor{Dims: test.dims}).Elems(); n != test.want || ok != test.ok {
			t.Errorf("%v: %d, %v; want %d, %v", test.dims, n, ok, test.want, test.ok)
		}
	}
}

// FuzzDecode reads anything. What is read is written and read again, to the same bytes.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := Encode(&b, full(), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{modelGraph<<3 | 2, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Decode(file)
		if err != nil {
			return
		}
		zeros := func(t *Tensor) ([]byte, error) {
			n, _ := t.Elems()
			if n > 1<<16 {
				return nil, errors.New("large")
			}
			return make([]byte, n*t.Type.Size()), nil
		}
		var first, second bytes.Buffer
		if err := Encode(&first, m, zeros); err != nil {
			return
		}
		if m, err = Decode(first.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := Encode(&second, m, zeros); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("% x, then % x, %v", first.Bytes(), second.Bytes(), err)
		}
	})
}

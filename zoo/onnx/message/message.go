// Package message is the ONNX file as a value: the messages of onnx.proto that a network for evaluation needs, read from bytes
// and written to them.
//
// The contract. Decode reads a whole file and believes nothing in it: every length is checked against the bytes that are there
// before anything is allocated for it, so that memory stays within a small multiple of the file (eight bytes for a byte, where
// integers are packed), and nesting and the number of messages and texts are bounded. Tensor.Raw is a part of the bytes that Decode got,
// not a copy. A file that is no such message is a *FormatError with the byte and the way to it. Fields that are not here are
// skipped; what stands for something that a network might need (sparse tensors, training) is counted, so that a reader can
// refuse it. Encode writes what Decode reads, with the large tensors' numbers fetched one at a time.
//
// It leaves to others what the operators mean, whether names and shapes fit each other, and where external data lie
// (Tensor.External is what the file says, unchecked).
package message

import "math"

// A Model is a whole file.
type Model struct {
	IR                        int64 // version of the format
	Producer, ProducerVersion string
	Opsets                    []Opset
	Properties                []Property
	Graph                     Graph
	Functions                 []Function
	Training                  int // descriptions of training, which are not read
}

// An Opset is the version of a domain's operators; "" and "ai.onnx" are ONNX's own domain.
type Opset struct {
	Domain  string
	Version int64
}

// A Property is a pair of metadata.
type Property struct{ Key, Value string }

// A Graph is operators in an order in which each comes after what it reads.
type Graph struct {
	Name            string
	Nodes           []Node
	Tensors         []Tensor // initializers
	Inputs, Outputs []Value
	Values          []Value // shapes of values in between, if the file has them
	Sparse          int     // sparse initializers, which are not read
}

// A Function is an operator that the file defines by others.
type Function struct {
	Domain, Name string
	In, Out      []string
	Attributes   []string    // names of settings without a default
	Defaults     []Attribute // settings with one
	Opsets       []Opset
	Nodes        []Node
}

// A Node is one operator. An input that is left out is "".
type Node struct {
	Name, Domain, Op string
	In, Out          []string
	Attributes       []Attribute
}

// Kind says which value an attribute has.
type Kind int64

// The kinds of attributes. Decode reads the values of those that are named here.
const (
	IsFloat  Kind = 1
	IsInt    Kind = 2
	IsText   Kind = 3
	IsTensor Kind = 4
	IsGraph  Kind = 5
	IsFloats Kind = 6
	IsInts   Kind = 7
	IsTexts  Kind = 8
)

// An Attribute is one setting of an operator: the value that Kind names.
type Attribute struct {
	Name   string
	Kind   Kind
	Float  float32
	Int    int64
	Text   string
	Tensor *Tensor
	Graph  *Graph
	Floats []float32
	Ints   []int64
	Texts  []string
	Ref    string // in a function: the setting of the caller that it stands for
}

// Type is the type of a tensor's elements.
type Type int64

// The types of elements.
const (
	Float32  Type = 1
	Uint8    Type = 2
	Int8     Type = 3
	Uint16   Type = 4
	Int16    Type = 5
	Int32    Type = 6
	Int64    Type = 7
	Text     Type = 8
	Bool     Type = 9
	Float16  Type = 10
	Float64  Type = 11
	Uint32   Type = 12
	Uint64   Type = 13
	BFloat16 Type = 16
)

var types = map[Type]struct {
	name string
	size int
}{
	Float32: {"float32", 4}, Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2}, Int32: {"int32", 4},
	Int64: {"int64", 8}, Text: {"text", 0}, Bool: {"bool", 1}, Float16: {"float16", 2}, Float64: {"float64", 8}, Uint32: {"uint32", 4},
	Uint64: {"uint64", 8}, BFloat16: {"bfloat16", 2},
}

// Size is the bytes of an element, 0 for text and for types that are not here.
func (t Type) Size() int { return types[t].size }

// A Tensor is numbers and their shape. The numbers are in one of Raw, little-endian, the typed lists, or an external file.
type Tensor struct {
	Name     string
	Type     Type
	Dims     []int64
	Raw      []byte
	Floats   []float32 // of Float32
	Ints     []int64   // of Int32, Int16, Int8, Uint16, Uint8, Bool and Int64, and of Float16 and BFloat16 their bits
	Doubles  []float64 // of Float64
	Uints    []uint64  // of Uint32 and Uint64
	External *External
}

// External is where the numbers of a tensor lie outside the file, as the file says it.
type External struct {
	Location       string
	Offset, Length int64 // Length is -1 if the file does not say it
}

// Elems is the number of elements; not ok if a dimension is negative or the product does not fit.
func (t *Tensor) Elems() (n int, ok bool) {
	n = 1
	for _, d := range t.Dims {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			n = 0
			continue
		}
		if d > math.MaxInt/8/int64(max(n, 1)) {
			return 0, false
		}
		n *= int(d)
	}
	return n, true
}

// A Value is the name of an input, an output or a value in between, with its type and shape.
type Value struct {
	Name   string
	Type   Type // 0 if it is no tensor
	Shaped bool // whether the file has a shape; one without Dims is that of a single number
	Dims   []Dim
}

// A Dim is a size, or the name of one that varies. A size that is not known has neither.
type Dim struct {
	Size  int64
	Name  string
	Known bool // whether Size is one
}

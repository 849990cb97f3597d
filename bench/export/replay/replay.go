// Package replay runs an exported file operator by operator, as another program would: from the file's bytes alone, knowing nothing
// of the network that they came from.
//
// The contract. Run computes one image's answers from a decoded file and whatever values the caller gives by name, which need not
// be the file's inputs: what lies before them is left alone. It knows the operators that package zoo/onnx writes behind an image's
// preprocessing, in float32 and in bytes; another operator, or a shape that does not fit, is an error that names the node. Tensors
// are decoded when they are read, and values are dropped after their last use. Products with weights run on the kernels,
// everything else on plain loops: it is a check, not a runtime.
//
// It leaves to others what the answers are compared with, and everything that other files might contain.
package replay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"

	"zoobench/kernels/par"
	"zoobench/zoo/onnx/message"
)

// A Value is numbers and their shape: floats or integers. One that only its shape is asked of has neither.
type Value struct {
	Dims   []int
	Floats []float32
	Ints   []int64
}

// run is a file that is being run.
type run struct {
	m      *message.Model
	data   io.ReaderAt
	pool   *par.Pool
	values map[string]*Value
	made   map[string]int // by name: the node that makes the value, or
	stored map[string]int // the tensor
	uses   map[string]int // by name: how many nodes are still to read it
}

// Run computes the file's first output. data is its external data, nil without them.
func Run(m *message.Model, data io.ReaderAt, given map[string]*Value) (*Value, error) {
	r := &run{m: m, data: data, values: map[string]*Value{}, made: map[string]int{}, stored: map[string]int{}, uses: map[string]int{}}
	for i := range m.Graph.Tensors {
		r.stored[m.Graph.Tensors[i].Name] = i
	}
	for i, n := range m.Graph.Nodes {
		for _, out := range n.Out {
			r.made[out] = i
		}
	}
	for name, v := range given {
		r.values[name] = v
	}
	if len(m.Graph.Outputs) == 0 {
		return nil, errors.New("replay: no output")
	}
	r.pool = par.New(runtime.GOMAXPROCS(0))
	defer r.pool.Close()
	out := m.Graph.Outputs[0].Name
	needed := make([]bool, len(m.Graph.Nodes))
	r.need(out, needed)
	for i := range m.Graph.Nodes {
		if !needed[i] {
			continue
		}
		if err := r.node(&m.Graph.Nodes[i]); err != nil {
			return nil, fmt.Errorf("replay: %s: %w", m.Graph.Nodes[i].Name, err)
		}
	}
	if r.values[out] == nil {
		return nil, fmt.Errorf("replay: nothing makes %s", out)
	}
	return r.values[out], nil
}

// need marks the nodes from which a value comes, as far as the values that are given, and counts their reads.
func (r *run) need(name string, needed []bool) {
	r.uses[name]++
	i, made := r.made[name]
	if r.values[name] != nil || !made || needed[i] {
		return
	}
	needed[i] = true
	for _, in := range r.m.Graph.Nodes[i].In {
		r.need(in, needed)
	}
}

// node computes one operator.
func (r *run) node(n *message.Node) error {
	do := operators[n.Op]
	if do == nil {
		return fmt.Errorf("operator %s", n.Op)
	}
	o := &operation{run: r, node: n}
	for _, name := range n.In {
		v, err := r.value(name)
		if err != nil {
			return err
		}
		o.in = append(o.in, v)
	}
	y, err := do(o)
	if err != nil {
		return err
	}
	if n := count(y.Dims); len(y.Floats) != n && len(y.Ints) != n {
		return fmt.Errorf("%d numbers of shape %v", len(y.Floats)+len(y.Ints), y.Dims)
	}
	r.values[n.Out[0]] = y
	for _, name := range n.In {
		if r.uses[name]--; r.uses[name] == 0 {
			delete(r.values, name)
		}
	}
	return nil
}

// value is a value that is there, or a tensor of the file.
func (r *run) value(name string) (*Value, error) {
	if v := r.values[name]; v != nil {
		return v, nil
	}
	i, ok := r.stored[name]
	if !ok {
		return nil, fmt.Errorf("nothing makes %q", name)
	}
	t := &r.m.Graph.Tensors[i]
	raw := t.Raw
	if t.External != nil {
		raw = make([]byte, t.External.Length)
		if _, err := r.data.ReadAt(raw, t.External.Offset); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	v := &Value{Dims: narrow(t.Dims)}
	switch n := count(v.Dims); {
	case t.Type == message.Float32 && len(raw) == 4*n:
		v.Floats = make([]float32, n)
		for i := range v.Floats {
			v.Floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case t.Type == message.Int64 && len(raw) == 8*n:
		v.Ints = make([]int64, n)
		for i := range v.Ints {
			v.Ints[i] = int64(binary.LittleEndian.Uint64(raw[8*i:]))
		}
	case (t.Type == message.Int8 || t.Type == message.Uint8 || t.Type == message.Int32) && len(raw) == t.Type.Size()*n:
		v.Ints = make([]int64, n)
		for i := range v.Ints {
			switch t.Type {
			case message.Int8:
				v.Ints[i] = int64(int8(raw[i]))
			case message.Uint8:
				v.Ints[i] = int64(raw[i])
			default:
				v.Ints[i] = int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
			}
		}
	default:
		return nil, fmt.Errorf("%s: %d bytes of type %d and shape %v", name, len(raw), t.Type, t.Dims)
	}
	r.values[name] = v
	return v, nil
}

// An operation is one operator with what it reads.
type operation struct {
	*run
	node *message.Node
	in   []*Value
}

// attribute is a setting of the operator, nil if it is not given.
func (o *operation) attribute(name string) *message.Attribute {
	for i := range o.node.Attributes {
		if a := &o.node.Attributes[i]; a.Name == name {
			return a
		}
	}
	return nil
}

func (o *operation) int(name string, otherwise int) int {
	if a := o.attribute(name); a != nil {
		return int(a.Int)
	}
	return otherwise
}

func (o *operation) float(name string, otherwise float64) float64 {
	if a := o.attribute(name); a != nil {
		return float64(a.Float)
	}
	return otherwise
}

func (o *operation) ints(name string, otherwise ...int) []int {
	if a := o.attribute(name); a != nil {
		return narrow(a.Ints)
	}
	return otherwise
}

// axis is an axis of the first input, counted from the last one if it is negative.
func (o *operation) axis(a int) int {
	if a < 0 {
		a += len(o.in[0].Dims)
	}
	return a
}

func narrow(v []int64) []int {
	x := make([]int, len(v))
	for i, n := range v {
		x[i] = int(n)
	}
	return x
}

func count(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

func floats(dims ...int) *Value { return &Value{Dims: dims, Floats: make([]float32, count(dims))} }

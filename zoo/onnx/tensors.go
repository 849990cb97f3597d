package onnx

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zoobench/zoo/onnx/message"
)

// param is a parameter as a tensor, "" for none.
func (e *exporter) param(i int) string {
	if i < 0 {
		return ""
	}
	p := e.g.Params[i]
	return e.tensor(p.Name, p.Shape, fill{
		floats: func() ([]float32, error) { return e.read(i) }, done: func() { e.src.Release(p.Name) },
	})
}

// paramOr is a parameter as a tensor, or where there is none one of so many equal numbers.
func (e *exporter) paramOr(i, otherwise, count int) string {
	if i >= 0 {
		return e.param(i)
	}
	return e.floats(fmt.Sprintf("float/%d×%d", otherwise, count), slices.Repeat([]float32{float32(otherwise)}, count), count)
}

// read is a parameter's numbers.
func (e *exporter) read(i int) ([]float32, error) {
	p := e.g.Params[i]
	x, err := e.src.Float32(p.Name)
	if err == nil && len(x) != p.Elems() {
		err = fmt.Errorf("%s: %d elements, want %d for shape %v", p.Name, len(x), p.Elems(), p.Shape)
	}
	return x, err
}

// A fill makes a tensor's numbers when they are written; done ends their use.
type fill struct {
	floats func() ([]float32, error)
	done   func()
}

// tensor adds a tensor of float32 unless one of its name is there.
func (e *exporter) tensor(name string, dims []int, f fill) string {
	if _, has := e.made[name]; !has {
		e.made[name] = f
		e.out.Tensors = append(e.out.Tensors, message.Tensor{Name: name, Type: message.Float32, Dims: wide(dims)})
	}
	return name
}

// floats is a tensor of these numbers.
func (e *exporter) floats(name string, v []float32, dims ...int) string {
	return e.tensor(name, dims, fill{floats: func() ([]float32, error) { return v, nil }, done: func() {}})
}

// own is a tensor of the node's own numbers.
func (e *exporter) own(what string, v []float32, dims ...int) string {
	return e.floats(e.g.Nodes[e.at].Op.String()+"_"+strconv.Itoa(e.at)+"/"+what, v, dims...)
}

// float is a single number, one tensor for all that use it.
func (e *exporter) float(v float64) string {
	return e.floats("float/"+strconv.FormatFloat(v, 'g', -1, 64), []float32{float32(v)})
}

// integers is a tensor of int64, one for all that use its name.
func (e *exporter) integers(name string, v []int, dims ...int) string {
	if _, has := e.made[name]; !has {
		e.made[name] = fill{}
		raw := make([]byte, 0, 8*len(v))
		for _, n := range v {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(n))
		}
		e.out.Tensors = append(e.out.Tensors, message.Tensor{Name: name, Type: message.Int64, Dims: wide(dims), Raw: raw})
	}
	return name
}

// ints is a row of integers.
func (e *exporter) ints(v ...int) string {
	return e.integers("ints/"+strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ","), "[]"), v, len(v))
}

// integer is a single integer.
func (e *exporter) integer(v int) string { return e.integers("int/"+strconv.Itoa(v), []int{v}) }

func wide(v []int) (x []int64) {
	for _, n := range v {
		x = append(x, int64(n))
	}
	return x
}

func number(name string, v int) message.Attribute {
	return message.Attribute{Name: name, Kind: message.IsInt, Int: int64(v)}
}

func real(name string, v float64) message.Attribute {
	return message.Attribute{Name: name, Kind: message.IsFloat, Float: float32(v)}
}

func word(name, v string) message.Attribute {
	return message.Attribute{Name: name, Kind: message.IsText, Text: v}
}

func numbers(name string, v ...int) message.Attribute {
	return message.Attribute{Name: name, Kind: message.IsInts, Ints: wide(v)}
}

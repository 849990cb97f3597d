package load

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// A param is where a parameter's numbers come from.
type param struct {
	shape  []int
	floats func() ([]float32, error)
	raw    []byte // of the file, nil where the numbers come from elsewhere
	steps  *steps // of whole numbers, nil for others
}

// Weights are the parameters of a file's graph, a weights.Source.
type Weights struct {
	name   string
	file   *weights.Mapping // nil where the bytes are the caller's
	params map[string]param
	list   []weights.Tensor

	mu   sync.Mutex
	held map[string][]float32
}

// keep leaves what a graph reads.
func (w *Weights) keep(g *nn.Graph) {
	w.held = map[string][]float32{}
	for _, p := range g.Params {
		w.list = append(w.list, weights.Tensor{Name: p.Name, Shape: p.Shape, Dtype: weights.F32})
	}
}

// Name is the file's.
func (w *Weights) Name() string { return w.name }

// Tensors are the graph's parameters.
func (w *Weights) Tensors() []weights.Tensor { return w.list }

// Lookup finds a parameter.
func (w *Weights) Lookup(name string) (weights.Tensor, bool) {
	for _, t := range w.list {
		if t.Name == name {
			return t, true
		}
	}
	return weights.Tensor{}, false
}

// Float32 is a parameter's numbers, until Release.
func (w *Weights) Float32(name string) ([]float32, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x := w.held[name]; x != nil {
		return x, nil
	}
	p, ok := w.params[name]
	if !ok {
		return nil, fmt.Errorf("onnx: %s: no parameter %q", w.name, name)
	}
	var x []float32
	read := func() (err error) {
		x, err = p.floats()
		return err
	}
	guarded := read
	if w.file != nil {
		guarded = func() error { return w.file.Guard(read) }
	}
	if err := guarded(); err != nil {
		return nil, fmt.Errorf("onnx: %s: %s: %w", w.name, name, err)
	}
	if n := count(p.shape); len(x) != n {
		return nil, fmt.Errorf("onnx: %s: %s: %d numbers, want %d for %v", w.name, name, len(x), n, p.shape)
	}
	for i, v := range x {
		if v != v {
			return nil, fmt.Errorf("onnx: %s: %s: number %d of %d is NaN", w.name, name, i, len(x))
		}
	}
	w.held[name] = x
	return x, nil
}

// Read copies a part of a parameter.
func (w *Weights) Read(name string, first int, dst []float32) error {
	x, err := w.Float32(name)
	if err != nil {
		return err
	}
	if first < 0 || len(dst) > len(x)-first {
		return fmt.Errorf("onnx: %s: %s: elements %d to %d of %d", w.name, name, first, first+len(dst), len(x))
	}
	copy(dst, x[first:])
	return nil
}

// Release drops a parameter's numbers.
func (w *Weights) Release(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.held, name)
	if w.file != nil {
		w.file.Release(w.params[name].raw)
	}
}

// Close drops everything.
func (w *Weights) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held, w.params = map[string][]float32{}, nil
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// layer is a name for a layer whose weight is a tensor: that of the file's tensor without the part that ends it, else the
// operator's.
func (l *loader) layer(weight *tensor, end string) string {
	name, _, _ := strings.Cut(weight.name, "/")
	name = strings.TrimSuffix(name, "_quantized")
	name, found := strings.CutSuffix(name, end)
	if !found || name == "" || strings.Contains(name, "::") || l.names[name] { // equal weights of several layers are one tensor
		name = l.module()
	}
	return l.unique(name)
}

// module is the module that PyTorch made the operator for: "/layer1/layer1.0/conv1/Conv" is of layer1.0.conv1.
func (l *loader) module() string {
	way := strings.Split(strings.Trim(l.node.Name, "/"), "/")
	if last := len(way) - 1; strings.HasPrefix(way[last], l.node.Op) {
		way = way[:last]
	}
	var parts []string
	for i, part := range way {
		if part != "" && (i+1 == len(way) || !strings.HasPrefix(way[i+1], part+".")) {
			parts = append(parts, part)
		}
	}
	if parts == nil {
		return l.node.Op + "_" + strconv.Itoa(l.index)
	}
	return strings.Join(parts, ".")
}

func (l *loader) unique(name string) string {
	for n, first := 2, name; l.names[name]; n++ {
		name = first + "_" + strconv.Itoa(n)
	}
	l.names[name] = true
	return name
}

// set is where a parameter's numbers come from: a tensor of as many.
func (l *loader) set(name string, t *tensor, shape ...int) {
	if count(t.dims) != count(shape) {
		l.refuse("a parameter of shape %v, want %v", t.dims, shape)
	}
	l.weights.params[name] = param{slices.Clone(shape), func() ([]float32, error) { return l.floats(t) }, t.raw, t.steps}
}

func (l *loader) setFloats(name string, floats func() ([]float32, error), shape ...int) {
	l.weights.params[name] = param{slices.Clone(shape), floats, nil, nil}
}

// floats are a tensor's numbers.
func (l *loader) floats(t *tensor) ([]float32, error) {
	if t.whole {
		return l.numbers(t), nil
	}
	return t.floats()
}

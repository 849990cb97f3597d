package load

import (
	"slices"

	"zoobench/zoo/onnx/message"
)

// Claimed reports whether an operator can be had, of images or of constants.
func Claimed(op string) bool { return operators[op] != nil || folds[op] != nil }

// Folded computes the results of a file of constants alone.
func Folded(m *message.Model, given []message.Tensor) (results [][]float32, err error) {
	l := (&Network{m: m}).loader("x.onnx")
	defer func() {
		if r, ok := recover().(refused); ok {
			l.fault("%s", r.text)
			err = l.failed()
		}
	}()
	for _, o := range m.Opsets {
		l.opset = max(l.opset, o.Version)
	}
	l.batch = anyBatch
	for i := range given {
		l.values[given[i].Name] = l.read(&given[i])
	}
	for i := range m.Graph.Nodes {
		l.step(i)
	}
	l.node = nil
	for _, out := range m.Graph.Outputs {
		t, ok := l.values[out.Name].(*tensor)
		if !ok {
			return nil, l.failed()
		}
		results = append(results, slices.Clone(l.numbers(t)))
	}
	return results, nil
}

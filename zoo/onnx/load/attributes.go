package load

import "zoobench/zoo/onnx/message"

// attribute is a setting of the operator, nil where it is left out.
func (l *loader) attribute(name string, kind message.Kind) *message.Attribute {
	for i := range l.node.Attributes {
		if a := &l.node.Attributes[i]; a.Name == name {
			if a.Kind != kind {
				l.refuse("%s is of kind %d, want %d", name, a.Kind, kind)
			}
			return a
		}
	}
	return nil
}

func (l *loader) int(name string, otherwise int64) int64 {
	if a := l.attribute(name, message.IsInt); a != nil {
		return a.Int
	}
	return otherwise
}

func (l *loader) float(name string, otherwise float64) float64 {
	if a := l.attribute(name, message.IsFloat); a != nil {
		return float64(a.Float)
	}
	return otherwise
}

func (l *loader) text(name, otherwise string) string {
	if a := l.attribute(name, message.IsText); a != nil {
		return a.Text
	}
	return otherwise
}

// ints are a setting's numbers, nil where it is left out; each must be within the bounds of a size.
func (l *loader) ints(name string) []int {
	a := l.attribute(name, message.IsInts)
	if a == nil {
		return nil
	}
	return l.sizes(name, a.Ints)
}

const maxInt = 1 << 40

func (l *loader) sizes(name string, v []int64) (all []int) {
	for _, x := range v {
		if x > maxInt || x < -maxInt {
			x = max(min(x, maxInt), -maxInt)
		}
		all = append(all, int(x))
	}
	return all
}

// input is one of the operator's, of a type; nil where it is left out.
func input[T any](l *loader, in []any, k int) (x T) {
	if k >= len(in) || in[k] == nil {
		return x
	}
	x, ok := in[k].(T)
	if !ok {
		l.refuse("input %d is %s, want %s", k, what(in[k]), what(x))
	}
	return x
}

// what is a value in words.
func what(v any) string {
	switch v.(type) {
	case *tensor:
		return "a constant"
	case *image:
		return "a value that depends on the image"
	case *scores:
		return "products of queries and keys"
	case *statistic:
		return "a mean or a variance"
	}
	return "nothing"
}

// must is input where it must be there.
func must[T any](l *loader, in []any, k int) T {
	if k >= len(in) || in[k] == nil {
		l.refuse("input %d is left out", k)
	}
	return input[T](l, in, k)
}

// list are numbers from a setting or, in later opsets, an input; not ok where there is neither.
func (l *loader) list(in []any, k int, name string) ([]int, bool) {
	if t := input[*tensor](l, in, k); t != nil {
		if !t.whole || len(t.dims) > 1 {
			l.refuse("%s: a constant of shape %v, want a row of whole numbers", name, t.dims)
		}
		return l.sizes(name, t.ints), true
	}
	v := l.ints(name)
	return v, v != nil
}

// axis is one of n axes, counted from the end where negative.
func (l *loader) axis(a, n int) int {
	if a < 0 {
		a += n
	}
	if a < 0 || a >= n {
		l.refuse("axis %d of %d", a, n)
	}
	return a
}

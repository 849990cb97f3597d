package load

import (
	"slices"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// steps are what the whole numbers of a tensor stood for before DequantizeLinear, with a scale for each part of an axis or for all.
type steps struct {
	scale, zero []float32
	axis        int
	of          message.Type
	ints        []int64 // of biases
}

// single reports whether all numbers have one scale and one zero point.
func (s *steps) single() bool { return len(s.scale) == 1 && len(s.zero) <= 1 }

// permuted are those of a tensor with its axes in another order.
func (s *steps) permuted(perm []int) *steps {
	if s == nil || s.single() {
		return s.without()
	}
	y := s.without()
	y.axis = slices.Index(perm, s.axis)
	return y
}

// shaped are those of a tensor in another shape, nil where its first axis is another.
func (s *steps) shaped(from, to []int) *steps {
	switch {
	case s == nil || s.single():
		return s
	case s.axis != 0 || len(from) == 0 || len(to) == 0 || from[0] != to[0]:
		return nil
	}
	return s
}

// without is a copy without the numbers, whose order is another.
func (s *steps) without() *steps {
	if s == nil {
		return nil
	}
	y := *s
	y.ints = nil
	return &y
}

// A rounding is a function of a value that QuantizeLinear rounds.
type rounding struct {
	f  *fn
	by grid
	of message.Type
}

// Int8 is what a file has in whole numbers of eight bits, by the graph's nodes.
type Int8 struct {
	Values map[int]Grid  // the values that it rounds
	Layers map[int]Layer // its convolutions and linear layers whose weights are such numbers
	Faults []string      // of layers and values whose numbers are of another kind
}

// A Grid is what unsigned bytes stand for: Scale times their distance from Zero.
type Grid struct {
	Scale float32
	Zero  uint8
}

// A Layer is what the numbers of a layer stand for. Those of weights are from -128 to 127, around 0.
type Layer struct {
	Scale     []float32 // by output channel
	Bias      []int64   // in steps of BiasScale; nil where the file has floats, or none
	BiasScale []float32 // by output channel
}

// int8 is what the file has of a graph, nil for nothing.
func (l *loader) int8(g *nn.Graph) *Int8 {
	x := &Int8{Values: map[int]Grid{}, Layers: map[int]Layer{}}
	for _, r := range l.rounded {
		if r.f.there == nil || r.f.there.build != nil {
			continue
		}
		node := r.f.there.value.Node()
		shift, ok := map[message.Type]float64{message.Uint8: 0, message.Int8: 128}[r.of]
		made := Grid{float32(r.by.by), uint8(r.by.zero + shift)}
		have, twice := x.Values[node]
		switch {
		case !ok:
			x.fault("values of 16 bits")
		case twice && have != made:
			x.fault("values that are rounded in two ways")
		default:
			x.Values[node] = made
		}
	}
	for i, n := range g.Nodes {
		if n.Op != nn.Conv && n.Op != nn.Linear {
			continue
		}
		p := l.weights.params[g.Params[n.Weight].Name]
		if p.steps == nil {
			continue
		}
		layer := Layer{Scale: p.steps.each(n.Out.C)}
		switch {
		case !p.steps.centred():
			x.fault("weights whose zero point is not the middle")
			continue
		case layer.Scale == nil:
			x.fault("weights with scales that are not those of output channels")
			continue
		}
		if n.Bias >= 0 {
			if s := l.weights.params[g.Params[n.Bias].Name].steps; s != nil && s.ints != nil && s.middle(0) {
				layer.Bias, layer.BiasScale = s.ints, s.each(n.Out.C)
			}
		}
		x.Layers[i] = layer
	}
	if len(x.Values) == 0 && len(x.Layers) == 0 && len(x.Faults) == 0 {
		return nil
	}
	return x
}

func (x *Int8) fault(text string) {
	if !slices.Contains(x.Faults, text) {
		x.Faults = append(x.Faults, text)
	}
}

// each are scales of so many output channels, nil where the scales are of something else.
func (s *steps) each(channels int) []float32 {
	switch {
	case len(s.scale) == channels && s.axis == 0:
		return s.scale
	case s.single():
		return slices.Repeat(s.scale, channels)
	}
	return nil
}

// centred reports whether weights are bytes around the middle of their range.
func (s *steps) centred() bool {
	switch s.of {
	case message.Int8:
		return s.middle(0)
	case message.Uint8:
		return len(s.zero) > 0 && s.middle(128)
	}
	return false
}

// middle reports whether all zero points are this number.
func (s *steps) middle(want float32) bool {
	return !slices.ContainsFunc(s.zero, func(z float32) bool { return z != want })
}

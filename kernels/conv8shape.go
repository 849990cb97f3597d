package kernels

import "math"

// Conv8Shape is a convolution of bytes: the geometry, the activation and the Scratch of a ConvShape, whose Exact is not read and
// whose Weight, Bias and Filter give way to these.
type Conv8Shape struct {
	ConvShape
	Weight []int8    // (OC, C/Groups, KH, KW), −127 to 127; read while the operation is made only, as are the next two
	Scale  []float32 // (OC) what a step of an output channel's weights stands for
	Bias   []int32   // (OC) or nil, in steps of In.Scale·Scale[oc]

	In   Quant
	Out  Quant // the zero value for an output of float32, by RunFloat; Act is a clamp then
	Res  Quant // of the residual; the zero value if there is none, or if it is float32
	Sums Quant // of the sums before Act, which is read where Act is no clamp: it then is a table

	Choice string // the name of one of Algorithms, with Int8; "" for the first
}

// choice is the name of the algorithm.
func (s *Conv8Shape) choice() string {
	if s.Choice != "" {
		return s.Choice
	}
	shape := s.ConvShape
	shape.Int8 = true
	return shape.Algorithms()[0].Name
}

// check panics unless groups, weights and scales fit the shape.
func (s *Conv8Shape) check() {
	if s.Groups < 1 || s.C%s.Groups != 0 || s.OC%s.Groups != 0 {
		panic("kernels: conv8: groups do not divide channels")
	}
	depth := s.depth()
	if len(s.Weight) != s.OC*depth || len(s.Scale) != s.OC || s.Bias != nil && len(s.Bias) != s.OC {
		panic("kernels: conv8: weights of another shape")
	}
	s.In.check("kernels: conv8: an input without a scale")
	for oc := range s.OC {
		if v := s.Scale[oc]; !(v >= 0 && v <= math.MaxFloat32) {
			panic("kernels: conv8: a scale of weights that is no number")
		}
		most := int64(0)
		if s.Bias != nil {
			most = max(int64(s.Bias[oc]), -int64(s.Bias[oc]))
		}
		for _, w := range s.Weight[oc*depth:][:depth] {
			most += 255 * max(int64(w), -int64(w))
		}
		if most > math.MaxInt32 {
			panic("kernels: conv8: sums beyond 32 bits")
		}
	}
}

// finish is what becomes of the sums.
func (s *Conv8Shape) finish() (f finish8) {
	if s.Out.Scale == 0 {
		if !s.Act.isClamp() {
			panic("kernels: conv8: an activation of float32 that is no clamp")
		}
		f.OutFloats = 1
		f.Lo, f.Hi = s.Act.clamp()
		return f
	}
	f, as := newFinish8(s.Act, s.Sums, s.Out)
	if s.Res.Scale != 0 {
		f.ResScale, f.ResZero = ratio(float64(s.Res.Scale), float64(as.Scale)), int32(s.Res.Zero)
	}
	return f
}

// multiplier is what a sum of an output channel is multiplied by.
func (s *Conv8Shape) multiplier(oc int) float32 {
	unit := float64(s.In.Scale) * float64(s.Scale[oc])
	switch {
	case s.Out.Scale == 0:
		return float32(unit)
	case s.Act.isClamp():
		return ratio(unit, float64(s.Out.Scale))
	}
	return ratio(unit, float64(s.Sums.Scale))
}

// folded is what a sum of an output channel begins with: the bias, less what the input's zero point adds to it where less is taken from
// every byte.
func (s *Conv8Shape) folded(oc int, less int32) int32 {
	b := int32(0)
	if s.Bias != nil {
		b = s.Bias[oc]
	}
	for _, w := range s.Weight[oc*s.depth():][:s.depth()] {
		b -= (int32(s.In.Zero) - less) * int32(w)
	}
	return b
}

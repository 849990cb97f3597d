package weights

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"zoobench/zoo/nn"
)

// A Generator makes weights and images out of nothing but names: every number is a function of the generator's seed,
// the tensor's name and the element's index. Latency needs no more, and the golden logits are computed from the same
// numbers (goldens/README.md, "The generator"). Where speed alone is measured, the zero value will do.
type Generator struct {
	Seed uint64
	Gain float64 // scale of the convolutions' and linear layers' weights; 0 means √2, which keeps activations' size through ReLU
}

// FNV-1a's and splitmix64's constants, and the one that spreads seeds.
const (
	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
	golden    = 0x9E3779B97F4A7C15
	seedStep  = 0xD1342543DE82EF95
)

// base is the state from which a name's sequence starts.
func (g Generator) base(name string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * fnvPrime
	}
	return h + g.Seed*seedStep
}

// uniform24 is the top 24 bits of splitmix64's finalizer, an integer in [0, 2²⁴).
func uniform24(z uint64) int64 {
	z ^= z >> 30
	z *= 0xBF58476D1CE4E5B9
	z ^= z >> 27
	z *= 0x94D049BB133111EB
	z ^= z >> 31
	return int64(z >> 40)
}

// A law turns a uniform number u in [0, 1) into a parameter: low + span·u, or (2u-1)·a·b where centred.
type law struct {
	centred   bool
	a, b      float64
	low, span float64
}

// gain is Gain, or what its zero means.
func (g Generator) gain() float64 {
	if g.Gain == 0 {
		return math.Sqrt2
	}
	return g.Gain
}

// lawOf is the law of a tensor, by its name and shape.
func (g Generator) lawOf(name string, shape []int) law {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return g.kerasLaw(name[i+1:], shape)
	}
	has := func(part string) bool { return strings.Contains(name, part) }
	scale := law{low: 0.75, span: 0.5}
	switch {
	case strings.HasSuffix(name, "running_var"):
		return law{low: 0.5, span: 1}
	case strings.HasSuffix(name, "running_mean"):
		return law{centred: true, a: 0.1, b: 1}
	case slices.ContainsFunc([]string{"pos_embed", "cls_token", "dist_token", "class_token", "pos_embedding",
		"relative_position_bias_table", "rel_pos."}, has):
		return law{centred: true, a: 0.5, b: 1}
	case len(shape) >= 2:
		long := 0
		for _, d := range shape {
			if d != 1 {
				long++
			}
		}
		if long == 1 {
			return scale
		}
		return law{centred: true, a: g.gain(), b: math.Sqrt(3 / float64(length(shape[1:])))}
	case strings.HasSuffix(name, "bias"), strings.HasSuffix(name, "beta"):
		return law{centred: true, a: 0.1, b: 1}
	}
	return scale
}

// kerasLaw is the law of a tensor of Keras's, by the last part of its name, whose output channels are its last dimension.
func (g Generator) kerasLaw(part string, shape []int) law {
	switch {
	case part == "moving_variance", part == "variance":
		return law{low: 0.5, span: 1}
	case part == "moving_mean", part == "mean", part == "bias", part == "beta":
		return law{centred: true, a: 0.1, b: 1}
	case part == "count":
		return law{}
	case part == "depthwise_kernel" && len(shape) == 4:
		return law{centred: true, a: g.gain(), b: math.Sqrt(3 / float64(shape[0]*shape[1]))}
	case len(shape) >= 2:
		return law{centred: true, a: g.gain(), b: math.Sqrt(3 / float64(length(shape[:len(shape)-1])))}
	}
	return law{low: 0.75, span: 0.5}
}

// fill writes the elements first … first+len(dst)-1, counted row-major, of the tensor of that name and shape.
func (g Generator) fill(dst []float32, name string, shape []int, first int) {
	l, base := g.lawOf(name, shape), g.base(name)
	inParallel(len(dst), func(lo, hi int) {
		l.fill(dst[lo:hi], base+uint64(first+lo)*golden)
	})
}

// fill writes the law's values for the states z+golden, z+2·golden, …. The arithmetic is float64, rounded once.
func (l law) fill(dst []float32, z uint64) {
	if l.centred {
		a, b := l.a, l.b
		for i := range dst {
			z += golden
			dst[i] = float32((float64(uniform24(z))*(1.0/(1<<23)) - 1) * a * b)
		}
		return
	}
	low, span := l.low, l.span*(1.0/(1<<24))
	for i := range dst {
		z += golden
		dst[i] = float32(low + float64(uniform24(z))*span)
	}
}

// Images is the golden tests' input, two images (2,3,size,size), row-major.
func (g Generator) Images(size int) []float32 { return g.Batch(2, size) }

// Batch is n images (n,3,size,size), row-major.
func (g Generator) Batch(n, size int) []float32 { return g.Planes(3*n, size, size) }

// Planes are n planes (n,height,width), row-major: noise on a coarse pattern of 4 by 4 cells.
func (g Generator) Planes(n, height, width int) []float32 {
	x := make([]float32, n*height*width)
	fine, coarse := g.base("input"), g.base("input.coarse")
	centred := func(z uint64) float64 { return float64(uniform24(z))*(1.0/(1<<23)) - 1 }
	inParallel(n*height, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			plane, y := row/height, row%height
			cells := (plane*4 + 4*y/height) * 4
			for col := range width {
				i := row*width + col
				f := centred(fine + uint64(i+1)*golden)
				c := centred(coarse + uint64(cells+4*col/width+1)*golden)
				x[i] = float32(0.5*f + 1.5*c)
			}
		}
	})
	return x
}

// inParallel calls part for pieces of 0 … n-1 on all processors; for few on the caller's goroutine alone.
func inParallel(n int, part func(lo, hi int)) {
	const least = 1 << 15
	pieces := min(runtime.GOMAXPROCS(0), n/least)
	if pieces <= 1 {
		part(0, n)
		return
	}
	var group sync.WaitGroup
	for p := range pieces {
		group.Go(func() { part(n*p/pieces, n*(p+1)/pieces) })
	}
	group.Wait()
}

// Generated is a network's generated weights, a Source that computes each tensor when it is asked for.
type Generated struct {
	gen   Generator
	list  []Tensor
	index map[string]int

	mu   sync.Mutex
	made map[string][]float32
}

// Source is the generated weights of a network with these parameters. They need no Bind.
func (g Generator) Source(params []nn.Param) *Generated {
	s := &Generated{gen: g, index: make(map[string]int, len(params)), made: map[string][]float32{}}
	for _, p := range params {
		s.index[p.Name] = len(s.list)
		s.list = append(s.list, Tensor{Name: p.Name, Shape: p.Shape, Dtype: F32})
	}
	return s
}

// Name is the generator's settings.
func (s *Generated) Name() string {
	return fmt.Sprintf("generated (seed %d, gain %g)", s.gen.Seed, s.gen.gain())
}

// Tensors lists the parameters in the network's order.
func (s *Generated) Tensors() []Tensor { return s.list }

// Lookup finds a tensor by its name.
func (s *Generated) Lookup(name string) (Tensor, bool) {
	i, ok := s.index[name]
	if !ok {
		return Tensor{}, false
	}
	return s.list[i], true
}

// Float32 computes a tensor, as Source says.
func (s *Generated) Float32(name string) ([]float32, error) {
	t, ok := s.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("weights: %s: %s: no such tensor", s.Name(), clip(name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.made[name]
	if !ok {
		x = make([]float32, t.Len())
		s.gen.fill(x, name, t.Shape, 0)
		s.made[name] = x
	}
	return x, nil
}

// Read computes a part of a tensor, as Source says.
func (s *Generated) Read(name string, first int, dst []float32) error {
	t, ok := s.Lookup(name)
	if !ok {
		return fmt.Errorf("weights: %s: %s: no such tensor", s.Name(), clip(name))
	}
	if first < 0 || first > t.Len() || len(dst) > t.Len()-first {
		return fmt.Errorf("weights: %s: %s: elements %d to %d of %d", s.Name(), clip(name), first, first+len(dst), t.Len())
	}
	s.gen.fill(dst, name, t.Shape, first)
	return nil
}

// Release drops a tensor.
func (s *Generated) Release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.made, name)
}

// Close drops all tensors.
func (s *Generated) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.made)
	return nil
}

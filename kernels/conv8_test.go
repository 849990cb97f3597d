package kernels

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"zoobench/kernels/par"
)

// eachISA8 runs a test body once for every instruction set for bytes; REQUIRE_ISA names one that this machine must have.
func eachISA8(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	keepISA(t)
	if want := os.Getenv("REQUIRE_ISA"); want != "" {
		if err := Use(want); err != nil {
			t.Fatal(err)
		}
	}
	for _, isa := range ISAs8() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		if ISA8() != isa {
			t.Fatalf("%s in use, want %s", ISA8(), isa)
		}
		t.Run("isa="+isa, body)
		if level8.Name == "generic" || level8.Tiled {
			blocksAlways = true
			t.Run("isa="+isa+",blocks", body)
			blocksAlways = false
		}
	}
}

// keepISA leaves the instruction sets as they are when the test ends.
func keepISA(t testing.TB) {
	before, before8 := level, level8
	t.Cleanup(func() { level, level8 = before, before8 })
}

// guard8 is what stands around a tensor of bytes and between its pixels.
const guard8 = 0xa5

// newTensor8 is newTensor for bytes.
func newTensor8(n, h, w, c, extra int, q Quant, fill func() uint8) Tensor8 {
	t := Tensor8{N: n, H: h, W: w, C: c, Stride: c + extra, Quant: q}
	all := make([]uint8, 3+(t.Pixels()-1)*t.Stride+c+5)
	for i := range all {
		all[i] = guard8
	}
	t.Data = all[3 : len(all)-5]
	for p := range t.Pixels() {
		for i := range c {
			t.Data[p*t.Stride+i] = fill()
		}
	}
	return t
}

// checkGuards8 looks for writes outside the tensor's elements.
func checkGuards8(t *testing.T, x Tensor8) {
	t.Helper()
	for p := range x.Pixels() - 1 {
		for i := x.C; i < x.Stride; i++ {
			if x.Data[p*x.Stride+i] != guard8 {
				t.Fatalf("pixel %d: byte %d after the pixel's %d was overwritten", p, i, x.C)
			}
		}
	}
	for i, v := range x.Data[:cap(x.Data)][len(x.Data):] {
		if v != guard8 {
			t.Fatalf("byte %d after the tensor was overwritten", i)
		}
	}
}

// quant is a random scale and zero point.
func quant(rng *rand.Rand) Quant {
	return Quant{Scale: 0.001 + rng.Float32(), Zero: uint8(rng.IntN(256))}
}

// requantised is the byte that y becomes: the contract in the order of its words.
func requantised(y float32, act Act, sums, out Quant) uint8 {
	as := out
	if !act.isClamp() {
		as = sums
	}
	lo, hi := 0.0, 255.0
	if act == ReLU || act == ReLU6 {
		lo = float64(as.Zero)
	}
	if act == ReLU6 {
		hi = min(255, float64(as.Zero)+math.RoundToEven(6/float64(as.Scale)))
	}
	q := uint8(min(max(math.RoundToEven(float64(y))+float64(as.Zero), lo), hi))
	if act.isClamp() {
		return q
	}
	return out.Byte(act.real(as.Real(q)))
}

// conv8Sum is the convolution's sum by its definition, with padding as the zero point.
func conv8Sum(s *Conv8Shape, src Tensor8, n, oy, ox, oc int) (sum int32) {
	gc := s.C / s.Groups
	group := oc / (s.OC / s.Groups)
	for ky := range s.KH {
		for kx := range s.KW {
			y, x := oy*s.SH-s.Top+ky*s.DH, ox*s.SW-s.Left+kx*s.DW
			if y < 0 || x < 0 || y >= s.H || x >= s.W {
				continue
			}
			for ic := range gc {
				a := int32(src.Data[((n*s.H+y)*s.W+x)*src.Stride+group*gc+ic]) - int32(s.In.Zero)
				sum += a * int32(s.Weight[((oc*gc+ic)*s.KH+ky)*s.KW+kx])
			}
		}
	}
	return sum + s.Bias[oc]
}

// fillConv8 gives a shape weights, scales and quantisations, with sums that fill most of the output's range.
func fillConv8(s *Conv8Shape, rng *rand.Rand, residual bool) {
	s.Weight, s.Scale, s.Bias = make([]int8, s.OC*s.depth()), make([]float32, s.OC), make([]int32, s.OC)
	s.In, s.Out, s.Sums = quant(rng), quant(rng), quant(rng)
	if residual {
		s.Res = quant(rng)
	}
	extreme := rng.IntN(4) == 0
	for i := range s.Weight {
		if s.Weight[i] = int8(rng.IntN(255) - 127); extreme {
			s.Weight[i] = int8(rng.IntN(2)*254 - 127)
		}
	}
	for oc := range s.OC {
		s.Scale[oc] = s.Out.Scale / s.In.Scale * rng.Float32() / float32(200*math.Sqrt(float64(s.depth())))
		s.Bias[oc] = int32(rng.IntN(20001) - 10000)
	}
	if rng.IntN(8) == 0 {
		s.Scale[rng.IntN(s.OC)] = 1e30 // far beyond what fits an integer
	}
}

// runConv8 makes random operands for a shape, runs it and compares every byte with the definition.
func runConv8(t *testing.T, pool *par.Pool, s Conv8Shape, n int, residual bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(s.C*1000+s.OC), uint64(n)))
	fillConv8(&s, rng, residual)
	value := func() uint8 { return uint8(rng.IntN(256)) }
	if rng.IntN(4) == 0 {
		value = func() uint8 { return uint8(rng.IntN(2) * 255) }
	}
	src := newTensor8(n, s.H, s.W, s.C, (n+2)%4, s.In, value)
	dst := newTensor8(n, s.OH, s.OW, s.OC, 2, s.Out, value)
	var res Tensor8
	if residual {
		res = newTensor8(n, s.OH, s.OW, s.OC, 1, s.Res, value)
	}
	if s.Groups == s.C && s.OC == s.C && !residual {
		d := NewDepthwise8(s, pool.Size())
		d.Run(pool, dst, src)
		checkConv8(t, &s, dst, src, res)
	}
	c := NewConv8(s, pool.Size())
	c.Run(pool, dst, src, res)
	checkConv8(t, &s, dst, src, res)
	c.Run(pool, dst, src, res) // again, on what the first run left
	checkConv8(t, &s, dst, src, res)
	if s.Act.isClamp() {
		s.Out, s.Res = Quant{}, Quant{}
		out := newTensor(n, s.OH, s.OW, s.OC, 2, rng.Float32)
		var add Tensor
		if residual {
			add = newTensor(n, s.OH, s.OW, s.OC, 1, rng.Float32)
		}
		NewConv8(s, pool.Size()).RunFloat(pool, out, src, add)
		checkFloats8(t, &s, out, src, add)
	}
}

// checkConv8 compares every byte.
func checkConv8(t *testing.T, s *Conv8Shape, dst, src, res Tensor8) {
	t.Helper()
	checkGuards8(t, dst)
	as := s.Out
	if !s.Act.isClamp() {
		as = s.Sums
	}
	for p := range dst.Pixels() {
		for oc := range s.OC {
			m := float32(float64(s.In.Scale) * float64(s.Scale[oc]) / float64(as.Scale))
			y := float32(float32(conv8Sum(s, src, p/(s.OH*s.OW), p/s.OW%s.OH, p%s.OW, oc)) * m)
			if res.Data != nil {
				r := float32(int32(res.Data[p*res.Stride+oc]) - int32(s.Res.Zero))
				y += float32(r * float32(float64(s.Res.Scale)/float64(as.Scale)))
			}
			if got, want := dst.Data[p*dst.Stride+oc], requantised(y, s.Act, s.Sums, s.Out); got != want {
				t.Fatalf("pixel %d, channel %d: %d, want %d", p, oc, got, want)
			}
		}
	}
}

// checkFloats8 compares every output of float32, to the bit.
func checkFloats8(t *testing.T, s *Conv8Shape, dst Tensor, src Tensor8, res Tensor) {
	t.Helper()
	checkGuards(t, dst)
	lo, hi := s.Act.clamp()
	for p := range dst.Pixels() {
		for oc := range s.OC {
			m := float32(float64(s.In.Scale) * float64(s.Scale[oc]))
			want := float32(float32(conv8Sum(s, src, p/(s.OH*s.OW), p/s.OW%s.OH, p%s.OW, oc)) * m)
			if res.Data != nil {
				want += res.Data[p*res.Stride+oc]
			}
			if want = min(max(want, lo), hi); dst.Data[p*dst.Stride+oc] != want {
				t.Fatalf("pixel %d, channel %d: %v, want %v", p, oc, dst.Data[p*dst.Stride+oc], want)
			}
		}
	}
}

func TestConv8(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	eachISA8(t, func(t *testing.T) {
		for i, s := range append(convCases(), depthwiseCases()...) {
			s.Act = []Act{None, ReLU, ReLU6, HardSwish}[i%4]
			t.Run(s.name(), func(t *testing.T) {
				runConv8(t, pools[0], Conv8Shape{ConvShape: s}, 1, false)
				runConv8(t, pools[1], Conv8Shape{ConvShape: s}, 2, true)
			})
		}
	})
}

// TestTrial8 holds that what a trial runs by each algorithm has the algorithm's name and computes the same bytes, of as many images
// as it is given.
func TestTrial8(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	blocksAlways = true
	defer func() { blocksAlways = false }()
	for _, s := range []ConvShape{square(40, 9, 50, 1, 1, 1), square(24, 8, 33, 3, 2, 1)} {
		s.Int8, s.Act = true, HardSwish
		for images := 2; images >= 1; images-- {
			var want []uint8
			algorithms := s.Algorithms()
			if len(algorithms) != 2 {
				t.Fatalf("%s: %d algorithms, want 2", s.name(), len(algorithms))
			}
			for _, a := range algorithms {
				c := a.New(s, pool.Size())
				c.Run(pool, newTensor(images, s.OH, s.OW, s.OC, 0, rand.Float32), newTensor(images, s.H, s.W, s.C, 0, rand.Float32), Tensor{})
				if !strings.HasPrefix(c.Algorithm(), a.Name) {
					t.Errorf("%s calls itself %s", a.Name, c.Algorithm())
				}
				got := c.(*trial8).out.Data
				if want == nil {
					want = got
				}
				if len(got) != images*s.OH*s.OW*s.OC || !slices.Equal(got, want) {
					t.Errorf("%s, %d images: other bytes by %s", s.name(), images, a.Name)
				}
			}
		}
	}
}

// TestConv8Limits holds the longest sums that fit 32 bits: those of VGG-16's first linear layer, all bytes at their ends.
func TestConv8Limits(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	eachISA8(t, func(t *testing.T) {
		for _, sign := range []int8{1, -1} {
			s := Conv8Shape{ConvShape: ConvShape{C: 66000, H: 1, W: 1, OC: 3, OH: 1, OW: 1, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1},
				Scale: []float32{1, 1, 1}, Weight: make([]int8, 3*66000), Bias: make([]int32, 3), In: Quant{Scale: 1, Zero: 0}}
			for i := range s.Weight {
				s.Weight[i] = sign * 127
			}
			src := newTensor8(1, 1, 1, s.C, 0, s.In, func() uint8 { return 255 })
			dst := newTensor(1, 1, 1, 3, 0, rand.Float32)
			NewConv8(s, 1).RunFloat(pool, dst, src, Tensor{})
			checkFloats8(t, &s, dst, src, Tensor{})
		}
	})
}

// TestConv8Refuses holds that shapes, scales and tensors that do not fit are a panic.
func TestConv8Refuses(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	good := func() Conv8Shape {
		return Conv8Shape{
			ConvShape: ConvShape{C: 4, H: 2, W: 2, OC: 2, OH: 2, OW: 2, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1},
			Weight:    make([]int8, 8), Scale: []float32{1, 1}, In: Quant{Scale: 1}, Out: Quant{Scale: 2, Zero: 3},
		}
	}
	fill := func() uint8 { return 1 }
	for _, test := range []struct {
		name   string
		change func(s *Conv8Shape)
		run    func(c *Conv8)
	}{
		{"short weights", func(s *Conv8Shape) { s.Weight = s.Weight[1:] }, nil},
		{"short scales", func(s *Conv8Shape) { s.Scale = s.Scale[1:] }, nil},
		{"a scale that is no number", func(s *Conv8Shape) { s.Scale[1] = float32(math.NaN()) }, nil},
		{"an infinite scale", func(s *Conv8Shape) { s.Out.Scale = infinity }, nil},
		{"no scale of the input", func(s *Conv8Shape) { s.In = Quant{} }, nil},
		{"sums beyond 32 bits", func(s *Conv8Shape) { s.Bias = []int32{math.MinInt32, 0} }, nil},
		{"a table without a scale of sums", func(s *Conv8Shape) { s.Act = SiLU }, nil},
		{"groups", func(s *Conv8Shape) { s.Groups = 3 }, nil},
		{"a source of another scale", nil, func(c *Conv8) {
			c.Run(pool, newTensor8(1, 2, 2, 2, 0, c.Out, fill), newTensor8(1, 2, 2, 4, 0, c.Out, fill), Tensor8{})
		}},
		{"a destination of another scale", nil, func(c *Conv8) {
			c.Run(pool, newTensor8(1, 2, 2, 2, 0, c.In, fill), newTensor8(1, 2, 2, 4, 0, c.In, fill), Tensor8{})
		}},
		{"a residual that was not announced", nil, func(c *Conv8) {
			dst := newTensor8(1, 2, 2, 2, 0, c.Out, fill)
			c.Run(pool, dst, newTensor8(1, 2, 2, 4, 0, c.In, fill), newTensor8(1, 2, 2, 2, 0, c.Res, fill))
		}},
		{"float32", nil, func(c *Conv8) {
			c.RunFloat(pool, newTensor(1, 2, 2, 2, 0, rand.Float32), newTensor8(1, 2, 2, 4, 0, c.In, fill), Tensor{})
		}},
		{"a short source", nil, func(c *Conv8) {
			src := newTensor8(1, 2, 2, 4, 0, c.In, fill)
			src.Data = src.Data[:15]
			c.Run(pool, newTensor8(1, 2, 2, 2, 0, c.Out, fill), src, Tensor8{})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := good()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			if test.change != nil {
				test.change(&s)
			}
			c := NewConv8(s, 1)
			if test.run != nil {
				test.run(c)
			}
		})
	}
}

func TestRun8AllocatesNothing(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	value := func() uint8 { return uint8(rng.IntN(256)) }
	stem := Conv8Shape{ConvShape: square(3, 30, 24, 3, 2, 1)}
	stem.Act = SiLU
	fillConv8(&stem, rng, false)
	next := Conv8Shape{ConvShape: square(24, 15, 24, 3, 1, 24)}
	fillConv8(&next, rng, false)
	next.In = stem.Out
	c, d := NewConv8(stem, 2), NewDepthwise8(next, 2)
	p := NewPool8(PoolShape{C: 24, H: 15, W: 15, OH: 1, OW: 1, Adaptive: true}, next.Out, stem.Out, 2)
	g := NewGate8(next.Out, stem.Out, None, Quant{}, next.Out, 2)
	sum := NewSum8([]Quant{next.Out, stem.Out}, ReLU, Quant{}, next.Out, 2)
	src, mid := newTensor8(1, 30, 30, 3, 0, stem.In, value), newTensor8(1, 15, 15, 24, 0, stem.Out, value)
	out, one := newTensor8(1, 15, 15, 24, 0, next.Out, value), newTensor8(1, 1, 1, 24, 0, stem.Out, value)
	both := []Tensor8{out, mid}
	if n := testing.AllocsPerRun(10, func() {
		c.Run(pool, mid, src, Tensor8{})
		d.Run(pool, out, mid)
		p.Run(pool, one, out)
		g.Run(pool, out, out, one)
		sum.Run(pool, out, both)
	}); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}

// FuzzConv8 compares a convolution of bytes of any geometry with the definition, to the bit.
func FuzzConv8(f *testing.F) {
	f.Add(uint8(3), uint8(9), uint8(8), uint8(17), uint8(3), uint8(2), uint8(2), uint8(3), uint8(1), uint8(1))
	f.Add(uint8(16), uint8(5), uint8(7), uint8(16), uint8(3), uint8(3), uint8(1), uint8(3), uint8(4), uint8(2))
	f.Add(uint8(24), uint8(6), uint8(6), uint8(24), uint8(5), uint8(5), uint8(1), uint8(4), uint8(24), uint8(1))
	f.Add(uint8(2), uint8(19), uint8(18), uint8(17), uint8(2), uint8(2), uint8(0), uint8(1), uint8(1), uint8(0))
	f.Add(uint8(5), uint8(4), uint8(4), uint8(68), uint8(0), uint8(0), uint8(0), uint8(2), uint8(1), uint8(0))
	keepISA(f)
	f.Fuzz(func(t *testing.T, c, h, w, oc, kh, kw, stride, pad, groups, dilation uint8) {
		s := fuzzedShape(c, h, w, oc, kh, kw, stride, pad, groups, dilation)
		if s == nil {
			t.Skip("the window does not fit")
		}
		s.Act = []Act{None, ReLU, ReLU6, GELU}[h%4]
		pool := par.New(2)
		defer pool.Close()
		for _, isa := range ISAs8() {
			if err := Use(isa); err != nil {
				t.Fatal(err)
			}
			runConv8(t, pool, Conv8Shape{ConvShape: *s}, 1+int(c)%2, oc%2 == 0)
			if level8.Name == "generic" || level8.Tiled {
				blocksAlways = true
				runConv8(t, pool, Conv8Shape{ConvShape: *s}, 1+int(c)%2, oc%2 == 0)
				blocksAlways = false
			}
		}
	})
}

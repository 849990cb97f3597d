package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"zoobench/kernels/internal/bf16"
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// eachISA runs a test body once for every instruction set; REQUIRE_ISA names one that this machine must have.
func eachISA(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	before := ISA()
	defer func() {
		if err := Use(before); err != nil {
			t.Fatal(err)
		}
	}()
	if want := os.Getenv("REQUIRE_ISA"); want != "" {
		if err := Use(want); err != nil {
			t.Fatal(err)
		}
	}
	for _, isa := range ISAs() {
		if err := Use(isa); err != nil {
			t.Fatal(err)
		}
		t.Run("isa="+isa, body)
	}
}

// eachTile is eachISA with the narrowest tiles of matrix products, and again with the widest that an instruction set has.
func eachTile(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	defer func() { tilePanels = 0 }()
	eachISA(t, func(t *testing.T) {
		for _, most := range []int{1, f32.Panels} {
			if tilePanels = most; panelsOf(level) == most {
				t.Run("tile="+tileName(most), body)
			}
		}
	})
}

// convCases hold every edge of the tiling, then layers of the zoo.
func convCases() []ConvShape {
	var cases []ConvShape
	add := func(c, h, w, oc, kh, kw, stride, pad, groups int) {
		s := ConvShape{C: c, H: h, W: w, OC: oc, KH: kh, KW: kw, SH: stride, SW: stride, DH: 1, DW: 1, Top: pad, Left: pad, Groups: groups}
		s.OH, s.OW = (h+2*pad-kh)/stride+1, (w+2*pad-kw)/stride+1
		cases = append(cases, s)
	}
	for _, pixels := range []int{1, 2, 5, 6, 7, 11, 12, 15, 97, 193, 401} {
		add(5, 1, pixels, 19, 1, 1, 1, 0, 1)
	}
	for _, oc := range []int{1, 7, 8, 9, 15, 16, 17, 24, 31, 35, 48, 50, 64, 70, 130} {
		add(13, 3, 5, oc, 3, 3, 1, 1, 1)
	}
	for _, c := range []int{1, 2, 3, 4, 7, 8, 255, 256, 257, 383, 384, 385, 641} {
		add(c, 3, 3, 20, 1, 1, 1, 0, 1)
		add(c, 4, 3, 20, 3, 3, 2, 1, 1)
	}
	add(3, 23, 21, 64, 7, 7, 2, 3, 1)   // a stem
	add(3, 35, 35, 64, 11, 11, 4, 2, 1) // AlexNet's
	add(3, 17, 17, 32, 3, 3, 2, 0, 1)
	add(12, 9, 9, 24, 5, 5, 1, 2, 1)
	add(16, 14, 14, 16, 3, 3, 1, 1, 4)
	add(128, 7, 7, 128, 3, 3, 1, 1, 32)
	add(8, 6, 6, 20, 3, 3, 2, 1, 4)
	add(6, 5, 9, 10, 1, 7, 1, 0, 1)
	add(3, 11, 12, 20, 3, 3, 2, -1, 1) // cropped, few channels: rows of the window are merged elsewhere
	add(3, 9, 11, 17, 2, 2, 1, -2, 1)
	add(12, 9, 11, 17, 3, 3, 1, -1, 1)
	add(16, 9, 11, 24, 3, 3, 2, -2, 4)
	add(13, 7, 7, 9, 1, 1, 1, -1, 1)
	add(400, 3, 5, 70, 3, 3, 1, 1, 1)
	return cases
}

func depthwiseCases() []ConvShape {
	var cases []ConvShape
	for _, c := range []int{1, 3, 7, 8, 9, 16, 20, 33} {
		for _, k := range []int{1, 3, 5, 7} {
			for _, stride := range []int{1, 2} {
				for _, w := range []int{1, 2, 3, 7, 8, 14} {
					s := ConvShape{C: c, H: 6, W: w, OC: c, KH: k, KW: k, SH: stride, SW: stride, DH: 1, DW: 1, Top: k / 2,
						Left: k / 2, Groups: c}
					s.OH, s.OW = (s.H-1)/stride+1, (w-1)/stride+1
					cases = append(cases, s)
					if c%8 == 0 {
						s.Groups = c / 4
						cases = append(cases, s)
					}
				}
			}
		}
	}
	// Groups of a few channels: rows of every width around the tiles', padding at one side, both or none, a short image.
	for i, each := range []int{4, 4, 8, 8, 16, 16, 32} {
		for w := 1; w <= 33; w++ {
			c := 16 * (1 + i%2)
			if each == 8 && w%2 == 0 {
				c = 24
			}
			s := ConvShape{C: c, H: 1 + w%5, W: w, OC: c, KH: 1 + w%3, KW: 3, SH: 1 + w%2, SW: 1 + w/3%2, DH: 1 + w%7/6, DW: 1, Top: w % 3,
				Left: w / 2 % 2, Groups: max(1, c/each)}
			s.OH, s.OW = (s.H+2*s.Top-(s.KH-1)*s.DH-1)/s.SH+1, (w+s.Left-2)/s.SW+1
			if s.OH > 0 && s.OW > 0 {
				cases = append(cases, s)
			}
		}
	}
	// Padding that differs from side to side, none, and more than the window needs; one row to eight.
	for _, k := range []int{3, 5, 7} {
		for stride := 1; stride <= 2; stride++ {
			for oh := 1; oh <= 8; oh++ {
				for left := range k {
					s := ConvShape{C: 21, H: 9, W: 10, OC: 21, OH: oh, OW: (9+left)/stride + 2, KH: k, KW: k, SH: stride,
						SW: stride, DH: 1, DW: 1, Top: (left + oh) % (k + 2), Left: left, Groups: 21}
					cases = append(cases, s)
				}
			}
		}
	}
	// Cropped edges.
	for _, k := range []int{2, 3, 4, 5, 7} {
		for stride := 1; stride <= 2; stride++ {
			for dilation := 1; dilation <= 2; dilation++ {
				for crop := 1; crop <= 3; crop++ {
					s := ConvShape{C: 21, H: 19, W: 20, OC: 21, OH: 4, KH: k, KW: k, SH: stride, SW: stride, DH: dilation, DW: dilation,
						Top: crop%3 - 2, Left: -crop, Groups: 21}
					for _, s.OW = range []int{1, (s.W-1-crop-(k-1)*dilation)/stride + 1} { // cropped at the right too, and not
						cases = append(cases, s)
					}
				}
			}
		}
	}
	return cases
}

// name is a case as a test's path.
func (s ConvShape) name() string {
	return fmt.Sprintf("c=%d,%dx%d/oc=%d,%dx%d/k=%dx%d/s=%d/pad=%d,%d/g=%d",
		s.C, s.H, s.W, s.OC, s.OH, s.OW, s.KH, s.KW, s.SH, s.Top, s.Left, s.Groups)
}

// guard is what stands around a tensor's memory and between its pixels; a kernel that writes there is found out.
const guard = -12345.5

// newTensor is a tensor inside guards, its pixels extra elements further apart than they need be.
func newTensor(n, h, w, c, extra int, fill func() float32) Tensor {
	t := Tensor{N: n, H: h, W: w, C: c, Stride: c + extra}
	all := make([]float32, 3+(t.Pixels()-1)*t.Stride+c+5)
	for i := range all {
		all[i] = guard
	}
	t.Data = all[3 : len(all)-5]
	for p := range t.Pixels() {
		for i := range c {
			t.Data[p*t.Stride+i] = fill()
		}
	}
	return t
}

// checkGuards looks for writes outside the tensor's elements.
func checkGuards(t *testing.T, x Tensor) {
	t.Helper()
	for p := range x.Pixels() - 1 {
		for i := x.C; i < x.Stride; i++ {
			if x.Data[p*x.Stride+i] != guard {
				t.Fatalf("pixel %d: element %d after the pixel's %d was overwritten", p, i, x.C)
			}
		}
	}
	for i, v := range x.Data[:cap(x.Data)][len(x.Data):] {
		if v != guard {
			t.Fatalf("element %d after the tensor was overwritten", i)
		}
	}
}

// convReference is the convolution's definition, with the sum of the terms' sizes beside each output.
func convReference(s ConvShape, src, res Tensor, n, oy, ox, oc int) (sum, size float64) {
	gc := s.C / s.Groups
	group := oc / (s.OC / s.Groups)
	if s.Bias != nil {
		sum = float64(s.Bias[oc])
	}
	for ky := range s.KH {
		for kx := range s.KW {
			y, x := oy*s.SH-s.Top+ky*s.DH, ox*s.SW-s.Left+kx*s.DW
			if y < 0 || x < 0 || y >= s.H || x >= s.W {
				continue
			}
			for ic := range gc {
				a := float64(src.Data[((n*s.H+y)*s.W+x)*src.Stride+group*gc+ic])
				b := float64(s.Weight[((oc*gc+ic)*s.KH+ky)*s.KW+kx])
				sum += a * b
				size += math.Abs(a * b)
			}
		}
	}
	if res.Data != nil {
		sum += float64(res.Data[((n*s.OH+oy)*s.OW+ox)*res.Stride+oc])
	}
	return sum, size
}

// runConv makes random operands for a shape, runs it and compares every output with the definition; small integers must
// agree to the bit, other numbers within 2·k·ε of the terms' sizes.
func runConv(t *testing.T, pool *par.Pool, s ConvShape, n int, exact, residual bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(s.C*1000+s.OC), uint64(n)))
	value := func() float32 {
		if exact {
			return float32(rng.IntN(9) - 4)
		}
		v := rng.Float32()*2 - 1
		if s.BF16 { // what it rounds the operands to
			v = bf16.Widen(bf16.Round(v))
		}
		return v
	}
	depthwise := s.CanDepthwise()
	s.Weight, s.Bias = make([]float32, s.OC*s.C/s.Groups*s.taps()), make([]float32, s.OC)
	for i := range s.Weight {
		s.Weight[i] = value()
	}
	for i := range s.Bias {
		s.Bias[i] = value()
	}
	src := newTensor(n, s.H, s.W, s.C, (n+2)%4, value)
	dst := newTensor(n, s.OH, s.OW, s.OC, 2, func() float32 { return float32(math.NaN()) })
	var res Tensor
	if residual {
		res = newTensor(n, s.OH, s.OW, s.OC, 1, value)
	}
	if depthwise {
		NewDepthwise(s, pool.Size()).Run(pool, dst, src)
	} else if s.BF16 {
		if !blocksAlways {
			NewBF16(s, pool.Size()).Run(pool, dst, src, res)
		} else {
			NewBF16Blocks(s, pool.Size()).Run(pool, dst, src, res)
		}
	} else {
		NewConv(s, pool.Size()).Run(pool, dst, src, res)
	}
	checkGuards(t, dst)
	lo, hi := s.Act.clamp()
	worst := 0.0
	for p := range dst.Pixels() {
		for oc := range s.OC {
			want, size := convReference(s, src, res, p/(s.OH*s.OW), p/s.OW%s.OH, p%s.OW, oc)
			want = min(max(want, float64(lo)), float64(hi))
			got := float64(dst.Data[p*dst.Stride+oc])
			if exact && got != want {
				t.Fatalf("pixel %d, channel %d: %v, want %v", p, oc, got, want)
			}
			limit := 2 * float64(s.C/s.Groups*s.taps()+2) * 0x1p-24 * (size + 3)
			if !(math.Abs(got-want) <= limit) {
				t.Fatalf("pixel %d, channel %d: %v, want %v ± %v", p, oc, got, want, limit)
			}
			worst = max(worst, math.Abs(got-want)/limit)
		}
	}
	if !exact && worst > 0.5 {
		t.Logf("%s: worst error %.2f of the limit", s.name(), worst)
	}
}

func TestConv(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	eachTile(t, func(t *testing.T) {
		for i, s := range append(convCases(), depthwiseCases()...) {
			depthwise := s.CanDepthwise()
			s.Act = []Act{None, ReLU, ReLU6}[i%3]
			t.Run(s.name(), func(t *testing.T) {
				runConv(t, pools[0], s, 1, true, false)
				runConv(t, pools[1], s, 2, true, !depthwise)
				runConv(t, pools[i%2], s, 3, false, !depthwise)
			})
		}
	})
}

// TestConvSameBits holds that the number of workers does not change a bit.
func TestConvSameBits(t *testing.T) {
	one, three := par.New(1), par.New(3)
	defer one.Close()
	defer three.Close()
	eachTile(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		s := ConvShape{C: 70, H: 23, W: 19, OC: 50, OH: 23, OW: 19, KH: 3, KW: 3, SH: 1, SW: 1, DH: 1, DW: 1, Top: 1, Left: 1, Groups: 1}
		s.Weight = make([]float32, 50*70*9)
		for i := range s.Weight {
			s.Weight[i] = rng.Float32() - 0.5
		}
		src := newTensor(2, 23, 19, 70, 0, rng.Float32)
		a, b := newTensor(2, 23, 19, 50, 0, rng.Float32), newTensor(2, 23, 19, 50, 0, rng.Float32)
		NewConv(s, 1).Run(one, a, src, Tensor{})
		NewConv(s, 3).Run(three, b, src, Tensor{})
		for i := range a.Data {
			if a.Data[i] != b.Data[i] {
				t.Fatalf("element %d: %v with one worker, %v with three", i, a.Data[i], b.Data[i])
			}
		}
	})
}

// TestConvNaN holds that a NaN reaches exactly the outputs that read it, through the clamp.
func TestConvNaN(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		s := ConvShape{C: 9, H: 1, W: 13, OC: 17, OH: 1, OW: 13, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1, Act: ReLU6}
		s.Weight = make([]float32, 17*9)
		for i := range s.Weight {
			s.Weight[i] = 1
		}
		src := newTensor(1, 1, 13, 9, 0, func() float32 { return 1 })
		src.Data[7*9+4] = float32(math.NaN())
		dst := newTensor(1, 1, 13, 17, 0, func() float32 { return 0 })
		NewConv(s, 1).Run(pool, dst, src, Tensor{})
		for p := range 13 {
			for c := range 17 {
				if v := dst.Data[p*17+c]; math.IsNaN(float64(v)) != (p == 7) {
					t.Fatalf("pixel %d, channel %d: %v", p, c, v)
				}
			}
		}
	})
}

func TestRunAllocatesNothing(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	s := ConvShape{C: 3, H: 30, W: 30, OC: 24, OH: 15, OW: 15, KH: 3, KW: 3, SH: 2, SW: 2, DH: 1, DW: 1, Top: 1, Left: 1, Groups: 1}
	s.Weight = make([]float32, 24*27)
	c := NewConv(s, 2)
	src, dst := newTensor(1, 30, 30, 3, 0, rand.Float32), newTensor(1, 15, 15, 24, 0, rand.Float32)
	d := NewDepthwise(ConvShape{C: 24, H: 15, W: 15, OC: 24, OH: 15, OW: 15, KH: 3, KW: 3, SH: 1, SW: 1, DH: 1, DW: 1, Top: 1, Left: 1,
		Groups: 24, Weight: make([]float32, 24*9)}, 2)
	out := newTensor(1, 15, 15, 24, 0, rand.Float32)
	if n := testing.AllocsPerRun(10, func() {
		c.Run(pool, dst, src, Tensor{})
		d.Run(pool, out, dst)
	}); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}

// fuzzedShape is a convolution of any geometry; nil where the window does not fit.
func fuzzedShape(c, h, w, oc, kh, kw, stride, pad, groups, dilation uint8) *ConvShape {
	s := &ConvShape{C: 1 + int(c)%40, H: 1 + int(h)%20, W: 1 + int(w)%20, OC: 1 + int(oc)%100, KH: 1 + int(kh)%7, KW: 1 + int(kw)%7,
		SH: 1 + int(stride)%4, SW: 1 + int(stride)%3, DH: 1 + int(dilation)%3, DW: 1 + int(dilation)%2, Groups: max(1, int(groups))}
	s.Top, s.Left = int(pad)%6-2, int(pad)%5-2
	if s.C%s.Groups != 0 || s.OC%s.Groups != 0 {
		s.Groups = 1
	}
	s.OH, s.OW = (s.H+2*s.Top-(s.KH-1)*s.DH-1)/s.SH+1, (s.W+2*s.Left-(s.KW-1)*s.DW-1)/s.SW+1
	if s.H+2*s.Top < (s.KH-1)*s.DH+1 || s.W+2*s.Left < (s.KW-1)*s.DW+1 {
		return nil
	}
	return s
}

// FuzzConv compares a convolution of any geometry with the definition, to the bit, on small integers.
func FuzzConv(f *testing.F) {
	f.Add(uint8(3), uint8(9), uint8(8), uint8(17), uint8(3), uint8(2), uint8(2), uint8(3), uint8(1), uint8(1))
	f.Add(uint8(16), uint8(5), uint8(7), uint8(16), uint8(3), uint8(3), uint8(1), uint8(3), uint8(4), uint8(2))
	f.Add(uint8(24), uint8(6), uint8(6), uint8(24), uint8(5), uint8(5), uint8(1), uint8(4), uint8(24), uint8(1))
	f.Add(uint8(2), uint8(19), uint8(18), uint8(17), uint8(2), uint8(2), uint8(0), uint8(1), uint8(1), uint8(0)) // cropped
	f.Add(uint8(23), uint8(19), uint8(18), uint8(23), uint8(2), uint8(2), uint8(1), uint8(0), uint8(24), uint8(0))
	f.Add(uint8(23), uint8(19), uint8(18), uint8(23), uint8(1), uint8(1), uint8(0), uint8(1), uint8(24), uint8(0))
	defer func() { tilePanels = 0 }()
	f.Fuzz(func(t *testing.T, c, h, w, oc, kh, kw, stride, pad, groups, dilation uint8) {
		s := fuzzedShape(c, h, w, oc, kh, kw, stride, pad, groups, dilation)
		if s == nil {
			t.Skip("the window does not fit")
		}
		pool := par.New(2)
		defer pool.Close()
		for _, tilePanels = range []int{1, f32.Panels} {
			runConv(t, pool, *s, 1+int(c)%2, true, oc%2 == 0 && !s.CanDepthwise())
			if s.Groups == 1 {
				pairs := *s
				pairs.BF16 = true
				runConv(t, pool, pairs, 1+int(c)%2, true, oc%2 == 0)
			}
		}
	})
}

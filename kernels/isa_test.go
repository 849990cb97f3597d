package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// needAVX512 skips a test where AVX-512 is not there to be compared, and leaves the instruction set as it is when it ends.
func needAVX512(t testing.TB) {
	if !slices.Contains(ISAs(), "avx512") {
		t.Skip("this machine has no avx512")
	}
	before := ISA()
	t.Cleanup(func() {
		tilePanels = 0
		if err := Use(before); err != nil {
			t.Fatal(err)
		}
	})
}

// agree runs an operation with AVX2 and with every tile of AVX-512, and compares the bits of its pixels.
func agree(t *testing.T, pixels, c int, run func(dst Tensor)) {
	t.Helper()
	var want Tensor
	for _, variant := range []struct {
		isa    string
		panels int
	}{{"avx2", 1}, {"avx512", 1}, {"avx512", 2}, {"avx512", 3}, {"avx512", 4}} {
		if err := Use(variant.isa); err != nil {
			t.Fatal(err)
		}
		tilePanels = variant.panels
		dst := newTensor(1, 1, pixels, c, 3, func() float32 { return 0 })
		if run(dst); want.Data == nil {
			want = dst
		}
		for i, want := range want.Data {
			if got := dst.Data[i]; math.Float32bits(got) != math.Float32bits(want) {
				t.Fatalf("element %d: %v with %+v, %v with avx2", i, got, variant, want)
			}
		}
	}
}

// TestWidthsAgree holds AVX-512's kernels to AVX2's, bit by bit: an output is the same chain of operations whatever the
// width of the vector and of the tile it is in.
func TestWidthsAgree(t *testing.T) {
	needAVX512(t)
	pool := par.New(1)
	defer pool.Close()
	rng := rand.New(rand.NewPCG(5, 12))
	value := func() float32 { return rng.Float32()*2 - 1 }
	for i, s := range append(convCases(), depthwiseCases()...) {
		s.Act = []Act{ReLU6, SiLU, GELU}[i%3]
		t.Run(s.name(), func(t *testing.T) {
			s.Weight = newTensor(1, 1, 1, s.OC*s.depth(), 0, value).Data
			src, res := newTensor(1, s.H, s.W, s.C, 1, value), newTensor(1, s.OH, s.OW, s.OC, 0, value)
			shaped := func(dst Tensor) Tensor { dst.H, dst.W = s.OH, s.OW; return dst }
			agree(t, s.OC, s.depth(), func(dst Tensor) {
				dw := make([]float32, s.OC*s.depth())
				NewConvGrad(s, 1, new(GradRoom)).Run(pool, dw, res, src)
				for oc := range s.OC {
					copy(dst.Data[oc*dst.Stride:], dw[oc*dst.C:][:dst.C])
				}
			})
			if s.CanDepthwise() {
				agree(t, s.OH*s.OW, s.OC, func(dst Tensor) { NewDepthwise(s, 1).Run(pool, shaped(dst), src) })
				return
			}
			agree(t, s.OH*s.OW, s.OC, func(dst Tensor) { NewConv(s, 1).Run(pool, shaped(dst), src, res) })
			if s.canWinograd() {
				agree(t, s.OH*s.OW, s.OC, func(dst Tensor) { newWinograd(s, 1).Run(pool, shaped(dst), src, res) })
			}
		})
	}
	for _, s := range []AttentionShape{{H: 1, W: 101, Heads: 2, D: 20}, {H: 4, W: 4, Heads: 1, D: 64}, {H: 1, W: 130, Heads: 1, D: 80}} {
		s.Scale = 0.25
		src := newTensor(1, s.H, s.W, 3*s.Heads*s.D, 1, value)
		agree(t, s.H*s.W, s.Heads*s.D, func(dst Tensor) {
			dst.H, dst.W = s.H, s.W
			NewAttention(s, 1).Run(pool, dst, src)
		})
		s.Bias = newTensor(1, 1, 1, (2*s.H-1)*(2*s.W-1)*s.Heads, 0, value).Data
		dy, dbias := newTensor(1, s.H, s.W, s.Heads*s.D, 1, value), make([]float32, len(s.Bias))
		agree(t, s.H*s.W, src.C, func(dst Tensor) {
			dst.H, dst.W = s.H, s.W
			NewAttentionGrad(NewAttention(s, 1), 1).Run(pool, dst, dbias, src, dy)
		})
		agree(t, 1, len(dbias), func(dst Tensor) {
			dsrc := newTensor(1, s.H, s.W, src.C, 0, value)
			NewAttentionGrad(NewAttention(s, 1), 1).Run(pool, dsrc, dst.Data[:dst.C], src, dy)
		})
	}
	for c := 1; c < 70; c++ {
		src, gate := newTensor(1, 1, 5, c, 1, value), newTensor(1, 1, 5, c, 1, value)
		for i := range src.Data {
			src.Data[i] *= float32(c)
		}
		for _, act := range []Act{ReLU, Sigmoid, SiLU, HardSigmoid, HardSwish, GELU, GELUTanh} {
			agree(t, 5, c, func(dst Tensor) { NewPointwise(nil, nil, act, 1).Run(pool, dst, src, gate, nil) })
			agree(t, 5, c, func(dst Tensor) { NewPointwise(nil, nil, act, 1).Run(pool, dst, src, Tensor{}, []Tensor{gate}) })
			agree(t, 5, c, func(dst Tensor) { NewPointwise(nil, nil, act, 1).Run(pool, dst, src, Tensor{}, nil) })
			n := (5-1)*src.Stride + c
			agree(t, 1, n, func(dst Tensor) { NewActGrad(act, 1).Run(pool, dst.Data[:n], gate.Data[:n], src.Data[:n]) })
		}
		agree(t, 5, c, func(dst Tensor) {
			NewLayerNorm(gate.Data[:c], src.Data[:c], 1e-5, None, 1).Run(pool, dst, src)
		})
		agree(t, 5, c, func(dst Tensor) {
			t := f32.Rows{Out: &dst.Data[0], In: &src.Data[0], LDO: 4 * dst.Stride, LDI: 4 * src.Stride, C: c, RowsLeft: 5,
				Mask: mask8(c), Lo: 0.5}
			level.Softmax(&t)
		})
		agree(t, 1, c, func(dst Tensor) {
			t := f32.Rows{Out: &dst.Data[0], In: &src.Data[0], A: &gate.Data[0], LDI: 4 * src.Stride, C: c, RowsLeft: 5, Mask: mask8(c)}
			level.ColumnSums(&t)
			level.ColumnSquares(&t)
		})
	}
}

// FuzzWidths holds convolutions, Winograd's and attention of any size to the same bits with AVX2 and every tile of AVX-512.
func FuzzWidths(f *testing.F) {
	needAVX512(f)
	f.Add(uint16(70), uint16(130), uint8(9), uint8(14), uint8(3), uint8(1), uint8(1))
	f.Add(uint16(300), uint16(17), uint8(3), uint8(5), uint8(1), uint8(1), uint8(1))
	f.Add(uint16(3), uint16(33), uint8(11), uint8(13), uint8(5), uint8(2), uint8(1))
	f.Add(uint16(40), uint16(40), uint8(7), uint8(29), uint8(3), uint8(2), uint8(5))
	pool := par.New(1)
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, c, oc uint16, h, w, k, stride, groups uint8) {
		g := 1 + int(groups)%8
		s := square((1+int(c)%400/g)*g, 1, (1+int(oc)%200/g)*g, 1+int(k)%5, 1+int(stride)%2, g)
		s.H, s.W = 1+int(h)%15, 1+int(w)%33
		s.OH, s.OW = (s.H+2*s.Top-s.KH)/s.SH+1, (s.W+2*s.Left-s.KW)/s.SW+1
		if s.H+2*s.Top < s.KH || s.W+2*s.Left < s.KW {
			t.Skip("the window does not fit")
		}
		rng := rand.New(rand.NewPCG(uint64(c), uint64(oc)))
		value := func() float32 { return rng.Float32()*2 - 1 }
		s.Weight = newTensor(1, 1, 1, s.OC*s.depth(), 0, value).Data
		src, res := newTensor(1, s.H, s.W, s.C, 1, value), newTensor(1, s.OH, s.OW, s.OC, 0, value)
		shaped := func(dst Tensor) Tensor { dst.H, dst.W = s.OH, s.OW; return dst }
		agree(t, s.OH*s.OW, s.OC, func(dst Tensor) { NewConv(s, 1).Run(pool, shaped(dst), src, res) })
		if s.CanDepthwise() {
			agree(t, s.OH*s.OW, s.OC, func(dst Tensor) { NewDepthwise(s, 1).Run(pool, shaped(dst), src) })
		}
		if s.canWinograd() {
			agree(t, s.OH*s.OW, s.OC, func(dst Tensor) { newWinograd(s, 1).Run(pool, shaped(dst), src, res) })
		}
		a := AttentionShape{H: s.H, W: s.W, Heads: g, D: 1 + int(oc)%100, Scale: 0.25}
		tokens := newTensor(1, a.H, a.W, 3*a.Heads*a.D, 1, value)
		agree(t, a.H*a.W, a.Heads*a.D, func(dst Tensor) {
			dst.H, dst.W = a.H, a.W
			NewAttention(a, 1).Run(pool, dst, tokens)
		})
	})
}

package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// TestWidthsAgree holds AVX-512's kernels to AVX2's, bit by bit: an output is the same chain of operations whatever the
// width of the vector and of the tile it is in.
func TestWidthsAgree(t *testing.T) {
	if !slices.Contains(ISAs(), "avx512") {
		t.Skip("this machine has no avx512")
	}
	before := ISA()
	defer func() {
		if err := Use(before); err != nil {
			t.Fatal(err)
		}
	}()
	pool := par.New(1)
	defer pool.Close()
	defer func() { tilePanels = 0 }()
	agree := func(t *testing.T, pixels, c int, run func(dst Tensor)) {
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
	rng := rand.New(rand.NewPCG(5, 12))
	value := func() float32 { return rng.Float32()*2 - 1 }
	for i, s := range append(convCases(), depthwiseCases()...) {
		s.Act = []Act{ReLU6, SiLU, GELU}[i%3]
		t.Run(s.name(), func(t *testing.T) {
			s.Weight = newTensor(1, 1, 1, s.OC*s.depth(), 0, value).Data
			src, res := newTensor(1, s.H, s.W, s.C, 1, value), newTensor(1, s.OH, s.OW, s.OC, 0, value)
			shaped := func(dst Tensor) Tensor { dst.H, dst.W = s.OH, s.OW; return dst }
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
	}
	for c := 1; c < 70; c++ {
		src, gate := newTensor(1, 1, 5, c, 1, value), newTensor(1, 1, 5, c, 1, value)
		for i := range src.Data {
			src.Data[i] *= float32(c)
		}
		for _, act := range []Act{ReLU, Sigmoid, SiLU, HardSigmoid, HardSwish, GELU, GELUTanh} {
			agree(t, 5, c, func(dst Tensor) { NewPointwise(nil, nil, act, 1).Run(pool, dst, src, gate, nil) })
			agree(t, 5, c, func(dst Tensor) { NewPointwise(nil, nil, act, 1).Run(pool, dst, src, Tensor{}, []Tensor{gate}) })
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

package weights

import (
	"math"
	"slices"
	"testing"

	"zoobench/zoo/nn"
)

// The check values of goldens/README.md, to the digits printed there.
func TestGenerator(t *testing.T) {
	g := Generator{Seed: 1, Gain: 1.4142135}
	if got := (Generator{}).base("input"); got != 2214555572463777371 {
		t.Errorf(`fnv1a("input") = %d, want 2214555572463777371`, got)
	}
	near := func(what string, got float64, want float64) {
		t.Helper()
		if math.Abs(got-want) > 5e-8*math.Max(1, math.Abs(want)) {
			t.Errorf("%s = %.9g, want %.8g", what, got, want)
		}
	}
	base := g.base("input")
	for i, want := range []float64{0.77916288, 0.42976642, 0.10032678, 0.39406168} {
		near("u(input)", float64(uniform24(base+uint64(i+1)*golden))/(1<<24), want)
	}
	w := make([]float32, 3)
	g.fill(w, "conv1.weight", []int{64, 3, 7, 7}, 0)
	for i, want := range []float64{0.09163714, -0.09672003, -0.11566757} {
		near("conv1.weight", float64(w[i]), want)
	}
	x := g.Images(224)
	if len(x) != 2*3*224*224 {
		t.Fatalf("%d pixels", len(x))
	}
	for i, want := range []float64{1.2637037, 0.91550684, 1.888473} {
		near("x[1,2,100,100…]", float64(x[((1*3+2)*224+100)*224+100+i]), want)
	}
}

// Each rule, against its formula written out.
func TestLaws(t *testing.T) {
	g := Generator{Seed: 7, Gain: 1.5}
	centred := func(scale float64) func(u float64) float64 {
		return func(u float64) float64 { return (2*u - 1) * scale }
	}
	scale := func(u float64) float64 { return 0.75 + 0.5*u }
	cases := []struct {
		name  string
		shape []int
		want  func(u float64) float64
	}{
		{"bn.running_var", []int{8}, func(u float64) float64 { return 0.5 + u }},
		{"bn.running_mean", []int{8}, centred(0.1)},
		{"pos_embed", []int{1, 5, 4}, centred(0.5)},
		{"cls_token", []int{1, 1, 8}, centred(0.5)},
		{"encoder.pos_embedding", []int{1, 2, 4}, centred(0.5)},
		{"layers.0.attn.relative_position_bias_table", []int{9, 3}, centred(0.5)},
		{"attn.rel_pos.mlp.fc1.weight", []int{4, 2}, centred(0.5)},
		{"attn.rel_pos.mlp.fc1.bias", []int{4}, centred(0.5)},
		{"gamma", []int{1, 8, 1, 1}, scale},
		{"vector.bias", []int{8, 1}, scale},
		{"all ones", []int{1, 1}, centred(1.5 * math.Sqrt(3))},
		{"conv.weight", []int{4, 3, 2, 2}, centred(1.5 * math.Sqrt(3.0/12))},
		{"depthwise.weight", []int{4, 1, 3, 3}, centred(1.5 * math.Sqrt(3.0/9))},
		{"fc.weight", []int{4, 6}, centred(1.5 * math.Sqrt(3.0/6))},
		{"fc.bias", []int{8}, centred(0.1)},
		{"norm.beta", []int{8}, centred(0.1)},
		{"norm.weight", []int{8}, scale},
		{"ls1.gamma", []int{8}, scale},
		{"conv1/kernel", []int{2, 2, 3, 4}, centred(1.5 * math.Sqrt(3.0/12))},
		{"dw/depthwise_kernel", []int{3, 3, 4, 1}, centred(1.5 * math.Sqrt(3.0/9))},
		{"fc/kernel", []int{6, 4}, centred(1.5 * math.Sqrt(3.0/6))},
		{"fc/bias", []int{8}, centred(0.1)},
		{"bn/gamma", []int{8}, scale},
		{"bn/beta", []int{8}, centred(0.1)},
		{"bn/moving_mean", []int{8}, centred(0.1)},
		{"bn/moving_variance", []int{8}, func(u float64) float64 { return 0.5 + u }},
		{"normalization/mean", []int{3}, centred(0.1)},
		{"normalization/variance", []int{3}, func(u float64) float64 { return 0.5 + u }},
		{"normalization/count", []int{}, func(float64) float64 { return 0 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x := make([]float32, length(c.shape))
			g.fill(x, c.name, c.shape, 0)
			for i, got := range x {
				u := float64(uniform24(g.base(c.name)+uint64(i+1)*golden)) / (1 << 24)
				if want := float32(c.want(u)); math.Abs(float64(got-want)) > 1e-7*math.Abs(float64(want)) {
					t.Errorf("element %d: %v, want %v", i, got, want)
				}
			}
		})
	}
}

// A tensor is the same whole, in pieces and on any number of goroutines.
func TestGeneratedSource(t *testing.T) {
	const n = 3 * 70_001
	src := Generator{Seed: 3}.Source([]nn.Param{{Name: "w", Shape: []int{3, 70_001}}, {Name: "b", Shape: []int{3}}})
	defer src.Close()
	w := mustFloat32(t, src, "w")
	single := make([]float32, n)
	g := Generator{Seed: 3}
	g.lawOf("w", []int{3, 70_001}).fill(single, g.base("w"))
	if !slices.Equal(w, single) {
		t.Error("on many goroutines it differs from one")
	}
	piece := make([]float32, 1000)
	for _, first := range []int{0, 1, 69_999, n - 1000} {
		if err := src.Read("w", first, piece); err != nil || !slices.Equal(piece, w[first:first+1000]) {
			t.Errorf("piece at %d differs: %v", first, err)
		}
	}
	if again := mustFloat32(t, src, "w"); addressOf(again) != addressOf(w) {
		t.Error("computed twice")
	}
	src.Release("w")
	if len(src.made) != 0 {
		t.Error("not released")
	}
	if got, want := src.Name(), "generated (seed 3, gain 1.4142135623730951)"; got != want {
		t.Errorf("name %q, want %q", got, want)
	}
	if _, err := src.Float32("c"); err == nil {
		t.Error("unknown name: no error")
	}
	if err := src.Read("b", 2, piece); err == nil {
		t.Error("beyond the end: no error")
	}
}

func BenchmarkGenerate(b *testing.B) {
	x := make([]float32, 1<<20)
	b.SetBytes(4 << 20)
	for b.Loop() {
		Generator{Seed: 1}.fill(x, "w", []int{1024, 1024}, 0)
	}
}

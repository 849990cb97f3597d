package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
	"zoobench/kernels/ref"
)

// planes is a tensor as kernels/ref reads it: float64 in N,C,H,W order.
func planes(t Tensor) []float64 {
	out := make([]float64, t.Pixels()*t.C)
	for p := range t.Pixels() {
		image, pixel := p/(t.H*t.W), p%(t.H*t.W)
		for c := range t.C {
			out[(image*t.C+c)*t.H*t.W+pixel] = float64(t.Data[p*t.Stride+c])
		}
	}
	return out
}

// compare holds a tensor within a limit of what kernels/ref computed, in N,C,H,W order.
func compare(t *testing.T, got Tensor, want []float64, limit float64) {
	t.Helper()
	checkGuards(t, got)
	for i, v := range planes(got) {
		if !(math.Abs(v-want[i]) <= limit) {
			t.Fatalf("element %d of %d×%d×%d×%d: %v, want %v", i, got.N, got.C, got.H, got.W, v, want[i])
		}
	}
}

func TestNorms(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		for _, c := range []int{1, 2, 6, 8, 9, 32, 70, 768} {
			for _, act := range []Act{None, ReLU, SiLU} {
				t.Run(fmt.Sprintf("c=%d/act=%d", c, act), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(uint64(c), 1))
					value := func() float32 { return rng.Float32()*4 - 1 }
					src := newTensor(2, 5, 7, c, 2, value)
					weight, bias := newTensor(1, 1, 1, c, 0, value).Data, newTensor(1, 1, 1, c, 0, value).Data
					want := make([]float64, 2*c*35)
					activated := func() []float64 {
						f := actReference[act]
						for i, v := range want {
							switch {
							case f != nil:
								want[i] = f(v)
							case act == ReLU:
								want[i] = max(v, 0)
							}
						}
						return want
					}
					dst := newTensor(2, 5, 7, c, 1, value)
					NewLayerNorm(weight, bias, 1e-5, act, pool.Size()).Run(pool, dst, src)
					ref.LayerNorm(want, planes(src), weight, bias, 1e-5, 2, c, 35)
					compare(t, dst, activated(), 1e-5)
					for _, groups := range []int{1, c} {
						NewGroupNorm(weight, bias, groups, 1e-5, act, pool.Size()).Run(pool, dst, src)
						ref.GroupNorm(want, planes(src), weight, bias, 1e-5, groups, 2, c, 35)
						compare(t, dst, activated(), 1e-5)
					}
				})
			}
		}
	})
}

func TestAttention(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	cases := []AttentionShape{
		{H: 1, W: 1, Heads: 1, D: 4},
		{H: 1, W: 17, Heads: 3, D: 16},
		{H: 1, W: 101, Heads: 2, D: 20, HeadsFirst: true},
		{H: 4, W: 5, Heads: 2, D: 32, HeadsFirst: true, Bias: []float32{}},
		{H: 6, W: 9, Heads: 2, D: 8, Window: 3},
		{H: 6, W: 9, Heads: 3, D: 24, Window: 3, Shift: 1, Bias: []float32{}},
		{H: 14, W: 14, Heads: 1, D: 33, Window: 7, Shift: 3},
	}
	scratch := &Scratch{} // of all, as in an engine; what another operation left there must not matter
	eachTile(t, func(t *testing.T) {
		for _, s := range cases {
			name := fmt.Sprintf("%dx%d/heads=%d/d=%d/window=%d/shift=%d/bias=%v", s.H, s.W, s.Heads, s.D, s.Window, s.Shift, s.Bias != nil)
			t.Run(name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(s.W), 9))
				value := func() float32 { return rng.Float32()*6 - 3 }
				s.Scale = float32(1 / math.Sqrt(float64(s.D)))
				var bias []float64
				if s.Bias != nil {
					h, w := s.H, s.W
					if s.Window > 0 {
						h, w = s.Window, s.Window
					}
					table := newTensor(1, 2*h-1, 2*w-1, s.Heads, 0, value)
					s.Bias, bias = table.Data, planes(table)
				}
				src := newTensor(2, s.H, s.W, 3*s.Heads*s.D, 4, value)
				dst := newTensor(2, s.H, s.W, s.Heads*s.D, 1, value)
				s.Scratch = scratch
				a := NewAttention(s, pool.Size())
				for _, own := range scratch.own {
					for i := range own {
						own[i] = float32(math.NaN())
					}
				}
				a.Run(pool, dst, src)
				if a.Bias != nil {
					t.Error("the table of biases is kept beside what was made of it")
				}
				want := make([]float64, dst.Pixels()*dst.C)
				ref.Attention(want, planes(src), bias, ref.AttentionSize{N: 2, H: s.H, W: s.W, Heads: s.Heads, D: s.D,
					Scale: float64(s.Scale), HeadsFirst: s.HeadsFirst, Window: s.Window, Shift: s.Shift})
				compare(t, dst, want, 2e-5)
			})
		}
	})
}

// TestShuffle deals out two groups of any number of channels.
func TestShuffle(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	n := float32(0)
	count := func() float32 { n++; return n }
	eachISA(t, func(t *testing.T) {
		for each := 1; each < 35; each++ {
			c := 2 * each
			src, got := newTensor(2, 3, 4, c, each%3, count), newTensor(2, 3, 4, c, each%2, count)
			NewMove(MoveShape{Rows: 3, Columns: 4, Shuffle: 2}, pool.Size()).Run(pool, got, src)
			checkGuards(t, got)
			want := make([]float64, src.Pixels()*c)
			ref.Shuffle(want, planes(src), 2, 2, c, 12)
			compare(t, got, want, 0)
		}
	})
}

// TestMoveKeepsLevel holds that a move runs on the instruction set that was in use when it was made.
func TestMoveKeepsLevel(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	before, calls := level, 0
	counting := *before
	counting.Zip = func(r *f32.Rows) { calls++; before.Zip(r) }
	level = &counting
	m := NewMove(MoveShape{Rows: 3, Columns: 4, Shuffle: 2}, 1)
	level = before
	one := func() float32 { return 1 }
	m.Run(pool, newTensor(1, 3, 4, 6, 0, one), newTensor(1, 3, 4, 6, 0, one))
	if calls != 3 {
		t.Errorf("%d of 3 rows on the instruction set of when it was made", calls)
	}
}

func TestMove(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	n := float32(0)
	count := func() float32 { n++; return n }
	src := newTensor(2, 3, 4, 6, 1, count)

	padded := newTensor(2, 6, 7, 6, 2, count)
	NewMove(MoveShape{Top: 1, Left: 2, Rows: 3, Columns: 4, Clear: true}, pool.Size()).Run(pool, padded, src)
	want := make([]float64, padded.Pixels()*6)
	ref.Pad(want, planes(src), 1, 2, 2, 1, 2*6, 3, 4)
	compare(t, padded, want, 0)

	shuffled := newTensor(2, 3, 4, 6, 0, count)
	NewMove(MoveShape{Rows: 3, Columns: 4, Shuffle: 3}, pool.Size()).Run(pool, shuffled, src)
	want = make([]float64, src.Pixels()*6)
	ref.Shuffle(want, planes(src), 3, 2, 6, 12)
	compare(t, shuffled, want, 0)

	row, part := newTensor(2, 1, 9, 5, 0, count), newTensor(2, 1, 4, 5, 0, count)
	NewMove(MoveShape{X: 3, Rows: 1, Columns: 4}, pool.Size()).Run(pool, part, row)
	want = make([]float64, part.Pixels()*5)
	ref.SliceTokens(want, planes(row), 3, 7, 2*5, 9)
	compare(t, part, want, 0)

	one := newTensor(1, 1, 1, 5, 0, count)
	before := planes(row)
	NewMove(MoveShape{Left: 8, Rows: 1, Columns: 1}, pool.Size()).Run(pool, row, one)
	after := planes(row)
	for i := range 2 * 5 {
		if !slices.Equal(before[i*9:i*9+8], after[i*9:i*9+8]) || after[i*9+8] != float64(one.Data[i%5]) {
			t.Fatalf("image %d, channel %d: %v became %v", i/5, i%5, before[i*9:i*9+9], after[i*9:i*9+9])
		}
	}
}

func TestSplitSoftmaxAndChannelConv(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	rng := rand.New(rand.NewPCG(4, 4))
	value := func() float32 { return rng.Float32()*8 - 4 }
	src, dst := newTensor(3, 1, 1, 12, 2, value), newTensor(3, 1, 1, 12, 0, value)
	want := make([]float64, 36)
	for _, parts := range []int{1, 2, 3} {
		(&SplitSoftmax{Parts: parts}).Run(pool, dst, src)
		ref.SplitSoftmax(want, planes(src), parts, 3, 12, 1)
		compare(t, dst, want, 1e-6)
	}
	for _, k := range []int{1, 3, 5, 31} {
		weight := newTensor(1, 1, 1, k, 0, value).Data
		(&ChannelConv{Weight: weight}).Run(pool, dst, src)
		ref.ChannelConv(want, planes(src), weight, 3, 12)
		compare(t, dst, want, 1e-4)
	}
}

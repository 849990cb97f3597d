package kernels

import (
	"math"
	"math/rand/v2"
	"testing"

	"zoobench/kernels/par"
)

// TestBF16 compares products of bf16 numbers with the definition, over the shapes of TestConv.
func TestBF16(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	eachTile(t, func(t *testing.T) {
		for i, s := range convCases() {
			if s.Groups > 1 || ISA() == "generic" && i%4 > 0 { // Go's loops take most of the time
				continue
			}
			s.BF16, s.Act = true, []Act{None, ReLU, ReLU6}[i%3]
			t.Run(s.name(), func(t *testing.T) {
				runConv(t, pools[0], s, 1, true, false)
				runConv(t, pools[i%2], s, 3, false, true)
			})
		}
	})
}

// TestBF16Blocks compares products by blocks with the definition, over the same shapes, and holds that the number of workers
// changes no bit.
func TestBF16Blocks(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	blocksAlways = true
	defer func() { blocksAlways = false }()
	for i, s := range convCases() {
		if s.Groups > 1 {
			continue
		}
		s.BF16, s.Act = true, []Act{None, ReLU, ReLU6}[i%3]
		t.Run(s.name(), func(t *testing.T) {
			runConv(t, pools[0], s, 1, true, false)
			runConv(t, pools[i%2], s, 3, false, true)
		})
	}
}

// TestBF16SameBits holds that neither the instruction set, nor the tile, nor the number of workers changes a bit.
func TestBF16SameBits(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	shapes := []ConvShape{square(70, 11, 50, 3, 1, 1), square(3, 23, 24, 7, 2, 1), square(130, 7, 129, 1, 1, 1), square(1301, 1, 65, 1, 1, 1)}
	want := make([]Tensor, len(shapes))
	from := ""
	eachTile(t, func(t *testing.T) {
		for i, s := range shapes {
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			value := func() float32 { return float32(rng.NormFloat64()) }
			s.Weight, s.Act = newTensor(1, 1, 1, s.OC*s.depth(), 0, value).Data, ReLU
			src, res := newTensor(2, s.H, s.W, s.C, 1, value), newTensor(2, s.OH, s.OW, s.OC, 0, value)
			for _, pool := range pools {
				dst := newTensor(2, s.OH, s.OW, s.OC, 0, value)
				NewBF16(s, pool.Size()).Run(pool, dst, src, res)
				if want[i].Data == nil {
					want[i], from = dst, t.Name()
				}
				for j, v := range want[i].Data {
					if math.Float32bits(dst.Data[j]) != math.Float32bits(v) {
						t.Fatalf("%s: element %d: %v, %v with %s", s.name(), j, dst.Data[j], v, from)
					}
				}
			}
		}
	})
}

// TestBF16Weights holds the memory of weights to half of float32's, and a run to no allocation.
func TestBF16Weights(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	s := square(128, 9, 64, 3, 1, 1)
	s.Weight = make([]float32, s.OC*s.depth())
	b, whole := NewBF16(s, 2), NewConv(s, 2)
	bias := int64(4 * 64)
	if got, want := b.WeightBytes()-bias, (whole.WeightBytes()-bias)/2; got != want {
		t.Errorf("weights of %d bytes, want %d", got, want)
	}
	src, dst := newTensor(1, 9, 9, 128, 0, rand.Float32), newTensor(1, 9, 9, 64, 0, rand.Float32)
	if n := testing.AllocsPerRun(10, func() { b.Run(pool, dst, src, Tensor{}) }); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}

// TestBF16Refuses holds what a caller must not do.
func TestBF16Refuses(t *testing.T) {
	groups := square(8, 3, 8, 3, 1, 2)
	groups.Weight = make([]float32, groups.OC*groups.depth())
	whole := square(8, 3, 8, 3, 1, 1)
	whole.Weight = make([]float32, whole.OC*whole.depth())
	pool := par.New(1)
	defer pool.Close()
	for name, call := range map[string]func(){
		"groups":        func() { NewBF16(groups, 1) },
		"short weights": func() { short := whole; short.Weight = short.Weight[1:]; NewBF16(short, 1) },
		"another shape": func() {
			NewBF16(whole, 1).Run(pool, newTensor(1, 3, 3, 8, 0, rand.Float32), newTensor(1, 3, 3, 7, 0, rand.Float32), Tensor{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}

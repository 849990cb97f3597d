package kernels

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"zoobench/kernels/par"
)

// fencedBytes is memory that ends, or begins, at a page that may not be touched.
func fencedBytes(t *testing.T, bytes int, atEnd bool) []byte {
	t.Helper()
	page := unix.Getpagesize()
	inner := (bytes + page - 1) / page * page
	all, err := unix.Mmap(-1, 0, inner+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	for _, fence := range [][]byte{all[:page], all[page+inner:]} {
		if err := unix.Mprotect(fence, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	start := page
	if atEnd {
		start = page + inner - bytes
	}
	return all[start:][:bytes]
}

// fenced is a tensor in such memory.
func fenced(t *testing.T, n, h, w, c int, atEnd bool, fill func() float32) Tensor {
	t.Helper()
	x := Tensor{N: n, H: h, W: w, C: c, Stride: c}
	memory := fencedBytes(t, 4*x.Pixels()*c, atEnd)
	x.Data = unsafe.Slice((*float32)(unsafe.Pointer(&memory[0])), x.Pixels()*c)
	for i := range x.Data {
		x.Data[i] = fill()
	}
	return x
}

// TestFences runs every kind of layer on memory that ends or begins at a forbidden page: a read or write outside a
// tensor ends the test with a fault.
func TestFences(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	eachTile(t, func(t *testing.T) {
		for _, atEnd := range []bool{false, true} {
			for _, c := range []int{1, 3, 7, 8, 9, 16, 20, 24, 40} {
				tensor := func(h, w, c int) Tensor { return fenced(t, 1, h, w, c, atEnd, rand.Float32) }
				src := tensor(9, 7, c)
				for _, k := range []int{1, 3} {
					s := ConvShape{C: c, H: 9, W: 7, OC: c + 5, OH: 9, OW: 7, KH: k, KW: k, SH: 1, SW: 1, DH: 1, DW: 1,
						Top: k / 2, Left: k / 2, Groups: 1}
					s.Weight = make([]float32, s.OC*s.depth())
					dst, res := tensor(9, 7, c+5), tensor(9, 7, c+5)
					NewConv(s, 1).Run(pool, dst, src, res)
					NewBF16(s, 1).Run(pool, dst, src, res)
					NewBF16Blocks(s, 1).Run(pool, dst, src, res)
					if s.canWinograd() {
						newWinograd(s, 1).Run(pool, dst, src, res)
					}
					s.OC, s.Groups, s.Act = c, c, SiLU
					s.Weight = s.Weight[:c*k*k]
					dst = tensor(9, 7, c)
					NewDepthwise(s, 1).Run(pool, dst, src)
					if c%8 == 0 {
						s.Groups = c / 4
						s.Weight = make([]float32, s.OC*s.depth())
						NewDepthwise(s, 1).Run(pool, dst, src)
					}
				}
				for _, largest := range []bool{false, true} {
					NewPool(PoolShape{C: c, H: 9, W: 7, OH: 5, OW: 4, KH: 3, KW: 3, SH: 2, SW: 2, Top: 1, Left: 1, Bottom: 1,
						Right: 1, Max: largest}, 1).
						Run(pool, tensor(5, 4, c), src)
				}
				NewPool(PoolShape{C: c, H: 9, W: 7, OH: 1, OW: 1, Adaptive: true}, 1).Run(pool, tensor(1, 1, c), src)
				same := tensor(9, 7, c)
				NewPointwise(nil, nil, GELU, 1).Run(pool, same, src, tensor(1, 1, c), []Tensor{tensor(9, 7, c)})
				one := tensor(1, 1, c).Data
				NewLayerNorm(one, one, 1e-5, ReLU, 1).Run(pool, same, src)
				NewGroupNorm(one, one, 1, 1e-5, None, 1).Run(pool, same, src)
			}
		}
	})
}

// TestFences8 does the same for layers of bytes.
func TestFences8(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	eachISA8(t, func(t *testing.T) {
		for _, atEnd := range []bool{false, true} {
			for _, c := range []int{1, 3, 7, 8, 9, 16, 20, 24, 40, 70, 130} {
				tensor := func(h, w, c int, q Quant) Tensor8 {
					return Tensor8{Data: fencedBytes(t, h*w*c, atEnd), N: 1, H: h, W: w, C: c, Stride: c, Quant: q}
				}
				q := Quant{Scale: 1, Zero: 7}
				for _, k := range []int{1, 3, 5} {
					s := Conv8Shape{ConvShape: ConvShape{C: c, H: 9, W: 7, OC: c + 5, OH: 9, OW: 7, KH: k, KW: k, SH: 1, SW: 1, DH: 1, DW: 1,
						Top: k / 2, Left: k / 2, Groups: 1, Act: SiLU}}
					fillConv8(&s, rng, true)
					NewConv8(s, 1).Run(pool, tensor(9, 7, c+5, s.Out), tensor(9, 7, c, s.In), tensor(9, 7, c+5, s.Res))
					s.OC, s.Groups, s.Act = c, c, None
					fillConv8(&s, rng, false)
					s.Res = Quant{}
					NewDepthwise8(s, 1).Run(pool, tensor(9, 7, c, s.Out), tensor(9, 7, c, s.In))
				}
				src, same := tensor(9, 7, c, q), tensor(9, 7, c, q)
				for _, largest := range []bool{false, true} {
					NewPool8(PoolShape{C: c, H: 9, W: 7, OH: 5, OW: 4, KH: 3, KW: 3, SH: 2, SW: 2, Top: 1, Left: 1, Bottom: 1,
						Right: 1, Max: largest}, q, q, 1).Run(pool, tensor(5, 4, c, q), src)
				}
				NewPool8(PoolShape{C: c, H: 9, W: 7, OH: 1, OW: 1, Adaptive: true}, q, q, 1).Run(pool, tensor(1, 1, c, q), src)
				NewTable8(ActTable(GELU, q, q), 1).Run(pool, same, src)
				NewSum8([]Quant{q, q}, ReLU, Quant{}, q, 1).Run(pool, same, []Tensor8{src, same})
				NewGate8(q, q, None, Quant{}, q, 1).Run(pool, same, src, tensor(1, 1, c, q))
				floats := fenced(t, 1, 9, 7, c, atEnd, rand.Float32)
				NewConvert(1).Quantize(pool, same, floats)
				NewConvert(1).Dequantize(pool, floats, same)
			}
		}
	})
}

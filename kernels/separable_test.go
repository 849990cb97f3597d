package kernels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/kernels/par"
)

// TestSeparable holds that convolutions run together give the bits that they give one after the other, and write
// nothing beside.
func TestSeparable(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	rng := rand.New(rand.NewPCG(1, 2))
	value := func() float32 { return rng.Float32()*2 - 1 }
	weights := func(s ConvShape) ConvShape {
		s.Weight, s.Bias = make([]float32, s.OC*s.depth()), make([]float32, s.OC)
		for i := range s.Weight {
			s.Weight[i] = value()
		}
		for i := range s.Bias {
			s.Bias[i] = value()
		}
		return s
	}
	conv := func(c, size, oc, k, stride, groups int, act Act) ConvShape {
		s := ConvShape{C: c, H: size, W: size + 1, OC: oc, KH: k, KW: k, SH: stride, SW: stride, DH: 1, DW: 1, Top: k / 2, Left: k / 2,
			Groups: groups, Act: act}
		s.OH, s.OW = (s.H-1)/stride+1, (s.W-1)/stride+1
		return weights(s)
	}
	cases := []struct {
		name                string
		first, middle, last ConvShape
	}{
		{"inverted", conv(5, 14, 30, 1, 1, 1, ReLU6), conv(30, 14, 30, 3, 1, 30, ReLU6), conv(30, 14, 7, 1, 1, 1, None)},
		{"strided", conv(8, 16, 24, 1, 1, 1, SiLU), conv(24, 16, 24, 5, 2, 24, SiLU), conv(24, 8, 17, 1, 1, 1, ReLU)},
		{"stem", conv(3, 32, 16, 3, 2, 1, HardSwish), conv(16, 16, 16, 3, 1, 16, ReLU), conv(16, 16, 9, 1, 1, 1, None)},
		{"wide", conv(4, 70, 16, 1, 1, 1, None), conv(16, 70, 16, 7, 1, 16, None), conv(16, 70, 16, 1, 1, 1, GELU)},
		{"flat", conv(4, 1, 8, 1, 1, 1, None), conv(8, 1, 8, 3, 1, 8, None), conv(8, 1, 5, 1, 1, 1, None)},
	}
	cropped := cases[0]
	cropped.name, cropped.middle.Top = "cropped", -2
	cases = append(cases, cropped)
	eachTile(t, func(t *testing.T) {
		cropped := cropped.middle
		cropped.Left = -1
		if CanSeparable(&cases[0].first, cropped, &cases[0].last) {
			t.Error("bands are for rows that begin with the image's or with padding")
		}
		for _, c := range cases {
			for form := range 3 {
				for n, pool := range pools {
					n++
					t.Run(fmt.Sprintf("%s/form=%d/images=%d", c.name, form, n), func(t *testing.T) {
						first, last := &c.first, &c.last
						if form == 1 {
							first = nil
						} else if form == 2 {
							last = nil
						}
						m := c.middle
						images := newTensor(n, c.first.H, c.first.W, c.first.C, 1, value)
						before := newTensor(n, m.H, m.W, m.C, 0, value)
						behind := newTensor(n, m.OH, m.OW, m.C, 0, value)
						want := newTensor(n, m.OH, m.OW, c.last.OC, 0, value)
						res := newTensor(n, m.OH, m.OW, c.last.OC, 2, value)
						src := before
						if first != nil {
							NewConv(*first, pool.Size()).Run(pool, before, images, Tensor{})
							src = images
						}
						NewDepthwise(m, pool.Size()).Run(pool, behind, before)
						if last != nil {
							NewConv(*last, pool.Size()).Run(pool, want, behind, res)
						} else {
							want, res = behind, Tensor{}
						}
						got := newTensor(n, m.OH, m.OW, want.C, 3, value)
						s := NewSeparable(first, m, last, pool.Size())
						for range 2 {
							s.Run(pool, got, src, res)
						}
						checkGuards(t, got)
						for p := range want.Pixels() {
							if !slices.Equal(got.Data[p*got.Stride:][:got.C], want.Data[p*want.Stride:][:want.C]) {
								t.Fatalf("pixel %d: %v, want %v", p, got.Data[p*got.Stride:][:got.C], want.Data[p*want.Stride:][:want.C])
							}
						}
					})
				}
			}
		}
	})
}

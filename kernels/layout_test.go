package kernels

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// blockedConv is Conv over the other layout that was tried, nChw16c: planes of pixels with sixteen channels each. It
// uses the same tiles, the same blocks of rows and depth and the same microkernels, so that only the layout differs: a
// tap is a position of the window in one plane, sixteen elements deep.
type blockedConv struct {
	ConvShape
	planes, taps int
	packed, bias []float32
	zeros        []float32
	rows         []*float32
	tile         f32.Tile
}

func newBlockedConv(s ConvShape) *blockedConv {
	b := &blockedConv{ConvShape: s, planes: (s.C + 15) / 16, zeros: make([]float32, 16)}
	b.taps = b.planes * s.taps()
	b.packed = make([]float32, roundUp(s.OC, 16)*b.taps*16)
	b.bias = make([]float32, roundUp(s.OC, 16))
	for i := range b.packed {
		b.packed[i] = 0.01
	}
	b.rows = make([]*float32, (rowBlock+f32.MR)/f32.MR*b.taps*f32.MR)
	return b
}

// run reads src, (planes, H, W, 16), and writes dst, (⌈OC/16⌉, OH, OW, 16).
func (b *blockedConv) run(dst, src []float32) {
	pixels := b.OH * b.OW
	for row := 0; row < pixels; row += rowBlock {
		rows := min(rowBlock, pixels-row)
		b.window(src, row, rows)
		for tap := 0; tap < b.taps; tap += depthBlock / 16 {
			n := min(depthBlock/16, b.taps-tap)
			flags := 0
			if tap > 0 {
				flags |= f32.Load
			}
			if tap+n == b.taps {
				flags |= f32.Final
			}
			for oc := 0; oc < b.OC; oc += 16 {
				for done := 0; done < rows; {
					mr, t := min(f32.MR, rows-done), &b.tile
					*t = f32.Tile{
						A: &b.rows[(done/f32.MR*b.taps+tap)*f32.MR], B: &b.packed[(oc*b.taps+tap*16)*16],
						C: &dst[oc*pixels+(row+done)*16], Bias: &b.bias[oc], Taps: n, K: 16, LDC: 64,
						TilesLeft: max(1, (rows-done)/f32.MR), Step: 8 * b.taps * f32.MR, Flags: flags, Hi: infinity,
					}
					done += mr * t.TilesLeft
					level.Gemm[1][mr](t)
				}
			}
		}
	}
}

func (b *blockedConv) window(src []float32, row, rows int) {
	for r := range rows {
		at := r/f32.MR*b.taps*f32.MR + r%f32.MR
		y0, x0 := (row+r)/b.OW*b.SH-b.Top, (row+r)%b.OW*b.SW-b.Left
		for plane := range b.planes {
			for ky := range b.KH {
				for kx := range b.KW {
					y, x := y0+ky, x0+kx
					b.rows[at] = &b.zeros[0]
					if uint(y) < uint(b.H) && uint(x) < uint(b.W) {
						b.rows[at] = &src[((plane*b.H+y)*b.W+x)*16]
					}
					at += f32.MR
				}
			}
		}
	}
}

// blockedDepthwise runs a Depthwise over planes of sixteen channels, one plane after the other.
func blockedDepthwise(s ConvShape) func(pool *par.Pool, dst, src []float32) {
	planes := (s.C + 15) / 16
	one := s
	one.C, one.OC, one.Groups = 16, 16, 16
	one.Weight, one.Bias = make([]float32, 16*s.taps()), nil
	d := NewDepthwise(one, 1)
	return func(pool *par.Pool, dst, src []float32) {
		for p := range planes {
			d.Run(pool, Tensor{dst[p*s.OH*s.OW*16:], 1, s.OH, s.OW, 16, 16}, Tensor{src[p*s.H*s.W*16:], 1, s.H, s.W, 16, 16})
		}
	}
}

// layoutShapes are layers of ResNet-50, VGG-16 and MobileNetV2.
var layoutShapes = []ConvShape{
	square(3, 224, 64, 7, 2, 1),
	square(64, 56, 64, 1, 1, 1),
	square(64, 56, 64, 3, 1, 1),
	square(64, 56, 256, 1, 1, 1),
	square(256, 56, 64, 1, 1, 1),
	square(128, 28, 128, 3, 1, 1),
	square(512, 28, 128, 1, 1, 1),
	square(256, 14, 256, 3, 1, 1),
	square(1024, 14, 256, 1, 1, 1),
	square(512, 7, 512, 3, 1, 1),
	square(2048, 7, 512, 1, 1, 1),
	square(64, 224, 64, 3, 1, 1),
	square(512, 14, 512, 3, 1, 1),
	square(16, 112, 96, 1, 1, 1),
	square(144, 56, 24, 1, 1, 1),
	square(96, 14, 576, 1, 1, 1),
	square(960, 7, 160, 1, 1, 1),
	square(2048, 1, 1000, 1, 1, 1),
	square(32, 112, 32, 3, 1, 32),
	square(96, 112, 96, 3, 2, 96),
	square(144, 56, 144, 3, 1, 144),
	square(384, 14, 384, 3, 1, 384),
	square(960, 7, 960, 3, 1, 960),
	square(128, 56, 128, 3, 1, 32),
	square(256, 28, 256, 3, 1, 32),
	square(512, 14, 512, 3, 1, 32),
	square(1024, 7, 1024, 3, 1, 32),
}

// square is a convolution of a square image with a square window, padded to keep its size at stride 1.
func square(c, size, oc, k, stride, groups int) ConvShape {
	s := ConvShape{C: c, H: size, W: size, OC: oc, KH: k, KW: k, SH: stride, SW: stride, DH: 1, DW: 1,
		Top: k / 2, Left: k / 2, Groups: groups, Act: ReLU}
	s.OH, s.OW = (size+2*(k/2)-k)/stride+1, (size+2*(k/2)-k)/stride+1
	return s
}

// inTurn runs alternatives one after the other, round by round, so that a machine whose speed drifts is the same to
// all; it returns their medians.
func inTurn(b *testing.B, alternatives ...func()) []time.Duration {
	medians := make([]time.Duration, len(alternatives))
	for i, t := range timesInTurn(b, alternatives) {
		medians[i] = t[len(t)/2]
	}
	return medians
}

// timesInTurn is the sorted times of alternatives that run one after the other, round by round.
func timesInTurn(b *testing.B, alternatives []func()) [][]time.Duration {
	times := make([][]time.Duration, len(alternatives))
	for b.Loop() {
		for range 21 {
			for i, run := range alternatives {
				start := time.Now()
				run()
				times[i] = append(times[i], time.Since(start))
			}
		}
	}
	for _, t := range times {
		slices.Sort(t)
	}
	return times
}

// BenchmarkLayout times channels-last against nChw16c on the same layers, in turn, one thread; the package comment quotes it.
func BenchmarkLayout(b *testing.B) {
	pool := par.New(1)
	defer pool.Close()
	for _, s := range layoutShapes {
		if s.C < 16 || s.H == 1 || s.Groups > 1 && s.Groups < s.C {
			continue
		}
		name := fmt.Sprintf("isa=%s/shape=%dx%dx%d/oc=%d/k=%d/s=%d/g=%d", ISA(), s.C, s.H, s.W, s.OC, s.KH, s.SH, s.Groups)
		b.Run(name, func(b *testing.B) {
			s.Weight = make([]float32, s.OC*s.C/s.Groups*s.taps())
			one := func() float32 { return 1 }
			src, dst := newTensor(1, s.H, s.W, s.C, 0, one), newTensor(1, s.OH, s.OW, s.OC, 0, one)
			in, out := make([]float32, roundUp(s.C, 16)*s.H*s.W), make([]float32, roundUp(s.OC, 16)*s.OH*s.OW)
			var last, blocked func()
			if s.Groups == s.C {
				d, planes := NewDepthwise(s, 1), blockedDepthwise(s)
				last, blocked = func() { d.Run(pool, dst, src) }, func() { planes(pool, out, in) }
			} else {
				c, planes := NewConv(s, 1), newBlockedConv(s)
				last, blocked = func() { c.Run(pool, dst, src, Tensor{}) }, func() { planes.run(out, in) }
			}
			times := inTurn(b, last, blocked)
			nhwc, planes := times[0], times[1]
			b.ReportMetric(float64(nhwc.Nanoseconds()), "nhwc-ns")
			b.ReportMetric(float64(planes.Nanoseconds()), "nChw16c-ns")
			b.ReportMetric(planes.Seconds()/nhwc.Seconds(), "nChw16c/nhwc")
		})
	}
}

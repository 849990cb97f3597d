package kernels

import (
	"fmt"
	"testing"

	"zoobench/kernels/par"
)

// benchShapes are layers of ResNet-50, VGG-16 and MobileNetV2.
var benchShapes = []ConvShape{
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
	s := ConvShape{C: c, H: size, W: size, OC: oc, KH: k, KW: k, SH: stride, SW: stride, DH: 1, DW: 1, Top: k / 2, Left: k / 2, Groups: groups, Act: ReLU}
	s.OH, s.OW = (size+2*(k/2)-k)/stride+1, (size+2*(k/2)-k)/stride+1
	return s
}

// BenchmarkWinograd times Winograd against the direct sum on the layers that have the choice, in turn.
func BenchmarkWinograd(b *testing.B) {
	pool := par.New(1)
	defer pool.Close()
	for _, s := range append([]ConvShape{square(32, 56, 32, 3, 1, 1), square(16, 112, 16, 3, 1, 1), square(96, 28, 96, 3, 1, 1), square(192, 17, 192, 3, 1, 1), square(128, 14, 32, 3, 1, 1), square(64, 7, 64, 3, 1, 1),
		square(64, 112, 128, 3, 1, 1), square(128, 112, 128, 3, 1, 1), square(256, 56, 256, 3, 1, 1), square(512, 28, 512, 3, 1, 1)}, benchShapes...) {
		if !s.CanWinograd() || s.C < 16 {
			continue
		}
		b.Run(fmt.Sprintf("isa=%s/shape=%dx%dx%d/oc=%d", ISA(), s.C, s.H, s.W, s.OC), func(b *testing.B) {
			s.Weight = make([]float32, s.OC*s.C*9)
			for i := range s.Weight {
				s.Weight[i] = float32(i%17) - 8
			}
			one := func() float32 { return 1 }
			src, dst := newTensor(1, s.H, s.W, s.C, 0, one), newTensor(1, s.OH, s.OW, s.OC, 0, one)
			direct, winograd := NewConv(s, 1), NewWinograd(s, 1)
			times := inTurn(b, func() { direct.Run(pool, dst, src, Tensor{}) }, func() { winograd.Run(pool, dst, src, Tensor{}) })
			macs := float64(s.OC*s.C*9) * float64(s.OH*s.OW)
			b.ReportMetric(2*macs/times[0].Seconds()/1e9, "direct-GFLOP/s")
			b.ReportMetric(2*macs/times[1].Seconds()/1e9, "winograd-GFLOP/s")
			b.ReportMetric(times[0].Seconds()/times[1].Seconds(), "direct/winograd")
		})
	}
}

func BenchmarkConv(b *testing.B) {
	pool := par.New(1)
	defer pool.Close()
	for _, s := range benchShapes {
		b.Run(fmt.Sprintf("isa=%s/shape=%dx%dx%d/oc=%d/k=%d/s=%d/g=%d", ISA(), s.C, s.H, s.W, s.OC, s.KH, s.SH, s.Groups), func(b *testing.B) {
			s.Weight = make([]float32, s.OC*s.C/s.Groups*s.taps())
			s.Bias = make([]float32, s.OC)
			for i := range s.Weight {
				s.Weight[i] = float32(i%17) - 8
			}
			one := func() float32 { return 1 }
			src, dst := newTensor(1, s.H, s.W, s.C, 0, one), newTensor(1, s.OH, s.OW, s.OC, 0, one)
			var run func()
			if s.CanDepthwise() {
				d := NewDepthwise(s, 1)
				run = func() { d.Run(pool, dst, src) }
			} else {
				c := NewConv(s, 1)
				run = func() { c.Run(pool, dst, src, Tensor{}) }
			}
			macs := float64(s.OC*s.C/s.Groups*s.taps()) * float64(s.OH*s.OW)
			for b.Loop() {
				run()
			}
			b.ReportMetric(2*macs*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

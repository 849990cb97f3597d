package kernels

import (
	"math/rand/v2"
	"testing"

	"zoobench/kernels/par"
)

// bytesOfImage is a tensor of one image of bytes.
func bytesOfImage(c, h, w int, q Quant) Tensor8 {
	t := Tensor8{Data: AllocBytes(c * h * w), N: 1, H: h, W: w, C: c, Stride: c, Quant: q}
	for i := range t.Data {
		t.Data[i] = uint8(i % 251)
	}
	return t
}

// conv8 is a line's convolution of bytes.
func (l *benchLayer) conv8(b *testing.B) Conv8Shape {
	s := Conv8Shape{ConvShape: l.conv(b)}
	fillConv8(&s, rand.New(rand.NewPCG(1, 2)), l.values["add"] != "")
	return s
}

// A maker makes a line ready in float32, by the default algorithm, and in bytes.
type maker func(b *testing.B, l *benchLayer, pool *par.Pool) (float32, bytes func(), macs int64)

// besideFloat32 times each line in float32 and in bytes with every instruction set, in turn, and reports the least times' rates
// and how many times as fast as float32 they are.
func besideFloat32(b *testing.B, benchmark string, made maker) {
	pool := par.New(1)
	defer pool.Close()
	keepISA(b)
	isas := ISAs8()[1:] // without the Go loops
	for _, l := range benchLayers(b, benchmark) {
		b.Run(l.text, func(b *testing.B) {
			float32, _, macs := made(b, &l, pool)
			runs := []func(){float32}
			for _, isa := range isas {
				if err := Use(isa); err != nil {
					b.Fatal(err)
				}
				_, bytes, _ := made(b, &l, pool)
				runs = append(runs, bytes)
			}
			times := timesInTurn(b, runs)
			for i, isa := range isas {
				least := times[i+1][0].Seconds()
				if macs > 0 {
					b.ReportMetric(float64(macs)/least/1e9, isa+"-GMAC/s")
				}
				b.ReportMetric(times[0][0].Seconds()/least, isa+"/float32")
			}
		})
	}
}

// BenchmarkConv8 compares convolutions of bytes with float32's direct sum.
func BenchmarkConv8(b *testing.B) { besideFloat32(b, "Conv", convBeside) }

// BenchmarkWinograd8 compares those that float32 does by Winograd.
func BenchmarkWinograd8(b *testing.B) { besideFloat32(b, "Winograd", convBeside) }

func convBeside(b *testing.B, l *benchLayer, pool *par.Pool) (float32, bytes func(), macs int64) {
	f, s := l.conv(b), l.conv8(b)
	float32, macs, _ = convolutionOf(b, l, pool, func(ConvShape) Convolution { return f.Algorithms()[0].New(f, 1) })
	c := NewConv8(s, 1)
	src, dst := bytesOfImage(s.C, s.H, s.W, s.In), bytesOfImage(s.OC, s.OH, s.OW, s.Out)
	var res Tensor8
	if s.Res.Scale != 0 {
		res = bytesOfImage(s.OC, s.OH, s.OW, s.Res)
	}
	return float32, func() { c.Run(pool, dst, src, res) }, macs
}

// BenchmarkDepthwise8 compares depthwise convolutions and those in groups of a few channels.
func BenchmarkDepthwise8(b *testing.B) {
	besideFloat32(b, "Depthwise", func(b *testing.B, l *benchLayer, pool *par.Pool) (float32, bytes func(), macs int64) {
		f, s := l.conv(b), l.conv8(b)
		d := NewDepthwise(f, 1)
		in, out := image(f.C, f.H, f.W), image(f.OC, f.OH, f.OW)
		src, dst := bytesOfImage(s.C, s.H, s.W, s.In), bytesOfImage(s.OC, s.OH, s.OW, s.Out)
		float32 = func() { d.Run(pool, out, in) }
		if s.Groups < s.C {
			c := NewConv8(s, 1)
			return float32, func() { c.Run(pool, dst, src, Tensor8{}) }, f.macs()
		}
		d8 := NewDepthwise8(s, 1)
		return float32, func() { d8.Run(pool, dst, src) }, f.macs()
	})
}

package kernels

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zoobench/kernels/par"
)

// shapesTable names the layers that are benchmarked, which package zoo/engine finds in the graphs: a line is a
// benchmark, its shape, how many layers and networks have it, and its share of the networks' time in percent.
//
//go:embed testdata/shapes.tsv
var shapesTable string

// benchLayer is a line of the table.
type benchLayer struct {
	text   string            // the shape in key=value form
	values map[string]string // by key
	share  float64           // percent
}

// benchLayers are a benchmark's lines.
func benchLayers(tb testing.TB, benchmark string) []benchLayer {
	tb.Helper()
	var layers []benchLayer
	for line := range strings.Lines(shapesTable) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || cells[0] != benchmark {
			continue
		}
		l := benchLayer{text: cells[1], values: map[string]string{}}
		var err error
		if l.share, err = strconv.ParseFloat(cells[len(cells)-1], 64); err != nil || len(cells) != 5 {
			tb.Fatalf("shapes.tsv: %q: want five cells, the last one a number", line)
		}
		for _, pair := range strings.Split(l.text, "/") {
			key, value, _ := strings.Cut(pair, "=")
			l.values[key] = value
		}
		layers = append(layers, l)
	}
	if len(layers) == 0 {
		tb.Fatalf("shapes.tsv: no line for %s", benchmark)
	}
	return layers
}

// numbers are a key's numbers, with x or a comma between them; zeros where there is no such key.
func (l *benchLayer) numbers(tb testing.TB, key string) (n [3]int) {
	tb.Helper()
	if l.values[key] == "" {
		return n
	}
	for i, text := range strings.FieldsFunc(l.values[key], func(r rune) bool { return r == 'x' || r == ',' }) {
		var err error
		if n[i], err = strconv.Atoi(text); err != nil {
			tb.Fatalf("shapes.tsv: %s: %s: %v", l.text, key, err)
		}
	}
	return n
}

// act is the activation that the shape names.
func (l *benchLayer) act(tb testing.TB) Act {
	tb.Helper()
	names := []string{"", "relu", "relu6", "sigmoid", "silu", "hard_sigmoid", "hard_swish", "gelu", "gelu_tanh"} // in Act's order
	act := slices.Index(names, l.values["act"])
	if act < 0 {
		tb.Fatalf("shapes.tsv: %s: no such activation", l.text)
	}
	return Act(act)
}

// conv is a convolution's shape with weights and a bias.
func (l *benchLayer) conv(tb testing.TB) ConvShape {
	in, out, k := l.numbers(tb, "in"), l.numbers(tb, "out"), l.numbers(tb, "k")
	s, p, g := l.numbers(tb, "s"), l.numbers(tb, "p"), l.numbers(tb, "g")
	shape := ConvShape{
		C: in[0], H: in[1], W: in[2], OC: out[0], OH: out[1], OW: out[2], KH: k[0], KW: k[1], SH: s[0], SW: s[0], DH: 1, DW: 1,
		Top: p[0], Left: p[1], Groups: g[0], Act: l.act(tb), Bias: make([]float32, out[0]),
	}
	shape.Filter = func(oc int, dst []float32) {
		for i := range dst {
			dst[i] = float32((oc+i)%17-8) / 64
		}
	}
	return shape
}

// macs is a layer's multiply-adds, counted as the direct sum's whatever the algorithm.
func (s *ConvShape) macs() int64 { return int64(s.OC*s.depth()) * int64(s.OH*s.OW) }

// image is a tensor of one image of ordinary numbers.
func image(c, h, w int) Tensor {
	t := Tensor{Data: Alloc(c * h * w), N: 1, H: h, W: w, C: c, Stride: c}
	for i := range t.Data {
		t.Data[i] = float32(i%31-15) / 8
	}
	return t
}

// eachLayer runs a benchmark of each of its lines on one worker. Made makes an operation ready and tells its
// multiply-adds, 0 where it has none, and the bytes that it reads and writes.
func eachLayer(b *testing.B, benchmark string, made func(b *testing.B, l *benchLayer, pool *par.Pool) (run func(), macs, bytes int64)) {
	pool := par.New(1)
	defer pool.Close()
	for _, l := range benchLayers(b, benchmark) {
		b.Run("isa="+ISA()+"/"+l.text, func(b *testing.B) {
			run, macs, bytes := made(b, &l, pool)
			run() // its memory is new
			if macs == 0 {
				b.SetBytes(bytes)
			}
			for b.Loop() {
				run()
			}
			if macs > 0 {
				rate := float64(macs) * float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(rate, "macs/s")
				b.ReportMetric(100*rate/peakMACs(), "%peak")
			}
			b.ReportMetric(l.share, "%zoo")
		})
	}
}

// peakMACs is the multiply-adds a second of a core that does nothing else.
var peakMACs = sync.OnceValue(func() float64 {
	best := 0.0
	for range 9 {
		start := time.Now()
		flops := PeakRounds(300_000)
		best = max(best, float64(flops)/2/time.Since(start).Seconds())
	}
	return best
})

func elems(tensors ...Tensor) (bytes int64) {
	for _, t := range tensors {
		bytes += 4 * int64(len(t.Data))
	}
	return bytes
}

// convolutionOf makes a line's convolution ready by some algorithm.
func convolutionOf(b *testing.B, l *benchLayer, pool *par.Pool, algorithm func(ConvShape) Convolution) (run func(), macs, bytes int64) {
	s := l.conv(b)
	c := algorithm(s)
	src, dst := image(s.C, s.H, s.W), image(s.OC, s.OH, s.OW)
	var res Tensor
	if l.values["add"] != "" {
		res = image(s.OC, s.OH, s.OW)
	}
	return func() { c.Run(pool, dst, src, res) }, s.macs(), elems(src, dst, res) + c.WeightBytes()
}

// BenchmarkConv times the direct sum.
func BenchmarkConv(b *testing.B) {
	eachLayer(b, "Conv", func(b *testing.B, l *benchLayer, pool *par.Pool) (func(), int64, int64) {
		return convolutionOf(b, l, pool, func(s ConvShape) Convolution { return NewConv(s, 1) })
	})
}

// BenchmarkWinograd times Winograd where the table of preferences names it.
func BenchmarkWinograd(b *testing.B) {
	eachLayer(b, "Winograd", func(b *testing.B, l *benchLayer, pool *par.Pool) (func(), int64, int64) {
		return convolutionOf(b, l, pool, func(s ConvShape) Convolution { return newWinograd(s, 1) })
	})
}

func BenchmarkDepthwise(b *testing.B) {
	eachLayer(b, "Depthwise", func(b *testing.B, l *benchLayer, pool *par.Pool) (func(), int64, int64) {
		s := l.conv(b)
		d := NewDepthwise(s, 1)
		src, dst := image(s.C, s.H, s.W), image(s.OC, s.OH, s.OW)
		return func() { d.Run(pool, dst, src) }, s.macs(), elems(src, dst) + d.WeightBytes()
	})
}

func BenchmarkPool(b *testing.B) {
	eachLayer(b, "Pool", func(b *testing.B, l *benchLayer, pool *par.Pool) (func(), int64, int64) {
		in, out, k, s, p := l.numbers(b, "in"), l.numbers(b, "out"), l.numbers(b, "k"), l.numbers(b, "s"), l.numbers(b, "p")
		shape := PoolShape{
			C: in[0], H: in[1], W: in[2], OH: out[1], OW: out[2], KH: k[0], KW: k[1], SH: s[0], SW: s[0],
			Top: p[0], Left: p[1], Bottom: p[0], Right: p[1],
			Max: l.values["kind"] == "max", Adaptive: l.values["kind"] == "global",
		}
		op := NewPool(shape, 1)
		src, dst := image(in[0], in[1], in[2]), image(out[0], out[1], out[2])
		return func() { op.Run(pool, dst, src) }, 0, elems(src, dst)
	})
}

func BenchmarkPointwise(b *testing.B) {
	eachLayer(b, "Pointwise", func(b *testing.B, l *benchLayer, pool *par.Pool) (func(), int64, int64) {
		in := l.numbers(b, "in")
		src, dst := image(in[0], in[1], in[2]), image(in[0], in[1], in[2])
		var scale, shift []float32
		var gate Tensor
		if l.values["kind"] == "gate" {
			gate = image(in[0], 1, 1)
		} else {
			scale, shift = slices.Repeat([]float32{0.5}, in[0]), make([]float32, in[0])
		}
		var add []Tensor
		if l.values["add"] != "" {
			add = []Tensor{image(in[0], in[1], in[2])}
		}
		op := NewPointwise(scale, shift, l.act(b), 1)
		return func() { op.Run(pool, dst, src, gate, add) }, 0, elems(append(add, src, dst)...)
	})
}

func BenchmarkLayerNorm(b *testing.B) {
	eachLayer(b, "LayerNorm", func(b *testing.B, l *benchLayer, pool *par.Pool) (func(), int64, int64) {
		in := l.numbers(b, "in")
		src, dst := image(in[0], in[1], in[2]), image(in[0], in[1], in[2])
		op := NewLayerNorm(slices.Repeat([]float32{1}, in[0]), make([]float32, in[0]), 1e-6, None, 1)
		return func() { op.Run(pool, dst, src) }, 0, elems(src, dst)
	})
}

// BenchmarkAttention times both products and the softmax between them.
func BenchmarkAttention(b *testing.B) {
	eachLayer(b, "Attention", func(b *testing.B, l *benchLayer, pool *par.Pool) (func(), int64, int64) {
		grid, window := l.numbers(b, "grid"), l.numbers(b, "window")[0]
		s := AttentionShape{
			H: grid[0], W: grid[1], Heads: l.numbers(b, "heads")[0], D: l.numbers(b, "d")[0], Scale: 0.125, Window: window,
			Shift: l.numbers(b, "shift")[0],
		}
		keys, h, w := grid[0]*grid[1], grid[0], grid[1]
		if window > 0 {
			keys, h, w = window*window, window, window
		}
		if l.values["bias"] != "" {
			s.Bias = make([]float32, (2*h-1)*(2*w-1)*s.Heads)
		}
		op := NewAttention(s, 1)
		src, dst := image(3*s.Heads*s.D, s.H, s.W), image(s.Heads*s.D, s.H, s.W)
		return func() { op.Run(pool, dst, src) }, 2 * int64(s.H*s.W) * int64(keys) * int64(s.Heads*s.D), elems(src, dst)
	})
}

// BenchmarkAlgorithms times all algorithms for the layers that have a choice, in turn: what the table of preferences is
// made from. It compares them and is no kernel's own time.
func BenchmarkAlgorithms(b *testing.B) {
	pool := par.New(1)
	defer pool.Close()
	few := []ConvShape{
		square(32, 56, 32, 3, 1, 1), square(16, 112, 16, 3, 1, 1), square(96, 28, 96, 3, 1, 1), square(192, 17, 192, 3, 1, 1),
		square(128, 14, 32, 3, 1, 1), square(64, 7, 64, 3, 1, 1), square(64, 112, 128, 3, 1, 1), square(128, 112, 128, 3, 1, 1),
		square(256, 56, 256, 3, 1, 1), square(512, 28, 512, 3, 1, 1),
	}
	for _, s := range append(few, layoutShapes...) {
		if len(s.Algorithms()) < 2 {
			continue
		}
		b.Run(fmt.Sprintf("isa=%s/shape=%dx%dx%d/oc=%d", ISA(), s.C, s.H, s.W, s.OC), func(b *testing.B) {
			s.Weight = make([]float32, s.OC*s.depth())
			for i := range s.Weight {
				s.Weight[i] = float32(i%17) - 8
			}
			src, dst := image(s.C, s.H, s.W), image(s.OC, s.OH, s.OW)
			var runs []func()
			for _, a := range s.Algorithms() {
				c := a.New(s, 1)
				runs = append(runs, func() { c.Run(pool, dst, src, Tensor{}) })
			}
			times := inTurn(b, runs...)
			for i, a := range s.Algorithms() {
				b.ReportMetric(float64(s.macs())/times[i].Seconds(), a.Name+"-macs/s")
				if i > 0 {
					b.ReportMetric(times[i].Seconds()/times[0].Seconds(), a.Name+"/default")
				}
			}
		})
	}
}

// TestBenchLayers reads every line of the table.
func TestBenchLayers(t *testing.T) {
	for _, s := range []string{"Conv", "Winograd", "Depthwise", "Pool", "Pointwise", "LayerNorm", "Attention"} {
		for _, l := range benchLayers(t, s) {
			l.act(t)
			for _, key := range []string{"in", "out", "k", "s", "p", "g", "grid", "heads", "d", "window", "shift"} {
				l.numbers(t, key)
			}
			if s == "Winograd" {
				if c := l.conv(t); !c.canWinograd() {
					t.Errorf("%s: no layer for Winograd", l.text)
				}
			}
			if l.share <= 0 {
				t.Errorf("%s: a share of %v %%", l.text, l.share)
			}
		}
	}
}

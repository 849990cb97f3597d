package kernels

import (
	"zoobench/kernels/internal/i8"
	"zoobench/kernels/par"
)

// Pool8 is Pool for bytes. A largest element has its source's scale; a mean is its sum, which is exact, times a number.
type Pool8 struct {
	PoolShape
	In, Out Quant
	level   *i8.Level
	finish  finish8
	chunks  int // ranges of channels that are tasks of their own
	width   int // channels of a range
	work    []pool8Scratch

	dst, src Tensor8 // the run under way
}

type pool8Scratch struct {
	taps  []i8.Tap
	scale float32
	args  i8.Window
}

// mostPooled is the most pixels of a mean, so that their sum fits 32 bits.
const mostPooled = 1 << 22

// NewPool8 makes a pool; workers is the size of the pool of workers that will run it.
func NewPool8(s PoolShape, in, out Quant, workers int) *Pool8 {
	s.check()
	in.check("kernels: pool8: an input without a scale")
	if s.Max && in != out {
		panic("kernels: pool8: a largest element of another scale")
	}
	p := &Pool8{PoolShape: s, In: in, Out: out, level: level8, work: make([]pool8Scratch, workers)}
	p.finish, _ = newFinish8(None, Quant{}, out)
	p.chunks, p.width = s.cutChannels(workers, 64)
	return p
}

// Algorithm is the name of the kernel.
func (p *Pool8) Algorithm() string {
	if p.Max {
		return "maxpool8"
	}
	return "avgpool8"
}

// Run pools src into dst.
func (p *Pool8) Run(pool *par.Pool, dst, src Tensor8) {
	src.check(p.In, "kernels: pool8: short source", "kernels: pool8: a source of another scale")
	dst.check(p.Out, "kernels: pool8: short destination", "kernels: pool8: a destination of another scale")
	if src.C != p.C || src.H != p.H || src.W != p.W || dst.C != p.C || dst.H != p.OH || dst.W != p.OW || dst.N != src.N {
		panic("kernels: pool8: tensors of another shape")
	}
	p.dst, p.src = dst, src
	pool.Run(dst.N*p.OH*p.chunks, p)
	p.dst, p.src = Tensor8{}, Tensor8{}
}

// Do computes one row of output pixels, or a range of their channels: runs of pixels whose windows hold the same positions
// together.
func (p *Pool8) Do(worker, task int) {
	s := &p.work[worker]
	row, c0 := task/p.chunks, task%p.chunks*p.width
	for ox := 0; ox < p.OW; {
		n := 1
		for !p.Adaptive && p.inside(ox) && ox+n < p.OW && p.inside(ox+n) {
			n++
		}
		p.alike(s, row, ox, n, c0, min(p.width, p.C-c0))
		ox += n
	}
}

// alike computes n output pixels from column ox on, whose windows hold the same positions.
func (p *Pool8) alike(s *pool8Scratch, row, ox, n, c0, channels int) {
	image, oy := row/p.OH, row%p.OH
	y0, y1, x0, x1, count := p.window(oy, ox)
	s.taps = s.taps[:0]
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			s.taps = append(s.taps, i8.Tap{In: &p.src.Data[((image*p.H+y)*p.W+x)*p.src.Stride+c0]})
		}
	}
	a := &s.args
	*a = i8.Window{
		N: len(s.taps), Out: &p.dst.Data[(row*p.OW+ox)*p.dst.Stride+c0], LDO: p.dst.Stride, Step: p.SW * p.src.Stride, C: channels,
		PixelsLeft: n, Finish: p.finish.Finish,
	}
	if len(s.taps) == 0 { // a mean of padding
		for i := range n {
			fill(p.dst.Data[(row*p.OW+ox+i)*p.dst.Stride+c0:][:channels], p.Out.Zero)
		}
		return
	}
	if len(s.taps) > mostPooled {
		panic("kernels: pool8: more pixels than 32 bits can sum")
	}
	if a.Taps = &s.taps[0]; p.Max {
		p.level.Max(a)
		return
	}
	s.scale = ratio(float64(p.In.Scale)/float64(p.Out.Scale), float64(count))
	a.Scale, a.Start = &s.scale, -int32(len(s.taps))*int32(p.In.Zero)
	p.level.Sum(a)
}

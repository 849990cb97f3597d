package kernels

import (
	"unsafe"

	"zoobench/kernels/internal/i8"
	"zoobench/kernels/par"
)

// Convert turns float32 into bytes, or bytes into float32.
type Convert struct {
	level *i8.Level
	work  []i8.Rows

	dst8, src8 Tensor8 // the run under way
	dst, src   Tensor
	scale      float32   // of numbers that become bytes
	finish     i8.Finish // of these
	pixels     int       // of a task
}

// NewConvert makes a conversion; workers is the size of the pool that will run it.
func NewConvert(workers int) *Convert { return &Convert{level: level8, work: make([]i8.Rows, workers)} }

// Quantize computes dst = src as bytes with dst's scale and zero: the nearest, of two the even one. NaN becomes byte 0.
func (v *Convert) Quantize(pool *par.Pool, dst Tensor8, src Tensor) {
	dst.Quant.check("kernels: quantize: a destination without a scale")
	v.check(dst, src)
	v.dst8, v.src = dst, src
	zero := float32(dst.Zero)
	v.scale, v.finish = ratio(1, float64(dst.Scale)), i8.Finish{Lo: -zero, Hi: 255 - zero, Zero: int32(dst.Zero)}
	v.run(pool, dst.Pixels(), dst.C)
	v.dst8, v.src = Tensor8{}, Tensor{}
}

// Dequantize computes dst = the numbers that src's bytes stand for.
func (v *Convert) Dequantize(pool *par.Pool, dst Tensor, src Tensor8) {
	src.Quant.check("kernels: dequantize: a source without a scale")
	v.check(src, dst)
	v.dst, v.src8 = dst, src
	v.run(pool, dst.Pixels(), dst.C)
	v.dst, v.src8 = Tensor{}, Tensor8{}
}

func (v *Convert) check(t8 Tensor8, t Tensor) {
	t8.check(t8.Quant, "kernels: convert: short bytes", "")
	t.check("kernels: convert: short float32")
	if t.C != t8.C || t.Pixels() != t8.Pixels() {
		panic("kernels: convert: tensors of another shape")
	}
}

func (v *Convert) run(pool *par.Pool, pixels, c int) {
	v.pixels = min(pixels, max(1, taskElems/c))
	pool.Run(parts(pixels, v.pixels), v)
}

// Do converts one range of pixels.
func (v *Convert) Do(worker, task int) {
	t, first := &v.work[worker], task*v.pixels
	if v.src.Data != nil {
		n := min(v.pixels, v.src.Pixels()-first)
		*t = i8.Rows{Out: unsafe.Pointer(&v.dst8.Data[first*v.dst8.Stride]), In: unsafe.Pointer(&v.src.Data[first*v.src.Stride]),
			LDO: v.dst8.Stride, LDI: 4 * v.src.Stride, C: v.src.C, RowsLeft: n}
		joinPixels(t, v.src.Stride == v.src.C && v.dst8.Stride == v.src.C)
		t.InScale, t.Finish = v.scale, v.finish
		v.level.Quantize(t)
		return
	}
	n := min(v.pixels, v.dst.Pixels()-first)
	*t = i8.Rows{Out: unsafe.Pointer(&v.dst.Data[first*v.dst.Stride]), In: unsafe.Pointer(&v.src8.Data[first*v.src8.Stride]),
		LDO: 4 * v.dst.Stride, LDI: v.src8.Stride, C: v.dst.C, RowsLeft: n}
	joinPixels(t, v.dst.Stride == v.dst.C && v.src8.Stride == v.dst.C)
	t.InScale, t.InZero = v.src8.Scale, int32(v.src8.Zero)
	v.level.Dequantize(t)
}

// joinPixels makes one row of pixels between which nothing lies: a pixel of an image has three channels, far less than a vector.
func joinPixels(t *i8.Rows, dense bool) {
	if dense {
		t.C, t.RowsLeft = t.C*t.RowsLeft, 1
	}
}

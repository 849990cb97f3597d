package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"zoobench/kernels/internal/f32"
)

// Byte offsets of the fields of f32.Winograd; TestLayouts holds them equal to the Go struct's.
const (
	winoIn = 8 * iota
	winoOut
	winoR
	winoBias
	winoInRow
	winoInPixel
	winoOutRow
	winoOutPixel
	winoRRow
	winoRPixel
	winoC
	winoMask
	winoLo // two float32
)

// And of f32.Filters.
const (
	filtersIn = 8 * iota
	filtersOut
	filtersStep
	filtersN
)

// walk emits a loop over channels, a vector at a time, with tail as the last pass where fewer are left. bases are advanced.
func walk(v *isa, t Register, body func(mask Register), bases ...Register) {
	left := GP64()
	MOVQ(Mem{Base: t, Disp: winoC}, left)
	SUBQ(Imm(uint64(v.lanes)), left)
	JLT(LabelRef("tail"))
	loop("channels")
	body(nil)
	for _, b := range bases {
		ADDQ(Imm(uint64(v.bytes())), b)
	}
	SUBQ(Imm(uint64(v.lanes)), left)
	JGE(LabelRef("channels"))
	Label("tail")
	ADDQ(Imm(uint64(v.lanes)), left)
	JZ(LabelRef("done"))
	body(v.firstLanes(left, Mem{Base: t, Disp: winoMask}))
	Label("done")
	VZEROUPPER()
	RET()
}

// A shelf keeps n vectors between two passes: the first of them in registers, where AVX-512's thirty-two leave some
// free, the others on the stack, each within a line of the cache.
type shelf struct {
	v     *isa
	first group
	base  Register
}

func newShelf(v *isa, n int) *shelf {
	s := &shelf{v: v, base: GP64()}
	if v == avx512 {
		s.first = v.group(18)
	}
	room := AllocLocal((n - len(s.first) + 1) * v.bytes())
	LEAQ(room, s.base)
	ADDQ(Imm(uint64(v.bytes()-1)), s.base)
	ANDQ(I8(-v.bytes()), s.base)
	return s
}

func (s *shelf) place(i int) Mem { return Mem{Base: s.base, Disp: s.v.bytes() * (i - len(s.first))} }

// put keeps x as vector i.
func (s *shelf) put(i int, x VecVirtual) {
	if i < len(s.first) {
		VMOVAPS(x, s.first[i])
	} else {
		VMOVUPS(x, s.place(i))
	}
}

// take is vector i, to be overwritten at will.
func (s *shelf) take(i int) VecVirtual {
	if i < len(s.first) {
		return s.first[i]
	}
	return loadVec(s.v, s.place(i), nil)
}

func loadVec(v *isa, m Mem, mask Register) VecVirtual {
	x := v.vec()
	v.load(m, x, mask)
	return x
}

// winogradIn emits wino4x3inc{lanes}{ISA}: V = Bᵀ·d·B of a 6×6 tile, with Lavin and Gray's (2015) matrix for F(4×4, 3×3):
//
//	     ⎡4  0 −5  0 1 0⎤
//	     ⎢0 −4 −4  1 1 0⎥     t1, t2 = (d4 − 4·d2) ± (d3 − 4·d1)
//	Bᵀ = ⎢0  4 −4 −1 1 0⎥     t3, t4 = (d4 − d2) ± 2·(d3 − d1)
//	     ⎢0 −2 −1  2 1 0⎥     t0 = 4·d0 − 5·d2 + d4
//	     ⎢0  2 −1 −2 1 0⎥     t5 = 4·d1 − 5·d3 + d5
//	     ⎣0  4  0 −5 0 1⎦
func winogradIn(v *isa) {
	TEXT(fmt.Sprintf("wino4x3inc%d%s", v.lanes, v.suffix), 0, "func(t *Winograd)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	temp := newShelf(v, 36)
	in, out, row, pixel, point := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: winoIn}, in)
	MOVQ(Mem{Base: t, Disp: winoOut}, out)
	MOVQ(Mem{Base: t, Disp: winoInRow}, row)
	MOVQ(Mem{Base: t, Disp: winoInPixel}, pixel)
	MOVQ(Mem{Base: t, Disp: winoOutRow}, point)
	transform := inputLine(v)
	walk(v, t, func(mask Register) {
		column := GP64()
		MOVQ(in, column)
		for j := range 6 {
			at := GP64()
			MOVQ(column, at)
			var d []VecVirtual
			for i := range 6 {
				d = append(d, loadVec(v, Mem{Base: at}, mask))
				if i < 5 {
					ADDQ(row, at)
				}
			}
			transform(d, func(i int, x VecVirtual) { temp.put(6*i+j, x) })
			if j < 5 {
				ADDQ(pixel, column)
			}
		}
		to := GP64()
		MOVQ(out, to)
		for i := range 6 {
			var d []VecVirtual
			for j := range 6 {
				d = append(d, temp.take(6*i+j))
			}
			line, next := linePoints(to, point)
			transform(d, func(k int, x VecVirtual) { v.store(x, line[k], mask) })
			if i < 5 {
				LEAQ(next, to)
			}
		}
	}, in, out)
}

// inputLine is Bᵀ times a line of six: a function that emits its outputs and hands each to put as soon as it is there.
func inputLine(v *isa) func(d []VecVirtual, put func(i int, x VecVirtual)) {
	four, five, two := v.in("wino4", 4), v.in("wino5", 5), v.in("wino2", 2)
	return func(d []VecVirtual, put func(i int, x VecVirtual)) {
		a, b := v.vec(), v.vec()
		VMOVAPS(d[4], a)
		VFNMADD231PS(four, d[2], a)
		VMOVAPS(d[3], b)
		VFNMADD231PS(four, d[1], b)
		x := v.vec()
		VADDPS(b, a, x)
		put(1, x)
		VSUBPS(b, a, x)
		put(2, x)
		VSUBPS(d[2], d[4], a)
		VSUBPS(d[1], d[3], b)
		VMOVAPS(a, x)
		VFMADD231PS(two, b, x)
		put(3, x)
		VFNMADD231PS(two, b, a)
		put(4, a)
		VFNMADD231PS(five, d[2], d[4])
		VFMADD231PS(four, d[0], d[4])
		put(0, d[4])
		VFNMADD231PS(five, d[3], d[5])
		VFMADD231PS(four, d[1], d[5])
		put(5, d[5])
	}
}

// linePoints emits the addresses of a line of six points that begins at base, each a distance behind the one before, so
// that they can be read and written in any order; next is where the next line begins.
func linePoints(base, distance Register) (line [6]Mem, next Mem) {
	p2, p3 := GP64(), GP64()
	LEAQ(Mem{Base: base, Index: distance, Scale: 2}, p2)
	LEAQ(Mem{Base: p2, Index: distance, Scale: 1}, p3)
	line = [6]Mem{{Base: base}, {Base: base, Index: distance, Scale: 1}, {Base: p2}, {Base: p3},
		{Base: p2, Index: distance, Scale: 2}, {Base: p3, Index: distance, Scale: 2}}
	return line, Mem{Base: p2, Index: distance, Scale: 4}
}

// winogradOut emits wino4x3outc{lanes}{ISA}: the 4×4 outputs Aᵀ·m·A of a tile, plus bias and residual, clamped:
//
//	     ⎡1 1  1 1  1 0⎤      s0 = m0 + (m1 + m2) + (m3 + m4)
//	Aᵀ = ⎢0 1 −1 2 −2 0⎥      s1 = (m1 − m2) + 2·(m3 − m4)
//	     ⎢0 1  1 4  4 0⎥      s2 = (m1 + m2) + 4·(m3 + m4)
//	     ⎣0 1 −1 8 −8 1⎦      s3 = (m1 − m2) + 8·(m3 − m4) + m5
func winogradOut(v *isa) {
	TEXT(fmt.Sprintf("wino4x3outc%d%s", v.lanes, v.suffix), 0, "func(t *Winograd)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	temp := newShelf(v, 24)
	in, out, res, bias, point := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: winoIn}, in)
	MOVQ(Mem{Base: t, Disp: winoOut}, out)
	MOVQ(Mem{Base: t, Disp: winoR}, res)
	MOVQ(Mem{Base: t, Disp: winoBias}, bias)
	MOVQ(Mem{Base: t, Disp: winoInRow}, point)
	transform := outputLine(v)
	walk(v, t, func(mask Register) {
		from := GP64()
		MOVQ(in, from)
		// Lines of six points that follow one another are a tile's rows: each becomes four columns.
		for i := range 6 {
			line, next := linePoints(from, point)
			var m []VecVirtual
			for k := range 6 {
				m = append(m, loadVec(v, line[k], mask))
			}
			transform(m, func(j int, x VecVirtual) { temp.put(6*j+i, x) })
			if i < 5 {
				LEAQ(next, from)
			}
		}
		part := "_whole"
		if mask != nil {
			part = "_tail"
		}
		b := loadVec(v, Mem{Base: bias}, nil)
		to, rat, step := GP64(), GP64(), GP64()
		MOVQ(out, to)
		MOVQ(res, rat)
		for j := range 4 { // a column of the output
			var m []VecVirtual
			for i := range 6 {
				m = append(m, temp.take(6*j+i))
			}
			var y [4]VecVirtual
			transform(m, func(i int, x VecVirtual) {
				VADDPS(b, x, x)
				y[i] = x
			})
			TESTQ(res, res)
			none := fmt.Sprintf("no_residual%s%d", part, j)
			JZ(LabelRef(none))
			at := GP64()
			addColumn(v, t, y, at, rat, step, mask)
			Label(none)
			storeColumn(v, t, y, at, to, step, mask)
		}
		TESTQ(res, res)
		JZ(LabelRef("advance" + part))
		ADDQ(Imm(uint64(v.bytes())), res)
		Label("advance" + part)
	}, in, out, bias)
}

// outputLine is Aᵀ times a line of six, as inputLine is Bᵀ.
func outputLine(v *isa) func(m []VecVirtual, put func(i int, x VecVirtual)) {
	two, four, eight := v.in("wino2", 2), v.in("wino4", 4), v.in("wino8", 8)
	return func(m []VecVirtual, put func(i int, x VecVirtual)) {
		p, q, r, s := v.vec(), v.vec(), v.vec(), v.vec()
		VADDPS(m[2], m[1], p)
		VSUBPS(m[2], m[1], q)
		VADDPS(m[4], m[3], r)
		VSUBPS(m[4], m[3], s)
		VADDPS(p, m[0], m[0])
		VADDPS(r, m[0], m[0])
		put(0, m[0])
		VADDPS(q, m[5], m[5])
		VFMADD231PS(eight, s, m[5])
		put(3, m[5])
		VFMADD231PS(two, s, q)
		put(1, q)
		VFMADD231PS(four, r, p)
		put(2, p)
	}
}

// addColumn emits the addition of four pixels of residual, a row apart from column on, and moves column to the next
// one; at and step are overwritten.
func addColumn(v *isa, t Register, y [4]VecVirtual, at, column, step, mask Register) {
	MOVQ(column, at)
	MOVQ(Mem{Base: t, Disp: winoRRow}, step)
	for i := range 4 {
		r := loadVec(v, Mem{Base: at}, mask)
		VADDPS(r, y[i], y[i])
		if i < 3 {
			ADDQ(step, at)
		}
	}
	ADDQ(Mem{Base: t, Disp: winoRPixel}, column)
}

// storeColumn emits the clamp and the stores of four pixels of output, as addColumn reads the residual's.
func storeColumn(v *isa, t Register, y [4]VecVirtual, at, column, step, mask Register) {
	lo, hi := v.vec(), v.vec()
	VBROADCASTSS(Mem{Base: t, Disp: winoLo}, lo)
	VBROADCASTSS(Mem{Base: t, Disp: winoLo + 4}, hi)
	MOVQ(column, at)
	MOVQ(Mem{Base: t, Disp: winoOutRow}, step)
	for i := range 4 {
		clamp(y[i], lo, hi)
		v.store(y[i], Mem{Base: at}, mask)
		if i < 3 {
			ADDQ(step, at)
		}
	}
	ADDQ(Mem{Base: t, Disp: winoOutPixel}, column)
}

// winogradFilters emits wino4x3filterc{columns}{ISA}: U = G·g·Gᵀ of filters side by side, in float64, with Lavin and Gray's G:
//
//	     ⎡ 1/4    0     0  ⎤
//	     ⎢−1/6  −1/6  −1/6 ⎥
//	G =  ⎢−1/6   1/6  −1/6 ⎥
//	     ⎢1/24   1/12  1/6 ⎥
//	     ⎢1/24  −1/12  1/6 ⎥
//	     ⎣  0     0     1  ⎦
func winogradFilters(v *isa) {
	columns := v.lanes / 2
	TEXT(fmt.Sprintf("wino4x3filterc%d%s", columns, v.suffix), 0, "func(t *Filters)")
	Pragma("noescape")
	t := Load(Param("t"), GP64())
	temp := newShelf(v, 18)
	in, out, point, left, part := GP64(), GP64(), GP64(), GP64(), GP64()
	MOVQ(Mem{Base: t, Disp: filtersIn}, in)
	MOVQ(Mem{Base: t, Disp: filtersOut}, out)
	MOVQ(Mem{Base: t, Disp: filtersStep}, point)
	MOVQ(Mem{Base: t, Disp: filtersN}, left)
	transform := filterLine(v)
	Label("channels")
	MOVQ(U32(uint32(f32.NR/columns)), part)
	loop("columns")
	for x := range 3 {
		var g [3]VecVirtual
		for y := range g {
			g[y] = v.vec()
			VCVTPS2PD(Mem{Base: in, Disp: 4 * f32.NR * (3*y + x)}, g[y])
		}
		transform(g, func(i int, u VecVirtual) { temp.put(3*i+x, u) })
	}
	to := GP64()
	MOVQ(out, to)
	for i := range 6 {
		line, next := linePoints(to, point)
		transform([3]VecVirtual{temp.take(3 * i), temp.take(3*i + 1), temp.take(3*i + 2)}, func(k int, u VecVirtual) {
			if v == avx512 {
				VCVTPD2PS(u, u.AsY())
				VMOVUPS(u.AsY(), line[k])
			} else {
				VCVTPD2PSY(u, u.AsX())
				VMOVUPS(u.AsX(), line[k])
			}
		})
		if i < 5 {
			LEAQ(next, to)
		}
	}
	ADDQ(Imm(uint64(4*columns)), in)
	ADDQ(Imm(uint64(4*columns)), out)
	DECQ(part)
	JNZ(LabelRef("columns"))
	ADDQ(U32(4*f32.NR*8), in)
	DECQ(left)
	JNZ(LabelRef("channels"))
	VZEROUPPER()
	RET()
}

// filterLine is G times a line of three, as inputLine is Bᵀ; the additions are in the order of the Go twin's.
func filterLine(v *isa) func(g [3]VecVirtual, put func(i int, x VecVirtual)) {
	quarter, sixth := v.double("wino1_4", 1.0/4), v.double("wino1_6", 1.0/6)
	twelfth, last := v.double("wino1_12", 1.0/12), v.double("wino1_24", 1.0/24)
	minus := v.double("minus0", math.Copysign(0, -1))
	return func(g [3]VecVirtual, put func(i int, x VecVirtual)) {
		a, b, c, x := v.vec(), v.vec(), v.vec(), v.vec()
		VMULPD(sixth, g[0], a)
		VMULPD(sixth, g[1], b)
		VMULPD(sixth, g[2], c)
		VADDPD(b, a, x)
		VADDPD(c, x, x)
		VXORPD(minus, x, x)
		put(1, x)
		VSUBPD(a, b, x)
		VSUBPD(c, x, x)
		put(2, x)
		VMULPD(last, g[0], a)
		VMULPD(twelfth, g[1], b)
		VADDPD(b, a, x)
		VADDPD(c, x, x)
		put(3, x)
		VSUBPD(b, a, x)
		VADDPD(c, x, x)
		put(4, x)
		VMULPD(quarter, g[0], x)
		put(0, x)
		put(5, g[2])
	}
}

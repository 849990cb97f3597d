package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
)

// exp emits x = e^(sign·x), by powers of two:
//
//	y = x·sign·log₂e, n = round(y), f = y − n, 2ʸ = 2ⁿ · (1 + f·p(f))
//
// p is a minimax fit of (2ᶠ − 1)/f on ±½, relative error 2e-9 before rounding; y's own rounding makes the relative
// error of the result up to 6e-8·(1 + |x|). y is clamped to ±126, or from below only where it cannot be positive.
func exp(v *isa, x group, sign float64, positive bool) {
	n, p := v.group(len(x)), v.group(len(x))
	if sign > 0 {
		v.each(v.with(multiply), v.all("log2e", math.Log2E), x, x)
	} else {
		v.each(v.with(multiply), v.all("minusLog2e", -math.Log2E), x, x)
	}
	v.each(VMAXPS, x, v.in("expLo", -126), x)
	if positive {
		v.each(VMINPS, x, v.in("expHi", 126), x)
	}
	v.round(x, n)
	v.each(VSUBPS, n, x, x)
	v.each(v.with(move), v.all("exp6", 0.00015353257185779512), p)
	v.each(v.with(multiplyAdd), v.all("exp5", 0.001339900423772633), x, p)
	v.each(v.with(multiplyAdd), v.all("exp4", 0.00961843878030777), x, p)
	v.each(v.with(multiplyAdd), v.all("exp3", 0.05550331994891167), x, p)
	v.each(v.with(multiplyAdd), v.all("exp2", 0.24022647738456726), x, p)
	v.each(v.with(multiplyAdd), v.all("exp1", 0.6931471824645996), x, p)
	v.each(v.with(multiplyAdd), v.all("one", 1), x, p)
	v.scale(p, n, x)
}

// sigmoid emits x = 1/(1 + e^−x).
func sigmoid(v *isa, x group) {
	exp(v, x, -1, true)
	one := v.in("one", 1)
	v.each(VADDPS, one, x, x)
	v.each(VDIVPS, x, one, x)
}

// hardsigmoid emits x = min(max(x + 3, 0), 6)/6.
func hardsigmoid(v *isa, x group) {
	v.each(VADDPS, v.in("three", 3), x, x)
	v.each(VMAXPS, x, v.in("zero", 0), x)
	v.each(VMINPS, x, v.in("six", 6), x)
	v.each(VMULPS, v.in("sixth", 1.0/6), x, x)
}

// activations are the functions that are no clamp; emit turns x to f(x), and again reads x from memory once more, which
// is cheaper than a register. side is how many of AVX2's vectors are worked on side by side: what was fastest on a Zen
// 4 core and goes into sixteen registers. One at a time took 1.2 to 1.4 times as long, because the scheduler cannot
// look far enough ahead for the next chain of some sixty cycles.
var activations = []struct {
	name string
	side int
	emit func(v *isa, x group, again func() group) group
}{
	{"sigmoid", 4, func(v *isa, x group, again func() group) group {
		sigmoid(v, x)
		return x
	}},
	{"silu", 5, func(v *isa, x group, again func() group) group {
		sigmoid(v, x)
		v.each(VMULPS, again(), x, x)
		return x
	}},
	{"hardsigmoid", 4, func(v *isa, x group, again func() group) group {
		hardsigmoid(v, x)
		return x
	}},
	{"hardswish", 4, func(v *isa, x group, again func() group) group {
		hardsigmoid(v, x)
		v.each(VMULPS, again(), x, x)
		return x
	}},
	// gelu is x·Φ(x).
	{"gelu", 4, func(v *isa, z group, again func() group) group {
		q := lowerTail(v, z)
		x, t := again(), v.group(len(z))
		v.each(VMULPS, x, q, q)
		v.each(VSUBPS, q, x, t) // x·Φ(x) for x ≥ 0
		v.choose(x, q, t, x)
		return x
	}},
	// gelutanh is x·sigmoid(2u), u = √(2/π)·(x + 0.044715x³): the same as x/2·(1 + tanh u).
	{"gelutanh", 5, func(v *isa, x group, again func() group) group {
		u := v.group(len(x))
		v.each(VMULPS, x, x, u)
		v.each(v.with(multiply), v.all("geluT3", 2*0.7978845608*0.044715), u, u)
		v.each(v.with(add), v.all("geluT1", 2*0.7978845608), u, u)
		v.each(VMULPS, x, u, u)
		sigmoid(v, u)
		v.each(VMULPS, again(), u, u)
		return u
	}},
}

// lowerTail emits q = Φ(−|x|), and leaves e^(−x²/2) in x's place. With z = |x|/√2 and t = 1/(1 + 0.4z), it is e^(−z²)·t·q(t): the
// form of Abramowitz and Stegun 7.1.26, refitted with six coefficients; |error of Φ| ≤ 1.4e-8 before rounding.
func lowerTail(v *isa, z group) group {
	t, q := v.group(len(z)), v.group(len(z))
	v.each(v.with(and), v.allBits("absolute", 0x7fffffff), z, z)
	v.each(v.with(multiply), v.all("rsqrt2", 0.70710678118), z, z)
	one := v.in("one", 1)
	v.each(VMOVAPS, z, t)
	v.each(VFMADD213PS, one, v.in("geluP", 0.4), t)
	v.each(VDIVPS, t, one, t)
	v.each(v.with(move), v.all("gelu6", -0.1001296117901802), q)
	v.each(v.with(multiplyAdd), v.all("gelu5", 0.35457363724708557), t, q)
	v.each(v.with(multiplyAdd), v.all("gelu4", -0.18545392155647278), t, q)
	v.each(v.with(multiplyAdd), v.all("gelu3", 0.23413705825805664), t, q)
	v.each(v.with(multiplyAdd), v.all("gelu2", 0.080911785364151), t, q)
	v.each(v.with(multiplyAdd), v.all("gelu1", 0.11596104502677917), t, q)
	v.each(VMULPS, t, q, q)
	v.each(VMULPS, z, z, z)
	exp(v, z, -1, false)
	v.each(VMULPS, z, q, q) // Φ(−|x|)
	return q
}

// slopes are the derivatives of the functions that are no clamp; emit turns x to f′(x). Their vectors side by side are what goes
// into AVX2's registers beside the gradient's.
var slopes = []struct {
	name string
	side int
	emit func(v *isa, x group, again func() group) group
}{
	{"sigmoidgrad", 3, func(v *isa, x group, again func() group) group {
		_, both := sigmoidBothWays(v, x)
		return both
	}},
	// With p = sigmoid(x): p + x·p·(1 − p).
	{"silugrad", 3, func(v *isa, x group, again func() group) group {
		p, both := sigmoidBothWays(v, x)
		v.each(VFMADD231PS, both, again(), p)
		return p
	}},
	// 1/6 between −3 and 3, both excluded.
	{"hardsigmoidgrad", 3, func(v *isa, x group, again func() group) group {
		slope := v.group(len(x))
		v.each(v.with(move), v.all("sixth", 1.0/6), slope)
		return within(v, x, slope, v.in("zero", 0))
	}},
	// 0 up to −3, (2x + 3)/6 to 3, and 1 from there.
	{"hardswishgrad", 2, func(v *isa, x group, again func() group) group {
		slope := v.group(len(x))
		v.each(v.with(move), v.all("third", 1.0/3), slope)
		v.each(VFMADD213PS, v.in("half", 0.5), x, slope)
		return within(v, x, slope, v.in("one", 1))
	}},
	// Φ(x) + x·e^(−x²/2)/√(2π).
	{"gelugrad", 3, func(v *isa, x group, again func() group) group {
		q := lowerTail(v, x)
		v.each(v.with(multiply), v.all("rsqrt2pi", 0.3989422804014327), x, x)
		one, of, upper := v.in("one", 1), again(), v.group(len(x))
		v.each(VSUBPS, q, one, upper)
		v.choose(of, q, upper, q)
		v.each(VFMADD231PS, x, of, q)
		return q
	}},
	// With u as gelutanh has it and p = sigmoid(u): p + x·p·(1 − p)·u′.
	{"gelutanhgrad", 2, func(v *isa, x group, again func() group) group {
		u := v.group(len(x))
		v.each(VMULPS, x, x, u)
		v.each(v.with(multiply), v.all("geluT3", 2*0.7978845608*0.044715), u, u)
		v.each(v.with(add), v.all("geluT1", 2*0.7978845608), u, u)
		v.each(VMULPS, x, u, u)
		p, both := sigmoidBothWays(v, u)
		x = again()
		v.each(VMULPS, x, both, both)
		v.each(VMULPS, x, x, x)
		v.each(v.with(multiply), v.all("geluT9", 3*2*0.7978845608*0.044715), x, x)
		v.each(v.with(add), v.all("geluT1", 2*0.7978845608), x, x)
		v.each(VFMADD231PS, x, both, p)
		return p
	}},
}

// sigmoidBothWays emits p = sigmoid(x) and p·(1 − p), with 1 − p as e^−x·p, which keeps its digits.
func sigmoidBothWays(v *isa, x group) (p, both group) {
	p = v.group(len(x))
	exp(v, x, -1, true)
	one := v.in("one", 1)
	v.each(VADDPS, one, x, p)
	v.each(VDIVPS, p, one, p)
	v.each(VMULPS, p, x, x)
	v.each(VMULPS, p, x, x)
	return p, x
}

// within emits slope between −3 and 3, both excluded, 0 below and beyond above.
func within(v *isa, x, slope group, beyond VecVirtual) group {
	sign := v.group(len(x))
	v.each(VSUBPS, v.in("three", 3), x, sign)
	same := func(of VecVirtual) group {
		all := make(group, len(x))
		for i := range all {
			all[i] = of
		}
		return all
	}
	v.choose(sign, slope, same(beyond), slope)
	v.each(VSUBPS, x, v.in("minusThree", -3), sign)
	v.choose(sign, slope, same(v.in("zero", 0)), slope)
	return slope
}

// wideSide is how many of AVX-512's vectors are worked on side by side: half as many instructions do as much as AVX2's.
const wideSide = 4

// activation emits out = f(in), or with times out = f(in)·a.
func activation(v *isa, name string, side int, times bool, emit func(v *isa, x group, again func() group) group) {
	k := begin(v, name)
	Label("row")
	k.channels("channels", side, func(n int, mask Register) {
		read := func() group { return k.read(k.in, n, mask) }
		y := emit(v, read(), read)
		if times {
			v.each(VMULPS, k.read(k.a, n, mask), y, y)
		}
		k.write(y, mask, k.out)
	})
	k.next("row")
}

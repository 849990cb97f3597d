package corrupt

import (
	"math"
	"math/bits"
)

// random is xoshiro256**, with what is drawn from it computed here: the library's own draws may change, and its
// logarithms and exponentials differ between processors.
type random struct{ s [4]uint64 }

// newRandom mixes some numbers into a state.
func newRandom(seeds ...uint64) *random {
	r := &random{}
	state := uint64(0x9e3779b97f4a7c15)
	next := func() uint64 { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	for _, seed := range seeds {
		state ^= seed
		state = next()
	}
	for i := range r.s {
		r.s[i] = next()
	}
	return r
}

func (r *random) uint64() uint64 {
	s := &r.s
	v := bits.RotateLeft64(s[1]*5, 7) * 9
	t := s[1] << 17
	s[2] ^= s[0]
	s[3] ^= s[1]
	s[1] ^= s[2]
	s[0] ^= s[3]
	s[2] ^= t
	s[3] = bits.RotateLeft64(s[3], 45)
	return v
}

// unit draws from 0 up to, not including, 1.
func (r *random) unit() float64 { return float64(r.uint64()>>11) / (1 << 53) }

// between draws from lo up to hi.
func (r *random) between(lo, hi float64) float64 { return lo + mul(hi-lo, r.unit()) }

// below draws a whole number from 0 to n-1; the bias is below n/2^64.
func (r *random) below(n int) int {
	high, _ := bits.Mul64(r.uint64(), uint64(n))
	return int(high)
}

// normal draws from the standard normal distribution, by Marsaglia's polar method without its second value.
func (r *random) normal() float64 {
	for {
		u, v := r.between(-1, 1), r.between(-1, 1)
		s := mul(u, u) + mul(v, v)
		if s > 0 && s < 1 {
			return mul(u, math.Sqrt(mul(-2, ln(s))/s))
		}
	}
}

// ln is the natural logarithm of a positive normal number: of the mantissa by the series of the inverse hyperbolic
// tangent.
func ln(x float64) float64 {
	m, e := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, e = 2*m, e-1
	}
	z := (m - 1) / (m + 1)
	square := mul(z, z)
	sum := 0.0
	for k := 23; k >= 1; k -= 2 {
		sum = 1/float64(k) + mul(square, sum)
	}
	return mul(2, mul(z, sum)) + mul(float64(e), math.Ln2)
}

// exp is e to the power of x, for x from -700 to 700: of a part below a half by its series.
func exp(x float64) float64 {
	k := math.Floor(mul(x, 1/math.Ln2) + 0.5)
	f := x - mul(k, math.Ln2)
	sum := 1.0
	for i := 18; i >= 1; i-- {
		sum = 1 + mul(f/float64(i), sum)
	}
	return math.Ldexp(sum, int(k))
}

// sincos are sine and cosine of an angle within a turn, in radians, by their series.
func sincos(x float64) (sin, cos float64) {
	square := mul(x, x)
	sin, cos = 1, 1
	for i := 30; i >= 2; i -= 2 {
		cos = 1 - mul(square/float64(i*(i-1)), cos)
		sin = 1 - mul(square/float64(i*(i+1)), sin)
	}
	return mul(x, sin), cos
}

// gaussian is a kernel of 2·radius+1 weights whose sum is 1.
func gaussian(sigma float64, radius int) []float64 {
	w := make([]float64, 2*radius+1)
	for i := range w {
		d := float64(i-radius) / sigma
		w[i] = exp(max(mul(-0.5, mul(d, d)), -700))
	}
	return normalised(w)
}

func normalised(w []float64) []float64 {
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	for i := range w {
		w[i] /= sum
	}
	return w
}

package shapes

// Numbers are fixed-point: one is a one with 12 bits behind the point.
const one = 1 << 12

// random is a sequence of numbers: SplitMix64 (Steele, Lea, Flood 2014).
type random uint64

func (r *random) next() uint64 {
	*r += 0x9E3779B97F4A7C15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// below is a number from 0 to n − 1.
func (r *random) below(n int) int { return int(r.next() >> 32 * uint64(n) >> 32) }

// from is a number from lo to hi.
func (r *random) from(lo, hi int) int { return lo + r.below(hi-lo+1) }

// either is a number from −most to most.
func (r *random) either(most int) int { return r.from(-most, most) }

// bell is a number from a bell-shaped distribution around 0 with a standard deviation of 256.
func (r *random) bell() int {
	sum := -8 * 32768
	for range 2 {
		v := r.next()
		for range 4 {
			sum += int(v & 0xFFFF)
			v >>= 16
		}
	}
	return sum * 256 / 53510 // √(8/12) · 65536
}

// point is a place or a direction.
type point struct{ x, y int }

func (p point) plus(q point) point  { return point{p.x + q.x, p.y + q.y} }
func (p point) minus(q point) point { return point{p.x - q.x, p.y - q.y} }

// square is the squared length.
func (p point) square() int { return p.x*p.x + p.y*p.y }

// cross is the signed area between two directions.
func (p point) cross(q point) int { return p.x*q.y - p.y*q.x }

// A matrix takes points to points: [a b; c d].
type matrix struct{ a, b, c, d int }

func (m matrix) of(p point) point {
	return point{(m.a*p.x + m.b*p.y) >> 12, (m.c*p.x + m.d*p.y) >> 12}
}

// times is the matrix that applies n first.
func (m matrix) times(n matrix) matrix {
	return matrix{
		(m.a*n.a + m.b*n.c) >> 12, (m.a*n.b + m.b*n.d) >> 12,
		(m.c*n.a + m.d*n.c) >> 12, (m.c*n.b + m.d*n.d) >> 12,
	}
}

// turn is a rotation by so many 4096ths of a full turn.
func turn(angle int) matrix {
	s, c := sine(angle), sine(angle+one/4)
	return matrix{c, -s, s, c}
}

// sine is that of so many 4096ths of a full turn, by its series.
func sine(angle int) int {
	angle &= one - 1
	switch {
	case angle >= one/2:
		return -sine(angle - one/2)
	case angle > one/4:
		angle = one/2 - angle
	}
	const tau = 411775 // 2π in sixteen bits behind the point
	x := int64(angle*tau) >> 12
	sum, term := x, x
	for k := int64(2); k <= 8; k += 2 {
		term = -term * x >> 16 * x >> 16 / (k * (k + 1))
		sum += term
	}
	return int((sum + 8) >> 4)
}

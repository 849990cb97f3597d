package shapes

// An outline is a shape in its own plane, where it lies between −one and one.
type outline struct {
	name   string
	inside func(point) bool
}

// The shapes and the textures, in the order of their names.
var (
	outlines = [...]outline{
		{"arrow", polygon(1000, 0, 150, 850, 150, 330, -900, 330, -900, -330, 150, -330, 150, -850)},
		{"crescent", func(p point) bool { return disc(p, 0, 0, 960) && !disc(p, 480, 0, 760) }},
		{"cross", polygon(330, 950, 330, 330, 950, 330, 950, -330, 330, -330, 330, -950, -330, -950, -330, -330, -950, -330, -950, 330,
			-330, 330, -330, 950)},
		{"disc", func(p point) bool { return disc(p, 0, 0, 900) }},
		{"heart", func(p point) bool { return disc(p, -430, -330, 520) || disc(p, 430, -330, 520) || taper(p) }},
		{"hourglass", polygon(-850, -900, 850, -900, 160, 0, 850, 900, -850, 900, -160, 0)},
		{"ring", func(p point) bool { return disc(p, 0, 0, 960) && !disc(p, 0, 0, 440) }},
		{"square", polygon(-800, -800, 800, -800, 800, 800, -800, 800)},
		{"star", polygon(0, -1000, 265, -364, 951, -309, 428, 139, 588, 809, 0, 450, -588, 809, -428, 139, -951, -309, -265, -364)},
		{"triangle", polygon(0, -1000, 950, 750, -950, 750)},
	}
	textures = [...]struct {
		name string
		fill func(*piece, point) int
	}{
		{"checks", func(p *piece, u point) int { x, y := p.cell(u, 440); return (x + y) & 1 * one }},
		{"dots", func(p *piece, u point) int { return share(p.within(u, 660).square() < part(235)*part(235)) }},
		{"gradient", func(p *piece, u point) int { return min(max(one/2+p.grain.of(u).x*5/8, 0), one) }},
		{"grid", func(p *piece, u point) int {
			d := p.within(u, 660)
			return share(min(max(d.x, -d.x), max(d.y, -d.y)) < part(105))
		}},
		{"outline", border},
		{"plain", plain},
		{"rays", rays},
		{"rings", func(p *piece, u point) int {
			n := 0
			for r := part(230); r*r < u.square(); r += part(250) {
				n++
			}
			return n & 1 * one
		}},
		{"speckle", func(p *piece, u point) int {
			x, y := p.cell(u, 230)
			r := random(p.salt + uint64(x)<<32 + uint64(y))
			return int(r.next()&1) * one
		}},
		{"stripes", func(p *piece, u point) int { x, _ := p.cell(u, 320); return x & 1 * one }},
	}
)

// taper is the lower part of a heart.
var taper = polygon(-905, -130, 0, -330, 905, -130, 0, 980)

// part is so many thousandths of one.
func part(thousandths int) int { return thousandths * one / 1000 }

// share is all of a piece's second color, or none.
func share(second bool) int {
	if second {
		return one
	}
	return 0
}

// polygon is the inside of a line through corners, x and y in turn, in thousandths.
func polygon(corners ...int) func(point) bool {
	var at []point
	for i := 0; i < len(corners); i += 2 {
		at = append(at, point{part(corners[i]), part(corners[i+1])})
	}
	return func(p point) bool {
		odd, a := false, at[len(at)-1]
		for _, b := range at {
			if (a.y > p.y) != (b.y > p.y) && (p.minus(a).cross(b.minus(a)) > 0) == (b.y > a.y) {
				odd = !odd
			}
			a = b
		}
		return odd
	}
}

// disc reports whether p is within so many thousandths of a middle.
func disc(p point, x, y, radius int) bool {
	return p.minus(point{part(x), part(y)}).square() < part(radius)*part(radius)
}

func plain(*piece, point) int { return 0 }

// border is the second color where the shape ends nearby.
func border(p *piece, u point) int {
	a := part(270)
	b := a * 7 / 10
	for _, d := range [...]point{{a, 0}, {b, b}, {0, a}, {-b, b}, {-a, 0}, {-b, -b}, {0, -a}, {b, -b}} {
		if !p.inside(u.plus(d)) {
			return one
		}
	}
	return 0
}

// rays are eight sectors around the middle.
func rays(p *piece, u point) int {
	u = p.grain.of(u)
	odd := (u.x > 0) != (u.y > 0)
	if (u.x > u.y) != (u.x > -u.y) {
		odd = !odd
	}
	return share(odd)
}

// far is more squares of a lattice than a shape reaches over, so that quotients are of positive numbers.
const far = 64

// cell is the square of a lattice of so many thousandths that u lies in.
func (p *piece) cell(u point, edge int) (x, y int) {
	u = p.grain.of(u).plus(p.phase)
	n := part(edge)
	return (u.x + far*n) / n, (u.y + far*n) / n
}

// within is where u lies in its square of a lattice, from the square's middle.
func (p *piece) within(u point, edge int) point {
	u = p.grain.of(u).plus(p.phase)
	n := part(edge)
	return point{(u.x+far*n)%n - n/2, (u.y+far*n)%n - n/2}
}

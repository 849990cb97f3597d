package shapes

// A piece is a shape somewhere in the image, whose edge is one.
type piece struct {
	inside  func(point) bool
	texture func(*piece, point) int
	middle  point
	to      matrix // from the image to the shape's own plane, where it lies between −one and one
	reach   int    // distance from the middle beyond which nothing of it lies
	grain   matrix // from the shape's plane to the texture's
	phase   point  // of a texture that repeats
	salt    uint64 // of one that is random
	colors  [2]color
}

// at is the piece's color at a place, false where the piece does not cover it.
func (p *piece) at(place point) (color, bool) {
	d := place.minus(p.middle)
	if d.square() > p.reach*p.reach {
		return color{}, false
	}
	u := p.to.of(d)
	if !p.inside(u) {
		return color{}, false
	}
	return p.colors[0].mix(p.colors[1], p.texture(p, u)), true
}

// A scene is an image before it is sampled.
type scene struct {
	size   int
	pieces []piece // those in front first
	ground [2]color
	cells  [cells + 1][cells + 1]int // how much of the second color the ground has, where its cells meet
	blur   int                       // passes of a window of 1, 2, 1, in 256ths
	noise  int                       // standard deviation, of 255
	light  int                       // brightness
	slope  point                     // and by how much it changes from edge to edge
}

const cells = 5 // of the ground along an edge

// scene draws everything that is random about an image but its noise.
func (s Set) scene(r *random, class int) *scene {
	c := &scene{size: s.Size}
	c.ground[0] = anyColor(r)
	c.ground[1] = near(r, c.ground[0], s.Ground)
	for y := range c.cells {
		for x := range c.cells[y] {
			c.cells[y][x] = r.below(one + 1)
		}
	}
	width := r.from(s.Width[0], s.Width[1]) * one / 1000
	middle := point{one/2 + r.either(s.Shift)*one/1000, one/2 + r.either(s.Shift)*one/1000}
	p := s.piece(r, outlines[class/len(textures)].inside, width, middle)
	p.texture = textures[class%len(textures)].fill
	p.colors[0] = apart(r, s.Contrast, c.ground[:]...)
	p.colors[1] = apart(r, s.Contrast, p.colors[0], c.ground[0], c.ground[1])
	if front := width * r.below(s.Occlusion+1) / 1000; front > one/64 {
		side := turn(r.below(one)).of(point{width / 2, 0})
		q := s.piece(r, outlines[r.below(len(outlines))].inside, front, middle.plus(side))
		q.colors[0] = anyColor(r)
		c.pieces = append(c.pieces, q)
	}
	c.pieces = append(c.pieces, p)
	for range r.below(s.Clutter + 1) {
		q := s.piece(r, outlines[r.below(len(outlines))].inside, r.from(one/12, one/5), point{r.below(one), r.below(one)})
		q.colors[0] = anyColor(r)
		c.pieces = append(c.pieces, q)
	}
	sigma := r.below(s.Blur+1) * s.Size // a pass adds half a pixel to the variance
	c.blur = 2 * 256 * sigma * sigma / 1_000_000
	c.noise = r.below(s.Noise + 1)
	c.light = one + r.either(s.Light)*one/1000
	c.slope = point{r.either(s.Light) * one / 1000, r.either(s.Light) * one / 1000}
	return c
}

// piece is a plain piece of so large a width with its middle at a place, distorted as the nuisances allow.
func (s Set) piece(r *random, inside func(point) bool, width int, middle point) piece {
	spin := turn(r.either(s.Turn) * one / 360)
	shear := matrix{one, r.either(s.Shear) * one / 1000, 0, one}
	scale := 2 * one * one / width
	longer := scale + scale*r.either(s.Stretch)/1000
	return piece{
		inside: inside, texture: plain, middle: middle, to: matrix{longer, 0, 0, scale}.times(shear).times(spin), reach: width,
		grain: turn(r.below(one)), phase: point{r.below(one), r.below(one)}, salt: r.next(),
	}
}

// near are the pieces that may reach a pixel around a place, those in front first, in list's memory.
func (c *scene) near(place point, list []*piece) []*piece {
	list = list[:0]
	for i := range c.pieces {
		p := &c.pieces[i]
		if reach := p.reach + one/c.size; place.minus(p.middle).square() <= reach*reach {
			list = append(list, p)
		}
	}
	return list
}

// at is the scene's color at a place that these pieces may reach.
func (c *scene) at(place point, near []*piece) color {
	for _, p := range near {
		if color, ok := p.at(place); ok {
			return color
		}
	}
	x, y := place.x*cells, place.y*cells
	i, j := y>>12, x>>12
	x, y = x&(one-1), y&(one-1)
	upper := c.cells[i][j] + (c.cells[i][j+1]-c.cells[i][j])*x>>12
	lower := c.cells[i+1][j] + (c.cells[i+1][j+1]-c.cells[i+1][j])*x>>12
	return c.ground[0].mix(c.ground[1], upper+(lower-upper)*y>>12)
}

// samples is how many places a pixel averages along each axis.
const samples = 3

// render samples the scene, blurs and lights it and adds noise.
func (c *scene) render(r *random, dst []byte) {
	pixels := make([]int, 0, len(dst)) // in 256ths
	at := make([]int, samples*c.size)  // of samples along an axis
	for i := range at {
		at[i] = (2*i + 1) * one / (2 * samples * c.size)
	}
	var near []*piece
	for y := 0; y < len(at); y += samples {
		for x := 0; x < len(at); x += samples {
			near = c.near(point{at[x+samples/2], at[y+samples/2]}, near)
			var sum color
			for _, v := range at[y:][:samples] {
				for _, u := range at[x:][:samples] {
					for i, of := range c.at(point{u, v}, near) {
						sum[i] += of
					}
				}
			}
			for _, of := range sum {
				pixels = append(pixels, of*256/(samples*samples))
			}
		}
	}
	for left := c.blur; left > 0; left -= 256 {
		pixels = smooth(pixels, c.size, 3, min(left, 256))
		pixels = smooth(pixels, c.size, 3*c.size, min(left, 256))
	}
	for i := range dst {
		x, y := i/3%c.size, i/3/c.size
		light := c.light + (c.slope.x*(2*x-c.size)+c.slope.y*(2*y-c.size))/(2*c.size)
		v := pixels[i]*light>>12 + c.noise*r.bell()
		dst[i] = byte(min(max((v+128)>>8, 0), 255))
	}
}

// smooth passes a window of 1, 2, 1 along an axis whose neighbours lie step apart, at a strength in 256ths. A line's ends
// repeat.
func smooth(pixels []int, size, step, strength int) []int {
	out := make([]int, len(pixels))
	for i, v := range pixels {
		at, before, behind := i/step%size, v, v
		if at > 0 {
			before = pixels[i-step]
		}
		if at < size-1 {
			behind = pixels[i+step]
		}
		out[i] = v + (before+behind-2*v)*strength>>10
	}
	return out
}

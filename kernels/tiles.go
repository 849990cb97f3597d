package kernels

import (
	"fmt"
	"unsafe"

	"zoobench/kernels/internal/f32"
)

// tiles cut rows of a matrix product into tiles of even height: big ones of so many rows, then small ones of one less.
// A tile of one row is bound by the latency of its sums, so that 49 rows are better four sixes and five fives than
// eight sixes and a one: the 7×7 layers of MobileNetV2 and EfficientNet-B0 take 0.96 of the time (Zen 4, the least of 8
// runs in turn).
type tiles struct {
	big, rows, small int
}

// cutRows cuts n rows into as few tiles as can be.
func cutRows(n int) tiles {
	count := parts(n, f32.MR)
	rows := parts(n, count)
	small := count*rows - n
	return tiles{count - small, rows, small}
}

// places walks over the places of rows in a table of addresses, where a tile has MR for each of taps.
type places struct {
	tiles
	at     int // the row's, of its first tap
	row    int // in its tile
	stride int // of tiles
}

// places begins at the first row.
func (c tiles) places(taps int) places { return places{tiles: c, stride: taps * f32.MR} }

// next moves to the next row.
func (p *places) next() {
	p.at++
	if p.row++; p.row < p.rows {
		return
	}
	p.at += p.stride - p.row
	p.row = 0
	if p.big--; p.big == 0 {
		p.rows--
	}
}

// A rowTable is rows of a matrix by their addresses, cut into tiles.
type rowTable[T any] struct {
	cut  tiles
	taps int
	rows []*T // (tiles, taps, MR) addresses
	// across is the bytes from one row to the next where that is the same for all rows, of which rows then has one tile; else 0.
	across int
}

// A product is one worker's share of a matrix product: rows of the left matrix, to be multiplied by one panel of the right
// matrix after another.
type product struct {
	rowTable[float32]
	tile f32.Tile // of the panel under way
}

// tilePanels is how many panels a matrix tile takes at the most; 0 for what the machine was measured to want. Tests set it.
var tilePanels int

// panelsOf is how many panels a level's matrix tile takes at the most. A core that starts two multiply-adds of sixteen
// lanes a cycle wants more chains than the six of one panel; any other is as fast with one, whose tiles fit every layer.
func panelsOf(l *f32.Level) int {
	most := tilePanels
	if most == 0 {
		most = 1
		if f32.TwoUnits() {
			most = f32.Panels
		}
	}
	for l.Gemm[most][f32.MR] == nil {
		most--
	}
	return most
}

// tileName is the name of the tile of so many panels, as algorithms have it.
func tileName(panels int) string { return fmt.Sprintf("%dx%d", f32.MR, panels*f32.NR) }

// cutPanels is part i of n panels that are cut into as few parts of even size as can be, of most panels each: the panel
// that it begins with, and how many it has.
func cutPanels(n, most, i int) (first, count int) {
	first, end := share(n, parts(n, most), i)
	return first, end - first
}

// share is part i of n things that are cut into so many parts of even size: the first, and the one behind the last.
func share(n, parts, i int) (first, end int) { return i * n / parts, (i + 1) * n / parts }

// shareRows is part i of m rows that are cut into so many parts of whole tiles: the first row, and the one behind the last.
func shareRows(m, tasks, i int) (first, end int) {
	first, end = share(parts(m, f32.MR), tasks, i)
	return first * f32.MR, min(end*f32.MR, m)
}

// parts is how many parts of at most so many n things make.
func parts(n, most int) int { return (n + most - 1) / most }

// begin starts with n rows of so many taps, whose addresses are to be put in the places that it returns.
func (p *rowTable[T]) begin(n, taps int) places {
	p.cut, p.taps, p.across = cutRows(n), taps, 0
	return p.cut.places(taps)
}

// spaced starts with n rows that lie across elements apart from data's first on, with so many taps down elements apart: the
// addresses of one tile stand for all.
func (p *rowTable[T]) spaced(data []T, across, down, n, taps int) {
	p.begin(n, taps)
	p.across = int(unsafe.Sizeof(data[0])) * across
	for tap := range taps {
		rows := p.rows[tap*f32.MR:][:p.cut.rows]
		for i := range rows {
			rows[i] = &data[tap*down+i*across]
		}
	}
}

// run multiplies all rows, from the tap on, by the panels that p.tile describes, which have so many columns; which rows
// these are, run fills in itself. As many bytes as the panels have are prefetched over the steps of all tiles: more would
// put out of L2 what is still needed, and with fewer a layer of few tiles waits for its weights.
func (p *product) run(gemm *f32.Tiles, tap, columns int) {
	c, t := &p.cut, &p.tile
	t.A, t.Step, t.TilesLeft = &p.rows[tap*f32.MR], 8*p.taps*f32.MR, c.big
	t.Ahead = parts(4*columns, c.big+c.small)
	if p.across > 0 {
		t.Step, t.Move = 0, c.rows*p.across
	}
	if t.Prefetch == 0 {
		t.Prefetch, t.Ahead = uintptr(unsafe.Pointer(t.B)), 0
	}
	gemm[c.rows](t)
	if c.small == 0 {
		return
	}
	t.A = (**float32)(unsafe.Add(unsafe.Pointer(t.A), c.big*t.Step))
	t.C = f32.At(t.C, c.big*c.rows*t.LDC)
	if t.R != nil {
		t.R = f32.At(t.R, c.big*c.rows*t.LDR)
	}
	t.TilesLeft, t.Move = c.small, (c.rows-1)*p.across
	gemm[c.rows-1](t)
}

// allPanels multiplies all rows, of one tap and k elements, by panels that follow one another, most of them a tile at the
// most: to rows of dst that are width apart, as wide as the panels together, with rows of add, if it is not nil, added.
func (p *product) allPanels(l *f32.Level, most int, panels []float32, k, width int, dst, add []float32) {
	n := width / f32.NR
	for i := range parts(n, most) {
		panel, count := cutPanels(n, most, i)
		p.tile = f32.Tile{B: &panels[panel*f32.NR*k], C: &dst[panel*f32.NR], Taps: 1, K: k, LDC: 4 * width,
			Flags: f32.Final, Lo: -infinity, Hi: infinity, Panel: 4 * f32.NR * k}
		if add != nil {
			p.tile.R, p.tile.LDR = &add[panel*f32.NR], 4*width
		}
		p.run(&l.Gemm[count], 0, count*f32.NR)
	}
}

package kernels

import (
	"zoobench/kernels/internal/f32"
	"zoobench/kernels/par"
)

// Turn exchanges rows and columns of matrices: pixels' channels become planes, and planes pixels' channels.
type Turn struct {
	level *f32.Level
	args  []f32.Rows // by worker

	dst, src      []float32 // the run under way
	rows, columns int
}

// NewTurn makes ready for a pool of workers.
func NewTurn(workers int) *Turn { return &Turn{level: level, args: make([]f32.Rows, workers)} }

// Run writes n matrices of rows×columns, one behind the other in src, as columns×rows to dst, which must not overlap src.
func (t *Turn) Run(pool *par.Pool, dst, src []float32, n, rows, columns int) {
	if n < 1 || rows < 1 || columns < 1 || len(dst) != n*rows*columns || len(src) != len(dst) {
		panic("kernels: turn: slices of another length")
	}
	t.dst, t.src, t.rows, t.columns = dst, src, rows, columns
	pool.Run(n, t)
	t.dst, t.src = nil, nil
}

// Do turns one matrix.
func (t *Turn) Do(worker, i int) {
	size := t.rows * t.columns
	if t.rows == 1 || t.columns == 1 {
		copy(t.dst[i*size:][:size], t.src[i*size:])
		return
	}
	turn(t.level, &t.args[worker], t.dst[i*size:][:size], t.rows, t.src[i*size:][:size], t.columns, t.rows, t.columns)
}

// turn writes rows of so many channels, across elements apart, to dst as rows of channels, down elements apart.
func turn(l *f32.Level, t *f32.Rows, dst []float32, down int, src []float32, across, rows, channels int) {
	whole, wide := rows&^7, channels&^7
	if whole > 0 && wide > 0 {
		*t = f32.Rows{Out: &dst[0], In: &src[0], LDO: 4 * down, LDI: 4 * across, C: wide, RowsLeft: whole}
		l.Turn(t)
	} else {
		wide = 0
	}
	for r := range rows {
		from := wide
		if r >= whole {
			from = 0
		}
		for c, v := range src[r*across:][from:channels] {
			dst[(from+c)*down+r] = v
		}
	}
}

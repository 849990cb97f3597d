package f32

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

// eachTwin runs a test body for every instruction set but the Go one, with numbers from a seed.
func eachTwin(t *testing.T, body func(t *testing.T, l *Level, rng *rand.Rand)) {
	for _, l := range Levels() {
		if l != generic {
			t.Run("isa="+l.Name, func(t *testing.T) { body(t, l, rand.New(rand.NewPCG(1, 2))) })
		}
	}
}

// integers are n small whole numbers: sums of their products are exact in any order.
func integers(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.IntN(17) - 8)
	}
	return x
}

// masks holds masks of up to 64 lanes.
var masks = func() (m [2 * Panels * NR]int32) {
	for i := range Panels * NR {
		m[i] = -1
	}
	return m
}()

// mask is a mask of n lanes.
func mask(n int) *int32 { return &masks[Panels*NR-n] }

// same compares two memories to the bit, or to a fraction of the larger of 1 and want.
func same(t *testing.T, what string, got, want []float32, limit float64) {
	t.Helper()
	for i := range want {
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if !(d <= limit*max(1, math.Abs(float64(want[i])))) {
			t.Fatalf("%s: element %d: %v, want %v", what, i, got[i], want[i])
		}
	}
}

// TestTileTwins runs every matrix tile over random depths, flags, masks, residuals and strides; what lies between and
// behind the columns must stay as it was.
func TestTileTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 3000 {
			mr, panels := 1+rng.IntN(MR), rng.IntN(Panels+1)
			nr := max(8, panels*NR)
			gemm, twin := l.Gemm[panels][mr], generic.Gemm[panels][mr]
			if panels == 0 {
				gemm, twin = l.Gemm8[mr], generic.Gemm8[mr]
			}
			if gemm == nil {
				continue
			}
			taps, k, tiles, offset := 1+rng.IntN(4), 1+rng.IntN(19), 1+rng.IntN(3), rng.IntN(3)
			move := rng.IntN(9)
			apart := taps*k*NR + rng.IntN(20) // panels of b
			input, b, bias := integers(rng, 100), integers(rng, max(1, panels)*apart), integers(rng, nr)
			a := make([]*float32, tiles*taps*MR)
			for i := range a {
				a[i] = &input[rng.IntN(100-k-offset-(tiles-1)*move)]
			}
			ldc, ldr := nr+rng.IntN(3), nr+rng.IntN(3)
			c, r := integers(rng, tiles*mr*ldc), integers(rng, tiles*mr*ldr)
			arg := Tile{A: &a[0], B: &b[0], Taps: taps, K: k, Offset: 4 * offset, LDC: 4 * ldc, LDR: 4 * ldr, TilesLeft: tiles,
				Step: 8 * taps * MR, Flags: rng.IntN(4), Lo: float32(-rng.IntN(200)), Hi: float32(rng.IntN(200)),
				Prefetch: uintptr(unsafe.Pointer(&b[0])), Panel: 4 * apart, Ahead: rng.IntN(100), Move: 4 * move}
			columns := nr
			if rng.IntN(2) == 0 {
				columns = 1 + rng.IntN(nr)
				arg.Mask = mask(columns)
			}
			if rng.IntN(2) == 0 {
				arg.R = &r[0]
			}
			if rng.IntN(2) == 0 {
				arg.Bias = &bias[0]
			}
			got, want := append([]float32(nil), c...), append([]float32(nil), c...)
			mine, theirs := arg, arg
			mine.C, theirs.C = &got[0], &want[0]
			gemm(&mine)
			twin(&theirs)
			what := fmt.Sprintf("%dx%d, %d taps of %d, %d tiles, %d columns, flags %d, residual %v, bias %v",
				mr, nr, taps, k, tiles, columns, arg.Flags, arg.R != nil, arg.Bias != nil)
			same(t, what, got, want, 0)
			if mine.TilesLeft != 0 {
				t.Fatalf("%s: %d tiles left", what, mine.TilesLeft)
			}
		}
	})
}

// TestDepthwiseTwins runs the kernels of a row of pixels over every number of channels up to 40.
func TestDepthwiseTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for _, k := range []struct {
			name      string
			px, each  int
			got, want func(*Depthwise)
		}{
			{"dwconv4", 4, 1, l.Depthwise4, generic.Depthwise4},
			{"dwconv1", 1, 1, l.Depthwise1, generic.Depthwise1},
			{"maxpool4", 4, 1, l.MaxPool4, generic.MaxPool4},
			{"maxpool1", 1, 1, l.MaxPool1, generic.MaxPool1},
			{"gconv4", 4, 4, l.Grouped4, generic.Grouped4},
			{"gconv1", 1, 4, l.Grouped1, generic.Grouped1},
		} {
			for c := 1; c <= 40; c++ {
				if k.each == 4 && c%8 != 0 {
					continue
				}
				taps, groups, stride, blocks := 1+rng.IntN(9), 1+rng.IntN(3), c+rng.IntN(3), (c+7)/8
				input := integers(rng, (groups*k.px*2+10)*stride)
				w, bias := integers(rng, blocks*taps*k.each*8), integers(rng, 8*blocks)
				table := make([]Tap, taps)
				for i := range table {
					table[i] = Tap{In: &input[rng.IntN(9)*stride], W: 32 * i}
				}
				arg := Depthwise{Taps: &table[0], N: taps, W: &w[0], WStep: 32 * taps * k.each, Bias: &bias[0], LDO: 4 * stride,
					Step: 4 * stride * (1 + rng.IntN(2)), C: c, Mask: mask(c % 8), GroupsLeft: groups, Lo: -40, Hi: 50}
				if strings.HasPrefix(k.name, "maxpool") {
					arg.W = nil // which it must not read
				}
				out := integers(rng, groups*k.px*stride)
				got, want := append([]float32(nil), out...), append([]float32(nil), out...)
				mine, theirs := arg, arg
				mine.Out, theirs.Out = &got[0], &want[0]
				k.got(&mine)
				k.want(&theirs)
				same(t, fmt.Sprintf("%s, %d channels, %d taps", k.name, c, taps), got, want, 0)
				if mine.GroupsLeft != 0 {
					t.Fatalf("%s: %d groups left", k.name, mine.GroupsLeft)
				}
			}
		}
	})
}

// TestRowsTwins runs the kernels of rows over every number of channels up to 70; limit is the allowed difference, which
// is the rounding of functions that the two compute differently.
func TestRowsTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for _, k := range []struct {
			name      string
			limit     float64
			got, want func(*Rows)
		}{
			{"muladd", 0, l.MulAdd, generic.MulAdd},
			{"mul", 0, l.Mul, generic.Mul},
			{"add", 0, l.Add, generic.Add},
			{"clamp", 0, l.Clamp, generic.Clamp},
			{"colsum", 0, l.ColumnSums, generic.ColumnSums},
			{"colsq", 0, l.ColumnSquares, generic.ColumnSquares},
			{"colmul", 0, l.ColumnProducts, generic.ColumnProducts},
			{"slope", 0, l.Slope, generic.Slope},
			{"blend", 0, l.Blend, generic.Blend},
			{"sigmoid", 3e-7, l.Sigmoid, generic.Sigmoid},
			{"silu", 3e-7, l.SiLU, generic.SiLU},
			{"hardsigmoid", 3e-7, l.HardSigmoid, generic.HardSigmoid},
			{"hardswish", 3e-7, l.HardSwish, generic.HardSwish},
			{"gelu", 3e-7, l.GELU, generic.GELU},
			{"gelutanh", 3e-7, l.GELUTanh, generic.GELUTanh},
			{"layernorm", 2e-6, l.LayerNorm, generic.LayerNorm},
			{"softmax", 1e-6, l.Softmax, generic.Softmax},
			{"softmaxgrad", 0, l.SoftmaxGrad, generic.SoftmaxGrad},
		} {
			for c := 1; c <= 70; c++ {
				n, stride := 1+rng.IntN(4), c+rng.IntN(3)
				in, a, b, out := integers(rng, n*stride), integers(rng, n*stride), integers(rng, (n+2)*stride), integers(rng, n*stride)
				arg := Rows{In: &in[0], A: &a[0], B: &b[0], LDO: 4 * stride, LDI: 4 * stride, LDA: 4 * stride * rng.IntN(2),
					LDB: 4 * stride, C: c, RowsLeft: n, Mask: mask(c % 8), Lo: -30, Hi: 20}
				switch k.name {
				case "layernorm":
					arg.Lo, arg.Hi = 0.25, 1/float32(c)
				case "slope":
					arg.Lo, arg.Hi = -3, 4
				case "softmax":
					arg.Lo = 0.3
					for i := range in {
						in[i] -= 1000 // the largest is not to be a zero of an empty lane
					}
				}
				got, want := append([]float32(nil), out...), append([]float32(nil), out...)
				mine, theirs := arg, arg
				mine.Out, theirs.Out = &got[0], &want[0]
				k.got(&mine)
				k.want(&theirs)
				what := fmt.Sprintf("%s, %d rows of %d channels", k.name, n, c)
				same(t, what, got, want, k.limit)
				if mine.RowsLeft != theirs.RowsLeft {
					t.Fatalf("%s: %d rows left, want %d", what, mine.RowsLeft, theirs.RowsLeft)
				}
			}
		}
	})
}

// TestTopGradTwins runs the gradient of a largest element over every number of channels up to 40, with ties and rows without one.
func TestTopGradTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for c := 1; c <= 40; c++ {
			n, stride := 1+rng.IntN(9), c+rng.IntN(3)
			in, most, out := integers(rng, n*stride), integers(rng, c), integers(rng, n*stride)
			most[rng.IntN(c)] = float32(math.NaN())
			run := func(l *Level) (out2, left []float32, rows int) {
				out2, left = append([]float32(nil), out...), append([]float32(nil), integers(rand.New(rand.NewPCG(3, 4)), c)...)
				arg := Rows{Out: &out2[0], In: &in[0], A: &most[0], B: &left[0], LDO: 4 * stride, LDI: 4 * stride, C: c, RowsLeft: n, Mask: mask(c % 8)}
				l.TopGrad(&arg)
				return out2, left, arg.RowsLeft
			}
			got, gotLeft, rows := run(l)
			want, wantLeft, _ := run(generic)
			what := fmt.Sprintf("%d rows of %d channels", n, c)
			same(t, what, got, want, 0)
			same(t, what+", what is left", gotLeft, wantLeft, 0)
			if rows != n {
				t.Fatalf("%s: %d rows left, want all", what, rows)
			}
		}
	})
}

// TestTurnTwins exchanges rows and channels of matrices whose rows have gaps between them.
func TestTurnTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 200 {
			rows, c := 8*(1+rng.IntN(4)), 8*(1+rng.IntN(4))
			ldi, ldo := c+rng.IntN(5), rows+rng.IntN(5)
			in, out := integers(rng, rows*ldi), integers(rng, c*ldo)
			got, want := append([]float32(nil), out...), append([]float32(nil), out...)
			mine := Rows{Out: &got[0], In: &in[0], LDO: 4 * ldo, LDI: 4 * ldi, C: c, RowsLeft: rows}
			theirs := mine
			theirs.Out = &want[0]
			l.Turn(&mine)
			turnGeneric(&theirs)
			same(t, fmt.Sprintf("%d rows of %d channels", rows, c), got, want, 0)
			if mine.RowsLeft != 0 {
				t.Fatalf("%d rows left", mine.RowsLeft)
			}
		}
	})
}

// TestWinogradTwins runs both transforms; their factors are whole numbers.
func TestWinogradTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for c := 1; c <= 40; c++ {
			stride := c + rng.IntN(3)
			in, res, bias := integers(rng, 36*stride), integers(rng, 16*stride), integers(rng, c+7)
			out := integers(rng, 36*stride)
			for _, k := range []struct {
				name      string
				residual  bool
				got, want func(*Winograd)
			}{
				{"in", false, l.WinogradIn, generic.WinogradIn},
				{"out", false, l.WinogradOut, generic.WinogradOut},
				{"out with residual", true, l.WinogradOut, generic.WinogradOut},
			} {
				got, want := append([]float32(nil), out...), append([]float32(nil), out...)
				arg := Winograd{In: &in[0], Bias: &bias[0], InRow: 4 * stride, OutRow: 16 * stride, OutPixel: 4 * stride,
					ResRow: 16 * stride, ResPixel: 4 * stride, C: c, Mask: mask(c % 8), Lo: -300, Hi: 200}
				if k.name == "in" {
					arg.InRow, arg.InPixel, arg.OutRow = 24*stride, 4*stride, 4*stride
				}
				if k.residual {
					arg.R = &res[0]
				}
				mine, theirs := arg, arg
				mine.Out, theirs.Out = &got[0], &want[0]
				k.got(&mine)
				k.want(&theirs)
				same(t, fmt.Sprintf("%s, %d channels", k.name, c), got, want, 0)
			}
		}
	})
}

// TestBandTwins runs every band over widths around the window's, padding at all sides and every number of channels up to 40.
func TestBandTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 3000 {
			k, s, r := rng.IntN(3), rng.IntN(2), 1+rng.IntN(MaxBand)
			band, twin := l.Bands[k][s][r], generic.Bands[k][s][r]
			if band == nil {
				continue
			}
			k, s = 2*k+3, s+1
			c, cols, left, ow := 1+rng.IntN(40), 1+rng.IntN(20), rng.IntN(k), 0
			if ow = (cols+left-1)/s + 1; rng.IntN(2) == 0 { // else the last windows hang over on the right
				ow = max(1, (cols+left-k)/s+1)
			}
			cols = min(cols, (ow-1)*s+k-left)
			if cols < 1 {
				continue
			}
			pixel := c + rng.IntN(3)
			input, blocks := integers(rng, 20*20*pixel), (c+15)/16
			w, bias, out := integers(rng, blocks*k*k*16), integers(rng, blocks*16), integers(rng, r*ow*pixel)
			rows := make([]*float32, (r-1)*s+k)
			for i := range rows {
				if rng.IntN(4) > 0 {
					rows[i] = &input[rng.IntN(20)*20*pixel]
				}
			}
			arg := Band{In: &rows[0], W: &w[0], Bias: &bias[0], InPixel: 4 * pixel, OutRow: 4 * ow * pixel, OutPixel: 4 * pixel,
				Cols: cols, Left: left, Skip: (k-1)/s - (left+s-1)/s, OW: ow, C: c, Mask: mask(c % 8), Lo: -90, Hi: 100}
			got, want := append([]float32(nil), out...), append([]float32(nil), out...)
			mine, theirs := arg, arg
			mine.Out, theirs.Out = &got[0], &want[0]
			band(&mine)
			twin(&theirs)
			same(t, fmt.Sprintf("%dx%d, stride %d, %d rows of %d columns to %d, %d of padding, %d channels",
				k, k, s, r, cols, ow, left, c), got, want, 0)
		}
	})
}

// TestRowGradTwins runs the gradients of filters over rows of every kind, with and without padding.
func TestRowGradTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 3000 {
			taps := 1 + rng.IntN(3)
			if l.RowGrad[taps] == nil {
				return
			}
			before, middle, behind := rng.IntN(2), rng.IntN(5), rng.IntN(2)
			if taps < 3 {
				before, behind = 0, 0
			}
			pixels, xPixel, dyPixel := before+middle+behind, NR*(1+rng.IntN(2))+rng.IntN(3), RowFilters+rng.IntN(9)
			xTap := NR + rng.IntN(9)
			x, dy := integers(rng, pixels*xPixel+2*xTap+NR+20), integers(rng, pixels*dyPixel+RowFilters+20)
			rows := make([]GradRow, 1+rng.IntN(4))
			for i := range rows {
				rows[i] = GradRow{X: &x[rng.IntN(10)+before*xTap], DY: &dy[rng.IntN(10)]}
			}
			tap := NR + rng.IntN(3)
			lds := 3*tap + rng.IntN(9)
			sums := integers(rng, RowFilters*lds)
			arg := RowGrad{Rows: &rows[0], N: len(rows), X: 4 * (rng.IntN(10) - before*xTap), DY: 4 * rng.IntN(10), XPixel: 4 * xPixel,
				XTap: 4 * xTap, DYPixel: 4 * dyPixel, Middle: middle, Before: before, Behind: behind, LDS: 4 * lds, Tap: 4 * tap}
			got, want := append([]float32(nil), sums...), append([]float32(nil), sums...)
			mine, theirs := arg, arg
			mine.Sums, theirs.Sums = &got[0], &want[0]
			l.RowGrad[taps](&mine)
			rowGradGeneric(taps)(&theirs)
			same(t, fmt.Sprintf("%d taps, %d rows of %d, %d and %d pixels", taps, len(rows), before, middle, behind), got, want, 0)
		}
	})
}

// TestDepthGradTwins runs the gradients of depthwise filters over rows of every number of channels up to NR; the sums of
// channels that the mask leaves out are nobody's.
func TestDepthGradTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 3000 {
			k := rng.IntN(3)
			if l.DepthGrad[k] == nil {
				return
			}
			taps, c, pixels := 2*k+3, 1+rng.IntN(NR), 1+rng.IntN(6)
			xPixel, dyPixel, xTap, tap := c+rng.IntN(9), c+rng.IntN(9), c+rng.IntN(9), NR+rng.IntN(3)
			x, dy := integers(rng, pixels*xPixel+taps*xTap+NR+20), integers(rng, pixels*dyPixel+20)
			rows := make([]GradRow, 1+rng.IntN(4))
			for i := range rows {
				rows[i] = GradRow{X: &x[rng.IntN(10)], DY: &dy[rng.IntN(10)]}
			}
			sums := integers(rng, taps*tap)
			arg := RowGrad{Rows: &rows[0], N: len(rows), X: 4 * rng.IntN(10), DY: 4 * rng.IntN(10), XPixel: 4 * xPixel,
				XTap: 4 * xTap, DYPixel: 4 * dyPixel, Middle: pixels, Tap: 4 * tap, Mask: mask(c)}
			got, want := append([]float32(nil), sums...), append([]float32(nil), sums...)
			mine, theirs := arg, arg
			mine.Sums, theirs.Sums = &got[0], &want[0]
			l.DepthGrad[k](&mine)
			depthGradGeneric(taps)(&theirs)
			for i := range got {
				if i%tap >= c {
					got[i], want[i] = 0, 0
				}
			}
			same(t, fmt.Sprintf("%d taps, %d channels, %d rows of %d pixels", taps, c, len(rows), pixels), got, want, 0)
		}
	})
}

// TestGroupedTwins runs every kernel of convolutions in groups, with padding at both sides and windows of up to three rows.
func TestGroupedTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for _, kernels := range l.Grouped {
			lanes := kernels.Lanes
			for s, by := range kernels.By {
				for px, kernel := range by {
					if kernel == nil {
						continue
					}
					for each := 1; each <= lanes; each *= 2 {
						c, rows := lanes*(1+rng.IntN(3)), rng.IntN(4)
						pixel, inputs := c+rng.IntN(3), px*(s+1)+2-s
						input := integers(rng, (inputs+2)*pixel)
						w, bias, out := integers(rng, c*3*each*3), integers(rng, c), integers(rng, px*pixel)
						taps, index := make([]Tap, 3), make([]int32, lanes)
						for i := range taps {
							taps[i] = Tap{In: &input[pixel], W: 4 * i * each * 3 * lanes}
						}
						for i := range index {
							index[i] = int32(i / each * each)
						}
						arg := Grouped{Taps: &taps[0], N: rows, W: &w[0], WStep: 4 * 9 * each * lanes, Bias: &bias[0], LDO: 4 * pixel,
							First: 4 * pixel * (rng.IntN(3) - 1), Pixel: 4 * pixel, C: 4 * c, Each: each,
							Index: &index[0], Lo: -90, Hi: 100, Zeros: &make([]float32, c)[0], Before: rng.IntN(2), Behind: rng.IntN(2)}
						got, want := append([]float32(nil), out...), append([]float32(nil), out...)
						mine, theirs := arg, arg
						mine.Out, theirs.Out = &got[0], &want[0]
						kernel(&mine)
						groupedGeneric(lanes, s+1, px)(&theirs)
						same(t, fmt.Sprintf("%d pixels, stride %d, %d rows, groups of %d, %d channels", px, s+1, rows, each, c), got, want, 0)
					}
				}
			}
		}
	})
}

// TestFilterTwins transforms up to nine channels of filters; what lies between the points must stay as it was.
func TestFilterTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for n := 1; n <= 9; n++ {
			in, step := make([]float32, 9*n*NR), (n+rng.IntN(3))*NR
			for i := range in {
				in[i] = rng.Float32() - 0.5
			}
			copy(in, []float32{0, float32(math.Copysign(0, -1)), 1e-45, 1e38})
			got := integers(rng, 36*step)
			want := append([]float32(nil), got...)
			l.WinogradFilters(&Filters{In: &in[0], Out: &got[0], Step: 4 * step, N: n})
			generic.WinogradFilters(&Filters{In: &in[0], Out: &want[0], Step: 4 * step, N: n})
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%d channels, points %d apart: element %d: %v, want %v", n, step, i, got[i], want[i])
				}
			}
		}
	})
}

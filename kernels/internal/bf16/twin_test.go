package bf16

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"unsafe"

	"zoobench/kernels/internal/cpu"
	"zoobench/kernels/internal/f32"
)

// eachTwin runs a test body for every instruction set but the Go one, with numbers from a seed. Numbers below the normal range are
// flushed, as package par's workers do.
func eachTwin(t *testing.T, body func(t *testing.T, l *Level, rng *rand.Rand)) {
	for _, l := range Levels() {
		if l != generic {
			t.Run("isa="+l.Name, func(t *testing.T) { body(t, l, rand.New(rand.NewPCG(1, 2))) })
		}
	}
}

// pairsOf are n elements of normally distributed numbers, of sizes some powers of two apart.
func pairsOf(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	number := func() float32 { return float32(math.Ldexp(rng.NormFloat64(), rng.IntN(12)-6)) }
	for i := range x {
		x[i] = Pair(number(), number())
	}
	return x
}

func numbers(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// mask is a mask of n columns.
func mask(n int) *int32 {
	m := make([]int32, f32.Panels*f32.NR)
	for i := range n {
		m[i] = -1
	}
	return &m[0]
}

// TestTileTwins runs every matrix tile over random depths, flags, masks, residuals and strides: all instruction sets give the same
// bits, and what lies between and behind the columns stays as it was.
func TestTileTwins(t *testing.T) {
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for range 2000 {
			mr, panels := 1+rng.IntN(f32.MR), rng.IntN(f32.Panels+1)
			nr := max(8, panels*f32.NR)
			gemm, twin := l.Gemm[panels][mr], generic.Gemm[panels][mr]
			if panels == 0 {
				gemm, twin = l.Gemm8[mr], generic.Gemm8[mr]
			}
			if gemm == nil {
				continue
			}
			taps, k, tiles, offset := 1+rng.IntN(4), 1+rng.IntN(19), 1+rng.IntN(3), rng.IntN(3)
			move := rng.IntN(9)
			apart := taps*k*f32.NR + rng.IntN(20) // panels of b
			input, b, bias := pairsOf(rng, 100), pairsOf(rng, max(1, panels)*apart), numbers(rng, nr)
			a := make([]*float32, tiles*taps*f32.MR)
			for i := range a {
				a[i] = &input[rng.IntN(100-k-offset-(tiles-1)*move)]
			}
			ldc, ldr := nr+rng.IntN(3), nr+rng.IntN(3)
			c, r := numbers(rng, tiles*mr*ldc), numbers(rng, tiles*mr*ldr)
			arg := Tile{A: &a[0], B: &b[0], Taps: taps, K: k, Offset: 4 * offset, LDC: 4 * ldc, LDR: 4 * ldr, TilesLeft: tiles,
				Step: 8 * taps * f32.MR, Flags: rng.IntN(4), Lo: float32(-rng.IntN(200)), Hi: float32(rng.IntN(200)),
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
			for i := range want {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
					t.Fatalf("%dx%d, %d taps of %d, %d tiles, %d columns, flags %d: element %d: %v, want %v",
						mr, nr, taps, k, tiles, columns, arg.Flags, i, got[i], want[i])
				}
			}
		}
	})
}

// TestAdd holds the twin's addition to the exact sum, rounded once. Most sums are at the middle between two float32 numbers, or a
// little beside it.
func TestAdd(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200000 {
		a, b := Widen(Round(float32(rng.NormFloat64()))), Widen(Round(float32(rng.NormFloat64())))
		product := math.Ldexp(float64(a)*float64(b), -rng.IntN(60))
		sum := float32(math.Ldexp(rng.NormFloat64(), rng.IntN(20)))
		exact := new(big.Float).SetPrec(2000).Add(big.NewFloat(float64(sum)), big.NewFloat(product))
		want, _ := exact.Float32()
		if got := add(sum, product); got != want {
			t.Fatalf("%v + %v = %v, want %v", sum, product, got, want)
		}
	}
	for _, x := range []struct {
		sum     float32
		product float64
		want    float32
	}{
		{float32(math.Inf(1)), 1, float32(math.Inf(1))},
		{math.MaxFloat32, math.MaxFloat32, float32(math.Inf(1))},
		{1 << 24, 1, 1 << 24},
		{1<<24 + 2, 1, 1<<24 + 4},
		{1 << 24, 1 + 0x1p-40, 1<<24 + 2},
		{1<<24 + 2, 1 - 0x1p-40, 1<<24 + 2},
		{-1 << 24, -1 - 0x1p-40, -1<<24 - 2},
	} {
		if got := add(x.sum, x.product); got != x.want {
			t.Errorf("%v + %v = %v, want %v", x.sum, x.product, got, x.want)
		}
	}
	if got := add(float32(math.Inf(1)), math.Inf(-1)); got == got {
		t.Errorf("infinities of two signs: %v, want a NaN", got)
	}
}

// TestRound holds rounding to math/big's, and the kernels of rows to Round.
func TestRound(t *testing.T) {
	bits := func(x uint32) float32 { return math.Float32frombits(x) }
	special := []float32{0, bits(1 << 31), 1, bits(0x3f808000), bits(0x3f818000), bits(0x3f808001), bits(0x3f807fff), math.MaxFloat32,
		float32(math.Inf(1)), float32(math.Inf(-1)), bits(0x7fc00000), bits(0x7f800001), bits(0xffffffff), bits(0x7fbfffff), 0x1p-126, -0x1p-126}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 5000 {
		if x := bits(rng.Uint32()); x != x || x > 0x1p-126 || x < -0x1p-126 {
			special = append(special, x)
		}
	}
	for _, x := range special {
		got := Widen(Round(x))
		switch {
		case x != x:
			if got == got {
				t.Errorf("a NaN of bits %#x is %v", math.Float32bits(x), got)
			}
		case math.IsInf(float64(x), 0):
			if got != x {
				t.Errorf("%v is %v", x, got)
			}
		default:
			near, _ := new(big.Float).SetPrec(8).SetFloat64(float64(x)).Float64()
			if want := float32(near); got != want || math.Signbit(float64(got)) != math.Signbit(float64(x)) {
				t.Errorf("%v is %v, want %v", x, got, want)
			}
		}
	}
	eachTwin(t, func(t *testing.T, l *Level, rng *rand.Rand) {
		for c := 1; c <= 70; c++ {
			const rows = 3
			ldi, ldo := c+rng.IntN(3), (c+Lanes-1)/Lanes*Lanes/2+rng.IntN(3)
			in := make([]float32, rows*ldi)
			for i := range in {
				in[i] = special[rng.IntN(len(special))]
			}
			const guard = 0x12345678
			got, want := make([]float32, rows*ldo+1), make([]float32, rows*ldo+1)
			for i := range got {
				got[i], want[i] = bits(guard), bits(guard)
			}
			arg := Rows{In: &in[0], LDI: 4 * ldi, LDO: 4 * ldo, C: c, RowsLeft: rows, Mask: mask8(c)}
			mine, theirs := arg, arg
			mine.Out, theirs.Out = &got[0], &want[0]
			l.Round(&mine)
			roundGeneric(&theirs)
			for o := range rows {
				row, wanted := halves(got[o*ldo:], ldo), halves(want[o*ldo:], ldo)
				for i := range (c + 7) / 8 * 8 {
					if row[i] != wanted[i] {
						t.Fatalf("%d channels: row %d, number %d: %#x, want %#x", c, o, i, row[i], wanted[i])
					}
				}
				for i := (c + Lanes - 1) / Lanes * Lanes / 2; i < ldo; i++ {
					if math.Float32bits(got[o*ldo+i]) != guard {
						t.Fatalf("%d channels: row %d: wrote behind its room", c, o)
					}
				}
			}
			if mine.RowsLeft != 0 || math.Float32bits(got[rows*ldo]) != guard {
				t.Fatalf("%d channels: %d rows left", c, mine.RowsLeft)
			}
		}
	})
}

// halves are the numbers of n elements.
func halves(x []float32, n int) []uint16 { return unsafe.Slice((*uint16)(unsafe.Pointer(&x[0])), 2*n) }

// mask8 is a mask of the last n%8 numbers.
func mask8(n int) *int32 { return mask(n % 8) }

// TestBeside finds for each level of f32 the best one here.
func TestBeside(t *testing.T) {
	want := map[string]string{"generic": "generic", "avx2": "avx2", "avx512": "avx512", "neon": "neon"}
	if cpu.BF16 {
		want["avx512"] = "avx512bf16"
	}
	for _, l := range f32.Levels() {
		if got := Beside(l).Name; got != want[l.Name] {
			t.Errorf("beside %s: %s, want %s", l.Name, got, want[l.Name])
		}
	}
}

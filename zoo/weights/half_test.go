package weights

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestToHalf compares the nearest binary16 of float32 with one found by looking at both neighbours in float64.
func TestToHalf(t *testing.T) {
	for h := range 1 << 16 {
		v := fromHalf(uint16(h))
		if have := toHalf(v); have != uint16(h) && (v == v || have&0x7fff <= halfInf) {
			t.Fatalf("%04x is %v, and back %04x", h, v, have)
		}
	}
	check := func(v float32) {
		have := toHalf(v)
		if abs := math.Abs(float64(v)); abs >= 65520 {
			if have&0x7fff != halfInf {
				t.Fatalf("%v: %04x, want infinity", v, have)
			}
			return
		}
		off := func(h uint16) float64 { return math.Abs(float64(v) - float64(fromHalf(h))) }
		for _, next := range []uint16{have - 1, have + 1} {
			if next&0x7fff >= halfInf || (next^have)&0x8000 != 0 {
				continue
			}
			if off(next) < off(have) || off(next) == off(have) && have&1 == 1 {
				t.Fatalf("%v: %04x is off by %v, %04x by %v", v, have, off(have), next, off(next))
			}
		}
	}
	for h := range halfInf {
		a, b := fromHalf(uint16(h)), fromHalf(uint16(h+1))
		if h+1 == halfInf {
			b = 65536
		}
		middle := a + (b-a)/2 // exact
		for _, v := range []float32{middle, math.Nextafter32(middle, 0), math.Nextafter32(middle, b), -middle} {
			check(v)
		}
	}
	draw := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		check(math.Float32frombits(draw.Uint32() & 0xc7ffffff)) // below 131072
	}
}

// TestWriteHalf reads back what float16 holds of numbers.
func TestWriteHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.safetensors")
	tensors := []Named{{"a", []int{3}, []float32{1, -0.1, 65504}}, {"b", nil, []float32{3}}}
	if err := WriteHalf(path, tensors, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if a := f.Tensors()[0]; a.Dtype != F16 || f.Metadata()["k"] != "v" {
		t.Errorf("tensor %v, metadata %v", a, f.Metadata())
	}
	if have := mustFloat32(t, f, "a"); !slices.Equal(have, []float32{1, -0.0999755859375, 65504}) {
		t.Errorf("have %v", have)
	}
	err = WriteHalf(path, []Named{{"a", []int{1}, []float32{-65520}}}, nil)
	if err == nil || !strings.Contains(err.Error(), "want at most 65504") {
		t.Errorf("error %v", err)
	}
}

package ref

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestPlanes(t *testing.T) {
	got := make([]float64, 6)
	Planes(got, []float32{1, 2, 3, 4, 5, 6}, 2, 3)
	equal(t, got, []float64{1, 3, 5, 2, 4, 6})
}

func TestSliceTokens(t *testing.T) {
	got := make([]float64, 4)
	SliceTokens(got, []float64{1, 2, 3, 4, 5, 6}, 1, 3, 2, 3)
	equal(t, got, []float64{2, 3, 5, 6})
}

func TestRelCoords(t *testing.T) {
	got := make([]float64, 2*3*5)
	RelCoords(got, 2, 3)
	l2, l3 := float64(float32(math.Log(2))), float64(float32(math.Log(3)))
	equal(t, got, []float64{
		-l2, -l2, -l2, -l2, -l2, 0, 0, 0, 0, 0, l2, l2, l2, l2, l2,
		-l3, -l2, 0, l2, l3, -l3, -l2, 0, l2, l3, -l3, -l2, 0, l2, l3,
	})
}

// TestResample compares with torch.nn.functional.interpolate of PyTorch 1.13 (mode "bicubic", antialias) in float64 for
// the pixels 0, 1, 4, 9 … of a grid.
func TestResample(t *testing.T) {
	tests := []struct {
		name     string
		from, to [2]int
		want     []float64
	}{
		{"grown", [2]int{2, 3}, [2]int{4, 5}, []float64{
			-0.82963374, -0.739683933, -0.323529412, 1.30158033, 2.33351831,
			1.69501348, 2.46098081, 4.10714286, 6.96226013, 8.67021563,
			6.70121294, 8.80767591, 12.8928571, 18.1869936, 21.2354447,
			9.22586016, 12.0083406, 17.3235294, 23.8476734, 27.5721421}},
		{"shrunk", [2]int{5, 4}, [2]int{3, 2}, []float64{4.97202797, 15.6216147, 77.1173169, 111.819796, 231.13452, 289.889892}},
		{"one way each", [2]int{3, 4}, [2]int{5, 2}, []float64{
			-0.958521753, 3.41805707, 5.50228198, 15.4523252, 21.2975207, 41.3884298, 56.4360429, 86.6678179, 77.9686574, 113.773897}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := []float64{-5}
			for i := range test.from[0] * test.from[1] {
				x = append(x, float64(i*i))
			}
			got := make([]float64, 1+test.to[0]*test.to[1])
			Resample(got, x, test.from, test.to, 1, 1)
			want := append([]float64{-5}, test.want...)
			for i := range want {
				if math.Abs(got[i]-want[i]) > 1e-8*(1+math.Abs(want[i])) {
					t.Errorf("pixel %d: %v, want %v", i, got[i], want[i])
				}
			}
		})
	}
}

// naive is the attention by its formula over a list of tokens that see one another, with a bias for each pair.
func naive(q, k, v [][]float64, bias func(i, j int) float64, scale float64) [][]float64 {
	var out [][]float64
	for i := range q {
		sum, row := 0.0, make([]float64, len(v[0]))
		for j := range k {
			p := math.Exp(scale*dot(q[i], k[j]) + bias(i, j))
			sum += p
			for c := range row {
				row[c] += p * v[j][c]
			}
		}
		for c := range row {
			row[c] /= sum
		}
		out = append(out, row)
	}
	return out
}

func TestAttention(t *testing.T) {
	tests := []struct {
		name string
		s    AttentionSize
		bias bool
	}{
		{"a row of tokens", AttentionSize{N: 2, H: 1, W: 5, Heads: 2, D: 3, Scale: 0.5}, false},
		{"heads first", AttentionSize{N: 1, H: 2, W: 3, Heads: 3, D: 2, Scale: 0.1, HeadsFirst: true}, true},
		{"windows", AttentionSize{N: 2, H: 4, W: 6, Heads: 2, D: 2, Scale: 0.2, Window: 2}, true},
		{"shifted windows", AttentionSize{N: 1, H: 6, W: 9, Heads: 2, D: 2, Scale: 0.2, Window: 3, Shift: 1}, true},
		{"one shifted window", AttentionSize{N: 1, H: 4, W: 4, Heads: 1, D: 2, Scale: 1, Window: 4, Shift: 2}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, r := test.s, rand.New(rand.NewPCG(3, 4))
			h, w := s.H, s.W
			if s.Window > 0 {
				h, w = s.Window, s.Window
			}
			qkv := make([]float64, s.N*3*s.Heads*s.D*s.H*s.W)
			for i := range qkv {
				qkv[i] = r.NormFloat64()
			}
			var bias []float64
			if test.bias {
				bias = make([]float64, s.Heads*(2*h-1)*(2*w-1))
				for i := range bias {
					bias[i] = r.NormFloat64()
				}
			}
			got := make([]float64, len(qkv)/3)
			Attention(got, qkv, bias, s)
			// Each query by itself, over all tokens of the image; those of other windows have a bias of −∞.
			want := make([]float64, len(got))
			tokens := s.H * s.W
			for n := range s.N {
				for head := range s.Heads {
					part := func(k int) (rows [][]float64) {
						for at := range tokens {
							var row []float64
							for c := range s.D {
								ch := k*s.Heads*s.D + head*s.D + c
								if s.HeadsFirst {
									ch = head*3*s.D + k*s.D + c
								}
								row = append(row, qkv[(n*3*s.Heads*s.D+ch)*tokens+at])
							}
							rows = append(rows, row)
						}
						return rows
					}
					pair := func(i, j int) float64 {
						// Rolled positions; a difference that the roll changed was not there before.
						yi, xi := (i/s.W+s.H-s.Shift)%s.H, (i%s.W+s.W-s.Shift)%s.W
						yj, xj := (j/s.W+s.H-s.Shift)%s.H, (j%s.W+s.W-s.Shift)%s.W
						if yi/h != yj/h || xi/w != xj/w {
							return math.Inf(-1)
						}
						b := 0.0
						if bias != nil {
							b = bias[(head*(2*h-1)+yi-yj+h-1)*(2*w-1)+xi-xj+w-1]
						}
						if yi-yj != i/s.W-j/s.W || xi-xj != i%s.W-j%s.W {
							b -= 100
						}
						return b
					}
					for at, row := range naive(part(0), part(1), part(2), pair, s.Scale) {
						for c, v := range row {
							want[((n*s.Heads+head)*s.D+c)*tokens+at] = v
						}
					}
				}
			}
			equal(t, got, want)
		})
	}
}

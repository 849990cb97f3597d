package zoo

import (
	"math"
	"os"
	"testing"
)

// TestPositionsResampled holds ViT-tiny at other sizes than its table's to PyTorch 1.13 in float64, the table resampled
// by interpolate (bicubic, antialias) in float32 as timm 1.0 does; weights and images as vit_tiny's golden has them.
// The first four logits of two images stand here; the same program gave the golden's own logits at 224.
func TestPositionsResampled(t *testing.T) {
	var g golden
	for _, other := range goldens(t) {
		if other.file == "timm_vit_tiny_patch16_224" {
			g = other
		}
	}
	for _, test := range []struct {
		name   string
		size   int
		maxAbs float64
		want   [2][4]float64
	}{
		{"14×14 to 6×6", 96, 4.593727800, [2][4]float64{
			{-0.0261324, 1.3510735, -1.2350580, 0.0055626}, {0.9092437, -0.4537072, -0.6399069, 1.5321426}}},
		{"14×14 to 18×18", 288, 4.920918562, [2][4]float64{
			{0.2893447, 0.9116194, -1.4744592, 0.4423179}, {0.2604506, 1.1801615, -0.8721383, 0.7598880}}},
	} {
		for _, path := range paths {
			t.Run(test.name+"/"+path.name, func(t *testing.T) {
				g.Size, g.MaxAbs = test.size, test.maxAbs
				spec, graph := g.graph(t)
				if graph.MACs() > path.maxMACs && os.Getenv("ZOO_LONG") != "1" {
					t.Skipf("%d MACs; ZOO_LONG=1 runs it", graph.MACs())
				}
				bound := g.bind(t, spec, graph)
				got, _, err := path.run(graph, bound, g.images())
				if err != nil {
					t.Fatal(err)
				}
				largest := 0.0
				for _, v := range got {
					largest = max(largest, math.Abs(v))
				}
				tolerance := path.tolerance(g) * g.MaxAbs
				if math.Abs(largest-test.maxAbs) > tolerance {
					t.Errorf("largest logit %v, want %v", largest, test.maxAbs)
				}
				for n, row := range test.want {
					for i, want := range row {
						if v := got[n*1000+i]; math.Abs(v-want) > tolerance {
							t.Errorf("image %d, class %d: %v, want %v", n, i, v, want)
						}
					}
				}
			})
		}
	}
}

package engine_test

import (
	"math"
	"testing"

	"zoobench/kernels"
	"zoobench/zoo/engine"
)

// TestLevelsAgree holds whole networks to the same bits on every instruction set that has assembly: those with every kind of
// layer, at sizes that leave odd numbers of pixels.
func TestLevelsAgree(t *testing.T) {
	levels := kernels.ISAs()[1:] // the Go kernels sum in float64
	if len(levels) < 2 {
		t.Skip("this machine has assembly for one instruction set at most")
	}
	for name, size := range map[string]int{
		"squeezenet1_1": 97, "resnet18": 75, "densenet121": 64, "googlenet": 101, "mobilenetv2_100": 95, "tv_mobilenet_v3_large": 80,
		"shufflenet_v2_x1_0": 96, "efficientnet_b0": 71, "regnety_004": 88, "resnext50_32x4d": 65, "convnext_tiny": 64,
		"vit_tiny_patch16_224": 224, "coatnet_0_rw_224": 224,
	} {
		if testing.Short() && size > 100 {
			continue
		}
		levelsAgree(t, name, size, levels, "")
		if size < 90 {
			levelsAgree(t, name, size, levels, engine.BF16)
		}
	}
}

// levelsAgree runs a network in a precision on each instruction set.
func levelsAgree(t *testing.T, name string, size int, levels []string, precision string) {
	t.Run(name+precision, func(t *testing.T) {
		g, w := build(t, name, size)
		defer use(t, kernels.ISA())
		var want []float32
		for i, isa := range levels {
			use(t, isa)
			e := newEngine(t, g, w, engine.Options{Threads: 1 + i, Batch: 2, Precision: precision})
			got := make([]float32, 2*g.Output().Elems())
			e.Run(got, generator.Images(size), 2)
			if i == 0 {
				want = got
			}
			for k, v := range want {
				if math.Float32bits(got[k]) != math.Float32bits(v) {
					t.Fatalf("logit %d: %v with %s, %v with %s", k, got[k], isa, v, levels[0])
				}
			}
		}
	})
}

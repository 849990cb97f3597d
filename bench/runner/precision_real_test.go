package runner

import (
	"os"
	"path/filepath"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/stat"
	"zoobench/internal/testenv"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

// TestRealPrecisions holds what bf16 and int8 cost published checkpoints on real photographs, quantised on other ones: few right
// answers, and no difference that McNemar's test finds. With -short it is one network, with ZOO_LONG=1 all.
func TestRealPrecisions(t *testing.T) {
	dir := testenv.Real(t)
	if kernels.ISA() == "generic" {
		t.Skip("takes too long in plain Go, and says nothing of it")
	}
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	for _, test := range []struct {
		network, file string
		int8          float64 // points of top-1 that it may cost
		missed        string  // precision whose bound is known to be missed, see docs/precision.md
	}{
		{"squeezenet1_1", "squeezenet1_1.pth", 0.3, ""},
		{"mobilenet_v2", "mobilenet_v2.safetensors", 0.5, ""},
		{"vit_tiny_patch16_224", "vit_tiny_patch16_224.safetensors", 0.5, engine.BF16},
	} {
		t.Run(test.network, func(t *testing.T) {
			if testing.Short() && test.network != "squeezenet1_1" ||
				test.network == "vit_tiny_patch16_224" && os.Getenv("ZOO_LONG") != "1" {
				t.Skip("takes too long: ZOO_LONG=1 runs all networks")
			}
			answers := func(precision string) (*record.Record, map[string]bool) {
				t.Helper()
				right := map[string]bool{}
				task := Task{Weights: filepath.Join(dir, "checkpoints", test.file), Job: experiment.Job{
					Model: test.network, Axes: record.Axes{NoTune: true, Precision: precision},
					Accuracy:    &experiment.Accuracy{Data: filepath.Join(dir, "val"), Labels: filepath.Join(dir, "val_labels.txt")},
					Calibration: &experiment.Calibration{Data: filepath.Join(dir, "train"), Images: experiment.CalibrationImages},
				}}
				r, err := Accuracy(t.Context(), zoo.Default(), task, Watch{Sample: func(s Sample) error {
					right[s.File] = s.Err == nil && len(s.Top5) > 0 && s.Top5[0] == s.Labels[0]
					return nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				return r, right
			}
			whole, want := answers("")
			for precision, points := range map[string]float64{engine.BF16: 0.2, engine.Int8: test.int8} {
				r, got := answers(precision)
				gained, lost := 0, 0
				for file, right := range got {
					switch {
					case right && !want[file]:
						gained++
					case !right && want[file]:
						lost++
					}
				}
				p := stat.McNemar(gained, lost)
				t.Logf("%s: %d right of %d, %d in float32; p %.2f", precision, r.Top1Images, r.Images, whole.Top1Images, p)
				switch cost := whole.Top1 - r.Top1; {
				case cost > points && precision == test.missed:
					t.Logf("%s costs %.2f points of top-1 and misses the bound of %.2f", precision, cost, points)
				case cost > points:
					t.Errorf("%s costs %.2f points of top-1, may cost %.2f", precision, cost, points)
				}
				if p < 0.05 {
					t.Errorf("%s: %d images gained, %d lost: p %.3f", precision, gained, lost, p)
				}
				if c := r.Calibration; (c != nil) != (precision == engine.Int8) ||
					c != nil && (c.Images != experiment.CalibrationImages || c.Shared != 0) {
					t.Errorf("%s: calibration %+v", precision, c)
				}
			}
		})
	}
}

package zoo

import (
	"path/filepath"
	"testing"

	"zoobench/internal/testenv"
	"zoobench/zoo/weights"
)

// TestPublishedFilesFit fits published files to the graphs, in whatever library's names they are. The folder is named
// by ZOO_REAL, relative to the module's root; see testenv.
func TestPublishedFilesFit(t *testing.T) {
	dir := testenv.Real(t)
	tests := []struct {
		name, network, table string
	}{
		{"mobilenet_v2.safetensors", "mobilenet_v2", "torchvision"},
		{"squeezenet1_1.pth", "squeezenet1_1", ""},
		{"squeezenet1_1.legacy.pth", "squeezenet1_1", ""},
		{"squeezenet1_1.half.pth.tar", "squeezenet1_1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			spec, err := Find(test.network)
			if err != nil {
				t.Fatal(err)
			}
			g, err := spec.Graph(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			f, err := weights.Open(filepath.Join(dir, "checkpoints", test.name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			bound, err := weights.Bind(f, g.Params, weights.Options{Tables: spec.Renames})
			if err != nil {
				t.Fatal(err)
			}
			if got := bound.Table(); got != test.table {
				t.Errorf("table %q, want %q", got, test.table)
			}
		})
	}
}

package zoo

import (
	"os"
	"path/filepath"
	"testing"

	"zoobench/zoo/weights"
)

// TestPublishedFilesFit fits published files to the graphs, in whatever library's names they are. The folder is named
// by ZOO_REAL, relative to the module's root; without it the test is skipped, where CI is true it fails.
func TestPublishedFilesFit(t *testing.T) {
	dir := os.Getenv("ZOO_REAL")
	if dir == "" {
		dir = filepath.Join("..", "shared", "real")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join("..", dir)
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no published files: %v", err)
		}
		t.Skipf("no published files: %v", err)
	}
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

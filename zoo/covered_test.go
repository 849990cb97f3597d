package zoo

import (
	"path/filepath"
	"strings"
	"testing"

	"zoobench/internal/testenv"
)

// TestNetworksWithoutGolden keeps the list of networks whose logits no golden fixes: what is proven of them is their
// parameters, their counts and that the engine agrees with the oracle. A network gets off the list with its golden.
func TestNetworksWithoutGolden(t *testing.T) {
	covered := map[*Spec]bool{}
	for _, g := range built(t) {
		spec, err := g.spec()
		if err != nil {
			t.Fatal(err)
		}
		covered[spec] = true
	}
	var text strings.Builder
	for _, s := range All() {
		if !covered[s] {
			text.WriteString(s.Name + "\n")
		}
	}
	testenv.Golden(t, filepath.Join("testdata", "without_golden.txt"), []byte(text.String()))
}

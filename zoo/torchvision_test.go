package zoo

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// TestTorchvisionNames fits the state dict of every network of torchvision 0.14 that this zoo has to its graph: names
// and shapes, and a table, where there is one, as a bijection. testdata/torchvision-0.14.txt.gz lists them, a network's
// name on a line and below it, indented, its floating-point tensors with their shapes, as state_dict() gives them.
func TestTorchvisionNames(t *testing.T) {
	compared, tables := 0, 0
	for name, dict := range torchvisionNames(t) {
		spec := Default().publishedSpec(Checkpoint{Network: name, Library: "torchvision"})
		if spec == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			g, err := spec.Graph(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			bound, err := weights.Bind(weights.Generator{Seed: 1, Gain: 1}.Source(dict), g.Params, weights.Options{Tables: spec.Renames})
			if err != nil {
				t.Fatal(err)
			}
			compared++
			if table := (golden{}).table(spec, bound); table.Name != "" {
				tables++
				if err := table.Check(paramNames(dict), wantedNames(g.Params, table, dict)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	t.Logf("%d networks compared, %d by a table", compared, tables)
}

// wantedNames leaves out of a network's parameters those that a file may have and this one has not.
func wantedNames(params []nn.Param, table weights.Table, dict []nn.Param) []string {
	has := map[string]bool{}
	for _, p := range dict {
		has[table.Apply(p.Name)] = true
	}
	return paramNames(slices.DeleteFunc(slices.Clone(params), func(p nn.Param) bool {
		return p.Kind == nn.Aux && !has[p.Name]
	}))
}

func torchvisionNames(t *testing.T) map[string][]nn.Param {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "torchvision-0.14.txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	dicts := map[string][]nn.Param{}
	network := ""
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		tensor, inside := strings.CutPrefix(line, " ")
		if !inside {
			network = line
			continue
		}
		name, dims, _ := strings.Cut(tensor, " ")
		p := nn.Param{Name: name}
		for _, d := range strings.Split(dims, ",") {
			n, err := strconv.Atoi(d)
			if err != nil {
				t.Fatal(err)
			}
			p.Shape = append(p.Shape, n)
		}
		dicts[network] = append(dicts[network], p)
	}
	return dicts
}

package zoo

import (
	"regexp"
	"testing"

	"zoobench/zoo/weights"
)

// TestDenseNetFirstNames takes every network's names back to those of torchvision's published files, which put a dot
// between a dense layer's norms and convolutions and their numbers, and holds the table to be a bijection.
func TestDenseNetFirstNames(t *testing.T) {
	numbered := regexp.MustCompile(`(denselayer\d+\.(?:norm|conv))([12]\.)`)
	for _, s := range denseNets.specs() {
		t.Run(s.Name, func(t *testing.T) {
			g, err := s.Graph(0, 0)
			if err != nil {
				t.Fatal(err)
			}
			names := paramNames(g.Params)
			var first []string
			params := append(g.Params[:0:0], g.Params...)
			for i, name := range names {
				first = append(first, numbered.ReplaceAllString(name, "$1.$2"))
				params[i].Name = first[i]
			}
			bound, err := weights.Bind(weights.Generator{Seed: 1, Gain: 1}.Source(params), g.Params, weights.Options{Tables: s.Renames})
			if err != nil {
				t.Fatal(err)
			}
			table := golden{}.table(&s, bound)
			if err := table.Check(first, names); err != nil {
				t.Error(err)
			}
		})
	}
}

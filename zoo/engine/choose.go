package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// A Choice is the algorithm of one layer.
type Choice struct {
	Layer     string `json:"layer"`
	Algorithm string `json:"algorithm"`
}

// How a plan's choices were made.
const (
	FromTable  = "table"  // the kernels' table of measured preferences
	FromTrials = "trials" // Options.Tuner
	FromCaller = "given"  // Options.Choices
)

// A Plan is how an engine computes: engines of one build, the same weights and the same hash compute the same bits.
type Plan struct {
	Hash   string // of the network's name, the instruction set, the precision, Options.Exact and every layer's algorithm
	Source string // FromTable, FromTrials or FromCaller
	// Choices are of the layers that more than one algorithm can compute, in the order of execution. Those in bytes are not among
	// them: all of their algorithms give the same bits.
	Choices []Choice
}

// Plan is how the engine computes. What it holds is the caller's to keep.
func (e *Engine) Plan() Plan {
	text := sha256.New()
	fmt.Fprintf(text, "%s %s exact=%t\n", e.graph.Name, e.isa, e.exact)
	if e.precision != "" {
		fmt.Fprintf(text, "%s\n", e.precision)
	}
	for _, l := range e.layers {
		fmt.Fprintf(text, "%s\t%s\t%s\n", l.Name, strings.Join(append([]string{l.Op}, l.Fused...), "+"), l.Algorithm)
	}
	return Plan{Hash: hex.EncodeToString(text.Sum(nil)[:6]), Source: e.source, Choices: slices.Clone(e.choices)}
}

// A site is a group that is computed as a convolution, and how.
type site struct {
	group      int
	layer      string
	shape      kernels.ConvShape   // without weights
	images     int                 // that it takes at a time
	algorithms []kernels.Algorithm // that may compute it, the table's preference first
	chosen     int
}

// choose decides on the algorithms of all convolutions that are no depthwise ones.
func (p *planner) choose() error {
	p.algorithm = make([]kernels.Algorithm, len(p.groups))
	var open, same []*site // those with a choice, and those with one that changes no bit
	var all []*site
	for k := range p.groups {
		g := &p.groups[k]
		n := &p.graph.Nodes[g.nodes[0]]
		if n.Op != nn.Conv && n.Op != nn.Linear || g.middle != nil || p.depthwise(g.nodes[0]) || p.int8[k] && p.byChannel(g) {
			continue
		}
		s := &site{group: k, layer: n.Name, shape: p.geometry(g), images: p.imagesOf(k)}
		s.shape.Int8 = p.int8[k]
		s.algorithms = s.shape.Algorithms()
		if all = append(all, s); len(s.algorithms) == 1 {
			continue
		}
		if s.shape.Int8 {
			same = append(same, s)
		} else {
			open = append(open, s)
		}
	}
	switch {
	case p.options.Choices != nil:
		p.source = FromCaller
		if err := follow(open, p.options.Choices); err != nil {
			return err
		}
	case p.options.Tuner != nil:
		p.source = FromTrials
		p.trials = p.options.Tuner.choose(open, p.pool, 4*p.graph.ParamCount())
	default:
		p.source = FromTable
	}
	if p.options.Tuner != nil && len(same) > 0 {
		p.trials.add(p.options.Tuner.choose(same, p.pool, p.graph.ParamCount()))
	}
	for _, s := range all {
		p.algorithm[s.group] = s.algorithms[s.chosen]
	}
	for _, s := range open {
		p.choices = append(p.choices, Choice{s.layer, s.algorithms[s.chosen].Name})
	}
	return nil
}

// follow makes the choices that the caller names, which must be those that there are to make.
func follow(open []*site, choices []Choice) error {
	if len(choices) != len(open) {
		for _, c := range choices {
			if c.Algorithm == kernels.BF16AMX && kernels.ISA8() != "amx" {
				return fmt.Errorf("plan: %s: algorithm %q needs AMX, which this machine does not let the program use", c.Layer, c.Algorithm)
			}
		}
		return fmt.Errorf("plan: algorithms chosen for %d layers, want %d", len(choices), len(open))
	}
	for i, s := range open {
		c := choices[i]
		if c.Layer != s.layer {
			return fmt.Errorf("plan: choice %d is for layer %s, want %s", i+1, c.Layer, s.layer)
		}
		s.chosen = slices.IndexFunc(s.algorithms, func(a kernels.Algorithm) bool { return a.Name == c.Algorithm })
		if s.chosen < 0 {
			var names []string
			for _, a := range s.algorithms {
				names = append(names, a.Name)
			}
			return fmt.Errorf("plan: %s: algorithm %q, want %s", s.layer, c.Algorithm, strings.Join(names, " or "))
		}
	}
	return nil
}

// Package quantize makes int8 numbers of a network's weights and of the ranges that its values have on calibration images,
// keeps them in a file and reads that file.
//
// The contract: Make needs a graph, its weights and images; the same ones give the same bits. It multiplies batch norms in,
// moves scale between layers where that evens out the channels, gives each output channel of a layer and each value a scale
// of its own, takes the mean error out of the biases, measures what each layer in int8 alone does to the logits and keeps the
// worst in float32, up to a share of the multiply-accumulates. It trains nothing. What cannot be quantised (images or logits that are
// all the same, a value that is infinite, a weight that is no number) is an error that names the layer. Read believes nothing of a
// file: another network, another version, a scale that is no number are errors that name the item.
//
// It leaves to zoo/engine how int8 is computed, and to others where images come from and what an accuracy is.
package quantize

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
)

// Options of Make. The zero value measures which rule is best and keeps up to FloatShare of the multiply-accumulates in
// float32.
type Options struct {
	Rule     Rule    // for ranges of values; "" for the one whose logits are nearest to float32's
	Share    float64 // of the multiply-accumulates that may stay in float32; 0 for FloatShare, less than 0 for none, unmeasured
	Trials   int     // calibration images on which logits are compared; 0 for 16
	Threads  int     // 0 for all processors
	Audit    bool    // what each layer in int8 alone gets wrong at its own output is measured too
	Fast     bool    // for the speed alone: nothing is tried or measured, ranges are as wide as what was seen
	Progress func(done string)
}

// FloatShare is the share of multiply-accumulates that layers kept in float32 may have, if nothing else is asked for.
const FloatShare = 0.1

// A Network is a network in int8, and how it came about.
type Network struct {
	Int8   *engine.Quantized
	Recipe Recipe
	Layers []Layer // all layers with weights, in the graph's order
}

// A Recipe is how a Network was made.
type Recipe struct {
	Rule     Rule    `json:"rule"`
	Changed  int     `json:"changed,omitempty"` // values that have another rule, because that is better for the logits
	Equal    bool    `json:"equalised"`         // scale was moved between layers
	Images   int     `json:"images"`            // that values were watched on
	Trials   int     `json:"trials"`            // of them those that logits were compared on
	Share    float64 `json:"float_share"`       // of the multiply-accumulates that may stay in float32
	Kept     float64 `json:"kept_share"`        // that do
	Distance float64 `json:"distance"`          // of the logits from float32's, as a share of their size
}

// A Layer is what int8 does to one layer.
type Layer struct {
	Node     int     `json:"node"`
	Name     string  `json:"name"`
	MACs     int64   `json:"macs"`
	Distance float64 `json:"distance"`         // of the logits with this layer alone in int8, as Recipe has it
	Output   float64 `json:"output,omitempty"` // the same of what the layer puts out, where an audit measured it
	Float    bool    `json:"float,omitempty"`
	Why      string  `json:"why,omitempty"` // it is in float32, or in int8 although it changes the logits much
}

// maxDepth is the longest sum that 32 bits hold beside a bias below 2^30.
const maxDepth = (1<<31 - 1<<30) / (255 * 127)

// A maker is Make under way.
type maker struct {
	g       *nn.Graph
	w       engine.Weights
	images  []float32 // n, one behind the other
	n       int
	trials  int
	options Options
	of      *watched  // what the best numbers so far are of
	want    []float32 // float32's logits of the first trials images
}

// Make quantises a network: images are n, (H,W,C) each, one behind the other.
func Make(g *nn.Graph, w engine.Weights, images []float32, n int, o Options) (*Network, error) {
	if n < 1 || len(images) != n*g.Input().Elems() {
		return nil, errors.New("quantize: no calibration images, or not of the network's size")
	}
	m := &maker{g: g, w: w, images: images, n: n, options: o}
	m.trials = min(n, cmp.Or(o.Trials, 16))
	if o.Share == 0 {
		m.options.Share = FloatShare
	}
	if o.Fast {
		m.options.Rule, m.options.Share = Widest, -1
	}
	made, err := m.make()
	if err != nil {
		return nil, fmt.Errorf("quantize: %s: %w", g.Name, err)
	}
	return made, nil
}

func (m *maker) make() (*Network, error) {
	if m.options.Fast {
		of, err := m.watch(nil)
		if err != nil {
			return nil, err
		}
		made, err := m.byRule(nil, of, m.options.Rule)
		return m.network(made, of.sketch), err
	}
	whole, err := m.logits(nil)
	if err != nil {
		return nil, err
	}
	m.want = whole[0]
	plain, err := m.watch(nil)
	if err != nil {
		return nil, err
	}
	best, err := m.numbers(nil, plain, nil)
	if err != nil {
		return nil, err
	}
	if factor := factors(plain.sketch, plain.seen); len(factor) > 0 {
		moved, err := m.watch(factor)
		if err != nil {
			return nil, err
		}
		if best, err = m.numbers(factor, moved, best); err != nil {
			return nil, err
		}
	}
	if m.options.Share > 0 {
		if err := m.keep(best); err != nil {
			return nil, err
		}
	}
	if m.options.Rule == "" {
		err = m.refine(best)
	}
	return best, err
}

// numbers makes the network's numbers by each rule from what was seen with these factors, nil for none. It returns the best of these
// and of best, by the distance of the logits.
func (m *maker) numbers(factor map[int][]float32, of *watched, best *Network) (*Network, error) {
	var rules []Rule
	var all []*engine.Quantized
	for _, rule := range Rules() {
		if m.options.Rule != "" && rule != m.options.Rule {
			continue
		}
		made, err := m.byRule(factor, of, rule)
		if err != nil {
			return nil, err
		}
		rules, all = append(rules, rule), append(all, made)
	}
	logits, err := m.logits(all...)
	if err != nil {
		return nil, err
	}
	for i, made := range all {
		d, equal := distance(logits[i], m.want), factor != nil
		m.report("%s ranges, equalised %t: logits %.4f from float32's", rules[i], equal, d)
		if best == nil || d < best.Recipe.Distance {
			best, m.of = m.network(made, of.sketch), of
			best.Recipe.Rule, best.Recipe.Equal, best.Recipe.Trials, best.Recipe.Distance = rules[i], equal, m.trials, d
		}
	}
	return best, nil
}

func (m *maker) report(format string, args ...any) {
	if m.options.Progress != nil {
		m.options.Progress(fmt.Sprintf(format, args...))
	}
}

// network is a network of these numbers.
func (m *maker) network(q *engine.Quantized, s *engine.Sketch) *Network {
	n := &Network{Int8: q, Recipe: Recipe{Rule: m.options.Rule, Images: m.n, Share: max(m.options.Share, 0)}}
	for _, p := range s.Products {
		n.Layers = append(n.Layers, Layer{Node: p.Node, Name: p.Name, MACs: p.MACs})
	}
	return n
}

// describe names a node: by its own name, or by the last one before it that has one.
func (m *maker) describe(node int) string {
	n := &m.g.Nodes[node]
	if n.Op == nn.Input {
		return "the image"
	}
	for i := node; i >= 0; i-- {
		if name := m.g.Nodes[i].Name; name != "" {
			if i == node {
				return name
			}
			return fmt.Sprintf("the %v behind %s", n.Op, name)
		}
	}
	return fmt.Sprintf("the %v of node %d", n.Op, node)
}

// byRule makes scales of what was seen, and int8 weights of all layers.
func (m *maker) byRule(factor map[int][]float32, of *watched, rule Rule) (*engine.Quantized, error) {
	rules := map[int]Rule{}
	for _, node := range of.sketch.Values {
		rules[node] = rule
	}
	q := &engine.Quantized{Values: of.values(rules), Factor: factor}
	return q, m.weigh(q, of)
}

// weigh makes int8 weights of all layers, for the scales of the values that they read.
func (m *maker) weigh(q *engine.Quantized, of *watched) error {
	q.Layers = map[int]engine.Filters{}
	for i := range of.sketch.Products {
		p := &of.sketch.Products[i]
		if p.Depth > maxDepth {
			continue
		}
		scale := q.Values[p.Input]
		if f, ok := of.filters[p.Node]; ok && f.serves(p, scale) {
			q.Layers[p.Node] = f.Filters
			continue
		}
		f, err := filters(p, of.seen[p.Input], scale, m.tries())
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		q.Layers[p.Node], of.filters[p.Node] = f, made{f, scale}
	}
	return nil
}

// tries is how many ranges of a filter are tried.
func (m *maker) tries() int {
	if m.options.Fast {
		return 1
	}
	return shrinks
}

// near is how much wider than a part's range that of the whole may be for both to share it: a bit of the part's precision.
const near = 2

// share gives values whose bytes are the same bytes one scale: moved ones, and the parts of a concatenation whose ranges are
// near the whole's, so that they are written where they belong.
func share(values map[int]kernels.Quant, sketch *engine.Sketch) {
	whole := make([]int, 0, len(sketch.Concats))
	for node := range sketch.Concats {
		whole = append(whole, node)
	}
	slices.Sort(whole)
	for _, node := range slices.Backward(whole) {
		for _, part := range sketch.Concats[node] {
			if at, ok := values[part]; ok && part != 0 && values[node].Scale <= near*at.Scale {
				values[part] = values[node]
			}
		}
	}
	for _, pair := range slices.Backward(sketch.Same) {
		if pair[0] != 0 && values[pair[1]] != values[pair[0]] && partOf(sketch, pair[1]) {
			values[pair[0]] = values[pair[1]] // the concatenation's
		}
	}
	for _, pair := range sketch.Same {
		if at, ok := values[pair[0]]; ok {
			values[pair[1]] = at
		}
	}
}

// partOf reports whether a value is a part of a concatenation.
func partOf(s *engine.Sketch, node int) bool {
	for _, parts := range s.Concats {
		if slices.Contains(parts, node) {
			return true
		}
	}
	return false
}

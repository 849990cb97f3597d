package quantize

import (
	"maps"
	"slices"

	"zoobench/kernels"
	"zoobench/zoo/engine"
)

// refine gives each value in turn the rule by which the logits are nearest to float32's, the rules of the others being as they are.
func (m *maker) refine(n *Network) error {
	rules := map[int]Rule{}
	for _, node := range m.of.sketch.Values {
		rules[node] = n.Recipe.Rule
	}
	changed := 0
	for _, node := range m.of.sketch.Values {
		var others []Rule
		var all []*engine.Quantized
		own := rules[node]
		for _, rule := range Rules() {
			rules[node] = rule
			values := m.of.values(rules)
			if same := func(q *engine.Quantized) bool { return maps.Equal(values, q.Values) }; rule != own && !same(n.Int8) &&
				!slices.ContainsFunc(all, same) {
				q := *n.Int8
				q.Values = values
				others, all = append(others, rule), append(all, &q)
			}
		}
		rules[node] = own
		logits, err := m.logits(all...)
		if err != nil {
			return err
		}
		for i, q := range all {
			if d := distance(logits[i], m.want); d < n.Recipe.Distance {
				rules[node], n.Int8.Values, n.Recipe.Distance = others[i], q.Values, d
			}
		}
		if rules[node] != own {
			changed++
		}
	}
	n.Recipe.Changed = changed
	m.report("%d of %d values by another rule: logits %.4f from float32's", changed, len(rules), n.Recipe.Distance)
	return m.reweigh(n)
}

// reweigh makes the weights anew of layers whose least step another scale moves.
func (m *maker) reweigh(n *Network) error {
	kept := n.Int8.Layers
	if err := m.weigh(n.Int8, m.of); err != nil {
		return err
	}
	maps.DeleteFunc(n.Int8.Layers, func(node int, _ engine.Filters) bool {
		_, ok := kept[node]
		return !ok
	})
	return nil
}

// values are the scales of values by their rules.
func (of *watched) values(rules map[int]Rule) map[int]kernels.Quant {
	all := map[int]kernels.Quant{}
	for _, node := range of.sketch.Values {
		all[node] = of.seen[node].scale(rules[node])
	}
	share(all, of.sketch)
	return all
}

package quantize

import (
	"cmp"
	"maps"
	"slices"

	"zoobench/zoo/engine"
)

// worse is the least square of a layer's distance, as a share of the layers' mean, for which the layer may stay in float32: below
// that its share of the whole error is not worth its time.
const worse = 0.5

// keep measures each layer in int8 alone and gives those back to float32 that change the logits most for what they cost, as far
// as their share of the multiply-accumulates goes.
func (m *maker) keep(n *Network) error {
	all, squares := n.Int8.Layers, 0.0
	var total int64
	for i := range n.Layers {
		l := &n.Layers[i]
		total += l.MACs
		f, ok := all[l.Node]
		if !ok {
			l.Float = true
			continue
		}
		alone := *n.Int8
		alone.Layers = map[int]engine.Filters{l.Node: f}
		got, err := m.logits(&alone)
		if err != nil {
			return err
		}
		l.Distance = distance(got, m.want)
		squares += l.Distance * l.Distance
		m.report("%s alone in int8: logits %.4f from float32's", l.Name, l.Distance)
	}
	if total == 0 {
		return nil
	}
	order := make([]int, len(n.Layers))
	for i := range order {
		order[i] = i
	}
	worth := func(i int) float64 { return n.Layers[i].Distance * n.Layers[i].Distance / float64(n.Layers[i].MACs) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(worth(b), worth(a)) })
	var kept int64
	rest := maps.Clone(all)
	limit := worse * squares / float64(max(len(all), 1))
	for _, i := range order {
		l := &n.Layers[i]
		if d := l.Distance; d*d <= limit || l.Float {
			continue
		}
		if float64(kept+l.MACs) > n.Recipe.Share*float64(total) {
			continue
		}
		l.Float = true
		kept += l.MACs
		delete(rest, l.Node)
	}
	n.Int8.Layers = rest
	n.Recipe.Kept = float64(kept) / float64(total)
	got, err := m.logits(n.Int8)
	if err != nil {
		return err
	}
	n.Recipe.Distance = distance(got, m.want)
	m.report("%d of %d layers in float32: logits %.4f from float32's", len(n.Layers)-len(rest), len(n.Layers), n.Recipe.Distance)
	return nil
}

package quantize

import (
	"cmp"
	"fmt"
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
	var layers []*Layer
	for i := range n.Layers {
		l := &n.Layers[i]
		total += l.MACs
		if _, ok := all[l.Node]; !ok {
			l.Float, l.Why = true, fmt.Sprintf("its sums can exceed 32 bits: more than %d products", maxDepth)
			continue
		}
		layers = append(layers, l)
	}
	for some := range slices.Chunk(layers, atOnce) {
		var alone []*engine.Quantized
		for _, l := range some {
			q := *n.Int8
			q.Layers = map[int]engine.Filters{l.Node: all[l.Node]}
			alone = append(alone, &q)
		}
		logits, err := m.logits(alone...)
		if err != nil {
			return err
		}
		for i, l := range some {
			l.Distance = distance(logits[i], m.want)
			squares += l.Distance * l.Distance
			if m.options.Audit {
				if l.Output, err = m.atOutput(l.Node, alone[i]); err != nil {
					return err
				}
			}
			m.report("%s alone in int8: logits %.4f from float32's", l.Name, l.Distance)
		}
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
	mean := squares / float64(max(len(all), 1))
	for _, i := range order {
		l := &n.Layers[i]
		times := l.Distance * l.Distance / mean
		if !(times > worse) || l.Float {
			continue
		}
		text := fmt.Sprintf("%.1f times a layer's mean squared error at the logits, %.1f %% of the multiply-accumulates", times,
			100*float64(l.MACs)/float64(total))
		if float64(kept+l.MACs) > n.Recipe.Share*float64(total) {
			l.Why = text + ": with it more than the share in float32"
			continue
		}
		l.Float, l.Why = true, text
		kept += l.MACs
		delete(rest, l.Node)
	}
	n.Int8.Layers = rest
	n.Recipe.Kept = float64(kept) / float64(total)
	got, err := m.logits(n.Int8)
	if err != nil {
		return err
	}
	n.Recipe.Distance = distance(got[0], m.want)
	m.report("%d of %d layers in float32: logits %.4f from float32's", len(n.Layers)-len(rest), len(n.Layers), n.Recipe.Distance)
	return nil
}

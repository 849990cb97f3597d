package quantize

import (
	"fmt"
	"sync"

	"zoobench/kernels"
	"zoobench/zoo/engine"
)

// A watched is what was seen of a network's values, with its scale moved or not, and the weights that followed from it.
type watched struct {
	sketch  *engine.Sketch
	seen    map[int]*stats
	filters map[int]made // by a layer's first node
}

// made are a layer's weights in int8, for a scale of what the layer reads.
type made struct {
	engine.Filters
	scale kernels.Quant
}

// serves reports whether the same weights would be made for another scale: the least step that biases allow is far below those that
// are tried, for both scales.
func (f *made) serves(p *engine.Product, scale kernels.Quant) bool {
	if scale == f.scale || p.Bias == nil {
		return true
	}
	for oc, bias := range p.Bias {
		if least := f.Scale[oc] / 2; biasStep(bias, f.scale) > least || biasStep(bias, scale) > least {
			return false
		}
	}
	return true
}

// watch runs the calibration images, with scale moved between layers by these factors, and returns what each value was. Several
// engines of one thread each have an image each, and what they saw is added up in the order of the images, so that their number
// changes no bit.
func (m *maker) watch(factor map[int][]float32) (*watched, error) {
	sketch, err := engine.NewSketch(m.g, m.w, &engine.Quantized{Factor: factor})
	if err != nil {
		return nil, err
	}
	of := &watched{sketch: sketch, seen: map[int]*stats{}, filters: map[int]made{}}
	watchers := make([]*watcher, min(atOnce, m.threads(), m.n))
	for k := range watchers {
		e, err := engine.New(m.g, m.w, engine.Options{Threads: 1, Quantized: &engine.Quantized{Factor: factor, Apart: true}})
		if err != nil {
			return nil, err
		}
		defer e.Close()
		watchers[k] = &watcher{engine: e, seen: map[int]*stats{}, logits: make([]float32, m.g.Output().Elems())}
	}
	for first := 0; first < m.n; first += len(watchers) {
		some := watchers[:min(len(watchers), m.n-first)]
		var wait sync.WaitGroup
		for k, w := range some {
			wait.Go(func() { w.look(m, of, first+k) })
		}
		wait.Wait()
		for _, w := range some {
			if w.failed != nil {
				return nil, w.failed
			}
			for node, s := range w.seen {
				if of.seen[node] == nil {
					of.seen[node] = newStats(len(s.mean))
				}
				of.seen[node].join(s)
			}
		}
	}
	for _, node := range sketch.Values {
		s := of.seen[node]
		if s == nil {
			return nil, fmt.Errorf("%s: its value was not seen", m.describe(node))
		}
		if s.done(); s.constant() && (node == 0 || node == len(m.g.Nodes)-1) {
			return nil, fmt.Errorf("%s puts out the same value, %g, in all calibration images", m.describe(node), s.min)
		}
	}
	return of, nil
}

// A watcher sees the values of one image after another.
type watcher struct {
	engine *engine.Engine
	seen   map[int]*stats // of the image alone
	logits []float32
	failed error
}

// look sees an image's values; of has those of earlier images.
func (w *watcher) look(m *maker, of *watched, image int) {
	in := m.g.Input()
	src := m.images[image*in.Elems():][:in.Elems()]
	see := func(node int, t kernels.Tensor) {
		s := w.seen[node]
		if s == nil {
			s = newStats(t.C)
			w.seen[node] = s
		}
		s.clear(of.seen[node])
		if err := s.add(t); err != nil && w.failed == nil {
			w.failed = fmt.Errorf("%s puts out %w", m.describe(node), err)
		}
	}
	see(0, kernels.Tensor{Data: src, N: 1, H: in.H, W: in.W, C: in.C, Stride: in.C})
	w.engine.RunWatched(w.logits, src, 1, see)
}

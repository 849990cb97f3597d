package quantize

import (
	"cmp"
	"errors"
	"math"
	"runtime"
	"sync"

	"zoobench/zoo/engine"
)

// atOnce is how many engines of a network run side by side: each has the network's weights, and one on few threads waits less.
const atOnce = 4

// threads are those of all engines together.
func (m *maker) threads() int { return cmp.Or(m.options.Threads, runtime.GOMAXPROCS(0)) }

// logits are those of the trial images by each of some numbers; nil are those of float32.
func (m *maker) logits(all ...*engine.Quantized) ([][]float32, error) {
	logits, errs := make([][]float32, len(all)), make([]error, len(all))
	workers := min(len(all), atOnce, m.threads())
	var wait sync.WaitGroup
	for k := range workers {
		wait.Go(func() {
			for i := k; i < len(all); i += workers {
				logits[i], errs[i] = m.run(all[i], m.threads()/workers)
			}
		})
	}
	wait.Wait()
	return logits, errors.Join(errs...)
}

func (m *maker) run(q *engine.Quantized, threads int) ([]float32, error) {
	e, err := engine.New(m.g, m.w, engine.Options{Threads: threads, Quantized: q})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	in, out := m.g.Input().Elems(), m.g.Output().Elems()
	all := make([]float32, m.trials*out)
	for i := range m.trials {
		e.Run(all[i*out:][:out], m.images[i*in:][:in], 1)
	}
	return all, nil
}

// distance is the root of the squared differences, as a share of the size of what is wanted without its mean.
func distance(got, want []float32) float64 {
	mean, diff, size := 0.0, 0.0, 0.0
	for _, v := range want {
		mean += float64(v)
	}
	mean /= float64(len(want))
	for i, v := range want {
		d, s := float64(got[i])-float64(v), float64(v)-mean
		diff += float64(d * d)
		size += float64(s * s)
	}
	return math.Sqrt(diff / size)
}

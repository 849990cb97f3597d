package runner

import (
	"context"
	"slices"
	"time"

	"zoobench/bench/record"
)

// Layers are timed in a few runs of their own, after the measurement: reading the clock between them is no part of it.
const (
	layerRuns = 5
	layerTime = 2 * time.Second // after which no further run begins
)

// timeLayers fills in the layers' median times, each of a batch. It leaves them zero where the context ends before a run
// is done.
func (f *forward) timeLayers(ctx context.Context, layers []record.Layer) {
	e := f.network.Engine
	samples := make([][]time.Duration, len(layers))
	times := make([]time.Duration, len(layers))
	begin := time.Now()
	for run := 0; run < layerRuns && ctx.Err() == nil && (run == 0 || time.Since(begin) < layerTime); run++ {
		clear(times)
		e.RunTimed(f.logits, f.src, f.Batch(), times)
		for i, t := range times {
			samples[i] = append(samples[i], t)
		}
	}
	for i, s := range samples {
		if len(s) > 0 {
			slices.Sort(s)
			layers[i].P50 = s[len(s)/2].Nanoseconds()
		}
	}
}

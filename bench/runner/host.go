package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"zoobench/bench/host"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/stat"
	"zoobench/kernels"
)

// Host is what the machine can do and how steady it is, with the samples from which drift is computed.
type Host struct {
	record.Host
	Interference *record.Interference // while it was measured, nil where the system does not say
	calibration  load.Calibration
}

// Sizes of what the host is measured with.
const (
	peakRounds  = 200_000 // a fifth of a millisecond and more, so that a reading of the clock is nothing
	peakSamples = 201
	readBytes   = 256 << 20 // beyond any last-level cache of a desktop or a small server
	readChunk   = 1 << 20   // bytes between two looks at the context: assembly cannot be preempted
	readPasses  = 5
)

// MeasureHost measures the machine on one core, in about a second: nothing else should be running. Memory is read from
// a buffer of 256 MiB; the median of passes counts for the rates.
func MeasureHost(ctx context.Context) (Host, error) {
	watch := host.NewWatch(host.Root)
	timer := load.MeasureTimer(nil)
	h := Host{calibration: load.Calibrate(nil)}
	h.TimerStep, h.TimerCost = timer.Step.Nanoseconds(), timer.Cost.Nanoseconds()
	h.NoisePercent, h.AAPercent = 100*h.calibration.Noise(), 100*h.calibration.AA()

	samples := make([]int64, 0, peakSamples)
	var flops int64
	for range peakSamples {
		if err := ctx.Err(); err != nil {
			return h, err
		}
		start := time.Now()
		flops = kernels.PeakRounds(peakRounds)
		samples = append(samples, time.Since(start).Nanoseconds())
	}
	h.PeakGFLOPS = perNanosecond(flops, samples)

	buffer := make([]float32, readBytes/4)
	for i := range buffer {
		buffer[i] = 1 // a page that was never written has no memory of its own
	}
	samples = samples[:0]
	for range readPasses {
		start := time.Now()
		for chunk := range slices.Chunk(buffer, readChunk/4) {
			if err := ctx.Err(); err != nil {
				return h, err
			}
			if sum := kernels.ReadSum(chunk); sum != float32(len(chunk)) {
				return h, fmt.Errorf("runner: host: %d ones sum to %v", len(chunk), sum)
			}
		}
		samples = append(samples, time.Since(start).Nanoseconds())
	}
	h.ReadGBytes = perNanosecond(readBytes, samples)
	h.Interference = watch.Seen()
	return h, nil
}

// perNanosecond is work over the median time: 1e9 a second.
func perNanosecond(work int64, samples []int64) float64 {
	return float64(work) / float64(max(1, stat.At(slices.Sorted(slices.Values(samples)), 0.5)))
}

// Disturbed says what interfered while the machine was measured.
func (h Host) Disturbed() []string {
	if h.Interference == nil {
		return nil
	}
	reasons, warnings := host.Judge(*h.Interference, 1, true)
	return slices.Concat(reasons, warnings)
}

// record is the host as a row of a run. Before is what it was like when the run began, nil for that row itself.
func (h Host) record(before *Host) *record.Record {
	r := &record.Record{
		Kind: record.KindHost, Time: time.Now().UTC(), Machine: thisMachine(), Host: &h.Host, Interference: h.Interference,
		Verdict: record.Verdict{Valid: true, Warnings: h.Disturbed()},
	}
	if h.NoisePercent > hostWarnPercent {
		r.Verdict.Warnings = append(r.Verdict.Warnings, fmt.Sprintf("noisy host: the same work spreads over %.1f %%", h.NoisePercent))
	}
	if h.AAPercent > hostWarnPercent {
		r.Verdict.Warnings = append(r.Verdict.Warnings,
			fmt.Sprintf("noisy host: the same work measured twice, side by side, differs by %.1f %%", h.AAPercent))
	}
	if before != nil {
		h.DriftPercent = 100 * load.Drift(before.calibration, h.calibration)
		r.Host = &h.Host
		if max(h.DriftPercent, -h.DriftPercent) > hostWarnPercent {
			r.Verdict.Warnings = append(r.Verdict.Warnings,
				fmt.Sprintf("the machine's speed had changed by %+.1f %% when the run ended", h.DriftPercent))
		}
	}
	return r
}

// hostWarnPercent is the noise or drift from which a reader should know: differences between networks of that size
// may be the host's.
const hostWarnPercent = 5

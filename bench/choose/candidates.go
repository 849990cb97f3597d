package choose

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/kernels"
	"zoobench/zoo"
)

// An absentCheckpoint is a published checkpoint that is not in the cache folder and keeps the limit on parameters.
type absentCheckpoint struct {
	Name  string  `json:"name"`
	Bytes int64   `json:"bytes"` // about: of the parameters in float32
	Top1  float64 `json:"published_top1,omitempty"`
	URL   string  `json:"url,omitempty"`
}

// everything is the pattern of all networks.
const everything = "*"

// candidates lists the checkpoints in the cache folder, after saying how many are not there.
func (c *chooser) candidates(ctx context.Context) error {
	files, patterns := divided(c.o.Networks)
	var specs []*zoo.Spec
	if len(files) == 0 || len(patterns) > 0 {
		var err error
		if specs, err = c.o.List.Match(patterns); err != nil {
			return fmt.Errorf("choose: %w", err)
		}
	}
	for _, file := range files {
		spec, err := runner.Find(c.o.List, file)
		if err != nil {
			return fmt.Errorf("choose: %w", err)
		}
		for _, other := range c.contenders {
			if other.Network == spec.Name {
				return fmt.Errorf("choose: %s and %s have one name; rename one", other.task.Weights, file)
			}
		}
		c.add(Candidate{Name: spec.Name, Network: spec.Name, File: spec.Name}, runner.Task{Job: experiment.Job{Model: file}, Weights: file})
	}
	for _, s := range specs {
		g, err := s.Graph(0, 0)
		if err != nil {
			return fmt.Errorf("choose: %w", err)
		}
		tags, err := c.o.Cache.Tags(s)
		if err != nil {
			return err
		}
		if known, ok := s.Shipped(); ok && slices.Equal(patterns, []string{everything}) { // of computed images: only for those who ask
			tags = slices.DeleteFunc(tags, func(tag string) bool { return tag == known.Tag })
		}
		if c.Limits.Params == 0 || g.ParamCount() <= c.Limits.Params {
			bytes := int64(0)
			for _, p := range g.Params {
				bytes += 4 * int64(p.Elems())
			}
			c.absent(s, tags, bytes)
		}
		for _, tag := range tags {
			file, err := c.o.Cache.Find(s, tag)
			if err != nil {
				return err
			}
			c.add(Candidate{Name: s.Name + "." + tag, Network: s.Name, File: filepath.Base(file)},
				runner.Task{Job: experiment.Job{Model: s.Name}, Tag: tag, Weights: file})
		}
	}
	c.sayAbsent()
	for i, cand := range c.contenders {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.consider(cand)
		c.o.Step("reading checkpoints", i+1, len(c.contenders))
	}
	if len(c.Candidates) == 0 {
		return fmt.Errorf("choose: %w; put files into %s as NETWORK.TAG.safetensors, .pth, .h5 or .keras", errNothing, c.o.Cache.Weights())
	}
	return nil
}

// divided are the ONNX files among what selects networks, and the patterns.
func divided(networks []string) (files, patterns []string) {
	for _, n := range networks {
		if runner.IsONNX(n) {
			files = append(files, n)
		} else {
			patterns = append(patterns, n)
		}
	}
	return files, patterns
}

// add makes of a checkpoint a candidate in each precision.
func (c *chooser) add(of Candidate, t runner.Task) { c.addIn(c.o.Precisions, of, t) }

// addIn makes of a checkpoint a candidate in each of some precisions. What int8 makes of it comes from the images of the choice, whose
// labels are not used for that.
func (c *chooser) addIn(precisions []string, of Candidate, t runner.Task) {
	for _, precision := range precisions {
		cand := of
		if precision == record.Int8 {
			t.Job.Calibration = &experiment.Calibration{
				Data: c.o.Data, Split: c.o.Split, Images: experiment.CalibrationImages, Seed: c.o.Seed, Ranks: true, PassOver: true,
			}
		}
		t.Precision, cand.Precision, cand.Name = precision, precision, record.Axes{Precision: precision}.Named(of.Name)
		c.Candidates, c.contenders = append(c.Candidates, &cand), append(c.contenders, &contender{Candidate: &cand, task: t})
	}
}

// consider notes what a checkpoint says of itself and what its own graph costs: a file may have another number of classes
// than the network, and its recipe another size. One whose graph cannot be made is a candidate with the reason.
func (c *chooser) consider(cand *contender) {
	r, err := runner.Describe(c.o.List, cand.task)
	if err != nil {
		c.fail(cand, err.Error())
		return
	}
	r.Close()
	cand.SHA256, cand.Params, cand.MACs = r.SHA256, r.Graph.ParamCount(), r.Graph.MACs()
	cand.exceeds("parameters", cand.Params, c.Limits.Params, func(n int64) string { return fmt.Sprintf("%.2f M", float64(n)/1e6) })
}

// absent notes a network's published checkpoints that are not in the cache.
func (c *chooser) absent(s *zoo.Spec, tags []string, bytes int64) {
	for _, p := range s.Checkpoints {
		if slices.Contains(tags, p.Tag) || p.URL() == "" {
			continue
		}
		a := absentCheckpoint{Name: s.Name + "." + p.Tag, Bytes: bytes, URL: p.URL()}
		for _, r := range p.Results {
			a.Top1 = max(a.Top1, r.Top1)
		}
		c.Absent = append(c.Absent, a)
	}
}

func (c *chooser) sayAbsent() {
	slices.SortStableFunc(c.Absent, func(a, b absentCheckpoint) int { return cmp.Compare(b.Top1, a.Top1) })
	if text := c.absentLine(); text != "" {
		c.o.Say(text + " " + c.pullCommand())
	}
}

// exceeds notes a limit that is not kept, and that the network is left out where it is not even near.
func (cand *Candidate) exceeds(what string, have, limit int64, form func(int64) string) {
	if limit == 0 || have <= limit {
		return
	}
	cand.Exceeds = append(cand.Exceeds, fmt.Sprintf("%s %s, limit %s", what, form(have), form(limit)))
	cand.Skipped = cand.Skipped || have > nearMiss*limit
}

// time times every candidate, nothing else running, and compares the figures with the limits.
func (c *chooser) time(ctx context.Context) error {
	t, err := openTimings(c.store.Dir, c.store.Build, c.Time)
	if err != nil {
		return err
	}
	if err := c.timeThese(ctx, t, c.contenders); err != nil {
		return err
	}
	known := len(c.contenders)
	c.addLighter()
	added := c.contenders[known:]
	for _, cand := range added {
		c.consider(cand)
	}
	if len(added) > 0 {
		c.o.Say(fmt.Sprintf("%d networks exceed a limit in float32 and are measured in int8 too", len(added)))
	}
	if err := c.timeThese(ctx, t, added); err != nil {
		return err
	}
	if slices.ContainsFunc(c.contenders, func(cand *contender) bool { return cand.Precision == record.Int8 && cand.Err == "" }) {
		c.warn("networks in int8 are quantised on %d of these images, or on all if there are fewer, without their labels; their heads learn "+
			"from what the network in int8 computes, which is what they get later", experiment.CalibrationImages)
	}
	c.warnOfTimings()
	return nil
}

// lighterTimes is how many times as fast, and as small, int8 can make a network: it has four times the products of an instruction.
const lighterTimes = 4

// addLighter makes candidates in int8 of the networks that exceed a limit on latency or memory in float32, if int8 can be expected to
// keep it.
func (c *chooser) addLighter() {
	if !c.o.lighter {
		return
	}
	for _, cand := range c.contenders {
		latency, memory := c.Limits.Latency.Nanoseconds(), c.Limits.Memory
		over := latency > 0 && cand.Latency > latency || memory > 0 && cand.Memory > memory
		near := (latency == 0 || cand.Latency <= lighterTimes*latency) && (memory == 0 || cand.Memory <= lighterTimes*memory)
		fits := c.Limits.Params == 0 || cand.Params <= c.Limits.Params
		if cand.Err != "" || cand.timing == nil || cand.timing.RanWith().Precision != "" || !over || !near || !fits {
			continue
		}
		c.addIn([]string{record.Int8}, Candidate{Name: cand.Name, Network: cand.Network, File: cand.File}, cand.task)
	}
}

// timeThese times some candidates.
func (c *chooser) timeThese(ctx context.Context, t *timings, some []*contender) error {
	var open []*contender
	var tasks []runner.Task
	for _, cand := range some {
		if cand.Err != "" || cand.Skipped {
			continue
		}
		task := c.timed(cand)
		if r := t.find(task, cand.SHA256); r != nil && !c.o.Fresh {
			c.note(cand, r)
			continue
		}
		open, tasks = append(open, cand), append(tasks, task)
	}
	if len(tasks) > 0 {
		c.o.Say(fmt.Sprintf("measuring the latency of %d networks, each in %d processes, for at least %v in all",
			len(tasks), experiment.DefaultProcesses, time.Duration(len(tasks))*c.o.MinDuration))
	}
	rows, failed, err := t.measure(ctx, c.o.Worker.Rounds, tasks, func(done, total int) { c.o.Step("measuring latencies", done, total) })
	if err != nil {
		return err
	}
	for i, cand := range open {
		if failed[i] != nil {
			c.fail(cand, failed[i].Error())
			continue
		}
		c.note(cand, rows[i])
	}
	return nil
}

// timed is the task of timing a candidate. What the worker would take by itself is named, so that a timing that is found was
// made as one would be now.
func (c *chooser) timed(cand *contender) runner.Task {
	t := cand.task
	t.ISA, t.Threads = kernels.ISA(), cmp.Or(c.Threads, runtime.GOMAXPROCS(0))
	t.Batch, t.NoTune, t.Processes = c.Batch, c.o.NoTune, experiment.DefaultProcesses
	t.Scenario, t.Timeout = string(load.SingleStream), timingTimeout
	t.Job.Latency = &experiment.Latency{MinDuration: c.o.MinDuration, MinSamples: stat.MinSamples(c.Limits.Percentile)}
	return t
}

// warnOfTimings names the networks whose latency cannot be trusted, and those of which it decides nothing.
func (c *chooser) warnOfTimings() {
	var poor, open []string
	for _, cand := range c.Candidates {
		if len(cand.TimingWarnings) > 0 {
			poor = append(poor, cand.Name)
		}
		if len(cand.Undecided) > 0 {
			open = append(open, cand.Name)
		}
	}
	if len(poor) > 0 {
		c.warn("%d of %d networks were measured while other work disturbed them; their latencies may be too high and are marked with %s: %s. "+
			"They are measured again when the command is repeated", len(poor), len(c.Candidates), disturbed, strings.Join(poor, ", "))
	}
	if len(open) > 0 {
		c.warn("it is not certain whether these networks keep the limit on latency, so they are not picked: %s", strings.Join(open, ", "))
	}
}

// note takes a timing's figures over.
func (c *chooser) note(cand *contender, r *record.Record) {
	cand.timing = r
	cand.Processes, cand.Between = len(r.Processes), r.BetweenPercent
	cand.SHA256, cand.Load, cand.Timed = r.WeightsSHA256, r.Load, r.Time.Format(time.RFC3339)
	cand.Memory = r.PeakRSSBytes
	if cand.Memory == 0 {
		cand.Memory = r.WeightsBytes + r.ArenaBytes
		cand.Warnings = append(cand.Warnings,
			"memory is the size of weights and activations: this system does not report the memory of a process")
	}
	cand.TimingWarnings = slices.Concat(r.Verdict.Reasons, r.Verdict.Warnings)
	if !r.Verdict.Valid {
		c.warn("the timing of %s is not valid after %d attempts: %s", cand.Name, attempts, strings.Join(r.Verdict.Reasons, "; "))
	}
	if cand.Latency = percentiles[c.Limits.Percentile](r.Timing); cand.Latency == 0 {
		c.fail(cand, fmt.Sprintf("%d samples are too few for a p%g; time longer with --min-duration", r.N, 100*c.Limits.Percentile))
		return
	}
	cand.Mean = int64(r.Mean)
	cand.LatencyLo, cand.LatencyHi = latencyInterval(r.Timing, c.Limits.Percentile)
	if limit := c.Limits.Latency.Nanoseconds(); cand.undecided(limit) {
		cand.Undecided = append(cand.Undecided, fmt.Sprintf("latency %s (95 %% interval %s to %s, measured with warnings), limit %s",
			milliseconds(cand.Latency), milliseconds(cand.LatencyLo), milliseconds(cand.LatencyHi), milliseconds(limit)))
	} else {
		cand.exceeds("latency", cand.Latency, limit, milliseconds)
	}
	cand.exceeds("memory", cand.Memory, c.Limits.Memory, func(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) })
}

// undecided reports whether a timing with warnings leaves open if the latency keeps a limit: its interval has values on both
// sides of it.
func (cand *Candidate) undecided(limit int64) bool {
	return limit > 0 && len(cand.TimingWarnings) > 0 && cand.LatencyLo <= limit && limit < cand.LatencyHi
}

// latencyInterval is a percentile's 95 % interval: that of its samples, and no narrower than that of the processes' medians
// as a share. Both are 0 where there is none.
func latencyInterval(t *record.Timing, percentile float64) (lo, hi int64) {
	value := percentiles[percentile](t)
	if iv, ok := stat.PercentileInterval(slices.Sorted(slices.Values(t.Samples)), percentile, 0.95); ok {
		lo, hi = iv.Lo, iv.Hi
	}
	if t.P50Lo > 0 {
		scaled := func(bound int64) int64 { return int64(float64(value) * float64(bound) / float64(t.P50)) }
		if lo == 0 || scaled(t.P50Lo) < lo {
			lo = scaled(t.P50Lo)
		}
		hi = max(hi, scaled(t.P50Hi))
	}
	return lo, hi
}

package runner

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/bench/stat"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// forward is a network's forward call on images that are ready, as bench/load times it.
type forward struct {
	network     *Network
	logits, src []float32
}

func newForward(n *Network) *forward {
	in, batch := n.Graph.Input(), n.Engine.Batch()
	// The golden tests' two images, in turn: dense numbers of ordinary size, as a normalised photograph has them.
	two := generatedImages(weights.Generator{}, in, 2)
	f := &forward{network: n, logits: make([]float32, batch*n.Graph.Output().Elems()), src: make([]float32, batch*in.Elems())}
	for at := 0; at < len(f.src); at += len(two) {
		copy(f.src[at:], two)
	}
	return f
}

// generatedImages are n images of a shape, one behind the other.
func generatedImages(g weights.Generator, in nn.Shape, n int) []float32 {
	planes := g.Planes(n*in.C, in.H, in.W)
	x := make([]float32, len(planes))
	size, pixels := in.Elems(), in.H*in.W
	for i := range x {
		rest := i % size
		x[i] = planes[i-rest+rest%in.C*pixels+rest/in.C]
	}
	return x
}

// Batch is the largest number of images of one call.
func (f *forward) Batch() int { return f.network.Engine.Batch() }

// Run computes the logits of the first images, as many as are asked for.
func (f *forward) Run(images int) error {
	f.network.Engine.Run(f.logits, f.src, images)
	return nil
}

// finite reports whether the last call's logits are all numbers: the speed of one that computed NaNs says little.
func (f *forward) finite() bool {
	for _, v := range f.logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}

// Latency makes a task's network ready and times its forward call under the task's scenario. The process belongs to
// the measurement: Go runs on as many threads as the task has workers, and the collector is quiet while the clock runs,
// since a run allocates nothing that it would have to collect.
func Latency(ctx context.Context, list *zoo.List, t Task) (*record.Record, error) {
	n, err := Open(list, t)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	f := newForward(n)
	layers := n.layers()
	o, whole, err := t.load()
	if err != nil {
		return nil, err
	}
	res, seen, energy, noEnergy, err := f.time(ctx, o, layers, t.Process == 0)
	if err != nil {
		return nil, err
	}
	footprint, peakKnown := n.footprint() // before the images of a recheck are in memory

	r := n.record(record.KindLatency, t)
	r.ImgSize, r.Batch, r.Threads = n.Recipe.Size, n.Engine.Batch(), n.Engine.Threads()
	r.Scenario = string(res.Scenario)
	fillScenario(r.Effective, whole)
	r.ImagesPerSec = res.ImagesPerSec()
	r.Layers = layers
	r.Verdict = record.Verdict(res.Verdict)
	r.Verdict.Warnings = append(r.Verdict.Warnings, n.warnings()...)
	if !f.finite() {
		r.Verdict.Valid = false
		r.Verdict.Reasons = append(r.Verdict.Reasons, "the logits are not finite")
	}
	r.NotMeasured = map[string]string{}
	interfered(r, seen)
	if !o.Part {
		disturbed(r, res.Scenario != load.Server)
	}
	if len(res.Samples) > 0 {
		r.Timing = record.NewTiming(res.Samples, res.Span)
		r.Warmup, r.WarmupTime = res.Warmup, res.WarmupTime.Nanoseconds()
		r.Late, r.Unanswered = res.Late, res.Unanswered
	}
	if images := res.Warmup*f.Batch() + res.Images; noEnergy == "" && images > 0 {
		r.JoulesPerImage = energy / float64(images)
	} else {
		r.NotMeasured["joules_per_image"] = cmp.Or(noEnergy, "no image was done")
	}
	if r.Footprint = footprint; !peakKnown {
		r.NotMeasured["peak_rss_bytes"] = "this system does not say"
	}
	if t.Recheck != nil && t.Process == 0 {
		if r.Recheck, err = n.recheck(ctx, t.Recheck); err != nil {
			r.NotMeasured[recheckColumn] = err.Error()
		}
	}
	return r, nil
}

// time measures under o, and the layers after it if they are asked for, while Go keeps out of the way. What interfered is nil
// where the system does not say; the energy is that of the measurement, in joules, or why it is not known.
func (f *forward) time(ctx context.Context, o load.Options, layers []record.Layer, each bool) (
	res load.Result, seen *record.Interference, energy float64, noEnergy string, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(f.network.Engine.Threads()))
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	meter := newEnergyMeter(raplDir)
	if res, seen, err = watched(ctx, f, o); err != nil {
		return res, nil, 0, "", err
	}
	energy, noEnergy = meter.joules()
	if each {
		f.timeLayers(ctx, layers)
	}
	return res, seen, energy, noEnergy, nil
}

// options are how a task asks to be timed, in all of its processes together.
func (t *Task) options() load.Options {
	o := load.Options{Scenario: load.Scenario(t.Scenario)}
	if l := t.Job.Latency; l != nil {
		o.MinDuration, o.MaxDuration, o.MinSamples = l.MinDuration, l.MaxDuration, l.MinSamples
		o.Streams, o.Rate, o.LatencyBound, o.Seed = l.Streams, l.Rate, l.LatencyBound, l.Seed
	}
	return o
}

// load is how one of a task's processes is timed, and what all of them together come to, defaults filled in. The processes
// share out the duration and the samples, but each has enough of them for a median; a server's arrivals differ between them.
func (t *Task) load() (part, whole load.Options, err error) {
	if whole, err = t.options().WithDefaults(); err != nil {
		return part, whole, err
	}
	part = whole
	if n := t.processes(); n > 1 {
		part.Part = true
		part.MinDuration, part.MaxDuration = whole.MinDuration/time.Duration(n), whole.MaxDuration/time.Duration(n)
		part.MinSamples = max((whole.MinSamples+n-1)/n, stat.MinSamples(0.5))
		part.Seed = whole.Seed + uint64(t.Process)
	}
	return part, whole, nil
}

// processes is in how many processes a task is done.
func (t *Task) processes() int { return max(t.Processes, 1) }

// fillScenario fills in a scenario's settings, those alone that are its own: an experiment has one set for all of its
// scenarios.
func fillScenario(s *record.Settings, o load.Options) {
	s.Scenario, s.MinSamples = string(o.Scenario), o.MinSamples
	s.MinDuration, s.MaxDuration = o.MinDuration, o.MaxDuration
	switch o.Scenario {
	case load.MultiStream:
		s.Streams = o.Streams
	case load.Server:
		s.Rate, s.LatencyBound = o.Rate, o.LatencyBound
	}
}

// record describes the network and the settings it runs with; figures are the caller's to add.
func (n *Network) record(kind record.Kind, t Task) *record.Record {
	r := NewRecord(kind, n.Spec, t)
	r.Model = n.Spec.Name
	r.Checkpoint, r.WeightsFile, r.WeightsSHA256 = n.Tag, n.File, n.SHA256
	r.WeightsSection, r.WeightsPrefix, r.WeightsNames, r.RecipeSource = n.Taken.Section, n.Taken.Prefix, n.Naming, n.Source
	r.Cost = &record.Cost{Params: n.Graph.ParamCount(), MACs: n.Graph.MACs(), Activations: n.Graph.Activations()}
	r.Recipe = &record.Recipe{
		ImgSize: n.Recipe.Size, Resize: n.Recipe.Resize, CropPct: n.Recipe.CropPct, CropMode: n.Recipe.CropMode,
		Interpolation: n.Recipe.Interpolation, Mean: n.Recipe.Mean, Std: n.Recipe.Std, BGR: n.Recipe.BGR,
	}
	if int(float64(n.Recipe.Size)/n.Recipe.CropPct) != n.Recipe.Resize {
		r.Recipe.CropPct = float64(n.Recipe.Size) / float64(n.Recipe.Resize) // the edge was published, not the share
	}
	r.RecipeSHA256 = r.Recipe.Hash()
	r.Plan = n.planRecord()
	r.Published = publishedFigures(n.Spec, n.Tag, &n.Recipe)
	r.Machine.ISA = kernels.ISA()
	effective := *r.Asked
	effective.ImgSize, effective.Batch, effective.Threads = n.Recipe.Size, n.Engine.Batch(), n.Engine.Threads()
	effective.ISA, effective.NumClasses, effective.Precision = kernels.ISA(), n.Graph.Classes, n.task.Precision
	r.Effective = &effective
	r.Calibration = n.calibration()
	return r
}

package runner

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zoobench/bench/record"
	"zoobench/datasets/corrupt"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

// A Network is a network of the zoo, ready to run.
type Network struct {
	*Ready
	Engine   *engine.Engine
	LoadTime time.Duration // from file (or generator) to ready, without trials of algorithms and the wait for the file's hash
}

// Open makes a task's network ready, as Describe and then Load with the task's own options do; the hash of its file is
// computed beside both.
func Open(list *zoo.List, t Task) (*Network, error) {
	r, err := describe(list, t)
	if err != nil {
		return nil, err
	}
	return r.Load(r.Options())
}

// OpenForPhotographs is Open for a network that images are to be prepared for.
func OpenForPhotographs(list *zoo.List, t Task) (*Network, error) {
	r, err := describe(list, t)
	if err != nil {
		return nil, err
	}
	if err := r.Photographs(); err != nil {
		r.Close()
		return nil, err
	}
	return r.Load(r.Options())
}

// Corruption is what the task's images are worsened with, "" for nothing, and whose the corrupted images are.
func (n *Network) Corruption() (name, by string) {
	if n.task.Corruption == "" {
		return "", ""
	}
	return n.task.Corruption, corrupt.Source(n.Recipe.Size, n.task.corruptionSeed())
}

// Close ends the engine's workers.
func (n *Network) Close() { n.Engine.Close() }

// warnings are what a reader of any figure of this network should know of how it was made ready.
func (n *Network) warnings() []string {
	warnings := slices.Concat(n.Notes(), n.Engine.Trials().Notes)
	if count := n.Engine.Denormals(); count > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"%d weights are below the normal range of numbers (1.2e-38): kernels in plain Go compute slowly with them", count))
	}
	return warnings
}

// NewTuner chooses algorithms by trials and remembers them in the cache folder, where there is one.
func NewTuner() *engine.Tuner {
	t := &engine.Tuner{CPU: record.ThisMachine().Class(), Build: KernelBuild()}
	if cache, err := DefaultCache(); err == nil {
		t.File = filepath.Join(cache.Dir, "trials.jsonl")
	}
	return t
}

// footprint is what the network takes up now; the peak is that of the whole process so far.
func (n *Network) footprint() (f *record.Footprint, peakKnown bool) {
	f = &record.Footprint{
		WeightsBytes: n.Engine.WeightBytes(), ArenaBytes: n.Engine.ArenaBytes(), Load: n.LoadTime.Nanoseconds(),
		Tune: n.Engine.Trials().Time.Nanoseconds(),
	}
	f.PeakRSSBytes, peakKnown = peakRSS()
	return f, peakKnown
}

// layers are the steps of the engine's plan.
func (n *Network) layers() []record.Layer {
	var layers []record.Layer
	for _, l := range n.Engine.Layers() {
		layers = append(layers, record.Layer{
			Name: l.Name, Op: strings.Join(append([]string{l.Op}, l.Fused...), "+"),
			Out: []int{l.Out.C, l.Out.H, l.Out.W}, Params: l.Params, MACs: l.MACs, Algorithm: l.Algorithm, MaxError: l.Error, Kind: string(l.Kind),
		})
	}
	return layers
}

// planRecord is how the engine computes, as a record has it.
func (n *Network) planRecord() *record.Plan {
	plan := n.Engine.Plan()
	p := &record.Plan{Hash: plan.Hash, Source: plan.Source}
	for _, c := range plan.Choices {
		p.Choices = append(p.Choices, record.Choice(c))
	}
	for _, l := range n.Engine.Layers() {
		p.MaxError = max(p.MaxError, l.Error)
	}
	return p
}

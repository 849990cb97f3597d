package runner

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// NewRecord is what a task's record holds before anything is measured, and what a failed one is left with.
func NewRecord(kind record.Kind, spec *zoo.Spec, t Task) *record.Record {
	r := &record.Record{
		Kind: kind, JobID: t.ID, Experiment: t.Experiment, Time: time.Now().UTC(), Machine: thisMachine(),
		Model: t.Model, Checkpoint: t.Tag, WeightsFile: t.Weights,
		Asked: &record.Settings{Axes: t.Axes, Processes: t.Processes, Timeout: t.Timeout, PricePerHour: t.Price},
	}
	if l := t.Job.Latency; l != nil {
		fillScenario(r.Asked, t.options())
		r.Asked.Seed = l.Seed
	}
	if a := t.Job.Accuracy; a != nil {
		r.Asked.Limit, r.Asked.Seed, r.Asked.Answers = a.Limit, a.Seed, a.Answers
	}
	if spec != nil {
		r.Model, r.Family, r.Year = spec.Name, spec.Family, spec.Year
		r.Published = publishedFigures(spec, t.Tag, nil)
	}
	return r
}

// thisMachine is the machine with what only the kernels know of it.
func thisMachine() record.Machine {
	m := record.ThisMachine()
	m.ISA = kernels.ISA()
	m.KernelBuild = KernelBuild()
	return m
}

// KernelBuild identifies this program's compute kernels: records of two builds may differ by more than the networks do.
func KernelBuild() string {
	build, _ := Build()
	return build
}

// Build identifies this program. The module's version does so, with the build's tags; a build without a version, as from
// a tree with uncommitted changes, also has the program's own hash. If that cannot be read, the error says why, and two
// programs may have one identity.
func Build() (string, error) { return thisBuild() }

var thisBuild = sync.OnceValues(func() (string, error) {
	build := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		build = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "-tags" && s.Value != "" {
				build += " tags=" + s.Value
			}
		}
	}
	if build != "" && !strings.HasPrefix(build, "(devel)") && !strings.Contains(build, "+dirty") {
		return build, nil
	}
	self, err := os.Executable()
	if err != nil {
		return build, err
	}
	sum, err := weights.HashFile(context.Background(), self)
	if err != nil {
		return build, err
	}
	return strings.TrimSpace(build + " program " + sum[:16]), nil
})

// publishedFigures are the literature's for a network, with the accuracies of the checkpoint of this tag or, where tag
// is "", of the first one in the table that has any: those for images prepared by the recipe, nil for its own, else those
// at its own size. It is nil where nothing is published.
func publishedFigures(spec *zoo.Spec, tag string, recipe *zoo.Recipe) *record.Published {
	p := publishedCounts(spec)
	i := slices.IndexFunc(spec.Checkpoints, func(c zoo.Checkpoint) bool {
		return len(c.Results) > 0 && (c.Tag == tag || tag == "")
	})
	if i >= 0 {
		c := spec.Checkpoints[i]
		best := c.Results[0]
		for _, res := range c.Results {
			if res.Size == c.Recipe.Full(spec.Size).Size {
				best = res
				break
			}
		}
		if recipe != nil {
			if res, ok := c.ResultAt(*recipe); ok {
				best = res
			}
		}
		p.Top1, p.Top5, p.ImgSize, p.Dataset = best.Top1, best.Top5, best.Size, datasets.Validation
		p.Source = fmt.Sprintf("%s, by %s", c.Name(), c.Library)
	}
	if *p == (record.Published{Source: p.Source}) {
		return nil
	}
	return p
}

// publishedCounts are a network's published parameters and MACs alone.
func publishedCounts(spec *zoo.Spec) *record.Published {
	return &record.Published{Params: spec.Params, MACs: spec.MACs, Source: spec.Paper}
}

// publishedV2 are a network's published figures with the checkpoint's accuracies on ImageNetV2 matched-frequency for images
// prepared by the recipe, where its library publishes any: timm does.
func publishedV2(spec *zoo.Spec, tag string, recipe zoo.Recipe) *record.Published {
	p := publishedCounts(spec)
	c, _ := spec.Checkpoint(tag)
	if res, ok := c.ResultAt(recipe); ok && res.V2Top1 > 0 {
		p.Top1, p.Top5, p.ImgSize = res.V2Top1, res.V2Top5, res.Size
		p.Dataset, p.Source = datasets.ImageNetV2, fmt.Sprintf("%s, by %s", c.Name(), c.Library)
	}
	return p
}

// Package runner turns experiments into records: it makes networks ready, measures them, in processes of their own, and
// keeps what was measured. Networks that are to be trained first are taught by a [Teacher].
//
// The contract: every job leaves a record, the one that failed as well, with the reason. A record is on disk before the
// next process starts, so that a run that was killed has lost at most the process under way and goes on from there.
// Timed jobs come first and have the machine to themselves; several processes measure each, in rounds over all of them.
// What could not be measured is a row that says why and how to get it; published figures stand beside measured ones and
// never in their place. A worker ends when its parent does, whatever ended that.
//
// It leaves scenarios and the clock to bench/load, the meaning of experiments.yaml to bench/experiment, the form of
// records to bench/record and everything that takes more than one record to reports.
package runner

import (
	"zoobench/bench/experiment"
	"zoobench/zoo"
	"zoobench/zoo/engine"
)

// A Task is a job as a worker gets it: one measurement of one network with, at most, one checkpoint.
type Task struct {
	experiment.Job
	Tag     string `json:",omitzero"` // the checkpoint's, "" where it has none
	Weights string `json:",omitzero"` // its file; "" for generated weights
	Recipe  Recipe `json:",omitzero"`

	// Numbers is a file of what int8 makes of the network, of the same weights and calibration; "" to find or make it first. Of a task
	// that is to Quantize, finding or making the file is all that there is to do.
	Numbers  string `json:",omitzero"`
	Quantize bool   `json:",omitzero"`

	Samples string `json:",omitzero"` // an accuracy's per-sample file, "" for none

	Out string `json:",omitzero"` // file of the checkpoint that a training leaves

	// Process is which of its processes this is of a timed job, from 0. The first one times the layers and makes the
	// predictions of Recheck as well.
	Process int `json:",omitzero"`

	// Choices are those of an earlier engine's plan, to be made again; nil for new trials or, with NoTune, the table.
	Choices []engine.Choice `json:",omitzero"`

	// From and To are the first image of an evaluation's part and the one behind its last; To is 0 for all images.
	From int `json:",omitzero"`
	To   int `json:",omitzero"`

	// Pipeline asks for the speed from file to prediction instead of the accuracy of the same images.
	Pipeline bool `json:",omitzero"`

	// Recheck is an accuracy that belongs to a timed job: once the times are taken, the timed engine predicts a few of
	// its images. It is nil for none.
	Recheck *experiment.Accuracy `json:",omitzero"`
}

// A Recipe overrides parts of a checkpoint's preprocessing; its zero fields override nothing.
type Recipe struct {
	Resize        int         `json:",omitzero"`
	CropPct       float64     `json:",omitzero"`
	Interpolation string      `json:",omitzero"`
	CropMode      string      `json:",omitzero"`
	Mean, Std     *[3]float64 `json:",omitzero"`
	BGR           *bool       `json:",omitzero"`
}

// apply returns r with what o overrides. A crop fraction of one's own outweighs a published edge in pixels.
func (o Recipe) apply(r zoo.Recipe) zoo.Recipe {
	if o.CropPct != 0 {
		r.CropPct, r.Resize = o.CropPct, 0
	}
	if o.Resize != 0 {
		r.Resize = o.Resize
	}
	if o.Interpolation != "" {
		r.Interpolation = o.Interpolation
	}
	if o.CropMode != "" {
		r.CropMode = o.CropMode
	}
	if o.BGR != nil {
		r.BGR = *o.BGR
	}
	if o.Mean != nil {
		r.Mean = *o.Mean
	}
	if o.Std != nil {
		r.Std = *o.Std
	}
	return r
}

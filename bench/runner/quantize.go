package runner

import (
	"context"
	"encoding/json"
	"fmt"

	"zoobench/zoo/engine"
	"zoobench/zoo/quantize"
	"zoobench/zoo/weights"
)

// readInt8 takes what a file of int8 weights says of its network: whose names the weights had, their tag and the input's size.
func (r *Ready) readInt8() error {
	about, err := quantize.Describe(r.file)
	if err != nil {
		return err
	}
	if about.Network != r.Spec.Name {
		return fmt.Errorf("runner: %s: int8 weights of %s, want those of %s", r.file.Name(), about.Network, r.Spec.Name)
	}
	r.images.Calibration = about.Calibration
	if r.Naming = about.Library; r.Tag == "" {
		r.Tag = about.Tag
	}
	if len(about.Trained) > 0 {
		if r.Trained, err = parseTrained(r.file.Name(), string(about.Trained)); err != nil {
			return err
		}
	}
	if r.task.ImgSize == 0 {
		if r.prepare(); r.Recipe.Size != about.Size {
			r.task.ImgSize = about.Size
		}
	}
	return nil
}

// quantized sets the engine's options for a network in int8: one of a file of int8 weights, or one that is quantised on the way.
// Other networks' options stay as they are.
func (r *Ready) quantized(o *engine.Options) error {
	switch asked := r.task.Precision; {
	case r.Int8 != nil && asked != "" && asked != engine.Int8:
		return fmt.Errorf("runner: %s: int8 weights cannot be run in %s", r.file.Name(), asked)
	case r.Int8 == nil && asked != engine.Int8:
		return nil
	case r.Int8 == nil:
		if _, err := r.numbers(context.Background(), nil); err != nil {
			return err
		}
	}
	if r.ofInt8 != nil && r.ofInt8 != r.Graph {
		return fmt.Errorf("runner: %s: int8 weights are of the whole network, not of a part of it", r.file.Name())
	}
	r.task.Precision, o.Quantized = engine.Int8, r.Int8.Int8
	return nil
}

// WriteInt8 writes a quantised network's file.
func (r *Ready) WriteInt8(path string, n *quantize.Network, c quantize.Calibration) error {
	build, err := Build()
	if err != nil {
		return err
	}
	about := quantize.About{Library: r.Naming, Tag: r.Tag, Weights: r.SHA256, Program: build, Calibration: c}
	if r.Trained != nil {
		if about.Trained, err = json.Marshal(r.Trained); err != nil {
			return fmt.Errorf("runner: %w", err)
		}
	}
	return r.Read(weights.Generator{}, func(src weights.Source) error {
		return quantize.Write(path, r.Graph, src, n, about)
	})
}

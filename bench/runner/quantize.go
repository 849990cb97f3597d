package runner

import (
	"context"
	"encoding/json"
	"fmt"

	"zoobench/zoo/engine"
	"zoobench/zoo/quantize"
	"zoobench/zoo/quantize/qdq"
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

// quantized sets the engine's options for a network in int8. Other networks' options stay as they are.
func (r *Ready) quantized(o *engine.Options) error {
	n, err := r.Quantized(context.Background(), weights.Generator{}, nil)
	if n != nil {
		o.Quantized = n.Int8
	}
	return err
}

// Quantized is a network in int8: one of a file of int8 weights or, where the task asks for int8, one of an ONNX file that has them,
// or one that is quantised on the way. It is nil for others. g makes the weights of a network without a checkpoint; step, which may be
// nil, hears of each image.
func (r *Ready) Quantized(ctx context.Context, g weights.Generator, step func(done, total int)) (*quantize.Network, error) {
	asked := r.task.Precision
	if r.Int8 != nil && asked != "" && asked != engine.Int8 {
		return nil, fmt.Errorf("runner: %s: int8 weights cannot be run in %s", r.file.Name(), asked)
	}
	if r.Int8 == nil {
		if asked != engine.Int8 {
			return nil, nil
		}
		if err := r.settle(); err != nil {
			return nil, err
		}
		r.generator = g
		if _, err := r.numbers(ctx, step); err != nil {
			return nil, err
		}
	}
	if r.ofInt8 != nil && r.ofInt8 != r.Graph {
		return nil, fmt.Errorf("runner: %s: int8 weights are of the whole network, not of a part of it", r.File)
	}
	r.task.Precision = engine.Int8
	return r.Int8, nil
}

// ownNumbers takes the int8 numbers that an ONNX file has, and reports whether there are any.
func (r *Ready) ownNumbers() (bool, error) {
	if r.onnx == nil || r.onnx.Int8 == nil {
		return false, nil
	}
	n, sentences, err := qdq.Read(r.onnx)
	if err != nil {
		return false, fmt.Errorf("runner: %s: %w", r.File, err)
	}
	if r.notes = append(r.notes, sentences...); len(n.Int8.Layers) == 0 {
		r.notes = append(r.notes, "the int8 numbers of the file are not used, as no layer can take them")
		return false, nil
	}
	r.Int8, r.ofInt8 = n, r.onnx.Graph
	return true, nil
}

// MakeInt8 quantises the network on images that are prepared for it, one behind the other.
func (r *Ready) MakeInt8(images []float32, o quantize.Options) error {
	return r.Read(r.generator, func(src weights.Source) (err error) {
		r.Int8, err = quantize.Make(r.Graph, src, images, len(images)/r.Graph.Input().Elems(), o)
		return err
	})
}

// WriteInt8 writes the file of a network that MakeInt8 has quantised on the images of a calibration.
func (r *Ready) WriteInt8(path string, c quantize.Calibration) error {
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
		return quantize.Write(path, r.Graph, src, r.Int8, about)
	})
}

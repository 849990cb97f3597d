package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	"zoobench/bench/experiment"
	"zoobench/datasets"
	"zoobench/zoo/engine"
	"zoobench/zoo/quantize"
	"zoobench/zoo/weights"
)

// CalibrationImages is how many images a network is quantised on where nobody says otherwise.
const CalibrationImages = 128

// readInt8 takes what a file of int8 weights says of its network: whose names the weights had, their tag and the input's size.
func (r *Ready) readInt8() error {
	about, err := quantize.Describe(r.file)
	if err != nil {
		return err
	}
	if about.Network != r.Spec.Name {
		return fmt.Errorf("runner: %s: int8 weights of %s, want those of %s", r.file.Name(), about.Network, r.Spec.Name)
	}
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
		var err error
		if r.Int8, err = r.onTheWay(); err != nil {
			return err
		}
	}
	if r.ofInt8 != nil && r.ofInt8 != r.Graph {
		return fmt.Errorf("runner: %s: int8 weights are of the whole network, not of a part of it", r.file.Name())
	}
	r.task.Precision, o.Quantized = engine.Int8, r.Int8.Int8
	return nil
}

// onTheWay quantises a network that has no int8 file: on the task's calibration images or, for its speed alone, on generated ones.
func (r *Ready) onTheWay() (n *quantize.Network, err error) {
	o := quantize.Options{Threads: r.task.Threads}
	var images []float32
	switch {
	case r.task.Calibration != "":
		a := experiment.Accuracy{Data: r.task.Calibration, Limit: CalibrationImages, Answers: datasets.AllAnswers}
		if images, _, err = r.Calibrate(context.Background(), a, nil); err != nil {
			return nil, err
		}
	case r.task.Job.Latency == nil:
		return nil, errors.New("runner: int8 needs images to find the ranges of values: name them with --calibration, or quantise the " +
			"network first (zoobench quantize)")
	default:
		const generated = 4
		in := r.Graph.Input()
		for seed := range uint64(generated) {
			images = append(images, weights.Generator{Seed: seed, Gain: 1}.Images(in.H)[:in.Elems()]...)
		}
		o.Fast = true
		r.notes = append(r.notes, "int8 ranges come from generated images: the speed is right, predictions are not")
	}
	err = r.Read(weights.Generator{}, func(src weights.Source) error {
		n, err = quantize.Make(r.Graph, src, images, len(images)/r.Graph.Input().Elems(), o)
		return err
	})
	return n, err
}

// Calibrate reads images to quantise the network on, prepared as the network takes them and one behind the other. An image that
// cannot be read is an error. step, which may be nil, hears of each image.
func (r *Ready) Calibrate(ctx context.Context, a experiment.Accuracy, step func(done, total int)) ([]float32, quantize.Calibration, error) {
	about := quantize.Calibration{Data: filepath.Clean(a.Data), Seed: a.Seed}
	files, err := openImages(&a, 0)
	if err != nil {
		return nil, about, err
	}
	defer files.Close()
	src := datasets.Sample(files, a.Limit, a.Seed)
	if src.Len() == 0 {
		return nil, about, fmt.Errorf("runner: %s: no images to quantise on", a.Data)
	}
	o := datasets.LoadOptions{Batch: 1, Workers: runtime.GOMAXPROCS(0), Exif: a.Exif != ""}
	loader, err := datasets.NewLoader(src, r.Preprocessing(), o)
	if err != nil {
		return nil, about, err
	}
	var images []float32
	for b, err := range loader.Batches(ctx) {
		if err != nil {
			return nil, about, err
		}
		if err := b.Errs[0]; err != nil {
			return nil, about, fmt.Errorf("runner: %s: %s: %w", a.Data, b.Items[0].Name, err)
		}
		images = append(images, b.Tensor...)
		if step != nil {
			step(b.First+1, src.Len())
		}
	}
	about.SHA256 = loader.Hash()
	return images, about, nil
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

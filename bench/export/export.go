// Package export takes a network from a task to an ONNX file that can be deployed: its weights, what it needs to know about an
// image, and the names of its answers.
//
// The contract. Write makes the file at a path, or leaves what was there: the file takes its place only after it was read back,
// every operator and every byte of every tensor was found to be what it should be, and its operators gave the engine's answers for
// an image, one by one as another program would run them. A network of more than 2 GiB has its
// weights in a second file, FILE.data, which is in its place before the first. The metadata are texts, JSON where they are more
// than a word: zoobench.network, zoobench.recipe, zoobench.weights, zoobench.weights_sha256, zoobench.source, zoobench.licence and
// zoobench.classes; what is not known is not there.
//
// It leaves to others what the operators are (zoo/onnx), and which checkpoint a task has (bench/runner).
package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"zoobench/bench/choose"
	"zoobench/bench/choose/features"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/datasets/preprocess"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx"
	"zoobench/zoo/quantize/qdq"
	"zoobench/zoo/weights"
)

// Options are how a network is exported.
type Options struct {
	Out       string // the file; "" means the network's name with .onnx, in the current folder
	ONNX      onnx.Options
	Generator weights.Generator // of the weights of a network without a checkpoint

	Head          *choose.Head // in place of the network's classifier; nil means that the network keeps its own
	Preprocessing bool         // whether the file takes images as bytes and prepares them

	Step func(done, total int) // hears of each image that a network is quantised on; nil for nobody
}

// A Written says what was written.
type Written struct {
	Path  string
	Opset int
}

// Write exports a network. It leaves nothing behind where the context ends it.
func Write(ctx context.Context, r *runner.Ready, o Options) (*Written, error) {
	w, err := export(ctx, r, o)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return w, nil
}

func export(ctx context.Context, r *runner.Ready, o Options) (w *Written, err error) {
	if o.Out == "" && strings.HasSuffix(r.Name(), ".onnx") {
		return nil, fmt.Errorf("%s is an ONNX file already: name the file to write with --out", r.Name())
	}
	w = &Written{Path: cmp.Or(o.Out, r.Name()+".onnx")}
	if o.Preprocessing {
		if err := r.Photographs(); err != nil {
			return nil, err
		}
	}
	g, classes := r.Graph, r.ClassNames()
	if o.Head != nil {
		if g, err = headed(r, o.Head); err != nil {
			return nil, err
		}
		classes = o.Head.Classes
	}
	if o.Preprocessing {
		if o.ONNX.Pixels, err = pixels(r.Preprocessing()); err != nil {
			return nil, err
		}
	}
	q, err := numbers(ctx, r, o)
	if err != nil {
		return nil, err
	}
	return w, r.Read(o.Generator, func(src weights.Source) error {
		if q != nil {
			if o.ONNX.Int8, err = qdq.Of(g, src, q); err != nil {
				return err
			}
		}
		if o.ONNX.Properties, err = properties(r, src.Name(), classes); err != nil {
			return err
		}
		if o.Head != nil {
			src = o.Head.Over(src)
		}
		f, err := onnx.New(g, src, o.ONNX)
		if err != nil {
			return err
		}
		w.Opset = f.Opset()
		return write(ctx, f, w.Path, !f.Whole(), func(part string, data *os.File) error { return check(f, g, src, q, part, data) })
	})
}

// numbers are what a network in int8 is computed with, nil for one in float32.
func numbers(ctx context.Context, r *runner.Ready, o Options) (*engine.Quantized, error) {
	n, err := r.Quantized(ctx, o.Generator, o.Step)
	switch {
	case err != nil || n == nil:
		return nil, err
	case o.Head != nil:
		return nil, errors.New("--head: the int8 numbers are of the whole network with its own classifier; export float32")
	}
	return n.Int8, nil
}

// headed is a network's graph with a head that must be its own.
func headed(r *runner.Ready, h *choose.Head) (*nn.Graph, error) {
	if r.File == "" {
		return nil, fmt.Errorf("the head is for %s of %s; name that file or its tag with --weights", h.File, h.Network)
	}
	b, _, err := features.Describe(r)
	if err != nil {
		return nil, err
	}
	if err := h.Fits(b); err != nil {
		return nil, err
	}
	return h.Graph(r.Graph)
}

// pixels is a recipe as operators carry it out. ONNX has no antialiased filter but Pillow's two usual ones.
func pixels(r preprocess.Recipe) (*onnx.Pixels, error) {
	r, err := r.Full()
	if err != nil {
		return nil, err
	}
	switch {
	case r.Interpolation != preprocess.Bilinear && r.Interpolation != preprocess.Bicubic:
		return nil, fmt.Errorf("interpolation %s: ONNX operators have bilinear and bicubic", r.Interpolation)
	case r.Oblong():
		return nil, fmt.Errorf("images of %d×%d: the file prepares squares alone", r.Size, r.CropWidth())
	case r.CropMode == preprocess.Border || r.Resize < r.Size:
		return nil, fmt.Errorf("%s crop of %d pixels from %d: the file would have to fill up images, and only cuts them",
			r.CropMode, r.Size, r.Resize)
	}
	return &onnx.Pixels{
		Resize: r.Resize, Size: r.Size, Squash: r.CropMode == preprocess.Squash, Cubic: r.Interpolation == preprocess.Bicubic,
		BGR: r.BGR, Mean: r.Mean, Std: r.Std,
	}, nil
}

// write writes a file, in two parts where it is split, and has it checked before any part takes its place. data is nil for a file
// of one part.
func write(ctx context.Context, f *onnx.File, path string, split bool, check func(part string, data *os.File) error) error {
	while := func(write func(io.Writer) error) func(io.Writer) error {
		return func(w io.Writer) error { return write(writer{ctx, w}) }
	}
	if !split {
		return record.ReplaceChecked(path, while(f.Write), func(part string) error { return check(part, nil) })
	}
	second := path + ".data"
	f.Split(filepath.Base(second))
	return record.ReplaceChecked(path, while(f.Write), func(part string) error {
		return record.ReplaceChecked(second, while(f.WriteData), func(dataPart string) error {
			data, err := os.Open(dataPart)
			if err != nil {
				return err
			}
			defer data.Close()
			return check(part, data)
		})
	})
}

// A writer writes until its context ends.
type writer struct {
	ctx context.Context
	io.Writer
}

func (w writer) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

// properties are the metadata of an exported file. classes are the names of its answers, nil where nobody knows them.
func properties(r *runner.Ready, source string, classes []string) ([]onnx.Property, error) {
	var all []onnx.Property
	add := func(key, value string) {
		if value != "" {
			all = append(all, onnx.Property{Key: "zoobench." + key, Value: value})
		}
	}
	recipe, err := json.Marshal(r.Recipe)
	if err != nil {
		return nil, err
	}
	add("recipe", string(recipe))
	if r.Property("zoobench.network") != "" { // an ONNX file that says where it came from
		for _, key := range []string{"network", "weights", "weights_sha256", "source", "licence"} {
			add(key, r.Property("zoobench."+key))
		}
	} else {
		add("network", r.Name())
		add("weights", source)
		add("weights_sha256", r.SHA256)
		if c, ok := r.Spec.Checkpoint(r.Tag); ok {
			add("source", c.URL())
			add("licence", c.Licence)
		}
	}
	if classes != nil {
		text, err := json.Marshal(classes)
		if err != nil {
			return nil, err
		}
		add("classes", string(text))
	}
	return all, nil
}

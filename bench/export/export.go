// Package export takes a network from a task to an ONNX file that can be deployed: its weights, what it needs to know about an
// image, and the names of its answers.
//
// The contract. Write makes the file at a path, or leaves what was there: the file takes its place only after it was read back
// and every operator and every byte of every tensor was found to be what it should be. A network of more than 2 GiB has its
// weights in a second file, FILE.data, which is in its place before the first. The metadata are texts, JSON where they are more
// than a word: zoobench.network, zoobench.recipe, zoobench.weights, zoobench.weights_sha256, zoobench.source, zoobench.licence and
// zoobench.classes; what is not known is not there.
//
// It leaves to others what the operators are (zoo/onnx), and which checkpoint a task has (bench/runner).
package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/zoo/onnx"
	"zoobench/zoo/weights"
)

// Options are how a network is exported.
type Options struct {
	Out       string // the file; "" means the network's name with .onnx, in the current folder
	ONNX      onnx.Options
	Generator weights.Generator // of the weights of a network without a checkpoint
}

// Write exports a network and returns the file's path.
func Write(r *runner.Ready, o Options) (path string, err error) {
	path = cmp.Or(o.Out, r.Name()+".onnx")
	err = r.Read(o.Generator, func(src weights.Source) error {
		form := o.ONNX
		if form.Properties, err = properties(r, src); err != nil {
			return err
		}
		f, err := onnx.New(r.Graph, src, form)
		if err != nil {
			return err
		}
		return write(f, path, !f.Whole())
	})
	if err != nil {
		return "", fmt.Errorf("export: %w", err)
	}
	return path, nil
}

// write writes a file, in two parts where it is split, and reads it back before any part takes its place.
func write(f *onnx.File, path string, split bool) error {
	if !split {
		return record.ReplaceChecked(path, f.Write, func(part string) error { return check(f, part, nil) })
	}
	data := path + ".data"
	f.Split(filepath.Base(data))
	return record.ReplaceChecked(path, f.Write, func(part string) error {
		return record.ReplaceChecked(data, f.WriteData, func(dataPart string) error {
			r, err := os.Open(dataPart)
			if err != nil {
				return err
			}
			defer r.Close()
			return check(f, part, r)
		})
	})
}

func check(f *onnx.File, part string, data io.ReaderAt) error {
	written, err := os.ReadFile(part)
	if err != nil {
		return err
	}
	return f.Check(written, data)
}

// properties are the metadata of an exported file.
func properties(r *runner.Ready, src weights.Source) ([]onnx.Property, error) {
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
	add("network", r.Name())
	add("recipe", string(recipe))
	add("weights", src.Name())
	add("weights_sha256", r.SHA256)
	if c, ok := r.Spec.Checkpoint(r.Tag); ok {
		add("source", c.URL())
		add("licence", c.Licence)
	}
	if known := datasets.ImageNet1k(); r.Graph.Classes == len(known) {
		names := make([]string, len(known))
		for i, c := range known {
			names[i] = c.Name
		}
		text, err := json.Marshal(names)
		if err != nil {
			return nil, err
		}
		add("classes", string(text))
	}
	return all, nil
}

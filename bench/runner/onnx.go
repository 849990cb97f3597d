package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/zoo"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/weights"
)

// IsONNX reports whether a network's name is the path of an ONNX file, which is the network's checkpoint as well.
func IsONNX(name string) bool { return strings.EqualFold(filepath.Ext(name), ".onnx") }

// Find is a list's network of this name, or the one that an ONNX file has.
func Find(list *zoo.List, name string) (*zoo.Spec, error) {
	if !IsONNX(name) {
		return list.Find(name)
	}
	n, err := load.Open(name, load.Options{})
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	spec, _, err := specOf(name, n)
	return spec, err
}

// specOf is an ONNX file as a network of a list, and what the file says of itself. Nothing is published of it.
func specOf(path string, n *load.Network) (*zoo.Spec, Trained, error) {
	about, err := aboutONNX(n)
	if err != nil {
		return nil, about, fmt.Errorf("runner: %s: %w", path, err)
	}
	in := n.Graph.Input()
	return &zoo.Spec{
		Name: filepath.Base(path), Build: n.Build, Size: in.H, Input: in, Classes: n.Graph.Classes, Recipe: about.Recipe,
		Params: n.Graph.ParamCount(), MACs: n.Graph.MACs(),
	}, about, nil
}

// asBytes is a deviation that leaves an image's bytes as they are, with a mean of zeros.
var asBytes = [3]float64{1.0 / 255, 1.0 / 255, 1.0 / 255}

// aboutONNX is what a file that zoobench exported says of itself; of another one, only that it takes images as ImageNet's
// usual recipe prepares them, or their bytes, or grey from 0 to 1.
func aboutONNX(n *load.Network) (t Trained, err error) {
	switch {
	case n.Bytes:
		t.Recipe.Std = asBytes
	case n.Graph.Input().C == 1:
		t.Recipe.Std = [3]float64{1, 1, 1}
	}
	for key, into := range map[string]any{"recipe": &t.Recipe, "classes": &t.Classes} {
		text, has := n.Properties["zoobench."+key]
		if !has {
			continue
		}
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return t, fmt.Errorf("metadata zoobench.%s: %w", key, err)
		}
	}
	if have := len(t.Classes); t.Classes != nil && have != n.Graph.Classes {
		return t, fmt.Errorf("metadata zoobench.classes: %d names for %d classes", have, n.Graph.Classes)
	}
	return t, nil
}

// Photographs makes a network ready for what images are prepared to, those of three channels: one of grey images gets a layer that
// makes them grey. It is an error where the network takes others. Call it before Load.
func (r *Ready) Photographs() error {
	in := r.Graph.Input()
	if r.onnx != nil && in.C == 1 {
		n, err := load.Open(r.File, load.Options{Size: in.H, Luma: true})
		if err != nil {
			return fmt.Errorf("runner: %w", err)
		}
		r.onnx.Weights.Close()
		r.onnx, r.Graph = n, n.Graph
		in = r.Graph.Input()
	}
	switch {
	case in.C != 3:
		return fmt.Errorf("runner: %s takes images of %v; zoobench prepares photographs of one or three channels (latency, show and export "+
			"do without)", r.Name(), in)
	case in.H != in.W && r.task.Corruption != "":
		return fmt.Errorf("runner: %s takes images of %v; corruptions are of squares", r.Name(), in)
	}
	return nil
}

// Notes are what is computed otherwise than the network's ONNX file says.
func (r *Ready) Notes() []string {
	if r.onnx == nil {
		return r.notes
	}
	notes := slices.Clone(r.onnx.Notes)
	if at := slices.Index(notes, load.QuantisedNote); at >= 0 {
		if r.Int8 != nil {
			notes = slices.Delete(notes, at, at+1)
		} else {
			notes[at] += " (--precision int8 computes as the file does)"
		}
	}
	return append(notes, r.notes...)
}

// Property is one of an ONNX file's metadata, "" where there is none.
func (r *Ready) Property(key string) string {
	if r.onnx == nil {
		return ""
	}
	return r.onnx.Properties[key]
}

// readONNX reads a task's ONNX file: its graph is there, of the size that the task asks for.
func (r *Ready) readONNX() error {
	n, err := load.Open(r.File, load.Options{Size: r.task.ImgSize})
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	spec, about, err := specOf(r.File, n)
	if err != nil {
		return err
	}
	in := n.Graph.Input()
	have := in.H
	if size := r.task.ImgSize; size > 0 && size != have {
		return fmt.Errorf("runner: %s: images of %d×%d alone, want %d×%d", r.File, in.H, in.W, size, size)
	}
	if classes := r.task.NumClasses; classes > 0 && classes != n.Graph.Classes {
		return fmt.Errorf("runner: %s: the file has %d classes, want %d", r.File, n.Graph.Classes, classes)
	}
	if r.SHA256, err = weights.HashFile(context.Background(), r.File); err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	r.Spec, r.Graph, r.onnx, r.names = spec, n.Graph, n, about.Classes
	r.Source = "the file's metadata"
	if _, has := n.Properties["zoobench.recipe"]; !has {
		r.Source = "ImageNet's usual one, as the file has none"
		switch {
		case n.Bytes:
			r.Source += "; the file takes bytes"
		case in.C == 1:
			r.Source += "; grey images are not normalised"
		}
	}
	recipe := about.Recipe
	if recipe.Size != have {
		recipe.Size, recipe.Resize = have, 0
	}
	if r.task.Recipe != (Recipe{}) || r.task.ImgSize != 0 {
		r.Source += ", with changes that were asked for"
	}
	full := recipe.Full(have)
	recipe.Mean, recipe.Std = full.Mean, full.Std
	r.Recipe = r.task.Recipe.apply(recipe).Full(have)
	return nil
}

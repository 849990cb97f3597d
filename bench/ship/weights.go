package ship

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/zoo"
	"zoobench/zoo/pocket"
	"zoobench/zoo/weights"
)

// write rounds a result's checkpoint to float16 and counts what the rounded weights make of the test images.
func (r *result) write(ctx context.Context, list *zoo.List, file string) (w pocket.Weights, err error) {
	w = r.about()
	if err := round(r.file, w.From, file); err != nil {
		return w, err
	}
	if w.SHA256, err = weights.HashFile(ctx, file); err != nil {
		return w, err
	}
	if w.Test, err = count(ctx, list, &w, file, 0, runner.Watch{}); err != nil {
		return w, err
	}
	if w.Test.SHA256 != w.Whole.SHA256 {
		return w, fmt.Errorf("test images %.16s, and the study's were %.16s: want the same images", w.Test.SHA256, w.Whole.SHA256)
	}
	w.Part, err = count(ctx, list, &w, file, part, runner.Watch{})
	return w, err
}

// round writes a checkpoint in float16, with what it says of itself. Its hash must be that of the record.
func round(from, sha256, to string) error {
	f, err := weights.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	if have, err := f.SHA256(); err != nil || have != sha256 {
		return fmt.Errorf("%s: SHA-256 %.16s, want %.16s as its record has it (error: %v)", f.Name(), have, sha256, err)
	}
	var all []weights.Named
	for _, t := range f.Tensors() {
		x, err := f.Float32(t.Name)
		if err != nil {
			return err
		}
		all = append(all, weights.Named{Name: t.Name, Shape: t.Shape, Data: x})
	}
	return weights.WriteHalf(to, all, f.Metadata())
}

// count is what weights in a file make of the test images of their set, or of so many that are drawn of these; 0 for all.
func count(ctx context.Context, list *zoo.List, w *pocket.Weights, file string, limit int, watch runner.Watch) (pocket.Score, error) {
	t := runner.Task{
		Job: experiment.Job{
			Model: w.Network, Axes: record.Axes{NoTune: true, Threads: 1}, Accuracy: &experiment.Accuracy{Data: w.Data, Split: "test", Limit: limit},
		},
		Tag: pocket.Tag, Weights: file,
	}
	r, err := runner.Accuracy(ctx, list, t, watch)
	if err != nil {
		return pocket.Score{}, err
	}
	return score(r), nil
}

// writeIndex writes the index, a line for each of its rows' values, so that a change is readable.
func writeIndex(file string, all []pocket.Weights) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	return record.Replace(file, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

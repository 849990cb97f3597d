// Package study makes small studies for the tests of runs in shards: images, checkpoints and an experiment, and what a run of it found.
//
// The contract: what it makes depends on its arguments alone, and ends the test where it cannot be made.
//
// Tests alone import it. It leaves running to them.
package study

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/record"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// classes is how many there are; the folder of an image is its index over classes.
const classes = 3

// FileName is the experiments file in a study's folder.
const FileName = "study.yaml"

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Image is the path of an image in a study's folder.
func Image(dir string, i int) string {
	return filepath.Join(dir, "images", fmt.Sprint(i%classes), fmt.Sprintf("%03d.png", i))
}

// Write makes a folder with so many images of so many pixels to a side, a checkpoint of each of the list's networks that are named,
// and the experiment that evaluates them on one thread.
func Write(t testing.TB, dir string, list *zoo.List, images, side int, networks ...string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range images {
		path := Image(dir, i)
		Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		m := image.NewRGBA(image.Rect(0, 0, side, side))
		base := color.RGBA{uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256)), 255}
		for at := range side * side {
			m.Set(at%side, at/side, color.RGBA{base.R, base.G + uint8(at), base.B, 255})
		}
		f, err := os.Create(path)
		Must(t, err)
		Must(t, png.Encode(f, m))
		Must(t, f.Close())
	}
	text := "experiments:\n  - name: study\n    question: Which is right more often?\n    models: [" + strings.Join(networks, ", ") + "]\n" +
		"    no_tune: true\n    accuracy:\n      data: images\n      threads: 1\n      checkpoints:\n"
	for i, name := range networks {
		Weights(t, Checkpoint(dir, name), list, name, uint64(i))
		text += fmt.Sprintf("        - {network: %s, file: %s}\n", name, filepath.Base(Checkpoint(dir, name)))
	}
	Must(t, os.WriteFile(filepath.Join(dir, FileName), []byte(text), 0o644))
}

// Checkpoint is the path of a network's checkpoint in a study's folder.
func Checkpoint(dir, network string) string { return filepath.Join(dir, network+".safetensors") }

// Weights writes a checkpoint of generated weights.
func Weights(t testing.TB, path string, list *zoo.List, network string, seed uint64) {
	t.Helper()
	spec, err := list.Find(network)
	Must(t, err)
	g, err := spec.Graph(0, classes)
	Must(t, err)
	var named []weights.Named
	src := weights.Generator{Seed: seed}.Source(g.Params)
	for _, p := range g.Params {
		data, err := src.Float32(p.Name)
		Must(t, err)
		named = append(named, weights.Named{Name: p.Name, Shape: p.Shape, Data: data})
	}
	Must(t, weights.WriteFile(path, named, nil))
}

// Timeless is what a run's folder has of accuracies but for times, by networks' names: records, changed where two runs may differ, and
// per-sample files as they are.
func Timeless(t testing.TB, dir string, change func(*record.Record)) string {
	t.Helper()
	records, problems, err := record.ReadFile(filepath.Join(dir, record.FileName))
	Must(t, err)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	records = record.Current(records)
	slices.SortStableFunc(records, func(a, b record.Record) int { return strings.Compare(a.Model, b.Model) })
	var text strings.Builder
	for _, r := range records {
		if r.Accuracy == nil {
			continue
		}
		r.Time, r.ImagesPerSec, r.JoulesPerImage, r.Footprint, r.Interference = time.Time{}, 0, 0, nil, nil
		change(&r)
		line, err := json.Marshal(r)
		Must(t, err)
		samples, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.SamplesFile)))
		Must(t, err)
		fmt.Fprintf(&text, "%s\n%s\n", line, samples)
	}
	return text.String()
}

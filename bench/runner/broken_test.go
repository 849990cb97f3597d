package runner

import (
	"archive/tar"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
)

// TestBrokenImages evaluates a thousand images in an archive of which ten are broken, each in its own way: the run ends,
// counts them as wrong and lists them.
func TestBrokenImages(t *testing.T) {
	var sound bytes.Buffer
	m := image.NewNRGBA(image.Rect(0, 0, 20, 20))
	m.Set(3, 4, color.NRGBA{200, 100, 50, 255})
	if err := png.Encode(&sound, m); err != nil {
		t.Fatal(err)
	}
	whole := sound.Bytes()
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0xff
	broken := [][]byte{
		nil, []byte("no picture"), whole[:20], whole[:len(whole)-30], flipped, []byte("\xff\xd8\xff"), []byte("\xff\xd8\xff\xe0\x00\x10JFIF"),
		[]byte("GIF89a"), []byte("<html>404</html>"), bytes.Repeat([]byte{0}, 1000),
	}
	file := filepath.Join(t.TempDir(), "set.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	for i := range 1000 {
		data := whole
		if i%100 == 50 {
			data = broken[i/100]
		}
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("set/%d/%04d.png", i%2, i), Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(t.TempDir(), "w.safetensors")
	writeWeights(t, weights, 2)
	samples := filepath.Join(t.TempDir(), "samples.jsonl")
	task := Task{Job: experiment.Job{Model: "tiny", Accuracy: &experiment.Accuracy{Data: file}}, Weights: weights, Samples: samples}
	r, err := accuracy(t.Context(), misbehaving(), task, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Images != 1000 || r.Unreadable != 10 || len(r.UnreadableFiles) != 10 || r.DatasetSHA256 == "" {
		t.Fatalf("%d images, %d unreadable (%q); want 1000 and 10", r.Images, r.Unreadable, r.UnreadableFiles)
	}
	for _, name := range r.UnreadableFiles {
		if !strings.Contains(name, "50.png: ") {
			t.Errorf("listed: %q, want one of the broken ones and why", name)
		}
	}
	// All sound images are the same one: the network takes them for one class, which is right for half of the thousand.
	// The broken ones stand among the even numbers.
	if r.Top1Images != 500 && r.Top1Images != 490 {
		t.Errorf("%d right, want 490 or 500: a broken image counts as wrong", r.Top1Images)
	}
	lines, err := record.ReadSamples(samples)
	if err != nil || len(lines) != 1000 {
		t.Fatalf("%d lines in the per-sample file, error %v; want 1000", len(lines), err)
	}
	failed, right := 0, 0
	for _, s := range lines {
		if s.Error != "" {
			failed++
		}
		if s.Rank() == 1 {
			right++
		}
	}
	if failed != 10 || right != r.Top1Images {
		t.Errorf("the per-sample file has %d broken and %d right ones, want 10 and %d", failed, right, r.Top1Images)
	}
}

package cli

import (
	"archive/tar"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"zoobench/bench/record"
	"zoobench/internal/testenv"
	"zoobench/kernels"
)

// realFolder is the folder of photographs, checkpoints and PyTorch's predictions.
func realFolder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("evaluates 600 photographs: not with -short")
	}
	if kernels.ISA() == "generic" {
		t.Skip("takes too long in plain Go, and says nothing of it")
	}
	return testenv.Real(t)
}

// pack writes a folder as a tar archive below a folder of its own, as ImageNetV2 is published.
func pack(t *testing.T, dir, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: "photographs/" + filepath.ToSlash(below), Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRealFromTar evaluates 300 photographs in a folder and, unpacked by nobody, in an archive: both times PyTorch's
// counts, the same content hash, the same line for each image.
func TestRealFromTar(t *testing.T) {
	dir := realFolder(t)
	text, err := os.ReadFile(filepath.Join(dir, "predictions", "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pytorch map[string]struct{ Train struct{ N, Top1, Top5 int } }
	if err := json.Unmarshal(text, &pytorch); err != nil {
		t.Fatal(err)
	}
	want := pytorch["squeezenet1_1"].Train
	archive := filepath.Join(t.TempDir(), "train.tar")
	pack(t, filepath.Join(dir, "train"), archive)
	var rows [2]evalRow
	var samples [2][]record.Sample
	for i, data := range []string{filepath.Join(dir, "train"), archive} {
		file := filepath.Join(t.TempDir(), "samples.jsonl")
		code, stdout, stderr := invoke(t, "eval", "squeezenet1_1", "--no-tune", "--weights",
			filepath.Join(dir, "checkpoints", "squeezenet1_1.pth"),
			"--data", data, "--answers", "all", "--per-sample", file, "--format", "json")
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", data, code, stderr)
		}
		if err := json.Unmarshal([]byte(stdout), &rows[i]); err != nil {
			t.Fatal(err)
		}
		if samples[i], err = record.ReadSamples(file); err != nil {
			t.Fatal(err)
		}
		top1, top5 := 0, 0
		for _, s := range samples[i] {
			switch rank := s.Rank(); {
			case rank == 1:
				top1, top5 = top1+1, top5+1
			case rank > 1:
				top5++
			}
		}
		t.Logf("%s: top-1 %d, top-5 %d of %d; PyTorch %d and %d", filepath.Base(data), top1, top5, rows[i].Images, want.Top1, want.Top5)
		if rows[i].Images != want.N || max(top1-want.Top1, want.Top1-top1, top5-want.Top5, want.Top5-top5) > 1 {
			t.Errorf("%s: top-1 %d, top-5 %d of %d, want %d and %d of %d within one", data, top1, top5, rows[i].Images, want.Top1, want.Top5, want.N)
		}
	}
	if rows[0].DatasetSHA256 == "" || rows[0].DatasetSHA256 != rows[1].DatasetSHA256 {
		t.Errorf("content hashes: %q of the folder, %q of the archive", rows[0].DatasetSHA256, rows[1].DatasetSHA256)
	}
	for i := range samples[0] {
		if a, b := samples[0][i], samples[1][i]; a.File != b.File || a.Top5[0] != b.Top5[0] || a.Scores[0] != b.Scores[0] {
			t.Fatalf("image %d: %+v in the folder, %+v in the archive", i, a, b)
		}
	}
}

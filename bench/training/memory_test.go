package training

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/internal/recipe"
	"zoobench/zoo"
)

// TestMemoryRemedies names what would fit: checkpointing first, and a smaller batch.
func TestMemoryRemedies(t *testing.T) {
	j := job(t, colours(t, 16), filepath.Join(t.TempDir(), "a.safetensors"))
	j.List, j.Task.Model = zoo.Default(), "pocket_resnet20"
	checkpointing := false
	j.Adapt = func(r recipe.Recipe) (recipe.Recipe, error) {
		r.Batch, r.Checkpointing = 32, checkpointing
		return r, nil
	}
	r, err := prepare(j)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	whole, less := r.bytes(32, false), r.bytes(32, true)
	if less > whole*2/3 {
		t.Fatalf("%d bytes with checkpointing and %d without, want two thirds at most", less, whole)
	}
	for _, c := range []struct {
		memory        int64
		checkpointing bool
		want          string
	}{
		{less, false, "; the same batch with checkpointing takes " + size(less) + "; a batch of "},
		{less - 1, false, "; a batch of 16 with checkpointing takes " + size(r.bytes(16, true))},
		{less - 1, true, "; a batch of 16 takes " + size(r.bytes(16, true))},
		{1 << 20, true, "; even a batch of 2 with checkpointing takes "},
	} {
		j.Memory, checkpointing = c.memory, c.checkpointing
		if _, err := prepare(j); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d bytes: error %v, want %q", c.memory, err, c.want)
		}
	}
	j.Memory, checkpointing = less, true
	if r, err := prepare(j); err != nil {
		t.Errorf("%d bytes with checkpointing: error %v", less, err)
	} else {
		r.close()
	}
}

// TestCheckpointingIsTheSame leaves the same file with checkpointing as without it.
func TestCheckpointingIsTheSame(t *testing.T) {
	dir, folder := colours(t, 8), t.TempDir()
	var files [][]byte
	for _, checkpointing := range []bool{false, true} {
		j := job(t, dir, filepath.Join(folder, "a.safetensors"))
		before := j.Adapt
		j.Adapt = func(r recipe.Recipe) (recipe.Recipe, error) {
			r, err := before(r)
			r.Checkpointing = checkpointing
			return r, err
		}
		if _, err := Train(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		files = append(files, read(t, j.Out))
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("checkpointing has changed the result")
	}
}

package runner

import (
	"path/filepath"
	"slices"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
)

// TestPrefixInRecord reads a file whose every name has a prefix: the record and the lines for the screen have it.
func TestPrefixInRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lightning.safetensors")
	writeWeightsAs(t, path, 3, "model.")
	for _, file := range []string{path, path + "#model"} {
		task := Task{Weights: file, Job: experiment.Job{Model: "tiny", Axes: record.Axes{Threads: 1, Batch: 1, NoTune: true}}}
		n, err := Open(misbehaving(), task)
		if err != nil {
			t.Fatal(err)
		}
		r := n.record(record.KindLatency, task)
		n.Close()
		if r.WeightsPrefix != "model." || r.WeightsSection != "" || r.WeightsFile != file {
			t.Errorf("prefix %q, section %q, file %q, want model. of %q", r.WeightsPrefix, r.WeightsSection, r.WeightsFile, file)
		}
		if got, want := n.Taken.Notes(), []string{`"model." cut from 4 names`}; !slices.Equal(got, want) {
			t.Errorf("notes %q, want %q", got, want)
		}
	}
	_, err := Open(misbehaving(), Task{Weights: path + "#net", Job: experiment.Job{Model: "tiny"}})
	if want := `weights: lightning.safetensors: no section "net"; there are: model (4)`; err == nil || err.Error() != want {
		t.Errorf("have %v, want %s", err, want)
	}
}

func TestTakenNotes(t *testing.T) {
	for _, c := range []struct {
		taken Taken
		want  []string
		part  string
	}{
		{Taken{}, nil, ""},
		{Taken{Sections: []string{""}}, nil, ""},
		{Taken{Sections: []string{""}, Asked: "a.pth", Files: []string{"a.pth"}}, nil, ""},
		{Taken{Sections: []string{""}, Asked: "dir", Files: []string{"a.pth"}}, []string{"a.pth in it"}, ""},
		{Taken{Sections: []string{""}, Asked: "dir", Files: []string{"1.npy", "2.npy", "3.npy"}}, []string{"3 files, 1.npy to 3.npy"}, ""},
		{Taken{Section: "state_dict", Sections: []string{"state_dict"}}, []string{"section state_dict"}, ""},
		{Taken{Section: "ema", Sections: []string{"ema", "model", ""}, Prefix: "module.", Names: 52, Outside: []string{"a", "b"}},
			[]string{"section ema is read, not model, (the whole file)", `"module." cut from 52 names`,
				"2 tensors without it left out"}, "ema.module"},
		{Taken{Section: "a", Sections: []string{"a", "b", "c", "d", "e", "f", "g"}}, []string{"section a is read, not b, c, d, e, 2 more"}, "a"},
	} {
		if got := c.taken.Notes(); !slices.Equal(got, c.want) || c.taken.Part() != c.part {
			t.Errorf("%+v: %q, part %q, want %q and %q", c.taken, got, c.taken.Part(), c.want, c.part)
		}
	}
}

package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zoobench/internal/recipe"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/weights"
)

// stateForm marks the file of a run under way.
const stateForm = "zoobench training state 1"

// state is all that the next step depends on beside the job.
type state struct {
	Identity string `json:"identity"` // of the run that it is of
	Step     int    `json:"step"`     // steps done, of the whole run
	Updates  int    `json:"updates"`  // of the optimizer, and of the average
	Epochs   int    `json:"epochs"`   // as Job.Time decided
	// HeadEpochs are those of the classifier alone, which Job.Time decides too.
	HeadEpochs int     `json:"head_epochs"`
	Curve      []Epoch `json:"curve"`

	// Of the epoch under way.
	Loss  float64 `json:"loss"` // sum over its steps
	Right int     `json:"right"`
	First float64 `json:"first_gradient"` // sum over its steps

	Took    time.Duration `json:"took_ns"`    // of all steps and evaluations so far
	Stepped time.Duration `json:"stepped_ns"` // of the steps

	params  [][]float32 // by parameter; nil where there are none yet
	moments *recipe.Moments[float32]
	average [][]float32
}

// stateFile is where a job's state is kept.
func stateFile(out string) string { return out + ".state" }

// sweep removes what runs that were killed while they wrote have left beside a result.
func sweep(out string) error {
	dir, base := filepath.Split(out)
	entries, err := os.ReadDir(filepath.Dir(out))
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+base+".") && strings.HasSuffix(e.Name(), ".tmp") {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fmt.Errorf("training: %w", err)
			}
		}
	}
	return nil
}

// groups are the tensors of a state by their prefix.
func (s *state) groups(average bool) map[string][][]float32 {
	g := map[string][][]float32{"param/": s.params, "first/": s.moments.First, "second/": s.moments.Second}
	if average {
		g["average/"] = s.average
	}
	return g
}

// prefixes are in the order of the file.
var prefixes = []string{"param/", "first/", "second/", "average/"}

// save writes the state whole and renames it.
func (s *state) save(path string, g *nn.Graph) error {
	about, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	var tensors []weights.Named
	groups := s.groups(s.average != nil)
	for _, prefix := range prefixes {
		for i, data := range groups[prefix] {
			if len(data) > 0 {
				tensors = append(tensors, weights.Named{Name: prefix + g.Params[i].Name, Shape: g.Params[i].Shape, Data: data})
			}
		}
	}
	if err := weights.WriteFile(path, tensors, map[string]string{"format": stateForm, "state": string(about)}); err != nil {
		before := "there is none before it"
		if _, statErr := os.Stat(path); statErr == nil {
			before = "the one before it stays, and the same command goes on from there"
		}
		return fmt.Errorf("training: state after step %d: %w; %s", s.Step, err, before)
	}
	return nil
}

// readState reads a run's state; nil where there is none.
func readState(path string) (*weights.File, *state, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	f, err := weights.Open(path)
	if err != nil {
		return nil, nil, err
	}
	s := &state{}
	if f.Metadata()["format"] != stateForm {
		err = fmt.Errorf("training: %s: not the state of a training: format %q, want %q", filepath.Base(path), f.Metadata()["format"], stateForm)
	} else if err = json.Unmarshal([]byte(f.Metadata()["state"]), s); err != nil {
		err = fmt.Errorf("training: %s: %w", filepath.Base(path), err)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, s, nil
}

// fill takes the tensors of a file into a state whose tensors have their sizes.
func (s *state) fill(f *weights.File, g *nn.Graph) error {
	return weights.Guard(f, func() error {
		for prefix, group := range s.groups(s.average != nil) {
			for i, dst := range group {
				if len(dst) == 0 {
					continue
				}
				name := prefix + g.Params[i].Name
				src, err := f.Float32(name)
				if err != nil {
					return fmt.Errorf("training: %w", err)
				}
				if len(src) != len(dst) {
					return fmt.Errorf("training: %s: %s: %d elements, want %d", f.Name(), name, len(src), len(dst))
				}
				copy(dst, src)
				f.Release(name)
			}
		}
		return nil
	})
}

// inMemory are parameters of a network before this one.
type inMemory struct {
	graph  *nn.Graph
	params [][]float32
}

func (w inMemory) Float32(name string) ([]float32, error) {
	return w.params[slices.IndexFunc(w.graph.Params, func(p nn.Param) bool { return p.Name == name })], nil
}

func (w inMemory) Release(string) {}

var _ train.Weights = inMemory{}

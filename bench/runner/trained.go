package runner

import (
	"encoding/json"
	"fmt"

	"zoobench/datasets"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// trainedForm marks a checkpoint that zoobench trained.
const trainedForm = "zoobench checkpoint 1"

// Trained is what a checkpoint that zoobench trained says of itself, beside its tensors: how to build the network and prepare
// its images, and the names of its classes.
type Trained struct {
	Network     string     `json:"network"`
	Library     string     `json:"library,omitempty"` // whose network it is, see zoo.Variant
	FromScratch bool       `json:"from_scratch,omitempty"`
	Classes     []string   `json:"classes"`
	Recipe      zoo.Recipe `json:"recipe"` // every value filled in

	Training json.RawMessage `json:"training,omitempty"` // how it was trained: bench/training's own
}

// Metadata is what goes into the checkpoint's file.
func (t *Trained) Metadata() (map[string]string, error) {
	about, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	return map[string]string{"format": trainedForm, "zoobench": string(about)}, nil
}

// readTrained is nil where a file is of another kind.
func readTrained(f *weights.File) (*Trained, error) {
	meta := f.Metadata()
	if meta["format"] != trainedForm {
		return nil, nil
	}
	return parseTrained(f.Name(), meta["zoobench"])
}

// parseTrained reads what a file says of its network.
func parseTrained(file, text string) (*Trained, error) {
	t := &Trained{}
	if err := json.Unmarshal([]byte(text), t); err != nil {
		return nil, fmt.Errorf("runner: %s: metadata zoobench: %w", file, err)
	}
	if len(t.Classes) < 2 {
		return nil, fmt.Errorf("runner: %s: metadata zoobench: %d classes, want at least 2", file, len(t.Classes))
	}
	if t.Recipe.Size < 1 {
		return nil, fmt.Errorf("runner: %s: metadata zoobench: input size %d, want at least 1", file, t.Recipe.Size)
	}
	return t, nil
}

// ClassNames are the names of the network's classes: those in the checkpoint, or ImageNet's if there are as many; nil where nobody
// knows them.
func (r *Ready) ClassNames() (names []string) {
	if r.Trained != nil {
		return r.Trained.Classes
	}
	if r.names != nil {
		return r.names
	}
	known := datasets.ImageNet1k()
	if r.Graph.Classes != len(known) {
		return nil
	}
	for _, c := range known {
		names = append(names, c.Name)
	}
	return names
}

package choose

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"zoobench/bench/choose/heads"
	"zoobench/zoo/weights"
)

// Answers are what every network with its head predicts for every image: enough for questions that nobody had in mind when
// the networks ran. Probabilities are those of heads that had not learned from the image, the mean of one head a split: it
// is right a little more often than one head.
type Answers struct {
	Classes []string `json:"classes"`
	Files   []string `json:"files"`
	Labels  []int    `json:"labels"`
	Read    []bool   `json:"read"` // false for a file that could not be read, which counts as wrong
	// Group is the same number for images that look the same; absent in files of older programs.
	Group  []int      `json:"group,omitempty"`
	Splits int        `json:"splits,omitempty"`
	From   []Answerer `json:"from"`
}

// An Answerer is one network with a head.
type Answerer struct {
	Name    string `json:"name"`
	Head    string `json:"head"`
	Latency int64  `json:"latency_mean_ns"` // of a batch; 0 where not known
	Batch   int    `json:"batch"`

	probabilities heads.Matrix // (files, classes)
}

// AnswersName is the file of a run's answers in its folder.
const AnswersName = "answers.safetensors"

const answersForm = "zoobench answers 1"

// save writes the answers as safetensors: a matrix of probabilities for each network with its head, the rest as metadata.
func (a *Answers) save(path string) error {
	about, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("choose: %w", err)
	}
	var tensors []weights.Named
	for i, f := range a.From {
		p := f.probabilities
		tensors = append(tensors, weights.Named{Name: strconv.Itoa(i), Shape: []int{len(a.Files), len(a.Classes)}, Data: p.Data})
	}
	return weights.WriteFile(path, tensors, map[string]string{"format": answersForm, "answers": string(about)})
}

// LoadAnswers reads the answers that Result.Write wrote.
func LoadAnswers(path string) (*Answers, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	meta := f.Metadata()
	if meta["format"] != answersForm {
		return nil, fmt.Errorf("choose: %s: not the answers of a choice: format %q, want %q", filepath.Base(path), meta["format"], answersForm)
	}
	var a Answers
	if err := json.Unmarshal([]byte(meta["answers"]), &a); err != nil {
		return nil, fmt.Errorf("choose: %s: %w", filepath.Base(path), err)
	}
	n, k := len(a.Files), len(a.Classes)
	if len(a.Labels) != n || len(a.Read) != n || a.Group != nil && len(a.Group) != n || n == 0 || k == 0 {
		return nil, fmt.Errorf("choose: %s: %d files, %d labels, %d groups, %d classes: damaged",
			filepath.Base(path), n, len(a.Labels), len(a.Group), k)
	}
	for _, l := range a.Labels {
		if l < 0 || l >= k {
			return nil, fmt.Errorf("choose: %s: label %d of %d classes: damaged", filepath.Base(path), l, k)
		}
	}
	for i := range a.From {
		t := heads.NewMatrix(n, k)
		name := strconv.Itoa(i)
		if tensor, ok := f.Lookup(name); !ok || !slices.Equal(tensor.Shape, []int{n, k}) {
			return nil, fmt.Errorf("choose: %s: probabilities of %s: shape %v, want %v",
				filepath.Base(path), a.From[i].Name, tensor.Shape, []int{n, k})
		}
		if err := f.Read(name, 0, t.Data); err != nil {
			return nil, err
		}
		a.From[i].probabilities = t
	}
	return &a, nil
}

// title is an answerer's name for people.
func (f *Answerer) title() string {
	if f.Head == headProbe {
		return f.Name
	}
	return f.Name + " (" + f.Head + ")"
}

// outcome is what somebody predicts who gives an image's classes these probabilities.
func (a *Answers) outcome(row func(i int) []float32) heads.Outcome {
	o := heads.Decide(len(a.Classes), a.Labels, a.Read, row)
	o.Group = a.Group
	return o
}

// class finds a class by its name.
func (a *Answers) class(name string) (int, error) {
	if i := slices.Index(a.Classes, name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("choose: no class %q; there are %s", name, strings.Join(a.Classes, ", "))
}

// Subset keeps the images of these classes, and asks of them which of these classes they are.
func (a *Answers) Subset(classes []string) (*Answers, error) {
	s := &Answers{Classes: slices.Clone(classes), Splits: a.Splits}
	rank := map[int]int{}
	for i, name := range classes {
		c, err := a.class(name)
		if err != nil {
			return nil, err
		}
		if _, twice := rank[c]; twice {
			return nil, fmt.Errorf("choose: class %q is named twice", name)
		}
		rank[c] = i
	}
	if len(classes) < 2 {
		return nil, fmt.Errorf("choose: %d classes, want at least 2", len(classes))
	}
	var rows []int
	for i, l := range a.Labels {
		if to, kept := rank[l]; kept {
			rows = append(rows, i)
			s.Files, s.Labels, s.Read = append(s.Files, a.Files[i]), append(s.Labels, to), append(s.Read, a.Read[i])
			if a.Group != nil {
				s.Group = append(s.Group, a.Group[i])
			}
		}
	}
	s.From = a.mapped(len(classes), rows, func(dst, src []float32) {
		for from, to := range rank {
			dst[to] = src[from]
		}
	})
	return s, nil
}

// Merge makes classes one, under a new name; its probability is the sum of theirs.
func (a *Answers) Merge(name string, classes []string) (*Answers, error) {
	to := make([]int, len(a.Classes))
	merged := map[int]bool{}
	for _, class := range classes {
		c, err := a.class(class)
		if err != nil {
			return nil, err
		}
		merged[c] = true
	}
	m := &Answers{Files: a.Files, Read: a.Read, Group: a.Group, Splits: a.Splits}
	for c, class := range a.Classes {
		if !merged[c] {
			if class == name {
				return nil, fmt.Errorf("choose: the class %q exists and is not merged; choose another name", name)
			}
			to[c] = len(m.Classes)
			m.Classes = append(m.Classes, class)
		}
	}
	if len(merged) < 2 || len(m.Classes) == 0 {
		return nil, fmt.Errorf("choose: %d of %d classes are merged, want at least 2, and at least one other", len(merged), len(a.Classes))
	}
	for c := range merged {
		to[c] = len(m.Classes)
	}
	m.Classes = append(m.Classes, name)
	rows := make([]int, len(a.Labels))
	for i, l := range a.Labels {
		rows[i] = i
		m.Labels = append(m.Labels, to[l])
	}
	m.From = a.mapped(len(m.Classes), rows, func(dst, src []float32) {
		for c, v := range src {
			dst[to[c]] += v
		}
	})
	return m, nil
}

// mapped are the answerers with other classes and some of the images; probabilities sum to 1 again where they do not
// vanish.
func (a *Answers) mapped(classes int, rows []int, change func(dst, src []float32)) []Answerer {
	from := slices.Clone(a.From)
	for f := range from {
		t := heads.NewMatrix(len(rows), classes)
		for r, i := range rows {
			dst := t.Row(r)
			change(dst, a.From[f].probabilities.Row(i))
			sum := float32(0)
			for _, v := range dst {
				sum += v
			}
			for c := range dst {
				if sum > 0 {
					dst[c] /= sum
				}
			}
		}
		from[f].probabilities = t
	}
	return from
}

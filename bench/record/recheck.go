package record

import (
	"fmt"
	"math"
)

// A Recheck ties a latency row to the accuracy of the same checkpoint: the timed engine predicts a few of the
// accuracy's images, and these predictions are compared with the accuracy's own. Where there was nothing to compare
// with, checked is 0, and not_measured says why under "recheck".
type Recheck struct {
	Data        string       `json:"data"` // folder or archive of the accuracy's images
	Labels      string       `json:"labels_file,omitempty"`
	ClassMap    string       `json:"class_map_file,omitempty"`
	Split       string       `json:"split,omitempty"`
	Exif        string       `json:"exif,omitempty"`
	Answers     string       `json:"answers,omitempty"` // classes among which the accuracy's answers were chosen
	Limit       int          `json:"limit,omitempty"`   // images of the accuracy; some of these were predicted again
	Seed        uint64       `json:"seed,omitempty"`
	Predictions []Prediction `json:"predictions"`
	Checked     int          `json:"checked"`
	Same        int          `json:"same"`
}

// A Prediction is what a network made of one image.
type Prediction struct {
	File   string    `json:"file"`
	Top5   []int     `json:"top5"`
	Scores []float32 `json:"scores"` // logits of the five
}

// recheckTolerance is by how much of the largest score two scores of one image may differ: batch sizes, threads and
// choices of algorithms round otherwise, and the golden tests see 2.2e-5 of the largest logit at most.
const recheckTolerance = 1e-3

// samePrediction reports whether two predictions for one image are the same but for rounding: the best scores differ by no
// more than a thousandth of the largest, and so does the score of any class that takes another's place.
func samePrediction(a, b Prediction) bool {
	if len(a.Top5) != len(b.Top5) || len(a.Scores) != len(a.Top5) || len(b.Scores) != len(b.Top5) {
		return false
	}
	largest := 1.0
	for i := range a.Scores {
		largest = math.Max(largest, math.Max(math.Abs(float64(a.Scores[i])), math.Abs(float64(b.Scores[i]))))
	}
	near := func(x, y float32) bool { return math.Abs(float64(x)-float64(y)) <= recheckTolerance*largest } // false of NaN
	for i, class := range a.Top5 {
		if !near(a.Scores[i], b.Scores[i]) {
			return false
		}
		if class == b.Top5[i] {
			continue
		}
		// Another class stands here: this one must stand elsewhere in b with such a score, or have fallen off its end.
		last := b.Scores[len(b.Scores)-1]
		at := -1
		for j, other := range b.Top5 {
			if other == class {
				at, last = j, b.Scores[j]
			}
		}
		if !near(a.Scores[i], last) || at < 0 && len(b.Top5) < 5 {
			return false
		}
	}
	return true
}

// Against compares the predictions with those of a per-sample file, sets Checked and Same, and returns what is odd: a
// line for every image that differs, none where all are the same. Images that the file lacks or could not read are not
// checked.
func (r *Recheck) Against(samples []Sample) (differ []string) {
	byFile := make(map[string]*Sample, len(samples))
	for i := range samples {
		byFile[samples[i].File] = &samples[i]
	}
	r.Checked, r.Same = 0, 0
	for _, p := range r.Predictions {
		s := byFile[p.File]
		if s == nil || s.Error != "" {
			continue
		}
		r.Checked++
		other := Prediction{File: s.File, Top5: s.Top5, Scores: s.Scores}
		if samePrediction(p, other) {
			r.Same++
			continue
		}
		differ = append(differ, fmt.Sprintf("%s: %s when timed, %s when evaluated", p.File, p.best(), other.best()))
	}
	return differ
}

// best is the best class and its score, as text.
func (p *Prediction) best() string {
	if len(p.Top5) == 0 || len(p.Scores) == 0 {
		return "no class"
	}
	return fmt.Sprintf("class %d (%.4g)", p.Top5[0], p.Scores[0])
}

// Text is the outcome in words: "checked 12 of 12 same", or "" where nothing was checked.
func (r *Recheck) Text() string {
	if r == nil || r.Checked == 0 {
		return ""
	}
	return fmt.Sprintf("checked %d of %d same", r.Same, r.Checked)
}

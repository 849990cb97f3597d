package samples

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// calibrationBins is how many bins the calibration error has, as in Guo et al. 2017; calibrationSeed starts the draws of what a
// perfectly calibrated network would show.
const (
	calibrationBins = 15
	calibrationSeed = 1
)

// Calibrate compares a network's confidence with how often it is right, over the images that were read and have a right
// answer.
func Calibrate(e Evaluation) (stat.Calibration, error) {
	var confidence []float64
	var right []bool
	for i := range e.Samples {
		s := &e.Samples[i]
		if len(s.Labels) == 0 || s.Error != "" {
			continue
		}
		p := s.Probability()
		if math.IsNaN(p) {
			return stat.Calibration{}, fmt.Errorf("samples: %s: %s: no probability, which older files lack; run zoobench eval --per-sample again",
				e.Path, s.File)
		}
		confidence, right = append(confidence, min(p, 1)), append(right, s.Rank() == 1)
	}
	if len(confidence) == 0 {
		return stat.Calibration{}, fmt.Errorf("samples: %s: no labelled image that could be read", e.Path)
	}
	return stat.Calibrate(confidence, right, calibrationBins, calibrationSeed), nil
}

// An Answer is a network's best class for an image.
type Answer struct {
	Class       int
	Name        string
	Probability float64 // 0 where the file does not have it
	Right       bool
}

// A Disagreement is an image to which two networks give different best classes.
type Disagreement struct {
	File       string
	Labels     []int
	LabelNames []string
	A, B       Answer

	strength float64 // both probabilities, added up; where they are not known, both leads over the second class
}

// Disagreements returns the images that two evaluations have in common and answer differently, the surest first, and how
// many they have in common.
func Disagreements(a, b Evaluation) (list []Disagreement, shared int, err error) {
	className := namer(a, b)
	answer := func(s *record.Sample) Answer {
		given := Answer{Class: s.Top5[0], Name: className(s.Top5[0]), Right: s.Rank() == 1}
		if p := s.Probability(); !math.IsNaN(p) {
			given.Probability = p
		}
		return given
	}
	byFile := map[string]*record.Sample{}
	for i := range b.Samples {
		byFile[b.Samples[i].File] = &b.Samples[i]
	}
	for i := range a.Samples {
		one, other := &a.Samples[i], byFile[a.Samples[i].File]
		if other == nil || len(one.Top5) == 0 || len(other.Top5) == 0 {
			continue
		}
		if shared++; one.Top5[0] == other.Top5[0] {
			continue
		}
		d := Disagreement{File: one.File, Labels: one.Labels, A: answer(one), B: answer(other), strength: sureness(one) + sureness(other)}
		for _, label := range one.Labels {
			d.LabelNames = append(d.LabelNames, className(label))
		}
		list = append(list, d)
	}
	if shared == 0 {
		return nil, 0, fmt.Errorf("samples: %s and %s have no image in common", a.Path, b.Path)
	}
	slices.SortStableFunc(list, func(x, y Disagreement) int { return cmp.Compare(y.strength, x.strength) })
	return list, shared, nil
}

// sureness is the best class's probability or, where the file does not have it, its lead over the second class.
func sureness(s *record.Sample) float64 {
	if p := s.Probability(); !math.IsNaN(p) {
		return p
	}
	if len(s.Scores) < 2 {
		return 0
	}
	return 1 - math.Exp(float64(s.Scores[1]-s.Scores[0]))
}

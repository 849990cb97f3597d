package recipe

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Schedule is the learning rate over a run.
type Schedule struct {
	Kind ScheduleKind
	Rate float64 // the highest

	// Warmup is the share of all steps in which the rate grows to Rate, by equal amounts.
	Warmup float64

	Least  float64   // cosine: at the end
	Drops  []float64 // step: shares of all steps after which the rate is multiplied by Factor
	Factor float64
}

// ScheduleKind is the shape of a schedule.
type ScheduleKind string

// The kinds of schedule.
const (
	Constant ScheduleKind = "constant"
	Cosine   ScheduleKind = "cosine" // half a cosine from Rate to Least (Loshchilov and Hutter 2016)
	Step     ScheduleKind = "step"   // drops by Factor
)

// Check names the first thing that is wrong.
func (s Schedule) Check() error {
	switch {
	case !slices.Contains([]ScheduleKind{Constant, Cosine, Step}, s.Kind):
		return fmt.Errorf("train: schedule %q, want %s, %s or %s", s.Kind, Constant, Cosine, Step)
	case !(s.Rate > 0) || math.IsInf(s.Rate, 0):
		return fmt.Errorf("train: learning rate %v, want more than 0", s.Rate)
	case !(s.Warmup >= 0 && s.Warmup < 1):
		return fmt.Errorf("train: warm-up %v of all steps, want at least 0 and less than 1", s.Warmup)
	case !(s.Least >= 0 && s.Least <= s.Rate):
		return fmt.Errorf("train: least learning rate %v, want 0 to %v, the highest", s.Least, s.Rate)
	case s.Kind != Cosine && s.Least != 0:
		return fmt.Errorf("train: least learning rate %v, which only a cosine has", s.Least)
	case s.Kind != Step && len(s.Drops) > 0:
		return fmt.Errorf("train: drops of the learning rate %v, which only a step schedule has", s.Drops)
	case s.Kind == Step && len(s.Drops) == 0:
		return errors.New("train: a step schedule without drops, want shares of all steps")
	case s.Kind == Step && !(s.Factor > 0 && s.Factor < 1):
		return fmt.Errorf("train: drops by the factor %v, want more than 0 and less than 1", s.Factor)
	}
	last := 0.0
	for _, d := range s.Drops {
		if !(d > last && d < 1) {
			return fmt.Errorf("train: drops %v, want rising shares of all steps between 0 and 1", s.Drops)
		}
		last = d
	}
	return nil
}

// At is the learning rate of a step, from 0 to steps − 1.
func (s Schedule) At(step, steps int) float64 {
	warm := s.Warmup * float64(steps)
	if done := float64(step + 1); done < warm {
		return s.Rate * done / warm
	}
	rate := s.Rate
	switch s.Kind {
	case Cosine:
		t := (float64(step) - warm) / (float64(steps) - warm)
		rate = s.Least + (s.Rate-s.Least)*(1+math.Cos(math.Pi*max(t, 0)))/2
	case Step:
		for _, d := range s.Drops {
			if float64(step) >= d*float64(steps) {
				rate *= s.Factor
			}
		}
	}
	return rate
}

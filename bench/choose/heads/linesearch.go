package heads

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/optimize"
)

// lineSearch finds a step along which a convex function falls by its slopes alone: the slope's sign says on which side
// the minimum lies. Near the optimum, values in float32 differ by less than they are wrong, and a search that compares
// them, as optimize.Bisection does, stops at a gradient ten times as large.
type lineSearch struct {
	slope    float64 // at the start
	lo, hi   float64 // steps with slopes below and above zero
	atLo     float64 // slope there
	atHi     float64
	step     float64
	attempts int
}

// flat is how much of the first slope may be left, and mostAttempts after how many steps there is something wrong.
const (
	flat         = 0.5
	mostAttempts = 60
)

// Init starts a search.
func (l *lineSearch) Init(_, slope, step float64) optimize.Operation {
	*l = lineSearch{slope: slope, hi: math.Inf(1), atLo: slope, step: step}
	return optimize.FuncEvaluation | optimize.GradEvaluation
}

// Iterate ends the search or names the next step.
func (l *lineSearch) Iterate(value, slope float64) (optimize.Operation, float64, error) {
	if l.attempts++; l.attempts > mostAttempts {
		return optimize.NoOperation, 0, errors.New("heads: probe: no step along which the loss falls")
	}
	switch {
	case math.IsNaN(value) || math.IsNaN(slope) || math.IsInf(value, 0):
		l.hi, l.atHi = l.step, math.Inf(1)
	case math.Abs(slope) <= flat*-l.slope:
		return optimize.MajorIteration, l.step, nil
	case slope < 0:
		l.lo, l.atLo = l.step, slope
	default:
		l.hi, l.atHi = l.step, slope
	}
	switch {
	case math.IsInf(l.hi, 1):
		l.step *= 2
	case math.IsInf(l.atHi, 1):
		l.step = (l.lo + l.hi) / 2
	default:
		// Where a straight line between the slopes is zero, a tenth of the way from either end.
		part := l.atLo / (l.atLo - l.atHi)
		l.step = l.lo + (l.hi-l.lo)*min(max(part, 0.1), 0.9)
	}
	return optimize.FuncEvaluation | optimize.GradEvaluation, l.step, nil
}

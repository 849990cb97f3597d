package recipe

import (
	"errors"
	"fmt"
	"math"
)

// Float is the type of parameters: float32 in training, float64 where it is checked.
type Float interface{ float32 | float64 }

// Optimizer is how parameters follow their gradients, with PyTorch's order of operations.
type Optimizer struct {
	Kind OptimizerKind

	Momentum float64 // SGD
	Nesterov bool    // SGD: the step looks one momentum ahead

	Beta1, Beta2, Eps float64 // AdamW

	// Decay shrinks weights: SGD adds Decay·weight to the gradient, AdamW multiplies the weight by 1 − rate·Decay apart from
	// it (Loshchilov and Hutter 2017).
	Decay float64
}

// OptimizerKind is the family of an optimizer.
type OptimizerKind string

// The kinds of optimizer.
const (
	SGD   OptimizerKind = "sgd"
	AdamW OptimizerKind = "adamw"
)

// Usual are the values that an optimizer of a kind commonly has.
func Usual(kind OptimizerKind) Optimizer {
	if kind == AdamW {
		return Optimizer{Kind: AdamW, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05}
	}
	return Optimizer{Kind: SGD, Momentum: 0.9, Nesterov: true, Decay: 5e-4}
}

// Moments are what an optimizer remembers from step to step, by parameter: SGD the momentum in First, AdamW means of
// gradients in First and of their squares in Second.
type Moments[F Float] struct {
	Steps         int
	First, Second [][]F
}

// NewMoments are those before the first step, for parameters of these lengths; 0 is one that is not learned.
func NewMoments[F Float](o Optimizer, lengths []int) *Moments[F] {
	m := &Moments[F]{First: make([][]F, len(lengths)), Second: make([][]F, len(lengths))}
	for i, n := range lengths {
		m.First[i] = make([]F, n)
		if o.Kind == AdamW {
			m.Second[i] = make([]F, n)
		}
	}
	return m
}

// Rule is what a step does to one parameter otherwise than to the rest.
type Rule struct {
	Decays bool    // whether Decay shrinks it
	Rate   float64 // times the learning rate
}

// Update takes one step at a learning rate, by a rule for each parameter. One whose gradient is nil stays as it is.
func Update[F Float](o Optimizer, m *Moments[F], rate float64, params, gradients [][]F, rules []Rule) {
	m.Steps++
	for i, g := range gradients {
		if g == nil {
			continue
		}
		decay, rate := 0.0, rate*rules[i].Rate
		if rules[i].Decays {
			decay = o.Decay
		}
		if o.Kind == AdamW {
			adamW(o, params[i], g, m.First[i], m.Second[i], rate, decay, m.Steps)
		} else {
			sgd(o, params[i], g, m.First[i], rate, decay)
		}
	}
}

func sgd[F Float](o Optimizer, p, g, momentum []F, rate, decay float64) {
	mu, lambda, eta := F(o.Momentum), F(decay), F(rate)
	for i, d := range g {
		d += lambda * p[i]
		momentum[i] = mu*momentum[i] + d
		if o.Nesterov {
			d += mu * momentum[i]
		} else {
			d = momentum[i]
		}
		p[i] -= eta * d
	}
}

func adamW[F Float](o Optimizer, p, g, first, second []F, rate, decay float64, steps int) {
	keep, b1, b2, eps := F(1-rate*decay), F(o.Beta1), F(o.Beta2), F(o.Eps)
	c1, c2 := F(1-o.Beta1), F(1-o.Beta2) // not 1 − F(β): float32 would lose three digits of 0.001
	step := F(rate / (1 - math.Pow(o.Beta1, float64(steps))))
	root := F(math.Sqrt(1 - math.Pow(o.Beta2, float64(steps))))
	for i, d := range g {
		first[i] = b1*first[i] + c1*d
		second[i] = b2*second[i] + c2*d*d
		p[i] = keep*p[i] - step*first[i]/(F(math.Sqrt(float64(second[i])))/root+eps)
	}
}

// Clip scales gradients down so that the root of the sum of all their squares is at most limit, and returns what it was;
// 0 is no limit (Pascanu and others 2013).
func Clip[F Float](gradients [][]F, limit float64) float64 {
	sum := 0.0
	for _, g := range gradients {
		for _, v := range g {
			sum += float64(v) * float64(v)
		}
	}
	norm := math.Sqrt(sum)
	if limit > 0 && norm > limit {
		scale := F(limit / norm)
		for _, g := range gradients {
			for i := range g {
				g[i] *= scale
			}
		}
	}
	return norm
}

// Average moves an average of parameters to their values after a step, counted from 1. It is a moving average that forgets
// with decay, less at the beginning: at step s it keeps at most (1 + s)/(10 + s).
func Average[F Float](average, params [][]F, decay float64, step int) {
	keep := min(decay, float64(1+step)/float64(10+step))
	for i, p := range params {
		for k, v := range p {
			average[i][k] += F(1-keep) * (v - average[i][k])
		}
	}
}

// Check names the first thing that is wrong.
func (o Optimizer) Check() error {
	sgd := o.Kind == SGD
	switch {
	case !sgd && o.Kind != AdamW:
		return fmt.Errorf("train: optimizer %q, want %s or %s", o.Kind, SGD, AdamW)
	case !(o.Decay >= 0) || math.IsInf(o.Decay, 0):
		return fmt.Errorf("train: weight decay %v, want at least 0", o.Decay)
	case !(o.Momentum >= 0 && o.Momentum < 1):
		return fmt.Errorf("train: momentum %v, want at least 0 and less than 1", o.Momentum)
	case o.Nesterov && o.Momentum == 0:
		return errors.New("train: Nesterov's step without momentum, want momentum above 0")
	case !sgd && o.Momentum != 0:
		return fmt.Errorf("train: momentum %v, which only %s has", o.Momentum, SGD)
	case sgd && (o.Beta1 != 0 || o.Beta2 != 0 || o.Eps != 0):
		return fmt.Errorf("train: betas %v and %v, epsilon %v, which only %s has", o.Beta1, o.Beta2, o.Eps, AdamW)
	case !sgd && !(o.Beta1 >= 0 && o.Beta1 < 1 && o.Beta2 >= 0 && o.Beta2 < 1):
		return fmt.Errorf("train: betas %v and %v, want at least 0 and less than 1", o.Beta1, o.Beta2)
	case !sgd && !(o.Eps > 0 && o.Eps < 1):
		return fmt.Errorf("train: epsilon %v, want more than 0 and less than 1", o.Eps)
	}
	return nil
}

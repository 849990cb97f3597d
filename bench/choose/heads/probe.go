package heads

import (
	"errors"
	"fmt"
	"math"
	"runtime"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/optimize"

	"zoobench/kernels/par"
)

// A problem is one fit of multinomial logistic regression to n images' features:
//
//	minimise over W and b   1/n · Σ −log softmax(W·xᵢ + b)[yᵢ]  +  strength/2 · ‖W‖²
//
// Features are shifted and scaled to mean 0 and variance 1/d over the n, so that an image's have length 1 in the mean
// and one strength means the same to every network. The products run in float32 on the networks' kernels, all sums and
// the minimiser in float64. A class without an image takes no part.
type problem struct {
	n, d, k     int
	x, xt       []float32 // (n, d) and (d, n), scaled
	labels      []int
	present     []bool // classes with an image
	mean, scale []float64

	pool     *par.Pool
	weight   []float32 // (k, d)
	bias     []float32 // (k)
	logits   []float32 // (n, k)
	residual []float32 // (k, n): probability less label, over n
	product  []float32 // (d, k)

	strength float64
	at       []float64 // the point of loss and gradient
	loss     float64
	gradient []float64 // (k·d + k): of W by rows, then b
}

// manyValues is how large a problem is that must not be in memory twice.
const manyValues = 1 << 22

func newProblem(pool *par.Pool, features Features, rows, labels []int, classes int) *problem {
	n, d, k := len(rows), features.Width(), classes
	if n*d > manyValues {
		runtime.GC() // the problem before it is as large, and no longer of use
	}
	p := &problem{
		n: n, d: d, k: k, pool: pool, labels: make([]int, n), present: make([]bool, k),
		x: make([]float32, n*d), xt: make([]float32, d*n), mean: make([]float64, d), scale: make([]float64, d),
		weight: make([]float32, k*d), bias: make([]float32, k), logits: make([]float32, n*k), residual: make([]float32, k*n),
		product: make([]float32, d*k), gradient: make([]float64, k*d+k),
	}
	for _, i := range rows {
		for j, v := range features.Row(i) {
			p.mean[j] += float64(v) / float64(n)
		}
	}
	for _, i := range rows {
		for j, v := range features.Row(i) {
			p.scale[j] += (float64(v) - p.mean[j]) * (float64(v) - p.mean[j]) / float64(n)
		}
	}
	for j, variance := range p.scale {
		p.scale[j] = 0 // a feature that does not vary says nothing
		if variance > 1e-12*(1+p.mean[j]*p.mean[j]) {
			p.scale[j] = 1 / math.Sqrt(variance*float64(d))
		}
	}
	for r, i := range rows {
		p.labels[r] = labels[i]
		p.present[labels[i]] = true
		for j, v := range features.Row(i) {
			s := float32((float64(v) - p.mean[j]) * p.scale[j])
			p.x[r*d+j], p.xt[j*n+r] = s, s
		}
	}
	return p
}

// eval computes loss and gradient at w, unless they are of w already.
func (p *problem) eval(w []float64) {
	if p.at != nil && floats.Equal(p.at, w) {
		return
	}
	p.at = append(p.at[:0], w...)
	bias := w[p.k*p.d:]
	penalty := 0.0
	for i, v := range w[:p.k*p.d] {
		p.weight[i] = float32(v)
		penalty += v * v
	}
	for c, v := range bias {
		p.bias[c] = float32(v)
	}
	product(p.pool, p.logits, p.x, p.weight, p.bias, p.n, p.d, p.k)
	p.loss = 0
	byBias := p.gradient[p.k*p.d:]
	clear(byBias)
	probability := make([]float64, p.k)
	for i := range p.n {
		row := p.logits[i*p.k : (i+1)*p.k]
		logSum := softmax(probability, row, p.present)
		p.loss += (logSum - float64(row[p.labels[i]])) / float64(p.n)
		for c, v := range probability {
			if c == p.labels[i] {
				v--
			}
			v /= float64(p.n)
			byBias[c] += v
			p.residual[c*p.n+i] = float32(v)
		}
	}
	product(p.pool, p.product, p.xt, p.residual, nil, p.d, p.n, p.k)
	for c := range p.k {
		for j := range p.d {
			p.gradient[c*p.d+j] = float64(p.product[j*p.k+c]) + p.strength*w[c*p.d+j]
		}
	}
	p.loss += p.strength / 2 * penalty
}

// softmax writes the probabilities of a row of logits, 0 for classes that are not present, and returns the logarithm of
// the sum of the exponentials.
func softmax(dst []float64, logits []float32, present []bool) float64 {
	largest, sum := math.Inf(-1), 0.0
	for c, v := range logits {
		if present[c] {
			largest = max(largest, float64(v))
		}
	}
	for c, v := range logits {
		dst[c] = 0
		if present[c] {
			dst[c] = math.Exp(float64(v) - largest)
			sum += dst[c]
		}
	}
	floats.Scale(1/sum, dst)
	return largest + math.Log(sum)
}

// How far a fit goes: until the largest element of the gradient is this share of that at W = 0, b = 0. Strengths are
// compared by fits that need not be as close.
const (
	closeEnough  = 1e-3
	convergence  = 2e-5
	acceptable   = 5    // times as much will do, where float32 gives no more
	nothing      = 1e-7 // a gradient at zero that is no more than this is rounding: the features say nothing
	maxIteration = 1000
)

// A fit is a solution of a problem, for features as they come.
type fit struct {
	weight   []float32 // (k, d)
	bias     []float32 // (k)
	present  []bool
	gradient float64 // largest element at the solution over that at zero
	solution []float64
}

// solve minimises by L-BFGS from start, nil for zero, until the gradient is that share of zero's.
func (p *problem) solve(strength float64, start []float64, share float64) (*fit, error) {
	p.strength, p.at = strength, nil
	zero := make([]float64, p.k*p.d+p.k)
	p.eval(zero)
	first := floats.Norm(p.gradient, math.Inf(1))
	if start == nil {
		start = zero
	}
	if first < nothing {
		return p.unscaled(zero, 0), nil
	}
	// The minimiser keeps the point of the lowest value. Near the optimum the gradient says better which is the best.
	solution, reached := start, math.Inf(1)
	result, err := optimize.Minimize(optimize.Problem{
		Func: func(w []float64) float64 { p.eval(w); return p.loss },
		Grad: func(gradient, w []float64) {
			p.eval(w)
			copy(gradient, p.gradient)
			if g := floats.Norm(gradient, math.Inf(1)) / first; g < reached {
				solution, reached = append([]float64(nil), w...), g
			}
		},
	}, start, &optimize.Settings{
		GradientThreshold: share * first, MajorIterations: maxIteration, Converger: optimize.NeverTerminate{},
	}, &optimize.LBFGS{Linesearcher: &lineSearch{}})
	// A search that finds no further step has come to the end of float32; how near the optimum that is, the gradient says.
	if reached > acceptable*share {
		if err == nil {
			err = errors.New(result.Status.String())
		}
		return nil, fmt.Errorf("heads: probe: the gradient is %.1e of that at zero, want %.0e: %w", reached, share, err)
	}
	return p.unscaled(solution, reached), nil
}

// unscaled is a solution with the features' shift and scale multiplied in.
func (p *problem) unscaled(w []float64, gradient float64) *fit {
	f := &fit{weight: make([]float32, p.k*p.d), bias: make([]float32, p.k), present: p.present, gradient: gradient, solution: w}
	for c := range p.k {
		b := w[p.k*p.d+c]
		for j := range p.d {
			v := w[c*p.d+j] * p.scale[j]
			f.weight[c*p.d+j] = float32(v)
			b -= v * p.mean[j]
		}
		f.bias[c] = float32(b)
	}
	return f
}

// predictBlock is how many images are predicted at a time.
const predictBlock = 4096

// predict returns the probabilities of some images' classes, (len(rows), classes).
func (f *fit) predict(pool *par.Pool, features Features, rows []int) [][]float64 {
	n, d, k := len(rows), features.Width(), len(f.bias)
	if n == 0 {
		return nil
	}
	x, logits := make([]float32, min(n, predictBlock)*d), make([]float32, min(n, predictBlock)*k)
	all := make([][]float64, n)
	for from := 0; from < n; from += predictBlock {
		count := min(predictBlock, n-from)
		for r, i := range rows[from : from+count] {
			copy(x[r*d:], features.Row(i))
		}
		product(pool, logits[:count*k], x[:count*d], f.weight, f.bias, count, d, k)
		for r := range count {
			all[from+r] = make([]float64, k)
			softmax(all[from+r], logits[r*k:(r+1)*k], f.present)
		}
	}
	return all
}

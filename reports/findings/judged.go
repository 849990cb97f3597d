package findings

import (
	"math"
	"slices"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// judge takes an eval record; of two of one checkpoint at one size the one with more images, then the later one. The
// first one is that at the checkpoint's own size, which a job that asks for none runs at.
func (e *evidence) judge(r *record.Record) {
	all := e.judged[r.Name()]
	i := slices.IndexFunc(all, func(o *record.Record) bool { return o.ImgSize == r.ImgSize })
	switch {
	case i < 0:
		i, all = len(all), append(all, r)
	case all[i].Images < r.Images || all[i].Images == r.Images && !r.Time.Before(all[i].Time):
		all[i] = r
	}
	if r.Asked == nil || r.Asked.ImgSize == 0 {
		e.own[r.Name()] = r.ImgSize
		all[0], all[i] = all[i], all[0]
	}
	e.judged[r.Name()] = all
}

// ownSize reports whether an evaluation was made at its checkpoint's own input size.
func (e *evidence) ownSize(r *record.Record) bool {
	size, ok := e.own[r.Name()]
	return ok && size == r.ImgSize
}

// accuracy returns the eval record of a checkpoint, as network.tag, at its own size, or at another where that was not
// run; nil where it is missing.
func (e *evidence) accuracy(name string, l *lacks) *record.Record {
	if all := e.judged[name]; len(all) > 0 {
		return all[0]
	}
	l.add(lacksTop1+" of %s", name)
	return nil
}

// accuracyAt returns the eval record of a checkpoint at an input size, nil where there is none.
func (e *evidence) accuracyAt(name string, size int) *record.Record {
	for _, r := range e.judged[name] {
		if r.ImgSize == size {
			return r
		}
	}
	return nil
}

// pair returns the eval records of two checkpoints at one input size, nil where they cannot be compared: more pixels make most
// networks more accurate. Where their own sizes differ, it is the largest that both have.
func (e *evidence) pair(a, b string, l *lacks) (ra, rb *record.Record) {
	ra, rb = e.accuracy(a, l), e.accuracy(b, l)
	switch {
	case ra == nil || rb == nil:
		return nil, nil
	case ra.ImgSize == rb.ImgSize:
		return ra, rb
	}
	size := 0
	for _, r := range e.judged[a] {
		if r.ImgSize > size && e.accuracyAt(b, r.ImgSize) != nil {
			size = r.ImgSize
		}
	}
	if size == 0 {
		l.add("%s and %s at one input size, have %d and %d px", a, b, ra.ImgSize, rb.ImgSize)
		return nil, nil
	}
	return e.accuracyAt(a, size), e.accuracyAt(b, size)
}

// A gap is a difference of accuracies in points of a percent.
type gap struct {
	estimate
	test string // what it rests on
}

// sameImages reports whether two evaluations are of the same images, with answers from the same classes.
func sameImages(a, b *record.Record) bool {
	return a.DatasetSHA256 == b.DatasetSHA256 && a.Images == b.Images && a.Answers == b.Answers &&
		a.RanWith().Corruption == b.RanWith().Corruption
}

// gain returns the difference of a's and b's top-1. With per-sample files it has McNemar's exact p-value with the 95 %
// interval of Agresti and Min (2005) for paired shares, else Newcombe's interval (1998, method 10), which takes the
// images of both as independent draws. It returns false if the images differ.
func (e *evidence) gain(a, b *record.Record, l *lacks) (gap, bool) {
	if !sameImages(a, b) {
		l.add("%s and %s on the same images", a.Name(), b.Name())
		return gap{}, false
	}
	ra, rb := e.answers(a), e.answers(b)
	onlyA, onlyB := 0, 0
	for file, right := range ra {
		other, ok := rb[file]
		if !ok {
			rb = nil
			break
		}
		switch {
		case right && !other:
			onlyA++
		case other && !right:
			onlyB++
		}
	}
	if ra == nil || rb == nil {
		s := difference(a.Top1Images, a.Images, b.Top1Images, b.Images)
		return gap{estimate{s, s.normal}, "intervals"}, true
	}
	s := paired(onlyA, onlyB, a.Images)
	return gap{estimate{s, func(bound float64) float64 {
		if bound == 0 {
			return stat.McNemar(onlyA, onlyB)
		}
		return s.normal(bound)
	}}, "McNemar"}, true
}

// A change is the eval records of one network without pre-training and with it.
type change struct{ before, after *record.Record }

// contrast returns by how many points more a gains by its change than b. With per-sample files it is a mean over images of
// the difference of both gains, else both gains' intervals are taken together as independent ones. It returns false if the
// images differ.
func (e *evidence) contrast(a, b change, l *lacks) (gap, bool) {
	ga, okA := e.gain(a.after, a.before, l)
	gb, okB := e.gain(b.after, b.before, l)
	if !okA || !okB || !sameImages(a.after, b.after) {
		l.add("%s and %s on the same images", a.after.Name(), b.after.Name())
		return gap{}, false
	}
	mid := ga.mid - gb.mid
	s := span{mid, mid - math.Hypot(ga.mid-ga.lo, gb.hi-gb.mid), mid + math.Hypot(ga.hi-ga.mid, gb.mid-gb.lo)}
	test := "intervals"
	if half, ok := e.contrastHalf(a, b); ok {
		s, test = span{mid, mid - half, mid + half}, "by image"
	}
	return gap{estimate{s, s.normal}, test}, true
}

// contrastHalf is half the width of a contrast's 95 % interval, from what each image says.
func (e *evidence) contrastHalf(a, b change) (half float64, ok bool) {
	const z95 = 1.959963984540054
	weight := []float64{1, -1, -1, 1}
	var right []map[string]bool
	for _, r := range []*record.Record{a.after, a.before, b.after, b.before} {
		right = append(right, e.answers(r))
	}
	n, sum, squares := 0.0, 0.0, 0.0
	for file := range right[0] {
		x := 0.0
		for i, w := range weight {
			correct, known := right[i][file]
			if !known {
				return 0, false
			}
			if correct {
				x += w
			}
		}
		n, sum, squares = n+1, sum+x, squares+x*x
	}
	if n < 2 {
		return 0, false
	}
	return 100 * z95 * math.Sqrt((squares-sum*sum/n)/(n-1)/n), true
}

// answers is, for each image of an evaluation, whether its best class was right; nil where the per-sample file is missing
// or does not agree with the record.
func (e *evidence) answers(r *record.Record) map[string]bool {
	if right, ok := e.right[r]; ok {
		return right
	}
	e.right[r] = nil
	if e.samples == nil {
		return nil
	}
	samples, err := e.samples(r)
	if err != nil {
		return nil
	}
	right, count := map[string]bool{}, 0
	for i := range samples {
		if s := &samples[i]; len(s.Labels) > 0 {
			right[s.File] = s.Rank() == 1
			if right[s.File] {
				count++
			}
		}
	}
	if len(right) != r.Images || count != r.Top1Images {
		return nil
	}
	e.right[r] = right
	return right
}

// paired is the difference of two shares of the same n images, of which one system alone got onlyA right and the other
// alone onlyB, with the interval of Agresti and Min, Statistics in Medicine 24 (2005): half an image more in each cell.
func paired(onlyA, onlyB, n int) span {
	const z95 = 1.959963984540054
	b, c, m := float64(onlyA)+0.5, float64(onlyB)+0.5, float64(n)+2
	d := (b - c) / m
	half := z95 * math.Sqrt(b+c-(b-c)*(b-c)/m) / m
	return span{100 * float64(onlyA-onlyB) / float64(n), 100 * (d - half), 100 * (d + half)}
}

// difference returns the difference of two shares, a of na against b of nb, as of independent draws.
func difference(a, na, b, nb int) span {
	pa, pb := float64(a)/float64(na), float64(b)/float64(nb)
	la, ua := stat.Wilson(a, na)
	lb, ub := stat.Wilson(b, nb)
	d := pa - pb
	return span{
		100 * d,
		100 * (d - math.Hypot(pa-la, ub-pb)),
		100 * (d + math.Hypot(ua-pa, pb-lb)),
	}
}

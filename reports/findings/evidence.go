package findings

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// A Network is what a graph is made of, at the network's own input size and 1000 classes, for one image.
type Network struct {
	Name, Family string
	Year         int
	Size         int // pixels
	Params       int64
	MACs         int64
	Layers       []Layer // in order of execution
}

// A Layer is one node of a graph.
type Layer struct {
	Name, Op string // as conv, linear, max_pool
	In, Out  [3]int // channels, rows, columns
	Kernel   [2]int // rows, columns; zero where it has none
	Groups   int    // of a convolution
	Params   int64
	MACs     int64
}

// depthwise reports whether each channel of the layer's input is convolved alone.
func (l *Layer) depthwise() bool { return l.Op == "conv" && l.Groups > 1 && l.Groups == l.In[0] }

// linear reports whether each output of the layer depends on all of its input: a linear layer, or a convolution whose
// window is the whole image.
func (l *Layer) linear() bool {
	return l.Op == "linear" || l.Op == "conv" && l.Groups <= 1 && l.Kernel == [2]int{l.In[1], l.In[2]} && l.Out[1] == 1 && l.Out[2] == 1
}

// evidence is what claims are tested on.
type evidence struct {
	networks map[string]*Network
	order    []*Network
	timed    []*record.Record            // sound, valid, with a median and its interval
	clocked  []*record.Record            // sound, with a median, valid or not
	single   map[string]*record.Record   // of those, one image on one thread at the network's own size, plain
	untimed  map[string]string           // why a network has none
	judged   map[string][]*record.Record // by network.tag, sound and valid, one a size; see judge
	own      map[string]int              // by network.tag, its own input size, where a record shows it
	host     *record.Record
	samples  func(*record.Record) ([]record.Sample, error)
	right    map[*record.Record]map[string]bool // see answers
}

func newEvidence(records []record.Record, given Given) *evidence {
	e := &evidence{
		networks: map[string]*Network{}, single: map[string]*record.Record{},
		untimed: map[string]string{}, judged: map[string][]*record.Record{}, own: map[string]int{},
		samples: given.Samples, right: map[*record.Record]map[string]bool{},
	}
	for i := range given.Networks {
		n := &given.Networks[i]
		if e.networks[n.Name] == nil {
			e.networks[n.Name] = n
			e.order = append(e.order, n)
		}
	}
	var sound []*record.Record
	for i := range records {
		r := &records[i]
		now := *r
		now.Schema = record.Schema
		if now.Check() != nil {
			continue
		}
		sound = append(sound, r)
		if r.Kind == record.KindHost && r.Host != nil {
			e.host = r
		}
	}
	for _, r := range sound {
		switch {
		case r.Kind == record.KindEval && r.Accuracy != nil && r.Verdict.Valid:
			e.judge(r)
		case r.Kind == record.KindLatency:
			e.time(r)
		}
	}
	return e
}

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

// time takes a latency record.
func (e *evidence) time(r *record.Record) {
	why := ""
	switch {
	case r.Timing == nil:
		why = cmp.Or(r.NotMeasured["latency_p50_ns"], r.Why("latency_min_ns"))
	case !r.Verdict.Valid:
		why = strings.Join(r.Verdict.Reasons, "; ")
	case r.P50 <= 0 || r.P50Lo <= 0 || r.P50Hi < r.P50 || len(r.Processes) < 2:
		why = fmt.Sprintf("%d samples in one process have no interval of the median", r.N)
		if len(r.Processes) > 1 {
			why = fmt.Sprintf("%d samples in %d processes are too few for an interval of the median", r.N, len(r.Processes))
		}
	}
	if r.Timing != nil && r.P50 > 0 {
		e.clocked = append(e.clocked, r)
	}
	n := e.networks[r.Model]
	alone := r.Batch == 1 && r.Threads == 1 && r.Scenario == "single_stream" && (n == nil || n.Size == r.ImgSize) && e.plain(r)
	if why != "" {
		e.untimed[r.Model] = "no valid latency: " + why
		return
	}
	e.timed = append(e.timed, r)
	if before := e.single[r.Model]; alone && (before == nil || !r.Time.Before(before.Time)) {
		e.single[r.Model] = r
	}
}

// plain reports whether a record was made with the engine's own choice of algorithms and of instructions, which the
// host's record names: a row's own machine names the instructions that the row ran with.
func (e *evidence) plain(r *record.Record) bool {
	if a := r.Asked; a != nil && a.ISA != "" && (e.host == nil || a.ISA != e.host.Machine.ISA) {
		return false
	}
	s := r.Effective
	return s == nil || s.OwnChoice() && s.ISA == cmp.Or(r.Machine.ISA, s.ISA)
}

// lacks collects what is missing, each once.
type lacks []string

func (l *lacks) add(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(*l, text) {
		*l = append(*l, text)
	}
}

// network returns a graph's counts, nil where they are missing.
func (e *evidence) network(name string, l *lacks) *Network {
	n := e.networks[name]
	if n == nil {
		l.add("the graph of %s", name)
	}
	return n
}

// latency returns the record of one image on one thread at the network's own size, nil where it is missing.
func (e *evidence) latency(name string, l *lacks) *record.Record {
	r := e.single[name]
	switch {
	case r != nil:
	case e.untimed[name] != "":
		l.add("%s: %s", name, e.untimed[name])
	default:
		l.add("latency of %s: name it in an experiment of experiments.yaml", name)
	}
	return r
}

// accuracy returns the eval record of a checkpoint, as network.tag, at its own size, or at another where that was not
// run; nil where it is missing.
func (e *evidence) accuracy(name string, l *lacks) *record.Record {
	if all := e.judged[name]; len(all) > 0 {
		return all[0]
	}
	l.add("top-1 of %s (from its weights, labelled images and an experiment with accuracy)", name)
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

// sizes is at which input sizes two checkpoints are compared.
type sizes bool

const (
	oneSize  sizes = false // both at one: more pixels make most networks more accurate
	ownSizes sizes = true  // each at its own, which the claim's text says
)

// pair returns the eval records of two checkpoints, nil where they cannot be compared. Where their own sizes are not the
// one that is wanted, it is the largest that both have.
func (e *evidence) pair(a, b string, at sizes, l *lacks) (ra, rb *record.Record) {
	ra, rb = e.accuracy(a, l), e.accuracy(b, l)
	switch {
	case ra == nil || rb == nil:
		return nil, nil
	case at == ownSizes:
		for _, r := range []*record.Record{ra, rb} {
			if !e.ownSize(r) {
				l.add("top-1 of %s at its own input size, have it at %d px, which its experiment asked for", r.Name(), r.ImgSize)
				return nil, nil
			}
		}
		return ra, rb
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

// A span is an estimate with its 95 % interval.
type span struct{ mid, lo, hi float64 }

func (s span) String() string { return fmt.Sprintf("%+.1f [%+.1f, %+.1f]", s.mid, s.lo, s.hi) }

// A gap is a difference of two accuracies in points of a percent.
type gap struct {
	span
	p float64 // of McNemar's exact test on the same images; NaN without per-sample files
}

// above0 is whether the first network is the more accurate one.
func (g gap) above0() answer {
	switch {
	case math.IsNaN(g.p):
		return g.above(0)
	case g.p >= 0.05:
		return unclear
	}
	return holds(g.mid > 0)
}

// test names the test that decides.
func (g gap) test() string {
	switch {
	case math.IsNaN(g.p):
		return "intervals"
	case g.p < 0.0001:
		return "p < 0.0001"
	}
	return fmt.Sprintf("p = %.4f", g.p)
}

// sameImages reports whether two evaluations are of the same images.
func sameImages(a, b *record.Record) bool {
	return a.DatasetSHA256 == b.DatasetSHA256 && a.Images == b.Images
}

// gain returns the difference of a's and b's top-1. With per-sample files it is McNemar's exact p-value with the 95 %
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
		return gap{difference(a.Top1Images, a.Images, b.Top1Images, b.Images), math.NaN()}, true
	}
	return gap{paired(onlyA, onlyB, a.Images), stat.McNemar(onlyA, onlyB)}, true
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

// quotient returns the ratio of two medians with its 95 % interval, by the processes of both, round by round where they are
// of one run. Rows of one process have a ratio without bounds.
func quotient(a, b *record.Record) span {
	if r, ok := record.LatencyRatio(a, b); ok {
		return span{r.Times, r.Lo, r.Hi}
	}
	return span{float64(a.P50) / float64(b.P50), 0, math.Inf(1)}
}

// times scales a span by a factor over 0.
func (s span) times(f float64) span { return span{s.mid * f, s.lo * f, s.hi * f} }

// An answer is what one comparison says about a claim.
type answer int

const (
	unclear answer = iota
	yes
	no
)

func (a answer) String() string { return [...]string{"unclear", "yes", "no"}[a] }

// above is whether a span lies above x.
func (s span) above(x float64) answer {
	switch {
	case s.lo > x:
		return yes
	case s.hi <= x:
		return no
	}
	return unclear
}

// both is whether two things hold together.
func both(a, b answer) answer {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unclear
}

// opposite turns yes into no.
func opposite(a answer) answer { return [...]answer{unclear: unclear, yes: no, no: yes}[a] }

// A tally is the comparisons of one claim.
type tally struct {
	heads   []string
	rows    [][]string
	answers []answer
	plot    Plot // without estimates where the claim has none to show
	lacks
}

func (t *tally) add(a answer, cells ...string) {
	t.answers = append(t.answers, a)
	t.rows = append(t.rows, append(cells, a.String()))
}

// show puts the estimate of the comparison that was added last into the plot.
func (t *tally) show(name string, s span) {
	group := [...]string{unclear: "unclear", yes: "as claimed", no: "against the claim"}[t.answers[len(t.answers)-1]]
	t.plot.Estimates = append(t.plot.Estimates, Estimate{name, s.mid, s.lo, s.hi, group})
}

// result turns comparisons into a verdict: one that says no refutes; all that say yes confirm, where none of those that
// the claim names is missing. With one missing a whole claim is not testable, another not resolved. Summary may be
// empty.
func (t *tally) result(whole bool, summary string) Result {
	r := Result{Summary: summary, Missing: t.lacks, Rows: t.rows, Plot: t.plot}
	if len(t.rows) > 0 {
		r.Heads = append(t.heads, "as claimed")
	}
	count := map[answer]int{}
	for _, a := range t.answers {
		count[a]++
	}
	switch {
	case count[no] > 0:
		r.Verdict = Refuted
	case len(t.answers) == 0 || whole && len(t.lacks) > 0:
		r.Verdict = Untestable
	case count[unclear] > 0 || len(t.lacks) > 0:
		r.Verdict = Unresolved
	default:
		r.Verdict = Confirmed
	}
	if r.Summary == "" && len(t.answers) > 0 {
		r.Summary = fmt.Sprintf("%d of %d comparisons as claimed, %d against it, %d unclear",
			count[yes], len(t.answers), count[no], count[unclear])
	}
	if r.Summary != "" && len(t.lacks) > 0 && r.Verdict != Untestable {
		r.Summary += "; some of what the claim is about is missing"
	}
	return r
}

// holds turns a plain fact into an answer.
func holds(b bool) answer {
	if b {
		return yes
	}
	return no
}

// Texts of figures.
func mega(v int64) string         { return fmt.Sprintf("%.2f M", float64(v)/1e6) }
func giga(v int64) string         { return fmt.Sprintf("%.3f G", float64(v)/1e9) }
func percentOf(a, b int64) string { return fmt.Sprintf("%+.2f %%", 100*(float64(a)/float64(b)-1)) }
func milliseconds(r *record.Record) string {
	return fmt.Sprintf("%.2f ms [%.2f, %.2f]", float64(r.P50)/1e6, float64(r.P50Lo)/1e6, float64(r.P50Hi)/1e6)
}
func px(r *record.Record) string { return fmt.Sprint(r.ImgSize) }
func top1(r *record.Record) string {
	return fmt.Sprintf("%.2f %% [%.2f, %.2f]", r.Top1, r.Top1Lo, r.Top1Hi)
}

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

// seed starts the bootstrap of rank correlations.
const seed = 1

// minNetworks is the fewest networks that a rank correlation is taken over.
const minNetworks = 8

// light is the most multiply-accumulates that a network may take to be called lightweight here.
const light = 650_000_000

// timedClaims are tested on latencies of one image on one thread at the network's own size, unless they say otherwise.
func timedClaims() []Claim {
	return []Claim{
		{
			ID: "macs-mispredict-latency", Text: "Multiply-accumulates predict latency poorly.",
			Source: "ShuffleNet v2, arXiv:1807.11164, section 1", Tier: Timed, Needs: fmt.Sprintf("latencies of at least %d networks", minNetworks),
			Confirms:  "the 95 % interval of Spearman's rank correlation lies under 0.95",
			Refutes:   "it lies over 0.95",
			Published: "timm's CPU run, batch 1: EfficientNet-B0 0.40 G in 9.9 ms, ResNet-18 1.82 G in 7.9 ms",
			test:      mispredict,
		},
		{
			ID: "se-cost-timed", Text: "Squeeze-and-excitation takes far more time than its multiply-accumulates say.",
			Source: "a claim of the field, on arXiv:1709.01507", Tier: Timed, Needs: "latencies of seresnet and resnet at equal depth",
			Confirms:  "the share of time added is over ten times the share of MACs added, by the intervals' worst ends, in every pair",
			Refutes:   "under that by the intervals' best ends, in any pair",
			Published: "timm's CPU run, batch 1: ResNet-50 14.9 ms, with SE 18.5 ms", test: seTime,
		},
		{
			ID: "depthwise-share-of-peak", Text: "Networks of depthwise convolutions reach a smaller share of the processor's peak.",
			Source: "a claim of the field; see ShuffleNet v2, arXiv:1807.11164", Tier: Timed, Needs: "the machine's measured peak, and latencies of networks with and without depthwise layers",
			Confirms: "the rank correlation of being depthwise with the share of peak lies under 0 with its interval", Refutes: "it lies over 0",
			Note: "Algorithms that save multiplications (Winograd's) count as if they did not, so a share may pass 100 %.", test: shareOfPeak,
		},
		{
			ID: "lightweight-on-one-core", Text: "Lightweight networks are faster than ResNet-50 on one core, in proportion or not.",
			Source: "the review's conclusion on lightweight networks", Tier: Timed, Needs: "latencies of resnet50 and of networks under 0.65 G multiply-accumulates",
			Confirms: "each takes less time, intervals apart", Refutes: "any takes more", test: lightweight,
		},
		{
			ID: "depth-against-width", Text: "At equal multiply-accumulates a wide network is faster than a deep one.",
			Source: "Wide ResNet, arXiv:1605.07146, section 3", Tier: Timed, Needs: "latencies of wide_resnet50_2 and resnet152 (11.4 and 11.5 G)",
			Confirms: "the wide one takes less time, intervals apart", Refutes: "it takes more",
			test: faster([][2]string{{"wide_resnet50_2", "resnet152"}}),
		},
		{
			ID: "folded-batch-norm", Text: "Batch normalisation costs no time once it is folded into the weights.",
			Source: "a claim of the field; the review names normalisation among what may hold CNNs back", Tier: Timed, Needs: "latencies of vgg networks with and without it",
			Confirms: "the latencies are within 10 % of each other, by the intervals' worst ends, in every pair", Refutes: "any pair is over 10 % apart by the best ends", test: foldedNorm,
		},
		{
			ID: "batch-curve", Text: "An image costs less time when it travels in a batch.",
			Source: "a claim of the field", Tier: Timed, Needs: "one network's latencies at several batch sizes, all else equal (the experiment batch)",
			Confirms: "in each network the best batch takes less time an image than batch 1, intervals apart", Refutes: "in any network no batch is better, intervals apart", test: batchCurve,
		},
		{
			ID: "resolution-curve", Text: "Latency grows with the pixels as the operations do.",
			Source: "a claim of the field", Tier: Timed, Needs: "one network's latencies at three or more sizes, all else equal (the experiment resolution)",
			Confirms: "in each network the time of a multiply-accumulate at the largest size is within 10 % of that at the smallest, by the intervals' worst ends", Refutes: "in any network it is over 10 % apart by the best ends", test: resolutionCurve,
		},
		{
			ID: "searched-against-hand-made-time", Text: "Searched mobile networks are no slower than hand-made ones of as many multiply-accumulates.",
			Source: "MnasNet, arXiv:1807.11626; the review's conclusion on architecture search", Tier: Timed, Needs: "latencies of mnasnet_100, mobilenetv2_100, nasnetamobile and mobilenetv2_140",
			Confirms: "each searched network takes less time, intervals apart", Refutes: "any takes more",
			test: faster([][2]string{{"mnasnet_100", "mobilenetv2_100"}, {"nasnetamobile", "mobilenetv2_140"}}),
		},
		{
			ID: "inception-family", Text: "Of the Inceptions, v3 and Inception-ResNet v2 are the ones in wide use.",
			Source: "the review's conclusion on Inception", Tier: Timed, Needs: "latencies of the Inceptions",
			Confirms: "nothing: use cannot be measured; the family's costs and times are shown", Refutes: "nothing", test: inceptions,
		},
	}
}

// alone lists the networks with a latency of one image on one thread and counts, in the graphs' order.
func (e *evidence) alone() (networks []*Network, records []*record.Record) {
	for _, n := range e.order {
		if r := e.single[n.Name]; r != nil {
			networks, records = append(networks, n), append(records, r)
		}
	}
	return networks, records
}

func mispredict(e *evidence) Result {
	networks, records := e.alone()
	var l lacks
	if len(networks) < minNetworks {
		l.add("%d networks with a latency to be trusted, have %d", minNetworks, len(networks))
		return Result{Verdict: Untestable, Missing: l}
	}
	var macs, params, acts, times []float64
	for i, n := range networks {
		macs, params = append(macs, float64(n.MACs)), append(params, float64(n.Params))
		var activations int64
		for _, l := range n.Layers {
			if l.MACs > 0 {
				activations += int64(l.Out[0] * l.Out[1] * l.Out[2])
			}
		}
		acts, times = append(acts, float64(activations)), append(times, float64(records[i].P50))
	}
	r := Result{Heads: []string{"what predicts", "against", "Spearman's ρ, or the times"}}
	row := func(name string, x []float64) span {
		lo, hi := stat.SpearmanInterval(x, times, seed)
		s := span{stat.Spearman(x, times), lo, hi}
		text := fmt.Sprintf("%.3f [%.3f, %.3f]", s.mid, s.lo, s.hi)
		if math.IsNaN(s.mid) || math.IsNaN(s.lo) {
			text = "does not vary"
		}
		r.Rows = append(r.Rows, []string{name, "latency", text})
		return s
	}
	rho := row("MACs", macs)
	row("parameters", params)
	row("activations", acts)
	worst := inversions(networks, records)
	for _, w := range worst[:min(len(worst), 5)] {
		r.Pairs = append(r.Pairs, [2]string{w.a.Name, w.b.Name})
		r.Rows = append(r.Rows, []string{
			fmt.Sprintf("%s has %s", w.a.Name, giga(w.a.MACs)), fmt.Sprintf("%s has %s", w.b.Name, giga(w.b.MACs)),
			milliseconds(w.ra) + " against " + milliseconds(w.rb),
		})
	}
	switch over := rho.above(0.95); {
	case math.IsNaN(rho.lo) || math.IsNaN(rho.hi):
		r.Verdict = Unresolved
	default:
		r.Verdict = map[answer]Verdict{yes: Refuted, no: Confirmed, unclear: Unresolved}[over]
	}
	r.Summary = fmt.Sprintf("ρ = %.3f [%.3f, %.3f] over %d networks", rho.mid, rho.lo, rho.hi, len(networks))
	if len(worst) > 0 {
		r.Summary += fmt.Sprintf("; %d pairs in which fewer MACs take more time, the worst %s with %.1f times fewer than %s and %.1f times the time",
			len(worst), worst[0].a.Name, float64(worst[0].b.MACs)/float64(worst[0].a.MACs), worst[0].b.Name, quotient(worst[0].ra, worst[0].rb).mid)
	}
	return r
}

// An inversion is a network a with fewer MACs than b that takes longer, intervals apart.
type inversion struct {
	a, b   *Network
	ra, rb *record.Record
}

// inversions are the pairs, the one with the largest product of both quotients first.
func inversions(networks []*Network, records []*record.Record) []inversion {
	var all []inversion
	for i, a := range networks {
		for j, b := range networks {
			if a.MACs < b.MACs && records[i].P50Lo > records[j].P50Hi {
				all = append(all, inversion{a, b, records[i], records[j]})
			}
		}
	}
	size := func(v inversion) float64 {
		return float64(v.b.MACs) / float64(v.a.MACs) * float64(v.ra.P50) / float64(v.rb.P50)
	}
	slices.SortStableFunc(all, func(x, y inversion) int { return cmp.Compare(size(y), size(x)) })
	return all
}

func seTime(e *evidence) Result {
	t := tally{heads: []string{"network", "against", "MACs added", "time added, %"}, plot: Plot{What: "time that squeeze-and-excitation adds (%)", Marks: []float64{0}}}
	for _, depth := range []string{"18", "34", "50", "101", "152"} {
		var l lacks
		a, b := e.network("seresnet"+depth, &l), e.network("resnet"+depth, &l)
		ra, rb := e.latency("seresnet"+depth, &l), e.latency("resnet"+depth, &l)
		t.lacks = append(t.lacks, l...)
		if len(l) > 0 {
			continue
		}
		q := quotient(ra, rb)
		added := span{100 * (q.mid - 1), 100 * (q.lo - 1), 100 * (q.hi - 1)}
		macs := 100 * (float64(a.MACs)/float64(b.MACs) - 1)
		t.add(added.above(10*macs), a.Name, b.Name, fmt.Sprintf("%+.3f %%", macs), added.String())
		t.show(a.Name, added)
	}
	return t.result(false, "")
}

// faster says of each pair whether the first takes less time than the second.
func faster(names [][2]string) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{heads: []string{"network", "MACs", "latency", "against", "MACs", "latency", "times the other's"}, plot: Plot{What: "time of the first over the second", Log: true, Marks: []float64{1}}}
		for _, p := range names {
			var l lacks
			a, b := e.network(p[0], &l), e.network(p[1], &l)
			ra, rb := e.latency(p[0], &l), e.latency(p[1], &l)
			t.lacks = append(t.lacks, l...)
			if len(l) > 0 {
				continue
			}
			q := quotient(ra, rb)
			t.add(opposite(q.above(1)), a.Name, giga(a.MACs), milliseconds(ra), b.Name, giga(b.MACs), milliseconds(rb), fmt.Sprintf("%.2f [%.2f, %.2f]", q.mid, q.lo, q.hi))
			t.show(a.Name+" over "+b.Name, q)
		}
		return t.result(false, "")
	}
}

// shareOfPeak correlates having depthwise layers with the multiply-accumulates done in a cycle's worth of peak.
func shareOfPeak(e *evidence) Result {
	networks, records := e.alone()
	var l lacks
	if e.host == nil || !(e.host.PeakGFLOPS > 0) {
		l.add("the machine's peak, which a run measures before its first timed job")
	}
	r := Result{Heads: []string{"network", "depthwise layers", "share of one core's peak"}}
	plot := Plot{What: "share of one core's measured peak (%)"}
	var is, share []float64
	kinds := map[bool]int{}
	for i, n := range networks {
		if len(l) > 0 {
			break
		}
		count := 0
		for j := range n.Layers {
			if n.Layers[j].depthwise() {
				count++
			}
		}
		kinds[count > 0]++
		is = append(is, float64(min(count, 1)))
		v := 2 * float64(n.MACs) / float64(records[i].P50) / e.host.PeakGFLOPS
		share = append(share, v)
		r.Rows = append(r.Rows, []string{n.Name, fmt.Sprint(count), fmt.Sprintf("%.0f %%", 100*v)})
		group := "no depthwise layers"
		if count > 0 {
			group = "with depthwise layers"
		}
		plot.Estimates = append(plot.Estimates, Estimate{n.Name, 100 * v, 100 * v, 100 * v, group})
	}
	if len(l) == 0 && (kinds[true] < 2 || kinds[false] < 2 || len(networks) < minNetworks) {
		l.add("%d networks with a latency to be trusted, two with and two without depthwise layers among them; have %d and %d", minNetworks, kinds[true], kinds[false])
	}
	if len(l) > 0 {
		return Result{Verdict: Untestable, Missing: l}
	}
	slices.SortStableFunc(plot.Estimates, func(a, b Estimate) int { return cmp.Compare(b.Mid, a.Mid) })
	r.Plot = plot
	lo, hi := stat.SpearmanInterval(is, share, seed)
	s := span{stat.Spearman(is, share), lo, hi}
	r.Verdict = map[answer]Verdict{yes: Refuted, no: Confirmed, unclear: Unresolved}[s.above(0)]
	r.Summary = fmt.Sprintf("median share with depthwise layers %.0f %%, without %.0f %%; ρ = %.2f [%.2f, %.2f] over %d networks",
		100*medianWhere(share, is, 1), 100*medianWhere(share, is, 0), s.mid, s.lo, s.hi, len(networks))
	return r
}

// medianWhere is the upper median of the values whose mark is m.
func medianWhere(values, marks []float64, m float64) float64 {
	var some []float64
	for i, v := range values {
		if marks[i] == m {
			some = append(some, v)
		}
	}
	slices.Sort(some)
	return some[len(some)/2]
}

func lightweight(e *evidence) Result {
	t := tally{heads: []string{"network", "MACs fewer than resnet50, times", "time less, times"}, plot: Plot{What: "time of resnet50 over the network's", Log: true, Marks: []float64{1}}}
	big := e.network("resnet50", &t.lacks)
	rb := e.latency("resnet50", &t.lacks)
	if big == nil || rb == nil {
		return t.result(true, "")
	}
	networks, records := e.alone()
	for i, n := range networks {
		if n.MACs >= light {
			continue
		}
		q := quotient(rb, records[i])
		t.add(q.above(1), n.Name, fmt.Sprintf("%.1f", float64(big.MACs)/float64(n.MACs)), fmt.Sprintf("%.1f [%.1f, %.1f]", q.mid, q.lo, q.hi))
		t.show(n.Name, q)
	}
	if len(t.rows) == 0 {
		t.lacks.add("latency of a network under 0.65 G multiply-accumulates")
	}
	return t.result(false, "")
}

func foldedNorm(e *evidence) Result {
	t := tally{heads: []string{"network", "against", "time, times"}, plot: Plot{What: "time with batch normalisation over time without", Log: true, Marks: []float64{1 / 1.1, 1.1}}}
	for _, name := range []string{"vgg11", "vgg13", "vgg16", "vgg19"} {
		var l lacks
		ra, rb := e.latency(name+"_bn", &l), e.latency(name, &l)
		t.lacks = append(t.lacks, l...)
		if len(l) > 0 {
			continue
		}
		q := quotient(ra, rb)
		t.add(within(q, 1/1.1, 1.1), name+"_bn", name, fmt.Sprintf("%.3f [%.3f, %.3f]", q.mid, q.lo, q.hi))
		t.show(name+"_bn over "+name, q)
	}
	return t.result(false, "")
}

// within says whether a span lies inside bounds.
func within(s span, lo, hi float64) answer {
	switch {
	case s.lo >= lo && s.hi <= hi:
		return yes
	case s.hi < lo || s.lo > hi:
		return no
	}
	return unclear
}

func batchCurve(e *evidence) Result {
	t := tally{heads: []string{"network", "batch: ms an image", "best against batch 1, times the time", "knee"}}
	for _, c := range batchCurves(e.timed) {
		first := c.Records[0]
		if first.Batch != 1 {
			continue
		}
		best := slices.MinFunc(c.Records[1:], func(a, b *record.Record) int { return cmp.Compare(eachImage(a), eachImage(b)) })
		q := quotient(best, first).times(1 / float64(best.Batch))
		var points []string
		for i, r := range c.Records {
			points = append(points, fmt.Sprintf("%d: %.2f", r.Batch, c.Values[i]/1e6))
		}
		t.add(opposite(q.above(1)), first.Model, strings.Join(points, ", "), fmt.Sprintf("%.2f [%.2f, %.2f] at %d", q.mid, q.lo, q.hi, best.Batch), fmt.Sprint(c.Records[c.Knee].Batch))
	}
	if len(t.rows) == 0 {
		t.lacks.add("latencies of one network at batch 1 and others: zoobench run --only batch")
	}
	return t.result(false, "")
}

func resolutionCurve(e *evidence) Result {
	t := tally{heads: []string{"network", "px: ps a MAC", "largest against smallest, times", "knee"}}
	for _, c := range resolutionCurves(e.timed) {
		first, last := c.Records[0], c.Records[len(c.Records)-1]
		q := quotient(last, first).times(float64(first.MACs) / float64(last.MACs))
		var points []string
		for i, r := range c.Records {
			points = append(points, fmt.Sprintf("%d: %.1f", r.ImgSize, 1000*c.Values[i]))
		}
		t.add(within(q, 1/1.1, 1.1), first.Model, strings.Join(points, ", "), fmt.Sprintf("%.2f [%.2f, %.2f]", q.mid, q.lo, q.hi), fmt.Sprintf("%d px", c.Records[c.Knee].ImgSize))
	}
	if len(t.rows) == 0 {
		t.lacks.add("latencies of one network at three sizes: zoobench run --only resolution")
	}
	return t.result(false, "")
}

func inceptions(e *evidence) Result {
	r := Result{Verdict: Described, Heads: []string{"network", "px", "parameters", "MACs", "latency"}}
	var l lacks
	for _, name := range []string{"googlenet", "bninception", "inception_v3", "inception_v4", "inception_resnet_v2"} {
		n := e.network(name, &l)
		if n == nil {
			continue
		}
		time := "–"
		if rec := e.latency(name, &l); rec != nil {
			time = milliseconds(rec)
		}
		r.Rows = append(r.Rows, []string{name, fmt.Sprint(n.Size), mega(n.Params), giga(n.MACs), time})
	}
	r.Missing = l
	if len(r.Rows) == 0 {
		return Result{Verdict: Untestable, Missing: l}
	}
	r.Summary = "use in the world is not a measurement"
	return r
}

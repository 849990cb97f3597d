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

// timedClaims are tested on latencies of one image on one thread at the network's own size, unless they say
// otherwise. Where a time is less than another, the 95 % interval of their ratio is below 1.
func timedClaims() []Claim {
	const lessTime = ", and the 95 % interval of the ratio is below 1"
	return []Claim{
		{
			ID: "macs-mispredict-latency", Tier: Timed,
			Text:      "Multiply-accumulates predict latency poorly.",
			Source:    "ShuffleNet v2, arXiv:1807.11164, section 1",
			Needs:     fmt.Sprintf("latencies of at least %d networks", minNetworks),
			Confirms:  "the 95 % interval of Spearman's rank correlation is below 0.95",
			Refutes:   "it is above 0.95",
			Published: "timm's CPU run, batch 1: EfficientNet-B0 0.40 G in 9.9 ms, ResNet-18 1.82 G in 7.9 ms",
			test:      mispredict,
		},
		{
			ID: "se-cost-timed", Tier: Timed,
			Text:      "Squeeze-and-excitation takes far more time than its multiply-accumulates suggest.",
			Source:    "a claim of the field, on arXiv:1709.01507",
			Needs:     "latencies of seresnet and resnet at the same depth",
			Confirms:  "in every pair, the share of time that it adds is over ten times the share of MACs, in the whole interval",
			Refutes:   "in a pair it is less, in the whole interval",
			Published: "timm's CPU run, batch 1: ResNet-50 14.9 ms, with SE 18.5 ms",
			test:      seTime,
		},
		{
			ID: "depthwise-share-of-peak", Tier: Timed,
			Text:     "Networks with depthwise convolutions reach a smaller share of the processor's peak.",
			Source:   "a claim of the field; see ShuffleNet v2, arXiv:1807.11164",
			Needs:    "the machine's measured peak, and latencies of networks with and without depthwise layers",
			Confirms: "the 95 % interval of the rank correlation of having depthwise layers with the share of peak is below 0",
			Refutes:  "it is above 0",
			Note:     "Algorithms that save multiplications (Winograd's) are counted as if they did not, so a share can be over 100 %.",
			test:     shareOfPeak,
		},
		{
			ID: "lightweight-on-one-core", Tier: Timed,
			Text:     "Lightweight networks are faster than ResNet-50 on one core, in proportion to their multiply-accumulates or not.",
			Source:   "the review's conclusion on lightweight networks",
			Needs:    "latencies of resnet50 and of networks under 0.65 G multiply-accumulates",
			Confirms: "each takes less time" + lessTime,
			Refutes:  "any takes more time" + lessTime,
			test:     lightweight,
		},
		{
			ID: "depth-against-width", Tier: Timed,
			Text:     "At equal multiply-accumulates a wide network is faster than a deep one.",
			Source:   "Wide ResNet, arXiv:1605.07146, section 3",
			Needs:    "latencies of wide_resnet50_2 and resnet152 (11.4 and 11.5 G)",
			Confirms: "the wide one takes less time" + lessTime,
			Refutes:  "it takes more time" + lessTime,
			test:     faster([][2]string{{"wide_resnet50_2", "resnet152"}}),
		},
		{
			ID: "folded-batch-norm", Tier: Timed,
			Text:     "Batch normalisation costs no time once it is folded into the weights.",
			Source:   "a claim of the field; the review names normalisation among what may hold CNNs back",
			Needs:    "latencies of vgg networks with and without it",
			Confirms: "in every pair, the latencies differ by at most 10 %, in the whole interval",
			Refutes:  "in a pair they differ by more, in the whole interval",
			test:     foldedNorm,
		},
		{
			ID: "batch-curve", Tier: Timed,
			Text:     "An image takes less time in a batch than alone.",
			Source:   "a claim of the field",
			Needs:    "one network's latencies at several batch sizes and otherwise the same settings (the experiment batch)",
			Confirms: "in each network the best batch takes less time per image than batch 1" + lessTime,
			Refutes:  "in a network it takes as much or more" + lessTime,
			test:     batchCurve,
		},
		{
			ID: "resolution-curve", Tier: Timed,
			Text:   "Latency grows with the number of pixels as fast as the operations do.",
			Source: "a claim of the field",
			Needs:  "one network's latencies at three or more sizes and otherwise the same settings (the experiment resolution)",
			Confirms: "in each network, the time of a multiply-accumulate at the largest size differs by at most 10 % " +
				"from that at the smallest, in the whole interval",
			Refutes: "in a network it differs by more, in the whole interval",
			test:    resolutionCurve,
		},
		{
			ID: "searched-against-hand-made-time", Tier: Timed,
			Text:     "Searched mobile networks are no slower than hand-made ones with as many multiply-accumulates.",
			Source:   "MnasNet, arXiv:1807.11626; the review's conclusion on architecture search",
			Needs:    "latencies of mnasnet_100, mobilenetv2_100, nasnetamobile and mobilenetv2_140",
			Confirms: "each searched network takes less time" + lessTime,
			Refutes:  "any takes more time" + lessTime,
			test:     faster([][2]string{{"mnasnet_100", "mobilenetv2_100"}, {"nasnetamobile", "mobilenetv2_140"}}),
		},
		{
			ID: "inception-family", Tier: Timed,
			Text:     "Inception v3 and Inception-ResNet v2 are the Inceptions in wide use.",
			Source:   "the review's conclusion on Inception",
			Needs:    "latencies of the Inceptions",
			Confirms: never + ": use cannot be measured; the table shows the family's costs and times",
			Refutes:  never,
			test:     inceptions,
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
		l.add("valid latencies of %d networks, have %d", minNetworks, len(networks))
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
	r := Result{Heads: []string{"predicts, or has fewer MACs", "predicted, or has more MACs", "Spearman's ρ, or the times"}}
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
			milliseconds(w.ra) + " and " + milliseconds(w.rb),
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
		w := worst[0]
		r.Summary += fmt.Sprintf("; in %d pairs fewer MACs take more time; "+
			"in the worst, %s has %.1f times fewer MACs than %s and takes %.1f times as long",
			len(worst), w.a.Name, float64(w.b.MACs)/float64(w.a.MACs), w.b.Name, quotient(w.ra, w.rb).mid)
	}
	return r
}

// An inversion is a network a with fewer MACs than b that takes longer.
type inversion struct {
	a, b   *Network
	ra, rb *record.Record
}

// inversions are the pairs, the one with the largest product of both quotients first.
func inversions(networks []*Network, records []*record.Record) []inversion {
	var all []inversion
	for i, a := range networks {
		for j, b := range networks {
			if a.MACs < b.MACs && quotient(records[i], records[j]).above(1) == yes {
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
	t := tally{
		heads: []string{"network", "compared with", "MACs added", "time added, %"},
		plot:  Plot{What: "time that squeeze-and-excitation adds (%)", Marks: []float64{0}},
	}
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

// faster compares pairs of networks: the first is claimed to take less time than the second.
func faster(names [][2]string) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{
			heads: []string{"network", "MACs", "latency", "compared with", "MACs", "latency", "times the other's latency"},
			plot:  Plot{What: "time of the first divided by that of the second", Log: true, Marks: []float64{1}},
		}
		for _, p := range names {
			var l lacks
			a, b := e.network(p[0], &l), e.network(p[1], &l)
			ra, rb := e.latency(p[0], &l), e.latency(p[1], &l)
			t.lacks = append(t.lacks, l...)
			if len(l) > 0 {
				continue
			}
			q := quotient(ra, rb)
			t.add(opposite(q.above(1)), a.Name, giga(a.MACs), milliseconds(ra), b.Name, giga(b.MACs), milliseconds(rb),
				fmt.Sprintf("%.2f [%.2f, %.2f]", q.mid, q.lo, q.hi))
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
		l.add("valid latencies of %d networks, at least two with depthwise layers and two without; have %d and %d",
			minNetworks, kinds[true], kinds[false])
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
	t := tally{
		heads: []string{"network", "times fewer MACs than resnet50", "times faster"},
		plot:  Plot{What: "time of resnet50 divided by the network's", Log: true, Marks: []float64{1}},
	}
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
	t := tally{
		heads: []string{"network", "compared with", "times the time"},
		plot:  Plot{What: "time with batch normalisation divided by time without", Log: true, Marks: []float64{1 / 1.1, 1.1}},
	}
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

// within is whether a span lies inside bounds.
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
	t := tally{heads: []string{"network", "batch: ms per image", "best batch, times the time at batch 1", "knee"}}
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
		t.add(opposite(q.above(1)), first.Model, strings.Join(points, ", "),
			fmt.Sprintf("%.2f [%.2f, %.2f] at %d", q.mid, q.lo, q.hi, best.Batch), fmt.Sprint(c.Records[c.Knee].Batch))
	}
	if len(t.rows) == 0 {
		t.lacks.add("latencies of one network at batch 1 and at other batches: zoobench run --only batch")
	}
	return t.result(false, "")
}

func resolutionCurve(e *evidence) Result {
	t := tally{heads: []string{"network", "px: ps per MAC", "largest size, times the smallest's", "knee"}}
	for _, c := range resolutionCurves(e.timed) {
		first, last := c.Records[0], c.Records[len(c.Records)-1]
		q := quotient(last, first).times(float64(first.MACs) / float64(last.MACs))
		var points []string
		for i, r := range c.Records {
			points = append(points, fmt.Sprintf("%d: %.1f", r.ImgSize, 1000*c.Values[i]))
		}
		t.add(within(q, 1/1.1, 1.1), first.Model, strings.Join(points, ", "),
			fmt.Sprintf("%.2f [%.2f, %.2f]", q.mid, q.lo, q.hi), fmt.Sprintf("%d px", c.Records[c.Knee].ImgSize))
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
	r.Summary = "how widely networks are used cannot be measured"
	return r
}

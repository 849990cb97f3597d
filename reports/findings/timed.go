package findings

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

const (
	// seed starts the bootstrap of rank correlations.
	seed = 1
	// minNetworks is the fewest networks that a rank correlation is taken over.
	minNetworks = 8
	// light is the most multiply-accumulates that a network may take to be called lightweight here.
	light = 650_000_000
	// likeMACs is by what share the multiply-accumulates of two networks may differ and still be called as many.
	likeMACs = 0.1
	// maxPairs is how many pairs of networks a plot shows, those farthest apart first.
	maxPairs = 12
)

// Bounds of practical differences. Runs of one program were seen to differ by 6 to 16 % in a row of one process on a machine
// with other work, and by 1 to 2 % in the median of five processes on a quiet one.
const (
	farApart = 1.5 // times the time: what two networks are called far apart by
	smallest = 1.1 // times the time: the most that is called little
	likeTime = 1.2 // times the time: the most that is called in proportion
)

// timedClaims are tested on latencies of one image on one thread at the network's own size, unless they say otherwise.
func timedClaims() []Claim {
	const counts = "; p, corrected for all comparisons of the claim, is below 0.05"
	const lessTime, moreTime = "each takes less time" + counts, "one takes more time" + counts
	claims := []Claim{
		{
			ID: "macs-mispredict-latency", Theme: Speed,
			Text:   "Two networks can take as many multiply-accumulates and yet differ in latency by over 1.5 times.",
			Source: "ShuffleNet v2, arXiv:1807.11164, section 1 and figure 1 (c) and (d)",
			Needs:  "latencies of networks of different families whose multiply-accumulates differ by at most 10 %",
			Confirms: "in at least one pair of such networks one takes over 1.5 times as long" + counts +
				" (all pairs are tested, whatever their times)",
			Refutes:   "in every pair the times are within 1.5 of each other" + counts,
			Published: "MobileNet v2 \"is much faster than NASNET-A but they have comparable FLOPs\" (section 1)",
			Note:      "The bound is ours. The rank correlation is shown and decides nothing; its interval draws whole families.",
			test:      mispredict,
		},
		{
			ID: "se-cost-timed", Theme: Attention,
			Text:      "Squeeze-and-excitation adds little to a ResNet's time on a processor: at most 10 %.",
			Source:    "SENet, arXiv:1709.01507, section 4",
			Needs:     "latencies of seresnet and resnet at 50, 101 and 152",
			Confirms:  "at every depth it adds at most 10 %" + counts,
			Refutes:   "at a depth it adds more" + counts,
			Published: "ResNet-50: 164 ms, with squeeze-and-excitation 167 ms, 1.8 % more (section 4)",
			Note:      "The networks of a pair differ in squeeze-and-excitation alone. The paper calls the cost small; the bound is ours.",
			test:      seTime,
		},
		{
			ID: "depthwise-share-of-peak", Theme: Speed,
			Text:     "Networks with depthwise convolutions reach a smaller share of the processor's peak.",
			Source:   "a claim of the field; see ShuffleNet v2, arXiv:1807.11164, section 2",
			Needs:    "the machine's measured peak, and latencies of networks with and without depthwise layers",
			Confirms: never + ": networks with depthwise layers also are smaller and of other families, so that no comparison isolates them",
			Refutes:  never,
			Note:     "Algorithms that save multiplications (Winograd's) are counted as if they did not, so a share can be over 100 %.",
			test:     shareOfPeak,
		},
		{
			ID: "lightweight-on-one-core", Theme: Small,
			Text:     "Networks under 0.65 G multiply-accumulates take less time than ResNet-50 on one core.",
			Source:   "the review's conclusion on lightweight networks",
			Needs:    "latencies of resnet50 and of networks under 0.65 G multiply-accumulates",
			Confirms: lessTime, Refutes: moreTime,
			test: lightweight,
		},
		{
			ID: "depth-against-width", Theme: Depth,
			Text:     "Wide ResNet-50-2 takes less time than ResNet-152, with as many multiply-accumulates.",
			Source:   "Wide ResNet, arXiv:1605.07146, table 8",
			Needs:    "latencies of wide_resnet50_2 and resnet152 (11.4 and 11.5 G)",
			Confirms: "it takes less time" + counts, Refutes: "it takes more time" + counts,
			Published: "93 against 115 ms for a batch of 16 (table 8)",
			Note:      "The paper timed a GPU, which shares out a wide layer. This is the same pair with one image on one core.",
			test:      faster("", [2]string{"wide_resnet50_2", "resnet152"}),
		},
		{
			ID: "folded-batch-norm", Theme: Speed,
			Text:     "Batch normalisation that is folded into the weights leaves nothing to time.",
			Source:   "a claim of the field; the review names normalisation among what may hold CNNs back",
			Needs:    "latencies of vgg networks with and without it",
			Confirms: never + ": both networks of a pair run the same layers once it is folded, so that they differ only by the machine's noise",
			Refutes:  never,
			test:     foldedNorm,
		},
		{
			ID: "batch-curve", Theme: Speed,
			Text:     "An image takes less time in a batch than alone.",
			Source:   "a claim of the field",
			Needs:    "one network's latencies at several batch sizes and otherwise the same settings (the experiment batch)",
			Confirms: "in each network at least one batch takes less time per image than batch 1" + counts + " (all batches are tested)",
			Refutes:  "in a network every batch takes more" + counts,
			test:     batchCurve,
		},
		{
			ID: "resolution-curve", Theme: Speed,
			Text:   "Latency grows with the number of pixels as fast as the operations do, within 20 %.",
			Source: "a claim of the field",
			Needs:  "one network's latencies at three or more sizes and otherwise the same settings (the experiment resolution)",
			Confirms: "in each network the time of a multiply-accumulate at the largest size differs by at most 20 % " +
				"from that at the smallest" + counts,
			Refutes: "in a network it differs by more" + counts,
			Note:    "The bound is ours.",
			test:    resolutionCurve,
		},
		{
			ID: "mnasnet-time", Theme: Scaling,
			Text:     "MnasNet-A1 takes less time than MobileNet v2 1.4 and than NASNet-A mobile.",
			Source:   "MnasNet, arXiv:1807.11626, abstract and table 1",
			Needs:    "latencies of semnasnet_100 (MnasNet-A1), mobilenetv2_140 and nasnetamobile",
			Confirms: "it takes less time than both" + counts, Refutes: "it takes more time than one" + counts,
			Published: "78 against 143 and 183 ms on a telephone: 1.8 and 2.3 times as fast (abstract, table 1)",
			test:      faster("lightweight", [2]string{"semnasnet_100", "mobilenetv2_140"}, [2]string{"semnasnet_100", "nasnetamobile"}),
		},
		{
			ID: "nasnet-time", Theme: Scaling,
			Text:     "The searched NASNet-A mobile takes more time than the hand-made MobileNet v2 1.4, with as many multiply-accumulates.",
			Source:   "MobileNet v2, arXiv:1801.04381, table 4; ShuffleNet v2, arXiv:1807.11164, section 1",
			Needs:    "latencies of mobilenetv2_140 and nasnetamobile",
			Confirms: "MobileNet v2 1.4 takes less time" + counts, Refutes: "it takes more time" + counts,
			Published: "183 ms for 564 M against 143 ms for 585 M on a telephone (MobileNet v2, table 4)",
			test:      faster("lightweight", [2]string{"mobilenetv2_140", "nasnetamobile"}),
		},
		{
			ID: "efficientnet-time", Theme: Scaling,
			Text:     "EfficientNet-B1 takes less time than ResNet-152 on one core, each network at its own input size.",
			Source:   "EfficientNet, arXiv:1905.11946, table 4",
			Needs:    "latencies of efficientnet_b1 and resnet152",
			Confirms: "it takes less time" + counts, Refutes: "it takes more time" + counts,
			Published: "0.098 against 0.554 s on one core of a Xeon E5-2690: 5.7 times as fast (table 4)",
			test:      faster("", [2]string{"efficientnet_b1", "resnet152"}),
		},
		{
			ID: "inception-family", Theme: Inceptions,
			Text:     "Inception v3 and Inception-ResNet v2 are the Inceptions in wide use.",
			Source:   "the review's conclusion on Inception",
			Needs:    "latencies of the Inceptions",
			Confirms: never + ": use cannot be measured; the table shows the family's costs and times",
			Refutes:  never,
			test:     inceptions,
		},
	}
	for i := range claims {
		claims[i].Tier, claims[i].Remedy = Timed, ByTiming
	}
	return claims
}

// took says how long a took compared with b, as a clause.
func took(a, b string, q span) string {
	switch {
	case q.mid >= 2:
		return fmt.Sprintf("%s took %.1f times as long as %s", a, q.mid, b)
	case q.mid > 1:
		return fmt.Sprintf("%s took %.1f %% longer than %s", a, 100*(q.mid-1), b)
	case q.mid > 0.5:
		return fmt.Sprintf("%s took %.1f %% less time than %s", a, 100*(1-q.mid), b)
	}
	return fmt.Sprintf("%s was %.1f times as fast as %s", a, 1/q.mid, b)
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
	t := tally{
		heads: []string{"slower", "MACs", "faster", "MACs", "times the faster one's time"},
		plot:  Plot{What: "time of the slower divided by that of the faster, with as many MACs", Log: true, Marks: []float64{farApart}},
	}
	type pair struct {
		a, b *Network
		q    estimate
	}
	var pairs []pair
	for i, a := range networks {
		for j, b := range networks[:i] {
			if a.Family == b.Family || math.Abs(math.Log(float64(a.MACs)/float64(b.MACs))) > math.Log1p(likeMACs) {
				continue
			}
			p := pair{a, b, quotient(records[i], records[j], 1)}
			if p.q.mid < 1 {
				p = pair{b, a, quotient(records[j], records[i], 1)}
			}
			pairs = append(pairs, p)
		}
	}
	if len(pairs) == 0 {
		t.lacks.add("valid latencies of two networks of different families with as many multiply-accumulates")
		return t.result(true, "")
	}
	slices.SortStableFunc(pairs, func(p, q pair) int { return cmp.Compare(q.q.mid, p.q.mid) })
	for i, p := range pairs {
		claims, value := p.q.above(farApart)
		c := comparison{
			cells: []string{p.a.Name, giga(p.a.MACs), p.b.Name, giga(p.b.MACs), ratio(p.q.span)},
			shown: p.q.span, claims: claims, p: value, of: "pairs",
		}
		if i < maxPairs {
			c.name = p.a.Name + " over " + p.b.Name
		}
		t.add(c)
	}
	far := 0
	for _, a := range t.answers() {
		if a == yes {
			far++
		}
	}
	worst := pairs[0]
	text := fmt.Sprintf("%s for %.2f times the MACs; %d of %d pairs with as many MACs, within 10 %%, differ by over %.1f times.",
		took(worst.a.Name, worst.b.Name, worst.q.span), float64(worst.a.MACs)/float64(worst.b.MACs), far, len(pairs), farApart)
	r := t.result(true, text+correlation(networks, records))
	for _, p := range pairs[:min(len(pairs), maxPairs)] {
		r.Pairs = append(r.Pairs, [2]string{p.a.Name, p.b.Name})
	}
	return r
}

// correlation is a sentence on how multiply-accumulates and latencies rank the networks, empty for too few of them.
func correlation(networks []*Network, records []*record.Record) string {
	var macs, times []float64
	var families []string
	for i, n := range networks {
		macs, times, families = append(macs, float64(n.MACs)), append(times, float64(records[i].P50)), append(families, n.Family)
	}
	lo, hi := stat.SpearmanInterval(macs, times, families, seed)
	rho := stat.Spearman(macs, times)
	if len(networks) < minNetworks || math.IsNaN(rho) || math.IsNaN(lo) {
		return ""
	}
	return fmt.Sprintf(" Over all %d networks the rank correlation of MACs with latency is %.3f [%.3f, %.3f].", len(networks), rho, lo, hi)
}

func ratio(s span) string { return fmt.Sprintf("%.3g [%.3g, %.3g]", s.mid, s.lo, s.hi) }

// percent is a ratio of times as what it adds.
func (s span) percent() span { return span{100 * (s.mid - 1), 100 * (s.lo - 1), 100 * (s.hi - 1)} }

func seTime(e *evidence) Result {
	t := tally{
		heads: []string{"network", "compared with", "MACs added", "time added, %"},
		plot:  Plot{What: "time that squeeze-and-excitation adds (%)", Marks: []float64{0, 100 * (smallest - 1)}},
	}
	for _, p := range atDepths("seresnet", "resnet", "50", "101", "152") {
		a, b, ra, rb := e.both(p, &t.lacks)
		if rb == nil {
			continue
		}
		q := quotient(ra, rb, 1)
		claims, value := q.below(smallest)
		t.add(comparison{
			cells: []string{a.Name, b.Name, percentOf(a.MACs, b.MACs), q.percent().String()},
			says:  took(a.Name, b.Name, q.span) + " for " + moreMACs(a, b),
			name:  a.Name, shown: q.percent(), claims: claims, p: value,
		})
	}
	return t.result(true, "")
}

// both are the graphs and the latencies of a pair of networks, nil where one of the four is missing.
func (e *evidence) both(names [2]string, l *lacks) (a, b *Network, ra, rb *record.Record) {
	a, b = e.network(names[0], l), e.network(names[1], l)
	ra, rb = e.latency(names[0], l), e.latency(names[1], l)
	if a == nil || b == nil || ra == nil || rb == nil {
		return nil, nil, nil, nil
	}
	return a, b, ra, rb
}

// faster compares pairs of networks: the first is claimed to take less time than the second. The experiment, if any, times those
// that others do not.
func faster(experiment string, names ...[2]string) func(*evidence) Result {
	return func(e *evidence) Result {
		t := tally{
			heads: []string{"network", "MACs", "latency", "compared with", "MACs", "latency", "times the other's latency"},
			plot:  Plot{What: "time of the first divided by that of the second", Log: true, Marks: []float64{1}},
		}
		for _, p := range names {
			a, b, ra, rb := e.both(p, &t.lacks)
			if rb == nil {
				continue
			}
			q := quotient(ra, rb, 1)
			claims, value := q.below(1)
			t.add(comparison{
				cells: []string{a.Name, giga(a.MACs), milliseconds(ra), b.Name, giga(b.MACs), milliseconds(rb), ratio(q.span)},
				says:  took(a.Name, b.Name, q.span) + " for " + moreMACs(a, b),
				name:  a.Name + " over " + b.Name, shown: q.span, claims: claims, p: value,
			})
		}
		if experiment != "" && len(t.lacks) > 0 {
			t.lacks.add("zoobench run --only %s times them", experiment)
		}
		return t.result(true, "")
	}
}

// shareOfPeak shows the multiply-accumulates done in a second as a share of the peak, with and without depthwise layers.
func shareOfPeak(e *evidence) Result {
	networks, records := e.alone()
	var l lacks
	if e.host == nil || !(e.host.PeakGFLOPS > 0) {
		l.add("the machine's peak, which a run measures before its first timed job")
		return Result{Verdict: Untestable, Missing: l}
	}
	r := Result{Verdict: Described, Heads: []string{"network", "MACs", "depthwise layers", "share of one core's peak"}}
	r.Plot.What = "share of one core's measured peak (%)"
	shares := map[string][]float64{}
	for i, n := range networks {
		count := 0
		for j := range n.Layers {
			if n.Layers[j].depthwise() {
				count++
			}
		}
		v := 200 * float64(n.MACs) / float64(records[i].P50) / e.host.PeakGFLOPS
		r.Rows = append(r.Rows, []string{n.Name, giga(n.MACs), fmt.Sprint(count), fmt.Sprintf("%.0f %%", v)})
		group := "no depthwise layers"
		if count > 0 {
			group = "with depthwise layers"
		}
		shares[group] = append(shares[group], v)
		r.Plot.Estimates = append(r.Plot.Estimates, Estimate{n.Name, v, v, v, group})
	}
	with, without := shares["with depthwise layers"], shares["no depthwise layers"]
	if len(with) == 0 || len(without) == 0 {
		l.add("valid latencies of networks with depthwise layers and without, have %d and %d", len(with), len(without))
		return Result{Verdict: Untestable, Missing: l}
	}
	slices.SortStableFunc(r.Plot.Estimates, func(a, b Estimate) int { return cmp.Compare(b.Mid, a.Mid) })
	r.Summary = fmt.Sprintf("The median network with depthwise layers reached %.0f %% of one core's peak, the median one without %.0f %%.",
		median(with), median(without))
	return r
}

// median is the upper median.
func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

func lightweight(e *evidence) Result {
	t := tally{
		heads: []string{"network", "times fewer MACs than resnet50", "times as fast"},
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
		q := quotient(rb, records[i], 1)
		claims, value := q.above(1)
		fewer := float64(big.MACs) / float64(n.MACs)
		t.add(comparison{
			cells: []string{n.Name, fmt.Sprintf("%.1f", fewer), ratio(q.span)},
			says:  fmt.Sprintf("%s with %.1f times fewer MACs", took(n.Name, "resnet50", quotient(records[i], rb, 1).span), fewer),
			name:  n.Name, shown: q.span, claims: claims, p: value,
		})
	}
	slices.SortStableFunc(t.all, func(a, b comparison) int { return cmp.Compare(a.shown.mid, b.shown.mid) })
	switch last := len(t.all) - 1; {
	case last < 0:
		t.lacks.add("latency of a network under 0.65 G multiply-accumulates")
	case last > 1 && t.all[0].claims == yes:
		t.all[0].says += fmt.Sprintf(", as the slowest of %d", last+1)
		t.all[last].says += ", as the fastest"
		for i := 1; i < last; i++ {
			t.all[i].says = ""
		}
	}
	return t.result(false, "")
}

// foldedNorm shows how far apart the times of equal work are.
func foldedNorm(e *evidence) Result {
	r := Result{Verdict: Described, Heads: []string{"network", "compared with", "times the time"}}
	r.Plot = Plot{What: "time with batch normalisation divided by time without", Log: true, Marks: []float64{1}}
	var l lacks
	var clauses []string
	for _, name := range []string{"vgg11", "vgg13", "vgg16", "vgg19"} {
		ra, rb := e.latency(name+"_bn", &l), e.latency(name, &l)
		if ra == nil || rb == nil {
			continue
		}
		q := quotient(ra, rb, 1)
		r.Rows = append(r.Rows, []string{name + "_bn", name, ratio(q.span)})
		clauses = append(clauses, took(name+"_bn", name, q.span))
		r.Plot.Estimates = append(r.Plot.Estimates, Estimate{name + "_bn over " + name, q.mid, q.lo, q.hi, "equal work"})
	}
	if r.Missing = l; len(r.Rows) == 0 {
		return Result{Verdict: Untestable, Missing: l}
	}
	r.Summary = "With the same layers, " + sentence(clauses)
	return r
}

func inceptions(e *evidence) Result {
	r := Result{Verdict: Described, Heads: []string{"network", "px", "parameters", "MACs", "latency"}}
	r.Plot.What = "latency (ms)"
	var l lacks
	for _, name := range []string{"googlenet", "bninception", "inception_v3", "inception_v4", "inception_resnet_v2"} {
		n := e.network(name, &l)
		if n == nil {
			continue
		}
		time := "–"
		if rec := e.latency(name, &l); rec != nil {
			time = milliseconds(rec)
			r.Plot.Estimates = append(r.Plot.Estimates,
				Estimate{name, float64(rec.P50) / 1e6, float64(rec.P50Lo) / 1e6, float64(rec.P50Hi) / 1e6, "measured"})
		}
		r.Rows = append(r.Rows, []string{name, fmt.Sprint(n.Size), mega(n.Params), giga(n.MACs), time})
	}
	r.Missing = l
	if len(r.Plot.Estimates) == 0 {
		return Result{Verdict: Untestable, Missing: l}
	}
	r.Summary = fmt.Sprintf("How widely networks are used cannot be measured; %d of the five were timed.", len(r.Plot.Estimates))
	return r
}

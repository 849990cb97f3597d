package reports

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// A row is one line of a table: a network at one input size, under one set of settings and with one checkpoint. A
// latency and an eval record make it together, either may be nil; cost is the record of a network that was only
// counted.
type row struct {
	latency, eval, cost *record.Record
	set                 settings
}

// any returns the record that names the network.
func (r *row) any() *record.Record { return cmp.Or(r.latency, r.eval, r.cost) }

// name returns the network with what names its weights, safe to print.
func (r *row) name() string {
	rec := r.any()
	if r.eval != nil && weightsOf(r.eval) != "" {
		rec = r.eval
	}
	return nameOf(rec)
}

// nameOf returns a record's network with what names its weights, safe to print.
func nameOf(r *record.Record) string {
	if w := weightsOf(r); w != "" {
		return clean(r.Model + "." + w)
	}
	return clean(r.Model)
}

// weightsOf names a record's weights: by the checkpoint's tag, else by the file's name; "" where they are generated.
func weightsOf(r *record.Record) string {
	if r.Checkpoint != "" || r.WeightsFile == "" || filepath.Base(r.WeightsFile) == r.Model { // an ONNX file is its own checkpoint
		return r.Checkpoint
	}
	return filepath.Base(r.WeightsFile)
}

// otherWeights reports whether records are of different checkpoints: by their tags, and where one has none by their
// files. Generated weights differ from none.
func otherWeights(a, b *record.Record) bool {
	if a.Checkpoint != "" && b.Checkpoint != "" {
		return a.Checkpoint != b.Checkpoint
	}
	return a.WeightsFile != "" && b.WeightsFile != "" && a.WeightsFile != b.WeightsFile
}

func (r *row) model() string      { return r.any().Model }
func (r *row) experiment() string { return r.any().Experiment }

// counts returns parameters and MACs as counted from the graph, nil where no record of the row has them.
func (r *row) counts() *record.Cost {
	for _, rec := range []*record.Record{r.latency, r.eval, r.cost} {
		if rec != nil && rec.Cost != nil && rec.Cost.Params >= 0 && rec.Cost.MACs >= 0 {
			return rec.Cost
		}
	}
	return nil
}

// p50 returns the median of the latency, in nanoseconds a batch, and its 95 % interval, 0 where the samples do not
// carry one; or why there is none.
func (r *row) p50() (p50, lo, hi int64, why string) {
	if r.latency == nil {
		return 0, 0, 0, "not timed in this experiment"
	}
	t := r.latency.Timing
	switch {
	case t == nil:
		return 0, 0, 0, reason(r.latency, "latency_p50_ns", "latency_min_ns")
	case t.P50 <= 0 && t.N < stat.MinSamples(0.5):
		return 0, 0, 0, fmt.Sprintf("a median needs %d samples, have %d", stat.MinSamples(0.5), t.N)
	case t.P50 <= 0:
		return 0, 0, 0, "the record has no median"
	case t.P50Lo <= 0 || t.P50Hi < t.P50Lo:
		return t.P50, 0, 0, ""
	}
	return t.P50, t.P50Lo, t.P50Hi, ""
}

// cost1M returns what a million images cost, 0 where no price was given or nothing was timed.
func (r *row) cost1M() float64 {
	if _, _, _, why := r.p50(); why != "" || !finite(r.latency.ImagesPerSec) {
		return 0
	}
	return r.latency.CostPerMillion()
}

// top1 returns the measured accuracy in percent, or why there is none.
func (r *row) top1() (*record.Accuracy, string) {
	if r.eval != nil && r.eval.Accuracy != nil {
		a := r.eval.Accuracy
		if percent(a.Top1) && percent(a.Top1Lo) && percent(a.Top1Hi) {
			return a, ""
		}
		return nil, "the record has no valid percentage"
	}
	if r.eval != nil {
		return nil, reason(r.eval, "top1", "n_images")
	}
	rec := r.any()
	if rec.Timing != nil && rec.NotMeasured["top1"] == "" && rec.NotMeasured["n_images"] == "" {
		return nil, "not asked for" // whatever its verdict says is of its times
	}
	return nil, reason(rec, "top1", "n_images")
}

// published returns the literature's figures for the row, nil where it has no accuracy. Beside a measured accuracy only
// those of its own record are shown: another record's are of other images.
func (r *row) published() *record.Published {
	from := []*record.Record{r.eval, r.latency, r.cost}
	if r.eval != nil && r.eval.Accuracy != nil {
		from = from[:1]
	}
	for _, rec := range from {
		if rec != nil && rec.Published != nil && percent(rec.Published.Top1) && rec.Published.Top1 > 0 {
			return rec.Published
		}
	}
	return nil
}

// unpublished returns why a row has no published figures.
func (r *row) unpublished() string {
	where := ""
	if r.eval != nil && r.eval.Accuracy != nil {
		where = onSet(r.eval.DatasetSet)
	}
	return "no published figure" + where + " is known"
}

// invalid returns why the row's latency, if it has one, is not to be trusted.
func (r *row) invalid() string {
	if r.latency == nil || r.latency.Timing == nil || r.latency.Verdict.Valid {
		return ""
	}
	return cmp.Or(strings.Join(r.latency.Verdict.Reasons, "; "), "the verdict gives no reason")
}

// reason returns why rec has no value in the first of columns that it explains.
func reason(rec *record.Record, columns ...string) string {
	for _, c := range columns {
		if why := rec.NotMeasured[c]; why != "" {
			return why
		}
	}
	return rec.Why(columns[0])
}

// newRows joins latency and eval records to rows, in the order in which tables show them: experiments as they come,
// networks by their best median, those without one last.
func newRows(records []record.Record) []row {
	timed, evals, costs := latest(records, record.KindLatency), latest(records, record.KindEval), latest(records, record.KindCost)
	byModel := map[string][]*record.Record{}
	for _, e := range evals {
		if e.RanWith().Corruption == "" {
			byModel[e.Model] = append(byModel[e.Model], e)
		}
	}
	var rows []row
	used := map[*record.Record]bool{}
	seen := map[[2]string]bool{} // experiment and network
	for _, l := range timed {
		seen[[2]string{l.Experiment, l.Model}] = true
		found := accuracies(l, byModel[l.Model])
		for _, e := range found {
			if e.Experiment == l.Experiment {
				used[e] = true
			}
			rows = append(rows, row{latency: l, eval: e, set: settingsOf(l)})
		}
		if len(found) == 0 {
			rows = append(rows, row{latency: l, set: settingsOf(l)})
		}
	}
	for _, e := range evals {
		// Its latency rows say that a network has no checkpoint.
		unnamed := weightsOf(e) == "" && e.Accuracy == nil
		if !used[e] && !(unnamed && seen[[2]string{e.Experiment, e.Model}]) {
			seen[[2]string{e.Experiment, e.Model}] = true
			rows = append(rows, row{eval: e, set: settingsOf(e)})
		}
	}
	for _, c := range costs {
		if !seen[[2]string{c.Experiment, c.Model}] {
			rows = append(rows, row{cost: c, set: settingsOf(c)})
		}
	}
	order(rows, records)
	return rows
}

// corruptedApart parts the rows of accuracies on corrupted images from the others.
func corruptedApart(rows []row) (plain, worsened []row) {
	for _, r := range rows {
		if r.set.Corruption != "" {
			worsened = append(worsened, r)
		} else {
			plain = append(plain, r)
		}
	}
	return plain, worsened
}

// latest returns the records of a kind, of those of one job and checkpoint the last measured one: a resumed run
// measures again what had failed. A checkpoint is its tag wherever its file lies, and where it has none its file.
func latest(records []record.Record, kind record.Kind) []*record.Record {
	type key struct {
		experiment, job, model, checkpoint, file string
		settings
	}
	at := map[key]int{}
	var last []*record.Record
	for i := range records {
		r := &records[i]
		if r.Kind != kind {
			continue
		}
		k := key{r.Experiment, r.JobID, r.Model, r.Checkpoint, "", settings{}}
		if r.Checkpoint == "" {
			k.file = r.WeightsFile
		}
		if r.JobID == "" {
			k.settings = settingsOf(r)
		}
		if j, ok := at[k]; !ok {
			at[k] = len(last)
			last = append(last, r)
		} else if !r.Time.Before(last[j].Time) {
			last[j] = r
		}
	}
	return last
}

// accuracies returns the eval records that belong beside the latency record l: those of its network at its size and in its precision with
// its checkpoint (generated weights go with any), from its own experiment, else from the others. Where no checkpoint
// was evaluated, the one record that says why.
func accuracies(l *record.Record, evals []*record.Record) []*record.Record {
	for _, own := range []bool{true, false} {
		var named, unnamed []*record.Record
		for _, e := range evals {
			switch size := settingsOf(e).ImgSize; {
			case (e.Experiment == l.Experiment) != own,
				size != 0 && l.ImgSize != 0 && size != l.ImgSize,
				e.RanWith().Precision != l.RanWith().Precision,
				otherWeights(e, l):
			case weightsOf(e) != "" || e.Accuracy != nil:
				named = append(named, e)
			default:
				unnamed = append(unnamed, e)
			}
		}
		if len(named) > 0 {
			return named
		}
		if len(unnamed) > 0 {
			return unnamed[:1]
		}
	}
	return nil
}

// order sorts rows in place; see newRows.
func order(rows []row, records []record.Record) {
	first := map[string]int{} // experiment -> position
	for i := range records {
		if _, ok := first[records[i].Experiment]; !ok {
			first[records[i].Experiment] = i
		}
	}
	type network struct{ experiment, model string }
	best := map[network]int64{}
	for i := range rows {
		if p50, _, _, why := rows[i].p50(); why == "" {
			k := network{rows[i].experiment(), rows[i].model()}
			if b, ok := best[k]; !ok || p50 < b {
				best[k] = p50
			}
		}
	}
	rank := func(r *row) int64 {
		if b, ok := best[network{r.experiment(), r.model()}]; ok {
			return b
		}
		return math.MaxInt64
	}
	untimed := func(r *row) int {
		if r.latency == nil {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(rows, func(x, y row) int {
		return cmp.Or(
			cmp.Compare(first[x.experiment()], first[y.experiment()]),
			cmp.Compare(rank(&x), rank(&y)),
			cmp.Compare(x.model(), y.model()),
			cmp.Compare(untimed(&x), untimed(&y)),
			x.set.Compare(y.set.Axes),
			cmp.Compare(x.set.query, y.set.query),
			cmp.Compare(x.name(), y.name()),
		)
	})
}

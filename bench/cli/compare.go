package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/stat"
)

// evaluated is a checkpoint with what it made of each image.
type evaluated struct {
	name    string
	samples []record.Sample
	rec     *record.Record // nil for a per-sample file alone
}

// readEvaluated reads what is at path: a per-sample file, or a run's folder with all of its evaluations.
func readEvaluated(path string) ([]evaluated, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		samples, err := record.ReadSamples(path)
		if err != nil {
			return nil, err
		}
		return []evaluated{{name: sampleName(path), samples: samples}}, nil
	}
	records, _, err := record.ReadFile(filepath.Join(path, record.FileName))
	if err != nil {
		return nil, err
	}
	var found []evaluated
	records = record.Current(records)
	for i := range records {
		r := &records[i]
		if r.Kind != record.KindEval || r.Accuracy == nil || r.SamplesFile == "" {
			continue
		}
		samples, err := record.ReadSamples(filepath.Join(path, filepath.FromSlash(r.SamplesFile)))
		if err != nil {
			return nil, err
		}
		e := evaluated{name: r.Name(), samples: samples, rec: r}
		if same := slices.IndexFunc(found, func(f evaluated) bool { return f.rec.JobID == r.JobID && f.name == e.name }); same >= 0 {
			found[same] = e // measured again: the later row counts
			continue
		}
		found = append(found, e)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("compare: %s: no evaluation with a per-sample file", path)
	}
	return found, nil
}

// rankRow is a checkpoint of zoobench compare.
type rankRow struct {
	Rank      int     `json:"rank"`
	Model     string  `json:"model"`
	Images    int     `json:"n_images"`
	Share     float64 `json:"share"` // percent
	Lo        float64 `json:"share_lo"`
	Hi        float64 `json:"share_hi"`
	Published float64 `json:"published,omitempty"` // percent, 0 where unknown
	Verdict   string  `json:"verdict,omitempty"`

	of int // its place among those compared
}

// pairRow is two checkpoints of zoobench compare, on the same images.
type pairRow struct {
	A          string  `json:"a"`
	B          string  `json:"b"`
	Metric     string  `json:"metric"`
	Images     int     `json:"n_images"`
	OnlyA      int     `json:"only_a"` // images that A alone got right
	OnlyB      int     `json:"only_b"`
	Difference float64 `json:"difference"` // A less B, percentage points
	P          float64 `json:"p"`          // McNemar's exact test
	PHolm      float64 `json:"p_holm"`     // corrected for all pairs
	Separated  bool    `json:"separated"`
	MoreImages int     `json:"more_images,omitempty"` // that would separate the two; 0 where they are, or where none would

	a, b int // their places among those compared
}

// comparison is what holding several checkpoints against each other gives.
type comparison struct {
	ranks []rankRow // best first
	pairs []pairRow
	notes []string
}

// separation is the family-wise error rate at which two checkpoints are told apart.
const separation = 0.05

// compareAll holds checkpoints against each other on the images that all of them have. Within is the worst rank that
// counts as right: 1 for top-1, 5 for top-5.
func compareAll(all []evaluated, metric string, within int) (*comparison, error) {
	var c comparison
	common := map[string]int{} // images by name: how many have it
	labels := map[string][]int{}
	for _, e := range all {
		seen := map[string]bool{}
		for _, s := range e.samples {
			if seen[s.File] {
				return nil, fmt.Errorf("compare: %s: image %s stands twice", e.name, s.File)
			}
			seen[s.File] = true
			if have, ok := labels[s.File]; !ok {
				labels[s.File] = s.Labels
			} else if !slices.Equal(have, s.Labels) {
				return nil, fmt.Errorf("compare: %s: image %s has the labels %v, elsewhere %v: other sets or other labels", e.name, s.File, s.Labels, have)
			}
			common[s.File]++
		}
	}
	var images []string
	for name, n := range common {
		if n == len(all) && len(labels[name]) > 0 {
			images = append(images, name)
		}
	}
	if len(images) == 0 {
		return nil, fmt.Errorf("compare: no image that all of the %d have", len(all))
	}
	right := make([]map[string]bool, len(all))
	share := make([]int, len(all))
	for i, e := range all {
		right[i] = map[string]bool{}
		for _, s := range e.samples {
			if rank := s.Rank(); rank > 0 && rank <= within && common[s.File] == len(all) {
				right[i][s.File] = true
				share[i]++
			}
		}
		if len(e.samples) > len(images) {
			c.notes = append(c.notes, fmt.Sprintf("%s: %d of its %d images are those that all have and that have a right answer", e.name, len(images), len(e.samples)))
		}
	}

	var p []float64
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			pair := pairRow{A: all[i].name, B: all[j].name, Metric: metric, Images: len(images), a: i, b: j}
			for _, name := range images {
				switch a, b := right[i][name], right[j][name]; {
				case a && !b:
					pair.OnlyA++
				case b && !a:
					pair.OnlyB++
				}
			}
			pair.Difference = 100 * float64(pair.OnlyA-pair.OnlyB) / float64(len(images))
			pair.P = stat.McNemar(pair.OnlyA, pair.OnlyB)
			p = append(p, pair.P)
			c.pairs = append(c.pairs, pair)
		}
	}
	adjusted := stat.Holm(p)
	separated := map[[2]int]bool{}
	at := 0
	for i := range all {
		for j := i + 1; j < len(all); j++ {
			pair := &c.pairs[at]
			pair.PHolm = adjusted[at]
			pair.Separated = pair.PHolm < separation
			separated[[2]int{i, j}] = pair.Separated
			if need, ok := stat.ImagesToSeparate(pair.OnlyA, pair.OnlyB, len(images)); ok && !pair.Separated {
				pair.MoreImages = max(need-len(images), 1)
			}
			at++
		}
	}
	ranks := stat.TieRanks(len(all), func(i, j int) bool { return separated[[2]int{min(i, j), max(i, j)}] && share[i] > share[j] })
	for i, e := range all {
		lo, hi := stat.Wilson(share[i], len(images))
		row := rankRow{Rank: ranks[i], Model: e.name, Images: len(images), Share: 100 * float64(share[i]) / float64(len(images)), Lo: 100 * lo, Hi: 100 * hi, of: i}
		row.Published, row.Verdict = againstPublished(e.rec, within)
		c.ranks = append(c.ranks, row)
	}
	slices.SortStableFunc(c.ranks, func(a, b rankRow) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(b.Share, a.Share)) })
	return &c, nil
}

// againstPublished holds an evaluation against the published figure for the same set and size: the figure and a verdict,
// or why there is none.
func againstPublished(r *record.Record, within int) (published float64, verdict string) {
	if r == nil || r.Published == nil || r.Published.Top1 == 0 || r.Accuracy == nil {
		return 0, ""
	}
	p, measured, lo, hi := r.Published.Top1, r.Top1, r.Top1Lo, r.Top1Hi
	if within > 1 {
		p, measured, lo, hi = r.Published.Top5, r.Top5, r.Top5Lo, r.Top5Hi
	}
	switch {
	case r.Published.Dataset != r.DatasetSet:
		return p, "published for " + cmp.Or(r.Published.Dataset, "other images")
	case r.Published.ImgSize != r.ImgSize:
		return p, fmt.Sprintf("published at %d pixels", r.Published.ImgSize)
	case p >= lo && p <= hi:
		return p, "inside the interval"
	}
	return p, fmt.Sprintf("outside by %.2f points; zoobench audit %s --observed %.2f looks for the cause", max(lo-p, p-hi), r.Name(), measured)
}

func (a *app) compare() *cobra.Command {
	var metric string
	c := &cobra.Command{
		Use:   "compare RUN...",
		Short: "Tell which checkpoints' accuracies differ on the same images, and which tie",
		Long: "RUN is a run's folder or a file of zoobench eval --per-sample. Every two checkpoints are held against each other on\n" +
			"the images that all have, by McNemar's exact test with Holm's correction; ranks are shared by those that nothing\n" +
			"separates. The JSON and CSV forms have a row a pair.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error {
			within, ok := map[string]int{"top1": 1, "top5": 5}[metric]
			if !ok {
				return fmt.Errorf("--metric: have %q, want top1 or top5", metric)
			}
			var all []evaluated
			for _, path := range paths {
				found, err := readEvaluated(path)
				if err != nil {
					return err
				}
				for _, e := range found {
					e.name = unused(e.name, path, all)
					all = append(all, e)
				}
			}
			if len(all) < 2 {
				return fmt.Errorf("compare: one evaluation, %s, want two or more", all[0].name)
			}
			result, err := compareAll(all, metric, within)
			if err != nil {
				return err
			}
			for _, note := range result.notes {
				fmt.Fprintln(a.stderr, "note: "+clean(note))
			}
			return a.printComparison(result)
		},
	}
	c.Flags().StringVar(&metric, "metric", "top1", "top1 or top5")
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions([]string{"top1", "top5"}, cobra.ShellCompDirectiveNoFileComp))
	a.formatFlag(c)
	return c
}

// unused is a name that none of those compared has: the evaluation's own, or with its path, or with a number too.
func unused(name, path string, all []evaluated) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(all, func(o evaluated) bool { return o.name == name })
	}
	for _, tried := range []string{name, name + " of " + filepath.Base(filepath.Clean(path)), name + " of " + filepath.Clean(path)} {
		if !taken(tried) {
			return tried
		}
	}
	for n := 2; ; n++ {
		if tried := fmt.Sprintf("%s of %s (%d)", name, filepath.Clean(path), n); !taken(tried) {
			return tried
		}
	}
}

func (a *app) printComparison(c *comparison) error {
	if a.format != "table" {
		out := newPrinter[pairRow](a, nil, nil)
		for _, pair := range c.pairs {
			if err := out.print(pair); err != nil {
				return err
			}
		}
		return out.close()
	}
	var rows [][]string
	tied := map[int]int{}
	for _, r := range c.ranks {
		tied[r.Rank]++
	}
	for _, r := range c.ranks {
		rank := strconv.Itoa(r.Rank)
		if tied[r.Rank] > 1 {
			rank += "="
		}
		published := "–"
		if r.Published > 0 {
			published = fmt.Sprintf("%.2f %%", r.Published)
		}
		rows = append(rows, []string{rank, r.Model, strconv.Itoa(r.Images), fmt.Sprintf("%.2f %%", r.Share), fmt.Sprintf("%.2f to %.2f", r.Lo, r.Hi), published, r.Verdict})
	}
	metric := map[string]string{"top1": "top-1", "top5": "top-5"}[c.pairs[0].Metric]
	if err := writeTable(a.stdout, []string{"rank", "model", "images", metric, "95 % interval", "published", "verdict"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\np, by McNemar's exact test with Holm's correction for %d pairs:\n\n", len(c.pairs))
	if err := writeTable(a.stdout, c.matrixTitle(), c.matrix()); err != nil {
		return err
	}
	for i, r := range c.ranks {
		for _, o := range c.ranks[i+1:] {
			pair := c.pair(r, o)
			if pair.Separated {
				continue
			}
			text := "no number of images would separate them at this rate"
			if pair.MoreImages > 0 {
				text = fmt.Sprintf("some %d more images would separate them", pair.MoreImages)
			}
			if _, err := fmt.Fprintf(a.stdout, "\n%s and %s tie (%d and %d images that one alone got right): %s", clean(r.Model), clean(o.Model), max(pair.OnlyA, pair.OnlyB), min(pair.OnlyA, pair.OnlyB), text); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(a.stdout)
	return err
}

// matrixTitle and matrix are the p-values of all pairs, in the order of the ranks.
func (c *comparison) matrixTitle() []string {
	title := []string{""}
	for i := range c.ranks {
		title = append(title, strconv.Itoa(i+1))
	}
	return title
}

func (c *comparison) matrix() (rows [][]string) {
	for i, r := range c.ranks {
		row := []string{fmt.Sprintf("(%d) %s", i+1, r.Model)}
		for j, o := range c.ranks {
			if i == j {
				row = append(row, "–")
				continue
			}
			row = append(row, shortP(c.pair(r, o).PHolm))
		}
		rows = append(rows, row)
	}
	return rows
}

func (c *comparison) pair(r, o rankRow) pairRow {
	a, b := min(r.of, o.of), max(r.of, o.of)
	return c.pairs[slices.IndexFunc(c.pairs, func(p pairRow) bool { return p.a == a && p.b == b })]
}

// shortP is a probability of two digits.
func shortP(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/samples"
)

func (a *app) compareCommand() *cobra.Command {
	var metric string
	var of precisions
	c := &cobra.Command{
		Use:   "compare RUN...",
		Short: "Compare checkpoints' accuracies on the same images: which differ, and which tie",
		Long: "RUN is a run's folder, or a file that zoobench eval --per-sample wrote. The command compares every two checkpoints on the\n" +
			"images that all of them have, by McNemar's exact test with Holm's correction. Checkpoints that the test does not separate\n" +
			"share a rank. For a tie, the command prints how many more images would separate the two with a chance of about 80 %, if\n" +
			"they continue to differ as on these images. With --format json or csv, a row is a pair.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, paths []string) error {
			if metric != string(samples.Top1) && metric != string(samples.Top5) {
				return fmt.Errorf("--metric: have %q, want top1 or top5", metric)
			}
			all, err := samples.Read(paths...)
			if err != nil {
				return err
			}
			if all, err = of.evaluations(all); err != nil {
				return err
			}
			if len(all) < 2 {
				return fmt.Errorf("compare: have one evaluation, %s, want two or more", all[0].Name)
			}
			result, err := samples.Compare(all, samples.Metric(metric))
			if err != nil {
				return err
			}
			for _, note := range result.Notes {
				fmt.Fprintln(a.notes, "note: "+clean(note))
			}
			if a.format != "table" {
				return newPrinter[samples.Pair](a, nil, nil).printAll(result.Pairs)
			}
			return a.printComparison(result)
		},
	}
	of.flag(c, "evaluations in others are left out")
	c.Flags().StringVar(&metric, "metric", "top1", "metric that is compared: top1 or top5")
	c.RegisterFlagCompletionFunc("metric", cobra.FixedCompletions([]string{"top1", "top5"}, cobra.ShellCompDirectiveNoFileComp))
	a.formatFlag(c)
	return c
}

// printComparison prints the ranks, the p-values of all pairs and what would separate those that tie.
func (a *app) printComparison(c *samples.Comparison) error {
	metric := map[samples.Metric]string{samples.Top1: "top-1", samples.Top5: "top-5"}[c.Pairs[0].Metric]
	title := []string{"rank", "model", "images", metric, "95 % interval", "published", "verdict"}
	if err := writeTable(a.stdout, title, rankLines(c.Ranks)); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\np-values of McNemar's exact test, with Holm's correction for %d pairs:\n\n", len(c.Pairs))
	if err := writeTable(a.stdout, matrixTitle(c), matrix(c)); err != nil {
		return err
	}
	for i, r := range c.Ranks {
		for _, o := range c.Ranks[i+1:] {
			pair := c.Pair(r, o)
			if pair.Separated {
				continue
			}
			text := "no number of images would separate them at these shares"
			if pair.MoreImages > 0 {
				text = fmt.Sprintf("%d more images would separate them with a chance of about 80 %%", pair.MoreImages)
			}
			first, second := pair.OnlyA, pair.OnlyB
			if pair.A != r.Model {
				first, second = second, first
			}
			one, other := clean(r.Model), clean(o.Model)
			fmt.Fprintf(a.stdout, "\n%s and %s tie: %s alone is right on %d images, %s alone on %d; %s",
				one, other, one, first, other, second, text)
		}
	}
	_, err := fmt.Fprintln(a.stdout)
	return err
}

// rankLines are the ranks as a table has them.
func rankLines(ranks []samples.Rank) (lines [][]string) {
	tied := map[int]int{}
	for _, r := range ranks {
		tied[r.Rank]++
	}
	for _, r := range ranks {
		rank, published := strconv.Itoa(r.Rank), "–"
		if tied[r.Rank] > 1 {
			rank += "="
		}
		if r.Published > 0 {
			published = fmt.Sprintf("%.2f %%", r.Published)
		}
		lines = append(lines, []string{
			rank, r.Model, strconv.Itoa(r.Images), fmt.Sprintf("%.2f %%", r.Share), fmt.Sprintf("%.2f to %.2f", r.Lo, r.Hi),
			published, r.Verdict,
		})
	}
	return lines
}

// matrixTitle and matrix are the p-values of all pairs, in the order of the ranks.
func matrixTitle(c *samples.Comparison) []string {
	title := []string{""}
	for i := range c.Ranks {
		title = append(title, strconv.Itoa(i+1))
	}
	return title
}

func matrix(c *samples.Comparison) (lines [][]string) {
	for i, r := range c.Ranks {
		line := []string{fmt.Sprintf("(%d) %s", i+1, r.Model)}
		for j, o := range c.Ranks {
			if i == j {
				line = append(line, "–")
				continue
			}
			line = append(line, shortP(c.Pair(r, o).PHolm))
		}
		lines = append(lines, line)
	}
	return lines
}

// shortP is a probability with three decimals.
func shortP(p float64) string {
	if p < 0.001 {
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

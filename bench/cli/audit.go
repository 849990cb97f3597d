package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/datasets"
	"zoobench/zoo/engine"
)

// auditRow is a way of preparing images.
type auditRow struct {
	Mistake    string  `json:"mistake"`
	Detail     string  `json:"detail"`
	Images     int     `json:"n_images"`
	Top1       float64 `json:"top1"` // percent
	Top5       float64 `json:"top5"`
	Difference float64 `json:"top1_difference"` // percentage points, against the published way
	Lo         float64 `json:"top1_difference_lo"`
	Hi         float64 `json:"top1_difference_hi"`
	P          float64 `json:"p"`        // McNemar's exact test against the published way
	PHolm      float64 `json:"p_holm"`   // corrected for all mistakes
	Expected   float64 `json:"expected"` // percent: the published figure with the difference or, without one, Top1
	Fits       *bool   `json:"fits_observed,omitempty"`
	Model      string  `json:"model"`
	fit        float64 // how far Expected is from what was observed
}

// libraries is by how many percentage points a published top-1 may differ from one library to another.
const libraries = 0.15

func (a *app) audit() *cobra.Command {
	var b build
	var images imageFlags
	var observed float64
	c := &cobra.Command{
		Use:   "audit NETWORK[.TAG]... --data DIR",
		Short: "Measure how much accuracy a checkpoint loses by mistakes in preparing images, or which layers int8 hurts",
		Long: "Measures a checkpoint's accuracy with its published preprocessing and with each plausible mistake, on the same images.\n" +
			"Such mistakes are another interpolation, another crop, no antialiasing, or channels in reverse order. With --observed,\n" +
			"the command says which mistakes would explain the top-1 that you measured.\n" +
			"With --precision int8, the command quantises the checkpoint on the images (128 by default), as quantize does, and lists the\n" +
			"layers: how much noise int8 adds at the layer's output and at the logits if no other layer is in int8, the worst layer first,\n" +
			"and which layers quantize keeps in float32, and why.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, args []string) error {
			tasks, err := b.checkpoints(a, "audit", args)
			if err != nil {
				return err
			}
			if err := images.check(a, "audit", tasks); err != nil {
				return err
			}
			if observed < 0 || observed > 100 {
				return fmt.Errorf("--observed %v: want 0 to 100 percent", observed)
			}
			if len(tasks) > 1 && observed > 0 {
				return fmt.Errorf("--observed: have %d checkpoints, want one", len(tasks))
			}
			for _, name := range b.precision {
				if name != engine.Int8 || len(b.precision) > 1 {
					return fmt.Errorf("--precision %s: audit names the layers that int8 changes most: want int8", strings.Join(b.precision.names(), ","))
				}
			}
			return a.eachTask(c.Context(), tasks, func(t runner.Task) error {
				if b.precision.others() {
					return a.auditInt8(c.Context(), t, images, c.Flags().Changed("limit"))
				}
				t.Job.Accuracy = images.of(a, t)
				step, clear := a.imageBar()
				r, err := runner.Audit(c.Context(), a.list, t, step)
				clear()
				if err != nil {
					return err
				}
				if len(tasks) > 1 && a.format == "table" {
					if _, err := fmt.Fprintf(a.stdout, "%s\n", taskName(t)); err != nil {
						return err
					}
				}
				return a.printAudit(r, observed)
			})
		},
	}
	b.flags(c)
	b.precision.flag(c, "int8 lists the layers that it hurts")
	b.weightsFlag(c, "")
	images.flags(c, 1000)
	c.Flags().Float64Var(&observed, "observed", 0, "top-1 that you measured, in percent")
	a.formatFlag(c)
	return c
}

// publishedTop1 is a checkpoint's published top-1 on a set for images prepared by its recipe, in percent, 0 where none is
// known.
func publishedTop1(r *runner.AuditResult) float64 {
	c, _ := r.Network.Spec.Checkpoint(r.Network.Tag)
	res, _ := c.ResultAt(r.Network.Recipe)
	switch r.Set {
	case datasets.Validation:
		return res.Top1
	case datasets.ImageNetV2:
		return res.V2Top1
	}
	return 0
}

// auditRows are the ways with what each is expected to give on the whole set, the greatest loss first; the published way
// stands on top.
func auditRows(r *runner.AuditResult, published, observed float64) []auditRow {
	var rows []auditRow
	percent := func(k int) float64 { return 100 * float64(k) / float64(r.Images) }
	for i, w := range r.Rows {
		row := auditRow{
			Model: r.Network.Name(), Mistake: w.Name, Detail: w.Detail, Images: r.Images, Top1: percent(w.Top1), Top5: percent(w.Top5),
			P: w.P, PHolm: w.PHolm,
		}
		row.Difference = percent(w.OnlyHere - w.OnlyRef)
		if i > 0 {
			lo, hi := stat.PairedInterval(w.OnlyHere, w.OnlyRef, r.Images)
			row.Lo, row.Hi = 100*lo, 100*hi
		}
		row.Expected = row.Top1
		lo, hi := stat.Wilson(w.Top1, r.Images)
		lo, hi = 100*lo, 100*hi
		if published > 0 {
			row.Expected = published + row.Difference
			lo, hi = published+min(row.Lo, row.Difference-libraries), published+max(row.Hi, row.Difference+libraries)
		}
		if observed > 0 {
			row.fit = math.Abs(row.Expected - observed)
			fits := lo <= observed && observed <= hi
			row.Fits = &fits
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows[1:], func(a, b auditRow) int { return cmp.Compare(a.Difference, b.Difference) })
	return rows
}

// diagnosis says in a sentence which ways would explain what was observed.
func diagnosis(rows []auditRow, published, observed float64) string {
	basis := "figures in brackets were measured on these images"
	if published > 0 {
		basis = fmt.Sprintf("figures in brackets are the published %.2f %% plus the points", published)
	}
	var fitting []auditRow
	for _, row := range rows {
		if *row.Fits {
			fitting = append(fitting, row)
		}
	}
	slices.SortStableFunc(fitting, func(a, b auditRow) int { return cmp.Compare(a.fit, b.fit) })
	says := func(r auditRow) string {
		if r.Mistake == rows[0].Mistake {
			return fmt.Sprintf("the published preprocessing (%.2f %%)", r.Expected)
		}
		return fmt.Sprintf("%s: %s (%.2f %%)", r.Mistake, r.Detail, r.Expected)
	}
	if len(fitting) == 0 {
		nearest := slices.MinFunc(rows, func(a, b auditRow) int { return cmp.Compare(a.fit, b.fit) })
		return fmt.Sprintf("%.2f %% fits none of these; the nearest is %s; %s\n"+
			"the cause may be other weights, other labels or several mistakes at once", observed, says(nearest), basis)
	}
	var words []string
	for _, r := range fitting {
		words = append(words, says(r))
	}
	text := fmt.Sprintf("%.2f %% fits %s", observed, words[0])
	if len(words) > 1 {
		text += "; it also fits " + strings.Join(words[1:], "; ")
	}
	return text + "; " + basis
}

func (a *app) printAudit(r *runner.AuditResult, observed float64) error {
	published := publishedTop1(r)
	rows := auditRows(r, published, observed)
	out := newPrinter(a, []string{"mistake", "what was done", "top-1", "points", "95 % interval", "p", "top-5"}, func(r auditRow) []string {
		points, interval, p := "–", "–", "–"
		if r.Mistake != rows[0].Mistake {
			points, interval, p = fmt.Sprintf("%+.2f", r.Difference), fmt.Sprintf("%+.2f to %+.2f", r.Lo, r.Hi), shortP(r.PHolm)
		}
		return []string{r.Mistake, r.Detail, fmt.Sprintf("%.2f %%", r.Top1), points, interval, p, fmt.Sprintf("%.2f %%", r.Top5)}
	})
	if err := out.printAll(rows); err != nil || a.format != "table" {
		return err
	}
	text := "\n" + strconv.Itoa(r.Images) + " images"
	if r.Unreadable > 0 {
		text += fmt.Sprintf("; %d of them cannot be read and count as wrong", r.Unreadable)
	}
	text += "\np: McNemar's exact test against the published preprocessing, with Holm's correction for all mistakes"
	if observed > 0 {
		text += "\n" + diagnosis(rows, published, observed)
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}

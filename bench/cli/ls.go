package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/zoo"
)

// lsRow is a row of zoobench ls.
type lsRow struct {
	Model       string   `json:"model"`
	Family      string   `json:"family"`
	Year        int      `json:"year"`
	Params      int64    `json:"params"`
	MACs        int64    `json:"macs"`
	Activations int64    `json:"activations"`
	ImgSize     int      `json:"img_size"`
	Top1        float64  `json:"published_top1"` // percent, the best of the checkpoints; 0 where none is published
	Checkpoints []string `json:"checkpoints"`
	Aliases     []string `json:"aliases"`
	Paper       string   `json:"paper"`
}

func (a *app) ls() *cobra.Command {
	var family string
	var maxParams, maxMACs float64
	c := &cobra.Command{
		Use:               "ls [PATTERN...]",
		Short:             "List the networks of the zoo with their costs and published accuracies",
		ValidArgsFunction: a.networks,
		RunE: func(_ *cobra.Command, patterns []string) error {
			if len(patterns) == 0 {
				patterns = []string{"*"}
			}
			if maxParams < 0 || maxMACs < 0 {
				return fmt.Errorf("--max-params %v, --max-macs %v: want at least 0", maxParams, maxMACs)
			}
			specs, err := a.list.Match(patterns)
			if err != nil {
				return err
			}
			if families := a.families(); family != "" && !slices.Contains(families, family) {
				return fmt.Errorf("--family: have %q, want one of %s", family, strings.Join(families, ", "))
			}
			title := []string{"model", "family", "year", "params", "MACs", "activations", "size", "top-1, published", "checkpoints"}
			out := newPrinter(a, title, func(r lsRow) []string {
				top1 := "–"
				if r.Top1 > 0 {
					top1 = fmt.Sprintf("%.2f %%", r.Top1)
				}
				return []string{
					r.Model, r.Family, strconv.Itoa(r.Year), millions(r.Params), billions(r.MACs), millions(r.Activations),
					strconv.Itoa(r.ImgSize), top1, tags(r.Checkpoints, len(specs) == 1),
				}
			})
			for _, s := range specs {
				if family != "" && s.Family != family {
					continue
				}
				row, err := newLsRow(s)
				if err != nil {
					return err
				}
				if maxParams > 0 && float64(row.Params) > maxParams*1e6 || maxMACs > 0 && float64(row.MACs) > maxMACs*1e9 {
					continue
				}
				if err := out.print(row); err != nil {
					return err
				}
			}
			return out.close()
		},
	}
	c.Flags().StringVar(&family, "family", "", "family of the networks (default: all)")
	c.Flags().Float64Var(&maxParams, "max-params", 0, "limit on the number of parameters, in millions (default: none)")
	c.Flags().Float64Var(&maxMACs, "max-macs", 0, "limit on the number of MACs, in billions (default: none)")
	c.RegisterFlagCompletionFunc("family", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return a.families(), cobra.ShellCompDirectiveNoFileComp
	})
	a.formatFlag(c)
	return c
}

// tags are those of a network's checkpoints: some of many, unless all are asked for.
func tags(checkpoints []string, all bool) string {
	const some = 3
	if rest := len(checkpoints) - some; rest > 1 && !all {
		return fmt.Sprintf("%s and %d more", strings.Join(checkpoints[:some], " "), rest)
	}
	return strings.Join(checkpoints, " ")
}

// families are the list's, in its order.
func (a *app) families() (names []string) {
	for _, s := range a.list.All() {
		if !slices.Contains(names, s.Family) {
			names = append(names, s.Family)
		}
	}
	return names
}

func newLsRow(s *zoo.Spec) (lsRow, error) {
	g, err := s.Graph(0, 0)
	if err != nil {
		return lsRow{}, err
	}
	row := lsRow{
		Model: s.Name, Family: s.Family, Year: s.Year, Params: g.ParamCount(), MACs: g.MACs(), Activations: g.Activations(),
		ImgSize: s.Size, Aliases: append([]string{}, s.Aliases...), Paper: s.Paper, Checkpoints: []string{},
	}
	for _, c := range s.Checkpoints {
		row.Checkpoints = append(row.Checkpoints, c.Tag)
		for _, r := range c.Results {
			row.Top1 = max(row.Top1, r.Top1)
		}
	}
	return row, nil
}

func joinSemicolon(texts []string) string { return strings.Join(texts, "; ") }

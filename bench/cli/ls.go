package cli

import (
	"fmt"
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
			specs, err := a.list.Match(patterns)
			if err != nil {
				return err
			}
			title := []string{"model", "family", "year", "params", "MACs", "activations", "size", "top-1, published", "checkpoints"}
			out := newPrinter(a, title, func(r lsRow) []string {
				top1 := "–"
				if r.Top1 > 0 {
					top1 = fmt.Sprintf("%.2f %%", r.Top1)
				}
				return []string{
					r.Model, r.Family, strconv.Itoa(r.Year), millions(r.Params), billions(r.MACs), millions(r.Activations),
					strconv.Itoa(r.ImgSize), top1, strings.Join(r.Checkpoints, " "),
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
	c.Flags().StringVar(&family, "family", "", "networks of this family only")
	c.Flags().Float64Var(&maxParams, "max-params", 0, "networks of at most so many million parameters")
	c.Flags().Float64Var(&maxMACs, "max-macs", 0, "networks of at most so many billion MACs")
	c.RegisterFlagCompletionFunc("family", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		seen := map[string]bool{}
		for _, s := range a.list.All() {
			if !seen[s.Family] {
				seen[s.Family], names = true, append(names, s.Family)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	a.formatFlag(c)
	return c
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
	known, _ := zoo.Checkpoints(s.Name) // a network of another list has none
	for _, c := range known {
		row.Checkpoints = append(row.Checkpoints, c.Tag)
		for _, r := range c.Results {
			row.Top1 = max(row.Top1, r.Top1)
		}
	}
	return row, nil
}

func joinSemicolon(texts []string) string { return strings.Join(texts, "; ") }

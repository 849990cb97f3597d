package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
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
	Elements    int64    `json:"elements"` // of params and of running statistics: what Keras counts as parameters

	// Shapes is the top-1, in percent, of weights that the program contains, on the test images of ShapesSet: computed images, which
	// say nothing about ImageNet. 0 for a network without such weights.
	Shapes    float64 `json:"shapes_top1,omitempty"`
	ShapesSet string  `json:"shapes_set,omitempty"`
}

func (a *app) ls() *cobra.Command {
	var family string
	var maxParams, maxMACs float64
	var checkpoints bool
	c := &cobra.Command{
		Use:   "ls [PATTERN...]",
		Short: "List the networks of the zoo with their costs and published accuracies",
		Long: "Lists networks. A PATTERN is a name, a name with wildcards as 'resnet*', family: and the name of a family, or several of\n" +
			"these with commas between. With --checkpoints, the command lists the published checkpoints of the networks, and a tag may\n" +
			"follow a dot, as 'resnet50.tv_*'. Every command that takes networks takes these patterns.",
		ValidArgsFunction: a.networks,
		RunE: func(_ *cobra.Command, patterns []string) error {
			if maxParams < 0 || maxMACs < 0 {
				return fmt.Errorf("--max-params %v, --max-macs %v: want at least 0", maxParams, maxMACs)
			}
			if err := onlyZoo(patterns, "zoobench show prints it"); err != nil {
				return err
			}
			specs, err := a.matching(patterns)
			if err != nil {
				return err
			}
			if families := a.families(); family != "" && !slices.Contains(families, family) {
				return fmt.Errorf("--family: have %q, want one of %s", family, strings.Join(families, ", "))
			}
			var rows []lsRow
			for _, s := range specs {
				row, err := newLsRow(s)
				if err != nil {
					return err
				}
				if (family == "" || s.Family == family) && (maxParams == 0 || float64(row.Params) <= maxParams*1e6) &&
					(maxMACs == 0 || float64(row.MACs) <= maxMACs*1e9) {
					rows = append(rows, row)
				}
			}
			if checkpoints {
				return a.printCheckpoints(patterns, rows)
			}
			title := []string{"model", "family", "year", "params", "MACs", "activations", "size", "top-1, published", "checkpoints"}
			shipped := slices.ContainsFunc(rows, func(r lsRow) bool { return r.Shapes > 0 })
			if shipped {
				title = slices.Insert(title, 8, "top-1 on "+studySet)
			}
			return newPrinter(a, title, func(r lsRow) []string {
				cells := []string{
					r.Model, r.Family, strconv.Itoa(r.Year), millions(r.Params), billions(r.MACs), millions(r.Activations),
					strconv.Itoa(r.ImgSize), percentOrDash(r.Top1), tags(r.Checkpoints, len(specs) == 1),
				}
				if shipped {
					cells = slices.Insert(cells, 8, percentOrDash(r.Shapes))
				}
				return cells
			}).printAll(rows)
		},
	}
	c.Flags().StringVar(&family, "family", "", "family of the networks (default: all)")
	c.Flags().Float64Var(&maxParams, "max-params", 0, "limit on the number of parameters, in millions (default: none)")
	c.Flags().Float64Var(&maxMACs, "max-macs", 0, "limit on the number of MACs, in billions (default: none)")
	c.Flags().BoolVar(&checkpoints, "checkpoints", false, "published checkpoints in place of networks: licence, accuracy, address")
	c.RegisterFlagCompletionFunc("family", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return a.families(), cobra.ShellCompDirectiveNoFileComp
	})
	a.formatFlag(c)
	return c
}

// checkpointRow is a row of zoobench ls --checkpoints.
type checkpointRow struct {
	Checkpoint string  `json:"checkpoint"` // network.tag
	Library    string  `json:"library"`    // whose names and figures
	Licence    string  `json:"licence"`    // SPDX, lower case; "" where unknown
	Commercial bool    `json:"commercial"` // whether the licence allows commercial use, as far as is known
	ImgSize    int     `json:"img_size"`
	Top1       float64 `json:"published_top1"` // percent, at that size; 0 where not published
	V2Top1     float64 `json:"published_imagenetv2_top1"`
	SHA256     string  `json:"sha256"` // first digits; "" where unknown
	URL        string  `json:"url"`    // "" where unknown
	Cached     bool    `json:"cached"` // is in the cache folder
}

// matching are the networks that patterns name, all of them without a pattern, in the list's order. A tag is put aside.
func (a *app) matching(patterns []string) ([]*zoo.Spec, error) {
	if len(patterns) == 0 {
		return a.list.All(), nil
	}
	names, err := a.expand(patterns, publishedTags)
	if err != nil {
		return nil, err
	}
	for i := range names {
		names[i], _ = zoo.Split(names[i])
	}
	return a.list.Match(names)
}

// printCheckpoints prints the checkpoints of networks, those that the patterns name.
func (a *app) printCheckpoints(patterns []string, networks []lsRow) error {
	names, err := a.expand(patterns, publishedTags)
	if err != nil {
		return err
	}
	wanted := func(spec *zoo.Spec, c zoo.Checkpoint) bool {
		return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
			network, tag := zoo.Split(name)
			return (network == spec.Name || slices.Contains(spec.Aliases, network)) && (tag == "" || tag == c.Tag)
		})
	}
	cache, err := runner.DefaultCache()
	if err != nil {
		return err
	}
	var rows []checkpointRow
	for _, network := range networks {
		spec, err := a.list.Find(network.Model)
		if err != nil {
			return err
		}
		cached, err := cache.Tags(spec)
		if err != nil {
			return err
		}
		for _, c := range spec.Checkpoints {
			if !wanted(spec, c) {
				continue
			}
			row := checkpointRow{
				Checkpoint: c.Name(), Library: c.Library, Licence: c.Licence, Commercial: commercial(c.Licence), ImgSize: c.Recipe.Size,
				SHA256: c.SHA256, URL: c.URL(), Cached: slices.Contains(cached, c.Tag),
			}
			if len(c.Results) > 0 {
				row.Top1, row.V2Top1 = c.Results[0].Top1, c.Results[0].V2Top1
			}
			rows = append(rows, row)
		}
	}
	title := []string{"checkpoint", "library", "licence", "size", "top-1, published", "on ImageNetV2", "cached"}
	return newPrinter(a, title, func(r checkpointRow) []string {
		licence := cmp.Or(r.Licence, "unknown")
		if !r.Commercial {
			licence += ", not commercial"
		}
		cached := "no"
		if r.Cached {
			cached = "yes"
		}
		return []string{r.Checkpoint, r.Library, licence, strconv.Itoa(r.ImgSize), percentOrDash(r.Top1), percentOrDash(r.V2Top1), cached}
	}).printAll(rows)
}

// studySet is what the images of the study are called in a heading.
const studySet = "shapes"

// percentOrDash is an accuracy in percent, a dash for none.
func percentOrDash(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", v)
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
		Elements: g.ElementCount(),
	}
	for _, c := range s.Checkpoints {
		row.Checkpoints = append(row.Checkpoints, c.Tag)
		for _, r := range c.Results {
			row.Top1 = max(row.Top1, r.Top1)
		}
		if c.Shipped != nil {
			row.Shapes, row.ShapesSet = c.Shipped.Test.Top1Percent(), c.Shipped.Data
		}
	}
	return row, nil
}

func joinSemicolon(texts []string) string { return strings.Join(texts, "; ") }

package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/choose"
)

// whatIfFlags are what zoobench whatif asks.
type whatIfFlags struct {
	classes, merges []string
	budget          time.Duration
	curves          bool
}

func (a *app) whatIf() *cobra.Command {
	var f whatIfFlags
	c := &cobra.Command{
		Use:   "whatif DIR",
		Short: "Answer what-if questions about an earlier choose: other classes, cascades, ensembles",
		Long: "Answers from the predictions that choose has saved in DIR, the folder of its report. No network runs.\n\n" +
			"It shows the accuracy of each network on all classes, on some of them, or with several classes merged into one. It\n" +
			"also shows pairs of networks. In a cascade the first network answers, and the second one answers only the images for\n" +
			"which the first is unsure. In an ensemble both answer, and their probabilities are averaged. --merge comes before\n" +
			"--classes.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			answers, err := f.open(args[0])
			if err != nil {
				return err
			}
			all, err := f.ask(c.Context(), answers)
			if err != nil {
				return err
			}
			return a.printWhatIfs(answers, all)
		},
	}
	c.Flags().StringSliceVar(&f.classes, "classes", nil, "classes to keep: only their images count, and only they can be the answer")
	c.Flags().StringArrayVar(&f.merges, "merge", nil, "classes to merge into one, as NAME=CLASS,CLASS; may be given several times")
	c.Flags().DurationVar(&f.budget, "max-latency", 0, "limit on the mean latency: slower options are hidden (default: none)")
	c.Flags().BoolVar(&f.curves, "curves", false, "all points of each cascade's curve of accuracy against mean latency")
	a.formatFlag(c)
	return c
}

// open reads the answers in a choice's folder, or in a file, and changes their classes as asked.
func (f *whatIfFlags) open(path string) (*choose.Answers, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, choose.AnswersName)
	}
	answers, err := choose.LoadAnswers(path)
	if err != nil {
		return nil, err
	}
	for _, merge := range f.merges {
		name, of, ok := strings.Cut(merge, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--merge: have %q, want NAME=CLASS,CLASS", merge)
		}
		if answers, err = answers.Merge(name, strings.Split(of, ",")); err != nil {
			return nil, err
		}
	}
	if len(f.classes) > 0 {
		return answers.Subset(f.classes)
	}
	return answers, nil
}

// ask lists networks alone, cascades and ensembles, as far as they keep the limit on latency.
func (f *whatIfFlags) ask(ctx context.Context, answers *choose.Answers) ([]choose.WhatIf, error) {
	all, err := answers.Alone(ctx)
	if err != nil {
		return nil, err
	}
	var cascades []choose.WhatIf
	if f.curves {
		var every [][]choose.WhatIf
		every, err = answers.Cascades(ctx)
		cascades = slices.Concat(every...)
	} else {
		cascades, err = answers.BestCascades(ctx, f.budget.Nanoseconds())
	}
	if err != nil {
		return nil, err
	}
	ensembles, err := answers.Ensembles(ctx, 0)
	if err != nil {
		return nil, err
	}
	all = slices.Concat(all, cascades, ensembles)
	return slices.DeleteFunc(all, func(w choose.WhatIf) bool { return f.budget > 0 && w.Latency > f.budget.Nanoseconds() }), nil
}

// printWhatIfs prints networks and pairs; under a table with pairs, it says what is to be doubted about them.
func (a *app) printWhatIfs(answers *choose.Answers, all []choose.WhatIf) error {
	title := []string{"kind", "name", "accuracy", "95 % interval", "mean latency", "second runs", "below"}
	out := newPrinter(a, title, func(w choose.WhatIf) []string {
		runs, below := "–", "–"
		if w.Kind == "cascade" {
			runs, below = fmt.Sprintf("%.0f %%", 100*w.Second), w.Below()
		}
		return []string{w.Kind, w.Name, fmt.Sprintf("%.1f %%", 100*w.Accuracy.Value),
			fmt.Sprintf("%.1f to %.1f", 100*w.Accuracy.Lo, 100*w.Accuracy.Hi), millis(w.Latency), runs, below}
	})
	if err := out.printAll(all); err != nil {
		return err
	}
	if pairs := slices.ContainsFunc(all, func(w choose.WhatIf) bool { return w.Kind != "network" }); a.format != "table" || !pairs {
		return nil
	}
	_, err := fmt.Fprintln(a.stdout, "\n"+answers.Caveat())
	return err
}

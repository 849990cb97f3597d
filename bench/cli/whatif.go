package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/choose"
)

func (a *app) whatIf() *cobra.Command {
	var classes, merges []string
	var budget time.Duration
	var curves bool
	c := &cobra.Command{
		Use:   "whatif DIR",
		Short: "Ask more of a choice's answers: other classes, cascades, ensembles",
		Long: "Answers from what the networks of an earlier choose said of each picture, without running anything: accuracy on some\n" +
			"of the classes or with classes merged, cascades (the second network is asked where the first is unsure) and ensembles\n" +
			"of two. DIR is the folder of choose's report. Merging comes before taking some of the classes.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := args[0]
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				path = filepath.Join(path, choose.AnswersName)
			}
			answers, err := choose.LoadAnswers(path)
			if err != nil {
				return err
			}
			for _, merge := range merges {
				name, of, ok := strings.Cut(merge, "=")
				if !ok || name == "" {
					return fmt.Errorf("--merge: have %q, want NAME=CLASS,CLASS", merge)
				}
				if answers, err = answers.Merge(name, strings.Split(of, ",")); err != nil {
					return err
				}
			}
			if len(classes) > 0 {
				if answers, err = answers.Subset(classes); err != nil {
					return err
				}
			}
			ctx := c.Context()
			all, err := answers.Alone(ctx)
			if err != nil {
				return err
			}
			if curves {
				every, err := answers.Cascades(ctx)
				if err != nil {
					return err
				}
				all = append(all, slices.Concat(every...)...)
			} else {
				best, err := answers.BestCascades(ctx, budget.Nanoseconds())
				if err != nil {
					return err
				}
				all = append(all, best...)
			}
			ensembles, err := answers.Ensembles(ctx, 0)
			if err != nil {
				return err
			}
			all = append(all, ensembles...)
			title := []string{"kind", "name", "accuracy", "95 % interval", "mean latency", "second asked", "below"}
			out := newPrinter(a, title, func(w choose.WhatIf) []string {
				asked, below := "–", "–"
				if w.Kind == "cascade" {
					asked, below = fmt.Sprintf("%.0f %%", 100*w.Second), w.Below()
				}
				return []string{w.Kind, w.Name, fmt.Sprintf("%.1f %%", 100*w.Accuracy.Value),
					fmt.Sprintf("%.1f to %.1f", 100*w.Accuracy.Lo, 100*w.Accuracy.Hi), millis(w.Latency), asked, below}
			})
			pairs := false
			for _, w := range all {
				if budget > 0 && w.Latency > budget.Nanoseconds() {
					continue
				}
				pairs = pairs || w.Kind != "network"
				if err := out.print(w); err != nil {
					return err
				}
			}
			if err := out.close(); err != nil || a.format != "table" || !pairs {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, "\n"+answers.Caveat())
			return err
		},
	}
	c.Flags().StringSliceVar(&classes, "classes", nil, "pictures of these classes only, and no other answer")
	c.Flags().StringArrayVar(&merges, "merge", nil, "take classes for one: NAME=CLASS,CLASS; may be given several times")
	c.Flags().DurationVar(&budget, "max-latency", 0, "leave out what takes longer in the mean (default: nothing)")
	c.Flags().BoolVar(&curves, "curves", false, "every cascade's whole curve of accuracy against mean latency")
	a.formatFlag(c)
	return c
}

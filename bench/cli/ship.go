package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/bench/ship"
	"zoobench/zoo/pocket"
)

// ship is for those who change the program: it writes into the program's source.
func (a *app) ship() *cobra.Command {
	var file, root string
	c := &cobra.Command{
		Use:   "ship RUN...",
		Short: "Write what the program contains of the study's results",
		Long: "RUN is the folder of a run of the study, or of a shard of it. The command writes half-precision weights of some networks into\n" +
			"zoo/pocket/study and what every network learned into bench/lessons, and lists what the folders do not have yet. The next\n" +
			"build of the program contains both.",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, dirs []string) error {
			f, err := experiment.Load(file, runner.Known(a.list))
			if err != nil {
				return err
			}
			s, err := ship.Read(dirs...)
			if err != nil {
				return err
			}
			missing, err := s.Missing(f)
			if err != nil {
				return err
			}
			all, err := s.Write(c.Context(), a.list, root, func(w *pocket.Weights) {
				fmt.Fprintf(a.notes, "%s: top-1 %.2f %%, in float32 %.2f %%\n", w.Network, w.Test.Top1Percent(), w.Whole.Top1Percent())
			})
			if err != nil {
				return err
			}
			out := newPrinter(a, []string{"model", "recipe", "seed", "images", "top-1", "float32 top-1", "sha256"}, shipCells)
			if err := out.printAll(all); err != nil {
				return err
			}
			fmt.Fprintf(a.notes, "%d networks, %d lessons\n", len(all), len(s.Lessons()))
			if len(missing) > 0 {
				fmt.Fprintf(a.notes, "not finished: %s\n", strings.Join(missing, ", "))
			}
			return nil
		},
	}
	c.Flags().StringVar(&file, "file", "study.yaml", "file of the study's experiments")
	c.Flags().StringVar(&root, "source", ".", "folder of the program's source, which is written to")
	a.formatFlag(c)
	return c
}

func shipCells(w pocket.Weights) []string {
	return []string{
		w.Network, w.Recipe, strconv.FormatUint(w.Seed, 10), strconv.Itoa(w.Test.Images), fmt.Sprintf("%.2f %%", w.Test.Top1Percent()),
		fmt.Sprintf("%.2f %%", w.Whole.Top1Percent()), w.SHA256[:16],
	}
}

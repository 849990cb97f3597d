package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/datasets/preprocess"
)

// predictRow is one of an image's five best classes.
type predictRow struct {
	File        string  `json:"file"`
	Rank        int     `json:"rank"`
	Class       int     `json:"class"`
	Name        string  `json:"name"`
	Probability float64 `json:"probability"`
}

// maxImageBytes bounds an image's file, as package datasets does.
const maxImageBytes = 256 << 20

func (a *app) predict() *cobra.Command {
	var b build
	var rf recipeFlags
	c := &cobra.Command{
		Use:               "predict MODEL --weights FILE|TAG IMAGE...",
		Short:             "Name the five likeliest classes of images",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.network,
		RunE: func(c *cobra.Command, args []string) error {
			t, err := b.task(a, args[0])
			if err != nil {
				return err
			}
			if t.Weights == "" {
				return fmt.Errorf("predict: %s: no checkpoint; name its file or its tag with --weights", args[0])
			}
			if t.Recipe, err = rf.recipe(); err != nil {
				return err
			}
			n, err := runner.Open(a.list, t)
			if err != nil {
				return err
			}
			defer n.Close()
			a.sayReady(n, nil)
			pictures, err := preprocess.New(n.Preprocessing(), preprocess.HWC)
			if err != nil {
				return err
			}
			out := newPrinter(a, []string{"image", "rank", "class", "name", "probability"}, func(r predictRow) []string {
				return []string{r.File, strconv.Itoa(r.Rank), strconv.Itoa(r.Class), r.Name, fmt.Sprintf("%.4f", r.Probability)}
			})
			var failed error
			for _, path := range args[1:] {
				if err := c.Context().Err(); err != nil {
					return err
				}
				rows, err := classify(n, pictures, path)
				if err != nil {
					// The other images' answers are worth having.
					failed = errors.Join(failed, fmt.Errorf("predict: %s: %w", path, err))
					continue
				}
				for _, row := range rows {
					if err := out.print(row); err != nil {
						return err
					}
				}
			}
			return errors.Join(failed, out.close())
		},
	}
	b.flags(c)
	b.weightsFlag(c, "checkpoint: a file, or a tag whose file is in the cache folder")
	rf.flags(c)
	a.formatFlag(c)
	return c
}

// classify returns the five best classes of one image.
func classify(n *runner.Network, pictures *preprocess.Processor, path string) ([]predictRow, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err) // the caller names the file
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxImageBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxImageBytes {
		return nil, fmt.Errorf("more than %d MiB", maxImageBytes>>20)
	}
	tensor := make([]float32, pictures.Len())
	if err := pictures.File(data, tensor); err != nil {
		return nil, err
	}
	logits := make([]float32, n.Graph.Output().Elems())
	n.Engine.Run(logits, tensor, 1)
	best, finite := runner.Top(logits, 5)
	if !finite {
		return nil, errors.New("the scores are not finite")
	}
	names := datasets.ImageNet1k()
	p := runner.Softmax(logits)
	var rows []predictRow
	for i, class := range best {
		row := predictRow{File: path, Rank: i + 1, Class: class, Name: "class " + strconv.Itoa(class), Probability: p[class]}
		if len(logits) == len(names) {
			row.Name = names[class].Name
		}
		rows = append(rows, row)
	}
	return rows, nil
}

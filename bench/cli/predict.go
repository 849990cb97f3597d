package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/choose"
	"zoobench/bench/choose/features"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/datasets/corrupt"
	"zoobench/datasets/preprocess"
)

// predictRow is one of an image's five best classes.
type predictRow struct {
	File        string  `json:"file"`
	Rank        int     `json:"rank"`
	Class       int     `json:"class"`
	Name        string  `json:"name"`
	Probability float64 `json:"probability"`
	Model       string  `json:"model"`
	Corruption  string  `json:"corruption,omitempty"`
	Precision   string  `json:"precision,omitempty"` // "" for float32
}

// predictFlags are the command's own flags.
type predictFlags struct {
	head, exif string
	corruption oneCorruption
}

// maxImageBytes bounds an image's file, as package datasets does.
const maxImageBytes = 256 << 20

func (a *app) predict() *cobra.Command {
	var b build
	var rf recipeFlags
	var f predictFlags
	c := &cobra.Command{
		Use:   "predict NETWORK[,NETWORK] --weights FILE|TAG [--head FILE] IMAGE...",
		Short: "Print the five most probable classes of each image",
		Long: "Prints the five most probable classes of each image, with the probabilities that the network gives them. The network needs\n" +
			"a checkpoint: its tag after a dot, or --weights. Several networks have commas between them.",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.network,
		RunE: func(c *cobra.Command, args []string) error {
			tasks, err := b.checkpoints(a, "predict", args[:1])
			if err != nil {
				return err
			}
			recipe, err := rf.recipe()
			if err != nil {
				return err
			}
			if err := checkExif(&f.exif); err != nil {
				return err
			}
			if len(tasks) > 1 && f.head != "" {
				return fmt.Errorf("--head: have %d checkpoints, want one", len(tasks))
			}
			title := []string{"image", "rank", "class", "name", "probability"}
			if len(tasks) > 1 {
				title = append(title, "model")
			}
			out := newPrinter(a, title, func(r predictRow) []string {
				line := []string{r.File, strconv.Itoa(r.Rank), strconv.Itoa(r.Class), r.Name, fmt.Sprintf("%.4f", r.Probability),
					record.Axes{Precision: r.Precision}.Named(r.Model)}
				return line[:len(title)]
			})
			return errors.Join(a.eachTask(c.Context(), tasks, func(t runner.Task) error {
				t.Recipe, t.Corruption = recipe, f.corruption.String()
				return a.predictAll(c.Context(), t, f, args[1:], out)
			}), out.close())
		},
	}
	b.flags(c)
	b.precision.flag(c, "several answer each")
	b.calibrationFlag(c, "none")
	b.weightsFlag(c, "")
	rf.flags(c)
	exifFlag(c, &f.exif)
	c.Flags().StringVar(&f.head, "head", "", "file of a head that choose --save wrote; its classes replace the network's (default: none)")
	f.corruption.flag(c)
	a.formatFlag(c)
	return c
}

// predictAll prints the best classes of each image. One that cannot be read does not cost the others' answers.
func (a *app) predictAll(ctx context.Context, t runner.Task, f predictFlags, paths []string, out *printer[predictRow]) error {
	n, err := a.classifier(t, f.head)
	if err != nil {
		return err
	}
	defer n.close()
	processor, err := preprocess.New(n.recipe, preprocess.HWC)
	if err != nil {
		return err
	}
	processor.ApplyExif(f.exif != "")
	notes := datasets.NoteCounts{}
	var failed error
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := classify(n, processor, f.corruption.Corruption, path)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("predict: %s: %w", path, err))
			continue
		}
		notes.Add(processor.Notes())
		for _, row := range rows {
			row.Model, row.Corruption, row.Precision = checkpointName(t), t.Corruption, t.Precision
			if err := out.print(row); err != nil {
				return err
			}
		}
	}
	for _, note := range notes.Words(len(paths), true) {
		fmt.Fprintln(a.notes, "note: "+note)
	}
	return failed
}

// A classifier gives scores to the classes of a network, or of a head.
type classifier struct {
	recipe preprocess.Recipe
	names  []string // nil where nobody knows them
	scores func(tensor []float32) []float32
	close  func()
}

// classifier makes a network ready, with a head if one is named.
func (a *app) classifier(t runner.Task, head string) (*classifier, error) {
	if head == "" {
		n, err := runner.OpenForPhotographs(a.list, t)
		if err != nil {
			return nil, err
		}
		a.sayReady(n, nil)
		c := &classifier{recipe: n.Preprocessing(), names: n.ClassNames(), close: n.Close}
		logits := make([]float32, n.Graph.Output().Elems())
		c.scores = func(tensor []float32) []float32 {
			n.Engine.Run(logits, tensor, 1)
			return logits
		}
		return c, nil
	}
	h, err := choose.LoadHead(head)
	if err != nil {
		return nil, err
	}
	if h.NumbersFile != "" {
		t.Precision, t.Numbers = record.Int8, h.NumbersFile
	}
	n, err := features.Open(a.list, t)
	if err != nil {
		return nil, err
	}
	if err := h.Fits(n.Backbone); err != nil {
		n.Close()
		return nil, err
	}
	fmt.Fprintf(a.notes, "%s: %s, with a head of %d classes\n", clean(n.Name), clean(n.File), len(h.Classes))
	a.sayCorruption(t.Corruption, corrupt.Source(n.Recipe.Size, 0))
	outputs := make([]float32, n.Outputs())
	return &classifier{recipe: n.Recipe, names: h.Classes, close: n.Close, scores: func(tensor []float32) []float32 {
		n.Run(outputs, tensor, 1)
		return h.Scores(n, outputs)
	}}, nil
}

// classify returns the five best classes of one image under a corruption.
func classify(n *classifier, processor *preprocess.Processor, worsened corrupt.Corruption, path string) ([]predictRow, error) {
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
		return nil, fmt.Errorf("file larger than %d MiB", maxImageBytes>>20)
	}
	if change := worsened.Change(0); change != nil {
		key := sha256.Sum256(data)
		processor.Change = func(pixels []byte) { change(pixels, n.recipe.Size, key) }
	}
	tensor := make([]float32, processor.Len())
	if err := processor.File(data, tensor); err != nil {
		return nil, err
	}
	logits := n.scores(tensor)
	best, finite := runner.Top(logits, 5)
	if !finite {
		return nil, errors.New("the scores are not finite")
	}
	p := runner.Softmax(logits)
	var rows []predictRow
	for i, class := range best {
		row := predictRow{File: path, Rank: i + 1, Class: class, Name: "class " + strconv.Itoa(class), Probability: p[class]}
		if n.names != nil {
			row.Name = n.names[class]
		}
		rows = append(rows, row)
	}
	return rows, nil
}

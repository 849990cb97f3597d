package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/runner"
)

// verifyRow is what became of a row that was repeated.
type verifyRow struct {
	Model   string   `json:"model"`
	Kind    string   `json:"kind"`
	Verdict string   `json:"verdict"` // "holds", "does not hold" or "undecided"
	Before  string   `json:"before"`
	Now     string   `json:"now"`
	Why     []string `json:"why,omitempty"`
}

func (a *app) verify() *cobra.Command {
	var places runner.Places
	c := &cobra.Command{
		Use:   "verify FILE[:LINE]",
		Short: "Repeat a measurement and report whether its result holds",
		Long: "Repeats the measurement of a record with the same weights, images, settings and plan. FILE is a run's folder or its file of\n" +
			"records. LINE is the line of the record; a file with one measurement needs none. The exit code is 0 if the result holds,\n" +
			"3 if it does not, and 4 if the command cannot decide: the weights, the images or the machine are others, or the\n" +
			"measurement failed.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			before, err := readRow(args[0])
			if err != nil {
				return err
			}
			t, err := runner.Again(a.list, before, places)
			if err != nil {
				return err
			}
			now, err := a.worker.Row(c.Context(), t)
			if err != nil {
				err = fmt.Errorf("verify: %s: %w", before.Name(), err)
				if failure := (*runner.Failure)(nil); errors.As(err, &failure) {
					return &exitError{exitInconclusive, err}
				}
				return err
			}
			v := runner.Judge(before, now)
			row := verifyRow{
				Model: before.RanWith().Named(before.Name()), Kind: string(before.Kind), Verdict: v.Verdict,
				Before: figure(before.Kind, before),
				Now:    figure(before.Kind, now), Why: v.Why,
			}
			out := newPrinter(a, []string{"model", "kind", "verdict", "before", "now", "why"}, func(r verifyRow) []string {
				return []string{r.Model, r.Kind, r.Verdict, r.Before, r.Now, joinSemicolon(r.Why)}
			})
			if err := errors.Join(out.print(row), out.close()); err != nil {
				return err
			}
			switch row.Verdict {
			case runner.HoldsNot:
				return &exitError{exitRegression, nil}
			case runner.Undecided:
				return &exitError{exitInconclusive, nil}
			}
			return nil
		},
	}
	dataFlag(c, &places.Data, "as in the record")
	labelsFlag(c, &places.Labels, "as in the record")
	c.Flags().StringVar(&places.Weights, "weights", "", "file of the checkpoint (default: as in the record, else the one in the cache folder)")
	c.Flags().StringVar(&places.Calibration, "calibration", "",
		"folder or archive of the images that a network in int8 was quantised on (default: as in the record)")
	a.formatFlag(c)
	return c
}

// readRow reads the record that FILE or FILE:LINE names.
func readRow(arg string) (*record.Record, error) {
	path, line := arg, 0
	if at := strings.LastIndex(arg, ":"); at >= 0 {
		if n, err := strconv.Atoi(arg[at+1:]); err == nil && n > 0 {
			path, line = arg[:at], n
		}
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, record.FileName)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewReader(f)
	var found *record.Record
	var places []string
	for n := 1; ; n++ {
		text, err := lines.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, err
		}
		if line == 0 || line == n {
			records, problems, _ := record.Read(bytes.NewReader(text)) // of memory: no error of its own
			if line == n && len(problems) > 0 {
				return nil, fmt.Errorf("verify: %s:%d: %v", path, n, problems[0].Err)
			}
			for i := range records {
				r := &records[i]
				if r.Kind == record.KindEval && r.Accuracy != nil || r.Kind == record.KindLatency && r.Timing != nil {
					found = r
					if r.Training != nil { // a checkpoint that the run has trained lies in its folder
						r.WeightsFile = filepath.Join(filepath.Dir(path), filepath.FromSlash(r.WeightsFile))
					}
					places = append(places, fmt.Sprintf("%d %s of %s", n, r.Kind, r.RanWith().Named(r.Name())))
				}
			}
		}
		if err == io.EOF {
			break
		}
	}
	switch {
	case found == nil && line > 0:
		return nil, fmt.Errorf("verify: %s:%d: no measured latency or accuracy on this line", path, line)
	case found == nil:
		return nil, fmt.Errorf("verify: %s: no measured latency or accuracy", path)
	case len(places) > 1:
		return nil, fmt.Errorf("verify: %s: %d measurements; name the line of one as %s:LINE: %s", path, len(places), path,
			strings.Join(places, ", "))
	}
	return found, nil
}

// figure is the measured value of a row as text.
func figure(kind record.Kind, r *record.Record) string {
	switch {
	case kind == record.KindEval && r.Accuracy != nil:
		return fmt.Sprintf("top-1 %d, top-5 %d of %d", r.Top1Images, r.Top5Images, r.Images)
	case kind == record.KindLatency && r.Timing != nil:
		return millis(r.P50)
	}
	return "–"
}

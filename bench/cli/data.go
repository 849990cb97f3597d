package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/datasets"
)

// dataRow is what zoobench data check found.
type dataRow struct {
	Data       string         `json:"data"`
	Reading    string         `json:"reading"`
	Split      string         `json:"split,omitempty"`
	Images     int            `json:"images"`
	Unlabeled  int            `json:"unlabeled"`
	Classes    int            `json:"classes"`
	Fewest     int            `json:"fewest_images_of_a_class"`
	Most       int            `json:"most_images_of_a_class"`
	Bytes      int64          `json:"bytes"`
	Formats    map[string]int `json:"formats"`
	Notes      map[string]int `json:"image_notes,omitempty"`
	Unreadable []faultRow     `json:"unreadable"`
	Duplicates [][]string     `json:"duplicates"`
	SHA256     string         `json:"dataset_sha256"`
	Warnings   []string       `json:"warnings,omitempty"`

	notes []string // Notes in words
}

type faultRow struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

func (a *app) data() *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "Check sets of labelled images, and make one",
		RunE:  group,
	}
	c.AddCommand(a.dataCheck(), a.dataMake())
	return c
}

func (a *app) dataCheck() *cobra.Command {
	var o datasets.Options
	var limit int
	var seed uint64
	c := &cobra.Command{
		Use:   "check DIR",
		Short: "Count a set's images and classes, decode every image, look for duplicates and print the content hash",
		Long: "DIR is a set of labelled images:\n" +
			"  a folder with a folder for each class\n" +
			"  a folder of images, with a label file: text of any usual form, or JSON\n" +
			"  a folder of splits, as train and val: --split names one\n" +
			"  ILSVRC-2012's validation set, as a folder or as its tar\n" +
			"  ImageNetV2's tar\n" +
			"  WebDataset's shards: a folder of them, or a pattern such as val-{000..049}.tar\n" +
			"  Parquet shards as Hugging Face writes them\n" +
			"  CIFAR-10 or CIFAR-100 in the binary form\n" +
			"  the name of a set: shapes, shapes-64, cifar10 or cifar100",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkLimit(limit); err != nil {
				return err
			}
			if o.Classes < 0 {
				return fmt.Errorf("--num-classes %d: want at least 0", o.Classes)
			}
			files, err := runner.OpenImages(args[0], o)
			if err != nil {
				return err
			}
			defer files.Close()
			step, clear := a.imageBar()
			defer clear()
			r, err := datasets.Check(c.Context(), datasets.Sample(files, limit, seed), step)
			if err != nil {
				return err
			}
			row := dataRow{
				Data: args[0], Reading: files.Reading, Split: files.Split,
				Images: r.Items, Unlabeled: r.Unlabeled, Classes: r.Classes, Fewest: r.FewestOf, Most: r.MostOf,
				Bytes: r.Bytes, Formats: r.Formats, Duplicates: r.Duplicates, SHA256: r.Hash, Warnings: files.Warnings,
				Notes: r.Notes.Names(), notes: r.Notes.Words(r.Items, true),
			}
			for _, f := range r.Unreadable {
				row.Unreadable = append(row.Unreadable, faultRow{f.Name, f.Err.Error()})
			}
			if err := a.printData(row); err != nil {
				return err
			}
			if n := len(row.Unreadable); n > 0 {
				return &exitError{exitFailed, fmt.Errorf("data: %d of %d images cannot be read", n, row.Images)}
			}
			return nil
		},
	}
	labelsFlag(c, &o.Labels, "")
	classMapFlag(c, &o.ClassMap)
	splitFlag(c, &o.Split)
	c.Flags().IntVar(&o.Classes, "num-classes", 0, "number of classes of the network that the labels are for (default: any)")
	limitFlag(c, &limit, 0)
	c.Flags().Uint64Var(&seed, "seed", 0, "seed of the random subset that --limit draws")
	a.formatFlag(c)
	return c
}

// printData prints a check: as a table, a line a fact.
func (a *app) printData(row dataRow) error {
	if a.format != "table" {
		return newPrinter[dataRow](a, nil, nil).print(row)
	}
	var formats []string
	for _, f := range slices.Sorted(maps.Keys(row.Formats)) {
		formats = append(formats, fmt.Sprintf("%d %s", row.Formats[f], f))
	}
	perClass := fmt.Sprintf("%d, with %d to %d images each", row.Classes, row.Fewest, row.Most)
	if row.Fewest == row.Most {
		perClass = fmt.Sprintf("%d, with %d images each", row.Classes, row.Most)
	}
	reading := row.Reading
	if row.Split != "" {
		reading += "; split " + row.Split
	}
	lines := [][]string{
		{"read as", reading},
		{"images", strconv.Itoa(row.Images) + ", " + mebibytes(row.Bytes)},
		{"formats", strings.Join(formats, ", ")},
		{"classes", perClass},
	}
	if row.Unlabeled > 0 {
		lines = append(lines, []string{"without a label", strconv.Itoa(row.Unlabeled)})
	}
	lines = append(lines, []string{"unreadable", strconv.Itoa(len(row.Unreadable))})
	for _, f := range row.Unreadable {
		lines = append(lines, []string{"", f.File + ": " + f.Error})
	}
	for _, note := range row.notes {
		lines = append(lines, []string{"note", note})
	}
	lines = append(lines, []string{"duplicates", strconv.Itoa(len(row.Duplicates))})
	for _, group := range row.Duplicates {
		lines = append(lines, []string{"", strings.Join(group, " = ")})
	}
	lines = append(lines, []string{"content hash", row.SHA256})
	for _, w := range row.Warnings {
		lines = append(lines, []string{"warning", w})
	}
	return writeTable(a.stdout, []string{"data", row.Data}, lines)
}

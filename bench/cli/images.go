package cli

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/datasets"
)

// imageFlags name labelled images: --data, --labels, --class-map, --split, --exif and --limit.
type imageFlags struct {
	experiment.Accuracy
	named bool // by the flag
}

// flags adds the flags. Limit is the default of --limit.
func (f *imageFlags) flags(c *cobra.Command, limit int) {
	dataFlag(c, &f.Data, "$ZOOBENCH_DATA")
	labelsFlag(c, &f.Labels, "")
	classMapFlag(c, &f.ClassMap)
	splitFlag(c, &f.Split)
	answersFlag(c, &f.Answers)
	exifFlag(c, &f.Exif)
	limitFlag(c, &f.Limit, limit)
}

// check takes $ZOOBENCH_DATA where --data is left out. No images, for one of the tasks if there are any, a limit below 0 and an
// unknown way with Exif are errors.
func (f *imageFlags) check(a *app, command string, tasks []runner.Task) error {
	f.named = f.Data != ""
	f.Data = cmp.Or(f.Data, os.Getenv("ZOOBENCH_DATA"))
	without := func(t runner.Task) bool { return f.of(a, t).Data == "" }
	if len(tasks) == 0 && f.Data == "" || slices.ContainsFunc(tasks, without) {
		return fmt.Errorf("%s: no images; name their folder with --data or $ZOOBENCH_DATA", command)
	}
	if err := checkExif(&f.Exif); err != nil {
		return err
	}
	return checkLimit(f.Limit)
}

// of are a task's images: those that --data names, else the checkpoint's own set, else those that $ZOOBENCH_DATA names.
func (f *imageFlags) of(a *app, t runner.Task) *experiment.Accuracy {
	images := f.Accuracy
	if own := a.ownSet(t); own != "" && !f.named {
		images.Data = own
	}
	return &images
}

// dataFlag adds --data. Without says what is read without the flag, "" for nothing.
func dataFlag(c *cobra.Command, data *string, without string) {
	c.Flags().StringVar(data, "data", "", "folder or archive of images, or a set: shapes, cifar10 or cifar100"+inBrackets(without))
}

// labelsFlag adds --labels. Without says what is read without the flag, "" for nothing.
func labelsFlag(c *cobra.Command, labels *string, without string) {
	c.Flags().StringVar(labels, "labels", "", "label file for images without class folders, or ImageNet-ReaL's real.json"+inBrackets(without))
}

// classMapFlag adds --class-map.
func classMapFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "class-map", "",
		"file with each class's index: JSON as class_to_idx, or a name on each line (default: the folders' names decide)")
}

// splitFlag adds --split.
func splitFlag(c *cobra.Command, split *string) {
	c.Flags().StringVar(split, "split", "", "split of the images, as val, where --data has several (default: none)")
}

// answersFlag adds --answers.
func answersFlag(c *cobra.Command, answers *string) {
	words := append([]string{datasets.AllAnswers, datasets.OwnAnswers}, datasets.AnswerSets()...)
	c.Flags().StringVar(answers, "answers", "", "classes among which answers are chosen: "+strings.Join(words, ", ")+
		", or a `file` with a class on each line (default: own if class folders are a part of the network's classes, else all)")
	c.RegisterFlagCompletionFunc("answers", cobra.FixedCompletions(words, cobra.ShellCompDirectiveDefault))
}

// exifFlag adds --exif.
func exifFlag(c *cobra.Command, exif *string) {
	c.Flags().StringVar(exif, "exif", "ignore", "Exif orientation: ignore, as torchvision does, or apply: turn images as viewers do")
	c.RegisterFlagCompletionFunc("exif", cobra.FixedCompletions([]string{"apply", "ignore"}, cobra.ShellCompDirectiveNoFileComp))
}

// checkExif refuses words that --exif does not know. It leaves "" for ignore.
func checkExif(exif *string) error {
	switch *exif {
	case "apply", "":
	case "ignore":
		*exif = ""
	default:
		return fmt.Errorf("--exif %s: want apply or ignore", *exif)
	}
	return nil
}

// limitFlag adds --limit with a default, 0 for all images.
func limitFlag(c *cobra.Command, limit *int, most int) {
	usage := "limit on the number of images, balanced over the classes"
	if most > 0 {
		usage += "; 0 for none"
	} else {
		usage += inBrackets("none")
	}
	c.Flags().IntVar(limit, "limit", most, usage)
}

// inBrackets is a flag's default in words.
func inBrackets(words string) string {
	if words == "" {
		return ""
	}
	return " (default: " + words + ")"
}

// checkLimit refuses a limit on the number of images that can be none.
func checkLimit(limit int) error {
	if limit < 0 {
		return fmt.Errorf("--limit %d: want at least 0", limit)
	}
	return nil
}

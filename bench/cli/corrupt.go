package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/datasets/corrupt"
)

// corruptions is a flag's list of what images are worsened with, the zero corruption for nothing.
type corruptions []corrupt.Corruption

// Set adds the corruptions of words with commas between them. One that the flag has already is an error.
func (l *corruptions) Set(text string) error {
	var words []string
	for _, c := range *l {
		words = append(words, c.Word())
	}
	all, err := corrupt.SelectAll(append(words, strings.Split(text, ",")...))
	if err == nil {
		*l = all
	}
	return err
}

func (l *corruptions) String() string { return "" }

func (l *corruptions) Type() string { return "names" }

// flag adds --corrupt to a command that measures accuracies. What says what becomes of the corruptions.
func (l *corruptions) flag(c *cobra.Command, what string) {
	c.Flags().Var(l, "corrupt", what+", computed after ImageNet-C: none, fog:3 (severity 1 to 5), fog (all five), all:3 (all fifteen) "+
		"or all (default: none)")
	completeCorruptions(c)
}

// of makes of each task one for each corruption; without any, the tasks are as they were.
func (l corruptions) of(tasks []runner.Task) []runner.Task {
	if len(l) == 0 {
		return tasks
	}
	var all []runner.Task
	for _, t := range tasks {
		for _, c := range l {
			t.Corruption = c.String()
			all = append(all, t)
		}
	}
	return all
}

// oneCorruption is a flag's single corruption, zero for none.
type oneCorruption struct{ corrupt.Corruption }

// Set reads the corruption.
func (o *oneCorruption) Set(text string) (err error) {
	o.Corruption, err = corrupt.Parse(text)
	return err
}

// Type names the value in helps.
func (o *oneCorruption) Type() string { return "name" }

// flag adds --corrupt to a command that looks at single images.
func (o *oneCorruption) flag(c *cobra.Command) {
	c.Flags().Var(o, "corrupt",
		"corruption of the images, computed after ImageNet-C: a name and a severity from 1 to 5, as fog:3 (default: none)")
	completeCorruptions(c)
}

// completeCorruptions lets a shell complete --corrupt.
func completeCorruptions(c *cobra.Command) {
	words := append([]string{corrupt.None, corrupt.All}, corrupt.Names()...)
	c.RegisterFlagCompletionFunc("corrupt", cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// sayCorruption says what images are worsened with, unless that is nothing, and whose the corrupted images are.
func (a *app) sayCorruption(name, by string) {
	if name != "" {
		fmt.Fprintf(a.notes, "corruption: %s, %s\n", clean(name), by)
	}
}

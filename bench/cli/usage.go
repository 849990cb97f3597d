package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"zoobench/internal/words"
)

// helpful gives a command and those below it examples, and errors about arguments that say what to type.
func helpful(c *cobra.Command) {
	path := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "zoobench"), " ")
	if lines := examples[path]; len(lines) > 0 {
		c.Example = "  " + strings.Join(lines, "\n  ")
	}
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				usage := strings.TrimSuffix(c.UseLine(), " [flags]")
				return fmt.Errorf("%s: have %s, want: %s%s", commandName(c), count(len(args)), usage, forExample(c))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		helpful(sub)
	}
}

// commandName is a command's path without the program.
func commandName(c *cobra.Command) string { return strings.TrimPrefix(c.CommandPath(), "zoobench ") }

func count(arguments int) string {
	if arguments == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", arguments)
}

// forExample ends an error with a command's first example, as a line of its own.
func forExample(c *cobra.Command) string {
	first, _, _ := strings.Cut(c.Example, "\n")
	first, _, _ = strings.Cut(strings.TrimSpace(first), "  #")
	if first == "" {
		return ""
	}
	return "\nfor example: " + strings.TrimSpace(first)
}

// help is the command that prints the help of another, or a topic.
func (a *app) help() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print the help of a command, or about a topic",
		ValidArgsFunction: func(c *cobra.Command, args []string, begun string) (names []string, _ cobra.ShellCompDirective) {
			at, _, err := c.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			for _, sub := range at.Commands() {
				if !sub.Hidden && strings.HasPrefix(sub.Name(), begun) {
					names = append(names, sub.Name()+"\t"+sub.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			at, rest, err := c.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownCommand(at, rest[0])
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

// group runs a command that has commands of its own: one of them is missing, or unknown.
func group(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(c, args[0])
	}
	return fmt.Errorf("%s: have no command, want %s%s", commandName(c), strings.Join(commandNames(c), ", "), forExample(c))
}

// commandNames are those of a command's own commands and topics.
func commandNames(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// unknownCommand names the command that was probably meant.
func unknownCommand(c *cobra.Command, word string) error {
	text := fmt.Sprintf("no command %q", word)
	if c.HasParent() {
		text = commandName(c) + ": " + text
	}
	if nearest, ok := words.Nearest(word, commandNames(c)); ok {
		return fmt.Errorf("%s; did you mean: %s %s", text, c.CommandPath(), nearest)
	}
	return fmt.Errorf("%s; %s --help lists the commands", text, c.CommandPath())
}

// flagError says what is wrong with a flag and what to type instead.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		flag := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			flag = "-" + unknown.GetSpecifiedName()
		}
		var valid []string
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				valid = append(valid, f.Name)
			}
		})
		if nearest, ok := words.Nearest(unknown.GetSpecifiedName(), valid); ok {
			return fmt.Errorf("no flag %s; did you mean --%s? %s --help lists the flags", flag, nearest, c.CommandPath())
		}
		return fmt.Errorf("no flag %s; %s --help lists the flags", flag, c.CommandPath())
	case errors.As(err, &missing):
		return fmt.Errorf("--%s: have no value, want %s", missing.GetFlag().Name, takes(missing.GetFlag()))
	case errors.As(err, &invalid) && wantedValues[invalid.GetFlag().Value.Type()] == "":
		return fmt.Errorf("--%s: have %q, %w", invalid.GetFlag().Name, invalid.GetValue(), errors.Unwrap(err))
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s: have %q, want %s", invalid.GetFlag().Name, invalid.GetValue(), takes(invalid.GetFlag()))
	}
	return err
}

// wantedValues say what a flag of each type takes. Types of this package's own say it in their errors.
var wantedValues = map[string]string{
	"bool": "true or false", "duration": "a duration with its unit, as 3s", "float64": "a number, as 2.5", "int": "a whole number, as 4",
	"uint64": "a whole number from 0, as 4", "float64Slice": "numbers with commas between them, as 0.5,0.5,0.5",
}

// takes is what a flag takes, in words.
func takes(f *pflag.Flag) string {
	if text, ok := wantedValues[f.Value.Type()]; ok {
		return text
	}
	variable, _ := pflag.UnquoteUsage(f)
	return "a " + variable
}

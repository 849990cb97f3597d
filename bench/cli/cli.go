// Package cli is zoobench's command line: commands, flags, the forms of output and the exit codes.
//
// The contract: results go to standard output, one JSON object a line with --format json, and everything else to
// standard error. The exit code is 0 where all went well, 1 for wrong usage or input, 2 where some of a run's jobs
// failed or were left undone, 3 for a regression and 4 for an inconclusive comparison. Another module's main serves its
// own networks by passing its own list to Main; worker processes are that same program.
//
// It leaves all measuring to bench/runner and all rendering of runs to reports.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/kernels"
	"zoobench/zoo"
)

// Exit codes, as the README lists them.
const (
	exitOK           = 0
	exitUsage        = 1 // usage or input
	exitFailed       = 2 // some jobs failed
	exitRegression   = 3
	exitInconclusive = 4 // no verdict, or none to be trusted
)

// exitError is an error with an exit code of its own; one without text is on the screen already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// app is what all commands share.
type app struct {
	list   *zoo.List
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer // errors and warnings
	notes  io.Writer // all else that is no result: progress, and what a command is about to do
	worker runner.Worker
	format string
}

// Main runs the command line args, without the program's name, over a list of networks and returns the exit code. It
// writes errors to stderr and never exits. SIGINT and SIGTERM end a measurement in good order; a second one ends the
// program.
func Main(list *zoo.List, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return main(ctx, &app{list: list, stdin: stdin, stdout: stdout, stderr: stderr}, args)
}

// errReaderGone is the end of a pipe to which standard output goes; that of another pipe is an error like any.
var errReaderGone = errors.New("nobody reads standard output any more")

// output is standard output.
type output struct{ io.Writer }

func (o output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		err = errReaderGone
	}
	return n, err
}

func main(ctx context.Context, a *app, args []string) int {
	// Workers inherit the variable; a job's own instruction set comes later and stands.
	if isa := os.Getenv("ZOOBENCH_ISA"); isa != "" {
		if err := kernels.Use(isa); err != nil {
			fmt.Fprintf(a.stderr, "zoobench: $ZOOBENCH_ISA: %s\n", strings.TrimPrefix(err.Error(), "kernels: "))
			return exitUsage
		}
	}
	a.stdout, a.notes = output{a.stdout}, a.stderr
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil || errors.Is(err, errReaderGone) {
		return exitOK // a reader that has seen enough, as head, is not an error
	}
	code := exitUsage
	var coded *exitError
	switch {
	case errors.As(err, &coded):
		code = coded.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		code, err = exitFailed, errors.New("interrupted")
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(a.stderr, "zoobench: "+strings.TrimPrefix(text, "zoobench: "))
	}
	return code
}

func (a *app) root() *cobra.Command {
	quiet := false
	root := &cobra.Command{
		Use:           "zoobench",
		Short:         "Measure the speed, the cost and the accuracy of image classification networks",
		Version:       newVersionRow().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs, // an unknown command is RunE's error
		PersistentPreRun: func(*cobra.Command, []string) {
			if quiet {
				a.notes = io.Discard
			}
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		},
	}
	root.PersistentFlags().BoolVarP(&quiet, "quiet", "q", false, "errors and warnings only: no progress and no notes on standard error")
	root.SetVersionTemplate("{{.Version}}")
	root.SetFlagErrorFunc(flagError)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(
		a.run(), a.submit(), a.report(), a.validate(), a.latency(), a.pipeline(), a.eval(), a.predict(), a.ls(), a.show(), a.gate(), a.doctor(),
		a.version(), a.ship(), a.workerCommand(),
		a.pull(), a.cache(), a.data(), a.compareCommand(), a.audit(), a.verify(), a.samplesCommand(),
		a.choose(), a.whatIf(), a.export(), a.train(), a.quantize(),
		environmentTopic(), recordsTopic(), a.man(),
	)
	root.SetHelpCommand(a.help())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.InitDefaultVersionFlag()
	root.Flags().Lookup("version").Usage = "version of this program"
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short, c.RunE = "Print the script that completes commands, flags and networks in a shell", group
			c.Args = cobra.ArbitraryArgs
			c.Long = "Prints a script for a shell. With it, the tab key completes commands, flags, networks and experiments."
			for _, shell := range c.Commands() {
				shell.Short = "Print the script for " + shell.Name()
			}
		}
	}
	helpful(root)
	return root
}

// formatFlag adds --format to a command that prints rows.
func (a *app) formatFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.format, "format", "table", "form of the output: table, json (one object a line) or csv")
	c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"table", "json", "csv"}, cobra.ShellCompDirectiveNoFileComp))
	check := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		switch a.format {
		case "table", "json", "csv":
		default:
			return fmt.Errorf("--format: have %q, want table, json or csv", a.format)
		}
		if check != nil {
			return check(c, args)
		}
		return nil
	}
}

// networks completes the names of networks.
func (a *app) networks(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range a.list.All() {
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			if strings.HasPrefix(name, begun) {
				names = append(names, name)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// network completes the name of one network and then files.
func (a *app) network(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return a.networks(c, args, begun)
}

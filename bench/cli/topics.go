package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/cli/manual"
)

// environment is every variable of the environment that the program reads. A test compares it with the source.
var environment = []struct {
	name, what string
	byLibrary  bool // Go's own packages read it
}{
	{name: "ZOOBENCH_CACHE", what: "Cache folder, with checkpoints in weights and images in data. Default: the folder zoobench in your own " +
		"cache folder."},
	{name: "ZOOBENCH_DATA", what: "Folder or archive of labelled images, for commands without --data."},
	{name: "ZOOBENCH_ISA", what: "Instruction set to use: generic, avx2, avx512 or neon. Default: the best one of this machine."},
	{name: "NO_COLOR", what: "Any value turns the colours of tables off."},
	{name: "GOMAXPROCS", what: "Number of processors to use. Default: all that the system gives to the program.", byLibrary: true},
	{name: "XDG_CACHE_HOME", what: "Your own cache folder on Linux. Default: $HOME/.cache.", byLibrary: true},
	{name: "HTTPS_PROXY", what: "Proxy through which pull fetches files.", byLibrary: true},
	{name: "NO_PROXY", what: "Hosts that pull reaches without the proxy, with commas between them.", byLibrary: true},
}

// environmentTopic is what zoobench help environment prints.
func environmentTopic() *cobra.Command {
	var text strings.Builder
	text.WriteString("zoobench reads these environment variables. A flag of a command comes before a variable.\n")
	for _, v := range environment {
		fmt.Fprintf(&text, "\n  %-16s%s", v.name, paragraph(v.what, 80, strings.Repeat(" ", 18)))
	}
	return &cobra.Command{Use: "environment", Short: "Environment variables that the program reads", Long: text.String()}
}

// paragraph breaks text into lines of at most width characters; all but the first begin with indent.
func paragraph(text string, width int, indent string) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return strings.Join(append(lines, line), "\n"+indent)
}

// recordsTopic is what zoobench help records prints.
func recordsTopic() *cobra.Command {
	return &cobra.Command{Use: "records", Short: "Records of a run: where they are, what they contain, how to read them", Long: aboutRecords}
}

const aboutRecords = `A run keeps what it measures in one file, results.jsonl in the run's folder. Each line is a record, a JSON object.
There is no other file of records.

The field kind says what a record is of:

  latency   forward calls of a network, timed
  eval      predictions of a checkpoint, compared with labels
  host      the machine: its peak, its noise, its drift

A field that is missing was not measured. The field not_measured says why, and the field verdict says whether the figures
may be trusted. A name says the unit: latency_p50_ns is in nanoseconds, arena_bytes in bytes. Accuracies are in percent.

If several records have the same job_id, kind and checkpoint, the last one counts: a run writes a record again when it
knows more about it.

The schema of records is a JSON Schema: bench/record/schema.json in the source, records.schema.json in a release.

For example, the medians of a run in milliseconds:

  jq -r 'select(.kind == "latency") | [.model, .latency_p50_ns / 1e6] | @tsv' reports/out/*/results.jsonl`

// man writes the manual pages of this program. make release calls it.
func (a *app) man() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			names, err := manual.Write(c.Root(), args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.notes, "%d manual pages in %s\n", len(names), args[0])
			return err
		},
	}
}

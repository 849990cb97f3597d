package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
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

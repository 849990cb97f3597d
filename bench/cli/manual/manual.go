// Package manual writes a command line as manual pages.
//
// The contract: each command that people see has a page, zoobench-cache-ls.1 for zoobench cache ls, and each topic has one in
// section 7. A page says what the command's help says and is the same bytes whenever and wherever it is written. Text of the
// commands is text: none of it is read as a request of roff.
//
// It leaves the words to the commands, and where pages are installed to packages.
package manual

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Write writes the pages of a command and of those below it into a folder, and returns their names.
func Write(c *cobra.Command, dir string) (names []string, err error) {
	c.InitDefaultHelpFlag()
	names = []string{fileName(c)}
	f, err := os.Create(filepath.Join(dir, names[0]))
	if err != nil {
		return nil, err
	}
	err = page(f, c)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("manual: %w", err)
	}
	for _, sub := range seen(c) {
		more, err := Write(sub, dir)
		if err != nil {
			return nil, err
		}
		names = append(names, more...)
	}
	return names, nil
}

// seen are a command's own commands and topics, without those that are hidden and without help, whose text every page has.
func seen(c *cobra.Command) (all []*cobra.Command) {
	for _, sub := range c.Commands() {
		if (sub.IsAvailableCommand() || isTopic(sub)) && sub.Name() != "help" {
			all = append(all, sub)
		}
	}
	return all
}

func isTopic(c *cobra.Command) bool { return c.IsAdditionalHelpTopicCommand() }

func title(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func section(c *cobra.Command) string {
	if isTopic(c) {
		return "7"
	}
	return "1"
}

func fileName(c *cobra.Command) string { return title(c) + "." + section(c) }

// page writes the page of one command.
func page(w io.Writer, c *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s %s \"\" zoobench \"zoobench manual\"\n", text(strings.ToUpper(title(c))), section(c))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", text(title(c)), text(c.Short))
	if !isTopic(c) {
		fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n", text(c.UseLine()))
	}
	if long := c.Long; long != "" {
		b.WriteString(".SH DESCRIPTION\n")
		paragraphs(&b, long)
	}
	if all := seen(c); len(all) > 0 {
		b.WriteString(".SH COMMANDS AND TOPICS\n")
		for _, sub := range all {
			entry(&b, fmt.Sprintf("%s(%s)", title(sub), section(sub)), sub.Short)
		}
	}
	if !isTopic(c) {
		b.WriteString(".SH OPTIONS\n")
		c.InheritedFlags() // takes them along into Flags
		c.Flags().VisitAll(func(f *pflag.Flag) { flag(&b, f) })
	}
	if c.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		paragraphs(&b, c.Example)
	}
	if c.HasParent() {
		fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", text(fmt.Sprintf("%s(%s)", title(c.Parent()), section(c.Parent()))))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// entry writes a name and what it is.
func entry(b *strings.Builder, name, what string) {
	fmt.Fprintf(b, ".TP\n.B %s\n%s\n", text(name), text(what))
}

// flag writes an option with its value and its default, as the help does.
func flag(b *strings.Builder, f *pflag.Flag) {
	if f.Hidden {
		return
	}
	name, usage := "--"+f.Name, f.Usage
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	if value, unquoted := pflag.UnquoteUsage(f); value != "" {
		name, usage = name+" "+value, unquoted
	}
	if zero := f.DefValue == "" || f.DefValue == "0" || f.DefValue == "0s" || f.DefValue == "false" || f.DefValue == "[]"; !zero {
		usage += " (default " + f.DefValue + ")"
	}
	entry(b, name, usage)
}

// paragraphs writes text: paragraphs are filled, those with a line further in stay as they are.
func paragraphs(b *strings.Builder, long string) {
	for i, p := range strings.Split(strings.Trim(long, "\n"), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if asIs := strings.HasPrefix(p, "  ") || strings.Contains(p, "\n  "); asIs {
			b.WriteString(".nf\n")
			for line := range strings.Lines(p) {
				b.WriteString(text(strings.TrimRight(line, "\n")) + "\n")
			}
			b.WriteString(".fi\n")
			continue
		}
		b.WriteString(text(strings.Join(strings.Fields(p), " ")) + "\n")
	}
}

// text makes a line of text harmless to roff.
func text(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "~", `\(ti`, "^", `\(ha`).Replace(line)
	if strings.HasPrefix(line, ".") {
		line = `\&` + line
	}
	return line
}

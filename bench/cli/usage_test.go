package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// eachCommand calls f for every command that people see, topics left out.
func eachCommand(t *testing.T, f func(t *testing.T, path string, c *cobra.Command)) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.IsAvailableCommand() || !c.HasParent() || c.Name() == "help" {
			path := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), "zoobench"), " ")
			t.Run(path, func(t *testing.T) { f(t, path, c) })
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk((&app{list: few(), stdout: io.Discard, stderr: io.Discard}).root())
}

// shellWords are the words of a line as a shell has them, without a comment or where its output goes.
func shellWords(line string) (words []string) {
	line, _, _ = strings.Cut(line, "  #")
	line, _, _ = strings.Cut(line, " >")
	quoted := false
	for _, word := range strings.FieldsFunc(line, func(r rune) bool {
		if r == '\'' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	}) {
		words = append(words, strings.ReplaceAll(word, "'", ""))
	}
	return words
}

// TestExamples reads every example of every help as the command line does: there are two or more, each is of its command,
// and each has flags and arguments that the command takes.
func TestExamples(t *testing.T) {
	seen := map[string]bool{}
	eachCommand(t, func(t *testing.T, path string, c *cobra.Command) {
		seen[path] = true
		if len(examples[path]) < 2 {
			t.Errorf("%d examples, want at least 2", len(examples[path]))
		}
		for _, line := range examples[path] {
			if !strings.Contains(c.Example, line) {
				t.Errorf("the help lacks %q", line)
			}
			words := shellWords(line)
			root := (&app{list: few()}).root()
			found, rest, err := root.Find(words[1:])
			if err != nil || words[0] != "zoobench" || !strings.HasPrefix(found.CommandPath(), c.CommandPath()) {
				t.Errorf("%q is of %q (%v), want %q", line, found.CommandPath(), err, c.CommandPath())
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%q: %v", line, err)
			} else if err := found.ValidateArgs(found.Flags().Args()); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	})
	for path := range examples {
		if !seen[path] {
			t.Errorf("examples of %q: no such command", path)
		}
	}
}

// TestHelps holds each help's English to a few rules: a flag's help begins with a noun in lower case or a name, and no
// sentence begins with "Of".
func TestHelps(t *testing.T) {
	verbs := []string{"show", "use", "set", "write", "print", "measure", "run", "make", "do", "the", "a", "an", "of", "whether", "if"}
	eachCommand(t, func(t *testing.T, _ string, c *cobra.Command) {
		for _, text := range []string{c.Short, c.Long} {
			for _, bad := range []string{". Of ", " stands", " tells", "at hand", "in company", "picture"} {
				if strings.Contains(text, bad) {
					t.Errorf("%q in: %s", bad, text)
				}
			}
		}
		for line := range strings.Lines(c.LocalFlags().FlagUsages()) {
			_, usage, _ := strings.Cut(strings.TrimSpace(line), "   ")
			first, _, _ := strings.Cut(strings.TrimSpace(usage), " ")
			if slices.Contains(verbs, strings.ToLower(first)) || strings.Contains(usage, "picture") {
				t.Errorf("want a noun first: %s", line)
			}
		}
	})
}

// TestArgumentErrors holds errors about the command line to what a person can type instead.
func TestArgumentErrors(t *testing.T) {
	for _, test := range []struct {
		args string
		want string
	}{
		{"lss", `no command "lss"; did you mean: zoobench ls`},
		{"frobnicate", `no command "frobnicate"; zoobench --help lists the commands`},
		{"help latncy", `no command "latncy"; did you mean: zoobench latency`},
		{"help environmen", `did you mean: zoobench environment`},
		{"cache vrify", `cache: no command "vrify"; did you mean: zoobench cache verify`},
		{"cache", "cache: have no command, want ls, rm, verify\nfor example: zoobench cache ls\n"},
		{"completion cmd", `completion: no command "cmd"; zoobench completion --help lists the commands`},
		{"latency", "latency: have 0 arguments, want: zoobench latency NETWORK...\nfor example: zoobench latency resnet18 mobilenetv2_100\n"},
		{"whatif a b", "whatif: have 2 arguments, want: zoobench whatif DIR\nfor example: zoobench whatif reports/"},
		{"latency --thraeds 2 alexnet", "no flag --thraeds; did you mean --threads? zoobench latency --help lists the flags"},
		{"latency --frobnicate alexnet", "no flag --frobnicate; zoobench latency --help lists the flags"},
		{"latency -x alexnet", "no flag -x; zoobench latency --help lists the flags"},
		{"latency alexnet --threads", "--threads: have no value, want a whole number, as 4"},
		{"latency alexnet --threads two", `--threads: have "two", want a whole number, as 4`},
		{"latency alexnet --no-tune=perhaps", `--no-tune: have "perhaps", want true or false`},
		{"choose --data d --max-latency 3", `--max-latency: have "3", want a duration with its unit, as 3s`},
		{"choose --data", "--data: have no value, want a string"},
		{"eval alexnet --mean a", `--mean: have "a", want numbers with commas between them`},
		{"latency alexnet --price 5", `--price: have "5", want a price an hour above 0, as 0.04/h`},
		{"gate --threshold 500", `--threshold: have "500", want a share such as 5%`},
	} {
		t.Run(test.args, func(t *testing.T) {
			code, stdout, stderr := invoke(t, strings.Fields(test.args)...)
			if code != exitUsage || stdout != "" || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d, %q, %q; want %d and %q", code, stdout, stderr, exitUsage, test.want)
			}
		})
	}
}

// TestHelpTopics reads help in its three forms, and the version in both.
func TestHelpTopics(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"help environment", "ZOOBENCH_CACHE"},
		{"help cache verify", "zoobench cache verify resnet18.tv_in1k"},
		{"cache verify --help", "zoobench cache verify resnet18.tv_in1k"},
		{"--version", "zoobench "},
		{"-v", "zoobench "},
	} {
		code, stdout, stderr := invoke(t, strings.Fields(test.args)...)
		if code != exitOK || stderr != "" || !strings.Contains(stdout, test.want) {
			t.Errorf("%s: exit code %d, %q, %q; want %q", test.args, code, stdout, stderr, test.want)
		}
	}
	_, flag, _ := invoke(t, "--version")
	if _, command, _ := invoke(t, "version"); flag != command {
		t.Errorf("--version prints %q, version prints %q", flag, command)
	}
}

// TestQuiet holds -q to silence on standard error while all goes well, and to errors where it does not.
func TestQuiet(t *testing.T) {
	t.Chdir(t.TempDir())
	experiments := "experiments: [{name: one, question: How, models: [squeezenet1_1], img_size: [32], processes: 1, no_tune: true, " +
		"latency: {min_duration: 5ms, min_samples: 1}}]\n"
	if err := os.WriteFile("own.yaml", []byte(experiments), 0o666); err != nil {
		t.Fatal(err)
	}
	_, _, loud := invoke(t, "run", "own.yaml")
	code, stdout, stderr := invoke(t, "run", "own.yaml", "-q")
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "squeezenet1_1") || !strings.Contains(loud, "1 jobs") {
		t.Errorf("exit code %d, %q, %q; want the table alone. Without -q: %q", code, stdout, stderr, loud)
	}
	if code, _, stderr := invoke(t, "latency", "resent18", "--quiet"); code != exitUsage || !strings.Contains(stderr, "resnet18") {
		t.Errorf("an error: exit code %d, %q", code, stderr)
	}
}

// TestEnvironment compares the variables that zoobench help environment lists with those that the source reads.
func TestEnvironment(t *testing.T) {
	read := map[string]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "testenv" || entry.Name() == "golden"):
			return fs.SkipDir // of tests
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || f.Sel.Name != "Getenv" && f.Sel.Name != "LookupEnv" {
				return true
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s reads a variable whose name is not a literal", path)
				return true
			}
			name, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Error(err)
			}
			read[name] = path
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range environment {
		if _, isRead := read[v.name]; isRead == v.byLibrary {
			t.Errorf("%s is in the list, and the source reads it: %v, want %v", v.name, isRead, !v.byLibrary)
		}
		delete(read, v.name)
	}
	for name, path := range read {
		t.Errorf("%s reads %s, which zoobench help environment does not list", path, name)
	}
}

package manual

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"zoobench/internal/testenv"
)

func commands() *cobra.Command {
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{Use: "toy", Short: "Play with toys", Run: run}
	root.PersistentFlags().BoolP("quiet", "q", false, "silence")
	ball := &cobra.Command{
		Use: "ball NAME...", Short: "Throw balls", Run: run, Example: "  toy ball 'red*'  # it's red\n  toy ball a\\b",
		Long: "Throws balls that are round\nand light.\n\n.so is no request, 'nor is this.\n\nKinds:\n  red     a-b\n  .blue   a~b",
	}
	ball.Flags().Int("times", 3, "number of throws")
	ball.Flags().String("to", "", "`PERSON` who catches")
	root.AddCommand(ball, &cobra.Command{Use: "secret", Hidden: true, Run: run},
		&cobra.Command{Use: "rules", Short: "Rules", Long: "Be fair."})
	return root
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	names, err := Write(commands(), dir)
	if want := "toy.1 toy-ball.1 toy-rules.7"; err != nil || strings.Join(names, " ") != want {
		t.Fatalf("%q, error %v; want %s", names, err, want)
	}
	for _, name := range names {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		testenv.Golden(t, filepath.Join("testdata", name), page)
	}
	if _, err := Write(commands(), filepath.Join(dir, "none")); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

// TestRoff has groff read a page: it has no warning, and the text is what the help says.
func TestRoff(t *testing.T) {
	testenv.Commands(t, "groff")
	var out bytes.Buffer
	ball, _, err := commands().Find([]string{"ball"})
	if err != nil {
		t.Fatal(err)
	}
	ball.InitDefaultHelpFlag()
	if err := page(&out, ball); err != nil {
		t.Fatal(err)
	}
	groff := exec.Command("groff", "-man", "-Tascii", "-ww", "-P-cbou")
	groff.Stdin = &out
	var warnings bytes.Buffer
	groff.Stderr = &warnings
	text, err := groff.Output()
	if err != nil || warnings.Len() > 0 {
		t.Fatalf("error %v, warnings %s", err, &warnings)
	}
	got := strings.Join(strings.Fields(string(text)), " ")
	for _, want := range []string{
		"toy-ball - Throw balls", "Throws balls that are round and light.", ".so is no request, 'nor is this.", "red a-b .blue a~b",
		"--times int number of throws (default 3)", "--to PERSON PERSON who catches", "-q, --quiet silence",
		"toy ball 'red*' # it's red toy ball a\\b", "SEE ALSO toy(1)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

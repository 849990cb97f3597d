package cli

import (
	"strings"
	"testing"

	"zoobench/kernels"
)

// TestISAVariable holds that $ZOOBENCH_ISA chooses the instruction set, and that one which is not here is an error.
func TestISAVariable(t *testing.T) {
	before := kernels.ISA()
	defer func() {
		if err := kernels.Use(before); err != nil {
			t.Fatal(err)
		}
	}()
	for _, isa := range kernels.ISAs() {
		t.Setenv("ZOOBENCH_ISA", isa)
		if code, stdout, _ := invoke(t, "version", "--format", "json"); code != exitOK || !strings.Contains(stdout, `"isa":"`+isa+`"`) {
			t.Errorf("%s: exit code %d, %s", isa, code, stdout)
		}
	}
	t.Setenv("ZOOBENCH_ISA", "mmx")
	code, _, stderr := invoke(t, "version")
	if want := "zoobench: $ZOOBENCH_ISA: instruction set \"mmx\", this machine has generic"; code != exitUsage ||
		!strings.HasPrefix(stderr, want) {
		t.Errorf("exit code %d, %q, want %q", code, stderr, want)
	}
}

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestThirdParty holds THIRD_PARTY to every module that the program is built from here, at its version.
func TestThirdParty(t *testing.T) {
	text, err := os.ReadFile("THIRD_PARTY")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		module := strings.TrimSpace(line)
		if module == "" || seen[module] {
			continue
		}
		seen[module] = true
		if !strings.Contains(string(text), "\n"+module+" ") {
			t.Errorf("%s is not in THIRD_PARTY: make third-party", module)
		}
	}
	if len(seen) == 0 {
		t.Error("go list names no module")
	}
}

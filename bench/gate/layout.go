package gate

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// DefaultLayouts is in how many layouts each revision is built. Eight leave 1/√8 of the difference between two programs
// that differ in nothing but where their code lies.
const DefaultLayouts = 8

// layoutSource is a file of a package that moves what the linker puts behind it: its package, the size of some data, and
// statements of ten bytes or so each. An init function stays in the program although nothing calls it.
const layoutSource = `package %s

var (
	zoobenchLayoutData = [%d]byte{1}
	zoobenchLayoutSum  int
)

//go:noinline
func zoobenchLayoutAdd(n int) { zoobenchLayoutSum += n }

func init() {
	zoobenchLayoutAdd(int(zoobenchLayoutData[0]))
%s}
`

// layoutFile is the file's name: the compiler takes files in the order of their names.
const layoutFile = "aaa_zoobench_layout.go"

// The sizes of what is added: so many times a quantum, at most. Code is aligned by 16 bytes or 32, data by 32.
const (
	layoutStatements = 96
	layoutQuanta     = 32
	layoutQuantum    = 32
)

// A modulePackage is a package of the module that is built: its folder, name and import path.
type modulePackage struct{ dir, name, path string }

// modulePackages are the packages of the module that a package in the tree depends on, and that package, which is the last.
func modulePackages(ctx context.Context, tree, pkg string) ([]modulePackage, error) {
	c := exec.CommandContext(ctx, "go", "list", "-e", "-deps", "-f",
		"{{if .Module}}{{if .Module.Main}}{{.Dir}}\t{{.Name}}\t{{.ImportPath}}{{end}}{{end}}", "./"+pkg)
	c.Dir = tree
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("gate: go list: %w", err)
	}
	var list []modulePackage
	for line := range strings.Lines(string(out)) {
		if cells := strings.Split(strings.TrimSpace(line), "\t"); len(cells) == 3 {
			list = append(list, modulePackage{cells[0], cells[1], cells[2]})
		}
	}
	return list, nil
}

// layOut writes the files of the n-th layout; the first is the revision as it is.
func layOut(n int, packages []modulePackage) error {
	if n == 0 {
		return nil
	}
	for _, p := range packages {
		hash := fnv.New64a()
		hash.Write([]byte(p.path))
		rng := rand.New(rand.NewPCG(uint64(n), hash.Sum64()))
		statements := strings.Repeat("\tzoobenchLayoutAdd(1)\n", 1+rng.IntN(layoutStatements))
		text := fmt.Sprintf(layoutSource, p.name, layoutQuantum*(1+rng.IntN(layoutQuanta)), statements)
		if err := os.WriteFile(filepath.Join(p.dir, layoutFile), []byte(text), 0o666); err != nil {
			return fmt.Errorf("gate: layout: %w", err)
		}
	}
	return nil
}

// A hand is what layouts of one benchmark each side has left before one comes again.
type hand [2][]int

// draw draws the next of n layouts.
func (h *hand) draw(side Side, n int, order *rand.Rand) int {
	if len(h[side]) == 0 {
		h[side] = order.Perm(n)
	}
	drawn := h[side][0]
	h[side] = h[side][1:]
	return drawn
}

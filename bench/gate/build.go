package gate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Suite is a package whose benchmarks are compared.
type Suite struct {
	Name    string
	Package string // its folder in the repository
	Pattern string // of benchmarks, where none is asked for
	Plant   string // the method that the self-test slows down
}

// suites are those that there are, the default first.
func suites() []Suite {
	return []Suite{
		{Name: "kernels", Package: "kernels", Pattern: ".", Plant: "Depthwise.Run"},
		{Name: "networks", Package: "zoo/engine", Pattern: "^BenchmarkRun$", Plant: "Engine.Run"},
	}
}

// FindSuite is the suite of this name.
func FindSuite(name string) (Suite, error) {
	var names []string
	for _, s := range suites() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Suite{}, fmt.Errorf("gate: no suite %q, want one of %s", name, strings.Join(names, ", "))
}

// A Repo is a Git repository and the folder in which its revisions are built.
type Repo struct {
	Dir   string // the top of the working tree
	Cache string
}

// OpenRepo is the repository around dir. Revisions are built in cache.
func OpenRepo(ctx context.Context, dir, cache string) (*Repo, error) {
	r := &Repo{Dir: dir}
	top, err := r.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	r.Dir = top
	if r.Cache, err = filepath.Abs(cache); err != nil {
		return nil, fmt.Errorf("gate: cache: %w", err)
	}
	return r, nil
}

// git runs a Git command and returns what it prints, without white space around it.
func (r *Repo) git(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = r.Dir
	out, err := c.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			err = errors.New(firstLines(string(exit.Stderr), 3))
		}
		return "", fmt.Errorf("gate: git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Commit is the full hash of the commit that a revision names.
func (r *Repo) Commit(ctx context.Context, rev string) (string, error) {
	hash, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("gate: %s: no such revision in %s", rev, r.Dir)
	}
	return hash, nil
}

// Clean is an error where the working tree has changes that no revision has, naming some.
func (r *Repo) Clean(ctx context.Context) error {
	changes, err := r.git(ctx, "status", "--porcelain")
	if err != nil || changes == "" {
		return err
	}
	lines := strings.Split(changes, "\n")
	var names []string
	for _, line := range lines[:min(3, len(lines))] {
		fields := strings.Fields(line)
		names = append(names, fields[len(fields)-1])
	}
	if len(lines) > len(names) {
		names = append(names, fmt.Sprintf("%d more", len(lines)-len(names)))
	}
	return fmt.Errorf("gate: the working tree has uncommitted changes (%s): commit them, or name a revision with --head to leave "+
		"them out", strings.Join(names, ", "))
}

// Build builds a revision's benchmarks in a worktree of its own, in so many layouts, or finds them built. A plant, where
// there is one, is built in. What the compiler says is in the error.
func (r *Repo) Build(ctx context.Context, commit string, suite Suite, plant Plant, layouts int) (*Binary, error) {
	version, err := goEnv(ctx, "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOFLAGS", "GOEXPERIMENT")
	if err != nil {
		return nil, err
	}
	b := &Binary{Commit: commit, Paths: make([]string, layouts)}
	var missing []int
	for n := range b.Paths {
		key := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%+v\n%d\n%s%s%s", commit, version, suite.Package, plant, n,
			plantSource, layoutSource, referenceSource))
		// Paths of one length: a program's arguments lie on its stack and move what comes after them.
		b.Paths[n] = filepath.Join(r.Cache, fmt.Sprintf("%.8x", key), "bench.test")
		if _, err := os.Stat(b.Paths[n]); err != nil {
			missing = append(missing, n)
			continue
		}
		now := time.Now()
		os.Chtimes(b.Paths[n], now, now) // Prune goes by when a build was used; a cache that cannot be written is not pruned
	}
	if len(missing) == 0 {
		return b, nil
	}
	// The worktree lies in the first build's folder, where Prune finds it.
	dir := filepath.Dir(b.Paths[missing[0]])
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("gate: cache: %w", err)
	}
	tree, err := os.MkdirTemp(dir, "tree")
	if err != nil {
		return nil, fmt.Errorf("gate: cache: %w", err)
	}
	if _, err := r.git(ctx, "worktree", "add", "--detach", "--force", tree, commit); err != nil {
		os.Remove(tree)
		return nil, err
	}
	defer func() {
		// Also where the context is done: Git would remember the tree.
		r.git(context.WithoutCancel(ctx), "worktree", "remove", "--force", tree)
	}()
	packages, err := prepare(ctx, tree, commit, suite, plant)
	if err != nil {
		return nil, err
	}
	for _, n := range missing {
		if err := layOut(n, packages); err != nil {
			return nil, err
		}
		if err := compile(ctx, tree, commit, suite, b.Paths[n]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// prepare writes into a revision's tree what the gate adds in every layout, and returns the packages that move.
func prepare(ctx context.Context, tree, commit string, suite Suite, plant Plant) ([]modulePackage, error) {
	dir := filepath.Join(tree, suite.Package)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("gate: %.12s: has no package %s", commit, suite.Package)
	}
	if plant != (Plant{}) {
		if err := plant.in(dir); err != nil {
			return nil, err
		}
	}
	packages, err := modulePackages(ctx, tree, suite.Package)
	if err != nil || len(packages) == 0 {
		return nil, err
	}
	return packages, refer(dir, packages[len(packages)-1].name)
}

// compile builds the tree's benchmarks as they are now.
func compile(ctx context.Context, tree, commit string, suite Suite, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("gate: cache: %w", err)
	}
	built := tree + ".test" // under a name of its own: another gate may be building the same
	defer os.Remove(built)
	c := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-trimpath", "-buildvcs=false", "-o", built, "./"+suite.Package)
	c.Dir = tree
	if out, err := c.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("gate: %.12s: %s does not build: %w\n%s", commit, suite.Package, err, firstLines(string(out), 12))
	}
	if _, err := os.Stat(built); err != nil {
		return fmt.Errorf("gate: %.12s: package %s has no test files, so no benchmarks", commit, suite.Package)
	}
	if err := os.Rename(built, path); err != nil {
		return fmt.Errorf("gate: cache: %w", err)
	}
	return nil
}

func goEnv(ctx context.Context, names ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return "", fmt.Errorf("gate: go env: %w", err)
	}
	return string(out), nil
}

// firstLines are the first lines of text, and how many more there are.
func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > n {
		lines = append(lines[:n], fmt.Sprintf("… and %d lines more", len(lines)-n))
	}
	return strings.Join(lines, "\n")
}

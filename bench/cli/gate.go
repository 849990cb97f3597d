package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zoobench/bench/gate"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/kernels"
)

// gateShare is a flag's part of a whole, as "5%" or "0.05".
type gateShare float64

func (s *gateShare) Set(text string) error {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v > 0 && v < 1) {
		return errors.New("want a share such as 5%, over 0% and under 100%")
	}
	*s = gateShare(v)
	return nil
}

func (s *gateShare) String() string { return fmt.Sprintf("%g%%", 100*float64(*s)) }
func (s *gateShare) Type() string   { return "share" }

// gateRounds is a flag's number of rounds, 0 for auto.
type gateRounds int

func (r *gateRounds) Set(text string) error {
	if text == "auto" {
		*r = 0
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < gate.MinRounds {
		return fmt.Errorf("want auto or at least %d", gate.MinRounds)
	}
	*r = gateRounds(n)
	return nil
}

func (r *gateRounds) String() string {
	if *r == 0 {
		return "auto"
	}
	return strconv.Itoa(int(*r))
}
func (r *gateRounds) Type() string { return "rounds" }

// gateFlags are what gate and its subcommands share.
type gateFlags struct {
	suite, bench, head string
	format, out        string
	threshold          gateShare
	rounds             gateRounds
	layouts            int
	budget             time.Duration
	seed               uint64
	cpu                int
}

func (f *gateFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.suite, "suite", "kernels", "suite of benchmarks: kernels or networks")
	c.Flags().StringVar(&f.bench, "bench", "", "pattern of the benchmarks to run, as go test -bench takes it (default: the suite's)")
	c.Flags().StringVar(&f.head, "head", "", "revision to judge (default: HEAD, and the working tree must be clean)")
	c.Flags().Var(&f.rounds, "rounds", "number of rounds, or auto for as many as needed")
	c.Flags().IntVar(&f.layouts, "layouts", gate.DefaultLayouts, "number of builds of each revision, each with its code in other places")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of the order of benchmarks and sides")
	c.Flags().IntVar(&f.cpu, "cpu", -1, "core to run on (default: the quietest)")
	c.Flags().Lookup("cpu").DefValue = "0" // no other is left out of the help, which names the default in words
}

func (f *gateFlags) judging(c *cobra.Command) {
	f.threshold = 0.05
	c.Flags().Var(&f.threshold, "threshold", "smallest slow-down that the gate must detect")
	c.Flags().DurationVar(&f.budget, "budget", 20*time.Minute, "time limit for all rounds; 0 for none")
}

func (f *gateFlags) output(c *cobra.Command) {
	c.Flags().StringVar(&f.format, "format", "table", "form of the output: table, markdown, json, or bench for benchstat -col side")
	c.Flags().StringVar(&f.out, "out", "", "folder for gate.json, gate.md, base.txt and head.txt (default: none)")
}

// gateRun is a gate command after its flags have been read.
type gateRun struct {
	*gateFlags
	a     *app
	suite gate.Suite
	repo  *gate.Repo
	watch *gate.Watch
	line  *gateStatus
}

// open checks the flags and finds the repository around the working directory.
func (f *gateFlags) open(ctx context.Context, a *app) (*gateRun, error) {
	switch f.format {
	case "", "table", "markdown", "json", "bench":
	default:
		return nil, fmt.Errorf("--format: have %q, want table, markdown, json or bench", f.format)
	}
	if f.budget < 0 {
		return nil, fmt.Errorf("--budget %v: want 0 or more", f.budget)
	}
	if f.layouts < 1 {
		return nil, fmt.Errorf("--layouts %d: want at least 1", f.layouts)
	}
	suite, err := gate.FindSuite(f.suite)
	if err != nil {
		return nil, err
	}
	if f.bench == "" {
		f.bench = suite.Pattern
	}
	if f.out != "" {
		if err := os.MkdirAll(f.out, 0o777); err != nil {
			return nil, err
		}
	}
	cache, err := runner.DefaultCache()
	if err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	repo, err := gate.OpenRepo(ctx, dir, filepath.Join(cache.Dir, "gate"))
	if err != nil {
		return nil, err
	}
	repo.Prune(ctx, time.Now())
	if f.cpu < 0 {
		f.cpu = gate.QuietCore()
	}
	return &gateRun{gateFlags: f, a: a, suite: suite, repo: repo, line: newGateStatus(a.notes)}, nil
}

// headCommit is the commit that is judged.
func (g *gateRun) headCommit(ctx context.Context) (string, error) {
	if g.head != "" {
		return g.repo.Commit(ctx, g.head)
	}
	if err := g.repo.Clean(ctx); err != nil {
		return "", err
	}
	return g.repo.Commit(ctx, "HEAD")
}

func (g *gateRun) build(ctx context.Context, commit string) (*gate.Binary, error) {
	g.line.set(fmt.Sprintf("build %.12s in %d layouts", commit, g.layouts))
	return g.repo.Build(ctx, commit, g.suite, gate.Plant{}, g.layouts)
}

// gateStatus shows what is being done: in one line that changes on a terminal, in a line a phase elsewhere.
type gateStatus struct {
	w          io.Writer
	isTerminal bool
	phase      string
}

func newGateStatus(w io.Writer) *gateStatus {
	_, isTerminal := terminalWidth(w)
	return &gateStatus{w: w, isTerminal: isTerminal}
}

func (s *gateStatus) set(text string) {
	phase, _, _ := strings.Cut(text, ":")
	switch {
	case s.isTerminal:
		fmt.Fprintf(s.w, "\r\x1b[K%s", text)
	case phase != s.phase:
		fmt.Fprintln(s.w, text)
	}
	s.phase = phase
}

func (s *gateStatus) clear() {
	if s.isTerminal {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}

func (g *gateRun) progress(phase string, round, most int) {
	g.watch.Look()
	g.line.set(fmt.Sprintf("%s: round %d of at most %d", phase, round, most))
}

func (a *app) gate() *cobra.Command {
	var f gateFlags
	var base, plant string
	var selfTest bool
	var nulls, plants int
	c := &cobra.Command{
		Use:   "gate --base REV",
		Short: "Check whether a revision's kernels are slower than another's",
		Long: "Builds the benchmarks of two revisions and runs them in turn on one core, in random order, each time in a new process.\n" +
			"Where code lies in memory changes its time. So the command builds each revision several times, each time with its code\n" +
			"in other places. First it compares base with itself: the difference is the noise floor of each benchmark. It adds rounds\n" +
			"until every benchmark has a verdict. The exit code is 0 if no benchmark is slower, 3 if one is, and 4 if a verdict is missing.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			if (base == "") != selfTest {
				return errors.New("gate: want --base REV or --self-test, but not both")
			}
			if nulls < 1 || plants < 1 {
				return fmt.Errorf("--nulls %d, --plants %d: want at least 1", nulls, plants)
			}
			g, err := f.open(ctx, a)
			if err != nil {
				return err
			}
			defer g.line.clear()
			if selfTest {
				return g.selfTest(ctx, plant, nulls, plants)
			}
			return g.compare(ctx, base)
		},
	}
	f.add(c)
	f.judging(c)
	f.output(c)
	c.Flags().StringVar(&base, "base", "", "revision to compare with")
	c.Flags().BoolVar(&selfTest, "self-test", false,
		"trial of the gate on this machine: HEAD, or --head, against itself and against slow-downs of 3, 5 and 10 %")
	c.Flags().StringVar(&plant, "plant", "", "method to slow down with --self-test, as Type.Method (default: the suite's)")
	c.Flags().IntVar(&nulls, "nulls", 20, "number of comparisons of the revision with itself, with --self-test")
	c.Flags().IntVar(&plants, "plants", 10, "number of comparisons for each slow-down, with --self-test")
	c.AddCommand(a.gateRecord(), a.gateCheck())
	return c
}

// compare is gate without a subcommand.
func (g *gateRun) compare(ctx context.Context, baseRev string) error {
	head, err := g.headCommit(ctx)
	if err != nil {
		return err
	}
	base, err := g.repo.Commit(ctx, baseRev)
	if err != nil {
		return err
	}
	pair := &gate.Pair{CPU: g.cpu}
	for side, commit := range []string{base, head} {
		if pair.Binaries[side], err = g.build(ctx, commit); err != nil {
			return err
		}
	}
	g.watch = gate.StartWatch(g.cpu)
	g.line.set("find the benchmarks")
	both, gone, added, left, err := pair.Benches(ctx, g.bench)
	if err != nil {
		return benchError(err)
	}
	result, err := gate.Compare(ctx, both, pair, gate.Options{
		Threshold: float64(g.threshold), Rounds: int(g.rounds), Budget: g.budget, Seed: g.seed, Progress: g.progress,
	})
	if err != nil {
		return benchError(err)
	}
	for _, name := range gone {
		result.Rows = append(result.Rows, gate.Row{Bench: name, Verdict: gate.Gone})
	}
	for _, name := range added {
		result.Rows = append(result.Rows, gate.Row{Bench: name, Verdict: gate.New})
	}
	if len(left) > 0 {
		result.Notes = append(result.Notes, fmt.Sprintf("left out %d benchmarks that compare alternatives with each other, the first is %s",
			len(left), left[0]))
	}
	return g.report(result, base, head, gate.Nanoseconds)
}

// report writes a result in all forms that were asked for; the error has the exit code.
func (g *gateRun) report(result *gate.Result, base, head, unit string) error {
	g.line.clear()
	result.Notes = append(result.Notes, g.watch.Notes()...)
	m := record.ThisMachine()
	m.ISA = kernels.ISA()
	r := &gate.Report{
		Result: result, Outcome: result.Verdict(), Suite: g.suite.Name, Base: base, Head: head, Machine: m, CPU: g.cpu,
		Unit: unit, Time: time.Now().UTC(),
	}
	var err error
	switch g.format {
	case "markdown":
		err = r.WriteMarkdown(g.a.stdout)
	case "json":
		err = r.WriteJSON(g.a.stdout)
	case "bench":
		err = r.WriteGoBench(g.a.stdout, gate.Base, gate.Head)
	default:
		err = g.table(r)
	}
	if err != nil {
		return err
	}
	if g.out != "" {
		if err := r.WriteFiles(g.out); err != nil {
			return err
		}
	}
	switch r.Outcome {
	case gate.Slower:
		return &exitError{code: exitRegression}
	case gate.Undecided:
		return &exitError{code: exitInconclusive}
	}
	return nil
}

func (g *gateRun) table(r *gate.Report) error {
	var rows [][]string
	for _, row := range r.Ordered() {
		rows = append(rows, r.Cells(&row))
	}
	if err := writeTable(g.a.stdout, gate.Columns(), rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(g.a.stdout, "\n%s\n", clean(r.Sentence()))
	for _, note := range r.Notes {
		if err == nil {
			_, err = fmt.Fprintln(g.a.stdout, clean(note))
		}
	}
	return err
}

// benchError is err with the code of failed jobs where a benchmark failed.
func benchError(err error) error {
	var failed *gate.BenchError
	if errors.As(err, &failed) {
		return &exitError{exitFailed, err}
	}
	return err
}

func (g *gateRun) selfTest(ctx context.Context, plant string, nulls, plants int) error {
	commit, err := g.headCommit(ctx)
	if err != nil {
		return err
	}
	t, err := gate.RunSelfTest(ctx, g.repo, commit, gate.SelfTestOptions{
		Options: gate.Options{Threshold: float64(g.threshold), Rounds: int(g.rounds), Budget: g.budget, Seed: g.seed},
		Suite:   g.suite, Pattern: g.bench, Plant: plant, Nulls: nulls, Plants: plants, Layouts: g.layouts, CPU: g.cpu,
		Progress: g.line.set,
	})
	if t == nil {
		return benchError(err)
	}
	g.line.clear()
	stopped := err // the comparisons made until then took minutes: they are printed all the same
	if g.format == "json" {
		e := json.NewEncoder(g.a.stdout)
		e.SetIndent("", " ")
		err = e.Encode(t)
	} else {
		_, err = fmt.Fprint(g.a.stdout, t)
	}
	if stopped != nil {
		return benchError(stopped)
	}
	if err == nil && !t.Passed() {
		err = &exitError{exitInconclusive, errors.New("gate: self-test: the gate missed its error rates: this machine is too noisy now")}
	}
	return err
}

func (a *app) gateRecord() *cobra.Command {
	var f gateFlags
	var file string
	c := &cobra.Command{
		Use:   "record",
		Short: "Store the speed of a revision, relative to calibration kernels, for gate check",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := c.Context()
			g, err := f.open(ctx, a)
			if err != nil {
				return err
			}
			defer g.line.clear()
			timed, err := g.timed(ctx)
			if err != nil {
				return err
			}
			baseline, err := timed.Record(ctx, g.suite.Name, g.bench, int(g.rounds))
			if err != nil {
				return benchError(err)
			}
			if err := baseline.Write(file); err != nil {
				return err
			}
			g.line.clear()
			_, err = fmt.Fprintf(a.stdout, "%s: %d benchmarks of %.12s on %s\n", file, len(baseline.Benches), baseline.Commit, clean(baseline.Class))
			for _, d := range baseline.Disturbed {
				if err == nil {
					_, err = fmt.Fprintf(a.stdout, "checks against this baseline will have no verdict: %s\n", d)
				}
			}
			return err
		},
	}
	f.add(c)
	c.Flags().StringVarP(&file, "output", "o", "gate-baseline.json", "file to write")
	return c
}

// timed builds the revision that is judged, for measurement against calibration kernels.
func (g *gateRun) timed(ctx context.Context) (*gate.Timed, error) {
	head, err := g.headCommit(ctx)
	if err != nil {
		return nil, err
	}
	binary, err := g.build(ctx, head)
	if err != nil {
		return nil, err
	}
	g.watch = gate.StartWatch(g.cpu)
	return gate.NewTimed(binary, g.watch, g.seed, g.progress), nil
}

func (a *app) gateCheck() *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "Compare a revision with a baseline that a machine of the same class stored",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx := c.Context()
			baseline, err := gate.ReadBaseline(args[0])
			if err != nil {
				return err
			}
			if c.Flags().Changed("suite") || c.Flags().Changed("bench") {
				return errors.New("gate: check: the baseline sets --suite and --bench: leave them out")
			}
			f.suite = baseline.Suite
			g, err := f.open(ctx, a)
			if err != nil {
				return err
			}
			defer g.line.clear()
			timed, err := g.timed(ctx)
			if err != nil {
				return err
			}
			result, err := timed.Check(ctx, baseline, gate.Options{Threshold: float64(g.threshold), Rounds: int(g.rounds), Budget: g.budget})
			if err != nil {
				return benchError(err)
			}
			return g.report(result, baseline.Commit, timed.Commit(), gate.Calibrations)
		},
	}
	f.add(c)
	f.judging(c)
	f.output(c)
	return c
}

package gate

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"zoobench/internal/testenv"
)

// toy is a repository with a package of benchmarks and revisions to compare: main~2 is the first, main~1 has one slower
// kernel and one benchmark under another name, main does not build.
func toy(t *testing.T) *Repo {
	t.Helper()
	testenv.Commands(t, "git", "go")
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"}, args...)...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write("go.mod", "module toy\n\ngo 1.24\n")
	write("kernels/loop.go", toyLoop)
	write("kernels/loop_test.go", toyBenchmarks)
	write("empty/empty.go", "package empty\n")
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	write("kernels/loop.go", strings.Replace(toyLoop, "range l.n", "range 3 * l.n", 1))
	write("kernels/loop_test.go", strings.Replace(toyBenchmarks, "BenchmarkOld", "BenchmarkNew", 1))
	git("commit", "-q", "-a", "-m", "two")
	write("kernels/loop.go", "package kernels\n\nvar x int = \"no number\"\n")
	git("commit", "-q", "-a", "-m", "three")
	repo, err := OpenRepo(context.Background(), filepath.Join(dir, "kernels"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return repo
}

const toyLoop = `package kernels

type Loop struct{ n int }

func (l *Loop) Run() (x uint64) {
	x = 1
	for range l.n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

func Fixed() (x uint64) {
	x = 1
	for range 20000 {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}
`

const toyBenchmarks = `package kernels

import (
	"fmt"
	"testing"
	"time"
)

var sink uint64

func BenchmarkLoop(b *testing.B) {
	for _, n := range []int{20000, 30000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			l := &Loop{n}
			for b.Loop() {
				sink += l.Run()
			}
		})
	}
}

func BenchmarkFixed(b *testing.B) {
	for b.Loop() {
		sink += Fixed()
	}
}

func BenchmarkOld(b *testing.B) {
	for b.Loop() {
		sink += Fixed()
	}
}

func BenchmarkCompares(b *testing.B) {
	for b.Loop() {
		sink += Fixed()
	}
	b.ReportMetric(1.5, "this/that")
}

func BenchmarkHangs(b *testing.B) {
	for b.Loop() {
		time.Sleep(time.Hour)
	}
}

func BenchmarkBroken(b *testing.B) { b.Fatal("broken on purpose") }
`

var toySuite = Suite{Name: "kernels", Package: "kernels", Pattern: "Loop|Fixed|Old|New|Compares", Plant: "Loop.Run"}

func (r *Repo) mustBuild(t *testing.T, rev string, plant Plant) *Binary {
	t.Helper()
	commit, err := r.Commit(context.Background(), rev)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Build(context.Background(), commit, toySuite, plant, 2)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestCompareRevisions builds two revisions, one with a kernel that takes three times as long, and compares them. The
// difference is larger than what a busy machine does to a loop.
func TestCompareRevisions(t *testing.T) {
	ctx := context.Background()
	repo := toy(t)
	pair := &Pair{Binaries: [2]*Binary{repo.mustBuild(t, "main~2", Plant{}), repo.mustBuild(t, "main~1", Plant{})}, CPU: QuietCore()}
	both, gone, added, left, err := pair.Benches(ctx, toySuite.Pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		got, want []string
	}{
		{"on both sides", both, []string{"Loop/n=20000", "Loop/n=30000", "Fixed"}},
		{"gone", gone, []string{"Old"}},
		{"new", added, []string{"New"}},
		{"left out", left, []string{"Compares"}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, test.got, test.want)
		}
	}
	result, err := Compare(ctx, both, pair, Options{Seed: 1, Rounds: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range result.Rows {
		t.Logf("%s: %.3f [%.3f, %.3f] after %d rounds, floor %.3f: %s", row.Bench, row.Ratio, row.Lo, row.Hi, row.Rounds, row.Floor.Spread,
			row.Verdict)
		if slower := strings.HasPrefix(row.Bench, "Loop"); slower && row.Verdict != Slower || !slower && row.Verdict == Slower {
			t.Errorf("%s: %s", row.Bench, row.Verdict)
		}
	}
	if _, err := os.Stat(filepath.Join(repo.Dir, ".git", "worktrees")); err == nil {
		left, _ := os.ReadDir(filepath.Join(repo.Dir, ".git", "worktrees"))
		if len(left) > 0 {
			t.Errorf("%d worktrees left in the repository", len(left))
		}
	}
}

// TestLayoutsMove holds that layouts move code within two lines of the cache.
func TestLayoutsMove(t *testing.T) {
	if testing.Short() {
		t.Skip("builds four binaries")
	}
	repo := toy(t)
	commit, err := repo.Commit(t.Context(), "main~2")
	if err != nil {
		t.Fatal(err)
	}
	b, err := repo.Build(t.Context(), commit, toySuite, Plant{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	places := map[uint64]bool{} // within two lines
	for _, path := range b.Paths {
		out, err := exec.Command("go", "tool", "nm", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[2] == "toy/kernels.BenchmarkFixed" {
				at, err := strconv.ParseUint(fields[0], 16, 64)
				if err != nil {
					t.Fatal(err)
				}
				places[at%128] = true
			}
		}
	}
	if len(places) < 2 {
		t.Errorf("the code lies at %d places of two cache lines in %d layouts, want 2 or more", len(places), len(b.Paths))
	}
}

func TestBuildAndRunErrors(t *testing.T) {
	ctx := context.Background()
	repo := toy(t)
	commit, err := repo.Commit(ctx, "main")
	if err != nil {
		t.Fatal(err)
	}
	wantError := func(name string, err error, want ...string) {
		t.Helper()
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %v, want an error with %q", name, err, w)
			}
		}
	}
	_, err = repo.Commit(ctx, "nonesuch")
	wantError("a revision that is not there", err, "nonesuch: no such revision")
	_, err = repo.Build(ctx, commit, toySuite, Plant{}, 1)
	wantError("a revision that does not build", err, "kernels does not build", "no number")
	first := repo.mustBuild(t, "main~2", Plant{})
	_, err = repo.Build(ctx, first.Commit, Suite{Package: "nonesuch"}, Plant{}, 1)
	wantError("no such package", err, "has no package nonesuch")
	_, err = repo.Build(ctx, first.Commit, Suite{Package: "empty"}, Plant{}, 1)
	wantError("no tests", err, "no test files")
	_, err = repo.Build(ctx, first.Commit, toySuite, Plant{"Loop.Walk", 0.1}, 1)
	wantError("no method to plant", err, "no method Loop.Walk")
	if err := repo.Clean(ctx); err != nil {
		t.Errorf("clean tree: %v", err)
	}
	if err := os.WriteFile(filepath.Join(repo.Dir, "kernels", "more.go"), []byte("package kernels\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	wantError("a dirty tree", repo.Clean(ctx), "kernels/more.go", "commit them")

	pair := &Pair{Binaries: [2]*Binary{first, first}, CPU: -1}
	_, _, _, _, err = pair.Benches(ctx, "Broken")
	wantError("a benchmark that fails", err, "base", "broken on purpose")
	var failed *BenchError
	if !errors.As(err, &failed) {
		t.Errorf("a benchmark that fails: %T, want a BenchError", err)
	}
	_, err = first.run(ctx, -1, 0, 200*time.Millisecond, nil, "-test.bench=Hangs")
	wantError("a benchmark that hangs", err, "took longer than 200ms")
	interrupted, stop := context.WithCancel(ctx)
	time.AfterFunc(200*time.Millisecond, stop)
	if _, err = first.run(interrupted, -1, 0, time.Hour, nil, "-test.bench=Hangs"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v, want that the context is canceled", err)
	}
	_, _, _, _, err = pair.Benches(ctx, "Nonesuch")
	wantError("no benchmarks", err, "Nonesuch")
	_, _, _, _, err = pair.Benches(ctx, "(")
	wantError("no pattern", err, "--bench")
	_, err = OpenRepo(ctx, t.TempDir(), t.TempDir())
	wantError("no repository", err, "not a git repository")
}

// TestSelfTest plants slow-downs in the toy and expects them found; the few comparisons say nothing of rates.
func TestSelfTest(t *testing.T) {
	if testing.Short() {
		t.Skip("builds four binaries")
	}
	repo := toy(t)
	first := repo.mustBuild(t, "main~2", Plant{})
	result, err := RunSelfTest(context.Background(), repo, first.Commit, SelfTestOptions{
		Suite: toySuite, Pattern: "Loop|Fixed", Shares: []float64{2}, Nulls: 1, Plants: 1, Layouts: 2, CPU: QuietCore(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(result)
	if want := []string{"Loop/n=20000", "Loop/n=30000"}; !slices.Equal(result.Planted, want) {
		t.Errorf("the plant is in %q, want %q", result.Planted, want)
	}
	if result.Plants[0].Caught != 1 || result.falseAlarms() != 0 || !result.Passed() {
		t.Errorf("caught %d of 1, %d false alarms", result.Plants[0].Caught, result.falseAlarms())
	}

	ctx, stop := context.WithCancel(context.Background())
	result, err = RunSelfTest(ctx, repo, first.Commit, SelfTestOptions{
		Suite: toySuite, Pattern: "Loop|Fixed", Nulls: 3, Layouts: 2, CPU: QuietCore(),
		Progress: func(what string) {
			if strings.HasSuffix(what, "2 of 3") {
				stop()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || result == nil || len(result.Nulls) != 1 || result.Stopped == "" || result.Passed() {
		t.Errorf("stopped in the second comparison: %v, %v; want the first one and that the context is canceled", result, err)
	}
}

// TestBaseline records the toy's speed and checks it: against itself, against a baseline that was three times as fast, and
// against one of another class of machine.
func TestBaseline(t *testing.T) {
	ctx := context.Background()
	repo := toy(t)
	timed := NewTimed(repo.mustBuild(t, "main~2", Plant{}), StartWatch(QuietCore()), 3, nil)
	path := filepath.Join(t.TempDir(), "baseline.json")
	recorded, err := timed.Record(ctx, "kernels", "Loop|Fixed|Compares", 20)
	if err != nil {
		t.Fatal(err)
	}
	if err := recorded.Write(path); err != nil {
		t.Fatal(err)
	}
	b, err := ReadBaseline(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(b *Baseline) *Result {
		t.Helper()
		r, err := timed.Check(ctx, b, Options{Rounds: 16})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := check(b); r.Verdict() == Slower {
		t.Errorf("against itself: %s: %+v", r.Verdict(), r.Rows)
	}
	for i := range b.Benches[0].Ratios {
		b.Benches[0].Ratios[i] /= 3
	}
	b.Benches[1].Name = "Old"
	r := check(b)
	for i, want := range []Verdict{Slower, Undecided, New, Gone} {
		if got := r.Rows[i].Verdict; got != want && want != Undecided || got == Slower && want == Undecided {
			t.Errorf("%s: %s, want %s", r.Rows[i].Bench, got, want)
		}
	}
	b.Class = "another processor"
	if _, err := timed.Check(ctx, b, Options{}); err == nil || !strings.Contains(err.Error(), "want another processor") {
		t.Errorf("another class: %v, want an error", err)
	}
}

func TestReadBaselineRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ name, text, want string }{
		{"not JSON", "x", "invalid character"},
		{"another schema", `{"schema": 7}`, "schema 7, want 2"},
		{"no benchmarks", `{"schema": 2}`, "no benchmarks"},
		{"too few ratios", `{"schema": 2, "benches": [{"name": "x", "reference": "memory", "ratios": [1]}]}`, "x: want at least 16"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(dir, "b.json")
			if err := os.WriteFile(path, []byte(test.text), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadBaseline(path); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if _, err := ReadBaseline(filepath.Join(dir, "nonesuch")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestReadStat reads names as programs may choose them.
func TestReadStat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stat")
	text := "7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 5 6 7\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	name, start, used, ok := readStat(path)
	if want := [4]int64{11, 22, 33, 44}; name != "a (b) c" || start != 5 || used != want || !ok {
		t.Errorf("got %q, start %d, %v, %v", name, start, used, ok)
	}
}

func TestIterations(t *testing.T) {
	for _, test := range []struct {
		name        string
		ns          float64
		calls, runs int
	}{
		{"25 µs", 25e3, 80, 6},
		{"1 ms", 1e6, 3, 4},
		{"a network", 150e6, 3, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			if calls, runs := (benchmark{NsPerOp: test.ns}).iterations(); calls != test.calls || runs != test.runs {
				t.Errorf("%d calls, %d runs, want %d and %d", calls, runs, test.calls, test.runs)
			}
		})
	}
}

// TestWatch looks at the machine as it is: what there is to note depends on it.
func TestWatch(t *testing.T) {
	w := StartWatch(QuietCore())
	for range 12 {
		w.Look()
	}
	for _, note := range w.Notes() {
		t.Log(note)
		if strings.Contains(note, "NaN") || strings.Contains(note, "Inf") {
			t.Errorf("note %q", note)
		}
	}
	if len(w.rates) != 14 { // one at the start and one at the end
		t.Errorf("%d rates, want 14", len(w.rates))
	}
}

// TestNewBench reads what the kernels' benchmarks report, and finds what each is to be a ratio to.
func TestNewBench(t *testing.T) {
	const text = `BenchmarkConv/isa=avx2/k=3x3-2         	      21	   2000000 ns/op	        75 %peak	         2.7 %zoo	45000000000 macs/s
BenchmarkConv/isa=avx2/kind=linear-2   	      21	   2000000 ns/op	        5 %peak	         2.7 %zoo	3000000000 macs/s
BenchmarkPool/isa=avx2/kind=max-2      	      57	    353185 ns/op	11365.37 MB/s	         0.1 %zoo
BenchmarkRun/model=resnet50-2          	      57	    353185 ns/op
BenchmarkAlgorithms/isa=avx2-2         	      57	    353185 ns/op	30000000000 gemm-macs/s	1.7 gemm/default
`
	want := []struct {
		bench     benchmark
		reference reference
	}{
		{benchmark{Name: "Conv/isa=avx2/k=3x3-2", NsPerOp: 2e6, MACsPerSec: 45e9}, arithmetic},
		{benchmark{Name: "Conv/isa=avx2/kind=linear-2", NsPerOp: 2e6, MACsPerSec: 3e9}, memory},
		{benchmark{Name: "Pool/isa=avx2/kind=max-2", NsPerOp: 353185, BytesPerSec: 11365.37e6}, memory},
		{benchmark{Name: "Run/model=resnet50-2", NsPerOp: 353185}, arithmetic},
		{benchmark{Name: "Algorithms/isa=avx2-2", NsPerOp: 353185, Compares: true}, arithmetic},
	}
	reader := benchfmt.NewReader(strings.NewReader(text), "text")
	for i := 0; reader.Scan(); i++ {
		r, ok := reader.Result().(*benchfmt.Result)
		if !ok || i >= len(want) {
			t.Fatalf("line %d: %v", i+1, reader.Result())
		}
		got := newBench(r)
		near := func(a, b float64) bool { return a == b || a > 0.999*b && a < 1.001*b }
		w := want[i].bench
		if got.Name != w.Name || got.Compares != w.Compares || !near(got.NsPerOp, w.NsPerOp) || !near(got.MACsPerSec, w.MACsPerSec) ||
			!near(got.BytesPerSec, w.BytesPerSec) {
			t.Errorf("line %d: got %+v, want %+v", i+1, got, w)
		}
		if follows := got.follows(120e9); follows != want[i].reference {
			t.Errorf("%s: a ratio to %s, want %s", got.Name, follows, want[i].reference)
		}
	}
}

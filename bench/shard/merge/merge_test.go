package merge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/internal/study"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/shard"
	"zoobench/zoo"
	"zoobench/zoo/nn"
)

// roleVariable makes the test binary a worker, or a shard's runner that takes its work from the environment.
const roleVariable = "ZOOBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "worker":
		if err := runner.WorkAlone(tiny(), nil, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "shard":
		x, err := shard.ParseIndex(os.Getenv("SHARD"), os.Getenv)
		if err == nil {
			err = work(os.Getenv("STUDY"), os.Getenv("OUT"), x)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// tiny is a list of two small networks.
func tiny() *zoo.List {
	build := func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.Conv("conv", x, 16, nn.K(3).S(2).WithBias()))
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}
	list, err := zoo.NewList([]zoo.Spec{
		{Name: "tiny", Build: build, Size: 16, Family: "tiny"},
		{Name: "small", Build: build, Size: 32, Family: "tiny"},
	})
	if err != nil {
		panic(err)
	}
	return list
}

// images is how many there are in a study: enough for each evaluation to be cut.
const images = 301

// makeStudy makes a study of which one image is broken.
func makeStudy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	study.Write(t, dir, tiny(), images, 20, "tiny", "small")
	must(t, os.WriteFile(study.Image(dir, 200), []byte("no image"), 0o666))
	return dir
}

var must = study.Must

// work runs a study, or a shard of it, into the folder out.
func work(dir, out string, x shard.Index) error {
	file, err := experiment.Load(filepath.Join(dir, study.FileName), runner.Known(tiny()))
	if err != nil {
		return err
	}
	s, err := runner.Run(context.Background(), runner.Options{
		List: tiny(), File: file, Dir: out, RunID: "run", Resume: true, Share: runner.Share{Shard: x},
		Worker: runner.Worker{Path: os.Args[0], Env: []string{roleVariable + "=worker"}},
		Host:   func(context.Context) (runner.Host, error) { return runner.Host{}, nil },
	})
	if err == nil && s.Failed > 0 {
		err = fmt.Errorf("%d tasks failed", s.Failed)
	}
	return err
}

// shards runs all shards of a study and returns their folders.
func shards(t *testing.T, of string, n int) (dirs []string) {
	t.Helper()
	parent := t.TempDir()
	for i := range n {
		dir := filepath.Join(parent, fmt.Sprintf("shard-%d", i))
		must(t, work(of, dir, shard.Index{I: i, N: n}))
		dirs = append(dirs, dir)
	}
	return dirs
}

// merged puts folders together and returns the records without their times, and the per-sample files.
func merged(t *testing.T, dirs ...string) (m Merged, text string) {
	t.Helper()
	f, err := Read(dirs...)
	must(t, err)
	out := t.TempDir()
	m, err = f.Write(out, "run")
	must(t, err)
	return m, timeless(t, out)
}

// timeless is what a run's folder has of accuracies but for times.
func timeless(t *testing.T, dir string) string {
	t.Helper()
	return study.Timeless(t, dir, func(*record.Record) {})
}

// TestMergedIsUnsharded holds shards, put together, against one run: the same records and per-sample files but for times.
func TestMergedIsUnsharded(t *testing.T) {
	dir := makeStudy(t)
	whole := t.TempDir()
	must(t, work(dir, whole, shard.Index{}))
	want := timeless(t, whole)
	if !strings.Contains(want, `"n_images":301`) || !strings.Contains(want, "1 of 301 images could not be read") {
		t.Fatalf("the whole run has\n%.600s", want)
	}
	for _, n := range []int{1, 2, 5} {
		dirs := shards(t, dir, n)
		m, got := merged(t, dirs...)
		if got != want {
			t.Errorf("%d shards: got\n%.1500s\nwant\n%.1500s", n, got, want)
		}
		if len(m.Missing)+len(m.Problems)+m.Twice > 0 {
			t.Errorf("%d shards: %v missing, problems %v, %d done twice", n, m.Missing, m.Problems, m.Twice)
		}
		if n == 1 {
			continue
		}
		cut := 0
		for _, one := range dirs {
			parts, err := filepath.Glob(filepath.Join(one, record.FolderName, "*-[0-9]*-[0-9]*.json"))
			must(t, err)
			cut += len(parts)
		}
		if cut < 4 {
			t.Errorf("%d shards: %d parts, want two of each evaluation at least: nothing was cut", n, cut)
		}
		m, _ = merged(t, dirs[1:]...)
		if len(m.Missing) == 0 || m.Missing[0].Shard != (shard.Index{I: 0, N: n}) ||
			!strings.Contains(m.Missing[0].String(), "not among those given") {
			t.Errorf("%d shards, the first left out: missing %v, want what shard 0 has", n, m.Missing)
		}
		m, got = merged(t, append(dirs, dirs[0])...)
		if got != want || m.Twice == 0 {
			t.Errorf("%d shards, the first one twice: %d pieces done twice, the same result: %t", n, m.Twice, got == want)
		}
	}
}

// TestKilledShards kills shards at random moments, resumes them, and gets the result of a run that nobody disturbed.
func TestKilledShards(t *testing.T) {
	kills := 8
	if os.Getenv("ZOO_LONG") != "" {
		kills = 100
	}
	dir := makeStudy(t)
	whole := t.TempDir()
	must(t, work(dir, whole, shard.Index{}))
	const n = 2
	rng := rand.New(rand.NewPCG(3, 4))
	parent := t.TempDir()
	var dirs []string
	died := 0
	for round := 0; died < kills; round++ {
		dirs = nil
		for i := range n {
			out := filepath.Join(parent, fmt.Sprint(round), fmt.Sprintf("shard-%d", i))
			must(t, os.MkdirAll(out, 0o777))
			dirs = append(dirs, out)
			start := func() *exec.Cmd {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), roleVariable+"=shard", "STUDY="+dir, "OUT="+out, fmt.Sprintf("SHARD=%d/%d", i, n))
				cmd.Stderr = os.Stderr
				must(t, cmd.Start())
				return cmd
			}
			cmd := start()
			time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
			cmd.Process.Kill() // it may have ended
			if cmd.Wait() != nil {
				died++
			}
			waitUnlocked(t, dir, out, shard.Index{I: i, N: n})
		}
		m, got := merged(t, dirs...)
		if want := timeless(t, whole); got != want || len(m.Missing) > 0 {
			t.Fatalf("after %d kills: missing %v; got\n%.800s\nwant\n%.800s", died, m.Missing, got, want)
		}
	}
}

// waitUnlocked resumes a shard to its end, once the worker of the one that was killed has noticed.
func waitUnlocked(t *testing.T, dir, out string, x shard.Index) {
	t.Helper()
	var err error
	for range 100 {
		if err = work(dir, out, x); err == nil || !strings.Contains(err.Error(), "another process writes") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	must(t, err)
}

func TestRefused(t *testing.T) {
	dir := makeStudy(t)
	two := shards(t, dir, 2)
	other := makeStudy(t)
	for _, c := range []struct {
		name  string
		make  func(t *testing.T) []string
		fault string
	}{
		{"other numbers of shards", func(t *testing.T) []string { return []string{two[0], shards(t, dir, 3)[1]} },
			"dealt to 2 shards, and then to 3"},
		{"another study", func(t *testing.T) []string { return []string{two[0], shards(t, other, 2)[1]} }, "is there for one alone"},
		{"no shard", func(t *testing.T) []string { return []string{two[0], t.TempDir()} }, "no shard.json in it nor in a folder in it"},
		{"more images", func(t *testing.T) []string {
			more := filepath.Join(dir, "images", "0", "more.png")
			text, err := os.ReadFile(filepath.Join(dir, "images", "0", "000.png"))
			must(t, err)
			must(t, os.WriteFile(more, text, 0o666))
			defer os.Remove(more)
			return []string{two[0], shards(t, dir, 2)[1]}
		}, "has 301 images, and then 302"},
		{"other weights", func(t *testing.T) []string {
			defer study.Weights(t, study.Checkpoint(dir, "tiny"), tiny(), "tiny", 0)
			study.Weights(t, study.Checkpoint(dir, "tiny"), tiny(), "tiny", 77)
			return []string{two[0], shards(t, dir, 2)[1]}
		}, "shards differ in the weights of tiny"},
		{"another program", func(t *testing.T) []string {
			return []string{two[0], changed(t, two[1], func(r *record.Record) { r.Machine.KernelBuild = "another" })}
		}, "shards differ in the program"},
		{"another plan", func(t *testing.T) []string {
			return []string{two[0], changed(t, two[1], func(r *record.Record) { r.Plan.Hash = "another" })}
		}, "plan of algorithms"},
		{"another result", func(t *testing.T) []string {
			return []string{two[0], two[1], changed(t, two[1], func(r *record.Record) {
				r.Accuracy = record.NewAccuracy(r.Images, r.Top1Images+1, r.Images, nil)
			})}
		}, "done twice, with different results"},
		{"samples of fewer images", func(t *testing.T) []string {
			cut := changed(t, two[1], func(*record.Record) {})
			files, err := filepath.Glob(filepath.Join(cut, "samples", "*.jsonl"))
			must(t, err)
			must(t, os.WriteFile(files[0], []byte("{}\n"), 0o666))
			return []string{two[0], cut}
		}, "has 1 lines, want one for each of"},
	} {
		f, err := Read(c.make(t)...)
		if err == nil {
			_, err = f.Write(t.TempDir(), "run")
		}
		if err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.fault)
		}
	}
}

// changed is a copy of a shard's folder whose records of accuracies are changed.
func changed(t *testing.T, dir string, change func(*record.Record)) string {
	t.Helper()
	to := t.TempDir()
	must(t, os.CopyFS(to, os.DirFS(dir)))
	records, _, err := record.ReadFolder(filepath.Join(to, record.FolderName))
	must(t, err)
	f, err := record.OpenFolder(filepath.Join(to, record.FolderName))
	must(t, err)
	for _, r := range records {
		if r.Accuracy != nil {
			change(&r)
			must(t, f.Append(&r))
		}
	}
	return to
}

func TestFolderOfAnother(t *testing.T) {
	dir := makeStudy(t)
	two := shards(t, dir, 2)
	for _, c := range []struct {
		x     shard.Index
		fault string
	}{
		{shard.Index{I: 1, N: 2}, "is the folder of shard 0/2, want that of 1/2"},
		{shard.Index{I: 0, N: 3}, "is the folder of shard 0/2, want that of 0/3"},
		{shard.Index{}, "name another folder"},
	} {
		if err := work(dir, two[0], c.x); err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("shard %v in the folder of 0/2: error %v, want one with %q", c.x, err, c.fault)
		}
	}
}

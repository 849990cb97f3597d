package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// small is a network of four layers with a choice, of three shapes, and one without. The table prefers direct sums for
// the stem, which has three channels, and Winograd for the others.
func small(t testing.TB) (*nn.Graph, Weights) {
	t.Helper()
	g, err := nn.Build("small", func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.Conv("stem", x, 32, nn.K(3)))
		x = g.ReLU(g.Conv("first", x, 32, nn.K(3)))
		x = g.ReLU(g.Conv("second", x, 32, nn.K(3)))
		x = g.ReLU(g.Conv("down", x, 64, nn.K(3).S(2)))
		x = g.ReLU(g.Conv("last", x, 64, nn.K(3)))
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}, nn.Config{Size: 24, Classes: 10})
	if err != nil {
		t.Fatal(err)
	}
	return g, weights.Generator{Seed: 5, Gain: 1}.Source(g.Params)
}

const (
	smallLayers = 4
	smallShapes = 3
)

// fakeTimer is a Tuner's clock. It counts what it is asked for.
type fakeTimer struct {
	time  func(s *kernels.ConvShape, algorithm string, call int) time.Duration
	calls map[string]int // by shape and algorithm
}

func (f *fakeTimer) measure(s *kernels.ConvShape, algorithm string, _ func()) time.Duration {
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	key := fmt.Sprintf("%d %s", s.C, algorithm)
	f.calls[key]++
	return f.time(s, algorithm, f.calls[key])
}

// tuned is an engine over the small network whose tuner has this clock.
func tuned(t *testing.T, tuner Tuner, f *fakeTimer, o Options) *Engine {
	t.Helper()
	tuner.measure = f.measure
	o.Tuner = &tuner
	g, w := small(t)
	e, err := New(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// always is a clock by which each algorithm takes some time.
func always(ns map[string]int) *fakeTimer {
	return &fakeTimer{time: func(_ *kernels.ConvShape, algorithm string, _ int) time.Duration { return time.Duration(ns[algorithm]) }}
}

func TestTunerChooses(t *testing.T) {
	defaults := func(c Choice) string {
		if c.Layer == "stem" {
			return "gemm"
		}
		return "winograd4x3"
	}
	all := func(name string) func(Choice) string { return func(Choice) string { return name } }
	for _, test := range []struct {
		name  string
		timer *fakeTimer
		want  func(Choice) string
	}{
		{"equal", always(map[string]int{"gemm": 1000, "winograd4x3": 1000}), defaults},
		{"within the noise", always(map[string]int{"gemm": 1000, "winograd4x3": 1020}), defaults},
		{"within the noise, other way", always(map[string]int{"gemm": 1020, "winograd4x3": 1000}), defaults},
		{"direct faster", always(map[string]int{"gemm": 1000, "winograd4x3": 1040}), all("gemm")},
		{"winograd faster", always(map[string]int{"gemm": 1040, "winograd4x3": 1000}), all("winograd4x3")},
		{"by shape", &fakeTimer{time: func(s *kernels.ConvShape, algorithm string, _ int) time.Duration {
			return map[bool]time.Duration{true: 1000, false: 3000}[(s.C == 64) == (algorithm == "gemm")]
		}}, func(c Choice) string {
			if c.Layer == "last" {
				return "gemm"
			}
			return "winograd4x3"
		}},
		// Every run but one is disturbed: the shortest counts.
		{"disturbed", &fakeTimer{time: func(_ *kernels.ConvShape, algorithm string, call int) time.Duration {
			quiet := map[string]time.Duration{"gemm": 1000, "winograd4x3": 900}[algorithm]
			if algorithm == "winograd4x3" && call != leastRounds {
				return quiet + 150
			}
			return quiet
		}}, all("winograd4x3")},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := tuned(t, Tuner{}, test.timer, Options{Threads: 1})
			p := e.Plan()
			if len(p.Choices) != smallLayers || p.Source != FromTrials {
				t.Fatalf("%d choices from %s, want %d from %s", len(p.Choices), p.Source, smallLayers, FromTrials)
			}
			for _, c := range p.Choices {
				if want := test.want(c); c.Algorithm != want {
					t.Errorf("%s: %s, want %s", c.Layer, c.Algorithm, want)
				}
			}
			for _, l := range e.Layers() {
				i := slices.IndexFunc(p.Choices, func(c Choice) bool { return c.Layer == l.Name && l.Op == "conv" })
				if i >= 0 && !strings.HasPrefix(l.Algorithm, p.Choices[i].Algorithm) {
					t.Errorf("%s runs by %s, and the plan says %s", l.Name, l.Algorithm, p.Choices[i].Algorithm)
				}
			}
			if done := e.Trials(); done.Shapes != smallShapes || done.Remembered != 0 || len(test.timer.calls) != 2*smallShapes ||
				done.Notes != nil {
				t.Errorf("trials %+v of %v, want %d shapes by two algorithms", done, test.timer.calls, smallShapes)
			}
		})
	}
}

// TestTrialsEnd holds that a trial whose outcome is plain is short, that none is long, and that an upset takes longer.
func TestTrialsEnd(t *testing.T) {
	for _, test := range []struct {
		name     string
		winograd int
		want     func(stem bool) int // the table prefers direct sums there alone
	}{
		{"plain", 500, func(stem bool) int {
			if stem {
				return upsetRounds
			}
			return leastRounds
		}},
		{"plain, other way", 2000, func(stem bool) int {
			if stem {
				return leastRounds
			}
			return upsetRounds
		}},
		{"close", 990, func(bool) int { return trialRounds }},
	} {
		f := always(map[string]int{"gemm": 1000, "winograd4x3": test.winograd})
		tuned(t, Tuner{}, f, Options{Threads: 1})
		for key, n := range f.calls {
			want := test.want(strings.HasPrefix(key, "3 "))
			// A busy machine may take trialTime for fewer.
			if n > want || n < leastRounds || want == upsetRounds && n != want {
				t.Errorf("%s: %s ran %d times, want %d", test.name, key, n, want)
			}
		}
	}
}

func TestTunerRemembers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "below", "trials.jsonl")
	before := Tuner{File: file, CPU: "a processor", Build: "v1"}
	f := always(map[string]int{"gemm": 900, "winograd4x3": 1000})
	first := tuned(t, before, f, Options{Threads: 1}).Plan()
	for _, test := range []struct {
		name   string
		tuner  Tuner
		o      Options
		trials int // -1 for some
	}{
		{"again", before, Options{Threads: 1}, 0},
		{"more threads", before, Options{Threads: 2}, smallShapes},
		{"other threads again", before, Options{Threads: 2}, 0},
		{"larger batch", before, Options{Threads: 1, Batch: 2}, -1}, // the first layers may take one image at a time
		{"other processor", Tuner{File: file, CPU: "another", Build: "v1"}, Options{Threads: 1}, smallShapes},
		{"other build", Tuner{File: file, CPU: "a processor", Build: "v2"}, Options{Threads: 1}, smallShapes},
		{"first again", before, Options{Threads: 1}, 0},
	} {
		f := always(map[string]int{"gemm": 900, "winograd4x3": 1000})
		e := tuned(t, test.tuner, f, test.o)
		done := e.Trials()
		if test.trials < 0 && len(f.calls) > 0 {
			test.trials = len(f.calls) / 2
		}
		if done.Shapes-done.Remembered != test.trials || len(f.calls) != 2*test.trials || done.Notes != nil {
			t.Errorf("%s: trials %+v of %v, want %d", test.name, done, f.calls, test.trials)
		}
		if p := e.Plan(); p.Hash != first.Hash {
			t.Errorf("%s: plan %s, want %s", test.name, p.Hash, first.Hash)
		}
	}
}

// TestTrialsFile holds that nothing in the file's place costs more than the trials and a note.
func TestTrialsFile(t *testing.T) {
	good := filepath.Join(t.TempDir(), "trials.jsonl")
	tuner := Tuner{File: good, CPU: "a processor", Build: "v1"}
	times := map[string]int{"gemm": 900, "winograd4x3": 1000}
	tuned(t, tuner, always(times), Options{Threads: 1})
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSpace(string(text)), "\n")
	if len(lines) != smallShapes {
		t.Fatalf("%d lines, want %d:\n%s", len(lines), smallShapes, text)
	}
	for _, test := range []struct {
		name   string
		text   string
		trials int
		note   string // part of it, "" for none
	}{
		{"none", "", smallShapes, ""},
		{"binary", "\x00\xff\x1b{\n\n[1]\n", smallShapes, "3 lines are no trials"},
		{"cut short", string(text[:len(text)-20]), 1, "1 lines are no trials"},
		{"one line", lines[0], smallShapes - 1, ""},
		{"an algorithm less", strings.Replace(string(text), `"gemm":900`, `"gem":900`, 1), 1, ""},
		{"time below nothing", strings.Replace(string(text), `"gemm":900`, `"gemm":-900`, 1), 1, ""},
		{"one key twice", string(text) + strings.Replace(lines[0], `"gemm":900`, `"gemm":950`, 1), 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			tuner.File = filepath.Join(t.TempDir(), "trials.jsonl")
			if test.name != "none" {
				if err := os.WriteFile(tuner.File, []byte(test.text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			f := always(times)
			done := tuned(t, tuner, f, Options{Threads: 1}).Trials()
			if len(f.calls) != 2*test.trials {
				t.Errorf("trials of %v, want %d shapes", f.calls, test.trials)
			}
			if notes := strings.Join(done.Notes, "; "); (notes == "") != (test.note == "") || !strings.Contains(notes, test.note) {
				t.Errorf("notes %q, want %q", notes, test.note)
			}
			// What was written in its place is whole.
			f = always(times)
			if done := tuned(t, tuner, f, Options{Threads: 1}).Trials(); len(f.calls) != 0 || test.trials > 0 && done.Notes != nil {
				t.Errorf("afterwards: trials of %v, notes %q", f.calls, done.Notes)
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		tuner.File = t.TempDir()
		if done := tuned(t, tuner, always(times), Options{Threads: 1}).Trials(); len(done.Notes) == 0 {
			t.Error("no note")
		}
	})
}

// TestManyTrials holds that new trials take the place of old ones with their key, and of the oldest where the file is full.
func TestManyTrials(t *testing.T) {
	var old []trialLine
	for i := range mostLines + 5 {
		old = append(old, trialLine{trialKey{Shape: fmt.Sprint(i)}, nil})
	}
	all := merge(old, []trialLine{{trialKey{Shape: "7"}, nil}, {trialKey{Shape: "new"}, nil}})
	if len(all) != mostLines || all[len(all)-1].Shape != "new" || all[0].Shape != "6" && all[0].Shape != "8" {
		t.Errorf("%d lines from %s to %s, want %d to new", len(all), all[0].Shape, all[len(all)-1].Shape, mostLines)
	}
}

// TestTunersAtOnce holds that engines that share a file leave it whole: each line is a trial, and later engines find
// some.
func TestTunersAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trials.jsonl")
	g, w := small(t)
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			f := always(map[string]int{"gemm": 900, "winograd4x3": 1000})
			e, err := New(g, w, Options{Threads: 1, Tuner: &Tuner{File: file, Build: fmt.Sprint(i % 3), measure: f.measure}})
			if err != nil {
				t.Error(err)
				return
			}
			e.Close()
		})
	}
	wait.Wait()
	lines, bad, err := readLines(file)
	if err != nil || bad > 0 || len(lines) < smallShapes {
		t.Errorf("%d lines and %d that are none, %v", len(lines), bad, err)
	}
	left, err := filepath.Glob(file + ".*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestChoices holds that an engine makes another's choices: the same plan gives the same bits.
func TestChoices(t *testing.T) {
	g, w := small(t)
	images := weights.Generator{Seed: 5, Gain: 1}.Images(24)
	run := func(e *Engine) []float32 {
		out := make([]float32, 10)
		e.Run(out, images, 1)
		return out
	}
	for i, ns := range []map[string]int{{"gemm": 900, "winograd4x3": 1000}, {"gemm": 1000, "winograd4x3": 900}} {
		e := tuned(t, Tuner{}, always(ns), Options{Threads: 1})
		again, err := New(g, w, Options{Threads: 2, Choices: e.Plan().Choices})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		table, err := New(g, w, Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer table.Close()
		if e.Plan().Hash != again.Plan().Hash || again.Plan().Source != FromCaller || again.Trials().Shapes != 0 {
			t.Errorf("%d: plan %+v, want %+v", i, again.Plan(), e.Plan())
		}
		if !slices.Equal(run(e), run(again)) {
			t.Errorf("%d: the same plan gives other bits", i)
		}
		if e.Plan().Hash == table.Plan().Hash || table.Plan().Source != FromTable || slices.Equal(run(e), run(table)) {
			t.Errorf("%d: the table's plan is no other one", i)
		}
	}

	e := tuned(t, Tuner{}, always(map[string]int{"gemm": 900, "winograd4x3": 1000}), Options{})
	choices := e.Plan().Choices
	with := func(i int, c Choice) []Choice {
		changed := slices.Clone(choices)
		changed[i] = c
		return changed
	}
	for _, test := range []struct {
		name    string
		choices []Choice
		exact   bool
		want    string
	}{
		{"one less", choices[1:], false, "engine: small: plan: algorithms chosen for 3 layers, want 4"},
		{"another layer", with(1, Choice{"layer9", "gemm"}), false, "engine: small: plan: choice 2 is for layer layer9, want first"},
		{"another algorithm", with(1, Choice{"first", "fft"}), false, `engine: small: plan: first: algorithm "fft", want winograd4x3 or gemm`},
		{"exact", choices, true, "engine: small: plan: algorithms chosen for 4 layers, want 0"},
	} {
		_, err := New(g, w, Options{Choices: test.choices, Exact: test.exact})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
}

// TestExactTriesNothing holds that an exact engine has direct algorithms only and no trials.
func TestExactTriesNothing(t *testing.T) {
	f := always(map[string]int{"gemm": 1000, "winograd4x3": 10})
	e := tuned(t, Tuner{}, f, Options{Threads: 1, Exact: true})
	for _, l := range e.Layers() {
		if strings.HasPrefix(l.Algorithm, "winograd") {
			t.Errorf("%s: %s", l.Name, l.Algorithm)
		}
	}
	if len(f.calls) > 0 || len(e.Plan().Choices) > 0 {
		t.Errorf("trials of %v, choices %v", f.calls, e.Plan().Choices)
	}
	g, w := small(t)
	direct := tuned(t, Tuner{}, always(map[string]int{"gemm": 10, "winograd4x3": 1000}), Options{Threads: 1})
	exact, err := New(g, w, Options{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	if direct.Plan().Hash == exact.Plan().Hash {
		t.Error("direct sums in longer blocks have the exact plan's hash")
	}
}

// TestSample holds that the part of a layer that a trial runs is a layer, and of bounded work where that can be.
func TestSample(t *testing.T) {
	square := func(c, size, pad int) kernels.ConvShape {
		return kernels.ConvShape{C: c, H: size, W: size, OC: c, OH: size + 2*pad - 2, OW: size + 2*pad - 2,
			KH: 3, KW: 3, SH: 1, SW: 1, DH: 1, DW: 1, Top: pad, Left: pad, Groups: 1}
	}
	for _, test := range []struct {
		name               string
		shape              kernels.ConvShape
		batch              int
		images, height, oh int
	}{
		{"small", square(64, 14, 1), 1, 1, 14, 14},
		{"small, in a batch", square(64, 14, 1), 8, 8, 14, 14},
		{"large batch", square(128, 28, 1), 32, 1, 28, 28},
		{"some of a batch", square(64, 28, 1), 32, 6, 28, 28},
		{"rows of VGG-16's", square(64, 224, 1), 8, 1, 24, 24},
		{"least rows", square(1024, 112, 0), 1, 1, 14, 12},
	} {
		s, images := sample(test.shape, test.batch)
		if images != test.images || s.H != test.height || s.OH != test.oh {
			t.Errorf("%s: %d images of %d rows to %d, want %d of %d to %d", test.name, images, s.H, s.OH, test.images, test.height, test.oh)
		}
	}
}

// TestShapeText holds that one layer's trials in each precision have a key of their own: their algorithms are not the same.
func TestShapeText(t *testing.T) {
	shape := kernels.ConvShape{C: 8, H: 4, W: 4, OC: 8, OH: 4, OW: 4, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1}
	inBF16, inBytes := shape, shape
	inBF16.BF16, inBytes.BF16, inBytes.Int8 = true, true, true
	seen := map[string]bool{}
	for _, s := range []kernels.ConvShape{shape, inBF16, inBytes} {
		seen[shapeText(&s, 1, 0)] = true
	}
	if len(seen) != 3 {
		t.Errorf("keys %v, want three", seen)
	}
	inBF16.Groups, shape.Groups = 8, 8 // computed in float32
	if got, want := shapeText(&inBF16, 1, 0), shapeText(&shape, 1, 0); got != want {
		t.Errorf("in groups %s, want %s", got, want)
	}
}

// TestTrialsByTheClock logs what the trials take, and holds that they end in good time on a busy machine too.
func TestTrialsByTheClock(t *testing.T) {
	spec, err := zoo.Find("resnet18")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := weights.Generator{}.Source(g.Params)
	e, err := New(g, w, Options{Threads: 2, Tuner: &Tuner{}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	done := e.Trials()
	t.Logf("%d shapes in %v", done.Shapes, done.Time)
	if done.Shapes != 4 || done.Time <= 0 || done.Time > time.Minute {
		t.Errorf("trials %+v", done)
	}
}

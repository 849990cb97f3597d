package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeClock moves only when told: by a system's work, by a wait and, if cost is set, by each reading.
type fakeClock struct {
	now  time.Duration
	cost time.Duration
}

func (c *fakeClock) Now() time.Duration {
	c.now += c.cost
	return c.now
}

func (c *fakeClock) WaitUntil(t time.Duration) { c.now = max(c.now, t) }

// fakeSystem takes the times that took names, one call after another, the last one over and over, and each for every
// image.
type fakeSystem struct {
	clock  *fakeClock
	batch  int
	took   []time.Duration
	each   time.Duration
	calls  int
	images int
	fail   int // the call, from 1, that returns errBroken; 0 for none
}

var errBroken = errors.New("broken")

func (s *fakeSystem) Batch() int { return s.batch }

func (s *fakeSystem) Run(images int) error {
	if images < 1 || images > s.batch {
		return fmt.Errorf("%d images in a batch of %d", images, s.batch)
	}
	s.clock.now += s.took[min(s.calls, len(s.took)-1)] + time.Duration(images)*s.each
	s.calls++
	s.images += images
	if s.calls == s.fail {
		return errBroken
	}
	return nil
}

const ms = time.Millisecond

func Example() {
	clock := &fakeClock{}
	network := &fakeSystem{clock: clock, batch: 8, took: []time.Duration{20 * ms}}
	res, err := Run(context.Background(), network, Options{MinDuration: time.Second, Clock: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(res.Samples), "samples after", res.Warmup, "runs of warm-up")
	fmt.Printf("%.0f images/s, valid: %v\n", res.ImagesPerSec(), res.Verdict.Valid)
	// Output:
	// 50 samples after 11 runs of warm-up
	// 400 images/s, valid: true
}

func TestScenarios(t *testing.T) {
	for _, tt := range []struct {
		name        string
		o           Options
		batch       int
		took        time.Duration
		wantSamples int
		wantSample  time.Duration
		wantImages  int
		wantSpan    time.Duration
	}{
		{"single stream, by duration", Options{MinDuration: 2 * time.Second}, 1, 10 * ms, 200, 10 * ms, 200, 2 * time.Second},
		{"single stream, by samples", Options{MinDuration: ms, MinSamples: 64}, 1, 10 * ms, 64, 10 * ms, 64, 640 * ms},
		{"single stream, a batch a query", Options{MinDuration: time.Second}, 4, 100 * ms, 11, 100 * ms, 44, 1100 * ms},
		{"default is 3 s", Options{}, 1, 100 * ms, 30, 100 * ms, 30, 3 * time.Second},
		{"multi-stream, eight images in two batches", Options{Scenario: MultiStream, MinDuration: time.Second}, 4, 10 * ms, 50, 20 * ms, 400,
			time.Second},
		{"multi-stream, a part of a batch", Options{Scenario: MultiStream, Streams: 9, MinDuration: time.Second}, 4, 10 * ms, 34, 30 * ms, 306,
			1020 * ms},
		{"multi-stream, less than a batch", Options{Scenario: MultiStream, Streams: 3, MinDuration: time.Second}, 4, 10 * ms, 100, 10 * ms, 300,
			time.Second},
		{"offline", Options{Scenario: Offline, MinDuration: time.Second}, 32, 50 * ms, 20, 50 * ms, 640, time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := &fakeClock{}
			tt.o.Clock = clock
			sys := &fakeSystem{clock: clock, batch: tt.batch, took: []time.Duration{tt.took}}
			res, err := Run(context.Background(), sys, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if len(res.Samples) != tt.wantSamples || res.Images != tt.wantImages || res.Span != tt.wantSpan {
				t.Errorf("%d samples, %d images in %v, want %d, %d in %v", len(res.Samples), res.Images, res.Span, tt.wantSamples, tt.wantImages,
					tt.wantSpan)
			}
			for i, s := range res.Samples {
				if time.Duration(s) != tt.wantSample {
					t.Fatalf("sample %d: %v, want %v", i, time.Duration(s), tt.wantSample)
				}
			}
			if !res.Verdict.Valid || res.Warmup < 11 || sys.images-res.Warmup*tt.batch != tt.wantImages {
				t.Errorf("verdict %+v, %d images in %d calls, %d of them warm-up", res.Verdict, sys.images, sys.calls, res.Warmup)
			}
			if res.Call != tt.took || res.Options.MinSamples < 11 || res.Options.MaxDuration == 0 {
				t.Errorf("a call of %v, want %v; options %+v without defaults", res.Call, tt.took, res.Options)
			}
		})
	}
}

func TestWarmup(t *testing.T) {
	falling := make([]time.Duration, 30)
	for i := range falling {
		falling[i] = time.Duration(100-2*i) * ms
	}
	for _, tt := range []struct {
		name        string
		took        []time.Duration
		wantRuns    int
		wantWarning bool
	}{
		{"steady from the start", []time.Duration{10 * ms}, 11, false},
		{"a slow first run", []time.Duration{time.Second, 10 * ms}, 11, false},
		{"falls for 29 runs", falling, 1 + 8*5, false},
		{"quick runs fill the window's time", []time.Duration{ms}, 1 + 2*50, false},
		{"never agrees", alternate(10*ms, 20*ms, 2000), 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := &fakeClock{}
			sys := &fakeSystem{clock: clock, batch: 1, took: tt.took}
			warm := []int{} // calls before each time that the warm-up was said to be over
			res, err := Run(context.Background(), sys, Options{MinDuration: 3 * time.Second, Clock: clock,
				WarmedUp: func() { warm = append(warm, sys.calls) }})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(warm, []int{res.Warmup}) {
				t.Errorf("warm-up was over after %v calls, want %d", warm, res.Warmup)
			}
			if tt.wantRuns > 0 && res.Warmup != tt.wantRuns {
				t.Errorf("warm-up of %d runs, want %d", res.Warmup, tt.wantRuns)
			}
			if got := hasPart(res.Verdict.Warnings, "warm-up did not settle"); got != tt.wantWarning {
				t.Errorf("warnings %q, want one about warm-up: %v", res.Verdict.Warnings, tt.wantWarning)
			}
			if tt.wantWarning && res.WarmupTime > 4*time.Second {
				t.Errorf("warm-up went on for %v", res.WarmupTime)
			}
		})
	}
}

// alternate gives count times: after the first, windowRuns of a, then as many of b, and so on, so that no two
// successive windows agree.
func alternate(a, b time.Duration, count int) []time.Duration {
	out := make([]time.Duration, count)
	for i := range out {
		out[i] = a
		if (i-1)/windowRuns%2 == 1 {
			out[i] = b
		}
	}
	return out
}

func hasPart(texts []string, part string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, part) })
}

func TestServer(t *testing.T) {
	clock := &fakeClock{}
	sys := &fakeSystem{clock: clock, batch: 1, took: []time.Duration{ms}}
	o := Options{Scenario: Server, Rate: 100, MinDuration: 20 * time.Second, LatencyBound: 50 * ms, Seed: 1, Clock: clock}
	res, err := Run(context.Background(), sys, o)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.Samples); n < 1850 || n > 2150 {
		t.Errorf("%d queries in 20 s at 100 a second", n)
	}
	if !res.Verdict.Valid || res.Late != 0 || res.Unanswered != 0 {
		t.Errorf("a lightly loaded server: %+v, late %d, unanswered %d", res.Verdict, res.Late, res.Unanswered)
	}
	// The mean time in an M/D/1 queue is the service time s plus s·u/(2·(1-u)), u the utilisation: here 1 ms + 1
	// ms·0.1/1.8 = 1.056 ms.
	var sum float64
	for _, s := range res.Samples {
		sum += float64(s)
	}
	if mean := sum / float64(len(res.Samples)) / 1e6; math.Abs(mean-1.056) > 0.02 {
		t.Errorf("mean latency %.3f ms, want 1.056 as queueing theory has it", mean)
	}

	again := &fakeSystem{clock: &fakeClock{}, batch: 1, took: []time.Duration{ms}}
	o.Clock = again.clock
	res2, err := Run(context.Background(), again, o)
	if err != nil || !slices.Equal(res.Samples, res2.Samples) {
		t.Errorf("same seed, other samples (error %v)", err)
	}
}

// TestServerPaysForWhatItAsks lets queries come so seldom that none waits for another: each must take the time of one
// image, whatever the batch.
func TestServerPaysForWhatItAsks(t *testing.T) {
	clock := &fakeClock{}
	sys := &fakeSystem{clock: clock, batch: 8, took: []time.Duration{2 * ms}, each: 10 * ms}
	res, err := Run(context.Background(), sys,
		Options{Scenario: Server, Rate: 0.1, Seed: 1, MinDuration: 200 * time.Second, MaxDuration: time.Hour, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if sorted := slices.Sorted(slices.Values(res.Samples)); len(sorted) < 11 || time.Duration(sorted[len(sorted)/2]) != 12*ms {
		t.Errorf("samples %v, want a median of 12 ms", sorted)
	}
	if res.Call != 82*ms || sys.images-8*res.Warmup != res.Images || res.Images != len(res.Samples) {
		t.Errorf("a full batch takes %v, want 82 ms; %d images done for %d queries", res.Call, sys.images-8*res.Warmup, len(res.Samples))
	}
}

func TestServerVerdict(t *testing.T) {
	slower := append(slices.Repeat([]time.Duration{10 * ms}, 11), 200*ms) // once it is warm
	dearer := append(slices.Repeat([]time.Duration{10 * ms}, 11), 10400*time.Microsecond)
	cheaper := append(slices.Repeat([]time.Duration{10800 * time.Microsecond}, 11), 10*ms)
	for _, tt := range []struct {
		name  string
		o     Options
		batch int
		took  []time.Duration
		want  []string // parts of the reasons, none for valid
	}{
		{"more than is done by the end", Options{Rate: 200, LatencyBound: 50 * ms}, 1, nil,
			[]string{"overloaded: ", "queries had no answer after 25s", "latency bound: "}},
		{"batches carry the same load", Options{Rate: 200, LatencyBound: 50 * ms}, 8, nil, nil},
		{"bound too tight", Options{Rate: 90, LatencyBound: 12 * ms}, 1, nil, []string{"too many if 99 % are to keep the bound"}},
		{"no bound", Options{Rate: 90}, 1, nil, nil},
		{"too few queries to vouch for a bound", Options{Rate: 5, LatencyBound: time.Second}, 1, nil,
			[]string{"0 of ", "too few queries to show that 99 % keep the bound"}},
		{"twice too much, all worked off", Options{Rate: 200, MinDuration: 3 * time.Second, MaxDuration: time.Minute}, 1, nil,
			[]string{"overloaded: queries arrived for 2.99", "overloaded: 200 images a second arrive, full batches answer at most 100"}},
		{"a little too much", Options{Rate: 105}, 1, nil, []string{"overloaded: queries arrived for ", "overloaded: 105 images a second"}},
		{"a little too much, too short for a line", Options{Rate: 105, MinDuration: 3 * time.Second}, 1, nil,
			[]string{"overloaded: 105 images a second"}},
		{"a little too much for long", Options{Rate: 99, MinDuration: 10 * time.Minute, MaxDuration: time.Hour}, 1, dearer,
			[]string{"overloaded: queries arrived for 9m59"}},
		{"nearly all it can do for long", Options{Rate: 95, MinDuration: 10 * time.Minute, MaxDuration: time.Hour}, 1, nil, nil},
		{"rate beyond the warm-up's", Options{Rate: 94, MinDuration: time.Minute, MaxDuration: time.Hour}, 1, cheaper, nil},
		{"rate beyond the warm-up's for batches", Options{Rate: 752, MinDuration: time.Minute, MaxDuration: time.Hour}, 8, cheaper, nil},
		{"too much for batches", Options{Rate: 900}, 8, nil,
			[]string{"overloaded: 900 images a second arrive, full batches answer at most 800"}},
		{"slower under load", Options{Rate: 10, MaxDuration: time.Hour}, 1, slower, []string{"overloaded: queries arrived for "}},
		{"as slow at a rate for it", Options{Rate: 3, MaxDuration: time.Hour}, 1, slower, nil},
		{"short, nearly all it can do", Options{Rate: 90, MinDuration: 300 * ms}, 1, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := &fakeClock{}
			sys := &fakeSystem{clock: clock, batch: tt.batch, took: tt.took}
			if tt.took == nil {
				sys.took = []time.Duration{10 * ms}
			}
			tt.o.Scenario, tt.o.Seed, tt.o.Clock = Server, 2, clock
			tt.o.MinDuration, tt.o.MaxDuration = cmp.Or(tt.o.MinDuration, 20*time.Second), cmp.Or(tt.o.MaxDuration, 25*time.Second)
			res, err := Run(context.Background(), sys, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict.Valid != (len(tt.want) == 0) {
				t.Errorf("verdict %+v, want %q", res.Verdict, tt.want)
			}
			for _, want := range tt.want {
				if !hasPart(res.Verdict.Reasons, want) {
					t.Errorf("reasons %q, want %q among them", res.Verdict.Reasons, want)
				}
			}
			if res.LastArrival <= 0 || res.LastArrival > res.Span && res.Unanswered == 0 {
				t.Errorf("the last query came after %v, the last answer after %v", res.LastArrival, res.Span)
			}
		})
	}
}

// TestServerCutOff ends runs at half of what the system can do while queries still come: some end with one in line,
// which is no overload.
func TestServerCutOff(t *testing.T) {
	cut := 0
	for seed := range uint64(50) {
		clock := &fakeClock{}
		sys := &fakeSystem{clock: clock, batch: 1, took: []time.Duration{10 * ms}}
		o := Options{Scenario: Server, Rate: 50, MinDuration: time.Minute, MaxDuration: time.Minute, Seed: seed, Clock: clock}
		res, err := Run(context.Background(), sys, o)
		if err != nil {
			t.Fatal(err)
		}
		if res.Unanswered > 0 {
			cut++
		}
		if told := hasPart(res.Verdict.Warnings, "cut off: "); !res.Verdict.Valid || told != (res.Unanswered > 0) {
			t.Errorf("seed %d: %d queries unanswered, the oldest of %v: verdict %+v", seed, res.Unanswered, res.Oldest, res.Verdict)
		}
	}
	if cut == 0 {
		t.Error("no run ended with a query in line")
	}
}

func TestVerdict(t *testing.T) {
	steady := make([]time.Duration, 300)
	for i := range steady {
		steady[i] = 10 * ms
	}
	// with replaces the samples after eleven runs of warm-up by f.
	with := func(f func(i int) time.Duration) []time.Duration {
		out := slices.Clone(steady)
		for i := 11; i < len(out); i++ {
			out[i] = f(i - 11)
		}
		return out
	}
	for _, tt := range []struct {
		name        string
		o           Options
		took        []time.Duration
		wantReason  string
		wantWarning string
	}{
		{"steady", Options{}, steady, "", ""},
		{"some noise", Options{MinDuration: 2 * time.Second},
			with(func(i int) time.Duration { return 10*ms + time.Duration(i*7919%21-10)*ms/30 }), "", ""},
		{"noise to warn of", Options{MinDuration: 200 * ms}, with(func(i int) time.Duration { return 10*ms + time.Duration(i*7%11-5)*ms/6 }),
			"", "noise: "},
		{"too noisy", Options{MinDuration: 200 * ms}, with(func(i int) time.Duration { return 10*ms + time.Duration(i*7%11-5)*ms }), "noise: ",
			""},
		{"drift to warn of", Options{MinDuration: 2 * time.Second}, with(func(i int) time.Duration { return 10*ms + time.Duration(i)*ms/200 }),
			"", "drift: "},
		{"drifts", Options{MinDuration: 2 * time.Second}, with(func(i int) time.Duration { return 10*ms + time.Duration(i)*ms/50 }), "drift: ",
			""},
		{"too few", Options{MinDuration: 100 * ms, MaxDuration: 200 * ms, MinSamples: 64}, steady, "too few samples: have 20, want 64", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := &fakeClock{}
			tt.o.Clock = clock
			res, err := Run(context.Background(), &fakeSystem{clock: clock, batch: 1, took: tt.took}, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			v := res.Verdict
			if v.Valid != (tt.wantReason == "") || (tt.wantReason != "" && !hasPart(v.Reasons, tt.wantReason)) {
				t.Errorf("reasons %q, want %q", v.Reasons, tt.wantReason)
			}
			if tt.wantWarning == "" && tt.wantReason == "" && len(v.Warnings) > 0 || tt.wantWarning != "" && !hasPart(v.Warnings, tt.wantWarning) {
				t.Errorf("warnings %q, want %q", v.Warnings, tt.wantWarning)
			}
		})
	}
}

// TestOverheadCounted runs the system that does nothing on a clock whose readings cost 30 ns: what is reported must
// be that cost, in the samples and as overhead.
func TestOverheadCounted(t *testing.T) {
	clock := &fakeClock{cost: 30}
	res, err := Run(context.Background(), null{}, Options{MinDuration: ms, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	if res.Overhead != 30 {
		t.Errorf("overhead %v, want 30ns", res.Overhead)
	}
	for _, s := range res.Samples {
		if s != 30 {
			t.Fatalf("sample of %d ns for nothing, want 30", s)
		}
	}
	if !hasPart(res.Verdict.Warnings, "the harness itself takes 30ns of the median of 30ns") {
		t.Errorf("warnings %q do not tell of the harness's share", res.Verdict.Warnings)
	}
}

// TestNullSystem bounds the harness's own cost on the real clock.
func TestNullSystem(t *testing.T) {
	res, err := Run(context.Background(), null{}, Options{MinDuration: 20 * ms})
	if err != nil {
		t.Fatal(err)
	}
	sorted := slices.Sorted(slices.Values(res.Samples))
	// Two readings of the clock take about 50 ns; a machine a hundred times as slow is not one that this test knows.
	if p50 := sorted[len(sorted)/2]; p50 > 5000 || res.Overhead > 5*time.Microsecond {
		t.Errorf("a query of nothing takes %d ns, overhead %v, want under 5 µs", p50, res.Overhead)
	}
	var sum int64
	for _, s := range res.Samples {
		sum += s
	}
	if time.Duration(sum) > res.Span {
		t.Errorf("samples add up to %v in a span of %v", time.Duration(sum), res.Span)
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		sys  fakeSystem
		want string
	}{
		{"unknown scenario", Options{Scenario: "bursts"}, fakeSystem{batch: 1},
			`load: scenario: have "bursts", want one of [single_stream multi_stream offline server]`},
		{"server without rate", Options{Scenario: Server}, fakeSystem{batch: 1}, "load: server: rate: have 0"},
		{"rate is NaN", Options{Scenario: Server, Rate: math.NaN()}, fakeSystem{batch: 1}, "load: server: rate: have NaN"},
		{"negative duration", Options{MinDuration: -1}, fakeSystem{batch: 1}, "negative"},
		{"no batch", Options{}, fakeSystem{batch: 0}, "load: system: batch: have 0, want at least 1"},
		{"fails in warm-up", Options{}, fakeSystem{batch: 1, fail: 3}, "load: single_stream: broken"},
		{"fails later", Options{}, fakeSystem{batch: 1, fail: 40}, "load: single_stream: broken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := &fakeClock{}
			tt.o.Clock, tt.sys.clock, tt.sys.took = clock, clock, []time.Duration{10 * ms}
			res, err := Run(context.Background(), &tt.sys, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if res.Verdict.Valid {
				t.Error("a valid verdict beside an error")
			}
			if tt.sys.fail == 40 && (len(res.Samples) != 28 || !errors.Is(err, errBroken)) {
				t.Errorf("%d samples kept, want 28", len(res.Samples))
			}
		})
	}
}

func TestCancel(t *testing.T) {
	clock := &fakeClock{}
	ctx, cancel := context.WithCancel(context.Background())
	sys := &cancelling{fakeSystem{clock: clock, batch: 1, took: []time.Duration{10 * ms}}, cancel}
	res, err := Run(ctx, sys, Options{Clock: clock})
	if !errors.Is(err, context.Canceled) || res.Verdict.Valid || len(res.Samples) != 9 {
		t.Errorf("error %v, verdict %+v, %d samples; want 9 and cancelled", err, res.Verdict, len(res.Samples))
	}
}

// cancelling calls stop during its 20th run.
type cancelling struct {
	fakeSystem
	stop func()
}

func (c *cancelling) Run(images int) error {
	if c.calls == 19 {
		c.stop()
	}
	return c.fakeSystem.Run(images)
}

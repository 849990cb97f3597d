// Package load puts queries to a system under a scenario and times them.
//
// Contract: the system is two methods, so anything can be timed. Inputs are ready before the clock starts; a sample
// is the time of one query in nanoseconds by a monotonic clock, in order of measurement, none left out. Warm-up ends
// when two successive windows of runs agree and at least 11 runs are over. The scenarios are those of MLPerf's
// LoadGen (Reddi et al., arXiv 1911.02549): in the single stream a query is one batch and follows the one before;
// multi-stream groups a number of images in a query; offline has all images from the start; the server's
// queries of one image arrive as a seeded Poisson process and wait in line, their time counting from the scheduled
// arrival, so that a slow answer cannot hide the queue behind it. The system is told how many images it is to answer,
// so that no query pays for a batch that it does not fill. Every result carries the harness's own cost, measured on a
// system that does nothing, and a verdict with its reasons.
//
// Queries run one at a time on the caller's goroutine. It leaves to others what a query computes, the summary of
// samples (bench/stat) and their storage (bench/record).
package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"zoobench/bench/stat"
)

// A System is what is timed.
type System interface {
	// Batch returns how many images one call of Run takes at most, at least 1.
	Batch() int
	// Run answers so many images, at least 1 and at most Batch, whose input is ready.
	Run(images int) error
}

// A Scenario says how queries arrive.
type Scenario string

// The scenarios of MLPerf's LoadGen. The empty Scenario is the single stream.
const (
	SingleStream Scenario = "single_stream"
	MultiStream  Scenario = "multi_stream"
	Offline      Scenario = "offline"
	Server       Scenario = "server"
)

// Scenarios returns the names of all scenarios.
func Scenarios() []Scenario { return []Scenario{SingleStream, MultiStream, Offline, Server} }

// Options set a run. The zero value is a single stream of at least 3 s and 11 samples.
type Options struct {
	Scenario    Scenario
	MinDuration time.Duration // of the samples, warm-up apart; default 3 s
	MaxDuration time.Duration // ends the run with what there is; default 60 s or 4 × MinDuration if longer
	MinSamples  int           // default 11, as many as a median takes

	Streams int // multi-stream: images a query; default 8

	Rate         float64       // server: mean arrivals, images a second; required
	LatencyBound time.Duration // server: 99 % of queries must keep it; 0 for no bound
	Seed         uint64        // server: of the arrivals

	// Part says that the samples are one process's share of a measurement. Their spread and the bound are then judged
	// over all shares (see JudgeBound); here they are warnings only.
	Part bool

	WarmedUp func() // called once, before the first sample; nil for nothing

	Clock Clock // default: the system's monotonic clock
}

// WithDefaults returns o with every default filled in, or an error for a setting that makes no sense.
func (o Options) WithDefaults() (Options, error) {
	if o.Scenario == "" {
		o.Scenario = SingleStream
	}
	if !slices.Contains(Scenarios(), o.Scenario) {
		return o, fmt.Errorf("load: scenario: have %q, want one of %v", o.Scenario, Scenarios())
	}
	if o.MinDuration < 0 || o.MaxDuration < 0 || o.MinSamples < 0 || o.Streams < 0 || o.LatencyBound < 0 {
		return o, fmt.Errorf("load: options: a duration or count is negative: %+v", o)
	}
	if o.MinDuration == 0 {
		o.MinDuration = 3 * time.Second
	}
	if o.MaxDuration == 0 {
		o.MaxDuration = max(time.Minute, 4*o.MinDuration)
	}
	if o.MinSamples == 0 {
		o.MinSamples = stat.MinSamples(0.5)
	}
	if o.Streams == 0 {
		o.Streams = 8
	}
	if o.Scenario == Server && !(o.Rate > 0) {
		return o, fmt.Errorf("load: server: rate: have %v images a second, want more than 0", o.Rate)
	}
	if o.Clock == nil {
		o.Clock = newMonotonic()
	}
	return o, nil
}

// A Result is what a run measured.
type Result struct {
	Scenario    Scenario
	Options     Options       // the run's, with every default filled in
	Samples     []int64       // ns a query, in order of completion
	Batch       int           // the system's: images of a full batch
	Images      int           // that went through while samples were taken
	Span        time.Duration // first query's start to last query's end
	Warmup      int           // calls of Run before the first sample, a full batch each
	WarmupTime  time.Duration
	Call        time.Duration // of a full batch: the median of warm-up's last window
	Overhead    time.Duration // of the harness in each sample, measured on a system that does nothing
	LastArrival time.Duration // server: of the last query that came, after the start
	Late        int           // server: queries over the latency bound, unanswered ones included
	MeanCall    time.Duration // server: of the run's calls, whatever they were filled to
	FullCall    time.Duration // server: the mean of those of a full batch, 0 for none
	Unanswered  int           // server: arrived and left in line when MaxDuration passed
	Oldest      time.Duration // server: arrival of the first of them, after the start
	Verdict     Verdict
}

// A Verdict says whether samples are to be trusted: not where there are reasons. Warnings are for the reader to
// weigh.
type Verdict struct {
	Valid    bool
	Reasons  []string
	Warnings []string
}

// ImagesPerSec returns the images done over the span, 0 where nothing was measured.
func (r Result) ImagesPerSec() float64 {
	if r.Span <= 0 {
		return 0
	}
	return float64(r.Images) / r.Span.Seconds()
}

// Run warms sys up and times it under o's scenario until both MinDuration and MinSamples are reached or MaxDuration
// is over. An error of sys or a cancelled context ends it with that error and the result so far, whose verdict then
// is not valid.
func Run(ctx context.Context, sys System, o Options) (Result, error) {
	o, err := o.WithDefaults()
	if err != nil {
		return Result{}, err
	}
	if sys.Batch() < 1 {
		return Result{}, fmt.Errorf("load: system: batch: have %d, want at least 1", sys.Batch())
	}
	r := run{ctx: ctx, sys: sys, o: o, clock: o.Clock, res: Result{Scenario: o.Scenario, Options: o, Batch: sys.Batch()}}
	r.res.Overhead = overhead(o.Clock)
	settled, err := r.warmUp()
	if err == nil {
		if o.WarmedUp != nil {
			o.WarmedUp()
		}
		switch o.Scenario {
		case SingleStream:
			err = r.stream(sys.Batch())
		case MultiStream:
			err = r.stream(o.Streams)
		case Offline:
			err = r.offline()
		case Server:
			err = r.server()
		}
	}
	r.res.Verdict = judge(&r.res, o, settled, err)
	if err != nil {
		return r.res, fmt.Errorf("load: %s: %w", o.Scenario, err)
	}
	return r.res, nil
}

// A run is one call of Run under way.
type run struct {
	ctx   context.Context
	sys   System
	o     Options
	clock Clock
	res   Result
}

// once performs one call of the system, unless the context is over.
func (r *run) once(images int) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.sys.Run(images)
}

// done reports whether the samples suffice, or the time is up, at the given time after the first query's start.
func (r *run) done(elapsed time.Duration) bool {
	if elapsed >= r.o.MaxDuration {
		return true
	}
	return elapsed >= r.o.MinDuration && len(r.res.Samples) >= r.o.MinSamples
}

// stream issues queries of so many images one after another, a query in as few calls as it takes. Time between the
// end of one and the start of the next is not part of any sample.
func (r *run) stream(images int) error {
	batch := r.sys.Batch()
	start := r.clock.Now()
	for {
		begin := r.clock.Now()
		for left := images; left > 0; left -= batch {
			if err := r.once(min(left, batch)); err != nil {
				return err
			}
		}
		end := r.clock.Now()
		r.res.Samples = append(r.res.Samples, int64(end-begin))
		r.res.Images += images
		r.res.Span = end - start
		if r.done(r.res.Span) {
			return nil
		}
	}
}

// offline runs batch after batch; a sample is the time from one completion to the next, so that samples add up to the
// span and nothing between them is lost.
func (r *run) offline() error {
	batch := r.sys.Batch()
	start := r.clock.Now()
	for last := start; ; {
		if err := r.once(batch); err != nil {
			return err
		}
		end := r.clock.Now()
		r.res.Samples = append(r.res.Samples, int64(end-last))
		r.res.Images += batch
		r.res.Span = end - start
		last = end
		if r.done(r.res.Span) {
			return nil
		}
	}
}

// server lets queries of one image arrive at random and answers those that wait, up to a batch at a time, oldest
// first. Arrivals go on for MinDuration and until MinSamples have come; then the line is worked off.
func (r *run) server() error {
	rng := rand.New(rand.NewPCG(r.o.Seed, 0))
	wait := func() time.Duration {
		return time.Duration(rng.ExpFloat64() / r.o.Rate * float64(time.Second))
	}
	start := r.clock.Now()
	next := wait() // arrivals are times after start
	var line []time.Duration
	arrived := 0
	var all, full mean
	for {
		now := r.clock.Now() - start
		open := func() bool { return next < r.o.MinDuration || arrived < r.o.MinSamples }
		for open() && next <= now {
			line = append(line, next)
			r.res.LastArrival = next
			arrived++
			next += wait()
		}
		if now >= r.o.MaxDuration {
			if r.res.Unanswered = len(line); len(line) > 0 {
				r.res.Oldest = line[0]
			}
			break
		}
		if len(line) == 0 {
			if !open() {
				break
			}
			r.clock.WaitUntil(start + min(next, r.o.MaxDuration))
			if err := r.ctx.Err(); err != nil {
				return err
			}
			continue
		}
		n := min(r.sys.Batch(), len(line))
		if err := r.once(n); err != nil {
			return err
		}
		end := r.clock.Now() - start
		r.res.MeanCall = all.add(end - now)
		if n == r.sys.Batch() {
			r.res.FullCall = full.add(end - now)
		}
		for _, arrival := range line[:n] {
			r.res.Samples = append(r.res.Samples, int64(end-arrival))
			if r.o.LatencyBound > 0 && end-arrival > r.o.LatencyBound {
				r.res.Late++
			}
		}
		line = line[n:]
		r.res.Images += n
		r.res.Span = end
	}
	r.res.Late += r.res.Unanswered
	return nil
}

// A mean is that of the durations added so far.
type mean struct{ sum, count time.Duration }

// add takes d in and returns the mean.
func (m *mean) add(d time.Duration) time.Duration {
	m.sum += d
	m.count++
	return m.sum / m.count
}

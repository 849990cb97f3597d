package findings

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"zoobench/bench/lessons"
	"zoobench/bench/record"
)

// A Network is what a graph is made of, at the network's own input size and 1000 classes, for one image.
type Network struct {
	Name, Family string
	Year         int
	Size         int // pixels
	Params       int64
	MACs         int64
	Layers       []Layer // in order of execution
}

// A Layer is one node of a graph.
type Layer struct {
	Name, Op string // as conv, linear, max_pool
	In, Out  [3]int // channels, rows, columns
	Kernel   [2]int // rows, columns; zero where it has none
	Groups   int    // of a convolution
	Params   int64
	MACs     int64
}

// depthwise reports whether each channel of the layer's input is convolved alone.
func (l *Layer) depthwise() bool { return l.Op == "conv" && l.Groups > 1 && l.Groups == l.In[0] }

// linear reports whether each output of the layer depends on all of its input: a linear layer, or a convolution whose
// window is the whole image.
func (l *Layer) linear() bool {
	return l.Op == "linear" || l.Op == "conv" && l.Groups <= 1 && l.Kernel == [2]int{l.In[1], l.In[2]} && l.Out[1] == 1 && l.Out[2] == 1
}

// evidence is what claims are tested on.
type evidence struct {
	networks map[string]*Network
	order    []*Network
	timed    []*record.Record            // sound, valid, with a median and its interval
	clocked  []*record.Record            // sound, with a median, valid or not
	single   map[string]*record.Record   // of those, one image on one thread at the network's own size, plain
	untimed  map[string]string           // why a network has none
	judged   map[string][]*record.Record // by network.tag, sound and valid, one a size; see judge
	own      map[string]int              // by network.tag, its own input size, where a record shows it
	host     *record.Record
	reduced  []*record.Record // in other precisions than float32, which all others are in
	samples  func(*record.Record) ([]record.Sample, error)
	right    map[*record.Record]map[string]bool    // see answers
	lessons  map[string]map[uint64]*lessons.Lesson // by network.recipe and seed
}

func newEvidence(records []record.Record, given Given) *evidence {
	e := &evidence{
		networks: map[string]*Network{}, single: map[string]*record.Record{},
		untimed: map[string]string{}, judged: map[string][]*record.Record{}, own: map[string]int{},
		samples: given.Samples, right: map[*record.Record]map[string]bool{}, lessons: map[string]map[uint64]*lessons.Lesson{},
	}
	taught := lessons.Gather(records, given.Samples)
	if len(taught) == 0 {
		taught = given.Lessons
	}
	for i := range taught {
		l := &taught[i]
		name := l.Network + "." + l.Recipe
		if e.lessons[name] == nil {
			e.lessons[name] = map[uint64]*lessons.Lesson{}
		}
		e.lessons[name][l.Seed] = l
	}
	for i := range given.Networks {
		n := &given.Networks[i]
		if e.networks[n.Name] == nil {
			e.networks[n.Name] = n
			e.order = append(e.order, n)
		}
	}
	var sound []*record.Record
	for i := range records {
		r := &records[i]
		now := *r
		now.Schema = record.Schema
		if now.Check() != nil {
			continue
		}
		sound = append(sound, r)
		if r.Kind == record.KindHost && r.Host != nil {
			e.host = r
		}
	}
	for _, r := range sound {
		judged := r.Kind == record.KindEval && r.Accuracy != nil && r.Verdict.Valid && r.RanWith().Corruption == ""
		switch {
		case r.Family == SmallFamily:
			if r.Kind == record.KindLatency && blunt(r) == "" && r.RanWith().Precision == "" {
				e.timed = append(e.timed, r) // curves of one network
			}
		case r.RanWith().Precision != "":
			if judged || r.Kind == record.KindLatency && blunt(r) == "" {
				e.reduced = append(e.reduced, r)
			}
		case judged:
			e.judge(r)
		case r.Kind == record.KindLatency:
			e.time(r)
		}
	}
	return e
}

// SmallFamily is the family of the networks for images of 32×32 pixels. Their accuracies and times are never compared with those of
// networks for ImageNet: what is found of them rests on lessons.
const SmallFamily = "pocket"

// blunt is why a latency record cannot decide anything, "" for one that can.
func blunt(r *record.Record) (why string) {
	switch {
	case r.Timing == nil:
		why = cmp.Or(r.NotMeasured["latency_p50_ns"], r.Why("latency_min_ns"))
	case !r.Verdict.Valid:
		why = strings.Join(r.Verdict.Reasons, "; ")
	case r.P50 <= 0 || r.P50Lo <= 0 || r.P50Hi < r.P50 || len(r.Processes) < 2:
		why = fmt.Sprintf("%d samples in one process have no interval of the median", r.N)
		if len(r.Processes) > 1 {
			why = fmt.Sprintf("%d samples in %d processes are too few for an interval of the median", r.N, len(r.Processes))
		}
	}
	return why
}

// time takes a latency record.
func (e *evidence) time(r *record.Record) {
	why := blunt(r)
	if r.Timing != nil && r.P50 > 0 {
		e.clocked = append(e.clocked, r)
	}
	n := e.networks[r.Model]
	alone := r.Batch == 1 && r.Threads == 1 && r.Scenario == "single_stream" && (n == nil || n.Size == r.ImgSize) && e.plain(r)
	if why != "" {
		e.untimed[r.Model] = "no valid latency: " + why
		return
	}
	e.timed = append(e.timed, r)
	if before := e.single[r.Model]; alone && (before == nil || !r.Time.Before(before.Time)) {
		e.single[r.Model] = r
	}
}

// plain reports whether a record was made with the engine's own choice of algorithms and of instructions, which the
// host's record names: a row's own machine names the instructions that the row ran with.
func (e *evidence) plain(r *record.Record) bool {
	if a := r.Asked; a != nil && a.ISA != "" && (e.host == nil || a.ISA != e.host.Machine.ISA) {
		return false
	}
	s := r.Effective
	return s == nil || s.OwnChoice() && s.ISA == cmp.Or(r.Machine.ISA, s.ISA)
}

// Kinds of records that a claim can lack by a network's or a checkpoint's name.
const (
	lacksTop1    = "top-1"
	lacksLatency = "latency"
)

// lacks collects what is missing, each once.
type lacks []string

func (l *lacks) add(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(*l, text) {
		*l = append(*l, text)
	}
}

// network returns a graph's counts, nil where they are missing.
func (e *evidence) network(name string, l *lacks) *Network {
	n := e.networks[name]
	if n == nil {
		l.add("the graph of %s", name)
	}
	return n
}

// latency returns the record of one image on one thread at the network's own size, nil where it is missing.
func (e *evidence) latency(name string, l *lacks) *record.Record {
	r := e.single[name]
	switch {
	case r != nil:
	case e.untimed[name] != "":
		l.add("%s: %s", name, e.untimed[name])
	default:
		l.add(lacksLatency+" of %s", name)
	}
	return r
}

// quotient returns how many times as long a takes as b, times a factor, by the processes of both, round by round where they
// are of one run. Of rows of one process nothing is known but the ratio.
func quotient(a, b *record.Record, factor float64) estimate {
	r, ok := record.LatencyRatio(scaled(a, factor), b)
	if !ok {
		return estimate{span{float64(a.P50) / float64(b.P50) * factor, 0, math.Inf(1)}, func(float64) float64 { return 1 }}
	}
	return estimate{span{r.Times, r.Lo, r.Hi}, func(bound float64) float64 {
		r, _ := record.LatencyRatio(scaled(a, factor/bound), b)
		return r.P
	}}
}

// scaled is a record whose processes took that many times as long.
func scaled(r *record.Record, times float64) *record.Record {
	c, timing := *r, *r.Timing
	timing.Processes = slices.Clone(timing.Processes)
	for i := range timing.Processes {
		p := &timing.Processes[i]
		p.P50 = int64(math.Round(float64(p.P50) * times))
	}
	c.Timing = &timing
	return &c
}

// Texts of figures.
func mega(v int64) string         { return fmt.Sprintf("%.2f M", float64(v)/1e6) }
func giga(v int64) string         { return fmt.Sprintf("%.3f G", float64(v)/1e9) }
func percentOf(a, b int64) string { return fmt.Sprintf("%+.2f %%", 100*(float64(a)/float64(b)-1)) }
func milliseconds(r *record.Record) string {
	return fmt.Sprintf("%.2f ms [%.2f, %.2f]", float64(r.P50)/1e6, float64(r.P50Lo)/1e6, float64(r.P50Hi)/1e6)
}
func px(r *record.Record) string { return fmt.Sprint(r.ImgSize) }
func top1(r *record.Record) string {
	return fmt.Sprintf("%.2f %% [%.2f, %.2f]", r.Top1, r.Top1Lo, r.Top1Hi)
}

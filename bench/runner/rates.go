package runner

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"zoobench/bench/load"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/nn"
)

// nature is what a network mostly computes. It decides how near to a core's peak the network comes.
type nature string

const (
	dense     nature = "dense"
	depthwise nature = "depthwise"
	attention nature = "attention"
)

// shares are what of a core's peak the natures reach, in multiply-adds of the direct sum, of which Winograd's algorithm needs a
// part. They are measured on an AMD EPYC (family 26 model 2), whose core does 132 G a second: forward on the README's networks,
// in training on ResNet-20, MobileNetV2 and a ViT for 32×32 pixels.
var shares = map[bool]map[nature]float64{ // by whether it is training
	false: {dense: 1.2, depthwise: 0.65, attention: 0.85},
	true:  {dense: 0.55, depthwise: 0.04, attention: 0.17},
}

// referencePeak is the peak of the core that work is dealt out for, in multiply-adds a second: AVX2 at 3 GHz.
const referencePeak = 48e9

// Times that depend on the images and not on the network.
const (
	decodeTime  = 15 * time.Millisecond  // to decode and resize a photograph
	computeTime = 100 * time.Microsecond // to compute a small image, or to read its pixels
	varyTime    = 20 * time.Microsecond  // to vary a small image in training
)

// rates are how long images take on one core. The zero value of measured is what the stated shares of the peak say: that alone
// may decide who does what, since every machine must come to the same answer.
type rates struct {
	peak     float64             // multiply-adds a second
	measured map[work][]measured // by what was done
	networks map[string]nature   // by name, as they are found out
}

// work is what takes time: rates of one kind of work say nothing of another's.
type work struct {
	kind  record.Kind
	small bool // of images that need no decoding
}

// measured is how long an image took of one network, in the cache folder.
type measured struct {
	Class  string      `json:"class"` // of machine
	Kind   record.Kind `json:"kind"`
	Small  bool        `json:"small,omitempty"`
	Model  string      `json:"model"`
	Size   int         `json:"img_size"`
	Nature nature      `json:"nature"`
	MACs   int64       `json:"macs"`
	Nanos  float64     `json:"core_ns_per_image"` // of one core; in training, forward and backward
}

// statedRates are those that work is dealt out by.
func statedRates() *rates { return &rates{peak: referencePeak, networks: map[string]nature{}} }

// machineRates are this machine's: what the cache folder has of its class, what the run's own records say, and its peak.
func machineRates(list *zoo.List, c Cache, records []record.Record) (*rates, error) {
	r := &rates{peak: corePeak(), measured: map[work][]measured{}, networks: map[string]nature{}}
	class := record.ThisMachine().Class()
	earlier, err := c.readRates()
	if err != nil {
		return nil, err
	}
	for _, m := range earlier {
		if m.Class == class {
			r.take(m)
		}
	}
	for i := range records {
		if m, ok := r.rateOf(list, &records[i]); ok && m.Class == class {
			r.take(m)
		}
	}
	return r, nil
}

// corePeak is the most multiply-adds a second that a core has done in some short trials.
func corePeak() float64 {
	const rounds, trials = 50_000, 5
	best := 0.0
	for range trials {
		start := time.Now()
		flops := kernels.PeakRounds(rounds)
		best = max(best, float64(flops)/2/max(time.Since(start), time.Nanosecond).Seconds())
	}
	return best
}

// take keeps a rate in the place of an earlier one of the same network and size.
func (r *rates) take(m measured) {
	w := work{m.Kind, m.Small}
	r.measured[w] = slices.DeleteFunc(r.measured[w], func(o measured) bool { return o.Model == m.Model && o.Size == m.Size })
	r.measured[w] = append(r.measured[w], m)
}

// rateOf is what a record says of the rate of its network, nothing where it is not valid or of settings of its own.
func (r *rates) rateOf(list *zoo.List, rec *record.Record) (m measured, ok bool) {
	if rec.Cost == nil || rec.MACs == 0 || !rec.Verdict.Valid || len(rec.NotMeasured) > 0 {
		return m, false
	}
	if s := rec.Effective; s != nil && (s.Precision != "" || s.Exact) {
		return m, false
	}
	spec, err := list.Find(rec.Model)
	if err != nil {
		return m, false
	}
	m = measured{
		Class: rec.Machine.Class(), Kind: rec.Kind, Model: rec.Model, Size: rec.ImgSize, MACs: rec.MACs, Nature: r.natureOf(spec),
		Small: rec.Kind != record.KindLatency && datasets.Named(rec.Dataset),
	}
	threads := float64(max(rec.Threads, 1))
	switch t := rec.Training; {
	case rec.Kind == record.KindTrain && t != nil && t.Epochs > 0:
		passes := 0.0 // over all images, those of the classifier alone a third
		for _, e := range t.Curve {
			passes++
			if e.HeadOnly {
				passes -= 2. / 3
			}
		}
		m.Nanos = float64(t.Wall) * threads / (passes * float64(t.Steps) / float64(t.Epochs) * float64(t.Batch))
	case rec.Kind == record.KindEval && rec.Accuracy != nil && rec.ImagesPerSec > 0:
		m.Nanos = 1e9 * threads / rec.ImagesPerSec
	case rec.Kind == record.KindLatency && rec.Timing != nil && load.Scenario(rec.Scenario) != load.Server:
		m.Nanos = float64(rec.P50) * threads / float64(max(rec.Batch, 1))
	}
	return m, m.Nanos > 0 && !math.IsInf(m.Nanos, 0)
}

// natureOf finds out what a network mostly computes.
func (r *rates) natureOf(spec *zoo.Spec) nature {
	n, known := r.networks[spec.Name]
	if !known {
		n = dense
		if g, err := spec.Graph(0, 0); err == nil {
			n = graphNature(g)
		}
		r.networks[spec.Name] = n
	}
	return n
}

func graphNature(g *nn.Graph) nature {
	all, alone := 0, 0
	for i := range g.Nodes {
		switch n := &g.Nodes[i]; n.Op {
		case nn.Attention:
			return attention
		case nn.Conv:
			all++
			if in := g.Nodes[n.In[0]].Out.C; n.Kernel.Groups == in && in > 1 {
				alone++
			}
		}
	}
	if 5*alone >= all && alone > 0 {
		return depthwise
	}
	return dense
}

// A Basis is what an estimate rests on.
type Basis int

const (
	Stated Basis = iota // the stated share of the core's peak
	Alike               // what other networks took here
	Own                 // what this network took here
)

// stated is how long an image takes by the stated share of the peak, decoding included.
func (r *rates) stated(w work, n nature, macs float64) time.Duration {
	training := w.kind == record.KindTrain
	if training {
		macs *= 3 // backward is twice as much work as forward
	}
	t := time.Duration(macs / (shares[training][n] * r.peak) * float64(time.Second))
	switch {
	case w.kind == record.KindLatency:
		return t
	case training && w.small:
		return t + varyTime
	case w.small:
		return t + computeTime
	}
	return t + decodeTime
}

// image is how long an image of a network takes on one core: as it took here before; else the stated time, scaled by what
// networks of the same nature took of theirs, or all networks.
func (r *rates) image(w work, spec *zoo.Spec, size int) (time.Duration, Basis) {
	macs := float64(pixels(spec, size)) / float64(pixels(spec, 0)) * float64(spec.MACs)
	n := r.natureOf(spec)
	var own, alike, all []float64
	for _, m := range r.measured[w] {
		factor := m.Nanos / float64(max(r.stated(w, m.Nature, float64(m.MACs)), 1))
		all = append(all, factor)
		if m.Nature == n {
			alike = append(alike, factor)
		}
		if m.Model == spec.Name {
			own = append(own, factor)
			if m.Size == cmp.Or(size, spec.Size) {
				return time.Duration(m.Nanos), Own
			}
		}
	}
	basis := Alike
	factor := 1.0
	switch {
	case len(own) > 0:
		factor, basis = typical(own), Own
	case len(alike) > 0:
		factor = typical(alike)
	case len(all) > 0:
		factor = typical(all)
	default:
		basis = Stated
	}
	return time.Duration(factor * float64(r.stated(w, n, macs))), basis
}

// typical is the median of factors, the upper one of two.
func typical(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }

// processors is how many a task's own number of threads stands for.
func processors(threads int) int { return cmp.Or(threads, runtime.NumCPU()) }

// ratesName is the file of rates in the cache folder.
const ratesName = "rates.jsonl"

// readRates are the cache folder's, the oldest first. A line that is no rate is left out: it costs an estimate.
func (c Cache) readRates() (all []measured, err error) {
	if c.Dir == "" {
		return nil, nil
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, ratesName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("runner: cache: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var m measured
		if json.Unmarshal(lines.Bytes(), &m) == nil && m.Nanos > 0 && m.MACs > 0 && m.Model != "" {
			all = append(all, m)
		}
	}
	return all, nil
}

// keepRate adds what a record says to the rates, and to the cache folder where that has none that is near it. A folder that
// cannot be written costs estimates, not the run.
func (r *run) keepRate(rec *record.Record) {
	if r.rates == nil {
		return
	}
	m, ok := r.rates.rateOf(r.List, rec)
	if !ok {
		return
	}
	const near = 0.1
	for _, o := range r.rates.measured[work{m.Kind, m.Small}] {
		if o.Model == m.Model && o.Size == m.Size && math.Abs(o.Nanos-m.Nanos) <= near*m.Nanos {
			return
		}
	}
	r.rates.take(m)
	line, err := json.Marshal(m)
	if err != nil || r.Cache.Dir == "" {
		return
	}
	f, err := os.OpenFile(filepath.Join(r.Cache.Dir, ratesName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return
	}
	f.Write(append(line, '\n')) // in one write: others may append too
	f.Close()
}

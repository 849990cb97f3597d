package runner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/shard"
)

// A Share says which part of a run's tasks a process does: those of one kind, where Kind is set, and of these what is dealt to
// one of several shards, where there is more than one.
type Share struct {
	Shard shard.Index
	Kind  record.Kind // KindLatency or KindEval; "" for both
}

// ShardName is the file in the folder of a shard's run that says what was dealt out, and to whom.
const ShardName = "shard.json"

// A Deal is what a shard believes that all shards do.
type Deal struct {
	shard.Index
	Digest string       `json:"digest"`
	Kind   record.Kind  `json:"kind,omitempty"`
	Units  []shard.Unit `json:"units"`

	// Here are the units with the times that they take on a core of this machine. They decide nothing.
	Here       []shard.Unit `json:"-"`
	Bases      []Basis      `json:"-"` // by unit
	ImageBytes []int64      `json:"-"` // by unit: that an image is on disk, about
}

// units are the tasks as they are dealt out. What a unit is called and how long it takes by the stated rates follow from the
// tasks, the zoo and the number of images, never from the machine.
func (r *run) units(all []planned, rates *rates) ([]shard.Unit, error) {
	units := make([]shard.Unit, len(all))
	first := map[[2]string]string{} // an experiment's training, by the file of its result: the unit that it goes with
	for i := range all {
		p := &all[i]
		u := &units[i]
		u.Key, u.Name = p.ID, p.Model
		if p.Tag != "" {
			u.Key, u.Name = p.ID+"."+p.Tag, p.Model+"."+p.Tag
		}
		u.Name = p.Axes.Named(u.Name)
		if t := p.Train; t != nil {
			of, start := [2]string{p.Experiment, t.File}, [2]string{p.Experiment, t.Start}
			if first[of] == "" {
				first[of] = cmp.Or(first[start], u.Key)
			}
			if u.With = first[of]; u.With == u.Key {
				u.With = ""
			}
		}
		a := p.Job.Accuracy
		if p.kind() == record.KindTrain {
			u.Whole, u.Trains, u.Fixed = true, true, beginTime
			if p.missing == "" {
				u.Cost = p.trainTime(rates)
			}
			continue
		}
		if u.Whole = a == nil; u.Whole {
			u.Cost = p.timedTime(rates)
			continue
		}
		if p.missing != "" {
			continue
		}
		images, err := countImages(a, r.counts)
		if err != nil {
			return nil, fmt.Errorf("runner: %s: images must be counted before they can be dealt out: %w", u.Name, err)
		}
		u.Images = images
		u.Bytes = 4 * p.spec.Params
		u.Fixed = beginTime + time.Duration(float64(u.Bytes)/loadRate*float64(time.Second)) + p.calibrationTime(rates)
		u.Cost = p.evalTime(rates, images)
	}
	return units, nil
}

// imageBytes is about how many bytes of a disk one of the task's images is read from: those of a photograph of ImageNet, as a
// JPEG, or next to none.
func (p *planned) imageBytes() int64 {
	if p.work().small {
		return 0
	}
	return 110e3
}

// countImages is how many images an accuracy is of; known has those that were counted.
func countImages(a *experiment.Accuracy, known map[string]int) (int, error) {
	of := *a
	of.Checkpoints, of.Threads, of.Batch = nil, 0, 0
	text, err := json.Marshal(of)
	if err != nil {
		return 0, err
	}
	if n, ok := known[string(text)]; ok {
		return n, nil
	}
	files, err := openImages(a, 0)
	if err != nil {
		return 0, err
	}
	defer files.Close()
	src, err := evaluated(files, a)
	if err != nil {
		return 0, err
	}
	known[string(text)] = src.Len()
	return src.Len(), nil
}

// share leaves of the tasks those that are this process's to do.
func (r *run) share(all []planned) ([]planned, error) {
	if r.Share.Kind != "" {
		var some []planned
		for _, p := range all {
			if p.kind() == r.Share.Kind || r.Share.Kind == record.KindEval && p.kind() == record.KindTrain {
				some = append(some, p)
			}
		}
		all = some
	}
	x := r.Share.Shard
	if x.N == 0 {
		return all, nil
	}
	units, err := r.units(all, statedRates())
	if err != nil {
		return nil, err
	}
	r.deal = &Deal{Index: x, Digest: shard.Digest(units, x.N), Kind: r.Share.Kind, Units: units}
	if r.deal.Here, err = r.units(all, r.rates); err != nil {
		return nil, err
	}
	for i := range all {
		r.deal.Bases = append(r.deal.Bases, r.rates.basis(&all[i]))
		r.deal.ImageBytes = append(r.deal.ImageBytes, all[i].imageBytes())
	}
	var mine []planned
	for _, piece := range shard.Deal(units, x.N)[x.I] {
		p := all[piece.Unit]
		if p.Job.Accuracy != nil {
			p.NoTune = true // a part must not hang on what trials found on one of the machines
		}
		p.From, p.To = piece.From, piece.To
		mine = append(mine, p)
	}
	return mine, nil
}

// writeDeal writes what was dealt out into the run's folder. A folder of another deal or of another shard is an error.
func (r *run) writeDeal() error {
	if r.deal == nil {
		return nil
	}
	err := record.Replace(filepath.Join(r.Dir, ShardName), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r.deal)
	})
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	return nil
}

// sameDeal is an error where the folder of a run that goes on was another shard's, or of another deal.
func (r *run) sameDeal() error {
	was, err := ReadDeal(r.Dir)
	if err != nil || was == nil || r.deal == nil {
		if err == nil && (was == nil) != (r.deal == nil) && len(r.s.Records) > 0 {
			err = fmt.Errorf("runner: %s: was begun %s, and this run is %s: name another folder", r.Dir, sharded(was), sharded(r.deal))
		}
		return err
	}
	switch {
	case was.Index != r.deal.Index:
		return fmt.Errorf("runner: %s: is the folder of shard %v, want that of %v: name another folder", r.Dir, was.Index, r.deal.Index)
	case was.Digest != r.deal.Digest:
		return fmt.Errorf("runner: %s: %s: start all shards anew, in other folders", r.Dir, was.Differ(r.deal))
	}
	return nil
}

func sharded(d *Deal) string {
	if d == nil {
		return "as a whole run"
	}
	return "as shard " + d.Index.String()
}

// Differ says how another deal differs from this one, in words.
func (d *Deal) Differ(other *Deal) string {
	if d.N != other.N {
		return fmt.Sprintf("the tasks were dealt to %d shards, and then to %d", d.N, other.N)
	}
	if d.Kind != other.Kind {
		return fmt.Sprintf("the tasks were of kind %q, and then of kind %q", d.Kind, other.Kind)
	}
	have := map[string]shard.Unit{}
	for _, u := range d.Units {
		have[u.Key] = u
	}
	var differ []string
	for _, u := range other.Units {
		w, ok := have[u.Key]
		delete(have, u.Key)
		switch {
		case !ok:
			differ = append(differ, u.Name+" is there for one alone")
		case w.Images != u.Images:
			differ = append(differ, fmt.Sprintf("%s has %d images, and then %d", u.Name, w.Images, u.Images))
		case w != u:
			differ = append(differ, fmt.Sprintf("%s is estimated at %v, and then at %v: another version of the program", u.Name, w.Cost, u.Cost))
		}
	}
	for _, u := range d.Units {
		if _, left := have[u.Key]; left {
			differ = append(differ, u.Name+" is there for one alone")
		}
	}
	const most = 5
	if n := len(differ); n > most {
		differ = append(differ[:most], fmt.Sprintf("and %d more", n-most))
	}
	if len(differ) == 0 {
		return "the same tasks, in another order"
	}
	return "other tasks were dealt: " + strings.Join(differ, "; ")
}

// ReadDeal reads what the folder of a shard's run says was dealt out; nil where the folder is of no shard.
func ReadDeal(dir string) (*Deal, error) {
	path := filepath.Join(dir, ShardName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	d := &Deal{}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("runner: %s: %w", path, err)
	}
	if d.N < 1 || d.I < 0 || d.I >= d.N {
		return nil, fmt.Errorf("runner: %s: shard %v, want an index from 0 to N-1", path, d.Index)
	}
	return d, nil
}

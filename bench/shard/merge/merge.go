// Package merge puts the folders of a run's shards together to the folder that one process would have left.
//
// The contract: [Read] reads shards' folders, and [Folders.Write] writes the records and per-sample files of all of them into
// another. Shards of one deal are told by its digest; of two deals both are named, with what differs. What nobody measured is a
// [Missing] with the shard that owed it. A piece that several shards did counts once, and is refused if they do not agree. Parts
// of an evaluation become its row only when all of them are there. The shards' folders stay as they are.
//
// It leaves the arithmetic of a row's parts to bench/runner and the report to reports.
package merge

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/shard"
)

// A Folder is what a shard left.
type Folder struct {
	Dir      string
	Deal     *runner.Deal
	Records  []record.Record
	Problems []record.Problem
}

// Folders are the folders of a run's shards, all of them or some. Tasks of one kind may have been dealt apart from those of the other.
type Folders struct {
	All   []Folder
	deals []*runner.Deal // one a kind
}

// A Missing is what a shard owed and nobody measured.
type Missing struct {
	Name  string // the network with its checkpoint's tag
	Kind  record.Kind
	From  int // of the images, where the evaluation was cut
	To    int // 0 where it was not
	Shard shard.Index
	// Why is what is known: that there is no folder of the shard, or that the shard has not come so far.
	Why string
}

// String says what is missing, whose it was and why.
func (m Missing) String() string {
	what := m.Name + ", " + string(m.Kind)
	if m.To > 0 {
		what += fmt.Sprintf(", images %d to %d", m.From, m.To)
	}
	return fmt.Sprintf("%s: missing from shard %v: %s", what, m.Shard, m.Why)
}

func isShard(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, runner.ShardName))
	return err == nil
}

// HasShards reports whether a folder is of a shard's run, or has such folders in it.
func HasShards(dir string) bool {
	_, err := below(dir)
	return err == nil
}

// Read reads the folders of shards. A folder that is of no shard stands for the shards' folders in it. Shards of different deals of
// one kind are an error.
func Read(dirs ...string) (*Folders, error) {
	f := &Folders{}
	for _, dir := range dirs {
		found, err := below(dir)
		if err != nil {
			return nil, err
		}
		for _, dir := range found {
			one, err := read(dir)
			if err != nil {
				return nil, err
			}
			if err := f.add(one); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(f.All, func(a, b Folder) int { return cmp.Compare(a.Deal.I, b.Deal.I) })
	return f, nil
}

func (f *Folders) add(one Folder) error {
	known := false
	for i := range f.All {
		if was := &f.All[i]; was.Deal.Kind == one.Deal.Kind {
			if known = true; was.Deal.Digest != one.Deal.Digest {
				return fmt.Errorf("merge: %s and %s are shards of different work: %s", was.Dir, one.Dir, was.Deal.Differ(one.Deal))
			}
		}
	}
	if !known {
		f.deals = append(f.deals, one.Deal)
	}
	f.All = append(f.All, one)
	return nil
}

// below is the folder itself, if it is of a shard, or the shards' folders in it.
func below(dir string) (found []string, err error) {
	if isShard(dir) {
		return []string{dir}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("merge: %w", err)
	}
	for _, e := range entries {
		if in := filepath.Join(dir, e.Name()); isShard(in) {
			found = append(found, in)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("merge: %s: no %s in it nor in a folder in it: want folders of runs with --shard", dir, runner.ShardName)
	}
	return found, nil
}

func read(dir string) (f Folder, err error) {
	f.Dir = dir
	if f.Deal, err = runner.ReadDeal(dir); err != nil {
		return f, fmt.Errorf("merge: %w", err)
	}
	f.Records, f.Problems, err = record.ReadFolder(filepath.Join(dir, record.FolderName))
	if err != nil {
		return f, fmt.Errorf("merge: %s: %w", dir, err)
	}
	f.Records = record.Current(f.Records)
	return f, nil
}

// A Merged is what became of the shards.
type Merged struct {
	Records  []record.Record
	Problems []record.Problem
	Missing  []Missing
	Twice    int // pieces that several shards did, with the same results
}

// piece is a record with the folder that it is in.
type piece struct {
	*record.Record
	dir   string
	index shard.Index
}

// Write joins what the shards measured and writes it into the folder out as one run with that id. Timed rows of several classes
// of machine are rows of their own.
func (f *Folders) Write(out, runID string) (m Merged, err error) {
	for _, one := range f.All {
		if runner.SamePath(one.Dir, out) {
			return m, fmt.Errorf("merge: %s is the folder of a shard, want another for the merged run", out)
		}
		m.Problems = append(m.Problems, one.Problems...)
	}
	if err := f.onePrograms(); err != nil {
		return m, err
	}
	if err := os.MkdirAll(filepath.Join(out, "samples"), 0o777); err != nil {
		return m, fmt.Errorf("merge: %w", err)
	}
	for i := range f.All {
		for _, r := range f.All[i].Records {
			if r.Kind == record.KindHost {
				m.add(r, runID)
			}
		}
	}
	for _, d := range f.deals {
		if err := f.deal(&m, d, out, runID); err != nil {
			return m, err
		}
	}
	slices.SortStableFunc(m.Records, func(a, b record.Record) int { return cmp.Compare(rank(&a), rank(&b)) })
	return m, record.WriteFile(filepath.Join(out, record.FileName), m.Records)
}

// deal adds the rows of all units of a deal.
func (f *Folders) deal(m *Merged, d *runner.Deal, out, runID string) error {
	pieces := f.pieces(d)
	owner := map[shard.Piece]int{}
	var all []shard.Piece
	for i, mine := range shard.Deal(d.Units, d.N) {
		for _, p := range mine {
			owner[p] = i
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b shard.Piece) int { return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.From, b.From)) })
	for at := 0; at < len(all); {
		end := at + 1
		for end < len(all) && all[end].Unit == all[at].Unit {
			end++
		}
		if err := f.unit(m, d, all[at:end], owner, pieces, out, runID); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// rank orders a run's records as one process writes them: the machine, timed rows, accuracies.
func rank(r *record.Record) int {
	return slices.Index([]record.Kind{record.KindHost, record.KindLatency, record.KindTrain, record.KindEval}, r.Kind)
}

func (m *Merged) add(r record.Record, runID string) {
	r.RunID = runID
	m.Records = append(m.Records, r)
}

// pieces finds the records of each unit's pieces.
func (f *Folders) pieces(d *runner.Deal) map[shard.Piece][]piece {
	unit := map[string]int{}
	for i, u := range d.Units {
		unit[u.Key] = i
	}
	found := map[shard.Piece][]piece{}
	for i := range f.All {
		one := &f.All[i]
		if one.Deal.Kind != d.Kind {
			continue
		}
		for j := range one.Records {
			r := &one.Records[j]
			at, ok := unit[r.JobID+"."+r.Checkpoint]
			if !ok {
				at, ok = unit[r.JobID]
			}
			if !ok {
				continue
			}
			p := shard.Piece{Unit: at}
			if r.Part != nil {
				p.From, p.To = r.Part.From, r.Part.To
			}
			found[p] = append(found[p], piece{r, one.Dir, one.Deal.Index})
		}
	}
	return found
}

// unit adds the row of a unit, from its one piece or from all of its parts.
func (f *Folders) unit(
	m *Merged, d *runner.Deal, want []shard.Piece, owner map[shard.Piece]int, pieces map[shard.Piece][]piece, out, runID string,
) error {
	u := &d.Units[want[0].Unit]
	var parts []piece
	var failed *record.Record
	for _, p := range want {
		have := pieces[p]
		if len(have) == 0 && !p.Whole() {
			have = pieces[shard.Piece{Unit: p.Unit}] // a row without figures: the part failed
		}
		if len(have) == 0 {
			m.Missing = append(m.Missing, f.missing(d, u, p, owner[p]))
			continue
		}
		kept, err := once(have)
		if err != nil {
			return err
		}
		m.Twice += len(have) - len(kept)
		if !kept[0].Measured() {
			failed = kept[0].Record
			continue
		}
		parts = append(parts, kept...)
	}
	if failed != nil {
		m.add(*failed, runID)
		return nil
	}
	if len(parts) < len(want) {
		return nil
	}
	if want[0].Whole() {
		for _, p := range parts {
			r := *p.Record
			if r.SamplesFile != "" {
				if err := copySamples(out, r.SamplesFile, []piece{p}); err != nil {
					return err
				}
			}
			if r.Kind == record.KindTrain {
				file := filepath.FromSlash(r.WeightsFile)
				if err := copyFile(filepath.Join(out, file), filepath.Join(p.dir, file)); err != nil {
					return err
				}
			}
			m.add(r, runID)
		}
		return nil
	}
	rows := make([]record.Record, len(parts))
	for i := range parts {
		rows[i] = *parts[i].Record
	}
	joined, err := runner.JoinParts(rows)
	if err != nil {
		return fmt.Errorf("merge: %s and %s: %w", parts[0].dir, parts[len(parts)-1].dir, err)
	}
	joined.SamplesFile = runner.WholeSamples(joined.SamplesFile)
	if err := copySamples(out, joined.SamplesFile, parts); err != nil {
		return err
	}
	m.add(*joined, runID)
	return nil
}

// missing says what is known of a piece that nobody measured.
func (f *Folders) missing(d *runner.Deal, u *shard.Unit, p shard.Piece, owner int) Missing {
	m := Missing{Name: u.Name, Kind: record.KindEval, From: p.From, To: p.To, Shard: shard.Index{I: owner, N: d.N}}
	switch {
	case u.Trains:
		m.Kind = record.KindTrain
	case u.Whole:
		m.Kind = record.KindLatency
	}
	m.Why = "its folder is not among those given"
	for _, one := range f.All {
		if one.Deal.Kind == d.Kind && one.Deal.I == owner {
			m.Why = "its folder has no record of it; send the shard again with --resume"
		}
	}
	return m
}

// once returns the records of a piece that count: one, or, of a timed row, one of each class of machine. Those that measured
// something come before those that did not, later ones before earlier ones. Accuracies that differ are an error.
func once(have []piece) (kept []piece, err error) {
	have = slices.Clone(have)
	slices.SortStableFunc(have, func(a, b piece) int {
		measured := func(p piece) int {
			if p.Measured() {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(measured(a), measured(b)), b.Time.Compare(a.Time))
	})
	for _, p := range have {
		same := slices.IndexFunc(kept, func(k piece) bool {
			return k.Timing == nil || p.Timing == nil || k.Machine.Class() == p.Machine.Class()
		})
		if same < 0 {
			kept = append(kept, p)
			continue
		}
		k := kept[same]
		if k.Kind == record.KindTrain && k.Measured() && p.Measured() && k.WeightsSHA256 != p.WeightsSHA256 {
			return nil, fmt.Errorf("merge: %s was trained twice, with different results: %s has the checkpoint %.8s, %s has %.8s", k.Name(), k.dir,
				k.WeightsSHA256, p.dir, p.WeightsSHA256)
		}
		if k.Accuracy == nil || p.Accuracy == nil {
			continue
		}
		if k.Top1Images != p.Top1Images || k.Top5Images != p.Top5Images || k.Images != p.Images ||
			k.DatasetSHA256 != p.DatasetSHA256 || k.WeightsSHA256 != p.WeightsSHA256 {
			return nil, fmt.Errorf("merge: %s was done twice, with different results: %s has %d of %d right (weights %.8s, images %.8s), "+
				"%s has %d of %d (weights %.8s, images %.8s)", k.Name(), k.dir, k.Top1Images, k.Images, k.WeightsSHA256, k.DatasetSHA256,
				p.dir, p.Top1Images, p.Images, p.WeightsSHA256, p.DatasetSHA256)
		}
	}
	return kept, nil
}

// onePrograms is an error where shards were run by different programs, or found different weights under one name.
func (f *Folders) onePrograms() error {
	type origin struct {
		value, dir string
		at         time.Time
	}
	seen := map[string]origin{}
	for i := range f.All {
		one := &f.All[i]
		for j := range one.Records {
			r := &one.Records[j]
			for _, c := range []struct{ key, what, value string }{
				{"program", "program", r.Machine.KernelBuild},
				{"weights " + r.JobID + r.Checkpoint, "weights of " + r.Name(), r.WeightsSHA256},
				{"recipe " + r.JobID + r.Checkpoint, "recipe of " + r.Name(), r.RecipeSHA256},
			} {
				if c.value == "" || r.JobID == "" {
					continue
				}
				was, ok := seen[c.key]
				if !ok {
					seen[c.key] = origin{c.value, one.Dir, r.Time}
					continue
				}
				if was.value != c.value {
					return fmt.Errorf("merge: shards differ in the %s: %s has %s, %s has %s", c.what, was.dir, was.value, one.Dir, c.value)
				}
			}
		}
	}
	return nil
}

// copyFile copies the checkpoint that a training left.
func copyFile(to, from string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	return record.Replace(to, func(w io.Writer) error {
		f, err := os.Open(from)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}

// copySamples writes a per-sample file of the merged run from those of its parts, in order.
func copySamples(out, name string, parts []piece) error {
	return record.Replace(filepath.Join(out, filepath.FromSlash(name)), func(w io.Writer) error {
		for _, p := range parts {
			text, err := os.ReadFile(filepath.Join(p.dir, filepath.FromSlash(p.SamplesFile)))
			if err != nil {
				return err
			}
			if lines := bytes.Count(text, []byte("\n")); p.Part != nil && lines != p.Part.To-p.Part.From {
				return fmt.Errorf("%s has %d lines, want one for each of %d images", p.SamplesFile, lines, p.Part.To-p.Part.From)
			}
			if _, err := w.Write(text); err != nil {
				return err
			}
		}
		return nil
	})
}

// Package shard deals the tasks of a run to several processes, which may be on several machines, and puts together what they
// measured.
//
// The contract: who does what is a pure function of the tasks and of the number of shards, so that nobody has to ask anybody:
// each shard deals for itself and gets what all others believe that it has. A large evaluation is cut into ranges of images, at
// multiples of a batch. [Merge] joins the ranges to the row that one process would have written, from the same digests of images
// and with the same lines of per-sample files; it says what is missing and whose it was, takes once what was done twice, and
// refuses shards of different tasks, programs, weights, images or recipes with both named. It loses no record: what it cannot
// join stays in the shards' folders.
//
// It leaves measuring to bench/runner, the form of records to bench/record and starting processes to a scheduler.
package shard

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Index says which of how many shards a process is. The zero value is a run that is not cut.
type Index struct {
	I int `json:"index"` // from 0
	N int `json:"shards"`
}

// String is the index as the command line takes it, as 0/4.
func (x Index) String() string { return fmt.Sprintf("%d/%d", x.I, x.N) }

// maxShards bounds the number of shards; at one task each it is as many as a run has jobs.
const maxShards = 100_000

// ParseIndex reads I/N with I from 0 to N-1, or auto: the index that a scheduler puts into a task's environment. Slurm's is
// SLURM_ARRAY_TASK_ID, less SLURM_ARRAY_TASK_MIN, of SLURM_ARRAY_TASK_COUNT. That of a Kubernetes Indexed Job is
// JOB_COMPLETION_INDEX; ZOOBENCH_SHARDS is how many there are, for Slurm too where an array is sent again in parts.
func ParseIndex(text string, getenv func(string) string) (Index, error) {
	if text == "auto" {
		return fromEnvironment(getenv)
	}
	i, n, ok := strings.Cut(text, "/")
	x := Index{}
	var errI, errN error
	x.I, errI = strconv.Atoi(i)
	x.N, errN = strconv.Atoi(n)
	if !ok || errI != nil || errN != nil {
		return Index{}, fmt.Errorf("shard: %q: want I/N, as 0/4, or auto", text)
	}
	return x, x.check(text)
}

func (x Index) check(text string) error {
	if x.N < 1 || x.N > maxShards || x.I < 0 || x.I >= x.N {
		return fmt.Errorf("shard: %s: want an index from 0 to N-1 of 1 to %d shards", text, maxShards)
	}
	return nil
}

func fromEnvironment(getenv func(string) string) (Index, error) {
	number := func(name string) (int, bool, error) {
		text := getenv(name)
		if text == "" {
			return 0, false, nil
		}
		v, err := strconv.Atoi(text)
		if err != nil {
			return 0, false, fmt.Errorf("shard: auto: %s=%q, want a number", name, text)
		}
		return v, true, nil
	}
	own, haveOwn, err := number("ZOOBENCH_SHARDS")
	if err != nil {
		return Index{}, err
	}
	for _, s := range []struct{ index, least, count string }{
		{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"},
		{"JOB_COMPLETION_INDEX", "", ""},
	} {
		i, ok, err := number(s.index)
		if err != nil {
			return Index{}, err
		}
		if !ok {
			continue
		}
		x := Index{I: i, N: own}
		if !haveOwn && s.count != "" {
			least, _, err := number(s.least)
			if err != nil {
				return Index{}, err
			}
			if x.N, _, err = number(s.count); err != nil {
				return Index{}, err
			}
			x.I -= least
		}
		if x.N == 0 {
			return Index{}, fmt.Errorf("shard: auto: %s=%d of how many? Set ZOOBENCH_SHARDS to the number of shards", s.index, i)
		}
		return x, x.check(fmt.Sprintf("auto: %s=%d of %d", s.index, i, x.N))
	}
	return Index{}, fmt.Errorf("shard: auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set: this is no task of a Slurm array " +
		"and no pod of an Indexed Job; say --shard I/N")
}

// A Unit is a task to deal. Units of one run have different keys.
type Unit struct {
	Key    string        `json:"key"`             // what every machine calls the task: its job and its checkpoint
	Name   string        `json:"name"`            // for people: the network with its checkpoint's tag
	Fixed  time.Duration `json:"fixed,omitempty"` // to begin, for each part of it
	Cost   time.Duration `json:"cost,omitempty"`  // of all of it, estimated
	Images int           `json:"images,omitempty"`
	Bytes  int64         `json:"bytes,omitempty"` // that each part of it reads of a checkpoint, about
	// Whole says that the task cannot be cut, as a latency cannot.
	Whole bool `json:"whole,omitempty"`
	// With is the key of another unit, whose shard does this one too, as the evaluation of a network goes with its training; "" for
	// a unit that may go anywhere. Such a unit is not cut, and neither is the other.
	With   string `json:"with,omitempty"`
	Trains bool   `json:"trains,omitempty"` // whether the task trains a network
}

// A Piece is a unit, or the part of an evaluation's images from From up to but not To.
type Piece struct {
	Unit int // its place among the units
	From int
	To   int // 0 where the piece is the whole unit
}

// Whole reports whether the piece is the whole unit.
func (p Piece) Whole() bool { return p.To == 0 }

// Ranges begin at multiples of step images, a batch, and have leastRange images at least; a shard's share is cut into about
// piecesPerShare of them, so that the largest piece is little beside the share.
const (
	step           = 8
	leastRange     = 64
	piecesPerShare = 4
)

// cost is about how long a piece takes.
func (u *Unit) cost(p Piece) time.Duration {
	if p.Whole() {
		return u.Fixed + u.Cost
	}
	return u.Fixed + time.Duration(float64(u.Cost)*float64(p.To-p.From)/float64(u.Images))
}

// Deal shares the units out to n shards: each piece, the longest first, goes to the shard that has least to do, the first of
// equals (Graham 1969, "Bounds on multiprocessing timing anomalies": at most 4/3 of the best). Evaluations that are long beside
// a shard's share are cut. A shard's pieces are in the units' order. It panics if n is not positive.
func Deal(units []Unit, n int) [][]Piece {
	var total time.Duration
	for i := range units {
		total += units[i].Fixed + units[i].Cost
	}
	share := total / time.Duration(n)
	place, with := map[string]int{}, map[int][]int{} // units by key, and those that go with one
	for i := range units {
		place[units[i].Key] = i
	}
	var pieces []Piece
	for i := range units {
		if to := units[i].With; to != "" {
			with[place[to]] = append(with[place[to]], i)
			continue
		}
		pieces = append(pieces, cut(units, i, share)...)
	}
	all := func(p Piece) time.Duration { // what goes with a piece included
		cost := units[p.Unit].cost(p)
		for _, i := range with[p.Unit] {
			cost += units[i].Fixed + units[i].Cost
		}
		return cost
	}
	slices.SortStableFunc(pieces, func(a, b Piece) int {
		ua, ub := &units[a.Unit], &units[b.Unit]
		return cmp.Or(cmp.Compare(all(b), all(a)), cmp.Compare(ua.Key, ub.Key), cmp.Compare(a.From, b.From))
	})
	shards := make([][]Piece, n)
	loads := newLoads(n)
	for _, p := range pieces {
		i := loads.add(all(p))
		shards[i] = append(shards[i], p)
		for _, u := range with[p.Unit] {
			shards[i] = append(shards[i], Piece{Unit: u})
		}
	}
	for i := range shards {
		slices.SortFunc(shards[i], func(a, b Piece) int { return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.From, b.From)) })
	}
	return shards
}

// cut is the unit's pieces where each shard's share is that long.
func cut(units []Unit, i int, share time.Duration) []Piece {
	u := &units[i]
	whole := []Piece{{Unit: i}}
	if u.Whole || u.Images < 2*leastRange || u.Cost <= 0 {
		return whole
	}
	piece := max(share/piecesPerShare, u.Fixed) // a range takes at least as long as it takes to begin
	if piece <= 0 || u.Fixed+u.Cost <= piece {
		return whole
	}
	count := min(int(math.Ceil(float64(u.Cost)/float64(piece))), u.Images/leastRange)
	if count < 2 {
		return whole
	}
	var pieces []Piece
	for k := range count {
		edge := func(k int) int {
			if k == count {
				return u.Images
			}
			return u.Images * k / count / step * step
		}
		pieces = append(pieces, Piece{Unit: i, From: edge(k), To: edge(k + 1)})
	}
	return pieces
}

// Times are about how long each shard takes.
func Times(units []Unit, shards [][]Piece) []time.Duration {
	times := make([]time.Duration, len(shards))
	for i, pieces := range shards {
		for _, p := range pieces {
			times[i] += units[p.Unit].cost(p)
		}
	}
	return times
}

// Worth is the largest number of shards, up to most, at which every shard still has at least nine tenths of an equal share of
// the work to do and no time goes to waste on waiting for the longest: 1 where there is nothing to share. The work is dealt out
// by the units' costs and takes those of the same units in took.
func Worth(units, took []Unit, most int) int {
	best := 1
	for n := 2; n <= most; n *= 2 {
		times := Times(took, Deal(units, n))
		var sum time.Duration
		for _, t := range times {
			sum += t
		}
		alone := Times(took, Deal(units, 1))[0]
		if longest := slices.Max(times); longest <= 0 || float64(alone)/float64(n)/float64(longest) < 0.9 {
			break
		}
		best = n
	}
	return best
}

// Digest tells deals apart: shards whose digests differ have dealt different tasks, or to another number of shards.
func Digest(units []Unit, n int) string {
	text, err := json.Marshal(units)
	if err != nil {
		panic("shard: units are not JSON: " + err.Error()) // strings, numbers and flags
	}
	sum := sha256.Sum256(fmt.Appendf(text, " to %d", n))
	return hex.EncodeToString(sum[:8])
}

// loads is a heap of shards, the one with least to do on top, of equals the first.
type loads struct {
	time  []time.Duration
	order []int
}

func newLoads(n int) *loads {
	l := &loads{time: make([]time.Duration, n), order: make([]int, n)}
	for i := range l.order {
		l.order[i] = i
	}
	return l
}

// add gives work to the shard on top and returns which that is.
func (l *loads) add(work time.Duration) int {
	i := l.order[0]
	l.time[i] += work
	for at := 0; ; {
		least := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(l.order); child++ {
			if l.less(child, least) {
				least = child
			}
		}
		if least == at {
			return i
		}
		l.order[at], l.order[least] = l.order[least], l.order[at]
		at = least
	}
}

func (l *loads) less(a, b int) bool {
	x, y := l.order[a], l.order[b]
	return cmp.Or(cmp.Compare(l.time[x], l.time[y]), cmp.Compare(x, y)) < 0
}

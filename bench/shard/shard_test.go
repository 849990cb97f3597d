package shard

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseIndex(t *testing.T) {
	for _, c := range []struct {
		text, env string
		want      string // "" where the text is refused
		fault     string
	}{
		{text: "0/1", want: "0/1"},
		{text: "3/4", want: "3/4"},
		{text: "4/4", fault: "want an index from 0 to N-1"},
		{text: "-1/4", fault: "want an index from 0 to N-1"},
		{text: "0/0", fault: "want an index from 0 to N-1"},
		{text: "0/100001", fault: "100000 shards"},
		{text: "1", fault: "want I/N"},
		{text: "1/two", fault: "want I/N"},
		{text: "99999999999999999999/4", fault: "want I/N"},
		{text: "", fault: "want I/N"},
		{text: "auto", fault: "no task of a Slurm array"},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=8", want: "5/8"},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=8", want: "0/8"},
		{text: "auto", env: "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=1 ZOOBENCH_SHARDS=8", want: "5/8"},
		{text: "auto", env: "JOB_COMPLETION_INDEX=2 ZOOBENCH_SHARDS=3", want: "2/3"},
		{text: "auto", env: "JOB_COMPLETION_INDEX=2", fault: "Set ZOOBENCH_SHARDS"},
		{text: "auto", env: "JOB_COMPLETION_INDEX=3 ZOOBENCH_SHARDS=3", fault: "JOB_COMPLETION_INDEX=3 of 3"},
		{text: "auto", env: "JOB_COMPLETION_INDEX=x ZOOBENCH_SHARDS=3", fault: `"x", want a number`},
	} {
		env := map[string]string{}
		for field := range strings.FieldsSeq(c.env) {
			name, value, _ := strings.Cut(field, "=")
			env[name] = value
		}
		x, err := ParseIndex(c.text, func(name string) string { return env[name] })
		switch {
		case c.want != "" && (err != nil || x.String() != c.want):
			t.Errorf("%s with %s: got %v, %v, want %s", c.text, c.env, x, err, c.want)
		case c.want == "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s with %s: got %v, %v, want an error with %q", c.text, c.env, x, err, c.fault)
		}
	}
}

// benchmark is what a benchmark of many checkpoints on three sets of images has to do, and a few latencies.
func benchmark(checkpoints int, rng *rand.Rand) []Unit {
	var units []Unit
	for i := range checkpoints {
		image := 15*time.Millisecond + time.Duration(math.Exp(5.0+1.3*rng.NormFloat64())*float64(time.Millisecond))
		for _, images := range []int{50_000, 10_000, 7_500} {
			units = append(units, Unit{
				Key: fmt.Sprintf("%d-%d", i, images), Name: fmt.Sprint(i), Images: images, Fixed: 2 * time.Second,
				Cost: time.Duration(images) * image,
			})
		}
	}
	for i := range 20 {
		units = append(units, Unit{Key: fmt.Sprintf("latency-%d", i), Whole: true, Cost: 20 * time.Second})
	}
	return units
}

// covered says how the pieces of all shards fall short of being all units, each image once.
func covered(units []Unit, shards [][]Piece) error {
	parts := make([][]Piece, len(units))
	for _, mine := range shards {
		for _, p := range mine {
			parts[p.Unit] = append(parts[p.Unit], p)
		}
	}
	for i, ps := range parts {
		u := &units[i]
		if len(ps) == 1 && ps[0].Whole() {
			continue
		}
		slices.SortFunc(ps, func(a, b Piece) int { return a.From - b.From })
		next := 0
		for _, p := range ps {
			if p.From != next || p.To <= p.From || u.Whole {
				return fmt.Errorf("%s: piece %d to %d, want one from %d", u.Key, p.From, p.To, next)
			}
			if p.From%step != 0 || p.To-p.From < leastRange {
				return fmt.Errorf("%s: piece %d to %d, want %d images at least from a multiple of %d", u.Key, p.From, p.To, leastRange, step)
			}
			next = p.To
		}
		if next != u.Images {
			return fmt.Errorf("%s: pieces end at %d of %d images", u.Key, next, u.Images)
		}
	}
	return nil
}

func TestDealCoversAllOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 300; n = n*3/2 + 1 {
		units := benchmark(1+rng.IntN(20), rng)
		units = append(units,
			Unit{Key: "missing"}, Unit{Key: "empty", Images: 0, Fixed: time.Second}, Unit{Key: "one image", Images: 1, Cost: time.Hour},
			Unit{Key: "odd", Images: 1003, Cost: 50 * time.Hour, Fixed: time.Second}, Unit{Key: "long latency", Whole: true, Cost: 90 * time.Hour},
		)
		shards := Deal(units, n)
		if len(shards) != n {
			t.Fatalf("%d shards, want %d", len(shards), n)
		}
		if err := covered(units, shards); err != nil {
			t.Fatalf("%d shards: %v", n, err)
		}
		if again := Deal(slices.Clone(units), n); !slices.EqualFunc(shards, again, slices.Equal) {
			t.Fatalf("%d shards: dealt differently the second time", n)
		}
	}
	if shards := Deal(nil, 3); len(shards) != 3 || len(shards[0])+len(shards[1])+len(shards[2]) != 0 {
		t.Errorf("nothing dealt to three: %v", shards)
	}
}

func TestDigestTellsDealsApart(t *testing.T) {
	units := benchmark(3, rand.New(rand.NewPCG(1, 2)))
	seen := map[string]string{Digest(units, 4): "the deal"}
	for what, change := range map[string]func([]Unit) ([]Unit, int){
		"another number of shards": func(u []Unit) ([]Unit, int) { return u, 5 },
		"a task less":              func(u []Unit) ([]Unit, int) { return u[1:], 4 },
		"another number of images": func(u []Unit) ([]Unit, int) { u[0].Images++; return u, 4 },
		"another checkpoint":       func(u []Unit) ([]Unit, int) { u[0].Key += "x"; return u, 4 },
	} {
		digest := Digest(change(slices.Clone(units)))
		if other, ok := seen[digest]; ok {
			t.Errorf("%s has the digest of %s", what, other)
		}
		seen[digest] = what
	}
}

// worker is a processor of the simulation.
type worker struct {
	free  time.Duration // when it ends what it does
	speed float64
}

type workers []worker

func (w workers) Len() int           { return len(w) }
func (w workers) Less(i, j int) bool { return w[i].free < w[j].free }
func (w workers) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *workers) Push(x any)        { *w = append(*w, x.(worker)) }
func (w *workers) Pop() any          { last := (*w)[len(*w)-1]; *w = (*w)[:len(*w)-1]; return last }

// simulate gives shards to workers as a scheduler's queue does, the next to whoever is free. Some workers are slow, no estimate
// is right, and a shard in fifty dies at a random moment and is next to be given away again, where it resumes: what of it is done
// stays done. It returns the time to the end over that of an even share, and how often each piece was done.
func simulate(units []Unit, n, processors int, rng *rand.Rand) (over float64, done map[Piece]int) {
	shards := Deal(units, n)
	done = map[Piece]int{}
	w := make(workers, processors)
	var speed float64
	for i := range w {
		w[i].speed = math.Exp(0.05 * rng.NormFloat64())
		if rng.IntN(50) == 0 {
			w[i].speed /= 2
		}
		speed += w[i].speed
	}
	var work, end time.Duration
	queue := make([]int, n)
	for i := range queue {
		queue[i] = i
	}
	died := map[int]bool{}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		one := heap.Pop(&w).(worker)
		pieces := shards[s]
		dies := -1
		if !died[s] && rng.IntN(50) == 0 {
			dies, died[s] = rng.IntN(len(pieces)+1), true
		}
		for i, p := range pieces {
			if done[p] > 0 {
				continue
			}
			truth := time.Duration(float64(units[p.Unit].cost(p)) * math.Exp(0.1*rng.NormFloat64()))
			if i == dies {
				one.free += time.Duration(float64(truth) * rng.Float64() / one.speed) // for nothing
				break
			}
			work += truth
			one.free += time.Duration(float64(truth) / one.speed)
			done[p]++
		}
		if dies >= 0 {
			queue = append([]int{s}, queue...)
		}
		end = max(end, one.free)
		heap.Push(&w, one)
	}
	return float64(end) / (float64(work) / speed), done
}

// TestManyMachines deals 1200 checkpoints on three sets of images to sixteen shards a processor. Up to 128 processors the end comes
// within a tenth of the ideal, and whatever happens no piece is lost or done twice.
func TestManyMachines(t *testing.T) {
	units := benchmark(1200, rand.New(rand.NewPCG(1, 2)))
	for processors := 1; processors <= 512; processors *= 2 {
		n := 16 * processors
		over, done := simulate(units, n, processors, rand.New(rand.NewPCG(uint64(processors), 3)))
		t.Logf("%3d processors, %4d shards: %.3f of the ideal time", processors, n, over)
		if processors <= 128 && over > 1.10 {
			t.Errorf("%d processors take %.3f times the ideal", processors, over)
		}
		pieces := 0
		for i, mine := range Deal(units, n) {
			pieces += len(mine)
			for _, p := range mine {
				if done[p] != 1 {
					t.Fatalf("%d processors: shard %d: piece %v was done %d times", processors, i, p, done[p])
				}
			}
		}
		if len(done) != pieces {
			t.Errorf("%d processors: %d pieces done, want %d", processors, len(done), pieces)
		}
	}
}

func TestWorth(t *testing.T) {
	for _, c := range []struct {
		units []Unit
		want  int
	}{
		{nil, 1},
		{[]Unit{{Key: "a", Whole: true, Cost: time.Hour}}, 1},
		{[]Unit{{Key: "a", Whole: true, Cost: time.Hour}, {Key: "b", Whole: true, Cost: time.Hour}}, 2},
	} {
		if got := Worth(c.units, c.units, 1024); got != c.want {
			t.Errorf("%d units: %d shards, want %d", len(c.units), got, c.want)
		}
	}
	big := benchmark(1200, rand.New(rand.NewPCG(1, 2)))
	if got := Worth(big, big, 1024); got < 512 {
		t.Errorf("a benchmark of 1200 checkpoints is worth %d shards, want 512 at least", got)
	}
}

// TestDealTogether keeps units together that go with one another, each once, and shares out what is left evenly.
func TestDealTogether(t *testing.T) {
	var units []Unit
	for i := range 12 {
		leader := fmt.Sprintf("train%d", i)
		units = append(units, Unit{Key: leader, Whole: true, Trains: true, Cost: time.Hour})
		for k := range 3 {
			units = append(units, Unit{Key: fmt.Sprintf("eval%d.%d", i, k), With: leader, Images: 100_000, Cost: time.Hour})
		}
	}
	shards := Deal(units, 4)
	seen := 0
	for i, times := range Times(units, shards) {
		if times != 12*time.Hour {
			t.Errorf("shard %d takes %v, want 12h", i, times)
		}
		here := map[string]bool{}
		for _, p := range shards[i] {
			here[units[p.Unit].Key] = true
			if seen++; !p.Whole() {
				t.Errorf("%s is cut", units[p.Unit].Key)
			}
		}
		for _, p := range shards[i] {
			if with := units[p.Unit].With; with != "" && !here[with] {
				t.Errorf("%s is in shard %d, without %s", units[p.Unit].Key, i, with)
			}
		}
	}
	if seen != len(units) {
		t.Errorf("%d units are dealt, want %d", seen, len(units))
	}
}

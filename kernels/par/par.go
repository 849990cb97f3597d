// Package par is a fixed set of workers that share out the tiles of one layer after another.
//
// The contract: Run calls Do for every index below tasks exactly once, on at most Size workers, the caller being worker
// 0, and returns when all calls have. Each worker begins with a range of its own, the same for every Run of as many
// tasks, so that a worker finds what it wrote in the layer before in its own cache; then it takes what others have
// left, so that uneven tiles balance themselves. Which worker runs which index is not fixed, and a task's result must
// not depend on it. Run neither allocates nor locks while the workers are awake. A pool runs one thing at a time.
//
// While a worker computes pieces, its thread takes numbers below the normal range for zeros, wherever the processor has
// such a mode and Flushes says so: some processors take a hundred times as long for an operation on them, so that a
// network whose activations fade away takes fifty times its own time. The mode is the thread's and Go moves goroutines
// between threads, so a worker is locked to its thread until the mode is restored. Both together take 11 ns a Run and
// worker (BenchmarkFlush, AMD EPYC of the Zen 5 kind).
//
// It leaves to the caller how work is cut into tasks, and scratch memory by worker.
package par

import (
	"runtime"
	"sync"
	"sync/atomic"

	"zoobench/kernels/internal/cpu"
)

// Task is work cut into numbered pieces.
type Task interface {
	// Do computes piece i; worker says whose scratch memory it may use.
	Do(worker, i int)
}

// spins is how many turns a worker looks for new work before it sleeps: about 50 µs, longer than the gap between two
// layers, shorter than anybody notices.
const spins = 2000

// Pool is a fixed set of workers. The zero value is not usable; New makes one.
type Pool struct {
	size  int
	epoch atomic.Uint32 // counts calls of Run; a worker sleeps on an unchanged epoch
	quit  atomic.Bool

	task    Task
	ranges  []tasks      // of each worker
	running atomic.Int32 // workers that have not yet finished this epoch

	mu     sync.Mutex
	wake   *sync.Cond
	asleep atomic.Int32
}

// tasks is what is left of a worker's range. It fills a cache line, which others touch only when they have nothing to do.
type tasks struct {
	next atomic.Int64
	end  int64
	_    [48]byte
}

// New starts a pool of size workers, of which the caller of Run is one; 0 means one for each processor that Go may use.
func New(size int) *Pool {
	if size < 1 {
		size = runtime.GOMAXPROCS(0)
	}
	p := &Pool{size: size, ranges: make([]tasks, size)}
	p.wake = sync.NewCond(&p.mu)
	for w := 1; w < size; w++ {
		go p.work(w)
	}
	return p
}

// Size is the number of workers, the caller included.
func (p *Pool) Size() int { return p.size }

// Close ends the workers; Run must not be called after it.
func (p *Pool) Close() {
	p.quit.Store(true)
	p.mu.Lock()
	p.epoch.Add(1)
	p.wake.Broadcast()
	p.mu.Unlock()
}

// Run computes all pieces of t. A panic in one of them is the caller's bug and ends the process.
func (p *Pool) Run(tasks int, t Task) {
	if p.size == 1 || tasks < 2 {
		alone(tasks, t)
		return
	}
	p.task = t
	for w := range p.ranges {
		r := &p.ranges[w]
		r.next.Store(int64(w * tasks / p.size))
		r.end = int64((w + 1) * tasks / p.size)
	}
	p.running.Store(int32(p.size - 1))
	p.epoch.Add(1)
	if p.asleep.Load() > 0 {
		p.mu.Lock()
		p.wake.Broadcast()
		p.mu.Unlock()
	}
	p.share(0)
	for turn := 0; p.running.Load() > 0; turn++ {
		rest(turn)
	}
}

func (p *Pool) work(worker int) {
	seen := uint32(0)
	for {
		for turn := 0; p.epoch.Load() == seen; turn++ {
			if turn < spins {
				rest(turn)
				continue
			}
			p.sleep(seen)
		}
		if p.quit.Load() {
			return
		}
		seen++
		p.share(worker)
		p.running.Add(-1)
	}
}

// sleep waits for the epoch to move on. The count of sleepers rises before the epoch is looked at again, and Run moves
// the epoch before it looks at the count, so that one of the two always sees the other.
func (p *Pool) sleep(seen uint32) {
	p.mu.Lock()
	p.asleep.Add(1)
	for p.epoch.Load() == seen {
		p.wake.Wait()
	}
	p.asleep.Add(-1)
	p.mu.Unlock()
}

// Flushes reports whether pieces are computed with numbers below the normal range taken for zeros.
const Flushes = cpu.FlushesDenormals

// flush begins and restore ends the part of a goroutine that computes pieces.
func flush() (before uint32) {
	if Flushes {
		runtime.LockOSThread()
	}
	return cpu.Flush()
}

func restore(mode uint32) {
	cpu.Restore(mode)
	if Flushes {
		runtime.UnlockOSThread()
	}
}

// alone computes all pieces on the caller's goroutine.
func alone(tasks int, t Task) {
	defer restore(flush())
	for i := range tasks {
		t.Do(0, i)
	}
}

// share computes the worker's pieces, then those of the next worker and so on, until none is left.
func (p *Pool) share(worker int) {
	defer restore(flush())
	for k := range p.size {
		r := &p.ranges[(worker+k)%p.size]
		for i := r.next.Add(1) - 1; i < r.end; i = r.next.Add(1) - 1 {
			p.task.Do(worker, int(i))
		}
	}
}

// rest lets some time pass: the processor's spin hint, and now and then the scheduler, so that a process with fewer
// processors than workers goes on.
func rest(turn int) {
	if turn%64 == 63 {
		runtime.Gosched()
		return
	}
	cpu.Pause(4)
}

package par

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

// count counts how often each piece ran and by which worker.
type count struct {
	runs    []atomic.Int32
	workers []atomic.Int32
}

func (c *count) Do(worker, i int) {
	c.runs[i].Add(1)
	c.workers[worker].Add(1)
}

func TestRunDoesEachPieceOnce(t *testing.T) {
	for _, size := range []int{1, 2, 3, 8} {
		p := New(size)
		if p.Size() != size {
			t.Errorf("size %d, want %d", p.Size(), size)
		}
		for round := range 300 {
			tasks := []int{0, 1, 2, 7, 100}[round%5]
			c := &count{runs: make([]atomic.Int32, tasks), workers: make([]atomic.Int32, size)}
			p.Run(tasks, c)
			for i := range c.runs {
				if n := c.runs[i].Load(); n != 1 {
					t.Fatalf("%d workers, %d pieces: piece %d ran %d times", size, tasks, i, n)
				}
			}
			if round%100 == 99 {
				allAsleep(p) // and must wake again
			}
		}
		p.Close()
	}
}

// allAsleep waits until every worker of a pool at rest has fallen asleep.
func allAsleep(p *Pool) {
	for p.asleep.Load() < int32(p.size-1) {
		runtime.Gosched()
	}
}

type nothing struct{}

func (nothing) Do(int, int) {}

func TestRunAllocatesNothing(t *testing.T) {
	p := New(2)
	defer p.Close()
	if n := testing.AllocsPerRun(100, func() { p.Run(4, nothing{}) }); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}

// BenchmarkRun times a fork and a join around pieces that do nothing.
func BenchmarkRun(b *testing.B) {
	for _, size := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", size), func(b *testing.B) {
			p := New(size)
			defer p.Close()
			for b.Loop() {
				p.Run(size, nothing{})
			}
		})
	}
}

// BenchmarkFlush times what a worker does beside its pieces.
func BenchmarkFlush(b *testing.B) {
	for b.Loop() {
		restore(flush())
	}
}

// square is a task that fills a slice.
type square []int

func (s square) Do(_, i int) { s[i] = i * i }

func ExamplePool_Run() {
	p := New(2)
	defer p.Close()
	s := make(square, 5)
	p.Run(len(s), s)
	fmt.Println(s)
	// Output: [0 1 4 9 16]
}

// tiny is below the normal range once it is halved; the compiler does not know it.
var tiny, half = float32(0x1p-126), float32(0.5)

// halves halves the smallest normal number in every piece, and lets Go move the goroutine in the middle if it can.
type halves struct{ before, after [8]float32 }

func (h *halves) Do(_, i int) {
	h.before[i] = tiny * half
	runtime.Gosched()
	h.after[i] = tiny * half
}

// TestFlush holds every piece to the mode for numbers below the normal range, and goroutines beside a pool and after it to
// Go's own.
func TestFlush(t *testing.T) {
	want := float32(0)
	if !Flushes {
		want = 0x1p-127
	}
	var quit atomic.Bool
	wrong := make(chan float32, 1)
	go func() { // takes over threads and processors that workers leave
		defer close(wrong)
		for !quit.Load() {
			if got := tiny * half; got != 0x1p-127 {
				wrong <- got
				return
			}
			runtime.Gosched()
		}
	}()
	for _, size := range []int{1, 2, 3} {
		p := New(size)
		for range 50 {
			for _, pieces := range []int{1, 8} {
				var h halves
				p.Run(pieces, &h)
				for i := range pieces {
					if h.before[i] != want || h.after[i] != want {
						t.Fatalf("%d workers: piece %d of %d: half the smallest normal number is %g, then %g, want %g",
							size, i, pieces, h.before[i], h.after[i], want)
					}
				}
				if got := tiny * half; got != 0x1p-127 {
					t.Fatalf("%d workers: after Run half the smallest normal number is %g", size, got)
				}
			}
		}
		p.Close()
	}
	quit.Store(true)
	if got, ok := <-wrong; ok {
		t.Errorf("another goroutine: half the smallest normal number is %g", got)
	}
}

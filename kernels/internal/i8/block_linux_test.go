package i8

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tiled is the level whose instructions multiply tiles. Without it the test is skipped.
func tiled(t testing.TB) *Level {
	all := Levels()
	if l := all[len(all)-1]; l.Tiled {
		return l
	}
	t.Skip("AMX: this machine has none, or the system does not let this process use it")
	return nil
}

// A trial is a block with operands of its own.
type trial struct {
	Block
	panels     int
	a, b       []uint8
	out, res   []uint8
	bias       []int32
	scale      []float32
	sums       BlockSums
	start, end int // of out, what the block may write between
}

// newTrial makes a block of random numbers.
func newTrial(rng *rand.Rand) *trial {
	t := &trial{panels: 1 + rng.IntN(BlockPanels)}
	nr := t.panels * NR
	t.Chunks, t.Chunk = 1+rng.IntN(5), Depth*(1+rng.IntN(ChunkBytes/Depth))
	t.BlocksLeft = 1 + rng.IntN(3)
	t.SetRows(1 + rng.IntN(BlockRows))
	depth, rows := t.Chunks*t.Chunk, t.BlocksLeft*t.Rows
	t.Columns = 1 + rng.IntN(nr)
	t.LDA, t.Panel = depth+rng.IntN(40), depth*NR+rng.IntN(100)
	size := 1
	if rng.IntN(3) == 0 {
		t.OutFloats, size = 1, 4
	}
	t.LDC, t.LDR = size*(t.Columns+rng.IntN(5)), size*(t.Columns+rng.IntN(5))
	random := func(n int) []uint8 {
		x := make([]uint8, n)
		for i := range x {
			x[i] = uint8(rng.IntN(256))
		}
		return x
	}
	t.a, t.b = random((rows-1)*t.LDA+depth), random((t.panels-1)*t.Panel+depth*NR)
	t.start = 64
	t.end = t.start + (rows-1)*t.LDC + size*t.Columns
	t.out, t.res = random(t.end+64), random((rows-1)*t.LDR+size*t.Columns)
	for i := 3; size == 4 && i < len(t.res); i += 4 {
		t.res[i] = uint8(60 + rng.IntN(8)) // no number that is no number
	}
	t.bias, t.scale = make([]int32, nr), make([]float32, nr)
	for i := range t.bias {
		t.bias[i], t.scale[i] = int32(rng.IntN(100000)-50000), rng.Float32()/float32(depth)/50
	}
	t.A, t.B = unsafe.Pointer(&t.a[0]), unsafe.Pointer(&t.b[0])
	t.Bias, t.Scale, t.Sums = unsafe.Pointer(&t.bias[0]), &t.scale[0], &t.sums
	if rng.IntN(2) == 0 {
		t.R = unsafe.Pointer(&t.res[0])
		t.ResScale, t.ResZero = rng.Float32(), int32(rng.IntN(256))
	}
	t.Zero = int32(rng.IntN(256))
	t.Lo, t.Hi = float32(-t.Zero+int32(rng.IntN(20))), float32(255-t.Zero-int32(rng.IntN(20)))
	t.Prefetch, t.Ahead = uintptr(t.B), 1+rng.IntN(20)
	return t
}

// run is what the output becomes by one of a level's products.
func (t *trial) run(blocks *Blocks) []uint8 {
	arg, out := t.Block, bytes.Clone(t.out)
	arg.C = unsafe.Pointer(&out[t.start])
	blocks[(arg.Rows-1)/tileRows][t.panels-1](&arg)
	return out
}

// TestBlockTwins runs products by blocks over random shapes, depths, residuals and strides: the same bytes as the Go twin, and what
// lies between and behind the columns stays as it was.
func TestBlockTwins(t *testing.T) {
	l, rng := tiled(t), rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		b := newTrial(rng)
		got, want := b.run(&l.Blocks), b.run(&generic.Blocks)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%d blocks of %d rows, %d panels, %d columns, %d chunks of %d: byte %d is %d, want %d",
					b.BlocksLeft, b.Rows, b.panels, b.Columns, b.Chunks, b.Chunk, i-b.start, got[i], want[i])
			}
		}
	}
}

// TestBlocksTogether multiplies on many more goroutines than processors, while others allocate, collect garbage and send the signal
// by which Go preempts to every thread: the tiles of a thread that is stopped, and of a goroutine that goes on elsewhere, are not lost.
func TestBlocksTogether(t *testing.T) {
	l := tiled(t)
	var calls, wrong, signals atomic.Int64
	var wait sync.WaitGroup
	end := time.Now().Add(3 * time.Second)
	until := func(f func()) {
		wait.Go(func() {
			for time.Now().Before(end) {
				f()
			}
		})
	}
	for i := range 4 * runtime.GOMAXPROCS(0) {
		rng := rand.New(rand.NewPCG(3, uint64(i)))
		var trials []*trial
		var want [][]uint8
		for range 8 {
			b := newTrial(rng)
			trials, want = append(trials, b), append(want, b.run(&generic.Blocks))
		}
		until(func() {
			for k, b := range trials {
				if calls.Add(1); !bytes.Equal(b.run(&l.Blocks), want[k]) {
					wrong.Add(1)
				}
			}
		})
	}
	var kept atomic.Pointer[[]byte]
	until(func() {
		x := make([]byte, 1<<16)
		kept.Store(&x)
	})
	until(func() {
		runtime.GC()
		time.Sleep(time.Millisecond)
	})
	until(func() {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Error(err)
			return
		}
		for _, thread := range threads {
			if id, err := strconv.Atoi(thread.Name()); err == nil && unix.Tgkill(os.Getpid(), id, syscall.SIGURG) == nil {
				signals.Add(1)
			}
		}
		time.Sleep(50 * time.Microsecond)
	})
	wait.Wait()
	t.Logf("%d products, %d signals", calls.Load(), signals.Load())
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d of %d products are wrong", n, calls.Load())
	}
}

// TestChunks holds that depth is cut into as few chunks as can be, of even size and of no more than three bytes beyond it each.
func TestChunks(t *testing.T) {
	for bytes := 1; bytes < 2000; bytes++ {
		n, size := Chunks(bytes)
		if n != (bytes+ChunkBytes-1)/ChunkBytes || size > ChunkBytes || size%Depth != 0 || n*size < bytes || n*(size-Depth) >= bytes {
			t.Errorf("%d bytes are %d chunks of %d", bytes, n, size)
		}
	}
}

// BenchmarkBlock is the rate of products of 192 rows by 32 columns, of a depth that fits the first or the second level of cache.
func BenchmarkBlock(b *testing.B) {
	l := tiled(b)
	for _, depth := range []int{64, 256, 576, 1024, 2304, 4608} {
		b.Run(strconv.Itoa(depth), func(b *testing.B) {
			const rows, nr = 192, BlockPanels * NR
			a, w, out := make([]uint8, rows*depth), make([]int8, nr*depth), make([]uint8, rows*nr)
			for i := range a {
				a[i] = uint8(i)
			}
			for i := range w {
				w[i] = int8(i)
			}
			bias, scale := make([]int32, nr), make([]float32, nr)
			var sums BlockSums
			arg := Block{A: unsafe.Pointer(&a[0]), B: unsafe.Pointer(&w[0]), C: unsafe.Pointer(&out[0]), Bias: unsafe.Pointer(&bias[0]),
				Scale: &scale[0], Sums: &sums, LDA: depth, Panel: depth * NR, LDC: nr, Columns: nr, Prefetch: uintptr(unsafe.Pointer(&w[0])), Ahead: 5}
			arg.Hi = 255
			arg.Chunks, arg.Chunk = Chunks(depth)
			arg.SetRows(BlockRows)
			for b.Loop() {
				t := arg
				t.BlocksLeft = rows / BlockRows
				l.Blocks[1][1](&t)
			}
			b.ReportMetric(2*rows*nr*float64(depth)*float64(b.N)/b.Elapsed().Seconds()/1e12, "TOPS")
		})
	}
}

package engine

import (
	"math"
	"math/rand/v2"
	"sort"

	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// A buffer is memory that one value, or the parts of a concatenation, live in.
type buffer struct {
	elems       int  // of one image
	bytes       bool // they are bytes, not float32
	images      int  // that are in it at once
	first, last int  // groups that use it
	offset      int  // in the arena
}

// size is the buffer's room in the arena.
func (b *buffer) size() int {
	n := b.elems * b.images
	if b.bytes {
		n = (n + 3) / 4
	}
	return roundUp(n, align)
}

// A place is where a value lives: channels [channel, channel+C) of a buffer's pixels.
type place struct {
	buffer  int
	node    int // of a constant
	channel int
	stride  int
	shape   nn.Shape
	bytes   bool // of bytes, which quant explains
	quant   kernels.Quant
}

// What is not in the arena: Run's images, and values that no image can change.
const (
	inputBuffer = -1
	constBuffer = -2
)

// align is the arena's grain: a cache line.
const align = 16

// packArena gives every buffer its range of the arena and returns the arena's size in elements. Buffers are placed one
// after the other, each at the lowest offset that no buffer alive at the same time holds. What that needs depends on
// their order: a few are tried, then sizes shaken by chance, always the same, until one needs no more than is alive at
// once.
func packArena(buffers []buffer) int {
	keys := []func(b buffer) float64{
		func(b buffer) float64 { return float64(b.elems) },
		func(b buffer) float64 { return float64(b.last - b.first) },
		func(b buffer) float64 { return float64(-b.first) },
		func(b buffer) float64 { return float64(b.last) },
	}
	shakes := min(500, 10+(1<<21)/(len(buffers)*len(buffers)+1))
	best, least, bound := []float64(nil), 0, mostAlive(buffers)
	rng := rand.New(rand.NewPCG(1, 2))
	for try := 0; try < len(keys)+shakes && (try == 0 || least > bound); try++ {
		key := make([]float64, len(buffers))
		for i, b := range buffers {
			if try < len(keys) {
				key[i] = keys[try](b)
			} else {
				key[i] = math.Pow(float64(b.elems), float64(try%3)/2) * (0.5 + rng.Float64())
			}
		}
		if total := arrange(buffers, key); try == 0 || total < least {
			best, least = key, total
		}
	}
	return arrange(buffers, best)
}

// mostAlive is the size of the largest set of buffers alive at once.
func mostAlive(buffers []buffer) int {
	most := 0
	for _, at := range buffers {
		alive := 0
		for _, b := range buffers {
			if b.first <= at.first && at.first <= b.last {
				alive += b.size()
			}
		}
		most = max(most, alive)
	}
	return most
}

// arrange places buffers in the order of falling keys.
func arrange(buffers []buffer, key []float64) int {
	order := make([]int, len(buffers))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return key[order[a]] > key[order[b]] })
	total := 0
	var placed []int // in order of offset
	for _, i := range order {
		b := &buffers[i]
		size := b.size()
		b.offset = 0
		for _, j := range placed {
			other := buffers[j]
			if other.last < b.first || b.last < other.first {
				continue
			}
			if b.offset+size <= other.offset {
				break
			}
			b.offset = max(b.offset, other.offset+other.size())
		}
		at := sort.Search(len(placed), func(k int) bool { return buffers[placed[k]].offset >= b.offset })
		placed = append(placed, 0)
		copy(placed[at+1:], placed[at:])
		placed[at] = i
		total = max(total, b.offset+size)
	}
	return total
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// tensor is a value of n images, from image first of the batch on.
func (e *Engine) tensor(p place, first, n int) kernels.Tensor {
	t := kernels.Tensor{N: n, H: p.shape.H, W: p.shape.W, C: p.shape.C, Stride: p.stride}
	switch p.buffer {
	case inputBuffer:
		t.Data = e.input.Data[first*e.graph.Input().Elems()+p.channel:]
		return t
	case constBuffer:
		t.N, t.Data = 1, e.constants[p.node][p.channel:]
		return t
	}
	b := e.buffers[p.buffer]
	if b.images < e.batch {
		first = 0 // it holds the images under way only
	}
	t.Data = e.arena[b.offset+first*b.elems+p.channel : b.offset+(first+n)*b.elems]
	return t
}

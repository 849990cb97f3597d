package host

import (
	"runtime"
	"strings"
)

// Pages is how much of a program's memory lies in large pages, which spare it most misses of the address cache.
type Pages struct {
	Setting string  // of transparent large pages: always, madvise or never; "" where that is not known
	Share   float64 // of memory written a moment ago
}

// pagesBytes is the memory that is tried: enough that a page at either end does not matter.
const pagesBytes = 64 << 20

// ReadPages writes memory that alloc gives and looks where it lies; nil where the system does not say.
func ReadPages(root string, alloc func(n int) []float32) *Pages {
	s := files(root)
	large := func() (kib int64, known bool) {
		text := field(s.text("proc/self/smaps_rollup"), "AnonHugePages:", 1)
		return number(text), text != ""
	}
	before, known := large()
	if !known {
		return nil
	}
	x := alloc(pagesBytes / 4)
	for i := range x {
		x[i] = 1
	}
	after, _ := large()
	p := &Pages{Share: min(1, max(0, float64(after-before)*1024/float64(4*len(x))))}
	if _, rest, ok := strings.Cut(s.line("sys/kernel/mm/transparent_hugepage/enabled"), "["); ok {
		p.Setting, _, _ = strings.Cut(rest, "]")
	}
	runtime.KeepAlive(x)
	return p
}

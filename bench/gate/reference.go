package gate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A reference is a calibration kernel: what a benchmark's time is a ratio to, so that a machine that is slower today as
// a whole shows no change. It runs in the benchmark's process, before and after each of its runs and for as long.
type reference string

// The references: multiply-adds that never leave the registers, and a copy of memory beyond a core's own caches.
const (
	arithmetic reference = "arithmetic"
	memory     reference = "memory"
)

// arithmeticShare is the part of the arithmetic's peak from which a benchmark is taken to follow it and not memory. Layers
// that convolve reach 0.25 or more of it; a linear layer at batch 1, which reads each weight once, less.
const arithmeticShare = 0.25

// follows is the reference that a benchmark's time follows on a core of this peak, in flops a second.
func (b benchmark) follows(peak float64) reference {
	if b.BytesPerSec > 0 || b.MACsPerSec > 0 && 2*b.MACsPerSec < arithmeticShare*peak {
		return memory
	}
	return arithmetic
}

// longestReference is the longest run of a reference. It takes longer than the scheduler's turns, so that what shares the
// core slows it down as it does a benchmark's run of any length.
const longestReference = 20 * time.Millisecond

// How the gate and a benchmark's process agree: the environment variable that asks for a reference, with the kernel, the
// number of the benchmark's runs and the nanoseconds of one of the reference, and the name under which those are printed.
const (
	referenceVariable = "ZOOBENCH_GATE_REFERENCE"
	referenceName     = "ZoobenchReference" // after "Benchmark"
)

// beside is the environment variable for a benchmark.
func (r reference) beside(b benchmark) string {
	calls, runs := b.iterations()
	length := min(longestReference, time.Duration(float64(calls)*b.NsPerOp))
	return fmt.Sprintf("%s=%s %d %d", referenceVariable, r, runs, length.Nanoseconds())
}

// referenceSource is a test file of the package whose benchmarks are timed: how it runs them where the environment asks
// for a reference. It needs nothing of the package, so that every revision has the same.
const referenceSource = `package %s

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	var kernel string
	var runs, length int64
	if n, _ := fmt.Sscan(os.Getenv("` + referenceVariable + `"), &kernel, &runs, &length); n != 3 {
		os.Exit(m.Run())
	}
	pass := zoobenchArithmetic
	if kernel == "` + string(memory) + `" {
		from, to := make([]byte, 4<<20), make([]byte, 4<<20)
		for i := range from {
			from[i] = byte(i) // a page that was never written has no memory of its own
		}
		pass = func() { copy(to, from) }
	}
	pass()
	reference := func() {
		passes, start := 0, time.Now()
		for passes == 0 || time.Since(start) < time.Duration(length) {
			pass()
			passes++
		}
		ns := float64(time.Since(start).Nanoseconds())
		fmt.Printf("Benchmark` + referenceName + ` %%d %%.1f ns/op\n", passes, ns/float64(passes))
	}
	reference()
	for range runs {
		if code := m.Run(); code != 0 {
			os.Exit(code)
		}
		reference()
	}
}

var zoobenchSum float64

// zoobenchArithmetic has twelve chains of multiply-adds, which hide each other's latency.
func zoobenchArithmetic() {
	const x, y = 0.999, 0.001
	a, b, c, d, e, f := 1.0, 1.1, 1.2, 1.3, 1.4, 1.5
	g, h, i, j, k, l := 2.0, 2.1, 2.2, 2.3, 2.4, 2.5
	for range 20_000 {
		a, b, c, d, e, f = a*x+y, b*x+y, c*x+y, d*x+y, e*x+y, f*x+y
		g, h, i, j, k, l = g*x+y, h*x+y, i*x+y, j*x+y, k*x+y, l*x+y
	}
	zoobenchSum = a + b + c + d + e + f + g + h + i + j + k + l
}
`

// refer adds the references to the package in dir. One with a TestMain of its own is left as it is: its benchmarks can be
// compared with another revision's, but not with a baseline.
func refer(dir, name string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return fmt.Errorf("gate: reference: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("gate: reference: %w", err)
		}
		if bytes.Contains(text, []byte("\nfunc TestMain(")) {
			return nil
		}
	}
	if len(files) == 0 {
		return nil // no benchmarks either
	}
	path := filepath.Join(dir, "zoobench_reference_test.go")
	if err := os.WriteFile(path, fmt.Appendf(nil, referenceSource, name), 0o666); err != nil {
		return fmt.Errorf("gate: reference: %w", err)
	}
	return nil
}

package record

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// WriteGoBench writes the latency and load records of rs in Go's benchmark format, a line a sample, so that benchstat
// computes its own intervals: the machine and build as configuration lines, the settings as key=value parts of the
// name. A sample is the time of a query; where that is no batch, the name has its images or the rate. Records whose
// verdict is not valid are left out, as benchstat would count them like the others.
func WriteGoBench(w io.Writer, rs []Record) error {
	bw := benchfmt.NewWriter(w)
	for i := range rs {
		r := &rs[i]
		if !r.Verdict.Valid {
			continue
		}
		res := &benchfmt.Result{Config: goBenchConfig(r)}
		emit := func(name string, n int, ns int64) error {
			res.Name, res.Iters = benchfmt.Name(name), n
			res.Values = []benchfmt.Value{{Value: float64(ns) / 1e9, Unit: "sec/op", OrigValue: float64(ns), OrigUnit: "ns/op"}}
			if err := bw.Write(res); err != nil {
				return fmt.Errorf("record: go benchmark text: %w", err)
			}
			return nil
		}
		switch {
		case r.Kind == KindLatency && r.Timing != nil:
			name := goBenchName("Latency", r)
			processes := r.Processes
			if len(processes) == 0 { // of an earlier version: one process
				processes = []Process{{N: r.N, P50: r.P50}}
			}
			for _, p := range processes {
				if p.P50 == 0 {
					continue
				}
				if err := emit(name, p.N, p.P50); err != nil {
					return err
				}
			}
		case r.Kind == KindLoad && r.Footprint != nil:
			if err := emit(goBenchName("Load", r), 1, r.Load); err != nil {
				return err
			}
		}
	}
	return nil
}

// goBenchName names a record by everything that its figure depends on but the build. The last part is a word, so that
// no reader takes its end for a GOMAXPROCS suffix.
func goBenchName(what string, r *Record) string {
	isa := r.Machine.ISA
	if isa == "" {
		isa = "unknown"
	}
	parts := []string{what, "model=" + r.Name()}
	for _, p := range []struct {
		key string
		v   int
	}{{"img_size", r.ImgSize}, {"batch", r.Batch}, {"threads", r.Threads}} {
		if p.v > 0 {
			parts = append(parts, p.key+"="+strconv.Itoa(p.v))
		}
	}
	if r.Scenario != "" {
		parts = append(parts, "scenario="+r.Scenario)
	}
	if n := r.Ran().Streams; n > 0 {
		parts = append(parts, "streams="+strconv.Itoa(n))
	}
	if rate := exactly(r.Ran().Rate); rate != "" {
		parts = append(parts, "rate="+rate)
	}
	if precision := r.RanWith().Precision; precision != "" {
		parts = append(parts, "precision="+precision)
	}
	parts = append(parts, "isa="+isa)
	// White space ends a name and a slash a part of it; neither is allowed to come from within a value.
	for i, p := range parts {
		parts[i] = strings.Map(func(c rune) rune {
			if c <= ' ' || c == '/' || c == 0x7f {
				return '_'
			}
			return c
		}, p)
	}
	return strings.Join(parts, "/")
}

func goBenchConfig(r *Record) []benchfmt.Config {
	var configs []benchfmt.Config
	class := "" // benchstat makes a table of each; of earlier versions' records it would say no more than the lines before it
	if r.Machine.Family != 0 {
		class = r.Machine.Class()
	}
	for _, c := range []struct{ key, value string }{
		{"goos", r.Machine.OS},
		{"goarch", r.Machine.Arch},
		{"cpu", r.Machine.CPU},
		{"machine", class},
		{"go", r.Machine.Go},
		{"commit", r.Machine.Commit},
		{"kernel-build", r.Machine.KernelBuild},
	} {
		if c.value != "" {
			value := strings.Join(strings.Fields(c.value), " ") // one line, whatever the name holds
			configs = append(configs, benchfmt.Config{Key: c.key, Value: []byte(value), File: true})
		}
	}
	return configs
}

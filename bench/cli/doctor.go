package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/host"
	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/kernels"
)

// doctorRow is what zoobench doctor finds; its names are relied on by scripts.
type doctorRow struct {
	CPU          string   `json:"cpu"`
	Cores        int      `json:"cores"`
	ISA          string   `json:"isa"`
	ISAs         []string `json:"isas"`
	L1DBytes     int64    `json:"l1d_bytes"`
	L2Bytes      int64    `json:"l2_bytes"`
	L3Bytes      int64    `json:"l3_bytes"`
	MemoryBytes  int64    `json:"memory_bytes"`
	OS           string   `json:"os"`
	Arch         string   `json:"arch"`
	Kernel       string   `json:"kernel"`
	Go           string   `json:"go"`
	GOMAXPROCS   int      `json:"gomaxprocs"`
	PeakGFLOPS   float64  `json:"peak_gflops_per_core"`
	ReadGBytes   float64  `json:"read_gbytes_per_s_per_core"`
	TimerStep    int64    `json:"timer_resolution_ns"`
	TimerCost    int64    `json:"timer_overhead_ns"`
	NoisePercent float64  `json:"noise_percent"`
	AAPercent    float64  `json:"aa_percent"`
	LoadAverage  *float64 `json:"load_average,omitempty"` // of the last minute; nil where the system does not say
	Governor     string   `json:"governor,omitempty"`     // "" where the system does not say
	Advice       []string `json:"advice,omitempty"`

	LargePages        string   `json:"large_pages,omitempty"`         // the system's setting; "" where it does not say
	LargePagesPercent *float64 `json:"large_pages_percent,omitempty"` // of weights' memory; nil where the system does not say

	OnlineCores     int      `json:"online_cores,omitempty"`     // of the machine, 0 where the system does not say
	QuotaProcessors float64  `json:"quota_processors,omitempty"` // that control groups allow, 0 for no limit
	MachineClass    string   `json:"machine_class"`              // machines of one class may be compared
	Interference    []string `json:"interference"`               // seen while the machine was measured; null where the system does not say
}

func (a *app) doctor() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Measure what this machine can do and how steady it is",
		Long: "Measures the peak of arithmetic, the speed of memory, the timer, and how much the time of the same work varies. It takes\n" +
			"some seconds. The command also names what would disturb measurements, and what to do about it.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			facts := host.ReadFacts(host.Root) // with the load before this command adds its own
			h, err := runner.MeasureHost(c.Context())
			if err != nil {
				return err
			}
			m := record.ThisMachine()
			row := doctorRow{
				CPU: m.CPU, Cores: m.Cores, ISA: kernels.ISA(), ISAs: kernels.ISAs(),
				L1DBytes: m.L1DBytes, L2Bytes: m.L2Bytes, L3Bytes: m.L3Bytes, MemoryBytes: m.MemoryBytes,
				OS: m.OS, Arch: m.Arch, Kernel: m.Kernel, Go: m.Go, GOMAXPROCS: runtime.GOMAXPROCS(0),
				PeakGFLOPS: h.PeakGFLOPS, ReadGBytes: h.ReadGBytes, TimerStep: h.TimerStep, TimerCost: h.TimerCost,
				NoisePercent: h.NoisePercent, AAPercent: h.AAPercent, LoadAverage: facts.Load, Governor: facts.Governor,
				MachineClass: m.Class(), OnlineCores: facts.Online, QuotaProcessors: facts.Quota,
			}
			if h.Interference != nil {
				row.Interference = append([]string{}, h.Disturbed()...)
			}
			if p := host.ReadPages(host.Root, kernels.Alloc); p != nil {
				percent := 100 * p.Share
				row.LargePages, row.LargePagesPercent = p.Setting, &percent
			}
			row.advise(facts)
			if a.format == "table" {
				return row.write(a)
			}
			return newPrinter[doctorRow](a, nil, nil).print(row)
		},
	}
	a.formatFlag(c)
	return c
}

// advise says what would make measurements here more trustworthy.
func (d *doctorRow) advise(facts host.Facts) {
	tell := func(format string, args ...any) { d.Advice = append(d.Advice, fmt.Sprintf(format, args...)) }
	for _, text := range facts.Warnings(d.GOMAXPROCS) {
		tell("%s", text)
	}
	if d.NoisePercent > 5 {
		tell("the time of the same work varies by %.1f %%: stop other programs", d.NoisePercent)
	}
	if d.LoadAverage != nil && *d.LoadAverage > 0.5 {
		tell("other programs kept %.1f processors busy in the last minute", *d.LoadAverage)
	}
	if d.Governor != "" && d.Governor != "performance" {
		tell("the frequency governor is %s: times are steadier with performance", d.Governor)
	}
	if d.LargePagesPercent != nil && *d.LargePagesPercent < 50 {
		tell("the system gives few large pages for weights: networks with many weights can be slower; set transparent_hugepage to madvise")
	}
	if d.ISA == "generic" {
		tell("this machine uses no vector instructions: its times are those of plain Go")
	}
}

func (d *doctorRow) write(a *app) error {
	unknown := func(text string) string { return cmp.Or(text, "the system does not say") }
	cores := fmt.Sprintf("%d (Go uses %d)", d.Cores, d.GOMAXPROCS)
	if d.OnlineCores > d.Cores {
		cores = fmt.Sprintf("%d of %d (Go uses %d)", d.Cores, d.OnlineCores, d.GOMAXPROCS)
	}
	if d.QuotaProcessors > 0 {
		cores += fmt.Sprintf(", a control group allows %.3g of their time", d.QuotaProcessors)
	}
	interference := strings.Join(d.Interference, "; ")
	if d.Interference != nil {
		interference = cmp.Or(interference, "none seen")
	}
	load := ""
	if d.LoadAverage != nil {
		load = fmt.Sprintf("%.2f", *d.LoadAverage)
	}
	pages := ""
	if d.LargePagesPercent != nil {
		pages = fmt.Sprintf("%.0f %% of memory for weights (the system's setting: %s)", *d.LargePagesPercent, unknown(d.LargePages))
	}
	rows := [][]string{
		{"processor", d.CPU},
		{"class", d.MachineClass},
		{"cores", cores},
		{"instruction sets", strings.Join(d.ISAs, ", ") + "; in use: " + d.ISA},
		{"caches", fmt.Sprintf("L1d %d KiB, L2 %d KiB, L3 %d KiB", d.L1DBytes>>10, d.L2Bytes>>10, d.L3Bytes>>10)},
		{"memory", fmt.Sprintf("%.1f GiB", float64(d.MemoryBytes)/(1<<30))},
		{"large pages", unknown(pages)},
		{"system", strings.TrimSpace(fmt.Sprintf("%s/%s %s, %s", d.OS, d.Arch, d.Kernel, d.Go))},
		{"peak per core", fmt.Sprintf("%.1f GFLOP/s float32", d.PeakGFLOPS)},
		{"memory read per core", fmt.Sprintf("%.1f GB/s", d.ReadGBytes)},
		{"timer", fmt.Sprintf("%d ns resolution, %d ns for each reading", d.TimerStep, d.TimerCost)},
		{"host noise", fmt.Sprintf("%.1f %% spread, %.2f %% between two halves", d.NoisePercent, d.AAPercent)},
		{"interference", unknown(interference)},
		{"load average", unknown(load)},
		{"governor", unknown(d.Governor)},
	}
	for _, advice := range d.Advice {
		rows = append(rows, []string{"advice", advice})
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(a.stdout, "%-20s %s\n", row[0], clean(row[1])); err != nil {
			return err
		}
	}
	return nil
}

// warnOfHost says on standard error what will be wrong with timings by so many workers, 0 for one a processor.
func (a *app) warnOfHost(workers int) {
	for _, text := range host.ReadFacts(host.Root).Warnings(cmp.Or(workers, runtime.NumCPU())) {
		fmt.Fprintf(a.notes, "zoobench: this machine: %s\n", clean(text))
	}
}

package record

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// A Machine is where and with what build a record was measured. Columns from cpu_vendor to hypervisor are empty in
// records of earlier versions and where the system does not say.
type Machine struct {
	CPU         string `json:"cpu"`   // the processor's own name; clouds mask it, so it is shown but is no part of a class
	Cores       int    `json:"cores"` // logical cores that this process may use
	ISA         string `json:"isa,omitempty"`
	L1DBytes    int64  `json:"l1d_bytes,omitempty"`
	L2Bytes     int64  `json:"l2_bytes,omitempty"`
	L3Bytes     int64  `json:"l3_bytes,omitempty"`
	MemoryBytes int64  `json:"memory_bytes,omitempty"`
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	Kernel      string `json:"kernel,omitempty"` // the operating system's release
	Go          string `json:"go"`
	Commit      string `json:"commit,omitempty"`       // commit of the program, with +dirty where the tree had changes
	KernelBuild string `json:"kernel_build,omitempty"` // identifies zoobench's compute kernels

	Vendor     string `json:"cpu_vendor,omitempty"`
	Family     int    `json:"cpu_family,omitempty"`
	Model      int    `json:"cpu_model,omitempty"`
	Stepping   int    `json:"cpu_stepping,omitempty"`
	Flags      string `json:"cpu_flags,omitempty"` // instruction sets that matter to kernels, with spaces between them
	Hypervisor string `json:"hypervisor,omitempty"`
}

// kernelFlags are the instructions that kernels use, or may come to use: a flag that is added here makes a class of its own
// of every machine that has it.
var kernelFlags = []cpuid.FeatureID{
	cpuid.AVX2, cpuid.FMA3, cpuid.AVX512F, cpuid.AVX512CD, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL,
	cpuid.AVX512VNNI, cpuid.AVXVNNI, cpuid.AVX512BF16, cpuid.AVX512FP16, cpuid.AMXTILE, cpuid.AMXINT8, cpuid.AMXBF16,
	cpuid.ASIMD, cpuid.ASIMDHP, cpuid.ASIMDDP, cpuid.I8MM, cpuid.BF16, cpuid.SVE, cpuid.SVE2,
}

// ThisMachine describes the machine and build it runs on. ISA and KernelBuild belong to the kernels
// package and are the caller's to fill in; what the system does not say is left zero.
func ThisMachine() Machine {
	m := Machine{
		CPU:   cpuid.CPU.BrandName,
		Cores: runtime.NumCPU(),
		OS:    runtime.GOOS,
		Arch:  runtime.GOARCH,
		Go:    runtime.Version(),
		// cpuid says -1 for a cache that it cannot size.
		L1DBytes: int64(max(cpuid.CPU.Cache.L1D, 0)),
		L2Bytes:  int64(max(cpuid.CPU.Cache.L2, 0)),
		L3Bytes:  int64(max(cpuid.CPU.Cache.L3, 0)),

		Family: cpuid.CPU.Family, Model: cpuid.CPU.Model, Stepping: cpuid.CPU.Stepping,
		Vendor: known(cpuid.CPU.VendorID), Hypervisor: known(cpuid.CPU.HypervisorVendorID),
	}
	var flags []string
	for _, flag := range kernelFlags {
		if cpuid.CPU.Supports(flag) {
			flags = append(flags, strings.ToLower(flag.String()))
		}
	}
	m.Flags = strings.Join(flags, " ")
	if m.L1DBytes == 0 && m.L2Bytes == 0 && m.L3Bytes == 0 {
		m.L1DBytes, m.L2Bytes, m.L3Bytes = caches("/sys/devices/system/cpu/cpu0/cache") // of a processor that does not say, as arm64
	}
	if m.CPU == "" {
		m.CPU = "unknown " + runtime.GOARCH
	}
	m.Kernel, m.MemoryBytes = system()
	if info, ok := debug.ReadBuildInfo(); ok {
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				m.Commit = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+dirty"
			}
		}
		if m.Commit != "" {
			m.Commit += dirty
		}
	}
	return m
}

// known is a vendor's name, "" for one that is not known.
func known(v cpuid.Vendor) string {
	if v == cpuid.VendorUnknown {
		return ""
	}
	return v.String()
}

// Title is a short name for readers: the processor's own, cores, operating system and architecture. Machines of one title
// may be of several classes.
func (m Machine) Title() string {
	return fmt.Sprintf("%s, %d cores, %s/%s", m.CPU, m.Cores, m.OS, m.Arch)
}

// Class is a fingerprint of what two machines must share before their timings may be in one column: the processor's
// vendor, family, model and stepping, the instructions that kernels use, caches, cores, hypervisor, operating system and
// architecture. The processor's own name decides only where nothing better is known, as in records of earlier versions:
// these are compared with each other by what they have, and share no class with a record that says more. What a fingerprint
// cannot tell apart, a clock of another speed, shows in the measured peak: see SamePeak.
func (m Machine) Class() string {
	name, flags := m.CPU, ""
	if m.Family != 0 || m.Flags != "" {
		name = strings.TrimSpace(fmt.Sprintf("%s family %d model %d stepping %d", m.Vendor, m.Family, m.Model, m.Stepping))
		flags = "with " + cmp.Or(m.Flags, "no vector instructions")
	}
	parts := []string{name, fmt.Sprintf("%d cores", m.Cores)}
	if m.L1DBytes > 0 || m.L2Bytes > 0 || m.L3Bytes > 0 {
		parts = append(parts, fmt.Sprintf("caches of %d, %d and %d KiB", m.L1DBytes>>10, m.L2Bytes>>10, m.L3Bytes>>10))
	}
	if m.Hypervisor != "" {
		parts = append(parts, "under "+m.Hypervisor)
	}
	if parts = append(parts, m.OS+"/"+m.Arch); flags != "" {
		parts = append(parts, flags)
	}
	return strings.Join(parts, ", ")
}

// peakBand is how many times one machine's measured peak may be another's before the two are of two classes. Clocks of
// processors with one fingerprint differ by up to a half; the median of one machine's peaks moves by a few percent.
const peakBand = 1.25

// SamePeak reports whether two peaks, in GFLOP/s a core, may be of one class of machine. A peak that was not measured, 0, may.
func SamePeak(a, b float64) bool {
	return a <= 0 || b <= 0 || max(a, b) <= peakBand*min(a, b)
}

// Peak is the largest peak of the machine in records, 0 where none has one: other work makes a peak less and never more.
func Peak(records []Record) (peak float64) {
	for i := range records {
		if h := records[i].Host; h != nil && h.PeakGFLOPS > peak && !math.IsInf(h.PeakGFLOPS, 1) {
			peak = h.PeakGFLOPS
		}
	}
	return peak
}

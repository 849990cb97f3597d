package record

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/klauspost/cpuid/v2"
)

// A Machine is where and with what build a record was measured.
type Machine struct {
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"` // logical ones this process may use
	ISA         string `json:"isa,omitempty"`
	L1DBytes    int64  `json:"l1d_bytes,omitempty"`
	L2Bytes     int64  `json:"l2_bytes,omitempty"`
	L3Bytes     int64  `json:"l3_bytes,omitempty"`
	MemoryBytes int64  `json:"memory_bytes,omitempty"`
	OS          string `json:"os"`
	Arch        string `json:"arch"`
	Kernel      string `json:"kernel,omitempty"` // the operating system's release
	Go          string `json:"go"`
	Commit      string `json:"commit,omitempty"`       // with +dirty where the tree had changes
	KernelBuild string `json:"kernel_build,omitempty"` // identifies zoobench's compute kernels
}

// ThisMachine describes the machine and build it runs on. ISA and KernelBuild belong to
// the kernels package and are the caller's to fill in; what the system does not tell is
// left zero.
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

// Class returns what two machines must share before their timings may stand in one
// column: processor, number of cores, operating system and architecture.
func (m Machine) Class() string {
	return fmt.Sprintf("%s, %d cores, %s/%s", m.CPU, m.Cores, m.OS, m.Arch)
}

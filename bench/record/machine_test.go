package record

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestThisMachine(t *testing.T) {
	m := ThisMachine()
	if m.CPU == "" || m.Cores < 1 || m.OS == "" || m.Arch == "" || !strings.HasPrefix(m.Go, "go") {
		t.Errorf("incomplete: %+v", m)
	}
	if m.OS == "linux" && (m.Kernel == "" || m.MemoryBytes < 1<<20) {
		t.Errorf("kernel %q, memory %d bytes", m.Kernel, m.MemoryBytes)
	}
	if m.Class() != ThisMachine().Class() {
		t.Error("one machine, two classes")
	}
}

// TestClass holds machines that a cloud calls by one name to their own classes, and one machine under two names to one.
func TestClass(t *testing.T) {
	zen5 := Machine{
		CPU: "AMD EPYC", Vendor: "AMD", Family: 26, Model: 2, Stepping: 1, Flags: "avx2 fma3 avx512f", Cores: 2,
		L1DBytes: 48 << 10, L2Bytes: 1 << 20, L3Bytes: 32 << 20, Hypervisor: "KVM", OS: "linux", Arch: "amd64",
	}
	old := Machine{CPU: "AMD EPYC", Cores: 2, L1DBytes: 48 << 10, L2Bytes: 1 << 20, L3Bytes: 32 << 20, OS: "linux", Arch: "amd64"}
	for _, test := range []struct {
		name   string
		base   Machine
		change func(m *Machine)
		same   bool
	}{
		{"nothing", zen5, func(*Machine) {}, true},
		{"the masked name", zen5, func(m *Machine) { m.CPU = "AMD EPYC 9755" }, true},
		{"program and memory", zen5, func(m *Machine) { m.Go, m.Commit, m.Kernel, m.MemoryBytes, m.ISA = "go2", "c", "7", 1, "avx2" }, true},
		{"generation", zen5, func(m *Machine) { m.Family, m.Model = 25, 17 }, false},
		{"stepping", zen5, func(m *Machine) { m.Stepping = 2 }, false},
		{"instructions", zen5, func(m *Machine) { m.Flags = "avx2 fma3" }, false},
		{"first cache", zen5, func(m *Machine) { m.L1DBytes = 32 << 10 }, false},
		{"second cache", zen5, func(m *Machine) { m.L2Bytes = 2 << 20 }, false},
		{"last cache", zen5, func(m *Machine) { m.L3Bytes = 16 << 20 }, false},
		{"cores", zen5, func(m *Machine) { m.Cores = 4 }, false},
		{"hypervisor", zen5, func(m *Machine) { m.Hypervisor = "" }, false},
		{"system", zen5, func(m *Machine) { m.OS = "freebsd" }, false},
		{"a record of an earlier version", zen5, func(m *Machine) { *m = old }, false},
		{"two of an earlier version", old, func(*Machine) {}, true},
		{"two of an earlier version, other names", old, func(m *Machine) { m.CPU = "AMD EPYC 7763" }, false},
		{"two of an earlier version, other caches", old, func(m *Machine) { m.L2Bytes = 512 << 10 }, false},
	} {
		other := test.base
		test.change(&other)
		if same := other.Class() == test.base.Class(); same != test.same {
			t.Errorf("%s: %q and %q, want one class: %v", test.name, test.base.Class(), other.Class(), test.same)
		}
	}
	want := "AMD family 26 model 2 stepping 1, 2 cores, caches of 48, 1024 and 32768 KiB, under KVM, linux/amd64, with avx2 fma3 avx512f"
	if got := zen5.Class(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := old.Title(), "AMD EPYC, 2 cores, linux/amd64"; got != want || zen5.Title() != want {
		t.Errorf("%q and %q, want %q", got, zen5.Title(), want)
	}
}

// TestOldMachine reads a machine of an earlier version and writes it without the columns that it did not know.
func TestOldMachine(t *testing.T) {
	const line = `{"cpu":"A","cores":2,"os":"linux","arch":"amd64","go":"go1.26"}`
	var m Machine
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(m); err != nil || string(text) != line {
		t.Errorf("%s, error %v", text, err)
	}
}

func TestSamePeak(t *testing.T) {
	for _, test := range []struct {
		a, b float64
		want bool
	}{
		{270, 270, true}, {270, 220, true}, {220, 270, true}, {270, 210, false}, {210, 270, false},
		{0, 270, true}, {270, 0, true}, {0, 0, true},
	} {
		if got := SamePeak(test.a, test.b); got != test.want {
			t.Errorf("%v and %v: %v", test.a, test.b, got)
		}
	}
	host := func(peak float64) Record { return Record{Host: &Host{PeakGFLOPS: peak}} }
	if got := Peak([]Record{{}, host(math.NaN()), host(200), host(270), host(math.Inf(1)), host(0)}); got != 270 {
		t.Errorf("peak of %v, want 270", got)
	}
}

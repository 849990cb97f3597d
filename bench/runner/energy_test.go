package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEnergy(t *testing.T) {
	dir := t.TempDir()
	zone := func(name string, energy, around uint64) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(path, 0o777); err != nil {
			t.Fatal(err)
		}
		for file, v := range map[string]uint64{"energy_uj": energy, "max_energy_range_uj": around} {
			if err := os.WriteFile(filepath.Join(path, file), fmt.Appendln(nil, v), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	zone("intel-rapl:0", 1_000_000, 9_999_999)
	zone("intel-rapl:0:0", 0, 9_999_999) // a part of the first, not counted again
	zone("intel-rapl:1", 9_000_000, 9_999_999)
	m := newEnergyMeter(dir)
	zone("intel-rapl:0", 3_500_000, 9_999_999)
	zone("intel-rapl:0:0", 1_000_000, 9_999_999)
	zone("intel-rapl:1", 500_000, 9_999_999) // has started anew
	if have, why := m.joules(); have != 4 || why != "" {
		t.Errorf("have %v J and %q, want 2.5 and 1.5 J", have, why)
	}
	if err := os.WriteFile(filepath.Join(dir, "intel-rapl:1", "energy_uj"), []byte("many"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, why := m.joules(); !strings.Contains(why, "energy_uj") {
		t.Errorf("have %q, want the file that is no number", why)
	}
	if _, why := newEnergyMeter(t.TempDir()).joules(); !strings.Contains(why, "no RAPL counters") {
		t.Errorf("have %q, want that there are none", why)
	}
}

package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// raplDir is where Linux shows RAPL's counters of energy, a folder for each processor package.
const raplDir = "/sys/class/powercap"

// An energyMeter reads the energy that the machine's processor packages have taken, idle time and other programs
// included: the counters know no process.
type energyMeter struct {
	packages []raplPackage
	why      string // why there is none, "" where there is one
}

type raplPackage struct {
	file   string // microjoules, counting up and around
	around uint64 // value at which it starts anew, less one
	start  uint64
}

// newEnergyMeter starts a meter on the counters in dir, or says why it cannot.
func newEnergyMeter(dir string) *energyMeter {
	found, _ := filepath.Glob(filepath.Join(dir, "intel-rapl:[0-9]*")) // the pattern is sound
	m := &energyMeter{}
	for _, zone := range found {
		if strings.Count(filepath.Base(zone), ":") > 1 {
			continue // a part of a package
		}
		p := raplPackage{file: filepath.Join(zone, "energy_uj")}
		var err error
		if p.around, err = readCounter(filepath.Join(zone, "max_energy_range_uj")); err == nil {
			p.start, err = readCounter(p.file)
		}
		if err != nil {
			m.why = notReadable(err)
			return m
		}
		m.packages = append(m.packages, p)
	}
	if len(m.packages) == 0 {
		m.why = "this machine shows no RAPL counters of energy"
	}
	return m
}

// joules is the energy since the meter's start, or why it is not known. A counter may have started anew once.
func (m *energyMeter) joules() (energy float64, why string) {
	if m.why != "" {
		return 0, m.why
	}
	for _, p := range m.packages {
		now, err := readCounter(p.file)
		if err != nil {
			return 0, notReadable(err)
		}
		if now < p.start {
			now += p.around + 1
		}
		energy += float64(now-p.start) / 1e6
	}
	return energy, ""
}

func notReadable(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "RAPL's counters of energy may not be read by this user"
	}
	return "RAPL's counters of energy: " + err.Error()
}

func readCounter(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

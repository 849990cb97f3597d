package record

import "time"

// Interference is what kept a process from its processors while samples were taken, as far as the system says. A row of
// several processes has the sum of theirs. Older records and other systems than Linux have none.
type Interference struct {
	Wall     time.Duration `json:"wall_ns"`   // how long the process was watched
	CPU      time.Duration `json:"cpu_ns"`    // how long its threads ran, together
	Waited   time.Duration `json:"waited_ns"` // how long its threads were ready and had no processor, together
	Switches int64         `json:"involuntary_switches"`
	Stolen   time.Duration `json:"stolen_ns"` // time that the hypervisor took from the processors that the process may use

	Processors int           `json:"processors"`                      // processors that the process may use
	Quota      float64       `json:"quota_processors,omitempty"`      // processors' worth of time that control groups allow, 0 for no limit
	Periods    int64         `json:"quota_periods,omitempty"`         // periods of the limit that stopped the process most
	Stops      int64         `json:"quota_stopped_periods,omitempty"` // periods in which the limit stopped the process
	Stopped    time.Duration `json:"quota_stopped_ns,omitempty"`      // how long the limit stopped the process
	Faults     int64         `json:"major_faults,omitempty"`          // pages for which the process waited for the disk
	Swapped    int64         `json:"swapped_in_pages,omitempty"`      // pages that the whole system swapped in
	Slowdowns  int64         `json:"thermal_slowdowns,omitempty"`     // how often a processor lowered its frequency because it was too hot
	Slowed     time.Duration `json:"thermal_slowed_ns,omitempty"`     // how long a processor was slowed down; of several, the longest time
}

// add takes in what another process of the same row saw.
func (i *Interference) add(o Interference) {
	i.Wall, i.CPU, i.Waited, i.Stolen = i.Wall+o.Wall, i.CPU+o.CPU, i.Waited+o.Waited, i.Stolen+o.Stolen
	i.Switches, i.Faults, i.Swapped = i.Switches+o.Switches, i.Faults+o.Faults, i.Swapped+o.Swapped
	i.Periods, i.Stops, i.Stopped = i.Periods+o.Periods, i.Stops+o.Stops, i.Stopped+o.Stopped
	i.Slowdowns, i.Slowed = i.Slowdowns+o.Slowdowns, i.Slowed+o.Slowed
	i.Processors, i.Quota = least(i.Processors, o.Processors), least(i.Quota, o.Quota)
}

// least is the smaller of two limits, of which 0 is none.
func least[T int | float64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

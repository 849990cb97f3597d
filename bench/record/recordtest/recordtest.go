// Package recordtest makes parts of records for the tests of whoever reads records.
//
// The contract: what it makes passes record.Record.Check and depends on its arguments alone.
//
// Tests alone import it. It leaves whole records to them.
package recordtest

import (
	"time"

	"zoobench/bench/record"
)

// Timing is a timing of samples in nanoseconds as if so many processes had taken them, one after the other and as many each;
// the processes' rounds count from 0. Span is that of all processes together.
func Timing(samples []int64, span time.Duration, processes int) *record.Timing {
	var parts []*record.Timing
	for p := range processes {
		share := samples[p*len(samples)/processes : (p+1)*len(samples)/processes]
		t := record.NewTiming(share, span/time.Duration(processes))
		t.Processes[0].Round = p
		parts = append(parts, t)
	}
	return record.JoinTimings(parts...)
}

package runner

import (
	"context"

	"zoobench/bench/host"
	"zoobench/bench/load"
	"zoobench/bench/record"
)

// watched is load.Run with what interfered while it took samples, nil where the system does not say.
func watched(ctx context.Context, sys load.System, o load.Options) (load.Result, *record.Interference, error) {
	var watch *host.Watch
	o.WarmedUp = func() { watch = host.NewWatch(host.Root) }
	res, err := load.Run(ctx, sys, o)
	if watch == nil {
		return res, nil, err // it ended before the first sample
	}
	return res, watch.Seen(), err
}

// interfered puts into a row what interfered with it, or that this is not known.
func interfered(r *record.Record, seen *record.Interference) {
	if r.Interference = seen; seen != nil {
		return
	}
	if r.NotMeasured == nil {
		r.NotMeasured = map[string]string{}
	}
	r.NotMeasured["interference"] = "this system does not say what interferes"
}

// disturbed judges what interfered with a row whose workers were busy all the time or not, and puts it before what the
// verdict says already: a cause comes before what it leads to.
func disturbed(r *record.Record, busy bool) {
	if r.Interference == nil {
		return
	}
	reasons, warnings := host.Judge(*r.Interference, r.Threads, busy)
	r.Verdict.Reasons = append(reasons, r.Verdict.Reasons...)
	r.Verdict.Warnings = append(warnings, r.Verdict.Warnings...)
	r.Verdict.Valid = r.Verdict.Valid && len(reasons) == 0
}

package record

import "slices"

// Current returns the records that count, in their order. Of the rows of one job and checkpoint that is the last: one
// that failed is tried again, and a timed row is written again once its predictions can be compared with an accuracy. A
// row without a checkpoint gives way to a later one of the same job that has one.
func Current(records []Record) []Record {
	type job struct {
		run, id, model string
		kind           Kind
		from           int // of a part of the images
	}
	type checkpoint struct {
		job
		tag, file string
	}
	seen := map[checkpoint]bool{}
	named := map[job]bool{}
	var current []Record
	for i := len(records) - 1; i >= 0; i-- {
		r := &records[i]
		j := job{run: r.RunID, id: r.JobID, model: r.Model, kind: r.Kind}
		if r.Part != nil {
			j.from = r.Part.From + 1
		}
		// A file's tag may have been found out by its hash, so the file alone counts where there is one.
		byTag, byFile := checkpoint{j, r.Checkpoint, ""}, checkpoint{j, "", r.WeightsFile}
		switch {
		case r.JobID == "":
		case r.WeightsFile != "":
			if seen[byFile] {
				continue
			}
			seen[byFile], seen[byTag], named[j] = true, true, true
		case r.Checkpoint != "":
			if seen[byTag] {
				continue
			}
			seen[byTag], named[j] = true, true
		default:
			if seen[byTag] || named[j] {
				continue
			}
			seen[byTag] = true
		}
		current = append(current, *r)
	}
	slices.Reverse(current)
	return current
}

package runner

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/datasets/decode"
)

// part is the part of an evaluation's images that the task is about, nil where that is all of them.
func (t *Task) part(images int) (*record.Part, error) {
	if t.To == 0 {
		return nil, nil
	}
	if t.From < 0 || t.To <= t.From || t.To > images {
		return nil, fmt.Errorf("runner: %s: images %d to %d of %d: the folder had other images when the work was dealt out",
			t.Job.Accuracy.Data, t.From, t.To, images)
	}
	return &record.Part{From: t.From, To: t.To, Of: images}, nil
}

// partSamples is the name of the per-sample file of a part of the images, and WholeSamples that of all of them again.
func partSamples(whole string, from, to int) string {
	return fmt.Sprintf("%s-%06d-%06d.jsonl", strings.TrimSuffix(whole, ".jsonl"), from, to)
}

var partOfSamples = regexp.MustCompile(`-[0-9]{6,}-[0-9]{6,}\.jsonl$`)

// WholeSamples is the name of the per-sample file of all images, from that of some of them.
func WholeSamples(part string) string { return partOfSamples.ReplaceAllString(part, ".jsonl") }

// JoinParts returns the row of all images from the rows of parts of them, in any order: counts are added up, the content hash is
// that of all images, and intervals and warnings are made anew. Times and speeds are those of the parts together. It is an
// error if the parts are not all of the images, each once, or if they were not computed by the same program, weights, recipe and
// plan; the error names what the first two that differ have.
func JoinParts(parts []record.Record) (*record.Record, error) {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b record.Record) int { return a.Part.From - b.Part.From })
	first := &parts[0]
	next := 0
	for i := range parts {
		p := &parts[i]
		if err := alike(first, p); err != nil {
			return nil, err
		}
		if p.Part.From != next {
			return nil, fmt.Errorf("runner: %s: images %d to %d are missing or there twice", first.Name(), next, p.Part.From)
		}
		next = p.Part.To
	}
	if next != first.Part.Of {
		return nil, fmt.Errorf("runner: %s: images %d to %d are missing", first.Name(), next, first.Part.Of)
	}

	joined := *first
	joined.Part, joined.ImageNotes = nil, nil
	joined.Verdict = record.Verdict{Valid: true}
	footprint := *first.Footprint
	joined.Footprint = &footprint
	var c counts
	c.notes = datasets.NoteCounts{}
	var digests []byte
	var seconds float64
	shared := 0
	for i := range parts {
		p := &parts[i]
		a := p.Accuracy
		c.images, c.top1, c.top5 = c.images+a.Images, c.top1+a.Top1Images, c.top5+a.Top5Images
		c.unreadable = append(c.unreadable, a.UnreadableFiles...)
		c.notFinite += p.Part.NotFinite
		for _, note := range decode.AllNotes() {
			c.notes[note.Bit] += a.ImageNotes[note.Name]
		}
		digests = append(digests, p.Part.ItemDigests...)
		if p.Calibration != nil {
			shared += p.Calibration.Shared
		}
		if p.ImagesPerSec > 0 {
			seconds += float64(p.Part.To-p.Part.From) / p.ImagesPerSec
		}
		if p.Time.After(joined.Time) {
			joined.Time = p.Time
		}
		footprint.PeakRSSBytes = max(footprint.PeakRSSBytes, p.PeakRSSBytes)
		for _, w := range p.Verdict.Warnings {
			if !slices.Contains(joined.Verdict.Warnings, w) {
				joined.Verdict.Warnings = append(joined.Verdict.Warnings, w)
			}
		}
	}
	if c.images == 0 {
		return nil, fmt.Errorf("runner: %s: no image has a label", first.Dataset)
	}
	joined.Accuracy = record.NewAccuracy(c.images, c.top1, c.top5, c.unreadable)
	joined.ImageNotes = c.notes.Names()
	joined.Verdict.Warnings = append(joined.Verdict.Warnings, c.warnings()...)
	if first.Calibration != nil {
		of := *first.Calibration
		of.Shared = shared
		joined.Calibration = &of
		joined.Verdict.Warnings = append(joined.Verdict.Warnings, sharedWarnings(&joined)...)
	}
	joined.DatasetSHA256 = datasets.HashDigests(digests)
	joined.ImagesPerSec = 0
	if seconds > 0 {
		joined.ImagesPerSec = float64(first.Part.Of) / seconds
	}
	return &joined, nil
}

// alike is an error where two rows cannot be parts of one.
func alike(a, b *record.Record) error {
	if a.Part == nil || b.Part == nil || a.Accuracy == nil || b.Accuracy == nil || a.Footprint == nil || b.Footprint == nil {
		return fmt.Errorf("runner: %s: want rows of parts of the images", a.Name())
	}
	plan := func(r *record.Record) string {
		if r.Plan == nil {
			return ""
		}
		return r.Plan.Hash
	}
	numbers := func(r *record.Record) string {
		if r.Calibration == nil {
			return ""
		}
		return r.Calibration.Numbers
	}
	for _, f := range []struct{ what, a, b string }{
		{"weights", a.WeightsSHA256, b.WeightsSHA256},
		{"recipe", a.RecipeSHA256, b.RecipeSHA256},
		{"program", a.Machine.KernelBuild, b.Machine.KernelBuild},
		{"number of images", fmt.Sprint(a.Part.Of), fmt.Sprint(b.Part.Of)},
		{"plan of algorithms", plan(a), plan(b)},
		{"numbers in int8", numbers(a), numbers(b)},
		{"answers", a.Answers, b.Answers},
	} {
		if f.a != f.b {
			return fmt.Errorf("runner: %s: parts of one evaluation differ in their %s: images %d to %d have %s (measured on %s at %s), "+
				"images %d to %d have %s (on %s at %s)", a.Name(), f.what,
				a.Part.From, a.Part.To, f.a, a.Machine.CPU, a.Time.Format(time.RFC3339),
				b.Part.From, b.Part.To, f.b, b.Machine.CPU, b.Time.Format(time.RFC3339))
		}
	}
	if n := 32 * (b.Part.To - b.Part.From); len(b.Part.ItemDigests) != n {
		return fmt.Errorf("runner: %s: images %d to %d have %d bytes of digests, want %d", b.Name(), b.Part.From, b.Part.To,
			len(b.Part.ItemDigests), n)
	}
	return nil
}

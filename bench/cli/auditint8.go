package cli

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/zoo/quantize"
)

// auditLayer is what int8 does to a layer alone; its names are relied on by scripts.
type auditLayer struct {
	Model     string  `json:"model"`
	Layer     string  `json:"layer"`
	MACs      int64   `json:"macs"`
	Output    float64 `json:"output_snr_db"` // signal to noise at its output, with the sums and activations computed with it
	Logits    float64 `json:"logits_snr_db"` // signal to noise at the logits
	Precision string  `json:"precision"`     // that quantize gives it
	Why       string  `json:"why,omitempty"` // it is in float32, or in int8 although it changes the logits much
}

// exact is the signal to noise, in decibels, of what has no noise at all.
const exact = 200

// decibels are the signal to noise of an error, which is a share of the signal's size.
func decibels(distance float64) float64 {
	if distance <= 0 {
		return exact
	}
	return min(-20*math.Log10(distance), exact)
}

// auditInt8 prints the layers of a checkpoint in int8, those that change the logits most first.
func (a *app) auditInt8(ctx context.Context, t runner.Task, images imageFlags, limited bool) error {
	if images.Accuracy = *images.of(a, t); !limited {
		images.Limit = experiment.CalibrationImages
	}
	t.Precision = ""
	r, err := runner.Describe(a.list, t)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer r.Close()
	if _, err := a.makeInt8(ctx, r, images, quantize.Options{Audit: true}); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	var rows []auditLayer
	for _, l := range r.Int8.Layers {
		row := auditLayer{Model: r.Name(), Layer: l.Name, MACs: l.MACs, Output: decibels(l.Output), Logits: decibels(l.Distance),
			Precision: "int8", Why: l.Why}
		if l.Float {
			row.Precision = "float32"
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b auditLayer) int { return cmp.Compare(a.Logits, b.Logits) })
	title := []string{"layer", "MACs", "noise at output", "at logits", "precision", "why"}
	out := newPrinter(a, title, func(r auditLayer) []string {
		return []string{r.Layer, strconv.FormatInt(r.MACs, 10), fmt.Sprintf("%.1f dB", r.Output), fmt.Sprintf("%.1f dB", r.Logits), r.Precision,
			r.Why}
	})
	if err := out.printAll(rows); err != nil || a.format != "table" {
		return err
	}
	made := r.Int8.Recipe
	_, err = fmt.Fprintf(a.stdout, "\n%s: each layer in int8 alone, the others in float32: signal to noise on %d of %d images; the network "+
		"as quantize makes it has %.1f dB at the logits\n", clean(r.Name()), made.Trials, made.Images, decibels(made.Distance))
	return err
}

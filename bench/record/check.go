package record

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// groups says, for each kind, which groups a record must have and the columns that stand
// for them in NotMeasured.
func (r *Record) groups() (need []group, known bool) {
	timing := group{"latency_min_ns", r.Timing != nil}
	footprint := group{"weights_bytes", r.Footprint != nil}
	switch r.Kind {
	case KindLatency:
		return []group{timing, footprint}, true
	case KindEval:
		return []group{{"n_images", r.Accuracy != nil}}, true
	case KindLoad:
		return []group{footprint}, true
	case KindPipeline:
		return []group{{"end_to_end_p50_ns", r.Pipeline != nil}}, true
	case KindCost:
		return []group{{"params", r.Cost != nil}}, true
	case KindHost:
		return []group{{"peak_gflops_per_core", r.Host != nil}}, true
	case KindTrain:
		return []group{{"training", r.Training != nil}}, true
	}
	return nil, false
}

type group struct {
	column  string
	present bool
}

// Check returns an error that names every field that is missing, not finite or at odds
// with another, nil where the record is sound. A group may be absent if the verdict is
// not valid or NotMeasured says why: a network that crashed is a row too.
func (r *Record) Check() error {
	errs := r.checkHead()
	errs = append(errs, r.checkGroups()...)
	errs = append(errs, r.checkTiming()...)
	errs = append(errs, r.Accuracy.check()...)
	errs = append(errs, notFinite(reflect.ValueOf(r).Elem(), "")...)
	return errors.Join(errs...)
}

func lacks(column string) error { return fmt.Errorf("%s: missing", column) }

// checkHead looks at what every record has.
func (r *Record) checkHead() (errs []error) {
	if r.Schema != Schema {
		errs = append(errs, fmt.Errorf("schema: have %d, want %d", r.Schema, Schema))
	}
	if _, known := r.groups(); !known {
		errs = append(errs, fmt.Errorf("kind: have %q, want one of latency, eval, load, pipeline, cost, host, train", r.Kind))
	}
	if r.RunID == "" {
		errs = append(errs, lacks("run_id"))
	}
	if r.Time.IsZero() {
		errs = append(errs, lacks("time"))
	}
	if r.Machine.CPU == "" {
		errs = append(errs, lacks("machine.cpu"))
	}
	if r.Model == "" && r.Kind != KindHost {
		errs = append(errs, lacks("model"))
	}
	return errs
}

// checkGroups looks for the groups of the record's kind, and for the reasons of a verdict that is not valid.
func (r *Record) checkGroups() (errs []error) {
	need, _ := r.groups()
	for _, g := range need {
		if !g.present && r.Verdict.Valid && r.NotMeasured[g.column] == "" {
			errs = append(errs, lacks(g.column))
		}
	}
	if !r.Verdict.Valid && len(r.Verdict.Reasons) == 0 {
		errs = append(errs, errors.New("verdict.reasons: missing, want why the verdict is not valid"))
	}
	return errs
}

// checkTiming looks at the latency and at the settings without which it says nothing.
func (r *Record) checkTiming() (errs []error) {
	t := r.Timing
	if t == nil {
		return nil
	}
	for _, f := range []struct {
		column string
		v      int
	}{{"img_size", r.ImgSize}, {"batch", r.Batch}, {"threads", r.Threads}, {"n", t.N}} {
		if f.v <= 0 {
			errs = append(errs, lacks(f.column))
		}
	}
	if len(t.Samples) != t.N {
		errs = append(errs, fmt.Errorf("samples_ns: have %d, want n = %d", len(t.Samples), t.N))
	}
	if n := 0; len(t.Processes) > 0 {
		for _, p := range t.Processes {
			n += max(p.N, 0)
		}
		if n != t.N {
			errs = append(errs, fmt.Errorf("processes: have %d samples, want n = %d", n, t.N))
		}
	}
	return errs
}

func (a *Accuracy) check() (errs []error) {
	if a == nil {
		return nil
	}
	if a.Images <= 0 {
		errs = append(errs, lacks("n_images"))
	}
	if a.Top1Images > a.Top5Images || a.Top5Images > a.Images || a.Top1Images < 0 {
		errs = append(errs, fmt.Errorf("top1_images %d, top5_images %d, n_images %d: not in ascending order",
			a.Top1Images, a.Top5Images, a.Images))
	}
	return errs
}

// notFinite names every float field of v that is NaN or infinite: JSON has no word for
// them, and encoding/json would refuse the record without saying which.
func notFinite(v reflect.Value, path string) (errs []error) {
	switch v.Kind() {
	case reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			errs = append(errs, fmt.Errorf("%s: have %v, want a finite number", strings.TrimPrefix(path, "."), f))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return notFinite(v.Elem(), path)
		}
	case reflect.Array:
		for i := range v.Len() {
			errs = append(errs, notFinite(v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name := path
			if !f.Anonymous {
				tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				name += "." + tag
			}
			errs = append(errs, notFinite(v.Field(i), name)...)
		}
	}
	return errs
}

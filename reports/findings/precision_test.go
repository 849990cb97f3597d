package findings

import (
	"slices"
	"strings"
	"testing"

	"zoobench/bench/record"
)

// in makes a record one of a precision.
func in(precision string, r record.Record) record.Record {
	r.Effective = &record.Settings{Axes: record.Axes{Precision: precision}}
	if r.Kind == record.KindLatency {
		r.Effective.ISA = "avx2"
	}
	return r
}

// dotted is a latency in bf16 whose products multiply pairs as they are.
func dotted(model string, ms float64) record.Record {
	r := in("bf16", latency(model, ms))
	r.Layers = []record.Layer{{Algorithm: "bf16_dot_gemm6x64"}}
	return r
}

// precisionCases are tested on rows of a network in float32 and in another precision.
func precisionCases() []claimCase {
	lost := func(precision string, points ...float64) (all []record.Record) {
		for i, by := range points {
			name := []string{"resnet50.a", "vgg16.a", "mobilenetv2_100.a"}[i]
			all = append(all, eval(name, 76), in(precision, eval(name, 76-by)))
		}
		return all
	}
	other := in("int8", eval("vgg16.a", 60))
	other.DatasetSHA256 = "e"
	networks := []Network{network("resnet50", "resnet", 4e9, false), network("vgg16", "vgg", 15e9, false),
		network("mobilenetv2_100", "m", 3e8, true)}
	threads := latency("vgg16", 30)
	threads.Threads = 2
	widened := in("bf16", latency("vgg16", 60))
	return []claimCase{
		{"nothing lost", "bf16-costs-nothing", lost("bf16", -0.8, -0.9), nil, Confirmed},
		{"one loses", "bf16-costs-nothing", lost("bf16", -0.8, 1.5), nil, Refuted},
		{"as much, of too few images", "bf16-costs-nothing", lost("bf16", 0), nil, Unresolved},
		{"another precision", "bf16-costs-nothing", lost("int8", -0.8), nil, Untestable},
		{"half a point", "int8-costs-little", lost("int8", 0.5, 0.4), nil, Confirmed},
		{"one loses much", "int8-costs-little", lost("int8", 0.5, 9), nil, Refuted},
		{"other images", "int8-costs-little", []record.Record{eval("vgg16.a", 76), other}, nil, Untestable},
		{"float32 alone", "int8-costs-little", lost("int8", 0.5)[:1], nil, Untestable},
		{"it loses more", "depthwise-lose-more", lost("int8", 0.2, 0.3, 6), networks, Confirmed},
		{"another loses more", "depthwise-lose-more", lost("int8", 8, 0.3, 6), networks, Refuted},
		{"as much", "depthwise-lose-more", lost("int8", 1, 1, 1), networks, Unresolved},
		{"none with them", "depthwise-lose-more", lost("int8", 0.2, 0.3), networks, Untestable},
		{"twice", "bf16-speed", []record.Record{latency("vgg16", 60), dotted("vgg16", 30)}, nil, Confirmed},
		{"less", "bf16-speed", []record.Record{latency("vgg16", 60), dotted("vgg16", 45)}, nil, Refuted},
		{"widened", "bf16-speed", []record.Record{latency("vgg16", 60), widened}, nil, Untestable},
		{"on two threads", "bf16-speed", []record.Record{threads, dotted("vgg16", 30)}, nil, Untestable},
		{"four times", "int8-speed", []record.Record{latency("vgg16", 60), in("int8", latency("vgg16", 15))}, nil, Confirmed},
		{"twice", "int8-speed", []record.Record{latency("vgg16", 60), in("int8", latency("vgg16", 30))}, nil, Refuted},
	}
}

// TestPrecisionsApart keeps rows of other precisions from what is claimed of float32.
func TestPrecisionsApart(t *testing.T) {
	records := append(judged("inception_v4.tf_in1k 80.1", "inception_v3.tf_in1k 77.9"), in("int8", eval("inception_v4.tf_in1k", 50)))
	records[2].Accuracy = record.NewAccuracy(100_000, 50_000, 50_000, nil) // more images, which would count
	if f := find(t, "inception-order", records, nil); f.Verdict != Confirmed {
		t.Errorf("have %q, want %q: %s", f.Verdict, Confirmed, f.Summary)
	}
	e := newEvidence([]record.Record{in("bf16", latency("vgg16", 5))}, Given{})
	if n := len(e.timed) + len(e.clocked) + len(e.single); n > 0 || len(e.reduced) != 1 {
		t.Errorf("have %d among float32's and %d reduced, want one reduced", n, len(e.reduced))
	}
	bad := in("bf16", latency("vgg16", 5))
	bad.Verdict = record.Verdict{Reasons: []string{"drift"}}
	if e := newEvidence([]record.Record{bad}, Given{}); len(e.reduced) > 0 {
		t.Error("a latency that is not valid is evidence")
	}
}

// TestLossByFamily lists checkpoints by family.
func TestLossByFamily(t *testing.T) {
	var records []record.Record
	for _, name := range []string{"b1.x", "a1.x", "b2.x"} {
		r := eval(name, 76)
		r.Family = name[:1]
		records = append(records, r, in("int8", r))
	}
	var order []string
	for _, row := range find(t, "int8-costs-little", records, nil).Rows {
		order = append(order, row[0])
	}
	if want := []string{"a1.x", "b1.x", "b2.x"}; !slices.Equal(order, want) {
		t.Errorf("have %s, want %s", strings.Join(order, " "), strings.Join(want, " "))
	}
}

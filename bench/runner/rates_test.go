package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/bench/shard"
	"zoobench/zoo"
)

// trainRecord is a valid training of a network of 32×32 pixels by one thread, so many nanoseconds an image.
func trainRecord(model string, macs, nanos int64) *record.Record {
	return &record.Record{
		Kind: record.KindTrain, Machine: record.ThisMachine(), Model: model, ImgSize: 32, Threads: 1, Dataset: "shapes",
		Cost: &record.Cost{MACs: macs}, Verdict: record.Verdict{Valid: true},
		Training: &record.Training{
			Epochs: 4, Steps: 40, Batch: 10, Wall: 200 * nanos, // one whole epoch, and three of the classifier, a third each
			Curve: []record.Epoch{{HeadOnly: true}, {HeadOnly: true}, {HeadOnly: true}, {}},
		},
	}
}

// TestRateOf takes rates of records that are valid and of the default settings, and of no others.
func TestRateOf(t *testing.T) {
	list := zoo.Default()
	change := func(f func(r *record.Record)) *record.Record {
		r := trainRecord("pocket_resnet20", 40e6, 1e6)
		f(r)
		return r
	}
	forward := func(r *record.Record) { r.Training, r.Threads = nil, 2 }
	for _, c := range []struct {
		name string
		r    *record.Record
		want float64 // 0 for none
	}{
		{"training", trainRecord("pocket_resnet20", 40e6, 1e6), 1e6},
		{"two threads", change(func(r *record.Record) { r.Threads = 2 }), 2e6},
		{"evaluation", change(func(r *record.Record) {
			forward(r)
			r.Kind, r.Accuracy, r.ImagesPerSec = record.KindEval, &record.Accuracy{}, 1000
		}), 2e6},
		{"latency", change(func(r *record.Record) {
			forward(r)
			r.Kind, r.Timing, r.Batch = record.KindLatency, &record.Timing{P50: 8e6}, 4
		}), 4e6},
		{"server", change(func(r *record.Record) {
			forward(r)
			r.Kind, r.Timing, r.Scenario = record.KindLatency, &record.Timing{P50: 8e6}, "server"
		}), 0},
		{"not valid", change(func(r *record.Record) { r.Verdict.Valid = false }), 0},
		{"not repeated", change(func(r *record.Record) { r.NotMeasured = map[string]string{"wall_ns": "why"} }), 0},
		{"int8", change(func(r *record.Record) { r.Effective = &record.Settings{Axes: record.Axes{Precision: "int8"}} }), 0},
		{"unknown network", change(func(r *record.Record) { r.Model = "mine" }), 0},
		{"no epochs", change(func(r *record.Record) { r.Training.Epochs = 0 }), 0},
		{"no steps", change(func(r *record.Record) { r.Training.Steps = 0 }), 0},
	} {
		m, ok := statedRates().rateOf(list, c.r)
		if ok != (c.want > 0) || ok && (m.Nanos < 0.999*c.want || m.Nanos > 1.001*c.want) {
			t.Errorf("%s: %v ns an image, known %t; want %v", c.name, m.Nanos, ok, c.want)
		}
	}
}

// TestImageTimes prefers what the network took here to what others of its nature took, that to what any took, and that to the
// stated share of the peak.
func TestImageTimes(t *testing.T) {
	list := zoo.Default()
	c := Cache{Dir: t.TempDir()}
	file := filepath.Join(c.Dir, ratesName)
	image := func(records []record.Record, kind record.Kind, model string) (time.Duration, Basis) {
		t.Helper()
		r, err := machineRates(list, c, records)
		if err != nil {
			t.Fatal(err)
		}
		r.peak = 100e9
		spec, err := list.Find(model)
		if err != nil {
			t.Fatal(err)
		}
		return r.image(work{kind, kind == record.KindTrain}, spec, 0)
	}
	stated := map[string]time.Duration{}
	for _, model := range []string{"pocket_resnet20", "pocket_resnet56", "pocket_mobilenetv2", "pocket_vit"} {
		d, basis := image(nil, record.KindTrain, model)
		if stated[model] = d; basis != Stated || d <= 0 {
			t.Errorf("%s: %v, basis %v, want the stated share", model, d, basis)
		}
	}
	if stated["pocket_resnet20"] > stated["pocket_mobilenetv2"] {
		t.Errorf("%v: want a network of depthwise layers slower than a dense one of more multiply-adds", stated)
	}
	spec, _ := list.Find("pocket_resnet20")
	ran := run{Options: Options{List: list, Cache: c}, s: &Summary{}}
	ran.rates, _ = machineRates(list, c, nil)
	took := 3 * stated["pocket_resnet20"]
	for _, nanos := range []int64{1, took.Nanoseconds(), took.Nanoseconds() * 105 / 100} {
		ran.keepRate(trainRecord(spec.Name, spec.MACs, nanos))
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Fatalf("%q, %v: want two lines, since the third rate is near the second", text, err)
	}
	other := strings.ReplaceAll(string(text), `"class":"`, `"class":"another, `)
	if err := os.WriteFile(file, []byte("{]\n"+string(text)+other), 0o666); err != nil {
		t.Fatal(err)
	}
	within := func(model string, want time.Duration, basis Basis, records ...record.Record) {
		t.Helper()
		if d, b := image(records, record.KindTrain, model); b != basis || d < want*9/10 || d > want*11/10 {
			t.Errorf("%s: %v, basis %v; want about %v and %v", model, d, b, want, basis)
		}
	}
	within("pocket_resnet20", took, Own)
	within("pocket_resnet56", 3*stated["pocket_resnet56"], Alike)
	within("pocket_vit", 3*stated["pocket_vit"], Alike)
	within("pocket_resnet20", 2*took, Own, *trainRecord(spec.Name, spec.MACs, 2*took.Nanoseconds()))
	if _, basis := image(nil, record.KindEval, "resnet50"); basis != Stated {
		t.Errorf("an evaluation: basis %v, want the stated share: trainings say nothing of it", basis)
	}
}

// TestDealIgnoresRates deals the same work out alike on machines that have measured other rates.
func TestDealIgnoresRates(t *testing.T) {
	list := zoo.Default()
	file, err := experiment.Parse("e.yaml", strings.NewReader(`
experiments:
  - name: e
    question: Who learns?
    models: [pocket_resnet8, pocket_resnet20, pocket_mobilenetv2, pocket_vit]
    no_tune: true
    train: {data: shapes, epochs: 3, seeds: [1, 2]}
`), Known(list))
	if err != nil {
		t.Fatal(err)
	}
	var deals []*Deal
	for _, records := range [][]*record.Record{nil, {trainRecord("pocket_vit", 1e6, 1e9)}} {
		c := Cache{Dir: t.TempDir()}
		ran := run{Options: Options{List: list, Cache: c}, s: &Summary{}}
		if ran.rates, err = machineRates(list, c, nil); err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			ran.keepRate(r)
		}
		p, err := Plan(Options{List: list, File: file, Cache: c, Share: Share{Shard: shard.Index{N: 3}}})
		if err != nil {
			t.Fatal(err)
		}
		deals = append(deals, p.Deal)
	}
	if deals[0].Digest != deals[1].Digest {
		t.Error("what a machine has measured decides who does what")
	}
	slow := false
	for i, u := range deals[1].Here {
		slow = slow || u.Cost > 2*deals[0].Here[i].Cost
	}
	if !slow {
		t.Error("what a machine has measured does not show in its hours")
	}
}

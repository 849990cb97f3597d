package gate

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// A loaded is a machine on which other programs come and go while seven networks are timed: every time has noise of its
// own, now and then one that was badly disturbed, and both times of a round share the load of the moment, which wanders.
type loaded struct {
	rng    *rand.Rand
	own    float64 // standard deviation of a time's own noise, as a share
	spikes float64 // share of times that are a tenth to a half longer
	heads  map[string]float64
	load   float64
}

func (l *loaded) Layouts() int { return 1 }

func (l *loaded) Sample(_ context.Context, side Side, _ int, bench string) (float64, error) {
	l.load = 0.99*l.load + 0.02*l.rng.NormFloat64()
	log := l.load + l.own*l.rng.NormFloat64()
	if l.rng.Float64() < l.spikes {
		log += 0.1 + 0.4*l.rng.Float64()
	}
	if side == Head {
		log += math.Log1p(l.heads[bench])
	}
	return 1e8 * math.Exp(log), nil
}

// TestNetworksUnderLoad counts verdicts on machines that are ever more disturbed. However bad it gets, what did not change
// raises no alarm and what is slower by the threshold is not called the same; what falls is how much is decided.
func TestNetworksUnderLoad(t *testing.T) {
	networks := []string{"resnet50", "vgg16", "mobilenetv2_100", "squeezenet1_1", "alexnet", "resnext50_32x4d", "resnet18"}
	const runs = 40
	for _, test := range []struct {
		name        string
		own, spikes float64
		caught      int // at least, of the runs in which one network is slower by 5 %
		decided     float64
	}{
		{"at rest", 0.005, 0, runs, 1},
		{"a browser", 0.015, 0.05, runs, 0.99},
		{"a build now and then", 0.03, 0.15, runs / 3, 0.85},
		{"a build all the time", 0.15, 0.3, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			caught, alarms, same, decided, rounds := 0, 0, 0, 0, 0
			for seed := range uint64(runs) {
				slow := networks[seed%uint64(len(networks))]
				l := &loaded{rng: rand.New(rand.NewPCG(seed, 5)), own: test.own, spikes: test.spikes, heads: map[string]float64{slow: 0.05}}
				result, err := Compare(t.Context(), networks, l, Options{Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range result.Rows {
					rounds += row.Rounds
					if row.Verdict != Undecided || row.NotSlower {
						decided++
					}
					switch {
					case row.Bench == slow && row.Verdict == Slower:
						caught++
					case row.Bench == slow && row.Verdict == Same:
						same++
					case row.Bench != slow && (row.Verdict == Slower || row.Verdict == Faster):
						alarms++
					}
				}
			}
			all := runs * len(networks)
			t.Logf("caught %d of %d, called the same %d, false alarms %d, decided %d of %d, %.0f rounds a network",
				caught, runs, same, alarms, decided, all, float64(rounds)/float64(all))
			if caught < test.caught || float64(decided) < test.decided*float64(all) {
				t.Errorf("caught %d, decided %d; want at least %d and %.0f", caught, decided, test.caught, test.decided*float64(all))
			}
			// Two and a half percent of the runs each way, and five of what is slower; three standard deviations above.
			if alarms > 5 || same > 6 {
				t.Errorf("%d false alarms, %d called the same that are slower by 5 %%; want at most 5 and 6 in %d runs", alarms, same, runs)
			}
		})
	}
}

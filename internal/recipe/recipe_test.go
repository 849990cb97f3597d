package recipe

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSchedule(t *testing.T) {
	for _, test := range []struct {
		name string
		s    Schedule
		want []float64 // of ten steps
	}{
		{"constant", Schedule{Kind: Constant, Rate: 2}, slices.Repeat([]float64{2}, 10)},
		{"step", Schedule{Kind: Step, Rate: 1, Drops: []float64{0.5, 0.75}, Factor: 0.1},
			[]float64{1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01}},
		{"cosine", Schedule{Kind: Cosine, Rate: 2, Least: 1}, cosines(10, 0, 2, 1)},
		{"warm-up", Schedule{Kind: Cosine, Rate: 2, Warmup: 0.4}, append([]float64{0.5, 1, 1.5, 2}, cosines(10, 4, 2, 0)[4:]...)},
	} {
		for step, want := range test.want {
			if got := test.s.At(step, 10); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: step %d: rate %v, want %v", test.name, step, got, want)
			}
		}
	}
}

// cosines are rates by the formula, from the step after warm-up on.
func cosines(n, warm int, high, low float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = low + (high-low)*(1+math.Cos(math.Pi*float64(i-warm)/float64(n-warm)))/2
	}
	return all
}

func TestChecks(t *testing.T) {
	sgd := Optimizer{Kind: SGD, Momentum: 0.9, Nesterov: true, Decay: 5e-4}
	adam := Optimizer{Kind: AdamW, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	step := Schedule{Kind: Step, Rate: 1, Drops: []float64{0.5}, Factor: 0.1}
	of := func(o Optimizer, change func(*Optimizer)) Optimizer { change(&o); return o }
	on := func(s Schedule, change func(*Schedule)) Schedule { change(&s); return s }
	nan := math.NaN()
	for _, test := range []struct {
		part interface{ Check() error }
		want string
	}{
		{sgd, ""}, {adam, ""}, {step, ""}, {Schedule{Kind: Cosine, Rate: 0.1, Least: 0.01, Warmup: 0.1}, ""},
		{Labels{Smoothing: 0.1, Mixup: 0.2, CutMix: 1}, ""},
		{Optimizer{}, `train: optimizer "", want sgd or adamw`},
		{of(sgd, func(o *Optimizer) { o.Decay = -1 }), "train: weight decay -1, want at least 0"},
		{of(sgd, func(o *Optimizer) { o.Decay = nan }), "train: weight decay NaN, want at least 0"},
		{of(sgd, func(o *Optimizer) { o.Momentum = 1 }), "train: momentum 1, want at least 0 and less than 1"},
		{of(sgd, func(o *Optimizer) { o.Momentum = 0 }), "train: Nesterov's step without momentum, want momentum above 0"},
		{of(sgd, func(o *Optimizer) { o.Beta2 = 0.9 }), "train: betas 0 and 0.9, epsilon 0, which only adamw has"},
		{of(adam, func(o *Optimizer) { o.Momentum = 0.9 }), "train: momentum 0.9, which only sgd has"},
		{of(adam, func(o *Optimizer) { o.Beta2 = 1 }), "train: betas 0.9 and 1, want at least 0 and less than 1"},
		{of(adam, func(o *Optimizer) { o.Eps = 0 }), "train: epsilon 0, want more than 0 and less than 1"},
		{Schedule{Kind: "linear"}, `train: schedule "linear", want constant, cosine or step`},
		{on(step, func(s *Schedule) { s.Rate = 0 }), "train: learning rate 0, want more than 0"},
		{on(step, func(s *Schedule) { s.Rate = math.Inf(1) }), "train: learning rate +Inf, want more than 0"},
		{on(step, func(s *Schedule) { s.Warmup = 1 }), "train: warm-up 1 of all steps, want at least 0 and less than 1"},
		{on(step, func(s *Schedule) { s.Least = 2 }), "train: least learning rate 2, want 0 to 1, the highest"},
		{on(step, func(s *Schedule) { s.Least = 0.1 }), "train: least learning rate 0.1, which only a cosine has"},
		{on(step, func(s *Schedule) { s.Kind = Constant }), "train: drops of the learning rate [0.5], which only a step schedule has"},
		{on(step, func(s *Schedule) { s.Drops = nil }), "train: a step schedule without drops, want shares of all steps"},
		{on(step, func(s *Schedule) { s.Factor = 1 }), "train: drops by the factor 1, want more than 0 and less than 1"},
		{on(step, func(s *Schedule) { s.Drops = []float64{0.5, 0.5} }),
			"train: drops [0.5 0.5], want rising shares of all steps between 0 and 1"},
		{Labels{Smoothing: 1}, "train: label smoothing 1, want at least 0 and less than 1"},
		{Labels{Mixup: -0.1}, "train: mixup -0.1, want 0 (none) to 1000"},
		{Labels{CutMix: nan}, "train: CutMix NaN, want 0 (none) to 1000"},
	} {
		got := ""
		if err := test.part.Check(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%+v: error %q, want %q", test.part, got, test.want)
		}
	}
}

func TestTargets(t *testing.T) {
	got := Labels{Smoothing: 0.2}.Targets([]int{1, 3}, 4)
	want := []float64{0.05, 0.85, 0.05, 0.05, 0.05, 0.05, 0.05, 0.85}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-15 {
			t.Fatalf("targets %v, want %v", got, want)
		}
	}
}

// TestMix holds that an image's label follows its pixels: here each image is of one level, its number, and so is its target.
func TestMix(t *testing.T) {
	const n, h, w = 5, 6, 4
	for _, test := range []struct {
		l           Labels
		least, most int // of 50 steps, those in which the first image has a box of another
	}{{Labels{Mixup: 0.4}, 0, 0}, {Labels{CutMix: 1}, 30, 50}, {Labels{Mixup: 0.4, CutMix: 1}, 10, 25}} {
		l, boxes, changed := test.l, 0, 0
		for step := range 50 {
			batch := func() ([]float32, []float64) {
				var images []float32
				targets := make([]float64, n)
				for i := range n {
					images = append(images, slices.Repeat([]float32{float32(i)}, h*w*3)...)
					targets[i] = float64(i)
				}
				return images, targets
			}
			images, targets := batch()
			l.Mix(images, targets, n, h, w, 7, step)
			for i := range n {
				image := images[i*h*w*3:][:h*w*3]
				sum := 0.0
				for _, v := range image {
					sum += float64(v)
				}
				if mean := sum / float64(len(image)); math.Abs(mean-targets[i]) > 1e-5 {
					t.Errorf("%+v, step %d, image %d: mean level %v, target %v", l, step, i, mean, targets[i])
				}
				if i == 0 && slices.Max(image) != slices.Min(image) {
					boxes++
				}
				if i == 0 && targets[0] != 0 {
					changed++
				}
			}
			again, same := batch()
			l.Mix(again, same, n, h, w, 7, step)
			if !slices.Equal(again, images) || !slices.Equal(same, targets) {
				t.Errorf("%+v, step %d: a second run gives other bits", l, step)
			}
		}
		if boxes < test.least || boxes > test.most || changed < 30 {
			t.Errorf("%+v: of 50 first images %d have a box and %d are changed, want %d to %d and at least 30", l, boxes, changed, test.least,
				test.most)
		}
	}
	images, targets := []float32{1, 2, 3}, []float64{1}
	Labels{}.Mix(images, targets, 1, 1, 1, 1, 1)
	if !slices.Equal(images, []float32{1, 2, 3}) {
		t.Errorf("without mixing, images become %v", images)
	}
}

// TestBeta compares moments of the distribution: mean 1/2, variance 1/(4·(2α + 1)).
func TestBeta(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, alpha := range []float64{0.1, 0.4, 1, 5} {
		const n = 20000
		var sum, squares float64
		for range n {
			v := beta(r, alpha)
			if !(v >= 0 && v <= 1) {
				t.Fatalf("α = %v: %v", alpha, v)
			}
			sum += v
			squares += (v - 0.5) * (v - 0.5)
		}
		if mean, variance, want := sum/n, squares/n, 1/(4*(2*alpha+1)); math.Abs(mean-0.5) > 0.015 || math.Abs(variance/want-1) > 0.05 {
			t.Errorf("α = %v: mean %v, variance %v, want 0.5 and %v", alpha, mean, variance, want)
		}
	}
}

// TestUpdate takes two steps by hand.
func TestUpdate(t *testing.T) {
	for _, test := range []struct {
		name string
		o    Optimizer
		want []float64 // of a parameter that decays from 1 and one that does not, gradients 1 and then 2, rate 0.1
	}{
		{"plain", Optimizer{Kind: SGD, Decay: 0.5}, []float64{1 - 0.1*1.5 - 0.1*(2+0.5*0.85), 1 - 0.3}},
		{"momentum", Optimizer{Kind: SGD, Momentum: 0.5}, []float64{1 - 0.1 - 0.25, 1 - 0.1 - 0.25}},
		{"Nesterov", Optimizer{Kind: SGD, Momentum: 0.5, Nesterov: true}, []float64{1 - 0.15 - 0.325, 1 - 0.15 - 0.325}},
		// First moments over their bias 1 and (0.25 + 1)/0.75, roots 1 and √((0.25 + 2)/0.75).
		{"AdamW", Optimizer{Kind: AdamW, Beta1: 0.5, Beta2: 0.5, Eps: 1e-300, Decay: 0.5},
			[]float64{(0.95-0.1)*0.95 - 0.1*(1.25/0.75)/math.Sqrt(2.25/0.75), 0.9 - 0.1*(1.25/0.75)/math.Sqrt(2.25/0.75)}},
	} {
		params := [][]float64{{1}, {1}, {1}}
		m := NewMoments[float64](test.o, []int{1, 1, 1})
		for _, g := range []float64{1, 2} {
			Update(test.o, m, 0.1, params, [][]float64{{g}, {g}, nil}, []Rule{{true, 1}, {false, 1}, {true, 1}})
		}
		for i, want := range append(test.want, 1) {
			if math.Abs(params[i][0]-want) > 1e-12 {
				t.Errorf("%s: parameter %d is %v, want %v", test.name, i, params[i][0], want)
			}
		}
	}
}

func TestClip(t *testing.T) {
	g := [][]float32{{3}, nil, {4}}
	if norm := Clip(g, 10); norm != 5 || g[0][0] != 3 {
		t.Errorf("norm %v, gradients %v, want 5 and no change", norm, g)
	}
	if norm := Clip(g, 2.5); norm != 5 || g[0][0] != 1.5 || g[2][0] != 2 {
		t.Errorf("norm %v, gradients %v, want 5, and half of them", norm, g)
	}
	if Clip(g, 0); g[2][0] != 2 {
		t.Errorf("without a limit, gradients become %v", g)
	}
}

func TestAverage(t *testing.T) {
	average, params := [][]float64{{0}}, [][]float64{{1}}
	Average(average, params, 0.9, 1) // keeps 2/11
	if got := average[0][0]; math.Abs(got-9./11) > 1e-15 {
		t.Errorf("after step 1: %v, want 9/11", got)
	}
	Average(average, params, 0.9, 1000)
	if got := average[0][0]; math.Abs(got-(1-0.9*2./11)) > 1e-15 {
		t.Errorf("after step 1000: %v, want %v", got, 1-0.9*2./11)
	}
}

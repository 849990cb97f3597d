package training

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"zoobench/internal/recipe"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/weights"
)

// train carries out the steps and writes the result.
func (r *run) train(ctx context.Context) (*Result, error) {
	path := stateFile(r.Out)
	if err := sweep(r.Out); err != nil {
		return nil, err
	}
	file, old, err := readState(path)
	if err != nil {
		return nil, err
	}
	if file != nil {
		defer file.Close()
	}
	if r.Time > 0 {
		if old != nil {
			r.recipe.Epochs, r.recipe.HeadEpochs = old.Epochs, old.HeadEpochs
		} else if err := r.fit(ctx); err != nil {
			return nil, err
		}
	}
	identity, err := r.identity()
	if err != nil {
		return nil, err
	}
	if old != nil && old.Identity != identity {
		return nil, fmt.Errorf("training: %s is the state of a training with other images, another recipe or another start; remove it, or "+
			"name another file for the result", path)
	}
	resumed := 0
	r.state = &state{Identity: identity, Epochs: r.recipe.Epochs, HeadEpochs: r.recipe.HeadEpochs}
	if old != nil {
		r.state, resumed = old, old.Step
	}
	if err := r.begin(file); err != nil {
		return nil, err
	}
	unreadable, err := r.steps(ctx, path)
	if err != nil {
		return nil, err
	}
	var final float64
	if r.Final {
		if final, _, _, err = r.evaluate(ctx, r.learn, nil); err != nil {
			return nil, err
		}
	}
	var predicted []int
	if r.Test != nil {
		predicted = slices.Repeat([]int{-1}, len(r.Test))
		if _, _, _, err = r.evaluate(ctx, r.held, predicted); err != nil {
			return nil, err
		}
	}
	result := &Result{
		Summary: Summary{
			Recipe: r.recipe.Identity(), Seed: r.seed, Start: r.ready.SHA256, Freeze: r.Freeze, Images: r.learn.Len(), HeldOut: r.held.Len(),
			Curve: r.state.Curve, Final: final,
		},
		Network: r.about.Network, File: r.Out, Classes: r.classes, Unreadable: unreadable, Resumed: resumed,
		Steps: r.state.Step, Batch: r.batches.n, Took: r.state.Took, Stepped: r.state.Stepped, Size: r.about.Recipe.Size,
		Predicted: predicted, Params: r.bare.ParamCount(), MACs: r.bare.MACs(), Activations: r.bare.Activations(),
	}
	for _, class := range r.single {
		result.Single = append(result.Single, r.classes[class])
	}
	if err := r.write(result); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("training: %w", err)
	}
	return result, nil
}

// headSteps are the first steps, in which the classifier alone learns.
func (r *run) headSteps() int { return r.recipe.HeadEpochs * r.batches.each }

func (r *run) total() int { return (r.recipe.HeadEpochs + r.recipe.Epochs) * r.batches.each }

// begin plans the network for the steps that come next. The parameters are the state's own, a file's of which it was read, or
// those that the run begins with.
func (r *run) begin(file *weights.File) error {
	s := r.state
	head := s.Step < r.headSteps()
	var from train.Weights
	switch {
	case s.params != nil:
		from = inMemory{r.graph, s.params}
	default:
		var err error
		if from, err = r.start(); err != nil {
			return err
		}
	}
	if r.net != nil {
		r.net.Close()
	}
	still := slices.Clone(r.frozen)
	for i := range still {
		c := &r.graph.Nodes[r.classifier]
		still[i] = still[i] || head && i != c.Weight && i != c.Bias
	}
	net, err := train.New(r.graph, from, train.Options{
		Batch: r.batches.n, Workers: r.Threads, Frozen: still, Checkpointing: r.recipe.Checkpointing,
	})
	if err != nil {
		return err
	}
	net.Seed = r.seed
	r.net, s.params = net, net.Params
	lengths := make([]int, len(net.Params))
	for i, g := range net.Gradients {
		lengths[i] = len(g)
	}
	s.moments, s.average = recipe.NewMoments[float32](r.recipe.Optimizer, lengths), nil
	if r.recipe.Average > 0 && !head {
		s.average = copies(net.Params)
	}
	if s.Step == r.headSteps() {
		s.Updates = 0
	}
	s.moments.Steps = s.Updates
	if file == nil {
		return nil
	}
	if s.Updates == 0 { // what the file has beside parameters is of the steps before
		only := &state{params: s.params, moments: &recipe.Moments[float32]{}}
		err = only.fill(file, r.graph)
		if s.average != nil {
			s.average = copies(net.Params)
		}
	} else {
		err = s.fill(file, r.graph)
	}
	net.Settle()
	return err
}

func copies(x [][]float32) [][]float32 {
	y := make([][]float32, len(x))
	for i, v := range x {
		y[i] = slices.Clone(v)
	}
	return y
}

// rules are what a step does to each parameter: decay by train.Decays, and rates that grow from the first layer to the
// classifier, by equal factors.
func (r *run) rules() []recipe.Rule {
	decays := train.Decays(r.graph)
	rules := make([]recipe.Rule, len(decays))
	var layers []int // nodes with parameters
	for i, n := range r.graph.Nodes {
		if n.Weight >= 0 || n.Bias >= 0 {
			layers = append(layers, i)
		}
	}
	for i, decays := range decays {
		rules[i] = recipe.Rule{Decays: decays, Rate: 1}
	}
	if r.recipe.LowerRate == 0 {
		return rules
	}
	for k, i := range layers {
		for _, p := range []int{r.graph.Nodes[i].Weight, r.graph.Nodes[i].Bias} {
			if p >= 0 {
				rules[p].Rate = math.Pow(r.recipe.LowerRate, 1-float64(k+1)/float64(len(layers)))
			}
		}
	}
	return rules
}

// steps takes all that are left, and returns the names of images that could not be read.
func (r *run) steps(ctx context.Context, path string) (unreadable []string, err error) {
	s, rules, each := r.state, r.rules(), r.batches.each
	next, stop := r.batches.from(ctx, s.Step, r.total())
	defer stop()
	begun, saved, first, earlier := time.Now(), time.Now(), s.Step, s.Took
	stopped := func(err error) error {
		if ctx.Err() == nil {
			return err
		}
		return errors.Join(fmt.Errorf("training: stopped after step %d of %d; the same command goes on from there: %w", s.Step, r.total(),
			ctx.Err()), s.save(path, r.graph))
	}
	var missing []string
	for {
		p := Progress{Epochs: r.recipe.HeadEpochs + r.recipe.Epochs, Steps: r.total(), Batch: r.batches.n}
		if s.Step == (len(s.Curve)+1)*each { // the end of an epoch that is not evaluated yet
			e := Epoch{
				Epoch: len(s.Curve) + 1, HeadOnly: s.Step <= r.headSteps(), Rate: r.rate(s.Step - 1), Loss: s.Loss / float64(each),
				Accuracy: float64(s.Right) / float64(each*r.batches.n), First: s.First / float64(each),
			}
			if e.Held, e.HeldLoss, missing, err = r.evaluate(ctx, r.held, nil); err != nil {
				return nil, stopped(err)
			}
			s.Curve, s.Loss, s.Right, s.First, p.Done = append(s.Curve, e), 0, 0, 0, &e
			p.Epoch, p.Loss, p.Accuracy = e.Epoch, e.Loss, e.Accuracy
		} else if s.Step == r.total() {
			break
		} else {
			if s.Step == r.headSteps() && s.Step != first {
				if err := r.begin(nil); err != nil {
					return nil, err
				}
			}
			start := time.Now()
			b, err := next()
			if err != nil {
				return nil, stopped(err)
			}
			if p.Loss, err = r.step(b, rules); err != nil {
				return nil, err
			}
			s.Stepped += time.Since(start)
			p.Epoch = (s.Step-1)/each + 1
			p.Accuracy = float64(s.Right) / float64(((s.Step-1)%each+1)*r.batches.n)
		}
		s.Took = earlier + time.Since(begun)
		if time.Since(saved) >= r.SaveEvery {
			if err := s.save(path, r.graph); err != nil {
				return nil, err
			}
			saved = time.Now()
		}
		if p.Step = s.Step; r.Progress != nil && s.Step > first {
			took := time.Since(begun)
			p.ImagesPerSec = float64((s.Step-first)*r.batches.n) / took.Seconds()
			p.Left = time.Duration(float64(took) * float64(r.total()-s.Step) / float64(s.Step-first))
			r.Progress(p)
		}
	}
	return append(r.batches.leftOut(), missing...), nil
}

// rate is the learning rate of a step of the whole run: the classifier's epochs have a schedule of their own.
func (r *run) rate(step int) float64 {
	head := r.headSteps()
	if step < head {
		return r.recipe.Head().At(step, head)
	}
	return r.recipe.Schedule.At(step-head, r.total()-head)
}

// step learns from a batch.
func (r *run) step(b *batch, rules []recipe.Rule) (loss float64, err error) {
	s, in := r.state, r.graph.Input()
	targets := r.recipe.Labels.Targets(b.labels, len(r.classes))
	r.recipe.Labels.Mix(b.images, targets, r.batches.n, in.H, in.W, r.seed, s.Step)
	if loss, err = r.net.Train(b.images, targets, s.Step); err != nil {
		return 0, fmt.Errorf("training: %w; a lower learning rate than %g, or a longer warm-up, often helps", err, r.recipe.Schedule.Rate)
	}
	s.Loss += loss
	s.Right += right(r.net.Outputs(), b.labels)
	s.First += r.firstGradient()
	recipe.Clip(r.net.Gradients, r.recipe.Clip)
	recipe.Update(r.recipe.Optimizer, s.moments, r.rate(s.Step), r.net.Params, r.net.Gradients, rules)
	r.net.Keep()
	s.Step++
	s.Updates++
	if s.average != nil {
		recipe.Average(s.average, r.net.Params, r.recipe.Average, s.Updates)
	}
	return loss, nil
}

// firstGradient is the norm of the gradient of the weights of the first convolution or linear layer, 0 where they do not learn.
func (r *run) firstGradient() float64 {
	first := slices.IndexFunc(r.graph.Nodes, func(n nn.Node) bool { return n.Op == nn.Conv || n.Op == nn.Linear })
	return recipe.Clip([][]float32{r.net.Gradients[r.graph.Nodes[first].Weight]}, 0) // no limit: the gradient stays as it is
}

// right counts the rows of scores whose largest is the label's.
func right(scores []float32, labels []int) (n int) {
	classes := len(scores) / len(labels)
	for i, label := range labels {
		row := scores[i*classes:][:classes]
		if slices.Index(row, slices.Max(row)) == label {
			n++
		}
	}
	return n
}

// write makes the result's file: the parameters that inference needs, under the network's own names.
func (r *run) write(result *Result) error {
	about := r.about
	var err error
	if about.Training, err = summary(result.Summary); err != nil {
		return err
	}
	metadata, err := about.Metadata()
	if err != nil {
		return err
	}
	params := r.net.Params
	if r.state.average != nil {
		params = r.state.average
	}
	var tensors []weights.Named
	for _, p := range r.bare.Params {
		if p.Kind == nn.Aux {
			continue
		}
		i := slices.IndexFunc(r.graph.Params, func(q nn.Param) bool { return q.Name == p.Name })
		tensors = append(tensors, weights.Named{Name: p.Name, Shape: p.Shape, Data: params[i]})
	}
	if err := weights.WriteFile(r.Out, tensors, metadata); err != nil {
		again := "all steps must be repeated: no state was saved"
		if _, statErr := os.Stat(stateFile(r.Out)); statErr == nil {
			again = "the same command goes on from the last state that was saved"
		}
		return fmt.Errorf("training: %s: %w; make room first; %s", filepath.Base(r.Out), err, again)
	}
	return nil
}

// fit sets the numbers of epochs that the job's time allows, those of the classifier alone included, by a trial of a few steps.
func (r *run) fit(ctx context.Context) error {
	const trials = 3
	r.state = &state{Step: r.headSteps()}
	if err := r.begin(nil); err != nil {
		return err
	}
	next, stop := r.batches.from(ctx, 0, trials+1)
	defer stop()
	var step time.Duration
	rules := r.rules()
	for i := range trials + 1 {
		start := time.Now()
		b, err := next()
		if err != nil {
			return err
		}
		if _, err := r.step(b, rules); err != nil {
			return err
		}
		if i > 0 {
			step += time.Since(start) / trials
		}
	}
	r.state = nil
	r.recipe.Epochs = 1
	forward := step / 3
	held := forward * time.Duration(1+r.held.Len()/r.batches.n)
	headEpoch := held + forward*time.Duration(r.batches.each)
	if r.recipe.HeadEpochs > 0 { // at most a quarter of the time, but for one
		r.recipe.HeadEpochs = min(r.recipe.HeadEpochs, max(int(r.Time/4/headEpoch), 1))
	}
	head := time.Duration(r.recipe.HeadEpochs) * headEpoch
	epoch := held + step*time.Duration(r.batches.each)
	if n := int((r.Time - head) / epoch); n >= 1 {
		r.recipe.Epochs = min(n, recipe.MaxEpochs)
		return nil
	}
	return fmt.Errorf("training: time %v: an epoch takes about %v, with the classifier's epochs before it %v; "+
		"want more time, fewer images or a "+
		"smaller network", r.Time, about(epoch), about(head+epoch))
}

// about is a duration to two or three digits.
func about(d time.Duration) time.Duration {
	unit := time.Second
	for unit > time.Microsecond && d < 10*unit {
		unit /= 10
	}
	return d.Round(unit)
}

package runner

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
	"zoobench/datasets"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/quantize"
	"zoobench/zoo/weights"
)

// A calibrated is the images that a network's numbers in int8 come from.
type calibrated struct {
	quantize.Calibration
	generated bool
	file      string // of the numbers, "" where none is kept
}

// Numbers are the hash of a loaded network's numbers in int8 and the file that keeps them; "" for a network in another precision, and
// for a file that is not there.
func (r *Ready) Numbers() (sum, file string) {
	if r.Int8 == nil {
		return "", ""
	}
	return r.Int8.Sum(), r.images.file
}

// numbers fills in what int8 makes of a network that has no file of int8 weights: from its ONNX file, from the task's file, from the
// cache folder's file for these weights, images and this program or, where there is none, by quantising it, which leaves the file
// there. For its speed alone a network is quantised on generated images. It returns the file, "" where there is no cache folder or
// nothing to keep.
func (r *Ready) numbers(ctx context.Context, step func(done, total int)) (file string, err error) {
	if own, err := r.ownNumbers(); own || err != nil {
		return "", err
	}
	if r.task.Numbers != "" {
		return r.task.Numbers, r.readNumbers(r.task.Numbers, "")
	}
	c := r.task.Job.Calibration
	switch {
	case c != nil && (r.File != "" || r.task.Job.Latency == nil):
	case r.task.Job.Latency == nil:
		return "", errors.New("runner: int8 needs images to find the ranges of values: name them with --calibration (in an experiment, " +
			"calibration: {data: DIR}), or quantise the network first (zoobench quantize)")
	default:
		return "", r.generated()
	}
	a := experiment.Accuracy{
		Data: c.Data, Split: c.Split, Limit: c.Images, Seed: c.Seed, Answers: datasets.AllAnswers,
		Ranks: c.Ranks, ClassRange: c.ClassRange, HeldOut: c.HeldOut, HeldOutSeed: c.HeldOutSeed,
	}
	images, about, err := r.Calibrate(ctx, a, step)
	if err != nil {
		return "", err
	}
	if cache, err := DefaultCache(); err == nil && r.File != "" {
		file = filepath.Join(cache.Dir, "int8", r.numbersName(about))
		if r.readNumbers(file, KernelBuild()) == nil {
			return file, nil
		}
	}
	if err := r.MakeInt8(images, quantize.Options{}); err != nil {
		return "", err
	}
	if r.images.Calibration = about; file == "" {
		return "", nil
	}
	if err = os.MkdirAll(filepath.Dir(file), 0o777); err == nil {
		err = r.WriteInt8(file, about)
	}
	if err != nil {
		r.notes = append(r.notes, "the numbers in int8 are not kept: "+err.Error())
		return "", nil
	}
	r.images.file = file
	return file, nil
}

// generated quantises the network for its speed alone.
func (r *Ready) generated() error {
	const generated = 4
	var images []float32
	for seed := range uint64(generated) {
		images = append(images, generatedImages(weights.Generator{Seed: seed, Gain: 1}, r.Graph.Input(), 1)...)
	}
	r.images.generated = true
	r.notes = append(r.notes, "int8 ranges come from generated images: the speed is right, predictions are not")
	return r.MakeInt8(images, quantize.Options{Threads: r.task.Threads, Fast: true})
}

// numbersName is the cache folder's name for what int8 makes of the network on images: all of what the numbers depend on, the
// program apart, which the file names itself.
func (r *Ready) numbersName(c quantize.Calibration) string {
	text := fmt.Sprintf("%s %q %q %s %+v %s %s", r.SHA256, r.Taken.Section, r.Taken.Prefix, quantize.Fingerprint(r.Graph), r.Preprocessing(),
		c.SHA256, kernels.ISA())
	sum := sha256.Sum256([]byte(text))
	return filepath.Base(r.Spec.Name) + "." + hex.EncodeToString(sum[:8]) + ".int8.safetensors"
}

// readNumbers takes the numbers from a file that was made of the same weights, by the program build if that is not "".
func (r *Ready) readNumbers(path, build string) error {
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	about, err := quantize.Describe(f)
	if err != nil {
		return err
	}
	if about.Weights != r.SHA256 || build != "" && about.Program != build {
		return fmt.Errorf("runner: %s: made by %s of weights with the SHA-256 %.16s, this is %s with %.16s", path, about.Program, about.Weights,
			KernelBuild(), r.SHA256)
	}
	r.images.Calibration, r.images.file = about.Calibration, path
	return weights.Guard(f, func() (err error) {
		r.Int8, err = quantize.Read(f, r.Graph)
		return err
	})
}

// Numbers finds or makes the file of what int8 makes of a task's network, see Task.Numbers, and returns its path; "" for a network
// that needs none.
func Numbers(ctx context.Context, list *zoo.List, t Task, step func(done, total int)) (file string, err error) {
	r, err := Describe(list, t)
	if err != nil {
		return "", err
	}
	defer r.Close()
	if t.Precision != engine.Int8 || r.Int8 != nil {
		return "", nil
	}
	if err := r.Photographs(); err != nil {
		return "", err
	}
	return r.numbers(ctx, step)
}

// Calibrate reads images to quantise the network on, prepared as the network takes them and one behind the other. Those that are
// held out are left out. An image that cannot be read is an error, unless the task's calibration passes it over. step, which may be nil,
// hears of each image.
func (r *Ready) Calibrate(ctx context.Context, a experiment.Accuracy, step func(done, total int)) ([]float32, quantize.Calibration, error) {
	about := quantize.Calibration{Data: filepath.Clean(a.Data), Split: a.Split, Seed: a.Seed}
	files, err := openImages(&a, 0)
	if err != nil {
		return nil, about, err
	}
	defer files.Close()
	var src datasets.Source = files
	if a.HeldOut > 0 {
		if src, _, _, err = datasets.Divide(files, len(files.Classes), a.HeldOut, a.HeldOutSeed); err != nil {
			return nil, about, err
		}
	}
	if src = datasets.Sample(src, a.Limit, a.Seed); src.Len() == 0 {
		return nil, about, fmt.Errorf("runner: %s: no images to quantise on", a.Data)
	}
	o := datasets.LoadOptions{Batch: 1, Workers: runtime.GOMAXPROCS(0), Exif: a.Exif != "", Contents: true}
	loader, err := datasets.NewLoader(src, r.Preprocessing(), o)
	if err != nil {
		return nil, about, err
	}
	var images []float32
	for b, err := range loader.Batches(ctx) {
		if err != nil {
			return nil, about, err
		}
		if err := b.Errs[0]; err != nil {
			if c := r.task.Job.Calibration; c != nil && c.PassOver {
				continue
			}
			return nil, about, fmt.Errorf("runner: %s: %s: %w", a.Data, b.Items[0].Name, err)
		}
		images = append(images, b.Tensor...)
		if step != nil {
			step(b.First+1, src.Len())
		}
	}
	if len(images) == 0 {
		return nil, about, fmt.Errorf("runner: %s: none of %d images to quantise on can be read", a.Data, src.Len())
	}
	about.SHA256 = loader.Hash()
	for _, sum := range loader.Contents() {
		about.Contents = append(about.Contents, sum[:quantize.ContentBytes]...)
	}
	return images, about, nil
}

// shared is how many of some images, by their contents, are among those of the calibration.
func (c *calibrated) shared(contents [][sha256.Size]byte) (n int) {
	seen := map[string]bool{}
	for at := 0; at+quantize.ContentBytes <= len(c.Contents); at += quantize.ContentBytes {
		seen[string(c.Contents[at:at+quantize.ContentBytes])] = true
	}
	for _, sum := range contents {
		if seen[string(sum[:quantize.ContentBytes])] {
			n++
		}
	}
	return n
}

// calibration is where a network's numbers in int8 come from, as a record has it; nil for a network in another precision.
func (r *Ready) calibration() *record.Calibration {
	if r.Int8 == nil {
		return nil
	}
	c, made := &r.images, r.Int8.Recipe
	of := &record.Calibration{
		Generated: c.generated, InFile: r.ofInt8 != nil, Data: c.Data, Split: c.Split, Images: made.Images, Seed: c.Seed, SHA256: c.SHA256,
		Rule: string(made.Rule), Equalised: made.Equal, FloatShare: made.Kept, Numbers: r.Int8.Sum(),
	}
	if asked := r.task.Job.Calibration; asked != nil && !of.Generated && !of.InFile {
		of.Ranks, of.HeldOut, of.HeldOutSeed = asked.Ranks, asked.HeldOut, asked.HeldOutSeed
		if asked.ClassRange != [2]int{} {
			of.ClassRange = &asked.ClassRange
		}
	}
	return of
}

// calibrationAgain is the calibration that made a record's numbers, nil where there was none.
func calibrationAgain(c *record.Calibration, data string) *experiment.Calibration {
	if c == nil || c.Generated || c.InFile {
		return nil
	}
	again := &experiment.Calibration{
		Data: cmp.Or(data, c.Data), Split: c.Split, Images: c.Images, Seed: c.Seed,
		Ranks: c.Ranks, HeldOut: c.HeldOut, HeldOutSeed: c.HeldOutSeed,
	}
	if c.ClassRange != nil {
		again.ClassRange = *c.ClassRange
	}
	return again
}

// sharedWarnings says of an accuracy's row that its network was quantised on some of its images.
func sharedWarnings(r *record.Record) []string {
	if r.Calibration == nil || r.Calibration.Shared == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of the images are among those that the network was quantised on", r.Calibration.Shared)}
}

// made are the files of numbers that were found or made, by the checkpoint and its calibration.
type made map[string]string

// give gives a task in int8 its file of numbers, made once for all tasks of a checkpoint and its calibration. A process of its own
// makes it, so that a timed process has the memory of its network alone. A failure is left to the task, which meets it again.
func (m made) give(ctx context.Context, w Worker, t *Task, step func(done, total int)) error {
	if t.Precision != engine.Int8 || t.Job.Calibration == nil || t.Numbers != "" || t.Weights == "" || t.Out != "" {
		return nil
	}
	text, err := json.Marshal(struct {
		Model, Weights      string
		ImgSize, NumClasses int
		Recipe              Recipe
		Calibration         experiment.Calibration
	}{t.Model, t.Weights, t.ImgSize, t.NumClasses, t.Recipe, *t.Job.Calibration})
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	file, known := m[string(text)]
	if !known {
		of := *t
		of.Quantize, of.ISA = true, ""
		file, err = w.Numbers(ctx, of, step)
		if failure := (*Failure)(nil); err != nil && !errors.As(err, &failure) {
			return err
		}
		m[string(text)] = file
	}
	t.Numbers = file
	return nil
}

// uncalibrated says why a job in int8 has no images for its calibration, "" where it has or needs none.
func (r *run) uncalibrated(j *experiment.Job, file string) string {
	if j.Precision != engine.Int8 {
		return ""
	}
	if c := j.Calibration; c != nil {
		if why := r.imagesMissing(c.Data); why != "" {
			return "calibration: " + why
		}
		return ""
	}
	if hasInt8(file) {
		return ""
	}
	return "int8 needs images to find the ranges of values: add calibration: {data: DIR} to the experiment, or name a file of zoobench " +
		"quantize under checkpoints"
}

// hasInt8 reports whether a checkpoint has numbers in int8 of its own.
func hasInt8(file string) bool {
	if IsONNX(file) {
		n, err := load.Open(file, load.Options{})
		if err != nil {
			return false
		}
		defer n.Weights.Close()
		return n.Int8 != nil && len(n.Int8.Layers) > 0
	}
	f, err := weights.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	return quantize.Is(f)
}

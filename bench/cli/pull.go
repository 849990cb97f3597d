package cli

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/zoo"
	"zoobench/zoo/weights"
)

// smallParams bounds the networks of pull --all-small.
const smallParams = 6_000_000

// imageSet is a set of images that can be fetched without an account. Sizes and hashes are those of the files checksums.tsv of
// tfds's imagenet_v2, imagenet_a, imagenet_r, imagenet_sketch, cifar10 and cifar100. ImageNetV2's archive is a plain tar,
// whatever its name says.
type imageSet struct {
	name, about, licence string
	folder               string // of the cache folder
	remote               weights.Remote
	unpacked             string // folder in the archive that is unpacked beside it; "" for an archive that is read as it is
}

var imageSets = []imageSet{{
	name:    "imagenetv2",
	about:   "ImageNetV2 matched-frequency (Recht et al. 2019, arXiv:1902.10811), 10,000 images, 10 of each class of ImageNet-1k",
	licence: "MIT for the collection; the images belong to their authors on Flickr",
	folder:  "data",
	remote: weights.Remote{
		Name:   "imagenetv2-matched-frequency.tar",
		URL:    "https://huggingface.co/datasets/vaishaal/ImageNetV2/resolve/main/imagenetv2-matched-frequency.tar.gz",
		SHA256: "f0c37fdf925916b19ea1323cd9a2208cdb6959ba2c32eef2a7fc393835c9ca7c", Bytes: 1264079360,
	},
}, {
	name:    datasets.ImageNetA,
	about:   "ImageNet-A (Hendrycks et al. 2019, arXiv:1907.07174), 7,500 images that a ResNet-50 got wrong, of 200 classes of ImageNet-1k",
	licence: "MIT for the collection; the images belong to their authors",
	folder:  "sets",
	remote: weights.Remote{
		Name:   "imagenet-a.tar",
		URL:    "https://people.eecs.berkeley.edu/~hendrycks/imagenet-a.tar",
		SHA256: "3bb3632277e6ba6392ea64c02ddbf4dd2266c9caffd6bc09c9656d28f012589e", Bytes: 687552512,
	},
}, {
	name:    datasets.ImageNetR,
	about:   "ImageNet-R (Hendrycks et al. 2020, arXiv:2006.16241), 30,000 renditions (art, cartoons, toys) of 200 classes of ImageNet-1k",
	licence: "MIT for the collection; the images belong to their authors",
	folder:  "sets",
	remote: weights.Remote{
		Name:   "imagenet-r.tar",
		URL:    "https://people.eecs.berkeley.edu/~hendrycks/imagenet-r.tar",
		SHA256: "18c6bf493b39a0d975d48e587437f562caab9c52ae6327dcfa9dd8eb54aa1b52", Bytes: 2191079936,
	},
}, {
	name:    datasets.ImageNetSketch,
	about:   "ImageNet-Sketch (Wang et al. 2019, arXiv:1905.13549), 50,889 drawings of the 1,000 classes of ImageNet-1k",
	licence: "MIT for the collection; the images belong to their authors",
	folder:  "sets",
	remote: weights.Remote{
		Name:   "ImageNet-Sketch.zip",
		URL:    "https://huggingface.co/datasets/songweig/imagenet_sketch/resolve/main/data/ImageNet-Sketch.zip",
		SHA256: "4d3ce6b82a7c48aabf14aeac105eb533e75707f152cc858f55bfc022031a72ed", Bytes: 7593573012,
	},
}, {
	name:    datasets.CIFAR10,
	about:   "CIFAR-10 (Krizhevsky 2009), 50,000 training and 10,000 test images of 32×32 pixels and 10 classes",
	licence: "none stated; the images belong to their authors",
	folder:  "sets",
	remote: weights.Remote{
		Name:   "cifar-10-binary.tar.gz",
		URL:    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
		SHA256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", Bytes: 170052171,
	},
	unpacked: "cifar-10-batches-bin",
}, {
	name:    datasets.CIFAR100,
	about:   "CIFAR-100 (Krizhevsky 2009), 50,000 training and 10,000 test images of 32×32 pixels and 100 classes",
	licence: "none stated; the images belong to their authors",
	folder:  "sets",
	remote: weights.Remote{
		Name:   "cifar-100-binary.tar.gz",
		URL:    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
		SHA256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", Bytes: 168513733,
	},
	unpacked: "cifar-100-binary",
}}

// imageSetNames are the sets that pull data knows.
func imageSetNames() (names []string) {
	for _, s := range imageSets {
		names = append(names, s.name)
	}
	return names
}

// pullRow is a file that zoobench pull made be there.
type pullRow struct {
	Name    string `json:"name"`
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Trust   string `json:"trust"`
	Licence string `json:"licence"`
}

// wanted is a file to be pulled and what is to be told of it.
type wanted struct {
	name, licence string
	remote        weights.Remote
}

// pullFlags say from where and how files are fetched.
type pullFlags struct {
	offline  bool
	mirror   string
	parallel int
}

func (p *pullFlags) flags(c *cobra.Command) {
	c.Flags().BoolVar(&p.offline, "offline", false,
		"no fetching: the command checks the files in the cache folder and reports what is missing")
	c.Flags().StringVar(&p.mirror, "mirror", "", "`URL` that replaces scheme and host of every address")
	c.Flags().IntVar(&p.parallel, "parallel", 4, "number of files to fetch at the same time")
}

func (p *pullFlags) store(dir string) weights.Store {
	return weights.Store{Dir: dir, Offline: p.offline, Mirror: p.mirror}
}

func (a *app) pull() *cobra.Command {
	var pf pullFlags
	var families []string
	var allSmall, nonCommercial bool
	c := &cobra.Command{
		Use:   "pull NETWORK[.TAG]...",
		Short: "Fetch checkpoints into the cache folder, and verify them",
		Long: "Fetches checkpoints. For a network without a tag it fetches the first published checkpoint. An interrupted fetch continues\n" +
			"where it stopped. A file gets its name only after its hash is verified. Patterns, --family and --all-small leave out\n" +
			"checkpoints that may not be used commercially, unless --non-commercial is given. zoobench ls --checkpoints prints every\n" +
			"licence. Weights that the program contains need no fetch. For images, use zoobench pull data imagenetv2.",
		ValidArgsFunction: a.networks,
		RunE: func(c *cobra.Command, names []string) error {
			if err := onlyZoo(names, "there is nothing to fetch"); err != nil {
				return err
			}
			names, contained, err := a.withoutShipped(names)
			if err != nil {
				return err
			}
			for _, c := range contained {
				fmt.Fprintf(a.notes, "%s: the program contains it, there is nothing to fetch\n", c.Name())
			}
			files, err := a.checkpoints(names, families, allSmall, nonCommercial)
			if err != nil {
				return err
			}
			if len(files)+len(contained) == 0 {
				return errors.New("pull: no networks; name some, or use --family or --all-small")
			}
			if len(files) == 0 {
				return nil
			}
			cache, err := runner.DefaultCache()
			if err != nil {
				return err
			}
			return a.fetch(c, pf, cache.Weights(), files)
		},
	}
	c.Flags().StringArrayVar(&families, "family", nil, "family: the first checkpoint of each of its networks; may be given several times")
	c.Flags().BoolVar(&allSmall, "all-small", false, "first checkpoint of every network with at most 6 million parameters")
	c.Flags().BoolVar(&nonCommercial, "non-commercial", false,
		"checkpoints with a non-commercial licence too, with patterns, --family and --all-small")
	pf.flags(c)
	a.formatFlag(c)
	c.AddCommand(a.pullData())
	return c
}

func (a *app) pullData() *cobra.Command {
	var pf pullFlags
	c := &cobra.Command{
		Use:   "data SET",
		Short: "Fetch a set of labelled images: " + strings.Join(imageSetNames(), ", "),
		Long: "Fetches a set of images into the cache folder. imagenetv2 goes into its folder data, where zoobench run looks for images.\n" +
			"The other sets go into its folder sets; name the file with --data. The program reads the archives as they are, and\n" +
			"unpacks those of cifar10 and cifar100 alone: these two are opened by name, as --data cifar10.\n" +
			"Answers for imagenet-a and imagenet-r are chosen among their own 200 classes (see zoobench eval --answers).",
		Args:      cobra.ExactArgs(1),
		ValidArgs: imageSetNames(),
		RunE: func(c *cobra.Command, args []string) error {
			i := slices.IndexFunc(imageSets, func(s imageSet) bool { return s.name == args[0] })
			if i < 0 {
				return fmt.Errorf("pull: have %q, want %s. ILSVRC-2012 needs an account at image-net.org, and ObjectNet a form at "+
					"objectnet.dev: fetch them there and name the tar or folder with --data", args[0], strings.Join(imageSetNames(), ", "))
			}
			set := imageSets[i]
			cache, err := runner.DefaultCache()
			if err != nil {
				return err
			}
			fmt.Fprintf(a.notes, "%s\nlicence: %s\nfrom %s\n", set.about, set.licence, set.remote.URL)
			dir := filepath.Join(cache.Dir, set.folder)
			if err := a.fetch(c, pf, dir, []wanted{{set.name, set.licence, set.remote}}); err != nil || set.unpacked == "" {
				return err
			}
			if err := unpack(filepath.Join(dir, set.remote.Name), dir, set.unpacked); err != nil {
				return fmt.Errorf("pull: %s: %w", set.name, err)
			}
			return nil
		},
	}
	pf.flags(c)
	a.formatFlag(c)
	return c
}

// withoutShipped are arguments without those that name a checkpoint that the program contains, and these checkpoints: by the tag,
// or by the network alone.
func (a *app) withoutShipped(args []string) (others []string, contained []zoo.Checkpoint, err error) {
	for _, arg := range args {
		if isPattern(arg) || strings.Contains(arg, ",") {
			others = append(others, arg)
			continue
		}
		spec, err := a.list.Find(arg)
		if err != nil {
			return nil, nil, err
		}
		known, ok := spec.Shipped()
		if _, tag := zoo.Split(arg); ok && (tag == "" || tag == known.Tag) {
			contained = append(contained, known)
		} else {
			others = append(others, arg)
		}
	}
	return others, contained, nil
}

// checkpoints are the files of the checkpoints that are named, and of those that are selected.
func (a *app) checkpoints(args, families []string, allSmall, nonCommercial bool) ([]wanted, error) {
	var files []wanted
	add := func(c zoo.Checkpoint) {
		w := wantedFile(c)
		if !slices.ContainsFunc(files, func(f wanted) bool { return f.remote.Name == w.remote.Name }) {
			files = append(files, w)
		}
	}
	for _, arg := range args {
		found, err := a.named(arg, nonCommercial)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			add(c)
		}
	}
	for _, f := range families {
		if !slices.ContainsFunc(a.list.All(), func(s *zoo.Spec) bool { return s.Family == f }) {
			return nil, fmt.Errorf("pull: no family %q", f)
		}
	}
	for _, s := range a.list.All() {
		if allSmall && s.Params <= smallParams || slices.Contains(families, s.Family) {
			if c, ok := firstCheckpoint(s, nonCommercial); ok {
				add(c)
			}
		}
	}
	return files, nil
}

// named are the checkpoints that an argument names. A pattern leaves out those that cannot be fetched, and those that may not
// be used commercially unless nonCommercial is set.
func (a *app) named(arg string, nonCommercial bool) (found []zoo.Checkpoint, err error) {
	names, err := a.expand([]string{arg}, publishedTags)
	if err != nil {
		return nil, err
	}
	pattern := isPattern(arg)
	for _, name := range names {
		spec, err := a.list.Find(name)
		if err != nil {
			return nil, err
		}
		c, ok := firstCheckpoint(spec, nonCommercial || !pattern)
		if _, tag := zoo.Split(name); tag != "" {
			if c, err = a.list.FindCheckpoint(name); err != nil {
				return nil, err
			}
			ok = c.URL() != "" && (nonCommercial || !pattern || commercial(c.Licence))
		}
		switch {
		case ok:
			found = append(found, c)
		case !pattern:
			return nil, fmt.Errorf("pull: %s: no published weights that can be fetched", name)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("pull: %s: no published weights that can be fetched; --non-commercial takes those too that may not be "+
			"used commercially", arg)
	}
	return found, nil
}

// firstCheckpoint is the first checkpoint of a network that can be fetched, one with published figures on ImageNetV2 as
// well before others.
func firstCheckpoint(s *zoo.Spec, nonCommercial bool) (best zoo.Checkpoint, ok bool) {
	for _, c := range s.Checkpoints {
		if c.URL() == "" || !nonCommercial && !commercial(c.Licence) {
			continue
		}
		if hasV2 := len(c.Results) > 0 && c.Results[0].V2Top1 > 0; hasV2 {
			return c, true
		}
		if !ok {
			best, ok = c, true
		}
	}
	return best, ok
}

// commercial reports whether a licence lets its weights be used commercially, as far as is known.
func commercial(licence string) bool { return licence != "cc-by-nc-4.0" }

func wantedFile(c zoo.Checkpoint) wanted {
	ext := path.Ext(c.URL())
	if ext != ".safetensors" && ext != ".h5" {
		ext = ".pth"
	}
	licence := c.Licence
	if licence == "" {
		licence = "unknown"
	}
	return wanted{c.Name(), licence, weights.Remote{Name: c.Name() + ext, URL: c.URL(), SHA256: c.SHA256, MD5: c.MD5}}
}

// fetch pulls files into a folder and prints a row for each; those that fail do not keep the others.
func (a *app) fetch(c *cobra.Command, pf pullFlags, dir string, files []wanted) error {
	if pf.parallel < 1 {
		return fmt.Errorf("--parallel %d: want at least 1", pf.parallel)
	}
	var remotes []weights.Remote
	for _, f := range files {
		remotes = append(remotes, f.remote)
		size := ""
		if f.remote.Bytes > 0 {
			size = ", " + mebibytes(f.remote.Bytes)
		}
		fmt.Fprintf(a.notes, "%s: licence %s%s\n", f.name, f.licence, size)
	}
	bar := a.newBytesBar(len(files))
	s := pf.store(dir)
	held, err := s.PullAll(c.Context(), remotes, pf.parallel, bar.step)
	bar.close()
	out := newPrinter(a, []string{"name", "size", "hash", "sha256", "licence", "file"}, func(r pullRow) []string {
		return []string{r.Name, mebibytes(r.Bytes), r.Trust, r.SHA256[:16], r.Licence, r.File}
	})
	some := false
	for i, h := range held {
		if h.Name == "" {
			continue
		}
		some = true
		row := pullRow{Name: files[i].name, File: s.Path(h.Name), Bytes: h.Bytes, SHA256: h.SHA256, Trust: h.Trust, Licence: files[i].licence}
		if err := out.print(row); err != nil {
			return err
		}
	}
	if err != nil && some {
		err = &exitError{exitFailed, err} // the others are there
	}
	return errors.Join(out.close(), err)
}

// bytesBar shows on a terminal how many bytes of several files have come.
type bytesBar struct {
	mu          sync.Mutex
	bar         *progressbar.ProgressBar // nil where there is no terminal
	done, total []int64
}

func (a *app) newBytesBar(files int) *bytesBar {
	b := &bytesBar{done: make([]int64, files), total: make([]int64, files)}
	if _, isTerminal := terminalWidth(a.notes); isTerminal {
		b.bar = progressbar.NewOptions64(-1, progressbar.OptionSetWriter(a.notes), progressbar.OptionShowBytes(true),
			progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
	}
	return b
}

func (b *bytesBar) step(i int, done, total int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[i], b.total[i] = done, total
	if b.bar == nil {
		return
	}
	var have, all int64
	for j := range b.done {
		have, all = have+b.done[j], all+max(b.total[j], b.done[j])
	}
	b.bar.ChangeMax64(max(all, 1))
	b.bar.Set64(have)
}

func (b *bytesBar) close() {
	if b.bar != nil {
		b.bar.Clear()
	}
}

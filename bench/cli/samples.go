package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/stat"
	"zoobench/datasets"
	"zoobench/reports"
)

func (a *app) samples() *cobra.Command {
	c := &cobra.Command{
		Use:   "samples",
		Short: "Look into what networks made of each image: classes, confusions, calibration, disagreements",
		Long: "Reads per-sample files, those of zoobench eval --per-sample and those in the samples folder of a run; nothing is\n" +
			"measured again.",
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("samples: want classes, confusions, calibration or gallery")
		},
	}
	c.AddCommand(a.sampleClasses(), a.sampleConfusions(), a.sampleCalibration(), a.sampleGallery())
	return c
}

// sampleName is what a per-sample file is called in tables and pages.
func sampleName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// namer names the classes in per-sample files. The files do not say what the classes are: they are taken for
// ImageNet-1k's where the highest that occurs is one of its last hundred.
func namer(files ...[]record.Sample) func(class int) string {
	highest := -1
	for _, samples := range files {
		for _, s := range samples {
			for _, class := range slices.Concat(s.Labels, s.Top5) {
				highest = max(highest, class)
			}
		}
	}
	names := datasets.ImageNet1k()
	known := highest >= len(names)-100 && highest < len(names)
	return func(class int) string {
		if known && class >= 0 {
			return names[class].Name
		}
		return "class " + strconv.Itoa(class)
	}
}

// classRow is a class's accuracy.
type classRow struct {
	Class  int     `json:"class"`
	Name   string  `json:"name"`
	Images int     `json:"n_images"`
	Top1   float64 `json:"top1"` // percent
	Lo     float64 `json:"top1_lo"`
	Hi     float64 `json:"top1_hi"`
	Top5   float64 `json:"top5"`
}

// perClass are the classes' accuracies, the worst first. An image of several labels counts for its first.
func perClass(samples []record.Sample) []classRow {
	type count struct{ n, top1, top5 int }
	counts := map[int]*count{}
	for _, s := range samples {
		if len(s.Labels) == 0 {
			continue
		}
		c := counts[s.Labels[0]]
		if c == nil {
			c = &count{}
			counts[s.Labels[0]] = c
		}
		c.n++
		if rank := s.Rank(); rank > 0 {
			c.top5++
			if rank == 1 {
				c.top1++
			}
		}
	}
	var rows []classRow
	className := namer(samples)
	for class, c := range counts {
		lo, hi := stat.Wilson(c.top1, c.n)
		rows = append(rows, classRow{
			Class: class, Name: className(class), Images: c.n, Top1: 100 * float64(c.top1) / float64(c.n), Lo: 100 * lo, Hi: 100 * hi,
			Top5: 100 * float64(c.top5) / float64(c.n),
		})
	}
	slices.SortFunc(rows, func(a, b classRow) int { return cmp.Or(cmp.Compare(a.Top1, b.Top1), cmp.Compare(a.Class, b.Class)) })
	return rows
}

func (a *app) sampleClasses() *cobra.Command {
	c := &cobra.Command{
		Use:   "classes FILE",
		Short: "Print each class's accuracy, the worst first",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			samples, err := record.ReadSamples(args[0])
			if err != nil {
				return err
			}
			out := newPrinter(a, []string{"class", "name", "images", "top-1", "95 % interval", "top-5"}, func(r classRow) []string {
				return []string{strconv.Itoa(r.Class), r.Name, strconv.Itoa(r.Images), fmt.Sprintf("%.1f %%", r.Top1), fmt.Sprintf("%.1f to %.1f", r.Lo, r.Hi), fmt.Sprintf("%.1f %%", r.Top5)}
			})
			for _, row := range perClass(samples) {
				if err := out.print(row); err != nil {
					return err
				}
			}
			return out.close()
		},
	}
	a.formatFlag(c)
	return c
}

// confusionRow is a pair of classes of which one is taken for the other.
type confusionRow struct {
	Label     int     `json:"label"`
	LabelName string  `json:"label_name"`
	Taken     int     `json:"taken_for"`
	TakenName string  `json:"taken_for_name"`
	Images    int     `json:"n_images"`
	Share     float64 `json:"share"` // percent of the label's images
	Example   string  `json:"example"`
}

// confusions are the pairs, the most frequent first.
func confusions(samples []record.Sample) []confusionRow {
	type pair struct{ label, taken int }
	counts, examples, perLabel := map[pair]int{}, map[pair]string{}, map[int]int{}
	for i := range samples {
		s := &samples[i]
		if len(s.Labels) == 0 {
			continue
		}
		perLabel[s.Labels[0]]++
		if len(s.Top5) == 0 || s.Rank() == 1 {
			continue
		}
		p := pair{s.Labels[0], s.Top5[0]}
		if counts[p]++; counts[p] == 1 {
			examples[p] = s.File
		}
	}
	var rows []confusionRow
	className := namer(samples)
	for p, n := range counts {
		rows = append(rows, confusionRow{
			Label: p.label, LabelName: className(p.label), Taken: p.taken, TakenName: className(p.taken), Images: n,
			Share: 100 * float64(n) / float64(perLabel[p.label]), Example: examples[p],
		})
	}
	slices.SortFunc(rows, func(a, b confusionRow) int {
		return cmp.Or(cmp.Compare(b.Images, a.Images), cmp.Compare(b.Share, a.Share), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Taken, b.Taken))
	})
	return rows
}

func (a *app) sampleConfusions() *cobra.Command {
	var most int
	c := &cobra.Command{
		Use:   "confusions FILE",
		Short: "Print the pairs of classes of which one is taken for the other, the most frequent first",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			samples, err := record.ReadSamples(args[0])
			if err != nil {
				return err
			}
			out := newPrinter(a, []string{"label", "name", "taken for", "name", "images", "of the label's", "example"}, func(r confusionRow) []string {
				return []string{strconv.Itoa(r.Label), r.LabelName, strconv.Itoa(r.Taken), r.TakenName, strconv.Itoa(r.Images), fmt.Sprintf("%.1f %%", r.Share), r.Example}
			})
			rows := confusions(samples)
			if most > 0 {
				rows = rows[:min(most, len(rows))]
			}
			for _, row := range rows {
				if err := out.print(row); err != nil {
					return err
				}
			}
			return out.close()
		},
	}
	c.Flags().IntVar(&most, "limit", 30, "pairs, 0 for all")
	a.formatFlag(c)
	return c
}

// calibrationBins is how many bins the calibration error has, as in Guo et al. 2017.
const calibrationBins = 15

// calibrationRow is a bin of a network's confidence.
type calibrationRow struct {
	Lo         float64 `json:"lo"`
	Hi         float64 `json:"hi"`
	Images     int     `json:"n_images"`
	Confidence float64 `json:"confidence"` // mean, 0 where there are none
	Accuracy   float64 `json:"accuracy"`
	ECE        float64 `json:"ece"` // of the whole file
}

// calibration bins a file's images that were read and have a right answer.
func calibration(path string, samples []record.Sample) (ece float64, bins []stat.CalibrationBin, err error) {
	var confidence []float64
	var right []bool
	for i := range samples {
		s := &samples[i]
		if len(s.Labels) == 0 || s.Error != "" {
			continue
		}
		p := s.Probability()
		if math.IsNaN(p) {
			return 0, nil, fmt.Errorf("samples: %s: %s: no probability (an older file has none); run zoobench eval --per-sample again", path, s.File)
		}
		confidence, right = append(confidence, min(p, 1)), append(right, s.Rank() == 1)
	}
	if len(confidence) == 0 {
		return 0, nil, fmt.Errorf("samples: %s: no image that was read and has a right answer", path)
	}
	ece, bins = stat.Calibration(confidence, right, calibrationBins)
	return ece, bins, nil
}

func (a *app) sampleCalibration() *cobra.Command {
	var plot string
	c := &cobra.Command{
		Use:   "calibration FILE",
		Short: "Hold a network's confidence against how often it is right",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			samples, err := record.ReadSamples(args[0])
			if err != nil {
				return err
			}
			ece, bins, err := calibration(args[0], samples)
			if err != nil {
				return err
			}
			if plot != "" {
				err := record.Replace(plot, func(w io.Writer) error { return reports.WriteReliability(w, sampleName(args[0]), ece, bins) })
				if err != nil {
					return err
				}
			}
			out := newPrinter(a, []string{"confidence", "images", "mean", "right"}, func(r calibrationRow) []string {
				line := []string{fmt.Sprintf("%.3f to %.3f", r.Lo, r.Hi), strconv.Itoa(r.Images), "–", "–"}
				if r.Images > 0 {
					line[2], line[3] = fmt.Sprintf("%.3f", r.Confidence), fmt.Sprintf("%.3f", r.Accuracy)
				}
				return line
			})
			for _, b := range bins {
				row := calibrationRow{Lo: b.Lo, Hi: b.Hi, Images: b.N, ECE: ece}
				if b.N > 0 {
					row.Confidence, row.Accuracy = b.Confidence, b.Accuracy
				}
				if err := out.print(row); err != nil {
					return err
				}
			}
			if err := out.close(); err != nil || a.format != "table" {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "\nexpected calibration error: %.2f %%, of %d bins\n", 100*ece, len(bins))
			return err
		},
	}
	c.Flags().StringVar(&plot, "plot", "", "write a reliability diagram to this file, as SVG")
	a.formatFlag(c)
	return c
}

// disagreement is an image to which two networks give different best classes.
type disagreement struct {
	a, b     *record.Sample
	strength float64 // both probabilities, added up; where they are not known, both leads over the second class
}

// disagreements are the images that two files have in common and answer differently, the surest first.
func disagreements(a, b []record.Sample) (list []disagreement, common int) {
	byFile := map[string]*record.Sample{}
	for i := range b {
		byFile[b[i].File] = &b[i]
	}
	for i := range a {
		one, other := &a[i], byFile[a[i].File]
		if other == nil || len(one.Top5) == 0 || len(other.Top5) == 0 {
			continue
		}
		if common++; one.Top5[0] != other.Top5[0] {
			list = append(list, disagreement{one, other, sureness(one) + sureness(other)})
		}
	}
	slices.SortStableFunc(list, func(x, y disagreement) int { return cmp.Compare(y.strength, x.strength) })
	return list, common
}

func sureness(s *record.Sample) float64 {
	if p := s.Probability(); !math.IsNaN(p) {
		return p
	}
	if len(s.Scores) < 2 {
		return 0
	}
	return 1 - math.Exp(float64(s.Scores[1]-s.Scores[0]))
}

// galleryRow is an image of the gallery.
type galleryRow struct {
	File   string `json:"file"`
	Labels []int  `json:"labels"`
	A      int    `json:"a"` // best classes
	B      int    `json:"b"`
	AName  string `json:"a_name"`
	BName  string `json:"b_name"`
}

func (a *app) sampleGallery() *cobra.Command {
	var data, labels, page string
	var most int
	c := &cobra.Command{
		Use:   "gallery FILE FILE",
		Short: "Show the images on which two networks disagree most",
		Long:  "Lists the images to which two networks give different answers, the surest first. With --data and --out it writes them\nas a page of HTML that holds the images.",
		Args:  cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if (data == "") != (page == "") {
				return fmt.Errorf("samples: --data and --out: want both or none")
			}
			var both [2][]record.Sample
			var err error
			for i, path := range args {
				if both[i], err = record.ReadSamples(path); err != nil {
					return err
				}
			}
			className := namer(both[:]...)
			list, common := disagreements(both[0], both[1])
			if common == 0 {
				return fmt.Errorf("samples: %s and %s have no image in common", args[0], args[1])
			}
			g := reports.Gallery{A: sampleName(args[0]), B: sampleName(args[1]), Common: common, Differ: len(list)}
			list = list[:min(max(most, 0), len(list))]
			out := newPrinter(a, []string{"image", "label", g.A, g.B}, func(r galleryRow) []string {
				return []string{r.File, fmt.Sprint(r.Labels), r.AName, r.BName}
			})
			for _, d := range list {
				row := galleryRow{d.a.File, d.a.Labels, d.a.Top5[0], d.b.Top5[0], className(d.a.Top5[0]), className(d.b.Top5[0])}
				if err := out.print(row); err != nil {
					return err
				}
			}
			if err := out.close(); err != nil || page == "" {
				return err
			}
			if err := fillGallery(&g, list, className, data, labels); err != nil {
				return err
			}
			return record.Replace(page, func(w io.Writer) error { return reports.WriteGallery(w, g) })
		},
	}
	c.Flags().StringVar(&data, "data", "", "folder or archive of the images")
	c.Flags().StringVar(&labels, "labels", "", "label file of flat images")
	c.Flags().StringVar(&page, "out", "", "write a page of HTML to this file")
	c.Flags().IntVar(&most, "limit", 24, "images")
	a.formatFlag(c)
	return c
}

// fillGallery reads the images.
func fillGallery(g *reports.Gallery, list []disagreement, className func(int) string, data, labels string) error {
	o := datasets.Options{Labels: labels}
	if cache, err := runner.DefaultCache(); err == nil {
		o.Index = filepath.Join(cache.Dir, "index")
	}
	files, err := datasets.Open(data, o)
	if err != nil {
		return err
	}
	defer files.Close()
	at := map[string]int{}
	for i := range files.Len() {
		at[files.Item(i).Name] = i
	}
	for _, d := range list {
		i, ok := at[d.a.File]
		if !ok {
			return fmt.Errorf("samples: %s: not in %s", d.a.File, data)
		}
		image := reports.GalleryImage{File: d.a.File}
		for _, label := range d.a.Labels {
			image.Right = append(image.Right, className(label))
		}
		if image.Data, err = files.Read(i, nil); err != nil {
			return fmt.Errorf("samples: %s: %w", d.a.File, err)
		}
		image.Type = http.DetectContentType(image.Data)
		for _, side := range []struct {
			sample *record.Sample
			into   *reports.GalleryAnswer
		}{{d.a, &image.A}, {d.b, &image.B}} {
			*side.into = reports.GalleryAnswer{Class: className(side.sample.Top5[0]), Right: side.sample.Rank() == 1}
			if p := side.sample.Probability(); !math.IsNaN(p) {
				side.into.Probability = p
			}
		}
		g.Images = append(g.Images, image)
	}
	return nil
}

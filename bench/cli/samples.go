package cli

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/record"
	"zoobench/bench/runner"
	"zoobench/bench/samples"
	"zoobench/bench/stat"
	"zoobench/datasets"
	"zoobench/reports"
)

func (a *app) samplesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "samples",
		Short: "Examine networks' answers image by image: classes, confusions, calibration, disagreements",
		Long: "Reads per-sample files: those that zoobench eval --per-sample wrote, and those in the folder samples of a run. It measures\n" +
			"nothing again.",
		RunE: group,
	}
	c.AddCommand(a.sampleClasses(), a.sampleConfusions(), a.sampleCalibration(), a.sampleGallery())
	return c
}

func (a *app) sampleClasses() *cobra.Command {
	c := &cobra.Command{
		Use:   "classes FILE",
		Short: "Print each class's accuracy, the worst first",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := samples.ReadFile(args[0])
			if err != nil {
				return err
			}
			title := []string{"class", "name", "images", "top-1", "95 % interval", "top-5"}
			return newPrinter(a, title, func(r samples.Class) []string {
				return []string{
					strconv.Itoa(r.Class), r.Name, strconv.Itoa(r.Images), fmt.Sprintf("%.1f %%", r.Top1),
					fmt.Sprintf("%.1f to %.1f", r.Lo, r.Hi), fmt.Sprintf("%.1f %%", r.Top5),
				}
			}).printAll(samples.Classes(e))
		},
	}
	a.formatFlag(c)
	return c
}

func (a *app) sampleConfusions() *cobra.Command {
	var most int
	c := &cobra.Command{
		Use:   "confusions FILE",
		Short: "Print which classes a network takes for which others, the most frequent pairs first",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := samples.ReadFile(args[0])
			if err != nil {
				return err
			}
			rows := samples.Confusions(e)
			if most > 0 {
				rows = rows[:min(most, len(rows))]
			}
			title := []string{"label", "name", "taken for", "name", "images", "share", "example"}
			return newPrinter(a, title, func(r samples.Confusion) []string {
				return []string{
					strconv.Itoa(r.Label), r.LabelName, strconv.Itoa(r.Taken), r.TakenName, strconv.Itoa(r.Images),
					fmt.Sprintf("%.1f %%", r.Share), r.Example,
				}
			}).printAll(rows)
		},
	}
	c.Flags().IntVar(&most, "limit", 30, "limit on the number of pairs; 0 for none")
	a.formatFlag(c)
	return c
}

// calibrationRow is a bin of a network's confidence. What a perfectly calibrated network would show is a 95 % range.
type calibrationRow struct {
	Lo         float64 `json:"lo"`
	Hi         float64 `json:"hi"`
	Images     int     `json:"n_images"`
	Confidence float64 `json:"confidence"` // mean, 0 where there are none
	Accuracy   float64 `json:"accuracy"`
	ECE        float64 `json:"ece"` // of the whole file

	PerfectLo float64 `json:"accuracy_perfect_lo"`
	PerfectHi float64 `json:"accuracy_perfect_hi"`
	ECEMean   float64 `json:"ece_perfect_mean"`
	ECELo     float64 `json:"ece_perfect_lo"`
	ECEHi     float64 `json:"ece_perfect_hi"`
}

func (a *app) sampleCalibration() *cobra.Command {
	var plot string
	c := &cobra.Command{
		Use:   "calibration FILE",
		Short: "Compare a network's confidence with how often it is right",
		Long: "Sorts images by the network's confidence in its best class and prints, for each bin, how often that class is right.\n" +
			"Chance moves these shares, so the command also prints in which range 95 % of them would be, and the calibration error,\n" +
			"if the network were perfectly calibrated.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			e, err := samples.ReadFile(args[0])
			if err != nil {
				return err
			}
			result, err := samples.Calibrate(e)
			if err != nil {
				return err
			}
			if plot != "" {
				err := record.Replace(plot, func(w io.Writer) error { return reports.WriteReliability(w, e.Name, result) })
				if err != nil {
					return err
				}
			}
			return a.printCalibration(result)
		},
	}
	c.Flags().StringVar(&plot, "plot", "", "file for a reliability diagram, as SVG (default: none)")
	a.formatFlag(c)
	return c
}

// printCalibration prints a network's bins and whether chance explains its calibration error.
func (a *app) printCalibration(c stat.Calibration) error {
	var rows []calibrationRow
	for _, b := range c.Bins {
		row := calibrationRow{Lo: b.Lo, Hi: b.Hi, Images: b.N, ECE: c.ECE, ECEMean: c.Perfect.Mean, ECELo: c.Perfect.Lo, ECEHi: c.Perfect.Hi}
		if b.N > 0 {
			row.Confidence, row.Accuracy, row.PerfectLo, row.PerfectHi = b.Confidence, b.Accuracy, b.Perfect.Lo, b.Perfect.Hi
		}
		rows = append(rows, row)
	}
	title := []string{"confidence", "images", "mean", "right", "if calibrated"}
	err := newPrinter(a, title, func(r calibrationRow) []string {
		line := []string{fmt.Sprintf("%.3f to %.3f", r.Lo, r.Hi), strconv.Itoa(r.Images), "–", "–", "–"}
		if r.Images > 0 {
			line[2], line[3] = fmt.Sprintf("%.3f", r.Confidence), fmt.Sprintf("%.3f", r.Accuracy)
			line[4] = fmt.Sprintf("%.3f to %.3f", r.PerfectLo, r.PerfectHi)
		}
		return line
	}).printAll(rows)
	if err != nil || a.format != "table" {
		return err
	}
	verdict := "chance explains the error: these images show no fault of calibration"
	if c.ECE > c.Perfect.Hi {
		verdict = "chance does not explain the error"
	}
	_, err = fmt.Fprintf(a.stdout, "\nexpected calibration error: %.2f %%, of %d bins\n"+
		"a perfectly calibrated network would show %.2f to %.2f %% on as many images (95 %% range), %.2f %% on average\n%s\n",
		100*c.ECE, len(c.Bins), 100*c.Perfect.Lo, 100*c.Perfect.Hi, 100*c.Perfect.Mean, verdict)
	return err
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
		Long: "Lists the images to which two networks give different answers, the surest answers first. With --data and --out, the\n" +
			"command also writes a page of HTML that contains the images.",
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if (data == "") != (page == "") {
				return fmt.Errorf("samples: --data and --out: want both or none")
			}
			one, err := samples.ReadFile(args[0])
			if err != nil {
				return err
			}
			other, err := samples.ReadFile(args[1])
			if err != nil {
				return err
			}
			list, common, err := samples.Disagreements(one, other)
			if err != nil {
				return err
			}
			g := reports.Gallery{A: one.Name, B: other.Name, Common: common, Differ: len(list)}
			list = list[:min(max(most, 0), len(list))]
			var rows []galleryRow
			for _, d := range list {
				rows = append(rows, galleryRow{d.File, d.Labels, d.A.Class, d.B.Class, d.A.Name, d.B.Name})
			}
			err = newPrinter(a, []string{"image", "label", g.A, g.B}, func(r galleryRow) []string {
				return []string{r.File, fmt.Sprint(r.Labels), r.AName, r.BName}
			}).printAll(rows)
			if err != nil || page == "" {
				return err
			}
			if g.Images, err = galleryImages(list, data, labels); err != nil {
				return err
			}
			return record.Replace(page, func(w io.Writer) error { return reports.WriteGallery(w, g) })
		},
	}
	dataFlag(c, &data, "")
	labelsFlag(c, &labels, "")
	c.Flags().StringVar(&page, "out", "", "file for the page of HTML (default: none)")
	c.Flags().IntVar(&most, "limit", 24, "limit on the number of images")
	a.formatFlag(c)
	return c
}

// galleryImages reads the images.
func galleryImages(list []samples.Disagreement, data, labels string) ([]reports.GalleryImage, error) {
	files, err := runner.OpenImages(data, datasets.Options{Labels: labels})
	if err != nil {
		return nil, err
	}
	defer files.Close()
	at := map[string]int{}
	for i := range files.Len() {
		at[files.Item(i).Name] = i
	}
	answer := func(a samples.Answer) reports.GalleryAnswer {
		return reports.GalleryAnswer{Class: a.Name, Probability: a.Probability, Right: a.Right}
	}
	var images []reports.GalleryImage
	for _, d := range list {
		i, ok := at[d.File]
		if !ok {
			return nil, fmt.Errorf("samples: %s: no such image in %s", d.File, data)
		}
		content, err := files.Read(i, nil)
		if err != nil {
			return nil, fmt.Errorf("samples: %s: %w", d.File, err)
		}
		images = append(images, reports.GalleryImage{
			File: d.File, Data: content, Type: http.DetectContentType(content), Right: d.LabelNames, A: answer(d.A), B: answer(d.B),
		})
	}
	return images, nil
}

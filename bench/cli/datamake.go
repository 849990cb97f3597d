package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zoobench/datasets"
	"zoobench/datasets/shapes"
)

// madeRow is a part of a set that zoobench data make wrote.
type madeRow struct {
	Part   string `json:"part"`
	Images int    `json:"images"`
	Size   int    `json:"size"`
	Seed   uint64 `json:"seed"`
	Folder string `json:"folder"`
}

func (a *app) dataMake() *cobra.Command {
	set := shapes.Default()
	images := map[shapes.Part]*int{}
	var changes []string
	c := &cobra.Command{
		Use:   "make shapes DIR",
		Short: "Write computed images as PNG files, a folder for each class",
		Long: "shapes has images of 100 classes: ten shapes, each with ten textures, on cluttered grounds. The command writes them into\n" +
			"DIR/train, DIR/val and DIR/test. Every machine writes the same images. Without other flags they are those that\n" +
			"--data shapes means: look at them, or train another program on them. --nuisance changes what makes them hard, as in\n" +
			"--nuisance noise=0. The nuisances are " + strings.Join(set.Names(), ", ") + ".",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if args[0] != datasets.Shapes {
				return fmt.Errorf("data make: have %q, want %s", args[0], datasets.Shapes)
			}
			for _, change := range changes {
				name, value, _ := strings.Cut(change, "=")
				n, err := strconv.Atoi(value)
				if err != nil {
					return fmt.Errorf("--nuisance %s: want a name and a whole number, as noise=0", change)
				}
				if err := set.Put(name, n); err != nil {
					return fmt.Errorf("--nuisance: %w", err)
				}
			}
			if err := set.Check(); err != nil {
				return err
			}
			total := 0
			for part, n := range images {
				if *n < 0 || *n > mostMade {
					return fmt.Errorf("--%s %d: want 0 to %d", part, *n, mostMade)
				}
				total += *n
			}
			if err := emptyFolder(args[1]); err != nil {
				return err
			}
			step, clear := a.imageBar()
			defer clear()
			done := 0
			var rows []madeRow
			for _, part := range shapes.Parts() {
				folder := filepath.Join(args[1], string(part))
				err := writePart(c.Context(), set, part, *images[part], folder, func() {
					if done++; step != nil {
						step(done, total)
					}
				})
				if err != nil {
					return err
				}
				if *images[part] == 0 {
					continue
				}
				rows = append(rows, madeRow{string(part), *images[part], set.Size, set.Seed, folder})
			}
			clear()
			return newPrinter(a, []string{"part", "images", "size", "seed", "folder"}, func(r madeRow) []string {
				return []string{r.Part, strconv.Itoa(r.Images), strconv.Itoa(r.Size), strconv.FormatUint(r.Seed, 10), r.Folder}
			}).printAll(rows)
		},
	}
	c.Flags().IntVar(&set.Size, "size", set.Size, "size of the images in pixels")
	c.Flags().Uint64Var(&set.Seed, "seed", set.Seed, "seed of the images")
	for _, part := range shapes.Parts() {
		images[part] = c.Flags().Int(string(part), part.Images(), "number of images in the part "+string(part))
	}
	c.Flags().StringArrayVar(&changes, "nuisance", nil, "`NAME=VALUE` of a nuisance; may be given several times")
	a.formatFlag(c)
	return c
}

// mostMade bounds the images of a part.
const mostMade = 10_000_000

// emptyFolder refuses a folder that has something in it.
func emptyFolder(path string) error {
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("data make: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("data make: %s: not empty; name a new folder", path)
	}
	return nil
}

// writePart writes a part's images below a folder.
func writePart(ctx context.Context, set shapes.Set, part shapes.Part, images int, folder string, step func()) error {
	m := image.NewNRGBA(image.Rect(0, 0, set.Size, set.Size))
	var pixels []byte
	var file bytes.Buffer
	for i := range images {
		if err := ctx.Err(); err != nil {
			return err
		}
		pixels = set.Image(part, i, pixels)
		for p := range set.Size * set.Size {
			copy(m.Pix[4*p:], pixels[3*p:3*p+3])
			m.Pix[4*p+3] = 255
		}
		file.Reset()
		if err := png.Encode(&file, m); err != nil {
			return fmt.Errorf("data make: %w", err)
		}
		path := filepath.Join(folder, filepath.FromSlash(shapes.Name(i))+".png")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return fmt.Errorf("data make: %w", err)
		}
		if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
			return fmt.Errorf("data make: %w", err)
		}
		step()
	}
	return nil
}

package features

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zoobench/datasets"
	"zoobench/datasets/preprocess"
)

// An Image is what a scan finds out about a file.
type Image struct {
	SHA256      string `json:"sha256"`
	Fingerprint        // zero where the file cannot be read
	Err         string `json:"error,omitempty"` // why it cannot be read

	Notes datasets.Notes `json:"notes,omitempty"` // what is out of the ordinary about the file
}

// seen is a line of the scan's file: an image as it was when the file had this size and time.
type seen struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Time  int64  `json:"time_ns"`
	Image
}

// fingerprintRecipe makes the small image that fingerprints are taken of.
var fingerprintRecipe = preprocess.Recipe{
	Size: thumbSize, CropPct: 1, Interpolation: preprocess.Bilinear, CropMode: preprocess.Squash,
	Mean: [3]float64{0.5, 0.5, 0.5}, Std: [3]float64{0.5, 0.5, 0.5},
}

// scanBatch is how many images are scanned between two writes of what was found.
const scanBatch = 16

// Scan reads every image of a folder once: its content hash and its fingerprint. What it finds is kept in the store, by the
// file's name, size and time, so that a second scan by the same build only asks the file system; another build's decoder
// may see more. An unreadable file is an image with the reason. One that cannot be decoded is known by its size and time
// like others; one whose bytes cannot be had, as without permission, is tried again each time. Step, where it is not nil,
// hears how many images are scanned.
func (s Store) Scan(ctx context.Context, f Folder, step func(done, total int)) ([]Image, error) {
	path, err := s.scanPath(f.Root)
	if err != nil {
		return nil, err
	}
	found, stamps, missing, err := recall(f, path)
	if err != nil || len(missing) == 0 {
		return found, err
	}
	log, err := appendLines(path)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	src := newSome(f.Source, missing)
	loader, err := datasets.NewLoader(src, fingerprintRecipe, datasets.LoadOptions{Batch: scanBatch})
	if err != nil {
		return nil, err
	}
	size := 3 * thumbSize * thumbSize
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		var lines bytes.Buffer
		for j := range batch.Items {
			i := missing[batch.First+j]
			image := Image{SHA256: hex.EncodeToString(src.sums[batch.First+j][:])}
			if err := batch.Errs[j]; err != nil {
				image.Err = err.Error()
			} else {
				image.Notes = batch.Notes[j]
				image.Fingerprint = fingerprint(batch.Tensor[j*size : (j+1)*size])
			}
			found[i], stamps[i].Image = image, image
			line, err := json.Marshal(stamps[i])
			if err != nil {
				return nil, fmt.Errorf("features: %w", err)
			}
			if src.had[batch.First+j] && stamps[i].Name != "" { // a file that has gone has no stamp to know it by
				lines.Write(append(line, '\n'))
			}
		}
		if _, err := log.Write(lines.Bytes()); err != nil {
			return nil, fmt.Errorf("features: %w", err)
		}
		if step != nil {
			step(batch.First+len(batch.Items), len(missing))
		}
	}
	return found, nil
}

// recall is what earlier scans found of a folder's files as they are: the images, the files' stamps, without images, and
// which images are missing.
func recall(f Folder, path string) (found []Image, stamps []seen, missing []int, err error) {
	known, err := readScan(path)
	if err != nil {
		return nil, nil, nil, err
	}
	found, stamps = make([]Image, len(f.Files)), make([]seen, len(f.Files))
	for i, name := range f.Files {
		info, err := os.Stat(filepath.Join(f.Root, filepath.FromSlash(name)))
		if err == nil {
			stamps[i] = seen{Name: name, Bytes: info.Size(), Time: info.ModTime().UnixNano()}
		}
		if old, ok := known[name]; ok && err == nil && old.Bytes == stamps[i].Bytes && old.Time == stamps[i].Time {
			found[i] = old.Image
			continue
		}
		missing = append(missing, i)
	}
	return found, stamps, missing, nil
}

// scanPath is the file of what the build finds in a folder.
func (s Store) scanPath(root string) (string, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("features: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "form %d, build %q, folder %q", form, s.Build, abs))
	return filepath.Join(s.Dir, "scan-"+hex.EncodeToString(sum[:8])+".jsonl"), nil
}

// readScan reads what earlier scans found; a line that was cut off is one image to be read again.
func readScan(path string) (map[string]seen, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	defer f.Close()
	known := map[string]seen{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s seen
		if json.Unmarshal(lines.Bytes(), &s) == nil && s.SHA256 != "" {
			known[s.Name] = s
		}
	}
	return known, nil // a line beyond all bounds ends the list; the rest is read again
}

// appendLines opens a file of lines to append to it. A line that was cut off is ended first, so that it spoils no other.
func appendLines(path string) (*os.File, error) {
	f, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			if _, err := f.Write([]byte{'\n'}); err != nil {
				f.Close()
				return nil, fmt.Errorf("features: %w", err)
			}
		}
	}
	return f, nil
}

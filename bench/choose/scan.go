package choose

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

// A picture is what a scan tells of a file.
type picture struct {
	SHA256      string `json:"sha256"`
	Fingerprint        // zero where the file cannot be read
	Err         string `json:"error,omitempty"` // why it cannot be read
}

// seen is a line of the scan's file: a picture as it was when the file had this size and time.
type seen struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	Time  int64  `json:"time_ns"`
	picture
}

// fingerprintRecipe makes the small picture that fingerprints are taken of.
var fingerprintRecipe = preprocess.Recipe{
	Size: fingerprintSize, CropPct: 1, Interpolation: preprocess.Box, CropMode: preprocess.Squash,
	Mean: [3]float64{0.5, 0.5, 0.5}, Std: [3]float64{0.5, 0.5, 0.5},
}

// scanBatch is how many pictures are scanned between two writes of what was found.
const scanBatch = 16

// scan reads every picture once: its content hash and its fingerprint. What it finds is kept in dir, by the file's name,
// size and time, so that a second scan by the same build only asks the file system; another build's decoder may see more.
// An unreadable file is a picture with the reason. One that cannot be decoded is known by its size and time like others;
// one whose bytes cannot be had, as without permission, is tried again each time.
func scan(ctx context.Context, t *Task, dir, build string, step func(done, total int)) ([]picture, error) {
	path, err := scanPath(t.Root, dir, build)
	if err != nil {
		return nil, err
	}
	known, err := readScan(path)
	if err != nil {
		return nil, err
	}
	found := make([]picture, len(t.Files))
	stamps := make([]seen, len(t.Files))
	var missing []int
	for i, name := range t.Files {
		info, err := os.Stat(filepath.Join(t.Root, filepath.FromSlash(name)))
		if err == nil {
			stamps[i] = seen{Name: name, Bytes: info.Size(), Time: info.ModTime().UnixNano()}
		}
		if old, ok := known[name]; ok && err == nil && old.Bytes == stamps[i].Bytes && old.Time == stamps[i].Time {
			found[i] = old.picture
			continue
		}
		missing = append(missing, i)
	}
	if len(missing) == 0 {
		return found, nil
	}
	log, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	src := newSome(t.source, missing)
	loader, err := datasets.NewLoader(src, fingerprintRecipe, datasets.LoadOptions{Batch: scanBatch})
	if err != nil {
		return nil, err
	}
	size := 3 * fingerprintSize * fingerprintSize
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return nil, err
		}
		var lines bytes.Buffer
		for j := range batch.Items {
			i := missing[batch.First+j]
			p := picture{SHA256: hex.EncodeToString(src.sums[batch.First+j][:])}
			if err := batch.Errs[j]; err != nil {
				p.Err = err.Error()
			} else {
				p.Fingerprint = fingerprint(batch.Tensor[j*size : (j+1)*size])
			}
			found[i], stamps[i].picture = p, p
			line, err := json.Marshal(stamps[i])
			if err != nil {
				return nil, fmt.Errorf("choose: %w", err)
			}
			if src.had[batch.First+j] && stamps[i].Name != "" { // a file that has gone has no stamp to know it by
				lines.Write(append(line, '\n'))
			}
		}
		if _, err := log.Write(lines.Bytes()); err != nil {
			return nil, fmt.Errorf("choose: %w", err)
		}
		if step != nil {
			step(batch.First+len(batch.Items), len(missing))
		}
	}
	return found, nil
}

// scanPath is the file of what a build finds in a folder.
func scanPath(root, dir, build string) (string, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("choose: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "form %d, build %q, folder %q", storeForm, build, abs))
	return filepath.Join(dir, "scan-"+hex.EncodeToString(sum[:8])+".jsonl"), nil
}

// readScan reads what earlier scans found; a line that was cut off is one picture to be read again.
func readScan(path string) (map[string]seen, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("choose: %w", err)
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

// appendTo opens a file of the cache to append to it; a line or record that was cut off is ended first.
func appendTo(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("choose: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("choose: %w", err)
	}
	if info, err := f.Stat(); err == nil && info.Size() > 0 && filepath.Ext(path) == ".jsonl" {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			if _, err := f.Write([]byte{'\n'}); err != nil {
				f.Close()
				return nil, fmt.Errorf("choose: %w", err)
			}
		}
	}
	return f, nil
}

// some is a part of a source that takes every file's hash as it is read.
type some struct {
	datasets.Source
	index []int
	sums  [][sha256.Size]byte // of the part's items, once they are read
	had   []bool              // whether an item's bytes were read
}

func newSome(src datasets.Source, index []int) *some {
	return &some{Source: src, index: index, sums: make([][sha256.Size]byte, len(index)), had: make([]bool, len(index))}
}

// Len is the number of items of the part.
func (s *some) Len() int { return len(s.index) }

// Item describes item i of the part.
func (s *some) Item(i int) datasets.Item { return s.Source.Item(s.index[i]) }

// Read reads item i of the part.
func (s *some) Read(i int, buf []byte) ([]byte, error) {
	data, err := s.Source.Read(s.index[i], buf)
	if err == nil {
		s.sums[i], s.had[i] = sha256.Sum256(data), true
	}
	return data, err
}

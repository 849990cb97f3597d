package features

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"

	"zoobench/datasets"
)

// A Folder is the images of a task.
type Folder struct {
	Root   string
	Files  []string // below Root, with slashes
	Source datasets.Source
}

// A Store is a folder of the cache in which a program keeps what it finds out about images. Build identifies the program:
// another one finds out anew.
type Store struct {
	Dir   string
	Build string
}

// Extract returns the features of all readable images and, where classes is not nil, the logits of these classes, (images,
// classes): a row for each image of the folder, zero for an unreadable one. What the store has is not computed again, and
// what is computed is in the store before the next batch, so that a run that was killed goes on from there. The features
// stay in their file, which the caller closes with them. Step, where it is not nil, hears how many images are computed.
func (s Store) Extract(
	ctx context.Context, e *Extractor, f Folder, images []Image, classes []int, step func(done, total int),
) (t Table, logits []float32, err error) {
	key, err := e.Key(s.Build)
	if err != nil {
		return Table{}, nil, err
	}
	records, err := openRecords(filepath.Join(s.Dir, e.Name+"-"+key+".features"), e.Outputs())
	if err != nil {
		return Table{}, nil, err
	}
	defer func() {
		if err != nil {
			records.file.Close()
		}
	}()
	sums, missing, err := records.missing(f, images)
	if err != nil {
		return Table{}, nil, err
	}
	if len(missing) > 0 {
		if err := e.compute(ctx, f, records, sums, missing, step); err != nil {
			return Table{}, nil, err
		}
	}
	at := make([]int64, len(images))
	logits = make([]float32, len(images)*len(classes))
	values := make([]float32, e.Outputs())
	for i, image := range images {
		if at[i] = -1; image.Err != "" {
			continue
		}
		have, err := records.read(sums[i], values)
		if err != nil {
			return Table{}, nil, err
		}
		if !have {
			return Table{}, nil, fmt.Errorf("features: %s: not computed", f.Files[i])
		}
		for _, v := range values[:e.Features] {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return Table{}, nil, fmt.Errorf("features: %s: features of %s are not finite", e.Name, f.Files[i])
			}
		}
		at[i] = records.at[sums[i]] + sha256.Size
		for c, class := range classes {
			logits[i*len(classes)+c] = values[e.Features+class]
		}
	}
	return Table{width: e.Features, file: newRowFile(records.file, at, e.Features)}, logits, nil
}

// missing is the hash of each readable image, and the images that are not in the file, each content once.
func (r *recordFile) missing(f Folder, images []Image) (sums [][sha256.Size]byte, missing []int, err error) {
	sums = make([][sha256.Size]byte, len(images))
	asked := map[[sha256.Size]byte]bool{}
	for i, image := range images {
		if image.Err != "" {
			continue
		}
		if _, err := hex.Decode(sums[i][:], []byte(image.SHA256)); err != nil {
			return nil, nil, fmt.Errorf("features: %s: hash %q: %w", f.Files[i], image.SHA256, err)
		}
		if _, have := r.at[sums[i]]; !have && !asked[sums[i]] {
			asked[sums[i]] = true
			missing = append(missing, i)
		}
	}
	return sums, missing, nil
}

// compute runs the network over the images of these indices.
func (e *Extractor) compute(
	ctx context.Context, f Folder, records *recordFile, sums [][sha256.Size]byte, index []int, step func(done, total int),
) error {
	src := newSome(f.Source, index)
	o := datasets.LoadOptions{Batch: e.network.Engine.Batch(), Change: e.corruption.Change(e.seed)}
	loader, err := datasets.NewLoader(src, e.Recipe, o)
	if err != nil {
		return err
	}
	out := make([]float32, e.network.Engine.Batch()*e.Outputs())
	for batch, err := range loader.Batches(ctx) {
		if err != nil {
			return err
		}
		of := make([][sha256.Size]byte, len(batch.Items))
		for j := range batch.Items {
			i := index[batch.First+j]
			if of[j] = src.sums[batch.First+j]; batch.Errs[j] != nil || of[j] != sums[i] {
				return fmt.Errorf("features: %s: changed since it was scanned; run again", f.Files[i])
			}
		}
		e.Run(out, batch.Tensor, len(batch.Items))
		if err := records.write(of, out); err != nil {
			return err
		}
		if step != nil {
			step(batch.First+len(batch.Items), len(index))
		}
	}
	return nil
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

package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// FolderName is the folder of records in the folder of a shard's run.
const FolderName = "records"

// A Folder keeps records as files, one each, named by what they measure: a job that is done twice leaves one. A file is written
// whole under another name and renamed, so that any number of processes may write and read it.
type Folder struct{ dir string }

// OpenFolder makes the folder if there is none.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return &Folder{dir}, nil
}

// Append writes a record's file and returns once it is on disk. The record's schema is set to [Schema]; one that does not pass
// [Record.Check] is refused and nothing is written.
func (f *Folder) Append(r *Record) error {
	r.Schema = Schema
	line, err := Marshal(r)
	if err != nil {
		return err
	}
	return Replace(filepath.Join(f.dir, r.fileName()), func(w io.Writer) error {
		_, err := w.Write(line)
		return err
	})
}

// Close does nothing: every record is on disk.
func (f *Folder) Close() error { return nil }

var unfitForName = regexp.MustCompile(`[^A-Za-z0-9_.]+`)

// fileName is what tells the record from others of its run: kind, network, job, checkpoint and part. The machine's own are told
// apart by their time.
func (r *Record) fileName() string {
	parts := []string{string(r.Kind)}
	if r.JobID == "" {
		parts = append(parts, r.Time.UTC().Format("20060102T150405.000000000Z"))
	} else {
		parts = append(parts, r.Name(), r.JobID)
	}
	if r.Part != nil {
		parts = append(parts, fmt.Sprintf("%06d", r.Part.From), fmt.Sprintf("%06d", r.Part.To))
	}
	for i, p := range parts {
		parts[i] = unfitForName.ReplaceAllString(p, "_")
	}
	return strings.Join(parts, "-") + ".json"
}

// ReadFolder reads the records of a folder, in the order of their times. Files that hold no sound record are problems.
func ReadFolder(dir string) (records []Record, problems []Problem, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("record: %w", err)
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".json" || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a stale entry of a shared disk
		}
		if err != nil {
			return records, problems, fmt.Errorf("record: %w", err)
		}
		some, faults, err := Read(bytes.NewReader(text))
		if err != nil {
			return records, problems, fmt.Errorf("record: %s: %w", e.Name(), err)
		}
		for i := range faults {
			faults[i].Err = fmt.Errorf("%s: %w", e.Name(), faults[i].Err)
		}
		records, problems = append(records, some...), append(problems, faults...)
	}
	slices.SortStableFunc(records, func(a, b Record) int { return a.Time.Compare(b.Time) })
	return records, problems, nil
}

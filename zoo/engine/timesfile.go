package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"zoobench/kernels"
)

// A trialKey is what a trial's times hold for.
type trialKey struct {
	CPU     string `json:"cpu"`
	Build   string `json:"build"`
	ISA     string `json:"isa"`
	Threads int    `json:"threads"`
	Shape   string `json:"shape"`
}

// A trialLine is a line of the file: one trial.
type trialLine struct {
	trialKey
	Times times `json:"min_ns"`
}

// Bounds of the file. A line takes some 250 bytes, and a network has a dozen shapes; the oldest lines go first.
const (
	mostLines = 4000
	mostBytes = 4 << 20
)

// timesFile is a file of trials as it was when it was opened, and the trials since.
type timesFile struct {
	path  string
	known map[trialKey]times
	added []trialLine
	notes []string
}

func openTimes(path string) *timesFile {
	f := &timesFile{path: path, known: map[trialKey]times{}}
	lines, bad, err := readLines(path)
	for _, l := range lines {
		f.known[l.trialKey] = l.Times
	}
	if err != nil {
		f.note(err)
	} else if bad > 0 {
		f.note(fmt.Errorf("%s: %d lines are no trials and are left out", path, bad))
	}
	return f
}

// note keeps what went wrong: times that cannot be kept cost the next engine its trials, and no more.
func (f *timesFile) note(err error) { f.notes = append(f.notes, "algorithm trials: "+err.Error()) }

// find is an earlier trial of all these algorithms.
func (f *timesFile) find(key trialKey, algorithms []kernels.Algorithm) (times, bool) {
	ns, ok := f.known[key]
	for _, a := range algorithms {
		ok = ok && ns[a.Name] > 0
	}
	return ns, ok
}

func (f *timesFile) add(key trialKey, ns times) {
	f.added = append(f.added, trialLine{key, ns})
}

// save adds the new trials to the file, which other processes may have changed meanwhile, as a whole or not at all. Two
// that save in the same instant may lose one's trials.
func (f *timesFile) save() {
	if f.path == "" {
		return
	}
	lines, _, err := readLines(f.path)
	if err == nil {
		err = writeLines(f.path, merge(lines, f.added))
	}
	if err != nil {
		f.note(err)
	}
}

// merge appends new lines to old ones in place of those with the same key and drops the oldest where they are many.
func merge(old, added []trialLine) []trialLine {
	fresh := map[trialKey]bool{}
	for _, l := range added {
		fresh[l.trialKey] = true
	}
	var all []trialLine
	for _, l := range old {
		if !fresh[l.trialKey] {
			all = append(all, l)
		}
	}
	all = append(all, added...)
	return all[max(0, len(all)-mostLines):]
}

// readLines are the trials in a file, of which there is none yet without an error, and the number of lines that are
// none.
func readLines(path string) (lines []trialLine, bad int, err error) {
	if path == "" {
		return nil, 0, nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostBytes))
	if err != nil {
		return nil, 0, err
	}
	for line := range bytes.Lines(text) {
		var l trialLine
		if json.Unmarshal(line, &l) != nil || l.Shape == "" || len(l.Times) == 0 {
			bad++
			continue
		}
		lines = append(lines, l)
	}
	return lines, bad, nil
}

// writeLines puts a file of trials in place of path.
func writeLines(path string, lines []trialLine) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = file.Write(text.Bytes())
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

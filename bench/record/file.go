package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// maxLineBytes bounds a line: a server run's quarter of a million samples take 3 MB.
const maxLineBytes = 64 << 20

// A Log appends records to a JSON lines file, each with one write and one fsync, so that
// a kill or a power cut costs at most the record under way. One process writes a file at
// a time; any number may read it.
type Log struct {
	f *os.File
}

// FileName is the file of records in the folder of a run or of a report.
const FileName = "results.jsonl"

// WriteFile replaces the file at path by these records, a line each.
func WriteFile(path string, records []Record) error {
	return Replace(path, func(w io.Writer) error {
		for i := range records {
			line, err := Marshal(&records[i])
			if err != nil {
				return err
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	})
}

// OpenLog opens the file at path for appending, and makes it if there is none. A last
// line that a killed writer left cut is ended, so that it spoils no record after it; what
// there is of it stays for the reader to report.
func OpenLog(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("record: open: %w", err)
	}
	if err := endLine(f); err != nil {
		return nil, errors.Join(fmt.Errorf("record: %s: %w", path, err), f.Close())
	}
	// The folder's entry for a new file must outlast a power cut as well as its bytes.
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("record: %s: %w", path, err), f.Close())
	}
	return &Log{f: f}, nil
}

// endLine writes a newline where f has bytes and does not end with one.
func endLine(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err = f.Write([]byte{'\n'})
	return err
}

// Append writes r as one line and returns once it is on disk. The record's schema is set
// to [Schema]; one that does not pass [Record.Check] is refused and nothing is written.
// After a write that failed half way, on a full disk say, the file is cut back to what it
// held before.
func (l *Log) Append(r *Record) error {
	r.Schema = Schema
	line, err := Marshal(r)
	if err != nil {
		return err
	}
	info, err := l.f.Stat()
	if err != nil {
		return fmt.Errorf("record: append: %w", err)
	}
	if _, err := l.f.Write(line); err != nil {
		if info.Mode().IsRegular() {
			err = errors.Join(err, l.f.Truncate(info.Size()))
		}
		return fmt.Errorf("record: append: %w", err)
	}
	if err := l.f.Sync(); err != nil {
		return fmt.Errorf("record: append: %w", err)
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.f.Close() }

// Marshal returns r as one line of JSON with its newline, or the error of [Record.Check].
func Marshal(r *Record) ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("record: %s %s: %w", r.Kind, r.Name(), err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("record: %s %s: %w", r.Kind, r.Name(), err)
	}
	return append(line, '\n'), nil
}

// A Problem is a line without a sound record.
type Problem struct {
	Line int    // 1-based
	Cut  bool   // the last line, without its newline: its writer was killed
	Text string // the line's first bytes, quoted
	Err  error
}

// String returns the problem as one printable line.
func (p Problem) String() string {
	if p.Cut {
		return fmt.Sprintf("line %d: cut off in the middle: %s", p.Line, p.Text)
	}
	return fmt.Sprintf("line %d: %v: %s", p.Line, p.Err, p.Text)
}

// ErrSchema marks a [Problem] with a line of another schema version; errors.Is finds it.
var ErrSchema = errors.New("another schema")

// Read returns the sound records of JSON lines and the lines that are not: cut off, not
// JSON, of another schema, with missing or impossible fields. Blank lines are nothing.
// The error is r's own.
func Read(r io.Reader) ([]Record, []Problem, error) {
	var records []Record
	var problems []Problem
	br := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, long, err := readLine(br)
		if err != nil && err != io.EOF {
			return records, problems, fmt.Errorf("record: line %d: %w", n, err)
		}
		atEnd := err == io.EOF
		if text := bytes.TrimSpace(line); len(text) > 0 {
			rec, perr := parse(text)
			if long {
				perr = fmt.Errorf("longer than %d bytes", maxLineBytes)
			}
			if perr == nil {
				records = append(records, rec)
			} else {
				// Of a cut line the parser wants more at its very end.
				var syntax *json.SyntaxError
				cut := atEnd && errors.As(perr, &syntax) && syntax.Offset >= int64(len(text))
				problems = append(problems, Problem{Line: n, Cut: cut, Text: fmt.Sprintf("%.80q", text), Err: perr})
			}
		}
		if atEnd {
			return records, problems, nil
		}
	}
}

// readLine returns the next line, at most maxLineBytes of it; long says that the rest was
// skipped. The error is io.EOF with the last line that has no newline.
func readLine(br *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := br.ReadSlice('\n')
		if room := maxLineBytes - len(line); len(part) > room {
			part, long = part[:room], true
		}
		line = append(line, part...)
		if err != bufio.ErrBufferFull {
			return line, long, err
		}
	}
}

// parse decodes and checks one line.
func parse(text []byte) (Record, error) {
	var have map[string]json.RawMessage
	if err := json.Unmarshal(text, &have); err != nil {
		return Record{}, err
	}
	// Say the version before anything else: every other complaint would follow from it.
	if version := string(have["schema"]); version != strconv.Itoa(Schema) {
		return Record{}, fmt.Errorf("%w: have %q, want %d", ErrSchema, version, Schema)
	}
	var rec Record
	if err := json.Unmarshal(text, &rec); err != nil {
		return Record{}, err
	}
	return rec, errors.Join(append(missing(reflect.ValueOf(rec), have), rec.Check())...)
}

// missing returns an error for each column that v or one of its groups must have and the
// line has not: Go's zero value would pass for a measured 0.
func missing(v reflect.Value, have map[string]json.RawMessage) (errs []error) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if group := v.Field(i); !group.IsNil() {
				errs = append(errs, missing(group.Elem(), have)...)
			}
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if _, ok := have[name]; !ok && options != "omitempty" {
			errs = append(errs, fmt.Errorf("%s: not in the line", name))
		}
	}
	return errs
}

// ReadFile reads the records of the file at path as [Read] does.
func ReadFile(path string) ([]Record, []Problem, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("record: %w", err)
	}
	defer f.Close()
	records, problems, err := Read(f)
	if err != nil {
		err = fmt.Errorf("record: %s: %w", path, err)
	}
	return records, problems, err
}

// Replace writes the file at path as a whole or not at all: write fills a temporary file
// in the same folder, which takes path's place only once it is on disk. On any error the
// old file is as it was and the temporary one is gone.
func Replace(path string, write func(io.Writer) error) error {
	return ReplaceChecked(path, write, func(string) error { return nil })
}

// ReplaceChecked is Replace where check looks at the temporary file, which is on disk, before it takes path's place. An error
// of check is one of writing.
func ReplaceChecked(path string, write func(io.Writer) error, check func(temporary string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("record: replace: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("record: replace %s: %w", path, err)
			f.Close() // already closed or about to be removed
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	// A temporary file is private; results are for everyone the folder is for.
	mode := os.FileMode(0o644)
	if old, err := os.Stat(path); err == nil {
		mode = old.Mode().Perm()
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := check(f.Name()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir brings a folder's entries to disk. File systems that cannot say so for a folder
// are taken at their word.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrInvalid) {
		return err
	}
	return nil
}

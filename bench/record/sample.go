package record

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A Sample is what a network made of one image: a line of a per-sample file.
type Sample struct {
	File   string    // the image, below its set's folder
	Labels []int     // the classes that count as right; none where the image counts for nothing
	Top5   []int     // the best classes, best first
	Scores []float32 // their logits
	LogSum float64   // natural logarithm of the sum of all logits' exponentials: exp(Scores[i]-LogSum) is a probability
	Error  string    // why the image could not be read: it has no scores then and counts as wrong
}

// sampleLine is a sample's JSON. A single right class is a number, several are a list. LogSum is a later column.
type sampleLine struct {
	File   string          `json:"file"`
	Label  json.RawMessage `json:"label"`
	Top5   []int           `json:"top5"`
	Scores []float32       `json:"scores"`
	Error  string          `json:"error,omitempty"`
	LogSum *float64        `json:"log_sum,omitempty"`
}

// Rank is the place of the first right class among Top5, from 1 on; 0 where none is among them.
func (s *Sample) Rank() int {
	for i, class := range s.Top5 {
		for _, label := range s.Labels {
			if class == label {
				return i + 1
			}
		}
	}
	return 0
}

// Probability is that of the best class, NaN where the file lacks it.
func (s *Sample) Probability() float64 {
	if len(s.Scores) == 0 || math.IsNaN(s.LogSum) {
		return math.NaN()
	}
	return math.Exp(float64(s.Scores[0]) - s.LogSum)
}

// A SampleWriter writes a per-sample file: JSON lines, or CSV with the lists' elements separated by spaces where the name
// ends in .csv. The file takes its name when Close is called and not before.
type SampleWriter struct {
	path string
	file *os.File
	buf  *bufio.Writer
	csv  *csv.Writer // nil for JSON
	temp bool        // file is to be renamed
}

// NewSampleWriter begins the file at path. What is not a regular file, as a pipe, is written to as it is.
func NewSampleWriter(path string) (*SampleWriter, error) {
	w := &SampleWriter{path: path}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		w.file, err = os.OpenFile(path, os.O_WRONLY, 0)
	} else {
		w.file, err = os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
		w.temp = true
	}
	if err != nil {
		return nil, fmt.Errorf("record: samples: %w", err)
	}
	w.buf = bufio.NewWriter(w.file)
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		w.csv = csv.NewWriter(w.buf)
		w.csv.Write([]string{"file", "label", "top5", "scores", "error", "log_sum"})
	}
	return w, nil
}

// Write appends a sample.
func (w *SampleWriter) Write(s Sample) error {
	if w.csv != nil {
		sum := ""
		if s.Error == "" && !math.IsNaN(s.LogSum) {
			sum = strconv.FormatFloat(s.LogSum, 'g', -1, 64)
		}
		return w.csv.Write([]string{s.File, spaced(s.Labels), spaced(s.Top5), spaced(s.Scores), s.Error, sum})
	}
	line := sampleLine{File: s.File, Top5: s.Top5, Scores: s.Scores, Error: s.Error}
	if s.Error == "" && !math.IsNaN(s.LogSum) && !math.IsInf(s.LogSum, 0) {
		line.LogSum = &s.LogSum
	}
	var label any = s.Labels
	if len(s.Labels) == 1 {
		label = s.Labels[0]
	}
	var err error
	if line.Label, err = json.Marshal(label); err != nil {
		return err
	}
	return json.NewEncoder(w.buf).Encode(line)
}

// Close ends the file and, unless failed says that it is not whole, gives it its name.
func (w *SampleWriter) Close(failed error) error {
	if w.csv != nil {
		w.csv.Flush()
		failed = errors.Join(failed, w.csv.Error())
	}
	err := w.buf.Flush()
	if w.temp && err == nil && failed == nil {
		err = errors.Join(w.file.Chmod(0o644), w.file.Sync())
	}
	err = errors.Join(err, w.file.Close())
	if !w.temp {
		return err
	}
	if err == nil && failed == nil {
		if err = os.Rename(w.file.Name(), w.path); err == nil {
			return syncDir(filepath.Dir(w.path))
		}
	}
	return errors.Join(err, os.Remove(w.file.Name()))
}

// spaced is a slice's elements with spaces between.
func spaced[T any](values []T) string {
	return strings.Trim(fmt.Sprint(values), "[]")
}

// ReadSamples reads a per-sample file as SampleWriter writes it. A line that is none is an error with its number.
func ReadSamples(path string) ([]Sample, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("record: samples: %w", err)
	}
	defer f.Close()
	read := readSampleLines
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		read = readSampleTable
	}
	samples, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("record: %s: %w", path, err)
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("record: %s: no samples", path)
	}
	return samples, nil
}

func readSampleLines(r io.Reader) (samples []Sample, err error) {
	br := bufio.NewReader(r)
	for n := 1; ; n++ {
		text, long, err := readLine(br)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if len(strings.TrimSpace(string(text))) > 0 {
			var line sampleLine
			s := Sample{LogSum: math.NaN()}
			parsed := json.Unmarshal(text, &line)
			if parsed == nil && (long || line.File == "" || line.Label == nil) {
				parsed = errors.New("not a line of a per-sample file: file or label is missing")
			}
			if parsed == nil {
				var one int
				if json.Unmarshal(line.Label, &one) == nil && string(line.Label) != "null" {
					s.Labels = []int{one}
				} else {
					parsed = json.Unmarshal(line.Label, &s.Labels)
				}
			}
			if parsed == nil && len(line.Scores) != len(line.Top5) {
				parsed = fmt.Errorf("%d scores of %d classes", len(line.Scores), len(line.Top5))
			}
			if parsed != nil {
				return nil, fmt.Errorf("line %d: %w", n, parsed)
			}
			s.File, s.Top5, s.Scores, s.Error = line.File, line.Top5, line.Scores, line.Error
			if line.LogSum != nil {
				s.LogSum = *line.LogSum
			}
			samples = append(samples, s)
		}
		if err == io.EOF {
			return samples, nil
		}
	}
}

func readSampleTable(r io.Reader) (samples []Sample, err error) {
	table := csv.NewReader(r)
	table.FieldsPerRecord = -1
	for n := 1; ; n++ {
		row, err := table.Read()
		if err == io.EOF {
			return samples, nil
		}
		if err != nil {
			return nil, err
		}
		if n == 1 && len(row) > 0 && row[0] == "file" {
			continue
		}
		line, _ := table.FieldPos(0)
		if len(row) < 4 {
			return nil, fmt.Errorf("line %d: %d columns, want file, label, top5 and scores", line, len(row))
		}
		s := Sample{File: row[0], LogSum: math.NaN()}
		if len(row) > 4 {
			s.Error = row[4]
		}
		var errs [4]error
		s.Labels, errs[0] = numbers(row[1], strconv.Atoi)
		s.Top5, errs[1] = numbers(row[2], strconv.Atoi)
		s.Scores, errs[2] = numbers(row[3], func(text string) (float32, error) {
			v, err := strconv.ParseFloat(text, 32)
			return float32(v), err
		})
		if len(row) > 5 && row[5] != "" {
			s.LogSum, errs[3] = strconv.ParseFloat(row[5], 64)
		}
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if len(s.Scores) != len(s.Top5) {
			return nil, fmt.Errorf("line %d: %d scores of %d classes", line, len(s.Scores), len(s.Top5))
		}
		samples = append(samples, s)
	}
}

// numbers reads numbers with spaces between.
func numbers[T any](text string, parse func(string) (T, error)) (values []T, err error) {
	for field := range strings.FieldsSeq(text) {
		v, err := parse(field)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

package datasets

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"
)

// wantLabels says what a label file may look like.
const wantLabels = "want a file and a label on each line, separated by blanks, tabs, commas or semicolons, " +
	"with or without a header line; labels alone, one for each image in order of name; or a JSON list"

// A labelLine is one image's entry in a label file.
type labelLine struct {
	number int
	name   string // "" in the form without names
	labels []int
}

// A labelForm is one way to read a label file.
type labelForm struct {
	what        string // in words
	comma       rune   // what parts the fields; blank for the last blank or tab of a line
	header      bool   // the first row names the columns
	name, label int    // columns; name is -1 where there are only labels
	isJSON      bool
}

const blank = ' '

// A labelRow is a line's fields.
type labelRow struct {
	number int
	fields []string
}

// unicodeText is a file's text without its byte order mark, from UTF-16 where the mark is of that.
func unicodeText(data []byte) string {
	text := string(data)
	if rest, ok := strings.CutPrefix(text, "\ufeff"); ok {
		return rest
	}
	high := 0 // which byte of a pair is the high one
	switch {
	case strings.HasPrefix(text, "\xff\xfe"):
		high = 1
	case !strings.HasPrefix(text, "\xfe\xff"):
		return text
	}
	var units []uint16
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i+high])<<8|uint16(data[i+1-high]))
	}
	return string(utf16.Decode(units))
}

// readLabels reads a label file's text. Which form it has is decided by which one finds the most images and labels in its
// first lines; the form is returned in words.
func readLabels(file, text string, v *vocabulary, images *imageNames) (lines []labelLine, form labelForm, err error) {
	if longest := longestLine(text); longest > maxLine {
		return nil, form, fmt.Errorf("datasets: %s: line of %d bytes: not a label file", file, longest)
	}
	form, ok := findForm(text, v, images)
	if !ok {
		return nil, form, fmt.Errorf("datasets: %s: no labels; %s", file, wantLabels)
	}
	rows, err := form.rows(text)
	if err != nil {
		return nil, form, fmt.Errorf("datasets: %s: %w; %s", file, err, wantLabels)
	}
	if form.header {
		rows = rows[1:]
	}
	for _, row := range rows {
		line := labelLine{number: row.number}
		if len(row.fields) <= max(form.name, form.label) || form.name < 0 && len(row.fields) > 1 && form.comma == blank {
			return nil, form, fmt.Errorf("datasets: %s:%d: %q: want the same form as the lines before it: %s", file, row.number,
				strings.Join(row.fields, " "), form.what)
		}
		where := fmt.Sprintf("%s:%d", file, row.number)
		if form.name >= 0 {
			line.name = strings.TrimSpace(row.fields[form.name])
			where += ": " + line.name
		}
		if line.labels, err = v.labels(row.fields[form.label]); err != nil {
			return nil, form, fmt.Errorf("datasets: %s: %w (the file is read as %s; %s)", where, err, form.what, wantLabels)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil, form, fmt.Errorf("datasets: %s: no labels below the header line", file)
	}
	return lines, form, nil
}

// maxLine bounds a line of a label file, in bytes.
const maxLine = 64 << 10

func longestLine(text string) (longest int) {
	for line := range strings.Lines(text) {
		longest = max(longest, len(line))
	}
	return longest
}

// rows cuts a text into rows of fields. Empty lines and those that begin with # are left out.
func (f *labelForm) rows(text string) (rows []labelRow, err error) {
	if f.comma == blank {
		number := 0
		for line := range strings.Lines(text) {
			number++
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			fields := []string{line}
			if cut := strings.LastIndexAny(line, " \t"); cut >= 0 {
				fields = []string{strings.TrimSpace(line[:cut]), line[cut+1:]}
			}
			rows = append(rows, labelRow{number, fields})
		}
		return rows, nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.Comment, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = f.comma, '#', -1, true, f.comma != '\t'
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		number, _ := r.FieldPos(0)
		rows = append(rows, labelRow{number, fields})
	}
}

// sampleLines is how many lines decide a label file's form.
const sampleLines = 64

// findForm finds the form that makes the most of a text's first lines.
func findForm(text string, v *vocabulary, images *imageNames) (best labelForm, ok bool) {
	var head strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		if head.WriteString(line); strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			n++
		}
		if n == sampleLines {
			break
		}
	}
	most := -1.0
	for _, kind := range []struct {
		comma rune
		what  string
	}{{blank, "blanks"}, {'\t', "tabs"}, {',', "commas"}, {';', "semicolons"}} {
		form := labelForm{comma: kind.comma}
		rows, err := form.rows(head.String())
		if err != nil || len(rows) == 0 {
			continue
		}
		score := form.columns(rows, v, images)
		if score <= most {
			continue
		}
		form.what = "labels alone"
		if form.name >= 0 {
			form.what = "file and label, separated by " + kind.what
		}
		if form.header {
			form.what += fmt.Sprintf(", with a header line (columns %q and %q)", rows[0].fields[form.name], rows[0].fields[form.label])
		}
		best, most = form, score
	}
	return best, most >= 0
}

// The words that headers call columns by, as plainName spells them without blanks, the surest first.
var (
	nameHeaders  = []string{"filename", "file", "filepath", "imagepath", "imagename", "path", "image", "img", "imageid", "imgid", "id", "name"}
	labelHeaders = []string{"label", "labels", "target", "classid", "classidx", "classindex", "labelid", "labelidx", "categoryid", "class",
		"category", "classname", "predictionstring", "synset", "wnid", "wordnetid", "y"}
)

// headerColumn is the column that one of the words names, -1 for none.
func headerColumn(words, head []string) int {
	for _, word := range words {
		if i := slices.IndexFunc(head, func(s string) bool { return strings.ReplaceAll(plainName(s), " ", "") == word }); i >= 0 {
			return i
		}
	}
	return -1
}

// columns finds the columns of names and labels, and whether the first row names them. The score is how many images and
// labels a row shows, 0 to 3; it is negative where the rows are of other forms.
func (f *labelForm) columns(rows []labelRow, v *vocabulary, images *imageNames) (score float64) {
	width := len(rows[0].fields)
	if f.comma == blank && width == 1 {
		f.name, f.label = -1, 0
		return count(rows, func(r labelRow) bool { return v.looksLike(r.fields[0]) })
	}
	for _, row := range rows {
		if f.comma != blank {
			width = min(width, len(row.fields))
		}
	}
	if width < 2 {
		return -1
	}
	field := func(i int) func(labelRow) string {
		return func(r labelRow) string {
			if i < len(r.fields) {
				return strings.TrimSpace(r.fields[i])
			}
			return ""
		}
	}
	head := rows[0].fields
	nameAt, labelAt := headerColumn(nameHeaders, head), headerColumn(labelHeaders, head)
	f.header = nameAt >= 0 && nameAt < width && labelAt >= 0 && labelAt < width
	body := rows
	if f.header {
		body = rows[1:]
	} else {
		nameAt, labelAt = f.guess(rows, width, v, images)
		// Words that are neither an image nor a label, above rows that are both.
		if len(rows) > 1 && !images.has(field(nameAt)(rows[0])) && !v.looksLike(field(labelAt)(rows[0])) && v.looksLike(field(labelAt)(rows[1])) {
			f.header, body = true, rows[1:]
		}
	}
	f.name, f.label = nameAt, labelAt
	if len(body) == 0 {
		return 0.1 // a header alone is at least that
	}
	return 2*count(body, func(r labelRow) bool { return images.has(field(nameAt)(r)) }) +
		count(body, func(r labelRow) bool { return v.looksLike(field(labelAt)(r)) })
}

// guess takes the column with the most images for the names, and the first other one with the most labels.
func (f *labelForm) guess(rows []labelRow, width int, v *vocabulary, images *imageNames) (name, label int) {
	mostNames, mostLabels := -1.0, -1.0
	for c := range width {
		if n := count(rows, func(r labelRow) bool { return c < len(r.fields) && images.has(strings.TrimSpace(r.fields[c])) }); n > mostNames {
			name, mostNames = c, n
		}
	}
	// The columns after the names go first.
	for i := 1; i < width; i++ {
		c := (name + i) % width
		if n := count(rows, func(r labelRow) bool { return c < len(r.fields) && v.looksLike(r.fields[c]) }); n > mostLabels {
			label, mostLabels = c, n
		}
	}
	return name, label
}

// count is the share of rows that something is true of.
func count(rows []labelRow, is func(labelRow) bool) float64 {
	n := 0
	for _, r := range rows {
		if is(r) {
			n++
		}
	}
	return float64(n) / float64(max(len(rows), 1))
}

// imageNames finds the images that a label file names.
type imageNames struct {
	find  func(name string) (string, error) // an image by its whole name, "" for none
	loose map[string]string                 // by base name and by base name without extension, in lower case; "" for several
	root  string                            // the folder that the images lie in, with slashes, without the first one
}

func newImageNames(root string, images []string, find func(name string) (string, error)) *imageNames {
	n := &imageNames{find: find, loose: make(map[string]string, 2*len(images))}
	if full, err := filepath.Abs(root); err == nil {
		n.root = strings.Trim(filepath.ToSlash(full), "/")
	}
	for _, image := range images {
		base := strings.ToLower(path.Base(image))
		for _, name := range [...]string{base, strings.TrimSuffix(base, path.Ext(base))} {
			if other, ok := n.loose[name]; ok && other != image {
				n.loose[name] = ""
				continue
			}
			n.loose[name] = image
		}
	}
	return n
}

// lookup finds the image of a name: the name as it is or with slashes for backslashes; below the folders that lead to the
// images, for files that name them from above; without its extension, or with one in other letters. It is "" for none.
func (n *imageNames) lookup(name string) (string, error) {
	if image, err := n.find(name); image != "" || err != nil {
		return image, err
	}
	name = strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "./")
	for at := 0; at <= len(name); {
		if above := strings.Trim(name[:at], "/"); at == 0 || above != "" && strings.HasSuffix("/"+n.root, "/"+above) {
			if image, err := n.find(name[at:]); image != "" || err != nil {
				return image, err
			}
		}
		next := strings.IndexByte(name[at:], '/')
		if next < 0 {
			break
		}
		at += next + 1
	}
	image, ok := n.loose[strings.ToLower(name)]
	if ok && image == "" {
		return "", fmt.Errorf("two images are called %s", name)
	}
	return image, nil
}

// has reports whether a name is an image's, or several images'.
func (n *imageNames) has(name string) bool {
	image, err := n.lookup(name)
	return image != "" || err != nil
}

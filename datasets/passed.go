package datasets

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// A passedOver counts files that are not taken for images, by folder and extension.
type passedOver map[string]map[string]int

// passOver counts a file that is not taken for an image. Hidden ones are not counted.
func (f *Files) passOver(name string) {
	if hidden(name) {
		return
	}
	if f.passed == nil {
		f.passed = passedOver{}
	}
	folder, _, _ := strings.Cut(name, "/")
	if f.passed[folder] == nil {
		f.passed[folder] = map[string]int{}
	}
	f.passed[folder][strings.ToLower(path.Ext(name))]++
}

// PassedOver says how many files were not taken for images, by extension, the most frequent first: "5 .jfif, 1 .heic"; ""
// for none. Where class is not "", they are those of that class folder.
func (f *Files) PassedOver(class string) string {
	if class == "" {
		return f.passed.text()
	}
	return passedOver{class: f.passed[class]}.text()
}

// count is how many files there are.
func (p passedOver) count() (n int) {
	for _, extensions := range p {
		for _, m := range extensions {
			n += m
		}
	}
	return n
}

func (p passedOver) text() string {
	all := map[string]int{}
	for _, extensions := range p {
		for ext, n := range extensions {
			all[ext] += n
		}
	}
	var parts []string
	for ext := range all {
		parts = append(parts, ext)
	}
	slices.SortFunc(parts, func(a, b string) int {
		if d := all[b] - all[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for i, ext := range parts {
		word := ext
		if ext == "" {
			word = "without extension"
		}
		parts[i] = fmt.Sprintf("%d %s", all[ext], word)
	}
	return strings.Join(parts, ", ")
}

// butHold ends an error about images that are missing.
func (p passedOver) butHold() string {
	if p.count() == 0 {
		return ""
	}
	text := fmt.Sprintf(", but %d files that are not taken for images: %s", p.count(), p.text())
	if forms := unreadForms(p.extensions()...); forms != "" {
		text += "; " + forms
	}
	if p.has(".parquet") {
		text += "; Parquet shards are read from a folder of their own by eval and data check, and for choose must be written out as images"
	}
	return text
}

// warning says what was passed over and why, "" where nothing was.
func (p passedOver) warning() string {
	n := p.count()
	if n == 0 {
		return ""
	}
	text := "1 file is not taken for an image"
	if n > 1 {
		text = fmt.Sprintf("%d files are not taken for images", n)
	}
	text += ", since torchvision's list of extensions lacks theirs: " + p.text()
	if p.has(".jfif", ".jpe", ".gif") {
		text += "; under the extension .jpg, JPEG and GIF are read"
	}
	if p.has(".heic", ".heif", ".avif") {
		text += "; HEIC and AVIF must be converted to JPEG or PNG"
	}
	return text
}

// extensions are those of the files that were passed over.
func (p passedOver) extensions() (all []string) {
	for _, counts := range p {
		all = slices.AppendSeq(all, maps.Keys(counts))
	}
	return all
}

// has reports whether files of one of some extensions were passed over.
func (p passedOver) has(extensions ...string) bool {
	for _, counts := range p {
		for _, ext := range extensions {
			if counts[ext] > 0 {
				return true
			}
		}
	}
	return false
}

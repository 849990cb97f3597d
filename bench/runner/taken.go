package runner

import (
	"fmt"
	"path/filepath"
	"strings"

	"zoobench/zoo/weights"
)

// A Taken is what of a checkpoint's file is read.
type Taken struct {
	Files    []string // of the checkpoint, the base names of those that are read
	Asked    string   // base name of the file or folder that was asked for
	Section  string   // path of the dictionary in the file, as "state_dict"; "" for the whole file
	Sections []string // all that the file has, the preferred one first
	Prefix   string   // cut from the front of the names, as "model."
	Names    int      // how many names it was cut from
	Outside  []string // tensors whose names do not begin with the prefix: they are left out
}

func taken(asked string, f *weights.File) Taken {
	path, _ := weights.SplitSection(asked)
	t := Taken{Asked: filepath.Base(path), Files: f.Files(), Section: f.Section(), Sections: f.Sections(), Outside: f.Outside()}
	t.Prefix, t.Names = f.Prefix()
	return t
}

// Notes say what was taken where there was a choice: of a folder's files, of a file's sections, or of a prefix to cut from its names.
func (t Taken) Notes() []string {
	var notes []string
	switch {
	case len(t.Files) > 1:
		notes = append(notes, fmt.Sprintf("%d files, %s to %s", len(t.Files), t.Files[0], t.Files[len(t.Files)-1]))
	case len(t.Files) == 1 && t.Files[0] != t.Asked:
		notes = append(notes, t.Files[0]+" in it")
	}
	switch {
	case len(t.Sections) > 1:
		notes = append(notes, fmt.Sprintf("section %s is read, not %s", whole(t.Section), t.others()))
	case t.Section != "":
		notes = append(notes, "section "+t.Section)
	}
	if t.Prefix != "" {
		notes = append(notes, fmt.Sprintf("%q cut from %d names", t.Prefix, t.Names))
	}
	switch n := len(t.Outside); {
	case n == 1:
		notes = append(notes, "1 tensor without it left out")
	case n > 1:
		notes = append(notes, fmt.Sprintf("%d tensors without it left out", n))
	}
	return notes
}

// others lists the sections that are not read, at most four of them.
func (t Taken) others() string {
	var others []string
	for _, s := range t.Sections {
		if s != t.Section {
			others = append(others, whole(s))
		}
	}
	const most = 4
	if n := len(others) - most; n > 0 {
		others = append(others[:most], fmt.Sprintf("%d more", n))
	}
	return strings.Join(others, ", ")
}

// whole is a section's path as it is shown.
func whole(path string) string {
	if path == "" {
		return "(the whole file)"
	}
	return path
}

// Part names what is read of one file, as it is written after # in the file's name: "" where the file has nothing else.
func (t Taken) Part() string {
	if len(t.Sections) < 2 && len(t.Outside) == 0 {
		return ""
	}
	return strings.Trim(t.Section+"."+strings.TrimSuffix(t.Prefix, "."), ".")
}

package datasets

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:embed classes.tsv
var classesTSV string

// A Class is one of ImageNet-1k's.
type Class struct {
	Index     int    // in the networks' outputs: the rank of the id
	WordNetID string // "n" and eight digits
	Name      string // the synset's first word; two classes are called "crane", for one
}

// ImageNet1k is the list of the 1,000 classes of ILSVRC-2012 by index, with
// WordNet's ids and names.
func ImageNet1k() []Class {
	classes, _ := readClasses()
	return classes
}

// readClasses reads classes.tsv: the classes and the other names of each.
func readClasses() (classes []Class, synonyms [][]string) {
	for line := range strings.Lines(classesTSV) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		index, err := strconv.Atoi(fields[0])
		if err != nil || len(fields) != 4 || index != len(classes) {
			panic("datasets: classes.tsv is damaged")
		}
		classes = append(classes, Class{index, fields[1], fields[2]})
		synonyms = append(synonyms, strings.Split(fields[3], ", "))
	}
	return classes, synonyms
}

// isWordNetID reports whether a name is a synset id, "n" and eight digits.
func isWordNetID(s string) bool {
	if len(s) != 9 || s[0] != 'n' {
		return false
	}
	_, err := strconv.ParseUint(s[1:], 10, 32)
	return err == nil
}

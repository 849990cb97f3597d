package experiment

import (
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// answers reads a word, or the path of a file: a text with a dot or a separator in it.
func (p *parser) answers(n *yaml.Node, to *string) {
	if !p.text(n, "answers", to) {
		return
	}
	if strings.ContainsAny(*to, `./\`) {
		p.path(n, "answers", to)
	} else if !slices.Contains(answerWords, *to) {
		p.fail(n, "answers: have %s, want %s or the path of a file", quote(*to), strings.Join(answerWords, ", "))
	}
}

// answerWords are what package datasets takes besides a file; a test of bench/cli compares the two lists.
var answerWords = []string{"all", "own", "imagenet-a", "imagenet-r", "objectnet"}

// images reads the name of a set of images, or a path as path does.
func (p *parser) images(n *yaml.Node, to *string) {
	var word string
	if p.known.Sets != nil && n.Kind == yaml.ScalarNode && p.known.Sets(n.Value) && p.text(n, "data", &word) {
		*to = word
		return
	}
	p.path(n, "data", to)
}

// path reads a path and makes a relative one absolute, from the file's folder or, for a setting, from the working directory.
func (p *parser) path(n *yaml.Node, what string, to *string) {
	if !p.text(n, what, to) || filepath.IsAbs(*to) {
		return
	}
	dir := p.dir
	if n.Line == 0 {
		dir = "" // of a setting
	}
	abs, err := filepath.Abs(filepath.Join(dir, *to))
	if err != nil {
		p.fail(n, "%s: %v", what, err)
		return
	}
	*to = abs
}

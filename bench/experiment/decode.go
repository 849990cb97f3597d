package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// An Error is one thing wrong with a file, at a position counted from 1, or with what was set on top of it.
type Error struct {
	File         string
	Line, Column int
	Text         string
	Set          string // KEY=VALUE; "" where the file is wrong
}

// Error returns the text behind file:line:column, or behind the setting.
func (e Error) Error() string {
	if e.Set != "" {
		return fmt.Sprintf("experiment: --set %s: %s", quote(e.Set), e.Text)
	}
	return fmt.Sprintf("experiment: %s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// Errors is everything wrong with a file, in order of position.
type Errors []Error

// Error returns a line an error.
func (es Errors) Error() string {
	var b strings.Builder
	for i, e := range es {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.Error())
	}
	return b.String()
}

// maxErrors is how many errors are told; a file with more is not an experiment, and the
// walk ends there.
const maxErrors = 100

// A decoder walks the YAML tree as far as the schema goes, and keeps every error.
type decoder struct {
	file     string
	settings []setting // whose nodes have line 0, and their index for a column
	errs     Errors
	steps    int // nodes visited, aliases expanded
}

// fail keeps an error at n.
func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	e := Error{File: d.file, Line: n.Line, Column: n.Column, Text: fmt.Sprintf(format, args...)}
	if n.Line == 0 {
		e.Set = d.settings[n.Column].text
	}
	if len(d.errs) < maxErrors && (e.Set == "" || !slices.Contains(d.errs, e)) { // every experiment takes a setting
		d.errs = append(d.errs, e)
	}
}

// err returns the errors kept, sorted, or nil.
func (d *decoder) err() error {
	if len(d.errs) == 0 {
		return nil
	}
	slices.SortStableFunc(d.errs, func(a, b Error) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
	return d.errs
}

// maxSteps bounds the walk: a file of maxBytes without aliases has fewer nodes that the
// schema admits, one with aliases can have any number.
const maxSteps = 200_000

// follow returns the node that n stands for, and whether the walk may go on into it.
func (d *decoder) follow(n *yaml.Node) (*yaml.Node, bool) {
	if len(d.errs) >= maxErrors {
		return n, false
	}
	if d.steps++; d.steps > maxSteps {
		if d.steps == maxSteps+1 {
			d.fail(n, "more than %d values once aliases are expanded", maxSteps)
		}
		return n, false
	}
	if n.Kind == yaml.AliasNode {
		return n.Alias, true
	}
	return n, true
}

// cycles reports every alias that lies within what it stands for.
func (d *decoder) cycles(n *yaml.Node, above map[*yaml.Node]bool) {
	if n.Kind == yaml.AliasNode {
		if above[n.Alias] {
			d.fail(n, "alias *%s is within its own anchor", n.Value)
		}
		return
	}
	above[n] = true
	for _, c := range n.Content {
		d.cycles(c, above)
	}
	delete(above, n)
}

// kind names what n is, for a reader who does not know YAML's words.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!int", "!!float":
		return "the number " + quote(n.Value)
	case "!!bool":
		return "the switch " + quote(n.Value)
	}
	return "the text " + quote(n.Value)
}

// A key is one key of a mapping: its name and what reads its value.
type key struct {
	name     string
	required bool
	read     func(*yaml.Node)
}

// mapping reads n by its keys; what names the mapping in errors. It reports whether n is a mapping
// at all.
func (d *decoder) mapping(n *yaml.Node, what string, keys []key) bool {
	at := n
	n, ok := d.follow(n)
	if !ok {
		return false
	}
	if n.Kind != yaml.MappingNode {
		d.fail(at, "%s: have %s, want keys and values", what, kind(n))
		return false
	}
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, ok := d.follow(n.Content[i])
		if !ok {
			return false
		}
		if k.Kind != yaml.ScalarNode {
			d.fail(n.Content[i], "%s: have %s for a key, want a word", what, kind(k))
			continue
		}
		known := slices.IndexFunc(keys, func(c key) bool { return c.name == k.Value })
		if known < 0 {
			names := make([]string, len(keys))
			for j, c := range keys {
				names[j] = c.name
			}
			d.fail(n.Content[i], "%s: unknown key %s, %s", what, quote(k.Value), suggest(k.Value, names))
			continue
		}
		if before := first[k.Value]; before != nil {
			d.fail(n.Content[i], "%s: key %q is given twice, first in line %d", what, k.Value, before.Line)
			continue
		}
		first[k.Value] = n.Content[i]
		keys[known].read(n.Content[i+1])
	}
	for _, c := range keys {
		if c.required && first[c.name] == nil {
			d.fail(at, "%s: no %q", what, c.name)
		}
	}
	return true
}

// list reads each element of n with read. An empty list is an error: it would be an axis
// without a value, and so no job.
func (d *decoder) list(n *yaml.Node, what string, read func(*yaml.Node)) {
	at := n
	n, ok := d.follow(n)
	if !ok {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fail(at, "%s: have %s, want a list, as [a, b]", what, kind(n))
		return
	}
	if len(n.Content) == 0 {
		d.fail(at, "%s: the list is empty", what)
	}
	for _, c := range n.Content {
		if d.steps > maxSteps || len(d.errs) >= maxErrors {
			return
		}
		read(c)
	}
}

// scalar returns n's text where n is a scalar with one of the tags, else keeps an error
// that tells what was wanted.
func (d *decoder) scalar(n *yaml.Node, what, want string, tags ...string) (string, bool) {
	at := n
	n, ok := d.follow(n)
	if !ok {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || !slices.Contains(tags, n.ShortTag()) {
		d.fail(at, "%s: have %s, want %s", what, kind(n), want)
		return "", false
	}
	return n.Value, true
}

// text reads a text that is not empty and has no control character, and reports whether it is one.
func (d *decoder) text(n *yaml.Node, what string, to *string) bool {
	s, ok := d.scalar(n, what, "a text", "!!str")
	if !ok {
		return false
	}
	if strings.TrimSpace(s) == "" {
		d.fail(n, "%s: the text is empty", what)
		return false
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		d.fail(n, "%s: %s has the control character %q", what, quote(s), s[i])
		return false
	}
	*to = s
	return true
}

// word reads one of the valid words, and reports whether it is one.
func (d *decoder) word(n *yaml.Node, what string, valid []string, to *string) bool {
	var s string
	if !d.text(n, what, &s) {
		return false
	}
	if !slices.Contains(valid, s) {
		d.fail(n, "%s: unknown word %s, %s", what, quote(s), suggest(s, valid))
		return false
	}
	*to = s
	return true
}

// whole reads an integer from lo to hi, and reports whether it is one.
func (d *decoder) whole(n *yaml.Node, what string, lo, hi int, to *int) bool {
	s, ok := d.scalar(n, what, "a whole number", "!!int")
	if !ok {
		return false
	}
	// YAML's 0x10, 0o20 and 1_000 are numbers too, yet nobody means them here.
	v, err := strconv.Atoi(s)
	if err != nil || v < lo || v > hi {
		d.fail(n, "%s: have %s, want %d to %d", what, quote(s), lo, hi)
		return false
	}
	*to = v
	return true
}

// seed reads the start of a random generator, at least 0.
func (d *decoder) seed(n *yaml.Node, what string, to *uint64) {
	s, ok := d.scalar(n, what, "a whole number", "!!int")
	if !ok {
		return
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		d.fail(n, "%s: have %s, want a whole number from 0 that fits 64 bits", what, quote(s))
		return
	}
	*to = v
}

// positive reads a number over 0 and up to hi.
func (d *decoder) positive(n *yaml.Node, what string, hi float64, to *float64) {
	s, ok := d.scalar(n, what, "a number", "!!int", "!!float")
	if !ok {
		return
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v > 0 && v <= hi) { // NaN is neither
		d.fail(n, "%s: have %s, want more than 0 and at most %g", what, quote(s), hi)
		return
	}
	*to = v
}

// boolean reads true or false.
func (d *decoder) boolean(n *yaml.Node, what string, to *bool) {
	s, ok := d.scalar(n, what, "true or false", "!!bool")
	if !ok {
		return
	}
	if s != "true" && s != "false" {
		d.fail(n, "%s: have %s, want true or false", what, quote(s))
		return
	}
	*to = s == "true"
}

// duration reads a duration with its unit.
func (d *decoder) duration(n *yaml.Node, what string, to *time.Duration) {
	s, ok := d.scalar(n, what, "a duration with its unit, as 3s", "!!str")
	if !ok {
		return
	}
	v, err := parseDuration(s)
	if err != nil {
		d.fail(n, "%s: %v", what, err)
		return
	}
	*to = v
}

// price reads a price an hour.
func (d *decoder) price(n *yaml.Node, what string, to *float64) {
	s, ok := d.scalar(n, what, "a price an hour, as 0.04/h", "!!str")
	if !ok {
		return
	}
	v, err := ParsePrice(s)
	if err != nil {
		d.fail(n, "%s: %v", what, err)
		return
	}
	*to = v
}

// size reads a size with its unit, at least lo bytes.
func (d *decoder) size(n *yaml.Node, what string, lo int64, to *int64) {
	s, ok := d.scalar(n, what, "a size with its unit, as 512MiB", "!!str")
	if !ok {
		return
	}
	v, err := ParseSize(s)
	switch {
	case err != nil:
		d.fail(n, "%s: %v", what, err)
	case v < lo:
		d.fail(n, "%s: size %s, want at least %d bytes", what, quote(s), lo)
	default:
		*to = v
	}
}

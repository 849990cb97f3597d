package experiment

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Changes are what somebody asks for on top of a file.
type Changes struct {
	// Only are the experiments to run; none for those under run.
	Only []string
	// Set are KEY=VALUE: the key of an experiment (threads), or of one of its sections (latency.min_duration), and its value
	// as the file would have it; a list may lack its brackets. Each of the experiments that run takes the value in place of
	// its own. A section's key is for the experiments that have the section.
	Set []string
}

// A setting is a KEY=VALUE.
type setting struct {
	text  string   // as it was given
	path  []string // the key's parts
	value *yaml.Node
}

// sections are the keys of an experiment that have keys of their own, lists the keys whose value is a list of words or numbers.
var (
	sections = []string{"latency", "accuracy", "train", "calibration"}
	lists    = []string{"models", "isa", "precision", "threads", "batch", "img_size", "scenario", "accuracy.corruption", "train.seeds",
		"train.images", "train.drops", "train.freeze"}
)

// readSettings reads what is to be set. An error is about the text of the setting.
func readSettings(texts []string) ([]setting, error) {
	var all []setting
	var errs Errors
	for i, text := range texts {
		s, err := readSetting(i, text)
		if err != nil {
			errs = append(errs, Error{Set: text, Text: err.Error()})
		}
		all = append(all, s)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return all, nil
}

func readSetting(index int, text string) (s setting, err error) {
	name, value, found := strings.Cut(text, "=")
	s = setting{text: text, path: strings.Split(strings.TrimSpace(name), ".")}
	if !found || name == "" {
		return s, fmt.Errorf("want KEY=VALUE, as threads=1,2")
	}
	if s.path[0] == "name" || s.path[0] == "run" || s.path[0] == "experiments" {
		return s, fmt.Errorf("%s: want a key of an experiment, as threads; --only names the experiments to run", s.path[0])
	}
	if len(s.path) > 2 || len(s.path) == 2 && !slices.Contains(sections, s.path[0]) {
		return s, fmt.Errorf("unknown key %s, %s", quote(name), suggest(s.path[0], []string{"latency.", "accuracy.", "train.", "calibration."}))
	}
	if value = strings.TrimSpace(value); slices.Contains(lists, strings.TrimSpace(name)) && value != "" && value[0] != '[' {
		value = "[" + value + "]"
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err != nil {
		return s, fmt.Errorf("not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) != 1 {
		return s, fmt.Errorf("%s: have no value", name)
	}
	s.value = doc.Content[0]
	return s, mark(s.value, index)
}

// mark puts nodes outside of every file: line 0, and the number of the setting in place of the column. Aliases, which a value
// can only have of itself, are refused.
func mark(n *yaml.Node, index int) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return fmt.Errorf("want a value without anchors and aliases")
	}
	n.Line, n.Column = 0, index
	for _, c := range n.Content {
		if err := mark(c, index); err != nil {
			return err
		}
	}
	return nil
}

// apply changes the experiments of a document that run. What it does not understand is left to the parser, which says what
// is wrong with it.
func (p *parser) apply(root *yaml.Node, only []string) {
	experiments := field(root, "experiments")
	if experiments == nil || experiments.Kind != yaml.SequenceNode {
		return
	}
	if run := field(root, "run"); len(only) == 0 && run != nil {
		for _, n := range run.Content {
			only = append(only, behind(n).Value)
		}
	}
	for i, s := range p.settings {
		used := false
		for _, e := range experiments.Content {
			e = behind(e)
			if name := field(e, "name"); e.Kind == yaml.MappingNode && name != nil && (len(only) == 0 || slices.Contains(only, name.Value)) {
				used = set(e, s, i) || used
			}
		}
		if !used && len(s.path) == 2 {
			p.fail(s.value, "no experiment that runs has the section %s", s.path[0])
		}
	}
}

// set gives an experiment a value, and reports whether the experiment takes it.
func set(e *yaml.Node, s setting, index int) bool {
	at, name := e, s.path[0]
	if len(s.path) == 2 {
		section := field(e, s.path[0])
		if section == nil && s.path[0] == "latency" && field(e, "accuracy") == nil {
			section = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Column: index} // an experiment without either measures latency
			put(e, s.path[0], section, index)
		}
		switch {
		case section == nil:
			return false
		case empty(section):
			*section = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: section.Line, Column: section.Column}
		case section.Kind != yaml.MappingNode:
			return true // the parser says that it is no section
		}
		at, name = section, s.path[1]
	}
	put(at, name, s.value, index)
	return true
}

// put sets a key of a mapping.
func put(n *yaml.Node, name string, value *yaml.Node, index int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if behind(n.Content[i]).Value == name {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Column: index}, value)
}

// field is the value of a mapping's key, nil where there is none.
func field(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if behind(n.Content[i]).Value == name {
			return behind(n.Content[i+1])
		}
	}
	return nil
}

// behind is the node that an alias stands for, or the node itself.
func behind(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

package experiment

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// models reads a list of patterns and files and returns what they select, each network once.
func (p *parser) models(n *yaml.Node) []string {
	var all []string
	seen, patterns := map[string]bool{}, map[string]bool{}
	p.list(n, "models", func(n *yaml.Node) {
		pattern, names := "", p.networks
		if at, ok := p.follow(n); ok && at.Kind == yaml.MappingNode {
			if pattern, names = p.modelFile(n), p.fileOf; pattern == "" {
				return
			}
		} else if !p.text(n, "models", &pattern) {
			return
		}
		if patterns[pattern] {
			p.fail(n, "models: %s is given twice", quote(pattern))
			return
		}
		patterns[pattern] = true
		for _, name := range names(n, "models", pattern) {
			if !seen[name] {
				seen[name] = true
				all = append(all, name)
			}
		}
	})
	return all
}

// fileOf returns the path of a network's own file, and keeps an error where it is none.
func (p *parser) fileOf(n *yaml.Node, what, path string) []string {
	if p.known.File == nil {
		p.fail(n, "%s: this program reads no networks from files", what)
		return nil
	}
	if err := p.known.File(path); err != nil {
		p.fail(n, "%s: %v", what, err)
		return nil
	}
	return []string{path}
}

// networks returns what pattern selects, and keeps an error where that is nothing.
func (p *parser) networks(n *yaml.Node, what, pattern string) []string {
	names, nearest := p.known.Networks(pattern)
	if len(names) == 0 {
		text := fmt.Sprintf("%s: unknown network %s", what, quote(pattern))
		if len(nearest) > 0 {
			text += ", nearest are " + strings.Join(nearest, ", ")
		}
		p.fail(n, "%s", text)
	}
	return names
}

package findings

// A Group is findings under one heading.
type Group struct {
	Name     string
	Findings []Finding
}

// Groups are findings as a report shows them, each once; none is empty.
type Groups struct {
	Themes   []Group // what was tested or is described, by theme
	Checks   []Group // of the zoo: one group
	Untested []Group // by what would make them testable, the nearest first
}

// Grouped puts findings under their headings. A check of the zoo that fails is shown among the checks; one that lacks its
// graph is untested.
func Grouped(found []Finding) (g Groups) {
	put := func(groups []Group, name string, some func(*Finding) bool) []Group {
		var in []Finding
		for i := range found {
			if some(&found[i]) {
				in = append(in, found[i])
			}
		}
		if len(in) == 0 {
			return groups
		}
		return append(groups, Group{name, in})
	}
	for _, theme := range Themes() {
		g.Themes = put(g.Themes, string(theme), func(f *Finding) bool {
			return f.Theme == theme && f.Tier != Checked && f.Verdict != Untestable
		})
	}
	g.Checks = put(nil, "Checks of the zoo", func(f *Finding) bool { return f.Tier == Checked && f.Verdict != Untestable })
	for _, remedy := range Remedies() {
		g.Untested = put(g.Untested, string(remedy), func(f *Finding) bool { return f.Remedy == remedy && f.Verdict == Untestable })
	}
	return g
}

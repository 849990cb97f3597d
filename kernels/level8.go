package kernels

import "zoobench/kernels/internal/i8"

// level8 is the instruction set of the operations on bytes; Use changes it with level.
var level8 = best8(level.Name)

// best8 is the best instruction set for bytes that goes with one for float32, or with one that is plainer.
func best8(base string) *i8.Level {
	all := i8.Levels()
	chosen := all[0]
	for _, name := range ISAs() {
		for _, l := range all {
			if l.Base == name {
				chosen = l
			}
		}
		if name == base {
			break
		}
	}
	return chosen
}

// ISA8 is the name of the instruction set that new operations on bytes use.
func ISA8() string { return level8.Name }

// ISAs8 are the instruction sets for bytes that this machine can run, the plainest first. Use takes their names too.
func ISAs8() []string {
	var names []string
	for _, l := range i8.Levels() {
		names = append(names, l.Name)
	}
	return names
}

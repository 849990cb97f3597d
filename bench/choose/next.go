package choose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"zoobench/bench/record"
	"zoobench/bench/runner"
)

// next is what to do with the answer: sentences, each with the commands to type; dir is the report's folder.
func (r *Result) next(dir string) (steps []step) {
	if r.Pick != nil {
		s := step{"To get the class of other images, type this. It prints the most probable classes of each:", nil}
		if r.HeadFile == "" {
			s.text = "The head of the pick is not saved. Repeat the command with --save heads: it takes seconds and writes the head into the " +
				"folder heads. Then predict prints the most probable classes of other images:"
		}
		s.commands = append(s.commands, r.predictCommand())
		steps = append(steps, s)
		if r.ONNXFile != "" {
			steps = append(steps, step{"To use the pick in another program, run " + r.ONNXFile + " with ONNX Runtime. Its metadata has the names " +
				"of the classes and the preprocessing. This writes a file that prepares images too:", []string{r.exportCommand()}})
		}
	} else if len(r.Changes) > 0 && r.uncertain() == 0 {
		steps = append(steps, step{"Loosen the limits, or make the networks quicker with more --threads. The report's table of what would " +
			"change the pick says from which limit on latency a network would be picked.", nil})
	}
	return append(steps, step{"To ask more of the same predictions (fewer classes, merged classes, two networks together), type this:",
		[]string{command("whatif", dir)}})
}

// A step is a sentence and the commands that do what it says.
type step struct {
	text     string
	commands []string
}

// plainName is the candidate's in float32.
func (cand *Candidate) plainName() string {
	return strings.TrimSuffix(cand.Name, record.Axes{Precision: cand.Precision}.Named(""))
}

// exportCommand is the command that writes the pick with its head as an ONNX file that takes bytes.
func (r *Result) exportCommand() string {
	words := append([]string{"export"}, r.pickWords()...)
	if runner.IsONNX(r.Task.Model) {
		words = append(words, "--out", r.ONNXName())
	}
	return command(append(words, "--head", r.HeadFile, "--with-preprocessing")...)
}

// predictCommand is the command that names images by the pick's head.
func (r *Result) predictCommand() string {
	head := r.HeadFile
	if head == "" {
		head = "heads/" + r.HeadName()
	}
	words := append([]string{"predict"}, r.pickWords()...)
	if c := r.candidate(r.PickName); c.Precision != "" {
		words = append(words, "--precision", c.Precision)
	}
	return command(append(words, "--head", head, "IMAGE...")...)
}

// pickWords name the pick for other commands.
func (r *Result) pickWords() []string {
	if runner.IsONNX(r.Task.Model) {
		return []string{r.Task.Model}
	}
	c := r.candidate(r.PickName)
	return []string{c.Network, "--weights", strings.TrimPrefix(c.plainName(), c.Network+".")}
}

// ONNXName is the base name of the pick's ONNX file, which is in float32, and not that of a pick that is one itself.
func (r *Result) ONNXName() string {
	pick := r.candidate(r.PickName).plainName()
	if name, is := strings.CutSuffix(pick, ".onnx"); is {
		return name + ".head.onnx"
	}
	return pick + ".onnx"
}

// HeadName is the base name of the pick's head.
func (r *Result) HeadName() string { return r.PickName + headSuffix }

// NextLines is what to do with the answer, for a terminal.
func (r *Result) NextLines(dir string) (lines []string) {
	for _, s := range r.next(dir) {
		lines = append(lines, s.text)
		for _, c := range s.commands {
			lines = append(lines, "    "+c)
		}
	}
	return lines
}

func (r *Result) nextSection(p *page, dir string) {
	p.heading("What to do next")
	for _, s := range r.next(dir) {
		p.text(s.text)
		p.code(s.commands)
	}
	if text := r.absentLine(); text != "" {
		p.text(text)
		p.code([]string{r.pullCommand()})
	}
}

// command is a command of this program as a shell takes it.
func command(words ...string) string {
	line := "zoobench"
	for _, w := range words {
		line += " " + quoted(w)
	}
	return line
}

// harmless is what no shell makes anything else of.
var harmless = regexp.MustCompile(`^[A-Za-z0-9_./=+:,@%-]+$`)

func quoted(word string) string {
	if harmless.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Limits of the checkpoints whose fetching is suggested.
const (
	mostSuggested  = 3
	largestToFetch = 100e6 // bytes
)

// absentLine says that published checkpoints are not on this machine, nothing where all are.
func (r *Result) absentLine() string {
	if len(r.Absent) == 0 {
		return ""
	}
	total := int64(0)
	for _, a := range r.Absent {
		total += a.Bytes
	}
	return fmt.Sprintf("%d published checkpoints (%.1f GB) are not on this machine and were not tested. "+
		"To add some, fetch them and repeat the command:", len(r.Absent), float64(total)/1e9)
}

// pullCommand fetches the checkpoints that are the most accurate on ImageNet of those that are not large.
func (r *Result) pullCommand() string {
	some := slices.DeleteFunc(slices.Clone(r.Absent), func(a absentCheckpoint) bool { return float64(a.Bytes) > largestToFetch })
	if len(some) == 0 {
		some = r.Absent
	}
	words := []string{"pull"}
	for _, a := range first(some, mostSuggested) {
		words = append(words, a.Name)
	}
	return command(words...)
}

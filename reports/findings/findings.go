// Package findings tests what the literature says about image classification networks, one claim after the other.
//
// The contract: a claim is a value, with its source, the records that it needs, what confirms it and what refutes
// it. Its verdict rests on the graphs and the records that [Test] is given and on nothing else; published figures
// are shown beside them and decide nothing. A comparison has a p-value: of latencies, by what differs between their
// processes (see record.LatencyRatio); of accuracies on the same images, by McNemar's exact test where there are
// per-sample files, else by Newcombe's interval for independent shares, which is wider. It counts, for a claim or
// against it, where the p-value is below 5 % after Holm's correction over all comparisons that the claim makes; where
// one of several is enough, all of them are tested and corrected. A claim is confirmed only where none of its
// comparisons is missing. What a claim says of one change is tested on networks that differ in that change alone, and
// on accuracies by one recipe, from the same data, at one input size; a claim for which the zoo has no such
// checkpoints is not testable. What is counted from graphs is true or not and is never added up with what is measured;
// identities, which no network could break, are checks of the zoo. A measurement whose verdict is not valid is no
// evidence. What is missing is named. The same input gives the same findings.
//
// Where a source says "the review", it is L. Chen, S. Li, Q. Bai, J. Yang, S. Jiang, Y. Miao, Review of Image
// Classification Algorithms Based on Convolutional Neural Networks, Remote Sensing 2021, 13(22), 4712; its conclusions
// are given in words of our own.
//
// It leaves measuring to bench/runner, the statistics to bench/stat, counting to those who have the graphs, and the
// look of a finding to reports.
package findings

import (
	"cmp"
	"fmt"
	"strings"

	"zoobench/bench/lessons"
	"zoobench/bench/record"
)

// A Verdict is what a test says about a claim. What is counted from graphs has words of its own: no measurement confirms
// it, and no interval is about it.
type Verdict string

// The verdicts.
const (
	Confirmed  Verdict = "confirmed"
	Refuted    Verdict = "refuted"
	Unresolved Verdict = "not resolved"      // the interval leaves it open, or some of several comparisons are missing
	Untestable Verdict = "not testable here" // Missing says why
	Described  Verdict = "no verdict"        // the figures are shown and nothing is claimed about them
	Holds      Verdict = "true of the graphs"
	Fails      Verdict = "not true of the graphs"
	Passed     Verdict = "check passed" // of an identity, which nothing but a mistake in the zoo can break
	Broken     Verdict = "check failed"
)

// A Tier is the kind of evidence that a claim takes.
type Tier string

// The tiers.
const (
	Checked Tier = "arithmetic of the zoo's tables"
	Counted Tier = "counted from the graphs"
	Timed   Tier = "timed, with any weights"
	Judged  Tier = "accuracy of published weights on labelled images"
	Studied Tier = "the controlled study: networks that learned under one recipe"
	Trained Tier = "training, or what cannot be measured here"
)

// verdict is what a test's verdict is called in a tier.
func (t Tier) verdict(v Verdict) Verdict {
	words := map[Tier]map[Verdict]Verdict{
		Counted: {Confirmed: Holds, Refuted: Fails},
		Checked: {Confirmed: Passed, Refuted: Broken},
	}
	return cmp.Or(words[t][v], v)
}

// A Theme is what a claim is about.
type Theme string

// The themes, in the order in which they are shown.
const (
	Depth      Theme = "Depth and width"
	Attention  Theme = "Attention"
	Scaling    Theme = "Search and scaling"
	Small      Theme = "Small networks"
	Inceptions Theme = "Inceptions"
	Recipes    Theme = "Training and data"
	Speed      Theme = "What latency follows"
	Precision  Theme = "Precision"
	History    Theme = "History and use"
)

// Themes returns every theme, in the order in which they are shown.
func Themes() []Theme {
	return []Theme{Depth, Attention, Scaling, Small, Inceptions, Recipes, Speed, Precision, History}
}

// A Remedy is what would make a claim testable.
type Remedy string

// The remedies, from the nearest to the farthest.
const (
	ByGraphs   Remedy = "networks that the zoo lacks"
	ByTiming   Remedy = "latencies of more networks or settings, which an experiment of experiments.yaml must name"
	ByAccuracy Remedy = "weights (zoobench pull) and labelled images (--data), in an experiment with accuracy"
	ByStudy    Remedy = "the controlled study, which make study runs in some hours on two cores"
	ByWeights  Remedy = "weights that are not among the zoo's checkpoints"
	ByOthers   Remedy = "another kind of study, of other tasks, other data or people"
)

// Remedies returns every remedy, from the nearest to the farthest.
func Remedies() []Remedy {
	return []Remedy{ByGraphs, ByTiming, ByAccuracy, ByStudy, ByWeights, ByOthers}
}

// A Claim is a statement that can be tested on records.
type Claim struct {
	ID        string // lower case words with dashes, unique
	Theme     Theme
	Text      string // one sentence
	Source    string // who says so, and where
	Tier      Tier
	Needs     string // which graphs or records
	Confirms  string // the condition, after "confirmed if"
	Refutes   string
	Published string // the literature's own figures with their places, if any
	Note      string // what a reader must know besides
	Remedy    Remedy // what makes it testable where it is not

	test func(*evidence) Result
}

// Reason is why a claim can have no verdict, "" for one that can have one.
func (c *Claim) Reason() string {
	_, why, _ := strings.Cut(c.Confirms, never+": ")
	return why
}

// A Result is what came of testing a claim.
type Result struct {
	Verdict Verdict
	Summary string   // one sentence with the figures that decide
	Missing []string // what is lacking for a verdict or a fuller one, each once
	Heads   []string // of the evidence's columns
	Rows    [][]string
	Plot    Plot        // of the estimates that decide; it has none where there is nothing to show
	Pairs   [][2]string // networks whose order the claim is about, the most telling first
}

// A Plot is the estimates that decide a claim.
type Plot struct {
	What      string // what is estimated, with its unit
	Log       bool   // estimates are ratios
	Marks     []float64
	Estimates []Estimate
}

// An Estimate is a figure with its 95 % interval, both ends of which are the figure where there is none. Group says what
// it says about the claim, or what kind of network it is.
type Estimate struct {
	Name        string
	Mid, Lo, Hi float64
	Group       string
}

// A Finding is a claim with its result.
type Finding struct {
	Claim
	Result
}

// Lacking is what is missing, without what the claim's remedy says anyway; records of one kind are one item.
func (f *Finding) Lacking() (all []string) {
	at := map[string]int{}
	for _, m := range f.Missing {
		kind, name, _ := strings.Cut(m, " of ")
		i, known := at[kind]
		switch {
		case m == string(f.Remedy):
		case kind != lacksTop1 && kind != lacksLatency || strings.Contains(name, " "):
			all = append(all, m)
		case known:
			all[i] += ", " + name
		default:
			at[kind] = len(all)
			all = append(all, m)
		}
	}
	return all
}

// Given is what claims may rest on besides records; either may be missing.
type Given struct {
	Networks []Network // the graphs
	// Samples returns what was made of each image of an eval record; nil, or an error, where that is not known.
	Samples func(*record.Record) ([]record.Sample, error)
	// Lessons are of the controlled study, where the records have none (see [lessons.Gather]). Of two of a network, a recipe and a
	// seed the later one counts.
	Lessons []lessons.Lesson
}

// Test tests every claim on the records of a run and on what else is given; both may be empty. Records that are not sound
// (see [record.Record.Check]) are no evidence.
func Test(records []record.Record, given Given) []Finding {
	e := newEvidence(records, given)
	var all []Finding
	for _, c := range Claims() {
		r := c.test(e)
		r.Verdict = c.Tier.verdict(r.Verdict)
		all = append(all, Finding{c, r})
	}
	return all
}

// Count returns how many findings have which verdict, one kind of evidence after the other: "8 counted (6 true of the graphs,
// 2 not true of the graphs), 1 timed (1 confirmed), 4 checks of the zoo passed". What is counted and what is measured are
// never added up.
func Count(found []Finding) string {
	count := map[Tier]map[Verdict]int{}
	all := map[Verdict]int{}
	for i := range found {
		f := &found[i]
		if count[f.Tier] == nil {
			count[f.Tier] = map[Verdict]int{}
		}
		count[f.Tier][f.Verdict]++
		all[f.Verdict]++
	}
	var parts []string
	for _, tier := range []struct {
		tier Tier
		name string
	}{{Counted, "counted"}, {Timed, "timed"}, {Judged, "on accuracy"}, {Studied, "in the study"}} {
		sum := 0
		var verdicts []string
		for _, v := range []Verdict{Holds, Fails, Confirmed, Refuted, Unresolved} {
			if n := count[tier.tier][v]; n > 0 {
				sum += n
				verdicts = append(verdicts, fmt.Sprintf("%d %s", n, v))
			}
		}
		if sum > 0 {
			parts = append(parts, fmt.Sprintf("%d %s (%s)", sum, tier.name, strings.Join(verdicts, ", ")))
		}
	}
	for _, one := range []struct {
		verdict   Verdict
		one, many string
	}{
		{Passed, "1 check of the zoo passed", "%d checks of the zoo passed"},
		{Broken, "1 check of the zoo failed", "%d checks of the zoo failed"},
		{Described, "1 described", "%d described"}, {Untestable, "1 not testable here", "%d not testable here"},
	} {
		switch n := all[one.verdict]; {
		case n == 1:
			parts = append(parts, one.one)
		case n > 1:
			parts = append(parts, fmt.Sprintf(one.many, n))
		}
	}
	return strings.Join(parts, ", ")
}

// Claims returns every claim, the checks first, then those counted, timed, judged by accuracy, on precision, those of the study, and
// those that take what zoobench does not do or has no weights for.
func Claims() []Claim {
	var all []Claim
	for _, part := range [][]Claim{
		checkedClaims(), countedClaims(), timedClaims(), accuracyClaims(), precisionClaims(), studyClaims(), otherClaims(),
	} {
		all = append(all, part...)
	}
	return all
}

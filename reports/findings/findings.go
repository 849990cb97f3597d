// Package findings tests what the literature says about image classification networks, one claim after the other.
//
// The contract: a claim is a value, with its source, the records that it needs, what confirms it and what refutes
// it. Its verdict rests on the graphs and the records that [Test] is given and on nothing else; published figures
// are shown beside them and decide nothing. A difference counts where it is significant at 5 %: of latencies, where
// the 95 % interval of their ratio excludes 1 (see record.LatencyRatio); of accuracies on the same images, by
// McNemar's exact test where there are per-sample files, else where Newcombe's interval for independent shares,
// which is wider, excludes zero. A claim of several comparisons takes each at 5 %, without a correction, and is
// confirmed only where none of them is missing. Accuracies are compared at one input size, unless a claim's text
// says that each network is at its own. A measurement whose verdict is not valid is no evidence. What is missing is
// named. The same input gives the same findings.
//
// Where a source says "the review", it is L. Chen, S. Li, Q. Bai, J. Yang, S. Jiang, Y. Miao, Review of Image
// Classification Algorithms Based on Convolutional Neural Networks, Remote Sensing 2021, 13(22), 4712; its conclusions
// are given in words of our own.
//
// It leaves measuring to bench/runner, the statistics to bench/stat, counting to those who have the graphs, and the
// look of a finding to reports.
package findings

import (
	"fmt"
	"strings"

	"zoobench/bench/record"
)

// A Verdict is what a test says about a claim.
type Verdict string

// The verdicts.
const (
	Confirmed  Verdict = "confirmed"
	Refuted    Verdict = "refuted"
	Unresolved Verdict = "not resolved"      // the interval leaves it open, or some of several comparisons are missing
	Untestable Verdict = "not testable here" // Missing says why
	Described  Verdict = "no verdict"        // the figures are shown and nothing is claimed about them
)

// A Tier is the kind of evidence that a claim takes.
type Tier string

// The tiers.
const (
	Counted Tier = "counted from the graphs"
	Timed   Tier = "timed, with any weights"
	Judged  Tier = "accuracy of published weights on labelled images"
	Trained Tier = "training under one recipe"
)

// A Claim is a statement that can be tested on records.
type Claim struct {
	ID        string // lower case words with dashes, unique
	Text      string // one sentence
	Source    string // who says so
	Tier      Tier
	Needs     string // which graphs or records
	Confirms  string // the condition, after "confirmed if"
	Refutes   string
	Published string // the literature's own figures, if any
	Note      string // what a reader must know besides

	test func(*evidence) Result
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

// Given is what claims may rest on besides records; either may be missing.
type Given struct {
	Networks []Network // the graphs
	// Samples returns what was made of each image of an eval record; nil, or an error, where that is not known.
	Samples func(*record.Record) ([]record.Sample, error)
}

// Test tests every claim on the records of a run and on what else is given; both may be empty. Records that are not sound
// (see [record.Record.Check]) are no evidence.
func Test(records []record.Record, given Given) []Finding {
	e := newEvidence(records, given)
	var all []Finding
	for _, c := range Claims() {
		all = append(all, Finding{c, c.test(e)})
	}
	return all
}

// Count returns how many findings have which verdict, as "12 confirmed, 1 refuted".
func Count(found []Finding) string {
	var parts []string
	for _, v := range []Verdict{Confirmed, Refuted, Unresolved, Described, Untestable} {
		n := 0
		for i := range found {
			if found[i].Verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(parts, ", ")
}

// Claims returns every claim, those counted first, then timed, judged by accuracy, and those that take training.
func Claims() []Claim {
	var all []Claim
	for _, part := range [][]Claim{countedClaims(), timedClaims(), accuracyClaims(), trainedClaims()} {
		all = append(all, part...)
	}
	return all
}

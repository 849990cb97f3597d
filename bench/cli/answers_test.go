package cli

import (
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/datasets"
	"zoobench/zoo"
)

// TestAnswerWords reads each word that package datasets knows from an experiment, and none besides.
func TestAnswerWords(t *testing.T) {
	read := func(word string) (string, error) {
		text := "experiments:\n  - {name: a, question: why, models: [alexnet], accuracy: {answers: " + word + "}}\n"
		f, err := experiment.Parse("e.yaml", strings.NewReader(text), runner.Known(zoo.Default()))
		if err != nil {
			return "", err
		}
		return f.Experiments[0].Accuracy.Answers, nil
	}
	words := append([]string{datasets.AllAnswers, datasets.OwnAnswers}, datasets.AnswerSets()...)
	for _, word := range words {
		if got, err := read(word); got != word {
			t.Errorf("%s: have %q and %v", word, got, err)
		}
	}
	if _, err := read("imagenet-b"); err == nil || !strings.Contains(err.Error(), "want "+strings.Join(words, ", ")+" or the path") {
		t.Errorf("imagenet-b: error %v, want one that lists %q", err, words)
	}
}

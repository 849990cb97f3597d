package experiment

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestCorruptions makes a job of each corruption, with an identity of its own; the images as they are have that of a file
// without corruptions.
func TestCorruptions(t *testing.T) {
	k := known()
	k.Corruptions = func(word string) ([]string, error) {
		switch word {
		case "none":
			return []string{""}, nil
		case "fog":
			return []string{"fog:1", "fog:2"}, nil
		case "snow:2":
			return []string{word}, nil
		}
		return nil, errors.New("want fog or snow")
	}
	text := `experiments:
  - {name: a, question: why, models: [resnet18, vgg16], accuracy: {corruption: [none, fog, snow:2]}}
  - {name: b, question: why, models: [resnet18], accuracy: {corruption: [none]}}
`
	f, err := Parse("e.yaml", strings.NewReader(text), k)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := f.Jobs()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ids := map[string]bool{}
	for _, j := range jobs {
		got = append(got, j.Model+" "+j.Corruption)
		ids[j.ID] = true
		if j.Accuracy.Corruption != nil {
			t.Errorf("%s: the job has the axis %v", j.Model, j.Accuracy.Corruption)
		}
	}
	want := []string{"resnet18 ", "resnet18 fog:1", "resnet18 fog:2", "resnet18 snow:2",
		"vgg16 ", "vgg16 fog:1", "vgg16 fog:2", "vgg16 snow:2",
		"resnet18 "}
	if !slices.Equal(got, want) || len(ids) != len(want) {
		t.Errorf("got %q with %d identities, want %q", got, len(ids), want)
	}
	for _, tt := range []struct{ words, want string }{
		{"[rain]", "e.yaml:2:81: corruption: want fog or snow"},
		{"[fog, fog]", "e.yaml:2:86: corruption: fog:1 is given twice"},
		{"[none, none]", "e.yaml:2:87: corruption: none is given twice"},
		{"fog", "e.yaml:2:80: corruption: have the text"},
		{"[]", "corruption: the list is empty"},
		{"[3]", "corruption: have the number"},
		{"[{fog: 3}]", "corruption: have "},
	} {
		_, err := Parse("e.yaml", strings.NewReader(strings.Replace(text, "[none, fog, snow:2]", tt.words, 1)), k)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.words, err, tt.want)
		}
	}
	plain, err := Parse("e.yaml", strings.NewReader(strings.Replace(text, "accuracy: {corruption: [none]}", "accuracy: ", 1)), k)
	if err != nil {
		t.Fatal(err)
	}
	set, err := parseWith("e.yaml", strings.NewReader(text), k, Changes{Only: []string{"b"}, Set: []string{"accuracy.corruption=none,snow:2"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Experiments[1].Accuracy.Corruption; !slices.Equal(got, []string{"", "snow:2"}) {
		t.Errorf("set to %q", got)
	}
	if without, err := plain.Jobs("b"); err != nil || without[0].ID != jobs[len(jobs)-1].ID {
		t.Errorf("none is job %s, nothing is %v, error %v", jobs[len(jobs)-1].ID, without, err)
	}
	_, err = Parse("e.yaml", strings.NewReader(text), known())
	if err == nil || !strings.Contains(err.Error(), "this program computes none") {
		t.Errorf("without corruptions: error %v", err)
	}
}

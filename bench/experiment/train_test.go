package experiment

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// setsToo knows the set shapes beside the networks of the other tests.
func setsToo() Known {
	k := known()
	k.Sets = func(word string) bool { return word == "shapes" }
	return k
}

// trainings are a file's training jobs and their evaluations, those of one experiment with the section train.
func trainings(t *testing.T, section string) (trains, evals []Job) {
	t.Helper()
	text := "experiments:\n  - name: study\n    question: Who learns best?\n    models: [resnet18, resnet50]\n" + section
	f, err := Parse("study.yaml", strings.NewReader(text), setsToo())
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := f.Jobs()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for i, j := range jobs {
		if ids[j.ID] {
			t.Errorf("job %d has the identity of another, %s", i, j.ID)
		}
		ids[j.ID] = true
		if j.Train == nil {
			t.Fatalf("job %d trains nothing: %+v", i, j)
		}
		if j.Accuracy == nil {
			trains = append(trains, j)
			continue
		}
		if evals = append(evals, j); jobs[i-1].Train.File != j.Train.File {
			t.Errorf("job %d evaluates %s, the one before it is of %s", i, j.Train.File, jobs[i-1].Train.File)
		}
	}
	if want := f.Experiments[0].count(); want != len(jobs) {
		t.Errorf("%d jobs, counted as %d", len(jobs), want)
	}
	return trains, evals
}

// TestTrainings expands recipes, seeds and numbers of images, with one recipe that begins with the result of another.
func TestTrainings(t *testing.T) {
	trains, evals := trainings(t, `    train:
      data: shapes
      epochs: 3
      seeds: [1, 2]
      weight_decay: 0.001
      recipes:
        - {name: pre, classes: 0-49}
        - {name: fine, classes: 50-99, from: pre, images: [100, 200], seeds: [2], freeze: [layer1]}
        - {name: plain, augment: {}, optimizer: adamw, epochs: 5, dropout: false}
`)
	var tags []string
	for _, j := range trains {
		tags = append(tags, j.Model+"."+j.Train.Tag)
	}
	want := []string{"resnet18.pre-s1", "resnet18.pre-s2", "resnet18.fine-n100-s2", "resnet18.fine-n200-s2", "resnet18.plain-s1",
		"resnet18.plain-s2"}
	if len(tags) != 12 || !slices.Equal(tags[:6], want) || len(evals) != 12 {
		t.Fatalf("trainings %q and %d evaluations, want %q and those of resnet50, and 12", tags, len(evals), want)
	}
	pre, fine, plain := trains[1].Train, trains[2].Train, trains[4].Train
	if fine.Start != pre.File || pre.Start != "" || fine.Images != 100 || fine.ClassRange != [2]int{50, 100} || fine.Freeze[0] != "layer1" {
		t.Errorf("fine: %+v, want a start with %s, 100 images of the classes 50 to 99 and a frozen layer", fine, pre.File)
	}
	if r := fine.Recipe; r.Epochs != 3 || r.Optimizer.Decay != 0.001 || r.Seeds[0] != 2 || r.Batch != 128 {
		t.Errorf("fine: recipe %+v, want what the recipes share, and seed 2", r)
	}
	if r := plain.Recipe; r.Epochs != 5 || r.Optimizer.Kind != "adamw" || r.Optimizer.Decay != 0.05 || !r.NoDropout ||
		!plain.Varied || pre.Varied {
		t.Errorf("plain: %+v, want 5 epochs, AdamW's own decay and no dropout", plain)
	}
	if pre.Split != "train" || pre.HeldOut != 0 || pre.Held == nil || pre.Held.Split != "" || pre.Held.ClassRange != pre.ClassRange {
		t.Errorf("pre: %+v, held %+v: want the train part, and the set's own part for evaluation", pre, pre.Held)
	}
	if a := evals[2].Accuracy; a.Data != "shapes" || a.Split != "" || a.ClassRange != fine.ClassRange || !a.Ranks ||
		a.Checkpoints[0] != (Checkpoint{Network: "resnet18", Tag: "fine-n100-s2"}) {
		t.Errorf("evaluation of fine: %+v", a)
	}
}

// TestTrainingIdentity has files for what a result depends on, and for nothing else.
func TestTrainingIdentity(t *testing.T) {
	file := func(section string) string {
		trains, _ := trainings(t, "    train: {data: shapes, "+section+"}\n")
		return trains[0].Train.File[len("resnet18.s1-"):]
	}
	base := file("epochs: 3")
	for section, same := range map[string]bool{
		"epochs: 3, threads: 2": true, "epochs: 3, batch: 128": true,
		"epochs: 4": false, "epochs: 3, images: [50]": false, "epochs: 3, augment: {}": false, "epochs: 3, split: val": false,
		"epochs: 3, classes: 0-9": false, "epochs: 3, dropout: false": false,
	} {
		if have := file(section); (have == base) != same {
			t.Errorf("%s: file %s, that of 3 epochs is %s: want the same: %v", section, have, base, same)
		}
	}
}

// TestHeldOut decides what is evaluated where the file leaves that out.
func TestHeldOut(t *testing.T) {
	for _, c := range []struct {
		name, section string
		heldOut       float64 // of both
		split         string  // that is evaluated
	}{
		{"folder", "    train: {data: flowers}\n", 0.2, ""},
		{"share", "    train: {data: flowers, held_out: 0.5}\n", 0.5, ""},
		{"splits", "    train: {data: flowers, split: train}\n    accuracy: {split: val}\n", 0, "val"},
		{"other images", "    train: {data: flowers}\n    accuracy: {data: others}\n", 0, ""},
		{"a set's part", "    train: {data: shapes}\n    accuracy: {split: val}\n", 0, "val"},
		{"a share of a set", "    train: {data: shapes, split: train, held_out: 0.1}\n", 0.1, "train"},
	} {
		trains, evals := trainings(t, c.section)
		of, a := trains[0].Train, evals[0].Accuracy
		if of.HeldOut != c.heldOut || a.HeldOut != c.heldOut || a.Split != c.split || (of.Held == nil) != (c.heldOut > 0) ||
			c.heldOut > 0 && a.HeldOutSeed != of.Seed() {
			t.Errorf("%s: %v held out, held %+v; %v of split %q evaluated, seed %d", c.name, of.HeldOut, of.Held, a.HeldOut, a.Split, a.HeldOutSeed)
		}
	}
}

// TestTrainingErrors says what is wrong with a section train.
func TestTrainingErrors(t *testing.T) {
	for _, c := range []struct{ section, want string }{
		{"{}", `train: no "data"`},
		{"{data: shapes, epoch: 3}", `train: unknown key "epoch", nearest is "epochs"`},
		{"{data: shapes, epochs: 0}", "epochs: have \"0\", want 1 to 100000"},
		{"{data: shapes, held_out: 1}", "held_out: have \"1\", want more than 0 and at most 0.9"},
		{"{data: shapes, classes: 5}", "have the number \"5\", want a text"},
		{"{data: shapes, classes: 9-3}", "want the first and the last class of a range, as 0-49"},
		{"{data: shapes, images: [0]}", "images: have \"0\", want 1 to 10000000"},
		{"{data: shapes, momentum: 0.9, optimizer: adamw}", "momentum 0.9, which only sgd has"},
		{"{data: shapes, from: pre}", "want the name of one of its recipes, and there are none"},
		{"{data: shapes, recipes: []}", "recipes: the list is empty"},
		{"{data: shapes, recipes: [{epochs: 3}]}", `recipe: no "name"`},
		{"{data: shapes, recipes: [{name: A}]}", "want lower case letters"},
		{"{data: shapes, recipes: [{name: a}, {name: a}]}", `recipe "a" is given twice`},
		{"{data: shapes, recipes: [{name: a, from: b}, {name: b}]}", "want one that stands before it"},
		{"{data: shapes, recipes: [{name: pre}, {name: a, from: per}]}", `unknown recipe "per", nearest is "pre"`},
		{"{data: shapes, recipes: [{name: pre, images: [1, 2]}, {name: a, from: pre}]}", "learns from 2 numbers of images, want one"},
		{"{data: shapes, recipes: [{name: pre}, {name: a, from: pre, seeds: [7]}]}",
			"has the seeds [1], want those of this recipe among them, [7]"},
	} {
		text := "experiments:\n  - name: study\n    question: Who?\n    models: [resnet18]\n    train: " + c.section + "\n"
		if _, err := Parse("study.yaml", strings.NewReader(text), setsToo()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.section, err, c.want)
		}
	}
	text := "experiments:\n  - name: study\n    question: Who?\n    models: [resnet18]\n    train: {data: shapes}\n" +
		"    accuracy: {checkpoints: [{network: resnet18, tag: a}]}\n"
	_, err := Parse("study.yaml", strings.NewReader(text), setsToo())
	if err == nil || !strings.Contains(fmt.Sprint(err), "want one of them") {
		t.Errorf("checkpoints and train: error %v", err)
	}
}

package experiment

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const settable = `run: [one, two]
experiments:
  - {name: one, question: Why, models: [resnet18], threads: [1]}
  - {name: two, question: Why, models: [resnet18], latency: {min_duration: 3s}, accuracy: {limit: 10}}
  - {name: three, question: Why, models: [resnet18], scenario: [server], latency: &l {rate: 9}}
  - {name: four, question: Why, models: [resnet18], accuracy: }
`

func TestSet(t *testing.T) {
	for _, test := range []struct {
		name  string
		only  []string
		set   []string
		check func(*File) bool
	}{
		{"list", nil, []string{"threads=[2, 4]"}, func(f *File) bool {
			return len(f.Experiments[0].Threads) == 2 && f.Experiments[1].Threads[1] == 4 && len(f.Experiments[2].Threads) == 1
		}},
		{"list without brackets", nil, []string{"threads=2,4", "models=vgg16"}, func(f *File) bool {
			return f.Experiments[0].Threads[1] == 4 && f.Experiments[1].Models[0] == "vgg16" && f.Experiments[2].Models[0] == "resnet18"
		}},
		{"one experiment", []string{"two"}, []string{"batch=8"}, func(f *File) bool {
			return f.Experiments[0].Batch[0] == 1 && f.Experiments[1].Batch[0] == 8
		}},
		{"key of a section", nil, []string{"latency.min_duration=1s"}, func(f *File) bool {
			return f.Experiments[0].Latency.MinDuration == time.Second && f.Experiments[1].Latency.MinDuration == time.Second &&
				f.Experiments[2].Latency.MinDuration == 0
		}},
		{"no latency for an accuracy", []string{"four", "one"}, []string{"latency.min_duration=1s"}, func(f *File) bool {
			return f.Experiments[3].Latency == nil && f.Experiments[0].Latency.MinDuration == time.Second
		}},
		{"section that is empty", []string{"four"}, []string{"accuracy.limit=5", "accuracy.seed=2"}, func(f *File) bool {
			return f.Experiments[3].Accuracy.Limit == 5 && f.Experiments[3].Accuracy.Seed == 2
		}},
		{"path", []string{"four"}, []string{"accuracy.data=images"}, func(f *File) bool {
			want, err := filepath.Abs("images")
			return err == nil && f.Experiments[3].Accuracy.Data == want
		}},
		{"the later one counts", nil, []string{"processes=2", "processes=3"}, func(f *File) bool {
			return f.Experiments[0].Processes == 3
		}},
		{"whole section", []string{"two"}, []string{"latency={min_samples: 20}"}, func(f *File) bool {
			return f.Experiments[1].Latency.MinSamples == 20 && f.Experiments[1].Latency.MinDuration == 0
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := parseWith("dir/x.yaml", strings.NewReader(settable), known(), Changes{test.only, test.set})
			if err != nil || !test.check(f) {
				t.Errorf("%+v, error %v", f, err)
			}
		})
	}
}

func TestSetErrors(t *testing.T) {
	for _, test := range []struct {
		set, want string
	}{
		{"thraeds=2", `experiment: --set "thraeds=2": experiment: unknown key "thraeds", nearest is "threads"`},
		{"latency.min_duratoin=1s", `--set "latency.min_duratoin=1s": latency: unknown key "min_duratoin", nearest is "min_duration"`},
		{"latecny.min_duration=1s", `--set "latecny.min_duration=1s": unknown key "latecny.min_duration", nearest is "latency."`},
		{"threads=0", `--set "threads=0": threads: have "0", want 1 to 1024`},
		{"threads=many", `--set "threads=many": threads: have the text "many", want a whole number`},
		{"threads=", `--set "threads=": threads: have no value`},
		{"threads=[1", `--set "threads=[1": not YAML: `},
		{"threads", `--set "threads": want KEY=VALUE, as threads=1,2`},
		{"=2", `--set "=2": want KEY=VALUE`},
		{"name=x", `--set "name=x": name: want a key of an experiment, as threads; --only names the experiments to run`},
		{"run=one", `--set "run=one": run: want a key of an experiment`},
		{"timeout=3", `--set "timeout=3": timeout: have the number "3", want a duration with its unit, as 3s`},
		{"batch=&a 1", `--set "batch=&a 1": want a value without anchors and aliases`},
		{"batch=1,1", `--set "batch=1,1": batch: 1 is given twice`},
		{"models=resent18", `--set "models=resent18": models: unknown network "resent18"`},
		{"a.b.c=1", `--set "a.b.c=1": unknown key "a.b.c"`},
	} {
		t.Run(test.set, func(t *testing.T) {
			_, err := parseWith("x.yaml", strings.NewReader(settable), known(), Changes{Set: []string{test.set}})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "--set") != 1 {
				t.Errorf("error %v, want once %s", err, test.want)
			}
		})
	}
	_, err := parseWith("x.yaml", strings.NewReader(settable), known(), Changes{[]string{"one"}, []string{"accuracy.limit=5"}})
	if want := "no experiment that runs has the section accuracy"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// FuzzSet sets any text on a sound file: a file or an error comes of it, and no panic.
func FuzzSet(f *testing.F) {
	for _, text := range []string{
		"threads=2", "latency.seed=1", "latency={rate: 1}", "=", "accuracy=[", "batch=*x", "models=[[]]", "latency.=",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parseWith("f.yaml", strings.NewReader(settable), known(), Changes{Set: []string{text}})
		if (file == nil) == (err == nil) {
			t.Errorf("file %v, error %v", file, err)
		}
	})
}

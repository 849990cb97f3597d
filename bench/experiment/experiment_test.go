package experiment

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zoobench/bench/load"
)

// known stands for a zoo of six networks.
func known() Known {
	zoo := []struct{ name, family string }{
		{"alexnet", "alexnet"}, {"vgg16", "vgg"}, {"vgg16_bn", "vgg"}, {"resnet18", "resnet"}, {"resnet50", "resnet"},
		{"mobilenetv2_100", "mobilenetv2"},
	}
	return Known{
		ISAs: []string{"generic", "avx2", "avx512"},
		File: func(path string) error {
			if filepath.Base(path) != "own.onnx" {
				return fmt.Errorf("%s: no such file", filepath.Base(path))
			}
			return nil
		},
		Networks: func(pattern string) (names, nearest []string) {
			for _, n := range zoo {
				if glob, ok := strings.CutPrefix(pattern, "family:"); ok && glob == n.family {
					names = append(names, n.name)
				} else if ok, _ := path.Match(pattern, n.name); ok {
					names = append(names, n.name)
				}
			}
			if names == nil {
				nearest = []string{"resnet18", "resnet50"}
			}
			return names, nearest
		},
	}
}

func Example() {
	const text = `
experiments:
  - name: threads
    question: What does a second core give?
    models: [resnet18, "vgg*"]
    threads: [1, 2]
    latency: {min_duration: 2s}
`
	f, err := Parse("experiments.yaml", strings.NewReader(text), known())
	if err != nil {
		fmt.Println(err)
		return
	}
	jobs, err := f.Jobs()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, j := range jobs {
		fmt.Println(j.Model, j.Threads, j.Latency.MinDuration)
	}

	_, err = Parse("experiments.yaml", strings.NewReader(strings.Replace(text, "models", "modles", 1)), known())
	fmt.Println(err)
	// Output:
	// resnet18 1 2s
	// resnet18 2 2s
	// vgg16 1 2s
	// vgg16 2 2s
	// vgg16_bn 1 2s
	// vgg16_bn 2 2s
	// experiment: experiments.yaml:3:5: experiment: no "models"
	// experiment: experiments.yaml:5:5: experiment: unknown key "modles", nearest is "models"
}

const full = `# every key once
run: [all]
experiments:
  - name: all
    question: Does every key arrive where it should?
    models: [resnet50, family:vgg]
    isa: [generic, avx2]
    threads: [1, 2]
    batch: [1, 8]
    img_size: [224, 288]
    scenario: [single_stream, offline, server]
    latency:
      min_duration: 1s500ms
      max_duration: 20s
      min_samples: 64
      streams: 4
      rate: 2.5
      latency_bound: 50ms
      seed: 18446744073709551615
    accuracy:
      data: images
      labels: /abs/labels.txt
      answers: ./birds.txt
      limit: 1000
      seed: 7
      threads: 2
      batch: 8
      checkpoints:
        - {network: resnet18, tag: tv_in1k}
        - {network: resnet50, file: ../resnet50.safetensors}
    exact: true
    no_tune: true
    processes: 7
    timeout: 2m
    max_memory: 1.5GiB
  - name: other
    question: And the defaults?
    models: [alexnet]
`

func TestParseFull(t *testing.T) {
	f, err := Parse("/data/experiments.yaml", strings.NewReader(full), known())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Run, []string{"all"}) || len(f.Experiments) != 2 {
		t.Fatalf("run %v, %d experiments", f.Run, len(f.Experiments))
	}
	want := Experiment{
		Name: "all", Question: "Does every key arrive where it should?",
		Models: []string{"resnet50", "vgg16", "vgg16_bn"}, ISA: []string{"generic", "avx2"}, Threads: []int{1, 2}, Batch: []int{1, 8},
		ImgSize:  []int{224, 288},
		Scenario: []load.Scenario{load.SingleStream, load.Offline, load.Server},
		Latency: &Latency{
			MinDuration: 1500 * time.Millisecond, MaxDuration: 20 * time.Second, MinSamples: 64, Streams: 4,
			Rate: 2.5, LatencyBound: 50 * time.Millisecond, Seed: 1<<64 - 1,
		},
		Accuracy: &Accuracy{
			Data: "/data/images", Labels: "/abs/labels.txt", Answers: "/data/birds.txt", Limit: 1000, Seed: 7, Threads: 2, Batch: 8,
			Checkpoints: []Checkpoint{{Network: "resnet18", Tag: "tv_in1k"}, {Network: "resnet50", File: "/resnet50.safetensors"}},
		},
		Exact: true, NoTune: true, Processes: 7, Timeout: 2 * time.Minute, MaxMemory: 3 << 29,
	}
	text := func(e Experiment) string {
		return stripPointers(fmt.Sprintf("%+v %+v %+v", e, *e.Latency, *e.Accuracy))
	}
	if got, want := text(f.Experiments[0]), text(want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	other := f.Experiments[1]
	if other.Latency == nil || *other.Latency != (Latency{}) || other.Accuracy != nil {
		t.Errorf("without sections: latency %v, accuracy %v; want the first with defaults, and no second", other.Latency, other.Accuracy)
	}
	if !slices.Equal(other.Threads, []int{1}) || !slices.Equal(other.Batch, []int{1}) || !slices.Equal(other.ImgSize, []int{0}) ||
		!slices.Equal(other.ISA, []string{""}) {
		t.Errorf("default axes: %+v", other)
	}
}

// stripPointers takes addresses out of a printed struct.
func stripPointers(s string) string {
	var out []string
	for _, word := range strings.Fields(s) {
		if !strings.Contains(word, "0x") {
			out = append(out, word)
		}
	}
	return strings.Join(out, " ")
}

func TestErrors(t *testing.T) {
	const head = "experiments:\n  - name: a\n    question: q\n    models: [resnet18]\n"
	for _, tt := range []struct {
		name string
		text string
		want []string // the errors without their prefix, all of them
	}{
		{"empty file", "", []string{`1:1: the file is empty, want "experiments"`}},
		{"comment alone", "# nothing\n", []string{`1:1: the file is empty, want "experiments"`}},
		{"a list", "- a\n", []string{`1:1: file: have a list, want keys and values`}},
		{"no experiments", "run: [a]\n", []string{`1:1: file: no "experiments"`, `1:7: run: unknown experiment "a", none is known here`}},
		{"empty list", "experiments: []\n", []string{`1:14: experiments: the list is empty`}},
		{"nothing", "experiments:\n", []string{`1:13: experiments: have nothing, want a list, as [a, b]`}},
		{"not YAML", "experiments: [\n  {name: a\n", []string{`1:1: not YAML: did not find`}},
		{"tab", "experiments:\n\t- name: a\n", []string{`2:2: not YAML: found character that cannot start any token`}},
		{"unknown anchor", "experiments: *x\n", []string{`1:1: not YAML: unknown anchor 'x' referenced`}},
		{"two documents", head + "---\n" + head, []string{`5:1: a second document, want one`}},
		{"network of no file", strings.Replace(head, "[resnet18]", "[file: other.onnx, file: /x/own.onnx, file: /x/own.onnx, fiel: own.onnx]", 1),
			[]string{`4:14: models: other.onnx: no such file`, `4:51: models: "/x/own.onnx" is given twice`,
				`4:70: model: unknown key "fiel", nearest is "file"`, `4:70: model: no "file"`}},
		{"unknown key at the top", head + "experimnets: 1\n", []string{`5:1: file: unknown key "experimnets", nearest is "experiments"`}},
		{"unknown key far from all", head + "    colour: red\n",
			[]string{`5:5: experiment: unknown key "colour", want one of name, question, models,`}},
		{"key twice", head + "    models: [alexnet]\n", []string{`5:5: experiment: key "models" is given twice, first in line 4`}},
		{"key that is no word", head + "    [1, 2]: x\n", []string{`5:5: experiment: have a list for a key, want a word`}},
		{"merge key", "experiments:\n  - &a {name: a, question: q, models: [resnet18]}\n  - {<<: *a, name: b}\n", []string{
			`3:5: experiment: no "question"`, `3:5: experiment: no "models"`, `3:6: experiment: unknown key "<<"`,
		}},
		{"text for a list", "experiments:\n  - name: a\n    question: q\n    models: resnet18\n",
			[]string{`4:13: models: have the text "resnet18", want a list, as [a, b]`}},
		{"number for a text", "experiments:\n  - name: 1\n    question: q\n    models: [resnet18]\n",
			[]string{`2:11: name: have the number "1", want a text`}},
		{"text for a number", head + "    threads: [two]\n", []string{`5:15: threads: have the text "two", want a whole number`}},
		{"fraction for a whole number", head + "    threads: [1.5]\n", []string{`5:15: threads: have the number "1.5", want a whole number`}},
		{"hexadecimal", head + "    threads: [0x2]\n", []string{`5:15: threads: have "0x2", want 1 to 1024`}},
		{"out of range", head + "    batch: [0, -1, 4097, 99999999999999999]\n", []string{
			`5:13: batch: have "0", want 1 to 4096`, `5:16: batch: have "-1"`, `5:20: batch: have "4097"`, `5:26: batch: have "99999999999999999"`,
		}},
		{"value twice", head + "    batch: [1, 2, 1]\n", []string{`5:19: batch: 1 is given twice`}},
		{"yes is no switch", head + "    exact: yes\n", []string{`5:12: exact: have the text "yes", want true or false`}},
		{"a lying tag", head + "    exact: !!bool maybe\n", []string{`5:12: exact: have "maybe", want true or false`}},
		{"unknown network", "experiments:\n  - name: a\n    question: q\n    models: [resnet5, alexnet]\n",
			[]string{`4:14: models: unknown network "resnet5", nearest are resnet18, resnet50`}},
		{"pattern twice", "experiments:\n  - name: a\n    question: q\n    models: [vgg16, vgg16]\n",
			[]string{`4:21: models: "vgg16" is given twice`}},
		{"unknown word", head + "    isa: [axv2]\n", []string{`5:11: isa: unknown word "axv2", nearest is "avx2"`}},
		{"unknown scenario", head + "    scenario: [ofline]\n", []string{`5:16: scenario: unknown word "ofline", nearest is "offline"`}},
		{"server without rate", head + "    scenario: [server]\n", []string{`2:5: experiment: scenario server has no "rate" under latency`}},
		{"name twice", head + "  - name: a\n    question: q\n    models: [resnet18]\n",
			[]string{`5:11: experiment "a" is given twice, first in line 2`}},
		{"name with a slash", "experiments:\n  - name: a/b\n    question: q\n    models: [resnet18]\n",
			[]string{`2:11: name: have "a/b", want lower case letters, digits, - and _`}},
		{"blank question", "experiments:\n  - name: a\n    question: \" \"\n    models: [resnet18]\n",
			[]string{`3:15: question: the text is empty`}},
		{"escape sequence", "experiments:\n  - name: a\n    question: \"\\e[31m\"\n    models: [resnet18]\n",
			[]string{`3:15: question: "\x1b[31m" has the control character '\x1b'`}},
		{"run twice", "run: [a, a]\n" + head, []string{`1:10: run: a is given twice`}},
		{"unknown run", "run: [b]\n" + head, []string{`1:7: run: unknown experiment "b", nearest is "a"`}},
		{"duration without unit", head + "    timeout: 3\n",
			[]string{`5:14: timeout: have the number "3", want a duration with its unit, as 3s`}},
		{"bad duration", head + "    timeout: 3 seconds\n", []string{`5:14: timeout: duration "3 seconds", want a number with its unit, as 3s`}},
		{"negative duration", head + "    timeout: -3s\n", []string{`5:14: timeout: duration "-3s", want more than 0 and at most 24h`}},
		{"endless duration", head + "    timeout: 25h\n", []string{`5:14: timeout: duration "25h", want more than 0 and at most 24h`}},
		{"price without hour", head + "    price: 0.04\n",
			[]string{`5:12: price: have the number "0.04", want a price an hour, as 0.04/h`}},
		{"bad price", head + "    price: -1/h\n", []string{`5:12: price: price "-1/h", want a price an hour above 0, as 0.04/h`}},
		{"size without unit", head + "    max_memory: 512\n",
			[]string{`5:17: max_memory: have the number "512", want a size with its unit, as 512MiB`}},
		{"bad size", head + "    max_memory: 512Mb\n", []string{`5:17: max_memory: size "512Mb", want a number with its unit, as 512MiB`}},
		{"small size", head + "    max_memory: 1kB\n", []string{`5:17: max_memory: size "1kB", want at least 16777216 bytes`}},
		{"max under min", head + "    latency: {min_duration: 3s, max_duration: 2s}\n",
			[]string{`5:14: latency: max_duration 2s is less than min_duration 3s`}},
		{"rate", head + "    latency: {rate: .nan}\n", []string{`5:21: rate: have ".nan", want more than 0`}},
		{"labels without data", head + "    accuracy: {labels: x}\n", []string{`5:15: accuracy: "labels" is given without "data"`}},
		{"checkpoint of nothing", head + "    accuracy: {checkpoints: [{network: resnet18}]}\n",
			[]string{`5:30: checkpoint: no "tag" and no "file", want at least one`}},
		{"checkpoint of a family", head + "    accuracy: {checkpoints: [{network: family:vgg, tag: x}]}\n",
			[]string{`5:40: network: "family:vgg" is 2 networks, want one`}},
		{"no models", "experiments:\n  - name: a\n    question: q\n", []string{`2:5: experiment: no "models"`}},
		{"several, in order", "experiments:\n  - nmae: a\n    batch: [0]\n    timeout: x\n", []string{
			`2:5: experiment: unknown key "nmae", nearest is "name"`, `2:5: experiment: no "name"`, `2:5: experiment: no "question"`,
			`2:5: experiment: no "models"`,
			`3:13: batch: have "0"`, `4:14: timeout: duration "x"`,
		}},
		{"anchor in itself", "experiments: &x [*x]\n", []string{`1:18: alias *x is within its own anchor`}},
		{"anchor deep in itself", "experiments:\n  - &a\n    name: n\n    models:\n      - *a\n",
			[]string{`5:9: alias *a is within its own anchor`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("f.yaml", strings.NewReader(tt.text), known())
			var errs Errors
			if !errors.As(err, &errs) {
				t.Fatalf("got %v, want Errors", err)
			}
			if len(errs) != len(tt.want) {
				t.Fatalf("got %d errors, want %d:\n%v", len(errs), len(tt.want), err)
			}
			for i, e := range errs {
				if want := "experiment: f.yaml:" + tt.want[i]; !strings.HasPrefix(e.Error(), want) {
					t.Errorf("got  %s\nwant %s", e, want)
				}
			}
		})
	}
}

func TestAliases(t *testing.T) {
	f, err := Parse("f.yaml", strings.NewReader(`
experiments:
  - {name: a, question: q, models: &small [resnet18, alexnet], latency: &quick {min_duration: 1s}}
  - {name: b, question: q, models: *small, latency: *quick}
`), known())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Experiments[1].Models, []string{"resnet18", "alexnet"}) || f.Experiments[1].Latency.MinDuration != time.Second {
		t.Errorf("got %+v", f.Experiments[1])
	}
}

// TestHostileFiles wants an answer within a time that any of these would exceed a hundred
// times over were it expanded.
func TestHostileFiles(t *testing.T) {
	bomb := "experiments:\n  - &e {name: a, question: q, models: &m [" + strings.Repeat("resnet18, ", 1000) + "]}\n" +
		strings.Repeat("  - *e\n", 100_000)
	laughs := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		laughs += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9))
	}
	var wide, keys strings.Builder
	wide.WriteString("experiments:\n  - name: a\n    question: q\n    models:\n")
	for i := range 50_000 {
		fmt.Fprintf(&wide, "    - n%d\n", i)
		fmt.Fprintf(&keys, "key%d: 1\n", i)
	}
	product := "experiments:\n  - {name: a, question: q, models: [\"*\"], threads: [" + numbers(1000) + "], batch: [" + numbers(1000) +
		"], img_size: [" + numbers(1000) + "]}\n"
	for _, tt := range []struct{ name, text, want string }{
		{"10 MB", strings.Repeat("# padding\n", 1<<20), "more than 1048576 bytes"},
		{"10 MB of experiments", "experiments:\n" + strings.Repeat("  - {name: a, question: q}\n", 400_000), "more than 1048576 bytes"},
		{"alias bomb", bomb, "is given twice"},
		{"billion laughs", laughs, `unknown key "a"`},
		{"nesting", strings.Repeat("[", 100_000), "exceeded max depth"},
		{"nesting in blocks", strings.Repeat("- ", 100_000), "exceeded max depth"},
		{"unknown networks without end", wide.String(), "unknown network"},
		{"unknown keys without end", keys.String(), "unknown key"},
		{"axes without end", product, "jobs so far, want at most 100000"},
		{"values without end", "experiments:\n  - {name: a, question: q, models: [alexnet], img_size: [" + numbers(8000) + "]}\n",
			"img_size: more than 1000 values"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("f.yaml", strings.NewReader(tt.text), known())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.300v, want %q", err, tt.want)
			}
			var errs Errors
			if errors.As(err, &errs); len(errs) > maxErrors {
				t.Errorf("%d errors, want at most %d", len(errs), maxErrors)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// numbers writes 1 to n with commas.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,", i+1)
	}
	return b.String()
}

// TestAliasesExpandToALot has no error but its size.
func TestAliasesExpandToALot(t *testing.T) {
	var b strings.Builder
	b.WriteString("experiments:\n  - {name: a, question: q, models: [alexnet], batch: &b [" + numbers(500) + "]}\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  - {name: a%d, question: q, models: [alexnet], batch: *b, latency: {}}\n", i)
	}
	_, err := Parse("f.yaml", strings.NewReader(b.String()), known())
	if err == nil || !strings.Contains(err.Error(), "once aliases are expanded") {
		t.Errorf("got %.300v", err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "e.yaml")
	if err := os.WriteFile(file, []byte("experiments: [{name: a, question: q, models: [alexnet], accuracy: {data: d}}]"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Load(file, known())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Experiments[0].Accuracy.Data, filepath.Join(dir, "d"); got != want {
		t.Errorf("data %s, want %s", got, want)
	}
	if f.Experiments[0].Latency != nil {
		t.Error("accuracy alone was asked for, and latency is measured")
	}
	if _, err := Load(filepath.Join(dir, "none.yaml"), known()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestSetByName leaves a set's name as it is, in a file and in a setting, and takes every other word as a path.
func TestSetByName(t *testing.T) {
	known := known()
	known.Sets = func(word string) bool { return word == "shapes" }
	for word, want := range map[string]string{"shapes": "shapes", "./shapes": "/dir/shapes", "cats": "/dir/cats"} {
		text := "experiments: [{name: a, question: q, models: [resnet18], accuracy: {data: " + word + "}}]"
		f, err := Parse(filepath.FromSlash("/dir/e.yaml"), strings.NewReader(text), known)
		if err != nil {
			t.Fatal(err)
		}
		if have := filepath.ToSlash(f.Experiments[0].Accuracy.Data); have != want {
			t.Errorf("%s: data %q, want %q", word, have, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		text string
		want int64 // -1 for an error
	}{
		{"512MiB", 512 << 20}, {"1.5GiB", 3 << 29}, {"64kB", 64_000}, {"7B", 7}, {"2 GB", 2_000_000_000}, {"0B", 0},
		{"512", -1}, {"MiB", -1}, {"-1MiB", -1}, {"1e3MiB", -1}, {"NaNB", -1}, {"InfB", -1}, {"0x1B", -1}, {"1.2.3MB", -1},
		{"9999999999TiB", -1}, {"1Mib", -1}, {"", -1},
	} {
		got, err := ParseSize(tt.text)
		if err != nil {
			got = -1
		}
		if got != tt.want {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}

// FuzzParse wants an experiment or errors that lie within the file, never a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("experiments: &x [*x]"))
	f.Add([]byte("experiments:\n  - {name: a, question: q, models: [alexnet], latency: }\n"))
	f.Add([]byte("run: [&a b, *a]\n---\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Parse("f.yaml", strings.NewReader(string(text)), known())
		if err != nil {
			var errs Errors
			if !errors.As(err, &errs) || len(errs) == 0 {
				t.Fatalf("error of another type: %v", err)
			}
			for i, e := range errs {
				if e.Line < 1 || e.Column < 1 || strings.ContainsAny(e.Error(), "\n\x1b") {
					t.Fatalf("error %q", e)
				}
				if i > 0 && (e.Line < errs[i-1].Line) {
					t.Fatalf("out of order: %v", err)
				}
			}
			return
		}
		jobs, err := file.Jobs()
		if err != nil || len(jobs) == 0 {
			t.Fatalf("%d jobs, error %v", len(jobs), err)
		}
	})
}

// TestShippedFile reads the repository's experiments.yaml with a zoo that has every network and corruption: which ones there
// are is for the command line's test.
func TestShippedFile(t *testing.T) {
	all := known()
	all.Networks = func(pattern string) (names, nearest []string) { return []string{pattern}, nil }
	all.Corruptions = func(word string) ([]string, error) { return []string{word}, nil }
	all.Precisions = []string{"float32", "bf16", "int8"}
	f, err := Load(filepath.Join("..", "..", "experiments.yaml"), all)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Run, []string{"default", "pocket"}) {
		t.Errorf("run is %v, want the default experiment and that of the small networks", f.Run)
	}
	for _, e := range f.Experiments {
		if !strings.HasSuffix(e.Question, "?") {
			t.Errorf("%s: question %q is none", e.Name, e.Question)
		}
	}
}

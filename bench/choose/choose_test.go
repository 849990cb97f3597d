package choose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zoobench/bench/choose/features"
	"zoobench/bench/choose/heads"
	"zoobench/bench/experiment"
	"zoobench/bench/runner"
)

// TestRun chooses among small networks on images that are easy, asks again, saves the head and uses it.
func TestRun(t *testing.T) {
	data := images(t, 12)
	if err := os.WriteFile(filepath.Join(data, "red", "broken.png"), []byte("no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := options(t, data)
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Pick == nil || len(r.Rows) != 4 || r.Reason == "" || r.Head == nil {
		t.Fatalf("pick %v of %d rows: %q", r.Pick, len(r.Rows), r.Reason)
	}
	// 36 of 37 are right at best: the broken file counts as wrong.
	if got, want := r.Pick.Score.Accuracy.Value, 36.0/37; got != want {
		t.Errorf("accuracy %g, want %g", got, want)
	}
	if len(r.Unreadable) != 1 || r.Unreadable[0].File != "red/broken.png" {
		t.Errorf("unreadable: %v", r.Unreadable)
	}
	if len(r.Curves) != 2 || r.Curves[0].Name != r.PickName {
		t.Errorf("curves %v", r.Curves)
	}
	if r.Splits != 5 || len(r.Pick.BySplit) != 5 || len(r.Pick.Strengths) != 5 {
		t.Errorf("%d splits, accuracies %v, strengths %v; want five", r.Splits, r.Pick.BySplit, r.Pick.Strengths)
	}

	// The second question finds everything: the cache's files do not grow. Only a timing that was disturbed is made again.
	except := ""
	for _, c := range r.Candidates {
		if len(c.TimingWarnings) > 0 {
			except = "timings.jsonl"
		}
	}
	before := sizes(t, filepath.Join(o.Cache.Dir, "choose"), except)
	o.Limits.Params = 30000 // with the files' 7 classes, narrow has 2,887 parameters, wide 39,175
	again, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if after := sizes(t, filepath.Join(o.Cache.Dir, "choose"), except); after != before {
		t.Errorf("the cache has changed from\n%s to\n%s", before, after)
	}
	if again.PickName != "narrow.made" || again.candidate("wide.made").Exceeds == nil {
		t.Errorf("under 30,000 parameters the pick is %q; wide %+v", again.PickName, again.candidate("wide.made"))
	}
	if narrow, wide := again.candidate("narrow.made").Params, again.candidate("wide.made").Params; narrow != 2887 || wide != 39175 {
		t.Errorf("%d and %d parameters, want 2887 and 39175", narrow, wide)
	}

	dir := t.TempDir()
	paths, err := r.Write(filepath.Join(dir, "out"))
	if err != nil || len(paths) != 4 {
		t.Fatalf("%d files: %v", len(paths), err)
	}
	file := filepath.Join(dir, "head.safetensors")
	if err := r.Head.Save(file); err != nil {
		t.Fatal(err)
	}
	head, err := LoadHead(file)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := filepath.Join(o.Cache.Weights(), r.PickName+".safetensors")
	n, err := features.Open(o.List, runner.Task{Job: experiment.Job{Model: r.Pick.Name}, Weights: checkpoint})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := head.Fits(n.Backbone); err != nil {
		t.Fatal(err)
	}
	task := mustTask(t, data)
	table, _, err := features.Store{Dir: t.TempDir()}.Extract(context.Background(), n, task.Folder, mustScan(t, task), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	outputs := make([]float32, n.Outputs())
	for i, label := range task.Labels {
		copy(outputs, table.Row(i))
		if strings.HasSuffix(task.Files[i], "broken.png") {
			continue
		}
		if got := heads.Largest(head.Scores(n, outputs)); got != label {
			t.Errorf("image %d: class %d, want %d", i, got, label)
		}
	}
	head.SHA256 = strings.Repeat("0", 64)
	if err := head.Fits(n.Backbone); err == nil || !strings.Contains(err.Error(), "SHA-256 00000000") {
		t.Errorf("another checkpoint: error %v", err)
	}
}

func mustTask(t *testing.T, data string) *task {
	t.Helper()
	task, err := openTask(data, "", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func mustScan(t *testing.T, task *task) []features.Image {
	t.Helper()
	found, err := features.Store{Dir: t.TempDir()}.Scan(context.Background(), task.Folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sizes lists a folder's files, but one, with their sizes.
func sizes(t *testing.T, dir, except string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		if e.Name() == except {
			continue
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(e.Name() + " ")
		b.WriteString(time.Duration(info.Size()).String() + "\n")
	}
	return b.String()
}

// TestInterrupted ends a choice while features are computed, damages what it left as a power cut does, and goes on.
func TestInterrupted(t *testing.T) {
	data := images(t, 20)
	o := options(t, data)
	ctx, cancel := context.WithCancel(context.Background())
	computed := 0
	o.Step = func(what string, done, total int) {
		if strings.HasSuffix(what, "features") && done >= 24 {
			cancel()
		}
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	stores, err := filepath.Glob(filepath.Join(o.Cache.Dir, "choose", "*.features"))
	if err != nil || len(stores) != 1 {
		t.Fatalf("%v: %v", stores, err)
	}
	logs, err := filepath.Glob(filepath.Join(o.Cache.Dir, "choose", "scan-*.jsonl"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("%v: %v", logs, err)
	}
	for _, path := range append(stores, logs...) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, info.Size()-7); err != nil {
			t.Fatal(err)
		}
	}
	o.Step = func(what string, done, total int) {
		if what == "narrow.made: features" {
			computed = total
		}
	}
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if computed == 0 || computed > 60-23 {
		t.Errorf("%d images computed after 24 were done and one of them damaged", computed)
	}
	if got := r.Pick.Score.Accuracy.Value; got != 1 {
		t.Errorf("accuracy %g, want 1", got)
	}
}

func TestBadInput(t *testing.T) {
	make := func(counts map[string]int) string {
		root := t.TempDir()
		seed := uint64(0)
		for name, n := range counts {
			if err := os.MkdirAll(filepath.Join(root, name), 0o777); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				seed++
				writeImage(t, filepath.Join(root, name, string(rune('a'+i))+".png"), hues[0].color, seed)
			}
		}
		return root
	}
	same := make(map[string]int{"cats": 4})
	for _, name := range []string{"a", "b", "c"} {
		writeImage(t, filepath.Join(same, "dogs", name+".png"), hues[1].color, 1)
	}
	copies := t.TempDir()
	for _, name := range []string{"cats/a", "cats/b", "cats/c", "dogs/a", "dogs/b", "dogs/c"} {
		writeImage(t, filepath.Join(copies, name+".png"), hues[1].color, 1)
	}
	damaged := make(map[string]int{"cats": 4, "dogs": 1})
	for _, name := range []string{"x.png", "y.jpg"} {
		if err := os.WriteFile(filepath.Join(damaged, "dogs", name), []byte("text"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fine := make(map[string]int{"cats": 4, "dogs": 4})
	flat := t.TempDir()
	writeImage(t, filepath.Join(flat, "a.png"), hues[0].color, 1)
	validation := t.TempDir()
	writeImage(t, filepath.Join(validation, "ILSVRC2012_val_00000001.JPEG"), hues[0].color, 1)
	for _, test := range []struct {
		name   string
		data   string
		change func(*Options)
		want   string
	}{
		{"one image", make(map[string]int{"cats": 4, "dogs": 1, "eels": 1}), nil, "only one image of class dogs, eels, want at least 2"},
		{"single class", make(map[string]int{"cats": 4}), nil, "only one class, cats, want at least 2"},
		{"empty class", make(map[string]int{"cats": 4, "dogs": 4, "eels": 0}), nil, "no images of class eels"},
		{"all the same", same, nil, "class dogs: fewer than 2 different readable images"},
		{"nothing but copies of one image", copies, nil, "class cats, dogs: fewer than 2 different readable images"},
		{"all but one unreadable", damaged, nil, "class dogs: fewer than 2 different readable images"},
		{"no folder", filepath.Join(flat, "none"), nil, "no such file or directory"},
		{"a file", filepath.Join(flat, "a.png"), nil, "not a directory"},
		{"no classes", flat, nil, "no class folders"},
		{"no classes but ImageNet's", validation, nil, "1 images and no class folders"},
		{"folds", fine, func(o *Options) { o.Folds = 2 }, "2 folds, want 3 to 20"},
		{"splits", fine, func(o *Options) { o.Splits = 51 }, "51 splits, want 1 to 50"},
		{"more folds than images", fine, func(o *Options) { o.Folds = 20 }, "no image is left for fold 9 of 20"},
		{"sample", fine, func(o *Options) { o.Images = 3 }, "in a sample of 3 of 8 of class"},
		{"percentile", fine, func(o *Options) { o.Limits.Percentile = 0.3 }, "percentile 0.3, want"},
		{"metric", fine, func(o *Options) { o.Metric = "luck" }, `metric "luck", want one of`},
		{"pattern", fine, func(o *Options) { o.Networks = []string{"none*"} }, `no network matches "none*"`},
		{"no checkpoint", fine, func(o *Options) { o.Cache.Dir = t.TempDir() }, "no checkpoint to choose from; put files into"},
		{"limits", fine, func(o *Options) { o.Limits.Params = 10 }, "no checkpoint to choose from: 2 checkpoints are far above the limits, " +
			"the least of them narrow.made with parameters 0.00 M, limit 0.00 M"},
		{"a latency that nothing has", fine, func(o *Options) { o.Limits.Latency = 1 },
			"above the limits, the least of them narrow.made with latency "},
		{"worker", fine, func(o *Options) { o.Worker.Path = "/none" }, "/none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := options(t, test.data)
			if test.change != nil {
				test.change(&o)
			}
			_, err := Run(context.Background(), o)
			if err == nil || !strings.HasPrefix(err.Error(), "choose: ") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// TestWarnings warns of images that are left out, and of a class with fewer images than folds where copies count once.
func TestWarnings(t *testing.T) {
	data := images(t, 6)
	writeImage(t, filepath.Join(data, "outside.png"), hues[0].color, 1)
	for i := range 4 {
		writeImage(t, filepath.Join(data, "red", fmt.Sprintf("%04d.png", 2+i)), hues[2].color, 200000) // as 0000.png
	}
	o := options(t, data)
	told := ""
	o.Say = func(line string) { told += line + "\n" }
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Alike) != 1 || len(r.Alike[0]) != 5 {
		t.Fatalf("alike: %v", r.Alike)
	}
	for _, want := range []string{
		"1 of 3 classes have fewer different readable images than there are folds (5): their results depend on very few images: red",
		"1 images outside the class folders are left out",
	} {
		if all := strings.Join(r.Warnings, "\n"); !strings.Contains(all, want) || !strings.Contains(told, want) {
			t.Errorf("warnings:\n%s\ntold:\n%swant %q", all, told, want)
		}
	}
}

// TestClassOfTwoImages has one beside classes of twelve: it takes part, and the report says how little that is.
func TestClassOfTwoImages(t *testing.T) {
	data := images(t, 12)
	for i := range 2 {
		writeImage(t, filepath.Join(data, "white", fmt.Sprintf("%d.png", i)), color.RGBA{190, 190, 190, 255}, uint64(900+i))
	}
	r, err := Run(context.Background(), options(t, data))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.ByClass) != 4 || smallest(r.ByClass)[0].Class != "white" || smallest(r.ByClass)[0].Images != 2 {
		t.Errorf("by class: %+v", r.ByClass)
	}
	var page bytes.Buffer
	if err := r.page("out").markdown(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"The classes have from 2 to 12 images.", "add --metric balanced_accuracy",
		"1 of 4 classes have fewer different readable images than there are folds",
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, page.String())
		}
	}
}

// TestBrokenCheckpointCostsNoOther has one checkpoint of three that is text.
func TestBrokenCheckpointCostsNoOther(t *testing.T) {
	o := options(t, images(t, 6))
	if err := os.WriteFile(filepath.Join(o.Cache.Weights(), "wide.text.pth"), []byte("nothing"), 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.candidate("wide.text"); c.Err == "" || r.Pick == nil {
		t.Errorf("broken: %+v, pick %v", c, r.Pick)
	}
	var page bytes.Buffer
	if err := r.page("out").markdown(&page); err != nil || !strings.Contains(page.String(), "Networks without a result") {
		t.Errorf("error %v; the report does not name it", err)
	}
}

// TestHeadFiles holds files that are no heads to errors.
func TestHeadFiles(t *testing.T) {
	dir := t.TempDir()
	h := Head{Network: "n", Input: fromFeatures, Classes: []string{"a", "b"}, Weight: []float32{1, 2, 3, 4}, Bias: []float32{5, 6}}
	path := filepath.Join(dir, "head.safetensors")
	if err := h.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := LoadHead(path)
	if err != nil || got.Bias[1] != 6 || got.Weight[3] != 4 || got.Network != "n" {
		t.Errorf("got %+v, %v", got, err)
	}
	h.Input = "smell"
	if err := h.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadHead(path); err == nil || !strings.Contains(err.Error(), `"smell"`) {
		t.Errorf("error %v", err)
	}
	o := options(t, "")
	_, err = LoadHead(filepath.Join(o.Cache.Weights(), "wide.made.safetensors"))
	if err == nil || !strings.Contains(err.Error(), "not a head") {
		t.Errorf("error %v", err)
	}
}

func TestImageNetNames(t *testing.T) {
	for _, test := range []struct {
		name    string
		classes []string
		want    []int
	}{
		{"ids", []string{"n01440764", "n01484850"}, []int{0, 2}},
		{"names", []string{"Tench", "great white shark"}, []int{0, 2}},
		{"spelling", []string{"great_white-shark", "goldfish"}, []int{2, 1}},
		{"others", []string{"tench", "my dog"}, nil},
		{"two of a name", []string{"crane", "tench"}, nil},
		{"one twice", []string{"n01440764", "tench"}, nil},
	} {
		if got := imageNet(test.classes); len(got) != len(test.want) || len(got) > 0 && (got[0] != test.want[0] || got[1] != test.want[1]) {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// TestPageIsHarmless takes names from a folder that would be markup.
func TestPageIsHarmless(t *testing.T) {
	p := &page{title: "<script>alert(1)</script>"}
	p.text("a | b\n# c")
	tab := tableOf("file")
	tab.add("<img src=x>|x")
	p.table(tab)
	var md, html bytes.Buffer
	if err := errors.Join(p.markdown(&md), p.html(&html)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "<img"} {
		if strings.Contains(html.String(), bad) {
			t.Errorf("HTML has %s:\n%s", bad, html.String())
		}
	}
	if s := md.String(); strings.Contains(s, " <") || strings.Contains(s, "\n# c") || !strings.Contains(s, `\|x`) {
		t.Errorf("Markdown:\n%s", s)
	}
}

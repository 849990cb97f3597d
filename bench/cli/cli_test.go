package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zoobench/internal/testenv"
	"zoobench/zoo"
)

// programVariable makes the test binary be the program: workers, and runs that are to be killed.
const programVariable = "ZOOBENCH_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) == "" {
		os.Exit(m.Run())
	}
	limitFiles(os.Getenv(limitVariable))
	sayBegun(os.Getenv(begunVariable))
	os.Exit(Main(few(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// few are some of the zoo's networks: the tests' texts should not change when it grows.
func few() *zoo.List {
	specs, err := zoo.Match([]string{"alexnet", "vgg*", "squeezenet*", "resnet18", "resnet50", "mobilenetv2_100", "mobilenetv2_140"})
	if err != nil {
		panic(err)
	}
	var chosen []zoo.Spec
	for _, s := range specs {
		chosen = append(chosen, *s)
	}
	list, err := zoo.NewList(chosen)
	if err != nil {
		panic(err)
	}
	return list
}

// invoke runs a command line in this process; its workers are this binary as the program. The cache is empty and the
// environment names no images.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv(programVariable, "1")
	if os.Getenv("ZOOBENCH_CACHE") == "" {
		t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	}
	t.Setenv("ZOOBENCH_DATA", "")
	var out, err bytes.Buffer
	code = Main(few(), args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// golden compares what a command wrote with a file of testdata.
func golden(t *testing.T, name, stdout, stderr string) {
	t.Helper()
	testenv.GoldenOutput(t, filepath.Join("testdata", name+".golden"), stdout, stderr)
}

// TestGolden holds texts that depend on the zoo and the command line alone. Algorithms, their errors and packed sizes are the kernels'
// and are left out.
func TestGolden(t *testing.T) {
	algorithm := regexp.MustCompile(`(?m)[^, ]+,[^, ]*,[^, ]*$`) // and its error, and the network
	for _, test := range []struct {
		name string
		args []string
		edit func(string) string
	}{
		{name: "ls", args: []string{"ls", "squeezenet*", "alexnet"}},
		{name: "ls_json", args: []string{"ls", "squeezenet1_1", "--format", "json"}},
		{name: "ls_csv", args: []string{"ls", "vgg1*", "--max-params", "133", "--format", "csv"}},
		{name: "ls_filters", args: []string{"ls", "*net*", "--family", "resnet", "--max-macs", "4.1", "--max-params", "26"}},
		{name: "show_csv", args: []string{"show", "squeezenet1_1", "--img-size", "96", "--num-classes", "10", "--no-tune", "--format", "csv"},
			edit: func(text string) string { return algorithm.ReplaceAllString(text, "…") }},
		{name: "validate", args: []string{"validate", "testdata/experiments.yaml"}},
		{name: "validate_json", args: []string{"validate", "testdata/experiments.yaml", "--format", "json"}},
		{name: "help", args: []string{"help"}},
		{name: "help_run", args: []string{"run", "--help"}},
		{name: "help_latency", args: []string{"latency", "--help"}},
		{name: "help_eval", args: []string{"eval", "--help"}},
		{name: "complete_network", args: []string{"__complete", "show", "squeeze"}},
		{name: "complete_command", args: []string{"__complete", "l"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, test.args...)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			if test.edit != nil {
				stdout = test.edit(stdout)
			}
			golden(t, test.name, stdout, stderr)
		})
	}
}

func TestShowAddsUp(t *testing.T) {
	code, stdout, stderr := invoke(t, "show", "squeezenet1_1", "--no-tune")
	for _, want := range []string{"features.0", "256×13×13", "1235496 parameters (1.24 M), 349151936 MACs (0.349 G)",
		"packed weights", "arena"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("exit code %d, no %q in:\n%s%s", code, want, stdout, stderr)
		}
	}
	_, stdout, _ = invoke(t, "show", "squeezenet1_1", "--no-tune", "--format", "json")
	var params, macs int64
	for line := range strings.Lines(stdout) {
		var row showRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		params, macs = params+row.Params, macs+row.MACs
	}
	if params != 1235496 || macs != 349151936 {
		t.Errorf("rows add up to %d parameters and %d MACs, want 1235496 and 349151936", params, macs)
	}
}

// keys are the names in a JSON line, in its order.
func keys(t *testing.T, line string) (names []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	depth := 0
	for expectName := false; ; {
		token, err := d.Token()
		if err != nil {
			return names
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			expectName = token == json.Delim('{') && depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			expectName = depth == 1
			continue
		}
		if depth != 1 {
			continue
		}
		if name, isName := token.(string); isName && expectName {
			names = append(names, name)
			expectName = false
			continue
		}
		expectName = true
	}
}

func TestLatency(t *testing.T) {
	args := []string{"latency", "squeezenet1_1", "mobilenet_v2", "--img-size", "64", "--batch", "2", "--threads", "2", "--min-duration",
		"20ms", "--num-classes", "10", "--no-tune"}
	code, stdout, stderr := invoke(t, append(args, "--format", "json")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want one a network:\n%s", len(lines), stdout)
	}
	contract := []string{
		"model", "img_size", "batch", "threads", "params", "macs", "latency_p50_ns", "latency_min_ns", "latency_mean_ns", "n",
		"weights_bytes", "arena_bytes", "peak_rss_bytes", "load_ns",
	}
	if names := keys(t, lines[0]); len(names) < len(contract) || !slices.Equal(names[:len(contract)], contract) {
		t.Errorf("names: got %v, want them to begin with %v", names, contract)
	}
	var row latencyRow
	if err := json.Unmarshal([]byte(lines[1]), &row); err != nil {
		t.Fatal(err)
	}
	if row.Model != "mobilenetv2_100" || row.ImgSize != 64 || row.Batch != 2 || row.Threads != 2 || row.N < 11 {
		t.Errorf("got %+v; want mobilenetv2_100 at 64, batch 2, threads 2, n of at least 11", row)
	}
	if row.Min <= 0 || row.P50 < row.Min || row.WeightsBytes <= 0 || row.ArenaBytes <= 0 || row.Load <= 0 || row.Params <= 0 || row.MACs <= 0 {
		t.Errorf("a figure is missing: %+v", row)
	}

	_, stdout, _ = invoke(t, append(args, "--format", "csv")...)
	table, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(table) != 3 || !slices.Equal(table[0][:len(contract)], contract) {
		t.Errorf("csv: %d lines, error %v:\n%s", len(table), err, stdout)
	}
	_, stdout, _ = invoke(t, args...)
	if !strings.Contains(stdout, "squeezenet1_1") || !strings.Contains(stdout, "p50") {
		t.Errorf("table:\n%s", stdout)
	}
}

// TestLatencyOfSeveral tells that a network that fails does not cost the others' rows.
func TestLatencyOfSeveral(t *testing.T) {
	code, stdout, stderr := invoke(t, "latency", "alexnet", "squeezenet1_1", "--img-size", "32", "--min-duration", "5ms", "--no-tune")
	if code != exitFailed || !strings.Contains(stderr, "zoobench: alexnet: ") || !strings.Contains(stderr, "1 of 2 networks failed") {
		t.Errorf("exit code %d, %q; want %d and which one failed", code, stderr, exitFailed)
	}
	if !strings.Contains(stdout, "squeezenet1_1") {
		t.Errorf("no row of the other one: %q", stdout)
	}
}

func TestDoctorAndVersion(t *testing.T) {
	code, stdout, stderr := invoke(t, "doctor", "--format", "json")
	var d doctorRow
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || code != 0 {
		t.Fatalf("exit code %d, error %v: %s", code, err, stderr)
	}
	if d.PeakGFLOPS <= 0 || d.ReadGBytes <= 0 || d.TimerStep <= 0 || d.CPU == "" || d.ISA == "" || !slices.Contains(d.ISAs, "generic") {
		t.Errorf("a figure is missing: %+v", d)
	}
	t.Logf("%.1f GFLOP/s and %.1f GB/s a core", d.PeakGFLOPS, d.ReadGBytes)
	if code, stdout, _ := invoke(t, "version"); code != 0 || !strings.HasPrefix(stdout, "zoobench ") {
		t.Errorf("version: exit code %d, %q", code, stdout)
	}
}

// TestUsage holds wrong usage and input to exit code 1 and one line that names what is wrong.
func TestUsage(t *testing.T) {
	folder, text := t.TempDir(), filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte("no checkpoint, no image"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"command", []string{"latencey", "alexnet"}, `no command "latencey"`},
		{"flag", []string{"latency", "alexnet", "--thread", "1"}, "no flag --thread; did you mean --threads?"},
		{"format", []string{"ls", "--format", "xml"}, `--format: have "xml", want table, json or csv`},
		{"network", []string{"latency", "resnet5O"}, `no network "resnet5O"; nearest: `},
		{"second network", []string{"latency", "alexnet", "resnet5O"}, `no network "resnet5O"`},
		{"pattern", []string{"ls", "nothing*"}, `no network matches "nothing*"`},
		{"no network", []string{"latency"}, "have 0 arguments"},
		{"file to list", []string{"ls", "a.onnx"}, "a.onnx is a file, no network of the zoo; zoobench show"},
		{"file to fetch", []string{"pull", "dir/a.onnx"}, "dir/a.onnx is a file, no network of the zoo; there is nothing to fetch"},
		{"file to quantise", []string{"quantize", "a.ONNX", "--data", ".", "--out", text},
			"a.ONNX is a file, no network of the zoo; zoobench export"},
		{"batch", []string{"latency", "alexnet", "--batch", "0"}, "--batch 0"},
		{"size", []string{"latency", "alexnet", "--img-size", "16", "--min-duration", "1ms"}, "alexnet"},
		{"negative size", []string{"show", "alexnet", "--img-size", "-3"}, "--img-size -3"},
		{"size to show", []string{"show", "alexnet", "--img-size", "16"}, "nn: alexnet at 16×16: "},
		{"size to time", []string{"show", "alexnet", "--time", "--img-size", "16"}, "nn: alexnet at 16×16: "},
		{"size of a diff", []string{"show", "--diff", "vgg11", "alexnet", "--img-size", "16"}, "nn: vgg11 at 16×16: "},
		{"no classes", []string{"show", "alexnet", "--num-classes", "0"}, "--num-classes 0: want at least 1"},
		{"no classes to time", []string{"latency", "alexnet", "--num-classes", "0"}, "--num-classes 0: want at least 1"},
		{"no classes to evaluate", []string{"eval", "alexnet", "--num-classes", "0", "--weights", text}, "--num-classes 0: want at least 1"},
		{"too many classes", []string{"show", "alexnet", "--num-classes", "9999999"}, "9999999 classes, want 1 to 1048576"},
		{"nearest three", []string{"show", "vgg61"}, `no network "vgg61"; nearest: vgg11, vgg16, vgg13`},
		{"one of a diff", []string{"show", "--diff", "alexnet"}, "have 1 networks, want 2"},
		{"three to compare", []string{"show", "--diff", "alexnet", "vgg11", "resnet18"}, "show --diff: have 3 networks, want 2"},
		{"diff with itself", []string{"show", "--diff", "mobilenet_v2", "mobilenetv2_100"},
			"mobilenet_v2 and mobilenetv2_100 are the same network, mobilenetv2_100"},
		{"unknown in a diff", []string{"show", "--diff", "alexnet", "resnet5O"}, `no network "resnet5O"; nearest: `},
		{"diff and time", []string{"show", "--diff", "--time", "alexnet", "vgg11"}, "[diff time]"},
		{"sort without time", []string{"show", "alexnet", "--sort", "time"}, "--sort: works only with --time"},
		{"sort", []string{"show", "alexnet", "--time", "--sort", "name"}, `--sort: have "name", want order, time or gap`},
		{"batch to time", []string{"show", "alexnet", "--time", "--batch", "0"}, "--batch 0"},
		{"family", []string{"ls", "--family", "resent"}, `have "resent", want one of alexnet, vgg, resnet, `},
		{"limit", []string{"ls", "--max-params", "-1"}, "--max-params -1"},
		{"weights are no file", []string{"latency", "alexnet", "--weights", filepath.Join(folder, "none.pth")}, "no such file"},
		{"weights are a folder", []string{"latency", "alexnet", "--weights", folder}, "is a folder"},
		{"weights are text", []string{"latency", "alexnet", "--weights", text}, "notes.txt"},
		{"tag", []string{"eval", "alexnet", "--weights", "tv_in1k", "--data", folder},
			"alexnet.tv_in1k: no such file, and not in the cache folder; zoobench pull alexnet.tv_in1k fetches it if it is published, or put "},
		{"no weights", []string{"eval", "alexnet", "--data", folder}, "no checkpoint"},
		{"no data", []string{"eval", "alexnet", "--weights", text}, "no images; name their folder"},
		{"mean", []string{"eval", "alexnet", "--weights", text, "--data", folder, "--mean", "1,2"}, "--mean: have 2 numbers, want 3"},
		{"mean of 0 to 255", []string{"eval", "alexnet", "--weights", text, "--data", folder, "--mean", "123.675,116.28,103.53",
			"--std", "58.395,57.12,57.375"},
			"--mean 123.675,116.28,103.53: these are of values from 0 to 255, want values from 0 to 1; divided by 255 they are 0.485,0.456,0.406"},
		{"deviation", []string{"eval", "alexnet", "--weights", text, "--data", folder, "--std", "0,0,0"}, "--std [0 0 0]: want more than 0"},
		{"experiments", []string{"run", filepath.Join(folder, "none.yaml")}, "none.yaml"},
		{"experiment", []string{"run", "testdata/experiments.yaml", "--only", "frist"}, "frist"},
		{"nothing to resume", []string{"run", "testdata/experiments.yaml", "--resume"}, "no run of first to resume"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := invoke(t, test.args...)
			if code != 1 || !strings.HasPrefix(stderr, "zoobench: ") || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d, %q; want 1 and %q", code, stderr, test.want)
			}
			if stdout != "" {
				t.Errorf("wrote to standard output: %q", stdout)
			}
		})
	}
}

func TestBadExperiments(t *testing.T) {
	code, stdout, stderr := invoke(t, "validate", "testdata/bad.yaml")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	golden(t, "bad", stdout, stderr)
}

func TestTableIsHarmless(t *testing.T) {
	if got, want := clean("a\x1b[31mb\nc\u009bd é\u202ef\u200bg"), `a\x1b[31mb\nc\u009bd é\u202ef\u200bg`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// closed is an output that its reader has closed.
type closed struct{}

func (closed) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "stdout", Err: errPipe}
}

func TestBrokenPipeIsQuiet(t *testing.T) {
	var stderr bytes.Buffer
	for _, format := range []string{"table", "json", "csv"} {
		if code := Main(zoo.Default(), []string{"ls", "--format", format}, nil, closed{}, &stderr); code != 0 || stderr.Len() > 0 {
			t.Errorf("%s: exit code %d, %q; want 0 and silence", format, code, &stderr)
		}
	}
	// Another pipe than standard output is a file like any.
	err := error(&os.PathError{Op: "write", Path: "samples.fifo", Err: errPipe})
	if errors.Is(err, errReaderGone) {
		t.Error("the end of another pipe counts as that of standard output")
	}
	if _, err := (output{closed{}}).Write(nil); !errors.Is(err, errReaderGone) {
		t.Errorf("standard output closed: %v, want errReaderGone", err)
	}
}

// TestZeroMean tells that a mean of nothing is one that was asked for.
func TestZeroMean(t *testing.T) {
	over, err := (&recipeFlags{mean: []float64{0, 0, 0}}).recipe()
	if err != nil || over.Mean == nil || *over.Mean != [3]float64{} || over.Std != nil {
		t.Errorf("--mean 0,0,0: %+v, error %v", over, err)
	}
}

// TestKerasPreprocessing takes Keras's modes and its way of loading an image.
func TestKerasPreprocessing(t *testing.T) {
	over, err := (&recipeFlags{mode: "caffe", loadImg: true}).recipe()
	if err != nil {
		t.Fatal(err)
	}
	if over.Mean == nil || over.Mean[0] != 123.68/255 || !*over.BGR || over.CropPct != 1 || over.CropMode != "squash" ||
		over.Interpolation != "nearest" {
		t.Errorf("--mode caffe --load-img: %+v", over)
	}
	if over, err = (&recipeFlags{interpolation: "bilinear", loadImg: true}).recipe(); err != nil || over.Interpolation != "bilinear" {
		t.Errorf("--load-img --interpolation bilinear: %+v, error %v", over, err)
	}
	if _, err := (&recipeFlags{mode: "theano"}).recipe(); err == nil || err.Error() != `--mode "theano": want caffe, tf, torch or none` {
		t.Errorf("--mode theano: %v", err)
	}
}

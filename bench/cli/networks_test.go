package cli

import (
	"encoding/json"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo"
)

func TestExpand(t *testing.T) {
	a := &app{list: few()}
	tags := func(s *zoo.Spec) ([]string, error) {
		return map[string][]string{"vgg11": {"a", "b1", "b2"}, "vgg13": {"b1"}}[s.Name], nil
	}
	for _, test := range []struct {
		args string
		want string // names, or what the error says
	}{
		{"alexnet vgg11", "alexnet vgg11"},
		{"vgg11 alexnet", "vgg11 alexnet"},
		{"alexnet alexnet", "alexnet alexnet"}, // twice on purpose
		{"alexnet,vgg11", "alexnet vgg11"},
		{"mobilenet_v2", "mobilenet_v2"},
		{"squeezenet*", "squeezenet1_0 squeezenet1_1"},
		{"squeezenet1_1 squeezenet*", "squeezenet1_1 squeezenet1_0"},
		{"family:resnet,alexnet", "resnet18 resnet50 alexnet"},
		{"vgg11.x", "vgg11.x"},
		{"vgg1[13].x", "vgg11.x vgg13.x"},
		{"vgg11.*", "vgg11.a vgg11.b1 vgg11.b2"},
		{"vgg1?.b*", "vgg11.b1 vgg11.b2 vgg13.b1"},
		{"vgg11.c*", `no checkpoint matches "vgg11.c*"`},
		{"resent18", `no network "resent18"; nearest: resnet18`},
		{"alexnet,", `have "alexnet,", want names of networks with commas between them`},
		{"nothing*", `no network matches "nothing*"`},
		{"vgg[", `pattern "vgg["`},
		{"vgg11.[", `pattern "vgg11.["`},
	} {
		names, err := a.expand(strings.Fields(test.args), tags)
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != test.want || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.args, got, test.want)
		}
	}
}

// TestSeveralCheckpoints has one command evaluate, audit and predict with every checkpoint of a pattern. One that is damaged
// costs its own row only.
func TestSeveralCheckpoints(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"0": {R: 255, A: 255}, "1": {B: 255, A: 255}}, 2)
	dir := filepath.Join(os.Getenv("ZOOBENCH_CACHE"), "weights")
	content, err := os.ReadFile(filepath.Join(dir, "squeezenet1_1.made.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"squeezenet1_1.other.safetensors": content, "squeezenet1_0.bad.safetensors": []byte("damaged")} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	images, err := filepath.Glob(filepath.Join(data, "*", "*"))
	if err != nil || len(images) == 0 {
		t.Fatalf("%q, error %v", images, err)
	}
	for _, test := range []struct {
		args   []string
		models []string
		code   int
		stderr string
	}{
		{[]string{"eval", "squeezenet*.*", "--data", data}, []string{"squeezenet1_1.made", "squeezenet1_1.other"}, exitFailed,
			"zoobench: squeezenet1_0.bad: "},
		{[]string{"eval", "squeezenet1_1.*", "--data", data}, []string{"squeezenet1_1.made", "squeezenet1_1.other"}, exitOK, ""},
		{[]string{"eval", "squeezenet1_1.*", "--data", data, "--per-sample", "x"}, nil, exitUsage,
			"--per-sample: have 2 checkpoints or precisions, want one"},
		{[]string{"eval", "squeezenet*", "--data", data}, nil, exitUsage, "or all in the cache folder as 'squeezenet1_0.*'"},
		{[]string{"eval", "squeezenet*", "--data", data, "--weights", "networks_test.go"}, nil, exitUsage, "a file is of one network, have 2"},
		{[]string{"predict", "squeezenet1_1.*", images[0]}, []string{"squeezenet1_1.made", "squeezenet1_1.other"}, exitOK, ""},
		{[]string{"predict", "squeezenet1_1.*", "--head", "x", images[0]}, nil, exitUsage, "--head: have 2 checkpoints, want one"},
		{[]string{"audit", "squeezenet1_1.made,squeezenet1_1.other", "--data", data},
			[]string{"squeezenet1_1.made", "squeezenet1_1.other"}, exitOK, ""},
		{[]string{"audit", "squeezenet1_1.*", "--data", data, "--observed", "50"}, nil, exitUsage, "--observed: have 2 checkpoints, want one"},
		{[]string{"show", "squeezenet*", "--no-tune"}, []string{"squeezenet1_0", "squeezenet1_1"}, exitOK, ""},
	} {
		t.Run(strings.Join(test.args[:2], " "), func(t *testing.T) {
			code, stdout, stderr := invoke(t, append(test.args, "--format", "json")...)
			var models []string
			for line := range strings.Lines(stdout) {
				var row struct{ Model string }
				if err := json.Unmarshal([]byte(line), &row); err != nil {
					t.Fatal(err)
				}
				models = append(models, row.Model)
			}
			if models = slices.Compact(models); code != test.code || !slices.Equal(models, test.models) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit code %d, rows of %q, %s; want %d, %q, %q", code, models, stderr, test.code, test.models, test.stderr)
			}
		})
	}
	_, stdout, _ := invoke(t, "predict", "squeezenet1_1.*", images[0])
	if !strings.Contains(stdout, "probability model") || !strings.Contains(stdout, "squeezenet1_1.other") {
		t.Errorf("a table of several networks does not name them:\n%s", stdout)
	}
}

// TestLsCheckpoints lists the licences of checkpoints by pattern.
func TestLsCheckpoints(t *testing.T) {
	generatedCheckpoint(t)
	code, stdout, stderr := invoke(t, "ls", "--checkpoints", "resnet18", "mobilenet_v2.ra*")
	if code != exitOK || !strings.Contains(stdout, "mobilenetv2_100.ra_in1k          timm        apache-2.0") ||
		!strings.Contains(stdout, "cc-by-nc-4.0, not commercial") || strings.Contains(stdout, "mobilenetv2_100.IMAGENET1K_V1") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
	if _, stdout, _ := invoke(t, "ls", "--checkpoints", "--format", "json"); strings.Contains(stdout, `"licence":null`) ||
		!strings.Contains(stdout, `"licence":"bsd-3-clause","commercial":true`) {
		t.Errorf("as JSON: %s", stdout)
	}
}

// TestPullPatterns selects checkpoints by patterns; those that may not be used commercially are left out unless asked for.
func TestPullPatterns(t *testing.T) {
	a := &app{list: few()}
	for _, test := range []struct {
		arg           string
		nonCommercial bool
		want          string
	}{
		{"resnet50.fb*", true, "resnet50.fb_ssl_yfcc100m_ft_in1k resnet50.fb_swsl_ig1b_ft_in1k"},
		{"resnet50.fb*", false, "no published weights that can be fetched; --non-commercial takes those too"},
		{"resnet50.fb_ssl_yfcc100m_ft_in1k", false, "resnet50.fb_ssl_yfcc100m_ft_in1k"}, // by its own name
		{"resnet50.tv*", false, "resnet50.tv2_in1k resnet50.tv_in1k"},
		{"mobilenetv2_*", false, "mobilenetv2_100.ra_in1k mobilenetv2_140.ra_in1k"},
		{"resnet50.none", false, `no published weights "none"; there are: `},
	} {
		found, err := a.named(test.arg, test.nonCommercial)
		var names []string
		for _, c := range found {
			names = append(names, c.Name())
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != test.want || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.arg, got, test.want)
		}
	}
}

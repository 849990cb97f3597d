package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExport writes files with flags that change what is in them.
func TestExport(t *testing.T) {
	t.Chdir(t.TempDir())
	small := []string{"mobilenetv2_100", "--img-size", "64", "--num-classes", "3"}
	sizes := map[string]int64{}
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, "mobilenetv2_100.onnx: mobilenetv2_100 with generated weights, opset 17\n"},
		{[]string{"--out", "folded.onnx", "--fold", "--opset", "21"}, "folded.onnx: mobilenetv2_100 with generated weights, opset 21\n"},
		{[]string{"--out", "gain.onnx", "--generated-gain", "1.6"}, "gain.onnx: mobilenetv2_100 with generated weights, opset 17\n"},
	} {
		code, stdout, stderr := invoke(t, append(append([]string{"export"}, small...), test.flags...)...)
		if code != exitOK || stdout != test.want || stderr != "" {
			t.Errorf("%v: exit %d, %q, %q; want %q", test.flags, code, stdout, stderr, test.want)
		}
		name, _, _ := strings.Cut(stdout, ":")
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		sizes[name] = info.Size()
	}
	if sizes["folded.onnx"] >= sizes["mobilenetv2_100.onnx"] {
		t.Errorf("%v: batch norms are multiplied in, and the file is not smaller", sizes)
	}
}

// TestExportRefuses names what is wrong, and writes nothing.
func TestExportRefuses(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"nosuch"}, `no network "nosuch"`},
		{[]string{"resnet18", "--opset", "16"}, "opset 16, want 17 to 21"},
		{[]string{"resnet18", "--opset", "22"}, "opset 22, want 17 to 21"},
		{[]string{"resnet18", "--generated-gain", "0"}, "--generated-gain 0: want more than 0"},
		{[]string{"resnet18", "--generated-gain", "NaN"}, "--generated-gain NaN: want more than 0"},
		{[]string{"resnet18", "resnet50", "--out", "x.onnx"}, "--out: have 2 networks, want one"},
		{[]string{"mobilenetv2_100", "--out", filepath.Join("none", "x.onnx")}, "no such file or directory"},
		{[]string{"mobilenetv2_100", "--weights", "none.safetensors"}, "none.safetensors"},
		{[]string{"alexnet", "--img-size", "8"}, "alexnet at 8×8"},
	} {
		code, stdout, stderr := invoke(t, append([]string{"export"}, test.args...)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit %d, %q, %q; want %q", test.args, code, stdout, stderr, test.want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

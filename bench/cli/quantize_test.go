package cli

import (
	"image/color"
	"path/filepath"
	"strings"
	"testing"
)

// TestQuantizeRefuses says what is wrong with images and checkpoints, and writes nothing.
func TestQuantizeRefuses(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"0": {20, 40, 230, 255}}, 1)
	dir := t.TempDir()
	made, out := filepath.Join(dir, "made.int8.safetensors"), filepath.Join(dir, "out.int8.safetensors")
	code, _, stderr := invoke(t, "quantize", "squeezenet1_1.made", "--data", data, "--img-size", "64", "--out", made)
	if code != exitOK {
		t.Fatal(stderr)
	}
	again := []string{"squeezenet1_1", "--weights", made, "--data", data}
	none := []string{"squeezenet1_1.made", "--data", filepath.Join(dir, "none")}
	for _, test := range []struct {
		command []string
		args    []string
		want    string
	}{
		{[]string{"quantize", "--out", out}, again, "quantize: " + made + " is in int8 already"},
		{[]string{"quantize", "--out", out}, none, "none: no such file or directory"},
		{[]string{"audit", "--precision", "int8"}, again, "audit: " + made + " is in int8 already"},
		{[]string{"audit", "--precision", "int8"}, none, "none: no such file or directory"},
	} {
		args := append(test.command, test.args...)
		if code, stdout, stderr := invoke(t, args...); code == exitOK || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit %d, %q, %q; want %q", args, code, stdout, stderr, test.want)
		}
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 1 {
		t.Errorf("files %q, error %v; want the first one alone", files, err)
	}
}

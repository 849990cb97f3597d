package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCache(t *testing.T) {
	c := Cache{t.TempDir()}
	spec, err := misbehaving().Find("small")
	if err != nil {
		t.Fatal(err)
	}
	if tags, err := c.Tags(spec); err != nil || tags != nil {
		t.Errorf("no folder: got %v, error %v; want nothing", tags, err)
	}
	if err := os.MkdirAll(c.Weights(), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"small.b.pth", "small.a.safetensors", "small.a.pth", "little.c.pth", "smaller.d.pth", "small.txt",
		"small.pth"} {
		if err := os.WriteFile(filepath.Join(c.Weights(), name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if tags, err := c.Tags(spec); err != nil || !slices.Equal(tags, []string{"a", "b", "c"}) {
		t.Errorf("tags: got %v, error %v; want a, b, c", tags, err)
	}
	for _, test := range []struct{ weights, tag, file string }{
		{"a", "a", "small.a.safetensors"},
		{"b", "b", "small.b.pth"},
		{"c", "c", "little.c.pth"},
		{filepath.Join(c.Weights(), "small.b.pth"), "b", "small.b.pth"},
		{filepath.Join(c.Weights(), "smaller.d.pth"), "", "smaller.d.pth"},
		{c.Weights(), "", "weights"},
		{"b#model_ema", "b", "small.b.pth#model_ema"},
		{filepath.Join(c.Weights(), "smaller.d.pth#ema.net"), "", "smaller.d.pth#ema.net"},
	} {
		tag, file, err := c.Resolve(spec, test.weights)
		if err != nil || tag != test.tag || filepath.Base(file) != test.file {
			t.Errorf("%s: got tag %q, file %q, error %v; want %q, %q", test.weights, tag, file, err, test.tag, test.file)
		}
	}
	for _, test := range []struct{ weights, want string }{
		{"z", "small.z: no such file, and not in the cache folder; zoobench pull small.z fetches it if it is published, or put it at "},
		{"missing/x.pth", "no such file"},
	} {
		if _, _, err := c.Resolve(spec, test.weights); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q", test.weights, err, test.want)
		}
	}
}

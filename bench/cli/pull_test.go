package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/zoo"
)

// TestPullKeras fetches files of Keras's, which publishes MD5s, and none of its first MobileNets.
func TestPullKeras(t *testing.T) {
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("weights of " + r.URL.Path))
	}))
	defer mirror.Close()
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	code, stdout, stderr := invokeOn(zoo.Default(), "pull", "keras_resnet50,keras_convnexttiny,keras_mobilenet",
		"--mirror", mirror.URL, "--format", "json")
	for _, want := range []string{
		"keras_resnet50.imagenet.h5: wrong hash: md5 ", "want 2cb95161c43110f7111970584f804107, as published; nothing was kept",
		"keras_convnexttiny.imagenet.h5: wrong hash: sha256 ",
	} {
		if code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d, %q; want 2 and %q", code, stderr, want)
		}
	}
	if strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, "keras_mobilenet.imagenet.h5") || !strings.Contains(stdout, "first use") {
		t.Errorf("got %s, want the MobileNet alone, on first use", stdout)
	}
}

// TestPull fetches from a mirror, lists, verifies and removes.
func TestPull(t *testing.T) {
	var paths []string
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		w.Write([]byte("weights of " + r.URL.Path))
	}))
	defer mirror.Close()
	t.Setenv("ZOOBENCH_CACHE", t.TempDir())
	// Nobody publishes the hash of timm's files; torchvision's file bears the first digits of its own.
	code, stdout, stderr := invoke(t, "pull", "mobilenetv2_100", "resnet18.IMAGENET1K_V1", "mobilenetv2_140.ra_in1k", "--mirror",
		mirror.URL, "--parallel", "1", "--format", "json")
	if code != 2 || !strings.Contains(stderr, "resnet18.IMAGENET1K_V1.pth: wrong hash: sha256 ") ||
		!strings.Contains(stderr, "nothing was kept") {
		t.Errorf("exit code %d, %q; want 2 and resnet18's wrong hash", code, stderr)
	}
	if !strings.Contains(stderr, "mobilenetv2_100.ra_in1k: licence apache-2.0") {
		t.Errorf("no licence in %q", stderr)
	}
	var rows []pullRow
	for line := range strings.Lines(stdout) {
		var row pullRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if len(rows) != 2 || rows[0].Name != "mobilenetv2_100.ra_in1k" || rows[0].Trust != "first use" ||
		filepath.Base(rows[1].File) != "mobilenetv2_140.ra_in1k.safetensors" {
		t.Errorf("got %+v", rows)
	}
	if want := "/timm/mobilenetv2_100.ra_in1k/resolve/main/model.safetensors"; len(paths) == 0 ||
		!strings.Contains(strings.Join(paths, " "), want) {
		t.Errorf("asked for %q, want %s among them", paths, want)
	}

	code, stdout, _ = invoke(t, "cache", "ls", "--format", "json")
	if code != 0 || strings.Count(stdout, "\n") != 2 || !strings.Contains(stdout, `"file":"weights/mobilenetv2_100.ra_in1k.safetensors"`) {
		t.Errorf("cache ls: exit code %d: %s", code, stdout)
	}
	if code, _, stderr := invoke(t, "cache", "verify"); code != 0 {
		t.Errorf("cache verify: exit code %d: %s", code, stderr)
	}
	if err := os.WriteFile(rows[0].File, []byte("other"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr = invoke(t, "cache", "verify")
	if code != 2 || !strings.Contains(stdout, "want "+rows[0].SHA256) || !strings.Contains(stderr, "1 of 2 files") {
		t.Errorf("cache verify of a damaged file: exit code %d: %s%s", code, stdout, stderr)
	}
	if code, _, stderr := invoke(t, "cache", "rm", "mobilenetv2_100.ra_in1k", "weights/none.pth"); code != 1 ||
		!strings.Contains(stderr, "none.pth: no such file in ") {
		t.Errorf("cache rm of a stranger: exit code %d: %s", code, stderr)
	}
	if code, _, stderr := invoke(t, "cache", "rm", "mobilenetv2_100.ra_in1k"); code != 0 {
		t.Errorf("cache rm: exit code %d: %s", code, stderr)
	}
	if _, stdout, _ := invoke(t, "cache", "ls"); strings.Contains(stdout, "mobilenetv2_100") {
		t.Errorf("after rm: %s", stdout)
	}
	before := len(paths)
	code, _, stderr = invoke(t, "pull", "mobilenetv2_140.ra_in1k", "mobilenetv2_100", "--offline")
	if code != 2 || len(paths) != before || strings.Contains(stderr, "weights: mobilenetv2_140") ||
		!strings.Contains(stderr, "put the file from https://huggingface.co/timm/mobilenetv2_100") {
		t.Errorf("offline: exit code %d after %d requests: %s", code, len(paths)-before, stderr)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"pull"}, "no networks; name some"},
		{[]string{"pull", "resnet18.none"}, `no published weights "none"; there are: `},
		{[]string{"pull", "--family", "none"}, `no family "none"`},
		{[]string{"pull", "data", "imagenet"}, "needs an account"},
		{[]string{"cache"}, "have no command, want ls, rm, verify"},
	} {
		if code, _, stderr := invoke(t, test.args...); code != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %q; want 1 and %q", test.args, code, stderr, test.want)
		}
	}
}

// TestPullWhat holds what is selected to be fetchable and licensed.
func TestPullWhat(t *testing.T) {
	a := &app{list: zoo.Default()}
	small, err := a.checkpoints(nil, nil, true, false)
	if err != nil || len(small) < 12 {
		t.Fatalf("small ones: %d, error %v; want a dozen", len(small), err)
	}
	all, err := a.checkpoints(nil, []string{"resnet", "swin", "convnext", "efficientnet"}, true, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(small, all...) {
		if !strings.HasPrefix(f.remote.URL, "https://") || f.remote.SHA256 != "" && len(f.remote.SHA256) < 8 ||
			strings.Trim(f.remote.SHA256, "0123456789abcdef") != "" {
			t.Errorf("%s: %+v", f.name, f.remote)
		}
	}
	for _, f := range small {
		if !commercial(f.licence) {
			t.Errorf("%s: licence %s", f.name, f.licence)
		}
	}
}

func TestDataCheck(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"cat/a.jpg", "dog/b.jpg"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("no picture"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := invoke(t, "data", "check", dir, "--format", "json")
	var row dataRow
	if err := json.Unmarshal([]byte(stdout), &row); err != nil {
		t.Fatal(err)
	}
	if code != 2 || !strings.Contains(stderr, "2 of 2 images cannot be read") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	if row.Images != 2 || row.Classes != 2 || len(row.Unreadable) != 2 || row.Unreadable[0].File != "cat/a.jpg" ||
		len(row.Duplicates) != 1 || len(row.SHA256) != 64 {
		t.Errorf("got %+v", row)
	}
	if _, stdout, _ = invoke(t, "data", "check", dir); !strings.Contains(stdout, "content hash "+row.SHA256) ||
		!strings.Contains(stdout, "cat/a.jpg = dog/b.jpg") {
		t.Errorf("table:\n%s", stdout)
	}
}

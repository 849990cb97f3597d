package pocket

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// maxBytes is the most that the weights may take in the program.
const maxBytes = 12_000_000

// TestBuilt compares the files in this build with their index.
func TestBuilt(t *testing.T) {
	named := []string{Index}
	size := 0
	for _, w := range All() {
		data, err := w.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != w.SHA256 {
			t.Errorf("%s: SHA-256 %x, want %s as the index has it", w.Network, sum, w.SHA256)
		}
		named, size = append(named, File(w.Network)), size+len(data)
	}
	if size > maxBytes {
		t.Errorf("%d bytes in all, want at most %d", size, maxBytes)
	}
	entries, err := files.ReadDir("study")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(named, e.Name()) {
			t.Errorf("%s is not in the index", e.Name())
		}
	}
}

// TestRead reads an index, and refuses what can be none.
func TestRead(t *testing.T) {
	hash := strings.Repeat("0", 64)
	score := `{"dataset_sha256":"h","n_images":4,"top1_images":1,"top5_images":3}`
	row := `{"network":"n","sha256":"` + hash + `","float32_sha256":"` + hash + `","recipe":"base","data":"shapes",` +
		`"test":` + score + `,"float32_test":` + score + `,"part":` + score + `}`
	for _, test := range []struct{ name, index, want string }{
		{"none", "[]", ""},
		{"one", "[" + row + "]", ""},
		{"twice", "[" + row + "," + row + "]", "n is there twice"},
		{"no file", "[" + strings.Replace(row, `"n"`, `"m"`, 1) + "]", "m.safetensors"},
		{"unknown key", `[{"x":1}]`, `unknown field "x"`},
		{"no hash", "[" + strings.Replace(row, hash, "0", 1) + "]", "want a network, all four, and 64 digits"},
		{"no recipe", "[" + strings.Replace(row, "base", "", 1) + "]", "want a network, all four"},
		{"more right than images", "[" + strings.Replace(row, `"n_images":4`, `"n_images":2`, 1) + "]", "want at least 1"},
		{"more right by one", "[" + strings.Replace(row, `"top1_images":1`, `"top1_images":4`, 1) + "]", "no more right by one"},
		{"no JSON", "x", "invalid character"},
	} {
		all, err := Read(fstest.MapFS{Index: {Data: []byte(test.index)}, "n.safetensors": {Data: []byte("weights")}})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
		if len(all) == 0 {
			continue
		}
		if data, err := all[0].Bytes(); err != nil || string(data) != "weights" || all[0].Test.Top1Percent() != 25 {
			t.Errorf("%s: %q, error %v, top-1 %v %%", test.name, data, err, all[0].Test.Top1Percent())
		}
	}
	if _, err := Read(fstest.MapFS{}); err == nil {
		t.Error("a folder without an index is read")
	}
}

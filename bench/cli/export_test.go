package cli

import (
	"bytes"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/zoo/onnx/message"
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

// TestFileForNetwork names an ONNX file where a network's name stands.
func TestFileForNetwork(t *testing.T) {
	image, err := filepath.Abs(filepath.Join("..", "..", "datasets", "decode", "testdata", "libjpeg", "h2v1_restart.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	code, _, stderr := invoke(t, "export", "mobilenetv2_100", "--img-size", "64", "--num-classes", "3", "--out", "own.onnx")
	if code != exitOK {
		t.Fatal(stderr)
	}
	photograph, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"a", "b", "c"} {
		dir := filepath.Join("images", class)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"1.jpg", "2.jpg"} {
			if err := os.WriteFile(filepath.Join(dir, name), photograph, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"own", "none"} {
		text := "experiments:\n  - name: files\n    question: \"How fast are files?\"\n    models: [file: " + name + ".onnx]\n" +
			"    processes: 1\n    latency: {min_duration: 1ms}\n    accuracy: {data: images}\n"
		if err := os.WriteFile(name+".yaml", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("text.onnx", []byte("a text file of that name\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"show", "own.onnx"}, exitOK, "own.onnx at 64×64:"},
		{[]string{"export", "own.onnx"}, exitUsage, "own.onnx is an ONNX file already: name the file to write with --out"},
		{[]string{"show", "--diff", "own.onnx", "mobilenetv2_100", "--img-size", "64", "--num-classes", "3"}, exitOK, "are the same"},
		{[]string{"predict", "own.onnx", image}, exitOK, "h2v1_restart.jpg    3"},
		{[]string{"export", "own.onnx", "--out", "again.onnx"}, exitOK, "again.onnx: own.onnx with weights of own.onnx"},
		{[]string{"show", "--diff", "own.onnx", "again.onnx"}, exitOK, "are the same"},
		{[]string{"pipeline", "own.onnx", "--data", "images"}, exitOK, "own.onnx"},
		{[]string{"eval", "own.onnx", "--data", "images", "--per-sample", "one.csv"}, exitOK, "own.onnx"},
		{[]string{"eval", "again.onnx", "--data", "images", "--per-sample", "two.csv"}, exitOK, "again.onnx"},
		{[]string{"compare", "one.csv", "two.csv"}, exitOK, "one and two tie"},
		{[]string{"run", "own.yaml", "--out", "run"}, exitOK, "own.onnx"},
		{[]string{"run", "none.yaml"}, exitUsage, "none.yaml:4:14: models: runner: onnx: "},
		{[]string{"choose", "--data", "images", "--networks", "own.onnx,own.onnx"}, exitUsage, "own.onnx and own.onnx have one name"},
		{[]string{"choose", "--data", "images", "--networks", "none.onnx"}, exitUsage, "none.onnx: no such file"},
		{[]string{"show", "own.onnx", "--img-size", "96"}, exitUsage, "own.onnx takes images of 64×64 alone"},
		{[]string{"predict", "own.onnx", "--img-size", "96", image}, exitUsage, "images of 64×64 alone, want 96×96"},
		{[]string{"predict", "own.onnx", "--num-classes", "4", image}, exitUsage, "has 3 classes, want 4"},
		{[]string{"predict", "own.onnx", "--weights", "x", image}, exitUsage, "own.onnx has weights of its own"},
		{[]string{"predict", "none.onnx", image}, exitUsage, "none.onnx: no such file"},
		{[]string{"show", "text.onnx"}, exitUsage, "text.onnx: byte "},
	} {
		code, stdout, stderr := invoke(t, test.args...)
		if code != test.code || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%v: exit %d, %q, %q; want %d, %q", test.args, code, stdout, stderr, test.code, test.want)
		}
	}
}

// TestOtherImages reads networks of images that are no squares, or have other channels than red, green and blue.
func TestOtherImages(t *testing.T) {
	data := hues(t, map[string]color.RGBA{"blue": {20, 40, 230, 255}, "green": {30, 220, 40, 255}, "red": {230, 30, 20, 255}}, 2)
	images, err := filepath.Glob(filepath.Join(data, "*", "1.png"))
	if err != nil || len(images) != 3 {
		t.Fatal(images, err)
	}
	t.Chdir(t.TempDir())
	code, _, stderr := invoke(t, "export", "mobilenetv2_100", "--img-size", "64", "--num-classes", "3", "--out", "square.onnx")
	if code != exitOK {
		t.Fatal(stderr)
	}
	for name, dims := range map[string][3]int64{"oblong.onnx": {3, 64, 96}, "five.onnx": {5, 64, 64}, "grey.onnx": {1, 48, 96}} {
		b, err := os.ReadFile("square.onnx")
		if err != nil {
			t.Fatal(err)
		}
		m, err := message.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range dims {
			m.Graph.Inputs[0].Dims[i+1].Size = d
		}
		for i := range m.Graph.Tensors {
			if x := &m.Graph.Tensors[i]; x.Name == "conv_stem.weight" {
				x.Dims[1], x.Raw = dims[0], bytes.Repeat(x.Raw, 2)[:int64(len(x.Raw))/3*dims[0]]
			}
		}
		var file bytes.Buffer
		if err := message.Encode(&file, m, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, file.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	latency := []string{"--processes", "1", "--min-duration", "1ms", "--no-tune"}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"show", "oblong.onnx"}, exitOK, "oblong.onnx at 64×96:"},
		{append([]string{"latency", "oblong.onnx"}, latency...), exitOK, "oblong.onnx"},
		{append([]string{"latency", "oblong.onnx", "five.onnx", "--precision", "int8"}, latency...), exitOK, "five.onnx"},
		{append([]string{"predict", "oblong.onnx"}, images...), exitOK, "1.png"},
		{[]string{"eval", "oblong.onnx", "--data", data, "--crop-pct", "1"}, exitOK, "oblong.onnx"},
		{[]string{"eval", "oblong.onnx", "--data", data}, exitOK, "oblong.onnx"},
		{[]string{"eval", "oblong.onnx", "--data", data, "--precision", "int8", "--calibration", data}, exitOK, "oblong.onnx"},
		{[]string{"pipeline", "oblong.onnx", "--data", data}, exitOK, "oblong.onnx"},
		{[]string{"eval", "grey.onnx", "--data", data}, exitOK, "grey.onnx"},
		{[]string{"eval", "oblong.onnx", "--data", data, "--corrupt", "fog:3"}, exitUsage, "3×64×96; corruptions are of squares"},
		{[]string{"export", "oblong.onnx", "--out", "again.onnx", "--with-preprocessing"}, exitUsage, "images of 64×96: the file prepares"},
		{append([]string{"latency", "five.onnx"}, latency...), exitOK, "five.onnx"},
		{[]string{"show", "five.onnx"}, exitOK, "five.onnx at 64×64:"},
		{append([]string{"predict", "five.onnx"}, images...), exitUsage,
			"five.onnx takes images of 5×64×64; zoobench prepares photographs of one or three channels (latency, show and export do without)"},
		{[]string{"eval", "five.onnx", "--data", data}, exitUsage, "five.onnx takes images of 5×64×64"},
	} {
		code, stdout, stderr := invoke(t, test.args...)
		if code != test.code || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%v: exit %d, %q, %q; want %d, %q", test.args, code, stdout, stderr, test.code, test.want)
		}
	}
}

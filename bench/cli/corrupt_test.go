package cli

import (
	"encoding/json"
	"image/color"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCorrupt evaluates and predicts under corruptions: rows, notes and JSON name them and say whose they are.
func TestCorrupt(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"0": {R: 255, A: 255}, "1": {B: 255, A: 255}}, 2)
	const network, ours = "squeezenet1_1.made", "these are not ImageNet-C's published files"
	code, stdout, stderr := invoke(t, "eval", network, "--data", data, "--corrupt", "none,fog", "--corrupt", "snow:2", "--format", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var got []string
	for line := range strings.Lines(stdout) {
		var row evalRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if (row.Corruption == "") != (row.CorruptedBy == "") || row.Corruption != "" && !strings.HasSuffix(row.CorruptedBy, ours) {
			t.Errorf("row of %q says %q", row.Corruption, row.CorruptedBy)
		}
		got = append(got, row.Corruption)
	}
	if want := []string{"", "fog:1", "fog:2", "fog:3", "fog:4", "fog:5", "snow:2"}; !slices.Equal(got, want) {
		t.Errorf("rows of %q, want %q", got, want)
	}
	if n := strings.Count(stderr, "\ncorruption: "); n != 6 ||
		!strings.Contains(stderr, "corruption: snow:2, computed by zoobench on the crop of") {
		t.Errorf("%d notes, want 6: %s", n, stderr)
	}
	if _, stdout, _ = invoke(t, "eval", network, "--data", data, "--corrupt", "snow:2"); !strings.Contains(stdout, network+" with snow:2") {
		t.Errorf("the table does not name the corruption:\n%s", stdout)
	}

	image := filepath.Join(data, "0", "0.png")
	scores := func(args ...string) (rows []predictRow) {
		code, stdout, stderr := invoke(t, append([]string{"predict", network, image, "--format", "json"}, args...)...)
		if code != 0 || len(args) > 0 != strings.Contains(stderr, ours) {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
		for line := range strings.Lines(stdout) {
			var row predictRow
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			if len(args) > 0 != (row.Corruption == "impulse_noise:5") {
				t.Errorf("%q: a row of %q", args, row.Corruption)
			}
			row.Corruption = ""
			rows = append(rows, row)
		}
		return rows
	}
	plain, worse, again := scores(), scores("--corrupt", "impulse_noise:5"), scores("--corrupt", "impulse_noise:5")
	if slices.Equal(plain, worse) || !slices.Equal(worse, again) || len(worse) != 5 {
		t.Errorf("plain %v, corrupted %v, again %v", plain, worse, again)
	}
}

// TestChooseCorrupted adds the heads' accuracy on corrupted images to rows and table.
func TestChooseCorrupted(t *testing.T) {
	generatedCheckpoint(t)
	data := hues(t, map[string]color.RGBA{"blue": {20, 40, 230, 255}, "red": {230, 30, 20, 255}}, 5)
	args := []string{"choose", "--data", data, "--min-duration", "20ms", "--out", t.TempDir(), "--networks", "squeezenet1_1", "--splits", "1",
		"--no-tune", "--corrupt", "none,contrast:5,fog:1"}
	code, stdout, stderr := invoke(t, append(args, "--format", "json")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for line := range strings.Lines(stdout) {
		var row chooseRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if c := row.Corruptions; len(c) != 2 || row.Corrupted == nil || *row.Corrupted != (c["contrast:5"]+c["fog:1"])/2 {
			t.Errorf("row %s", line)
		}
	}
	_, stdout, _ = invoke(t, args...)
	for _, want := range []string{"macro-F1 corrupted latency",
		"corrupted: accuracy on the same images with contrast:5, fog:1, computed by zoobench"} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), want) {
			t.Errorf("the table lacks %q:\n%s", want, stdout)
		}
	}
}

func TestCorruptUsage(t *testing.T) {
	generatedCheckpoint(t)
	eval, predict := []string{"eval", "squeezenet1_1.made", "--data", "d"}, []string{"predict", "squeezenet1_1.made", "a.png"}
	for _, test := range []struct {
		args []string
		want string
	}{
		{append(eval, "--corrupt", "gausian_noise:3"),
			`--corrupt: have "gausian_noise:3", unknown corruption "gausian_noise:3", want none, or NAME:SEVERITY with the name all`},
		{append(eval, "--corrupt", "fog:0"), `--corrupt: have "fog:0", severity "0" of fog, want 1 to 5, as in fog:3`},
		{append(eval, "--corrupt", "fog:6"), `severity "6"`},
		{append(eval, "--corrupt", "fog:-1"), `severity "-1"`},
		{append(eval, "--corrupt", ""), `unknown corruption "", want none`},
		{append(eval, "--corrupt", "fog,,snow"), `unknown corruption "", want none`},
		{append(eval, "--corrupt", "fog,fog:2"), "fog:2 is given twice"},
		{append(eval, "--corrupt", "fog", "--per-sample", "x"), "--per-sample: have 5 corruptions, want one"},
		{[]string{"choose", "--data", "d", "--corrupt", "fog:7"}, `--corrupt: have "fog:7", severity "7" of fog`},
		{append(predict, "--corrupt", "fog"), "fog is 5 corruptions, want one, as in fog:3"},
		{append(predict, "--corrupt", "all"), "all is 75 corruptions"},
		{append(predict, "--corrupt", "fog:9"), `severity "9"`},
		{append(predict, "--corrupt", ""), `unknown corruption "", want none`},
	} {
		code, stdout, stderr := invoke(t, test.args...)
		if code != exitUsage || !strings.Contains(stderr, "--") || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit code %d, %q, %s; want %q", test.args, code, stdout, stderr, test.want)
		}
	}
}
